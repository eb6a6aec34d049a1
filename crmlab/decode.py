"""Pages to frames, vectorised: Polars' own JSON reader with the resource's wire schema.

Each page becomes one line (a newline inside JSON is only white space, so it may be replaced),
many lines are read at once, and no Python object is made for a record. The reader is strict
with a schema: what does not fit raises. Then the records are taken apart one by one, the good
ones kept and the bad ones returned in `Decoded.rejected` with the reason and the raw JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from polars.exceptions import ComputeError, PolarsError

from crmlab.provider import Context, Resource, Schema, View
from crmlab.request import Page
from crmlab.tables import TABLES, conform

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What pages held: frames by shared table, the provider's own records under `RAW`."""

    frames: Mapping[str, pl.DataFrame]
    keys: pl.Series
    rejected: pl.DataFrame


@dataclass(frozen=True, slots=True)
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
    known: frozenset[str] = frozenset()

    def __call__(self, pages: Sequence[Page]) -> Decoded:
        """Return the frames of these pages; a bad record costs only itself."""
        lines = [_line(page.body, page.request.tags) for page in pages]
        try:
            return self._read(lines)
        except PolarsError:
            return self._record_by_record(pages)

    def _read(self, lines: Sequence[bytes]) -> Decoded:
        records = self._records(lines)
        parts: dict[str, list[pl.DataFrame]] = {view.table: [] for view in self.views}
        for view in self.views:
            parts[view.table].append(self._view(records, view))
        frames = {table: pl.concat(found) for table, found in parts.items()}
        if self.raw:
            frames[RAW] = records.select(*self._head(), pl.exclude("provider", "account"))
        keys = records.select(key=self.resource.key)["key"]
        return Decoded(frames=frames, keys=keys, rejected=pl.DataFrame(schema=REJECTED))

    def _head(self) -> tuple[pl.Expr, pl.Expr]:
        provider = pl.lit(self.provider, pl.Categorical).alias("provider")
        return provider, pl.lit(self.account).alias("account")

    def _records(self, lines: Sequence[bytes]) -> pl.DataFrame:
        inner = pl.Struct({self.resource.unwrap: pl.Struct(dict(self.wire)), **self.beside}) if (
            self.resource.unwrap
        ) else pl.Struct(dict(self.wire))
        body: pl.DataType = inner if self.resource.single else pl.List(inner)
        items = pl.col("body")
        for key in reversed(self.resource.path):
            body = pl.Struct({key: body})
        for key in self.resource.path:
            items = items.struct.field(key)
        tags = pl.Struct(dict.fromkeys(self.resource.tags, pl.String)) if self.resource.tags else None
        schema = {"body": body} | ({"tags": tags} if tags else {})
        frame = (
            pl.read_ndjson(b"\n".join(lines), schema=schema) if lines else pl.DataFrame(schema=schema)
        )
        constants = [
            pl.col("tags").struct.field(tag).alias(f"_{tag}") for tag in self.resource.tags
        ]
        frame = frame.select(*constants, items.alias("item"))
        if not self.resource.single:
            frame = frame.explode("item")
        frame = frame.filter(pl.col("item").is_not_null()).unnest("item")
        return frame.unnest(self.resource.unwrap) if self.resource.unwrap else frame

    def _view(self, records: pl.DataFrame, view: View) -> pl.DataFrame:
        if view.explode is not None:
            records = records.with_columns(item=view.explode).explode("item")
            records = records.filter(pl.col("item").is_not_null())
        if view.where is not None:
            records = records.filter(view.where)
        columns = {"id": self.resource.key, **view.columns}
        frame = records.select(*self._head(), **columns)
        if frame["id"].null_count():
            raise ComputeError("the record has no id")
        return conform(frame, TABLES[view.table])

    def _record_by_record(self, pages: Sequence[Page]) -> Decoded:
        lines = [
            (_line(json.dumps(self._around(item)).encode(), page.request.tags), item)
            for page in pages
            for item in self._items(page)
        ]
        good: list[bytes] = []
        rejected: list[dict[str, str]] = []

        def sort_out(part: list[tuple[bytes, Any]]) -> None:
            try:
                self._read([line for line, _ in part])
            except PolarsError as error:
                if len(part) == 1:
                    rejected.append(self._reject(*part[0], error))
                else:
                    sort_out(part[: len(part) // 2])
                    sort_out(part[len(part) // 2 :])
            else:
                good.extend(line for line, _ in part)

        if lines:
            sort_out(lines)
        return replace(self._read(good), rejected=pl.DataFrame(rejected, schema=REJECTED))

    def _items(self, page: Page) -> Iterable[Any]:
        found = json.loads(page.body)
        for key in self.resource.path:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, list):
            return found
        return [] if found is None else [found]

    def _around(self, item: Any) -> Any:
        body = item if self.resource.single else [item]
        for key in reversed(self.resource.path):
            body = {key: body}
        return body

    def _reject(self, line: bytes, item: Any, error: PolarsError) -> dict[str, str]:
        return {
            "provider": self.provider,
            "account": self.account,
            "resource": self.resource.name,
            "reason": self._reason(line, error),
            "raw": json.dumps(item, ensure_ascii=False),
        }

    def _reason(self, line: bytes, error: PolarsError) -> str:
        """Say which field it was: Polars' message names the value and the type only."""
        for name, dtype in self.wire.items():
            narrow = Decoder(
                self.resource, self.provider, self.account, (), True, {name: dtype}, {}
            )
            if reason := _fails(lambda part=narrow: part._records([line])):
                return f"{name}: {reason}"
        for view in self.views:
            for name, expression in view.columns.items():
                one = View(
                    table=view.table, columns={name: expression}, explode=view.explode, where=view.where
                )
                if reason := _fails(lambda part=one: self._view(self._records([line]), part)):
                    return f"{view.table}.{name}: {reason}"
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
        roots = set(resource.key.meta.root_names())
        for view in views:
            parts = (*view.columns.values(), view.explode, view.where)
            roots |= {name for part in parts if part is not None for name in part.meta.root_names()}
        # one field at least, so that records without any wanted field are still counted
        wire = {name: dtype for name, dtype in wire.items() if name in roots} or dict(list(wire.items())[:1])
        beside = {name: dtype for name, dtype in beside.items() if name in roots}
    return Decoder(resource, provider, account, views, raw, wire, beside, known)


def unknown_fields(resource: Resource, known: frozenset[str], page: Page) -> list[str]:
    """Return the fields of the page's records that nobody documented."""
    found = json.loads(page.body)
    for key in resource.path:
        found = found.get(key) if isinstance(found, dict) else None
    items = found if isinstance(found, list) else [found]
    seen: dict[str, None] = {}
    for item in items:
        parts = [item, item.get(resource.unwrap)] if resource.unwrap and isinstance(item, dict) else [item]
        for part in parts:
            if isinstance(part, dict):
                seen |= dict.fromkeys(part)
    return [name for name in seen if name not in known]


def _line(body: bytes, tags: Mapping[str, str]) -> bytes:
    flat = body.replace(b"\n", b" ").replace(b"\r", b" ")
    constants = b',"tags":' + json.dumps(tags).encode() if tags else b""
    return b'{"body":' + flat + constants + b"}"


def _fails(act: Callable[[], object]) -> str:
    try:
        act()
    except PolarsError as error:
        return _first_line(error)
    return ""


def _first_line(error: PolarsError) -> str:
    return str(error).strip().splitlines()[0]
