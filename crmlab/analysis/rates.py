"""Counts and rates: what every analysis ends with."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def counted(rows: pl.DataFrame, keys: Sequence[str], *measures: pl.Expr) -> pl.DataFrame:
    """Return the measures of each group, sorted by it, nulls last; one row without `keys`."""
    if not keys:
        return rows.select(measures)
    return rows.group_by(keys).agg(measures).sort(keys, nulls_last=True)


def summed(parts: Sequence[pl.DataFrame], keys: Sequence[str], *counts: str) -> pl.DataFrame:
    """Return what `counted` returned for parts of the rows as it would be of all of them: sums of counts."""
    if len(parts) == 1:
        return parts[0]
    sums = [pl.col(name).sum() for name in counts]
    return counted(pl.concat(parts), keys, *sums)


def number_of(which: pl.Expr, name: str) -> pl.Expr:
    """Return how many rows are so: Int64, because products of Polars' own counts overflow."""
    return which.sum().cast(pl.Int64).alias(name)


def row_count(name: str) -> pl.Expr:
    """Return how many rows there are: Int64, as of `number_of`."""
    return pl.len().cast(pl.Int64).alias(name)


def ratio(part: pl.Expr | str, whole: pl.Expr | str) -> pl.Expr:
    """Return part / whole, columns or their names, as Float64: null where the whole is 0 or either is null."""
    whole = _column(whole)
    quotient = _column(part).cast(pl.Float64) / whole.cast(pl.Float64)
    return pl.when(whole != 0).then(quotient)


def share(part: pl.Expr | str, whole: pl.Expr | str) -> pl.Expr:
    """Return part / whole of amounts, null where negative ones make it no share: one below 0 or above 1."""
    part = _column(part)
    whole = _column(whole)
    return pl.when((part >= 0) & (part <= whole)).then(ratio(part, whole))


def _column(named: pl.Expr | str) -> pl.Expr:
    """Return a column by its name; an expression as it is."""
    if isinstance(named, str):
        return pl.col(named)
    return named


def wilson(part: pl.Expr, whole: pl.Expr, z: float) -> tuple[pl.Expr, pl.Expr]:
    """Return the ends of the Wilson interval of part / whole, null where the whole is 0."""
    number = whole.cast(pl.Float64)
    rate = ratio(part, whole)
    stretch = 1 + z * z / number
    middle = (rate + z * z / (2 * number)) / stretch
    variance = rate * (1 - rate) / number + z * z / (4 * number * number)
    half_width = z / stretch * variance.sqrt()
    # rounding may lead a little beyond 0 and 1
    return (middle - half_width).clip(lower_bound=0.0), (middle + half_width).clip(upper_bound=1.0)


def over_groups(values: pl.Expr, keys: Sequence[str]) -> pl.Expr:
    """Return what is computed within each group; over all rows without `keys`."""
    if not keys:
        return values
    return values.over(keys)
