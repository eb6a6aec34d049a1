"""Which days and times are asked for."""

from __future__ import annotations

import datetime as dt

from crmlab.connector import ChangeFilter, Context
from crmlab.schema import Period

#: what statistics are asked for without ``since``, and how long the service keeps deliveries
DAYS = 30
_A_DAY = dt.timedelta(days=1)
#: what is counted of a day changes until it is over where the site is, and nobody documents how
#: long counts are kept: a first refresh asks for as long as the vendor keeps proofs of consent
COUNTED = ChangeFilter(overlap=_A_DAY, kept=dt.timedelta(days=396), by_day=True, of_events=True)
#: by the day, for which a period must be longer than one:
#: by the hour the same deliveries would be counted twice
DELIVERED = ChangeFilter(
    overlap=2 * _A_DAY, kept=dt.timedelta(days=DAYS), by_day=True, of_events=True
)
LOGGED = ChangeFilter(overlap=_A_DAY, by_day=True, of_events=True)


def period(context: Context) -> tuple[dt.date, dt.date]:
    """Return the first and last day of since..until; the last 30 days where nothing is said."""
    end = context.now
    if context.until:  # midnight ends the day before
        end = context.until - dt.timedelta(microseconds=1)
    last_day = end.date()
    if context.since:
        return context.since.date(), last_day
    return last_day - dt.timedelta(days=DAYS - 1), last_day


def days(context: Context) -> list[dt.date]:
    """Return every day of the period."""
    first_day, last_day = period(context)
    length = (last_day - first_day).days + 1
    return [first_day + dt.timedelta(days=number) for number in range(length)]


def kept(context: Context) -> tuple[dt.datetime, dt.datetime] | None:
    """Return since..until as far as deliveries are kept; None where nothing of it is."""
    end = min(context.until or context.now, context.now)
    start = context.now - dt.timedelta(days=DAYS)
    start = max(context.since or start, start)
    if start >= end:
        return None
    return start, end


def reached_by_default(context: Context) -> Period:
    """Return what statistics reach: what was asked for, and the last 30 days where no beginning was."""
    first, _ = period(context)
    since = context.since or dt.datetime.combine(first, dt.time(), dt.UTC)
    return Period(since=since, until=context.until)


def reached_as_kept(context: Context) -> Period:
    """Return what deliveries reach: what was asked for, as far as it is kept."""
    oldest = context.now - dt.timedelta(days=DAYS)
    return Period(since=max(context.since or oldest, oldest), until=context.until)


def by_default(context: Context) -> str:
    """Say which days are asked for where the user named none."""
    if context.since:
        return ""
    return f"the last {DAYS} days, since none were asked for"


def as_kept(context: Context) -> str:
    """Say it where deliveries were asked for that are not kept."""
    # a minute more: whoever asks for exactly so many days did so some moments ago
    oldest = context.now - dt.timedelta(days=DAYS, minutes=1)
    if context.since and context.since < oldest:
        return f"only the last {DAYS} days are kept"
    return by_default(context)


def iso(time: dt.datetime) -> str:
    """Return the form that the vendor writes: milliseconds and Z."""
    return time.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
