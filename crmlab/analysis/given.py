"""What a question must be given: the columns it reads, and the moment it is asked at."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import polars as pl

from crmlab.analysis.period import local
from crmlab.errors import PlanError
from crmlab.schema import instant


def need(frame: pl.DataFrame, table: str, *columns: str) -> None:
    """Refuse a frame that lacks columns of its table.

    Raises
    ------
    PlanError
        A column is missing.
    """
    if missing := [name for name in columns if name not in frame.columns]:
        raise PlanError(
            f"the {table} frame has no {', '.join(missing)}: give the frame that crmlab.fetch returns, "
            f"or crmlab.schema.tables.conform(frame, TABLES[{table!r}])"
        )


def moment(as_of: str | dt.date | dt.datetime, time_zone: str) -> tuple[dt.datetime, dt.date]:
    """Return `as_of` as a UTC time, and the day that the clock of `time_zone` shows then.

    A date is the beginning of that day in `time_zone`.

    Raises
    ------
    PlanError
        `as_of` is no date or time, or a time without zone; `time_zone` is not known.
    """
    at = instant(as_of, "as_of")
    if at is None:
        raise PlanError("as_of is missing: give the date or time to ask at, such as the time of fetching")
    pl.select(local(pl.lit(at), time_zone))
    place = ZoneInfo(time_zone)
    if isinstance(as_of, str) and len(as_of) == 10:
        as_of = at.date()
    if not isinstance(as_of, dt.datetime) and isinstance(as_of, dt.date):
        return dt.datetime.combine(as_of, dt.time(), place).astimezone(dt.UTC), as_of
    return at, at.astimezone(place).date()
