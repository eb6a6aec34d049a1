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
    as_written = pl.coalesce(as_text(before), pl.lit(f"a value of type {before.dtype}"))
    return evaluated(before.name, pl.when(is_lost).then(as_written))


def with_misfits(frame: pl.DataFrame, misfits: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the misfits of each row in a further column: a list of column and value."""
    misfits_of_row = []
    for column in misfits.columns:
        column_and_value = pl.struct(column=pl.lit(column), value=pl.col(column))
        is_misfit = pl.col(column).is_not_null()
        misfits_of_row.append(pl.when(is_misfit).then(column_and_value))
    in_a_list = pl.concat_list(misfits_of_row).list.drop_nulls()
    in_rows = misfits.select(in_a_list.alias(MISFITS))
    return frame.with_columns(in_rows.to_series())


def sentence(misfits: pl.Series, dtype: Any) -> str:
    """Return what is wrong with the misfits of a column, and what to write."""
    values = misfits.drop_nulls()
    examples = values.unique(maintain_order=True).head(_MAX_SHOWN)
    shown = ", ".join(map(repr, examples))
    wanted = _CALLED.get(dtype, "text")
    return (
        f"{misfits.name}: {values.len():,} of {misfits.len():,} values cannot be read as {wanted} "
        f"({shown}); write {_advice(values, dtype)}"
    )


def _advice(values: pl.Series, dtype: Any) -> str:
    name = values.name
    example = values[0]
    if dtype == pl.Boolean():
        return f"values={{{name!r}: {{{example!r}: False}}}} with all words that they use"
    null_instead = f"values={{{name!r}: {{{example!r}: None}}}} for what is none"
    if dtype in (pl.Float64(), pl.Int64()):
        return f"decimal= and thousands= as they are written, or {null_instead}"
    if dtype in (pl.Date(), UTC):
        formats = " or ".join(map(repr, _formats(values))) or "'...'"
        return f"date_format={formats}, as they are written, or {null_instead}"
    return "them as such before"


def _formats(values: pl.Series) -> list[str]:
    """Return the usual formats that read all of the values; day and month may change places in several."""
    tried_values = values.unique().head(_MAX_TRIED)
    readable = []
    # without a clock first: most columns of dates have none
    for clock_format in _CLOCKS:
        for day_format in _DAYS:
            whole_format = day_format + clock_format
            if not in_format(tried_values, whole_format).has_nulls():
                readable.append(whole_format)
    return readable
