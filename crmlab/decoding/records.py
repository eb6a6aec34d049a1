"""Pages cut into their records: slices of the body, found without looking inside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from itertools import chain, repeat
from operator import attrgetter, contains
from typing import Any

import msgspec
from msgspec.structs import replace

from crmlab.connector import JsonPath, Page, Resource
from crmlab.decoding.layout import NULL
from crmlab.decoding.page_shape import Shape, around, beside_names, with_all
from crmlab.errors import TransportError

_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_encode = msgspec.json.Encoder().encode


#: bytes of a body of which records are no copies: the larger it is, the more it matters to have it once
_LARGE_BODY = 8_000_000
#: bytes of a record that is not copied to be compared
_LONG = 1_000_000


class Record(msgspec.Struct, frozen=True, gc=False):
    """The JSON of one record, and the constants of the request that brought it.

    The JSON is a copy, or for records of a large page a view into its body, which stays in memory with it.
    """

    json: bytes | msgspec.Raw
    tags: Mapping[str, str]

    @property
    def text(self) -> bytes:
        """The JSON, copied out of a large page each time."""
        return bytes(self.json)

    @property
    def size(self) -> int:
        """Bytes of the JSON."""
        return len(self.json)

    @property
    def fingerprint(self) -> int:
        """A number that tells the JSON from others, the same one of a view and of a copy."""
        if self.size < _LONG:
            return hash(self.text)
        return hash(blake2b(self.json).digest())


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
    found = [Record(text, page.request.tags) for text in texts if not _is_null(text)]
    is_large = len(page.body) >= _LARGE_BODY
    if is_large and sum(record.size for record in found) < _LARGE_BODY:
        # views would keep a large body for a few records
        return [Record(record.text, record.tags) for record in found]
    return found


def holds_list(page: Page, resource: Resource, *, whole: bool, ways: frozenset[JsonPath]) -> bool:
    """Whether the list of records stands where it is documented; for `whole` and `ways` see `records`."""
    try:
        listed_items = _documented_list(page, resource, whole=whole, ways=ways)
    except TransportError:
        return False
    return listed_items is not None


def _documented_list(
    page: Page, resource: Resource, *, whole: bool, ways: frozenset[JsonPath]
) -> Iterable[bytes | msgspec.Raw] | None:
    """Return the items of the list as they are read the fast way; None where null or nothing stands there."""
    if whole and _are_beside(ways, resource):
        try:
            listed_items = _values_at(page, _apart(resource, ways))
        except TransportError:
            pass  # something that nobody documented stands there: items stay as they came
        else:
            if listed_items is None:
                return None
            return _without_others(listed_items, resource)

    shape = Shape(path=resource.path, listed=True)
    if resource.unwrap and not whole:
        shape = replace(shape, unwrap=resource.unwrap, ways=ways)
    listed_items = _values_at(page, shape)
    if listed_items is None:
        return None
    is_large = len(page.body) >= _LARGE_BODY
    # not made before it is needed: whether there is a list is asked of every page before its records are
    if shape.unwrap:
        unwrapped = _unwrapped_view if is_large else _unwrapped
        return map(unwrapped, map(attrgetter("inner"), listed_items))
    return iter(listed_items) if is_large else map(bytes, listed_items)


def _is_null(text: bytes | msgspec.Raw) -> bool:
    return len(text) == len(NULL) and bytes(text) == NULL


def _are_beside(ways: frozenset[JsonPath], resource: Resource) -> bool:
    """Whether the ways lead past the record in its wrapper, and past all that is documented to stand beside it."""
    if not ways or not resource.unwrap:
        return False
    documented = {resource.unwrap, *resource.envelope_fields}
    return all(json_path and json_path[0] not in documented for json_path in ways)


def _apart(resource: Resource, ways: frozenset[JsonPath]) -> Shape:
    """Return how items are read in one go: the record, what stands beside it, and the records of others."""
    beside = tuple(resource.envelope_fields)
    return Shape(path=resource.path, listed=True, unwrap=resource.unwrap, ways=ways, beside=beside)


def _without_others(items: Iterable[Any], resource: Resource) -> Iterator[bytes]:
    """Return the items, which `_apart` describes, as they came but for the records of others."""
    attributes = {"inner": resource.unwrap, **beside_names(resource.envelope_fields)}
    item_type = with_all(tuple(attributes.items()))
    for item in items:
        # the records of others come last in the item, behind all that stays
        values = msgspec.structs.astuple(item)[: len(attributes)]
        yield _encode(item_type(*values))


def _texts(
    page: Page, resource: Resource, *, whole: bool, ways: frozenset[JsonPath]
) -> Iterable[bytes | msgspec.Raw]:
    if not resource.single:
        try:
            return _documented_list(page, resource, whole=whole, ways=ways) or ()
        except TransportError:
            pass  # no JSON, or no list: the careful way tells
    careful_items = _careful_items(page, resource)
    if whole or not resource.unwrap:
        return careful_items
    reader = msgspec.json.Decoder(around(resource.unwrap, msgspec.Raw) | None)
    return [_opened(item_text, reader) for item_text in careful_items]


def _careful_items(page: Page, resource: Resource) -> Iterable[bytes]:
    """Return the items of whatever stands where the records are documented, as they stand."""
    value = _values_at(page, Shape(path=resource.path))
    value_text = NULL
    if value is not None:
        value_text = bytes(value).strip()
    if resource.single:
        return [value_text]
    return _listed(value_text)


def _listed(text: bytes) -> Iterable[bytes]:
    """The items of a list; one object where a list is documented counts as one."""
    if text.startswith(b"["):
        return map(bytes, _RAW_LIST.decode(text))
    return [text]


def _opened(text: bytes, reader: Any) -> bytes:
    try:
        item = reader.decode(text)
    except msgspec.DecodeError:  # no wrapper: rejected as it stands
        return text
    if item is None:
        return NULL
    return _unwrapped(item.inner)


def _unwrapped(inner: msgspec.Raw) -> bytes:
    """The record inside its wrapper; an empty one where the wrapper is empty, so that it is not lost."""
    record = bytes(inner)
    return b"{}" if record == NULL else record


def _unwrapped_view(inner: msgspec.Raw) -> bytes | msgspec.Raw:
    """The same without a copy."""
    return b"{}" if _is_null(inner) else inner


def _values_at(page: Page, shape: Shape) -> Any:
    """Return what stands at the end of the shape's path; None where it breaks off."""
    body = page.read(shape.type())
    for _ in shape.path:
        if body is None:
            return None
        body = body.inner
    return body


