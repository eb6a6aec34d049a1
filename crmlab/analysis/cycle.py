"""How long deals take: sales cycle, velocity, cohorts of winning."""

from __future__ import annotations

from datetime import date
from typing import Literal

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import By, answer, keys_of
from crmlab.analysis.opened import read_opened, with_opening
from crmlab.analysis.period import local
from crmlab.analysis.pipeline import LOST, OPEN, VALUE, WON, read_groups, with_money
from crmlab.analysis.rates import counted, number_of, ratio, row_count
from crmlab.errors import UsageError
from crmlab.schema import TimeLike, as_instant, day_at

__all__ = ["cycle_length", "sales_velocity", "win_cohorts"]


def _days(time_zone: str) -> pl.Expr:
    """Return the days from creating to closing; null where one is not known, or comes before the other."""
    created_on = local(pl.col("created_at"), time_zone).dt.date()
    days = (pl.col("close_date") - created_on).dt.total_days()
    return pl.when(days >= 0).then(days)


@answers("period")
def cycle_length(deals: pl.DataFrame, *, by: By = None, time_zone: str = "UTC") -> pl.DataFrame:
    """Return how many days the won deals took from creating to closing: mean, median, and nine of ten.

    Parameters
    ----------
    deals
        Reads status, created_at, opened_on (in place of created_at, where it is given), close_date and the columns
        of `by`.
    by
        Columns and periods of `close_date`, as of `crmlab.analysis.win_rate`.
    time_zone
        IANA name; the day on which a deal was created. `close_date` is the service's own.

    Returns
    -------
    pl.DataFrame
        One row per group with a won deal, sorted; one row without `by`: the columns of `by`; won (Int64, deals);
        left_out (Int64, won deals without one of the days, or closed before they were created, as imported ones
        are); mean_days, median_days, p90_days (Float64, of the others, quantiles interpolated; null of none).

    Raises
    ------
    UsageError
        `by` names neither a column nor a period, or `time_zone` is not known.

    Notes
    -----
    Close date less create date of won deals, as in https://kpitree.co/integrations/hubspot/sales-cycle-length.
    Long deals that are still open are not in it: in a young pipeline it is too short.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> frame = pl.DataFrame({"status": ["won", "won", "lost"], "created_at": [datetime(2026, 1, 1)] * 3,
    ...                       "close_date": [date(2026, 1, 11), date(2026, 1, 31), date(2026, 1, 2)]})
    >>> frame = frame.with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> cycle_length(conform(frame, TABLES["deals"]))
    shape: (1, 5)
    ┌─────┬──────────┬───────────┬─────────────┬──────────┐
    │ won ┆ left_out ┆ mean_days ┆ median_days ┆ p90_days │
    │ --- ┆ ---      ┆ ---       ┆ ---         ┆ ---      │
    │ i64 ┆ i64      ┆ f64       ┆ f64         ┆ f64      │
    ╞═════╪══════════╪═══════════╪═════════════╪══════════╡
    │ 2   ┆ 0        ┆ 20.0      ┆ 20.0        ┆ 28.0     │
    └─────┴──────────┴───────────┴─────────────┴──────────┘
    """
    all_deals, keys = read_groups(
        deals, "status", "created_at", "close_date", by=by, optional=("opened_on",)
    )
    won_deals = with_opening(all_deals, time_zone).filter(WON)
    days = pl.col("days")
    lengths = counted(
        won_deals.with_columns(days=_days(time_zone)),
        keys,
        row_count("won"),
        number_of(days.is_null(), "left_out"),
        days.mean().alias("mean_days"),
        days.median().alias("median_days"),
        days.quantile(0.9, "linear").alias("p90_days"),
    )
    return answer(lengths)


