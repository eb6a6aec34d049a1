"""Actions: what is open, what is overdue, what was done on time."""

from __future__ import annotations

import datetime as dt

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read
from crmlab.analysis.owners import owners_of
from crmlab.analysis.period import local
from crmlab.analysis.rates import number_of, ratio, row_count
from crmlab.errors import UsageError
from crmlab.schema import TimeLike, as_instant, day_at

__all__ = ["completion_rate", "open_actions"]

_READ = (
    "provider",
    "account",
    "owner_id",
    "author",
    "kind",
    "created_at",
    "starts_at",
    "due_on",
    "done",
    "done_at",
)
#: how many days after the day it was due; what is due today is not overdue
AGES = {
    "overdue_to_7_days": pl.col("late") <= 7,
    "overdue_8_to_30_days": pl.col("late").is_between(8, 30),
    "overdue_above_30_days": pl.col("late") > 30,
}


@answers("everything")
def open_actions(
    activities: pl.DataFrame,
    *,
    as_of: TimeLike,
    time_zone: str = "UTC",
    users: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the open actions of each owner: overdue for how long, due later, without a day.

    Open is what was created by `as_of` and not done by then; services tell the day on which something was done, and
    no hour, so what was done on the day of `as_of` is done. Overdue is what is open and due before that day, by the
    clock of `time_zone`. An earlier `as_of` sees what is done since as open, but knows only today's due days.

    Parameters
    ----------
    activities
        Reads those of kind "action": created_at, due_on, starts_at (where due_on is null), done, done_at
        (where `done` is null: done if there is a day), and what `crmlab.analysis.with_owner` reads.
    as_of
        The moment to ask at; a date is its beginning in `time_zone`.
    time_zone
        IANA name; where the day begins.
    users
        Names of the owners; see `crmlab.analysis.with_owner`.

    Returns
    -------
    pl.DataFrame
        Sorted by owner, nulls last; one row per owner who has open actions: owner (String); open (Int64,
        actions) = undated + upcoming + overdue (Int64); overdue = overdue_to_7_days + overdue_8_to_30_days +
        overdue_above_30_days (Int64, by the days since the due day); overdue_rate (Float64, overdue / open).

    Raises
    ------
    UsageError
        `as_of` or `time_zone` cannot be read, or a column is missing.

    Notes
    -----
    Common practice; no vendor's page defines it. Time zones: https://www.iana.org/time-zones.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"kind": ["action"] * 3, "owner_id": ["ann"] * 3, "done": [False, False, True],
    ...         "due_on": [date(2026, 3, 1), date(2026, 3, 9), date(2026, 3, 2)]}
    >>> found = open_actions(conform(pl.DataFrame(rows), TABLES["activities"]), as_of="2026-03-09")
    >>> found.select("owner", "open", "undated", "upcoming", "overdue", "overdue_8_to_30_days")
    shape: (1, 6)
    ┌───────┬──────┬─────────┬──────────┬─────────┬──────────────────────┐
    │ owner ┆ open ┆ undated ┆ upcoming ┆ overdue ┆ overdue_8_to_30_days │
    │ ---   ┆ ---  ┆ ---     ┆ ---      ┆ ---     ┆ ---                  │
    │ str   ┆ i64  ┆ i64     ┆ i64      ┆ i64     ┆ i64                  │
    ╞═══════╪══════╪═════════╪══════════╪═════════╪══════════════════════╡
    │ ann   ┆ 2    ┆ 0       ┆ 1        ┆ 1       ┆ 1                    │
    └───────┴──────┴─────────┴──────────┴─────────┴──────────────────────┘
    """
    instant = as_instant(as_of, "as_of", time_zone)
    today = day_at(instant, time_zone)
    actions = _actions(activities, users, today, time_zone)
    # of an action that has no time of creation, nothing says that it came later
    was_created = (pl.col("created_at") <= instant).fill_null(value=True)
    open_rows = actions.filter(~pl.col("is_done") & was_created)

    days_late = (pl.lit(today) - pl.col("due")).dt.total_days()
    with_age = open_rows.with_columns(late=pl.when(days_late > 0).then(days_late))
    age_counts = [number_of(is_of_age, age) for age, is_of_age in AGES.items()]
    counts = with_age.group_by("owner").agg(
        row_count("open"),
        number_of(pl.col("due").is_null(), "undated"),
        number_of(days_late <= 0, "upcoming"),
        number_of(pl.col("late").is_not_null(), "overdue"),
        *age_counts,
    )
    rates = counts.with_columns(overdue_rate=ratio("overdue", "open"))
    return rates.sort("owner", nulls_last=True)


@answers("everything")
def completion_rate(
    activities: pl.DataFrame,
    *,
    as_of: TimeLike,
    since: dt.date | None = None,
    until: dt.date | None = None,
    time_zone: str = "UTC",
    users: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return how many of the actions that were due each owner did on time: ``on_time / due``.

    On time is done on the day it was due, or before. Only days that are over by `as_of` count:
    what is due today can still be done.

    Parameters
    ----------
    activities
        Reads those of kind "action", as `open_actions` does.
    as_of
        The moment to ask at; a date is its beginning in `time_zone`.
    since, until
        First day due that counts, and the first that no longer does; None: no such bound.
    time_zone
        IANA name; where the day begins.
    users
        Names of the owners; see `crmlab.analysis.with_owner`.

    Returns
    -------
    pl.DataFrame
        Sorted by owner, nulls last; one row per owner: owner (String); due (Int64, actions) = on_time +
        late + not_done + done_undated (Int64; the last: done, but the service does not say when);
        completion_rate (Float64, 0-1, on_time / due).

    Raises
    ------
    UsageError
        `as_of`, `since`, `until` or `time_zone` cannot be read, or a column is missing.

    Notes
    -----
    Common practice; no vendor's page defines it. Moving the due day makes a late action one on time:
    services keep only the last.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"kind": ["action"] * 3, "owner_id": ["ann"] * 3, "done": [True, True, False],
    ...         "due_on": [date(2026, 3, 2)] * 3, "done_at": [date(2026, 3, 1), date(2026, 3, 3), None]}
    >>> completion_rate(conform(pl.DataFrame(rows), TABLES["activities"]), as_of="2026-03-09")
    shape: (1, 7)
    ┌───────┬─────┬─────────┬──────┬──────────┬──────────────┬─────────────────┐
    │ owner ┆ due ┆ on_time ┆ late ┆ not_done ┆ done_undated ┆ completion_rate │
    │ ---   ┆ --- ┆ ---     ┆ ---  ┆ ---      ┆ ---          ┆ ---             │
    │ str   ┆ i64 ┆ i64     ┆ i64  ┆ i64      ┆ i64          ┆ f64             │
    ╞═══════╪═════╪═════════╪══════╪══════════╪══════════════╪═════════════════╡
    │ ann   ┆ 3   ┆ 1       ┆ 1    ┆ 1        ┆ 0            ┆ 0.333333        │
    └───────┴─────┴─────────┴──────┴──────────┴──────────────┴─────────────────┘
    """
    _refuse_no_date("since", since)
    _refuse_no_date("until", until)
    today = day_at(as_instant(as_of, "as_of", time_zone), time_zone)
    actions = _actions(activities, users, today, time_zone)
    # what is due today can still be done in time
    is_over = pl.col("due") < min(until or today, today)
    if since:
        is_over &= pl.col("due") >= since

    is_done = pl.col("is_done")
    was_on_time = pl.col("done_at") <= pl.col("due")
    counts = (
        actions.filter(is_over)
        .group_by("owner")
        .agg(
            row_count("due"),
            number_of(is_done & was_on_time, "on_time"),
            number_of(is_done & ~was_on_time, "late"),
            number_of(~is_done, "not_done"),
            number_of(is_done & pl.col("done_at").is_null(), "done_undated"),
        )
    )
    rates = counts.with_columns(completion_rate=ratio("on_time", "due"))
    return rates.sort("owner", nulls_last=True)


def _refuse_no_date(name: str, day: dt.date | None) -> None:
    if day is None:
        return
    # for Python a time is a date as well
    if isinstance(day, dt.datetime) or not isinstance(day, dt.date):
        raise UsageError(f"{name} must be a date: actions are due on days")


def _actions(
    activities: pl.DataFrame, users: pl.DataFrame | None, today: dt.date, time_zone: str
) -> pl.DataFrame:
    """Return the actions with their owner, their due day and whether they were done by the end of `today`."""
    actions = read(activities, "activities", *_READ).filter(pl.col("kind") == "action")
    starts_on = local(pl.col("starts_at"), time_zone).dt.date()
    # some services say that it was done, others no more than when
    is_done = pl.coalesce("done", pl.col("done_at").is_not_null())
    was_done_by_then = (pl.col("done_at") <= today).fill_null(value=True)
    return actions.with_columns(
        owners_of(actions, users),
        due=pl.coalesce("due_on", starts_on),
        is_done=is_done & was_done_by_then,
    )
