"""Pages to frames, vectorised, without a Python object for a value.

Each page is cut into its records (slices of the body, found by msgspec), and all records of a
batch go through Polars' JSON reader with the documented types of the resource. A value that does not fit becomes
null in its column and is reported in `Decoded.misfits`. A record is rejected only where it is no object
or has no key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import polars as pl
from polars.exceptions import PolarsError

from crmlab.connector import RECORD, SECRET_PARTS, Context, Resource, Schema, View
from crmlab.decoding.layout import Items, Layout
from crmlab.decoding.misfit_keys import MISFIT_KEYS, Counted, each_once, key_of, lines_of
from crmlab.decoding.misfits import MAX_KEPT, MISFITS, Misfits, is_vital, misfits_where, table_of
from crmlab.decoding.readers import ObjectReader
from crmlab.decoding.records import Record
from crmlab.decoding.secrets import frame_without_secrets, may_hold, shown
from crmlab.decoding.unreadable import as_utf8
from crmlab.decoding.view_reader import ROW, ViewReader
from crmlab.schema import TABLES, UTC, within

REJECTED = pl.Schema(
    {
        "provider": pl.Categorical(),
        "account": pl.String(),
        "resource": pl.String(),
        "reason": pl.String(),
        "raw": pl.String(),
    }
)
#: the name of the provider's own records among frames
RAW = "raw"
#: the name of what other resources may know of them, where that is less
EXPORTS = "exports"
_NO_MISFITS = pl.DataFrame(schema=MISFITS)
_NO_MISFIT_KEYS = pl.DataFrame(schema=MISFIT_KEYS)
_NONE_REJECTED = pl.DataFrame(schema=REJECTED)
_NO_ID = "the record has no id"
_RECORD = RECORD.meta.output_name()
_LAYOUT = Layout()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What pages held: frames by shared table, the provider's own records under `RAW`.

    Under `EXPORTS` what other resources may know of them, where that is less. `keys`: a row for each record.
    `misfits` holds values that could not be read, `misfit_keys` what they are counted by, and `lacking` the
    names of the frames that lack an id or an amount for it.
    """

    frames: Mapping[str, pl.DataFrame]
    keys: pl.DataFrame
    rejected: pl.DataFrame
    misfits: pl.DataFrame
    misfit_keys: pl.DataFrame
    lacking: frozenset[str]


