"""Open deals by age, and which of them are stuck."""

from __future__ import annotations

import polars as pl

from crmlab.analysis.cycle import cycle_length
from crmlab.analysis.fetches import answers
from crmlab.analysis.opened import read_opened
from crmlab.analysis.pipeline import OPEN, PLACE, VALUE, currencies
from crmlab.analysis.stages import read_history, stay_lengths
from crmlab.errors import UsageError
from crmlab.schema import KEY, TimeLike, as_instant, day_at

__all__ = ["ageing"]

_DAY_US = 86_400_000_000
_ACCOUNT = ("provider", "account")
_READ = (
    "id", "name", "owner_name", "stage_label", "status", "created_at", "close_date",
    "total_amount", "amount", "currency",
)  # fmt: skip


@answers("everything")
def ageing(
    deals: pl.DataFrame,
    *,
    as_of: TimeLike,
    history: pl.DataFrame | None = None,
    stuck_after: float | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return the open deals by age, the oldest first, and which are stuck: older than nine of ten that made it.

    ``age = as_of - opened_on`` (`created_at` where that is null), or with `history`
    ``as_of - entering the stage``; ``stuck = age > limit``.

    Parameters
    ----------
    deals
        Reads provider, account, id, name, owner_name, pipeline_id, stage, stage_label, status, created_at, opened_on,
        close_date, total_amount, amount, currency. Deals created after `as_of` are left out.
    as_of
        Date, or time with its zone.
    history
        What `crmlab.analysis.stage_history` returns, the last fetch being that of `deals`: ages are then
        counted from the fetch that first showed the deal in its stage. For one that was there at the first fetch
        already that is the least it can be.
    stuck_after
        Days after which a deal is stuck. None: the days that nine of ten won deals of the same account took from
        creating to closing (`crmlab.analysis.cycle_length`); with `history` the days after which nine of ten have
        left the same stage (`crmlab.analysis.stage_durations`).
    time_zone
        IANA name; the day on which a deal was created, and of which `as_of` is the beginning where it is a date.

    Returns
    -------
    pl.DataFrame
        One row per open deal: provider, account, id, name, owner_name, pipeline_id, stage, stage_label; currency
        (String) where the open deals are in more than one; amount (Float64, in that currency); since (String,
        ``"created"``, ``"stage"`` or ``"first fetch"``; null: not in `history`); since_at (UTC); age_days (Float64;
        null: not known, last); limit_days (Float64); stuck (Boolean; null where one of them is not known).

    Raises
    ------
    UsageError
        `stuck_after` is negative, or `as_of` or `time_zone` cannot be read.

    Notes
    -----
    Common practice, wordings differ; from creating to closing as in
    https://kpitree.co/integrations/hubspot/sales-cycle-length.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> frame = pl.DataFrame({"id": ["a", "b"], "status": ["pending", "pending"],
    ...                       "created_at": [datetime(2026, 1, 1), datetime(2026, 2, 20)]})
    >>> frame = frame.with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> found = ageing(conform(frame, TABLES["deals"]), as_of=date(2026, 3, 1), stuck_after=30)
    >>> found.select("id", "since", "age_days", "limit_days", "stuck")
    shape: (2, 5)
    ┌─────┬─────────┬──────────┬────────────┬───────┐
    │ id  ┆ since   ┆ age_days ┆ limit_days ┆ stuck │
    │ --- ┆ ---     ┆ ---      ┆ ---        ┆ ---   │
    │ str ┆ str     ┆ f64      ┆ f64        ┆ bool  │
    ╞═════╪═════════╪══════════╪════════════╪═══════╡
    │ a   ┆ created ┆ 59.0     ┆ 30.0       ┆ true  │
    │ b   ┆ created ┆ 9.0      ┆ 30.0       ┆ false │
    └─────┴─────────┴──────────┴────────────┴───────┘
    """
    # NaN is not below 0 either
    if stuck_after is not None and not stuck_after >= 0:
        raise UsageError(f"stuck_after={stuck_after}: give days, 0 or more")
    instant = as_instant(as_of, "as_of", time_zone)
    today = day_at(instant, time_zone)
    all_deals = read_opened(deals, "deals", *PLACE, *_READ, time_zone=time_zone)
    was_there = (pl.col("created_at") <= instant) | pl.col("created_at").is_null()
    open_deals = all_deals.filter(OPEN & was_there)
    if history is None:
        won_by_then = all_deals.filter(pl.col("close_date") <= today)
        aged_deals = _since_created(open_deals, won_by_then, time_zone)
    else:
        aged_deals = _since_stage(open_deals, history)
    if stuck_after is not None:
        limit_days = pl.lit(stuck_after, pl.Float64)
        aged_deals = aged_deals.with_columns(limit_days=limit_days)

    age_days = (pl.lit(instant) - pl.col("since_at")).dt.total_microseconds() / _DAY_US
    answer = aged_deals.select(
        *KEY,
        *("name", "owner_name", "pipeline_id", "stage", "stage_label"),
        *currencies(aged_deals),
        VALUE.alias("amount"),
        "since",
        "since_at",
        age_days.alias("age_days"),
        "limit_days",
        (age_days > pl.col("limit_days")).alias("stuck"),
    )
    oldest_first = [True, False, False, False]
    return answer.sort("age_days", *KEY, descending=oldest_first, nulls_last=True)


def _since_created(deals: pl.DataFrame, won_by_then: pl.DataFrame, time_zone: str) -> pl.DataFrame:
    """Return the deals since their creation, with the days that nine of ten of their account took to be won."""
    lengths = cycle_length(won_by_then, by=_ACCOUNT, time_zone=time_zone)
    # deals of another account may take longer for reasons of their own
    limits = lengths.select(*_ACCOUNT, limit_days="p90_days")
    return deals.join(limits, on=_ACCOUNT, how="left", nulls_equal=True).with_columns(
        since=pl.lit("created"), since_at="created_at"
    )


def _since_stage(deals: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Return the deals with the time at which each entered its stage, and the days that nine of ten stay there."""
    stays = read_history(history)
    limits = stay_lengths(stays).select(*PLACE, limit_days="p90_days")
    last_stays = stays.filter(pl.col("exit") == "still there").select(
        "provider",
        "account",
        pl.col("deal_id").alias("id"),
        *PLACE[2:],
        pl.col("entered_at").alias("since_at"),
        "entry",
    )
    # who was there at the first fetch entered the stage some time before: its age is the least that it can be
    was_there = pl.col("entry") == "first fetch"
    since = pl.when(was_there).then(pl.lit("first fetch")).when(~was_there).then(pl.lit("stage"))
    stage_of_deal = [*KEY, *PLACE[2:]]
    in_stage = deals.join(last_stays, on=stage_of_deal, how="left", nulls_equal=True)
    with_limits = in_stage.join(limits, on=PLACE, how="left", nulls_equal=True)
    return with_limits.with_columns(since=since)
