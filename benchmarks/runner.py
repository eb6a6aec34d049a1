"""Start the server of a cell and the contenders on it, each run in a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.environments import python
from benchmarks.matrix import RATE, Cell, Contender

_ROOT = Path(__file__).parent.parent
#: a run that takes longer is ended and counts as failed
_PATIENCE_SECONDS = 300
#: settings that would make one of two checkouts load the other, or compile all of crmlab for each run
_NOT_PASSED_ON = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
Run = dict[str, Any]


class Server:
    """The server's process, in a cell; `root` is the checkout that it runs."""

    def __init__(self, cell: Cell, process: subprocess.Popen, root: Path) -> None:
        self.cell = cell
        self.root = root
        self._process = process
        self.says: dict[str, Any] = json.loads(process.stdout.readline())

    def counted(self) -> dict[str, float]:
        """Return what was asked of it since the last time."""
        self._process.stdin.write("counted\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def serving(cell: Cell, root: Path = _ROOT) -> Iterator[Server]:
    """Start the server of a cell, and stop it; `root` is the checkout to run."""
    command = [sys.executable, "-m", "benchmarks.server", str(cell.records), str(cell.latency)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    limited = ["limited"] if cell.limited else []
    places = {"cwd": root, "env": _environment()}
    with subprocess.Popen([*command, *limited], **pipes, **places, text=True) as process:
        try:
            yield Server(cell, process, root)
        finally:
            process.terminate()


def run(contender: Contender, server: Server) -> Run:
    """Run a contender of the server's checkout once, cold; return what it took, or why it does not count."""
    cell = server.cell
    if cell.limited:
        time.sleep(3)  # until a whole burst is allowed again
    task = {name: server.says[name] for name in ("url", "user", "key")}
    task |= {"in_flight": contender.in_flight, "rate": RATE if cell.limited else None}
    command = [
        python(contender.environment),
        "-m",
        f"benchmarks.contenders.{contender.module}",
        json.dumps(task),
    ]
    found: Run = {"contender": contender.name, "records": cell.records, "latency": cell.latency}
    found |= {"limited": cell.limited, "load": round(os.getloadavg()[0], 2)}
    server.counted()
    spawned = time.time()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    places = {"cwd": server.root, "env": _environment()}
    with subprocess.Popen(command, **pipes, **places, text=True) as process:
        try:
            said, complaint = process.communicate(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            said, complaint = "", f"ended after {_PATIENCE_SECONDS} s"
    found |= {name: round(value, 2) for name, value in server.counted().items()}
    if process.returncode:
        return found | {"failed": (complaint.strip() or "no word").splitlines()[-1][:160]}
    measured = json.loads(said.splitlines()[-1])
    if wrong := _wrong(measured, server):
        return found | {"failed": f"wrong: {wrong}"}
    found["start_seconds"] = round(measured["began"] - spawned, 3)
    found |= {name: round(measured[name], 3) for name in ("wall_seconds", "cpu_seconds", "peak_mb")}
    return found | {"versions": measured["versions"]}


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}


def _wrong(measured: dict[str, Any], server: Server) -> str:
    """Return what is not as the server has it: rows, distinct ids, the sum of the deals' amounts."""
    if "rows" not in measured:
        return ""
    for name, rows in server.says["rows"].items():
        if not measured["rows"][name] == measured["distinct"][name] == rows:
            return (
                f"{measured['rows'][name]} {name}, {measured['distinct'][name]} distinct, of {rows}"
            )
    truth = server.says["amount"]
    return (
        ""
        if abs(measured["amount"] - truth) < 0.005
        else f"amounts {measured['amount']:.2f}, not {truth:.2f}"
    )
