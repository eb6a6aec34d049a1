"""Values of any dtype as text, and which of them are values at all."""

from __future__ import annotations

from typing import Any

import polars as pl

#: what text would say nothing of, beside nested values
_WITHOUT_TEXT = (pl.Duration, pl.Binary)


def present(values: pl.Series) -> pl.Series:
    """Return where there is a value: neither null, nor blank text, nor NaN."""
    if values.dtype == pl.String:
        return (values.str.strip_chars() != "").fill_null(value=False)
    if values.dtype.is_float():
        return values.is_not_nan().fill_null(value=False)
    return values.is_not_null()


def is_text(values: pl.Series) -> bool:
    """Return whether the values are words, and no numbers or times."""
    return values.dtype in (pl.String, pl.Categorical, pl.Enum, pl.Object)


def as_text(values: pl.Series) -> pl.Series:
    """Return values as text; whole numbers without a point, blank text and what is no text as null."""
    dtype = values.dtype
    if dtype.is_nested() or dtype in _WITHOUT_TEXT or isinstance(dtype, pl.BaseExtension):
        return nothing(values, pl.String())
    if dtype == pl.Object:
        # Polars cannot cast what it knows nothing of
        texts = [None if value is None else str(value) for value in values]
        return pl.Series(values.name, texts, dtype=pl.String)
    if dtype.is_float():
        return _of_floats(values)
    texts_or_blank = values.cast(pl.String, strict=False)
    is_there = texts_or_blank.str.strip_chars() != ""
    return evaluated(values.name, pl.when(is_there).then(texts_or_blank))


def stripped(values: pl.Series) -> pl.Series:
    """Return values as text, without blanks around it."""
    return as_text(values).str.strip_chars()


def nothing(values: pl.Series, dtype: Any) -> pl.Series:
    """Return as many nulls of that dtype as there are values."""
    null = pl.Series(values.name, [None], dtype=dtype)
    return null.new_from_index(0, values.len())


def evaluated(name: str, expression: pl.Expr) -> pl.Series:
    """Return what an expression of series and literals is, as a series of that name."""
    return pl.select(expression.alias(name)).to_series()


def _of_floats(values: pl.Series) -> pl.Series:
    # pandas keeps whole numbers with gaps as floats: an id is 5 then, not 5.0
    has_no_fraction = values == values.floor()
    is_whole = (values.is_finite() & has_no_fraction).fill_null(value=False)
    whole_texts = values.cast(pl.Int64, strict=False).cast(pl.String)
    other_texts = values.fill_nan(None).cast(pl.String)
    texts = pl.when(is_whole).then(whole_texts).otherwise(other_texts)
    return evaluated(values.name, texts)
