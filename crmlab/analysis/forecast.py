"""What the open deals can still bring: the weighted pipeline, and whether it covers a quota."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from numbers import Real
from typing import Any

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read, whole
from crmlab.analysis.pipeline import OPEN, PLACE, VALUE, WON, currencies, with_currency
from crmlab.analysis.rates import number_of, ratio, row_count
from crmlab.errors import UsageError
from crmlab.schema import TimeLike, as_instant, day_at

__all__ = ["coverage", "weighted_pipeline"]

#: shares 0-1 for each stage, or for each pipeline_id and stage
Probabilities = pl.DataFrame | Mapping[int, float] | Mapping[tuple[str, int], float]
_BUCKETS = pl.Enum(["overdue", "month", "no date"])


@answers("everything")
def weighted_pipeline(
    deals: pl.DataFrame,
    *,
    as_of: TimeLike,
    probability: Probabilities | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return the open deals by expected month of closing: their amount, and what it is worth on average.

    ``weighted_amount = sum(amount x probability of the deal's stage)``.

    Parameters
    ----------
    deals
        Reads provider, account, pipeline_id, stage, status, expected_close_date, total_amount, amount, currency;
        stage_probability, where no `probability` is given.
    as_of
        Date, or time with its zone. What was expected before that day is overdue.
    probability
        Shares 0-1 by stage: a mapping ``{stage: share}`` or ``{(pipeline_id, stage): share}``, or a frame of
        stage, probability and as many of provider, account, pipeline_id as tell the stages apart, such as
        `crmlab.analysis.stage_win_rates` returns. None: what the service says of its stages,
        `stage_probability` of the deals.
    time_zone
        IANA name; which day `as_of` is, where it is a time.

    Returns
    -------
    pl.DataFrame
        One row per bucket, sorted: bucket (String: ``"overdue"``, ``"month"``, ``"no date"``); month (Date, its
        first day; null in the other buckets); currency (String) where the open deals are in more than one;
        probability_from (String: ``"service"``, ``"argument"``, ``"history"``; null: the stage of these deals
        has none); deals (Int64); without_amount (Int64, deals that count as 0); amount (Float64, raw);
        weighted_amount (Float64, null without a probability).

    Raises
    ------
    UsageError
        A probability is not within 0-1 or said twice, or `as_of` or `time_zone` cannot be read.

    Notes
    -----
    Amount x probability is Salesforce's expected revenue
    (https://salesforcedictionary.com/interview/admin/opportunity-stage-forecast-probability). A service's
    own number may be but nearness, which nobody has measured, as OnePageCRM's: "how close a deal is to being closed".

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"stage_probability": [0.1, 0.8, 0.5], "status": ["pending"] * 3,
    ...         "amount": [100.0, 200.0, 40.0],
    ...         "expected_close_date": [date(2026, 1, 9), date(2026, 3, 9), date(2026, 3, 31)]}
    >>> with pl.Config(tbl_cols=-1, tbl_width_chars=110):
    ...     weighted_pipeline(conform(pl.DataFrame(rows), TABLES["deals"]), as_of=date(2026, 2, 1))
    shape: (2, 7)
    ┌─────────┬────────────┬──────────────────┬───────┬────────────────┬────────┬─────────────────┐
    │ bucket  ┆ month      ┆ probability_from ┆ deals ┆ without_amount ┆ amount ┆ weighted_amount │
    │ ---     ┆ ---        ┆ ---              ┆ ---   ┆ ---            ┆ ---    ┆ ---             │
    │ str     ┆ date       ┆ str              ┆ i64   ┆ i64            ┆ f64    ┆ f64             │
    ╞═════════╪════════════╪══════════════════╪═══════╪════════════════╪════════╪═════════════════╡
    │ overdue ┆ null       ┆ service          ┆ 1     ┆ 0              ┆ 100.0  ┆ 10.0            │
    │ month   ┆ 2026-03-01 ┆ service          ┆ 2     ┆ 0              ┆ 240.0  ┆ 180.0           │
    └─────────┴────────────┴──────────────────┴───────┴────────────────┴────────┴─────────────────┘
    """
    instant = as_instant(as_of, "as_of", time_zone)
    columns = ["status", "expected_close_date", "total_amount", "amount", "currency"]
    if probability is None:
        columns.append("stage_probability")
    open_deals = read(deals, "deals", *PLACE, *columns).filter(OPEN)
    probable = _with_probability(open_deals, probability)
    dated = _with_month(probable, day_at(instant, time_zone))
    keys = ["bucket", "month", *currencies(dated), "probability_from"]
    sums = dated.group_by(keys).agg(
        row_count("deals"),
        number_of(VALUE.is_null(), "without_amount"),
        amount=VALUE.sum(),
        weighted_amount=(VALUE * pl.col("probability")).sum(),
    )

    # the sum of what nobody knows is 0, which would pass for an answer
    has_probability = pl.col("probability_from").is_not_null()
    weighted_amount = pl.when(has_probability).then("weighted_amount")
    in_order = sums.sort(keys, nulls_last=True)
    return in_order.with_columns(pl.col("bucket").cast(pl.String), weighted_amount=weighted_amount)


