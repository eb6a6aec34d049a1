"""Numbers and truths out of text, a whole column at once, at any depth."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from crmlab.connector import WORDS
from crmlab.decoding.misfits import MAX_KEPT, Misfits, all_at
from crmlab.decoding.strict import NUMBERS, holds

#: a column, and what of it could not be read
Fit = tuple[pl.Series, list[Misfits]]
#: whole numbers beyond it may have lost digits as a Float64
_EXACT = 2**53
#: numbers as JSON writes them, true and false
_JSON_SCALAR = re.compile(r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false)\Z")


def fit(values: pl.Series, dtype: Any, field: str) -> Fit:
    """Return values whose numbers are text (see `as_text`) as their type has them.

    ``12.0`` and ``1e3`` are whole numbers, blank text is null. What is no finite number becomes null, and is a misfit.
    """
    if not holds(dtype, *NUMBERS):
        return values, []
    try:
        numbers = values.cast(dtype, strict=True)
    except PolarsError:
        pass  # not all are plain numbers: what differs is looked at below
    else:
        if _is_finite(numbers):
            return numbers, []
    if isinstance(dtype, pl.Struct):
        return _fit_struct(values, dtype, field)
    if isinstance(dtype, pl.List):
        return _fit_list(values, dtype, field)
    return _fit_number(values, dtype, field)


def truths(texts: pl.Series, field: str) -> Fit:
    """Return the truths that words stand for; blank text is null."""
    given = _given(texts)
    words = given.str.to_lowercase()
    column = words.replace_strict(WORDS, default=None, return_dtype=pl.Boolean)
    return column, _misfits(given, column, texts, field=field, wanted="true or false")


def inside(field: str, name: str) -> str:
    """Return the way to a field inside another one."""
    return f"{field}.{name}" if field else name


def imploded(values: pl.Series, rows: pl.Series, lists: pl.Series, dtype: Any) -> pl.Series:
    """Return lists of the values, which stand in the rows that `rows` says.

    `lists` says which rows are lists: true, with or without values; all others are null.
    """
    elements = pl.DataFrame({"row": rows.cast(pl.UInt32), "values": values})
    grouped = elements.group_by("row", maintain_order=True).agg("values")
    if grouped.height == len(lists):  # no list is absent or empty
        return grouped["values"]
    all_rows = (
        pl.DataFrame({"is_list": lists})
        .with_row_index("row")
        .join(grouped, on="row", how="left", maintain_order="left")
    )
    empty = pl.lit([], dtype=dtype)
    elements_or_none = pl.coalesce(pl.col("values").cast(dtype), empty)
    return all_rows.select(values=pl.when("is_list").then(elements_or_none)).to_series()


def _is_finite(values: pl.Series) -> bool:
    """Return whether no number in it is NaN or infinite.

    The sum tells, without a look at each: it is finite only if all are. Where finite numbers add up to more than a
    Float64 holds, the answer is no as well.
    """
    dtype = values.dtype
    if not holds(dtype, pl.Float64):
        return True
    if isinstance(dtype, pl.List):
        return _is_finite(values.explode())
    if isinstance(dtype, pl.Struct):
        return all(_is_finite(field_values) for field_values in values.struct.unnest())
    return isfinite(values.sum())


def _fit_struct(values: pl.Series, dtype: pl.Struct, field: str) -> Fit:
    columns = []
    misfits: list[Misfits] = []
    for struct_field in dtype.fields:
        part_texts = values.struct.field(struct_field.name)
        column, part_misfits = fit(part_texts, struct_field.dtype, inside(field, struct_field.name))
        columns.append(column.alias(struct_field.name))
        misfits += part_misfits
    structs = pl.DataFrame(columns).to_struct()
    # an absent structure stays absent, and does not become one of absent fields
    given = pl.select(pl.when(values.is_not_null()).then(structs)).to_series()
    return given.alias(values.name), misfits


def _fit_list(values: pl.Series, dtype: pl.List, field: str) -> Fit:
    elements = (
        values.to_frame("values")
        .with_row_index("row")
        .filter(pl.col("values").list.len() > 0)
        .explode("values")
    )
    element_rows = elements["row"]
    numbers, misfits = fit(elements["values"], dtype.inner, field)
    lists = imploded(numbers, element_rows, values.is_not_null(), dtype)
    return lists.alias(values.name), all_at(misfits, element_rows)


def _fit_number(texts: pl.Series, dtype: Any, field: str) -> Fit:
    given = _given(texts)
    floats = given.cast(pl.Float64, strict=False)
    if dtype == pl.Float64:
        numbers = only(floats, floats.is_finite())
        misfits = _misfits(given, numbers, texts, field=field, wanted="a number")
        return numbers.alias(texts.name), misfits
    is_whole = floats.is_finite() & (floats == floats.floor()) & (floats.abs() < _EXACT)
    whole = only(floats, is_whole).cast(pl.Int64)
    # what is written as a whole number has all its digits, however many; others went through a Float64
    as_written = given.cast(pl.Int64, strict=False)
    integers = pl.select(pl.coalesce(as_written, whole)).to_series()
    misfits = _misfits(given, integers, texts, field=field, wanted="a whole number")
    return integers.alias(texts.name), misfits


def only(values: pl.Series, mask: pl.Series) -> pl.Series:
    """Return the values where the mask is true, null elsewhere: as `when` does, at a fraction of its fixed cost."""
    return values.zip_with(mask.fill_null(value=False), pl.Series([None], dtype=values.dtype))


def _given(texts: pl.Series) -> pl.Series:
    stripped = texts.str.strip_chars()
    return only(stripped, stripped != "")


def _misfits(
    given: pl.Series, column: pl.Series, texts: pl.Series, *, field: str, wanted: str
) -> list[Misfits]:
    row_numbers = (given.is_not_null() & column.is_null()).arg_true()
    if row_numbers.is_empty():
        return []
    values = texts.gather(row_numbers.head(MAX_KEPT))
    return [Misfits(field=field, wanted=wanted, rows=row_numbers, values=values, as_json=_as_json)]


def _as_json(text: str) -> str:
    """Return the JSON that was read as this text: a number keeps no quotes, nor do true and false."""
    return text if _JSON_SCALAR.match(text) else json.dumps(text, ensure_ascii=False)
