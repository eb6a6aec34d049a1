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
_IDS = ("id", "category_id", "vendor_id", "category", "vendor")


def as_documented(page: Page) -> Page:
    """Return the answer with ``nb_optin_category_1: 5`` where it holds ``categories: {1: {nb_optin: 5}}``."""
    if not _NESTED.search(page.body):
        return page
    try:
        answer = page.read(dict[str, Any])
    except TransportError:  # told where its records are looked for
        return page
    rows = answer.get("data")
    if not isinstance(rows, list):
        return page
    flat = [_flat_row(row) for row in rows]
    if flat == rows:
        return page
    body = msgspec.json.encode({**answer, "data": flat})
    return replace(page, body=body, list_at="objects of categories", _read={})


def _flat_row(row: Any) -> Any:
    attributes = row.get("attributes") if isinstance(row, dict) else None
    if not isinstance(attributes, dict):
        return row
    counts: dict[str, Any] = {}
    for name, value in attributes.items():
        named = _DIMENSION.match(name)
        if named and isinstance(value, (dict, list)):
            dimension = "vendor" if named["dimension"].startswith("vendor") else "category"
            counts |= _flat_counts(_by_id(value), dimension, named["counter"] or "nb_optin")
        else:
            counts[name] = value
    return {**row, "attributes": counts}


def _by_id(value: dict[str, Any] | list[Any]) -> dict[str, Any]:
    """Return what is counted of each category; a list names it in each of its objects."""
    if isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for item in value:
        if not isinstance(item, dict):
            continue
        key = next((key for key in _IDS if isinstance(item.get(key), (str, int))), None)
        if key:
            found[str(item[key])] = {name: count for name, count in item.items() if name not in _IDS}
    return found


def _flat_counts(by_id: Mapping[str, Any], dimension: str, counter: str) -> dict[str, Any]:
    """Return one field for each count: a number is that of `counter`, an object names its counters."""
    flat: dict[str, Any] = {}
    for item_id, counts in by_id.items():
        named = counts if isinstance(counts, dict) else {counter: counts}
        for name, count in named.items():
            flat[f"{name}_{dimension}_{item_id}"] = count
    return flat
