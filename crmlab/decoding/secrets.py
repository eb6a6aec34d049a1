"""JSON that may be shown: what is named like a secret, or is never kept, is blotted out."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

#: parts of such names; looking for each of them is much faster than a regular expression is in long texts
_SECRET = ("token", "secret", "password", "auth_key", "authkey", "api_key", "apikey")
_BLOT = "••••"


def is_secret(name: str) -> bool:
    """Return whether a field is named like one that holds a secret."""
    folded = name.casefold()
    return any(part in folded for part in _SECRET)


def without_secrets(value: Any, never_kept: Collection[str] = ()) -> Any:
    """Return parsed JSON with everything blotted out that is named like a secret, or is one of these names."""
    if isinstance(value, list):
        return [without_secrets(part, never_kept) for part in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, part in value.items():
        hidden = part is not None and (is_secret(key) or key in never_kept)
        kept[key] = _BLOT if hidden else without_secrets(part, never_kept)
    return kept


def shown(raw: bytes, never_kept: Collection[str] = ()) -> str:
    """Return JSON as text that may be shown: exactly as it came, unless it may hold a secret.

    `never_kept` names further fields whose values are not shown.
    """
    return _shown_text(raw.decode("utf-8", "replace"), never_kept)


def shown_values(field: str, values: Sequence[str], never_kept: Collection[str] = ()) -> Sequence[str]:
    """Return the JSON of values of one field as `shown` does, and nothing of them if the field is a secret itself."""
    if is_secret(field):
        return [_BLOT] * len(values)
    if not _may_hold_secrets("\n".join(values), never_kept):
        return values
    return [_shown_text(value, never_kept) for value in values]


def _may_hold_secrets(text: str, never_kept: Collection[str]) -> bool:
    return is_secret(text) or any(name in text for name in never_kept)


def _shown_text(text: str, never_kept: Collection[str]) -> str:
    if not _may_hold_secrets(text, never_kept):
        return text
    try:
        return json.dumps(without_secrets(json.loads(text), never_kept), ensure_ascii=False)
    except (ValueError, RecursionError):
        return "(withheld: it may hold a secret)"
