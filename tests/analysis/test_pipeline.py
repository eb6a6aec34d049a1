"""Won, lost and open deals, against answers worked out by hand."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crmlab import analysis
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform

RATES = {
    "won": pl.Int64,
    "lost": pl.Int64,
    "win_rate": pl.Float64,
    "won_amount": pl.Float64,
    "lost_amount": pl.Float64,
    "win_rate_by_amount": pl.Float64,
}


def deals(**columns: list[Any]) -> pl.DataFrame:
    rows = len(next(iter(columns.values())))
    head = {
        "provider": ["onepagecrm"] * rows,
        "account": ["sales"] * rows,
        "pipeline_id": ["p"] * rows,
    }
    return conform(pl.DataFrame(head | columns, strict=False), TABLES["deals"])


def stages(*rows: tuple[str, str, int, str], account: str = "sales") -> pl.DataFrame:
    names = ("pipeline_id", "pipeline_name", "stage", "label")
    frame = pl.DataFrame(rows, schema=names, orient="row")
    frame = frame.with_columns(provider=pl.lit("onepagecrm"), account=pl.lit(account))
    return conform(frame, TABLES["stages"])


def test_open_deals_are_in_neither_part_of_the_win_rate() -> None:
    frame = deals(
        status=["won", "won", "won", "lost", "pending"], amount=[10.0, 20.0, 30.0, 40.0, 1e6]
    )

    found = analysis.win_rate(frame)

    assert_frame_equal(
        found, pl.DataFrame([(3, 1, 0.75, 60.0, 40.0, 0.6)], schema=RATES, orient="row")
    )


def test_the_total_amount_counts_before_the_monthly_amount() -> None:
    frame = deals(
        status=["won", "won", "lost"], amount=[10.0, 10.0, 30.0], total_amount=[120.0, None, None]
    )

    found = analysis.win_rate(frame)

    assert found.select("won_amount", "lost_amount").row(0) == (130.0, 30.0)


@pytest.mark.parametrize("no_amount", [float("nan"), float("inf"), None])
def test_what_is_no_amount_swallows_no_sum(no_amount: float | None) -> None:
    frame = deals(
        status=["won", "won", "lost"], amount=[30.0, no_amount, 10.0], total_amount=[no_amount] * 3
    )

    found = analysis.win_rate(frame)

    # the deal is won all the same
    assert found.row(0) == (2, 1, 2 / 3, 30.0, 10.0, 0.75)


@pytest.mark.parametrize(("won", "lost"), [(100.0, -50.0), (-50.0, 100.0), (-10.0, -30.0)])
def test_a_negative_amount_makes_no_rate(won: float, lost: float) -> None:
    found = analysis.win_rate(deals(status=["won", "lost"], amount=[won, lost]))

    assert found.select("won_amount", "lost_amount", "win_rate_by_amount").row(0) == (
        won,
        lost,
        None,
    )


def test_a_rate_of_nothing_is_null_and_not_zero() -> None:
    frame = deals(owner_name=["Ann", "Bo"], status=["pending", "lost"], amount=[5.0, 0.0])

    found = analysis.win_rate(frame, by="owner_name")

    rows = [("Ann", 0, 0, None, 0.0, 0.0, None), ("Bo", 0, 1, 0.0, 0.0, 0.0, None)]
    assert_frame_equal(
        found, pl.DataFrame(rows, schema={"owner_name": pl.String, **RATES}, orient="row")
    )


def test_no_deals_at_all_are_one_row_without_a_group_and_none_with() -> None:
    empty = TABLES["deals"].empty()

    assert_frame_equal(
        analysis.win_rate(empty),
        pl.DataFrame([(0, 0, None, 0.0, 0.0, None)], schema=RATES, orient="row"),
    )
    assert_frame_equal(
        analysis.win_rate(empty, by="owner_name"),
        pl.DataFrame(schema={"owner_name": pl.String, **RATES}),
    )


def test_amounts_of_two_currencies_are_never_added() -> None:
    frame = deals(
        status=["won", "won", "lost", "won"],
        amount=[100.0, 1.0, 100.0, 7.0],
        currency=["EUR", "USD", "EUR", None],
    )

    found = analysis.win_rate(frame)

    rows = [
        ("EUR", 1, 1, 0.5, 100.0, 100.0, 0.5),
        ("USD", 1, 0, 1.0, 1.0, 0.0, 1.0),
        (None, 1, 0, 1.0, 7.0, 0.0, 1.0),
    ]
    assert_frame_equal(
        found, pl.DataFrame(rows, schema={"currency": pl.String, **RATES}, orient="row")
    )


def test_a_currency_that_only_open_deals_have_does_not_split_the_win_rate() -> None:
    frame = deals(
        status=["won", "lost", "pending"], amount=[1.0, 1.0, 1.0], currency=["EUR", None, "USD"]
    )

    found = analysis.win_rate(frame)

    assert found.select("won", "lost", "won_amount").rows() == [(1, 1, 1.0)]
    assert "currency" not in found.columns


def test_several_groups_and_the_currency_as_one_of_them() -> None:
    frame = deals(
        owner_name=["Ann", "Ann", None],
        stage=[10, 10, 10],
        status=["won", "lost", "won"],
        amount=[1.0, 2.0, 3.0],
        currency=["EUR", "USD", "USD"],
    )

    found = analysis.win_rate(frame, by=["owner_name", "currency"])

    assert found.columns[:3] == ["owner_name", "currency", "won"]
    assert found.select("owner_name", "currency", "won", "lost").rows() == [
        ("Ann", "EUR", 1, 0),
        ("Ann", "USD", 0, 1),
        (None, "USD", 1, 0),
    ]


def test_counts_above_the_range_of_32_bits_when_multiplied_stay_right() -> None:
    frame = deals(status=["won"] * 80_000 + ["lost"] * 80_000, amount=[1.0] * 160_000)

    found = analysis.win_rate(frame)

    assert found.select((pl.col("won") * pl.col("lost")).alias("product")).item() == 6_400_000_000
    assert found["win_rate"].item() == 0.5


def test_a_period_is_that_of_closing_and_holds_closed_deals_only() -> None:
    frame = deals(
        owner_name=["Ann", "Bo", "Bo", "Ann", "Ann"],
        status=["won", "lost", "won", "pending", "lost"],
        amount=[1.0, 2.0, 3.0, 4.0, 5.0],
        close_date=[date(2027, 12, 31), date(2028, 2, 29), date(2028, 3, 31), None, None],
    )

    by_quarter = analysis.win_rate(frame, by=["quarter", "owner_name"])

    assert by_quarter.schema["quarter"] == pl.Date
    assert by_quarter.select("quarter", "owner_name", "won", "lost", "win_rate").rows() == [
        (date(2027, 10, 1), "Ann", 1, 0, 1.0),
        (date(2028, 1, 1), "Bo", 1, 1, 0.5),
        (None, "Ann", 0, 1, 0.0),
    ]
    assert analysis.win_rate(frame, by="year")["year"].to_list() == [
        date(2027, 1, 1),
        date(2028, 1, 1),
        None,
    ]
    assert analysis.win_rate(frame, by="month")["won"].to_list() == [1, 0, 1, 0]


def test_a_column_called_like_a_period_is_the_column() -> None:
    frame = deals(status=["won", "pending"], amount=[1.0, 1.0]).with_columns(month=pl.lit("mine"))

    assert analysis.win_rate(frame, by="month").row(0)[:3] == ("mine", 1, 0)


def test_what_is_neither_column_nor_period_is_refused() -> None:
    with pytest.raises(UsageError, match="by='fortnight' is no column of deals"):
        analysis.win_rate(TABLES["deals"].empty(), by="fortnight")
    with pytest.raises(UsageError, match="no column status"):
        analysis.win_rate(TABLES["deals"].empty().drop("status"))


SNAPSHOT = {
    "pipeline_name": pl.String,
    "stage": pl.Int64,
    "label": pl.String,
    "deals": pl.Int64,
    "amount": pl.Float64,
}


def test_the_snapshot_has_every_stage_and_only_open_deals() -> None:
    frame = deals(
        stage=[10, 10, 50], status=["pending", "pending", "won"], amount=[1.0, None, 100.0]
    )

    found = analysis.pipeline_snapshot(
        frame, stages(("p", "Sales", 50, "Offer"), ("p", "Sales", 10, "Lead"))
    )

    rows = [("Sales", 10, "Lead", 2, 1.0), ("Sales", 50, "Offer", 0, 0.0)]
    assert_frame_equal(found, pl.DataFrame(rows, schema=SNAPSHOT, orient="row"))


def test_a_stage_that_vanished_keeps_its_deals_under_its_number() -> None:
    frame = deals(
        pipeline_id=["p", "p", "q", None],
        stage=[30, 40, 10, None],
        stage_label=[None, "Old name", None, None],
        status=["pending"] * 4,
        amount=[1.0, 2.0, 3.0, 4.0],
    )

    found = analysis.pipeline_snapshot(frame, stages(("p", "Sales", 10, "Lead")))

    rows = [
        ("Sales", 10, "Lead", 0, 0.0),
        ("Sales", 30, "stage 30", 1, 1.0),
        ("Sales", 40, "Old name", 1, 2.0),
        ("no pipeline", None, "no stage", 1, 4.0),
        ("pipeline q", 10, "stage 10", 1, 3.0),
    ]
    assert_frame_equal(found, pl.DataFrame(rows, schema=SNAPSHOT, orient="row"))


def test_pipelines_of_one_name_stay_apart() -> None:
    frame = deals(stage=[10], status=["pending"], amount=[1.0])
    both = pl.concat(
        [stages(("p", "Sales", 10, "Lead")), stages(("p", "Sales", 10, "Lead"), account="resale")]
    )

    found = analysis.pipeline_snapshot(frame, both)

    assert found.select("pipeline_name", "deals").rows() == [
        ("Sales (resale, p)", 0),
        ("Sales (sales, p)", 1),
    ]


def test_the_snapshot_of_two_currencies_has_a_row_for_each_in_each_stage() -> None:
    frame = deals(
        stage=[10, 10, 20],
        status=["pending"] * 3,
        amount=[1.0, 2.0, 3.0],
        currency=["EUR", "USD", "EUR"],
    )

    found = analysis.pipeline_snapshot(
        frame, stages(("p", "Sales", 10, "Lead"), ("p", "Sales", 20, "Offer"))
    )

    assert found.select("stage", "currency", "deals", "amount").rows() == [
        (10, "EUR", 1, 1.0),
        (10, "USD", 1, 2.0),
        (20, "EUR", 1, 3.0),
        (20, "USD", 0, 0.0),
    ]


def test_a_snapshot_of_nothing_is_empty() -> None:
    found = analysis.pipeline_snapshot(TABLES["deals"].empty(), TABLES["stages"].empty())

    assert_frame_equal(found, pl.DataFrame(schema=SNAPSHOT))


def test_closed_deals_are_counted_in_the_month_of_closing() -> None:
    frame = deals(
        status=["won", "lost", "won", "pending", "won"],
        amount=[1.0, 2.0, 4.0, 8.0, 16.0],
        close_date=[date(2026, 1, 31), date(2026, 1, 1), date(2026, 3, 1), date(2026, 1, 2), None],
    )

    found = analysis.closed_by_month(frame)

    rows = [(date(2026, 1, 1), 1, 1, 1.0), (date(2026, 3, 1), 1, 0, 4.0), (None, 1, 0, 16.0)]
    schema = {"month": pl.Date, "won": pl.Int64, "lost": pl.Int64, "won_amount": pl.Float64}
    assert_frame_equal(found, pl.DataFrame(rows, schema=schema, orient="row"))


def test_closed_by_month_keeps_currencies_apart() -> None:
    frame = deals(
        status=["won", "won"],
        amount=[1.0, 2.0],
        currency=["USD", "EUR"],
        close_date=[date(2026, 1, 1)] * 2,
    )

    found = analysis.closed_by_month(frame)

    assert found.select("currency", "won_amount").rows() == [("EUR", 2.0), ("USD", 1.0)]


@pytest.mark.parametrize("name", ["provider", "account", "status"])
def test_any_column_can_be_grouped_by(name: str) -> None:
    found = analysis.win_rate(deals(status=["won", "won"], amount=[1.0, 1.0]), by=name)

    assert found.select("won", "lost").rows() == [(2, 0)]


@pytest.mark.parametrize("amounts", [[-100.0, 10.0], [-1.0, -2.0], [10.0, -10.0], [10.0, -30.0]])
def test_a_rate_by_amount_is_null_or_within_nought_and_one_also_of_negative_amounts(
    amounts: list[float],
) -> None:
    deals = conform(pl.DataFrame({"status": ["won", "lost"], "amount": amounts}), TABLES["deals"])

    found = analysis.win_rate(deals)

    rate = found["win_rate_by_amount"].item()
    assert rate is None or 0 <= rate <= 1
    assert found.select("won_amount", "lost_amount").row(0) == tuple(amounts)


@pytest.mark.parametrize("nothing", [float("nan"), float("inf")])
def test_an_amount_that_is_no_number_swallows_no_sum(nothing: float) -> None:
    rows = {
        "status": ["won", "won", "pending", "pending"],
        "total_amount": [nothing, None, nothing, 5.0],
    }
    deals = conform(pl.DataFrame({**rows, "amount": [None, 7.0, 2.0, 5.0]}), TABLES["deals"])

    assert analysis.win_rate(deals)["won_amount"].item() == 7.0
    assert analysis.weighted_pipeline(deals, as_of="2026-01-01")["amount"].item() == 7.0
