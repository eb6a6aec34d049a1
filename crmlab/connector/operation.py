"""One documented call beside the lists, as a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crmlab.connector.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One documented call beside the lists: a record by id, a check, a write."""

    name: str
    doc: str
    request: Callable[..., Request]
    writes: bool = False
    destructive: bool = False
