"""Versions of rows: what is stored beside the shared columns, and what a newer reading makes of it. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from zlib import crc32

import polars as pl

from crmlab.errors import UsageError
from crmlab.schema import KEY, TABLES, UTC

#: when a refresh first saw the row like this, and when a refresh saw it no more like this; null: it is current
VALID_FROM = "valid_from"
VALID_TO = "valid_to"
#: when its object was missed, where that is why the version ended
MISSED_AT = "missed_at"
#: Delta keeps rows of different values here in different files: a reader of what is current opens no other
IS_CURRENT = "is_current"
KEY_BUCKET = "key_bucket"
BESIDE = pl.Schema(
    {
        VALID_FROM: UTC,
        VALID_TO: UTC,
        MISSED_AT: UTC,
        IS_CURRENT: pl.Boolean(),
        KEY_BUCKET: pl.Int32(),
    }
)
#: how the columns of the stored version are called beside those of the new one
_STORED = "__stored"
_MATCHED = "__is_stored"
_NEWER = "__is_newer"
#: in what a merge reads: the key of the version that ends, and whether the row begins one
MATCH = "match_"
IS_NEW = "is_new"
_ROWS_OF_A_BUCKET = 500_000
_MAX_BUCKETS = 64


#: rows that are there, or still to be read
_Frame = TypeVar("_Frame", pl.DataFrame, pl.LazyFrame)


def stored_schema(name: str) -> pl.Schema:
    """Return the columns of a table as Delta keeps them: it knows no categories."""
    return pl.Schema({**as_stored(TABLES[name].schema), **BESIDE})


def as_stored(schema: pl.Schema) -> pl.Schema:
    """Return the dtypes as Delta keeps them."""
    return pl.Schema({column: _plain(dtype) for column, dtype in schema.items()})


def _plain(dtype: pl.DataType) -> pl.DataType:
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return pl.String()
    return dtype


def new_columns(name: str, stored: pl.Schema, wanted: pl.Schema) -> pl.Schema:
    """Return the columns that a stored table lacks.

    Delta would narrow a value that does not fit without a word: 1.5 in a column of whole numbers becomes 1. So this is
    the one place where types are compared.

    Raises
    ------
    UsageError
        A column has another dtype than it is stored with.
    """
    lacking = pl.Schema()
    for column, dtype in wanted.items():
        if column not in stored:
            lacking[column] = dtype
        elif stored[column] != dtype:
            raise UsageError(
                f"{name}.{column} is {stored[column]} in the lake, and {dtype} in this version of crmlab, which would "
                "change what is stored: use the version that wrote it, or begin a new lake"
            )
    return lacking


def buckets_for(rows: int) -> int:
    """Return into how many buckets a table of so many rows is parted: memory holds one of them.

    Examples
    --------
    >>> [buckets_for(rows) for rows in (0, 800_000, 3_000_000, 10**9)]
    [1, 2, 8, 64]
    """
    wanted = 1
    while wanted < _MAX_BUCKETS and rows > wanted * _ROWS_OF_A_BUCKET:
        wanted *= 2
    return wanted


def bucket_of(buckets: int) -> pl.Expr:
    """Return the bucket of a row, which follows from its key for good: the hashes of Polars differ by version."""
    if buckets == 1:
        return pl.lit(0, pl.Int32()).alias(KEY_BUCKET)
    key_parts = pl.col(KEY).cast(pl.String).fill_null("")
    key_text = pl.concat_str(key_parts, separator="\x00")

    def numbers(keys: pl.Series) -> pl.Series:
        bucket_numbers = [crc32(key.encode()) % buckets for key in keys]
        return pl.Series(bucket_numbers, dtype=pl.Int32)

    bucket = key_text.map_batches(numbers, return_dtype=pl.Int32(), is_elementwise=True)
    return bucket.alias(KEY_BUCKET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a newer reading makes of stored rows: versions that begin, and keys of versions that end."""

    begun: pl.DataFrame
    #: provider, account, id, and when the object was missed (null: it has another version now)
    ended: pl.DataFrame
    added: int
    changed: int
    deleted: int

    @property
    def is_nothing(self) -> bool:
        """Whether all is as it was."""
        return self.begun.is_empty() and self.ended.is_empty()

    def with_revived(self, ended: pl.DataFrame, *, at: dt.datetime) -> Difference:
        """Return the same with versions that begin as others have ended: their objects are there again."""
        # the bucket follows from the key: these rows have theirs already
        revived = ended.with_columns(*_beginning(at))
        begun = pl.concat([self.begun, revived.select(self.begun.columns)])
        return replace(self, begun=begun, added=self.added + ended.height)


def _beginning(at: dt.datetime) -> tuple[pl.Expr, ...]:
    """Return what stands beside a version that begins at a time, but for its bucket."""
    return (
        pl.lit(at, UTC).alias(VALID_FROM),
        pl.lit(None, UTC).alias(VALID_TO),
        pl.lit(None, UTC).alias(MISSED_AT),
        pl.lit(value=True).alias(IS_CURRENT),
    )


