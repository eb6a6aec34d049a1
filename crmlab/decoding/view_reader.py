"""Records as rows of one shared table, with what its expressions could not read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import msgspec
import polars as pl
from polars.exceptions import PolarsError

from crmlab.connector import View
from crmlab.decoding.conversions import Conversion, conversions, list_exploded, reads, touches
from crmlab.decoding.misfits import Misfits, is_vital, misfits_where
from crmlab.schema import TABLES, Table

#: the column that says which record a row came from
ROW = "\x00row"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRows:
    """The rows of a view: `records` says of each which record it is from.

    `nameless` holds the numbers of the records that would be a row without an id.
    """

    frame: pl.DataFrame
    records: pl.Series
    nameless: pl.Series
    misfits: list[Misfits]


class ViewReader:
    """One view of one resource.

    Parameters
    ----------
    view
        How records become rows.
    key
        What makes a record one of a kind: the id of a row, where the view does not say another.
    head
        The columns that stand before all others, the same in every row.
    """

    def __init__(self, view: View, key: pl.Expr, head: dict[str, pl.Expr]) -> None:
        self.table = view.table
        self._view = view
        self._columns = {**head, "id": key, **view.columns}
        self._selected = _as_declared(self._columns, TABLES[view.table])
        self._list = list_exploded(view)
        #: of each column that is made of text, whether it is made of one only; the first rows tell
        self._made_of_text: dict[str, bool] | None = None
        #: by the columns that they are of
        self._conversions: dict[tuple[str, ...], list[Conversion]] = {}
        #: of fields that were asked for, whether `needs` and `lacks` say yes
        self._needs: dict[str, bool] = {}
        self._reads: dict[str, bool] = {}

    @property
    def is_exploded(self) -> bool:
        """Whether a record may be several rows, or none."""
        return self._view.explode is not None

    def needs(self, field: str) -> bool:
        """Return whether an id or an amount of the table, or whether there is a row at all, hangs on that field."""
        if field not in self._needs:
            is_list = bool(self._list) and touches(field, self._list)
            self._needs[field] = is_list or self._is_read(field, self._vital_expressions())
        return self._needs[field]

    def lacks(self, misfits: Misfits) -> bool:
        """Return whether the table lacks these values: they were to fill one of its columns."""
        if misfits.column:
            return misfits.column.startswith(f"{self.table}.")
        field = misfits.field
        if field not in self._reads:
            self._reads[field] = self._is_read(field, [*self._columns.values(), *self._choosing()])
        return self._reads[field]

    def _is_read(self, field: str, expressions: Iterable[pl.Expr]) -> bool:
        return any(reads(expression, field, self._list) for expression in expressions)

    def _vital_expressions(self) -> list[pl.Expr]:
        vital = [expression for name, expression in self._columns.items() if is_vital(name)]
        return vital if self._view.where is None else [*vital, self._view.where]

    def _choosing(self) -> list[pl.Expr]:
        """Return what says which rows there are."""
        return [part for part in (self._view.where, self._view.explode) if part is not None]

    def read(self, rows: pl.DataFrame) -> ViewRows:
        """Return the rows of these records, which carry their number as `ROW`.

        Raises
        ------
        PolarsError
            An expression raises for a value, instead of giving null.
        """
        view = self._view
        if view.explode is not None:
            rows = rows.with_columns(item=view.explode).explode("item")
            rows = rows.filter(pl.col("item").is_not_null())
        if view.where is not None:
            rows = rows.filter(view.where)
        # batches are read side by side: to divide one among threads too costs more than it gains
        frame = rows.select_seq(self._selected)
        misfits = self._unread(rows, frame)
        nameless = frame[ROW].clear()
        if frame["id"].null_count():
            lacks_id = frame["id"].is_null()
            if self.is_exploded:
                misfits += self._nameless_items(frame, lacks_id)
            else:
                nameless = frame[ROW].filter(lacks_id)
            frame = frame.filter(~lacks_id)
        return ViewRows(
            records=frame.drop_in_place(ROW), frame=frame, nameless=nameless, misfits=misfits
        )

    def reason(self, rows: pl.DataFrame, error: PolarsError) -> str:
        """Return which column raises, and why: Polars' message names the value and the type only."""
        for name, expression in self._view.columns.items():
            try:
                rows.select(expression)
            except PolarsError as own:
                return f"{self.table}.{name}: {_first_line(own)}"
        return f"{self.table}: {_first_line(error)}"

    def _unread(self, rows: pl.DataFrame, frame: pl.DataFrame) -> list[Misfits]:
        """Return the texts of which an expression made null, though they say something."""
        found: list[Misfits] = []
        for each in self._conversions_with_nulls(rows, frame):
            if not each.is_alone:
                found += _misread(each, rows, (each.given.is_not_null() & each.value.is_null()))
                continue
            made = frame[each.name]
            # the nulls of both tell without a look at any value, but for blanks
            if made.null_count() > _null_count(rows, each.source):
                few = rows.select(ROW, *each.columns).filter(made.is_null())
                found += _misread(each, few, each.given.is_not_null())
        return found

    def _conversions_with_nulls(self, rows: pl.DataFrame, frame: pl.DataFrame) -> list[Conversion]:
        """Return the conversions of columns that may hold null for a text that was misread."""
        if self._made_of_text is None:
            self._made_of_text = _made_of_text(self._view.columns, rows.schema, frame.schema)
        names = []
        for name, is_of_one in self._made_of_text.items():
            # what is made of one text has a null for each misfit; of several, another may stand in for it
            if not is_of_one or frame[name].null_count():
                names.append(name)
        key = tuple(names)
        if key not in self._conversions:
            view = replace(self._view, columns={name: self._view.columns[name] for name in names})
            self._conversions[key] = conversions(view, rows.schema)
        return self._conversions[key]

    def _nameless_items(self, frame: pl.DataFrame, nameless: pl.Series) -> list[Misfits]:
        raw = pl.repeat("null", frame.height, dtype=pl.String, eager=True)
        way = f"{self._list}.id"
        own = misfits_where(nameless, raw, field=way, wanted="an id", column=f"{self.table}.id")
        return [misfits.at(frame[ROW]) for misfits in own]


