"""``crmlab report``: an HTML report of the files that a fetch wrote."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

import polars as pl

from crmlab.cli.arguments import Commands
from crmlab.cli.output import OK
from crmlab.decoding import REJECTED
from crmlab.errors import UsageError
from crmlab.results import Fetched
from crmlab.schema import TABLES


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "report",
        help="make report.html from files that fetch wrote as Parquet",
        description="Make one self-contained HTML report from the Parquet files of a fetch.",
        epilog="example: crmlab report out/ --out monday.html",
    )
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: DIR/report.html")
    parser.add_argument("--mask", action="store_true", help="tokens instead of names, addresses and texts")
    parser.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """Write the report and print where it is; return the exit code."""
    data = _read(options.directory)
    print(data.report(options.out or options.directory / "report.html", mask=options.mask))
    return OK


def _read(directory: Path) -> Fetched:
    """Return what the files of a fetch hold; its failures are told in its summary only."""
    files = {path.stem: path for path in sorted(directory.glob("*.parquet"))}
    tables = {name: pl.read_parquet(path) for name, path in files.items() if name in TABLES}
    if not tables:
        raise UsageError(f"{directory} holds no table: crmlab fetch ... --out {directory} first")
    if "summary" not in files:
        raise UsageError(f"{directory} holds no summary.parquet, which crmlab fetch writes beside the tables")
    return Fetched(
        tables,
        heights={name: frame.height for name, frame in tables.items()},
        summary=pl.read_parquet(files["summary"]),
        rejected=pl.read_parquet(files["rejected"]) if "rejected" in files else pl.DataFrame(schema=REJECTED),
        failures=(),
        fetched_at=dt.datetime.fromtimestamp(files["summary"].stat().st_mtime, dt.UTC),
    )
