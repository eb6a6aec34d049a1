"""Objects, lists and values out of JSON text, a whole column at once; what does not fit costs only itself.

All objects of a batch go through Polars' reader together. Where that raises, the field that it
stumbled over is found. From then on, where few objects differ in it, their values alone are read apart, as exact
JSON text; where many do, the field is read apart in all of them. All other fields keep their fast way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from typing import Any, Protocol

import msgspec
import polars as pl
from msgspec.structs import replace
from polars.exceptions import PolarsError

from crmlab.connector import JSON, Schema
from crmlab.decoding.layout import NULL, Items, Layout, as_texts, json_decoded
from crmlab.decoding.misfits import MAX_KEPT, Misfits, all_at, is_vital, misfits_where
from crmlab.decoding.numbers import Fit, fit, imploded, inside, only, truths
from crmlab.decoding.odd_values import OddValues, with_values
from crmlab.decoding.single_objects import is_single, lists_of_one
from crmlab.decoding.strict import NUMBERS, as_text, fits, holds, without_free_form

#: fields of an object beyond which Polars' reader keeps them in a hash table, at several times the cost
_MAX_FIELDS = 32
#: one object in so many may have a field of another shape before that field is read apart in all of them
_ONE_IN = 10
#: objects, evenly spread, of which the fields are counted
_SAMPLE = 8
#: objects that are looked at one by one before the first are read together
_FIRST = 100
_BLANK = r'^"\s*"$'
_NO_ELEMENTS = r"^\[\s*\]$"
_NO_FIELDS = r"^\{\s*\}$"
_OUTERMOST = Layout()
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_NESTED = r"^[\[{]"
#: the JSON of a value
_TEXT = pl.col("text")
_IS_QUOTED = _TEXT.str.starts_with('"')
#: what `_said` returns
_SAID = (
    pl.when(_IS_QUOTED)
    .then(pl.when(_IS_QUOTED).then(_TEXT).str.json_decode(pl.String))
    .otherwise(_TEXT)
)
#: what a misfit is told to be none of; all other types are numbers
_WANTED = {pl.Boolean: "true or false", pl.Int64: "a whole number"}


class Reader(Protocol):
    """Reads a column of JSON texts (null: not given) as one documented type."""

    def read(self, texts: pl.Series) -> Fit:
        """Return the values, and what could not be read."""


def reader(dtype: Any, field: str) -> Reader:
    """Return what reads JSON texts of that type; `field` is the way to them."""
    if isinstance(dtype, pl.Struct):
        fields: dict[str, Any] = {part.name: part.dtype for part in dtype.fields}
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
        if not self._is_id:
            return _said(texts), []
        scalars, is_nested = _scalars(texts)
        return _said(scalars), misfits_where(is_nested, texts, field=self._field, wanted="an id")


class NumberReader:
    """Numbers and truths: JSON's own, or text that says one."""

    def __init__(self, dtype: Any, field: str) -> None:
        self._dtype = dtype
        self._field = field
        self._wanted = _WANTED.get(dtype, "a number")

    def read(self, texts: pl.Series) -> Fit:
        scalars, is_nested = _scalars(texts)
        scalar_texts = _said(scalars)
        if self._dtype == pl.Boolean:
            column, misfits = truths(scalar_texts, self._field)
        else:
            column, misfits = fit(scalar_texts, self._dtype, self._field)
        # what came, and not what was made of it: `12.50` is told as it stood
        exact: list[Misfits] = []
        for misfit in misfits:
            values = texts.gather(misfit.rows.head(MAX_KEPT))
            exact.append(replace(misfit, values=values, as_json=str))
        nested = misfits_where(is_nested, texts, field=self._field, wanted=self._wanted)
        return column, [*exact, *nested]


