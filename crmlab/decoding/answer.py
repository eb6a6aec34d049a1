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
    return answer_frame if as_frame else _as_it_is


def _as_it_is(answer: Any) -> Any:
    return answer


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
        faults = error.errors(include_input=False)
    places: list[str] = []
    for fault in faults[:_MAX_TOLD]:
        place = ".".join(map(str, fault["loc"]))
        places.append(f"{place} ({fault['type']})")
    model_name = getattr(model, "__name__", str(model))
    # raised outside of the handler: pydantic's own error would show the values
    raise UsageError(
        f"the service answered, and the answer is no {model_name}: {', '.join(places)}; "
        "leave as_model out to see it"
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
    records: list[dict[str, Any]] = []
    field_names: dict[str, None] = {}
    for entry in entries:
        record = _record(entry, envelope)
        if not isinstance(record, dict):
            raise UsageError("the answer holds values, not records: leave as_frame out")
        records.append(record)
        field_names |= dict.fromkeys(record)
    columns: list[pl.Series] = []
    for field_name in field_names:
        values = [record.get(field_name) for record in records]
        columns.append(_column(field_name, values))
    return pl.DataFrame(columns)


def _records(answer: Any) -> list[Any]:
    if isinstance(answer, list):
        return answer
    if not isinstance(answer, dict):
        raise UsageError("the answer holds no records: leave as_frame out")
    if isinstance(answer.get("data"), list | dict):
        return _records(answer["data"])
    if "data" in answer and answer["data"] is None:
        return []
    if answer and all(_is_record_by_id(key, member) for key, member in answer.items()):
        return [*answer.values()]
    lists: list[list[Any]] = [member for member in answer.values() if _is_list_of_objects(member)]
    if len(lists) == 1 and "id" not in answer:
        return lists[0]
    # an object with several lists, or with none, is a record of its own
    return [answer]


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _is_record_by_id(key: str, value: Any) -> bool:
    return _is_record(value) and str(value["id"]) == key


def _envelope(entries: list[Any]) -> str:
    """Return the key under which every entry holds its record, or nothing where the entries are the records."""
    if not entries or any(not isinstance(entry, dict) or "id" in entry for entry in entries):
        return ""
    wrapper_names: list[str] = list(entries[0])
    for wrapper in wrapper_names:
        if all(_is_record(entry.get(wrapper)) for entry in entries):
            return wrapper
    return ""


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) and "id" in value


def _record(entry: Any, envelope: str) -> Any:
    """Return the record of an entry; what stands beside it, such as the next actions of a contact, stays."""
    wrapper = envelope or "attributes"
    if not isinstance(entry, dict) or not isinstance(entry.get(wrapper), dict):
        return entry
    record = dict(entry)
    inner = record.pop(wrapper)
    for field_name, value in inner.items():
        free_name = field_name
        while free_name in record and record[free_name] != value:
            free_name += "_"
        record[free_name] = value
    return record


def _column(name: str, values: list[Any]) -> pl.Series:
    wrapped_values = [{"values": each_value} for each_value in values]
    try:
        column = pl.DataFrame(wrapped_values, infer_schema_length=None)["values"].alias(name)
    except (TypeError, pl.exceptions.PolarsError, OverflowError):
        column = None
    if column is not None and column.dtype != pl.Int128 and _is_same(column.to_list(), values):
        return column
    json_texts: list[str | None] = []
    for each_value in values:
        if each_value is None:
            json_texts.append(None)
        else:
            json_texts.append(json.dumps(each_value, ensure_ascii=False))
    return pl.Series(name, json_texts, dtype=pl.String)


def _is_same(in_frame: Any, value: Any) -> bool:
    """Whether a frame holds just this value: no part is left out, and none became another type but whole numbers."""
    if isinstance(value, dict) and isinstance(in_frame, dict):
        for field_name, expected in value.items():
            if field_name not in in_frame or not _is_same(in_frame[field_name], expected):
                return False
        # a frame's structures all have the same fields: what others have is null here
        added = in_frame.keys() - value.keys()
        return all(in_frame[field_name] is None for field_name in added)
    if isinstance(value, list) and isinstance(in_frame, list):
        return len(in_frame) == len(value) and all(map(_is_same, in_frame, value))
    # to Python, True is 1
    return isinstance(in_frame, bool) == isinstance(value, bool) and bool(in_frame == value)
