"""What holds for every figure: public, small, transparent, and never blank."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest

from crmlab import analysis, plots
from crmlab.errors import UsageError
from crmlab.plots._template import figure
from crmlab.plots.notes import with_note
from crmlab.schema import TABLES, conform

MILLION = 1_000_000
DAY = date(2026, 3, 1)
QUOTAS = dict.fromkeys(("EUR", "USD", "GBP"), 1e6)
EMPTY = {name: table.empty() for name, table in TABLES.items()}


def table(name: str, **columns: Any) -> pl.DataFrame:
    times = {key: pl.Datetime("us", "UTC") for key in columns if key.endswith("_at")}
    return conform(pl.DataFrame(columns, schema_overrides=times), TABLES[name])


def title(figure: go.Figure) -> str:
    return str(figure.layout.title.text)


DRAW: dict[str, Callable[[dict[str, pl.DataFrame]], go.Figure]] = {
    "win_rate": lambda data: plots.win_rate(data["deals"], by="owner_name"),
    "pipeline_snapshot": lambda data: plots.pipeline_snapshot(data["deals"], data["stages"]),
    "closed_by_month": lambda data: plots.closed_by_month(data["deals"]),
    "activity_heatmap": lambda data: plots.activity_heatmap(
        data["activities"], time_zone="Europe/Berlin"
    ),
    "activity_volume": lambda data: plots.activity_volume(data["activities"]),
    "consent_trend": lambda data: plots.consent_trend(data["consent_events"]),
    "consent_banner": lambda data: plots.consent_banner(data["consent_statistics"]),
    "activities_after_opt_out": lambda data: plots.activities_after_opt_out(
        data["activities"], data["consent_events"], analysis.people(data["contacts"]), as_of=DAY
    ),
    "activities_per_deal": lambda data: plots.activities_per_deal(
        data["deals"], data["activities"]
    ),
    "activity_volume_by_owner": lambda data: plots.activity_volume_by_owner(data["activities"]),
    "ageing": lambda data: plots.ageing(data["deals"], as_of=DAY),
    "banner_items": lambda data: plots.banner_items(data["consent_statistics_items"]),
    "banner_rates": lambda data: plots.banner_rates(data["consent_statistics"]),
    "completion_rate": lambda data: plots.completion_rate(data["activities"], as_of=DAY),
    "confirmation_rate": lambda data: plots.confirmation_rate(data["consent_events"], as_of=DAY),
    "consent_and_win_rate": lambda data: plots.consent_and_win_rate(
        data["deals"], data["consent_events"], analysis.people(data["contacts"])
    ),
    "consent_coverage_of_pipeline": lambda data: plots.consent_coverage_of_pipeline(
        data["deals"],
        data["consent_events"],
        analysis.people(data["contacts"]),
        as_of=DAY,
        by="owner_name",
    ),
    "consent_journeys": lambda data: plots.consent_journeys(data["consent_events"]),
    "consent_rate": lambda data: plots.consent_rate(data["consent_events"], as_of=DAY),
    "consent_stock": lambda data: plots.consent_stock(data["consent_events"]),
    "consent_survival": lambda data: plots.consent_survival(data["consent_events"], as_of=DAY),
    "coverage": lambda data: plots.coverage(data["deals"], QUOTAS, since=DAY, until="2027-01-01"),
    "created_against_closed": lambda data: plots.created_against_closed(data["deals"]),
    "cycle_length": lambda data: plots.cycle_length(data["deals"], by="owner_name"),
    "days_since_last_touch": lambda data: plots.days_since_last_touch(
        data["contacts"], data["activities"], as_of=DAY
    ),
    "documentation_coverage": lambda data: plots.documentation_coverage(
        data["consent_events"], as_of=DAY
    ),
    "email_engagement": lambda data: plots.email_engagement(data["activities"]),
    "email_engagement_over_time": lambda data: plots.email_engagement_over_time(
        data["activities"], every=None
    ),
    "expiring_consents": lambda data: plots.expiring_consents(data["consent_events"], as_of=DAY),
    "funnel": lambda data: plots.funnel(
        analysis.stage_history([(DAY, data["deals"])]), data["stages"]
    ),
    "loss_reasons": lambda data: plots.loss_reasons(data["deals"]),
    "mailed_but_objected": lambda data: plots.mailed_but_objected(
        data["contacts"],
        data["subscriptions"],
        data["activities"],
        data["consent_events"],
        analysis.people(data["contacts"]),
        as_of=DAY,
    ),
    "open_actions": lambda data: plots.open_actions(data["activities"], as_of=DAY),
    "open_pipeline_by_consent": lambda data: plots.open_pipeline_by_consent(
        data["deals"], data["consent_events"], analysis.people(data["contacts"]), as_of=DAY
    ),
    "people_overlap": lambda data: plots.people_overlap(analysis.people(data["contacts"])),
    "response_time": lambda data: plots.response_time(
        data["contacts"], data["activities"], as_of=DAY
    ),
    "sales_velocity": lambda data: plots.sales_velocity(data["deals"], as_of=DAY, by="owner_name"),
    "stage_durations": lambda data: plots.stage_durations(
        analysis.stage_history([(DAY, data["deals"])]), data["stages"]
    ),
    "time_to_confirm": lambda data: plots.time_to_confirm(data["consent_events"], as_of=DAY),
    "waterfall": lambda data: plots.waterfall(data["deals"], data["deals"]),
    "weighted_pipeline": lambda data: plots.weighted_pipeline(data["deals"], as_of=DAY),
    "win_cohorts": lambda data: plots.win_cohorts(data["deals"], as_of=DAY),
}


def test_every_public_figure_is_drawn_here_and_all_is_exact() -> None:
    functions = {
        name for name, value in vars(plots).items() if callable(value) and not name.startswith("_")
    }

    assert (
        set(plots.__all__)
        == functions - {"figure_html", "plotly_js", "with_note", "with_notes"}
        == set(DRAW)
    )
    assert plots.__all__ == sorted(plots.__all__)


@pytest.mark.parametrize("name", DRAW)
def test_an_empty_table_says_in_words_that_there_is_nothing(name: str) -> None:
    figure = DRAW[name](EMPTY)

    words = figure.layout.annotations[0].text.replace("<br>", " ")
    assert words.startswith("Nothing to show: the ")
    assert words.endswith(" table is empty.")
    assert title(figure).endswith("(n = 0)")
    assert len(figure.data) == 0
    assert figure.layout.xaxis.visible is False


@pytest.mark.parametrize("name", DRAW)
def test_backgrounds_are_transparent(name: str) -> None:
    template = DRAW[name](EMPTY).layout.template.layout

    assert (template.paper_bgcolor, template.plot_bgcolor) == ("rgba(0,0,0,0)", "rgba(0,0,0,0)")


@pytest.mark.parametrize("name", DRAW)
def test_no_button_sends_the_data_away(name: str) -> None:
    assert "sendChartToCloud" in DRAW[name](EMPTY).layout.template.layout.modebar.remove


@pytest.fixture(scope="module")
def a_million_rows() -> dict[str, pl.DataFrame]:
    """Return a million rows for each table, with as many owners, kinds and days as could ever be."""
    row = pl.int_range(MILLION)
    time = (
        pl.lit(datetime(1990, 1, 1, tzinfo=UTC)) + pl.duration(minutes=row * 19)
    ).dt.cast_time_unit("us")
    key = pl.lit("onepagecrm").alias("provider"), pl.lit("sales").alias("account")
    columns: dict[str, dict[str, pl.Expr]] = {
        "deals": {
            "owner_name": pl.format("Owner with quite a long name, number {}", row % 50_000),
            "pipeline_id": pl.format("pipeline {}", row % 50),
            "stage": row % 101,
            "status": pl.lit(pl.Series(["pending", "won", "lost"])).gather(row % 3),
            "amount": (row % 977).cast(pl.Float64),
            "currency": pl.lit(pl.Series(["EUR", "USD", "GBP", None])).gather(row % 4),
            "close_date": time.dt.date(),
        },
        "activities": {"kind": pl.format("kind {}", row % 40), "starts_at": time},
        "consent_events": {"kind": pl.format("kind {}", row % 40), "occurred_at": time},
        "consent_statistics": {
            "day": time.dt.date(),
            "banner_id": pl.format("{}", row % 70),
            "visitors_exposed": row % 1000 + 1,
            "optin": row % 500,
            "optout": row % 100,
        },
    }
    data = {
        name: conform(
            pl.select(*key).join(
                pl.select(part.alias(column) for column, part in parts.items()), how="cross"
            ),
            TABLES[name],
        )
        for name, parts in columns.items()
    }
    return EMPTY | data


@pytest.mark.parametrize("name", DRAW)
def test_a_million_rows_stay_below_one_megabyte(
    name: str, a_million_rows: dict[str, pl.DataFrame]
) -> None:
    figure = DRAW[name](a_million_rows)

    assert 1_000 < len(figure.to_json()) < 1_000_000


@pytest.mark.parametrize("name", DRAW)
def test_drawing_changes_nothing_in_the_frames(name: str) -> None:
    at = [datetime(2026, 1, 1, tzinfo=UTC)]
    data = EMPTY | {
        "deals": table(
            "deals", status=["won", "pending"], amount=[1.0, 2.0], close_date=[at[0].date(), None]
        ),
        "activities": table("activities", kind=["call"], starts_at=at),
        "consent_events": table("consent_events", kind=["confirm"], occurred_at=at),
        "consent_statistics": table(
            "consent_statistics",
            day=[date(2026, 1, 1)],
            visitors_exposed=[1],
            optin=[1],
            optout=[0],
        ),
    }
    before = {key: frame.clone() for key, frame in data.items()}

    DRAW[name](data)

    assert all(
        frame.equals(before[key]) and frame.schema == before[key].schema
        for key, frame in data.items()
    )


def test_a_subtitle_has_as_many_lines_as_it_takes_and_the_plot_keeps_its_height() -> None:
    short = figure([], "title", "One sentence", height=300)
    long = figure(
        [],
        "title",
        *[f"Sentence {number} of some forty letters in all" for number in range(6)],
        height=300,
    )
    longer = with_note(figure([], "title", "One sentence", height=300), "word " * 40)

    assert "<br>" not in short.layout.title.subtitle.text
    assert max(len(line) for line in long.layout.title.subtitle.text.split("<br>")) <= 122
    for shown in (long, longer):
        lines = shown.layout.title.subtitle.text.count("<br>")
        assert lines > 0
        assert shown.layout.height - shown.layout.margin.t == 300 - 72
        assert shown.layout.margin.t == 72 + 16 * lines
    assert long.layout.title.subtitle.text.replace("<br>", "").endswith(
        "4 of some forty letters in all. Sentence 5 of some forty letters in all"
    )


def test_nothing_in_the_place_of_a_frame_is_refused_in_words() -> None:
    for draw in (plots.consent_stock, plots.people_overlap):
        with pytest.raises(UsageError, match="which is no frame"):
            draw(None)  # type: ignore[arg-type]
