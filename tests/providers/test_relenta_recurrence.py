"""Appointments that repeat, written out within the period of a fetch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from crmlab import analysis
from tests.providers.test_relenta import ACTIVITY, read

START = datetime(2026, 9, 7, 9, tzinfo=UTC)  # a Monday
MADE = datetime(2025, 1, 2, tzinfo=UTC)


def appointment(rule: str, **more: Any) -> dict[str, Any]:
    made = {
        "dt_created": "2025-01-02T00:00:00Z",
        "dt_modified": "2025-01-02T00:00:00Z",
        "all_day": False,
    }
    times = {"dt_start": "2026-09-07T09:00:00Z", "dt_end": "2026-09-07T09:30:00Z"}
    return {**ACTIVITY, **made, **times, "rrule": rule, **more}


def rows(rule: str, **period: Any) -> pl.DataFrame:
    return read("activities", appointment(rule), **period).frames["activities"].sort("starts_at")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=WEEKLY;BYDAY=MO", [0, 7, 14, 21, 28, 35, 42, 49]),  # for ever: up to the fetch
        ("FREQ=DAILY;COUNT=3", [0, 1, 2]),
        ("RRULE:FREQ=DAILY;UNTIL=20260909T090000Z", [0, 1, 2]),
        ("FREQ=DAILY;UNTIL=20260909", [0, 1]),
        ("freq=weekly;interval=2;", [0, 14, 28, 42]),
        ("RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20260914T090000Z", [0, 14]),
        ("FREQ=YEARLY", [0]),
        ("", [0]),
    ],
)
def test_a_series_is_a_row_for_each_of_its_times_up_to_the_fetch(
    rule: str, days: list[int]
) -> None:
    found = rows(rule)

    assert found["starts_at"].to_list() == [START + timedelta(days=day) for day in days]
    assert (found["ends_at"] - found["starts_at"]).unique().to_list() == [timedelta(minutes=30)]
    assert found["id"].n_unique() == len(days)
    assert found["series_id"].to_list() == ["900" if rule else None] * len(days)
    assert found["created_at"].to_list() == [MADE] + [None] * (len(days) - 1)


def test_in_a_period_are_the_times_that_fall_into_it_whenever_the_series_was_made() -> None:
    since, until = datetime(2026, 9, 21, tzinfo=UTC), datetime(2026, 12, 7, 9, tzinfo=UTC)

    found = rows("FREQ=WEEKLY", since=since, until=until)

    # the last one begins where the period ends, and the record was not changed in it
    assert found["starts_at"].to_list() == [START + timedelta(weeks=week) for week in range(2, 13)]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=BOGUS",
        "every Monday",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=YEARLY;BYDAY=99MO",
        "FREQ=SECONDLY",
    ],
)
def test_a_rule_that_cannot_be_written_out_is_named_and_its_appointment_there_once(
    rule: str,
) -> None:
    found = rows(rule)

    assert found.select("id", "recurrence", "series_id").rows() == [("900", rule, None)]


def test_a_series_without_a_readable_beginning_or_end_costs_nothing_else() -> None:
    no_start = read(
        "activities", appointment("FREQ=DAILY", dt_start="soon"), appointment("", id="901")
    )
    no_end = read("activities", appointment("FREQ=DAILY;COUNT=2", dt_end=""))

    assert no_start.frames["activities"]["id"].to_list() == ["900", "901"]
    assert no_start.misfits["field"].to_list() == ["dt_start"]
    assert no_end.frames["activities"]["ends_at"].to_list() == [None, None]


def test_times_of_a_series_count_as_activities_of_their_days() -> None:
    found = rows("FREQ=DAILY;COUNT=3")

    assert analysis.activity_volume(found, every="1d")["count"].to_list() == [1, 1, 1]
