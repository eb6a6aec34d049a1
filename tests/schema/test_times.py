"""Times that users give."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from crmlab.errors import UsageError
from crmlab.schema.times import instant

UTC = dt.UTC


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-01-31", dt.datetime(2026, 1, 31, tzinfo=UTC)),
        (dt.date(2026, 1, 31), dt.datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T09:00:00+01:00", dt.datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T09:00:00Z", dt.datetime(2026, 1, 31, 9, tzinfo=UTC)),
        (dt.datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Paris")), dt.datetime(2026, 7, 1, 10, tzinfo=UTC)),
        (dt.datetime(2026, 1, 1, 0, 0, 0, 5, tzinfo=UTC), dt.datetime(2026, 1, 1, 0, 0, 0, 5, tzinfo=UTC)),
    ],
)
def test_dates_and_zoned_times_become_utc(value: str | dt.date, moment: dt.datetime) -> None:
    found = instant(value, "since")

    assert found == moment
    assert found is not None
    assert found.tzinfo is UTC


def test_nothing_stays_nothing() -> None:
    assert instant(None, "since") is None


@pytest.mark.parametrize("value", ["2026-01-31T09:00:00", "2026-01-31 09:00", dt.datetime(2026, 1, 31)])  # noqa: DTZ001
def test_a_time_without_zone_is_refused(value: str | dt.datetime) -> None:
    with pytest.raises(UsageError, match=r"since=2026-01-31T.*has no time zone"):
        instant(value, "since")


@pytest.mark.parametrize("value", ["", "yesterday", "31/01/2026", "2026-02-30", "2026-13-01T00:00:00Z"])
def test_text_that_is_no_time_is_refused_with_an_example(value: str) -> None:
    with pytest.raises(UsageError, match=r"until=.* is not a date or time; write 2026-01-31"):
        instant(value, "until")


@pytest.mark.parametrize("value", [20260131, 1.5, True, ["2026-01-31"]])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(UsageError, match=f"since must be a date, a time or text, not {type(value).__name__}"):
        instant(value, "since")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_has_no_utc_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="has no time in UTC"):
        instant(value, "since")
