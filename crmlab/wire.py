"""Wire types: what a documented JSON value may be, and the strict way from one to the other."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from crmlab.errors import SchemaError


class Misfit(SchemaError):
    """A value that does not have its documented type; says where and what was found."""


def as_text(dtype: Any, *, numbers: bool = False) -> Any:
    """Return the type with every number as text (`numbers`: as it is), for a strict cast later."""
    if isinstance(dtype, pl.Struct):
        fields = {f.name: as_text(f.dtype, numbers=numbers) for f in dtype.fields if f.dtype != pl.Binary}
        return pl.Struct(fields)
    if isinstance(dtype, pl.List):
        return pl.List(as_text(dtype.inner, numbers=numbers))
    if dtype in (pl.Int64, pl.Float64):
        return dtype if numbers else pl.String
    return dtype


def fitted(value: Any, dtype: Any, where: str = "") -> Any:
    """Return the value as its type has it, without loss: text stays, anything may become text.

    Raises
    ------
    Misfit
        it cannot
    """
    if value is None or dtype == pl.Binary:
        return value
    if isinstance(dtype, pl.Struct):
        if not isinstance(value, dict):
            raise _misfit(value, "an object", where)
        return {
            field.name: fitted(value.get(field.name), field.dtype, f"{where}.{field.name}".lstrip("."))
            for field in dtype.fields
        }
    if isinstance(dtype, pl.List):
        if not isinstance(value, list):
            raise _misfit(value, "a list", where)
        return [fitted(part, dtype.inner, where) for part in value]
    if dtype == pl.String:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if dtype == pl.Boolean:
        if not isinstance(value, bool):
            raise _misfit(value, "true or false", where)
        return value
    return _number(value, dtype, where)


def _number(value: Any, dtype: Any, where: str) -> Any:
    kind = "a whole number" if dtype == pl.Int64 else "a number"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _misfit(value, kind, where)
    try:
        number = pl.Series([str(value)]).cast(dtype, strict=True)[0]
    except pl.exceptions.PolarsError:
        raise _misfit(value, kind, where) from None
    return number


def _misfit(value: Any, wanted: str, where: str) -> Misfit:
    return Misfit(
        f"{where or 'record'}: expected {wanted}, got {json.dumps(value, ensure_ascii=False)[:120]}"
    )
