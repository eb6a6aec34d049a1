"""How two answers are compared: row by row by their keys, in any order."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from polars.testing import assert_frame_equal

#: sums that two engines make in another order differ by less
_TOLERANCE = 1e-6


def assert_agree(answer: pl.DataFrame, truth: pl.DataFrame, keys: Sequence[str]) -> None:
    """Fail where an answer has other rows than the query found, or other values in the columns that the query has."""
    # where there is one currency, an answer does not name it
    compared = [
        column for column in truth.columns if column in answer.columns or column != "currency"
    ]
    row_keys = [key for key in keys if key in compared]
    found = (
        answer.select(compared).with_columns(pl.col(pl.Categorical).cast(pl.String)).sort(row_keys)
    )
    expected = truth.select(compared).cast(dict(found.schema)).sort(row_keys)

    assert not found.select(row_keys).is_duplicated().any(), (
        "two rows of the answer are about the same"
    )
    assert_frame_equal(found, expected, abs_tol=_TOLERANCE)
