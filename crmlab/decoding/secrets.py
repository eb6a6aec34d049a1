"""JSON that may be shown: what is named like a secret is blotted out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_SECRET = re.compile(r"token|secret|password|auth_?key|api_?key", re.IGNORECASE)
_BLOT = "••••"


def without_secrets(value: Any) -> Any:
    """Return parsed JSON with everything blotted out that is named like a secret."""
    if isinstance(value, list):
        return [without_secrets(part) for part in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, part in value.items():
        hidden = _SECRET.search(key) and part is not None
        kept[key] = _BLOT if hidden else without_secrets(part)
    return kept


def shown(raw: bytes) -> str:
    """Return JSON as text that may be shown: exactly as it came, unless it may hold a secret."""
    return _shown_text(raw.decode("utf-8", "replace"))


def shown_values(field: str, values: Sequence[str]) -> Sequence[str]:
    """Return the JSON of values of one field as it may be shown: as `shown`, and nothing if the field is a secret."""
    if _SECRET.search(field):
        return [_BLOT] * len(values)
    if not _SECRET.search("\n".join(values)):
        return values
    return [_shown_text(value) for value in values]


def _shown_text(text: str) -> str:
    if not _SECRET.search(text):
        return text
    try:
        return json.dumps(without_secrets(json.loads(text)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return "(withheld: it may hold a secret)"
