"""Answers whose records do not stand where they are documented: found where they are, or no usable answer.

A gateway's ``{"message": "..."}`` with status 200 is valid JSON, and no empty list. A list under another name
is one all the same: ``{"items": [...]}`` where ``{"data": [...]}`` is documented.
"""

from __future__ import annotations

from collections.abc import Mapping
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
#: bytes of an answer that is searched for records which do not stand where they are documented: it takes copies
_MAX_SEARCHED = 32_000_000
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

    if not resource.single and len(page.body) > _MAX_SEARCHED:
        page.read(msgspec.Raw)  # what is no JSON is told as that
        raise TransportError(_lacks_list(page, "a large body that holds none", resource))
    whole_body = _Found((), _stripped(page.read(msgspec.Raw)))
    documented = _at(whole_body, resource.path)
    if documented and _is_fine(documented.text, resource):
        return page

    found = _elsewhere(whole_body, resource) or _apart(documented, resource)
    if not found and resource.absent_is_empty:
        if documented is None:
            return replace(page, lacks_list=True)
        if documented.text in _NOTHING:
            empty = documented._replace(text=b"[]")
            return replace(page, body=_moved(empty, resource.path), lacks_list=True, _read={})
    if not found or any(_says_error(members) for members in found.beside):
        raise TransportError(_not_usable(page, whole_body.text, resource))
    found_place = ".".join(found.keys) or "the body itself"
    return replace(page, body=_moved(found, resource.path), list_at=found_place, _read={})


def _holds_only_errors(page: Page, resource: Resource) -> bool:
    """Whether a list holds objects of which none has a name that is documented of its records."""
    if callable(resource.schema):
        # what is documented depends on the account; its envelope tells success
        return False
    whole_body = _Found((), _stripped(page.read(msgspec.Raw)))
    documented = _at(whole_body, resource.path)
    if documented is None:
        return False
    known_names = {*resource.schema, resource.unwrap}
    has_members = False
    for item in _items(documented.text):
        members = _members(item)
        if members.keys() & known_names:
            return False
        has_members = has_members or bool(members)
    return has_members


def _is_fine(text: bytes, resource: Resource) -> bool:
    """Whether this is what is documented, or one record where a list of them is documented."""
    if text.startswith(b"["):
        return not resource.single
    return _is_record(text, resource) and _has_more_than_id(text, resource)


def _at(body: _Found, path: JsonPath) -> _Found | None:
    """Return what stands at the end of the path; None where it breaks off."""
    value = body
    for key in path:
        members = _members(value.text)
        if key not in members:
            return None
        value = _inside(value, members, key)
    return value


def _elsewhere(body: _Found, resource: Resource) -> _Found | None:
    """Return the records that stand under another usual name, the nearest to the top."""
    usual_names = dict.fromkeys((*resource.path, resource.name, *_USUAL_NAMES))
    candidates = [body]
    for _ in range(_MAX_DEPTH):
        for candidate in candidates:
            if _is_fine(candidate.text, resource):
                return candidate
            list_items = _items(candidate.text)
            if resource.single and len(list_items) == 1 and _is_record(list_items[0], resource):
                return candidate._replace(text=list_items[0])

        next_level: list[_Found] = []
        for candidate in candidates:
            members = _members(candidate.text)
            for usual_name in usual_names:
                if usual_name in members:
                    next_level.append(_inside(candidate, members, usual_name))
        candidates = next_level
    return None


def _inside(outer: _Found, members: _Members, key: str) -> _Found:
    beside = dict(members)
    del beside[key]
    return _Found((*outer.keys, key), _stripped(members[key]), (*outer.beside, beside))


def _apart(documented: _Found | None, resource: Resource) -> _Found | None:
    """Return as one list what stands in groups, or by id: ``{"ads": [...], "mail": [...]}``, ``{"7": {...}}``."""
    if documented is None or resource.single:
        return None
    members = _members(documented.text)
    if _says_error(members):
        return None
    records: list[bytes] = []
    for value in members.values():
        value_text = _stripped(value)
        if value_text.startswith(b"["):
            records += _items(value_text)
        else:
            records.append(value_text)
    if not records or not all(_is_record(item, resource) for item in records):
        return None
    return documented._replace(keys=(*documented.keys, "*"), text=b"[%s]" % b",".join(records))


