"""``crmlab refresh``: a lake brought up to date by a scheduler, with a report and conditions that ring a bell."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

import crmlab
from crmlab import providers
from crmlab.atomic_files import check_folder
from crmlab.cli import conditions
from crmlab.cli.arguments import Commands, add_mask, add_quota, mask_of, quota_of
from crmlab.cli.conditions import Condition, Decided
from crmlab.cli.output import INCOMPLETE, OK, REFUSED, STOPPED, TRUE, WRONG, print_frame
from crmlab.cli.signals import stop_on
from crmlab.display import plural
from crmlab.errors import AuthError, CredentialError, CrmlabError, PlanError, UsageError
from crmlab.lake import Lake, Refreshed, duration
from crmlab.results import Stored
from crmlab.schema import TABLES, as_instant, zone

_CODES = (
    "exit codes: 0 complete, and no condition is true; 1 incomplete or failed: the next refresh "
    "asks again; 2 asked "
    "wrongly, or a condition that cannot be decided; 3 a condition is true; 4 a key was refused, "
    "or lacks a right; "
    "130 stopped by Ctrl-C. Where several are so: 2 before 4, 3 and 1."
)


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "refresh",
        help="bring a lake up to date: fetch what is new or changed since the last time",
        description="Fetch what is new or changed since the last refresh into a lake, a folder or "
        "an s3:// address. "
        "The first refresh reads all there is.",
        epilog="example: crmlab refresh warehouse/ onepagecrm complero --sweep-after 7d, and from "
        "then on "
        f"crmlab refresh warehouse/ --fail-if 'mailed_but_objected > 0' --json. {_CODES}",
    )
    add_lake(parser)
    add_accounts(parser)
    parser.add_argument(
        "--sweep-after",
        metavar="AGE",
        help="also look for deleted records if the last sweep is longer ago, such as 7d",
    )
    parser.add_argument(
        "--whole", action="store_true", help="read everything again, as the first refresh does"
    )
    add_cluster(parser)
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write a report of the lake: out.html"
    )
    parser.add_argument(
        "--fail-if", action="append", default=[], metavar="CONDITION", help=conditions.HELP
    )
    parser.add_argument(
        "--earlier",
        metavar="TIME",
        help="what report and conditions compare with: 7d (that long ago), or 2026-01-31",
    )
    parser.add_argument(
        "--time-zone", default="UTC", metavar="ZONE", help="such as Europe/Berlin (default: UTC)"
    )
    add_quota(parser)
    add_mask(parser, "tokens instead of names, addresses and texts in the report")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one line of JSON on stdout, and on stderr only what needs attention",
    )
    parser.set_defaults(run=run)


def add_lake(parser: argparse.ArgumentParser) -> None:
    """Add the lake: its credentials for a store come from the environment."""
    parser.add_argument(
        "lake", metavar="LAKE", help="a folder, or an address such as s3://bucket/lake"
    )


def add_accounts(parser: argparse.ArgumentParser) -> None:
    """Add who is asked, and for which tables."""
    known = ", ".join(providers.registry())
    parser.add_argument(
        "providers",
        nargs="*",
        metavar="PROVIDER",
        help=f"default: the accounts that the lake has; known: {known}",
    )
    parser.add_argument(
        "--tables",
        nargs="+",
        default=[],
        metavar="TABLE",
        help="default: those of the lake, or all where a PROVIDER is named; known: "
        f"{', '.join(TABLES)}",
    )


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add who does it."""
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="let the workers of a Dask scheduler do it: tcp://127.0.0.1:8786 (crmlab cluster starts one)",
    )


async def run(options: argparse.Namespace) -> int:
    """Refresh, report and decide; return the exit code."""
    if not options.json:
        return await _run(options, {})
    outcome: dict[str, Any] = {"at": None, "complete": False, "code": INCOMPLETE}
    try:
        outcome["code"] = await _run(options, outcome)
    except (CredentialError, PlanError, UsageError) as error:
        outcome["code"] = WRONG
        outcome["error"] = str(error)
        raise
    except (CrmlabError, OSError) as error:
        outcome["code"] = INCOMPLETE
        outcome["error"] = str(error)
        raise
    except asyncio.CancelledError:
        outcome["code"] = STOPPED
        raise
    finally:
        # whatever happened, a program that reads stdout finds one line there
        print(json.dumps(outcome))
    return int(outcome["code"])


