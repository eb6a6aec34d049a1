"""What all figures share: colours, template, titles, text, the figure that says there is nothing.

Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which people with any kind of
colour blindness tell apart. Backgrounds are transparent and text is a grey with a contrast of about 4:1
on white and on the usual dark notebook backgrounds, because a figure cannot know where it is shown.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from crmlab.analysis.parts import height_of
from crmlab.display import plural
from crmlab.plots._exported import stay_visible_in_exports
from crmlab.schema import TimeLike, as_instant, day_at, zone

GREEN, VERMILLION, BLUE = "#009E73", "#D55E00", "#0072B2"
PALETTE = (BLUE, "#E69F00", GREEN, "#CC79A7", "#56B4E9", VERMILLION, "#B8A900", "#7B5EA7")
REST = "#8C8C8C"
TEXT = "#7A7A7A"
#: one hue, ever less transparent: more is further from the background, be it white or black
SCALE = (
    (0.0, "rgba(128,128,128,0.10)"),
    (0.001, "rgba(28,142,214,0.15)"),
    (1.0, "rgb(28,142,214)"),
)

#: so many characters of a subtitle are beside each other
_LINE_LENGTH = 120
_LINE_HEIGHT = 16
_BREAK = "<br>"
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

_GRID = "rgba(128,128,128,0.25)"
_AXIS = {
    "automargin": True,
    "gridcolor": _GRID,
    "linecolor": _GRID,
    "zerolinecolor": "rgba(128,128,128,0.6)",
    "title": {"standoff": 10},
}
_TITLE = {
    "x": 0,
    "xref": "container",
    "xanchor": "left",
    "y": 1,
    "yref": "container",
    "yanchor": "top",
    "pad": {"l": 12, "t": 12},
    "font": {"size": 16},
    "subtitle": {"font": {"size": 12, "color": TEXT}},
}
TEMPLATE = go.layout.Template(
    layout={
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {
            "family": "system-ui, -apple-system, Segoe UI, Roboto, sans-serif",
            "size": 13,
            "color": TEXT,
        },
        "colorway": PALETTE,
        "title": _TITLE,
        "margin": {"l": 12, "r": 16, "t": 72, "b": 12},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        # below the axis, where no title or subtitle can be
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 0,
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
        },
        # its button "Share chart..." would upload the data to Plotly's servers
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": TEXT,
            "activecolor": BLUE,
            "remove": ["sendChartToCloud"],
        },
        # the default takes the background's colour, which is none
        "hoverlabel": {
            "align": "left",
            "namelength": -1,
            "bgcolor": "#2B2B2B",
            "font": {"color": "#FFFFFF"},
        },
        "bargap": 0.25,
        "autotypenumbers": "strict",
    }
)


def figure(traces: Sequence[Any], title: str, *notes: str, **layout: Any) -> go.Figure:
    """Return the figure with the template, a title that holds n, and the notes as its subtitle."""
    # here and not on import: the renderer may be chosen after it
    stay_visible_in_exports()
    drawn = go.Figure(list(traces), layout={"template": TEMPLATE, **layout})
    drawn.update_layout(title={"text": title})
    sentences = ". ".join(filter(None, notes))
    return with_subtitle(drawn, sentences)


def with_subtitle(shown: go.Figure, note: str) -> go.Figure:
    """Return the figure with this subtitle, in as many lines as it takes, and room for them above the plot."""
    breaks_before = (shown.layout.title.subtitle.text or "").count(_BREAK)
    subtitle = in_lines(note)
    more_height = (subtitle.count(_BREAK) - breaks_before) * _LINE_HEIGHT
    shown.update_layout(title_subtitle_text=subtitle)
    if more_height:
        shown.update_layout(
            margin_t=(shown.layout.margin.t or TEMPLATE.layout.margin.t) + more_height
        )
    if more_height and shown.layout.height:
        shown.update_layout(height=shown.layout.height + more_height)
    return shown


def in_lines(note: str) -> str:
    """Return a subtitle in lines that a notebook does not cut: a new one begins with a sentence, where one fits."""
    subtitle_lines: list[str] = []
    # Plotly breaks no line by itself: what is too long would run out of the picture
    for sentence in note.replace(_BREAK, "").split(". "):
        if subtitle_lines and len(subtitle_lines[-1]) + len(sentence) + 2 <= _LINE_LENGTH:
            subtitle_lines[-1] += f". {sentence}"
            continue

        if subtitle_lines:
            subtitle_lines[-1] += ". "
        subtitle_lines += textwrap.wrap(
            sentence, _LINE_LENGTH, break_long_words=False, break_on_hyphens=False
        )
    return _BREAK.join(subtitle_lines)


def nothing(title: str, why: str) -> go.Figure:
    """Return a figure that says in words that there is nothing to show, and why."""
    # without these Plotly would draw a grid with nothing in it
    hidden = {"visible": False, "range": [0, 1], "fixedrange": True}
    empty_figure = figure([], f"{title} (n = 0)", xaxis=hidden, yaxis=hidden, height=130)
    message_lines = textwrap.wrap(f"Nothing to show: {why}", 44)
    return empty_figure.add_annotation(
        text="<br>".join(message_lines),
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        font={"size": 14},
    )


def nothing_of(
    table: str,
    rows: pl.DataFrame,
    title: str,
    why: str,
) -> go.Figure:
    """Return a figure that says that a table is empty; where it has rows, why there is nothing to show of them."""
    if height_of(rows):
        return nothing(title, why)
    return nothing(title, f"the {table} table is empty.")


def how_many(count: int, noun: str, what: str) -> str:
    """Return "2 deals without an amount"; "" where there are none."""
    if count <= 0:
        return ""
    return f"{plural(count, noun)} {what}"


def text(value: object) -> str:
    """Return text of the data as Plotly must be given it: it renders a subset of HTML.

    Characters that XML does not know are left out: with one of them a picture cannot be made of the figure.
    """
    return html.escape(_NOT_IN_XML.sub("", str(value)), quote=False)


def whole_ticks(largest: float) -> dict[str, Any]:
    """Return ticks for counts: none between whole numbers."""
    # Plotly would put ticks at halves where a few bars are a few deals high
    steps: dict[str, Any] = {"nticks": 6}
    if largest < 6:
        steps = {"dtick": 1}
    return {"tickformat": ",d", **steps}


def axis_from_zero(words: str) -> dict[str, Any]:
    """Return an axis for bars: one that begins elsewhere would make small differences look large."""
    return {"title": {"text": words}, "rangemode": "tozero"}


def shares_from_zero(words: str) -> dict[str, Any]:
    """Return an axis of shares that ends where the longest bar does, which may be beyond 100 %."""
    return {**axis_from_zero(words), "tickformat": ".0%"}


def share_axis(words: str) -> dict[str, Any]:
    """Return an axis from 0 to 100 %, whatever the shares are."""
    # a little beyond, so that a line at 100 % is not cut in half
    return {"title": {"text": words}, "tickformat": ".0%", "range": [0, 1.02]}


def number(value: float) -> str:
    """Return a number to the whole, with its thousands apart."""
    return f"{value:,.0f}"


def part_of_whole(part: float, whole: float) -> str:
    """Return "3 of 4": what a share was made of."""
    return f"{number(part)} of {number(whole)}"


def money(amount: float, currency: str | None) -> str:
    """Return an amount with its currency, where that is known."""
    if not currency:
        return number(amount)
    return f"{number(amount)} {currency}"


def at(as_of: TimeLike, time_zone: str) -> str:
    """Return "31 Jan 2026 00:00 Europe/Berlin": the moment by the clock of that place."""
    moment = as_instant(as_of, "as_of", time_zone)
    by_its_clock = moment.astimezone(zone(time_zone))
    return f"{by_its_clock:%d %b %Y %H:%M} {text(time_zone)}"


def day(as_of: TimeLike, time_zone: str) -> str:
    """Return "2026-01-31 (Europe/Berlin)": the day that the clock of that place shows."""
    moment = as_instant(as_of, "as_of", time_zone)
    local_day = day_at(moment, time_zone)
    return f"{local_day.isoformat()} ({text(time_zone)})"
