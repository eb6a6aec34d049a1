"""One id that comes twice with other content: no repeat, but records that the service does not tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from crmlab.decoding import Record

#: words in the names of columns that tell when a record was changed
_CHANGE_WORDS = ("modif", "updat", "chang")
#: and in those that tell by whom
_WHO_WORDS = ("user", "_by", "owner", "author")


def conflicts(frame: pl.DataFrame, key: pl.Expr) -> int:
    """Return how many keys came with different content, though no time says that it was changed meanwhile."""
    repeated = frame.filter(key.is_duplicated() & key.is_not_null())
    if repeated.is_empty():
        return 0
    content = pl.struct(pl.all()).struct.json_encode()
    return count(repeated.select(key=key, version=version(frame.columns), content=content))


def version(columns: Iterable[str]) -> pl.Expr:
    """Return what tells one version of a record from another: its times of changes, as JSON."""
    change_columns = [column_name for column_name in columns if _tells_a_change(column_name)]
    if not change_columns:
        return pl.lit("")
    return pl.struct(change_columns).struct.json_encode()


def count(kinds: pl.DataFrame) -> int:
    """Return how many keys have different content in one version. Reads key, version, content."""
    contents = kinds.group_by("key", "version").agg(pl.col("content").n_unique())
    return contents.filter(pl.col("content") > 1)["key"].n_unique()


def _tells_a_change(column: str) -> bool:
    is_of_change = any(change_word in column for change_word in _CHANGE_WORDS)
    return is_of_change and not any(change_word in column for change_word in _WHO_WORDS)


def conflicts_on_a_page(
    keys: pl.Series, found: Sequence[Record], sizes: Sequence[int]
) -> frozenset[int]:
    """Return the keys that one page holds twice with different content, whatever their times say.

    A list that changes while it is read repeats a record on another page, never on the same one. `sizes` are those
    of the pages of these records, of each of which `keys` has one.
    """
    if keys.n_unique() == len(keys) or len(keys) != len(found):
        return frozenset()
    page_of_each: list[int] = []
    for page_number, page_height in enumerate(sizes):
        page_of_each += [page_number] * page_height
    pages = pl.Series(page_of_each, dtype=pl.UInt32)
    numbered_rows = pl.DataFrame({"key": keys, "page": pages}).with_row_index("row")
    repeated = numbered_rows.filter(
        pl.col("key").is_not_null() & pl.struct("key", "page").is_duplicated()
    )
    row_numbers = repeated["row"]
    contents = pl.Series([found[row].fingerprint for row in row_numbers], dtype=pl.Int64)
    return _of_several_contents(repeated.with_columns(content=contents), "key", "page")


class LargePage:
    """A page that is decoded in several batches, whose records are compared over all of them."""

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []

    def take(self, keys: pl.Series, found: Sequence[Record]) -> None:
        """Note the keys of a batch, and the content of each; called from other threads."""
        # records were rejected otherwise: nobody knows whose key is whose
        if len(keys) == len(found):
            contents = pl.Series([record.fingerprint for record in found], dtype=pl.Int64)
            self._parts.append(pl.DataFrame({"key": keys, "content": contents}))

    def conflicting(self) -> frozenset[int]:
        """Return the keys that came with different content, in the batches that were decoded so far."""
        if not self._parts:
            return frozenset()
        rows = pl.concat(self._parts)
        repeated = rows.filter(pl.col("key").is_not_null() & pl.col("key").is_duplicated())
        return _of_several_contents(repeated, "key")


def _of_several_contents(rows: pl.DataFrame, *by: str) -> frozenset[int]:
    contents = rows.group_by(*by).agg(pl.col("content").n_unique())
    return frozenset(contents.filter(pl.col("content") > 1)["key"])
