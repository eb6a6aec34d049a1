"""Periods and time zones that users give are one kind of thing in every analysis."""

from __future__ import annotations

from typing import Any

import pytest

from crmlab import analysis
from crmlab.errors import UsageError
from crmlab.schema import TABLES

ACTIVITIES = TABLES["activities"].empty()
DEALS = TABLES["deals"].empty()
EVENTS = TABLES["consent_events"].empty()


@pytest.mark.parametrize("every", [5, "", "fortnight", "1h", "0d"])
def test_a_period_that_is_no_number_of_days_is_refused(every: Any) -> None:
    with pytest.raises(UsageError, match="give whole days or longer"):
        analysis.activity_volume(ACTIVITIES, every=every)
    with pytest.raises(UsageError, match="give whole days or longer"):
        analysis.consent_trend(EVENTS, every=every)


@pytest.mark.parametrize("time_zone", ["", None, 5, "Mars/Olympus"])
def test_what_names_no_time_zone_is_refused(time_zone: Any) -> None:
    for count, frame in ((analysis.activity_volume, ACTIVITIES), (analysis.cycle_length, DEALS)):
        with pytest.raises(
            UsageError, match="is not in the time zone database: give a name such as"
        ):
            count(frame, time_zone=time_zone)
