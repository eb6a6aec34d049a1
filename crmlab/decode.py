"""Pages to frames, vectorised, without a Python object for a value.

Each page is cut into its records (slices of the body, found by msgspec), and all records of a
batch go through Polars' JSON decoder with the resource's wire schema. Numbers are read as text
and cast strictly, because that decoder alone cuts 1.7 to 1 where an integer is asked for.

What does not fit raises. Then the records are taken apart one by one: the good ones are kept,
the bad ones come back in `Decoded.rejected` with the field, the reason and the raw JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import msgspec
import polars as pl
from polars.exceptions import ComputeError, PolarsError

from crmlab.provider import JSON, Context, Resource, Schema, View
from crmlab.request import Page
from crmlab.tables import TABLES, conform
from crmlab.wire import Misfit, as_text, fitted

REJECTED = pl.Schema(
    {
        "provider": pl.Categorical(),
        "account": pl.String,
        "resource": pl.String,
        "reason": pl.String,
        "raw": pl.String,
    }
)
RAW = ""
_NULL = b"null"
_SECRET = re.compile(r"token|secret|password|auth_key|api_key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """The JSON of one record, and the constants of the request that brought it."""

    text: bytes
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What pages held: frames by shared table, the provider's own records under `RAW`."""

    frames: Mapping[str, pl.DataFrame]
    keys: pl.Series
    rejected: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """Reads the pages of one resource of one account.

    Build it with `decoder`, which narrows the wire schema to what the wanted tables need.
    """

    resource: Resource
    provider: str
    account: str
    views: tuple[View, ...]
    raw: bool
    wire: Schema
    beside: Schema
    #: every documented field, wanted or not
    known: frozenset[str]

    def __call__(self, found: Sequence[Record]) -> Decoded:
        """Return the frames of these records; a bad one costs only itself."""
        try:
            return self._read(found)
        except PolarsError:
            return self._one_by_one(found)

    def _read(self, found: Sequence[Record]) -> Decoded:
        rows = self._rows(found)
        parts: dict[str, list[pl.DataFrame]] = {view.table: [] for view in self.views}
        for view in self.views:
            parts[view.table].append(self._view(rows, view))
        frames = {table: pl.concat(part) for table, part in parts.items()}
        if self.raw:
            frames[RAW] = rows.select(*self._head(), pl.exclude("provider", "account"))
        keys = rows.select(key=self.resource.key)["key"]
        return Decoded(frames=frames, keys=keys, rejected=pl.DataFrame(schema=REJECTED))

    def _head(self) -> tuple[pl.Expr, pl.Expr]:
        provider = pl.lit(self.provider, pl.Categorical).alias("provider")
        return provider, pl.lit(self.account).alias("account")

    @property
    def _item(self) -> pl.Struct:
        """The wire type of one item of the list."""
        if self.resource.unwrap:
            return pl.Struct({self.resource.unwrap: pl.Struct(dict(self.wire)), **self.beside})
        return pl.Struct(dict(self.wire))

    def _rows(self, found: Sequence[Record]) -> pl.DataFrame:
        texts = pl.Series("item", [record.text for record in found], dtype=pl.Binary).cast(pl.String)
        items = texts.str.json_decode(as_text(self._item)).cast(self._typed(self._item), strict=True)
        rows = items.struct.unnest()
        if self.resource.unwrap:
            rows = rows.unnest(self.resource.unwrap)
        constants = [
            pl.Series(f"_{tag}", [record.tags[tag] for record in found], dtype=pl.String)
            for tag in self.resource.tags
        ]
        return rows.with_columns(*constants, *self._exact(found))

    def _typed(self, item: pl.Struct) -> pl.Struct:
        """The item without the fields that stay exact JSON."""
        return as_text(item, numbers=True)

    def _exact(self, found: Sequence[Record]) -> list[pl.Series]:
        """The fields declared as `JSON`: the very text of their value."""
        names = [name for name, dtype in self.wire.items() if dtype == JSON]
        if not names:
            return []
        reader = _parts(self.resource.unwrap, tuple(names))
        parts = [msgspec.json.decode(record.text, type=reader) for record in found]
        if self.resource.unwrap:
            parts = [part.record for part in parts]
        return [
            pl.Series(name, [_text_of(getattr(part, f"f{i}", None)) for part in parts], dtype=pl.String)
            for i, name in enumerate(names)
        ]

    def _view(self, rows: pl.DataFrame, view: View) -> pl.DataFrame:
        if view.explode is not None:
            rows = rows.with_columns(item=view.explode).explode("item")
            rows = rows.filter(pl.col("item").is_not_null())
        if view.where is not None:
            rows = rows.filter(view.where)
        frame = rows.select(*self._head(), **{"id": self.resource.key, **view.columns})
        if frame["id"].null_count():
            raise ComputeError("the record has no id")
        return conform(frame, TABLES[view.table])

    def _one_by_one(self, found: Sequence[Record]) -> Decoded:
        good: list[Record] = []
        rejected: list[dict[str, str]] = []
        for record in found:
            try:
                fit = fitted(json.loads(record.text), self._item)
            except Misfit as error:
                rejected.append(self._reject(record, str(error)))
            else:
                good.append(Record(json.dumps(fit).encode(), record.tags))
        kept = self._without_misfits(good, rejected)
        return replace(self._read(kept), rejected=pl.DataFrame(rejected, schema=REJECTED))

    def _without_misfits(self, found: list[Record], rejected: list[dict[str, str]]) -> list[Record]:
        """Halve until the records that a view cannot read stand alone."""
        try:
            self._read(found)
        except PolarsError as error:
            if len(found) == 1:
                rejected.append(self._reject(found[0], self._reason(found[0], error)))
                return []
            half = len(found) // 2
            return self._without_misfits(found[:half], rejected) + self._without_misfits(
                found[half:], rejected
            )
        return found

    def _reject(self, record: Record, reason: str) -> dict[str, str]:
        raw = json.dumps(_without_secrets(json.loads(record.text)), ensure_ascii=False)
        return {
            "provider": self.provider,
            "account": self.account,
            "resource": self.resource.name,
            "reason": reason,
            "raw": raw,
        }

    def _reason(self, record: Record, error: PolarsError) -> str:
        """Say which column it was: Polars' message names the value and the type only."""
        for view in self.views:
            for name, expression in view.columns.items():
                try:
                    self._view(
                        self._rows([record]), replace(view, columns={"id": pl.lit(""), name: expression})
                    )
                except PolarsError as reason:
                    return f"{view.table}.{name}: {_first_line(reason)}"
        return _first_line(error)


