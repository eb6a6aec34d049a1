"""Values of any dtype, and values written as text, as those of a shared column.

A value that cannot be read is null in the answer: what was there before and is not after is a misfit. Only a time
without a zone is refused at once, because it can be read, in more than one way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from crmlab.connector import split
from crmlab.display import plural
from crmlab.errors import UsageError
from crmlab.own_data.notation import Notation
from crmlab.schema import CUSTOM, UTC

_NAIVE = pl.Datetime("us")
_TRUTHS = MappingProxyType(
    {
        **dict.fromkeys(("true", "t", "yes", "y", "on", "1", "1.0"), True),
        **dict.fromkeys(("false", "f", "no", "n", "off", "0", "0.0"), False),
    }
)
#: the parts of ISO 8601, as databases and spreadsheets write them too: blank for T, no seconds, UTC in letters
_ISO_TIME = (
    r"^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2})(:\d{2})?([.,]\d{1,9})?)?"
    r"\s*(?i:(Z|UTC|GMT)|([+-]\d{2}(?::?\d{2})?))?$"
)
_ISO_PARTS = ("day", "clock", "seconds", "fraction", "zulu", "offset")
#: what a format says about the clock, and about the zone
_CLOCK = re.compile(r"%[-_0]?[HIklTRXcrs+]")
_ZONE = re.compile(r"%[:#]*z")
#: of a year with two digits, %Y makes one of Augustus
_FIRST_YEAR = 1000


def as_shared(values: pl.Series, dtype: Any, notation: Notation) -> pl.Series:
    """Return the values as those of a shared column of that dtype; null for what cannot be read.

    Raises
    ------
    UsageError
        They are times without a zone, and the notation names none; or its format cannot be followed.
    """
    if values.dtype == dtype and dtype not in (pl.String(), pl.Float64()):
        return values
    return _READERS[dtype](values, notation).cast(dtype)


def present(values: pl.Series) -> pl.Series:
    """Return where there is a value: neither null, nor blank text, nor NaN."""
    if values.dtype == pl.String:
        return (values.str.strip_chars() != "").fill_null(value=False)
    if values.dtype.is_float():
        return values.is_not_nan().fill_null(value=False)
    return values.is_not_null()


def as_text(values: pl.Series, notation: Notation | None = None) -> pl.Series:
    """Return values as text; whole numbers without a point, blank text as null."""
    if values.dtype.is_float():
        # pandas keeps whole numbers with gaps as floats: an id is 5 then, not 5.0
        whole = (values == values.floor()).fill_null(value=False)
        texts = pl.select(
            pl.when(whole)
            .then(values.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(values.fill_nan(None).cast(pl.String))
        ).to_series()
        return texts.alias(values.name)
    if values.dtype.is_nested() or values.dtype in (pl.Duration, pl.Binary):
        return _nothing(values, pl.String())
    if values.dtype == pl.Object:
        return pl.Series(values.name, [None if value is None else str(value) for value in values], dtype=pl.String)
    texts = values.cast(pl.String, strict=False)
    return pl.select(pl.when(texts.str.strip_chars() != "").then(texts).alias(values.name)).to_series()


def _nothing(values: pl.Series, dtype: Any) -> pl.Series:
    return pl.Series(values.name, [None], dtype=dtype).new_from_index(0, values.len())


def _stripped(values: pl.Series) -> pl.Series:
    return as_text(values).str.strip_chars()


# ---- lists --------------------------------------------------------------------------------------


def _texts(values: pl.Series, notation: Notation) -> pl.Series:
    if isinstance(values.dtype, pl.List | pl.Array):
        return values.cast(pl.List(pl.String), strict=False)
    return as_text(values).to_frame().select(split(values.name, notation.separator).alias(values.name)).to_series()


def _custom(values: pl.Series, notation: Notation) -> pl.Series:
    if values.dtype == pl.Null:
        return values
    try:
        return values.cast(CUSTOM)
    except pl.exceptions.PolarsError:
        return _nothing(values, CUSTOM)


# ---- numbers and truths -------------------------------------------------------------------------


def _number(values: pl.Series, notation: Notation) -> pl.Series:
    if values.dtype.is_numeric():
        numbers = values.cast(pl.Float64, strict=False)
        # one NaN or infinity would swallow every sum
        return pl.select(pl.when(numbers.is_finite()).then(numbers).alias(values.name)).to_series()
    if values.dtype == pl.Null:
        return values
    if not _is_text(values):
        return _nothing(values, pl.Float64())
    return _digits(values, notation).cast(pl.Float64, strict=False)


def _digits(values: pl.Series, notation: Notation) -> pl.Series:
    """Return numbers in text as programs write them; null where groups of thousands are none.

    With a comma for thousands, "1,234" is 1234, and "1,23" is not read: it is more likely 1.23.
    """
    decimal = re.escape(notation.decimal)
    whole = r"\d+"
    if notation.thousands is not None:
        # a blank in front of thousands is often one that does not break
        group = r"[\s\x{a0}\x{202f}]" if notation.thousands.isspace() else re.escape(notation.thousands)
        whole = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)"
    number = rf"^[+-]?(?:{whole}(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?$"
    texts = _stripped(values)
    plain = texts
    if notation.thousands is not None:
        plain = plain.str.replace_all(group, "")
    plain = plain.str.replace(notation.decimal, ".", literal=True)
    return pl.select(pl.when(texts.str.contains(number)).then(plain).alias(values.name)).to_series()


def _whole(values: pl.Series, notation: Notation) -> pl.Series:
    if values.dtype.is_integer():
        return values.cast(pl.Int64, strict=False)
    numbers = _number(values, notation)
    if numbers.dtype == pl.Null:
        return numbers
    from_numbers = pl.when(numbers == numbers.floor()).then(numbers.cast(pl.Int64, strict=False))
    if not _is_text(values):
        return pl.select(from_numbers.alias(values.name)).to_series()
    # a float holds 15 digits, a whole number up to 19
    exact = _digits(values, notation).cast(pl.Int64, strict=False)
    return pl.select(pl.coalesce(exact, from_numbers).alias(values.name)).to_series()


def _flag(values: pl.Series, notation: Notation) -> pl.Series:
    words = _stripped(values).str.to_lowercase()
    return words.replace_strict(dict(_TRUTHS), default=None, return_dtype=pl.Boolean)


def _is_text(values: pl.Series) -> bool:
    return values.dtype in (pl.String, pl.Categorical, pl.Enum, pl.Object)


# ---- dates and times ----------------------------------------------------------------------------


def _date(values: pl.Series, notation: Notation) -> pl.Series:
    if values.dtype in (pl.Date, pl.Null):
        return values
    if values.dtype == pl.Datetime:
        return values.dt.date()
    if not _is_text(values):
        return _nothing(values, pl.Date())
    texts, written = _stripped(values), notation.format_of(values.name)
    if written is None:
        parts = _iso_parts(texts)
        return parts["day"].str.to_date("%Y-%m-%d", strict=False).alias(values.name)
    return in_format(texts, written).dt.date()


def _time(values: pl.Series, notation: Notation) -> pl.Series:
    if values.dtype == pl.Null:
        return values
    if values.dtype == pl.Date:
        return _midnight(values, notation)
    if values.dtype == pl.Datetime:
        if getattr(values.dtype, "time_zone", None):
            return values.dt.convert_time_zone("UTC").cast(UTC)
        return _in_utc(values.cast(_NAIVE), notation)
    if not _is_text(values):
        return _nothing(values, UTC)
    texts, written = _stripped(values), notation.format_of(values.name)
    if written is None:
        return _iso_time(texts, notation)
    found = in_format(texts, written)
    if found.dtype == pl.Date:
        return _midnight(found, notation)
    return found if _ZONE.search(written) else _in_utc(found, notation)


def in_format(texts: pl.Series, written: str) -> pl.Series:
    """Return dates, times without a zone, or times in UTC, by what the format says; null for what is none.

    Raises
    ------
    UsageError
        The format cannot be followed.
    """
    try:
        if not _CLOCK.search(written):
            found = texts.str.to_date(written, strict=False)
        elif _ZONE.search(written):
            found = texts.str.to_datetime(written, time_unit="us", time_zone="UTC", strict=False)
        else:
            found = texts.str.to_datetime(written, time_unit="us", strict=False)
    except pl.exceptions.PolarsError:
        raise UsageError(
            f"date_format={written!r} cannot be followed: write '%d/%m/%Y %H:%M' for 31/01/2026 17:05"
        ) from None
    if "%Y" not in written:
        return found
    return pl.select(pl.when(found.dt.year() >= _FIRST_YEAR).then(found).alias(texts.name)).to_series()


def _iso_parts(texts: pl.Series) -> pl.DataFrame:
    return texts.str.extract_groups(_ISO_TIME).struct.rename_fields(_ISO_PARTS).struct.unnest()


def _iso_time(texts: pl.Series, notation: Notation) -> pl.Series:
    parts = _iso_parts(texts)
    moment = pl.concat_str(
        "day",
        pl.lit("T"),
        pl.col("clock").fill_null("00:00"),
        pl.col("seconds").fill_null(":00"),
        pl.col("fraction").str.replace(",", ".", literal=True).fill_null(""),
    )
    zone = pl.when(pl.col("zulu").is_not_null()).then(pl.lit("+00:00")).otherwise("offset")
    read = parts.select(
        (moment + zone).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us", time_zone="UTC", strict=False)
        .alias("with zone"),
        pl.when(zone.is_null() & pl.col("clock").is_not_null()).then(moment)
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False).alias("without zone"),
        pl.when(zone.is_null() & pl.col("clock").is_null()).then("day")
        .str.to_date("%Y-%m-%d", strict=False).alias("day"),
    )  # fmt: skip
    naive = _in_utc(read["without zone"].alias(texts.name), notation)
    return pl.select(
        pl.coalesce(read["with zone"], naive, _midnight(read["day"], notation)).alias(texts.name)
    ).to_series()


def _midnight(days: pl.Series, notation: Notation) -> pl.Series:
    """Return the beginning of the days on the clock of the named zone, or in UTC."""
    return _zoned(days.cast(_NAIVE), notation.time_zone or "UTC")


def _in_utc(times: pl.Series, notation: Notation) -> pl.Series:
    naive = times.drop_nulls()
    if notation.time_zone is not None or naive.is_empty():
        return _zoned(times, notation.time_zone or "UTC")
    raise UsageError(
        f"{times.name} holds {plural(naive.len(), 'time')} without a time zone, such as {naive[0]:%Y-%m-%d %H:%M}: "
        "write time_zone='Europe/Paris', the place of the clock that wrote them, or time_zone='UTC'"
    )


def _zoned(times: pl.Series, time_zone: str) -> pl.Series:
    # an hour that the clock shows twice is taken for the first; one that it leaves out is not read
    there = times.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    return there.dt.convert_time_zone("UTC")


_READERS: Mapping[Any, Callable[[pl.Series, Notation], pl.Series]] = MappingProxyType(
    {
        pl.Categorical(): as_text,
        pl.String(): as_text,
        pl.List(pl.String): _texts,
        CUSTOM: _custom,
        pl.Float64(): _number,
        pl.Int64(): _whole,
        pl.Boolean(): _flag,
        pl.Date(): _date,
        UTC: _time,
    }
)
