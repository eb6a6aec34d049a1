"""A thousand accounts and five million events into a lake by two workers: time, CPU, memory of each process, requests.

python -m benchmarks.cluster [--accounts 1000] [--events 5000000] [--workers 2] [--kill] [--local]

The services are the sandbox's, in a process of their own. `--kill` ends a worker with SIGKILL in the middle. `--local`
lets one process do all of it, without workers. Memory is the most that each process held (``VmHWM``), CPU its own
seconds; of a worker that was killed nothing is told.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import psutil

import crmlab

#: events of each of the sandbox's people, about
_EACH = 1.0
_TICKS = os.sysconf("SC_CLK_TCK")
LIMITS = crmlab.Limits(concurrency=10)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=16, help="accounts of each worker")
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--local", action="store_true")
    options = parser.parse_args()
    people = round(options.events / options.accounts / _EACH)
    with started("benchmarks.cluster_server", str(people)) as server:
        says = json.loads(server.stdout.readline())
        accounts = [
            crmlab.Account(
                "complero",
                name=f"account {number}",
                base_url=says["url"],
                api_key=says["api_key"],
                facts={},
                limits=LIMITS,
            )
            for number in range(options.accounts)
        ]
        with tempfile.TemporaryDirectory() as folder:
            await refreshed(crmlab.Lake(f"{folder}/lake"), Path(folder), accounts, options)
        server.stdin.write("counted\n")
        server.stdin.flush()
        print(f"the sandbox answered {json.loads(server.stdout.readline())['requests']:,} requests")
        tell("sandbox", server.pid)


async def refreshed(lake, folder: Path, accounts: list, options: argparse.Namespace) -> None:
    """Refresh the lake, print what it took, and compare what is in it."""
    if options.local:
        await measured(lake, accounts, None)
        tell("one process", os.getpid())
    else:
        words = ["--workers", str(options.workers), "--accounts", str(options.at_once)]
        with started("tests.cluster.bound", "cluster", "--port", "0", *words) as cluster:
            cluster.stdout.readline()
            address = cluster.stdout.readline().split()[1]
            workers = workers_of(cluster.pid)
            killing = asyncio.create_task(killed(workers)) if options.kill else None
            await measured(lake, accounts, address)
            if killing:
                await killing
            tell("client (this process)", os.getpid())
            tell("scheduler and nannies", cluster.pid)
            for number, pid in enumerate(workers_of(cluster.pid)):
                tell(f"worker {number}", pid)
            cluster.send_signal(signal.SIGINT)
            cluster.wait()
    check(lake, folder, len(accounts))


async def measured(lake, accounts: list, address: str | None) -> None:
    began_at = time.monotonic()
    told = await lake.refresh(accounts, "consent_events", cluster=address, progress=False)
    print(f"{told}; {told.requests:,} requests counted here")
    print(f"{time.monotonic() - began_at:,.0f} s, load {os.getloadavg()[0]:.0f}", flush=True)
    assert told.complete, told.failures


async def killed(workers: list[int]) -> None:
    await asyncio.sleep(30)
    os.kill(workers[0], signal.SIGKILL)
    print(f"killed worker {workers[0]}")


def check(lake, folder: Path, accounts: int) -> None:
    """Compare what the lake holds: of each account all events, each once."""
    events = lake.scan("consent_events")
    counts = events.group_by("account").agg(rows=pl.len(), ids=pl.col("id").n_unique()).collect()
    assert counts.height == accounts
    assert (counts["rows"] == counts["ids"]).all()
    assert counts["rows"].n_unique() == 1
    assert (
        lake.history("consent_events").filter(pl.col("valid_to").is_not_null()).collect().is_empty()
    )
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    commits = len([*folder.rglob("tables/consent_events/_delta_log/*.json")])
    print(
        f"{counts.height:,} accounts with {counts['rows'][0]:,} events each, each once; {len(files):,} files, "
        f"{size / 1e6:,.0f} MB, {commits} commits of the table"
    )


def workers_of(pid: int) -> list[int]:
    """Return the processes of the workers: the children that hold more than Python alone."""
    children = [
        each.pid for each in psutil.Process(pid).children() if "spawn_main" in str(each.cmdline())
    ]
    return sorted(children)


def tell(name: str, pid: int) -> None:
    """Print the most memory and the CPU seconds of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    cpu = (int(times[11]) + int(times[12])) / _TICKS
    print(f"{name}: {int(peak) / 1024:,.0f} MiB at most, {cpu:,.0f} CPU s", flush=True)


@contextmanager
def started(module: str, *words: str) -> Iterator[subprocess.Popen]:
    """Start a module of this checkout, and end it."""
    command = [sys.executable, "-m", module, *words]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, cwd=Path(__file__).parents[1]) as process:
        try:
            yield process
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(main())
