"""Compare this checkout with another one, run in turn on the same machine: whether a change made anything slower.

git worktree add ../before COMMIT
python -m benchmarks.against ../before

Each fetches from the sandbox of its own checkout. Medians are shown, and what this checkout takes of the other's.
"""

import argparse
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.matrix import CRMLAB, CRMLAB_100, CRMLAB_WHOLE, CRMLAB_WHOLE_100, MAIN, Contender
from benchmarks.runner import Run, run, serving

_HERE = Path(__file__).parent.parent
_MEASURES = {
    "wall s": "wall_seconds",
    "start-up s": "start_seconds",
    "CPU s": "cpu_seconds",
    "peak MB": "peak_mb",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="the other checkout")
    parser.add_argument(
        "--runs", type=int, default=5, help="of each contender and checkout, in turn"
    )
    options = parser.parse_args()
    other = options.folder.resolve()
    contenders = [
        each for each in (CRMLAB, CRMLAB_100, CRMLAB_WHOLE, CRMLAB_WHOLE_100) if _is_in(other, each)
    ]
    found: dict[tuple[Contender, Path], list[Run]] = {}
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(MAIN, root)) for root in (other, _HERE)]
        for _ in range(options.runs):
            for contender in contenders:
                for server in servers:
                    found.setdefault((contender, server.root), []).append(run(contender, server))
    for contender in contenders:
        print(_compared(contender, found[contender, other], found[contender, _HERE]))
    return 0


def _is_in(root: Path, contender: Contender) -> bool:
    return (root / "benchmarks" / "contenders" / f"{contender.module}.py").exists()


def _compared(contender: Contender, before: list[Run], now: list[Run]) -> str:
    """Return a line for each measure: the other checkout, this one, and the ratio."""
    failed = [each["failed"] for each in (*before, *now) if "failed" in each]
    if failed:
        return f"{contender.name}: {failed[0]}"
    lines = [f"{contender.name}, medians of {len(now)}"]
    for title, name in _MEASURES.items():
        was, is_now = (statistics.median(each[name] for each in runs) for runs in (before, now))
        lines.append(
            f"  {title:10}  other {was:7.2f}  this {is_now:7.2f}  ratio {is_now / was:.2f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
