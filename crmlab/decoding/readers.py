"""Objects, lists and values out of JSON text, a whole column at once; what does not fit costs only itself.

All objects of a batch go through Polars' reader together. Where that raises, the field that it
stumbled over is found and from then on read apart, as its exact JSON text: all other fields keep
their fast way, and of the one only what differs is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol

import msgspec
import polars as pl
from polars.exceptions import PolarsError

from crmlab.connector import JSON, Schema
from crmlab.decoding.misfits import MAX_KEPT, Misfits, is_vital, misfits_where
from crmlab.decoding.numbers import Fit, fit, imploded, inside, only, truths
from crmlab.decoding.strict import NUMBERS, as_text, fits, holds, shape, without_free_form

NULL = b"null"
_RAW_NULL = msgspec.Raw(NULL)
#: the JSON of an object, as msgspec takes it
Item = bytes | str | None
Items = Sequence[Item] | pl.Series
_BLANK = r'^"\s*"$'
_NO_ELEMENTS = r"^\[\s*\]$"
_NO_FIELDS = r"^\{\s*\}$"
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])


class Reader(Protocol):
    """Reads a column of JSON texts (null: not given) as one documented type."""

    def read(self, texts: pl.Series) -> Fit:
        """Return the values, and what could not be read."""


def reader(dtype: Any, field: str) -> Reader:
    """Return what reads JSON texts of that type; `field` is the way to them."""
    if isinstance(dtype, pl.Struct):
        fields: dict[str, Any] = {each.name: each.dtype for each in dtype.fields}
        return ObjectReader(fields, field)
    if isinstance(dtype, pl.List):
        return ListReader(dtype, field)
    if dtype == JSON:
        return ExactReader()
    if dtype == pl.String:
        return TextReader(field)
    return NumberReader(dtype, field)


class ExactReader:
    """Free-form fields: their very text."""

    def read(self, texts: pl.Series) -> Fit:
        return texts, []


class TextReader:
    """Text. Everything else becomes its JSON, but in an id, by which tables join."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._is_id = field.endswith("id") and is_vital(field)

    def read(self, texts: pl.Series) -> Fit:
        quoted = texts.str.starts_with('"')
        found = _strings(texts, quoted).zip_with(quoted.fill_null(value=False), texts)
        if not self._is_id:
            return found, []
        is_nested = _is_nested(texts)
        kept = only(found, ~is_nested)
        return kept, misfits_where(is_nested, texts, field=self._field, wanted="an id")


class NumberReader:
    """Numbers and truths: JSON's own, or text that says one."""

    def __init__(self, dtype: Any, field: str) -> None:
        self._dtype, self._field = dtype, field

    def read(self, texts: pl.Series) -> Fit:
        is_nested = _is_nested(texts)
        quoted = texts.str.starts_with('"')
        plain = only(texts, ~is_nested)
        scalars = _strings(texts, quoted).zip_with(quoted.fill_null(value=False), plain)
        if self._dtype == pl.Boolean:
            found, misfits = truths(scalars, self._field)
            wanted = "true or false"
        else:
            found, misfits = fit(scalars, self._dtype, self._field)
            wanted = "a whole number" if self._dtype == pl.Int64 else "a number"
        exact = [replace(each, raw=texts.gather(each.rows.head(MAX_KEPT))) for each in misfits]
        return found, [*exact, *misfits_where(is_nested, texts, field=self._field, wanted=wanted)]


class ListReader:
    """Lists. One value where several are documented is a list of one; ``""`` and ``{}`` are nothing."""

    def __init__(self, dtype: pl.List, field: str) -> None:
        self._dtype, self._field = dtype, field
        inner: Any = dtype.inner
        self._inner = reader(inner, field)
        self._is_of_objects = isinstance(inner, pl.Struct)

    def read(self, texts: pl.Series) -> Fit:
        is_list = texts.str.starts_with("[")
        is_object = texts.str.starts_with("{")
        nothing = texts.str.contains(f"{_BLANK}|{_NO_FIELDS}")
        is_single = ~is_list & ~nothing & is_object.eq(self._is_of_objects)
        wrapped = pl.lit("[") + pl.lit(texts) + pl.lit("]")
        lists = pl.select(pl.when(is_list).then(texts).when(is_single).then(wrapped)).to_series()
        strange = ~is_list & ~is_single & ~nothing
        found, misfits = self._lists(lists)
        return found, [*misfits, *misfits_where(strange, texts, field=self._field, wanted="a list")]

    def _lists(self, texts: pl.Series) -> Fit:
        try:
            return fit(texts.str.json_decode(as_text(self._dtype)), self._dtype, self._field)
        except PolarsError:
            pass
        apart = pl.Series([text is not None and not fits(text, self._dtype) for text in texts], dtype=pl.Boolean)
        try:
            rest = pl.select(pl.when(~apart).then(texts)).to_series().str.json_decode(as_text(self._dtype))
        except PolarsError:  # a number too long for the reader
            apart = texts.is_not_null()
            rest = pl.repeat(None, len(texts), dtype=as_text(self._dtype), eager=True)
        found, misfits = fit(rest, self._dtype, self._field)
        mended, more = self._one_by_one(pl.select(pl.when(apart).then(texts)).to_series())
        whole = pl.select(pl.when(apart).then(mended).otherwise(found)).to_series()
        return whole, [*misfits, *more]

    def _one_by_one(self, texts: pl.Series) -> Fit:
        """Read the elements apart, so that one which does not fit costs only itself."""
        elements: list[str | None] = []
        rows: list[int] = []
        for row, text in enumerate(texts):
            parts = [] if text is None else _ELEMENTS.decode(text)
            elements += [_text(part) for part in parts]
            rows += [row] * len(parts)
        where = pl.Series(rows, dtype=pl.UInt32)
        found, misfits = self._inner.read(pl.Series(elements, dtype=pl.String))
        return imploded(found, where, texts.is_not_null(), self._dtype), [each.at(where) for each in misfits]