class ListReader:
    """Lists. One value where several are documented is a list of one; ``""`` and ``{}`` are nothing.

    An object without a documented field is no element: it may be an envelope around the list.
    """

    def __init__(self, dtype: pl.List, field: str) -> None:
        self._dtype = dtype
        self._field = field
        self._inner = reader(dtype.inner, field)
        self._as_text = as_text(dtype)
        self._names: set[str] = set()
        if isinstance(dtype.inner, pl.Struct):
            self._names = {part.name for part in dtype.inner.fields}
        is_list = _TEXT.str.starts_with("[")
        is_nothing = _TEXT.str.contains(f"{_BLANK}|{_NO_FIELDS}")
        is_object = _TEXT.str.starts_with("{")
        is_element = is_object.eq(bool(self._names))
        is_single = ~is_list & ~is_nothing & is_element
        wrapped = pl.format("[{}]", _TEXT)
        self._lists_in_text = pl.when(is_list).then(_TEXT).when(is_single).then(wrapped)
        self._is_strange = ~is_list & ~is_single & ~is_nothing
        # most objects tell by their text alone whether they have a documented field
        any_name = "|".join(re.escape(json.dumps(name, ensure_ascii=False)) for name in self._names)
        has_no_name = ~_TEXT.str.contains(rf"{any_name}|\\")
        begins_with_name = _TEXT.str.contains(rf"^\{{\s*(?:{any_name})\s*:")
        self._is_envelope = is_object & has_no_name & ~is_nothing
        self._may_be_envelope = is_object & ~has_no_name & ~begins_with_name

    def read(self, texts: pl.Series) -> Fit:
        if texts.str.starts_with("[").all():
            return self._lists(texts)
        is_envelope = self._envelopes(texts)
        if is_envelope.all():
            column = pl.repeat(None, len(texts), dtype=self._dtype, eager=True)
            return column, misfits_where(is_envelope, texts, field=self._field, wanted="a list")
        json_lists = _made_of(texts, self._lists_in_text)
        column, misfits = self._lists(only(json_lists, ~is_envelope))
        is_strange = _made_of(texts, self._is_strange) | is_envelope
        strange = misfits_where(is_strange, texts, field=self._field, wanted="a list")
        return column, [*misfits, *strange]

    def _envelopes(self, texts: pl.Series) -> pl.Series:
        """Tell which are objects where objects are documented, but have other fields than these."""
        if not self._names:
            return pl.repeat(value=False, n=len(texts), eager=True)
        is_envelope = _made_of(texts, self._is_envelope).fill_null(value=False)
        if is_envelope.all():
            return is_envelope
        doubtful = _made_of(texts, self._may_be_envelope).arg_true()
        marks = [self._lacks_all(json_text) for json_text in texts.gather(doubtful)]
        return is_envelope.scatter(doubtful, marks)

    def _lacks_all(self, json_text: str) -> bool:
        """Whether an object has fields, and none of the documented ones."""
        names = _OUTERMOST.names(json_text)
        return bool(names) and self._names.isdisjoint(names)

    def _lists(self, texts: pl.Series) -> Fit:
        if texts.null_count() == len(texts):
            return pl.repeat(None, len(texts), dtype=self._dtype, eager=True), []
        try:
            return fit(json_decoded(texts, self._as_text), self._dtype, self._field)
        except PolarsError:
            pass  # one element is enough: most of the others can be read together all the same
        odd_marks = [text is not None and not fits(text, self._dtype) for text in texts]
        is_odd = pl.Series(odd_marks, dtype=pl.Boolean)
        if is_odd.sum() + texts.null_count() == len(texts):
            return self._one_by_one(texts)
        try:
            usual = json_decoded(only(texts, ~is_odd), self._as_text)
        except PolarsError:  # a number too long for the reader
            return self._one_by_one(texts)
        column, misfits = fit(usual, self._dtype, self._field)
        mended, odd_misfits = self._one_by_one(only(texts, is_odd))
        lists = pl.select(pl.when(is_odd).then(mended).otherwise(column)).to_series()
        return lists, [*misfits, *odd_misfits]

    def _one_by_one(self, texts: pl.Series) -> Fit:
        """Read the elements apart, so that one which does not fit costs only itself."""
        elements: list[str | None] = []
        list_numbers: list[int] = []
        for list_number, json_text in enumerate(texts):
            if json_text is None:
                continue
            raw_elements = _ELEMENTS.decode(json_text)
            elements += [_text(raw_element) for raw_element in raw_elements]
            list_numbers += [list_number] * len(raw_elements)
        element_rows = pl.Series(list_numbers, dtype=pl.UInt32)
        values, misfits = self._inner.read(pl.Series(elements, dtype=pl.String))
        lists = imploded(values, element_rows, texts.is_not_null(), self._dtype)
        return lists, all_at(misfits, element_rows)