class Decoder:
    """Reads the pages of one resource of one account.

    Build it with `decoder`, which narrows the documented fields to what the wanted tables need. It
    remembers which fields came in another shape than documented, so that later batches read them apart at once.

    Parameters
    ----------
    resource
        What the pages are of.
    views
        The wanted tables.
    raw
        Whether the provider's own records are wanted, with what stands beside them in the list.
    exports
        Whether what other resources may know of the records is wanted.
    fields
        The documented fields that are read, with their types.
    known
        Every documented field, wanted or not.
    """

    def __init__(
        self,
        resource: Resource,
        context: Context,
        *,
        provider: str,
        account: str,
        views: Sequence[View],
        raw: bool,
        exports: bool,
        fields: Schema,
        known: frozenset[str],
    ) -> None:
        self.resource, self.known = resource, known
        self._raw, self._exports = raw, exports
        self._since, self._until = context.since, context.until
        self._never_kept = frozenset(way.rpartition(".")[2] for way in resource.never_kept)
        self._secret_names = self._never_kept.union(SECRET_PARTS)
        self._head = {"provider": pl.lit(provider, pl.Categorical), "account": pl.lit(account)}
        self._source = {**self._head, "resource": pl.lit(resource.name)}
        self._source_row = pl.DataFrame().select(**self._source)
        self._inserted_at = _inserted_at(resource, context)
        self._views = [ViewReader(view, resource.key, self._head) for view in views]
        self._computed = _computed(resource, context, views, raw=raw, exports=exports)
        self._unwrap = resource.unwrap if raw else None
        self._fields = dict(fields)
        #: fields whose column in the provider's own records has another name, and that name
        self.renamed: dict[str, str] = {}
        #: how many values of each field were kept as misfits
        self._kept: dict[str, int] = {}
        beside = resource.envelope_fields if self._unwrap else {}
        self._reader = ObjectReader(self._fields, "", wrapper=self._unwrap, beside=beside)

    def __call__(self, found: Sequence[Record]) -> Decoded:
        """Return the frames of these records; a value that does not fit costs only itself."""
        rows, misfits, may_hold_secrets = self._rows(found)
        if self._never_kept:
            rows = frame_without_secrets(rows, self._never_kept)
        refused = {
            row: self._no_object(found[row])
            for each in misfits
            if not each.field
            for row in each.rows
        }
        rows = _without(rows, refused)
        parts: dict[str, list[pl.DataFrame]] = {view.table: [] for view in self._views}
        for view in self._views:
            try:
                read = view.read(rows)
            except PolarsError:
                if rows.is_empty():  # it raises whatever the records are
                    parts[view.table].append(pl.DataFrame(schema=TABLES[view.table].schema))
                    continue
                raising = self._raising(view, rows)
                # what one table cannot read is in none, so that all tables hold the same records
                return self._again(found, {**refused, **raising})
            if len(read.nameless):
                return self._again(found, {**refused, **dict.fromkeys(read.nameless, _NO_ID)})
            parts[view.table].append(
                within(read.frame, TABLES[view.table], self._since, self._until)
            )
            misfits += read.misfits

        decoded = self._decoded(found, rows, parts, misfits, refused)
        return self._without_secrets(decoded) if may_hold_secrets else decoded

    def reject(self, found: Sequence[Record], reason: str) -> Decoded:
        """Return all of these records as rejected, for a reason that lies in none of them."""
        return self._again(found, dict.fromkeys(range(len(found)), reason))

    def _without_secrets(self, decoded: Decoded) -> Decoded:
        """Return it with whole records in which a field of any shape holds nothing that is named like a key."""
        own = frame_without_secrets(decoded.frames[RAW], self._secret_names)
        return replace(decoded, frames={**decoded.frames, RAW: own})

    def _decoded(
        self,
        found: Sequence[Record],
        rows: pl.DataFrame,
        parts: Mapping[str, list[pl.DataFrame]],
        misfits: list[Misfits],
        refused: Mapping[int, str],
    ) -> Decoded:
        frames = {name: pl.concat(part) for name, part in parts.items()}
        if self._raw:
            frames[RAW] = rows.select(**self._head, **self._own_columns(rows))
        if self._exports:
            frames[EXPORTS] = rows.select(**self.resource.exports).unique(maintain_order=True)
        key = self.resource.key
        known = rows.select(
            id=key.cast(pl.String, strict=False),
            key=pl.when(key.is_not_null()).then(key.hash()),
            inserted_at=self._inserted_at,
        )
        ids = known.drop_in_place("id")
        staying = [each.without(refused) for each in misfits]
        once = each_once(staying)
        return Decoded(
            frames=frames,
            keys=known,
            rejected=self._rejected(found, refused),
            lacking=frozenset(
                name for each in once if len(each.rows) for name in self._lacking(each)
            ),
            **self._misfits(found, _ids_of(len(found), rows[ROW], ids), staying, once),
        )

    def _own_columns(self, rows: pl.DataFrame) -> dict[str, pl.Expr]:
        """Return the fields of the provider's own records by the names of their columns, which are all different.

        A custom field may be called as a column that stands there already. For it case makes no difference, since for
        many programs that read the exported tables it makes none; documented fields keep their names.
        """
        has_custom = callable(self.resource.schema)
        columns: dict[str, pl.Expr] = {}
        taken = set(self._head)
        for field in rows.columns:
            if field == ROW:
                continue
            name = field
            while (name.lower() if has_custom else name) in taken:
                name += "_"
            taken.add(name.lower() if has_custom else name)
            columns[name] = pl.col(field)
            if name != field:
                self.renamed[field] = name
        return columns

    def _rows(self, found: Sequence[Record]) -> tuple[pl.DataFrame, list[Misfits], bool]:
        """Return a row for each record, with the constants of its request and its number.

        And whether what is shown of whole records may hold a secret: most do not, and need not be looked into.
        """
        bodies = [record.text for record in found]
        binary = pl.Series("item", bodies, dtype=pl.Binary)
        strange: list[Misfits] = []
        try:
            texts = binary.cast(pl.String)
        except PolarsError:
            texts, strange = as_utf8(binary, self._fields, self._unwrap)
        items: Items = texts if strange else bodies
        try:
            rows, misfits = self._reader.fields(texts, items)
        except msgspec.DecodeError:
            texts, no_objects = self._objects(texts)
            strange += no_objects
            rows, misfits = self._reader.fields(texts, texts)
        constants = [
            pl.Series(f"_{tag}", [record.tags[tag] for record in found], dtype=pl.String)
            for tag in self.resource.tags
        ]
        if constants:
            rows = rows.with_columns(*constants)
        if self._computed:
            whole = rows.with_columns(texts.alias(_RECORD))
            rows = whole.with_columns(**self._computed).drop(_RECORD)
        may_hold_secrets = self._raw and may_hold(texts, self._secret_names)
        return rows.with_row_index(ROW), [*strange, *misfits], may_hold_secrets

    def _no_object(self, record: Record) -> str:
        return f"record: expected an object, got {shown(record.text, self._never_kept)[:120]}"

    def _objects(self, texts: pl.Series) -> tuple[pl.Series, list[Misfits]]:
        """Return the texts that are objects and have one in their wrapper, null instead of others, and those."""
        is_object = pl.Series(
            [_is_object(text.encode(), self._unwrap) for text in texts], dtype=pl.Boolean
        )
        objects = pl.select(pl.when(is_object).then(texts)).to_series()
        return objects, misfits_where(~is_object, texts, field="", wanted="an object")

    def _misfits(
        self, found: Sequence[Record], ids: pl.Series, staying: list[Misfits], once: list[Misfits]
    ) -> dict[str, pl.DataFrame]:
        """Return the lines of misfits and what they are counted by.

        `staying` has one for each column that lacks the values, and `once` the same without repeats.
        """
        if not any(len(each.rows) for each in once):
            return {"misfits": _NO_MISFITS, "misfit_keys": _NO_MISFIT_KEYS}
        own: list[Counted] = []
        of_tables: list[Counted] = []
        for each, left in zip(staying, once, strict=True):
            keys = key_of(each, ids, found)
            own.append(("", each.field, keys if left is each else key_of(left, ids, found)))
            of_tables += [(table, each.field, keys) for table in self._without(each)]
        kept = [each for each in once if len(each.rows) and self._is_kept(each)]
        return {
            "misfits": table_of(kept, ids, self._source_row, self._never_kept),
            "misfit_keys": lines_of([*own, *of_tables]),
        }

    def _is_kept(self, misfits: Misfits) -> bool:
        """Whether more values of that field are kept; counts those that are."""
        kept = self._kept.get(misfits.field, 0)
        self._kept[misfits.field] = kept + len(misfits.values)
        return kept < MAX_KEPT

    def _lacking(self, misfits: Misfits) -> Iterable[str]:
        """Return the frames that lack an id or an amount for it."""
        if misfits.column:
            table = misfits.column.partition(".")[0]
            return [table] if is_vital(misfits.column) else []
        lacking = [view.table for view in self._views if view.needs(misfits.field)]
        return [*lacking, RAW] if self._raw and is_vital(misfits.field) else lacking

    def _without(self, misfits: Misfits) -> list[str]:
        """Return the tables that lack the values, each once."""
        return list(dict.fromkeys(view.table for view in self._views if view.lacks(misfits)))

    def _rejected(self, found: Sequence[Record], refused: Mapping[int, str]) -> pl.DataFrame:
        if not refused:
            return _NONE_REJECTED
        lines = [
            {"reason": refused[row], "raw": shown(found[row].text, self._never_kept)}
            for row in sorted(refused)
        ]
        frame = pl.DataFrame(lines, schema={"reason": pl.String, "raw": pl.String})
        return frame.select(**self._source, reason="reason", raw="raw")

    def _raising(self, view: ViewReader, rows: pl.DataFrame) -> dict[int, str]:
        """Halve until the records for which an expression of the view raises stand alone; there is one at least."""
        try:
            view.read(rows)
        except PolarsError as error:
            if rows.height == 1:
                return {rows[ROW][0]: view.reason(rows, error)}
            half = rows.height // 2
            return {**self._raising(view, rows[:half]), **self._raising(view, rows[half:])}
        return {}

    def _again(self, found: Sequence[Record], refused: Mapping[int, str]) -> Decoded:
        """Decode without the records that are refused."""
        kept = [record for row, record in enumerate(found) if row not in refused]
        decoded = self(kept)
        rejected = pl.concat([self._rejected(found, refused), decoded.rejected])
        return Decoded(
            frames=decoded.frames,
            keys=decoded.keys,
            rejected=rejected,
            misfits=decoded.misfits,
            misfit_keys=decoded.misfit_keys,
            lacking=decoded.lacking,
        )


