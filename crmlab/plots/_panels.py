"""One panel for each currency, one above the other: amounts of two currencies share no axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from crmlab.plots._template import text

MAX_PANELS = 4
_GAP = 0.12


def by_currency(frame: pl.DataFrame) -> tuple[list[tuple[str | None, pl.DataFrame]], str]:
    """Return the rows of each currency, most deals first, and a note on those that are not shown.

    Reads deals (a number) and, where there are several, currency.
    """
    if "currency" not in frame.columns:
        return [(None, frame)], ""
    order = frame.group_by("currency").agg(pl.col("deals").sum())
    names = order.sort("deals", "currency", descending=[True, False], nulls_last=True)[
        "currency"
    ].to_list()
    shown = [
        (name, frame.filter(pl.col("currency").eq_missing(pl.lit(name, pl.String))))
        for name in names
    ]
    left_out = len(names) - MAX_PANELS
    return shown[
        :MAX_PANELS
    ], f"{left_out} currencies with fewer deals not shown" if left_out > 0 else ""


def axes(titles: list[str]) -> dict[str, Any]:
    """Return the layout of panels with these titles on their value axes, and one axis below them all."""
    share = (1 + _GAP) / len(titles)
    layout: dict[str, Any] = {
        "xaxis": {"anchor": axis_name(len(titles) - 1)},
        "height": 170 + 210 * len(titles),
    }
    for place, title in enumerate(titles):
        top = 1 - place * share
        layout["yaxis" + axis_name(place)[1:]] = {
            "title": {"text": text(title)},
            "domain": [max(0.0, top - share + _GAP), top],
            "anchor": "x",
        }
    return layout


def axis_name(place: int) -> str:
    """Return Plotly's name of the value axis of a panel."""
    return "y" if place == 0 else f"y{place + 1}"


def placed(traces: Iterator[Any], place: int) -> Iterator[Any]:
    """Return the traces in a panel; the legend names each once."""
    for trace in traces:
        yield trace.update(yaxis=axis_name(place), legendgroup=trace.name, showlegend=place == 0)
