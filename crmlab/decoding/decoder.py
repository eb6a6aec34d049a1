"""Pages to frames, vectorised, without a Python object for a value.

Each page is cut into its records (slices of the body, found by msgspec), and all records of a
batch go through Polars' JSON decoder with the resource's wire schema. Numbers are read as text
and cast strictly, because that decoder alone cuts 1.7 to 1 where an integer is asked for.

What does not fit raises. Then the records are taken apart one by one: the good ones are kept,
the bad ones come back in `Decoded.rejected` with the field, the reason and the raw JSON.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import msgspec
import polars as pl
from polars.exceptions import ComputeError, PolarsError

from crmlab.connector import JSON, Context, Resource, Schema, View
from crmlab.decoding.records import NULL, Record
from crmlab.decoding.strict import Misfit, as_text, fitted, shown
from crmlab.schema import TABLES, UTC, conform, within

REJECTED = pl.Schema(
    {
        "provider": pl.Categorical(),
        "account": pl.String(),
        "resource": pl.String(),
        "reason": pl.String(),
        "raw": pl.String(),
    }
)
RAW = ""
GIVEN = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What pages held: frames by shared table, the provider's own records under `RAW`.

    Under `GIVEN` what other resources may know of them, where that is less. `keys`: a row for each record.
    """

    frames: Mapping[str, pl.DataFrame]
    keys: pl.DataFrame
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
    #: whether the provider's own records are wanted, with what stands beside them in the list
    raw: bool
    given: bool
    wire: Schema
    entered: pl.Expr
    since: dt.datetime | None
    until: dt.datetime | None
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
        frames = {name: within(pl.concat(part), TABLES[name], self.since, self.until) for name, part in parts.items()}
        if self.raw:
            frames[RAW] = rows.select(*self._head(), pl.exclude("provider", "account"))
        if self.given:
            frames[GIVEN] = rows.select(**self.resource.exports).unique(maintain_order=True)
        key = self.resource.key
        keys = rows.select(key=pl.when(key.is_not_null()).then(key.hash()), inserted_at=self.entered)
        return Decoded(frames=frames, keys=keys, rejected=pl.DataFrame(schema=REJECTED))

    def _head(self) -> tuple[pl.Expr, pl.Expr]:
        provider = pl.lit(self.provider, pl.Categorical).alias("provider")
        return provider, pl.lit(self.account).alias("account")

    @property
    def _item(self) -> pl.Struct:
        """The wire type of what a `Record` holds."""
        if self._unwrap:
            return pl.Struct({self._unwrap: pl.Struct(dict(self.wire)), **self.resource.envelope_fields})
        return pl.Struct(dict(self.wire))

    @property
    def _unwrap(self) -> str | None:
        return self.resource.unwrap if self.raw else None

    def _rows(self, found: Sequence[Record]) -> pl.DataFrame:
        texts = pl.Series("item", [record.text for record in found], dtype=pl.Binary).cast(pl.String)
        items = texts.str.json_decode(as_text(self._item)).cast(as_text(self._item, numbers=True), strict=True)
        rows = items.struct.unnest()
        if self._unwrap:
            rows = rows.unnest(self._unwrap)
        constants = [
            pl.Series(f"_{tag}", [record.tags[tag] for record in found], dtype=pl.String) for tag in self.resource.tags
        ]
        return rows.with_columns(*constants, *self._exact(found))

    def _exact(self, found: Sequence[Record]) -> list[pl.Series]:
        """The fields declared as `JSON`: the very text of their value."""
        names = [name for name, dtype in self.wire.items() if dtype == JSON]
        if not names:
            return []
        reader = _parts(self._unwrap, tuple(names))
        parts = [reader.decode(record.text) for record in found]
        if self._unwrap:
            parts = [part.record for part in parts]
        texts = {name: [bytes(getattr(part, f"f{i}", NULL)) for part in parts] for i, name in enumerate(names)}
        frame = pl.DataFrame(texts, schema=dict.fromkeys(names, pl.Binary))
        return frame.select(pl.when(pl.col(name) != NULL).then(name).cast(pl.String) for name in names).get_columns()

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
                fit = fitted(record.text, self._item)
            except Misfit as error:
                rejected.append(self._reject(record, str(error)))
            else:
                good.append(Record(fit, record.tags, record.text))
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
            return self._without_misfits(found[:half], rejected) + self._without_misfits(found[half:], rejected)
        return found

    def _reject(self, record: Record, reason: str) -> dict[str, str]:
        return {
            "provider": self.provider,
            "account": self.account,
            "resource": self.resource.name,
            "reason": reason,
            "raw": shown(record.sent or record.text),
        }

    def _reason(self, record: Record, error: PolarsError) -> str:
        """Say which column it was: Polars' message names the value and the type only."""
        for view in self.views:
            for name, expression in view.columns.items():
                try:
                    self._view(self._rows([record]), replace(view, columns={"id": pl.lit(""), name: expression}))
                except PolarsError as reason:
                    return f"{view.table}.{name}: {_first_line(reason)}"
        return _first_line(error)


def decoder(
    resource: Resource,
    context: Context,
    *,
    provider: str,
    account: str,
    tables: Iterable[str],
    raw: bool,
    given: bool = False,
) -> Decoder:
    """Return the decoder that reads just what the wanted tables need (all fields if `raw`).

    With `given`, also what the resource gives others to know.
    """
    wanted = set(tables)
    views = resource.views(context) if callable(resource.views) else resource.views
    views = tuple(view for view in views if view.table in wanted)
    wire = resource.wire(context) if callable(resource.wire) else resource.wire
    entered = resource.inserted_at(context) if resource.inserted_at else pl.lit(None, UTC)
    known = frozenset({*wire, *resource.envelope_fields, *([resource.unwrap] if resource.unwrap else [])})
    if not raw:
        expressions = [resource.key, entered, *(resource.exports.values() if given else ())]
        for view in views:
            parts = (*view.columns.values(), view.explode, view.where)
            expressions += [part for part in parts if part is not None]
        roots = {name for expression in expressions for name in expression.meta.root_names()}
        lean = {**wire, **resource.projection}
        # one field at least, so that records without any wanted field are still counted
        wire = {name: lean[name] for name in wire if name in roots} or dict([next(iter(wire.items()))])
    return Decoder(
        resource=resource,
        provider=provider,
        account=account,
        views=views,
        raw=raw,
        given=given,
        wire=wire,
        entered=entered,
        since=context.since,
        until=context.until,
        known=known,
    )


@cache
def _parts(unwrap: str | None, names: tuple[str, ...]) -> Any:
    """A reader of these fields of a record as they stand."""
    fields = [(f"f{i}", msgspec.Raw, msgspec.Raw(NULL)) for i in range(len(names))]
    record = msgspec.defstruct("Record", fields, rename={f"f{i}": name for i, name in enumerate(names)}, gc=False)
    if unwrap:
        record = msgspec.defstruct("Item", [("record", record | None, None)], rename={"record": unwrap}, gc=False)
    return msgspec.json.Decoder(record)


def _first_line(error: PolarsError) -> str:
    return str(error).strip().splitlines()[0]
