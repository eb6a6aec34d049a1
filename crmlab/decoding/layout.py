"""Where the fields of objects stand, and the very text of each: found by msgspec, without looking inside them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache, cached_property
from operator import attrgetter
from typing import Any

import msgspec
import polars as pl

from crmlab.decoding.strict import ESCAPED, fits, shape

NULL = b"null"
_RAW_NULL = msgspec.Raw(NULL)
#: the JSON of an object, as msgspec takes it
Item = bytes | str | None
Items = Sequence[Item] | pl.Series
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
#: bytes that Polars' reader takes apart at once. It makes a tree of them, some ten times as large: that of a whole
#: batch costs a third more CPU, because it does not fit the processor's cache and its memory is new
_SLICE = 400_000
_encode = msgspec.json.Encoder().encode


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fields of an object stand: right inside it, or in a wrapper with others beside that.

    With the wrapper ``deal`` and ``next`` beside it, the fields of ``{"deal": {"id": 1}, "next": 2}`` are ``id`` and
    ``next``.
    """

    wrapper: str | None = None
    beside: frozenset[str] = frozenset()

    def dtype(self, fields: Mapping[str, Any]) -> pl.Struct:
        """Return the type of an object with these fields."""
        if self.wrapper is None:
            return pl.Struct(dict(fields))
        wrapped: dict[str, Any] = {}
        around: dict[str, Any] = {}
        for field_name, field_type in fields.items():
            destination = around if field_name in self.beside else wrapped
            destination[field_name] = field_type
        if not wrapped:
            return pl.Struct(around)
        return pl.Struct({self.wrapper: pl.Struct(wrapped), **around})

    def decoded(
        self, texts: pl.Series, fields: Mapping[str, Any], dtype: pl.Struct
    ) -> pl.DataFrame:
        """Return a column for each of these fields; `dtype` is that of the objects, numbers as text.

        Raises
        ------
        PolarsError
            One of them has another shape than documented somewhere.
        """
        frame = json_decoded(texts, dtype).struct.unnest()
        if self.wrapper is None or self.beside.issuperset(fields):
            return frame
        return frame.unnest(self.wrapper)

    def names(self, item: Item) -> list[str]:
        """Return the names of an object's fields, in their order; none where it is no object."""
        try:
            members = _MEMBERS.decode(item or NULL)
            if self.wrapper in members:
                members = _MEMBERS.decode(members[self.wrapper])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return []
        return [*members]

    def first_strange(
        self, items: Items, fields: Mapping[str, Any], start: int
    ) -> tuple[set[str], int]:
        """Return the fields of the first object that have another shape than documented, and where it stands."""
        accepted = shape(self.dtype(fields))
        names = tuple(fields)
        # what stands under an escaped name, the shape does not look at
        looks_at_all = not any(map(ESCAPED.search, names))
        for row_number in range(start, len(items)):
            if looks_at_all and _is_accepted(items[row_number], accepted):
                continue
            strange: set[str] = set()
            for name, text in self.raw_fields(items[row_number], names).items():
                if not fits(text, fields[name]):
                    strange.add(name)
            if strange or looks_at_all:
                return strange, row_number
        return set(), len(items)

    def strange(self, items: Items, name: str, dtype: Any) -> list[int]:
        """Return the objects in which this field has another shape than documented."""
        strange: list[int] = []
        if ESCAPED.search(name):
            raw_texts = self.opened(items, [name]).texts([name])[name]
            for row_number, raw_text in enumerate(raw_texts):
                if raw_text is not None and not fits(raw_text.encode(), dtype):
                    strange.append(row_number)
            return strange
        accepted = shape(self.dtype({name: dtype}))
        for row_number, record_item in enumerate(items):
            if not _is_accepted(record_item, accepted):
                strange.append(row_number)
        return strange

    def strange_at_first_sight(self, texts: pl.Series, name: str, dtype: Any) -> list[int]:
        """Return the objects in which something of this name begins as this field never does, ten times as fast."""
        key = re.escape(json.dumps(name, ensure_ascii=False))
        return texts.str.contains(rf"{key}\s*:\s*[^\s{_begins(dtype)}]").arg_true().to_list()

    def opened(self, items: Items, names: Sequence[str]) -> Opened | Members:
        """Return the objects with these fields as they stand.

        Raises
        ------
        msgspec.DecodeError
            Something is no object, or has none in its wrapper.
        """
        if any(map(ESCAPED.search, names)):
            return Members(self, tuple(names), items)
        decode = _opener(tuple(names), self.wrapper, self.beside).decode
        objects = [None if body is None else decode(body) for body in items]
        return Opened(self, tuple(names), objects)

    def narrowed(self, items: Items, names: Sequence[str]) -> list[bytes | None]:
        """Return the objects as JSON with these fields only, which are as they stood.

        Raises
        ------
        msgspec.DecodeError
            Something is no object, or has none in its wrapper.
        """
        if any(map(ESCAPED.search, names)):
            return Members(self, tuple(names), items).narrowed()
        decode = _opener(tuple(names), self.wrapper, self.beside).decode
        # each is written as soon as it is read: a thousand of them would have left the processor's cache by then
        return [None if body is None else _encode(decode(body)) for body in items]

    def raw_fields(self, item: Item, names: Sequence[str]) -> dict[str, bytes]:
        """Return these fields of an object as they stand."""
        raw: dict[str, bytes] = {}
        for field_name, [text] in self.opened([item], names).texts(names).items():
            if text is not None:
                raw[field_name] = text.encode()
        return raw


