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
from crmlab.plots._template import figure, number, text, whole_ticks

#: what a figure holds at most where the user chose the grain
_MAX_PERIODS = 2000
#: so few periods get a tick each
_FEW = 6
_DAY_MS = 86_400_000


def stacked(counts: pl.DataFrame, every: str, title: str, unit: str, *notes: str) -> go.Figure:
    """Return stacked bars of a frame of period, kind, count; the rarest of more than eight kinds are one.

    Raises
    ------
    UsageError
        More than 2,000 periods.
    """
    check_periods(counts["period"], every)
    parts, note = by_kind(counts, "period")
    traces = [bars(rows, "count", every, kind, colour) for rows, kind, colour in parts]
    return figure(
        traces,
        f"{title} per {word(every)} (n = {number(int(counts['count'].sum()))})",
        *notes,
        note,
        **layout(counts.group_by("period").agg(pl.col("count").sum()), "count", every, unit),
    )


def check_periods(periods: pl.Series, every: str) -> None:
    """Refuse more periods than a figure can hold.

    Raises
    ------
    UsageError
        More than 2,000.
    """
    if (found := periods.n_unique()) > _MAX_PERIODS:
        raise UsageError(f"every={every!r} makes {found} bars: choose a longer period, or None")


def bars(counts: pl.DataFrame, column: str, every: str, name: str, colour: str) -> go.Bar:
    """Return the bars of one kind."""
    return go.Bar(
        x=counts["period"].to_list(),
        y=counts[column].to_list(),
        name=text(name),
        width=_days(every) * _DAY_MS * 0.85,
        marker={"color": colour},
        hovertemplate="%{y:,}",
    )


def rate_lines(
    rates: pl.DataFrame, styles: Sequence[tuple[str, str, str, str]]
) -> list[go.Scatter]:
    """Return a line for each column, name, colour and dash of a frame of period and rates; gaps where it is null."""
    return [
        go.Scatter(
            x=rates["period"].to_list(),
            y=rates[column].to_list(),
            name=name,
            mode="lines+markers" if rates.height <= 60 else "lines",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"size": 7},
            hovertemplate="%{y:.1%}",
        )
        for column, name, colour, dash in styles
    ]


def rate_layout(rates: pl.DataFrame, every: str, unit: str) -> dict[str, Any]:
    """Return the layout of lines of rates, 0-100 %."""
    return {
        "height": 380,
        "showlegend": True,
        "hovermode": "x unified",
        "xaxis": time_axis(rates["period"], every),
        "yaxis": {"title": {"text": unit}, "tickformat": ".0%", "range": [0, 1.02]},
    }


def layout(totals: pl.DataFrame, column: str, every: str, unit: str) -> dict[str, Any]:
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
    title = "Week beginning" if every == "1w" else word(every).capitalize()
    axis: dict[str, Any] = {
        "type": "date",
        "showgrid": False,
        "title": {"text": title},
        "hoverformat": _format(every),
    }
    shown: list[dt.date] = periods.drop_nulls().unique().sort().to_list()
    if not shown or len(shown) > _FEW or shown[0].year < 1000 or shown[-1].year > 9000:
        return axis
    # plotly would put hours on the ticks of a single day and stretch its bar over the whole axis
    span = (shown[-1] - shown[0]).days
    pad = dt.timedelta(days=max(_days(every), (_days(every) * _FEW - span) // 2))
    names = [day.strftime(_format(every)) for day in shown]
    return axis | {
        "tickmode": "array",
        "tickvals": shown,
        "ticktext": names,
        "range": [shown[0] - pad, shown[-1] + pad],
    }


def word(every: str) -> str:
    """Return "week" for ``"1w"``; what has no word stays."""
    return GRAINS[every][0] if every in GRAINS else every


def _format(every: str) -> str:
    if every.endswith("y"):
        return "%Y"
    return "%b %Y" if every.endswith(("mo", "q")) else "%d %b %Y"


def _days(every: str) -> int:
    if every in GRAINS:
        return GRAINS[every][1]
    unit = every.lstrip("0123456789")
    return int(every.removesuffix(unit)) * GRAINS["1" + unit][1]
