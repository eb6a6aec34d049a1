"""Curves of what lasts, as steps, with their confidence bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from crmlab.plots._bars import label_of
from crmlab.plots._template import PALETTE, text

#: points of one curve; more steps cannot be told apart on a screen
_MAX_POINTS = 300
#: so many medians fit into a subtitle
_FEW = 4


def steps(
    curve: pl.DataFrame, by: Sequence[str], *, rising: bool, name: str
) -> tuple[list[go.Scatter], str]:
    """Return a line and a band for each group, and a note where only the eight largest groups are shown.

    Reads days, at_risk, ended, survival, lower, upper and the columns of `by`. `rising`: of 1 - survival.
    """
    named = curve.with_columns(label_of(by) if by else pl.lit(name).alias("label"))
    order = (
        named.group_by("label")
        .agg(pl.col("at_risk").max())
        .sort("at_risk", "label", descending=[True, False])
    )
    traces: list[go.Scatter] = []
    for label, colour in zip(order["label"], PALETTE, strict=False):
        traces += _line(_thin(named.filter(pl.col("label") == label), rising=rising), label, colour)
    rest = order.height - len(PALETTE)
    return traces, f"The {len(PALETTE)} largest of {order.height} groups" if rest > 0 else ""


def median(medians: pl.DataFrame, by: Sequence[str], reached: str, not_reached: str) -> str:
    """Return the median in words; of several groups each, where that fits."""
    if not by:
        days = medians["median_days"].item()
        return not_reached if days is None else f"{reached} {days:,.1f} days"
    if medians.height > _FEW:
        return ""
    named = medians.select(label_of(by), "median_days").rows()
    words = [
        f"{text(label)} {'none yet' if days is None else f'{days:,.1f}'}" for label, days in named
    ]
    return f"Median days: {', '.join(words)}"


def layout(words: str, days: str, several: bool) -> dict[str, Any]:
    """Return the layout of curves over days."""
    return {
        "height": 400,
        "showlegend": several,
        "hovermode": "x unified" if not several else "closest",
        "xaxis": {"title": {"text": days}, "rangemode": "tozero", "showgrid": False},
        "yaxis": {"title": {"text": words}, "tickformat": ".0%", "range": [0, 1.02]},
    }


def _thin(curve: pl.DataFrame, *, rising: bool) -> pl.DataFrame:
    """Return day 0, the last day, and of the steps between at most `_MAX_POINTS`, evenly."""
    values = ("survival", "lower", "upper")
    columns = ("days", "at_risk", *values)
    falls, last = curve.filter(pl.col("ended") > 0).select(columns), curve.select(columns).tail(1)
    every = -(-falls.height // _MAX_POINTS) or 1
    start = pl.DataFrame(
        [{"days": 0.0, "at_risk": curve["at_risk"][0], **dict.fromkeys(values, 1.0)}]
    )
    points = pl.concat([start, falls.gather_every(every), last])
    return points.with_columns((1 - pl.col(values)).name.keep()) if rising else points


def _line(points: pl.DataFrame, label: str, colour: str) -> list[go.Scatter]:
    band = points.drop_nulls(["lower", "upper"])
    edge: dict[str, Any] = {
        "mode": "lines",
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": label,
    }
    line = {"width": 0, "shape": "hv", "color": colour}
    days = band["days"].to_list()
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return [
        go.Scatter(x=days, y=band["lower"].to_list(), line=line, **edge),
        go.Scatter(
            x=days,
            y=band["upper"].to_list(),
            line=line,
            fill="tonexty",
            fillcolor=f"rgba({red},{green},{blue},0.22)",
            **edge,
        ),
        go.Scatter(
            x=points["days"].to_list(),
            y=points["survival"].to_list(),
            name=text(label),
            mode="lines",
            line={"width": 2, "shape": "hv", "color": colour},
            customdata=points["at_risk"].to_list(),
            hovertemplate="%{y:.1%} (%{customdata:,} at risk)",
            legendgroup=label,
        ),
    ]
