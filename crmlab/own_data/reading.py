"""Values of any dtype, and values written as text, as those of a shared column.

A value that cannot be read is null in the answer: what was there before and is not after is a misfit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from crmlab.connector import split
from crmlab.own_data.dates import as_date, as_time
from crmlab.own_data.notation import Notation
from crmlab.own_data.numbers import as_number, as_whole
from crmlab.own_data.text import as_text, nothing, stripped
from crmlab.schema import CUSTOM, UTC

#: what is read also where it has the dtype already: blank text and NaN are no values
_ALWAYS_READ = (pl.String(), pl.Float64())
_TRUTHS = MappingProxyType(
    {
        **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
        **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
    }
)


def as_shared(
    values: pl.Series,
    dtype: Any,
    notation: Notation,
) -> pl.Series:
    """Return the values as those of a shared column of that dtype; null for what cannot be read.

    Raises
    ------
    UsageError
        They are times without a zone, and the notation names none; or its format cannot be followed.
    """
    if values.dtype == dtype and dtype not in _ALWAYS_READ:
        return values
    return _READERS[dtype](values, notation).cast(dtype)


def _text(values: pl.Series, notation: Notation) -> pl.Series:
    return as_text(values)


def _flag(values: pl.Series, notation: Notation) -> pl.Series:
    words = stripped(values).str.to_lowercase()
    return words.replace_strict(dict(_TRUTHS), default=None, return_dtype=pl.Boolean)


def _texts(values: pl.Series, notation: Notation) -> pl.Series:
    if isinstance(values.dtype, pl.List | pl.Array):
        if values.dtype.inner.is_nested():  # what is in it is no text
            return nothing(values, dtype=pl.List(pl.String))
        return values.cast(pl.List(pl.String), strict=False)
    split_texts = split(values.name, notation.separator).alias(values.name)
    return as_text(values).to_frame().select(split_texts).to_series()


def _custom(values: pl.Series, notation: Notation) -> pl.Series:
    try:
        return values.cast(CUSTOM)
    except pl.exceptions.PolarsError:
        return nothing(values, CUSTOM)


_READERS: Mapping[Any, Callable[[pl.Series, Notation], pl.Series]] = MappingProxyType(
    {
        pl.Categorical(): _text,
        pl.String(): _text,
        pl.List(pl.String): _texts,
        CUSTOM: _custom,
        pl.Float64(): as_number,
        pl.Int64(): as_whole,
        pl.Boolean(): _flag,
        pl.Date(): as_date,
        UTC: as_time,
    }
)
