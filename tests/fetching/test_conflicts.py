"""One id with two contents: told, unless a time says that the record was changed meanwhile."""

from __future__ import annotations

import polars as pl
import pytest

from crmlab.fetching.conflicts import conflicts


@pytest.mark.parametrize(
    ("column", "count"), [("updated_at", 0), ("update_time", 0), ("updated_user", 1), ("name", 1)]
)
def test_only_a_time_makes_other_content_a_newer_version(column: str, count: int) -> None:
    frame = pl.DataFrame({"id": ["a", "a"], column: ["x", "y"]})

    assert conflicts(frame, pl.col("id")) == count
