"""Pages to frames, vectorised, without a Python object for a value.

Each page is cut into its records (slices of the body, found by msgspec), and all records of a
batch go through Polars' JSON reader with the documented types of the resource. A value that does not fit becomes
null in its column and is reported in `Decoded.misfits`. A record is rejected only where it is no object
or has no key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec
import polars as pl
from msgspec import structs
from polars.exceptions import PolarsError

from crmlab.connector import RECORD, SECRET_PARTS, Context, Resource, Schema, View
from crmlab.decoding.layout import Items, Layout
from crmlab.decoding.long_records import WANTED, beginning, is_long, shortened
from crmlab.decoding.misfit_keys import MISFIT_KEYS, Counted, each_once, key_of, lines_of
from crmlab.decoding.misfits import MAX_KEPT, MISFITS, Misfits, is_vital, misfits_where, table_of
from crmlab.decoding.needed_columns import (
    computed_columns,
    declared_views,
    inserted_at,
    needed_fields,
)
from crmlab.decoding.readers import ObjectReader
from crmlab.decoding.records import Record
from crmlab.decoding.secrets import frame_without_secrets, may_hold, shown
from crmlab.decoding.unreadable import as_utf8
from crmlab.decoding.view_reader import ROW, ViewReader
from crmlab.schema import TABLES, is_pattern, within

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
#: characters of what is no object that the reason quotes
_QUOTED = 120
_RECORD = RECORD.meta.output_name()
_LAYOUT = Layout()


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
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
        self.resource = resource
        self.known = known
        self._raw = raw
        self._exports = exports
        self._since = context.since
        self._until = context.until
        self._never_kept = frozenset(way.rpartition(".")[2] for way in resource.never_kept)
        self._secret_names = self._never_kept.union(SECRET_PARTS)
        self._head = {"provider": pl.lit(provider, pl.Categorical), "account": pl.lit(account)}
        self._source = {**self._head, "resource": pl.lit(resource.name)}
        self._source_row = pl.DataFrame().select(**self._source)
        self._inserted_at = inserted_at(resource, context)
        self._views = [ViewReader(view, resource.key, self._head) for view in views]
        self._computed = computed_columns(resource, context, views, raw=raw, exports=exports)
        self._unwrap = resource.unwrap if raw else None
        self._fields = dict(fields)
        #: fields whose column in the provider's own records has another name, and that name
        self.renamed: dict[str, str] = {}
        #: how many values of each field were kept as misfits
        self._kept: dict[str, int] = {}
        beside = resource.envelope_fields if self._unwrap else {}
        self._reader = ObjectReader(self._fields, "", wrapper=self._unwrap, beside=beside)

    def __call__(self, records: Sequence[Record]) -> Decoded:
        """Return the frames of these records; a value that does not fit costs only itself."""
        record_rows, misfits, may_hold_secrets = self._rows(records)
        if self._never_kept:
            record_rows = frame_without_secrets(record_rows, self._never_kept)
        refused = self._no_objects(records, misfits)
        record_rows = _without(record_rows, refused)

        # several views may fill one table
        table_parts: defaultdict[str, list[pl.DataFrame]] = defaultdict(list)
        for view_reader in self._views:
            table = TABLES[view_reader.table]
            try:
                view_rows = view_reader.read(record_rows)
            except PolarsError:
                if record_rows.is_empty():  # it raises whatever the records are
                    table_parts[view_reader.table].append(pl.DataFrame(schema=table.schema))
                    continue
                raising = self._raising(view_reader, record_rows)
                # what one table cannot read is in none, so that all tables hold the same records
                return self._again(records, {**refused, **raising})
            if len(view_rows.nameless):
                nameless = dict.fromkeys(view_rows.nameless, _NO_ID)
                return self._again(records, {**refused, **nameless})
            table_parts[view_reader.table].append(
                within(view_rows.frame, table, self._since, self._until)
            )
            misfits += view_rows.misfits

        decoded = self._decoded(records, record_rows, table_parts, misfits, refused)
        if may_hold_secrets:
            decoded = self._without_secrets(decoded)
        return decoded

    def reject(self, records: Sequence[Record], reason: str) -> Decoded:
        """Return all of these records as rejected, for a reason that lies in none of them."""
        return self._again(records, dict.fromkeys(range(len(records)), reason))

    def _without_secrets(self, decoded: Decoded) -> Decoded:
        """Return it with whole records in which a field of any shape holds nothing that is named like a key."""
        own_records = frame_without_secrets(decoded.frames[RAW], self._secret_names)
        return structs.replace(decoded, frames={**decoded.frames, RAW: own_records})

    def _no_objects(self, records: Sequence[Record], misfits: list[Misfits]) -> dict[int, str]:
        """Return the rows of the records that are no object, and why each is refused."""
        refused: dict[int, str] = {}
        for misfit in misfits:
            if misfit.field:  # a value of a field: only the value is lost
                continue
            for row_number in misfit.rows:
                json_text = self._shown(records[row_number])
                refused[row_number] = f"record: expected an object, got {json_text[:_QUOTED]}"
        return refused

    def _decoded(
        self,
        records: Sequence[Record],
        rows: pl.DataFrame,
        parts: Mapping[str, list[pl.DataFrame]],
        misfits: list[Misfits],
        refused: Mapping[int, str],
    ) -> Decoded:
        frames = {table_name: pl.concat(table_parts) for table_name, table_parts in parts.items()}
        if self._raw:
            frames[RAW] = rows.select(**self._head, **self._own_columns(rows))
        if self._exports:
            frames[EXPORTS] = rows.select(**self.resource.exports).unique(maintain_order=True)

        key = self.resource.key
        keys = rows.select(
            id=key.cast(pl.String, strict=False),
            key=pl.when(key.is_not_null()).then(key.hash()),
            inserted_at=self._inserted_at,
        )
        ids = _ids_of(len(records), rows[ROW], keys.drop_in_place("id"))

        staying = [misfit.without(refused) for misfit in misfits]
        each_misfit_once = each_once(staying)
        lacking: set[str] = set()
        for misfit in each_misfit_once:
            if len(misfit.rows):
                lacking.update(self._lacking(misfit))
        return Decoded(
            frames=frames,
            keys=keys,
            rejected=self._rejected(records, refused),
            lacking=frozenset(lacking),
            **self._misfits(records, ids, staying, each_misfit_once),
        )

    def _own_columns(self, rows: pl.DataFrame) -> dict[str, pl.Expr]:
        """Return the fields of the provider's own records by the names of their columns, which are all different.

        A custom field may be called as a column that stands there already. For it case makes no difference, since for
        many programs that read the exported tables it makes none; documented fields keep their names.
        """
        has_custom = callable(self.resource.schema)
        columns: dict[str, pl.Expr] = {}
        taken_names = set(self._head)
        for field_name in rows.columns:
            if field_name == ROW:
                continue
            column = field_name
            while _compared(column, has_custom=has_custom) in taken_names:
                column += "_"
            taken_names.add(_compared(column, has_custom=has_custom))
            columns[column] = pl.col(field_name)
            if column != field_name:
                self.renamed[field_name] = column
        return columns

    def _rows(self, records: Sequence[Record]) -> tuple[pl.DataFrame, list[Misfits], bool]:
        """Return a row for each record, with the constants of its request and its number.

        And whether what is shown of whole records may hold a secret: most do not, and need not be looked into.
        """
        bodies, left_out = self._bodies(records)
        record_items = self._narrowed(bodies)
        binary = pl.Series("item", record_items, dtype=pl.Binary)
        strange: list[Misfits] = []
        try:
            record_texts = binary.cast(pl.String)
        except PolarsError:
            record_texts, strange = as_utf8(binary, self._fields, self._unwrap)
            if strange:
                record_items = record_texts
        try:
            rows, misfits = self._reader.fields(record_texts, record_items)
        except msgspec.DecodeError:
            record_texts, no_objects = self._objects(record_texts)
            strange += no_objects
            rows, misfits = self._reader.fields(record_texts, record_texts)

        constants: list[pl.Series] = []
        for tag_name in self.resource.tags:
            values = [record.tags[tag_name] for record in records]
            constants.append(pl.Series(f"_{tag_name}", values, dtype=pl.String))
        if constants:
            rows = rows.with_columns(*constants)
        if self._computed:
            with_text = rows.with_columns(record_texts.alias(_RECORD))
            rows = with_text.with_columns(**self._computed).drop(_RECORD)
        may_hold_secrets = self._raw and may_hold(record_texts, self._secret_names)
        return rows.with_row_index(ROW), [*left_out, *strange, *misfits], may_hold_secrets

    def _narrowed(self, bodies: list[bytes]) -> Items:
        """Return the records without what nobody reads, where that is much."""
        if self._computed:  # that may be made of whatever is in them
            return bodies
        try:
            return self._reader.narrowed(bodies) or bodies
        except (msgspec.DecodeError, UnicodeDecodeError):  # which one is no object is found later
            return bodies

    def _bodies(self, records: Sequence[Record]) -> tuple[list[bytes], list[Misfits]]:
        """Return the JSON of each record, of long ones without the longest values, and these."""
        bodies: list[bytes] = []
        left_out: list[Misfits] = []
        read_names = {*self._fields, *self.resource.envelope_fields}
        for row_number, record in enumerate(records):
            if not is_long(record):
                bodies.append(record.text)
                continue
            body, long_values = shortened(record.json, self.known, self._unwrap)
            bodies.append(body)
            for field_name, beginning_of_value in long_values.items():
                # what is computed of whole records is made of whatever is in them
                if field_name not in read_names and not self._computed:
                    continue
                row = pl.Series([row_number], dtype=pl.UInt32)
                values = pl.Series([beginning_of_value])
                left_out.append(Misfits(field=field_name, wanted=WANTED, rows=row, values=values))
        return bodies, left_out

    def _shown(self, record: Record) -> str:
        """Return what may be shown of a record, of a long one its beginning."""
        json = beginning(record.json) if is_long(record) else record.text
        return shown(json, self._never_kept)

    def _objects(self, texts: pl.Series) -> tuple[pl.Series, list[Misfits]]:
        """Return the texts that are objects and have one in their wrapper, null instead of others, and those."""
        object_marks = [_is_object(json_text.encode(), self._unwrap) for json_text in texts]
        is_object = pl.Series(object_marks, dtype=pl.Boolean)
        objects = pl.select(pl.when(is_object).then(texts)).to_series()
        return objects, misfits_where(~is_object, texts, field="", wanted="an object")

    def _misfits(
        self, records: Sequence[Record], ids: pl.Series, staying: list[Misfits], once: list[Misfits]
    ) -> dict[str, pl.DataFrame]:
        """Return the lines of misfits and what they are counted by.

        `staying` has one for each column that lacks the values, and `once` the same without repeats.
        """
        remaining = [misfit for misfit in once if len(misfit.rows)]
        if not remaining:
            return {"misfits": _NO_MISFITS, "misfit_keys": _NO_MISFIT_KEYS}
        of_records: list[Counted] = []
        of_tables: list[Counted] = []
        for misfit, unseen in zip(staying, once, strict=True):
            all_keys = key_of(misfit, ids, records)
            left_keys = all_keys
            if unseen is not misfit:
                left_keys = key_of(unseen, ids, records)
            of_records.append(("", misfit.field, left_keys))
            for table in self._tables_without(misfit):
                of_tables.append((table, misfit.field, all_keys))
        shown_misfits = [misfit for misfit in remaining if self._is_kept(misfit)]
        return {
            "misfits": table_of(shown_misfits, ids, self._source_row, self._never_kept),
            "misfit_keys": lines_of([*of_records, *of_tables]),
        }

    def _is_kept(self, misfits: Misfits) -> bool:
        """Whether more values of that field are kept; counts those that are."""
        kept_before = self._kept.get(misfits.field, 0)
        self._kept[misfits.field] = kept_before + len(misfits.values)
        return kept_before < MAX_KEPT

    def _lacking(self, misfits: Misfits) -> list[str]:
        """Return the frames that lack an id or an amount for it."""
        if misfits.column:
            table_name = misfits.column.partition(".")[0]
            return [table_name] if is_vital(misfits.column) else []
        lacking = [view.table for view in self._views if view.needs(misfits.field)]
        if self._raw and is_vital(misfits.field):
            lacking.append(RAW)
        return lacking

    def _tables_without(self, misfits: Misfits) -> list[str]:
        """Return the tables that lack the values, each once."""
        tables = [view.table for view in self._views if view.lacks(misfits)]
        return list(dict.fromkeys(tables))

    def _rejected(self, records: Sequence[Record], refused: Mapping[int, str]) -> pl.DataFrame:
        if not refused:
            return _NONE_REJECTED
        reasons: list[dict[str, str]] = []
        for row_number in sorted(refused):
            json_text = self._shown(records[row_number])
            reasons.append({"reason": refused[row_number], "raw": json_text})
        frame = pl.DataFrame(reasons, schema={"reason": pl.String, "raw": pl.String})
        return frame.select(**self._source, reason="reason", raw="raw")

    def _raising(self, view: ViewReader, rows: pl.DataFrame) -> dict[int, str]:
        """Halve until the records for which an expression of the view raises stand alone; there is one at least."""
        try:
            view.read(rows)
        except PolarsError as error:
            if rows.height == 1:
                return {rows[ROW][0]: view.reason(rows, error)}
            middle = rows.height // 2
            return {**self._raising(view, rows[:middle]), **self._raising(view, rows[middle:])}
        return {}

    def _again(self, records: Sequence[Record], refused: Mapping[int, str]) -> Decoded:
        """Decode without the records that are refused."""
        decoded = self(
            [record for row_number, record in enumerate(records) if row_number not in refused]
        )
        rejected = pl.concat([self._rejected(records, refused), decoded.rejected])
        return structs.replace(decoded, rejected=rejected)


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
    resource = replace(resource, key=given_key(resource.key))
    wanted_views = declared_views(resource, context, set(tables))
    documented = resource.schema
    if callable(documented):
        # a custom field may be called like a pattern of Polars, which would read others in its place: it is reported as
        # one that nobody documented
        documented = {
            name: dtype for name, dtype in documented(context).items() if not is_pattern(name)
        }
    fields = documented
    if not raw:
        fields = needed_fields(resource, context, wanted_views, documented, exports=exports)
    known_names = {*documented, *resource.envelope_fields, *resource.never_kept}
    if resource.unwrap:
        known_names.add(resource.unwrap)
    return Decoder(
        resource,
        context,
        provider=provider,
        account=account,
        views=wanted_views,
        raw=raw,
        exports=exports,
        fields=fields,
        known=frozenset(known_names),
    )


def given_key(key: pl.Expr) -> pl.Expr:
    """Return the key where there is one: a blank is none, and would make all records with one the same record."""
    return pl.when(key.cast(pl.String, strict=False).str.strip_chars() != "").then(key)


def _compared(column: str, *, has_custom: bool) -> str:
    """Return what tells a name from others: in letters of any case, where there are custom fields."""
    return column.lower() if has_custom else column


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
    decoded = pl.DataFrame({ROW: rows, "id": ids})
    return everyone.join(decoded, on=ROW, how="left", maintain_order="left")["id"]


def _is_object(text: bytes, wrapper: str | None) -> bool:
    """Return whether it is an object, and what its wrapper holds as well (or nothing)."""
    if wrapper is None:
        return text.startswith(b"{")
    try:
        members = _LAYOUT.raw_fields(text, (wrapper,))
    except msgspec.DecodeError:
        return False
    return not members or members[wrapper].startswith(b"{")
