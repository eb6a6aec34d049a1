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
    axis_from_zero,
    day,
    figure,
    nothing_of,
    number,
    part_of_whole,
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
        return nothing_of("deals", deals, title, "no deal is won or lost.")

    bin_width = _bin_width(counts["activities"])
    # rounded up: a bin ends with a multiple of the width, and 0 is a bin by itself
    bin_of = ((pl.col("activities") + bin_width - 1) // bin_width).clip(upper_bound=_BINS + 1)
    binned = counts.with_columns(bin_of.alias("bin"))
    bin_numbers = range(max(binned["bin"]) + 1)
    labels = [_range(bin_number, bin_width) for bin_number in bin_numbers]
    traces = []
    for status, colour in (("won", GREEN), ("lost", VERMILLION)):
        own_deals = binned.filter(pl.col("status") == status)
        if own_deals.is_empty():
            continue
        bin_sizes = dict(own_deals.group_by("bin").len().iter_rows())
        deals_in = [bin_sizes.get(bin_number, 0) for bin_number in bin_numbers]
        deal_count = own_deals.height
        median = float(own_deals["activities"].median() or 0)  # type: ignore[arg-type]
        bars = go.Bar(
            x=labels,
            y=[bin_size / deal_count for bin_size in deals_in],
            customdata=[part_of_whole(bin_size, deal_count) for bin_size in deals_in],
            name=f"{status}: {plural(deal_count, 'deal')}, median {median:g}",
            marker={"color": colour},
            hovertemplate="%{y:.0%} (%{customdata})",
        )
        traces.append(bars)

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


def _bin_width(activities: pl.Series) -> int:
    """Return the least width by which most deals are in one of the bins that have an end."""
    # of the twentieth part with most activities some have so many that all others would be in one bin
    usual_activities = activities.quantile(0.95, "higher") or 0
    for bin_width in _WIDTHS:
        if usual_activities <= bin_width * _BINS:
            return bin_width
    return _WIDTHS[-1]


def _range(place: int, width: int) -> str:
    """Return what the bin holds: none, (place - 1) * width + 1 to place * width, or more."""
    first_activity = (place - 1) * width + 1
    if place > _BINS:
        return f"{first_activity} or more"
    if place == 0:
        return "0"
    if width == 1:
        return str(first_activity)
    return f"{first_activity}-{place * width}"


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
    subject_noun = "contact"
    table_name = "contacts"
    explanation = "no contact was there by then."
    without_place = "created later"
    # a closed deal waits for nobody, and is left out
    if attention.are_deals(subjects):
        subject_noun = "open deal"
        table_name = "deals"
        explanation = "no deal is open by then."
        without_place = "closed"
    title = f"Days since the last touch of {subject_noun}s"
    days_since = analysis.days_since_last_touch(
        subjects, activities, as_of=as_of, stale_days=stale_days, kinds=kinds, time_zone=time_zone
    )
    if days_since.is_empty():
        return nothing_of(table_name, subjects, title, explanation)

    labels = _day_labels()
    # null is in no bin of days: it is the last one, "never"
    bin_of = pl.sum_horizontal(pl.col("days") > last_day for last_day in _DAYS)
    never_bin = len(_DAYS) + 1
    bin_place = pl.when(pl.col("days").is_null()).then(never_bin).otherwise(bin_of)
    placed = days_since.select("state", bin_place.alias("bin"))
    counts = placed.group_by("state", "bin").len("count").sort("bin")

    subject_count = days_since.height
    tallest = placed.group_by("bin").len()["len"].max() or 0
    return figure(
        _state_bars(counts, labels, stale_days),
        f"{title} (n = {number(subject_count)})",
        f"On {day(as_of, time_zone)}: {_of_all(days_since, 'stale')} stale, "
        f"{_of_all(days_since, 'never')} never touched",
        _whom.left_out({without_place: height_of(subjects) - subject_count}),
        height=380,
        barmode="stack",
        showlegend=True,
        hovermode="x unified",
        xaxis={
            "title": {"text": "Days since the last touch"},
            "type": "category",
            "categoryorder": "array",
            "categoryarray": labels,
            # bins of nobody are shown, too: without them the axis would be none of time
            "range": [-0.5, len(labels) - 0.5],
            "showgrid": False,
        },
        yaxis={**axis_from_zero(f"{subject_noun.capitalize()}s"), **whole_ticks(tallest)},  # type: ignore[arg-type]
    )


def _state_bars(
    counts: pl.DataFrame,
    labels: list[str],
    stale_days: int,
) -> list[go.Bar]:
    """Return the bars of each state. Reads state, bin, count."""
    styles = (
        ("recent", f"within {stale_days} days", BLUE),
        ("stale", f"more than {stale_days} days: stale", VERMILLION),
        ("never", "never", REST),
    )
    traces = []
    for state, legend_name, colour in styles:
        own_counts = counts.filter(pl.col("state") == state)
        # an empty trace would stand in the legend
        if own_counts.is_empty():
            continue
        bars = go.Bar(
            x=[labels[position] for position in own_counts["bin"]],
            y=own_counts["count"].to_list(),
            name=legend_name,
            marker={"color": colour},
            hovertemplate="%{y:,}",
        )
        traces.append(bars)
    return traces


def _day_labels() -> list[str]:
    """Return "0-7", "8-14" and so on, what is longer, and "never"."""
    labels = []
    first_day = 0
    for last_day in _DAYS:
        labels.append(f"{first_day}-{last_day}")
        first_day = last_day + 1
    return [*labels, f"> {_DAYS[-1]}", "never"]


def _of_all(days: pl.DataFrame, state: str) -> str:
    """Return "3 (15%)": how many are in a state."""
    state_count = days.filter(pl.col("state") == state).height
    return f"{number(state_count)} ({state_count / days.height:.0%})"
