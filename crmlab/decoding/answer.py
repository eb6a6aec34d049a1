"""The answer of a single call as a frame: a row for each record, a column for each field that any of them has."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from crmlab.errors import UsageError


def answer_frame(answer: Any) -> pl.DataFrame:
    """Return the records of a decoded answer as they are, a row each.

    The list is looked for under ``data`` and as the only list of an object; an object without one is a single record.
    An envelope around each record, such as ``{"contact": {...}}`` or the attributes of JSON:API, is taken off.
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
    lists = [value for value in answer.values() if isinstance(value, list) and all(isinstance(v, dict) for v in value)]
    # an object with several lists, or with none, is a record of its own
    return lists[0] if len(lists) == 1 and "id" not in answer else [answer]


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
    beside = {key: value for key, value in entry.items() if key != name}
    return entry[name] | beside


def _column(name: str, values: list[Any]) -> pl.Series:
    try:
        return pl.Series(name, values, strict=True)
    except (TypeError, pl.exceptions.PolarsError, OverflowError):
        texts = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
        return pl.Series(name, texts, dtype=pl.String)
