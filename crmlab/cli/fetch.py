"""``crmlab fetch``: tables of real accounts, fetched into files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import crmlab
from crmlab.atomic_files import check_folder
from crmlab.cli.arguments import Commands, add_mask, add_out, add_question, mask_of
from crmlab.cli.output import exit_code, print_summary
from crmlab.fetching import asked_of
from crmlab.results import FORMATS, MANIFEST, Result, refuse_another_question


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "fetch",
        help="fetch tables of real accounts into files",
        description="Fetch tables from the accounts whose credentials the environment or .env holds.",
        epilog="example: crmlab fetch onepagecrm complero --tables deals consent_events --since 2026-01-01",
    )
    add_question(parser)
    add_out(parser)
    parser.add_argument("--format", choices=FORMATS, default="parquet")
    parser.add_argument("--report", action="store_true", help="write report.html too")
    add_mask(
        parser, "tokens instead of names, addresses and texts; without rejected records; ids stay"
    )
    parser.add_argument(
        "--spool",
        type=Path,
        metavar="DIR",
        help="keep each answer there before it is read; after a run that was killed, the same command continues",
    )
    parser.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """Fetch and write; return the exit code."""
    accounts = [crmlab.Account(name) for name in options.providers]
    period = {"since": options.since, "until": options.until}
    mask = mask_of(options)
    needs_memory = options.format != "parquet" or options.report
    if not needs_memory:  # tables of any size go straight into their files
        stored = await crmlab.fetch_to(
            options.out, accounts, *options.tables, **period, spool=options.spool, mask=mask
        )
        return _told(stored, [*stored.paths.values(), options.out / MANIFEST], options.out)

    refuse_another_question(
        options.out, asked_of(accounts, *options.tables, **period), options.format
    )
    check_folder(options.out)
    data = await crmlab.fetch(accounts, *options.tables, **period, spool=options.spool)
    written = data.export(options.out, options.format, mask=mask)
    if options.report:
        written.append(data.report(options.out / "report.html", mask=mask))
    return _told(data, written, options.out)


def _told(data: Result[Any], written: Sequence[Path], directory: Path) -> int:
    print_summary(data)
    print(f"{len(written)} files in {directory.resolve()}")
    return exit_code(data)
