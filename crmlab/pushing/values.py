"""What a cell may hold for a push: what no service could take, or would take for another value, is refused."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import polars as pl

from crmlab.errors import UsageError
from crmlab.schema import TABLES

_TEXT = (pl.String, pl.Categorical, pl.Enum)
#: whole numbers beyond it are not all there among the floats
_MAX_EXACT = 2**53


def ids_as_text(ids: pl.Series) -> pl.Series:
    """Return ids as text; a whole number that pandas made a float of, because others are missing, is one again.

    Raises
    ------
    UsageError
        they are neither text nor whole numbers
    """
    if ids.dtype.is_float():
        numbers = ids.fill_nan(None)
        is_whole = (numbers == numbers.round()) & (numbers.abs() < _MAX_EXACT)
        if not is_whole.all():
            raise UsageError("id holds numbers that are not whole: it is text")
        return numbers.cast(pl.Int64).cast(pl.String)
    if ids.dtype in (*_TEXT, pl.Null) or ids.dtype.is_integer():
        return ids.cast(pl.String)
    raise UsageError(f"id is {ids.dtype}, and text is needed")


def check_types(frame: pl.DataFrame, table: str, columns: Iterable[str]) -> None:
    """Refuse columns of another type than the shared table has: what is sent would be other values.

    Raises
    ------
    UsageError
        says which type is needed
    """
    for column in columns:
        given_type = frame.schema[column]
        needed_type = TABLES[table].schema[column]
        if not _fits(given_type, needed_type):
            raise UsageError(f"{column} is {given_type}, and {needed_type} is needed: cast it")


def _fits(given: pl.DataType, needed: pl.DataType) -> bool:
    """Return whether values of one type can be written as those of the other."""
    if given == pl.Null:
        return True
    if isinstance(needed, pl.List):
        return isinstance(given, pl.List) and _fits(_inner(given), _inner(needed))
    if isinstance(needed, pl.Struct):
        if not isinstance(given, pl.Struct):
            return False
        # a label is for people
        field_names = {field.name for field in given.fields}
        return {"key", "value"} <= field_names
    if needed == pl.String:
        return given in _TEXT or given.is_integer()
    if needed == pl.Boolean:
        return given == pl.Boolean
    if needed.is_numeric():
        return given.is_numeric()
    return given.is_temporal() or given in _TEXT


def _inner(dtype: pl.List) -> pl.DataType:
    inner_type = dtype.inner
    if isinstance(inner_type, pl.DataType):
        return inner_type
    # Polars keeps the class where the type was named by it: pl.List(pl.String)
    made: pl.DataType = inner_type()
    return made


def json_value(value: Any, name: str) -> Any:
    """Return a value as JSON has it: days and times in ISO 8601, decimals as numbers.

    Raises
    ------
    UsageError
        JSON has no such value, or a list lacks one
    """
    if isinstance(value, dict):
        return {key: json_value(member, name) for key, member in value.items()}
    if isinstance(value, list):
        if None in value:
            raise UsageError(f"a value in the list {name} is null")
        return [json_value(member, name) for member in value]
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{name} is {value}, which is no number")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise UsageError(f"{name} is a value of type {type(value).__name__}, which cannot be sent")
