"""Columns of a user's frame in the dtypes of the shared table, where their values are of the same kind.

Files, databases and pandas have other dtypes than a fetch: text without categories, counts with a point, days as
midnights, times in another zone. Polars would neither join nor compare some of these with those of another table, and
small integers would overflow in a sum.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import polars as pl

from crmlab.errors import UsageError
from crmlab.schema import TABLES, UTC

_TEXT = (pl.String, pl.Categorical, pl.Enum)
#: the last day that Python has, and a first one that leaves it room for another zone and for the decade that a day is
#: in, counted from 1970
_FIRST_DAY = (dt.date(100, 1, 1) - dt.date(1970, 1, 1)).days
_LAST_DAY = (dt.date.max - dt.date(1970, 1, 1)).days
_UNITS_A_DAY = {"ms": 86_400_000, "us": 86_400_000_000}
#: columns of frames that are no shared tables, such as what an analysis returns and another reads: it may have been in
#: a file in between
_IN_OTHERS = pl.Schema(
    {
        **TABLES["activities"].schema,
        **TABLES["stages"].schema,
        **dict.fromkeys(
            ("person_id", "entry", "exit", "stage_label", "value", "shared"), pl.String()
        ),
        **dict.fromkeys(("entered_after", "entered_at", "last_seen_at", "left_at"), UTC),
        **dict.fromkeys(("contacts", "names", "at_risk", "censored"), pl.Int64()),
        **dict.fromkeys(
            ("duration", "time", "surviving", "days", "survival", "probability"), pl.Float64()
        ),
    }
)


def in_shared_dtypes(
    frame: pl.DataFrame,
    argument: str,
    columns: Iterable[str],
    *,
    table: str,
    advice: str,
    own: Mapping[str, pl.DataType] = MappingProxyType({}),
) -> pl.DataFrame:
    """Return a frame with these columns in the dtypes of a shared table; others stay as they are.

    Parameters
    ----------
    frame
        Of the user.
    argument
        The name of the parameter that it was given as.
    columns
        What is read of it.
    table
        The shared table, or another name of what analyses return.
    advice
        What to do about values of another kind.
    own
        Dtypes of columns that may be called like anything.

    Raises
    ------
    UsageError
        A column holds values of another kind: text in the place of amounts, for example.

    Examples
    --------
    >>> stays = pl.DataFrame({"provider": ["relenta"], "stage": [10.0]})
    >>> in_shared_dtypes(stays, "history", stays.columns, table="history", advice="...").dtypes
    [Categorical, Int64]
    """
    shared_dtypes = {**(TABLES[table].schema if table in TABLES else _IN_OTHERS), **own}
    converted: dict[str, pl.Series] = {}
    for name in columns:
        wanted = shared_dtypes.get(name)
        if not is_of_calendar(frame[name]):
            raise UsageError(
                f"{argument}.{name} holds times outside of the years 100 to 9999: "
                "write null where there is none"
            )
        if wanted is None or frame.schema[name] == wanted:
            continue
        if not _is_alike(frame[name], wanted):
            raise UsageError(
                f"{argument}.{name} is of type {frame.schema[name]}, and {wanted} is read: {advice}"
            )
        values = _converted(frame[name], wanted)
        if values is None:
            raise UsageError(f"{argument}.{name} holds values that {wanted} cannot hold: {advice}")
        converted[name] = values
    return frame.with_columns(**converted)


def is_of_calendar(values: pl.Series) -> bool:
    """Return whether days and times are of years that Python and Polars can name."""
    dtype = values.dtype
    if dtype == pl.Date:
        units_a_day = 1
    elif isinstance(dtype, pl.Datetime) and dtype.time_unit != "ns":  # which reach to 2262
        units_a_day = _UNITS_A_DAY[dtype.time_unit]
    else:
        return True
    numbers = values.to_physical()
    is_between = numbers.is_between(_FIRST_DAY * units_a_day, (_LAST_DAY + 1) * units_a_day - 1)
    return bool(is_between.all())


def _is_alike(values: pl.Series, wanted: pl.DataType) -> bool:
    """Return whether values are of the kind that a dtype is for."""
    given = values.dtype
    if given == pl.Null:
        return True
    if wanted in _TEXT:
        return given in _TEXT
    if isinstance(wanted, pl.List):
        return isinstance(given, pl.List | pl.Array) and given.inner in (pl.Null, *_TEXT)
    if isinstance(wanted, pl.Datetime):
        return isinstance(given, pl.Datetime) and given.time_zone is not None
    if wanted == pl.Date:
        # pandas has no days of its own; a time within a day is none
        is_naive = isinstance(given, pl.Datetime) and given.time_zone is None
        return is_naive and bool((values.dt.truncate("1d") == values).all())
    return wanted.is_numeric() and given.is_numeric()


def _converted(values: pl.Series, wanted: pl.DataType) -> pl.Series | None:
    """Return values in a dtype of their kind; None where it cannot hold one of them."""
    given = values.dtype
    if isinstance(wanted, pl.Datetime) and given != pl.Null:
        values = values.dt.convert_time_zone("UTC")
    if wanted.is_integer() and given.is_float():
        # how pandas writes that there is no number
        values = values.fill_nan(None)
    # what does not fit becomes null; Polars would quote it, and cannot write every time
    converted = values.cast(wanted, strict=False)
    if converted.null_count() > values.null_count():
        return None
    # a cast cuts fractions off
    if wanted.is_integer() and (converted.cast(given) != values).any():
        return None
    return converted
