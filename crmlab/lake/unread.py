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

    def exists(self) -> bool:
        return self.place.exists(self.path)

    def open(self, version: int | None = None) -> Any:
        return self.place.open(self.path, version)

    def append(self, met: pl.DataFrame, at: dt.datetime) -> int:
        """Append what a refresh met, and return the version that holds it."""
        columns = UNREAD[self.name]
        seen_at = pl.lit(at, UTC).alias(SEEN_AT)
        new_rows = met.select(pl.col(columns).cast(_TEXT), seen_at)
        self._make()

        def once() -> int:
            delta_table = self.open()
            # each commit is a file: a refresh that met nothing makes none
            if not new_rows.is_empty():
                options = writing(delta_table.version() + 1)
                with self.place.in_words(self.path):
                    delta().write_deltalake(delta_table, new_rows, mode="append", **options)
            return int(delta_table.version())

        return again(once)

    def _make(self) -> None:
        if not self.exists():
            self.place.create(
                self.path, self.schema, configuration={"delta.dataSkippingStatsColumns": SEEN_AT}
            )

    def read(
        self,
        version: int,
        marks: Sequence[Mark],
        at: dt.datetime | None = None,
    ) -> pl.DataFrame:
        """Return what still holds, or held at a time.

        Values hold as long as their list was not read whole since, and rejected records until its next refresh. The
        version is of now in any case: files of older ones may be gone, and the log forgets them after a month.
        """
        columns = UNREAD[self.name]
        if not marks:
            return pl.DataFrame(schema=dict.fromkeys(columns, _TEXT))
        since = pl.col("__since")
        still_holds = since.is_null() | (pl.col(SEEN_AT) >= since)
        lists = self._lists(marks)
        with self.place.in_words(self.path):
            seen = self.place.scan(self.open(version)).join(lists, on=_LIST)
            if at is not None:
                seen = seen.filter(pl.col(SEEN_AT) <= at)
            remaining = seen.filter(still_holds).collect()
        # each refresh that met it has a row of it: the last one counts
        in_order = remaining.sort(SEEN_AT)
        last_seen = in_order.unique(self._known_by(), keep="last", maintain_order=True)
        return last_seen.select(columns)

    def _lists(self, marks: Sequence[Mark]) -> pl.LazyFrame:
        """Return each list, and when it was read anew: what was seen before holds no more."""
        read_anew: dict[tuple[str, str, str], dt.datetime | None] = {}
        for list_mark in marks:
            list_name = (list_mark.provider, list_mark.account, list_mark.resource)
            if self.name == "rejected":
                read_anew[list_name] = list_mark.refreshed_at
            else:
                read_anew[list_name] = list_mark.values_read_at
        return pl.LazyFrame(
            [(*list_name, since) for list_name, since in read_anew.items()],
            schema={**dict.fromkeys(_LIST, _TEXT), "__since": UTC},
            orient="row",
        )

    def _known_by(self) -> Sequence[str]:
        """Return the columns that tell one from another: a rejected record has no id, and is known by all it says."""
        if self.name == "rejected":
            return UNREAD[self.name]
        return ("provider", "account", "resource", "id", "field")
