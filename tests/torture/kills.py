"""Fetches killed at random moments (SIGKILL) and asked again: ``python -m tests.torture.kills [RUNS] [SEED]``.

The second run must bring what a run without a kill brings, ask for nothing that was kept (but one page of each list
that was cut and that nothing counts), and leave nothing half-written. Prints a line for each run that is not so, and
a table.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

import crmlab
from crmlab.sandbox.server import Sandbox
from tests.torture.fetching import fetched

PROGRAM = Path(__file__).with_name("fetching.py")
#: seconds of each answer, so that a fetch takes long enough to be killed in it
LATENCY = 0.02
OWN_RECORDS = ("relenta.contacts", "complero.events", "onepagecrm.notes")
#: lists that nothing counts: of each that is cut one page is asked for again
UNCOUNTED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one run: how many answers were kept at the kill, how many requests the second run sent."""

    kept: int
    sent: int
    was_killed: bool
    wrong: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The moment of a kill: so many requests have come, and so many seconds have gone by since."""

    requests: int
    seconds: float


def told(accounts: Sandbox, folder: Path, *, grows: bool) -> dict[str, Any]:
    """Return what the process is told."""
    asked = [
        {
            "provider": each.provider.name,
            "base_url": each.base_url,
            "keys": accounts.keys[each.provider.name],
        }
        for each in accounts
    ]
    shared = sorted({table for each in accounts for table in each.provider.tables})
    return {
        "accounts": asked,
        "tables": [
            *shared,
            *(name for name in OWN_RECORDS if name.partition(".")[0] in accounts.keys),
        ],
        "spool": str(folder / "spool"),
        "out": str(folder / "out"),
        "grows": grows,
    }


async def run(
    asked: dict[str, Any], *, moment: Callable[[], Coroutine[Any, Any, None]] | None = None
) -> tuple[dict[str, Any] | None, str]:
    """Run the program to its end, or kill it at a moment that is waited for; return what it says, and its errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdin.write(json.dumps(asked).encode() + b"\n")
    await process.stdin.drain()
    await process.stdout.readline()
    if moment:
        waits = asyncio.create_task(moment())
        ends = asyncio.create_task(process.wait())
        await asyncio.wait([waits, ends], return_when=asyncio.FIRST_COMPLETED)
        waits.cancel()
        if process.returncode is None:
            process.kill()
    said = await process.stdout.read()
    errors = await process.stderr.read()
    await process.wait()
    return (json.loads(said) if said else None), errors.decode()


def frames(folder: Path) -> dict[str, pl.DataFrame]:
    """Return the tables that were written."""
    return {
        path.stem: pl.read_parquet(path)
        for path in sorted(folder.glob("*.parquet"))
        if path.stem != "summary"
    }


def difference(expected: dict[str, pl.DataFrame], found: dict[str, pl.DataFrame]) -> str:
    """Return the names of tables that differ; "" where none does."""
    wrong = [*sorted(expected.keys() ^ found.keys())]
    for name in expected.keys() & found.keys():
        try:
            assert_frame_equal(expected[name], found[name], check_row_order=False)
        except AssertionError:
            wrong.append(name)
    return ", ".join(wrong)


async def killed(
    accounts: Sandbox,
    folder: Path,
    expected: dict[str, pl.DataFrame],
    usual: int,
    when: When,
    *,
    grows: bool,
) -> Outcome:
    """Kill one fetch and ask again."""

    async def moment() -> None:
        while accounts.requests.total() < begun + when.requests:  # noqa: ASYNC110  # the sandbox has no event for it
            await asyncio.sleep(0.002)
        await asyncio.sleep(when.seconds)

    begun = accounts.requests.total()
    started = time.monotonic()
    asked = told(accounts, folder, grows=grows)
    ended, _ = await run(asked, moment=moment)
    kept = len([*(folder / "spool").glob("answers/*/*/*.gz")])
    before = accounts.requests.total()
    said, errors = await run(asked)
    sent = accounts.requests.total() - before
    wrong = difference(expected, frames(folder / "out"))
    if wrong:  # an event may have begun by the clock since what is expected was fetched
        again = folder / "again"
        await fetched(told(accounts, again, grows=True))
        wrong = difference(frames(again / "out"), frames(folder / "out"))
        shutil.rmtree(again)
    allowed = usual if ended else usual - kept + UNCOUNTED
    if sent > allowed:
        wrong += f" {sent} requests where {usual - kept} were missing"
    if not said or not said["complete"] or errors:
        wrong += f" {errors[-500:] or 'not complete'}"
    left = [
        path.name
        for path in folder.rglob("*")
        if path.name.startswith(".parts") or ".partial" in path.name
    ]
    if left:
        wrong += f" left: {left[:3]}"
    seconds = time.monotonic() - started
    return Outcome(
        kept=kept, sent=sent, was_killed=ended is None, wrong=wrong.strip(), seconds=seconds
    )


async def tortured(
    runs: int, seed: int, *, rows: int = 400, services: Sequence[str] | None = None
) -> list[Outcome]:
    """Kill so many fetches, each at a moment of its own."""
    chance = random.Random(seed)  # no secret
    outcomes = []
    async with crmlab.sandbox(rows=rows, seed=3, latency=LATENCY, services=services) as accounts:
        with tempfile.TemporaryDirectory() as place:
            whole = Path(place) / "whole"
            await fetched(told(accounts, whole, grows=True))
            usual = accounts.requests.total()
            expected = frames(whole / "out")
            for number in range(runs):
                folder = Path(place) / str(number)
                when = When(
                    requests=chance.randint(0, usual),
                    seconds=chance.choice([0, 0.01, 0.1, 0.5]) * chance.random(),
                )
                outcome = await killed(
                    accounts, folder, expected, usual, when, grows=bool(number % 2)
                )
                outcomes.append(outcome)
                if outcome.wrong:
                    print(f"run {number}, killed at {when}: {outcome.wrong}", flush=True)
                shutil.rmtree(folder)
    return outcomes


def main() -> int:
    """Print the table; return 1 where a run went wrong."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    runs, seed = (numbers + [50, random.randrange(2**32)][len(numbers) :])[:2]
    outcomes = asyncio.run(tortured(runs, seed))
    table = pl.DataFrame(outcomes)
    wrong = sum(bool(each.wrong) for each in outcomes)
    print(
        f"seed {seed}: {len(outcomes)} runs, {table['was_killed'].sum()} killed before their end, {wrong} wrong"
    )
    print(table.select("kept", "sent", "seconds").describe((0, 0.5, 1)))
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
