"""``crmlab report``: a report of the files that a fetch wrote, as a page or as data."""

from __future__ import annotations

import argparse
from pathlib import Path

import crmlab
from crmlab.cli.arguments import Commands, add_mask, add_quota, mask_of, quota_of
from crmlab.cli.output import OK
from crmlab.results import FORMATS, tells_time
from crmlab.schema import as_instant


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "report",
        help="make report.html, or the numbers behind it, from files that fetch wrote",
        description="Make one self-contained HTML report from the files of a fetch, Parquet or "
        "CSV; or, with --tables, "
        "write the numbers behind every question as files.",
        epilog="example: crmlab report out/ --out monday.html --time-zone Europe/Berlin, or "
        "crmlab report out/ --tables csv --out monday/ --questions win_rate ageing",
    )
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="default: DIR/report.html, or with --tables DIR/report",
    )
    parser.add_argument(
        "--tables", choices=FORMATS, help="the numbers behind every question, instead of a page"
    )
    parser.add_argument("--title", default="", help="heading of the report")
    parser.add_argument(
        "--time-zone", default="UTC", metavar="ZONE", help="such as Europe/Berlin (default: UTC)"
    )
    parser.add_argument(
        "--questions",
        nargs="+",
        metavar="NAME",
        help="which questions, by the names of figures: win_rate ageing",
    )
    parser.add_argument(
        "--as-of",
        help="the moment of ages and states: 2026-01-31. Default: when the files were fetched; "
        "needed where they do not say so themselves",
    )
    parser.add_argument(
        "--earlier",
        type=Path,
        metavar="DIR",
        help="files of an earlier fetch, to show what changed since",
    )
    add_quota(parser)
    add_mask(parser, "tokens instead of names, addresses and texts")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the report and print where it is; return the exit code."""
    as_of = None
    if options.as_of is not None:
        as_of = as_instant(options.as_of, "as_of", options.time_zone)
    fetched_at = None
    # files that know when they were fetched must not be told another time
    if not tells_time(options.directory):
        fetched_at = as_of
    fetched = crmlab.open(options.directory, lazy=False, as_of=fetched_at)
    earlier = None
    if options.earlier:
        earlier = crmlab.open(options.earlier, lazy=False)
    default_name = "report.html"
    if options.tables:
        default_name = "report"
    written = fetched.report(
        options.out or options.directory / default_name,
        tables=options.tables,
        mask=mask_of(options),
        title=options.title,
        time_zone=options.time_zone,
        questions=options.questions,
        as_of=as_of,
        earlier=earlier,
        quota=quota_of(options),
    )
    if not options.tables:
        written = [written]
    for written_file in written:
        print(written_file)
    return OK
