"""What came into the pipeline and what went out: per month, between two fetches, and why deals are lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import By, answer, read
from crmlab.analysis.opened import read_opened
from crmlab.analysis.parts import Range, columns_in_parts, key_ranges, lazily
from crmlab.analysis.period import local
from crmlab.analysis.pipeline import (
    LOST,
    VALUE,
    WON,
    currencies,
    only_currency,
    read_groups,
    with_money,
)
from crmlab.analysis.rates import counted, number_of, ratio, summed
from crmlab.schema import KEY

__all__ = ["created_against_closed", "loss_reasons", "waterfall"]

#: how the open amount of one fetch becomes that of another, in order
STEPS = ("start", "new", "reopened", "up", "down", "won", "lost", "gone", "end")
_WORDS = ("pending", "won", "lost")
#: what is read of the deals of a fetch
_STATE = (*KEY, "currency", "status", "total_amount", "amount")


@answers("everything")
def created_against_closed(deals: pl.DataFrame, *, time_zone: str = "UTC") -> pl.DataFrame:
    """Return per month how many deals were created, won and lost, and by how many the open ones grew.

    ``open_change = created - won - lost``.

    Parameters
    ----------
    deals
        Reads status, created_at, opened_on (in place of created_at, where it is given), close_date.
    time_zone
        IANA name; in which month a deal was created. `close_date` is the service's own.

    Returns
    -------
    pl.DataFrame
        Sorted, every month from the first to the last, also empty ones: month (Date, its first day); created, won,
        lost, open_change (Int64, deals). Deals without created_at, or closed ones without close_date, are in the
        last row, with a null month.

    Raises
    ------
    UsageError
        `time_zone` is not known.

    Notes
    -----
    Created by create date, won and lost by close date, as https://help.close.com/docs/opportunity-funnels-report.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> frame = pl.DataFrame({"status": ["won", "pending"], "close_date": [date(2026, 3, 1), None],
    ...                       "created_at": [datetime(2026, 1, 1), datetime(2026, 1, 2)]})
    >>> frame = frame.with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> created_against_closed(conform(frame, TABLES["deals"]))
    shape: (3, 5)
    ┌────────────┬─────────┬─────┬──────┬─────────────┐
    │ month      ┆ created ┆ won ┆ lost ┆ open_change │
    │ ---        ┆ ---     ┆ --- ┆ ---  ┆ ---         │
    │ date       ┆ i64     ┆ i64 ┆ i64  ┆ i64         │
    ╞════════════╪═════════╪═════╪══════╪═════════════╡
    │ 2026-01-01 ┆ 2       ┆ 0   ┆ 0    ┆ 2           │
    │ 2026-02-01 ┆ 0       ┆ 0   ┆ 0    ┆ 0           │
    │ 2026-03-01 ┆ 0       ┆ 1   ┆ 0    ┆ -1          │
    └────────────┴─────────┴─────┴──────┴─────────────┘
    """
    deals = read_opened(deals, "deals", "status", "close_date", time_zone=time_zone)
    day = local(pl.col("created_at"), time_zone).dt.date()
    events = pl.concat(
        [
            deals.select(day.alias("month"), pl.lit("created").alias("event")),
            deals.filter(WON | LOST).select(
                pl.col("close_date").alias("month"), pl.col("status").alias("event")
            ),
        ]
    ).with_columns(pl.col("month").dt.truncate("1mo"))
    names = ("created", "won", "lost")
    counts = counted(
        events, ["month"], *(number_of(pl.col("event") == name, name) for name in names)
    )
    dated = counts.drop_nulls("month")
    months = (
        dated.select(pl.date_ranges(pl.col("month").min(), pl.col("month").max(), "1mo"))
        .explode("month")
        .drop_nulls()
    )
    return pl.concat(
        [
            months.join(dated, on="month", how="left")
            .with_columns(pl.col(names).fill_null(0))
            .sort("month"),
            counts.filter(pl.col("month").is_null()),
        ]
    ).with_columns((pl.col("created") - pl.col("won") - pl.col("lost")).alias("open_change"))


@answers("everything", start="deals", end="deals")
def waterfall(start: pl.DataFrame, end: pl.DataFrame) -> pl.DataFrame:
    """Return how the open amount of one fetch became that of a later one, step by step.

    ``start + new + reopened + up + down + won + lost + gone = end``, in amount and, without up and down, in deals.

    Parameters
    ----------
    start, end
        Deals of two fetches, each whole: what `start` lacks is new, what `end` lacks is gone. Read provider,
        account, id, status, total_amount, amount, currency.

    Returns
    -------
    pl.DataFrame
        Nine rows (per currency): currency (String) where the deals are in more than one; step (String);
        deals (Int64); amount (Float64, in that currency, negative for what leaves). A deal without an amount is 0.
        ``new`` holds those that were won or lost since, too. ``won`` has the amount that was won, and what it
        differs from the first by is in up or down; ``lost`` has the amount at the start. A deal whose currency
        changed is gone in one and new in the other; one that is neither open, won nor lost any more is gone.

    Raises
    ------
    UsageError
        A column is missing, or two fetches are given and the second is not the later one.

    Notes
    -----
    The pipeline waterfall of common practice; no vendor's definition is followed.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> def fetched(**columns):
    ...     return conform(pl.DataFrame(columns), TABLES["deals"])
    >>> first = fetched(id=["a", "b"], status=["pending", "pending"], amount=[100.0, 50.0])
    >>> later = fetched(id=["a", "b", "c"], status=["won", "pending", "pending"], amount=[120.0, 40.0, 5.0])
    >>> waterfall(first, later).filter(pl.col("deals") > 0)
    shape: (6, 3)
    ┌───────┬───────┬────────┐
    │ step  ┆ deals ┆ amount │
    │ ---   ┆ ---   ┆ ---    │
    │ str   ┆ i64   ┆ f64    │
    ╞═══════╪═══════╪════════╡
    │ start ┆ 2     ┆ 150.0  │
    │ new   ┆ 1     ┆ 5.0    │
    │ up    ┆ 1     ┆ 20.0   │
    │ down  ┆ 1     ┆ -10.0  │
    │ won   ┆ 1     ┆ -120.0 │
    │ end   ┆ 2     ┆ 45.0   │
    └───────┴───────┴────────┘
    """
    fetches = {name: lazily(deals, name) for name, deals in {"start": start, "end": end}.items()}
    parts = key_ranges(fetches.values(), ["id"])
    if len(parts) == 1:
        both = pl.concat([_state(start, "start"), _state(end, "end")])
        return _in_order([_steps_of(both, currencies(both), only_currency(both))])
    return _in_order(_steps_of_parts(fetches, parts))


def _steps_of_parts(
    fetches: Mapping[str, pl.LazyFrame], parts: Sequence[Range]
) -> list[pl.DataFrame]:
    """Return the steps of each part of the deals, all by the currencies that there are in the whole."""
    seen = pl.concat([_currencies_in(deals, name) for name, deals in fetches.items()]).unique()
    while True:
        money = currencies(seen)
        only = only_currency(seen)
        steps = []
        kept = []
        for of_part in columns_in_parts(fetches, parts, ["id"], _STATE):
            both = pl.concat([_state(deals, name) for name, deals in of_part.items()])
            steps.append(_steps_of(both, money, only))
            kept.append(both.select("currency").unique())
        # a currency may stand only in a row that a later one of the same deal replaced
        seen = pl.concat(kept).unique()
        if currencies(seen) == money:
            return steps


def _currencies_in(deals: pl.LazyFrame, fetch: str) -> pl.DataFrame:
    return read(deals.select("currency").unique(), fetch, "currency", table="deals")


def _steps_of(both: pl.DataFrame, money: list[str], only: str | None) -> pl.DataFrame:
    """Return each step of these deals: how many take it, and by how much they change the open amount."""
    if not money:
        both = both.with_columns(pl.lit(only, pl.String).alias("currency"))
    first = both.filter(pl.col("fetch") == "start").drop("fetch")
    last = both.filter(pl.col("fetch") == "end").drop("fetch")
    keys = [*KEY, "currency"]
    moves = first.join(last, on=keys, how="full", coalesce=True, nulls_equal=True, suffix="_last")
    found = counted(moves, money, *_steps())
    return found.unpivot(STEPS, index=money, variable_name="step", value_name="sums").unnest("sums")


def _in_order(steps: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the sums of the steps of all parts, in the order of `STEPS`."""
    money = [name for name in steps[0].columns if name == "currency"]
    found = summed(steps, [*money, "step"], "deals", "amount")
    return found.sort(*money, pl.col("step").cast(pl.Enum(STEPS)), nulls_last=True)


