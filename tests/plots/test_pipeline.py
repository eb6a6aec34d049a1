"""Figures of deals: what the bars hold and say."""

from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl

from crmlab import plots
from crmlab.schema.tables import TABLES, conform


def table(name: str, **columns: Any) -> pl.DataFrame:
    times = {key: pl.Datetime("us", "UTC") for key in columns if key.endswith("_at")}
    return conform(pl.DataFrame(columns, schema_overrides=times), TABLES[name])


def title(figure: go.Figure) -> str:
    return str(figure.layout.title.text)


def notes(figure: go.Figure) -> str:
    return str(figure.layout.title.subtitle.text).replace("<br>", "")


def axis_titles(figure: go.Figure) -> tuple[str | None, str | None]:
    return figure.layout.xaxis.title.text, figure.layout.yaxis.title.text


def test_the_win_rate_shows_what_it_was_made_of() -> None:
    deals = table(
        "deals",
        owner_name=["Ann", "Ann", "Ann", "Bo", "Cy"],
        status=["won", "lost", "won", "lost", "pending"],
    )

    figure = plots.win_rate(deals, by="owner_name")

    (bars,) = figure.data
    assert bars.y == ("Ann", "Bo")
    assert bars.x == (2 / 3, 0.0)
    assert bars.text == ("67%<br>2 of 3", "0%<br>0 of 1")
    assert axis_titles(figure) == ("Won, % of closed deals", None)
    assert title(figure) == "Win rate, for each owner (n = 4 closed deals)"
    assert "1 group without closed deals left out" in notes(figure)


def test_the_win_rate_of_all_deals_is_one_bar_whatever_the_currencies() -> None:
    deals = table("deals", status=["won", "lost"], currency=["EUR", "USD"], amount=[1.0, 1.0])

    (bars,) = plots.win_rate(deals).data

    assert (bars.y, bars.x) == (("All deals",), (0.5,))


def test_the_win_rate_by_amount_has_a_bar_for_each_currency() -> None:
    deals = table(
        "deals",
        owner_name=["Ann"] * 3,
        status=["won", "lost", "won"],
        currency=["EUR", "EUR", "USD"],
        amount=[30.0, 10.0, 5.0],
    )

    figure = plots.win_rate(deals, by="owner_name", measure="amount")

    (bars,) = figure.data
    assert dict(zip(bars.y, bars.x, strict=True)) == {"Ann · EUR": 0.75, "Ann · USD": 1.0}
    assert axis_titles(figure)[0] == "Won, % of closed amount"


def test_beyond_twenty_owners_the_rest_is_one_bar_and_the_title_says_so() -> None:
    # owner k has k closed deals, one of them won: the smallest are 1 to 11
    owners = [k for k in range(1, 31) for _ in range(k)]
    won = [place == 0 for k in range(1, 31) for place in range(k)]
    deals = table(
        "deals",
        owner_name=[f"owner {k}" for k in owners],
        status=["won" if is_won else "lost" for is_won in won],
    )

    figure = plots.win_rate(deals, by="owner_name")

    (bars,) = figure.data
    assert len(bars.y) == 20
    assert (bars.y[0], bars.y[-1]) == ("owner 30", "11 others")
    assert bars.text[-1] == "17%<br>11 of 66"
    assert "The smallest groups are summed as '11 others'" in notes(figure)


def test_others_of_two_currencies_are_two_bars() -> None:
    deals = table(
        "deals",
        owner_name=[f"owner {k}" for k in range(22)] * 2,
        status=["won"] * 44,
        currency=["EUR"] * 22 + ["USD"] * 22,
        amount=[1.0] * 44,
    )

    (bars,) = plots.win_rate(deals, by="owner_name", measure="amount").data

    assert bars.y[-2:] == ("3 others · EUR", "3 others · USD")
    assert bars.text[-2:] == ("100%<br>3 of 3", "100%<br>3 of 3")


def test_long_names_are_cut_to_two_lines_but_never_merged() -> None:
    names = ["Friedrich-Wilhelm von Hohenzollern-Sigmaringen der Ältere", "x" * 300]
    names.append(names[0] + " II")
    deals = table("deals", owner_name=names, status=["won"] * 3)

    figure = plots.win_rate(deals, by="owner_name")

    ticks = figure.layout.yaxis.ticktext
    assert len(figure.data[0].y) == 3
    assert figure.layout.yaxis.tickvals == figure.data[0].y
    assert all(tick.count("<br>") == 1 for tick in ticks)
    assert max(len(line) for tick in ticks for line in tick.split("<br>")) <= 18


def test_html_in_names_is_text_and_not_markup() -> None:
    name = "<script>alert('x')</script> & <a href='https://evil.example'>Ann</a>"
    deals = table("deals", owner_name=[name], status=["won"])

    figure = plots.win_rate(deals, by="owner_name")

    shown = figure.data[0].y[0]
    assert shown.startswith("&lt;script&gt;alert('x')&lt;/script&gt; &amp; &lt;a href=")
    assert "<script" not in figure.to_json()
    assert "<a" not in figure.to_json()


