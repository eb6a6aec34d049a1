"""Activities: when work happens, how much of each kind, and whose."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read
from crmlab.analysis.opened import read_dated
from crmlab.analysis.owners import owners_of
from crmlab.analysis.period import chosen_grain, local, period_of

__all__ = ["activity_heatmap", "activity_volume", "activity_volume_by_owner"]

#: when it happened; mailings and notes only know when they were recorded
HAPPENED = pl.coalesce("starts_at", "created_at")


def with_count(activities: pl.DataFrame, *columns: str, optional: Sequence[str] = ()) -> pl.DataFrame:
    """Return these columns of activities and `count` (Int64): how often it happened, once where nothing is said."""
    return counted(read(activities, "activities", *columns, optional=("count", *optional)))


def counted(activities: pl.DataFrame) -> pl.DataFrame:
    """Return activities that are read with how often each happened as `count` (Int64)."""
    return activities.with_columns(pl.col("count").cast(pl.Int64).fill_null(1))


def happenings(activities: pl.DataFrame) -> int:
    """Return how many activities there are, each as often as it happened."""
    return int(with_count(activities, "kind")["count"].sum())


def happened_on(time_zone: str) -> pl.Expr:
    """Return the day that it happened on: of an entry that lasts all day the day that it names, in every time zone.

    Services give such a day as its midnight in UTC. Reads starts_at, created_at, all_day.
    """
    named = pl.when(pl.col("all_day")).then(pl.col("starts_at").dt.date())
    return pl.coalesce(named, local(HAPPENED, time_zone).dt.date())


@answers("period")
def activity_heatmap(activities: pl.DataFrame, *, time_zone: str = "UTC") -> pl.DataFrame:
    """Return how many activities fall on each weekday and hour of a place's clock.

    Parameters
    ----------
    activities
        Reads starts_at, dated_on and created_at (where starts_at is null), all_day, and count where there is one.
    time_zone
        IANA name such as ``"Europe/Berlin"``; an hour of the day means nothing without it.

    Returns
    -------
    pl.DataFrame
        168 rows, complete and sorted: weekday (Int8, 1 = Monday), hour (Int8, 0-23, local, daylight
        saving followed), count (Int64). Activities that last all day, are dated to another day than they were
        recorded on, or have no time are in no hour and are left out.

    Raises
    ------
    UsageError
        `time_zone` is not a name of the IANA time zone database.

    Notes
    -----
    Weekdays are numbered as in ISO 8601. Time zones: https://www.iana.org/time-zones.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> utc = pl.Series("starts_at", [datetime(2026, 7, 1, 22, 30)]).dt.replace_time_zone("UTC")
    >>> frame = conform(utc.to_frame(), TABLES["activities"])
    >>> activity_heatmap(frame, time_zone="Europe/Berlin").filter(pl.col("count") > 0)
    shape: (1, 3)
    ┌─────────┬──────┬───────┐
    │ weekday ┆ hour ┆ count │
    │ ---     ┆ ---  ┆ ---   │
    │ i8      ┆ i8   ┆ i64   │
    ╞═════════╪══════╪═══════╡
    │ 4       ┆ 0    ┆ 1     │
    └─────────┴──────┴───────┘
    """
    at = local(pl.col("at"), time_zone)
    activities = counted(read_dated(activities, time_zone=time_zone, optional=("count",)))
    timed = activities.filter(~pl.col("all_day").fill_null(value=False)).select(HAPPENED.alias("at"), "count")
    by_hour = (
        timed.drop_nulls()
        .group_by(at.dt.weekday().alias("weekday"), at.dt.hour().alias("hour"))
        .agg(pl.col("count").sum())
    )
    weekdays = pl.DataFrame({"weekday": range(1, 8)}, schema={"weekday": pl.Int8})
    hours = pl.DataFrame({"hour": range(24)}, schema={"hour": pl.Int8})
    return (
        weekdays.join(hours, how="cross")
        .join(by_hour, on=["weekday", "hour"], how="left")
        .with_columns(pl.col("count").fill_null(0))
        .sort("weekday", "hour")
    )


@answers("period")
def activity_volume(activities: pl.DataFrame, *, every: str | None = None, time_zone: str = "UTC") -> pl.DataFrame:
    """Return how many activities of each kind there were in each period.

    Parameters
    ----------
    activities
        Reads kind, starts_at, dated_on and created_at (where starts_at is null), all_day, and count where there is one.
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 periods.
    time_zone
        IANA name; where the day begins. What lasts all day is on its day in each.

    Returns
    -------
    pl.DataFrame
        Sorted; only periods and kinds that occur: period (Date, its first day, weeks begin on Monday),
        kind (String), count (Int64). Activities without a time are left out.

    Raises
    ------
    UsageError
        `every` or `time_zone` is not known.

    Notes
    -----
    Weeks as in ISO 8601. Time zones: https://www.iana.org/time-zones.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> frame = pl.DataFrame({"kind": ["call", "call", "note"],
    ...                       "created_at": [datetime(2026, 1, day) for day in (1, 4, 5)]})
    >>> frame = frame.with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> activity_volume(conform(frame, TABLES["activities"]), every="1w")
    shape: (2, 3)
    ┌────────────┬──────┬───────┐
    │ period     ┆ kind ┆ count │
    │ ---        ┆ ---  ┆ ---   │
    │ date       ┆ str  ┆ i64   │
    ╞════════════╪══════╪═══════╡
    │ 2025-12-29 ┆ call ┆ 2     │
    │ 2026-01-05 ┆ note ┆ 1     │
    └────────────┴──────┴───────┘
    """
    activities = counted(read_dated(activities, "kind", time_zone=time_zone, optional=("count",)))
    return count_by_period(activities, happened_on(time_zone), every)


@answers("period")
def activity_volume_by_owner(activities: pl.DataFrame, users: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return how many activities of each kind each owner has.

    Select the period beforehand. Mailing events belong to nobody: their owner is null.

    Parameters
    ----------
    activities
        Reads kind, what `crmlab.analysis.with_owner` reads, and count where there is one.
    users
        Names of the owners; see `crmlab.analysis.with_owner`.

    Returns
    -------
    pl.DataFrame
        Sorted by owner and kind, nulls last; only pairs that occur: owner (String), kind (String, the
        service's word), count (Int64). The counts add up to the rows of `activities`, each as often as it happened.

    Raises
    ------
    UsageError
        A column is missing.

    Notes
    -----
    Common practice; no vendor's page defines it.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"kind": ["call", "call", "send"], "author": ["Ann Bee <ann@example.com>", "Ann Bee", None]}
    >>> activity_volume_by_owner(conform(pl.DataFrame(rows), TABLES["activities"]))
    shape: (2, 3)
    ┌─────────┬──────┬───────┐
    │ owner   ┆ kind ┆ count │
    │ ---     ┆ ---  ┆ ---   │
    │ str     ┆ str  ┆ i64   │
    ╞═════════╪══════╪═══════╡
    │ Ann Bee ┆ call ┆ 2     │
    │ null    ┆ send ┆ 1     │
    └─────────┴──────┴───────┘
    """
    columns = ("provider", "account", "owner_id", "author", "kind")
    counts = with_count(activities, *columns).group_by(columns).agg(pl.col("count").sum())
    return (
        counts.with_columns(owners_of(counts, users))
        .group_by("owner", "kind")
        .agg(pl.col("count").sum())
        .sort("owner", "kind", nulls_last=True)
    )


def count_by_period(frame: pl.DataFrame, day: pl.Expr, every: str | None) -> pl.DataFrame:
    """Return period (Date), kind and count (Int64) of the rows that have a day; `count` says how often each counts."""
    often = pl.col("count") if "count" in frame.columns else pl.lit(1, pl.Int64)
    days = frame.select(day.alias("period"), "kind", often.alias("count")).drop_nulls("period")
    every = chosen_grain(every, days["period"])
    return (
        days.group_by(period_of(pl.col("period"), every), "kind")
        .agg(pl.col("count").sum())
        .sort("period", "kind", nulls_last=True)
    )
