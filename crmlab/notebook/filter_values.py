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
        table, column = self._source(frames)
        if (table, column) not in self._counted:
            self._counted[table, column] = self._count(table, column)
        return self._counted[table, column]

    def _source(self, frames: Mapping[str, tuple[str, ...]]) -> tuple[str, str]:
        """Return the first of the tables and columns of a filter that was fetched."""
        for frame, columns in frames.items():
            table = _SOURCES.get(frame, frame)
            if table in self._data:
                return table, columns[0]
        raise KeyError(*frames)

    def _count(self, table: str, column: str) -> dict[str | None, str]:
        rows = self._data[table].lazy().with_columns(rows=pl.lit(1))
        if column == "owner":
            rows = self._with_owner(rows)
        counts = rows.group_by(pl.col(column).cast(pl.String)).agg(pl.col("rows").sum())
        counts = counts.sort("rows", column, descending=[True, False])
        names = self._pipelines() if column == "pipeline_id" else {}
        words: dict[str | None, str] = {}
        for value, number in counts.collect().iter_rows():
            name = "(none)" if value is None else names.get(value, value)
            words[value] = f"{name} · {number:,}"
        return words

    def _with_owner(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return the number of rows of each owner, by name."""
        known = rows.collect_schema()
        by = [name for name in ("provider", "account", "owner_id", "author") if name in known]
        counts = rows.group_by(by).agg(pl.col("rows").sum()).collect()
        return owners.with_owner(counts, self._table("users")).lazy()

    def _pipelines(self) -> dict[str, str]:
        stages = self._table("stages")
        return (
            {}
            if stages is None
            else dict(stages.select("pipeline_id", "pipeline_name").drop_nulls().iter_rows())
        )

    def _table(self, name: str) -> pl.DataFrame | None:
        return self._data[name].lazy().collect() if name in self._data else None
