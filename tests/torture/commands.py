"""Commands stopped by Ctrl-C at random moments: ``python -m tests.torture.commands [RUNS] [SEED]``.

The exit code must be 130, on stderr there is one line and no traceback, and no file is half there. A command that was
over before its signal must have done all of its work. What is read of a push afterwards is what the service has.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl

import crmlab
from crmlab.sandbox.server import Sandbox
from tests.torture.faulty import Run

#: seconds of each answer, and those after which a signal comes at the latest
LATENCY = 0.02
LATEST = 1.5
PATIENCE = 60.0
_ROWS = 60
#: told by a line of JSON; it says when everything is loaded
PROGRAM = """
import json, sys
import crmlab
from crmlab.cli import main
import crmlab.http.client, crmlab.report, crmlab.plots, crmlab.pushing.push
told = json.loads(sys.stdin.readline())
accounts = {
    each["provider"]: crmlab.Account(each["provider"], base_url=each["base_url"], facts={}, **each["keys"])
    for each in told["accounts"]
}
crmlab.Account = accounts.__getitem__
sys.argv[1:] = told["arguments"]
print("begins", flush=True)
sys.exit(main())
"""


def commands(folder: Path) -> list[list[str]]:
    """Return what is run, each with files of its own."""
    services = ["complero", "onepagecrm", "relenta"]
    out = str(folder / "out")
    return [
        ["fetch", *services, "--out", out],
        ["fetch", *services, "--out", out, "--format", "csv", "--report"],
        ["fetch", *services, "--out", out, "--spool", str(folder / "spool")],
        ["plan", *services],
        ["push", "relenta", "contacts", str(folder / "rows.csv")],
        ["report", str(folder / "fetched"), "--out", str(folder / "report.html")],
        ["report", str(folder / "fetched"), "--tables", "csv", "--out", out],
    ]


async def stopped(
    sandbox: Sandbox, arguments: Sequence[str], seconds: float | None
) -> tuple[int, str, str]:
    """Run a command, stopped after so many seconds; return its exit code and what it printed."""
    told = [
        {
            "provider": each.provider.name,
            "base_url": each.base_url,
            "keys": sandbox.keys[each.provider.name],
        }
        for each in sandbox
    ]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps({"accounts": told, "arguments": arguments}).encode() + b"\n")
    await process.stdin.drain()
    await process.stdout.readline()
    if seconds is not None:
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            process.send_signal(signal.SIGINT)
    output, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


def wrong_files(folder: Path) -> list[str]:
    """Return what is half there."""
    wrong = [
        path.name for path in folder.rglob("*") if path.name.startswith(".") or ".part" in path.name
    ]
    out = folder / "out"
    if any(out.glob("*.parquet")) or (out / "crmlab.json").exists():
        crmlab.open(out, lazy=False)  # which refuses files that are not whole, or not of one fetch
    page = folder / "report.html"
    if page.exists() and not page.read_text().rstrip().endswith("</html>"):
        wrong.append("half a report")
    return wrong


async def wrong_rows(sandbox: Sandbox, folder: Path, arguments: Sequence[str]) -> list[str]:
    """Push again, and hold what the file says against what is there."""
    code, said, errors = await stopped(sandbox, arguments, None)
    results = pl.read_ndjson(folder / "rows.csv.results.jsonl")
    contacts = (await crmlab.fetch(sandbox.account("relenta"), "contacts", progress=False)).contacts
    there = Counter(contacts["last_name"].drop_nulls())
    wrong = []
    for number, state in results.select("row", "state").iter_rows():
        count = there[f"{folder.name}-{number}"]
        if count > 1 or (state != "unknown" and (count == 1) != (state == "created")):
            wrong.append(f"row {number} is {state}, and there {count} times")
    if results.height != _ROWS or errors or code not in (0, 1):
        wrong.append(f"{results.height} rows, exit code {code}: {errors or said[-200:]}")
    return wrong


async def tried(sandbox: Sandbox, folder: Path, arguments: list[str], seconds: float) -> Run:
    """Stop one command, and say what is wrong."""
    started = time.monotonic()
    names = [f"{folder.name}-{number}" for number in range(_ROWS)]
    pl.DataFrame({"first_name": ["T"] * _ROWS, "last_name": names}).write_csv(folder / "rows.csv")
    code, said, errors = await stopped(sandbox, arguments, seconds)
    wrong = wrong_files(folder)
    if code == 130 and errors != "crmlab: stopped\n":
        wrong.append(f"stderr: {errors[-600:]}")
    if code != 130 and (code != 0 or errors):
        wrong.append(f"exit code {code}: {errors[-600:]}{said[-200:]}")
    if arguments[0] == "push":
        wrong += await wrong_rows(sandbox, folder, arguments)
    words = f"{' '.join(arguments[:2])} stopped after {seconds:.3f} s: {'; '.join(wrong)}"
    return Run(
        case="Ctrl-C at a command",
        service="all",
        outcome="odd" if wrong else "exact",
        words=words if wrong else "" if code == 130 else "over",
        seconds=time.monotonic() - started,
    )


async def tortured(runs: int, seed: int) -> list[Run]:
    """Stop so many commands."""
    chance = random.Random(seed)  # no secret
    done = []
    services = ["complero", "onepagecrm", "relenta"]
    async with crmlab.sandbox(rows=300, seed=3, latency=LATENCY, services=services) as sandbox:
        with tempfile.TemporaryDirectory() as place:
            data = await crmlab.fetch(sandbox, progress=False)
            data.export(Path(place) / "fetched")
            for number in range(runs):
                folder = Path(place) / f"run{number}"
                folder.mkdir()
                (folder / "fetched").symlink_to(Path(place) / "fetched")
                some = commands(folder)
                run = await tried(
                    sandbox, folder, some[number % len(some)], chance.uniform(0, LATEST)
                )
                done.append(run)
                shutil.rmtree(folder)
    return done


def main() -> int:
    """Run; return 1 where a run went wrong."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    runs, seed = (numbers + [49, random.randrange(2**32)][len(numbers) :])[:2]
    done = asyncio.run(tortured(runs, seed))
    wrong = [run for run in done if run.outcome == "odd"]
    for run in wrong:
        print(run.words)
    over = sum(run.words == "over" for run in done)
    print(f"seed {seed}: {runs} commands, {over} over before they were stopped, {len(wrong)} wrong")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