async def _run(options: argparse.Namespace, line: dict[str, Any]) -> int:
    """Do all of it, and write into the line what is known as soon as it is."""
    # all that can be wrong with the options is said before anything is asked, or written
    zone(options.time_zone)
    chosen = [conditions.condition(text) for text in options.fail_if]
    quota = quota_of(options)
    _check_given(chosen, options)
    earlier_time = _moment(options)
    mask_key = mask_of(options)
    if options.report:
        from crmlab import report  # noqa: PLC0415  # figures take long to load

        report.check_name(options.report)
        check_folder(options.report.parent)
    lake = Lake(options.lake)
    accounts, table_names = asked(lake, options)
    with stop_on("SIGTERM") as stop_event:
        refreshed = await lake.refresh(
            accounts,
            *table_names,
            sweep_after=options.sweep_after,
            whole=options.whole,
            stop=stop_event,
            cluster=options.cluster,
        )
    line.update(as_json(refreshed))
    # a scheduler mails what stands on stderr: with --json that is only what somebody has to see
    show(refreshed, is_quiet=options.json)

    lake_data = lake.open()
    # what computes is in threads from here on: Ctrl-C is heard meanwhile
    earlier = None
    if earlier_time:
        earlier = await asyncio.to_thread(_earlier, lake, earlier_time, lake_data)
    shared = {"time_zone": options.time_zone, "earlier": earlier, "quota": quota}
    if options.report:
        report_file = await asyncio.to_thread(
            _report, lake_data, options.report, mask=mask_key, **shared
        )
        line["report"] = str(report_file)
        if not options.json:
            print(report_file)
    decided, undecided = await asyncio.to_thread(_decide, chosen, lake_data, shared)
    line["conditions"] = [_condition_as_json(decision) for decision in decided]
    line["undecided"] = undecided
    return _code(refreshed, decided, undecided)


def asked(lake: Lake, options: argparse.Namespace) -> tuple[list[crmlab.Account], list[str]]:
    """Return who is asked for which tables: who is named, else as the lake has it.

    Raises
    ------
    UsageError
        Nobody is named, and there is no lake yet.
    """
    if options.providers:
        accounts = [crmlab.Account(provider_name) for provider_name in options.providers]
        return accounts, options.tables
    try:
        lake_status = lake.status()
    except UsageError:
        lake_status = None
    if lake_status is None or lake_status.is_empty():
        raise UsageError(
            f"nothing is in {options.lake} yet: name the services, as in crmlab refresh "
            f"{options.lake} onepagecrm"
        )
    names = lake_status.select("provider", "account").unique(maintain_order=True)
    accounts = [
        _account(provider_name, account_name) for provider_name, account_name in names.rows()
    ]
    if options.tables:
        return accounts, options.tables
    in_lake = set(lake_status["table"])
    return accounts, [table_name for table_name in TABLES if table_name in in_lake]


def _account(provider: str, name: str) -> crmlab.Account:
    # an account that is named has variables of its own, and this one has none
    if name == provider:
        return crmlab.Account(provider)
    return crmlab.Account(provider, name=name)


def _check_given(chosen: Sequence[Condition], options: argparse.Namespace) -> None:
    """Refuse, before anything is asked, conditions that need what was not given."""
    from crmlab.catalogue import CATALOGUE  # noqa: PLC0415  # it loads every figure

    for condition in chosen:
        arguments = CATALOGUE[condition.question].reads()
        if "quota" in arguments and not options.quota:
            raise UsageError(f"{condition.question} needs a quota: give --quota")
        if "earlier" in arguments and not options.earlier:
            raise UsageError(
                f"{condition.question} compares with an earlier time: give --earlier, such as --earlier 7d"
            )


