"""What a lake of a million deals costs: the first refresh, one after 1 % changed, and an analysis of what is there.

``python -m benchmarks.lake`` prints a line for each, every one measured in a process of its own: CPU seconds, wall
seconds and the most memory that it held, beside that of a process that only imports crmlab.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

import crmlab
from crmlab.lake import table as tables
from crmlab.lake.place import Place
from crmlab.lake.table import LakeTable
from crmlab.schema import TABLES
from tests.lake.world import came, day, refreshed

ROWS = 1_000_000
STEPS = ("nothing", "first", "changed", "again", "win_rate", "changes", "compact")


def deals(rows: int, changed: int = 0) -> pl.DataFrame:
    """Return deals with most columns filled; `changed`: only every so-manieth, with another amount."""
    number = pl.int_range(rows).alias("number")
    frame = pl.select(number)
    if changed:
        frame = frame.filter(pl.col("number") % changed == 0)
    n = pl.col("number")
    some = ("won", "lost", "pending")
    return frame.select(
        provider=pl.lit("onepagecrm").cast(pl.Categorical),
        account=pl.lit("sales"),
        id=pl.format("{}{}", n.hash(1).cast(pl.String), n),
        created_at=pl.lit(day(0)).dt.offset_by(pl.format("-{}m", n)),
        modified_at=pl.lit(day(0)),
        name=pl.format("Deal number {}", n),
        status=pl.Series(some).gather(frame["number"] % 3),
        amount=n.cast(pl.Float64) + bool(changed),
        owner_name=pl.format("Owner {}", n % 40),
        contact_id=pl.format("{}", n // 3),
        closed_at=pl.lit(day(0)),
    ).pipe(_whole)


def _whole(frame: pl.DataFrame) -> pl.DataFrame:
    lacking = [pl.lit(None, dtype).alias(name) for name, dtype in TABLES["deals"].schema.items()]
    there = [each for each in lacking if each.meta.output_name() not in frame.columns]
    return frame.with_columns(there).select(
        pl.col(name).cast(dtype) for name, dtype in TABLES["deals"].schema.items()
    )


def step(name: str, folder: Path, rows: int) -> None:
    """Do one of the steps, and print what it cost without making the rows."""
    frame = {
        "first": lambda: deals(rows),
        "changed": lambda: deals(rows, 100),
        "again": lambda: deals(rows, 100),
    }
    given = frame[name]() if name in frame else None
    cpu = time.process_time()
    wall = time.perf_counter()
    if given is not None:
        when = day(1 + STEPS.index(name))
        refreshed(folder, came({"deals": given}, when, whole=name == "first"), when)
    elif name == "win_rate":
        crmlab.analysis.win_rate(crmlab.Lake(folder).open().deals, by="owner_name")
    elif name == "changes":
        crmlab.Lake(folder).changes(day(2.5))
    elif name == "compact":
        crmlab.Lake(folder).compact()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:10} {time.process_time() - cpu:6.2f} CPU s {time.perf_counter() - wall:6.2f} s {peak:7.0f} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--step", choices=STEPS)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.step:
        step(options.step, options.folder, options.rows)
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in STEPS:
            command = [sys.executable, "-m", "benchmarks.lake", "--rows", str(options.rows)]
            subprocess.run([*command, "--step", name, "--folder", f"{folder}/lake"], check=True)
        place = Place(f"{folder}/lake", None)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        buckets = LakeTable(place, "deals", crmlab.lake.state.read(place).lake)._buckets()
        print(f"{size / 1e6:.0f} MB in {buckets} buckets; {tables.__name__}")


if __name__ == "__main__":
    main()
