"""Weighted pipeline and coverage, against answers worked out by hand."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab import analysis
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform

DAY = date(2026, 3, 10)
EMPTY = TABLES["deals"].empty()


def deals(provider: str = "onepagecrm", **columns: list[Any]) -> pl.DataFrame:
    rows = len(next(iter(columns.values())))
    head = {"provider": [provider] * rows, "account": ["sales"] * rows, "pipeline_id": ["p"] * rows}
    frame = pl.DataFrame(head | {"status": ["pending"] * rows} | columns, strict=False)
    if "stage" in columns and provider == "onepagecrm":
        frame = frame.with_columns(stage_probability=pl.col("stage") / 100)
    return conform(frame, TABLES["deals"])


def test_what_was_expected_before_today_is_overdue_and_today_is_not() -> None:
    frame = deals(
        stage=[50] * 5,
        amount=[1.0, 2.0, 4.0, 8.0, 16.0],
        expected_close_date=[
            date(2026, 3, 9),
            date(2026, 3, 10),
            date(2026, 3, 31),
            date(2028, 2, 29),
            None,
        ],
    )

    found = analysis.weighted_pipeline(frame, as_of=DAY)

    assert found.select("bucket", "month", "deals", "amount", "weighted_amount").rows() == [
        ("overdue", None, 1, 1.0, 0.5),
        ("month", date(2026, 3, 1), 2, 6.0, 3.0),
        ("month", date(2028, 2, 1), 1, 8.0, 4.0),
        ("no date", None, 1, 16.0, 8.0),
    ]


def test_the_day_of_a_time_is_that_of_the_time_zone() -> None:
    frame = deals(stage=[50], amount=[1.0], expected_close_date=[date(2026, 3, 29)])
    # in the hour that daylight saving skips in Berlin, and still the evening before in New York
    at = datetime(2026, 3, 30, 0, 30, tzinfo=UTC)

    def bucket(zone: str) -> str:
        return str(analysis.weighted_pipeline(frame, as_of=at, time_zone=zone)["bucket"].item())

    assert (bucket("Europe/Berlin"), bucket("America/New_York")) == ("overdue", "month")


def test_only_open_deals_count_and_those_without_an_amount_are_told() -> None:
    frame = deals(stage=[10, 10, 10], status=["pending", "won", "lost"], amount=[None, 5.0, 5.0])

    found = analysis.weighted_pipeline(frame, as_of=DAY)

    assert found.select("deals", "without_amount", "amount", "weighted_amount").rows() == [
        (1, 1, 0.0, 0.0)
    ]


def test_a_stage_is_a_probability_only_where_the_service_says_so() -> None:
    both = pl.concat(
        [deals(stage=[80], amount=[10.0]), deals("relenta", stage=[80], amount=[10.0])]
    )

    found = analysis.weighted_pipeline(both, as_of=DAY)

    columns = ("probability_from", "deals", "amount", "weighted_amount")
    assert found.select(columns).rows() == [("service", 1, 10.0, 8.0), (None, 1, 10.0, None)]


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ({10: 0.25}, "argument"),
        ({("p", 10): 0.25, ("q", 10): 1.0}, "argument"),
        (pl.DataFrame({"stage": [10], "probability": [0.25]}), "argument"),
        (pl.DataFrame({"pipeline_id": ["p"], "stage": [10], "probability": [0.25]}), "argument"),
        (
            pl.DataFrame(
                {
                    "provider": ["onepagecrm"],
                    "stage": [10],
                    "probability": [0.25],
                    "probability_from": ["x"],
                }
            ),
            "x",
        ),
    ],
)
def test_given_probabilities_are_used_and_a_stage_without_one_is_told(
    given: Any, source: str
) -> None:
    found = analysis.weighted_pipeline(
        deals(stage=[10, 20], amount=[100.0, 7.0]), as_of=DAY, probability=given
    )

    assert dict(found.select("probability_from", "weighted_amount").iter_rows()) == {
        source: 25.0,
        None: None,
    }
    assert found["deals"].sum() == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({10: 25.0}, "give 0.25 for 25 %"),
        ({10: float("nan")}, "not within 0-1"),
        ({10: 0.5, ("p", 10): 0.5}, "all keys"),
        (pl.DataFrame({"stage": [10, 10], "probability": [0.1, 0.2]}), "says the same stage twice"),
        (pl.DataFrame({"stage": [10]}), "no column probability"),
    ],
)
def test_probabilities_that_cannot_be_used_are_refused(given: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        analysis.weighted_pipeline(deals(stage=[10]), as_of=DAY, probability=given)


def test_currencies_are_kept_apart() -> None:
    frame = deals(stage=[10, 20], amount=[100.0, 100.0], currency=["USD", "EUR"])

    found = analysis.weighted_pipeline(frame, as_of=DAY)

    assert found.select("currency", "weighted_amount").rows() == [("EUR", 20.0), ("USD", 10.0)]


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e9),
            st.integers(0, 100),
            st.none() | st.dates(date(2026, 1, 1), date(2027, 1, 1)),
        ),
        max_size=20,
    )
)
def test_no_bucket_loses_a_deal_and_the_weighted_amount_is_never_more(rows: Any) -> None:
    amounts, stages, days = (
        (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    )
    found = analysis.weighted_pipeline(
        deals(amount=amounts, stage=stages, expected_close_date=days), as_of=DAY
    )

    assert found["deals"].sum() == len(rows)
    assert found["amount"].sum() == pytest.approx(sum(amounts))
    assert (found["weighted_amount"] <= found["amount"] * (1 + 1e-12)).all()


def test_no_deals_are_an_empty_forecast_with_the_same_columns() -> None:
    assert_frame_equal(
        analysis.weighted_pipeline(EMPTY, as_of=DAY),
        analysis.weighted_pipeline(deals(stage=[10]), as_of=DAY).clear(),
    )


def test_a_missing_column_is_named() -> None:
    with pytest.raises(UsageError, match="no column expected_close_date"):
        analysis.weighted_pipeline(EMPTY.drop("expected_close_date"), as_of=DAY)


QUARTER = {"since": date(2026, 1, 1), "until": date(2026, 4, 1)}


def test_coverage_is_the_open_amount_per_what_is_missing() -> None:
    frame = deals(
        status=["won", "won", "won", "pending", "lost"],
        close_date=[date(2026, 1, 1), date(2026, 3, 31), date(2026, 4, 1), None, date(2026, 2, 1)],
        amount=[10.0, 30.0, 500.0, 120.0, 70.0],
        currency=["EUR"] * 5,
    )

    found = analysis.coverage(frame, 100, **QUARTER)

    assert found.rows() == [("EUR", 100.0, 2, 1, 40.0, 60.0, 120.0, 2.0)]


def test_coverage_of_a_filled_quota_or_none_is_null() -> None:
    frame = deals(
        status=["won", "pending"],
        close_date=[date(2026, 1, 1), None],
        amount=[10.0, 5.0],
        currency=["EUR", "USD"],
    )

    found = analysis.coverage(frame, {"EUR": 10, "GBP": 50}, **QUARTER)

    columns = ("currency", "quota", "remaining", "open_amount", "coverage")
    assert found.select(columns).rows() == [
        ("EUR", 10.0, 0.0, 0.0, None),
        ("GBP", 50.0, 50.0, 0.0, 0.0),
        ("USD", None, None, 5.0, None),
    ]


@pytest.mark.parametrize(
    ("quota", "until", "message"),
    [
        (100, date(2026, 4, 1), "give a quota for each"),
        ({"EUR": 0}, date(2026, 4, 1), "more than 0"),
        ({"EUR": float("inf")}, date(2026, 4, 1), "more than 0"),
        ("100", date(2026, 4, 1), "give an amount"),
        ({"EUR": "100"}, date(2026, 4, 1), "give an amount"),
        ({978: 100}, date(2026, 4, 1), "name each currency"),
        ({"EUR": 1}, date(2026, 1, 1), "is not before"),
        ({"EUR": 1}, "soon", "until='soon' is not a date"),
        ({"EUR": 1}, None, "until must be a date"),
    ],
)
def test_a_quota_that_cannot_be_compared_is_refused(quota: Any, until: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        analysis.coverage(
            deals(currency=["EUR", "USD"]), quota, since=date(2026, 1, 1), until=until
        )


def test_the_coverage_of_no_deals_is_that_of_the_quota() -> None:
    assert analysis.coverage(EMPTY, 100, **QUARTER).rows() == [
        (None, 100.0, 0, 0, 0.0, 100.0, 0.0, 0.0)
    ]
