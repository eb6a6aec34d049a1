"""Tables as Excel can hold them: names of sheets, and columns of numbers, text or booleans.

What Excel does not have is either written so that nothing is lost, or refused before a file is touched
(limits: https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3):

- times are UTC, and the heads of their columns say so: Excel knows no time zones
- whole numbers of more than 15 digits are text: Excel would round them
- names that are no names of sheets are shortened or changed, and a sheet "sheets" tells which table is where
- too many rows or columns, text of more than 32,767 UTF-16 units, days before 1900 and binary data are refused
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from crmlab.errors import UsageError
from crmlab.results.cells import unnested

_MAX_ROWS = 1_048_576 - 1  # one is the head
_MAX_COLUMNS = 16_384
#: of a cell, and of the name of a sheet
_MAX_UNITS = 32_767
_MAX_NAME_UNITS = 31
#: digits that a number keeps
_MAX_DIGITS = 15
_FIRST_DAY = dt.date(1900, 1, 1)
_LAST_DAY = dt.date(9999, 12, 31)
#: Excel counts days from here, and takes 1900 for a leap year
_DAY_ZERO = dt.datetime(1899, 12, 30)  # noqa: DTZ001  # Excel knows no time zones
_AFTER_LEAP_DAY = dt.date(1900, 3, 1)
_NANOSECONDS_A_DAY = 86_400 * 10**9
#: the last millisecond that Excel has
_LAST_SERIAL = (_LAST_DAY - _DAY_ZERO.date()).days + 86_399_999 / 86_400_000
#: the sheet that tells where each table is
_DIRECTORY = "sheets"
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Column:
    """A column as Excel can hold it: numbers, text or booleans."""

    head: str
    values: pl.Series
    #: how it is shown: one of `crmlab.results.excel.FORMATS`
    kind: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet by its name in the workbook."""

    name: str
    columns: Sequence[Column]
    rows: int


def sheets(tables: Mapping[str, pl.DataFrame]) -> list[Sheet]:
    """Return a sheet for each table, as Excel can hold it; lists are joined by ``;``, nested values are JSON.

    Raises
    ------
    UsageError
        Excel cannot hold something: everything that it cannot, and what to do.
    """
    flat = {name: unnested(frame) for name, frame in tables.items()}
    problems: list[str] = []
    for name, frame in flat.items():
        problems += _problems(name, frame)
    if problems:
        named = "; ".join(problems)
        raise UsageError(f"Excel cannot hold {named}: write parquet or csv, or leave these out")

    names = _sheet_names(tables)
    made = [_sheet(names[name], frame) for name, frame in flat.items()]
    is_renamed = any(names[name] != name for name in tables)
    if is_renamed:
        made.append(_directory(names, tables))
    return made


# ---- names --------------------------------------------------------------------------------------


