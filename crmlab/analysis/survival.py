"""How long it takes, when for some it has not happened yet: the estimator of Kaplan and Meier."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

#: products of fractions miss the exact share by a few bits
_ROUNDING = 1e-12


def kaplan_meier(spells: pl.DataFrame, by: Sequence[str] = ()) -> pl.DataFrame:
    """Return the share still waiting after each time: ``S(t) = prod over times <= t of (1 - ended / at_risk)``.

    Parameters
    ----------
    spells
        Reads duration (a number, in any unit), ended (Boolean; false: still waiting when last seen)
        and the columns of `by`. Nulls in either are refused by the arithmetic: drop them beforehand.
    by
        Columns to make a curve each of.

    Returns
    -------
    pl.DataFrame
        Sorted by `by` and time, one row per time at which a spell ended or was last seen: the columns of
        `by`; time (Float64, the unit of duration); at_risk, ended, censored (Int64, spells; those censored
        at a time are at risk at it); surviving (Float64, 0-1).

    Notes
    -----
    https://rdrr.io/cran/epitools/man/kapmeier.html. It takes those still waiting to be like the others;
    where the hopeless ones wait longest, it is too short.

    Examples
    --------
    >>> import polars as pl
    >>> kaplan_meier(pl.DataFrame({"duration": [1.0, 2.0, 2.0, 5.0], "ended": [True, True, False, True]}))
    shape: (3, 5)
    ┌──────┬─────────┬───────┬──────────┬───────────┐
    │ time ┆ at_risk ┆ ended ┆ censored ┆ surviving │
    │ ---  ┆ ---     ┆ ---   ┆ ---      ┆ ---       │
    │ f64  ┆ i64     ┆ i64   ┆ i64      ┆ f64       │
    ╞══════╪═════════╪═══════╪══════════╪═══════════╡
    │ 1.0  ┆ 4       ┆ 1     ┆ 0        ┆ 0.75      │
    │ 2.0  ┆ 3       ┆ 1     ┆ 1        ┆ 0.5       │
    │ 5.0  ┆ 1       ┆ 1     ┆ 0        ┆ 0.0       │
    └──────┴─────────┴───────┴──────────┴───────────┘
    """
    keys = list(by)

    def within(values: pl.Expr) -> pl.Expr:
        return values.over(keys) if keys else values

    counted = (
        spells.group_by(*keys, pl.col("duration").cast(pl.Float64).alias("time"))
        .agg(
            pl.col("ended").sum().cast(pl.Int64),
            (~pl.col("ended")).sum().cast(pl.Int64).alias("censored"),
        )
        .sort("time")
    )
    if keys:
        # groups gathered, then sorted: at a million times, twice as fast as sorting by both
        gathered = counted.group_by(keys, maintain_order=True).agg(pl.all()).sort(keys, nulls_last=True)
        counted = gathered.explode("time", "ended", "censored")
    left = pl.col("ended").cast(pl.Float64) / pl.col("at_risk").cast(pl.Float64)
    return (
        counted.with_columns(within((pl.col("ended") + pl.col("censored")).cum_sum(reverse=True)).alias("at_risk"))
        .with_columns(within((1 - left).cum_prod()).alias("surviving"))
        .select(*keys, "time", "at_risk", "ended", "censored", "surviving")
    )


def time_until(share: float) -> pl.Expr:
    """Return the first time of a curve at which `share` have ended; null where it never gets so far.

    Of spells that all ended it is the smallest duration that at least `share` of them do not exceed.

    Examples
    --------
    >>> import polars as pl
    >>> curve = kaplan_meier(pl.DataFrame({"duration": [1.0, 2.0, 9.0], "ended": [True, True, False]}))
    >>> curve.select(time_until(0.5).alias("median"), time_until(0.9).alias("p90")).row(0)
    (2.0, None)
    """
    return pl.col("time").filter(pl.col("surviving") <= 1 - share + _ROUNDING).min()
