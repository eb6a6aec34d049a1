"""Pages cut into their records: slices of the body, found without looking inside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, repeat
from operator import attrgetter, contains
from typing import Any

import msgspec

from crmlab.connector import JsonPath, Page, Resource
from crmlab.decoding.layout import NULL
from crmlab.errors import TransportError

_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_RAW_NULL = msgspec.Raw(NULL)
_encode = msgspec.json.Encoder().encode


class Record(msgspec.Struct, frozen=True, gc=False):
    """The JSON of one record, and the constants of the request that brought it."""

    text: bytes
    tags: Mapping[str, str]


def records(
    page: Page, resource: Resource, *, whole: bool = False, ways: frozenset[JsonPath] = frozenset()
) -> list[Record]:
    """Return the records of a page; one object where a list is documented counts as one.

    With `whole`, a wrapped record keeps its wrapper and what stands beside it. `ways`: what `held` will be
    asked of this page, so that it is read only once. What `held` returns does not stand beside the record then, as it
    would be decoded twice.

    Raises
    ------
    TransportError
        the body is not JSON, or the way to the list leads through something that is no object
    """
    texts = _texts(page, resource, whole=whole, ways=ways)
    return [Record(text, page.request.tags) for text in texts if text != NULL]


def holds_list(page: Page, resource: Resource, *, whole: bool, ways: frozenset[JsonPath]) -> bool:
    """Whether the list of records stands where it is documented; for `whole` and `ways` see `records`."""
    try:
        found = _documented_list(page, resource, whole=whole, ways=ways)
    except TransportError:
        return False
    return found is not None


def _documented_list(
    page: Page, resource: Resource, *, whole: bool, ways: frozenset[JsonPath]
) -> Iterable[bytes] | None:
    """Return the items of the list as they are read the fast way; None where null or nothing stands there."""
    if whole and _are_beside(ways, resource):
        try:
            found = _at(page.read(_apart(resource, ways).type()), resource.path)
        except TransportError:
            pass  # something that nobody documented stands there: items stay as they came
        else:
            return None if found is None else _without_others(found, resource)
    unwrap = None if whole else resource.unwrap
    shape = Shape(
        path=resource.path, listed=True, unwrap=unwrap, ways=ways if unwrap else frozenset()
    )
    items = _at(page.read(shape.type()), resource.path)
    if items is None:
        return None
    # not made before it is needed: whether there is a list is asked of every page before its records are
    return map(_unwrapped, map(attrgetter("inner"), items)) if unwrap else map(bytes, items)


def _are_beside(ways: frozenset[JsonPath], resource: Resource) -> bool:
    """Whether the ways lead past the record in its wrapper, and past all that is documented to stand beside it."""
    return bool(ways and resource.unwrap) and all(
        way and way[0] != resource.unwrap and way[0] not in resource.envelope_fields for way in ways
    )


def _apart(resource: Resource, ways: frozenset[JsonPath]) -> Shape:
    """Return how items are read in one go: the record, what stands beside it, and the records of others."""
    beside = tuple(resource.envelope_fields)
    return Shape(path=resource.path, listed=True, unwrap=resource.unwrap, ways=ways, beside=beside)


def _without_others(items: Iterable[Any], resource: Resource) -> Iterator[bytes]:
    """Return the items, which `_apart` describes, as they came but for the records of others."""
    names = {"inner": resource.unwrap, **_beside_names(resource.envelope_fields)}
    item_type = _with_all(tuple(names.items()))
    for item in items:
        yield _encode(item_type(*msgspec.structs.astuple(item)[: len(names)]))


def _texts(
    page: Page, resource: Resource, *, whole: bool, ways: frozenset[JsonPath]
) -> Iterable[bytes]:
    if not resource.single:
        try:
            return _documented_list(page, resource, whole=whole, ways=ways) or ()
        except TransportError:
            pass  # no JSON, or no list: the careful way tells
    found = _at(page.read(Shape(path=resource.path).type()), resource.path)
    text = NULL if found is None else bytes(found).strip()
    items = [text] if resource.single else _listed(text)
    if whole or not resource.unwrap:
        return items
    reader = msgspec.json.Decoder(_around(resource.unwrap, msgspec.Raw) | None)
    return [_opened(text, reader) for text in items]


def _listed(text: bytes) -> Iterable[bytes]:
    """The items of a list; one object where a list is documented counts as one."""
    return map(bytes, _RAW_LIST.decode(text)) if text.startswith(b"[") else [text]


def _opened(text: bytes, reader: Any) -> bytes:
    try:
        item = reader.decode(text)
    except msgspec.DecodeError:  # no wrapper: rejected as it stands
        return text
    return NULL if item is None else _unwrapped(item.inner)


def _unwrapped(inner: msgspec.Raw) -> bytes:
    """The record inside its wrapper; an empty one where the wrapper is empty, so that it is not lost."""
    text = bytes(inner)
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


def held(
    page: Page, holder: Resource, ways: frozenset[JsonPath], *, whole: bool
) -> dict[JsonPath, list[bytes] | None]:
    """Return the records of other resources that a page holds, for each way to them; None where it has none.

    A way leads from a record of the page (or from what stands beside it) to their list. `whole`: as `records`
    was asked.
    """
    unwrap = None if whole or holder.single else holder.unwrap
    usual = Shape(path=holder.path, listed=not holder.single, unwrap=unwrap, ways=ways)
    shapes = [usual, replace(usual, lists=False)]  # where it is no list, one object counts as one
    if whole and _are_beside(ways, holder):
        shapes.insert(0, _apart(holder, ways))  # read already, by `records`
    for shape in shapes:
        try:
            body = page.read(shape.type())
        except TransportError:
            continue
        found = _at(body, holder.path)
        items = [found] if holder.single else found or ()
        return {way: _texts_along(items, way) for way in ways}
    if len(ways) == 1:  # something that is no object where one should be
        return dict.fromkeys(ways)
    return {way: held(page, holder, frozenset({way}), whole=whole)[way] for way in ways}


def _texts_along(items: Iterable[Any], way: JsonPath) -> list[bytes] | None:
    """Return the records at the end of a way from each of these items; None where none of them has it."""
    for key in way:
        items = [getattr(item, f"{key}_") for item in items if item is not None]
    ends = [end for end in items if end is not None]
    if ends and isinstance(ends[0], list):
        return [*map(bytes, chain.from_iterable(ends))]
    texts = [text for text in map(bytes, ends) if text != NULL]
    return [*chain.from_iterable(map(_listed, texts))] if texts else None


def as_listed(texts: Iterable[bytes], resource: Resource, *, whole: bool) -> list[Record]:
    """Return records as their own list would give them: with `whole` in their wrapper, else without."""
    given = [text for text in texts if text != NULL]
    if resource.unwrap:
        given = _as_wrapped(given, resource.unwrap, whole=whole)
    return [Record(text, {}) for text in given]


def _as_wrapped(texts: list[bytes], key: str, *, whole: bool) -> list[bytes]:
    quoted = _encode(key)
    if any(map(contains, texts, repeat(quoted))):  # it may be their wrapper, or a field of theirs
        reader = _opener(key)
        return [_wrapped(text, quoted, reader, whole=whole) for text in texts]
    return [b"{%b:%b}" % (quoted, text) for text in texts] if whole else texts


@cache
def _opener(key: str) -> Any:
    return msgspec.json.Decoder(_around(key, msgspec.Raw))


def _wrapped(text: bytes, key: bytes, reader: Any, *, whole: bool) -> bytes:
    inner = NULL
    if key in text:
        try:
            inner = bytes(reader.decode(text).inner)
        except msgspec.DecodeError:  # no object: rejected as it stands
            return text
    if not inner.startswith(b"{"):  # bare: what is named like the wrapper is a field of the record
        return b"{%b:%b}" % (key, text) if whole else text
    return text if whole else inner


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Where the records of a page stand, as a type by which msgspec reads them and skips all else.

    The type is made of nested objects with one key each. For ``path=("data", "deals")`` and ``listed`` it reads

    >>> body = b'{"status": 0, "data": {"count": 2, "deals": [{"id": 1}, {"id": 2}]}}'
    >>> found = msgspec.json.decode(body, type=Shape(path=("data", "deals"), listed=True).type())
    >>> [bytes(record) for record in found.inner.inner]
    [b'{"id": 1}', b'{"id": 2}']

    Each key of the path is an attribute ``inner`` there. With ``unwrap="deal"`` an item is an object too, whose
    ``inner`` is what stands under that key. With ``ways``, what stands at the end of each way comes as well,
    under the way's keys with an underscore:

    >>> body = b'[{"deal": {"id": 1}, "notes": [{"id": 7}, {"id": 8}]}]'
    >>> shape = Shape(path=(), listed=True, unwrap="deal", ways=frozenset({("notes",)}))
    >>> [item] = msgspec.json.decode(body, type=shape.type())
    >>> bytes(item.inner)
    b'{"id": 1}'
    >>> [bytes(note) for note in item.notes_]
    [b'{"id": 7}', b'{"id": 8}']

    Parameters
    ----------
    path
        The keys that lead to the records.
    listed
        Whether a list stands there, of which every item is wanted; else the value there is wanted as it stands.
    unwrap
        The key inside each item that holds the record.
    ways
        The keys that lead from an item to the records of other resources.
    lists
        Whether lists stand at the end of the ways, of which every item is wanted.
    beside
        The keys beside `unwrap` whose values are wanted as they stand. There are no others then, and a record
        stands under `unwrap`: an item of another shape is an error.
    """

    path: JsonPath
    listed: bool = False
    unwrap: str | None = None
    ways: frozenset[JsonPath] = frozenset()
    lists: bool = True
    beside: tuple[str, ...] | None = None

    def type(self) -> Any:
        """Return the type; the same shape has the same one, so that msgspec learns it only once."""
        return _body(self)


