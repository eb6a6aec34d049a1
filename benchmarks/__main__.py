"""Compare crmlab with what its users would otherwise run, against one local server.

python -m benchmarks             two minutes: throw away, by hand, dlt and crmlab; prints, keeps nothing
python -m benchmarks --full      half an hour: everybody, everywhere; rewrites results.json, the tables, the picture
python -m benchmarks --report    the tables and the picture from results.json
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence

from benchmarks import results, tables
from benchmarks.environments import python
from benchmarks.matrix import CELLS, CONTENDERS, EVERYWHERE, MAIN, QUICK, Cell, Contender
from benchmarks.runner import run, serving


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="the default")
    which.add_argument("--full", action="store_true")
    which.add_argument("--report", action="store_true")
    parser.add_argument(
        "--runs", type=int, default=3, help="of each contender in turn; medians are shown"
    )
    options = parser.parse_args()
    if not (options.full or options.report):
        quick = _measured(MAIN, QUICK, options.runs)
        print(
            "",
            tables.title(MAIN),
            tables.compared(quick, MAIN, QUICK),
            tables.targets(quick),
            sep="\n",
        )
        return 0
    if options.full:
        for contender in CONTENDERS:
            python(contender.environment)  # built before the first is timed
        runs: list[results.Run] = []
        for cell in CELLS:
            runs += _measured(cell, CONTENDERS if cell == MAIN else EVERYWHERE, options.runs)
            results.write(runs)
    tables.rewrite(results.read())
    subprocess.run([python("picture"), "-m", "benchmarks.picture"], check=True)
    print(tables.targets(results.read()["runs"]))
    return 0


def _measured(cell: Cell, contenders: Sequence[Contender], wanted: int) -> list[results.Run]:
    """Run the contenders in turn."""
    found = []
    with serving(cell) as server:
        for turn in range(wanted):
            for contender in contenders:
                if turn < contender.runs(cell, wanted):
                    found.append(run(contender, server))
                    took = found[-1].get("failed") or f"{found[-1]['wall_seconds']:.2f} s"
                    print(f"{tables.title(cell)}: {contender.name}: {took}", file=sys.stderr)
    return found


if __name__ == "__main__":
    sys.exit(main())
