"""Values that cannot be read: which, how many, and what to write."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from crmlab.own_data.dates import in_format
from crmlab.own_data.text import as_text, evaluated, present
from crmlab.schema import CUSTOM, UTC

#: the further column of a table that holds what could not be read in each row
MISFITS = "misfits"
_MAX_SHOWN = 3
_MAX_TRIED = 1_000
#: what values of a dtype are called
_CALLED: Mapping[Any, str] = MappingProxyType(
    {
        pl.Float64(): "numbers",
        pl.Int64(): "whole numbers",
        pl.Boolean(): "yes or no",
        pl.Date(): "dates",
        UTC: "times",
        pl.List(pl.String): "lists of texts",
        CUSTOM: "lists of key, label and value",
    }
)
#: how days are often written, and the clock after them
_DAYS = (
    *(
        "%Y%m%d",
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%d.%m.%Y",
        "%d-%m-%Y",
        "%m-%d-%Y",
        "%Y/%m/%d",
        "%d %b %Y",
        "%b %d, %Y",
    ),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y"),
)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p")


def misfits_of(before: pl.Series, after: pl.Series) -> pl.Series:
    """Return as text what could not be read, null in all other rows."""
    is_lost = present(before) & after.is_null()
    # what is no text either, such as a list, is told by its kind
    told = pl.coalesce(as_text(before), pl.lit(f"a value of type {before.dtype}"))
    return evaluated(before.name, pl.when(is_lost).then(told))


def with_misfits(frame: pl.DataFrame, misfits: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the misfits of each row in a further column: a list of column and value."""
    each = [
        pl.when(pl.col(name).is_not_null()).then(pl.struct(column=pl.lit(name), value=pl.col(name)))
        for name in misfits.columns
    ]
    in_rows = misfits.select(pl.concat_list(each).list.drop_nulls().alias(MISFITS))
    return frame.with_columns(in_rows.to_series())


def sentence(misfits: pl.Series, dtype: Any) -> str:
    """Return what is wrong with the misfits of a column, and what to write."""
    values = misfits.drop_nulls()
    shown = ", ".join(repr(value) for value in values.unique(maintain_order=True).head(_MAX_SHOWN))
    return (
        f"{misfits.name}: {values.len():,} of {misfits.len():,} values cannot be read as {_CALLED.get(dtype, 'text')} "
        f"({shown}); write {_advice(values, dtype)}"
    )


def _advice(values: pl.Series, dtype: Any) -> str:
    name, first = values.name, values[0]
    if dtype == pl.Boolean():
        return f"values={{{name!r}: {{{first!r}: False}}}} with all words that they use"
    without = f"values={{{name!r}: {{{first!r}: None}}}} for what is none"
    if dtype in (pl.Float64(), pl.Int64()):
        return f"decimal= and thousands= as they are written, or {without}"
    if dtype in (pl.Date(), UTC):
        formats = " or ".join(repr(written) for written in _formats(values)) or "'...'"
        return f"date_format={formats}, as they are written, or {without}"
    return "them as such before"


def _formats(values: pl.Series) -> list[str]:
    """Return the usual formats that read all of the values; day and month may change places in several."""
    some = values.unique().head(_MAX_TRIED)
    formats = [day + clock for clock in _CLOCKS for day in _DAYS]
    return [written for written in formats if not in_format(some, written).has_nulls()]
