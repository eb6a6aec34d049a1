"""Deals: what was won and lost, and what is open in which stage."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import By, answer, columns_of, keys_of, names_of, read
from crmlab.analysis.parts import values_of
from crmlab.analysis.period import PERIODS, period_of
from crmlab.analysis.rates import counted, number_of, ratio, row_count, share

__all__ = ["closed_by_month", "pipeline_snapshot", "win_rate"]

#: a deal of several months has its whole value in total_amount; NaN and infinity would swallow the sum of all others
VALUE = pl.coalesce(
    pl.when(pl.col(name).is_finite()).then(name) for name in ("total_amount", "amount")
)
WON = pl.col("status") == "won"
LOST = pl.col("status") == "lost"
OPEN = pl.col("status") == "pending"
PIPELINE = ("provider", "account", "pipeline_id")
PLACE = (*PIPELINE, "stage")
_AMOUNTS = ("status", "total_amount", "amount", "currency")


def currencies(deals: pl.DataFrame) -> list[str]:
    """Return ``["currency"]`` where the deals are in more than one, else nothing: what to group by as well.

    Deals without a currency are taken to be in the only one there is, and are a group of their own
    (null) as soon as there are two.
    """
    if deals["currency"].drop_nulls().n_unique() > 1:
        return ["currency"]
    return []


def with_currency(deals: pl.DataFrame) -> pl.DataFrame:
    """Return the deals with their only currency in every row; as they are where there are several."""
    if currencies(deals):
        return deals
    return deals.with_columns(currency=pl.lit(only_currency(deals), pl.String))


def only_currency(deals: pl.DataFrame | pl.LazyFrame) -> str | None:
    """Return the currency of the deals, None where it is not known or there are several."""
    known_currencies = values_of(deals, pl.col("currency").drop_nulls().unique())
    if known_currencies.len() != 1:
        return None
    return str(known_currencies[0])


def read_groups(
    deals: pl.DataFrame, *columns: str, by: By, optional: Sequence[str] = ()
) -> tuple[pl.DataFrame, list[str]]:
    """Return what is read of the deals, with a column for each period in `by`, and the keys to group them by.

    A period is a word of `crmlab.analysis.period.PERIODS`, such as ``"month"``: that of `close_date`, so
    only closed deals stay.

    Raises
    ------
    UsageError
        `by` names neither a column nor a period, or a column is missing.
    """
    periods = []
    grouping = []
    for name in names_of(by):
        # a column of the user's goes before a period of the same name
        if name in PERIODS and name not in columns_of(deals, "deals"):
            periods.append(name)
        else:
            grouping.append(name)
    if not periods:
        return read(deals, "deals", *columns, by=grouping, optional=optional), keys_of(by)

    needed = (*columns, "status", "close_date")
    closed_deals = read(deals, "deals", *needed, by=grouping, optional=optional).filter(WON | LOST)
    closed_in = []
    for name in periods:
        (key,) = keys_of(name)
        closed_in.append(period_of(pl.col("close_date"), PERIODS[name]).alias(key))
    return closed_deals.with_columns(closed_in), keys_of(by)


def with_money(keys: list[str], deals: pl.DataFrame) -> list[str]:
    """Return the keys, and the currency where the deals are in several and are not grouped by it anyway."""
    if keys_of("currency")[0] in keys:
        return keys
    return [*keys, *currencies(deals)]


@answers("period")
def win_rate(deals: pl.DataFrame, *, by: By = None) -> pl.DataFrame:
    """Return won, lost and the win rate, by number and by amount, of the deals that are closed.

    ``win_rate = won / (won + lost)`` and ``win_rate_by_amount = won_amount / (won_amount + lost_amount)``.
    Open deals are in neither; a group that has only open ones keeps its row, with a null rate.

    Parameters
    ----------
    deals
        Reads status, total_amount, amount, currency and the columns of `by`; close_date for a period.
    by
        Columns to group by, such as ``"owner_name"``, and periods of `close_date`: ``"month"``,
        ``"quarter"``, ``"year"``, also ``"day"`` and ``"week"``. Periods in which none closed have no row.

    Returns
    -------
    pl.DataFrame
        One row per group, sorted by it, nulls last; one row (per currency) without `by`:
        the columns of `by` (a period: Date, its first day); currency (String) where the closed deals are in
        more than one; won, lost (Int64, deals); win_rate (Float64, 0-1, null when none is closed);
        won_amount, lost_amount (Float64, in that currency; `total_amount`, or `amount` where it is null);
        win_rate_by_amount (Float64, 0-1, null when both amounts are 0, or one of them is negative).

    Raises
    ------
    UsageError
        `by` names neither a column nor a period.

    Notes
    -----
    The definition is Close's (https://help.close.com/docs/opportunity-funnels-report) and HubSpot's
    as told by https://kpitree.co/integrations/hubspot/win-rate. Other products divide by all deals created.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"owner_name": ["Ann", "Ann", "Ann", "Bo"], "status": ["won", "won", "lost", "pending"],
    ...         "amount": [100.0, 200.0, 100.0, 50.0], "currency": ["EUR"] * 4}
    >>> with pl.Config(tbl_cols=-1, tbl_width_chars=100):
    ...     win_rate(conform(pl.DataFrame(rows), TABLES["deals"]), by="owner_name")
    shape: (2, 7)
    ┌────────────┬─────┬──────┬──────────┬────────────┬─────────────┬────────────────────┐
    │ owner_name ┆ won ┆ lost ┆ win_rate ┆ won_amount ┆ lost_amount ┆ win_rate_by_amount │
    │ ---        ┆ --- ┆ ---  ┆ ---      ┆ ---        ┆ ---         ┆ ---                │
    │ str        ┆ i64 ┆ i64  ┆ f64      ┆ f64        ┆ f64         ┆ f64                │
    ╞════════════╪═════╪══════╪══════════╪════════════╪═════════════╪════════════════════╡
    │ Ann        ┆ 2   ┆ 1    ┆ 0.666667 ┆ 300.0      ┆ 100.0       ┆ 0.75               │
    │ Bo         ┆ 0   ┆ 0    ┆ null     ┆ 0.0        ┆ 0.0         ┆ null               │
    └────────────┴─────┴──────┴──────────┴────────────┴─────────────┴────────────────────┘
    """
    read_deals, group_keys = read_groups(deals, *_AMOUNTS, by=by)
    keys = with_money(group_keys, read_deals.filter(WON | LOST))
    counts = counted(
        read_deals,
        keys,
        number_of(WON, "won"),
        number_of(LOST, "lost"),
        VALUE.filter(WON).sum().alias("won_amount"),
        VALUE.filter(LOST).sum().alias("lost_amount"),
    )
    closed = pl.col("won") + pl.col("lost")
    closed_amount = pl.col("won_amount") + pl.col("lost_amount")
    rates = counts.select(
        *keys,
        "won",
        "lost",
        ratio("won", closed).alias("win_rate"),
        "won_amount",
        "lost_amount",
        share("won_amount", closed_amount).alias("win_rate_by_amount"),
    )
    return answer(rates)


@answers("everything")
def pipeline_snapshot(deals: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """Return the open deals and their amount in each stage of each pipeline, as the frames show them.

    A snapshot says where deals are, not how many passed through: it is not a funnel, which needs
    the history of each deal's stages.

    Parameters
    ----------
    deals
        Reads provider, account, pipeline_id, stage, stage_label, status, total_amount, amount, currency.
    stages
        Reads provider, account, pipeline_id, pipeline_name, stage, label. May be empty.

    Returns
    -------
    pl.DataFrame
        Sorted by pipeline_name and stage; one row per stage, also without deals:
        pipeline_name (String; with account and pipeline id where two pipelines have the same name);
        stage (Int64, 0-100; null: the deal has none); label (String; of a stage that vanished from
        `stages`: what the deals call it, else its number); currency (String) where the open deals are in
        more than one; deals (Int64); amount (Float64, in that currency).

    Notes
    -----
    Why it is not called a funnel: https://help.close.com/docs/opportunity-funnels-report counts the
    deals that entered a stage or a later one.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"pipeline_id": ["p"] * 3, "stage": [10, 10, 90], "status": ["pending"] * 3,
    ...         "amount": [100.0, 50.0, 10.0]}
    >>> names = {"pipeline_id": ["p", "p"], "pipeline_name": ["Sales"] * 2, "stage": [10, 50],
    ...          "label": ["Lead", "Offer"]}
    >>> deals = conform(pl.DataFrame(rows), TABLES["deals"])
    >>> pipeline_snapshot(deals, conform(pl.DataFrame(names), TABLES["stages"]))
    shape: (3, 5)
    ┌───────────────┬───────┬──────────┬───────┬────────┐
    │ pipeline_name ┆ stage ┆ label    ┆ deals ┆ amount │
    │ ---           ┆ ---   ┆ ---      ┆ ---   ┆ ---    │
    │ str           ┆ i64   ┆ str      ┆ i64   ┆ f64    │
    ╞═══════════════╪═══════╪══════════╪═══════╪════════╡
    │ Sales         ┆ 10    ┆ Lead     ┆ 2     ┆ 150.0  │
    │ Sales         ┆ 50    ┆ Offer    ┆ 0     ┆ 0.0    │
    │ Sales         ┆ 90    ┆ stage 90 ┆ 1     ┆ 10.0   │
    └───────────────┴───────┴──────────┴───────┴────────┘
    """
    open_deals = read(deals, "deals", *PLACE, "stage_label", *_AMOUNTS).filter(OPEN)
    money = currencies(open_deals)
    in_stage = open_deals.group_by(*PLACE, *money).agg(
        row_count("deals"),
        amount=VALUE.sum(),
        own_label=pl.col("stage_label").drop_nulls().first(),
    )
    # a stage without deals has a row as well
    return with_stage_names(in_stage, stages, money).with_columns(
        pl.col("deals").fill_null(0), pl.col("amount").fill_null(0.0)
    )


def with_stage_names(found: pl.DataFrame, stages: pl.DataFrame, money: list[str]) -> pl.DataFrame:
    """Return what was found in each stage, with a row for each stage and the words people know it by.

    Parameters
    ----------
    found
        Reads provider, account, pipeline_id, stage, own_label, the columns `money`; keeps all others.
    stages
        Reads provider, account, pipeline_id, pipeline_name, stage, label.
    money
        ``["currency"]`` where `found` has a row for each currency.

    Returns
    -------
    pl.DataFrame
        Sorted: pipeline_name, stage, label, the columns `money`, then those of `found`, null where nothing was.
    """
    all_stages = read(stages, "stages", *PLACE, "pipeline_name", "label")
    first_stages = all_stages.unique(PLACE, keep="first", maintain_order=True)
    known_stages = first_stages.select(*PLACE, "label")
    if money:
        # a row for each stage in each currency that its account has
        used_currencies = found.select("provider", "account", "currency").unique()
        known_stages = known_stages.join(
            used_currencies, on=["provider", "account"], how="left", nulls_equal=True
        )
    stage_keys = [*PLACE, *money]
    both = known_stages.join(found, on=stage_keys, how="full", coalesce=True, nulls_equal=True)
    pipelines = all_stages.group_by(PIPELINE).agg(pl.col("pipeline_name").drop_nulls().first())
    with_names = both.join(pipelines, on=PIPELINE, how="left", nulls_equal=True)

    own_pipeline_name = pl.format("pipeline {}", "pipeline_id")
    pipeline_name = pl.coalesce("pipeline_name", own_pipeline_name, pl.lit("no pipeline"))
    own_stage_name = pl.format("stage {}", "stage")
    label = pl.coalesce("label", "own_label", own_stage_name, pl.lit("no stage"))
    measures = [name for name in found.columns if name not in (*stage_keys, "own_label")]
    named = with_names.select(
        *PIPELINE, pipeline_name, "stage", label.alias("label"), *money, *measures
    )
    in_full = named.with_columns(pipeline_name=_name_of_one_pipeline())
    return in_full.drop(PIPELINE).sort("pipeline_name", "stage", *money, nulls_last=True)


def _name_of_one_pipeline() -> pl.Expr:
    """Return the name of a pipeline, with its account and id where several have that name."""
    is_shared = pl.struct(PIPELINE).n_unique().over("pipeline_name") > 1
    account = pl.col("account").fill_null("?")
    pipeline_id = pl.col("pipeline_id").fill_null("?")
    longer = pl.format("{} ({}, {})", "pipeline_name", account, pipeline_id)
    return pl.when(is_shared).then(longer).otherwise("pipeline_name")


@answers("period")
def closed_by_month(deals: pl.DataFrame) -> pl.DataFrame:
    """Return the deals won and lost per month of closing.

    Parameters
    ----------
    deals
        Reads status, close_date, total_amount, amount, currency.

    Returns
    -------
    pl.DataFrame
        Sorted by month; months in which none closed have no row, and closed deals without a
        close_date are the last row, with a null month: month (Date, its first day, as the service
        counts days); currency (String) where the closed deals are in more than one;
        won, lost (Int64, deals); won_amount (Float64, in that currency).

    Notes
    -----
    By close date, as https://help.close.com/docs/opportunity-funnels-report counts won and lost.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"status": ["won", "lost", "won"], "amount": [100.0, 70.0, 30.0],
    ...         "close_date": [date(2026, 1, 5), date(2026, 1, 31), date(2026, 3, 1)]}
    >>> closed_by_month(conform(pl.DataFrame(rows), TABLES["deals"]))
    shape: (2, 4)
    ┌────────────┬─────┬──────┬────────────┐
    │ month      ┆ won ┆ lost ┆ won_amount │
    │ ---        ┆ --- ┆ ---  ┆ ---        │
    │ date       ┆ i64 ┆ i64  ┆ f64        │
    ╞════════════╪═════╪══════╪════════════╡
    │ 2026-01-01 ┆ 1   ┆ 1    ┆ 100.0      │
    │ 2026-03-01 ┆ 1   ┆ 0    ┆ 30.0       │
    └────────────┴─────┴──────┴────────────┘
    """
    closed_deals = read(deals, "deals", "close_date", *_AMOUNTS).filter(WON | LOST)
    keys = ["month", *currencies(closed_deals)]
    month = pl.col("close_date").dt.truncate("1mo")
    counts = (
        closed_deals.with_columns(month=month)
        .group_by(keys)
        .agg(
            number_of(WON, "won"),
            number_of(LOST, "lost"),
            won_amount=VALUE.filter(WON).sum(),
        )
    )
    return counts.sort(keys, nulls_last=True)
