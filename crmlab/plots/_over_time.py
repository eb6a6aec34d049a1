"""What is drawn over time: stacked bars of counts, lines of rates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from crmlab.analysis.period import GRAINS
from crmlab.errors import UsageError
from crmlab.plots._kinds import by_kind
from crmlab.plots._template import figure, number, share_axis, text, whole_ticks

#: what a figure holds at most where the user chose the grain
_MAX_PERIODS = 2000
#: so few periods get a tick each
_FEW = 6
#: of more points than these, the marks on a line touch each other
_MAX_MARKED = 60
#: the unit in which Plotly has the width of a bar on an axis of dates
_DAY_MS = 86_400_000


def stacked(counts: pl.DataFrame, every: str, title: str, unit: str, *notes: str) -> go.Figure:
    """Return stacked bars of a frame of period, kind, count; the rarest of more than eight kinds are one.

    Raises
    ------
    UsageError
        More than 2,000 periods.
    """
    # before anything is drawn: the message is for who chose the period
    check_periods(counts["period"], every)
    parts, others_note = by_kind(counts, "period")
    traces = [bars(kind_rows, "count", every, kind, colour) for kind_rows, kind, colour in parts]
    # the axis is as high as the highest stack, not as its highest part
    totals = counts.group_by("period").agg(pl.col("count").sum())
    return figure(
        traces,
        f"{title} per {word(every)} (n = {number(int(counts['count'].sum()))})",
        *notes,
        others_note,
        **layout(totals, "count", every, unit),
    )


def check_periods(periods: pl.Series, every: str) -> None:
    """Refuse more periods than a figure can hold.

    Raises
    ------
    UsageError
        More than 2,000.
    """
    period_count = periods.n_unique()
    if period_count > _MAX_PERIODS:
        raise UsageError(
            f"every={every!r} makes {period_count} bars: choose a longer period, or None"
        )


def bars(
    counts: pl.DataFrame,
    column: str,
    every: str,
    name: str,
    colour: str,
) -> go.Bar:
    """Return the bars of one kind."""
    # by itself Plotly makes a bar as wide as the smallest distance of two, which is none where there is one
    bar_width = _days(every) * _DAY_MS * 0.85
    return go.Bar(
        x=counts["period"].to_list(),
        y=counts[column].to_list(),
        name=text(name),
        width=bar_width,
        marker={"color": colour},
        hovertemplate="%{y:,}",
    )


def rate_lines(
    rates: pl.DataFrame, styles: Sequence[tuple[str, str, str, str]]
) -> list[go.Scatter]:
    """Return a line for each column, name, colour and dash of a frame of period and rates; gaps where it is null."""
    lines = []
    for column, legend_name, colour, dash_style in styles:
        line = go.Scatter(
            x=rates["period"].to_list(),
            y=rates[column].to_list(),
            name=legend_name,
            mode=line_mode(rates.height),
            line={"color": colour, "dash": dash_style, "width": 2},
            marker={"size": 7},
            hovertemplate="%{y:.1%}",
        )
        lines.append(line)
    return lines


def line_mode(points: int) -> str:
    """Return how a line of so many points is drawn: few are marked, so that one between two gaps is seen."""
    if points > _MAX_MARKED:
        return "lines"
    return "lines+markers"


def latest_months(shown: int, there: int) -> str:
    """Return "Latest 24 of 30 months"; "" where all are shown."""
    if there <= shown:
        return ""
    return f"Latest {shown} of {there} months"


def rate_layout(
    rates: pl.DataFrame,
    every: str,
    unit: str,
) -> dict[str, Any]:
    """Return the layout of lines of rates, 0-100 %."""
    return {
        "height": 380,
        "showlegend": True,
        "hovermode": "x unified",
        "xaxis": time_axis(rates["period"], every),
        "yaxis": share_axis(unit),
    }


def layout(
    totals: pl.DataFrame,
    column: str,
    every: str,
    unit: str,
) -> dict[str, Any]:
    """Return the layout of stacked bars that are `column` high in each period."""
    return {
        "barmode": "stack",
        "height": 380,
        "showlegend": True,
        "hovermode": "x unified",
        "xaxis": time_axis(totals["period"], every),
        "yaxis": {
            "title": {"text": unit},
            "rangemode": "tozero",
            **whole_ticks(max(totals[column].to_list())),
        },
    }


def time_axis(periods: pl.Series, every: str) -> dict[str, Any]:
    """Return a date axis that is as right for one period as for four hundred."""
    title = word(every).capitalize()
    if every == "1w":
        title = "Week beginning"
    date_axis: dict[str, Any] = {
        "type": "date",
        "showgrid": False,
        "title": {"text": title},
        "hoverformat": _format(every),
    }
    # the first and last years of the calendar have no room for a margin beside them
    periods_shown: list[dt.date] = periods.drop_nulls().unique().sort().to_list()
    if not periods_shown or len(periods_shown) > _FEW:
        return date_axis
    first, last = periods_shown[0], periods_shown[-1]
    if first.year < 1000 or last.year > 9000:
        return date_axis

    # Plotly would put hours on the ticks of a single day and stretch its bar over the whole axis
    days_each = _days(every)
    days_free = days_each * _FEW - (last - first).days
    margin = dt.timedelta(days=max(days_each, days_free // 2))
    return date_axis | {
        "tickmode": "array",
        "tickvals": periods_shown,
        "ticktext": [period.strftime(_format(every)) for period in periods_shown],
        "range": [first - margin, last + margin],
    }


def word(every: str) -> str:
    """Return "week" for ``"1w"``; what has no word stays."""
    if every not in GRAINS:
        return every
    return GRAINS[every][0]


def _format(every: str) -> str:
    if every.endswith("y"):
        return "%Y"
    if every.endswith(("mo", "q")):
        return "%b %Y"
    return "%d %b %Y"


def _days(every: str) -> int:
    if every in GRAINS:
        return GRAINS[every][1]
    # "3d" is three times "1d"
    unit = every.lstrip("0123456789")
    multiple = int(every.removesuffix(unit))
    return multiple * GRAINS["1" + unit][1]
