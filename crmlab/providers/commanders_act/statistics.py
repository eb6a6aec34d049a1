"""Consent statistics whose counts by category or vendor are nested, written flat as they are documented."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from crmlab.connector import Page
from crmlab.errors import TransportError

#: an object or list among the attributes, which are documented to be numbers
_NESTED = re.compile(rb'"attributes"\s*:\s*\{[^{}\[\]]*[{\[]')
#: what a nested value is about, by how its name ends: ``categories``, ``nb_optin_category``
_DIMENSION = re.compile(r"^(?P<counter>.*?)_?(?P<dimension>categor(?:y|ies)|vendors?)$")
#: characters of a name that a note shows
_MAX_NAME = 40
_IDS = ("id", "category_id", "vendor_id", "category", "vendor")


def as_documented(page: Page) -> Page:
    """Return the answer with ``nb_optin_category_1: 5`` where it holds ``categories: {1: {nb_optin: 5}}``."""
    if not _NESTED.search(page.body):
        return page
    try:
        answer = page.read(dict[str, Any])
    except TransportError:  # told where its records are looked for
        return page
    statistics_rows = answer.get("data")
    if not isinstance(statistics_rows, list):
        return page
    unread: dict[str, None] = {}
    flat_rows = [_flat_row(row, unread) for row in statistics_rows]
    doubts = tuple(
        f"statistics hold {name[:_MAX_NAME]}, of which no count can be read" for name in unread
    )
    if flat_rows == statistics_rows:
        return replace(page, doubts=doubts)
    body = msgspec.json.encode({**answer, "data": flat_rows})
    return replace(page, body=body, list_at="objects of categories", doubts=doubts, _read={})


def _flat_row(row: Any, unread: dict[str, None]) -> Any:
    """Return a row with one field for each count; what is nested and cannot be read so stays, and is `unread`."""
    if not isinstance(row, dict) or not isinstance(row.get("attributes"), dict):
        return row
    flat_counts: dict[str, Any] = {}
    for name, value in row["attributes"].items():
        nested_counts = _nested_counts(name, value)
        if nested_counts is not None:
            flat_counts |= nested_counts
            continue
        flat_counts[name] = value
        if isinstance(value, (dict, list)) and value:
            unread.setdefault(name)
    return {**row, "attributes": flat_counts}


def _nested_counts(name: str, value: Any) -> dict[str, Any] | None:
    """Return the counts of each category or vendor by their flat names; None where a value holds none."""
    named = _DIMENSION.match(name)
    if not named:
        return None
    by_id = _by_id(value)
    if by_id is None:
        return None
    dimension = "category"
    if named["dimension"].startswith("vendor"):
        dimension = "vendor"
    # without a counter in its name, it counts those who agreed
    return _flat_counts(by_id, dimension, named["counter"] or "nb_optin")


def _by_id(value: Any) -> dict[str, Any] | None:
    """Return what is counted of each category, which each object of a list names; None where one names none."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return None
    by_id: dict[str, Any] = {}
    for item in value:
        if not isinstance(item, dict):
            return None
        id_field = next((field for field in _IDS if isinstance(item.get(field), (str, int))), None)
        if id_field is None:
            return None
        counts_of_item = {name: count for name, count in item.items() if name not in _IDS}
        by_id[str(item[id_field])] = counts_of_item
    return by_id


def _flat_counts(by_id: Mapping[str, Any], dimension: str, counter: str) -> dict[str, Any]:
    """Return one field for each count: a number is that of `counter`, an object names its counters."""
    flat_counts: dict[str, Any] = {}
    for item_id, counts in by_id.items():
        named = counts if isinstance(counts, dict) else {counter: counts}
        for counter_name, count in named.items():
            flat_counts[f"{counter_name}_{dimension}_{item_id}"] = count
    return flat_counts