def _state(deals: pl.DataFrame | pl.LazyFrame, fetch: str) -> pl.DataFrame:
    value = VALUE.fill_null(0.0).alias("value")
    found = read(deals, fetch, *_STATE, table="deals").select(
        *KEY, "currency", "status", value, pl.lit(fetch).alias("fetch")
    )
    return found.unique(KEY, keep="last", maintain_order=True)


def _steps() -> Iterator[pl.Expr]:
    """Yield each step: how many deals take it, and by how much they change the open amount."""
    before, now = pl.col("value"), pl.col("value_last")
    was_open = (pl.col("status") == "pending").fill_null(value=False)
    is_open, is_won, is_lost = (
        (pl.col("status_last") == word).fill_null(value=False) for word in _WORDS
    )
    is_new = before.is_null() & (is_open | is_won | is_lost)
    entered = was_open | is_new
    grown = pl.when(was_open & (is_open | is_won)).then(now - before)
    changes = {
        "start": pl.when(was_open).then(before),
        "new": pl.when(is_new).then(now),
        "reopened": pl.when(is_open & before.is_not_null() & ~was_open).then(now),
        "up": pl.when(grown > 0).then(grown),
        "down": pl.when(grown < 0).then(grown),
        "won": pl.when(entered & is_won).then(-now),
        "lost": pl.when(entered & is_lost).then(-pl.coalesce(before, now)),
        "gone": pl.when(was_open & ~(is_open | is_won | is_lost)).then(-before),
        "end": pl.when(is_open).then(now),
    }
    for step, change in changes.items():
        yield pl.struct(
            change.count().cast(pl.Int64).alias("deals"), change.sum().alias("amount")
        ).alias(step)


