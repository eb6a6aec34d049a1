"""Objects, lists and values out of JSON text, a whole column at once; what does not fit costs only itself.

All objects of a batch go through Polars' reader together. Where that raises, the field that it
stumbled over is found and from then on read apart, as its exact JSON text: all other fields keep
their fast way, and of the one only what differs is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Protocol

import msgspec
import polars as pl
from polars.exceptions import PolarsError

from crmlab.connector import JSON
from crmlab.decoding.misfits import MAX_KEPT, Misfits, is_vital, misfits_where
from crmlab.decoding.numbers import Fit, fit, imploded, inside, truths
from crmlab.decoding.strict import as_text, fits, holds, shape, without_free_form

NULL = b"null"
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
        return ObjectReader(dtype, field)
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
        found = pl.select(pl.when(quoted).then(_strings(texts, quoted)).otherwise(texts)).to_series()
        if not self._is_id:
            return found, []
        is_nested = _is_nested(texts)
        kept = pl.select(pl.when(~is_nested).then(found)).to_series()
        return kept, misfits_where(is_nested, texts, field=self._field, wanted="an id")


class NumberReader:
    """Numbers and truths: JSON's own, or text that says one."""

    def __init__(self, dtype: Any, field: str) -> None:
        self._dtype, self._field = dtype, field

    def read(self, texts: pl.Series) -> Fit:
        is_nested = _is_nested(texts)
        quoted = texts.str.starts_with('"')
        plain = pl.when(quoted).then(_strings(texts, quoted)).when(~is_nested).then(texts)
        scalars = pl.select(plain).to_series()
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

    `transparent` names a field whose own fields are called as if they stood beside it: the wrapper of a record.
    """

    def __init__(self, dtype: pl.Struct, field: str, *, required: bool = False, transparent: str | None = None) -> None:
        self._field, self._required = field, required
        self._fields = {each.name: each.dtype for each in dtype.fields}
        for name, inner in self._fields.items():
            if inner != JSON and name != transparent:  # inside other fields, free-form parts are not kept
                self._fields[name] = without_free_form(inner)
        self._ways = {name: field if name == transparent else inside(field, name) for name in self._fields}
        self._readers = {name: reader(inner, self._ways[name]) for name, inner in self._fields.items()}
        if transparent is not None:
            wrapped: Any = self._fields[transparent]
            self._readers[transparent] = ObjectReader(wrapped, field, required=True)
        #: fields that are read apart: free-form ones, and those that were met with another shape than documented
        self.apart = {name for name, inner in self._fields.items() if holds(inner, JSON)}

    def read(self, texts: pl.Series) -> Fit:
        is_object = texts.str.starts_with("{")
        if is_object.all() and not texts.null_count():
            frame, misfits = self.fields(texts)
            return frame.to_struct(), misfits
        strange = ~is_object
        if not self._required:
            strange &= ~texts.str.contains(f"{_BLANK}|{_NO_ELEMENTS}")
        objects = pl.select(pl.when(is_object).then(texts)).to_series()
        frame, misfits = self.fields(objects)
        found = pl.select(pl.when(is_object).then(frame.to_struct())).to_series()
        return found, [*misfits, *misfits_where(strange, texts, field=self._field, wanted="an object")]

    def fields(self, texts: pl.Series) -> tuple[pl.DataFrame, list[Misfits]]:
        """Return a column for each field; `texts` are objects or null."""
        apart, frame = self._together(texts)
        exact = _exact(texts, tuple(name for name in self._fields if name in apart))
        columns: list[pl.Series] = []
        misfits: list[Misfits] = []
        for name, dtype in self._fields.items():
            if name in apart:
                column, found = self._readers[name].read(exact[name])
            else:
                column, found = fit(frame[name], dtype, self._ways[name])
            columns.append(column.alias(name))
            misfits += found
        return pl.DataFrame(columns), misfits

    def _together(self, texts: pl.Series) -> tuple[set[str], pl.DataFrame]:
        """Read all fields at once that can be, numbers as text; return the names of the others too."""
        apart = set(self.apart)
        start = 0
        while len(apart) < len(self._fields):
            kept = {name: dtype for name, dtype in self._fields.items() if name not in apart}
            try:
                return apart, texts.str.json_decode(as_text(pl.Struct(kept))).struct.unnest()
            except PolarsError:
                found, start = _first_strange(texts, kept, start)
            if not found:  # such as a number too long for the reader: nothing is learnt from it
                break
            self.apart |= found
            apart |= found
        return set(self._fields), pl.DataFrame()


def _first_strange(texts: pl.Series, fields: dict[str, Any], start: int) -> tuple[set[str], int]:
    """Return the fields of the first object that have another shape than documented, and where it stands."""
    whole = shape(pl.Struct(fields))
    for row, text in enumerate(texts[start:], start):
        try:
            whole.decode(text or NULL)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            parts = _raw_fields(tuple(fields)).decode(text)
            return {name for name, raw in zip(fields, _values(parts), strict=True) if not fits(raw, fields[name])}, row
    return set(), len(texts)


def _exact(texts: pl.Series, names: Sequence[str]) -> dict[str, pl.Series]:
    """Return the very text of each of these fields, null where it is null or absent."""
    if not names:
        return {}
    found = _raw_fields(tuple(names))
    rows = [_values(found.decode(text or b"{}")) for text in texts]
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return {name: _texts(column) for name, column in zip(names, columns, strict=True)}


def _texts(values: Iterable[Any]) -> pl.Series:
    frame = pl.DataFrame({"text": pl.Series([bytes(value) for value in values], dtype=pl.Binary)})
    return frame.select(pl.when(pl.col("text") != NULL).then("text").cast(pl.String)).to_series()


@cache
def _raw_fields(names: tuple[str, ...]) -> Any:
    """Return what finds these fields in an object without looking inside them."""
    renamed = {f"field_{number}": name for number, name in enumerate(names)}
    fields = [(own, msgspec.Raw, msgspec.Raw(NULL)) for own in renamed]
    return msgspec.json.Decoder(msgspec.defstruct("Fields", fields, rename=renamed, gc=False))


def _values(fields: Any) -> tuple[Any, ...]:
    return msgspec.structs.astuple(fields)


def _text(raw: msgspec.Raw) -> str | None:
    text = bytes(raw)
    return None if text == NULL else text.decode()


def _is_nested(texts: pl.Series) -> pl.Series:
    return texts.str.starts_with("{") | texts.str.starts_with("[")


def _strings(texts: pl.Series, quoted: pl.Series) -> pl.Series:
    """Return what the quoted ones say; null for all others."""
    return pl.select(pl.when(quoted).then(texts)).to_series().str.json_decode(pl.String)