def _moment(options: argparse.Namespace) -> dt.datetime | None:
    """Return the time to compare with; None where nothing is compared."""
    time_text = options.earlier
    if time_text is None:
        return None
    # no time ends with one of these letters
    if time_text[-1:] in ("h", "d", "w"):
        return dt.datetime.now(dt.UTC) - duration(time_text, "--earlier")
    return as_instant(time_text, "--earlier", options.time_zone)


def _earlier(lake: Lake, moment: dt.datetime, data: Stored) -> Stored | None:
    """Return the lake of then; None, with the reason on stderr, where it has none, or nothing that is earlier."""
    try:
        earlier = lake.as_of(moment)
    except UsageError as error:
        print(f"Nothing to compare with: {error}", file=sys.stderr)
        return None
    if earlier.fetched_at < data.fetched_at:
        return earlier
    print(
        "Nothing to compare with: a list of the lake is known up to "
        f"{data.fetched_at:%Y-%m-%d %H:%M} UTC only, and "
        "was so then: crmlab lake status says which",
        file=sys.stderr,
    )
    return None


def _report(data: Stored, path: Path, **options: Any) -> Path:
    report_file: Path = data.collect().report(path, **options)
    return report_file


def _decide(
    chosen: Sequence[Condition], data: Stored, shared: Mapping[str, Any]
) -> tuple[list[Decided], list[str]]:
    """Return which conditions are true, and in words which cannot be decided; say both on stderr."""
    decided = []
    undecided = []
    for condition in chosen:
        try:
            decision = condition.decide(data, **shared)
        except UsageError as error:
            reason = f"{condition.text}: {error}"
            undecided.append(reason)
            print(f"Cannot be decided: {reason}", file=sys.stderr)
            continue
        decided.append(decision)
        if decision.is_true:
            row_count = plural(decision.rows, "row")
            print(f"True: {decision.condition} ({row_count})", file=sys.stderr)
    return decided, undecided


def _code(refreshed: Refreshed, decided: Sequence[Decided], undecided: Sequence[str]) -> int:
    """Return the exit code: of several the one that somebody has to act on first."""
    if undecided:
        return WRONG
    if any(isinstance(failure, AuthError) for failure in refreshed.failures):
        return REFUSED
    if any(decision.is_true for decision in decided):
        return TRUE
    if refreshed.complete:
        return OK
    return INCOMPLETE


def show(refreshed: Refreshed, *, what: str = "refresh", is_quiet: bool = False) -> None:
    """Print what was written and how, and on stderr what is missing."""
    if not is_quiet:
        print_frame(refreshed.written)
        print(refreshed)
    for missing_text in _missing(refreshed):
        print(f"FAILED {missing_text}", file=sys.stderr)
    if not refreshed.complete:
        print(f"Not complete: the next {what} asks for it again.", file=sys.stderr)


def _missing(refreshed: Refreshed) -> list[str]:
    """Return in words what failed, and which lists did not come whole though nothing failed."""
    missing = [str(failure) for failure in refreshed.failures]
    incomplete = refreshed.summary.filter(~pl.col("complete") | (pl.col("rejected") > 0))
    # a list that fills several tables has a row for each
    lists = incomplete.unique(["provider", "account", "resource"], maintain_order=True)
    for row in lists.to_dicts():
        # a list that failed has the failure in its note
        if any(failure in row["note"] for failure in missing):
            continue
        reason = row["note"] or "it did not come whole"
        missing.append(f"{row['provider']} account {row['account']!r}, {row['resource']}: {reason}")
    return missing


def as_json(refreshed: Refreshed) -> dict[str, Any]:
    """Return what a refresh did, as a program reads it."""
    counts_by_table = {}
    for counts in refreshed.written.to_dicts():
        table_name = counts.pop("table")
        counts_by_table[table_name] = counts
    return {
        "at": refreshed.at.isoformat(),
        "complete": refreshed.complete,
        "tables": counts_by_table,
        "requests": refreshed.requests,
        "failures": _missing(refreshed),
    }


def _condition_as_json(decided: Decided) -> dict[str, Any]:
    return {"condition": decided.condition, "true": decided.is_true, "rows": decided.rows}