@answers("period")
def loss_reasons(
    deals: pl.DataFrame, *, by: By = None, names: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Return why deals are lost: how many for each reason, which share, and for how much.

    ``share = lost / of``, where `of` are the lost deals of the group, those without a reason included.

    Parameters
    ----------
    deals
        Reads status, lost_reason_id, lost_reason (where the frame has it), total_amount, amount, currency and the
        columns of `by`.
    by
        Columns and periods of `close_date`, as of `crmlab.analysis.win_rate`.
    names
        What each lost_reason_id is called. One that is not in it is called what `lost_reason` says, or stays as it is.

    Returns
    -------
    pl.DataFrame
        Sorted by group, most frequent first: the columns of `by`; currency (String) where the lost deals are in more
        than one; reason (String, null: none given); lost, of (Int64, deals); share (Float64, 0-1);
        lost_amount (Float64, in that currency).

    Raises
    ------
    UsageError
        `by` names neither a column nor a period.

    Notes
    -----
    Counts of the reason that a person picked; common practice, without a vendor's definition.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"status": ["lost", "lost", "lost", "won"], "amount": [5.0] * 4,
    ...         "lost_reason_id": ["1", "1", None, None]}
    >>> loss_reasons(conform(pl.DataFrame(rows), TABLES["deals"]), names={"1": "Price"})
    shape: (2, 5)
    ┌────────┬──────┬─────┬──────────┬─────────────┐
    │ reason ┆ lost ┆ of  ┆ share    ┆ lost_amount │
    │ ---    ┆ ---  ┆ --- ┆ ---      ┆ ---         │
    │ str    ┆ i64  ┆ i64 ┆ f64      ┆ f64         │
    ╞════════╪══════╪═════╪══════════╪═════════════╡
    │ Price  ┆ 2    ┆ 3   ┆ 0.666667 ┆ 10.0        │
    │ null   ┆ 1    ┆ 3   ┆ 0.333333 ┆ 5.0         │
    └────────┴──────┴─────┴──────────┴─────────────┘
    """
    columns = ("status", "lost_reason_id", "total_amount", "amount", "currency")
    found, keys = read_groups(deals, *columns, by=by, optional=("lost_reason",))
    lost = found.filter(LOST)
    keys = with_money(keys, lost)
    total = pl.col("lost").sum()
    reasons = (
        lost.with_columns(_reason(names or {}).alias("reason"))
        .group_by(*keys, "reason")
        .agg(pl.len().cast(pl.Int64).alias("lost"), VALUE.sum().alias("lost_amount"))
        .with_columns((total.over(keys) if keys else total).alias("of"))
        .sort(
            *keys, "lost", "reason", descending=[False] * len(keys) + [True, False], nulls_last=True
        )
        .select(
            *keys,
            "reason",
            "lost",
            "of",
            ratio(pl.col("lost"), pl.col("of")).alias("share"),
            "lost_amount",
        )
    )
    return answer(reasons)


def _reason(names: Mapping[str, str]) -> pl.Expr:
    """Return what the reason of a lost deal is called: here, else by the service, else its id."""
    id_ = pl.col("lost_reason_id")
    named_here = (
        id_.replace_strict(dict(names), default=None, return_dtype=pl.String)
        if names
        else pl.lit(None, pl.String)
    )
    return pl.coalesce(named_here, "lost_reason", id_)
