"""How two answers are compared: by their keys, in any order, numbers to nine places."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

#: sums that two engines make in another order differ by less
TOLERANCE = 1e-6


def differences(truth: pl.DataFrame, found: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return the rows in which the answers differ, those of `truth` first; none where they agree.

    Compared are the columns that both have. A currency that only one of them names is not missing: analyses name it
    where there are several.
    """
    shared = [column for column in found.columns if column in truth.columns]
    dtypes = {column: _plain(found.schema[column]) for column in shared}
    by_keys = [key for key in keys if key in shared]

    expected = truth.select(shared).cast(dtypes).sort(by_keys)
    answered = found.select(shared).cast(dtypes).sort(by_keys)
    rounded = pl.selectors.float().round(4)
    missing = expected.with_columns(rounded).join(
        answered.with_columns(rounded), on=shared, how="anti", nulls_equal=True
    )
    added = answered.with_columns(rounded).join(expected.with_columns(rounded), on=shared, how="anti", nulls_equal=True)
    return pl.concat([missing.with_columns(side=pl.lit("SQL")), added.with_columns(side=pl.lit("crmlab"))])


def _plain(dtype: pl.DataType) -> pl.DataType:
    return pl.String() if dtype == pl.Categorical else dtype
