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
    among,
    as_stored,
    bucket_of,
    buckets_for,
    difference,
    merge_source,
    new_columns,
    not_among,
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
            description: dict[str, Any] = json.loads(table.metadata().description or "")
            is_ours = description["lake"] == self.lake
        except (ValueError, KeyError, TypeError):
            is_ours = False
        if not is_ours:
            raise UsageError(
                f"{self.place.uri(self.path)} is no table of this lake: restore the one that was there from a copy"
            )
        return description

    def make(self, rows: int) -> None:
        """Make it where it is not there, for about so many rows; give it the columns that are new."""
        if not self.exists():
            self._create(rows)
        again(self._widen)

    def _create(self, rows: int) -> None:
        description = {"lake": self.lake, "buckets": buckets_for(rows)}
        self.place.create(
            self.path,
            stored_schema(self.name),
            partition_by=[IS_CURRENT, KEY_BUCKET],
            description=json.dumps(description),
            configuration=_CONFIGURATION,
        )

    def _widen(self) -> None:
        delta_table = self.open()
        stored_columns = self.place.scan(delta_table).collect_schema()
        lacking = new_columns(self.name, stored_columns, stored_schema(self.name))
        if not lacking:
            return
        library = delta()
        new_fields = library.Schema.from_arrow(lacking).fields
        with self.place.in_words(self.path):
            delta_table.alter.add_columns(new_fields)

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
        row_count = rows.select(pl.len()).collect(engine="streaming").item()
        self.make(round(row_count / share))
        schema = as_stored(TABLES[self.name].schema)
        plain_rows = rows.select(pl.col(column).cast(dtype) for column, dtype in schema.items())
        written = Written()
        with _by_bucket(plain_rows, self._buckets()) as buckets:
            for bucket, rows_of_bucket in enumerate(buckets):
                collected = rows_of_bucket.collect(engine="streaming")
                # an object may come twice, where it was changed while its list was read
                new_rows = collected.unique(KEY, keep="last", maintain_order=True)
                written += self._write(new_rows, new_rows.select(KEY), bucket, at, whole)
        return written

    def mark_missed(
        self,
        keys: pl.DataFrame,
        *,
        at: dt.datetime,
        whole: Sequence[tuple[str, str]],
    ) -> Written:
        """Mark what is stored of these accounts and is not among all the `keys` that they have; return how many.

        What was missed and is among them was missed wrongly, or is there again: it goes on as it was.
        """
        schema = as_stored(TABLES[self.name].schema)
        plain_keys = keys.lazy().select(pl.col(column).cast(schema[column]) for column in KEY)
        no_rows = pl.DataFrame(schema=schema)
        written = Written()
        with _by_bucket(plain_keys, self._buckets()) as buckets:
            for bucket, keys_of_bucket in enumerate(buckets):
                written += self._write(no_rows, keys_of_bucket.collect(), bucket, at, whole)
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
            delta_table = self.open()
            all_versions = self.place.scan(delta_table)
            versions = all_versions.filter(pl.col(KEY_BUCKET) == bucket)
            changes = self._changes(versions, new, there, bucket=bucket, at=at, whole=whole)
            with self.place.in_words(self.path):
                _commit(delta_table, changes, at, bucket)
            return Written(changes.added, changes.changed, changes.deleted)

        return again(once)

    def _changes(
        self,
        versions: pl.LazyFrame,
        new: pl.DataFrame,
        there: pl.DataFrame,
        *,
        bucket: int,
        at: dt.datetime,
        whole: Sequence[tuple[str, str]],
    ) -> Difference:
        """Return what is different from the versions of one bucket, as they are stored at this moment."""
        current = versions.filter(pl.col(IS_CURRENT))
        with self.place.in_words(self.path):
            # what another writer read later than us, and found ended, must not begin again by what we read before
            ended_after = _ended_after(versions, at)
            ours = not_among(new, ended_after)
            our_keys = ours.lazy().select(KEY)
            stored = among(current, our_keys).collect(engine="streaming")
            gone = self._gone(current, there.lazy(), at, whole)
            without_values = not_among(there, new)
            revived = _missed_before(versions, without_values, at)
        changes = difference(stored, ours, gone, at=at, bucket=bucket)
        if revived.is_empty():
            return changes
        return changes.with_revived(revived, at=at)

    def _gone(
        self,
        current: pl.LazyFrame,
        there: pl.LazyFrame,
        at: dt.datetime,
        whole: Sequence[tuple[str, str]],
    ) -> pl.DataFrame:
        """Return the keys of what is stored of these accounts and is not there any more."""
        account_schema = dict.fromkeys(KEY[:2], pl.String)
        accounts = pl.LazyFrame(whole, schema=account_schema, orient="row")
        # what another writer read later is newer than what was missed
        may_be_missed = pl.col(VALID_FROM) <= at
        if _DAY in TABLES[self.name].columns:
            may_be_missed &= pl.col(_DAY).is_null()
        of_accounts = current.filter(may_be_missed).join(accounts, on=KEY[:2], how="semi")
        missed_keys = not_among(of_accounts, there).select(KEY)
        return missed_keys.collect(engine="streaming")

    def scan(self, version: int) -> pl.LazyFrame:
        """Return all versions of all rows that are there, or were at a version of the table."""
        table = self.open(version)
        return self.place.scan(table)

    def latest(self, version: int) -> dt.datetime | None:
        """Return when the newest version of any row began; None where there are no rows."""
        newest_time = pl.col(VALID_FROM).max()
        with self.place.in_words(self.path):
            newest = self.scan(version).select(newest_time).collect(engine="streaming").item()
        if isinstance(newest, dt.datetime):
            return newest
        return None

    def current_rows(self, version: int) -> int:
        """Return how many rows are current; no file is read for that."""
        with self.place.in_words(self.path):
            log_entries = self.open(version).get_add_actions(flatten=True)
            files = pl.DataFrame(log_entries)
        # the log of a table without files has no columns to filter by
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