class ObjectReader:
    """Objects. An empty list or blank text stands for none.

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
        wrapper: str | None = None,
        beside: Schema | None = None,
    ) -> None:
        beside = beside or {}
        self._field = field
        self._layout = Layout(wrapper=wrapper, beside=frozenset(beside))
        self._fields: dict[str, Any] = {}
        #: fields that are read apart in all objects: free-form ones, and those that often have another shape
        self.apart: set[str] = set()
        self._numeric: set[str] = set()
        for field_name, field_type in {**fields, **beside}.items():
            if field_type == JSON:
                self._fields[field_name] = field_type
                self.apart.add(field_name)
            else:
                # inside other fields, free-form parts are not kept
                self._fields[field_name] = without_free_form(field_type)
            if holds(self._fields[field_name], *NUMBERS):
                self._numeric.add(field_name)
        #: the type in which each field comes: another one where single objects come in place of lists, or words in
        #: place of true and false
        self._coming = dict(self._fields)
        #: made when they are needed: most fields are as documented, and are read together
        self._readers: dict[str, Reader] = {}
        #: fields that have another shape than documented now and then: only those values are read apart
        self._unsteady: set[str] = set()
        #: those of them that have it somewhere inside, so that each value must be looked at
        self._unsteady_inside: set[str] = set()
        self._is_new = True
        #: the fields in the order of the first object that has many others: so msgspec finds them fastest
        self._names: list[str] = []

        #: the type of what is read together, by the fields that are not, and by those that come in another type: making
        #: it costs more than a small batch
        self._types: dict[tuple[frozenset[str], frozenset[str]], pl.Struct] = {}

    def read(self, texts: pl.Series) -> Fit:
        is_object = texts.str.starts_with("{")
        if is_object.all(ignore_nulls=False):
            frame, misfits = self.fields(texts, texts)
            return frame.to_struct(), misfits
        is_strange = ~is_object & ~texts.str.contains(f"{_BLANK}|{_NO_ELEMENTS}")
        strange = misfits_where(is_strange, texts, field=self._field, wanted="an object")
        if not is_object.any():
            return pl.repeat(None, len(texts), dtype=pl.Struct(self._fields), eager=True), strange
        objects = only(texts, is_object)
        frame, misfits = self.fields(objects, objects)
        column = pl.select(pl.when(is_object).then(frame.to_struct())).to_series()
        return column, [*misfits, *strange]

    def fields(self, texts: pl.Series, items: Items) -> tuple[pl.DataFrame, list[Misfits]]:
        """Return a column for each field; `texts` are objects or null, `items` the same for msgspec.

        Raises
        ------
        msgspec.DecodeError
            Something is no object, or has none in its wrapper.
        """
        narrow_items = self.narrowed(items)
        if narrow_items:
            items = narrow_items
            texts = as_texts(narrow_items)
        apart, odd_values, fields_frame = self._together(texts, items)
        apart_names = [field_name for field_name in self._fields if field_name in apart]
        exact_texts: Mapping[str, pl.Series] = {}
        if apart_names:
            exact_texts = self._layout.opened(items, apart_names).texts(apart_names)
        columns: list[pl.Series] = []
        misfits: list[Misfits] = []
        for field_name in self._fields:
            if field_name in apart:
                column, field_misfits = self._reader(field_name).read(exact_texts[field_name])
            else:
                column, field_misfits = self._fitted(field_name, fields_frame[field_name], items)
                if odd_values and field_name in odd_values:
                    read = self._reader(field_name).read
                    column, odd_misfits = odd_values.mended(column, field_name, read)
                    field_misfits += odd_misfits
            columns.append(column.alias(field_name))
            misfits += field_misfits
        return pl.DataFrame(columns), misfits

    def narrowed(self, items: Items) -> list[bytes | None]:
        """Return objects without the fields which nobody reads, where these are many; else none.

        Raises
        ------
        msgspec.DecodeError
            Something is no object, or has none in its wrapper.
        """
        if not self._is_wide(items):
            return []
        return self._layout.narrowed(items, self._names)

    def _fitted(self, name: str, column: pl.Series, items: Items) -> Fit:
        """Return a field that was read together with others as its type has it."""
        if column.dtype == pl.String and self._fields[name] == pl.Boolean:
            return truths(column, inside(self._field, name))
        bare_rows = pl.Series(dtype=pl.UInt32)
        if is_single(column.dtype, self._fields[name]):
            column, bare_rows = lists_of_one(column)
        misfits: list[Misfits] = []
        if name in self._numeric:
            column, misfits = fit(column, self._fields[name], inside(self._field, name))
        if bare_rows.is_empty():
            return column, misfits
        # in most of them there is nothing at all, which their very text tells
        bare_items = [items[row_number] for row_number in bare_rows]
        texts = self._layout.opened(bare_items, [name]).texts([name])[name]
        has_fields = ~texts.str.contains(_NO_FIELDS)
        if has_fields.any():
            bare_rows = bare_rows.filter(has_fields)
            bare, bare_misfits = self._reader(name).read(texts.filter(has_fields))
            column = with_values(column, bare_rows, bare)
            misfits += all_at(bare_misfits, bare_rows)
        return column, misfits

    def _reader(self, name: str) -> Reader:
        """Return what reads the values of a field apart."""
        if name not in self._readers:
            self._readers[name] = reader(self._fields[name], inside(self._field, name))
        return self._readers[name]

    def _is_wide(self, items: Items) -> bool:
        """Whether objects have so many fields that nobody reads that it is faster to take these out before.

        Where some have, it pays for all: it takes no longer for the others.
        """
        sample = items[:: max(1, len(items) // _SAMPLE)]
        first_names = max(map(self._layout.names, sample), key=len, default=[])
        if len(first_names) <= max(_MAX_FIELDS, len(self._fields) * 5 // 4):
            return False
        if not self._names:
            positions = {field_name: position for position, field_name in enumerate(first_names)}
            self._names = sorted(
                self._fields, key=lambda field_name: positions.get(field_name, len(first_names))
            )
        return True

    def _together(
        self, texts: pl.Series, items: Items
    ) -> tuple[frozenset[str], OddValues | None, pl.DataFrame]:
        """Read all fields at once that can be, numbers as text, but for odd values.

        Return the names of the other fields, the odd values, and a column for each field.
        """
        start_row = 0
        while True:
            odd_values = self._odd_values(texts, items)
            apart = frozenset(self.apart)
            together = self._fields_but(apart)
            if not together:
                break
            steady = texts
            if odd_values:
                steady = odd_values.left_out(texts)
            try:
                fields_frame = self._layout.decoded(
                    steady, together, self._as_text(together, apart)
                )
            except PolarsError:
                pass  # some field has another shape than documented: which one, is looked for below
            else:
                return apart, odd_values, fields_frame

            if self._is_new:
                # a few objects tell most of it, for less than reading all of them in vain
                self._is_new = False
                self._meet_all(items[:_FIRST])
                if self._unsteady:
                    continue
            strange, start_row = self._meet(items, start_row)
            if not strange and not self._look_inside():  # such as a number too long for the reader
                break
        return frozenset(self._fields), None, pl.DataFrame()

    def _meet_all(self, items: Items) -> None:
        """Learn which fields have another shape than documented."""
        strange, start_row = self._meet(items, 0)
        while strange:
            strange, start_row = self._meet(items, start_row)

    def _meet(self, items: Items, start: int) -> tuple[set[str], int]:
        """Return further fields of another shape than documented, and the first object that has them."""
        steady = self._fields_but(self.apart | self._unsteady)
        strange, strange_row = self._layout.first_strange(items, steady, start)
        self._unsteady |= strange
        return strange, strange_row

    def _fields_but(self, names: Set[str]) -> dict[str, Any]:
        """Return the fields without these, with the types in which they come."""
        return {name: dtype for name, dtype in self._coming.items() if name not in names}

    def _look_inside(self) -> bool:
        """Look at every value of unsteady fields from now on, and not at how it begins; return whether that is new."""
        unsteady = frozenset(self._unsteady)  # batches in other threads add to it
        nested = {field_name for field_name in unsteady if self._fields[field_name].is_nested()}
        is_new = nested > self._unsteady_inside
        self._unsteady_inside |= nested
        return is_new

    def _odd_values(self, texts: pl.Series, items: Items) -> OddValues | None:
        """Return the values of unsteady fields that have another shape; what has it often is read apart from now on."""
        odd_names: list[str] = []
        odd_rows: set[int] = set()
        for field_name in self._unsteady - self.apart:
            strange = self._strange(field_name, texts, items)
            if _is_often(strange, texts) and self._may_come_otherwise(field_name):
                strange = self._strange(field_name, texts, items)
            if _is_often(strange, texts):
                self.apart.add(field_name)
            elif strange:
                odd_names.append(field_name)
                odd_rows.update(strange)
        if not odd_rows:
            return None
        row_numbers = sorted(odd_rows)
        objects = [items[row_number] for row_number in row_numbers]
        other_names = [field_name for field_name in self._fields if field_name not in odd_names]
        return OddValues(
            values=self._layout.opened(objects, odd_names).texts(odd_names),
            rows=row_numbers,
            rest=as_texts(self._layout.narrowed(objects, other_names)),
        )

    def _strange(self, name: str, texts: pl.Series, items: Items) -> list[int]:
        """Return the objects in which a field has another shape than the one in which it comes."""
        dtype = self._coming[name]
        if name in self._unsteady_inside:
            return self._layout.strange(items, name, dtype)
        return self._layout.strange_at_first_sight(texts, name, dtype)

    def _may_come_otherwise(self, name: str) -> bool:
        """Whether to try, from now on, if a field comes in another type that is read as fast; it is tried once.

        Single objects may come in place of lists, and words in place of true and false.
        """
        dtype = self._coming[name]
        if dtype == pl.Boolean:
            self._coming[name] = pl.String()
            return True
        if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
            self._coming[name] = dtype.inner
            return True
        return False

    def _as_text(self, kept: Schema, apart: frozenset[str]) -> pl.Struct:
        """Return the type of objects with the fields that are kept, numbers as text."""
        others = frozenset(name for name in kept if kept[name] != self._fields[name])
        if (apart, others) not in self._types:
            self._types[apart, others] = as_text(self._layout.dtype(kept))
        return self._types[apart, others]


def _is_often(strange: Sequence[int], texts: pl.Series) -> bool:
    return len(strange) * _ONE_IN > len(texts)


def _text(raw: msgspec.Raw) -> str | None:
    body = bytes(raw)
    return None if body == NULL else body.decode()


def _scalars(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the texts without those that are objects or lists, and which ones these are."""
    is_nested = texts.str.contains(_NESTED)
    if not is_nested.any():
        return texts, is_nested
    if is_nested.all():
        return texts.clear(len(texts)), is_nested
    return only(texts, ~is_nested), is_nested


def _said(texts: pl.Series) -> pl.Series:
    """Return what text says, and the JSON of all else."""
    if texts.null_count() == len(texts):
        return texts
    return _made_of(texts, _SAID)


def _made_of(texts: pl.Series, wanted: pl.Expr) -> pl.Series:
    """Return what the expression makes of `_TEXT`."""
    return texts.to_frame(_TEXT.meta.output_name()).select(wanted).to_series()
