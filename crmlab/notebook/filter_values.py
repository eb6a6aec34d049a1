"""Which values a filter can choose from, in words."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crmlab.analysis import owners
from crmlab.results import Fetched, Stored

#: what is made of a table has the values of that table
_SOURCES = {"people": "contacts", "history": "deals", "before": "deals"}


class FilterValues:
    """The values of the columns of a fetch, each with the number of its rows; counted once."""

    def __init__(self, data: Fetched | Stored) -> None:
        self._data = data
        self._counted: dict[tuple[str, str], dict[str | None, str]] = {}

    def of(self, frames: Mapping[str, tuple[str, ...]]) -> dict[str | None, str]:
        """Return the values of a filter and the words for each, those of most rows first."""
        table_name, column = self._source(frames)
        source = (table_name, column)
        if source not in self._counted:
            self._counted[source] = self._count(table_name, column)
        return self._counted[source]

    def _source(self, frames: Mapping[str, tuple[str, ...]]) -> tuple[str, str]:
        """Return the first of the tables and columns of a filter that was fetched."""
        for frame, columns in frames.items():
            table_name = _SOURCES.get(frame, frame)
            if table_name in self._data:
                return table_name, columns[0]
        raise KeyError(*frames)

    def _count(self, table: str, column: str) -> dict[str | None, str]:
        counted = self._data[table].lazy().with_columns(rows=pl.lit(1))
        if column == "owner":
            counted = self._with_owner(counted)
        names: Mapping[str, str] = {}
        if column == "pipeline_id":
            names = self._pipelines()
        value_text = pl.col(column).cast(pl.String)
        by_value = counted.group_by(value_text).agg(pl.col("rows").sum())
        # equal numbers by value: the list is the same each time
        in_order = by_value.sort("rows", column, descending=[True, False])
        labels: dict[str | None, str] = {}
        for value, row_count in in_order.collect().iter_rows():
            value_name = "(none)"
            if value is not None:
                value_name = names.get(value, value)
            labels[value] = f"{value_name} · {row_count:,}"
        return labels

    def _with_owner(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return the number of rows of each owner, by name."""
        schema = rows.collect_schema()
        columns = ("provider", "account", "owner_id", "author")
        told_by = [column for column in columns if column in schema]
        # counted first: the names of owners are looked up once each, and not for every row
        counted = rows.group_by(told_by).agg(pl.col("rows").sum()).collect()
        return owners.with_owner(counted, self._table("users")).lazy()

    def _pipelines(self) -> dict[str, str]:
        stages = self._table("stages")
        if stages is None:
            return {}
        names = stages.select("pipeline_id", "pipeline_name").drop_nulls()
        return dict(names.iter_rows())

    def _table(self, name: str) -> pl.DataFrame | None:
        if name not in self._data:
            return None
        return self._data[name].lazy().collect()
