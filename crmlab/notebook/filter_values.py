"""Which values a filter can choose from, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
        sources = ((_SOURCES.get(frame, frame), columns[0]) for frame, columns in frames.items())
        source = next(source for source in sources if source[0] in self._data)
        if source not in self._counted:
            self._counted[source] = dict(self._count(*source))
        return self._counted[source]

    def _count(self, table: str, column: str) -> Iterator[tuple[str | None, str]]:
        rows = self._data[table].lazy().with_columns(rows=pl.lit(1))
        if column == "owner":
            by = [name for name in ("provider", "account", "owner_id", "author") if name in rows.collect_schema()]
            rows = owners.with_owner(rows.group_by(by).agg(pl.col("rows").sum()).collect(), self._table("users")).lazy()
        counts = rows.group_by(pl.col(column).cast(pl.String)).agg(pl.col("rows").sum())
        names = self._pipelines() if column == "pipeline_id" else {}
        for value, number in counts.sort("rows", column, descending=[True, False]).collect().iter_rows():
            yield value, f"{'(none)' if value is None else names.get(value, value)} · {number:,}"

    def _pipelines(self) -> dict[str, str]:
        stages = self._table("stages")
        return {} if stages is None else dict(stages.select("pipeline_id", "pipeline_name").drop_nulls().iter_rows())

    def _table(self, name: str) -> pl.DataFrame | None:
        return self._data[name].lazy().collect() if name in self._data else None
