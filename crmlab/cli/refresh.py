"""``crmlab refresh``: a lake brought up to date by a scheduler, with a report and conditions that ring a bell."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

import crmlab
from crmlab import providers
from crmlab.atomic_files import check_folder
from crmlab.catalogue import CATALOGUE
from crmlab.cli import conditions
from crmlab.cli.arguments import Commands, add_mask, add_quota, mask_of, quota_of
from crmlab.cli.conditions import Condition, Decided
from crmlab.cli.output import INCOMPLETE, OK, REFUSED, STOPPED, TRUE, WRONG, print_frame
from crmlab.display import plural
from crmlab.errors import AuthError, CredentialError, CrmlabError, PlanError, UsageError
from crmlab.lake import Lake, Refreshed, duration
from crmlab.results import Stored
from crmlab.schema import TABLES, as_instant, zone

_CODES = (
    "exit codes: 0 complete, and no condition is true; 1 incomplete or failed: the next refresh asks again; 2 asked "
    "wrongly, or a condition that cannot be decided; 3 a condition is true; 4 a key was refused, or lacks a right; "
    "130 stopped by Ctrl-C. Where several are so: 2 before 4, 3 and 1."
)


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "refresh",
        help="bring a lake up to date: fetch what is new or changed since the last time",
        description="Fetch what is new or changed since the last refresh into a lake, a folder or an s3:// address. "
        "The first refresh reads all there is.",
        epilog="example: crmlab refresh warehouse/ onepagecrm complero --sweep-after 7d, and from then on "
        f"crmlab refresh warehouse/ --fail-if 'mailed_but_objected > 0' --json. {_CODES}",
    )
    add_lake(parser)
    add_accounts(parser)
    parser.add_argument(
        "--sweep-after",
        metavar="AGE",
        help="look for what was deleted where that is longer ago: 7d",
    )
    parser.add_argument(
        "--whole", action="store_true", help="read all there is anew, as the first refresh does"
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="let the workers of a Dask scheduler do it: tcp://127.0.0.1:8786 (crmlab cluster starts one)",
    )
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
        help="print one line of JSON on stdout, and on stderr what somebody has to see",
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
        help=f"default: those of the lake, or all where a PROVIDER is named; known: {', '.join(TABLES)}",
    )


async def run(options: argparse.Namespace) -> int:
    """Refresh, report and decide; return the exit code."""
    if not options.json:
        return await _run(options, {})
    line: dict[str, Any] = {"at": None, "complete": False, "code": INCOMPLETE}
    try:
        line["code"] = await _run(options, line)
    except (CrmlabError, OSError) as error:
        line["code"] = (
            WRONG if isinstance(error, CredentialError | PlanError | UsageError) else INCOMPLETE
        )
        line["error"] = str(error)
        raise
    except asyncio.CancelledError:
        line["code"] = STOPPED
        raise
    finally:
        print(json.dumps(line))
    return int(line["code"])


async def _run(options: argparse.Namespace, line: dict[str, Any]) -> int:
    """Do all of it, and write into the line what is known as soon as it is."""
    zone(options.time_zone)
    chosen = [conditions.condition(text) for text in options.fail_if]
    quota = quota_of(options)
    _check_given(chosen, options)
    moment = _moment(options)
    mask = mask_of(options)
    if options.report:
        check_folder(options.report.parent)
    lake = Lake(options.lake)
    accounts, tables = asked(lake, options)
    with _stop_on_sigterm() as stop:
        refreshed = await lake.refresh(
            accounts,
            *tables,
            sweep_after=options.sweep_after,
            whole=options.whole,
            stop=stop,
            cluster=options.cluster,
        )
    line.update(as_json(refreshed))
    # a scheduler mails what stands on stderr: with --json that is only what somebody has to see
    show(refreshed, is_quiet=options.json)

    data = lake.open()
    earlier = await asyncio.to_thread(_earlier, lake, moment, data) if moment else None
    shared = {"time_zone": options.time_zone, "earlier": earlier, "quota": quota}
    if options.report:
        page = await asyncio.to_thread(_report, data, options.report, mask=mask, **shared)
        line["report"] = str(page)
        if not options.json:
            print(page)
    decided, undecided = await asyncio.to_thread(_decide, chosen, data, shared)
    line["conditions"] = [_condition_as_json(each) for each in decided]
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
        return [crmlab.Account(name) for name in options.providers], options.tables
    try:
        known = lake.status()
    except UsageError:
        known = None
    if known is None or known.is_empty():
        raise UsageError(
            f"nothing is in {options.lake} yet: name the services, as in crmlab refresh {options.lake} onepagecrm"
        )
    names = known.select("provider", "account").unique(maintain_order=True).rows()
    accounts = [_account(provider, name) for provider, name in names]
    in_lake = set(known["table"])
    return accounts, options.tables or [name for name in TABLES if name in in_lake]


def _account(provider: str, name: str) -> crmlab.Account:
    if name == provider:
        return crmlab.Account(provider)
    return crmlab.Account(provider, name=name)


def _check_given(chosen: Sequence[Condition], options: argparse.Namespace) -> None:
    """Refuse, before anything is asked, conditions that need what was not given."""
    for each in chosen:
        read = CATALOGUE[each.question].reads()
        if "quota" in read and not options.quota:
            raise UsageError(f"{each.question} needs a quota: give --quota")
        if "earlier" in read and not options.earlier:
            raise UsageError(
                f"{each.question} compares with before: give --earlier, such as --earlier 7d"
            )


def _moment(options: argparse.Namespace) -> dt.datetime | None:
    """Return the time to compare with; None where nothing is compared."""
    text = options.earlier
    if text is None:
        return None
    if text[-1:] in ("h", "d", "w"):
        return dt.datetime.now(dt.UTC) - duration(text, "--earlier")
    return as_instant(text, "--earlier", options.time_zone)


@contextmanager
def _stop_on_sigterm() -> Iterator[asyncio.Event]:
    """Yield what ends a refresh when the process is told to end: what came by then is kept."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGTERM, stop.set)
    except (
        NotImplementedError,
        RuntimeError,
        ValueError,
    ):  # Windows, or a thread that gets no signals
        yield stop
        return
    try:
        yield stop
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


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
        f"Nothing to compare with: a list of the lake is known up to {data.fetched_at:%Y-%m-%d %H:%M} UTC only, and "
        "was so then: crmlab lake status says which",
        file=sys.stderr,
    )
    return None