def decoder(
    resource: Resource,
    context: Context,
    *,
    provider: str,
    account: str,
    tables: Iterable[str],
    raw: bool,
    exports: bool = False,
) -> Decoder:
    """Return the decoder that reads just what the wanted tables need (all fields if `raw`).

    With `exports`, also what the resource lets others know.
    """
    wanted = set(tables)
    resource = replace(resource, key=given_key(resource.key))
    views = [view for view in _declared_views(resource, context, wanted) if view.table in wanted]
    documented = resource.schema(context) if callable(resource.schema) else resource.schema
    known = {
        *documented,
        *resource.envelope_fields,
        *resource.never_kept,
        *([resource.unwrap] if resource.unwrap else []),
    }
    return Decoder(
        resource,
        context,
        provider=provider,
        account=account,
        views=views,
        raw=raw,
        exports=exports,
        fields=documented
        if raw
        else _needed(resource, context, views, documented, exports=exports),
        known=frozenset(known),
    )


def _declared_views(resource: Resource, context: Context, wanted: set[str]) -> Sequence[View]:
    """Return the views; where no table is wanted none are made, for what they need to know may not be there."""
    if not wanted:
        return ()
    return resource.views(context) if callable(resource.views) else resource.views


def given_key(key: pl.Expr) -> pl.Expr:
    """Return the key where there is one: a blank is none, and would make all records with one the same record."""
    return pl.when(key.cast(pl.String, strict=False).str.strip_chars() != "").then(key)


