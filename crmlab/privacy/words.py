"""Values as the person reads them whom they are about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

#: how custom fields say what they are called, and what is in them
_LABELLED = ("label", "value")


def in_words(value: object) -> str:
    """Return a value of a table as text: lists with commas, objects by their names, times in UTC.

    Examples
    --------
    >>> in_words(["ann@example.com", "a.lee@example.com"])
    'ann@example.com, a.lee@example.com'
    >>> in_words([{"key": "7", "label": "Season", "value": "Autumn"}])
    'Season: Autumn'
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, Mapping):
        return _object_in_words(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(filter(None, map(in_words, value)))
    return str(value)


def _object_in_words(value: Mapping[str, object]) -> str:
    if value.keys() >= {*_LABELLED} and value["label"]:
        return f"{value['label']}: {in_words(value['value'])}"
    parts = []
    for name, inner_value in value.items():
        if inner_value is not None:
            parts.append(f"{name}: {in_words(inner_value)}")
    return "; ".join(parts)