def _report(data: Stored, path: Path, **options: Any) -> Path:
    written: Path = data.collect().report(path, **options)
    return written


def _decide(
    chosen: Sequence[Condition], data: Stored, shared: Mapping[str, Any]
) -> tuple[list[Decided], list[str]]:
    """Return which conditions are true, and in words which cannot be decided; say both on stderr."""
    decided, undecided = [], []
    for each in chosen:
        try:
            found = each.decide(data, **shared)
        except UsageError as error:
            undecided.append(f"{each.text}: {error}")
            print(f"Cannot be decided: {undecided[-1]}", file=sys.stderr)
            continue
        decided.append(found)
        if found.is_true:
            print(f"True: {found.condition} ({plural(found.rows, 'row')})", file=sys.stderr)
    return decided, undecided


def _code(refreshed: Refreshed, decided: Sequence[Decided], undecided: Sequence[str]) -> int:
    """Return the exit code: of several the one that somebody has to act on first."""
    if undecided:
        return WRONG
    if any(isinstance(each, AuthError) for each in refreshed.failures):
        return REFUSED
    if any(each.is_true for each in decided):
        return TRUE
    return OK if refreshed.complete else INCOMPLETE


def show(refreshed: Refreshed, *, is_quiet: bool = False) -> None:
    """Print what was written and how, and on stderr what is missing."""
    if not is_quiet:
        print_frame(refreshed.written)
        print(refreshed)
    for words in _missing(refreshed):
        print(f"FAILED {words}", file=sys.stderr)
    if not refreshed.complete:
        print("Not complete: the next refresh asks for it again.", file=sys.stderr)


def _missing(refreshed: Refreshed) -> list[str]:
    """Return in words what failed, and which lists did not come whole though nothing failed."""
    said = [str(failure) for failure in refreshed.failures]
    incomplete = refreshed.summary.filter(~pl.col("complete") | (pl.col("rejected") > 0))
    for line in incomplete.unique(
        ["provider", "account", "resource"], maintain_order=True
    ).to_dicts():
        # a list that failed has the failure in its note
        if any(failure in line["note"] for failure in said):
            continue
        why = line["note"] or "it did not come whole"
        said.append(f"{line['provider']} account {line['account']!r}, {line['resource']}: {why}")
    return said


def as_json(refreshed: Refreshed) -> dict[str, Any]:
    """Return what a refresh did, as a program reads it."""
    tables = {
        line["table"]: {name: line[name] for name in ("added", "changed", "deleted")}
        for line in refreshed.written.to_dicts()
    }
    return {
        "at": refreshed.at.isoformat(),
        "complete": refreshed.complete,
        "tables": tables,
        "requests": refreshed.requests,
        "failures": _missing(refreshed),
    }


def _condition_as_json(decided: Decided) -> dict[str, Any]:
    return {"condition": decided.condition, "true": decided.is_true, "rows": decided.rows}
