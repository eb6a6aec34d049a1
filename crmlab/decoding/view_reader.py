"""Records as rows of one shared table, with what its expressions could not read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import msgspec
import polars as pl
from polars.exceptions import PolarsError

from crmlab.connector import View
from crmlab.decoding.conversions import Conversion, conversions, list_exploded, reads, touches
from crmlab.decoding.misfits import Misfits, all_at, is_vital, misfits_where
from crmlab.schema import TABLES, Table

#: the column that says which record a row came from
ROW = "\x00row"


class ViewRows(msgspec.Struct, frozen=True, kw_only=True):
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
            self._needs[field] = is_list or self._is_any_read(field, self._vital_expressions())
        return self._needs[field]

    def lacks(self, misfits: Misfits) -> bool:
        """Return whether the table lacks these values: they were to fill one of its columns."""
        if misfits.column:
            return misfits.column.startswith(f"{self.table}.")
        field = misfits.field
        if field not in self._reads:
            self._reads[field] = self._is_any_read(field, self._expressions())
        return self._reads[field]

    def _is_any_read(self, field: str, expressions: Iterable[pl.Expr]) -> bool:
        return any(reads(expression, field, self._list) for expression in expressions)

    def _vital_expressions(self) -> list[pl.Expr]:
        expressions = [self._columns[name] for name in self._columns if is_vital(name)]
        if self._view.where is not None:
            expressions.append(self._view.where)
        return expressions

    def _expressions(self) -> list[pl.Expr]:
        """Return what the columns are made of, and what says which rows there are."""
        expressions = [*self._columns.values()]
        if self._view.where is not None:
            expressions.append(self._view.where)
        if self._view.explode is not None:
            expressions.append(self._view.explode)
        return expressions

    def read(self, rows: pl.DataFrame) -> ViewRows:
        """Return the rows of these records, which carry their number as `ROW`.

        Raises
        ------
        PolarsError
            An expression raises for a value, instead of giving null.
        """
        declared = self._view
        if declared.explode is not None:
            rows = rows.with_columns(item=declared.explode).explode("item")
            rows = rows.filter(pl.col("item").is_not_null())
        if declared.where is not None:
            rows = rows.filter(declared.where)
        # batches are read side by side: to divide one among threads too costs more than it gains
        table_frame = rows.select_seq(self._selected)
        misfits = self._unread(rows, table_frame)
        nameless = table_frame[ROW].clear()
        if table_frame["id"].null_count():
            lacks_id = table_frame["id"].is_null()
            if self.is_exploded:
                misfits += self._nameless_items(table_frame, lacks_id)
            else:
                nameless = table_frame[ROW].filter(lacks_id)
            table_frame = table_frame.filter(~lacks_id)
        return ViewRows(
            records=table_frame.drop_in_place(ROW),
            frame=table_frame,
            nameless=nameless,
            misfits=misfits,
        )

    def reason(self, rows: pl.DataFrame, error: PolarsError) -> str:
        """Return which column raises, and why: Polars' message names the value and the type only."""
        for column_name, expression in self._view.columns.items():
            try:
                rows.select(expression)
            except PolarsError as own:
                return f"{self.table}.{column_name}: {_first_line(own)}"
        return f"{self.table}: {_first_line(error)}"

    def _unread(self, rows: pl.DataFrame, frame: pl.DataFrame) -> list[Misfits]:
        """Return the texts of which an expression made null, though they say something."""
        misfits: list[Misfits] = []
        for conversion in self._conversions_with_nulls(rows, frame):
            is_given = conversion.given.is_not_null()
            if not conversion.is_alone:
                misfits += _misread(conversion, rows, is_given & conversion.value.is_null())
                continue
            column = frame[conversion.name]
            # the nulls of both tell without a look at any value, but for blanks
            if column.null_count() > _null_count(rows, conversion.source):
                rows_with_null = rows.select(ROW, *conversion.columns).filter(column.is_null())
                misfits += _misread(conversion, rows_with_null, is_given)
        return misfits

    def _conversions_with_nulls(self, rows: pl.DataFrame, frame: pl.DataFrame) -> list[Conversion]:
        """Return the conversions of columns that may hold null for a text that was misread."""
        if self._made_of_text is None:
            self._made_of_text = _made_of_text(self._view.columns, rows.schema, frame.schema)
        wanted: dict[str, pl.Expr] = {}
        for column_name, is_of_one in self._made_of_text.items():
            # what is made of one text has a null for each misfit; of several, another may stand in for it
            if not is_of_one or frame[column_name].null_count():
                wanted[column_name] = self._view.columns[column_name]
        cache_key = tuple(wanted)
        if cache_key not in self._conversions:
            narrowed_view = replace(self._view, columns=wanted)
            self._conversions[cache_key] = conversions(narrowed_view, rows.schema)
        return self._conversions[cache_key]

    def _nameless_items(self, frame: pl.DataFrame, nameless: pl.Series) -> list[Misfits]:
        null_texts = pl.repeat("null", frame.height, dtype=pl.String, eager=True)
        misfits = misfits_where(
            nameless,
            null_texts,
            field=f"{self._list}.id",
            wanted="an id",
            column=f"{self.table}.id",
        )
        return all_at(misfits, frame[ROW])


def _as_declared(columns: Mapping[str, pl.Expr], table: Table) -> list[pl.Expr]:
    """Return the number of the record, and every column that the table declares, of its type; absent ones are null."""
    absent = pl.lit(None)
    declared = [pl.col(ROW)]
    for column_name, dtype in table.schema.items():
        expression = columns.get(column_name, absent)
        declared.append(expression.cast(dtype).alias(column_name))
    return declared


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
    is_of_one_text: dict[str, bool] = {}
    for column_name, expression in columns.items():
        if _holds_text(made[column_name]):
            continue
        source_types = [read[root] for root in set(expression.meta.root_names())]
        if any(map(_holds_text, source_types)):
            is_of_one_text[column_name] = source_types == [pl.String()]
    return is_of_one_text


def _holds_text(dtype: pl.DataType) -> bool:
    return dtype == pl.String or dtype.is_nested()


def _null_count(rows: pl.DataFrame, source: pl.Expr) -> int:
    if source.meta.is_column():  # known without asking Polars to work anything out
        return rows[source.meta.output_name()].null_count()
    return rows.select(source).to_series().null_count()


def _misread(conversion: Conversion, rows: pl.DataFrame, is_misread: pl.Expr) -> list[Misfits]:
    """Return the values of these rows that were misread, by the record that they are from."""
    misread = rows.select(is_misread).to_series()
    if not misread.any():
        return []
    misfits = misfits_where(
        misread,
        rows.select(conversion.source).to_series(),
        field=conversion.field,
        wanted=conversion.wanted,
        column=conversion.column,
        source=str(conversion.given),
        as_json=_as_json,
    )
    return all_at(misfits, rows[ROW])


def _as_json(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _first_line(error: PolarsError) -> str:
    return str(error).strip().splitlines()[0]
