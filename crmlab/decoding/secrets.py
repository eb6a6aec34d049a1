"""JSON that may be shown: what is named like a secret, or is never kept, is blotted out."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

import polars as pl

_NAMES = r"token|secret|password|auth_?key|api_?key"
_SECRET = re.compile(_NAMES, re.IGNORECASE)
_BLOT = "••••"


def is_secret(name: str) -> bool:
    """Return whether a field is named like one that holds a secret."""
    return bool(_SECRET.search(name))


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


def blotted(raw: pl.Series, never_kept: Collection[str] = ()) -> pl.Series:
    """Return JSON texts as `shown` returns each."""
    if not raw.str.contains(f"(?i){'|'.join([_NAMES, *map(re.escape, never_kept)])}").any():
        return raw
    return pl.Series([_shown_text(text, never_kept) for text in raw], dtype=pl.String)


def _shown_text(text: str, never_kept: Collection[str]) -> str:
    if not (is_secret(text) or any(name in text for name in never_kept)):
        return text
    try:
        return json.dumps(without_secrets(json.loads(text), never_kept), ensure_ascii=False)
    except (ValueError, RecursionError):
        return "(withheld: it may hold a secret)"
