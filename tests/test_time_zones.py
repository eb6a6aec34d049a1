"""Time zones are known also where the system has no database of them, as on Windows and in slim images."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

#: what Python and Polars each look up in a database of their own
LOCAL_TIMES = """
import datetime as dt
import zoneinfo
import polars as pl
from crmlab import analysis, plots

assert zoneinfo.TZPATH == ()
noon = dt.datetime(2026, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Paris"))
times = pl.DataFrame({"at": [noon]})
assert times.item() == noon
assert times.select(pl.col("at").dt.convert_time_zone("America/New_York").dt.hour()).item() == 6

deals = pl.read_parquet("data/deals.parquet")
activities = pl.read_parquet("data/activities.parquet")
paris = "Europe/Paris"
assert analysis.activity_heatmap(activities, time_zone=paris).height > 0
assert plots.activity_heatmap(activities, time_zone=paris).data
assert plots.ageing(deals, as_of="2026-06-30", time_zone=paris).data
"""


def without_system_zones(*arguments: str, cwd: Path) -> str:
    """Run Python where no folder holds a database of time zones; return what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_clock_of_a_place_is_known_to_python_and_to_polars() -> None:
    without_system_zones("-c", LOCAL_TIMES, cwd=Path(__file__).parents[1])


def test_the_demo_runs_and_writes_its_report(tmp_path: Path) -> None:
    shown = without_system_zones(
        "-m", "crmlab.cli", "demo", "--rows", "60", "--out", str(tmp_path), cwd=tmp_path
    )

    assert "report.html" in shown
    assert (tmp_path / "report.html").stat().st_size > 1_000_000
