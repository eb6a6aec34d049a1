"""Records as rows of one shared table, with what its expressions could not read."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl
from polars.exceptions import PolarsError

from crmlab.connector import View
from crmlab.decoding.conversions import Conversion, conversions, fields_read, list_exploded
from crmlab.decoding.misfits import Misfits, is_vital, misfits_where
from crmlab.schema import TABLES, conform

#: the column that says which record a row came from
ROW = "\x00row"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRows:
    """The rows of a view: `records` says of each which record it is from."""

    frame: pl.DataFrame
    records: pl.Series
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
        self._view, self._columns = view, {**head, "id": key, **view.columns}
        self._list = list_exploded(view)
        #: by the columns that they are of
        self._conversions: dict[tuple[str, ...], list[Conversion]] = {}

    @property
    def is_exploded(self) -> bool:
        """Whether a record may be several rows, or none."""
        return self._view.explode is not None

    def needs(self, field: str) -> bool:
        """Return whether an id or an amount of the table, or whether there is a row at all, hangs on that field."""
        return any(_touch(field, vital) for vital in self._vital)

    @cached_property
    def _vital(self) -> frozenset[str]:
        return self._vital_fields()

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
        frame = rows.select(ROW, **self._columns)
        misfits = self._unread(rows, frame)
        nameless = frame["id"].is_null()
        if nameless.any():
            if self.is_exploded:
                misfits += self._nameless_items(frame, nameless)
            frame = frame.filter(~nameless)
        return ViewRows(frame=conform(frame, TABLES[self.table]), records=frame[ROW], misfits=misfits)

    def nameless(self, rows: pl.DataFrame) -> pl.Series:
        """Return the numbers of the records that would be a row without an id."""
        if self.is_exploded:
            return pl.Series(dtype=rows.schema[ROW])
        if self._view.where is not None:
            rows = rows.filter(self._view.where)
        ids = rows.select(ROW, id=self._columns["id"])
        return ids.filter(pl.col("id").is_null())[ROW]

    def reason(self, rows: pl.DataFrame, error: PolarsError) -> str:
        """Return which column raises, and why: Polars' message names the value and the type only."""
        for name, expression in self._view.columns.items():
            try:
                rows.select(expression)
            except PolarsError as own:
                return f"{self.table}.{name}: {_first_line(own)}"
        return f"{self.table}: {_first_line(error)}"

    def _unread(self, rows: pl.DataFrame, frame: pl.DataFrame) -> list[Misfits]:
        found: list[Misfits] = []
        for each in self._doubtful(rows, frame):
            is_misfit = rows.select(misfit=each.given.is_not_null() & each.value.is_null()).to_series()
            if not is_misfit.any():
                continue
            raw = rows.select(each.source.alias("source")).to_series()
            own = misfits_where(
                is_misfit,
                raw,
                field=each.field,
                wanted=each.wanted,
                column=each.column,
                source=str(each.given),
            )
            found += [replace(misfits.at(rows[ROW]), raw=_as_json(misfits.raw)) for misfits in own]
        return found

    def _doubtful(self, rows: pl.DataFrame, frame: pl.DataFrame) -> list[Conversion]:
        """Return the conversions that gave more nulls than their sources have: blanks, or misfits."""
        names = tuple(name for name in self._view.columns if self._may_be_unread(name, rows, frame))
        if not names:
            return []
        if names not in self._conversions:
            view = replace(self._view, columns={name: self._view.columns[name] for name in names})
            self._conversions[names] = conversions(view, rows.schema)
        known = self._conversions[names]
        sources = rows.select(each.source.null_count().alias(str(number)) for number, each in enumerate(known))
        doubtful = []
        for number, each in enumerate(known):
            column = each.column.partition(".")[2]
            is_sure = each.is_whole and frame[column].null_count() == sources[str(number)][0]
            if not is_sure:
                doubtful.append(each)
        return doubtful

    def _may_be_unread(self, name: str, rows: pl.DataFrame, frame: pl.DataFrame) -> bool:
        """Whether a value of a column may be missing for a text that could not be read, told without a look inside."""
        if frame.schema[name] == pl.String or frame.schema[name].is_nested():
            return False
        sources = {rows.schema[root] for root in self._view.columns[name].meta.root_names()}
        if sources == {pl.String()}:
            is_one_text = len(set(self._view.columns[name].meta.root_names())) == 1
            return not is_one_text or frame[name].null_count() > 0
        return any(dtype == pl.String or dtype.is_nested() for dtype in sources)

    def _nameless_items(self, frame: pl.DataFrame, nameless: pl.Series) -> list[Misfits]:
        raw = pl.repeat("null", frame.height, dtype=pl.String, eager=True)
        way = f"{self._list}.id"
        own = misfits_where(nameless, raw, field=way, wanted="an id", column=f"{self.table}.id")
        return [misfits.at(frame[ROW]) for misfits in own]

    def _vital_fields(self) -> frozenset[str]:
        vital: set[str] = set()
        for name, expression in self._columns.items():
            if is_vital(name):
                vital |= fields_read(expression, self._list)
        if self._list:
            vital.add(self._list)
        if self._view.where is not None:
            vital |= fields_read(self._view.where, self._list)
        return frozenset(vital)


def _as_json(texts: pl.Series) -> pl.Series:
    return pl.Series([json.dumps(text, ensure_ascii=False) for text in texts], dtype=pl.String)


def _touch(field: str, other: str) -> bool:
    """Return whether two ways are the same, or one is a part of the other."""
    return f"{field}.".startswith(f"{other}.") or f"{other}.".startswith(f"{field}.")


def _first_line(error: PolarsError) -> str:
    return str(error).strip().splitlines()[0]