def decoder(
    resource: Resource, context: Context, *, provider: str, account: str, tables: Iterable[str], raw: bool
) -> Decoder:
    """Return the decoder that reads just what the wanted tables need (all fields if `raw`)."""
    wanted = set(tables)
    views = resource.views(context) if callable(resource.views) else resource.views
    views = tuple(view for view in views if view.table in wanted)
    wire = resource.wire(context) if callable(resource.wire) else resource.wire
    beside = resource.beside
    known = frozenset({*wire, *beside, *([resource.unwrap] if resource.unwrap else [])})
    if not raw:
        expressions = [resource.key]
        for view in views:
            parts = (*view.columns.values(), view.explode, view.where)
            expressions += [part for part in parts if part is not None]
        roots = {name for expression in expressions for name in expression.meta.root_names()}
        lean = {**wire, **resource.lean}
        # one field at least, so that records without any wanted field are still counted
        wire = {name: lean[name] for name in wire if name in roots} or dict([next(iter(wire.items()))])
        beside = {name: dtype for name, dtype in beside.items() if name in roots}
    return Decoder(
        resource=resource,
        provider=provider,
        account=account,
        views=views,
        raw=raw,
        wire=wire,
        beside=beside,
        known=known,
    )


def records(page: Page, resource: Resource) -> list[Record]:
    """Return the records of a page; one object where a list is documented counts as one.

    Raises
    ------
    TransportError
        the body is not JSON, or the way to the list leads through something that is no object
    """
    found: Any = page.read(_body(resource.path))
    for _ in resource.path:
        found = None if found is None else found.inner
    text = _NULL if found is None else bytes(found).strip()
    if text == _NULL:
        return []
    if resource.single or not text.startswith(b"["):
        return [Record(text, page.request.tags)]
    parts = map(bytes, msgspec.json.decode(text, type=list[msgspec.Raw]))
    return [Record(part, page.request.tags) for part in parts if part != _NULL]


def unknown_fields(resource: Resource, known: frozenset[str], found: Sequence[Record]) -> list[str]:
    """Return the fields of the records that nobody documented."""
    seen: dict[str, None] = {}
    for record in found:
        item = json.loads(record.text)
        parts = [item, item.get(resource.unwrap)] if resource.unwrap and isinstance(item, dict) else [item]
        for part in parts:
            if isinstance(part, dict):
                seen |= dict.fromkeys(part)
    return [name for name in seen if name not in known]


@cache
def _body(path: tuple[str, ...]) -> Any:
    """A type that reads the value at `path` as it stands, and skips the rest."""
    inner: Any = msgspec.Raw
    for key in reversed(path):
        field = (
            ("inner", msgspec.Raw, msgspec.Raw(_NULL))
            if inner is msgspec.Raw
            else ("inner", inner | None, None)
        )
        inner = msgspec.defstruct("Body", [field], rename={"inner": key})
    return inner


@cache
def _parts(unwrap: str | None, names: tuple[str, ...]) -> Any:
    """A type that reads these fields of a record as they stand."""
    fields = [(f"f{i}", msgspec.Raw, msgspec.Raw(_NULL)) for i in range(len(names))]
    record = msgspec.defstruct("Record", fields, rename={f"f{i}": name for i, name in enumerate(names)})
    if not unwrap:
        return record
    return msgspec.defstruct("Item", [("record", record | None, None)], rename={"record": unwrap})


def _text_of(part: msgspec.Raw | None) -> str | None:
    return None if part is None or (text := bytes(part)) == _NULL else text.decode()


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "••••" if _SECRET.search(key) and isinstance(part, str) else _without_secrets(part)
            for key, part in value.items()
        }
    return [_without_secrets(part) for part in value] if isinstance(value, list) else value


def _first_line(error: PolarsError) -> str:
    return str(error).strip().splitlines()[0]
