"""A push that is killed at any moment leaves on disk what is true, and the next one sends nothing twice.

Five kills by default; ``CRMLAB_KILLS=50`` makes more.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from pathlib import Path

import polars as pl

import crmlab
from crmlab.pushing.sender import IN_FLIGHT
from crmlab.sandbox.server import Sandbox

KILLS = int(os.environ.get("CRMLAB_KILLS", "5"))
ROWS = 40 + KILLS * 12
#: seconds after the first request of a run, at most, until it is killed
LONGEST = 0.25

PUSHING = """
import asyncio, sys
import polars as pl
import crmlab
url, file, rows = sys.argv[1:]
account = crmlab.Account("relenta", base_url=url, account_name="sandbox", api_key=input(), facts={})
names = [f"person{number}" for number in range(int(rows))]
frame = pl.DataFrame({"first_name": names, "emails": [[f"{name}@example.com"] for name in names]})
print(asyncio.run(crmlab.push(account, "contacts", frame, results=file)))
"""


async def run(account: crmlab.Account, key: str, file: Path) -> asyncio.subprocess.Process:
    command = [sys.executable, "-c", PUSHING, account.base_url, str(file), str(ROWS)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(f"{key}\n".encode())
    process.stdin.close()
    return process


async def first_request(accounts: Sandbox, process: asyncio.subprocess.Process) -> None:
    """Wait until a run sends, or ends."""
    before = accounts.requests.total()
    while accounts.requests.total() == before and process.returncode is None:  # noqa: ASYNC110  # it tells no event
        await asyncio.sleep(0.001)


async def test_no_row_is_sent_twice_and_no_state_is_wrong_however_often_a_push_is_killed(
    tmp_path: Path,
) -> None:
    file = tmp_path / "results.jsonl"
    dice = random.Random(14)  # no secret
    async with crmlab.sandbox(rows=5, services=["relenta"], latency=0.01) as accounts:
        account = accounts[0]
        key = accounts.keys["relenta"]["api_key"]
        kills = 0
        for _ in range(KILLS):
            process = await run(account, key, file)
            await first_request(accounts, process)
            await asyncio.sleep(dice.uniform(0, LONGEST))
            if process.returncode is None:
                process.kill()
                kills += 1
            await process.wait()
        last = await run(account, key, file)
        await last.communicate()
        contacts = (await crmlab.fetch(account, "contacts", progress=False)).contacts

    assert kills >= KILLS - 1, "the rows were all sent before the last kills"
    there = Counter(
        email for email in contacts["emails"].explode() if email and email.startswith("person")
    )
    assert set(there.values()) == {1}
    results = pl.read_ndjson(file)
    assert results["row"].to_list() == list(range(ROWS))
    by_state = {state: rows["row"].to_list() for (state,), rows in results.group_by("state")}
    assert set(by_state) <= {"created", "unknown"}
    assert all(there[f"person{row}@example.com"] == 1 for row in by_state["created"])
    assert len(by_state.get("unknown", [])) <= kills * IN_FLIGHT
    unknown = by_state.get("unknown", [])
    applied = sum(there[f"person{row}@example.com"] for row in unknown)
    print(
        f"{kills} kills, {len(unknown)} rows unknown, {applied} of them applied, {len(by_state['created'])} created"
    )
