"""Processes: one that is forked after a fetch says so, and one that is started anew fetches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, multiprocessing, sys
import polars as pl
import crmlab
from crmlab import analysis
from crmlab.schema import TABLES

async def fetched():
    async with crmlab.sandbox(rows=20, services=["relenta"]) as accounts:
        return await crmlab.fetch(accounts, "contacts")

async def with_client():
    async with crmlab.Client(crmlab.Account("complero", api_key="k" * 20)):
        pass

def told(ask):
    try:
        ask()
    except crmlab.errors.UsageError as error:
        return "was forked" in str(error)

def child():
    deals = TABLES["deals"].empty()
    asked = [lambda: asyncio.run(fetched()), lambda: asyncio.run(with_client()), lambda: analysis.win_rate(deals)]
    asked += [lambda: crmlab.replay("nowhere"), lambda: crmlab.open("nowhere")]
    print([told(ask) for ask in asked])

def print_rows():
    print(asyncio.run(fetched())['contacts'].height > 0)

if __name__ == "__main__":
    if sys.argv[2] == "at work":
        pl.DataFrame({"a": [1]}).lazy().select(pl.col("a") * 2).collect()
    target = child if sys.argv[3] == "told" else print_rows
    process = multiprocessing.get_context(sys.argv[1]).Process(target=target)
    process.start()
    process.join()
    raise SystemExit(process.exitcode)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize(
    ("method", "parent", "expected", "printed"),
    [
        ("fork", "at work", "told", "[True, True, True, True, True]"),
        ("fork", "idle", "rows", "True"),
        ("spawn", "at work", "rows", "True"),
    ],
)
def test_a_forked_process_says_what_is_wrong_and_others_fetch(
    method: str, parent: str, expected: str, printed: str, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)

    ended = subprocess.run(
        [sys.executable, "-W", "ignore", program, method, parent, expected],
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )

    assert ended.stdout.strip() == printed