def _is_record(text: bytes, resource: Resource) -> bool:
    """Whether this is an object that holds what tells a record of this kind from others."""
    members = _members(text)
    if resource.unwrap and _members(members.get(resource.unwrap, msgspec.Raw(NULL))):
        return True
    if _says_error(members):
        return False
    names = members.keys() & _telling(resource)
    return any(_is_given(members[name], name, resource) for name in names)


def _is_given(value: msgspec.Raw, name: str, resource: Resource) -> bool:
    """Whether a field says something."""
    text = _stripped(value)
    if text == b"false" and not callable(resource.schema):
        return resource.schema.get(name) == pl.Boolean
    if resource.single:
        # what tells a single record may be an object that is empty: the account has nothing in it
        return text not in _BLANK
    return text not in _NOTHING


def _has_more_than_id(text: bytes, resource: Resource) -> bool:
    """Whether an object holds what only a record does: errors of gateways have an id too, beside a message."""
    members = _members(text)
    if resource.unwrap in members:
        return True
    others = {member_name for member_name in members if not _is_id(member_name)}
    if not others:  # nothing but ids: no message either
        return True
    own_names = others - _NAMES_OF_ERRORS
    if callable(resource.schema):
        return bool(own_names)
    documented = members.keys() & resource.schema.keys()
    is_rich = resource.single and len(resource.schema) >= _RICH
    if is_rich and len(documented) < _ENOUGH_NAMES:
        return False
    if not own_names & documented:
        return False
    # most of it is documented; or all that is documented is there, and the service tells more by now
    return 2 * len(documented) >= len(members) or len(documented) == len(resource.schema)


def _telling(resource: Resource) -> list[str]:
    """Return the fields that tell records from each other: ids, where there are some, as errors have times too."""
    # a name with an underscore is what the request was tagged with
    names = [name for name in resource.key.meta.root_names() if not name.startswith("_")]
    if not names and not callable(resource.schema):
        names = [*resource.schema]
    ids = [name for name in names if _is_id(name)]
    if ids:
        return ids
    own_names = [name for name in names if name not in _NAMES_OF_ERRORS]
    return own_names or names


def _is_id(name: str) -> bool:
    return name == "id" or name.endswith("_id")


def _says_error(members: _Members) -> bool:
    return any(_stripped(members[name]) not in _NOTHING for name in _ERRORS if name in members)


def _moved(found: _Found, path: JsonPath) -> bytes:
    """Return a body with the found value at its documented place, and with what stood beside it around it."""
    if not path:
        return found.text
    everything: dict[str, msgspec.Raw] = {}
    for members in reversed(found.beside):
        everything |= members  # what stands further out is meant where a name comes twice
    value = msgspec.Raw(found.text)
    if len(path) == 1:
        return msgspec.json.encode({**everything, path[0]: value})
    for key in reversed(path[1:]):
        value = msgspec.Raw(msgspec.json.encode({**everything, key: value}))
        everything = {}
    if found.beside:
        outermost = found.beside[0]
        return msgspec.json.encode({**outermost, path[0]: value})
    return msgspec.json.encode({path[0]: value})


def _not_usable(page: Page, body: bytes, resource: Resource) -> str:
    """Say what came instead: names of fields, never what they hold."""
    return _lacks_list(page, _kind(body), resource)


def _lacks_list(page: Page, kind: str, resource: Resource) -> str:
    wanted = "a record" if resource.single else "a list"
    request = f"{page.request.method} {page.request.path}"
    answer = f"HTTP {page.status} with {kind}"
    return f"{request} answered {answer} where {wanted} of {resource.name} is documented"


def _kind(text: bytes) -> str:
    if text.startswith(b"{"):
        return _kind_of_object([*_members(text)])
    if text.startswith(b"["):
        return "a list"
    if text == NULL:
        return "null"
    return "a text" if text.startswith(b'"') else "a single value"


def _kind_of_object(names: list[str]) -> str:
    if not names:
        return "an empty object"
    first_names = [member_name[:_MAX_NAME] for member_name in names[:_MAX_NAMES]]
    if len(names) > _MAX_NAMES:
        first_names.append("…")
    return f"an object of {', '.join(first_names)}"


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
