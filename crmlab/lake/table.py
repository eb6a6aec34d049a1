"""One shared table of a lake: rows merged into it, each commit whole, and read as they are or were."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from crmlab.errors import UsageError
from crmlab.lake.place import Place, again, delta, writing
from crmlab.lake.versions import (
    IS_CURRENT,
    IS_NEW,
    KEY_BUCKET,
    MATCH,
    MISSED_AT,
    VALID_FROM,
    VALID_TO,
    Difference,
    as_stored,
    bucket_of,
    buckets_for,
    difference,
    merge_source,
    new_columns,
    stored_schema,
)
from crmlab.schema import KEY, TABLES

_CONFIGURATION = {
    # the log keeps the least and the greatest value of each column that is named here, and must hold nobody's name
    "delta.dataSkippingStatsColumns": f"{VALID_FROM},{VALID_TO}",
}
#: rows of a day, such as counts, are facts of that day: a service that keeps them no longer has not deleted them
_DAY = "day"
#: stands for null where keys are compared
_NO_KEY = "\ue000"


@dataclass(slots=True)
class Written:
    """How many rows a merge wrote, and why."""

    added: int = 0
    changed: int = 0
    deleted: int = 0

    def __iadd__(self, other: Written) -> Written:
        self.added += other.added
        self.changed += other.changed
        self.deleted += other.deleted
        return self


@dataclass(frozen=True, slots=True)
class LakeTable:
    """One shared table of a lake. `lake` is the id of the lake, so that a table of another one is known."""

    place: Place
    name: str
    lake: str

    @property
    def path(self) -> str:
        """Where it is within the lake."""
        return f"tables/{self.name}"

    def exists(self) -> bool:
        return self.place.exists(self.path)

    def open(self, version: int | None = None) -> Any:
        """Return the Delta table.

        Raises
        ------
        UsageError
            It is not there, or is that of another lake.
        """
        table = self.place.open(self.path, version)
        self._about(table)
        return table

    def _about(self, table: Any) -> dict[str, Any]:
        try:
            about: dict[str, Any] = json.loads(table.metadata().description or "")
            is_ours = about["lake"] == self.lake
        except (ValueError, KeyError, TypeError):
            is_ours = False
        if not is_ours:
            raise UsageError(
                f"{self.place.uri(self.path)} is no table of this lake: bring back the one that was there from a copy"
            )
        return about

    def make(self, rows: int) -> None:
        """Make it where it is not there, for about so many rows; give it the columns that are new."""
        library = delta()
        if not self.exists():
            about = {"lake": self.lake, "buckets": buckets_for(rows)}
            with self.place.in_words(self.path):
                try:
                    library.DeltaTable.create(
                        self.place.uri(self.path),
                        stored_schema(self.name),
                        partition_by=[IS_CURRENT, KEY_BUCKET],
                        description=json.dumps(about),
                        configuration=_CONFIGURATION,
                        storage_options=self.place.options,
                    )
                except library.exceptions.DeltaError:
                    if not self.exists():
                        raise
        again(self._widen)

    def _widen(self) -> None:
        table = self.open()
        lacking = new_columns(
            self.name, self.place.scan(table).collect_schema(), stored_schema(self.name)
        )
        if not lacking:
            return
        library = delta()
        with self.place.in_words(self.path):
            table.alter.add_columns(library.Schema.from_arrow(lacking).fields)

    def merge(
        self,
        rows: pl.LazyFrame,
        *,
        at: dt.datetime,
        whole: Sequence[tuple[str, str]] = (),
        share: float = 1.0,
    ) -> Written:
        """Make these rows the current versions, and return what that changed; rows that are as they were cost nothing.

        Parameters
        ----------
        rows
            With the columns of the shared table.
        at
            When they were read.
        whole
            Accounts (provider, account) of which these are all rows: what is stored of them and not among these was
            missed.
        share
            Which part they are of the rows that are on their way: a table that is not there yet is made for all of
            them, since the number of its buckets stays.
        """
        height = rows.select(pl.len()).collect(engine="streaming").item()
        self.make(round(height / share))
        schema = as_stored(TABLES[self.name].schema)
        plain = rows.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
        written = Written()
        with _by_bucket(plain, self._buckets()) as parts:
            for bucket, part in enumerate(parts):
                new = part.collect(engine="streaming").unique(KEY, keep="last", maintain_order=True)
                written += self._write(new, new.select(KEY), bucket, at, whole)
        return written

    def mark_missed(
        self, keys: pl.DataFrame, *, at: dt.datetime, whole: Sequence[tuple[str, str]]
    ) -> Written:
        """Mark what is stored of these accounts and is not among all the `keys` that they have; return how many.

        What was missed and is among them was missed wrongly, or is there again: it goes on as it was.
        """
        schema = as_stored(TABLES[self.name].schema)
        plain = keys.lazy().select(pl.col(name).cast(schema[name]) for name in KEY)
        nothing = pl.DataFrame(schema=schema)
        written = Written()
        with _by_bucket(plain, self._buckets()) as parts:
            for bucket, part in enumerate(parts):
                written += self._write(nothing, part.collect(), bucket, at, whole)
        return written

    def _buckets(self) -> int:
        return int(self._about(self.open())["buckets"])

    def _write(
        self,
        new: pl.DataFrame,
        there: pl.DataFrame,
        bucket: int,
        at: dt.datetime,
        whole: Sequence[tuple[str, str]],
    ) -> Written:
        """Commit what is different in one bucket: what is new, and what is not among the keys that are there."""

        def once() -> Written:
            table = self.open()
            versions = self.place.scan(table).filter(pl.col(KEY_BUCKET) == bucket)
            current = versions.filter(pl.col(IS_CURRENT))
            with self.place.in_words(self.path):
                ours = new.join(_ended_after(versions, at), on=KEY, how="anti", nulls_equal=True)
                keys = ours.lazy().select(KEY)
                stored = current.join(keys, on=KEY, how="semi", nulls_equal=True).collect(
                    engine="streaming"
                )
                gone = self._gone(current, there.lazy(), at, whole)
                again_there = _missed_before(
                    versions, there.join(new, on=KEY, how="anti", nulls_equal=True), at
                )
            found = difference(stored, ours, gone, at=at, bucket=bucket)
            if not again_there.is_empty():
                found = found.with_revived(again_there, at=at)
            with self.place.in_words(self.path):
                _commit(table, found, at, bucket)
            return Written(found.added, found.changed, found.deleted)

        return again(once)

    def _gone(
        self,
        current: pl.LazyFrame,
        there: pl.LazyFrame,
        at: dt.datetime,
        whole: Sequence[tuple[str, str]],
    ) -> pl.DataFrame:
        """Return the keys of what is stored of these accounts and is not there any more."""
        accounts = pl.LazyFrame(whole, schema=dict.fromkeys(KEY[:2], pl.String), orient="row")
        # what another writer read later is newer than what was missed
        may_be_missed = pl.col(VALID_FROM) <= at
        if _DAY in TABLES[self.name].columns:
            may_be_missed &= pl.col(_DAY).is_null()
        of_accounts = current.filter(may_be_missed).join(accounts, on=KEY[:2], how="semi")
        return (
            of_accounts.join(there, on=KEY, how="anti", nulls_equal=True)
            .select(KEY)
            .collect(engine="streaming")
        )

    def scan(self, version: int) -> pl.LazyFrame:
        """Return all versions of all rows that are there, or were at a version of the table."""
        table = self.open(version)
        return self.place.scan(table)

    def latest(self, version: int) -> dt.datetime | None:
        """Return when the newest version of any row began; None where there are no rows."""
        with self.place.in_words(self.path):
            found = (
                self.scan(version)
                .select(pl.col(VALID_FROM).max())
                .collect(engine="streaming")
                .item()
            )
        return found if isinstance(found, dt.datetime) else None

    def current_rows(self, version: int) -> int:
        """Return how many rows are current; no file is read for that."""
        with self.place.in_words(self.path):
            files = pl.DataFrame(self.open(version).get_add_actions(flatten=True))
        if files.is_empty():
            return 0
        is_current = pl.col(f"partition.{IS_CURRENT}").cast(pl.String) == "true"
        return int(files.filter(is_current)["num_records"].sum())


def _ended_after(versions: pl.LazyFrame, at: dt.datetime) -> pl.DataFrame:
    """Return the keys of what another writer read later than that, and found changed or deleted."""
    return (
        versions.filter(~pl.col(IS_CURRENT), pl.col(VALID_TO) > at)
        .select(KEY)
        .collect(engine="streaming")
    )


def _missed_before(versions: pl.LazyFrame, there: pl.DataFrame, at: dt.datetime) -> pl.DataFrame:
    """Return the versions that ended since their objects were missed, of those that are there after all."""
    keys = there.lazy()
    current = versions.filter(pl.col(IS_CURRENT)).select(KEY)
    lacking = keys.join(current, on=KEY, how="anti", nulls_equal=True).collect(engine="streaming")
    if lacking.is_empty():
        return lacking
    ended = versions.filter(~pl.col(IS_CURRENT)).join(
        lacking.lazy(), on=KEY, how="semi", nulls_equal=True
    )
    last = (
        ended.collect(engine="streaming")
        .sort(VALID_TO)
        .unique(KEY, keep="last", maintain_order=True)
    )
    return last.filter(pl.col(MISSED_AT) <= at)


def _commit(table: Any, found: Difference, at: dt.datetime, bucket: int) -> None:
    if found.is_nothing:  # Delta would commit a merge of nothing as nothing too
        return
    if found.ended.is_empty():
        delta().write_deltalake(table, found.begun, mode="append", **writing(table.version() + 1))
        return
    _merge(table, merge_source(found, at=at), bucket)


def _merge(table: Any, source: pl.DataFrame, bucket: int) -> None:
    """Commit what ends and what begins at once; the literals keep the files of other buckets out of it."""
    keys = " AND ".join(f"{_comparable(name, source)} = s.{MATCH}{name}" for name in KEY)
    columns = [name for name in source.columns if name != IS_NEW and not name.startswith(MATCH)]
    ends = ~pl.col(IS_NEW)
    source = source.with_columns(
        pl.when(ends).then(pl.col(MATCH + name).fill_null(_NO_KEY)).alias(MATCH + name)
        for name in KEY
    )
    merger = table.merge(
        source,
        f"t.{IS_CURRENT} = true AND t.{KEY_BUCKET} = {bucket} AND {keys}",
        source_alias="s",
        target_alias="t",
        **writing(table.version() + 1),
    )
    ending = {VALID_TO: f"s.{VALID_TO}", MISSED_AT: f"s.{MISSED_AT}", IS_CURRENT: "false"}
    merger = merger.when_matched_update(ending)
    beginning = {f"`{name}`": f"s.`{name}`" for name in columns}
    merger.when_not_matched_insert(beginning, predicate=f"s.{IS_NEW} = true").execute()


def _comparable(name: str, source: pl.DataFrame) -> str:
    """Return a part of the stored key as it is compared: null equals nothing, and a record without an id has a null."""
    is_lacking = source.filter(~pl.col(IS_NEW))[MATCH + name].has_nulls()
    return f"coalesce(t.{name}, '{_NO_KEY}')" if is_lacking else f"t.{name}"


@contextmanager
def _by_bucket(rows: pl.LazyFrame, buckets: int) -> Iterator[list[pl.LazyFrame]]:
    """Return the rows of each bucket; where there are several, the bucket of each row is found out once."""
    if buckets == 1:
        yield [rows]
        return
    with TemporaryDirectory(prefix="crmlab-") as folder:
        file = Path(folder) / "rows.parquet"
        rows.with_columns(bucket_of(buckets)).sink_parquet(file, compression="lz4")
        marked = pl.scan_parquet(file)
        yield [
            marked.filter(pl.col(KEY_BUCKET) == bucket).drop(KEY_BUCKET)
            for bucket in range(buckets)
        ]
