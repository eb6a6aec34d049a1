"""What a question must be given."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from crmlab.analysis.given import moment
from crmlab.errors import PlanError


@pytest.mark.parametrize(
    ("as_of", "time_zone", "at", "day"),
    [
        # a date is the beginning of that day there, in winter and in summer
        (date(2026, 1, 5), "Europe/Berlin", "2026-01-04 23:00:00+00:00", date(2026, 1, 5)),
        ("2026-07-05", "Europe/Berlin", "2026-07-04 22:00:00+00:00", date(2026, 7, 5)),
        (date(2024, 2, 29), "America/Los_Angeles", "2024-02-29 08:00:00+00:00", date(2024, 2, 29)),
        # this day began at one o'clock: clocks went forward at midnight
        (date(2018, 11, 4), "America/Sao_Paulo", "2018-11-04 03:00:00+00:00", date(2018, 11, 4)),
        # a time is a time, whatever the day there
        (datetime(2026, 1, 4, 23, 30, tzinfo=UTC), "Europe/Berlin", "2026-01-04 23:30:00+00:00", date(2026, 1, 5)),
        ("2026-01-05T00:30:00+01:00", "America/New_York", "2026-01-04 23:30:00+00:00", date(2026, 1, 4)),
    ],
)
def test_a_moment_is_an_instant_and_a_day(as_of: Any, time_zone: str, at: str, day: date) -> None:
    found, today = moment(as_of, time_zone)

    assert (str(found), today) == (at, day)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(PlanError, match="'Berlin' is not in the time zone database"):
        moment("2026-01-01", "Berlin")
