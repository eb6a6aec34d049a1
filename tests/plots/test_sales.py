"""Figures of the forecast, the stages, the cycle and the flow: what they hold and say."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest

from crmlab import plots
from crmlab.analysis.history import stage_history
from crmlab.schema import TABLES, conform

DAY = date(2026, 3, 10)
MILLION = 1_000_000
EMPTY, NO_STAGES = TABLES["deals"].empty(), TABLES["stages"].empty()
QUARTER = {"since": date(2026, 1, 1), "until": date(2026, 4, 1)}


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


def title(figure: go.Figure) -> str:
    return str(figure.layout.title.text)


def notes(figure: go.Figure) -> str:
    return str(figure.layout.title.subtitle.text).replace("<br>", "")


def axis_titles(figure: go.Figure) -> tuple[str | None, str | None]:
    return figure.layout.xaxis.title.text, figure.layout.yaxis.title.text


def history_of(*fetches: pl.DataFrame) -> pl.DataFrame:
    return stage_history(
        (date(2026, 1, 1) + timedelta(weeks=week), frame) for week, frame in enumerate(fetches)
    )


def fetched_twice(frame: pl.DataFrame) -> pl.DataFrame:
    before = frame.filter(pl.int_range(pl.len()) % 2 == 0).with_columns(
        status=pl.lit("pending"), stage=pl.lit(1)
    )
    return history_of(conform(before, TABLES["deals"]), frame)


DRAW: dict[str, Callable[[pl.DataFrame], go.Figure]] = {
    "win_rate": lambda frame: plots.win_rate(frame, by=["day", "owner_name"]),
    "weighted_pipeline": lambda frame: plots.weighted_pipeline(frame, as_of=DAY),
    "coverage": lambda frame: plots.coverage(
        frame, {"EUR": 1e6, "USD": 1e6, "GBP": 1e6}, **QUARTER
    ),
    "funnel": lambda frame: plots.funnel(fetched_twice(frame), NO_STAGES),
    "stage_durations": lambda frame: plots.stage_durations(fetched_twice(frame), NO_STAGES),
    "cycle_length": lambda frame: plots.cycle_length(frame, by="owner_name"),
    "sales_velocity": lambda frame: plots.sales_velocity(frame, as_of=DAY, by="owner_name"),
    "win_cohorts": lambda frame: plots.win_cohorts(frame, as_of=DAY),
    "ageing": lambda frame: plots.ageing(frame, as_of=DAY),
    "created_against_closed": plots.created_against_closed,
    "waterfall": lambda frame: plots.waterfall(frame.head(frame.height // 2), frame),
    "loss_reasons": plots.loss_reasons,
}


@pytest.mark.parametrize("name", DRAW)
def test_an_empty_table_says_in_words_that_there_is_nothing(name: str) -> None:
    figure = DRAW[name](EMPTY)

    words = figure.layout.annotations[0].text.replace("<br>", " ")
    assert words.startswith("Nothing to show: the ")
    assert words.endswith(" table is empty.")
    assert title(figure).endswith("(n = 0)")
    assert len(figure.data) == 0


@pytest.mark.parametrize("name", DRAW)
@pytest.mark.parametrize("status", ["pending", "won", "lost"])
def test_a_single_deal_is_a_figure_or_words(name: str, status: str) -> None:
    one = deals(id=["a"], status=[status], stage=[10])

    figure = DRAW[name](one)

    assert "(n = " in title(figure)
    assert figure.data or figure.layout.annotations[0].text.startswith("Nothing to show")


@pytest.fixture(scope="module")
def a_million_deals() -> pl.DataFrame:
    """Return as many owners, pipelines, stages, reasons and days as could ever be."""
    row = pl.int_range(MILLION)
    created = pl.lit(datetime(1990, 1, 1, tzinfo=UTC)) + pl.duration(minutes=row * 19)
    created = created.dt.cast_time_unit("us")
    columns = {
        "provider": pl.lit("onepagecrm"),
        "account": pl.lit("sales"),
        "id": row.cast(pl.String),
        "created_at": created,
        "owner_name": pl.format("Owner with quite a long name, number {}", row % 50_000),
        "pipeline_id": pl.format("pipeline {}", row % 50),
        "stage": row % 101,
        "status": pl.lit(pl.Series(["pending", "won", "lost"])).gather(row % 3),
        "amount": (row % 977).cast(pl.Float64),
        "currency": pl.lit(pl.Series(["EUR", "USD", "GBP", None])).gather(row % 4),
        "close_date": created.dt.date() + pl.duration(days=row % 365),
        "expected_close_date": created.dt.date() + pl.duration(days=row % 20_000),
        "lost_reason_id": pl.format("reason {}", row % 5_000),
    }
    return conform(pl.select(part.alias(name) for name, part in columns.items()), TABLES["deals"])


@pytest.mark.parametrize("name", DRAW)
def test_a_million_deals_stay_below_one_megabyte(name: str, a_million_deals: pl.DataFrame) -> None:
    figure = DRAW[name](a_million_deals)

    assert 1_000 < len(figure.to_json()) < 1_000_000


@pytest.mark.parametrize("name", DRAW)
def test_drawing_changes_nothing_in_the_frame(name: str) -> None:
    frame = deals(
        id=["a", "b"],
        status=["won", "pending"],
        amount=[1.0, 2.0],
        close_date=[DAY, None],
        stage=[10, 20],
    )
    before = frame.clone()

    DRAW[name](frame)

    assert frame.equals(before)
    assert frame.schema == before.schema


def test_the_win_rate_over_time_has_a_gap_where_none_closed() -> None:
    frame = deals(
        status=["won", "lost", "won", "won"],
        close_date=[date(2026, 1, 5), date(2026, 1, 31), date(2026, 3, 1), None],
    )

    figure = plots.win_rate(frame, by="month")

    (line,) = figure.data
    assert line.x == (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))
    assert line.y == (0.5, None, 1.0)
    assert line.customdata == ("1 of 2", "0 of 0", "1 of 1")
    assert title(figure) == "Win rate, for each month (n = 3 closed deals)"
    assert "1 closed deal without a close date not shown" in notes(figure)
    assert axis_titles(figure) == ("Month", "Won, % of closed deals")


def test_the_win_rate_over_time_has_a_line_for_each_of_the_largest_groups() -> None:
    owners = [k for k in range(10) for _ in range(k + 1)]
    frame = deals(
        status=["won"] * len(owners),
        owner_name=[f"owner {k}" for k in owners],
        close_date=[DAY] * len(owners),
    )

    figure = plots.win_rate(frame, by=["owner_name", "quarter"])

    assert [line.name for line in figure.data] == [f"owner {k}" for k in range(9, 1, -1)]
    assert "2 groups with fewer closed deals not shown" in notes(figure)
    assert title(figure).endswith("(n = 52 closed deals)")


def test_the_forecast_has_all_months_between_and_sums_what_is_far_off() -> None:
    days = [
        date(2026, 3, 1),
        date(2026, 4, 1),
        date(2026, 6, 1),
        date(2029, 1, 1),
        date(2030, 1, 1),
        None,
    ]
    frame = deals(
        status=["pending"] * 6,
        stage_probability=[0.5] * 6,
        amount=[1.0, 2.0, 4.0, 8.0, 16.0, 32.0],
        expected_close_date=days,
    )

    figure = plots.weighted_pipeline(frame, as_of=DAY)

    raw, weighted = figure.data
    assert raw.x == ("overdue", "Apr 2026", "Jun 2026", "after Mar 2028", "no date")
    assert raw.y == (1.0, 2.0, 4.0, 24.0, 32.0)
    assert weighted.y == (0.5, 1.0, 2.0, 12.0, 16.0)
    order = figure.layout.xaxis.categoryarray
    assert order[:4] == ("overdue", "Apr 2026", "May 2026", "Jun 2026")
    assert len(order) == 27
    assert title(figure) == "Open amount by expected month (n = 6 open deals)"
    assert notes(figure) == "Weighted: amount x probability of its stage, from service"


def test_the_forecast_has_a_panel_for_each_currency() -> None:
    frame = deals(
        status=["pending"] * 3,
        stage_probability=[0.5] * 3,
        amount=[1.0] * 3,
        currency=["USD", "USD", "EUR"],
    )

    figure = plots.weighted_pipeline(frame, as_of=DAY)

    assert (figure.layout.yaxis.title.text, figure.layout.yaxis2.title.text) == (
        "Amount (USD)",
        "Amount (EUR)",
    )
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    assert [(bar.yaxis, bar.name, bar.showlegend) for bar in figure.data] == [
        ("y", "all", True),
        ("y", "weighted", True),
        ("y2", "all", False),
        ("y2", "weighted", False),
    ]


def test_the_coverage_is_said_and_drawn_in_shares_of_the_quota() -> None:
    frame = deals(
        status=["won", "pending"],
        amount=[40.0, 180.0],
        currency=["EUR"] * 2,
        close_date=[date(2026, 1, 9), None],
    )

    figure = plots.coverage(frame, 100, **QUARTER)

    won, still_open = figure.data
    assert (won.x, still_open.x) == ((0.4,), (1.8,))
    assert won.text == ("40 EUR<br>1 deal",)
    assert notes(figure) == "coverage 3.0 = open / (quota - won). 1 won in this time and 1 open"
    assert figure.layout.shapes[0].x0 == 1


def test_the_funnel_ends_with_the_won_deals() -> None:
    def fetched(*places: tuple[int, str]) -> pl.DataFrame:
        return deals(
            id=list("abcd"),
            stage=[stage for stage, _ in places],
            status=[status for _, status in places],
        )

    history = history_of(
        fetched(*[(10, "pending")] * 4),
        fetched((50, "pending"), (50, "pending"), (10, "lost"), (10, "pending")),
        fetched((50, "won"), (50, "pending"), (10, "lost"), (10, "pending")),
    )

    figure = plots.funnel(history, NO_STAGES)

    (bars,) = figure.data
    assert bars.y == ("stage 10", "stage 50", "Won")
    assert bars.x == (4, 2, 1)
    assert bars.text[1:] == (
        "2 deals<br>50% of the stage before",
        "1 deal<br>50% of the stage before",
    )
    assert title(figure) == "Deals that reached each stage (n = 4 deals)"
    assert len(set(bars.marker.color)) == 2


def test_the_funnel_shows_whole_pipelines_only() -> None:
    def fetched(status: str) -> pl.DataFrame:
        places = [(f"p{pipe}", stage) for pipe in range(4) for stage in range(1, 9 + pipe)]
        columns = {"id": [str(k) for k in range(len(places))], "status": [status] * len(places)}
        return deals(**columns, stage=[stage for _, stage in places]).with_columns(
            pipeline_id=pl.Series([pipe for pipe, _ in places])
        )

    figure = plots.funnel(history_of(fetched("pending"), fetched("lost")), NO_STAGES)

    assert len(figure.data[0].y) == 12
    assert "3 smaller pipelines not shown" in notes(figure)


def test_a_stage_that_not_half_have_left_says_so() -> None:
    one = deals(id=["a"], stage=[10], status=["pending"])
    two = deals(id=["a", "b"], stage=[10, 20], status=["pending"] * 2)

    figure = plots.stage_durations(history_of(one, two, two), NO_STAGES)

    assert figure.data[0].text == (
        "no stay<br>0 of 0 stays ended",
        "not half have left<br>0 of 1 stay ended",
    )
    assert "1 stay under way at the first fetch left out" in notes(figure)
    assert axis_titles(figure)[0] == "Days (median)"


def test_the_cycle_shows_the_slowest_first_and_months_in_order() -> None:
    frame = deals(
        status=["won"] * 3,
        owner_name=["Ann", "Bo", "Bo"],
        created_at=[datetime(2026, 1, 1, tzinfo=UTC)] * 3,
        close_date=[date(2026, 1, 3), date(2026, 1, 11), date(2026, 2, 10)],
    )

    by_owner, by_month = (
        plots.cycle_length(frame, by="owner_name"),
        plots.cycle_length(frame, by="month"),
    )

    assert by_owner.data[0].y == ("Bo", "Ann")
    assert by_owner.data[0].text[1] == "median 2 d, mean 2 d<br>9 of 10 in 2 d, 1 deal"
    assert by_month.data[0].y == ("2026-01-01", "2026-02-01")
    assert title(by_owner) == "Days from creating to winning (n = 3 won deals)"


def test_the_velocity_shows_the_four_numbers_that_make_it() -> None:
    frame = deals(
        status=["pending"] * 40 + ["won"] + ["lost"] * 3,
        amount=[25_000.0] * 44,
        currency=["EUR"] * 44,
        created_at=[datetime(2026, 1, 1, tzinfo=UTC)] * 44,
        close_date=[None] * 40 + [date(2026, 4, 1)] * 4,
    )

    figure = plots.sales_velocity(frame, as_of=date(2026, 4, 1))

    (bars,) = figure.data
    assert bars.text == ("2,778 EUR per day<br>40 x 25,000 x 25% / 90 d",)
    assert axis_titles(figure)[0] == "Amount per day (EUR)"
    assert title(figure) == "Sales velocity (n = 40 open deals)"


def test_cohorts_leave_blank_what_is_not_over() -> None:
    frame = deals(
        status=["won", "pending", "pending"],
        created_at=[datetime(2026, month, 1, tzinfo=UTC) for month in (1, 1, 2)],
        close_date=[date(2026, 2, 1), None, None],
    )

    figure = plots.win_cohorts(frame, as_of=DAY)

    (heat,) = figure.data
    assert heat.y == ("Jan 2026 (2)", "Feb 2026 (1)")
    assert [list(row) for row in heat.z] == [[0.0, 0.5], [0.0, None]]
    assert axis_titles(figure) == ("Calendar months after creating", "Created (deals)")


def test_open_deals_are_stacked_by_age_and_stuck_ones_stand_out() -> None:
    frame = deals(
        id=list("abc"),
        status=["pending"] * 3,
        created_at=[datetime(2026, 3, 1, tzinfo=UTC), datetime(2025, 3, 1, tzinfo=UTC), None],
    )

    figure = plots.ageing(frame, as_of=DAY, stuck_after=90)

    assert [(bar.name, sum(bar.y)) for bar in figure.data] == [("not stuck", 1), ("stuck", 1)]
    assert figure.data[1].y[figure.data[1].x.index("over 365")] == 1
    assert (
        notes(figure)
        == "Days since creating; stuck: more than given (90 days). Left out: 1 without an age"
    )


def test_the_waterfall_leaves_out_steps_that_no_deal_took() -> None:
    start = deals(id=["a", "b"], status=["pending"] * 2, amount=[100.0, 50.0], currency=["EUR"] * 2)
    end = deals(
        id=["a", "b"], status=["won", "pending"], amount=[120.0, 50.0], currency=["EUR"] * 2
    )

    figure = plots.waterfall(start, end)

    (steps,) = figure.data
    assert steps.x == ("start", "up", "won", "end")
    assert steps.y == (150.0, 20.0, -120.0, 50.0)
    assert steps.measure == ("absolute", "relative", "relative", "total")
    assert title(figure) == "Open amount between two fetches (n = 2 open, then 1)"
    assert figure.layout.yaxis.title.text == "Amount (EUR)"


def test_created_deals_are_a_line_over_the_closed_ones() -> None:
    frame = deals(
        status=["won", "lost"],
        created_at=[datetime(2026, 1, 1, tzinfo=UTC), None],
        close_date=[date(2026, 2, 1), date(2026, 2, 2)],
    )

    figure = plots.created_against_closed(frame)

    assert {trace.name: trace.y for trace in figure.data} == {
        "won": (0, 1),
        "lost": (0, 1),
        "created": (1, 0),
    }
    assert "1 date not known" in notes(figure)


def test_reasons_of_two_currencies_are_one_bar_with_both_amounts() -> None:
    frame = deals(
        status=["lost"] * 3,
        lost_reason_id=["1", "1", None],
        amount=[10.0, 20.0, 5.0],
        currency=["EUR", "USD", "EUR"],
    )

    figure = plots.loss_reasons(frame, names={"1": "Too <dear>"})

    (bars,) = figure.data
    assert bars.y == ("Too &lt;dear&gt;", "(no reason)")
    assert bars.text == ("67%, 2 deals<br>10 EUR and 20 USD", "33%, 1 deal<br>5 EUR")
    assert title(figure) == "Why deals are lost (n = 3 lost deals)"