def test_characters_of_which_no_picture_can_be_made_are_left_out() -> None:
    deals = table("deals", owner_name=["A\x1b\x00nn\uffff"], status=["won"])

    assert plots.win_rate(deals, by="owner_name").data[0].y[0] == "Ann"


def test_names_that_look_like_numbers_or_dates_stay_names() -> None:
    deals = table("deals", owner_name=["2026-01-01", "7"], status=["won", "won"])

    figure = plots.win_rate(deals, by="owner_name")

    assert figure.layout.yaxis.type == "category"
    assert set(figure.data[0].y) == {"2026-01-01", "7"}


def sales(*stages: int, **columns: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    key = {"provider": "onepagecrm", "account": "sales", "pipeline_id": "p"}
    count = len(stages)
    deals = table(
        "deals",
        **{name: [value] * count for name, value in key.items()},
        stage=list(stages),
        status=["pending"] * count,
        **columns,
    )
    labels = {10: "Lead", 20: "Offer", 30: "Contract"}
    named = table(
        "stages",
        **{name: [value] * 3 for name, value in key.items()},
        pipeline_name=["Sales"] * 3,
        stage=list(labels),
        label=list(labels.values()),
    )
    return deals, named


def test_the_snapshot_keeps_the_order_of_the_stages() -> None:
    deals, stages = sales(30, 10, 10, amount=[5.0, 1.0, 2.0], currency=["EUR"] * 3)

    figure = plots.pipeline_snapshot(deals, stages)

    (bars,) = figure.data
    assert bars.y == ("Lead", "Offer", "Contract")
    assert bars.x == (3.0, 0.0, 5.0)
    assert bars.text == ("2 deals<br>3 EUR", "0 deals<br>0 EUR", "1 deal<br>5 EUR")
    assert figure.layout.yaxis.autorange == "reversed"
    assert axis_titles(figure)[0] == "Amount (EUR)"
    assert title(figure) == "Open deals in each stage (n = 3 open deals)"
    assert "funnel" not in figure.to_json().lower()


def test_the_snapshot_by_number_of_deals() -> None:
    deals, stages = sales(30, 10, 10, amount=[5.0, 1.0, 2.0])

    figure = plots.pipeline_snapshot(deals, stages, measure="deals")

    assert figure.data[0].x == (2, 0, 1)
    assert axis_titles(figure)[0] == "Open deals"


def test_the_snapshot_has_a_colour_for_each_currency() -> None:
    deals, stages = sales(10, 10, 20, amount=[1.0, 2.0, 4.0], currency=["EUR", "USD", None])

    figure = plots.pipeline_snapshot(deals, stages)

    assert [bars.name for bars in figure.data] == ["EUR", "USD", "currency not given"]
    assert [dict(zip(bars.y, bars.x, strict=True)).get("Lead") for bars in figure.data] == [
        1.0,
        2.0,
        0.0,
    ]
    assert len({bars.marker.color for bars in figure.data}) == 3
    assert axis_titles(figure)[0] == "Amount (each bar in its own currency)"
    assert figure.layout.showlegend is True


def test_deals_without_any_open_one_say_so() -> None:
    deals = table("deals", status=["won"])

    figure = plots.pipeline_snapshot(deals, TABLES["stages"].empty())

    assert figure.layout.annotations[0].text == "Nothing to show: no deal is open."


def test_won_and_lost_are_stacked_per_month() -> None:
    deals = table(
        "deals",
        status=["won", "won", "lost", "lost"],
        amount=[1000.0, 500.0, 1.0, 1.0],
        currency=["EUR", "USD", "EUR", "EUR"],
        close_date=[date(2026, 1, 5), date(2026, 1, 6), date(2026, 3, 1), None],
    )

    figure = plots.closed_by_month(deals)

    won, lost = figure.data
    assert (won.name, won.x, won.y) == ("won", (date(2026, 1, 1), date(2026, 3, 1)), (2, 0))
    assert (lost.name, lost.y) == ("lost", (0, 1))
    assert won.customdata == (" (1,000 EUR) (500 USD)", "")
    assert figure.layout.barmode == "stack"
    assert axis_titles(figure) == ("Month", "Closed deals")
    assert title(figure) == "Deals won and lost per month (n = 3 closed deals)"
    assert notes(figure) == "Left out: 1 without a close date"


def test_a_single_month_is_one_narrow_bar_with_its_name_below() -> None:
    deals = table("deals", status=["won"], close_date=[date(2026, 1, 5)])

    axis = plots.closed_by_month(deals).layout.xaxis

    assert axis.ticktext == ("Jan 2026",)
    low, high = axis.range
    assert high - low >= timedelta(days=6 * 28)


def test_only_the_latest_ten_years_of_months_are_shown() -> None:
    months = pl.date_range(date(2000, 1, 1), date(2025, 12, 1), "1mo", eager=True).to_list()
    deals = table("deals", status=["won"] * len(months), close_date=months)

    figure = plots.closed_by_month(deals)

    assert len(figure.data[0].x) == 120
    assert (figure.data[0].x[0], figure.data[0].x[-1]) == (date(2016, 1, 1), date(2025, 12, 1))
    assert notes(figure) == "Latest 120 of 312 months"
