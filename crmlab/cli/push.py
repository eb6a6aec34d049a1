"""``crmlab push``: rows of a file into a service, after a look at what would be sent."""

from __future__ import annotations

import argparse
import asyncio
import inspect
from collections.abc import Mapping
from pathlib import Path

import polars as pl

import crmlab
from crmlab import providers
from crmlab.cli.arguments import Commands, add_flag, add_named_values, named_values
from crmlab.cli.output import INCOMPLETE, OK, print_frame
from crmlab.errors import UsageError
from crmlab.results import read_cells
from crmlab.schema import TABLES

#: lines of the first request that are shown
_MAX_LINES = 40
_NOTATION = (
    "save it as UTF-8 with commas between the cells, days as 2026-01-31, numbers as 12.5, true or "
    "false, lists joined "
    "by ; and custom fields as JSON"
)


def add(commands: Commands) -> None:
    """Add the command."""
    what_is_taken = []
    for provider in providers.registry().values():
        table_names = [target.table for target in provider.targets()]
        # not every service takes rows
        if table_names:
            what_is_taken.append(f"{provider.name}: {', '.join(table_names)}")
    parser = commands.add_parser(
        "push",
        help="write rows of a CSV or Parquet file into a service",
        description="Write rows into a service: those with an id change a record, others create "
        "one. What would be "
        "sent is shown first, and with --dry-run that is all. Each row is sent once. What became "
        "of it is in the "
        "results file while it becomes known, and the same command again sends only what was "
        "refused or not sent.",
        epilog="example: crmlab push relenta contacts objections.csv --dry-run",
    )
    parser.add_argument(
        "provider",
        metavar="PROVIDER",
        help=f"a service and the tables that it accepts: {'; '.join(what_is_taken)}",
    )
    parser.add_argument("table", metavar="TABLE")
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="CSV, with lists joined by ; or Parquet"
    )
    add_named_values(parser, "options", "a further value that the service needs, such as db_id=3")
    add_flag(parser, "--dry-run", "show what would be sent, and send nothing")
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="default: FILE.results.jsonl, beside it"
    )
    add_flag(parser, "--retry-unknown", "also send rows again whose outcome is unknown")
    parser.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """Show what would be sent, send it, and say what became of it; return the exit code."""
    account = crmlab.Account(providers.provider(options.provider).name)
    rows_to_send = _read(options.file, options.table)
    results_file = options.results or options.file.with_name(f"{options.file.name}.results.jsonl")
    service_options = named_values(options.options)
    _check_names(service_options)
    # first of all: what is shown is what is sent afterwards
    push_plan = await crmlab.push(
        account,
        options.table,
        rows_to_send,
        results=results_file,
        retry_unknown=options.retry_unknown,
        dry_run=True,
        **service_options,
    )
    _show(push_plan)
    if options.dry_run:
        return OK
    try:
        pushed = await crmlab.push(
            account,
            options.table,
            rows_to_send,
            results=results_file,
            retry_unknown=options.retry_unknown,
            **service_options,
        )
    except asyncio.CancelledError:  # Ctrl-C
        print(
            f"\nStopped. What became of each row is in {results_file.resolve()}: "
            "the same command goes on with the rest"
        )
        raise
    _show_results(pushed)
    print(f"What became of each row is in {results_file.resolve()}")
    if pushed.complete:
        return OK
    return INCOMPLETE


def _check_names(service_options: Mapping[str, object]) -> None:
    """Refuse options that are parameters of `crmlab.push`: one of them could switch off what the command promises."""
    own_parameters = inspect.signature(crmlab.push).parameters.keys()
    own_names = sorted(service_options.keys() & own_parameters)
    if own_names:
        raise UsageError(
            f"{', '.join(own_names)} is no option of a service: crmlab push --help lists "
            "the options"
        )


def _show_results(pushed: crmlab.Pushed) -> None:
    """Print what was done, and the rows of which something is to be said."""
    print(f"\n{pushed}")
    is_done = pl.col("state").is_in(["sent", "created", "updated"])
    with_remarks = pushed.frame.filter(~is_done | (pl.col("reason") != ""))
    if with_remarks.height:
        print_frame(with_remarks.select("row", "id", "state", "reason"))


def _show(plan: crmlab.PushPlan) -> None:
    if plan.first:
        request_lines = str(plan.first).splitlines()
        print("The first request:")
        for request_line in request_lines[:_MAX_LINES]:
            print(f"  {request_line}")
        if len(request_lines) > _MAX_LINES:
            print(f"  … and {len(request_lines) - _MAX_LINES:,} lines more")
    refused = plan.rows.filter(becomes="refused")
    if refused.height:
        print("\nRefused before they are sent:")
        print_frame(refused.select("row", "id", "reason"))
    print(f"\n{plan}")


def _read(path: Path, table: str) -> pl.DataFrame:
    """Return the rows of a file."""
    if path.suffix.lower() == ".csv":
        schema: dict[str, pl.DataType] = {}
        # a table that is none is refused by the push, with those that are known
        if table in TABLES:
            schema.update(TABLES[table].schema)
        schema["changed"] = pl.List(pl.String())
        rows = read_cells(path, schema, advice=_NOTATION)
        # another sign stands between the cells, so that all of them are one
        if len(rows.columns) == 1 and any(sign in rows.columns[0] for sign in ";\t"):
            raise UsageError(f"{path.name} has no commas between its cells: {_NOTATION}")
        return rows
    if path.suffix.lower() == ".parquet":
        try:
            return pl.read_parquet(path, glob=False)
        except (OSError, pl.exceptions.PolarsError):
            raise UsageError(f"{path} cannot be read as Parquet") from None
    raise UsageError(f"{path.name} is neither CSV nor Parquet")
