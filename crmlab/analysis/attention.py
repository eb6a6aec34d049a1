"""Attention: how much of it deals take, and which deals and contacts it has left."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import columns_of, is_table, read
from crmlab.analysis.opened import read_opened
from crmlab.analysis.pipeline import LOST, OPEN, WON
from crmlab.analysis.rates import number_of, row_count
from crmlab.analysis.touches import HUMAN, of_contacts, of_deals, touches
from crmlab.errors import UsageError
from crmlab.schema import KEY, TimeLike, as_instant, day_at

__all__ = ["activities_per_deal", "days_since_last_touch"]

_OF_DEALS = (*KEY, "contact_id", "status", "created_at", "close_date")


def activities_of_deals(
    deals: pl.DataFrame,
    activities: pl.DataFrame,
    *,
    kinds: Collection[str] = HUMAN,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return the number of activities of each closed deal, those of none included.

    Parameters
    ----------
    deals, activities, kinds, time_zone
        As for `activities_per_deal`.

    Returns
    -------
    pl.DataFrame
        One row per closed deal, in their order: provider (Categorical), account, id, status (String),
        activities (Int64).

    Raises
    ------
    UsageError
        `time_zone` is not known, or a column is missing.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> deals = conform(pl.DataFrame({"id": ["d", "e"], "status": ["won", "lost"]}), TABLES["deals"])
    >>> notes = conform(pl.DataFrame({"kind": ["note"], "deal_id": ["d"]}), TABLES["activities"])
    >>> activities_of_deals(deals, notes).select("id", "status", "activities")
    shape: (2, 3)
    ┌─────┬────────┬────────────┐
    │ id  ┆ status ┆ activities │
    │ --- ┆ ---    ┆ ---        │
    │ str ┆ str    ┆ i64        │
    ╞═════╪════════╪════════════╡
    │ d   ┆ won    ┆ 1          │
    │ e   ┆ lost   ┆ 0          │
    └─────┴────────┴────────────┘
    """
    opened_deals = read_opened(deals, "deals", *_OF_DEALS, time_zone=time_zone)
    closed_deals = opened_deals.filter(WON | LOST)
    done_work = touches(activities, kinds=kinds, time_zone=time_zone)
    work_of_deals = of_deals(closed_deals, done_work, time_zone)
    counts = work_of_deals.group_by(KEY).agg(row_count("activities"))
    # deals that nothing was done for have no row among the counts
    with_counts = closed_deals.select(*KEY, "status").join(
        counts, on=KEY, how="left", nulls_equal=True, maintain_order="left"
    )
    return with_counts.with_columns(pl.col("activities").fill_null(0))


