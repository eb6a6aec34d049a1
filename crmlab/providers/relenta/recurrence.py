"""The times of an appointment that repeats: its rule of RFC 2445, written out within a period."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from itertools import islice

import polars as pl
from dateutil.rrule import rrulestr

from crmlab.connector import Context, iso_time, text

#: a series with more times than these up to the end of the period is not written out
MAX_TIMES = 10_000
_TIME = pl.Datetime("us", "UTC")
#: the times of a series that follow its first one
TIMES = pl.List(pl.Struct({"starts_at": _TIME, "ends_at": _TIME}))


def following_times(context: Context) -> pl.Expr:
    """Return the times of a series after its first one, as `TIMES`, as far as they are in the period of the fetch.

    A period without an end ends with the fetch: a series may go on for ever. Null where there is no rule, or one
    that cannot be read.
    """
    period_end = context.until or context.now

    def written_out(series: pl.Series) -> pl.Series:
        times = []
        for parts in series:
            times.append(
                _following(parts["rule"], parts["start"], parts["end"], context.since, period_end)
            )
        return pl.Series(times, dtype=TIMES)

    parts = pl.struct(rule=text("rrule"), start=iso_time("dt_start"), end=iso_time("dt_end"))
    return parts.map_batches(written_out, return_dtype=TIMES, is_elementwise=True)


def _following(
    rule: str | None,
    start: dt.datetime | None,
    end: dt.datetime | None,
    since: dt.datetime | None,
    until: dt.datetime,
) -> list[dict[str, dt.datetime | None]] | None:
    """Return the times of one series in since..until; None where it cannot be written out."""
    if rule is None or start is None:
        return None
    starts = _starts(rule, start, until)
    if starts is None:
        return None
    times: list[dict[str, dt.datetime | None]] = []
    for starts_at in starts:
        if since is not None and starts_at < since:
            continue
        ends_at = None
        if end:  # each one is as long as the first
            ends_at = starts_at + (end - start)
        times.append({"starts_at": starts_at, "ends_at": ends_at})
    return times


@lru_cache(maxsize=4096)  # a batch asks twice for each series
def _starts(rule: str, start: dt.datetime, until: dt.datetime) -> tuple[dt.datetime, ...] | None:
    """Return when a series begins again after its start and before `until`, in UTC."""
    naive_start = start.replace(tzinfo=None)
    naive_end = until.astimezone(dt.UTC).replace(tzinfo=None)
    starts: list[dt.datetime] = []
    previous: dt.datetime | None = None
    try:
        # times without a zone, since a rule may end at one of either kind
        times = iter(rrulestr(rule.strip().rstrip(";"), dtstart=naive_start, ignoretz=True))
        for starts_at in islice(times, MAX_TIMES + 1):
            if starts_at >= naive_end:
                return tuple(starts)
            if previous and starts_at <= previous:  # INTERVAL=0 stays where it is
                return None
            previous = starts_at
            if starts_at > naive_start:
                starts.append(starts_at.replace(tzinfo=dt.UTC))
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError):
        # what dateutil raises for rules that are none, found by trying
        return None
    if len(starts) >= MAX_TIMES:
        return None
    return tuple(starts)