def _computed(
    resource: Resource, context: Context, views: Sequence[View], *, raw: bool, exports: bool
) -> Mapping[str, pl.Expr]:
    """Return the columns that have to be made of the whole record: those that something reads."""
    if raw or not resource.computed:
        return resource.computed
    roots = _roots(_expressions(resource, context, views, exports=exports))
    return {name: expression for name, expression in resource.computed.items() if name in roots}


def _expressions(
    resource: Resource, context: Context, views: Sequence[View], *, exports: bool
) -> list[pl.Expr]:
    """Return all that is made of the columns of a record."""
    expressions = [resource.key, _inserted_at(resource, context)]
    if exports:
        expressions += resource.exports.values()
    for view in views:
        expressions += view.columns.values()
        expressions += [part for part in (view.explode, view.where) if part is not None]
    return expressions


def _roots(expressions: Iterable[pl.Expr]) -> set[str]:
    """Return the columns that these expressions read."""
    return {name for expression in expressions for name in expression.meta.root_names()}


def _needed(
    resource: Resource,
    context: Context,
    views: Sequence[View],
    documented: Schema,
    *,
    exports: bool,
) -> Schema:
    """Return the fields that the wanted tables read, nested ones as narrow as they may be."""
    computed = _computed(resource, context, views, raw=False, exports=exports)
    roots = _roots([*_expressions(resource, context, views, exports=exports), *computed.values()])
    narrow = {**documented, **resource.projection}
    needed = {name: narrow[name] for name in documented if name in roots}
    # one field at least, so that records without any wanted field are still counted
    return needed or dict([next(iter(documented.items()))])


def _inserted_at(resource: Resource, context: Context) -> pl.Expr:
    return resource.inserted_at(context) if resource.inserted_at else pl.lit(None, UTC)


def _without(rows: pl.DataFrame, refused: Mapping[int, str]) -> pl.DataFrame:
    if not refused:
        return rows
    numbers = pl.Series([*refused], dtype=rows.schema[ROW])
    return rows.filter(~pl.col(ROW).is_in(numbers.implode()))


def _ids_of(count: int, rows: pl.Series, ids: pl.Series) -> pl.Series:
    """Return the id of each of so many records; `ids` are those of `rows`, and the refused have none here."""
    if len(rows) == count:
        return ids
    everyone = pl.DataFrame({ROW: pl.int_range(count, dtype=pl.UInt32, eager=True)})
    known = pl.DataFrame({ROW: rows, "id": ids})
    return everyone.join(known, on=ROW, how="left", maintain_order="left")["id"]


def _is_object(text: bytes, wrapper: str | None) -> bool:
    """Return whether it is an object, and what its wrapper holds as well (or nothing)."""
    if wrapper is None:
        return text.startswith(b"{")
    try:
        inner = _LAYOUT.raw_fields(text, (wrapper,))
    except msgspec.DecodeError:
        return False
    return not inner or inner[wrapper].startswith(b"{")
