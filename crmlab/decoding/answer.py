"""The answer of a single call as a frame, a row for each record and a column for each field of any, or as a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import polars as pl

from crmlab.errors import UsageError

#: how many places are told where an answer is not what a model says
_MAX_TOLD = 5


def answer_shape(*, as_frame: bool, as_model: Any) -> Callable[[Any], Any]:
    """Return what makes of a decoded answer what was asked for; without either it stays as it is.

    Raises
    ------
    UsageError
        both were asked for
    """
    if as_frame and as_model is not None:
        raise UsageError("an answer is a frame or a model: leave as_frame or as_model out")
    if as_model is not None:
        return partial(answer_model, model=as_model)
    return answer_frame if as_frame else lambda answer: answer


def answer_model(answer: Any, model: Any) -> Any:
    """Return a decoded answer as a model: a class of pydantic, a dataclass, or any type that pydantic can read.

    Raises
    ------
    UsageError
        the answer is not what the model says; tells where, and no value

    Examples
    --------
    >>> answer_model({"data": {"name": "Ada"}}, dict[str, dict[str, str]])
    {'data': {'name': 'Ada'}}
    """
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415  # slow to import, and rarely needed

    try:
        return TypeAdapter(model).validate_python(answer)
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, each['loc']))} ({each['type']})"
            for each in error.errors(include_input=False)
        ]
    told = ", ".join(wrong[:_MAX_TOLD])
    name = getattr(model, "__name__", str(model))
    raise UsageError(
        f"the service answered, and the answer is no {name}: {told}; leave as_model out to see it"
    )


def answer_frame(answer: Any) -> pl.DataFrame:
    """Return the records of a decoded answer as they are, a row each.

    The list is looked for under ``data`` and as the only list of an object, or as an object that holds each record
    under its id; an object without one is a single record. Where ``data`` is null there are none.
    An envelope around each record, such as ``{"contact": {...}}`` or the attributes of JSON:API, is taken off; of two
    different fields with one name the inner one gets an underscore behind it.
    A field whose values are of several types becomes their JSON text, so that none is lost.

    Raises
    ------
    UsageError
        the answer holds no records

    Examples
    --------
    >>> answer_frame({"data": {"contacts": [{"contact": {"id": "a", "n": 1}}], "page": 1}}).to_dicts()
    [{'id': 'a', 'n': 1}]
    """
    entries = _records(answer)
    envelope = _envelope(entries)
    records = [_record(entry, envelope) for entry in entries]
    if not all(isinstance(record, dict) for record in records):
        raise UsageError("the answer holds values, not records: leave as_frame out")
    names = dict.fromkeys(name for record in records for name in record)
    return pl.DataFrame([_column(name, [record.get(name) for record in records]) for name in names])


def _records(answer: Any) -> list[Any]:
    if isinstance(answer, list):
        return answer
    if not isinstance(answer, dict):
        raise UsageError("the answer holds no records: leave as_frame out")
    if isinstance(answer.get("data"), list | dict):
        return _records(answer["data"])
    if "data" in answer and answer["data"] is None:
        return []
    if answer and all(_is_record_by_id(key, value) for key, value in answer.items()):
        return [*answer.values()]
    lists = [
        value
        for value in answer.values()
        if isinstance(value, list) and all(isinstance(v, dict) for v in value)
    ]
    # an object with several lists, or with none, is a record of its own
    return lists[0] if len(lists) == 1 and "id" not in answer else [answer]


def _is_record_by_id(key: str, value: Any) -> bool:
    return isinstance(value, dict) and "id" in value and str(value["id"]) == key


def _envelope(entries: list[Any]) -> str:
    """Return the key under which every entry holds its record, or nothing where the entries are the records."""
    if not entries or any(not isinstance(entry, dict) or "id" in entry for entry in entries):
        return ""
    names: list[str] = list(entries[0])
    for name in names:
        inner = [entry.get(name) for entry in entries]
        if all(isinstance(record, dict) and "id" in record for record in inner):
            return name
    return ""


def _record(entry: Any, envelope: str) -> Any:
    """Return the record of an entry; what stands beside it, such as the next actions of a contact, stays."""
    name = envelope or "attributes"
    if not isinstance(entry, dict) or not isinstance(entry.get(name), dict):
        return entry
    record = {key: value for key, value in entry.items() if key != name}
    for key, value in entry[name].items():
        own_name = key
        while own_name in record and record[own_name] != value:
            own_name += "_"
        record[own_name] = value
    return record


def _column(name: str, values: list[Any]) -> pl.Series:
    rows = [{"values": value} for value in values]
    try:
        column = pl.DataFrame(rows, infer_schema_length=None)["values"].alias(name)
    except (TypeError, pl.exceptions.PolarsError, OverflowError):
        column = None
    if column is not None and column.dtype != pl.Int128 and _is_same(column.to_list(), values):
        return column
    texts = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    return pl.Series(name, texts, dtype=pl.String)


def _is_same(found: Any, value: Any) -> bool:
    """Whether a frame holds just this value: no part is left out, and none became another type but whole numbers."""
    if isinstance(value, dict) and isinstance(found, dict):
        added = found.keys() - value.keys()
        return all(
            key in found and _is_same(found[key], part) for key, part in value.items()
        ) and all(found[key] is None for key in added)
    if isinstance(value, list) and isinstance(found, list):
        return len(found) == len(value) and all(map(_is_same, found, value))
    return isinstance(found, bool) == isinstance(value, bool) and bool(found == value)