class ObjectReader:
    """Objects. An empty list or blank text stands for none; with `required` it does not.

    Parameters
    ----------
    fields
        The documented fields with their types.
    field
        The way to the objects.
    wrapper, beside
        The key under which the fields stand where each object has a wrapper, and the fields beside it.
    """

    def __init__(
        self,
        fields: Schema,
        field: str,
        *,
        required: bool = False,
        wrapper: str | None = None,
        beside: Schema | None = None,
    ) -> None:
        self._field, self._required = field, required
        self._layout = Layout(wrapper=wrapper, beside=frozenset(beside or ()))
        self._fields: dict[str, Any] = {}
        for name, dtype in {**fields, **(beside or {})}.items():
            # inside other fields, free-form parts are not kept
            self._fields[name] = dtype if dtype == JSON else without_free_form(dtype)
        self._readers = {name: reader(dtype, inside(field, name)) for name, dtype in self._fields.items()}
        #: fields that are read apart: free-form ones, and those that were met with another shape than documented
        self.apart = {name for name, dtype in self._fields.items() if dtype == JSON}
        self._numeric = {name for name, dtype in self._fields.items() if holds(dtype, *NUMBERS)}
        #: the type of what is read together, by the fields that are not: making it costs more than a small batch
        self._types: dict[frozenset[str], pl.Struct] = {}

    def read(self, texts: pl.Series) -> Fit:
        is_object = texts.str.starts_with("{")
        if is_object.all() and not texts.null_count():
            frame, misfits = self.fields(texts, texts)
            return frame.to_struct(), misfits
        objects, strange = self.objects(texts)
        frame, misfits = self.fields(objects, objects)
        found = pl.select(pl.when(is_object).then(frame.to_struct())).to_series()
        return found, [*misfits, *strange]

    def objects(self, texts: pl.Series) -> tuple[pl.Series, list[Misfits]]:
        """Return the texts that are objects, null instead of others, and what cannot stand for one."""
        is_object = texts.str.starts_with("{")
        strange = ~is_object
        if not self._required:
            strange &= ~texts.str.contains(f"{_BLANK}|{_NO_ELEMENTS}")
        objects = only(texts, is_object)
        return objects, misfits_where(strange, texts, field=self._field, wanted="an object")

    def fields(self, texts: pl.Series, items: Items) -> tuple[pl.DataFrame, list[Misfits]]:
        """Return a column for each field; `texts` are objects or null, `items` the same for msgspec.

        Raises
        ------
        msgspec.DecodeError
            Something is no object, or has none in its wrapper.
        """
        apart, frame = self._together(texts, items)
        exact = self._layout.exact(items, tuple(name for name in self._fields if name in apart))
        columns: list[pl.Series] = []
        misfits: list[Misfits] = []
        for name, dtype in self._fields.items():
            if name in apart:
                column, found = self._readers[name].read(exact[name])
            elif name in self._numeric:
                column, found = fit(frame[name], dtype, inside(self._field, name))
            else:
                column = frame[name]
                found = []
            columns.append(column.alias(name))
            misfits += found
        return pl.DataFrame(columns), misfits

    def _together(self, texts: pl.Series, items: Items) -> tuple[set[str], pl.DataFrame]:
        """Read all fields at once that can be, numbers as text; return the names of the others too."""
        apart = set(self.apart)
        start = 0
        while len(apart) < len(self._fields):
            kept = {name: dtype for name, dtype in self._fields.items() if name not in apart}
            try:
                return apart, self._layout.decoded(texts, kept, self._as_text(kept, apart))
            except PolarsError:
                found, start = self._layout.first_strange(items, kept, start)
            if not found:  # such as a number too long for the reader: nothing is learnt from it
                break
            self.apart |= found
            apart |= found
        return set(self._fields), pl.DataFrame()

    def _as_text(self, kept: Schema, apart: set[str]) -> pl.Struct:
        """Return the type of objects with the fields that are kept, numbers as text."""
        key = frozenset(apart)
        if key not in self._types:
            self._types[key] = as_text(self._layout.dtype(kept))
        return self._types[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
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
        wrapped = {name: dtype for name, dtype in fields.items() if name not in self.beside}
        around = {name: dtype for name, dtype in fields.items() if name in self.beside}
        return pl.Struct({self.wrapper: pl.Struct(wrapped), **around} if wrapped else around)

    def decoded(self, texts: pl.Series, fields: Mapping[str, Any], dtype: pl.Struct) -> pl.DataFrame:
        """Return a column for each of these fields; `dtype` is that of the objects, numbers as text.

        Raises
        ------
        PolarsError
            One of them has another shape than documented somewhere.
        """
        frame = texts.str.json_decode(dtype).struct.unnest()
        is_wrapped = self.wrapper is not None and not self.beside.issuperset(fields)
        return frame.unnest(str(self.wrapper)) if is_wrapped else frame

    def first_strange(self, items: Items, fields: Mapping[str, Any], start: int) -> tuple[set[str], int]:
        """Return the fields of the first object that have another shape than documented, and where it stands."""
        whole = shape(self.dtype(fields))
        names = tuple(fields)
        for row in range(start, len(items)):
            try:
                whole.decode(items[row] or NULL)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                parts = self.raw_fields(items[row], names)
                return {name for name, raw in parts.items() if not fits(raw, fields[name])}, row
        return set(), len(items)

    def exact(self, items: Items, names: Sequence[str]) -> dict[str, pl.Series]:
        """Return the very text of each of these fields, null where it is null or absent."""
        if not names:
            return {}
        if self.wrapper is None:
            return _columns(names, _objects(items, _raw_fields(tuple(names))))
        around = tuple(name for name in names if name in self.beside)
        wrapped = tuple(name for name in names if name not in self.beside)
        objects = _objects(items, _raw_wrapper(self.wrapper, wrapped, around))
        records = [None if item is None else item.record for item in objects]
        return {**_columns(wrapped, records), **_columns(around, objects)}

    def raw_fields(self, item: Item, names: Sequence[str]) -> dict[str, bytes]:
        """Return these fields of an object as they stand."""
        return {name: text.encode() for name, [text] in self.exact([item], names).items() if text is not None}


def _objects(items: Items, decoder: msgspec.json.Decoder[Any]) -> list[Any]:
    return [None if item is None else decoder.decode(item) for item in items]


def _columns(names: Sequence[str], objects: Sequence[Any]) -> dict[str, pl.Series]:
    """Return the text of each field of these objects, which `_raw_object` described."""
    return {name: _texts(objects, f"field_{number}") for number, name in enumerate(names)}


def _texts(objects: Sequence[Any], field: str) -> pl.Series:
    found = [None if each is None else bytes(getattr(each, field)) for each in objects]
    frame = pl.DataFrame({"text": pl.Series(found, dtype=pl.Binary)})
    return frame.select(pl.when(pl.col("text") != NULL).then("text").cast(pl.String)).to_series()


@cache
def _raw_fields(names: tuple[str, ...]) -> Any:
    """Return what finds these fields in an object without looking inside them."""
    return msgspec.json.Decoder(_raw_object(names))


@cache
def _raw_wrapper(wrapper: str, names: tuple[str, ...], beside: tuple[str, ...]) -> Any:
    """Return what finds these fields of a wrapped record, and those beside the wrapper."""
    renamed = {"record": wrapper, **{f"field_{number}": name for number, name in enumerate(beside)}}
    fields: list[Any] = [("record", _raw_object(names) | None, None)]
    fields += [(f"field_{number}", msgspec.Raw, _RAW_NULL) for number in range(len(beside))]
    return msgspec.json.Decoder(msgspec.defstruct("Wrapper", fields, rename=renamed, gc=False))


def _raw_object(names: tuple[str, ...]) -> Any:
    renamed = {f"field_{number}": name for number, name in enumerate(names)}
    fields = [(own, msgspec.Raw, _RAW_NULL) for own in renamed]
    return msgspec.defstruct("Fields", fields, rename=renamed, gc=False)


def _text(raw: msgspec.Raw) -> str | None:
    text = bytes(raw)
    return None if text == NULL else text.decode()


def _is_nested(texts: pl.Series) -> pl.Series:
    return texts.str.starts_with("{") | texts.str.starts_with("[")


def _strings(texts: pl.Series, quoted: pl.Series) -> pl.Series:
    """Return what the quoted ones say; null for all others."""
    return only(texts, quoted).str.json_decode(pl.String)
