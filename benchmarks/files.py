"""Files of many rows: how long a CSV of contacts takes to be read, and a workbook to be written; with peak memory.

python -m benchmarks.files                  a million contacts to CSV and back, and to Excel; some minutes
python -m benchmarks.files --rows 100000
python -m benchmarks.files --only csv       or excel
"""

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import polars as pl
from polars.testing import assert_frame_equal

from crmlab.results.export import export, read_csv
from crmlab.schema.tables import TABLES, conform

ROWS = 1_000_000
RUNS = 3
_ROW = pl.int_range(pl.len())
Answers: TypeAlias = "multiprocessing.Queue[tuple[float, float]]"


def contacts(rows: int) -> pl.DataFrame:
    """Return contacts with addresses, numbers, tags and two custom fields; one in 50 has signs that CSV escapes."""
    tag = pl.when(_ROW % 50 == 0).then(pl.lit("a;b\\c")).otherwise(pl.lit("customer"))
    fields = [
        pl.struct(key=pl.lit(key), label=pl.lit(key.title()), value=pl.format("{}", _ROW % 97))
        for key in ("season", "region")
    ]
    made = pl.select(row=pl.int_range(rows)).select(
        provider=pl.lit("onepagecrm"),
        account=pl.lit("sales"),
        id=pl.format("c{}", _ROW),
        created_at=pl.datetime(2024, 1, 1, time_zone="UTC") + pl.duration(minutes=_ROW % 900_000),
        full_name=pl.format("Person {}", _ROW),
        first_name=pl.lit("Person"),
        last_name=pl.format("{}", _ROW),
        company_name=pl.format("Company {}", _ROW % 9_000),
        emails=pl.concat_list(
            pl.format("person{}@example.com", _ROW), pl.format("p{}@example.org", _ROW)
        ),
        phones=pl.concat_list(pl.format("+49 30 {}", _ROW)),
        tags=pl.concat_list(tag, pl.lit("2026")),
        city=pl.lit("Berlin"),
        status=pl.lit("Lead"),
        owner_id=pl.format("u{}", _ROW % 300),
        do_not_contact=_ROW % 3 == 0,
        custom=pl.concat_list(fields),
    )
    return conform(made, TABLES["contacts"])


def read(rows: int, folder: str) -> float:
    """Return how many seconds `read_csv` takes; what it returns is what was written."""
    frame = contacts(rows)
    (path,) = export({"contacts": frame}, folder, "csv")
    started = time.perf_counter()
    back = read_csv(path)
    taken = time.perf_counter() - started
    assert_frame_equal(back, frame, categorical_as_str=True)
    return taken


def write(rows: int, folder: str) -> float:
    """Return how many seconds a workbook takes."""
    frame = contacts(rows)
    started = time.perf_counter()
    (path,) = export({"contacts": frame}, folder, "xlsx")
    taken = time.perf_counter() - started
    print(f"  {Path(path).stat().st_size / 1e6:,.0f} MB", flush=True)
    return taken


def _in_process(work: Callable[[int, str], float], rows: int, answers: Answers) -> None:
    with tempfile.TemporaryDirectory() as folder:
        taken = work(rows, folder)
    answers.put((taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def measured(work: Callable[[int, str], float], rows: int, runs: int) -> tuple[float, float]:
    """Return the medians of seconds and of peak MB, each run in a process of its own."""
    context = multiprocessing.get_context("spawn")
    found = []
    for _ in range(runs):
        answers: Answers = context.Queue()
        process = context.Process(target=_in_process, args=(work, rows, answers))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(process.exitcode)
        found.append(answers.get())
    seconds, peaks = zip(*found, strict=True)
    return statistics.median(seconds), statistics.median(peaks)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", choices=("csv", "excel"))
    options = parser.parse_args()
    works = {"csv": read, "excel": write}
    for name, work in works.items():
        if options.only in (None, name):
            seconds, peak = measured(work, options.rows, options.runs)
            print(
                f"{name}: {options.rows:,} contacts, {seconds:.1f} s, {peak:,.0f} MB at most",
                flush=True,
            )


if __name__ == "__main__":
    main()
