"""When work happens, across daylight saving."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crmlab import analysis
from crmlab.analysis import period
from crmlab.analysis.touches import left_out, touches
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform


def activities(**columns: list[Any]) -> pl.DataFrame:
    times = {name: pl.Datetime("us", "UTC") for name in columns if name.endswith("_at")}
    return conform(pl.DataFrame(columns, schema_overrides=times), TABLES["activities"])


def filled(frame: pl.DataFrame) -> list[tuple[int, int, int]]:
    return frame.filter(pl.col("count") > 0).rows()


def test_the_grid_is_complete_and_sorted_even_when_empty() -> None:
    found = analysis.activity_heatmap(TABLES["activities"].empty(), time_zone="UTC")

    cells = [(weekday, hour, 0) for weekday in range(1, 8) for hour in range(24)]
    schema = {"weekday": pl.Int8, "hour": pl.Int8, "count": pl.Int64}
    assert_frame_equal(found, pl.DataFrame(cells, schema=schema, orient="row"))


def test_hours_jump_over_the_one_that_spring_leaves_out() -> None:
    # Berlin, Sunday 2026-03-29: 01:59 CET is followed by 03:00 CEST
    frame = activities(
        starts_at=[
            datetime(2026, 3, 29, 0, 59, tzinfo=UTC),
            datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        ]
    )

    found = analysis.activity_heatmap(frame, time_zone="Europe/Berlin")

    assert filled(found) == [(7, 1, 1), (7, 3, 1)]


def test_the_hour_that_autumn_repeats_counts_twice() -> None:
    # Berlin, Sunday 2026-10-25: 02:30 CEST, then 02:30 CET
    frame = activities(
        starts_at=[
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        ]
    )

    found = analysis.activity_heatmap(frame, time_zone="Europe/Berlin")

    assert filled(found) == [(7, 2, 2)]


def test_the_weekday_is_that_of_the_place() -> None:
    # Sunday 23:30 in UTC is Monday 08:30 in Tokyo
    frame = activities(starts_at=[datetime(2026, 3, 1, 23, 30, tzinfo=UTC)])

    assert filled(analysis.activity_heatmap(frame, time_zone="Asia/Tokyo")) == [(1, 8, 1)]
    assert filled(analysis.activity_heatmap(frame, time_zone="UTC")) == [(7, 23, 1)]


def test_the_start_counts_before_the_time_of_recording() -> None:
    frame = activities(
        starts_at=[datetime(2026, 3, 2, 9, tzinfo=UTC), None],
        created_at=[datetime(2026, 3, 1, 7, tzinfo=UTC), datetime(2026, 3, 1, 8, tzinfo=UTC)],
    )

    assert filled(analysis.activity_heatmap(frame, time_zone="UTC")) == [(1, 9, 1), (7, 8, 1)]


def test_what_lasts_all_day_or_has_no_time_is_in_no_hour() -> None:
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    frame = activities(starts_at=[midnight, midnight, None], all_day=[True, False, None])

    assert filled(analysis.activity_heatmap(frame, time_zone="UTC")) == [(1, 0, 1)]


@pytest.mark.parametrize(
    "frame",
    [TABLES["activities"].empty(), activities(starts_at=[datetime(2026, 1, 1, tzinfo=UTC)])],
)
def test_an_unknown_time_zone_is_refused_by_name(frame: pl.DataFrame) -> None:
    with pytest.raises(
        UsageError, match=r"'Europe/Bonn' is not in the time zone database.*'Europe/Berlin'"
    ):
        analysis.activity_heatmap(frame, time_zone="Europe/Bonn")


def test_weeks_begin_on_monday_and_count_each_kind() -> None:
    # 2026-01-04 is a Sunday
    frame = activities(
        kind=["call", "call", "note", None, "call"],
        created_at=[datetime(2026, 1, day, 12, tzinfo=UTC) for day in (3, 4, 4, 5)] + [None],
    )

    found = analysis.activity_volume(frame, every="1w")

    rows = [
        (date(2025, 12, 29), "call", 2),
        (date(2025, 12, 29), "note", 1),
        (date(2026, 1, 5), None, 1),
    ]
    schema = {"period": pl.Date, "kind": pl.String, "count": pl.Int64}
    assert_frame_equal(found, pl.DataFrame(rows, schema=schema, orient="row"))


def test_days_begin_where_the_time_zone_says() -> None:
    frame = activities(kind=["call"], starts_at=[datetime(2026, 1, 1, 23, 30, tzinfo=UTC)])

    assert analysis.activity_volume(frame, every="1d")["period"].to_list() == [date(2026, 1, 1)]
    assert analysis.activity_volume(frame, every="1d", time_zone="Europe/Paris")[
        "period"
    ].to_list() == [date(2026, 1, 2)]


@pytest.mark.parametrize(
    ("days", "grain"),
    [(0, "1d"), (399, "1d"), (400, "1w"), (3000, "1mo"), (40_000, "1y"), (1_000_000, "10y")],
)
def test_the_grain_is_the_finest_that_gives_400_periods(days: int, grain: str) -> None:
    first = datetime(100, 1, 1, tzinfo=UTC)
    frame = activities(kind=["call", "call"], created_at=[first, first + timedelta(days=days)])

    assert period.chosen_grain(None, frame["created_at"]) == grain
    assert_frame_equal(
        analysis.activity_volume(frame, every=None), analysis.activity_volume(frame, every=grain)
    )


def test_no_grain_makes_more_than_400_periods() -> None:
    for span in (
        1,
        399,
        400,
        2785,
        2786,
        11_143,
        11_144,
        35_819,
        35_820,
        145_000,
        1_450_000,
        3_652_000,
    ):
        first, last = date(1, 1, 3), date(1, 1, 3) + timedelta(days=span)
        every = period.chosen_grain(None, pl.Series([first, last]))
        step = {"d": "1d", "w": "1w", "o": "1mo", "q": "1mo", "y": "1mo"}[every[-1]]
        days = pl.Series("day", pl.date_range(first, last, step, eager=True))

        touched = days.to_frame().select(period.period_of(pl.col("day"), every))["day"].n_unique()

        assert 1 <= touched <= 400, (span, every)


@pytest.mark.parametrize("every", ["1h", "0d", "-1d", "week", "1d12h", ""])
def test_periods_shorter_than_a_day_or_unknown_are_refused(every: str) -> None:
    with pytest.raises(UsageError, match="give whole days or longer"):
        period.period_of(pl.col("day"), every)


@pytest.mark.parametrize(
    "time_zone", ["UTC", "Pacific/Honolulu", "Pacific/Kiritimati", "America/New_York"]
)
def test_what_lasts_all_day_is_on_its_day_in_every_time_zone(time_zone: str) -> None:
    rows = {"kind": ["event"], "starts_at": [datetime(2026, 3, 2, tzinfo=UTC)], "all_day": [True]}
    frame = conform(pl.DataFrame(rows), TABLES["activities"])

    found = analysis.activity_volume(frame, every="1d", time_zone=time_zone)

    assert found["period"].to_list() == [date(2026, 3, 2)]
    assert touches(frame, time_zone=time_zone)["day"].to_list() == [date(2026, 3, 2)]


def test_work_is_what_people_did_and_nothing_that_machines_record_or_nobody_did_yet() -> None:
    frame = activities(
        account=["crm"] * 6 + ["mail"] * 3,
        kind=["call", "visit", "meeting", "action", "action", "note", "send", "subscribe", "note"],
        starts_at=[datetime(2026, 3, 2, 9, tzinfo=UTC)] * 2
        + [datetime(2026, 3, 4, 9, tzinfo=UTC), datetime(2026, 3, 2, 9, tzinfo=UTC), None, None]
        + [datetime(2026, 3, 2, 9, tzinfo=UTC)] * 3,
        done=[None, None, None, False, True, None, None, None, None],
        done_at=[None, None, None, None, date(2026, 3, 1), None, None, None, None],
        mailing=[None] * 6 + ["sent", None, None],
    )
    now = datetime(2026, 3, 3, tzinfo=UTC)

    hours = analysis.activity_heatmap(frame, as_of=now)
    days = analysis.activity_volume(frame, as_of=now, every="1d")
    owners = analysis.activity_volume_by_owner(frame, as_of=now)
    notes = analysis.activity_volume(frame, kinds=["send", "note"], every="1d")

    assert filled(hours) == [(1, 9, 3)]
    assert days.rows() == [
        (date(2026, 3, 1), "action", 1),
        (date(2026, 3, 2), "call", 1),
        (date(2026, 3, 2), "note", 1),
        (date(2026, 3, 2), "visit", 1),
    ]
    # a note without a time is somebody's work, too
    assert dict(owners.select("kind", "count").rows()) == {
        "action": 1,
        "call": 1,
        "note": 2,
        "visit": 1,
    }
    assert notes["kind"].to_list() == ["note", "send"]
    assert dict(left_out(frame, as_of=now, time_zone="UTC")) == {
        "mailing events": 2,
        "not done": 1,
        "still to come": 1,
    }


def test_an_activity_that_stands_for_several_is_counted_as_often() -> None:
    times = [datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (9, 9, 10)]
    done = activities(kind=["open", "open", "call"], created_at=times, count=[3, None, None])

    assert analysis.activity_volume(done)["count"].to_list() == [1, 4]
    assert [count for _, _, count in filled(analysis.activity_heatmap(done))] == [4, 1]
    assert analysis.activity_volume_by_owner(done)["count"].sum() == 5
    assert analysis.activity_volume(done.drop("count"))["count"].to_list() == [1, 2]
