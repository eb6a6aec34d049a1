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
    totals = frame.group_by("currency").agg(pl.col("deals").sum())
    by_size = totals.sort("deals", "currency", descending=[True, False], nulls_last=True)
    panels = []
    for currency in by_size["currency"].head(MAX_PANELS):
        # deals that name no currency are a panel of their own
        is_own = pl.col("currency").eq_missing(pl.lit(currency, pl.String))
        panels.append((currency, frame.filter(is_own)))

    not_shown = by_size.height - MAX_PANELS
    if not_shown <= 0:
        return panels, ""
    return panels, f"{not_shown} currencies with fewer deals not shown"


def axes(titles: list[str], *, labels: list[str]) -> dict[str, Any]:
    """Return the layout of panels with these titles on their value axes, and one axis of labels below them all."""
    panel_height = (1 + _GAP) / len(titles)
    layout: dict[str, Any] = {
        "xaxis": {
            "anchor": axis_name(len(titles) - 1),
            "type": "category",
            "categoryorder": "array",
            "categoryarray": labels,
            "showgrid": False,
        },
        "height": 170 + 210 * len(titles),
    }
    for position, title in enumerate(titles):
        # Plotly counts from the bottom, and the first panel is on top
        panel_top = 1 - position * panel_height
        layout["yaxis" + axis_name(position)[1:]] = {
            "title": {"text": text(title)},
            # rounding makes a little less than nothing of the last bottom, which Plotly refuses
            "domain": [max(0.0, panel_top - panel_height + _GAP), panel_top],
            "anchor": "x",
        }
    return layout


def axis_name(place: int) -> str:
    """Return Plotly's name of the value axis of a panel."""
    # the first has no number
    if place == 0:
        return "y"
    return f"y{place + 1}"


def placed(traces: Iterator[Any], place: int) -> Iterator[Any]:
    """Return the traces in a panel; the legend names each once."""
    for trace in traces:
        yield trace.update(yaxis=axis_name(place), legendgroup=trace.name, showlegend=place == 0)
