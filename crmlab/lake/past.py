"""What was different: between a time and now, of each object, and of each column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import polars as pl

from crmlab.display import DisplayMixin, Overview
from crmlab.lake.versions import MISSED_AT, VALID_FROM, VALID_TO, at_time, not_among
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
_COUNTS = {
    "table": pl.String(),
    "added": pl.Int64(),
    "changed": pl.Int64(),
    "deleted": pl.Int64(),
}
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

    def __init__(
        self,
        tables: Mapping[str, pl.DataFrame],
        since: dt.datetime,
    ) -> None:
        self._tables = {}
        self.since = since
        counts = []
        for table_name, differences in tables.items():
            if differences.is_empty():
                continue
            self._tables[table_name] = differences
            counts.append((table_name, *_counted(differences)))
        self.summary = pl.DataFrame(counts, schema=_COUNTS, orient="row")

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __repr__(self) -> str:
        counts = self.summary.select(pl.exclude("table").sum()).row(0, named=True)
        words = ", ".join(f"{number:,} {change}" for change, number in counts.items())
        return f"<Changes since {self.since:%Y-%m-%d %H:%M} UTC: {words}>"

    def _overview(self) -> Overview:
        return Overview(
            title=f"Since {self.since:%Y-%m-%d %H:%M} UTC",
            words="What was added, changed and deleted, as the refreshes saw it.",
            tables=[("", self.summary)],
        )


def _counted(frame: pl.DataFrame) -> list[int]:
    # an object that changed has a row for each column, and counts once
    objects = frame.unique([*KEY, "change"])
    kinds = ("added", "changed", "deleted")
    return [objects.filter(pl.col("change") == change).height for change in kinds]


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
    has_begun_since = pl.col(VALID_FROM) > since
    has_ended_since = pl.col(VALID_TO) > since
    touched = versions.filter(has_begun_since | has_ended_since)
    versions_since = touched.sort(VALID_FROM).collect(engine="streaming")
    before = versions_since.filter(at_time(since)).unique(KEY, keep="last")
    is_current = pl.col(VALID_TO).is_null()
    current = versions_since.filter(is_current).unique(KEY, keep="last")
    differences = pl.concat(
        [
            _whole(not_among(current, before), "added", VALID_FROM),
            *_by_column(before, current, _compared_columns(name, versions)),
            _whole(_deleted(versions_since, before, current), "deleted", MISSED_AT),
        ]
    )
    order = {"added": 0, "changed": 1, "deleted": 2}
    kind_order = pl.col("change").replace_strict(order, return_dtype=pl.Int8)
    return differences.sort(kind_order, *KEY, maintain_order=True)


def _compared_columns(name: str, versions: pl.LazyFrame) -> list[str]:
    """Return the columns that are compared; a table that an older crmlab wrote may lack some."""
    stored_columns = versions.collect_schema()
    return [
        column for column in TABLES[name].schema if column not in KEY and column in stored_columns
    ]


def _deleted(
    versions_since: pl.DataFrame, before: pl.DataFrame, current: pl.DataFrame
) -> pl.DataFrame:
    """Return the objects that are not there any more, with when they were missed last."""
    missed = versions_since.filter(pl.col(MISSED_AT).is_not_null())
    last_missed = missed.group_by(KEY).agg(pl.col(MISSED_AT).max())
    # what an object was at the time may have ended by a change: a later version of it was missed
    without_time = not_among(before, current).drop(MISSED_AT)
    return without_time.join(last_missed, on=KEY, how="left", nulls_equal=True)


def _whole(rows: pl.DataFrame, change: str, when: str) -> pl.DataFrame:
    no_text = pl.lit(None, pl.String())
    return rows.select(
        *KEY,
        pl.lit(change).alias("change"),
        pl.col(when).alias("changed_at"),
        no_text.alias("column"),
        no_text.alias("old"),
        no_text.alias("new"),
    )


def _by_column(
    before: pl.DataFrame, now: pl.DataFrame, columns: list[str]
) -> Iterator[pl.DataFrame]:
    """Return a row for each column of each object in which it differs."""
    values_now = pl.col(columns).name.suffix(_NOW)
    current = now.select(*KEY, VALID_FROM, values_now)
    pairs = before.drop(VALID_FROM).join(current, on=KEY, nulls_equal=True)
    for column in columns:
        is_same = pl.col(column).eq_missing(pl.col(column + _NOW))
        different = pairs.filter(~is_same)
        if different.is_empty():
            continue
        yield different.select(
            *KEY,
            pl.lit("changed").alias("change"),
            pl.col(VALID_FROM).alias("changed_at"),
            pl.lit(column).alias("column"),
            _text(different, column).alias("old"),
            _text(different, column + _NOW).alias("new"),
        )


def _text(frame: pl.DataFrame, column: str) -> pl.Expr:
    """Return a value as text; lists as JSON."""
    if not frame.schema[column].is_nested():
        return pl.col(column).cast(pl.String)
    # only structs can be encoded: the value is put into one, and taken out of its text
    wrapped = pl.struct(pl.col(column).alias("v"))
    document = wrapped.struct.json_encode()
    value_text = document.str.strip_prefix('{"v":').str.head(-1)
    has_value = pl.col(column).is_not_null()
    return pl.when(has_value).then(value_text)
