"""Faults, kills and cancels in one table: ``python -m tests.torture [RUNS] [SEED]``, which is ``make torture``.

Of so many runs one in ten is a kill, one in ten a cancel, one in twenty Ctrl-C at a command, and one in four asks in
another way than by a fetch: into files, a plan, one operation, a download, a push. The others are fetches whose answers
are spoiled. What goes wrong is printed before the table, with the seed that repeats it.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter

from tests.torture import cancels, commands, faulty, kills, ways

#: one run in so many is a kill, and one a cancel
SHARE = 10
#: one run in so many is Ctrl-C at a command
COMMANDS = 20
#: one run in so many asks in another way
OTHER_WAYS = 4


def killed(runs: int, seed: int) -> list[faulty.Run]:
    """Kill fetches and ask again: exact where the second call brings what one without a kill does."""
    return [
        faulty.Run(
            case="SIGKILL, then the same call again",
            service="all",
            outcome="odd" if each.wrong else "exact",
            words=each.wrong,
            seconds=each.seconds,
        )
        for each in asyncio.run(kills.tortured(runs, seed))
    ]


def cancelled(runs: int, seed: int) -> list[faulty.Run]:
    """Cancel calls: exact where nothing is left of them, and nothing is said."""
    started = time.monotonic()
    wrong = asyncio.run(cancels.tortured(runs, seed))
    seconds = (time.monotonic() - started) / max(1, runs)
    outcomes = ["odd"] * wrong + ["exact"] * (runs - wrong)
    case = "a cancel or a timeout"
    return [
        faulty.Run(case=case, service="all", outcome=each, words="", seconds=seconds)
        for each in outcomes
    ]


async def spoiled(runs: int, other_ways: int, seed: int) -> list[faulty.Run]:
    """Spoil what so many fetches and other calls are answered, and try what has no answer."""
    async with faulty.opened(seed) as bench:
        fetches = await faulty.tortured(bench, runs)
        others = await ways.tortured(bench, other_ways)
        return [*fetches, *others, *await faulty.unreachable(bench)]


def main() -> int:
    """Print the table; return 1 where a run went wrong."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    runs, seed = (numbers + [500, random.randrange(2**32)][len(numbers) :])[:2]
    each = runs // SHARE
    other_ways = runs // OTHER_WAYS
    stops = runs // COMMANDS
    done = told(asyncio.run(spoiled(runs - 2 * each - other_ways - stops, other_ways, seed)))
    done += told(killed(each, seed))
    done += told(cancelled(each, seed))
    done += told(asyncio.run(commands.tortured(stops, seed)))
    faulty.show(done, seed)
    return int(any(run.outcome in faulty.WRONG for run in done))


def told(part: list[faulty.Run]) -> list[faulty.Run]:
    """Say on stderr how far it is: all of it takes a quarter of an hour."""
    outcomes = Counter(run.outcome for run in part)
    print(f"{part[-1].case if part else 'nothing'}: {dict(outcomes)}", file=sys.stderr, flush=True)
    return part


if __name__ == "__main__":
    sys.exit(main())
