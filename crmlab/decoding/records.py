"""Pages cut into their records: slices of the body, found without looking inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from crmlab.connector import JsonPath, Page, Resource
from crmlab.decoding.readers import NULL
from crmlab.errors import TransportError

_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])


class Record(msgspec.Struct, frozen=True, gc=False):
    """The JSON of one record, and the constants of the request that brought it."""

    text: bytes
    tags: Mapping[str, str]


def records(
    page: Page, resource: Resource, *, whole: bool = False, ways: frozenset[JsonPath] = frozenset()
) -> list[Record]:
    """Return the records of a page; one object where a list is documented counts as one.

    With `whole`, a wrapped record keeps its wrapper and what stands beside it. `ways`: what `held` will be
    asked of this page, so that it is read only once.

    Raises
    ------
    TransportError
        the body is not JSON, or the way to the list leads through something that is no object
    """
    unwrap = None if whole else resource.unwrap
    texts = _texts(page, resource, unwrap, ways if unwrap else frozenset())
    return [Record(text, page.request.tags) for text in texts if text != NULL]


def holds_list(page: Page, resource: Resource, *, whole: bool, ways: frozenset[JsonPath]) -> bool:
    """Whether the list of records stands where it is documented; for `whole` and `ways` see `records`."""
    unwrap = None if whole else resource.unwrap
    try:
        found = _documented_list(page, resource, unwrap, ways if unwrap else frozenset())
    except TransportError:
        return False
    return found is not None


def _documented_list(page: Page, resource: Resource, unwrap: str | None, ways: frozenset[JsonPath]) -> Any:
    """Return the items of the list as they are read the fast way; None where null or nothing stands there."""
    return _at(page.read(_body(resource.path, listed=True, unwrap=unwrap, ways=ways)), resource.path)


def _texts(page: Page, resource: Resource, unwrap: str | None, ways: frozenset[JsonPath]) -> Iterable[bytes]:
    if not resource.single:
        try:
            found = _documented_list(page, resource, unwrap, ways) or ()
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


def held(page: Page, holder: Resource, ways: frozenset[JsonPath], *, whole: bool) -> dict[JsonPath, list[bytes] | None]:
    """Return the records of other resources that a page holds, for each way to them; None where it has none.

    A way leads from a record of the page (or from what stands beside it) to their list. `whole`: as `records`
    was asked.
    """
    unwrap = None if whole or holder.single else holder.unwrap
    for lists in (True, False):  # where it is no list, one object counts as one
        try:
            body = page.read(_body(holder.path, listed=not holder.single, unwrap=unwrap, ways=ways, lists=lists))
        except TransportError:
            continue
        found = _at(body, holder.path)
        items = [found] if holder.single else found or ()
        there = {way: [end for item in items if (end := _along(item, way)) is not None] for way in ways}
        return {way: [text for end in ends for text in _texts_of(end)] if ends else None for way, ends in there.items()}
    if len(ways) == 1:  # something that is no object where one should be
        return dict.fromkeys(ways)
    return {way: held(page, holder, frozenset({way}), whole=whole)[way] for way in ways}


def _texts_of(end: Any) -> Iterable[bytes]:
    return map(bytes, end) if isinstance(end, list) else _listed(bytes(end))


def as_listed(texts: Iterable[bytes], resource: Resource, *, whole: bool) -> list[Record]:
    """Return records as their own list would give them: with `whole` in their wrapper, else without."""
    if resource.unwrap:
        reader, key = _opener(resource.unwrap), resource.unwrap.encode()
        texts = (_wrapped(text, key, reader, whole=whole) for text in texts)
    return [Record(text, {}) for text in texts if text != NULL]


@cache
def _opener(key: str) -> Any:
    return msgspec.json.Decoder(_around(key, msgspec.Raw))


def _wrapped(text: bytes, key: bytes, reader: Any, *, whole: bool) -> bytes:
    inner = NULL
    if b'"%s"' % key in text:
        try:
            inner = bytes(reader.decode(text).inner)
        except msgspec.DecodeError:  # no object: rejected as it stands
            return text
    if not inner.startswith(b"{"):  # bare: what is named like the wrapper is a field of the record
        return b'{"%s":%s}' % (key, text) if whole else text
    return text if whole else inner


def _along(item: Any, way: JsonPath) -> Any:
    for key in way:
        item = None if item is None else getattr(item, f"{key}_")
    return None if isinstance(item, msgspec.Raw) and bytes(item) == NULL else item


@cache
def _body(
    path: tuple[str, ...],
    *,
    listed: bool = False,
    unwrap: str | None = None,
    ways: frozenset[JsonPath] = frozenset(),
    lists: bool = True,
) -> Any:
    """A type that reads the value at `path` as it stands (`listed`: each item), and skips the rest.

    Of an item, with `unwrap` only what is inside, and with `ways` only what is at their ends: each of a
    list's items, or (without `lists`) whatever it is.
    """
    item = _item(unwrap, ways, lists=lists) if unwrap or ways else msgspec.Raw
    inner = list[item] if listed else item  # type: ignore[valid-type]
    for key in reversed(path):
        inner = _around(key, inner)
    return inner


def _item(unwrap: str | None, ways: Iterable[JsonPath], *, lists: bool) -> Any:
    if () in ways:
        return list[msgspec.Raw] if lists else msgspec.Raw
    names = {"inner": unwrap} if unwrap else {}
    fields: list[Any] = [("inner", msgspec.Raw, msgspec.Raw(NULL))] if unwrap else []
    for key in dict.fromkeys(way[0] for way in ways):
        inner = _item(None, {way[1:] for way in ways if way[0] == key}, lists=lists)
        raw = inner is msgspec.Raw
        fields.append((f"{key}_", inner if raw else inner | None, msgspec.Raw(NULL) if raw else None))
        names[f"{key}_"] = key
    return msgspec.defstruct("Item", fields, rename=names, gc=False)


def _around(key: str, inner: Any) -> Any:
    field = ("inner", inner, msgspec.Raw(NULL)) if inner is msgspec.Raw else ("inner", inner | None, None)
    return msgspec.defstruct("Body", [field], rename={"inner": key}, gc=False)


def _fields(text: bytes) -> Mapping[str, msgspec.Raw]:
    """Return the fields of an object as they stand; none of anything else."""
    try:
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
