"""The tables of a lake as one result that every analysis takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

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
    place: Place, known: State, name: str, at: dt.datetime | None = None, *, is_whole: bool = False
) -> pl.LazyFrame:
    """Return a table as it is, or was at a time; `is_whole`: all versions of its rows, as they are stored."""
    versions = LakeTable(place, name, known.lake).scan(known.versions[name])
    if is_whole:
        return versions
    return as_shared(versions.filter(pl.col(IS_CURRENT) if at is None else at_time(at)), name)


def stored(
    place: Place, known: State, at: dt.datetime | None = None, told: State | None = None
) -> Stored:
    """Return all tables as they are now, or were at a time, and what was `told` of them then.

    Raises
    ------
    UsageError
        Nothing was read yet: no table would pass for whole.
    """
    told = told or known
    if not told.versions:
        when = f"at {at:%Y-%m-%d %H:%M:%S} UTC" if at else "yet"
        raise UsageError(
            f"nothing is in the lake {place.root} {when}, since no refresh had come to its end: name a later time, or "
            "refresh it"
        )
    names = [name for name in TABLES if name in told.versions]
    scans = {name: table_of(place, known, name, at) for name in names}
    heights = dict(told.heights)
    if at is not None:
        counts = pl.collect_all([scan.select(pl.len()) for scan in scans.values()])
        heights = {name: count.item() for name, count in zip(scans, counts, strict=True)}
    unread = {
        name: UnreadTable(place, name, known.lake).read(known.versions[name], told.marks, at)
        for name in UNREAD
        if name in told.versions
    }
    result = Stored(
        scans,
        heights={name: heights.get(name, 0) for name in names},
        summary=_summary(told.marks),
        rejected=unread.get(
            "rejected", pl.DataFrame(schema=dict.fromkeys(UNREAD["rejected"], pl.String))
        ),
        misfits=unread.get("misfits"),
        failures=[
            failure_from_json(each) for failures in told.failures.values() for each in failures
        ],
        asked=_asked(told, names),
    )
    result.place = place.root
    return result


def snapshots(
    place: Place, known: State, name: str, *, since: dt.datetime | None, every: dt.timedelta
) -> list[tuple[dt.datetime, pl.LazyFrame]]:
    """Return a table as it was after each refresh, with the accounts that this refresh read; see `Lake.snapshots`."""
    starts = [time for time in (since, known.kept_since) if time]
    found: list[tuple[dt.datetime, pl.LazyFrame]] = []
    # from the newest on: that is always among them
    for then in reversed(states.of_all_times(place)):
        if starts and then.at < max(starts):
            break
        read = _accounts_read(then, name)
        # of a table that no service fills, every refresh has seen all there is: nothing
        is_filled = any(mark.table == name for mark in then.marks)
        if name not in then.versions or (is_filled and not read):
            continue
        if found and found[-1][0] - then.at < every:
            continue
        found.append((then.at, table_of(place, known, name, then.at).filter(_is_of(read))))
    return found[::-1]


def _is_of(accounts: Iterable[tuple[str, str]]) -> pl.Expr:
    """Return whether a row is of one of these accounts."""
    found = pl.lit(value=False)
    for provider, account in accounts:
        found |= (pl.col("provider").cast(pl.String) == provider) & (pl.col("account") == account)
    return found


def _accounts_read(then: State, name: str) -> list[tuple[str, str]]:
    """Return the accounts of which the refresh of that time read all that had changed in a table."""
    asked = [mark for mark in then.marks if mark.table == name and mark.refreshed_at == then.at]
    lacking = {(mark.provider, mark.account) for mark in asked if not mark.complete}
    return sorted({(mark.provider, mark.account) for mark in asked} - lacking)


def _summary(marks: Sequence[Mark]) -> pl.DataFrame:
    lines = []
    for mark in marks:
        blank = {
            "account": mark.account,
            "provider": mark.provider,
            "resource": mark.resource,
            "table": mark.table,
        }
        known = {"since": mark.covered_since, "until": None, "complete": mark.complete}
        lines.append({**dict.fromkeys(SUMMARY), "note": "", **blank, **mark.summary, **known})
    return pl.DataFrame(lines, schema=SUMMARY, orient="row")


def _asked(known: State, names: Sequence[str]) -> Asked:
    accounts = {(mark.provider, mark.account): mark for mark in known.marks}
    times = [mark.known_at or mark.refreshed_at for mark in known.marks]
    return Asked(
        fetched_at=min(times, default=known.at),
        accounts=tuple(
            AskedAccount(provider=mark.provider, name=mark.account, options=mark.options)
            for mark in accounts.values()
        ),
        tables=tuple(names),
        reached=_reached(known.marks),
    )


def _reached(marks: Sequence[Mark]) -> dict[str, Period]:
    """Return the tables that are not of all times; of several accounts, what all have."""
    reached: dict[str, Period] = {}
    for mark in marks:
        if mark.covered_since is not None:
            period = Period(since=mark.covered_since)
            reached[mark.table] = period.within(reached.get(mark.table, Period()))
    return reached
