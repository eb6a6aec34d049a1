"""One question of tables in Parquet files, in a process of its own: what it took, and what was answered.

python -m benchmarks.growth_child QUESTION FOLDER ENGINE
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks.growth_questions import QUESTIONS
from benchmarks.growth_sql import answer_of_duckdb


def main() -> None:
    name, folder, engine = sys.argv[1:]
    question = QUESTIONS[name]
    tables = {
        path.name: pl.scan_parquet(path / "*.parquet")
        for path in Path(folder).iterdir()
        if path.is_dir() and path.name != "spilled"
    }
    pl.DataFrame({"warm": [1]}).lazy().select(pl.col("warm").sum()).collect(engine="streaming")
    _forget_the_peak()
    load = os.getloadavg()[0]
    at_start, cpu, clock = _peak(), _cpu(), time.perf_counter()
    ask: Callable[[], pl.DataFrame | pl.LazyFrame] = partial(answer_of_duckdb, name, Path(folder))
    if engine == "crmlab":
        ask = partial(question.ask, tables)
    answer = ask()
    took = {
        "question": name,
        "engine": engine,
        "seconds": round(time.perf_counter() - clock, 3),
        "cpu_seconds": round(_cpu() - cpu, 2),
        "peak_mb": round(_peak()),
        "before_mb": round(at_start),
        "load": round(load, 1),
    }
    # it is counted when the peak is known, for that takes memory, too
    took["answer_mb"] = round(_size_of(answer) / 2**20)
    digest, rows = question.digest(answer.lazy())
    print(json.dumps({**took, "rows": rows, "digest": digest}), flush=True)
    os._exit(0)  # freeing gigabytes piece by piece is of no interest


def _size_of(answer: pl.DataFrame | pl.LazyFrame) -> int:
    """Return how many bytes an answer holds in memory.

    `estimated_size` counts the letters of texts alone. Each text takes 16 bytes, and those longer than twelve bytes
    lie beside that.
    """
    if isinstance(answer, pl.LazyFrame):
        return 0
    size = 0
    for column in answer:
        if column.dtype == pl.String:
            length = column.str.len_bytes()
            size += 16 * column.len() + int(length.filter(length > 12).sum())
        else:
            size += column.estimated_size()
    return int(size)


def _forget_the_peak() -> None:
    """Let the peak of this process begin now: until then it is that of the process which started it."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> float:
    """Return the most memory that this process held, in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
