"""One id that comes twice with other content: no repeat, but records that the service does not tell apart."""

from __future__ import annotations

import polars as pl

#: words in the names of columns that tell when a record was changed
_CHANGE_WORDS = ("modif", "updat", "chang")


def conflicts(frame: pl.DataFrame, key: pl.Expr) -> int:
    """Return how many keys came with different content, though no time says that it was changed meanwhile."""
    repeated = frame.filter(key.is_duplicated() & key.is_not_null())
    if repeated.is_empty():
        return 0
    times = [name for name in frame.columns if any(word in name for word in _CHANGE_WORDS)]
    version = pl.struct(times).struct.json_encode() if times else pl.lit("")
    content = pl.struct(pl.all()).struct.json_encode()
    kinds = repeated.select(key=key, version=version, content=content)
    contents = kinds.group_by("key", "version").agg(pl.col("content").n_unique())
    return contents.filter(pl.col("content") > 1)["key"].n_unique()
