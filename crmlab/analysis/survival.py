"""How long it takes, when for some it has not happened yet: the estimator of Kaplan and Meier."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import polars as pl

from crmlab.analysis.inputs import By, answer, keys_of, read
from crmlab.analysis.rates import number_of, over_groups
from crmlab.errors import UsageError

__all__ = ["kaplan_meier", "with_band"]

#: products of fractions miss the exact share by a few bits
_ROUNDING = 1e-12
_CURVE = ("time", "at_risk", "ended", "censored", "surviving")


def kaplan_meier(durations: pl.DataFrame, *, by: By = None) -> pl.DataFrame:
    """Return the share still waiting after each time: ``S(t) = prod over times <= t of (1 - ended / at_risk)``.

    Parameters
    ----------
    durations
        Reads duration (a number, in any unit), ended (Boolean; false: still waiting when last seen)
        and the columns of `by`. Nulls in either are refused: drop them beforehand.
    by
        Columns to make a curve each of.

    Returns
    -------
    pl.DataFrame
        Sorted by `by` and time, one row per time at which a spell ended or was last seen: the columns of
        `by`; time (Float64, the unit of duration); at_risk, ended, censored (Int64, durations; those censored
        at a time are at risk at it); surviving (Float64, 0-1).

    Raises
    ------
    UsageError
        A column is missing or of another type, or a duration is not known.

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
    known_durations = read(
        durations, "durations", "duration", "ended", by=by, own={"ended": pl.Boolean()}
    )
    is_unknown = pl.col("duration").fill_nan(None).is_null() | pl.col("ended").is_null()
    if known_durations.select(is_unknown.any()).item():
        raise UsageError(
            "durations holds nulls or NaN, which lasted nobody knows how long: drop them"
        )
    keys = keys_of(by)
    return answer(curve_of([times_counted(known_durations, keys)], keys))


def times_counted(durations: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return for each time how many durations ended at it and how many were last seen. Reads duration, ended, keys."""
    time = pl.col("duration").cast(pl.Float64).alias("time")
    ended = pl.col("ended")
    return durations.group_by(*keys, time).agg(
        number_of(ended, "ended"), number_of(~ended, "censored")
    )


def curve_of(counts: Sequence[pl.DataFrame], keys: Sequence[str]) -> pl.DataFrame:
    """Return `kaplan_meier` of what `times_counted` returned for each part of the durations."""
    counted = counts[0]
    if len(counts) > 1:
        by_time = pl.concat(counts).group_by(*keys, "time")
        counted = by_time.agg(pl.col("ended", "censored").sum())
    counted = counted.sort("time")
    if keys:
        # groups gathered, then sorted: at a million times, twice as fast as sorting by both
        counted = counted.group_by(keys, maintain_order=True).agg(pl.all())
        counted = counted.sort(keys, nulls_last=True).explode("time", "ended", "censored")

    # at risk is who has neither ended nor been last seen before
    at_risk = (pl.col("ended") + pl.col("censored")).cum_sum(reverse=True)
    with_risk = counted.with_columns(at_risk=over_groups(at_risk, keys))
    ended_share = pl.col("ended").cast(pl.Float64) / pl.col("at_risk").cast(pl.Float64)
    surviving = over_groups((1 - ended_share).cum_prod(), keys)
    curve = with_risk.with_columns(surviving=surviving)
    return curve.select(*keys, "time", "at_risk", "ended", "censored", "surviving")


def with_band(curve: pl.DataFrame, *, by: By = None, confidence: float = 0.95) -> pl.DataFrame:
    """Return a curve with the band in which the share lies, at each time by itself.

    The band is that of ``log(-log(S))`` with Greenwood's variance, the sum of
    ``ended / (at_risk * (at_risk - ended))``: it stays within 0 and 1.

    Parameters
    ----------
    curve
        What `kaplan_meier` returns.
    by
        As given to `kaplan_meier`.
    confidence
        Between 0 and 1.

    Returns
    -------
    pl.DataFrame
        The columns of `kaplan_meier`, and lower, upper (Float64; 1 while none ended, null once none is left).

    Raises
    ------
    UsageError
        `confidence` is not between 0 and 1.

    Notes
    -----
    https://rdrr.io/cran/epitools/man/kapmeier.html.

    Examples
    --------
    >>> import polars as pl
    >>> found = kaplan_meier(pl.DataFrame({"duration": [1.0, 2.0], "ended": [True, False]}))
    >>> with_band(found).select("time", pl.col("lower", "upper").round(4)).row(0)
    (1.0, 0.006, 0.9104)
    """
    keys = keys_of(by)
    known_curve = read(curve, "curve", *_CURVE, by=by).select(*keys, *_CURVE)
    return answer(banded(known_curve, keys, confidence))


def banded(curve: pl.DataFrame, keys: Sequence[str], confidence: float) -> pl.DataFrame:
    """Return a curve with its band, see `with_band`.

    Raises
    ------
    UsageError
        `confidence` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise UsageError(f"confidence={confidence!r} must lie between 0 and 1, such as 0.95")
    # of counts the product is beyond 32 bits from 65,536 on
    at_risk = pl.col("at_risk").cast(pl.Float64)
    ended = pl.col("ended").cast(pl.Float64)
    greenwood = over_groups((ended / (at_risk * (at_risk - ended))).cum_sum(), keys)

    # log-log of 1 and of 0 is infinite: there is no band
    surviving = pl.col("surviving")
    has_band = (surviving > 0) & (surviving < 1)
    edge = pl.when(surviving == 1).then(1.0)
    z_score = NormalDist().inv_cdf((1 + confidence) / 2)
    spread = z_score * pl.col("greenwood").sqrt() / surviving.log().abs()
    lower = pl.when(has_band).then(surviving ** spread.exp()).otherwise(edge)
    upper = pl.when(has_band).then(surviving ** (-spread).exp()).otherwise(edge)
    with_variance = curve.with_columns(greenwood=greenwood)
    return with_variance.with_columns(lower=lower, upper=upper).drop("greenwood")


def time_until(share: float) -> pl.Expr:
    """Return the first time of a curve at which `share` have ended; null where it never gets so far.

    Of durations that all ended it is the smallest duration that at least `share` of them do not exceed.

    Examples
    --------
    >>> import polars as pl
    >>> curve = kaplan_meier(pl.DataFrame({"duration": [1.0, 2.0, 9.0], "ended": [True, True, False]}))
    >>> curve.select(time_until(0.5).alias("median"), time_until(0.9).alias("p90")).row(0)
    (2.0, None)
    """
    return pl.col("time").filter(pl.col("surviving") <= 1 - share + _ROUNDING).min()
