"""What a request to Altcraft's methods asks for, checked, and how its answer is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from crmlab.sandbox.service import dumps

Body = Mapping[str, Any]


class RefusedError(Exception):
    """A request that is answered with an error of the envelope."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def whole(body: Body, name: str, default: int | None = None) -> int:
    """Return a whole number, which may come as text."""
    value = body.get(name, default)
    if isinstance(value, bool) or not str(value).isdigit():
        raise RefusedError(450, name)
    return int(str(value))


def limit(body: Body) -> int:
    """Return how many a page may hold."""
    found = whole(body, "limit", 1000)
    if found < 1:
        raise RefusedError(450, "limit")
    return found


def day(body: Body, name: str, default: str | None = None) -> datetime:
    """Return the beginning of a day that is written as 2026-01-31."""
    try:
        found = date.fromisoformat(str(body.get(name, default)))
    except ValueError:
        raise RefusedError(450, name) from None
    return datetime(found.year, found.month, found.day, tzinfo=UTC)


def moment(body: Body, name: str) -> datetime | None:
    """Return a time with its zone; None where none is asked for."""
    if body.get(name) in (None, ""):
        return None
    try:
        found = datetime.fromisoformat(str(body[name]))
    except ValueError:
        raise RefusedError(450, name) from None
    if found.tzinfo is None:
        raise RefusedError(450, name)
    return found


def choice(body: Body, name: str, known: tuple[str, ...], default: str | None = None) -> str:
    """Return one of the documented words."""
    found = body.get(name, default)
    if found not in known:
        raise RefusedError(450, name)
    return str(found)


def data(value: object) -> bytes:
    """Return the part of an answer that holds what was asked for."""
    return b'"data":' + dumps(value)


def page(rows: bytes, following: str | None) -> bytes:
    """Return the parts of a page: what it holds, and what leads to the next one."""
    return b'"data":' + rows + (b',"next_from_id":' + dumps(following) if following else b"")
