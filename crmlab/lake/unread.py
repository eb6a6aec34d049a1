"""Values that could not be read, and records without a key, as the refreshes of a lake met them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from crmlab.lake.place import Place, again, delta, writing
from crmlab.lake.state import Mark
from crmlab.schema import UTC

SEEN_AT = "seen_at"
_TEXT = pl.String()
#: by table, its columns
UNREAD = {
    "misfits": ("provider", "account", "resource", "id", "field", "reason", "raw"),
    "rejected": ("provider", "account", "resource", "reason", "raw"),
}
_LIST = ["provider", "account", "resource"]


@dataclass(frozen=True, slots=True)
class UnreadTable:
    """``misfits`` or ``rejected`` of a lake: what each refresh met is appended."""

    place: Place
    name: str
    lake: str

    @property
    def path(self) -> str:
        """Where it is within the lake."""
        return f"unread/{self.name}"

    @property
    def schema(self) -> pl.Schema:
        columns = UNREAD[self.name]
        return pl.Schema({**dict.fromkeys(columns, _TEXT), SEEN_AT: UTC})

    def open(self, version: int | None = None) -> Any:
        return self.place.open(self.path, version)

    def append(self, met: pl.DataFrame, at: dt.datetime) -> int:
        """Append what a refresh met, and return the version that holds it."""
        columns = UNREAD[self.name]
        rows = met.select(pl.col(columns).cast(_TEXT), pl.lit(at, UTC).alias(SEEN_AT))
        self._make()

        def once() -> int:
            table = self.open()
            if not rows.is_empty():
                with self.place.in_words(self.path):
                    delta().write_deltalake(
                        table, rows, mode="append", **writing(table.version() + 1)
                    )
            return int(table.version())

        return again(once)

    def _make(self) -> None:
        library = delta()
        if self.place.exists(self.path):
            return
        with self.place.in_words(self.path):
            try:
                library.DeltaTable.create(
                    self.place.uri(self.path),
                    self.schema,
                    configuration={"delta.dataSkippingStatsColumns": SEEN_AT},
                    storage_options=self.place.options,
                )
            except library.exceptions.DeltaError:
                if not self.place.exists(self.path):
                    raise

    def read(
        self, version: int, marks: Sequence[Mark], at: dt.datetime | None = None
    ) -> pl.DataFrame:
        """Return what still holds, or held at a time.

        Values hold as long as their list was not read whole since, and rejected records until its next refresh. The
        version is of now in any case: files of older ones may be gone, and the log forgets them after a month.
        """
        columns = UNREAD[self.name]
        times = {}
        for mark in marks:
            since = mark.refreshed_at if self.name == "rejected" else mark.values_read_at
            times[(mark.provider, mark.account, mark.resource)] = since
        if not times:
            return pl.DataFrame(schema=dict.fromkeys(columns, _TEXT))
        lists = pl.LazyFrame(
            [(*key, since) for key, since in times.items()],
            schema={**dict.fromkeys(_LIST, _TEXT), "__since": UTC},
            orient="row",
        )
        with self.place.in_words(self.path):
            rows = self.place.scan(self.open(version)).join(lists, on=_LIST)
            still_holds = pl.col("__since").is_null() | (pl.col(SEEN_AT) >= pl.col("__since"))
            if at is not None:
                rows = rows.filter(pl.col(SEEN_AT) <= at)
            there = rows.filter(still_holds).collect()
        known_by = (
            [name for name in columns if name not in ("reason", "raw")]
            if self.name == "misfits"
            else columns
        )
        last = there.sort(SEEN_AT).unique(known_by, keep="last", maintain_order=True)
        return last.select(columns)
