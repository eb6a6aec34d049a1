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

NO_DEALS = "the deals table is empty."

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
    stay_visible_in_exports()
    shown = go.Figure(list(traces), layout={"template": TEMPLATE, **layout})
    return with_subtitle(shown.update_layout(title={"text": title}), ". ".join(filter(None, notes)))


def with_subtitle(shown: go.Figure, note: str) -> go.Figure:
    """Return the figure with this subtitle, in as many lines as it takes, and room for them above the plot."""
    before = (shown.layout.title.subtitle.text or "").count(_BREAK)
    lines = in_lines(note)
    more = (lines.count(_BREAK) - before) * _LINE_HEIGHT
    shown.update_layout(title_subtitle_text=lines)
    if more:
        shown.update_layout(margin_t=(shown.layout.margin.t or TEMPLATE.layout.margin.t) + more)
    if more and shown.layout.height:
        shown.update_layout(height=shown.layout.height + more)
    return shown


def in_lines(note: str) -> str:
    """Return a subtitle in lines that a notebook does not cut: a new one begins with a sentence, where one fits."""
    lines: list[str] = []
    for sentence in note.replace(_BREAK, "").split(". "):
        if lines and len(lines[-1]) + len(sentence) + 2 <= _LINE_LENGTH:
            lines[-1] += f". {sentence}"
            continue
        if lines:
            lines[-1] += ". "
        lines += textwrap.wrap(
            sentence, _LINE_LENGTH, break_long_words=False, break_on_hyphens=False
        )
    return _BREAK.join(lines)


def nothing(title: str, why: str) -> go.Figure:
    """Return a figure that says in words that there is nothing to show, and why."""
    hidden = {"visible": False, "range": [0, 1], "fixedrange": True}
    return figure([], f"{title} (n = 0)", xaxis=hidden, yaxis=hidden, height=130).add_annotation(
        text="<br>".join(textwrap.wrap(f"Nothing to show: {why}", 44)),
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        font={"size": 14},
    )


def text(value: object) -> str:
    """Return text of the data as Plotly must be given it: it renders a subset of HTML.

    Characters that XML does not know are left out: with one of them a picture cannot be made of the figure.
    """
    return html.escape(_NOT_IN_XML.sub("", str(value)), quote=False)


def whole_ticks(largest: float) -> dict[str, Any]:
    """Return ticks for counts: none between whole numbers."""
    return {"tickformat": ",d", **({"dtick": 1} if largest < 6 else {"nticks": 6})}


def number(value: float) -> str:
    """Return a number to the whole, with its thousands apart."""
    return f"{value:,.0f}"


def money(amount: float, currency: str | None) -> str:
    """Return an amount with its currency, where that is known."""
    return f"{number(amount)} {currency}" if currency else number(amount)


def at(as_of: TimeLike, time_zone: str) -> str:
    """Return "31 Jan 2026 00:00 Europe/Berlin": the moment by the clock of that place."""
    there = as_instant(as_of, "as_of", time_zone).astimezone(zone(time_zone))
    return f"{there:%d %b %Y %H:%M} {text(time_zone)}"


def day(as_of: TimeLike, time_zone: str) -> str:
    """Return "2026-01-31 (Europe/Berlin)": the day that the clock of that place shows."""
    return f"{day_at(as_instant(as_of, 'as_of', time_zone), time_zone).isoformat()} ({text(time_zone)})"
