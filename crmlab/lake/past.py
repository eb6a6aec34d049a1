"""What was different: between a time and now, of each object, and of each column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import polars as pl

from crmlab.display import DisplayMixin, Overview
from crmlab.lake.versions import MISSED_AT, VALID_FROM, VALID_TO, at_time
from crmlab.schema import KEY, TABLES, UTC

#: what a table of changes has
CHANGES = pl.Schema(
    {
        "provider": pl.String(),
        "account": pl.String(),
        "id": pl.String(),
        "change": pl.String(),
        "changed_at": UTC,
        "column": pl.String(),
        "old": pl.String(),
        "new": pl.String(),
    }
)
_COUNTS = {"table": pl.String(), "added": pl.Int64(), "changed": pl.Int64(), "deleted": pl.Int64()}
_NOW = "__now"


class Changes(Mapping[str, pl.DataFrame], DisplayMixin):
    """What is different now from what was at a time, by table; tables without a difference are left out.

    Attributes
    ----------
    since : datetime
        The time, in UTC.
    summary : pl.DataFrame
        A row for each table: table (String), and how many objects were added, changed and deleted (Int64).
    """

    def __init__(self, tables: Mapping[str, pl.DataFrame], since: dt.datetime) -> None:
        self._tables = {name: frame for name, frame in tables.items() if not frame.is_empty()}
        self.since = since
        self.summary = pl.DataFrame(
            [(name, *_counted(frame)) for name, frame in self._tables.items()],
            schema=_COUNTS,
            orient="row",
        )

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __repr__(self) -> str:
        counts = self.summary.select(pl.exclude("table").sum()).row(0, named=True)
        words = ", ".join(f"{number:,} {what}" for what, number in counts.items())
        return f"<Changes since {self.since:%Y-%m-%d %H:%M} UTC: {words}>"

    def _overview(self) -> Overview:
        return Overview(
            title=f"Since {self.since:%Y-%m-%d %H:%M} UTC",
            words="What was added, changed and deleted, as the refreshes saw it.",
            tables=[("", self.summary)],
        )


def _counted(frame: pl.DataFrame) -> list[int]:
    objects = frame.unique([*KEY, "change"])
    return [
        objects.filter(pl.col("change") == what).height for what in ("added", "changed", "deleted")
    ]


def changes(name: str, versions: pl.LazyFrame, since: dt.datetime) -> pl.DataFrame:
    """Return how the objects of a table differ now from what they were at a time.

    Parameters
    ----------
    name
        The shared table.
    versions
        All versions of all rows, as they are stored.
    since
        The time.
    """
    columns = [column for column in TABLES[name].schema if column not in KEY]
    there = versions.collect_schema()
    columns = [column for column in columns if column in there]
    touched = versions.filter((pl.col(VALID_FROM) > since) | (pl.col(VALID_TO) > since))
    versions_since = touched.sort(VALID_FROM).collect(engine="streaming")
    before = versions_since.filter(at_time(since)).unique(KEY, keep="last")
    now = versions_since.filter(pl.col(VALID_TO).is_null()).unique(KEY, keep="last")
    added = now.join(before, on=KEY, how="anti", nulls_equal=True)
    deleted = before.join(now, on=KEY, how="anti", nulls_equal=True)
    missed = (
        versions_since.filter(pl.col(MISSED_AT).is_not_null())
        .group_by(KEY)
        .agg(pl.col(MISSED_AT).max())
    )
    deleted = deleted.drop(MISSED_AT).join(missed, on=KEY, how="left", nulls_equal=True)
    parts = [
        _whole(added, "added", VALID_FROM),
        *_by_column(before, now, columns),
        _whole(deleted, "deleted", MISSED_AT),
    ]
    found = pl.concat(parts)
    order = {"added": 0, "changed": 1, "deleted": 2}
    turn = pl.col("change").replace_strict(order, return_dtype=pl.Int8)
    return found.sort(turn, *KEY, maintain_order=True)


def _whole(rows: pl.DataFrame, change: str, when: str) -> pl.DataFrame:
    nothing = [pl.lit(None, pl.String()).alias(name) for name in ("column", "old", "new")]
    return rows.select(
        *KEY, pl.lit(change).alias("change"), pl.col(when).alias("changed_at"), *nothing
    ).select(CHANGES.names())


def _by_column(
    before: pl.DataFrame, now: pl.DataFrame, columns: list[str]
) -> Iterator[pl.DataFrame]:
    """Return a row for each column of each object in which it differs."""
    later = now.select(*KEY, VALID_FROM, *(pl.col(name).alias(name + _NOW) for name in columns))
    both = before.drop(VALID_FROM).join(later, on=KEY, nulls_equal=True)
    for name in columns:
        different = both.filter(~pl.col(name).eq_missing(pl.col(name + _NOW)))
        if different.is_empty():
            continue
        yield different.select(
            *KEY,
            pl.lit("changed").alias("change"),
            pl.col(VALID_FROM).alias("changed_at"),
            pl.lit(name).alias("column"),
            _text(different, name).alias("old"),
            _text(different, name + _NOW).alias("new"),
        )


def _text(frame: pl.DataFrame, column: str) -> pl.Expr:
    """Return a value as text; lists as JSON."""
    if not frame.schema[column].is_nested():
        return pl.col(column).cast(pl.String)
    json = pl.struct(pl.col(column).alias("v")).struct.json_encode()
    inside = json.str.strip_prefix('{"v":').str.head(-1)
    return pl.when(pl.col(column).is_not_null()).then(inside)
