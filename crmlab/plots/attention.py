"""Figures of attention: how much of it deals take, and which deals and contacts it has left."""

from __future__ import annotations

from collections.abc import Collection

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis import attention
from crmlab.analysis.parts import height_of
from crmlab.analysis.touches import HUMAN
from crmlab.display import plural
from crmlab.plots import _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import (
    BLUE,
    GREEN,
    REST,
    VERMILLION,
    day,
    figure,
    nothing,
    number,
    text,
    whole_ticks,
)
from crmlab.schema import TimeLike

__all__ = ["activities_per_deal", "days_since_last_touch"]

#: days since the last touch; the last bin has no end
_DAYS = (7, 14, 30, 60, 90, 180)
_WIDTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_BINS = 12


@draws
def activities_per_deal(
    deals: pl.DataFrame,
    activities: pl.DataFrame,
    *,
    kinds: Collection[str] = HUMAN,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return bars of the share of won and of lost deals that took so many activities.

    Parameters
    ----------
    deals, activities, kinds, time_zone
        Read what `crmlab.analysis.activities_per_deal` reads.

    Returns
    -------
    go.Figure
        A colour each for won and lost, 0-100 % of its deals; the medians stand in the legend.

    Raises
    ------
    UsageError
        `time_zone` is not known, or a column is missing.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> deals = pl.DataFrame({"id": ["d", "e"], "contact_id": ["c", "x"], "status": ["won", "lost"],
    ...                       "created_at": [datetime(2026, 3, 1)] * 2, "close_date": [date(2026, 3, 9)] * 2})
    >>> calls = pl.DataFrame({"kind": ["call"] * 2, "contact_id": ["c"] * 2,
    ...                       "created_at": [datetime(2026, 3, day) for day in (2, 10)]})
    >>> utc = pl.col("created_at").dt.replace_time_zone("UTC")
    >>> frames = [conform(frame.with_columns(utc), TABLES[name])
    ...           for name, frame in (("deals", deals), ("activities", calls))]
    >>> figure = plots.activities_per_deal(*frames)
    >>> figure.layout.title.text
    'Activities until a deal is closed (n = 2 closed deals)'
    >>> [trace.name for trace in figure.data]
    ['won: 1 deal, median 1', 'lost: 1 deal, median 0']
    """
    title = "Activities until a deal is closed"
    counts = attention.activities_of_deals(deals, activities, kinds=kinds, time_zone=time_zone)
    if counts.is_empty():
        return nothing(
            title, "no deal is won or lost." if height_of(deals) else "the deals table is empty."
        )
    usual = counts["activities"].quantile(0.95, "higher") or 0
    width = next((width for width in _WIDTHS if usual <= width * _BINS), _WIDTHS[-1])
    bin_of = ((pl.col("activities") + width - 1) // width).clip(upper_bound=_BINS + 1)
    binned = counts.group_by("status", bin_of.alias("bin")).len("deals")
    last = max(binned["bin"])
    labels = [_range(place, width) for place in range(last + 1)]
    traces = []
    for status, colour in (("won", GREEN), ("lost", VERMILLION)):
        own = counts.filter(pl.col("status") == status)["activities"]
        if own.is_empty():
            continue
        found = dict(binned.filter(pl.col("status") == status).select("bin", "deals").iter_rows())
        number_of = [found.get(place, 0) for place in range(last + 1)]
        median = float(own.median() or 0)  # type: ignore[arg-type]
        traces.append(
            go.Bar(
                x=labels,
                y=[deals_here / own.len() for deals_here in number_of],
                customdata=[f"{number(here)} of {number(own.len())}" for here in number_of],
                name=f"{status}: {plural(own.len(), 'deal')}, median {median:g}",
                marker={"color": colour},
                hovertemplate="%{y:.0%} (%{customdata})",
            )
        )
    return figure(
        traces,
        f"{title} (n = {plural(counts.height, 'closed deal')})",
        f"{text(', '.join(kinds)).capitalize()}: of the deal, or of its contact between creation and close",
        _whom.left_out({"open": height_of(deals) - counts.height}),
        height=380,
        barmode="group",
        showlegend=True,
        hovermode="x unified",
        xaxis={"title": {"text": "Activities of a deal"}, "type": "category", "showgrid": False},
        yaxis={
            "title": {"text": "% of won, and of lost deals"},
            "tickformat": ".0%",
            "rangemode": "tozero",
        },
    )


def _range(place: int, width: int) -> str:
    """Return what the bin holds: none, (place - 1) * width + 1 to place * width, or more."""
    first = (place - 1) * width + 1
    if place > _BINS:
        return f"{first} or more"
    return "0" if place == 0 else str(first) if width == 1 else f"{first}-{place * width}"


@draws
def days_since_last_touch(
    subjects: pl.DataFrame,
    activities: pl.DataFrame,
    *,
    as_of: TimeLike,
    stale_days: int = 14,
    kinds: Collection[str] = HUMAN,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return bars of the open deals, or the contacts, by the days since somebody last did something with them.

    Parameters
    ----------
    subjects, activities, as_of, stale_days, kinds, time_zone
        Read what `crmlab.analysis.days_since_last_touch` reads.

    Returns
    -------
    go.Figure
        A colour each for recent, stale and never touched.

    Raises
    ------
    UsageError
        `as_of` or `time_zone` cannot be read, `stale_days` is negative, or a column is missing.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> contacts = conform(pl.DataFrame({"id": ["c", "x"]}), TABLES["contacts"])
    >>> calls = pl.DataFrame({"kind": ["call"], "contact_id": ["c"], "created_at": [datetime(2026, 3, 1)]})
    >>> calls = calls.with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.days_since_last_touch(contacts, conform(calls, TABLES["activities"]), as_of="2026-03-16")
    >>> figure.layout.title.text
    'Days since the last touch of contacts (n = 2)'
    >>> [trace.name for trace in figure.data]
    ['more than 14 days: stale', 'never']
    """
    is_deal = attention.are_deals(subjects)
    noun, table = ("open deal", "deals") if is_deal else ("contact", "contacts")
    title = f"Days since the last touch of {noun}s"
    found = analysis.days_since_last_touch(
        subjects, activities, as_of=as_of, stale_days=stale_days, kinds=kinds, time_zone=time_zone
    )
    if found.is_empty():
        why = f"no {'deal is open' if is_deal else 'contact was there'} by then."
        return nothing(title, why if subjects.height else f"the {table} table is empty.")
    firsts = (0, *(last + 1 for last in _DAYS))
    labels = [f"{first}-{last}" for first, last in zip(firsts, _DAYS, strict=False)] + [
        f"> {_DAYS[-1]}",
        "never",
    ]
    place = pl.sum_horizontal(pl.col("days") > last for last in _DAYS)
    placed = found.select(
        "state",
        pl.when(pl.col("days").is_null()).then(len(_DAYS) + 1).otherwise(place).alias("bin"),
    )
    counts = placed.group_by("state", "bin").len("count").sort("bin")
    names = (
        ("recent", f"within {stale_days} days", BLUE),
        ("stale", f"more than {stale_days} days: stale", VERMILLION),
        ("never", "never", REST),
    )
    of_state = {state: counts.filter(pl.col("state") == state) for state, _, _ in names}
    n, stale, never = (
        found.height,
        *(int(of_state[state]["count"].sum()) for state in ("stale", "never")),
    )
    return figure(
        [
            go.Bar(
                x=[labels[place] for place in rows["bin"]],
                y=rows["count"].to_list(),
                name=name,
                marker={"color": colour},
                hovertemplate="%{y:,}",
            )
            for rows, name, colour in (
                (of_state[state], name, colour) for state, name, colour in names
            )
            if rows.height
        ],
        f"{title} (n = {number(n)})",
        f"On {day(as_of, time_zone)}: {number(stale)} ({stale / n:.0%}) stale, "
        f"{number(never)} ({never / n:.0%}) never touched",
        _whom.left_out({"closed" if is_deal else "created later": height_of(subjects) - n}),
        height=380,
        barmode="stack",
        showlegend=True,
        hovermode="x unified",
        xaxis={
            "title": {"text": "Days since the last touch"},
            "type": "category",
            "categoryorder": "array",
            "categoryarray": labels,
            "range": [-0.5, len(labels) - 0.5],
            "showgrid": False,
        },
        yaxis={
            "title": {"text": f"{noun.capitalize()}s"},
            "rangemode": "tozero",
            **whole_ticks(placed.group_by("bin").len()["len"].max() or 0),  # type: ignore[arg-type]
        },
    )
