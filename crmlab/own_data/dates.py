"""Dates and times, and those written as text: ISO 8601 or a format that the user names.

A time without a zone is refused where the notation names none, because it can be read in more than one way.
"""

from __future__ import annotations

import re

import polars as pl

from crmlab.display import plural
from crmlab.errors import UsageError
from crmlab.own_data.notation import Notation
from crmlab.own_data.text import evaluated, is_text, nothing, stripped
from crmlab.schema import UTC, as_instant

_NAIVE = pl.Datetime("us")
#: the parts of ISO 8601, as databases and spreadsheets write them too: blank for T, no seconds, UTC in letters
_ISO = (
    r"^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2})(:\d{2})?([.,]\d{1,9})?)?"
    r"\s*(?i:(Z|UTC|GMT)|([+-]\d{2}(?::?\d{2})?))?$"
)
_ISO_PARTS = ("day", "clock", "seconds", "fraction", "letters", "offset")
_ISO_DAY = "%Y-%m-%d"
_ISO_MOMENT = "%Y-%m-%dT%H:%M:%S%.f"
#: what a format says about the clock, and about the zone
_CLOCK = re.compile(r"%[-_0]?[HIklTRXcrs+]")
_ZONE = re.compile(r"%[:#]*z")
#: of a year with two digits, %Y makes one of Augustus
_FIRST_YEAR = 1000


def as_date(values: pl.Series, notation: Notation) -> pl.Series:
    """Return the days of dates and times; null for what is none."""
    if values.dtype in (pl.Date, pl.Null):
        return values
    if values.dtype == pl.Datetime:
        return values.dt.date()
    if not is_text(values):
        return nothing(values, pl.Date())
    texts = stripped(values)
    written = notation.format_of(values.name)
    if written is not None:
        return in_format(texts, written).dt.date()
    day_texts = _iso_parts(texts)["day"].str.to_date(_ISO_DAY, strict=False)
    return day_texts.alias(values.name)


def as_time(values: pl.Series, notation: Notation) -> pl.Series:
    """Return times in UTC; null for what is none, and for an hour that the clock left out.

    Raises
    ------
    UsageError
        Times have no zone, and the notation names none; or its format cannot be followed.
    """
    if values.dtype == pl.Null:
        return values
    if values.dtype == pl.Date:
        return _midnight(values, notation)
    if values.dtype == pl.Datetime:
        if getattr(values.dtype, "time_zone", None):
            return values.dt.convert_time_zone("UTC").cast(UTC)
        return _in_utc(values.cast(_NAIVE), notation)
    if not is_text(values):
        return nothing(values, UTC)

    texts = stripped(values)
    date_format = notation.format_of(values.name)
    if date_format is None:
        return _iso_time(texts, notation)
    times = in_format(texts, date_format)
    if times.dtype == pl.Date:
        return _midnight(times, notation)
    # times whose format has a zone are in UTC already
    if _ZONE.search(date_format):
        return times
    return _in_utc(times, notation)


def in_format(texts: pl.Series, written: str) -> pl.Series:
    """Return dates, times without a zone, or times in UTC, by what the format says; null for what is none.

    Raises
    ------
    UsageError
        The format cannot be followed.
    """
    try:
        if not _CLOCK.search(written):
            moments = texts.str.to_date(written, strict=False)
        elif _ZONE.search(written):
            moments = texts.str.to_datetime(written, time_unit="us", time_zone="UTC", strict=False)
        else:
            moments = texts.str.to_datetime(written, time_unit="us", strict=False)
    except pl.exceptions.PolarsError:
        raise UsageError(
            f"date_format={written!r} cannot be followed: write '%d/%m/%Y %H:%M' for 31/01/2026 17:05"
        ) from None
    if "%Y" not in written:
        return moments
    has_four_digits = moments.dt.year() >= _FIRST_YEAR
    return evaluated(texts.name, pl.when(has_four_digits).then(moments))


def _iso_parts(texts: pl.Series) -> pl.DataFrame:
    return texts.str.extract_groups(_ISO).struct.rename_fields(_ISO_PARTS).struct.unnest()


def _iso_time(texts: pl.Series, notation: Notation) -> pl.Series:
    parts = _iso_parts(texts)
    # all spellings as one, which Polars can be told to read
    moment = pl.concat_str(
        "day",
        pl.lit("T"),
        pl.col("clock").fill_null("00:00"),
        pl.col("seconds").fill_null(":00"),
        pl.col("fraction").str.replace(",", ".", literal=True).fill_null(""),
    )
    is_utc = pl.col("letters").is_not_null()
    offset = pl.when(is_utc).then(pl.lit("+00:00")).otherwise("offset")
    has_clock = pl.col("clock").is_not_null()
    no_zone = offset.is_null()
    naive_texts = pl.when(no_zone, has_clock).then(moment)
    day_texts = pl.when(no_zone, ~has_clock).then("day")
    written = parts.select(
        (moment + offset).alias("zoned"),
        naive_texts.alias("naive"),
        day_texts.alias("day"),
    )

    zoned = written["zoned"].str.to_datetime(
        f"{_ISO_MOMENT}%#z", time_unit="us", time_zone="UTC", strict=False
    )
    naive = written["naive"].str.to_datetime(_ISO_MOMENT, time_unit="us", strict=False)
    plain_days = written["day"].str.to_date(_ISO_DAY, strict=False)
    in_utc = _in_utc(naive.alias(texts.name), notation)
    midnights = _midnight(plain_days, notation)
    return evaluated(texts.name, pl.coalesce(zoned, in_utc, midnights))


def _midnight(days: pl.Series, notation: Notation) -> pl.Series:
    """Return the beginning of the days on the clock of the named zone, or in UTC."""
    time_zone = notation.time_zone or "UTC"
    beginnings = _zoned(days.cast(_NAIVE), time_zone)
    # where the clock leaves out midnight, as in Brazil until 2018, the day begins an hour later
    later_days = days.filter(days.is_not_null() & beginnings.is_null()).unique()
    if later_days.is_empty():
        return beginnings
    later_beginnings = {day: as_instant(day, days.name, time_zone) for day in later_days}
    return beginnings.fill_null(
        days.replace_strict(later_beginnings, default=None, return_dtype=UTC)
    )


def _in_utc(times: pl.Series, notation: Notation) -> pl.Series:
    """Return what the clock of the named zone showed, in UTC."""
    known = times.drop_nulls()
    if notation.time_zone is not None or known.is_empty():
        return _zoned(times, notation.time_zone or "UTC")
    raise UsageError(
        f"{times.name} holds {plural(known.len(), 'time')} without a time zone, such as {known[0]:%Y-%m-%d %H:%M}: "
        "write time_zone='Europe/Paris', the place of the clock that wrote them, or time_zone='UTC'"
    )


def _zoned(times: pl.Series, time_zone: str) -> pl.Series:
    # an hour that the clock shows twice is taken for the first; one that it leaves out is not read
    local_times = times.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    return local_times.dt.convert_time_zone("UTC")