@answers("everything")
def sales_velocity(
    deals: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    days: int | None = None,
    opportunities: Literal["open", "worked"] = "open",
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return what the pipeline brings per day: how much, how often and how fast, in one number.

    ``velocity_per_day = opportunities x mean won amount x win rate / mean days from creating to winning``.

    Parameters
    ----------
    deals
        Reads status, created_at, opened_on (in place of created_at, where it is given), close_date, total_amount,
        amount, currency and the columns of `by`.
    as_of
        Date (the beginning of that day in `time_zone`), or time with its zone. Deals closed on that day are
        closed, those closed later were open then.
    by
        Columns to group by, such as ``"owner_name"``.
    days
        Deals closed in so many days up to `as_of` make the win rate, the amount and the cycle; None: all.
    opportunities
        Which deals are counted, since sources differ: ``"open"`` at `as_of`, or ``"worked"`` on: open, or
        closed in these days.
    time_zone
        IANA name; which day `as_of` is, and on which a deal was created.

    Returns
    -------
    pl.DataFrame
        One row per group, sorted; one row (per currency) without `by`: the columns of `by`; currency (String)
        where the deals are in more than one; opportunities, won, lost (Int64, deals); win_rate (Float64, 0-1);
        mean_amount (Float64, of the won deals that have one, in that currency); mean_days (Float64, as in
        `cycle_length`); velocity_per_day (Float64, in that currency; null as soon as one part is).

    Raises
    ------
    UsageError
        `by` names no column, `days` is not positive, or `as_of` or `time_zone` cannot be read.

    Notes
    -----
    The formula and 40 x 25,000 x 25 % / 90 = 2,777.78: https://mavenlb.com/blog/sales-velocity-formula; Close's
    and Salesforce's, as in https://storylane.io/feeds/blog/sales-velocity.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"status": ["pending"] * 40 + ["won"] + ["lost"] * 3, "amount": [25_000.0] * 44,
    ...         "created_at": [datetime(2026, 1, 1)] * 44, "close_date": [None] * 40 + [date(2026, 4, 1)] * 4}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> velocity = sales_velocity(conform(frame, TABLES["deals"]), as_of=date(2026, 4, 1))
    >>> velocity.select("opportunities", "mean_amount", "win_rate", "mean_days", "velocity_per_day")
    shape: (1, 5)
    ┌───────────────┬─────────────┬──────────┬───────────┬──────────────────┐
    │ opportunities ┆ mean_amount ┆ win_rate ┆ mean_days ┆ velocity_per_day │
    │ ---           ┆ ---         ┆ ---      ┆ ---       ┆ ---              │
    │ i64           ┆ f64         ┆ f64      ┆ f64       ┆ f64              │
    ╞═══════════════╪═════════════╪══════════╪═══════════╪══════════════════╡
    │ 40            ┆ 25000.0     ┆ 0.25     ┆ 90.0      ┆ 2777.777778      │
    └───────────────┴─────────────┴──────────┴───────────┴──────────────────┘
    """
    if days is not None and days < 1:
        raise UsageError(f"days={days}: give 1 or more, or None for all closed deals")
    if opportunities not in ("open", "worked"):
        raise UsageError(f"opportunities={opportunities!r}: give 'open' or 'worked'")
    instant = as_instant(as_of, "as_of", time_zone)
    today = day_at(instant, time_zone)
    columns = ("status", "close_date", "total_amount", "amount", "currency")
    all_deals = read_opened(deals, "deals", *columns, time_zone=time_zone, by=by)
    was_created = (pl.col("created_at") <= instant) | pl.col("created_at").is_null()
    known_deals = all_deals.filter(was_created)

    closed_later = pl.col("close_date").fill_null(date.min) > today
    closed_in_time = ~closed_later
    if days is not None:
        closed_in_time &= pl.col("close_date") > today - pl.duration(days=days)
    won = WON & closed_in_time
    lost = LOST & closed_in_time
    # what was closed later was open then
    is_counted = OPEN | ((WON | LOST) & closed_later)
    if opportunities == "worked":
        is_counted = is_counted | won | lost

    with_days = known_deals.with_columns(days=_days(time_zone))
    keys = with_money(keys_of(by), known_deals)
    return answer(_velocity(with_days, keys, is_counted, won, lost))


def _velocity(
    deals: pl.DataFrame, keys: list[str], is_counted: pl.Expr, won: pl.Expr, lost: pl.Expr
) -> pl.DataFrame:
    """Return the factors of `sales_velocity` of each group, and what comes of them."""
    factors = counted(
        deals,
        keys,
        number_of(is_counted, "opportunities"),
        number_of(won, "won"),
        number_of(lost, "lost"),
        ratio(won.sum(), (won | lost).sum()).alias("win_rate"),
        VALUE.filter(won).mean().alias("mean_amount"),
        pl.col("days").filter(won).mean().alias("mean_days"),
    )
    gain = pl.col("opportunities") * pl.col("mean_amount") * pl.col("win_rate")
    return factors.with_columns(velocity_per_day=ratio(gain, "mean_days"))


@answers("everything")
def win_cohorts(deals: pl.DataFrame, *, as_of: TimeLike, time_zone: str = "UTC") -> pl.DataFrame:
    """Return, of the deals created in each month, which share was won after how many months.

    ``win_share = deals of that month won by then / deals created in that month``.

    Parameters
    ----------
    deals
        Reads status, created_at, opened_on (in place of created_at, where it is given), close_date.
    as_of
        Date, or time with its zone: up to when the deals are known. Months that had not ended then have no row:
        they cannot be observed yet, and are not 0.
    time_zone
        IANA name; in which month a deal was created, and which day `as_of` is.

    Returns
    -------
    pl.DataFrame
        Sorted; created_month (Date, its first day); created (Int64, deals); months (Int64, calendar months from
        that month to winning, 0: the same month, also for deals won before they were created, as imported ones
        are); won (Int64, deals, cumulative); win_share (Float64, 0-1, of created; never falls along a row).
        Deals without created_at, and won ones without close_date, are left out.

    Raises
    ------
    UsageError
        `as_of` or `time_zone` cannot be read.

    Notes
    -----
    The share of all created, not of closed deals: not the win rate of `crmlab.analysis.win_rate`, and
    lower while deals are open (https://help.close.com/docs/opportunity-funnels-report tells them apart).

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> frame = pl.DataFrame({"status": ["won", "won", "pending"],
    ...                       "close_date": [date(2026, 1, 9), date(2026, 2, 9), None],
    ...                       "created_at": [datetime(2026, 1, 1), datetime(2026, 1, 2), datetime(2026, 2, 1)]})
    >>> frame = frame.with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> win_cohorts(conform(frame, TABLES["deals"]), as_of=date(2026, 3, 15))
    shape: (3, 5)
    ┌───────────────┬─────────┬────────┬─────┬───────────┐
    │ created_month ┆ created ┆ months ┆ won ┆ win_share │
    │ ---           ┆ ---     ┆ ---    ┆ --- ┆ ---       │
    │ date          ┆ i64     ┆ i64    ┆ i64 ┆ f64       │
    ╞═══════════════╪═════════╪════════╪═════╪═══════════╡
    │ 2026-01-01    ┆ 2       ┆ 0      ┆ 1   ┆ 0.5       │
    │ 2026-01-01    ┆ 2       ┆ 1      ┆ 2   ┆ 1.0       │
    │ 2026-02-01    ┆ 1       ┆ 0      ┆ 0   ┆ 0.0       │
    └───────────────┴─────────┴────────┴─────┴───────────┘
    """
    instant = as_instant(as_of, "as_of", time_zone)
    today = day_at(instant, time_zone)
    all_deals = read_opened(deals, "deals", "status", "close_date", time_zone=time_zone)
    # of a won deal without a day nobody knows in which month it belongs
    is_undated = WON & pl.col("close_date").is_null()
    dated = all_deals.filter((pl.col("created_at") <= instant) & ~is_undated)
    created_month = local(pl.col("created_at"), time_zone).dt.date().dt.truncate("1mo")
    dated = dated.with_columns(created_month=created_month)

    cohorts = dated.group_by("created_month").agg(row_count("created"))
    won_counts = _won_by_month(dated)
    return (
        _with_observed_months(cohorts, today)
        .join(won_counts, on=["created_month", "months"], how="left")
        .sort("created_month", "months")
        .with_columns(pl.col("won").fill_null(0).cum_sum().over("created_month"))
        .with_columns(win_share=ratio("won", "created"))
    )


def _won_by_month(deals: pl.DataFrame) -> pl.DataFrame:
    """Return how many deals of each created_month were won after how many months."""
    months = _month_number("close_date") - _month_number("created_month")
    won_deals = deals.filter(WON)
    # an import may bring deals that were won before they were created
    with_months = won_deals.with_columns(months=months.clip(lower_bound=0))
    return with_months.group_by("created_month", "months").agg(row_count("won"))


def _with_observed_months(cohorts: pl.DataFrame, today: date) -> pl.DataFrame:
    """Return a row of each cohort for each month since it was created that is over."""
    last_ended = today.year * 12 + today.month - 2
    observed = pl.max_horizontal(last_ended - _month_number("created_month") + 1, 0)
    with_months = cohorts.with_columns(months=pl.int_ranges(0, observed, dtype=pl.Int64))
    return with_months.explode("months").drop_nulls("months")


def _month_number(name: str) -> pl.Expr:
    """Return the months from the year 0 to a day."""
    year = pl.col(name).dt.year().cast(pl.Int64)
    return year * 12 + pl.col(name).dt.month() - 1
