"""Figures of activities and consent: what the bars and lines hold and say."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest

from crmlab import plots
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform


def table(name: str, **columns: Any) -> pl.DataFrame:
    times = {key: pl.Datetime("us", "UTC") for key in columns if key.endswith("_at")}
    return conform(pl.DataFrame(columns, schema_overrides=times), TABLES[name])


def title(figure: go.Figure) -> str:
    return str(figure.layout.title.text)


def notes(figure: go.Figure) -> str:
    return str(figure.layout.title.subtitle.text).replace("<br>", "")


def axis_titles(figure: go.Figure) -> tuple[str | None, str | None]:
    return figure.layout.xaxis.title.text, figure.layout.yaxis.title.text


DID = "What people did: calls, meetings, notes, appointments, actions done"


def test_the_heatmap_has_monday_on_top_and_names_the_time_zone() -> None:
    # Wednesday 2026-07-01, 22:30 in UTC is Thursday 00:30 in Berlin
    activities = table("activities", starts_at=[datetime(2026, 7, 1, 22, 30, tzinfo=UTC), None])

    figure = plots.activity_heatmap(activities, time_zone="Europe/Berlin")

    (heat,) = figure.data
    assert heat.y == ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    assert (len(heat.z), {len(row) for row in heat.z}) == (7, {24})
    assert heat.z[3][0] == 1
    assert sum(map(sum, heat.z)) == 1
    assert figure.layout.yaxis.autorange == "reversed"
    assert axis_titles(figure) == ("Hour of the day (Europe/Berlin)", "Weekday")
    assert title(figure) == "Activities by weekday and hour (n = 1)"
    assert notes(figure) == f"{DID}. Left out: 1 without an hour (actions, all-day entries)"


def test_beyond_eight_kinds_the_rarest_are_one_colour() -> None:
    kinds = [f"kind {k}" for k in range(10) for _ in range(10 - k)]
    activities = table(
        "activities", kind=kinds, starts_at=[datetime(2026, 1, 1, tzinfo=UTC)] * len(kinds)
    )

    figure = plots.activity_volume(activities)

    assert [bars.name for bars in figure.data] == [*(f"kind {k}" for k in range(8)), "2 others"]
    assert [bars.y[0] for bars in figure.data] == [10, 9, 8, 7, 6, 5, 4, 3, 3]
    assert len({bars.marker.color for bars in figure.data}) == 9
    assert axis_titles(figure) == ("Day", "Activities")
    assert title(figure) == "Activities per day (n = 55)"
    assert notes(figure) == f"{DID}. The rarest kinds are summed as '2 others'"


def test_a_chosen_grain_that_makes_thousands_of_bars_is_refused() -> None:
    days = [datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(2001)]
    activities = table("activities", kind=["call"] * 2001, starts_at=days)

    with pytest.raises(UsageError, match="every='1d' makes 2001 bars"):
        plots.activity_volume(activities, every="1d")


def test_consent_events_are_stacked_by_kind_and_week() -> None:
    events = table(
        "consent_events",
        kind=["subscribe", "unsubscribe", "subscribe", None],
        occurred_at=[datetime(2026, 1, day, tzinfo=UTC) for day in (5, 6, 12, 12)],
    )

    figure = plots.consent_trend(events, every="1w")

    assert [(bars.name, bars.x, bars.y) for bars in figure.data] == [
        ("subscribe", (date(2026, 1, 5), date(2026, 1, 12)), (1, 1)),
        ("unsubscribe", (date(2026, 1, 5),), (1,)),
        ("(no kind)", (date(2026, 1, 12),), (1,)),
    ]
    assert axis_titles(figure) == ("Week beginning", "Events")
    assert title(figure) == "Consent events per week (n = 4)"


def test_the_banner_has_two_lines_of_rates() -> None:
    statistics = table(
        "consent_statistics",
        day=[date(2026, 1, 1), date(2026, 1, 2)],
        visitors_exposed=[1000, 0],
        optin=[600, 0],
        optout=[100, 0],
    )

    figure = plots.consent_banner(statistics)

    optin, optout = figure.data
    assert (optin.name, optin.y) == ("opt-in", (0.6, None))
    assert (optout.name, optout.y) == ("opt-out", (0.1, None))
    assert optin.mode == "lines+markers"
    assert axis_titles(figure) == ("Day", "% of exposed visitors")
    assert title(figure) == "Banner opt-ins and opt-outs per day (n = 1,000 visitors)"