def _sheet_names(tables: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    """Return a name for the sheet of each table: its own where that can be, and no two alike but for case."""
    names: dict[str, str] = {}
    names_taken = {"history", _DIRECTORY}  # "history" is Excel's own
    for table in sorted(tables, key=_must_change):  # what keeps its name comes first
        names[table] = _free_name(table, names_taken)
        names_taken.add(names[table].casefold())
    return names


def _must_change(table: str) -> bool:
    return _free_name(table, set()) != table


def _free_name(table: str, taken: set[str]) -> str:
    allowed = _NOT_IN_NAMES.sub("_", table)
    # Excel takes no name that begins or ends with a "'"
    name = _cut(allowed, _MAX_NAME_UNITS).strip("'") or "table"
    suffix = 1
    free_name = name
    while free_name.casefold() in taken:
        suffix += 1
        ending = f"~{suffix}"
        space_left = _MAX_NAME_UNITS - len(ending)
        free_name = _cut(name, space_left) + ending
    return free_name


def _cut(text: str, units: int) -> str:
    while _utf16_units(text) > units:
        text = text[:-1]
    return text


def _utf16_units(text: str) -> int:
    """Return the length of a text as Excel counts it: most emoji are two."""
    return len(text.encode("utf-16-le")) // 2


def _directory(names: Mapping[str, str], tables: Mapping[str, pl.DataFrame]) -> Sheet:
    """Return the sheet that tells which table is on which."""
    directory = pl.DataFrame(
        {
            "sheet": [names[table] for table in tables],
            "table": list(tables),
            "rows": [frame.height for frame in tables.values()],
        }
    )
    return _sheet(_DIRECTORY, directory)


# ---- what Excel cannot hold ---------------------------------------------------------------------


def _problems(name: str, frame: pl.DataFrame) -> Iterator[str]:
    """Say what of a table Excel cannot hold."""
    if frame.height > _MAX_ROWS:
        yield f"the {frame.height:,} rows of {name} (at most {_MAX_ROWS:,})"
    if frame.width > _MAX_COLUMNS:
        yield f"the {frame.width:,} columns of {name} (at most {_MAX_COLUMNS:,})"
    if max(map(_utf16_units, frame.columns), default=0) > _MAX_UNITS:
        yield f"the longest name of a column of {name} (at most {_MAX_UNITS:,} characters)"
    for values in frame:
        column = f"{name}.{values.name}"
        if values.dtype in (pl.Binary, pl.Object):
            yield f"the {values.dtype} values of {column} (cast them to text)"
        if not _has_all_days(values):
            yield f"the times of {column} before {_FIRST_DAY} or after {_LAST_DAY}"
        if _longest(values) > _MAX_UNITS:
            yield f"the longest text of {column} (at most {_MAX_UNITS:,} characters, most emoji count as two)"


def _has_all_days(values: pl.Series) -> bool:
    """Return whether Excel's calendar has the days of all these dates and times."""
    if values.dtype not in (pl.Date, pl.Datetime):
        return True
    return _days(values).is_between(_FIRST_DAY, _LAST_DAY).all()


def _days(times: pl.Series) -> pl.Series:
    if getattr(times.dtype, "time_zone", None):
        times = times.dt.convert_time_zone("UTC")
    return times.cast(pl.Date)


def _longest(values: pl.Series) -> int:
    """Return the length of the longest text, of those that could be too long."""
    if values.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return 0
    texts = values.cast(pl.String)
    # counting units takes long: no character is more than two
    long_texts = texts.filter(texts.str.len_chars() > _MAX_UNITS // 2)
    return max(map(_utf16_units, long_texts), default=0)


# ---- columns ------------------------------------------------------------------------------------


def _sheet(name: str, frame: pl.DataFrame) -> Sheet:
    return Sheet(name, [_column(values) for values in frame], frame.height)


def _column(values: pl.Series) -> Column:
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        return _times(values, dtype)
    if dtype == pl.Date:
        midnights = values.cast(pl.Datetime("us"))
        return Column(values.name, _serial(midnights), "day")
    if dtype == pl.Time:
        nanoseconds = values.cast(pl.Int64)
        return Column(values.name, nanoseconds / _NANOSECONDS_A_DAY, "clock")
    if dtype == pl.Boolean:
        return Column(values.name, values, "boolean")
    if dtype.is_integer() and _is_short(values):
        return Column(values.name, values, "whole")
    if dtype.is_float():
        return Column(values.name, values, "number")
    if dtype.is_decimal() and _has_few_digits(values):
        return Column(values.name, values.cast(pl.Float64), "number")
    if dtype == pl.Duration:
        return Column(values.name, values.dt.to_string("iso"), "text")
    return Column(values.name, values.cast(pl.String), "text")


def _times(values: pl.Series, dtype: pl.Datetime) -> Column:
    if dtype.time_zone is None:
        return Column(values.name, _serial(values), "time")
    utc = values.dt.convert_time_zone("UTC")
    utc_without_zone = utc.dt.replace_time_zone(None)
    return Column(f"{values.name} (UTC)", _serial(utc_without_zone), "time")


def _has_few_digits(decimals: pl.Series) -> bool:
    """Whether each of these decimal numbers keeps its digits."""
    digits = decimals.cast(pl.String).str.count_matches(r"\d")
    return not (digits > _MAX_DIGITS).any()


def _is_short(numbers: pl.Series) -> bool:
    """Whether each of these whole numbers keeps its digits."""
    limit = 10**_MAX_DIGITS
    # exact far beyond the limit, and holds the unsigned ones, too
    known = numbers.drop_nulls().cast(pl.Float64)
    return bool(known.is_between(-limit, limit, closed="none").all())


def _serial(times: pl.Series) -> pl.Series:
    """Return times as Excel counts them: days, and parts of a day."""
    microseconds = (times - _DAY_ZERO).dt.total_microseconds()
    days = microseconds / (86_400 * 10**6)
    is_before_leap_day = times.dt.date() < _AFTER_LEAP_DAY
    counted_days = days - is_before_leap_day.cast(pl.Float64)
    # the last microseconds of the year 9999, which many systems write for "never", would be rounded into 10000
    return counted_days.clip(upper_bound=_LAST_SERIAL)
