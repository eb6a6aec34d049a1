"""Numbers, and numbers written as text, with the signs of the user's notation."""

from __future__ import annotations

import re

import polars as pl

from crmlab.own_data.notation import Notation
from crmlab.own_data.text import evaluated, is_text, nothing, stripped

#: a blank in front of thousands is often one that does not break
_BLANKS = r"[\s\x{a0}\x{202f}]"


def as_number(values: pl.Series, notation: Notation) -> pl.Series:
    """Return values as floats; null for what is no number."""
    if values.dtype == pl.Null:
        return values
    if values.dtype.is_numeric():
        numbers = values.cast(pl.Float64, strict=False)
        # one NaN or infinity would swallow every sum
        finite = pl.when(numbers.is_finite()).then(numbers)
        return evaluated(values.name, finite)
    if not is_text(values):
        return nothing(values, pl.Float64())
    return _digits(values, notation).cast(pl.Float64, strict=False)


def as_whole(values: pl.Series, notation: Notation) -> pl.Series:
    """Return values as whole numbers; null for what is none."""
    if values.dtype.is_integer():
        return values.cast(pl.Int64, strict=False)
    numbers = as_number(values, notation)
    if numbers.dtype == pl.Null:
        return numbers
    is_whole = numbers == numbers.floor()
    whole_numbers = numbers.cast(pl.Int64, strict=False)
    rounded = pl.when(is_whole).then(whole_numbers)
    if not is_text(values):
        return evaluated(values.name, rounded)
    # a float holds 15 digits, a whole number up to 19
    exact_numbers = _digits(values, notation).cast(pl.Int64, strict=False)
    return evaluated(values.name, pl.coalesce(exact_numbers, rounded))


def _digits(values: pl.Series, notation: Notation) -> pl.Series:
    """Return numbers in text as programs write them; null where groups of thousands are none.

    With a comma for thousands, "1,234" is 1234, and "1,23" is not read: it is more likely 1.23.
    """
    texts = stripped(values)
    program_texts = texts
    digit_groups = r"\d+"
    if notation.thousands is not None:
        thousands_sign = _BLANKS if notation.thousands.isspace() else re.escape(notation.thousands)
        digit_groups = rf"(?:\d{{1,3}}(?:{thousands_sign}\d{{3}})+|\d+)"
        program_texts = texts.str.replace_all(thousands_sign, "")
    program_texts = program_texts.str.replace(notation.decimal, ".", literal=True)

    decimal_sign = re.escape(notation.decimal)
    number_pattern = (
        rf"^[+-]?(?:{digit_groups}(?:{decimal_sign}\d*)?|{decimal_sign}\d+)(?:[eE][+-]?\d+)?$"
    )
    is_number = texts.str.contains(number_pattern)
    return evaluated(values.name, pl.when(is_number).then(program_texts))
