"""Consent events and banner statistics, against answers worked out by hand."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from crmlab import analysis
from crmlab.schema import TABLES, conform

BANNER = {
    "day": pl.Date,
    "visitors_exposed": pl.Int64,
    "optin": pl.Int64,
    "optout": pl.Int64,
    "optin_rate": pl.Float64,
    "optout_rate": pl.Float64,
}


def statistics(*rows: tuple[Any, ...], columns: tuple[str, ...] = ()) -> pl.DataFrame:
    names = ("day", "banner_id", "visitors_exposed", "optin", "optout", *columns)
    return conform(pl.DataFrame(rows, schema=names, orient="row"), TABLES["consent_statistics"])


def test_events_are_counted_by_kind_and_month() -> None:
    frame = pl.DataFrame(
        {
            "kind": ["subscribe", "unsubscribe", "subscribe", "subscribe"],
            "occurred_at": [
                datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC),
                datetime(2026, 2, 1, tzinfo=UTC),
                None,
                None,
            ],
            "created_at": [
                datetime(2026, 5, 1, tzinfo=UTC),
                None,
                datetime(2026, 2, 28, tzinfo=UTC),
                None,
            ],
        }
    )

    found = analysis.consent_trend(conform(frame, TABLES["consent_events"]), every="1mo")

    rows = [
        (date(2026, 1, 1), "subscribe", 1),
        (date(2026, 2, 1), "subscribe", 1),
        (date(2026, 2, 1), "unsubscribe", 1),
    ]
    schema = {"period": pl.Date, "kind": pl.String, "count": pl.Int64}
    assert_frame_equal(found, pl.DataFrame(rows, schema=schema, orient="row"))


def test_no_events_are_an_empty_frame() -> None:
    found = analysis.consent_trend(TABLES["consent_events"].empty())

    assert_frame_equal(
        found, pl.DataFrame(schema={"period": pl.Date, "kind": pl.String, "count": pl.Int64})
    )


def test_rates_come_from_the_summed_counts_and_not_from_the_rates() -> None:
    # the mean of the rates would be (0.9 + 0.3) / 2 = 0.6
    frame = statistics((date(2026, 1, 1), "a", 100, 90, 10), (date(2026, 1, 1), "b", 300, 90, 90))

    found = analysis.consent_banner(frame)

    rows = [(date(2026, 1, 1), 400, 180, 100, 0.45, 0.25)]
    assert_frame_equal(found, pl.DataFrame(rows, schema=BANNER, orient="row"))


def test_a_day_without_visitors_has_no_rate() -> None:
    found = analysis.consent_banner(
        statistics((date(2026, 1, 2), "a", 0, 0, 0), (date(2026, 1, 1), "a", 1, 1, 0))
    )

    rows = [(date(2026, 1, 1), 1, 1, 0, 1.0, 0.0), (date(2026, 1, 2), 0, 0, 0, None, None)]
    assert_frame_equal(found, pl.DataFrame(rows, schema=BANNER, orient="row"))


def test_a_count_that_one_banner_does_not_say_is_unknown_and_not_zero() -> None:
    found = analysis.consent_banner(
        statistics((date(2026, 1, 1), "a", 10, None, 1), (date(2026, 1, 1), "b", 10, 5, 4))
    )

    rows = [(date(2026, 1, 1), 20, None, 5, None, 0.25)]
    assert_frame_equal(found, pl.DataFrame(rows, schema=BANNER, orient="row"))


def test_visitors_of_one_device_are_not_added_to_those_of_all() -> None:
    day = date(2026, 1, 1)
    frame = statistics(
        (day, "a", 100, 50, 20, None, None),
        (day, "a", 60, 30, 10, "mobile", None),
        (day, "a", 40, 20, 10, "desktop", None),
        (day, "a", 30, 20, 10, None, "FR"),
        (day, "b", 7, 1, 1, "mobile", None),
        (day, "b", 3, 1, 1, "desktop", None),
        columns=("device", "location"),
    )

    found = analysis.consent_banner(frame)

    rows = [(day, 110, 52, 22, 52 / 110, 0.2)]
    assert_frame_equal(found, pl.DataFrame(rows, schema=BANNER, orient="row"))


def test_longer_periods_are_rates_of_sums_too() -> None:
    frame = statistics((date(2026, 1, 1), "a", 100, 90, 10), (date(2026, 1, 31), "a", 300, 90, 90))

    found = analysis.consent_banner(frame, every="1mo")

    rows = [(date(2026, 1, 1), 400, 180, 100, 0.45, 0.25)]
    assert_frame_equal(found, pl.DataFrame(rows, schema=BANNER, orient="row"))


def test_no_statistics_are_an_empty_frame() -> None:
    assert_frame_equal(
        analysis.consent_banner(TABLES["consent_statistics"].empty()), pl.DataFrame(schema=BANNER)
    )