class Opened:
    """Objects of which some fields are there as they stand; `Layout.opened` makes them."""

    def __init__(self, layout: Layout, names: tuple[str, ...], objects: Sequence[Any]) -> None:
        self._layout = layout
        self._objects = objects
        self._attributes = _attributes(names)

    def texts(self, names: Sequence[str]) -> dict[str, pl.Series]:
        """Return the very text of each of these fields, null where it is null or absent."""
        return {name: _texts(self._holders(name), self._attributes[name]) for name in names}

    def _holders(self, name: str) -> Sequence[Any]:
        """Return the objects in which a field stands."""
        if self._layout.wrapper is None or name in self._layout.beside:
            return self._objects
        return self._wrapped

    @cached_property
    def _wrapped(self) -> Sequence[Any]:
        return [None if outer is None else outer.record for outer in self._objects]


class Members:
    """Objects as mappings, for names that JSON writes with an escape: a class cannot have them. Slower."""

    def __init__(self, layout: Layout, names: tuple[str, ...], items: Items) -> None:
        self._layout = layout
        self._names = names
        self._objects = [_MEMBERS.decode(record_item or b"{}") for record_item in items]
        self._wrapped = [self._inside(members) for members in self._objects]

    def _inside(self, members: Mapping[str, msgspec.Raw]) -> Mapping[str, msgspec.Raw]:
        """Return what is in the wrapper."""
        if self._layout.wrapper is None:
            return members
        return _MEMBERS.decode(members.get(self._layout.wrapper, b"{}"))

    def texts(self, names: Sequence[str]) -> dict[str, pl.Series]:
        """Return the very text of each of these fields, null where it is null or absent."""
        columns: dict[str, pl.Series] = {}
        for field_name in names:
            holders = self._objects if field_name in self._layout.beside else self._wrapped
            columns[field_name] = _given(
                [members.get(field_name, _RAW_NULL) for members in holders]
            )
        return columns

    def narrowed(self) -> list[bytes | None]:
        """Return the objects as JSON with these fields only."""
        objects: list[bytes | None] = []
        for outer, inner in zip(self._objects, self._wrapped, strict=True):
            objects.append(_encode(self._narrowed(outer, inner)))
        return objects

    def _narrowed(self, outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
        wrapped: dict[str, Any] = {}
        around: dict[str, Any] = {}
        for field_name in self._names:
            if field_name in self._layout.beside:
                if field_name in outer:
                    around[field_name] = outer[field_name]
            elif field_name in inner:
                wrapped[field_name] = inner[field_name]
        if self._layout.wrapper is None:
            return wrapped
        return {self._layout.wrapper: wrapped, **around}


def raw_members(json: bytes | msgspec.Raw, names: Collection[str]) -> dict[str, msgspec.Raw]:
    """Return these fields of an object as they stand, those that are there.

    Others are not even looked at, unless JSON writes one of the names with an escape.

    Raises
    ------
    msgspec.DecodeError
        It is no object.
    """
    if any(map(ESCAPED.search, names)):
        every_member = _MEMBERS.decode(json)
        return {name: every_member[name] for name in names if name in every_member}
    in_order = tuple(sorted(names))
    members = _opener(in_order, None, frozenset()).decode(json)
    found: dict[str, msgspec.Raw] = {}
    for name, attribute in _attributes(in_order).items():
        value = getattr(members, attribute)
        if value is not _RAW_NULL:
            found[name] = value
    return found


def json_decoded(texts: pl.Series, dtype: pl.DataType, *, slice_bytes: int = _SLICE) -> pl.Series:
    """Return what JSON holds, read in slices of about so many bytes.

    Raises
    ------
    PolarsError
        One of the texts has another shape than documented.
    """
    slices = 1 + int(texts.str.len_bytes().sum()) // slice_bytes
    slice_rows = 1 + len(texts) // slices
    # one slice at least: that of no texts has the right type
    starts = range(0, max(1, len(texts)), slice_rows)
    columns = [texts.slice(first_row, slice_rows).str.json_decode(dtype) for first_row in starts]
    return pl.concat(columns, rechunk=True)


def as_texts(found: Sequence[bytes | None]) -> pl.Series:
    """Return JSON as texts."""
    return pl.Series(found, dtype=pl.Binary).cast(pl.String)


def _texts(objects: Sequence[Any], field: str) -> pl.Series:
    value_of = attrgetter(field)
    return _given([_RAW_NULL if each is None else value_of(each) for each in objects])


def _given(values: Iterable[msgspec.Raw]) -> pl.Series:
    """Return values as texts, null where JSON says null."""
    return as_texts([None if text == NULL else text for text in map(bytes, values)])


def _begins(dtype: Any) -> str:
    """Return the characters with which JSON of this type begins, null's too, for a class of a regular expression."""
    if isinstance(dtype, pl.Struct):
        return "{n"
    if isinstance(dtype, pl.List):
        if isinstance(dtype.inner, pl.Struct):
            return r"\[n"
        # a single value counts as a list of one; an object does not
        return rf"\[{_begins(dtype.inner)}"
    return "tfn" if dtype == pl.Boolean else r'"\dtfn-'


def _is_accepted(item: Item, whole: msgspec.json.Decoder[Any]) -> bool:
    try:
        whole.decode(item or NULL)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _attributes(names: Sequence[str]) -> dict[str, str]:
    """Return the attribute of each field in the class that `_opener` makes: a name may be no word of Python."""
    return {name: f"field_{number}" for number, name in enumerate(names)}


@cache
def _opener(names: tuple[str, ...], wrapper: str | None, beside: frozenset[str]) -> Any:
    """Return what finds these fields in an object without looking inside them."""
    wrapped: dict[str, str] = {}
    around: dict[str, str] = {}
    for field_name, attribute in _attributes(names).items():
        is_around = wrapper is None or field_name in beside
        destination = around if is_around else wrapped
        destination[attribute] = field_name
    if wrapper is None:
        return msgspec.json.Decoder(_raw_object(around))
    record = _raw_object(wrapped)
    return msgspec.json.Decoder(_raw_object(around, record=(wrapper, record)))


def _raw_object(attributes: Mapping[str, str], record: tuple[str, Any] | None = None) -> Any:
    """Return a class of objects with these fields as they stand, and a record in its wrapper; any may be absent."""
    fields: list[Any] = [(attribute, msgspec.Raw, _RAW_NULL) for attribute in attributes]
    renamed = dict(attributes)
    if record:
        wrapper, inner = record
        fields.append(("record", inner | None, None))
        renamed["record"] = wrapper
    return msgspec.defstruct("Fields", fields, rename=renamed, gc=False, omit_defaults=True)
