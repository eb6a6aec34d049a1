"""What a request to Altcraft's methods asks for, checked, and how its answer is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from crmlab.sandbox.service import dumps

Thing = TypeVar("Thing")
Body = Mapping[str, Any]
#: a method of the API: from the body of a request to the parts of its answer
Method = Callable[[Body], bytes]


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
    size = whole(body, "limit", 1000)
    if size < 1:
        raise RefusedError(450, "limit")
    return size


def day(body: Body, name: str, default: str | None = None) -> datetime:
    """Return the beginning of a day that is written as 2026-01-31."""
    try:
        named_day = date.fromisoformat(str(body.get(name, default)))
    except ValueError:
        raise RefusedError(450, name) from None
    return datetime(named_day.year, named_day.month, named_day.day, tzinfo=UTC)


def moment(body: Body, name: str) -> datetime | None:
    """Return a time with its zone; None where none is asked for."""
    if body.get(name) in (None, ""):
        return None
    try:
        named_time = datetime.fromisoformat(str(body[name]))
    except ValueError:
        raise RefusedError(450, name) from None
    if named_time.tzinfo is None:  # which zone would be meant is documented nowhere
        raise RefusedError(450, name)
    return named_time


def choice(body: Body, name: str, words: Collection[str], default: str = "") -> str:
    """Return one of the documented words."""
    chosen = body.get(name, default)
    if chosen not in words:
        raise RefusedError(450, name)
    return str(chosen)


def data(value: object) -> bytes:
    """Return the part of an answer that holds what was asked for."""
    return b'"data":' + dumps(value)


def given(body: Body, name: str) -> str:
    """Return what a request may not leave out, as text."""
    value = body.get(name)
    if value in (None, ""):
        raise RefusedError(450, name)
    return str(value)


def known(things: Mapping[int, Thing], body: Body, name: str) -> Thing:
    """Return the database, resource, segment or other thing whose number a request names."""
    number = whole(body, name)
    if number not in things:
        raise RefusedError(404, name)
    return things[number]


def page(rows: bytes, following: str | None) -> bytes:
    """Return the parts of a page: what it holds, and what leads to the next one."""
    held = b'"data":' + rows
    if not following:  # the last page has no pointer, not an empty one
        return held
    return held + b',"next_from_id":' + dumps(following)