def difference(
    stored: pl.DataFrame,
    new: pl.DataFrame,
    gone: pl.DataFrame,
    *,
    at: dt.datetime,
    bucket: int,
) -> Difference:
    """Return what is different.

    Parameters
    ----------
    stored
        The current versions of the rows that are new, with all columns that the table has.
    new
        The rows as they are now, each key once: shared columns as Delta keeps them.
    gone
        Keys (provider, account, id) of current versions whose object was not there any more.
    at
        When they were read.
    bucket
        To which all of them belong.
    """
    # a lake that a newer crmlab wrote has columns that this one does not know: they go on with the row
    ours = (*new.columns, *BESIDE)
    unknown = [column for column in stored.columns if column not in ours]
    added, changed = _added_and_changed(stored, new, unknown, at)
    begun = pl.concat([added, changed]).select(
        *new.columns,
        *unknown,
        *_beginning(at),
        pl.lit(bucket, pl.Int32()).alias(KEY_BUCKET),
    )
    not_missed = pl.lit(None, UTC).alias(MISSED_AT)
    superseded = changed.select(*KEY, not_missed)
    missed_now = pl.lit(at, UTC).alias(MISSED_AT)
    missed = gone.select(*KEY, missed_now)
    return Difference(
        begun=begun,
        ended=pl.concat([superseded, missed]),
        added=added.height,
        changed=changed.height,
        deleted=gone.height,
    )


def _added_and_changed(
    stored: pl.DataFrame,
    new: pl.DataFrame,
    unknown: Sequence[str],
    at: dt.datetime,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the new rows that are not stored, and those that are stored with other values."""
    is_compared = set(stored.columns).difference(KEY)
    compared = [column for column in new.columns if column in is_compared]
    before = stored.select(
        *KEY,
        pl.lit(value=True).alias(_MATCHED),
        (pl.col(VALID_FROM) > at).alias(_NEWER),
        pl.col(compared).name.suffix(_STORED),
        *unknown,
    )
    pairs = new.join(before, on=KEY, how="left", nulls_equal=True)
    is_stored = pl.col(_MATCHED).fill_null(value=False)
    as_before = [pl.col(column).eq_missing(pl.col(column + _STORED)) for column in compared]
    # of a table without another column than its key, all rows are the same
    is_same = pl.all_horizontal(pl.lit(value=True), *as_before)
    # another writer may have asked later and committed earlier
    is_newer = pl.col(_NEWER).fill_null(value=False)
    changed = pairs.filter(is_stored, ~is_same, ~is_newer)
    return pairs.filter(~is_stored), changed


def merge_source(found: Difference, *, at: dt.datetime) -> pl.DataFrame:
    """Return one frame of what ends and what begins, so that both are one commit.

    A row that ends names the version in ``match_provider``, ``match_account`` and ``match_id``. One that begins
    matches nothing.
    """
    # the version that ends keeps its values: the merge takes of these rows only what stands beside them
    no_values = []
    for column, dtype in found.begun.schema.items():
        if column not in BESIDE:
            no_values.append(pl.lit(None, dtype).alias(column))
    ending = found.ended.select(
        *no_values,
        pl.lit(None, UTC).alias(VALID_FROM),
        pl.lit(at, UTC).alias(VALID_TO),
        MISSED_AT,
        pl.lit(value=False).alias(IS_CURRENT),
        pl.lit(None, pl.Int32()).alias(KEY_BUCKET),
        pl.col(KEY).name.prefix(MATCH),
        pl.lit(value=False).alias(IS_NEW),
    )
    no_text = pl.lit(None, pl.String())
    no_match = [no_text.alias(MATCH + key_column) for key_column in KEY]
    is_new = pl.lit(value=True).alias(IS_NEW)
    beginning = found.begun.with_columns(*no_match, is_new)
    return pl.concat([ending, beginning.select(ending.columns)])


def among(rows: _Frame, others: _Frame) -> _Frame:
    """Return the rows of the objects that others have too; the keys of records without an id are compared as well."""
    return rows.join(others, on=KEY, how="semi", nulls_equal=True)


def not_among(rows: _Frame, others: _Frame) -> _Frame:
    """Return the rows of the objects that others have not."""
    return rows.join(others, on=KEY, how="anti", nulls_equal=True)


def at_time(time: dt.datetime) -> pl.Expr:
    """Return whether a version was the one of its object at that time."""
    has_begun = pl.col(VALID_FROM) <= time
    ends_later = (pl.col(VALID_TO) > time) | pl.col(VALID_TO).is_null()
    return has_begun & ends_later


def as_shared(
    frame: pl.LazyFrame,
    name: str,
    also: Iterable[str] = (),
) -> pl.LazyFrame:
    """Return stored rows with exactly the columns and dtypes of their shared table, and with some of those beside."""
    stored_columns = frame.collect_schema()
    expressions = []
    for column, dtype in TABLES[name].schema.items():
        if column not in stored_columns:
            # an older crmlab wrote it, or a newer one brought the column
            expressions.append(pl.lit(None, dtype).alias(column))
        elif _plain(dtype) != dtype:
            expressions.append(pl.col(column).cast(dtype))
        else:
            expressions.append(pl.col(column))
    return frame.select(*expressions, *also)
