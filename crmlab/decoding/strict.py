"""What a documented type accepts: for Polars (numbers as text) and, value by value, for msgspec.

Polars' JSON reader cuts 1.7 to 1 where an integer is asked for and wraps big ones, so every number
is read as text and cast afterwards. In all else it raises where a value has another shape than its type, but it
does not say which value that was. `shape` accepts exactly what that reader accepts, so that the field
can be found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import JSON

#: what is read as text first
NUMBERS = (pl.Int64, pl.Float64)
_SCALAR = str | int | float | bool | None
#: what JSON writes with an escape
ESCAPED = re.compile(r'[\x00-\x1f"\\]')


def without_free_form(dtype: Any) -> Any:
    """Return the type without the free-form fields inside it."""
    if isinstance(dtype, pl.Struct):
        kept_fields = [part for part in dtype.fields if part.dtype != JSON]
        return pl.Struct({part.name: without_free_form(part.dtype) for part in kept_fields})
    if isinstance(dtype, pl.List):
        return pl.List(without_free_form(dtype.inner))
    return dtype


def as_text(dtype: Any) -> Any:
    """Return the type with every number as text, for a cast later."""
    if isinstance(dtype, pl.Struct):
        return pl.Struct(
            {struct_field.name: as_text(struct_field.dtype) for struct_field in dtype.fields}
        )
    if isinstance(dtype, pl.List):
        return pl.List(as_text(dtype.inner))
    if dtype in NUMBERS:
        return pl.String()
    return dtype


def holds(dtype: Any, *wanted: Any) -> bool:
    """Return whether the type is one of the wanted, or has one inside."""
    if isinstance(dtype, pl.Struct):
        return any(holds(struct_field.dtype, *wanted) for struct_field in dtype.fields)
    if isinstance(dtype, pl.List):
        return holds(dtype.inner, *wanted)
    return dtype in wanted


@cache
def shape(dtype: Any) -> msgspec.json.Decoder[Any]:
    """Return what decodes a value of this type, and raises for what Polars' reader would not take."""
    return msgspec.json.Decoder(_accepted(dtype))


def fits(raw: bytes, dtype: Any) -> bool:
    """Return whether Polars' reader takes a value of this type."""
    try:
        shape(dtype).decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _accepted(dtype: Any) -> Any:
    if isinstance(dtype, pl.Struct):
        return (
            _object(
                {struct_field.name: _accepted(struct_field.dtype) for struct_field in dtype.fields}
            )
            | None
        )
    if isinstance(dtype, pl.List):
        several: Any = list[_accepted(dtype.inner)]  # type: ignore[misc]
        innermost: Any = dtype.inner
        while isinstance(innermost, pl.List):
            innermost = innermost.inner
        if isinstance(innermost, pl.Struct):
            return several | None
        # a single value counts as a list of one; an object does not
        return several | _accepted(innermost)
    if dtype == pl.Boolean:
        return bool | None
    if dtype == JSON:
        return Any
    return _SCALAR


def _object(fields: Mapping[str, Any]) -> Any:
    """Return a class with these fields, none of which is needed.

    Their names may be any text, but one that JSON writes with an escape cannot be looked for: what such a field
    holds is not looked at.
    """
    attribute_names: dict[str, str] = {}
    declared: list[Any] = []
    for number, (field_name, accepted) in enumerate(fields.items()):
        if ESCAPED.search(field_name):
            continue
        attribute = f"field_{number}"
        attribute_names[attribute] = field_name
        declared.append((attribute, accepted, None))
    return msgspec.defstruct("Accepted", declared, rename=attribute_names, gc=False)
