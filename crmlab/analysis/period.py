"""Calendar periods: what a chart over time is counted by."""

from __future__ import annotations

import re
from datetime import date

import polars as pl
from polars.exceptions import ComputeError

from crmlab.errors import UsageError
from crmlab.schema import unknown_zone, zone

#: more bars than this cannot be told apart on a screen
MAX_BINS = 400
#: Polars' duration -> (its word, the fewest days it can last), finest first
GRAINS: dict[str, tuple[str, int]] = {
    "1d": ("day", 1),
    "1w": ("week", 7),
    "1mo": ("month", 28),
    "1q": ("quarter", 90),
    "1y": ("year", 365),
    "10y": ("decade", 3652),
    "100y": ("century", 36524),
}
#: word -> Polars' duration: "month" -> "1mo"
PERIODS = {word: every for every, (word, _) in GRAINS.items()}
_EVERY = re.compile(r"[1-9]\d*(d|w|mo|q|y)")


def _finest_grain(days: pl.Series) -> str:
    """Return the finest grain that cuts these days into at most `MAX_BINS` periods.

    Parameters
    ----------
    days
        Dates or datetimes; nulls are ignored. The periods between the first and the last count,
        empty or not.
    """
    days = days.cast(pl.Date)
    first_day = days.min()
    last_day = days.max()
    if not isinstance(first_day, date) or not isinstance(last_day, date):
        return "1d"
    span_days = (last_day - first_day).days
    for grain, (_, shortest) in GRAINS.items():
        # longer periods rarely begin on the first day: one more can be touched
        at_the_ends = 1 if grain == "1d" else 2
        if span_days // shortest + at_the_ends <= MAX_BINS:
            return grain
    return "100y"


def chosen_grain(every: str | None, days: pl.Series) -> str:
    """Return the period that was asked for; where none was, the finest that these days allow.

    Raises
    ------
    UsageError
        `every` is no duration of whole days.

    Examples
    --------
    >>> chosen_grain(None, pl.Series([date(2025, 1, 1), date(2026, 2, 4)]))
    '1d'
    >>> chosen_grain(None, pl.Series([date(2025, 1, 1), date(2026, 2, 5)]))
    '1w'
    """
    if every is None:
        return _finest_grain(days)
    _refuse_parts_of_days(every)
    return every


def period_of(time: pl.Expr, every: str) -> pl.Expr:
    """Return the first day of the period that a date or local datetime lies in; weeks begin on Monday.

    Parameters
    ----------
    time
        Date or Datetime; the day is that of the datetime's own time zone.
    every
        Whole days or longer, as Polars writes durations: ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``.

    Raises
    ------
    UsageError
        `every` is no such duration.
    """
    _refuse_parts_of_days(every)
    return time.dt.date().dt.truncate(every)


def _refuse_parts_of_days(every: str) -> None:
    if not isinstance(every, str) or not _EVERY.fullmatch(every):
        raise UsageError(
            f"every={every!r}: give whole days or longer, such as '1d', '1w', '1mo', '1q' or '1y'"
        )


def local(time: pl.Expr, time_zone: str) -> pl.Expr:
    """Return a UTC datetime as the clock of `time_zone` shows it, daylight saving included.

    Raises
    ------
    UsageError
        `time_zone` is not a name of the IANA time zone database.
    """
    zone(time_zone)
    try:  # Polars has a database of its own, which lacks some names of the system's
        pl.Series([], dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone(time_zone)
    except ComputeError:
        raise unknown_zone(time_zone) from None
    return time.dt.convert_time_zone(time_zone)
