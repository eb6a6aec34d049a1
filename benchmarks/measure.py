"""What every contender's process does: fetch, say what it took, and only then check what came."""

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version

import polars as pl

LISTS = ("contacts", "deals", "actions", "notes")


@dataclass(frozen=True)
class Task:
    """Where the lists are, and how they may be asked for: `rate` is requests a second (None: no limit)."""

    url: str
    user: str
    key: str
    in_flight: int
    rate: float | None


#: the frames by list, or None where nothing is kept
Fetch = Callable[[Task], Mapping[str, pl.DataFrame] | None]


def asked(page: int) -> dict[str, str]:
    """Return the parameters of a page."""
    return {"page": str(page), "per_page": "100", "team": "true", "sort_by": "created_at"}


def run(fetch: Fetch, *packages: str) -> None:
    """Read the task from the command line, do it, print a line of JSON."""
    task = Task(**json.loads(sys.argv[1]))
    pl.DataFrame({"warm": [1]})
    cpu, began, clock = _cpu(), time.time(), time.perf_counter()
    frames = fetch(task)
    done = {
        "began": began,
        "wall_seconds": time.perf_counter() - clock,
        "cpu_seconds": _cpu() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "versions": {name: version(name) for name in ("polars", *packages)},
    }
    if frames is not None:
        done["rows"] = {name: frames[name].height for name in LISTS}
        done["distinct"] = {name: frames[name]["id"].n_unique() for name in LISTS}
        done["amount"] = float(frames["deals"]["amount"].sum())
    print(json.dumps(done))


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
