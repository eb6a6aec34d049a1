"""Curves of what lasts, as steps, with their confidence bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from crmlab.plots._bars import label_of, largest_first
from crmlab.plots._template import PALETTE, share_axis, text

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
    label_expression = pl.lit(name).alias("label")
    if by:
        label_expression = label_of(by)
    labelled = curve.with_columns(label_expression)
    group_sizes = labelled.group_by("label").agg(pl.col("at_risk").max())
    by_size = largest_first(group_sizes, "at_risk")
    traces: list[go.Scatter] = []
    for group_label, colour in zip(by_size["label"], PALETTE, strict=False):
        own_curve = labelled.filter(pl.col("label") == group_label)
        points = _thin(own_curve, rising=rising)
        traces += _line(points, group_label, colour)

    if by_size.height <= len(PALETTE):
        return traces, ""
    return traces, f"The {len(PALETTE)} largest of {by_size.height} groups"


def median(
    medians: pl.DataFrame,
    by: Sequence[str],
    reached: str,
    not_reached: str,
) -> str:
    """Return the median in words; of several groups each, where that fits."""
    if not by:
        days = medians["median_days"].item()
        if days is None:
            return not_reached
        return f"{reached} {days:,.1f} days"
    if medians.height > _FEW:
        return ""

    medians_in_words = []
    for group_label, days in medians.select(label_of(by), "median_days").rows():
        in_days = "none yet"
        if days is not None:
            in_days = f"{days:,.1f}"
        medians_in_words.append(f"{text(group_label)} {in_days}")
    return f"Median days: {', '.join(medians_in_words)}"


def layout(
    words: str,
    days: str,
    several: bool,
) -> dict[str, Any]:
    """Return the layout of curves over days."""
    # several curves step on different days, and a box for one day would hold but some of them
    hover_mode = "x unified"
    if several:
        hover_mode = "closest"
    return {
        "height": 400,
        "showlegend": several,
        "hovermode": hover_mode,
        "xaxis": {"title": {"text": days}, "rangemode": "tozero", "showgrid": False},
        "yaxis": share_axis(words),
    }


def _thin(curve: pl.DataFrame, *, rising: bool) -> pl.DataFrame:
    """Return day 0, the last day, and of the steps between at most `_MAX_POINTS`, evenly."""
    estimates = ("survival", "lower", "upper")
    columns = ("days", "at_risk", *estimates)
    drops = curve.filter(pl.col("ended") > 0).select(columns)
    last_day = curve.select(columns).tail(1)
    # rounded up, and at least every one: a curve may have no step at all
    every_nth = -(-drops.height // _MAX_POINTS) or 1
    # on day 0 everybody is there, which no row of the curve says
    first_day = {
        "days": 0.0,
        "at_risk": curve["at_risk"][0],
        **dict.fromkeys(estimates, 1.0),
    }
    shown_drops = drops.gather_every(every_nth)
    points = pl.concat([pl.DataFrame([first_day]), shown_drops, last_day])
    if not rising:
        return points
    return points.with_columns((1 - pl.col(estimates)).name.keep())


def _line(
    points: pl.DataFrame,
    label: str,
    colour: str,
) -> list[go.Scatter]:
    # where the estimate has no interval, the curve goes on without a band
    band = points.drop_nulls(["lower", "upper"])
    edge_style: dict[str, Any] = {
        "mode": "lines",
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": label,
    }
    no_line = {"width": 0, "shape": "hv", "color": colour}
    band_days = band["days"].to_list()
    # "#009E73" in decimal numbers, beside which an opacity can stand
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    # the band is what lies between a trace and the one before it: the lower edge comes first
    lower_edge = go.Scatter(x=band_days, y=band["lower"].to_list(), line=no_line, **edge_style)
    upper_edge = go.Scatter(
        x=band_days,
        y=band["upper"].to_list(),
        line=no_line,
        fill="tonexty",
        fillcolor=f"rgba({red},{green},{blue},0.22)",
        **edge_style,
    )
    curve = go.Scatter(
        x=points["days"].to_list(),
        y=points["survival"].to_list(),
        name=text(label),
        mode="lines",
        line={"width": 2, "shape": "hv", "color": colour},
        customdata=points["at_risk"].to_list(),
        hovertemplate="%{y:.1%} (%{customdata:,} at risk)",
        legendgroup=label,
    )
    return [lower_edge, upper_edge, curve]