@answers("everything")
def activities_per_deal(
    deals: pl.DataFrame,
    activities: pl.DataFrame,
    *,
    kinds: Collection[str] = HUMAN,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return how many activities won deals took, and how many lost ones.

    Counted is what people did for the deal until the day it closed: what names the deal, and what names
    its contact alone between the days the deal was created and closed. What comes after is left out, as
    only won deals have an afterwards. More work with won deals does not mean that work wins them.

    Parameters
    ----------
    deals
        Reads the won and lost: provider, account, id, contact_id, status, created_at, opened_on (in place of
        created_at, where it is given), close_date. Those without created_at have only what names them.
    activities
        Reads what `touches` reads. An activity of a contact with several deals counts for each.
    kinds
        The kinds that count.
    time_zone
        IANA name; where the day begins.

    Returns
    -------
    pl.DataFrame
        Sorted by status, won first; one row per status that occurs: status (String); deals (Int64);
        without_activity (Int64, deals); activities (Int64); mean, median, p90 (Float64, activities per deal,
        deals of none included; p90: nine in ten have no more).

    Raises
    ------
    UsageError
        `time_zone` is not known, or a column is missing.

    Notes
    -----
    Common practice; no vendor's page defines it.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> deals = pl.DataFrame({"id": ["d", "e"], "contact_id": ["c", "x"], "status": ["won", "lost"],
    ...                       "created_at": [datetime(2026, 3, 1)] * 2, "close_date": [date(2026, 3, 9)] * 2})
    >>> calls = pl.DataFrame({"kind": ["call"] * 2, "contact_id": ["c"] * 2,
    ...                       "created_at": [datetime(2026, 3, day) for day in (2, 10)]})
    >>> utc = pl.col("created_at").dt.replace_time_zone("UTC")
    >>> frames = [conform(frame.with_columns(utc), TABLES[name])
    ...           for name, frame in (("deals", deals), ("activities", calls))]
    >>> activities_per_deal(*frames)
    shape: (2, 7)
    ┌────────┬───────┬──────────────────┬────────────┬──────┬────────┬─────┐
    │ status ┆ deals ┆ without_activity ┆ activities ┆ mean ┆ median ┆ p90 │
    │ ---    ┆ ---   ┆ ---              ┆ ---        ┆ ---  ┆ ---    ┆ --- │
    │ str    ┆ i64   ┆ i64              ┆ i64        ┆ f64  ┆ f64    ┆ f64 │
    ╞════════╪═══════╪══════════════════╪════════════╪══════╪════════╪═════╡
    │ won    ┆ 1     ┆ 0                ┆ 1          ┆ 1.0  ┆ 1.0    ┆ 1.0 │
    │ lost   ┆ 1     ┆ 1                ┆ 0          ┆ 0.0  ┆ 0.0    ┆ 0.0 │
    └────────┴───────┴──────────────────┴────────────┴──────┴────────┴─────┘
    """
    counts = activities_of_deals(deals, activities, kinds=kinds, time_zone=time_zone)
    number = pl.col("activities")
    measures = counts.group_by("status").agg(
        row_count("deals"),
        number_of(number == 0, "without_activity"),
        number.sum(),
        mean=number.mean(),
        median=number.median(),
        p90=number.quantile(0.9, "higher"),
    )
    return measures.sort("status", descending=True)


@answers("everything", subjects="deals")
def days_since_last_touch(
    subjects: pl.DataFrame,
    activities: pl.DataFrame,
    *,
    as_of: TimeLike,
    stale_days: int = 14,
    kinds: Collection[str] = HUMAN,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return for each open deal, or each contact, the days since somebody last did something with it.

    Parameters
    ----------
    subjects
        Deals, of which the open ones are taken (reads provider, account, id, contact_id, status, created_at,
        opened_on, close_date), or contacts (reads provider, account, id, emails, created_at). Deals are what has a
        contact_id. Those created after `as_of` are left out.
    activities
        Reads what `touches` reads. A deal is touched by what names it, and by what names its contact alone
        since the day the deal was created.
    as_of
        The moment to ask at; a date is its beginning in `time_zone`.
    stale_days
        More days than these are stale.
    kinds
        The kinds that count.
    time_zone
        IANA name; where the day begins.

    Returns
    -------
    pl.DataFrame
        In the order of `subjects`: provider (Categorical), account, id (String); last_touch_on (Date, in
        `time_zone`) and days (Int64, 0: today), null for those never touched; state (String: recent, stale
        or never).

    Raises
    ------
    UsageError
        `as_of` or `time_zone` cannot be read, `stale_days` is negative, or a column is missing.

    Notes
    -----
    14 days is one vendor's threshold, not a law: deals that take a year have other ones.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> contacts = conform(pl.DataFrame({"id": ["c", "x"]}), TABLES["contacts"])
    >>> calls = pl.DataFrame({"kind": ["call"], "contact_id": ["c"], "created_at": [datetime(2026, 3, 1)]})
    >>> calls = calls.with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> found = days_since_last_touch(contacts, conform(calls, TABLES["activities"]), as_of="2026-03-16")
    >>> found.select("id", "last_touch_on", "days", "state")
    shape: (2, 4)
    ┌─────┬───────────────┬──────┬───────┐
    │ id  ┆ last_touch_on ┆ days ┆ state │
    │ --- ┆ ---           ┆ ---  ┆ ---   │
    │ str ┆ date          ┆ i64  ┆ str   │
    ╞═════╪═══════════════╪══════╪═══════╡
    │ c   ┆ 2026-03-01    ┆ 15   ┆ stale │
    │ x   ┆ null          ┆ null ┆ never │
    └─────┴───────────────┴──────┴───────┘
    """
    if stale_days < 0:
        raise UsageError(f"stale_days={stale_days}: give 0 or more")
    instant = as_instant(as_of, "as_of", time_zone)
    today = day_at(instant, time_zone)
    done_work = touches(activities, kinds=kinds, as_of=as_of, time_zone=time_zone)
    if are_deals(subjects):
        all_deals = read_opened(subjects, "subjects", *_OF_DEALS, time_zone=time_zone)
        shown = all_deals.filter(OPEN)
        # what is open goes on: a day of closing that it carries ends nothing
        never_closed = shown.with_columns(close_date=pl.lit(None, pl.Date))
        touched = of_deals(never_closed, done_work, time_zone)
    else:
        shown = read(subjects, "subjects", *KEY, "emails", "created_at", table="contacts")
        touched = of_contacts(shown, done_work).rename({"contact_id": "id"})

    was_created = (pl.col("created_at") <= instant).fill_null(value=True)
    last_touches = touched.group_by(KEY).agg(last_touch_on=pl.col("day").max())
    with_touch = (
        shown.filter(was_created)
        .select(KEY)
        .join(last_touches, on=KEY, how="left", nulls_equal=True, maintain_order="left")
    )
    days = (pl.lit(today) - pl.col("last_touch_on")).dt.total_days()
    return with_touch.with_columns(days=days, state=_state(days, stale_days))


def _state(days: pl.Expr, stale_days: int) -> pl.Expr:
    """Return how it stands with a subject that was last touched so many days ago; null days: never."""
    return (
        pl.when(days > stale_days)
        .then(pl.lit("stale"))
        .when(days.is_not_null())
        .then(pl.lit("recent"))
        .otherwise(pl.lit("never"))
    )


def are_deals(subjects: pl.DataFrame) -> bool:
    """Return whether these are deals, not contacts: deals name a contact.

    A table of contacts stays one, also with a column `contact_id` of the user's own.
    """
    return "contact_id" in columns_of(subjects, "subjects") and not is_table(subjects, "contacts")
