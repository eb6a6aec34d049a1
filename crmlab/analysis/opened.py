"""When deals began and when work was done, as people date it: a record may have been brought from elsewhere later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from crmlab.analysis.inputs import By, read
from crmlab.analysis.period import local


def read_opened(
    frame: Any, argument: str, *columns: str, time_zone: str, by: By = None
) -> pl.DataFrame:
    """Return what is read of deals, with the moment that each began as `created_at`.

    That is the beginning of `opened_on` in `time_zone`, where that is given and is another day than that of
    `created_at`. The vendor of OnePageCRM calls it the creation date of the deal; `created_at` is when its record
    was made, which for deals brought from elsewhere is the day of the import.

    Parameters
    ----------
    frame
        Reads `columns`, `created_at`, and `opened_on` where the frame has it.
    argument
        The name of the parameter that it was given as.
    columns
        What is read besides.
    time_zone
        IANA name; where the day begins.
    by
        Columns to group by.

    Raises
    ------
    UsageError
        It is no frame, a column is missing, or `time_zone` is not known.

    Examples
    --------
    >>> from datetime import date, datetime, timezone
    >>> imported = datetime(2026, 3, 1, 8, tzinfo=timezone.utc)
    >>> deals = pl.DataFrame({"created_at": [imported, imported], "opened_on": [date(2025, 11, 4), None]})
    >>> read_opened(deals, "deals", time_zone="UTC")["created_at"].to_list()[0].date()
    datetime.date(2025, 11, 4)
    """
    read_deals = read(
        frame, argument, *columns, "created_at", by=by, table="deals", optional=("opened_on",)
    )
    return with_opening(read_deals, time_zone)


def with_opening(deals: pl.DataFrame, time_zone: str) -> pl.DataFrame:
    """Return deals that are read with the moment at which each began as `created_at`; see `read_opened`."""
    created_on = local(pl.col("created_at"), time_zone).dt.date()
    is_dated = pl.col("opened_on").is_not_null()
    # of the day on which it was recorded, the record knows the hour
    is_other_day = is_dated & pl.col("opened_on").ne_missing(created_on)
    began_at = pl.when(is_other_day).then(_midnight("opened_on", time_zone)).otherwise("created_at")
    return deals.with_columns(created_at=began_at).drop("opened_on")


def read_dated(
    activities: Any, *columns: str, time_zone: str, optional: Sequence[str] = ()
) -> pl.DataFrame:
    """Return what is read of activities; those that are dated to another day than they were recorded on last that day.

    Such a day is written as services write a whole day: `starts_at` is its midnight in UTC, and `all_day` is true.

    Parameters
    ----------
    activities
        Reads `columns`, starts_at, created_at, all_day, and dated_on where the frame has it.
    columns
        What is read besides.
    time_zone
        IANA name; the day that it was recorded on.
    optional
        Columns that are read as well where the frame has them.

    Raises
    ------
    UsageError
        It is no frame, a column is missing, or `time_zone` is not known.
    """
    time_columns = ("starts_at", "created_at", "all_day")
    rows = read(activities, "activities", *columns, *time_columns, optional=("dated_on", *optional))
    created_on = local(pl.col("created_at"), time_zone).dt.date()
    dated_on = pl.col("dated_on")
    is_other_day = dated_on.is_not_null() & dated_on.ne_missing(created_on)
    is_dated = pl.col("starts_at").is_null() & is_other_day
    # an entry of all day names its day by midnight UTC, in every time zone
    midnight = dated_on.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    starts_at = pl.when(is_dated).then(midnight).otherwise("starts_at")
    all_day = pl.when(is_dated).then(pl.lit(value=True)).otherwise("all_day")
    dated = rows.with_columns(starts_at=starts_at, all_day=all_day)
    return dated.drop("dated_on")


def _midnight(day: str, time_zone: str) -> pl.Expr:
    """Return the UTC time at which a day begins; where clocks skip midnight, it is an hour later."""
    clock_time = pl.col(day).cast(pl.Datetime("us"))
    begins = []
    for begin in (clock_time, clock_time + pl.duration(hours=1)):
        begins.append(
            begin.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
        )
    return pl.coalesce(begins).dt.convert_time_zone("UTC")
