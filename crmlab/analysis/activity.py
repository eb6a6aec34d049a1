"""Activities: when work happens, how much of each kind, and whose."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.owners import owners_of
from crmlab.analysis.period import chosen_grain, local, period_of
from crmlab.analysis.touches import touches
from crmlab.schema import TimeLike

__all__ = ["activity_heatmap", "activity_volume", "activity_volume_by_owner"]


@answers("period")
def activity_heatmap(
    activities: pl.DataFrame,
    *,
    kinds: Collection[str] | None = None,
    as_of: TimeLike | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return how much of people's work falls on each weekday and hour of a place's clock.

    Counted is what was done by people, by the time at which it began or was recorded. Mailings, opens and what else
    machines record are no work, and what is not done or still to come was not done at any hour. Actions are done on a
    day, without an hour.

    Parameters
    ----------
    activities
        Reads what `crmlab.analysis.touches.touches` reads.
    kinds
        The kinds that are work. None: all that people can have done, which is no mailing, and in accounts that mail an
        action, call, event, meeting or note.
    as_of
        What comes after it is left out; a date is its beginning in `time_zone`. None: what is planned counts, too.
    time_zone
        IANA name such as ``"Europe/Berlin"``; an hour of the day means nothing without it.

    Returns
    -------
    pl.DataFrame
        168 rows, complete and sorted: weekday (Int8, 1 = Monday), hour (Int8, 0-23, local, daylight
        saving followed), count (Int64). What lasts all day, is an action, is dated to another day than it was recorded
        on, or has no time is in no hour and is left out.

    Raises
    ------
    UsageError
        `as_of` cannot be read, or `time_zone` is not a name of the IANA time zone database.

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
    local_time = local(pl.col("at"), time_zone)
    done_work = touches(
        activities, kinds=kinds, as_of=as_of, time_zone=time_zone, beside=["all_day"]
    )
    # an action is done on a day, and an entry of all day names none of its hours
    has_hour = ~pl.col("all_day").fill_null(value=False) & pl.col("kind").ne_missing("action")
    with_hour = done_work.filter(has_hour).drop_nulls("at")
    by_hour = with_hour.group_by(weekday=local_time.dt.weekday(), hour=local_time.dt.hour())
    counts = by_hour.agg(pl.col("count").sum())

    weekdays = pl.DataFrame({"weekday": range(1, 8)}, schema={"weekday": pl.Int8})
    hours = pl.DataFrame({"hour": range(24)}, schema={"hour": pl.Int8})
    week = weekdays.join(hours, how="cross")
    heatmap = week.join(counts, on=["weekday", "hour"], how="left")
    return heatmap.with_columns(pl.col("count").fill_null(0)).sort("weekday", "hour")


@answers("period")
def activity_volume(
    activities: pl.DataFrame,
    *,
    kinds: Collection[str] | None = None,
    as_of: TimeLike | None = None,
    every: str | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return how much people did in each period, by kind.

    Counted is work, as `activity_heatmap` has it: an action on the day that it was done, all else when it began or was
    recorded. What machines record of mailings, and what is not done or still to come, is not.

    Parameters
    ----------
    activities
        Reads what `crmlab.analysis.touches.touches` reads.
    kinds, as_of
        As of `activity_heatmap`.
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
        `as_of`, `every` or `time_zone` is not known.

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
    done_work = touches(activities, kinds=kinds, as_of=as_of, time_zone=time_zone)
    return count_by_period(done_work, pl.col("day"), every)


@answers("period")
def activity_volume_by_owner(
    activities: pl.DataFrame,
    users: pl.DataFrame | None = None,
    *,
    kinds: Collection[str] | None = None,
    as_of: TimeLike | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return how much each owner did, by kind.

    Select the period beforehand. Counted is work, as `activity_heatmap` has it, that without a time included.

    Parameters
    ----------
    activities
        Reads what `crmlab.analysis.touches.touches` and `crmlab.analysis.with_owner` read.
    users
        Names of the owners; see `crmlab.analysis.with_owner`.
    kinds, as_of
        As of `activity_heatmap`.
    time_zone
        IANA name; read where `as_of` is a date, and for the day on which actions were done.

    Returns
    -------
    pl.DataFrame
        Sorted by owner and kind, nulls last; only pairs that occur: owner (String), kind (String, the
        service's word), count (Int64). The counts add up to the work that there is; of nobody's work the owner is null.

    Raises
    ------
    UsageError
        `as_of` or `time_zone` cannot be read, or a column is missing.

    Notes
    -----
    Common practice; no vendor's page defines it.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"kind": ["call", "call", "note"], "author": ["Ann Bee <ann@example.com>", "Ann Bee", None]}
    >>> activity_volume_by_owner(conform(pl.DataFrame(rows), TABLES["activities"]))
    shape: (2, 3)
    ┌─────────┬──────┬───────┐
    │ owner   ┆ kind ┆ count │
    │ ---     ┆ ---  ┆ ---   │
    │ str     ┆ str  ┆ i64   │
    ╞═════════╪══════╪═══════╡
    │ Ann Bee ┆ call ┆ 2     │
    │ null    ┆ note ┆ 1     │
    └─────────┴──────┴───────┘
    """
    who_and_what = ("provider", "account", "owner_id", "author", "kind")
    done_work = touches(
        activities, kinds=kinds, as_of=as_of, time_zone=time_zone, beside=["owner_id", "author"]
    )
    # summed before the owners are named: there are few of them, and many activities
    counts = done_work.group_by(who_and_what).agg(pl.col("count").sum())
    owner_counts = counts.with_columns(owners_of(counts, users)).group_by("owner", "kind")
    return owner_counts.agg(pl.col("count").sum()).sort("owner", "kind", nulls_last=True)


def count_by_period(frame: pl.DataFrame, day: pl.Expr, every: str | None) -> pl.DataFrame:
    """Return period (Date), kind and count (Int64) of the rows that have a day; `count` says how often each counts."""
    times_counted = pl.lit(1, pl.Int64)
    if "count" in frame.columns:
        times_counted = pl.col("count")
    columns = (day.alias("period"), "kind", times_counted.alias("count"))
    dated = frame.select(columns).drop_nulls("period")
    grain = chosen_grain(every, dated["period"])
    period = period_of(pl.col("period"), grain)
    counts = dated.group_by(period, "kind").agg(pl.col("count").sum())
    return counts.sort("period", "kind", nulls_last=True)