@cache
def _body(shape: Shape) -> Any:
    item = msgspec.Raw
    if shape.unwrap or shape.ways:
        item = _item(shape.unwrap, shape.ways, lists=shape.lists, beside=shape.beside)
    inner = list[item] if shape.listed else item  # type: ignore[valid-type]
    for key in reversed(shape.path):
        inner = _around(key, inner)
    return inner


def _item(
    unwrap: str | None,
    ways: Iterable[JsonPath],
    *,
    lists: bool,
    beside: tuple[str, ...] | None = None,
) -> Any:
    """Return the type of an object with what is inside its wrapper, and what stands at the end of each way."""
    if () in ways:  # this is the end of one
        return list[msgspec.Raw] if lists else msgspec.Raw
    names = {}
    fields: list[Any] = []
    if unwrap:
        names["inner"] = unwrap
        fields.append(_field("inner", msgspec.Raw) if beside is None else ("inner", msgspec.Raw))
    for own, key in _beside_names(beside or ()).items():
        names[own] = key
        fields.append((own, msgspec.Raw, _RAW_NULL))
    for key in dict.fromkeys(way[0] for way in ways):
        rest = {way[1:] for way in ways if way[0] == key}
        names[f"{key}_"] = key
        fields.append(_field(f"{key}_", _item(None, rest, lists=lists)))
    is_strict = beside is not None
    return msgspec.defstruct(
        "Item", fields, rename=names, gc=False, forbid_unknown_fields=is_strict
    )


def _beside_names(beside: Iterable[str]) -> dict[str, str]:
    """Return the attributes of an item under which these keys stand."""
    return {f"beside_{number}": key for number, key in enumerate(beside)}


@cache
def _with_all(names: tuple[tuple[str, str], ...]) -> Any:
    """Return the type of an object with these attributes and their keys, which leaves out what is absent."""
    fields = [(own, msgspec.Raw, _RAW_NULL) for own, _ in names]
    return msgspec.defstruct("Whole", fields, rename=dict(names), gc=False, omit_defaults=True)


def _around(key: str, inner: Any) -> Any:
    """Return the type of an object with one key, of which all else is skipped."""
    return msgspec.defstruct("Body", [_field("inner", inner)], rename={"inner": key}, gc=False)


def _field(name: str, type_: Any) -> tuple[str, Any, Any]:
    """Return an attribute that need not be there: raw JSON is null then, everything else None."""
    return (name, type_, _RAW_NULL) if type_ is msgspec.Raw else (name, type_ | None, None)


def _fields(text: bytes) -> Mapping[str, msgspec.Raw]:
    """Return the fields of an object as they stand; none of anything else."""
    try:
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
