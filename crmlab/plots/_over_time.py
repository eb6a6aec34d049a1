"""Stacked bars over time, one colour for each kind."""

from __future__ import annotations

import datetime as dt
from typing import Any

import plotly.graph_objects as go
import polars as pl

from crmlab.analysis.period import GRAINS
from crmlab.errors import PlanError
from crmlab.plots._template import PALETTE, REST, figure, number, text, whole_ticks

_MAX_KINDS = len(PALETTE)
#: what a figure holds at most where the user chose the grain
_MAX_PERIODS = 2000
#: so few periods get a tick each
_FEW = 6
_DAY_MS = 86_400_000


def stacked(counts: pl.DataFrame, every: str, title: str, unit: str, *notes: str) -> go.Figure:
    """Return stacked bars of a frame of period, kind, count; the rarest of more than eight kinds are one.

    Raises
    ------
    PlanError
        More than 2,000 periods.
    """
    bounded(counts["period"], every)
    total = pl.col("count").sum()
    order = counts.group_by("kind").agg(total).sort("count", "kind", descending=[True, False], nulls_last=True)["kind"]
    kept, rare = order.head(_MAX_KINDS).to_list(), order.len() - _MAX_KINDS
    traces = [
        bars(
            counts.filter(pl.col("kind").eq_missing(pl.lit(kind))),
            "count",
            every,
            kind or "(no kind)",
            colour,
        )
        for kind, colour in zip(kept, PALETTE, strict=False)
    ]
    if rare > 0:
        rest = counts.filter(~pl.col("kind").is_in(kept, nulls_equal=True)).group_by("period").agg(total)
        traces.append(bars(rest.sort("period"), "count", every, f"{rare} others", REST))
        notes = (*notes, f"The rarest kinds are summed as '{rare} others'")
    return figure(
        traces,
        f"{title} per {word(every)} (n = {number(int(counts['count'].sum()))})",
        *notes,
        **layout(counts.group_by("period").agg(total), "count", every, unit),
    )


def bounded(periods: pl.Series, every: str) -> None:
    """Refuse what no screen can show.

    Raises
    ------
    PlanError
        More than 2,000 periods.
    """
    if (count := periods.n_unique()) > _MAX_PERIODS:
        raise PlanError(f"every={every!r} makes {count} bars: choose a longer period, or None")


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
