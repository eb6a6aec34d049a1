"""Answers whose records do not stand where they are documented: found where they are, or no usable answer.

A gateway's ``{"message": "..."}`` with status 200 is valid JSON, and no empty list. A list under another name
is one all the same: ``{"items": [...]}`` where ``{"data": [...]}`` is documented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import msgspec
import polars as pl

from crmlab.connector import JsonPath, Page, Resource
from crmlab.decoding.layout import NULL
from crmlab.decoding.records import holds_list
from crmlab.errors import TransportError

#: names under which services put what they answer with, beside those that are documented
_USUAL_NAMES = ("data", "items", "results", "records")
#: objects inside each other that are looked into
_MAX_DEPTH = 3
#: what stands beside a list in an answer that is an error
_ERRORS = ("error", "errors")
_BLANK = (b"null", b"false", b"0", b'""')
_NOTHING = (*_BLANK, b"[]", b"{}")
#: documented names that a single record has at least, where so many are documented
_ENOUGH_NAMES = 2
_RICH = 5
#: bytes; a gateway's list of errors is no longer
_MAX_ERRORS = 4_096
#: what gateways name the parts of an error: no record is known by them
_NAMES_OF_ERRORS = frozenset(
    {"code", "detail", "error", "errors", "message", "path", "status", "timestamp", "title", "type"}
)
#: of the names that an error message shows: how many, and how long each may be
_MAX_NAMES = 8
_MAX_NAME = 40

_Members = Mapping[str, msgspec.Raw]


class _Found(NamedTuple):
    """A value inside a body: the keys that lead to it, and what stands beside it in each object on the way."""

    keys: JsonPath
    text: bytes
    beside: tuple[_Members, ...] = ()


def as_documented(
    page: Page, resource: Resource, *, whole: bool = False, ways: frozenset[JsonPath] = frozenset()
) -> Page:
    """Return the answer with its records where they are documented; the same one where they stand there.

    For `whole` and `ways` see `records`, which reads the page next.

    Raises
    ------
    TransportError
        it holds no records in any place: it is no answer to this request
    """
    if page.has_no_content:
        return page
    if not resource.single and holds_list(page, resource, whole=whole, ways=ways):
        if len(page.body) <= _MAX_ERRORS and _holds_only_errors(page, resource):
            raise TransportError(_not_usable(page, _stripped(page.read(msgspec.Raw)), resource))
        return page

    body = _Found((), _stripped(page.read(msgspec.Raw)))
    there = _at(body, resource.path)
    if there and _is_fine(there.text, resource):
        return page

    found = _elsewhere(body, resource) or _apart(there, resource)
    if not found and resource.absent_is_empty and there is None:
        return replace(page, lacks_list=True)
    if not found and resource.absent_is_empty and there and there.text in _NOTHING:
        return replace(
            page, body=_moved(there._replace(text=b"[]"), resource.path), lacks_list=True, _read={}
        )
    if not found or any(_says_error(members) for members in found.beside):
        raise TransportError(_not_usable(page, body.text, resource))
    where = ".".join(found.keys) or "the body itself"
    return replace(page, body=_moved(found, resource.path), list_at=where, _read={})


def _holds_only_errors(page: Page, resource: Resource) -> bool:
    """Whether a list holds objects of which none has a name that is documented of its records."""
    if callable(
        resource.schema
    ):  # what is documented depends on the account; its envelope tells success
        return False
    there = _at(_Found((), _stripped(page.read(msgspec.Raw))), resource.path)
    known = {*resource.schema, resource.unwrap}
    items = [_members(item) for item in _items(there.text)] if there else []
    return any(items) and not any(members.keys() & known for members in items)


def _is_fine(text: bytes, resource: Resource) -> bool:
    """Whether this is what is documented, or one record where a list of them is documented."""
    if text.startswith(b"["):
        return not resource.single
    return _is_record(text, resource) and _has_more_than_id(text, resource)


def _at(body: _Found, path: JsonPath) -> _Found | None:
    """Return what stands at the end of the path; None where it breaks off."""
    found = body
    for key in path:
        members = _members(found.text)
        if key not in members:
            return None
        found = _inside(found, members, key)
    return found


def _elsewhere(body: _Found, resource: Resource) -> _Found | None:
    """Return the records that stand under another usual name, the nearest to the top."""
    names = dict.fromkeys((*resource.path, resource.name, *_USUAL_NAMES))
    level = [body]
    for _ in range(_MAX_DEPTH):
        for found in level:
            if _is_fine(found.text, resource):
                return found
            if (
                resource.single
                and len(_items(found.text)) == 1
                and _is_record(_items(found.text)[0], resource)
            ):
                return found._replace(text=_items(found.text)[0])
        level = [
            _inside(found, members, name)
            for found in level
            for members, name in _named(found, names)
        ]
    return None


def _named(found: _Found, names: Mapping[str, None]) -> Iterator[tuple[_Members, str]]:
    members = _members(found.text)
    return ((members, name) for name in names if name in members)


def _inside(found: _Found, members: _Members, key: str) -> _Found:
    beside = {name: value for name, value in members.items() if name != key}
    return _Found((*found.keys, key), _stripped(members[key]), (*found.beside, beside))


def _apart(there: _Found | None, resource: Resource) -> _Found | None:
    """Return as one list what stands in groups, or by id: ``{"ads": [...], "mail": [...]}``, ``{"7": {...}}``."""
    if there is None or resource.single or _says_error(_members(there.text)):
        return None
    items: list[bytes] = []
    for value in _members(there.text).values():
        text = _stripped(value)
        items += _items(text) if text.startswith(b"[") else [text]
    if not items or not all(_is_record(item, resource) for item in items):
        return None
    return there._replace(keys=(*there.keys, "*"), text=b"[%s]" % b",".join(items))


def _is_record(text: bytes, resource: Resource) -> bool:
    """Whether this is an object that holds what tells a record of this kind from others."""
    members = _members(text)
    if resource.unwrap and _members(members.get(resource.unwrap, msgspec.Raw(NULL))):
        return True
    if _says_error(members):
        return False
    return any(
        _is_given(members[name], name, resource) for name in _telling(resource) if name in members
    )


def _is_given(value: msgspec.Raw, name: str, resource: Resource) -> bool:
    """Whether a field says something."""
    text = _stripped(value)
    if text == b"false" and not callable(resource.schema):
        return resource.schema.get(name) == pl.Boolean
    # what tells a single record may be an object that is empty: the account has nothing in it
    return text not in (_BLANK if resource.single else _NOTHING)


def _has_more_than_id(text: bytes, resource: Resource) -> bool:
    """Whether an object holds what only a record does: errors of gateways have an id too, beside a message."""
    members = _members(text)
    if resource.unwrap in members:
        return True
    others = {name for name in members if not _is_id(name)}
    own_names = others - _NAMES_OF_ERRORS
    if callable(resource.schema):
        return bool(own_names) or not others
    documented = members.keys() & resource.schema.keys()
    if (
        others
        and resource.single
        and len(resource.schema) >= _RICH
        and len(documented) < _ENOUGH_NAMES
    ):
        return False
    # or all that is documented is there, and the service tells more by now
    is_mostly_documented = 2 * len(documented) >= len(members) or len(documented) == len(
        resource.schema
    )
    return (bool(own_names & documented) and is_mostly_documented) or not others


def _telling(resource: Resource) -> list[str]:
    """Return the fields that tell records from each other: ids, where there are some, as errors have times too."""
    names = [name for name in resource.key.meta.root_names() if not name.startswith("_")]
    if not names and not callable(resource.schema):
        names = [*resource.schema]
    ids = [name for name in names if _is_id(name)]
    return ids or [name for name in names if name not in _NAMES_OF_ERRORS] or names


def _is_id(name: str) -> bool:
    return name == "id" or name.endswith("_id")


def _says_error(members: _Members) -> bool:
    return any(_stripped(members[name]) not in _NOTHING for name in _ERRORS if name in members)


def _moved(found: _Found, path: JsonPath) -> bytes:
    """Return a body with the found value at its documented place, and with what stood beside it around it."""
    if not path:
        return found.text
    outer = dict(found.beside[0]) if found.beside else {}
    everything: dict[str, msgspec.Raw] = {}
    for members in reversed(found.beside):
        everything |= members  # what stands further out is meant where a name comes twice
    value = msgspec.Raw(found.text)
    if len(path) == 1:
        return msgspec.json.encode({**everything, path[-1]: value})
    for key in reversed(path[1:]):
        value = msgspec.Raw(msgspec.json.encode({**everything, key: value}))
        everything = {}
    return msgspec.json.encode({**outer, path[0]: value})


def _not_usable(page: Page, body: bytes, resource: Resource) -> str:
    """Say what came instead: names of fields, never what they hold."""
    wanted = "a record" if resource.single else "a list"
    asked = f"{page.request.method} {page.request.path}"
    return f"{asked} answered HTTP {page.status} with {_kind(body)} where {wanted} of {resource.name} is documented"


def _kind(text: bytes) -> str:
    if text.startswith(b"{"):
        members = _members(text)
        names = [name[:_MAX_NAME] for name in [*members][:_MAX_NAMES]]
        if len(members) > _MAX_NAMES:
            names.append("…")
        return f"an object of {', '.join(names)}" if names else "an empty object"
    if text.startswith(b"["):
        return "a list"
    if text == NULL:
        return "null"
    return "a text" if text.startswith(b'"') else "a single value"


def _stripped(raw: msgspec.Raw | bytes) -> bytes:
    return bytes(raw).strip()


def _members(text: msgspec.Raw | bytes) -> _Members:
    """Return the members of an object; none of anything else."""
    try:
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _items(text: bytes) -> list[bytes]:
    """Return the items of a list; none of anything else."""
    try:
        return [_stripped(item) for item in msgspec.json.decode(text, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
