"""Run the ways of fetching in turn against one server and print medians and ratios.

python -m benchmarks [--records 10000] [--latency 0.05] [--runs 3]
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

WAYS = ("throw away", "by hand", "crmlab")
MEASURES = ("wall_seconds", "cpu_seconds", "peak_mb")
Run = dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000, help="in each of four lists")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each answer")
    parser.add_argument("--runs", type=int, default=3, help="of each way; medians are printed")
    parser.add_argument("--in-flight", type=int, nargs="*", default=[10, 100])
    options = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", str(options.records), str(options.latency)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    try:
        url, user, key, size = server.stdout.readline().split()
        print(f"4 lists x {options.records:,} records, {int(size) / 1e6:.1f} MB, {options.latency * 1000:.0f} ms,")
        print(f"medians of {options.runs} runs in turn, without start-up\n")
        for in_flight in options.in_flight:
            _compare(in_flight, options.runs, options.records, (url, user, key))
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
    return 0


def _compare(in_flight: int, runs: int, records: int, where: tuple[str, str, str]) -> None:
    done: dict[str, list[Run]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            done[way].append(_one(way, in_flight, records, where))
    middle = {way: {m: statistics.median(run[m] for run in done[way]) for m in MEASURES} for way in WAYS}
    print(f"{in_flight} in flight      wall s   CPU s   peak MB   wall s of each run")
    for way in WAYS:
        each = ", ".join(f"{run['wall_seconds']:.2f}" for run in done[way])
        wall, cpu, peak = (middle[way][m] for m in MEASURES)
        print(f"  {way:<14} {wall:8.2f} {cpu:7.2f} {peak:9.0f}   {each}")
    ours, hand, bare = middle["crmlab"], middle["by hand"], middle["throw away"]
    print(
        f"  crmlab: {ours['wall_seconds'] / bare['wall_seconds']:.2f} times the wall time of throwing away; "
        f"{hand['wall_seconds'] / ours['wall_seconds']:.1f} times faster than by hand,\n"
        f"  with {ours['cpu_seconds'] / hand['cpu_seconds']:.2f} of its CPU and "
        f"{ours['peak_mb'] / hand['peak_mb']:.2f} of its peak memory\n"
    )


def _one(way: str, in_flight: int, records: int, where: tuple[str, str, str]) -> Run:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.contender", way, *where, str(in_flight)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).parent.parent,
    )
    measured: Run = json.loads(done.stdout)
    assert measured["rows"] == 4 * records, f"{way}: {measured['rows']} rows"
    return measured


if __name__ == "__main__":
    sys.exit(main())
