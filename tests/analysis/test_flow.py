"""What came and went, against answers worked out by hand, and a waterfall that always closes."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab import analysis
from crmlab.analysis import flow
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform

EMPTY = TABLES["deals"].empty()


def deals(**columns: list[Any]) -> pl.DataFrame:
    rows = len(next(iter(columns.values())))
    head = {"provider": ["onepagecrm"] * rows, "account": ["sales"] * rows}
    times = {"created_at": pl.Datetime("us", "UTC")} if "created_at" in columns else {}
    return conform(
        pl.DataFrame(head | columns, schema_overrides=times, strict=False), TABLES["deals"]
    )


def test_created_and_closed_are_counted_in_their_own_months_and_no_month_is_missing() -> None:
    frame = deals(
        status=["won", "lost", "pending", "won"],
        created_at=[
            datetime(2026, 1, 31, 23, 30, tzinfo=UTC),
            *[datetime(2026, 1, 1, tzinfo=UTC)] * 2,
            None,
        ],
        close_date=[date(2026, 4, 1), date(2026, 1, 31), None, None],
    )

    found = analysis.created_against_closed(frame)
    in_berlin = analysis.created_against_closed(frame, time_zone="Europe/Berlin")

    assert found.rows() == [
        (date(2026, 1, 1), 3, 0, 1, 2),
        (date(2026, 2, 1), 0, 0, 0, 0),
        (date(2026, 3, 1), 0, 0, 0, 0),
        (date(2026, 4, 1), 0, 1, 0, -1),
        (None, 1, 1, 0, 0),
    ]
    assert in_berlin["created"].to_list() == [2, 1, 0, 0, 1]
    assert analysis.created_against_closed(EMPTY).is_empty()


def taken(found: pl.DataFrame) -> dict[str, tuple[int, float]]:
    return {step: (count, amount) for step, count, amount in found.rows() if count}


def test_a_deal_won_at_another_amount_went_up_or_down_first_and_a_lost_one_did_not() -> None:
    start = deals(id=["a", "b"], status=["pending"] * 2, amount=[100.0, 50.0])
    end = deals(id=["a", "b"], status=["won", "lost"], amount=[120.0, 0.0])

    assert taken(analysis.waterfall(start, end)) == {
        "start": (2, 150.0),
        "up": (1, 20.0),
        "won": (1, -120.0),
        "lost": (1, -50.0),
    }


def test_new_gone_and_reopened_deals_are_steps_of_their_own() -> None:
    start = deals(
        id=["a", "b", "c"], status=["pending", "lost", "archived"], amount=[1.0, 2.0, 4.0]
    )
    end = deals(
        id=["b", "c", "d", "e"],
        status=["pending", "pending", "won", "archived"],
        amount=[8.0, 16.0, 32.0, 64.0],
    )

    assert taken(analysis.waterfall(start, end)) == {
        "start": (1, 1.0),
        "new": (1, 32.0),
        "reopened": (2, 24.0),
        "won": (1, -32.0),
        "gone": (1, -1.0),
        "end": (2, 24.0),
    }


def test_a_deal_that_changes_its_currency_leaves_one_and_enters_the_other() -> None:
    start = deals(id=["a"], status=["pending"], amount=[5.0], currency=["EUR"])
    end = deals(id=["a"], status=["pending"], amount=[6.0], currency=["USD"])

    found = analysis.waterfall(start, end).filter(pl.col("deals") > 0)

    assert found.select("currency", "step", "amount").rows() == [
        ("EUR", "start", 5.0),
        ("EUR", "gone", -5.0),
        ("USD", "new", 6.0),
        ("USD", "end", 6.0),
    ]


_SNAPSHOT = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(
        st.sampled_from(["pending", "won", "lost", None, "archived"]),
        st.none() | st.integers(0, 10**9).map(float),
        st.sampled_from(["EUR", "USD", None]),
    ),
)


@given(_SNAPSHOT, _SNAPSHOT)
def test_the_waterfall_closes_in_every_currency(before: Any, after: Any) -> None:
    start, end = (
        deals(id=list(fetch), **dict(zip(("status", "amount", "currency"), columns, strict=True)))
        if (columns := [list(column) for column in zip(*fetch.values(), strict=True)])
        else EMPTY
        for fetch in (before, after)
    )

    found = analysis.waterfall(start, end)

    steps = found.height // len(flow.STEPS)
    assert found["step"].to_list() == list(flow.STEPS) * steps
    for part in found.iter_slices(len(flow.STEPS)):
        amounts = dict(part.select("step", "amount").iter_rows())
        counts = dict(part.select("step", "deals").iter_rows())
        assert sum(amounts.values()) - amounts["end"] == pytest.approx(amounts["end"], abs=1e-6)
        came = counts["start"] + counts["new"] + counts["reopened"]
        assert came - counts["won"] - counts["lost"] - counts["gone"] == counts["end"]
    for frame, step in ((start, "start"), (end, "end")):
        is_open = frame.filter(pl.col("status") == "pending")
        rows = found.filter(pl.col("step") == step)
        assert (rows["deals"].sum(), rows["amount"].sum()) == (
            is_open.height,
            is_open["amount"].sum(),
        )


def test_a_waterfall_of_nothing_is_nine_zeros() -> None:
    assert analysis.waterfall(EMPTY, EMPTY).rows() == [(step, 0, 0.0) for step in flow.STEPS]
    with pytest.raises(UsageError, match="no column currency"):
        analysis.waterfall(EMPTY, EMPTY.drop("currency"))


def test_reasons_are_shares_of_all_lost_deals_of_the_group() -> None:
    frame = deals(
        owner_name=["Ann", "Ann", "Ann", "Bo", "Bo"],
        status=["lost", "lost", "lost", "lost", "won"],
        lost_reason_id=["1", "2", "1", None, "1"],
        amount=[1.0, 2.0, 4.0, 8.0, 16.0],
    )

    found = analysis.loss_reasons(frame, by="owner_name", names={"1": "Price"})

    assert found.rows() == [
        ("Ann", "Price", 2, 3, 2 / 3, 5.0),
        ("Ann", "2", 1, 3, 1 / 3, 2.0),
        ("Bo", None, 1, 1, 1.0, 8.0),
    ]
    assert analysis.loss_reasons(EMPTY).is_empty()
    named = analysis.loss_reasons(
        frame.with_columns(lost_reason=pl.lit("as the service says")), names={"1": "Price"}
    )
    assert named["reason"].to_list() == ["Price", "as the service says"]
    assert analysis.loss_reasons(frame.drop("lost_reason"))["lost"].sum() == 4


def test_lost_amounts_of_two_currencies_are_not_added() -> None:
    frame = deals(
        status=["lost", "lost"],
        lost_reason_id=["1", "1"],
        amount=[1.0, 2.0],
        currency=["USD", "EUR"],
    )

    found = analysis.loss_reasons(frame)

    assert found.select("currency", "reason", "lost_amount").rows() == [
        ("EUR", "1", 2.0),
        ("USD", "1", 1.0),
    ]