def _with_month(deals: pl.DataFrame, today: date) -> pl.DataFrame:
    """Return the deals with the month that each is expected to close in, and the bucket: those overdue have none."""
    expected_on = pl.col("expected_close_date")
    is_ahead = expected_on >= pl.lit(today)
    bucket = (
        pl.when(expected_on < pl.lit(today))
        .then(pl.lit("overdue"))
        .when(is_ahead)
        .then(pl.lit("month"))
        .otherwise(pl.lit("no date"))
    )
    month = pl.when(is_ahead).then(expected_on.dt.truncate("1mo"))
    # as an Enum they sort in the order of time, and not of the alphabet
    return deals.with_columns(bucket=bucket.cast(_BUCKETS), month=month)


def _with_probability(deals: pl.DataFrame, given: Probabilities | None) -> pl.DataFrame:
    """Return the deals with `probability` and where it is from, both null where it is not known."""
    if given is None:
        probable = deals.with_columns(
            probability="stage_probability",
            probability_from=pl.lit("service"),
        )
    else:
        probable = _with_shares(deals, given)
    is_known = pl.col("probability").is_not_null()
    probability_from = pl.when(is_known).then("probability_from")
    return probable.with_columns(probability_from=probability_from)


def _with_shares(deals: pl.DataFrame, given: Probabilities) -> pl.DataFrame:
    """Return the deals with the share that is given for their stage, and where it is from."""
    shares = _shares_of_mapping(given) if isinstance(given, Mapping) else _shares_of_frame(given)
    is_share = pl.col("probability").drop_nulls().is_between(0, 1)
    if not shares.select(is_share.all()).item():
        raise UsageError("probability holds a share that is not within 0-1: give 0.25 for 25 %")
    keys = [name for name in PLACE if name in shares.columns]
    # two shares of one stage would count its deals twice
    if shares.select(keys).is_duplicated().any():
        raise UsageError(
            f"probability says the same {', '.join(keys)} twice: keep one row for each"
        )
    shares = shares.with_columns(pl.col(name).cast(deals.schema[name]) for name in keys)
    return deals.join(shares, on=keys, how="left", nulls_equal=True)


