"""``crmlab report``: an HTML report of the files that a fetch wrote."""

from __future__ import annotations

import argparse
from pathlib import Path

import crmlab
from crmlab.cli.arguments import Commands
from crmlab.cli.output import OK


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "report",
        help="make report.html from files that fetch wrote",
        description="Make one self-contained HTML report from the files of a fetch, Parquet or CSV.",
        epilog="example: crmlab report out/ --out monday.html",
    )
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: DIR/report.html")
    parser.add_argument("--as-of", help="when the files were fetched, where they do not say so themselves: 2026-01-31")
    parser.add_argument("--mask", action="store_true", help="tokens instead of names, addresses and texts")
    parser.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """Write the report and print where it is; return the exit code."""
    data = crmlab.open(options.directory, lazy=False, as_of=options.as_of)
    print(data.report(options.out or options.directory / "report.html", mask=options.mask))
    return OK
