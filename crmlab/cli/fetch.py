"""``crmlab fetch``: tables of real accounts, fetched into files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import crmlab
from crmlab.atomic_files import check_folder
from crmlab.cli.arguments import Commands, add_flag, add_mask, add_out, add_question, mask_of
from crmlab.cli.output import exit_code, print_summary
from crmlab.fetching import asked_of
from crmlab.results import FORMATS, MANIFEST, Result, refuse_another_question


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "fetch",
        help="fetch tables of real accounts into files",
        description="Fetch tables from the accounts whose credentials the environment or .env "
        "holds.",
        epilog="example: crmlab fetch onepagecrm complero --tables deals consent_events --since "
        "2026-01-01",
    )
    add_question(parser)
    add_out(parser)
    parser.add_argument("--format", choices=FORMATS, default="parquet")
    add_flag(parser, "--report", "write report.html too")
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
    accounts = [crmlab.Account(provider_name) for provider_name in options.providers]
    period = {"since": options.since, "until": options.until}
    mask_key = mask_of(options)
    needs_memory = options.format != "parquet" or options.report
    if not needs_memory:  # tables of any size go straight into their files
        stored = await crmlab.fetch_to(
            options.out, accounts, *options.tables, **period, spool=options.spool, mask=mask_key
        )
        stored_files = [*stored.paths.values(), options.out / MANIFEST]
        return _told(stored, stored_files, options.out)

    # both before the fetch, which may take hours
    question = asked_of(accounts, *options.tables, **period)
    refuse_another_question(options.out, question, options.format)
    check_folder(options.out)
    fetched = await crmlab.fetch(accounts, *options.tables, **period, spool=options.spool)
    written_files = fetched.export(options.out, options.format, mask=mask_key)
    if options.report:
        # by the same key: who is in a file is the same token in the report
        report_file = fetched.report(options.out / "report.html", mask=mask_key)
        written_files.append(report_file)
    return _told(fetched, written_files, options.out)


def _told(data: Result[Any], written: Sequence[Path], directory: Path) -> int:
    print_summary(data)
    print(f"{len(written)} files in {directory.resolve()}")
    return exit_code(data)