def _shares_of_frame(given: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of a probability frame that are read: those of the stage, the share and where it is from."""
    frame = whole(given, "probability")
    place_columns = [name for name in PLACE if name in frame.columns]
    shares = read(frame, "probability", *place_columns, "stage", "probability")
    source = pl.lit("argument")
    if "probability_from" in frame.columns:
        source = pl.lit(frame["probability_from"].cast(pl.String))
    share = pl.col("probability").cast(pl.Float64)
    return shares.with_columns(share, probability_from=source)


def _shares_of_mapping(
    given: Mapping[int, float] | Mapping[tuple[str, int], float],
) -> pl.DataFrame:
    schema = {"stage": pl.Int64(), "probability": pl.Float64()}
    source = pl.lit("argument").alias("probability_from")
    if all(isinstance(key, int) for key in given):
        shares = pl.DataFrame(list(given.items()), schema=schema, orient="row")
        return shares.with_columns(source)
    if all(isinstance(key, tuple) and len(key) == 2 for key in given):
        rows = [(*key, share) for key, share in given.items() if isinstance(key, tuple)]
        shares = pl.DataFrame(rows, schema={"pipeline_id": pl.String(), **schema}, orient="row")
        return shares.with_columns(source)
    raise UsageError("probability: let all keys be stage numbers, or all be (pipeline_id, stage)")


@answers("everything")
def coverage(
    deals: pl.DataFrame, quota: float | Mapping[str, float], *, since: date | str, until: date | str
) -> pl.DataFrame:
    """Return how often the open deals would fill what is still missing of a quota.

    ``coverage = open_amount / (quota - won_amount)``: 3 means that one third of the open amount must be won.

    Parameters
    ----------
    deals
        Reads status, close_date, total_amount, amount, currency. All open deals count, whenever they are
        expected; select by `expected_close_date` beforehand to ask otherwise.
    quota
        The amount to be won; ``{currency: amount}`` where the deals are in more than one.
    since, until
        The days that the quota is for: deals won from `since` to the day before `until` fill it.

    Returns
    -------
    pl.DataFrame
        One row per currency, sorted: currency (String; null: not known); quota (Float64); won, open (Int64, deals);
        won_amount, remaining, open_amount (Float64, in that currency); coverage (Float64, a ratio; null where
        there is no quota or it is filled already).

    Raises
    ------
    UsageError
        `quota` is not positive, or is one number for several currencies; `since` is not before `until`.

    Notes
    -----
    Quartz names it so and divides by the quota less what is won
    (https://docs.quartzhq.com/quartz/metrics-reference/consistency); others divide by the whole quota.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"status": ["won", "pending"], "amount": [40.0, 180.0], "currency": ["EUR"] * 2,
    ...         "close_date": [date(2026, 1, 9), None]}
    >>> with pl.Config(tbl_cols=-1, tbl_width_chars=110):
    ...     coverage(conform(pl.DataFrame(rows), TABLES["deals"]), 100, since="2026-01-01", until="2026-04-01")
    shape: (1, 8)
    ┌──────────┬───────┬─────┬──────┬────────────┬───────────┬─────────────┬──────────┐
    │ currency ┆ quota ┆ won ┆ open ┆ won_amount ┆ remaining ┆ open_amount ┆ coverage │
    │ ---      ┆ ---   ┆ --- ┆ ---  ┆ ---        ┆ ---       ┆ ---         ┆ ---      │
    │ str      ┆ f64   ┆ i64 ┆ i64  ┆ f64        ┆ f64       ┆ f64         ┆ f64      │
    ╞══════════╪═══════╪═════╪══════╪════════════╪═══════════╪═════════════╪══════════╡
    │ EUR      ┆ 100.0 ┆ 1   ┆ 1    ┆ 40.0       ┆ 60.0      ┆ 180.0       ┆ 3.0      │
    └──────────┴───────┴─────┴──────┴────────────┴───────────┴─────────────┴──────────┘
    """
    all_deals = read(deals, "deals", "status", "close_date", "total_amount", "amount", "currency")
    first_day = as_instant(since, "since").date()
    end_day = as_instant(until, "until").date()
    if first_day >= end_day:
        raise UsageError(f"since={first_day} is not before until={end_day}")
    _check_quota(quota)
    won = WON & pl.col("close_date").is_between(first_day, end_day, closed="left")
    counting = with_currency(all_deals.filter(OPEN | won))
    if currencies(counting) and not isinstance(quota, Mapping):
        names = ", ".join(counting["currency"].drop_nulls().unique().sort())
        raise UsageError(
            f"the deals are in {names}: give a quota for each, such as quota={{'EUR': 100000}}"
        )

    sums = counting.group_by("currency").agg(
        number_of(won, "won"),
        number_of(OPEN, "open"),
        won_amount=VALUE.filter(won).sum(),
        open_amount=VALUE.filter(OPEN).sum(),
    )
    quotas = quota if isinstance(quota, Mapping) else {counting["currency"].first(): quota}
    return _covered(sums, quotas)


def _covered(sums: pl.DataFrame, quotas: Mapping[Any, float]) -> pl.DataFrame:
    """Return the sums beside the quota of their currency, what of it is missing, and how often that is covered."""
    schema = {"currency": pl.String(), "quota": pl.Float64()}
    targets = pl.DataFrame(list(quotas.items()), schema=schema, orient="row")
    both = targets.join(sums, on="currency", how="full", coalesce=True, nulls_equal=True)
    filled = both.with_columns(pl.col("won", "open", "won_amount", "open_amount").fill_null(0))
    remaining = (pl.col("quota") - pl.col("won_amount")).alias("remaining")
    # what is filled already needs no cover
    is_missing = pl.col("remaining") > 0
    covered = pl.when(is_missing).then(ratio("open_amount", "remaining"))
    in_order = filled.select(
        "currency", "quota", "won", "open", "won_amount", remaining, "open_amount"
    )
    return in_order.with_columns(coverage=covered).sort("currency", nulls_last=True)


def _check_quota(quota: float | Mapping[str, float]) -> None:
    """Refuse what is no amount to be won, or no currency of one.

    Raises
    ------
    UsageError
        It is no number above 0, nor such numbers by currency.
    """
    amounts = list(quota.values()) if isinstance(quota, Mapping) else [quota]
    if not all(isinstance(amount, Real) for amount in amounts):
        raise UsageError(
            f"quota={quota!r}: give an amount, such as 100000, or one for each currency, {{'EUR': 100000}}"
        )
    # NaN is not more than 0 either
    if not all(0 < amount < math.inf for amount in amounts):
        raise UsageError("quota must be more than 0")
    if isinstance(quota, Mapping) and not all(isinstance(currency, str) for currency in quota):
        raise UsageError(f"quota={quota!r}: name each currency as the deals do, such as 'EUR'")