def unknown_fields(resource: Resource, known: frozenset[str], found: Sequence[Record]) -> list[str]:
    """Return the fields of the records (and beside them) that nobody documented."""
    field_names: dict[str, None] = {}  # as a set that keeps their order
    for record in found:
        if record.size >= _LONG:  # it may have millions of them
            continue
        outer = _fields(record.text)
        field_names |= dict.fromkeys(outer)
        if resource.unwrap and resource.unwrap in outer:
            inner = _fields(bytes(outer[resource.unwrap]))
            field_names |= dict.fromkeys(inner)
    return [field_name for field_name in field_names if field_name not in known]


def held(
    page: Page, holder: Resource, ways: frozenset[JsonPath], *, whole: bool
) -> dict[JsonPath, list[bytes] | None]:
    """Return the records of other resources that a page holds, for each way to them; None where it has none.

    A way leads from a record of the page (or from what stands beside it) to their list. `whole`: as `records`
    was asked.
    """
    for shape in _shapes_of_held(holder, ways, whole=whole):
        try:
            held_value = _values_at(page, shape)
        except TransportError:
            continue
        held_items = [held_value] if holder.single else held_value or ()
        return {way: _texts_along(held_items, way) for way in ways}

    # something that is no object stands where one should be: only the way that leads there has nothing
    if len(ways) == 1:
        return dict.fromkeys(ways)
    texts_by_way: dict[JsonPath, list[bytes] | None] = {}
    for way in ways:
        texts_by_way |= held(page, holder, frozenset({way}), whole=whole)
    return texts_by_way


def _shapes_of_held(holder: Resource, ways: frozenset[JsonPath], *, whole: bool) -> Iterator[Shape]:
    """Return the shapes that the page may have, the one first by which `records` has read it already."""
    if whole and _are_beside(ways, holder):
        yield _apart(holder, ways)
    unwrap = None if whole or holder.single else holder.unwrap
    usual_shape = Shape(path=holder.path, listed=not holder.single, unwrap=unwrap, ways=ways)
    yield usual_shape
    yield replace(usual_shape, lists=False)  # where it is no list, one object counts as one


def _texts_along(items: Iterable[Any], way: JsonPath) -> list[bytes] | None:
    """Return the records at the end of a way from each of these items; None where none of them has it."""
    for key in way:
        attribute = f"{key}_"
        items = [getattr(item, attribute) for item in items if item is not None]
    values = [item for item in items if item is not None]
    if values and isinstance(values[0], list):
        return [*map(bytes, chain.from_iterable(values))]
    existing = _but_null(map(bytes, values))
    if not existing:
        return None
    return [*chain.from_iterable(map(_listed, existing))]


def _but_null(texts: Iterable[bytes]) -> list[bytes]:
    return [text for text in texts if text != NULL]


def as_listed(texts: Iterable[bytes], resource: Resource, *, whole: bool) -> list[Record]:
    """Return records as their own list would give them: with `whole` in their wrapper, else without."""
    existing = _but_null(texts)
    if resource.unwrap:
        existing = _as_wrapped(existing, resource.unwrap, whole=whole)
    return [Record(record_text, {}) for record_text in existing]


def _as_wrapped(texts: list[bytes], key: str, *, whole: bool) -> list[bytes]:
    quoted = _encode(key)
    if any(map(contains, texts, repeat(quoted))):  # it may be their wrapper, or a field of theirs
        reader = _opener(key)
        return [_wrapped(record_text, quoted, reader, whole=whole) for record_text in texts]
    if not whole:
        return texts
    return [b"{%b:%b}" % (quoted, record_text) for record_text in texts]


@cache
def _opener(key: str) -> Any:
    return msgspec.json.Decoder(around(key, msgspec.Raw))


def _wrapped(text: bytes, key: bytes, reader: Any, *, whole: bool) -> bytes:
    inner = NULL
    if key in text:
        try:
            inner = bytes(reader.decode(text).inner)
        except msgspec.DecodeError:  # no object: rejected as it stands
            return text
    is_wrapped = inner.startswith(
        b"{"
    )  # else what is named like the wrapper is a field of the record
    if is_wrapped == whole:
        return text
    if is_wrapped:
        return inner
    return b"{%b:%b}" % (key, text)


def _fields(text: bytes) -> Mapping[str, msgspec.Raw]:
    """Return the fields of an object as they stand; none of anything else."""
    try:
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
