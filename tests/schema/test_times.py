"""Times that users give."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from crmlab.errors import UsageError
from crmlab.schema import as_instant, day_at, instant

UTC = dt.UTC


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-01-31", dt.datetime(2026, 1, 31, tzinfo=UTC)),
        (dt.date(2026, 1, 31), dt.datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T09:00:00+01:00", dt.datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T09:00:00Z", dt.datetime(2026, 1, 31, 9, tzinfo=UTC)),
        (
            dt.datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Paris")),
            dt.datetime(2026, 7, 1, 10, tzinfo=UTC),
        ),
        (
            dt.datetime(2026, 1, 1, 0, 0, 0, 5, tzinfo=UTC),
            dt.datetime(2026, 1, 1, 0, 0, 0, 5, tzinfo=UTC),
        ),
    ],
)
def test_dates_and_zoned_times_become_utc(value: str | dt.date, moment: dt.datetime) -> None:
    found = instant(value, "since")

    assert found == moment
    assert found is not None
    assert found.tzinfo is UTC


def test_nothing_stays_nothing() -> None:
    assert instant(None, "since") is None


@pytest.mark.parametrize(
    "value",
    ["2026-01-31T09:00:00", "2026-01-31 09:00", dt.datetime(2026, 1, 31)],  # noqa: DTZ001
)
def test_a_time_without_zone_is_refused(value: str | dt.datetime) -> None:
    with pytest.raises(UsageError, match=r"since=2026-01-31T.*has no time zone"):
        instant(value, "since")


@pytest.mark.parametrize(
    "value", ["", "yesterday", "31/01/2026", "2026-02-30", "2026-13-01T00:00:00Z"]
)
def test_text_that_is_no_time_is_refused_with_an_example(value: str) -> None:
    with pytest.raises(UsageError, match=r"until=.* is not a date or time; write 2026-01-31"):
        instant(value, "until")


@pytest.mark.parametrize("value", [20260131, 1.5, True, ["2026-01-31"]])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(
        UsageError, match=f"since must be a date, a time or text, not {type(value).__name__}"
    ):
        instant(value, "since")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["0001-01-01", "1899-12-31", "2201-01-01", dt.date.max])
def test_a_year_that_no_record_has_is_refused(value: str | dt.date) -> None:
    with pytest.raises(UsageError, match="is not between the years 1900 and 2200"):
        as_instant(value, "as_of")


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_has_no_utc_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="has no time in UTC"):
        instant(value, "since")


@pytest.mark.parametrize(
    ("value", "time_zone", "moment", "day"),
    [
        # a date is the beginning of that day there, in winter and in summer
        (dt.date(2026, 1, 5), "Europe/Berlin", "2026-01-04 23:00:00+00:00", dt.date(2026, 1, 5)),
        ("2026-07-05", "Europe/Berlin", "2026-07-04 22:00:00+00:00", dt.date(2026, 7, 5)),
        (
            dt.date(2024, 2, 29),
            "America/Los_Angeles",
            "2024-02-29 08:00:00+00:00",
            dt.date(2024, 2, 29),
        ),
        # this day began at one o'clock: clocks went forward at midnight
        (
            dt.date(2018, 11, 4),
            "America/Sao_Paulo",
            "2018-11-04 03:00:00+00:00",
            dt.date(2018, 11, 4),
        ),
        # a time is a time, whatever the day there
        (
            dt.datetime(2026, 1, 4, 23, 30, tzinfo=UTC),
            "Europe/Berlin",
            "2026-01-04 23:30:00+00:00",
            dt.date(2026, 1, 5),
        ),
        (
            "2026-01-05T00:30:00+01:00",
            "America/New_York",
            "2026-01-04 23:30:00+00:00",
            dt.date(2026, 1, 4),
        ),
    ],
)
def test_a_date_is_the_beginning_of_the_day_of_its_place(
    value: str | dt.date, time_zone: str, moment: str, day: dt.date
) -> None:
    found = as_instant(value, "as_of", time_zone)

    assert (str(found), day_at(found, time_zone)) == (moment, day)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(UsageError, match="'Berlin' is not in the time zone database"):
        as_instant("2026-01-01", "as_of", "Berlin")


@pytest.mark.parametrize("time_zone", [None, 1, "", "../UTC"])
def test_what_is_no_name_of_a_zone_is_refused(time_zone: object) -> None:
    with pytest.raises(UsageError, match="is not in the time zone database"):
        as_instant("2026-01-01", "as_of", time_zone)  # type: ignore[arg-type]  # wrong on purpose
