"""Fetches and plans cancelled at random moments: ``python -m tests.torture.cancels [RUNS] [SEED]``.

After each no task, no socket and no half file may be left, and nothing may be said on stderr; at the end a fetch must
bring everything. Prints a line for each run that is not so, and one that counts them.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import random
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import crmlab

LATENCY = 0.02
#: what no time limit of the caller's may end as
WRONGLY_CANCELLED = "cancelled by a time limit"
#: seconds that a thread which decodes may go on, and a connection may take to be closed
PATIENCE = 2.0


class Said(logging.Handler):
    """What asyncio says, such as that an exception was never retrieved."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of it."""
        self.texts.append(record.getMessage().partition("\n")[0])


def sockets() -> int:
    """Count the connections of this process."""
    count = 0
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            count += str(link.readlink()).startswith("socket:")
    return count


async def left(before: set[asyncio.Task[Any]], open_before: int) -> list[str]:
    """Return what is left of a call after a little while."""
    for _ in range(int(PATIENCE / 0.05)):
        tasks = asyncio.all_tasks() - before
        # the sandbox is in this process: a connection has two ends
        more = sockets() - open_before
        if not tasks and more <= 0:
            break
        await asyncio.sleep(0.05)
    found = [f"task {task.get_coro()}" for task in tasks]
    return [*found, f"{more} sockets"] if more > 0 else found


def calls(
    accounts: Any, wrong: list[crmlab.Account], folder: Path
) -> list[Callable[[], Awaitable[Any]]]:
    """Return what is called and cancelled."""
    limits = crmlab.Limits(concurrency=10)
    return [
        lambda: crmlab.fetch(accounts, limits=limits, progress=False),
        lambda: crmlab.fetch(
            accounts, limits=limits, progress=lambda news: None, spool=folder / "spool"
        ),
        lambda: crmlab.fetch_to(folder / "out", accounts, limits=limits, progress=False),
        lambda: crmlab.plan(accounts, limits=limits),
        lambda: crmlab.plan(wrong, limits=limits),
        lambda: crmlab.fetch(wrong, limits=limits, progress=False, on_error="raise"),
    ]


def is_marked() -> bool:
    """Whether the running task is still marked as cancelled, which a call must undo that did it for itself."""
    task = asyncio.current_task()
    return bool(task and task.cancelling())


async def cancelled(call: Awaitable[Any], seconds: float, *, by_timeout: bool) -> str:
    """Cancel a call after so long; return how it ended."""
    try:
        if by_timeout:
            async with asyncio.timeout(seconds):
                await call
        else:
            task = asyncio.ensure_future(call)
            await asyncio.sleep(seconds)
            task.cancel()
            await task
    except asyncio.CancelledError:
        return WRONGLY_CANCELLED if by_timeout else "cancelled"
    except TimeoutError:
        return "timed out"
    except crmlab.errors.CrmlabError as error:
        return type(error).__name__
    return "ended"


async def tortured(runs: int, seed: int) -> int:
    """Cancel so many calls; return how many went wrong."""
    said = Said()
    logging.getLogger("asyncio").addHandler(said)
    chance = random.Random(seed)  # no secret
    wrong = 0
    async with crmlab.sandbox(rows=300, seed=3, latency=LATENCY) as accounts:
        bad = [
            crmlab.Account(each.provider.name, base_url=each.base_url, **wrong_keys(accounts, each))
            for each in accounts
        ]
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            what = calls(accounts, bad, folder)
            for number in range(runs):
                said.texts.clear()
                before = asyncio.all_tasks()
                open_before = sockets()
                moment = chance.uniform(0, 1.0)
                ended = await cancelled(
                    what[number % len(what)](), moment, by_timeout=chance.random() < 0.5
                )
                rest = await left(before, open_before)
                gc.collect()
                await asyncio.sleep(0)
                rest += [str(path.relative_to(folder)) for path in folder.rglob(".*parts*")]
                if ended == WRONGLY_CANCELLED or is_marked():
                    rest.append("a mark of a cancel")
                if rest or said.texts:
                    wrong += 1
                    print(
                        f"run {number} ({ended} after {moment:.3f} s): left {rest[:4]}, said {said.texts[:3]}"
                    )
            whole = await crmlab.fetch_to(folder / "out", accounts, progress=False)
            print(
                f"seed {seed}: {runs} cancels, {wrong} wrong; a fetch afterwards is complete: {whole.complete}"
            )
    return wrong


def wrong_keys(accounts: Any, account: crmlab.Account) -> dict[str, str]:
    """Return credentials of which the service refuses one."""
    secret = {field.name for field in account.provider.fields if field.secret}
    keys = accounts.keys[account.provider.name]
    return {name: value[::-1] if name in secret else value for name, value in keys.items()}


def main() -> int:
    """Run; return 1 where a run went wrong."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    runs, seed = (numbers + [40, random.randrange(2**32)][len(numbers) :])[:2]
    os.environ.setdefault("TQDM_DISABLE", "1")
    return int(asyncio.run(tortured(runs, seed)) > 0)


if __name__ == "__main__":
    sys.exit(main())
