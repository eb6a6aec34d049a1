"""The runs of the last full measurement, one a line, in results.json."""

import json
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.matrix import Cell, Contender

FILE = Path(__file__).parent / "results.json"
Run = dict[str, Any]


def write(runs: Sequence[Run]) -> None:
    """Write the runs, and what they ran on."""
    versions = {name: number for run in runs for name, number in run.get("versions", {}).items()}
    head = {
        "measured_on": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "versions": {"Python": platform.python_version(), **versions},
    }
    lines = ",\n".join(
        json.dumps({name: run[name] for name in run if name != "versions"}) for run in runs
    )
    FILE.write_text(f'{json.dumps(head)[:-1]}, "runs": [\n{lines}\n]}}\n')


def read() -> dict[str, Any]:
    """Return what was written: measured_on, machine, versions, runs."""
    return json.loads(FILE.read_text())


class Middle(dict[str, float]):
    """Medians of a contender's runs in a cell; `failed` says why there are none, `runs` how many they are."""

    def __init__(self, runs: Iterable[Run], contender: Contender, cell: Cell) -> None:
        of = (contender.name, cell.records, cell.latency, cell.limited)
        mine = [
            run
            for run in runs
            if of == (run["contender"], run["records"], run["latency"], run["limited"])
        ]
        good = [run for run in mine if "failed" not in run]
        self.runs = len(good)
        self.failed = next((run["failed"] for run in mine if "failed" in run), "")
        numbers = (
            [name for name, value in good[0].items() if isinstance(value, int | float)]
            if good
            else []
        )
        super().__init__({name: statistics.median(run[name] for run in good) for name in numbers})
