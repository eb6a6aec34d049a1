"""The tables of a lake as one result that every analysis takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import polars as pl

from crmlab.errors import UsageError
from crmlab.lake import state as states
from crmlab.lake.place import Place
from crmlab.lake.state import Mark, State
from crmlab.lake.table import LakeTable
from crmlab.lake.unread import UNREAD, UnreadTable
from crmlab.lake.versions import IS_CURRENT, as_shared, at_time
from crmlab.results import SUMMARY, Stored, failure_from_json
from crmlab.schema import TABLES, Asked, AskedAccount, Period


def table_of(
    place: Place,
    known: State,
    name: str,
    at: dt.datetime | None = None,
    *,
    is_whole: bool = False,
) -> pl.LazyFrame:
    """Return a table as it is, or was at a time; `is_whole`: all versions of its rows, as they are stored."""
    lake_table = LakeTable(place, name, known.lake)
    versions = lake_table.scan(known.versions[name])
    if is_whole:
        return versions
    if at is None:
        return as_shared(versions.filter(pl.col(IS_CURRENT)), name)
    return as_shared(versions.filter(at_time(at)), name)


def stored(
    place: Place,
    known: State,
    at: dt.datetime | None = None,
    told: State | None = None,
    *,
    may_be_empty: bool = False,
) -> Stored:
    """Return all tables as they are now, or were at a time, and what was `told` of them then.

    Raises
    ------
    UsageError
        Nothing was read yet, and that is not what it `may_be`: no table would pass for whole.
    """
    told = told or known
    if not told.versions and not may_be_empty:
        raise _nothing_yet(place, at)
    scans = {}
    for table_name in TABLES:
        if table_name in told.versions:
            scans[table_name] = table_of(place, known, table_name, at)
    unread = {}
    for table_name in UNREAD:
        if table_name in told.versions:
            unread_table = UnreadTable(place, table_name, known.lake)
            # also of a past time the version of now: see `UnreadTable.read`
            newest_version = known.versions[table_name]
            unread[table_name] = unread_table.read(newest_version, told.marks, at)
    no_records = pl.DataFrame(schema=dict.fromkeys(UNREAD["rejected"], pl.String))
    result = Stored(
        scans,
        heights=_heights(scans, told, at),
        summary=_summary(told.marks),
        rejected=unread.get("rejected", no_records),
        misfits=unread.get("misfits"),
        failures=[failure_from_json(document) for document in chain(*told.failures.values())],
        asked=_asked(told, [*scans]),
    )
    result.place = place.root
    return result


def _nothing_yet(place: Place, at: dt.datetime | None) -> UsageError:
    time_text = "yet"
    if at is not None:
        time_text = f"at {at:%Y-%m-%d %H:%M:%S} UTC"
    return UsageError(
        f"nothing is in the lake {place.root} {time_text}, since no refresh had come to its end: name a later time, or "
        "refresh it"
    )


def _heights(
    scans: Mapping[str, pl.LazyFrame],
    told: State,
    at: dt.datetime | None,
) -> dict[str, int]:
    """Return how many rows each table has; those of now are known, those of another time are counted."""
    if at is None:
        return {table_name: told.heights.get(table_name, 0) for table_name in scans}
    # in one go: the tables are counted beside each other
    counts = pl.collect_all([scan.select(pl.len()) for scan in scans.values()])
    heights = {}
    for table_name, count in zip(scans, counts, strict=True):
        heights[table_name] = count.item()
    return heights


def snapshots(
    place: Place,
    known: State,
    name: str,
    *,
    since: dt.datetime | None,
    every: dt.timedelta,
) -> list[tuple[dt.datetime, pl.LazyFrame]]:
    """Return a table as it was after each refresh, with the accounts that this refresh read; see `Lake.snapshots`."""
    earliest = _later(since, known.kept_since)
    newest_first: list[tuple[dt.datetime, pl.LazyFrame]] = []
    # from the newest on: that is always among them
    for then in reversed(states.of_all_times(place)):
        if earliest is not None and then.at < earliest:
            break
        accounts = _accounts_read(then, name)
        # of a table that no service fills, every refresh has seen all there is: nothing
        is_filled = any(mark.table == name for mark in then.marks)
        if name not in then.versions or (is_filled and not accounts):
            continue
        if newest_first and newest_first[-1][0] - then.at < every:
            continue
        table_then = table_of(place, known, name, then.at)
        newest_first.append((then.at, table_then.filter(_is_of(accounts))))
    return newest_first[::-1]


def _later(since: dt.datetime | None, kept_since: dt.datetime | None) -> dt.datetime | None:
    """Return the later of two times that may be lacking; None where both are."""
    if since is None or kept_since is None:
        return since or kept_since
    return max(since, kept_since)


def _is_of(accounts: Iterable[tuple[str, str]]) -> pl.Expr:
    """Return whether a row is of one of these accounts."""
    is_of_any = pl.lit(value=False)
    for provider, account in accounts:
        is_of_provider = pl.col("provider").cast(pl.String) == provider
        is_of_any |= is_of_provider & (pl.col("account") == account)
    return is_of_any


def _accounts_read(then: State, name: str) -> list[tuple[str, str]]:
    """Return the accounts of which the refresh of that time read all that had changed in a table."""
    refreshed = set()
    lacking = set()
    for list_mark in then.marks:
        if list_mark.table != name or list_mark.refreshed_at != then.at:
            continue
        account = (list_mark.provider, list_mark.account)
        refreshed.add(account)
        # several lists of an account may fill a table: all of them must be whole
        if not list_mark.complete:
            lacking.add(account)
    return sorted(refreshed - lacking)


def _summary(marks: Sequence[Mark]) -> pl.DataFrame:
    summary = []
    for list_mark in marks:
        of_list = {
            "account": list_mark.account,
            "provider": list_mark.provider,
            "resource": list_mark.resource,
            "table": list_mark.table,
        }
        # what the lake knows counts, not what its last refresh asked for
        of_lake = {
            "since": list_mark.covered_since,
            "until": None,
            "complete": list_mark.complete,
        }
        blank_row = {**dict.fromkeys(SUMMARY), "note": ""}
        summary.append({**blank_row, **of_list, **list_mark.summary, **of_lake})
    return pl.DataFrame(summary, schema=SUMMARY, orient="row")


def _asked(known: State, names: Sequence[str]) -> Asked:
    accounts = {}
    read_times = []
    for list_mark in known.marks:
        account = AskedAccount(
            provider=list_mark.provider, name=list_mark.account, options=list_mark.options
        )
        accounts[(account.provider, account.name)] = account
        read_times.append(list_mark.known_at or list_mark.refreshed_at)
    return Asked(
        # a result has one time: the earliest, up to which every list is known
        fetched_at=min(read_times, default=known.at),
        accounts=tuple(accounts.values()),
        tables=tuple(names),
        reached=_reached(known.marks),
    )


def _reached(marks: Sequence[Mark]) -> dict[str, Period]:
    """Return the tables that are not of all times; of several accounts, what all have."""
    reached: dict[str, Period] = {}
    for list_mark in marks:
        if list_mark.covered_since is not None:
            period = Period(since=list_mark.covered_since)
            others = reached.get(list_mark.table, Period())
            reached[list_mark.table] = period.within(others)
    return reached
