"""Pages cut into their records: slices of the body, found without looking inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from crmlab.errors import TransportError
from crmlab.provider import Resource
from crmlab.request import Page

NULL = b"null"
_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])


class Record(msgspec.Struct, frozen=True, gc=False):
    """The JSON of one record, and the constants of the request that brought it.

    `sent`: how it came, where `text` was made to fit.
    """

    text: bytes
    tags: Mapping[str, str]
    sent: bytes = b""


def records(page: Page, resource: Resource, *, whole: bool = False) -> list[Record]:
    """Return the records of a page; one object where a list is documented counts as one.

    With `whole`, a wrapped record keeps its wrapper and what stands beside it.

    Raises
    ------
    TransportError
        the body is not JSON, or the way to the list leads through something that is no object
    """
    unwrap = None if whole else resource.unwrap
    return [Record(text, page.request.tags) for text in _texts(page, resource, unwrap) if text != NULL]


def _texts(page: Page, resource: Resource, unwrap: str | None) -> Iterable[bytes]:
    if not resource.single:
        try:
            found = _at(page.read(_body(resource.path, listed=True, unwrap=unwrap)), resource.path) or ()
        except TransportError:
            pass  # no JSON, or no list: the careful way tells
        else:
            return map(_unwrapped if unwrap else bytes, found)
    found = _at(page.read(_body(resource.path)), resource.path)
    text = NULL if found is None else bytes(found).strip()
    items = [text] if resource.single else _listed(text)
    if not unwrap:
        return items
    reader = msgspec.json.Decoder(_around(unwrap, msgspec.Raw) | None)
    return [_opened(text, reader) for text in items]


def _listed(text: bytes) -> Iterable[bytes]:
    """The items of a list; one object where a list is documented counts as one."""
    return map(bytes, _RAW_LIST.decode(text)) if text.startswith(b"[") else [text]


def _opened(text: bytes, reader: Any) -> bytes:
    try:
        item = reader.decode(text)
    except msgspec.DecodeError:  # no wrapper: rejected as it stands
        return text
    return NULL if item is None else _unwrapped(item)


def _unwrapped(item: Any) -> bytes:
    """The record inside its wrapper; an empty one where the wrapper is empty, so that it is not lost."""
    text = bytes(item.inner)
    return b"{}" if text == NULL else text


def _at(body: Any, path: tuple[str, ...]) -> Any:
    for _ in path:
        body = None if body is None else body.inner
    return body


def unknown_fields(resource: Resource, known: frozenset[str], found: Sequence[Record]) -> list[str]:
    """Return the fields of the records (and beside them) that nobody documented."""
    seen: dict[str, None] = {}
    for record in found:
        item = _fields(record.text)
        seen |= dict.fromkeys(item)
        if resource.unwrap and resource.unwrap in item:
            seen |= dict.fromkeys(_fields(bytes(item[resource.unwrap])))
    return [name for name in seen if name not in known]


def held(found: Sequence[Record], way: tuple[str, ...], resource: Resource, *, whole: bool) -> list[Record] | None:
    """Return the records of another resource that these hold at the end of `way`; None if none has it.

    They come as its own list would give them: with `whole` in their wrapper, else without, whichever
    way the answer writes them.
    """
    lists = [text for record in found if (text := _inside(record, way)) != NULL]
    if not lists:
        return None
    texts = [text for items in lists for text in _listed(items)]
    return [Record(_wrapped(text, resource.unwrap, whole=whole), {}) for text in texts if text != NULL]


def _inside(record: Record, way: tuple[str, ...]) -> bytes:
    try:
        value = _at(msgspec.json.decode(record.text, type=_body(way)), way)
    except msgspec.DecodeError:  # no object where one should be: it holds nothing
        return NULL
    return NULL if value is None else bytes(value).strip()


def _wrapped(text: bytes, key: str | None, *, whole: bool) -> bytes:
    if not key:
        return text
    inner = _fields(text).get(key)
    inside = None if inner is None or not bytes(inner).startswith(b"{") else bytes(inner)
    if whole:
        return text if inside is not None else b'{"%s":%s}' % (key.encode(), text)
    return text if inside is None else inside


@cache
def _body(path: tuple[str, ...], *, listed: bool = False, unwrap: str | None = None) -> Any:
    """A type that reads the value at `path` as it stands (`listed`: each item), and skips the rest."""
    item = _around(unwrap, msgspec.Raw) if unwrap else msgspec.Raw
    inner = list[item] if listed else item  # type: ignore[valid-type]
    for key in reversed(path):
        inner = _around(key, inner)
    return inner


def _around(key: str, inner: Any) -> Any:
    field = ("inner", inner, msgspec.Raw(NULL)) if inner is msgspec.Raw else ("inner", inner | None, None)
    return msgspec.defstruct("Body", [field], rename={"inner": key}, gc=False)


def _fields(text: bytes) -> Mapping[str, msgspec.Raw]:
    """Return the fields of an object as they stand; none of anything else."""
    try:
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
