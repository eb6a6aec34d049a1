"""Records without a key, of lists that are read more than once. Pure."""

from __future__ import annotations

import polars as pl


def with_keys(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of key, content, source and reading in which each has a key.

    That of a row without one is its content, and how often this came before in the same reading of its list. So what
    a further reading brings again is there once, and records of one reading that are equal are all there.
    """
    if rows["key"].null_count() == 0:
        return rows
    came_before = pl.int_range(pl.len()).over("source", "content", "reading")
    of_content = pl.struct("source", "content", came_before.alias("came_before")).hash()
    return rows.with_columns(key=pl.col("key").fill_null(of_content))
