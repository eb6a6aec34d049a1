"""Length, velocity, cohorts and age of deals, against answers worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab import analysis
from crmlab.analysis.age import ageing
from crmlab.analysis.history import stage_history
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform

EMPTY = TABLES["deals"].empty()


def at(*day: int) -> datetime:
    return datetime(*day, tzinfo=UTC)  # type: ignore[misc,arg-type]


def deals(**columns: list[Any]) -> pl.DataFrame:
    rows = len(next(iter(columns.values())))
    head = {
        "provider": ["onepagecrm"] * rows,
        "account": ["sales"] * rows,
        "pipeline_id": ["p"] * rows,
    }
    times = {"created_at": pl.Datetime("us", "UTC")} if "created_at" in columns else {}
    return conform(
        pl.DataFrame(head | columns, schema_overrides=times, strict=False), TABLES["deals"]
    )


def test_the_cycle_is_that_of_won_deals_across_a_leap_day() -> None:
    frame = deals(
        status=["won", "won", "lost", "pending"],
        created_at=[at(2028, 2, 28), at(2028, 2, 28)] * 2,
        close_date=[date(2028, 3, 1), date(2028, 3, 11), date(2028, 2, 28), None],
    )

    found = analysis.cycle_length(frame)

    assert found.row(0) == pytest.approx((2, 0, 7.0, 7.0, 11.0))


def test_the_day_of_creation_is_that_of_the_time_zone() -> None:
    # 23:30 in UTC is the next day in Berlin, on which it was won
    frame = deals(
        status=["won"], created_at=[at(2026, 3, 28, 23, 30)], close_date=[date(2026, 3, 29)]
    )

    assert analysis.cycle_length(frame, time_zone="Europe/Berlin")["mean_days"].item() == 0
    assert analysis.cycle_length(frame)["mean_days"].item() == 1
    with pytest.raises(UsageError, match="time zone database"):
        analysis.cycle_length(frame, time_zone="Berlin")


def test_deals_closed_before_they_were_created_are_left_out_and_counted() -> None:
    frame = deals(
        status=["won"] * 3,
        owner_name=["Ann", "Ann", "Bo"],
        created_at=[at(2026, 1, 1), at(2026, 5, 1), None],
        close_date=[date(2026, 1, 5), date(2026, 1, 5), date(2026, 1, 5)],
    )

    found = analysis.cycle_length(frame, by="owner_name")

    assert found.rows() == [("Ann", 2, 1, 4.0, 4.0, 4.0), ("Bo", 1, 1, None, None, None)]
    assert analysis.cycle_length(frame, by="month")["month"].to_list() == [date(2026, 1, 1)]


def vector(**columns: list[Any]) -> pl.DataFrame:
    """Return the published example: 40 open, 25,000 mean, 25 % won, 90 days."""
    closed = [date(2026, 4, 1)] * 4
    base = {
        "status": ["pending"] * 40 + ["won"] + ["lost"] * 3,
        "amount": [1.0] * 40 + [25_000.0] * 4,
        "created_at": [at(2026, 1, 1)] * 44,
        "close_date": [None] * 40 + closed,
    }
    return deals(**(base | columns))


def test_the_published_example_of_sales_velocity() -> None:
    found = analysis.sales_velocity(vector(), as_of=date(2026, 4, 1))

    assert round(found["velocity_per_day"].item(), 2) == 2777.78
    assert found.row(0)[:6] == (40, 1, 3, 0.25, 25_000.0, 90.0)


def test_velocity_counts_what_was_open_then_or_was_worked_on() -> None:
    before = analysis.sales_velocity(vector(), as_of=date(2026, 3, 31))
    worked = analysis.sales_velocity(vector(), as_of=date(2026, 4, 1), opportunities="worked")
    long_after = analysis.sales_velocity(vector(), as_of=date(2026, 6, 1), days=30)

    assert before.row(0) == (44, 0, 0, None, None, None, None)
    assert worked["opportunities"].item() == 44
    assert long_after.select("opportunities", "won", "velocity_per_day").row(0) == (40, 0, None)
    assert analysis.sales_velocity(vector(), as_of=date(2025, 12, 31))["opportunities"].item() == 0


def test_velocity_keeps_currencies_apart() -> None:
    found = analysis.sales_velocity(
        vector(currency=["EUR"] * 20 + ["USD"] * 20 + ["EUR"] * 4), as_of=date(2026, 4, 1)
    )

    assert found.select("currency", "opportunities", "won").rows() == [
        ("EUR", 20, 1),
        ("USD", 20, 0),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": 0},
        {"opportunities": "all"},
        {"by": "team"},
        {"as_of": "soon"},
        {"as_of": datetime(2026, 1, 1)},  # noqa: DTZ001
    ],
)
def test_a_velocity_that_cannot_be_asked_for_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        analysis.sales_velocity(vector(), **({"as_of": date(2026, 4, 1)} | wrong))


def test_cohorts_accumulate_and_hide_months_that_are_not_over() -> None:
    frame = deals(
        status=["won", "won", "lost", "won", "pending"],
        created_at=[
            at(2026, 1, 31),
            at(2026, 1, 1),
            at(2026, 1, 9),
            at(2026, 2, 1),
            at(2026, 3, 5),
        ],
        close_date=[date(2026, 2, 1), date(2025, 12, 1), date(2026, 1, 10), date(2026, 3, 2), None],
    )

    found = analysis.win_cohorts(frame, as_of=date(2026, 3, 31))

    assert found.select("created_month", "created", "months", "won", "win_share").rows() == [
        (date(2026, 1, 1), 3, 0, 1, 1 / 3),
        (date(2026, 1, 1), 3, 1, 2, 2 / 3),
        (date(2026, 2, 1), 1, 0, 0, 0.0),
    ]


def test_the_last_month_is_over_on_the_first_of_the_next() -> None:
    frame = deals(status=["won"], created_at=[at(2026, 3, 1)], close_date=[date(2026, 3, 2)])

    assert analysis.win_cohorts(frame, as_of=date(2026, 3, 31)).is_empty()
    assert analysis.win_cohorts(frame, as_of=date(2026, 4, 1))["won"].to_list() == [1]
    # in New York it is still March, and the deal was created in February
    assert analysis.win_cohorts(
        frame, as_of=at(2026, 4, 1), time_zone="America/New_York"
    ).rows() == [(date(2026, 2, 1), 1, 0, 0, 0.0)]


@given(
    st.lists(
        st.tuples(
            st.dates(date(2025, 1, 1), date(2026, 6, 1)),
            st.integers(-40, 600),
            st.sampled_from(["won", "pending"]),
        ),
        max_size=30,
    )
)
def test_a_cohort_never_loses_a_win_nor_wins_more_than_it_has(rows: Any) -> None:
    frame = deals(
        status=[status for *_, status in rows],
        created_at=[at(day.year, day.month, day.day) for day, *_ in rows],
        close_date=[
            day + timedelta(days=length) if status == "won" else None
            for day, length, status in rows
        ],
    )

    found = analysis.win_cohorts(frame, as_of=date(2026, 6, 15))

    assert found["win_share"].is_between(0, 1).all()
    for _, cohort in found.group_by("created_month", maintain_order=True):
        assert cohort["won"].is_sorted()
        assert cohort["months"].to_list() == list(range(cohort.height))


def test_open_deals_are_stuck_when_older_than_nine_of_ten_won_ones() -> None:
    won = 10
    frame = deals(
        id=[f"w{k}" for k in range(won)] + ["old", "new", "unknown", "later"],
        status=["won"] * won + ["pending"] * 4,
        created_at=[at(2026, 1, 1)] * won + [at(2026, 1, 1), at(2026, 2, 26), None, at(2026, 4, 1)],
        close_date=[date(2026, 1, 1) + timedelta(days=day) for day in range(1, won + 1)]
        + [None] * 4,
    )

    found = ageing(frame, as_of=date(2026, 3, 1))

    # the 0.9 quantile of 1..10 lies at 9.1
    assert found.select("id", "age_days", "stuck").rows() == [
        ("old", 59.0, True),
        ("new", 3.0, False),
        ("unknown", None, None),
    ]
    assert found["limit_days"].unique().to_list() == [pytest.approx(9.1)]
    assert ageing(frame, as_of=date(2026, 3, 1), stuck_after=2)["stuck"].to_list() == [
        True,
        True,
        None,
    ]


def test_the_deals_of_another_account_say_nothing_of_what_is_stuck() -> None:
    frame = deals(
        account=["fast", "fast", "slow", "slow", "new"],
        id=["1", "2", "1", "2", "1"],
        status=["won", "pending", "won", "pending", "pending"],
        created_at=[at(2026, 1, 1)] * 5,
        close_date=[date(2026, 1, 11), None, date(2026, 3, 2), None, None],
    )

    found = ageing(frame, as_of=date(2026, 2, 1))

    # 10 days in the one; the other had won nothing by then, nor had the third
    assert found.select("account", "limit_days", "stuck").rows() == [
        ("fast", 10.0, True),
        ("new", None, None),
        ("slow", None, None),
    ]


def test_without_won_deals_nobody_knows_what_is_stuck() -> None:
    found = ageing(
        deals(id=["a"], status=["pending"], created_at=[at(2026, 1, 1)]), as_of=date(2026, 1, 3)
    )

    assert found.select("age_days", "limit_days", "stuck").row(0) == (2.0, None, None)
    assert ageing(EMPTY, as_of=date(2026, 1, 3)).is_empty()
    with pytest.raises(UsageError, match="0 or more"):
        ageing(EMPTY, as_of=date(2026, 1, 3), stuck_after=-1)


def test_with_a_history_the_age_is_that_in_the_stage() -> None:
    created = [at(2025, 1, 1)] * 2
    first = deals(id=["a", "b"], stage=[10, 10], status=["pending"] * 2, created_at=created)
    then = deals(id=["a", "b"], stage=[20, 10], status=["pending"] * 2, created_at=created)
    now = pl.concat(
        [then, deals(id=["c"], stage=[20], status=["pending"], created_at=[at(2026, 1, 20)])]
    )
    history = stage_history([(at(2026, 1, 1), first), (at(2026, 1, 11), then)])

    found = ageing(now, as_of=at(2026, 1, 31), history=history, stuck_after=25)

    # b was there already at the first fetch; c is in no fetch of the history
    assert found.select("id", "since", "age_days", "stuck").rows() == [
        ("b", "first fetch", 30.0, True),
        ("a", "stage", 20.0, False),
        ("c", None, None, None),
    ]
    assert ageing(now, as_of=at(2026, 1, 31), history=history)["limit_days"].to_list() == [None] * 3