def _missed_before(
    versions: pl.LazyFrame,
    there: pl.DataFrame,
    at: dt.datetime,
) -> pl.DataFrame:
    """Return the versions that ended since their objects were missed, of those that are there after all."""
    current_keys = versions.filter(pl.col(IS_CURRENT)).select(KEY)
    not_current = not_among(there.lazy(), current_keys)
    lacking = not_current.collect(engine="streaming")
    if lacking.is_empty():
        return lacking
    ended = versions.filter(~pl.col(IS_CURRENT))
    ended_of_lacking = among(ended, lacking.lazy())
    in_order = ended_of_lacking.collect(engine="streaming").sort(VALID_TO)
    last_ended = in_order.unique(KEY, keep="last", maintain_order=True)
    return last_ended.filter(pl.col(MISSED_AT) <= at)


def _commit(
    table: Any,
    found: Difference,
    at: dt.datetime,
    bucket: int,
) -> None:
    if found.is_nothing:  # Delta would commit a merge of nothing as nothing too
        return
    # where nothing ends, an append reads no file, and a merge would
    if found.ended.is_empty():
        options = writing(table.version() + 1)
        delta().write_deltalake(table, found.begun, mode="append", **options)
        return
    _merge(table, merge_source(found, at=at), bucket)


def _merge(table: Any, source: pl.DataFrame, bucket: int) -> None:
    """Commit what ends and what begins at once; the literals keep the files of other buckets out of it."""
    same_key = " AND ".join(
        f"{_comparable(key_column, source)} = s.{MATCH}{key_column}" for key_column in KEY
    )
    matches = [f"{MATCH}{key_column}" for key_column in KEY]
    # a row that begins keeps its nulls, which equal nothing: it must match no stored row
    is_ending = ~pl.col(IS_NEW)
    with_no_key = pl.when(is_ending).then(pl.col(matches).fill_null(_NO_KEY))
    merger = table.merge(
        source.with_columns(with_no_key),
        f"t.{IS_CURRENT} = true AND t.{KEY_BUCKET} = {bucket} AND {same_key}",
        source_alias="s",
        target_alias="t",
        **writing(table.version() + 1),
    )
    ending = {VALID_TO: f"s.{VALID_TO}", MISSED_AT: f"s.{MISSED_AT}", IS_CURRENT: "false"}
    beginning = {}
    for column in source.columns:
        if column not in (IS_NEW, *matches):
            beginning[f"`{column}`"] = f"s.`{column}`"
    merger = merger.when_matched_update(ending)
    merger = merger.when_not_matched_insert(beginning, predicate=f"s.{IS_NEW} = true")
    merger.execute()


def _comparable(name: str, source: pl.DataFrame) -> str:
    """Return a part of the stored key as it is compared: null equals nothing, and a record without an id has a null."""
    ending = source.filter(~pl.col(IS_NEW))
    if ending[MATCH + name].has_nulls():
        return f"coalesce(t.{name}, '{_NO_KEY}')"
    return f"t.{name}"


@contextmanager
def _by_bucket(rows: pl.LazyFrame, buckets: int) -> Iterator[list[pl.LazyFrame]]:
    """Return the rows of each bucket; where there are several, the bucket of each row is found out once."""
    if buckets == 1:
        yield [rows]
        return
    with TemporaryDirectory(prefix="crmlab-") as folder:
        marked_file = Path(folder) / "rows.parquet"
        rows.with_columns(bucket_of(buckets)).sink_parquet(marked_file, compression="lz4")
        marked = pl.scan_parquet(marked_file, glob=False)
        parts = []
        for bucket in range(buckets):
            of_bucket = marked.filter(pl.col(KEY_BUCKET) == bucket)
            parts.append(of_bucket.drop(KEY_BUCKET))
        yield parts
