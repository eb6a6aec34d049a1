"""``crmlab push``: rows of a file into a service, after a look at what would be sent."""

from __future__ import annotations

import argparse
import asyncio
import inspect
from pathlib import Path

import polars as pl

import crmlab
from crmlab import providers
from crmlab.cli.arguments import Commands, named_values
from crmlab.cli.output import INCOMPLETE, OK, print_frame
from crmlab.errors import UsageError
from crmlab.results import read_cells
from crmlab.schema import TABLES

#: lines of the first request that are shown
_MAX_LINES = 40
_NOTATION = (
    "save it as UTF-8 with commas between the cells, days as 2026-01-31, numbers as 12.5, true or false, lists joined "
    "by ; and custom fields as JSON"
)


def add(commands: Commands) -> None:
    """Add the command."""
    targets = {
        each.name: [target.table for target in each.targets]
        for each in providers.registry().values()
    }
    takes = "; ".join(f"{name}: {', '.join(tables)}" for name, tables in targets.items() if tables)
    parser = commands.add_parser(
        "push",
        help="write rows of a CSV or Parquet file into a service",
        description="Write rows into a service: those with an id change a record, others create one. What would be "
        "sent is shown first, and with --dry-run that is all. Each row is sent once. What became of it is in the "
        "results file while it becomes known, and the same command again sends only what was refused or not sent.",
        epilog="example: crmlab push relenta contacts objections.csv --dry-run",
    )
    parser.add_argument(
        "provider", metavar="PROVIDER", help=f"a service and the tables that it accepts: {takes}"
    )
    parser.add_argument("table", metavar="TABLE")
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="CSV, with lists joined by ; or Parquet"
    )
    parser.add_argument(
        "options",
        nargs="*",
        metavar="NAME=VALUE",
        help="a further value that the service needs, such as db_id=3",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be sent, and send nothing"
    )
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="default: FILE.results.jsonl, beside it"
    )
    parser.add_argument(
        "--retry-unknown",
        action="store_true",
        help="also send rows again whose outcome is unknown",
    )
    parser.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """Show what would be sent, send it, and say what became of it; return the exit code."""
    account = crmlab.Account(providers.provider(options.provider).name)
    frame = _read(options.file, options.table)
    results = options.results or options.file.with_name(f"{options.file.name}.results.jsonl")
    given = named_values(options.options)
    ours = sorted(given.keys() & inspect.signature(crmlab.push).parameters.keys())
    if ours:
        raise UsageError(
            f"{', '.join(ours)} is no option of a service: crmlab push --help lists the options"
        )
    plan = await crmlab.push(
        account,
        options.table,
        frame,
        results=results,
        retry_unknown=options.retry_unknown,
        dry_run=True,
        **given,
    )
    _show(plan)
    if options.dry_run:
        return OK
    try:
        pushed = await crmlab.push(
            account,
            options.table,
            frame,
            results=results,
            retry_unknown=options.retry_unknown,
            **given,
        )
    except asyncio.CancelledError:  # Ctrl-C
        print(
            f"\nStopped. What became of each row is in {results.resolve()}: the same command goes on with the rest"
        )
        raise
    print(f"\n{pushed}")
    open_rows = pushed.frame.filter(
        ~pl.col("state").is_in(["sent", "created", "updated"]) | (pl.col("reason") != "")
    )
    if open_rows.height:
        print_frame(open_rows.select("row", "id", "state", "reason"))
    print(f"What became of each row is in {results.resolve()}")
    return OK if pushed.complete else INCOMPLETE


def _show(plan: crmlab.PushPlan) -> None:
    if plan.first:
        lines = str(plan.first).splitlines()
        print("The first request:")
        print("\n".join(f"  {line}" for line in lines[:_MAX_LINES]))
        if len(lines) > _MAX_LINES:
            print(f"  … and {len(lines) - _MAX_LINES:,} lines more")
    refused = plan.rows.filter(becomes="refused")
    if refused.height:
        print("\nRefused before they are sent:")
        print_frame(refused.select("row", "id", "reason"))
    print(f"\n{plan}")


def _read(path: Path, table: str) -> pl.DataFrame:
    """Return the rows of a file."""
    if path.suffix.lower() == ".csv":
        schema = TABLES[table].schema if table in TABLES else pl.Schema()
        return read_cells(path, {**schema, "changed": pl.List(pl.String())}, advice=_NOTATION)
    if path.suffix.lower() == ".parquet":
        try:
            return pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError):
            raise UsageError(f"{path} cannot be read as Parquet") from None
    raise UsageError(f"{path.name} is neither CSV nor Parquet")