def _as_declared(columns: Mapping[str, pl.Expr], table: Table) -> list[pl.Expr]:
    """Return the number of the record, and every column that the table declares, of its type; absent ones are null."""
    absent = pl.lit(None)
    declared = [
        columns.get(name, absent).cast(dtype).alias(name) for name, dtype in table.schema.items()
    ]
    return [pl.col(ROW), *declared]


def _made_of_text(
    columns: Mapping[str, pl.Expr], read: pl.Schema, made: pl.Schema
) -> dict[str, bool]:
    """Return the columns that may hold null for a text that could not be read, and whether each reads one text only.

    Parameters
    ----------
    columns
        The columns, by name.
    read
        The types of what they read.
    made
        Their own types: text is never misread, and lists and structures only have text inside.
    """
    found = {}
    for name, expression in columns.items():
        if made[name] == pl.String or made[name].is_nested():
            continue
        sources = [read[root] for root in set(expression.meta.root_names())]
        if any(dtype == pl.String or dtype.is_nested() for dtype in sources):
            found[name] = sources == [pl.String()]
    return found


def _null_count(rows: pl.DataFrame, source: pl.Expr) -> int:
    if source.meta.is_column():  # known without asking Polars to work anything out
        return rows[source.meta.output_name()].null_count()
    return rows.select(source).to_series().null_count()


def _misread(conversion: Conversion, rows: pl.DataFrame, is_misread: pl.Expr) -> list[Misfits]:
    """Return the values of these rows that were misread, by the record that they are from."""
    misread = rows.select(is_misread).to_series()
    if not misread.any():
        return []
    found = misfits_where(
        misread,
        rows.select(conversion.source).to_series(),
        field=conversion.field,
        wanted=conversion.wanted,
        column=conversion.column,
        source=str(conversion.given),
        as_json=_as_json,
    )
    return [misfits.at(rows[ROW]) for misfits in found]


def _as_json(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _first_line(error: PolarsError) -> str:
    return str(error).strip().splitlines()[0]
