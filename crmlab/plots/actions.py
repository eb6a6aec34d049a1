"""Figures of actions: what is open and overdue, what was done on time."""

from __future__ import annotations

import datetime as dt

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.parts import height_of
from crmlab.analysis.rates import ratio
from crmlab.display import plural
from crmlab.plots import _bars, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import (
    BLUE,
    PALETTE,
    REST,
    VERMILLION,
    day,
    figure,
    nothing_of,
    number,
    part_of_whole,
    share_axis,
)
from crmlab.schema import TimeLike

__all__ = ["completion_rate", "open_actions"]

_PARTS = (
    ("overdue_above_30_days", "overdue above 30 days", VERMILLION),
    ("overdue_8_to_30_days", "8-30 days", PALETTE[1]),
    ("overdue_to_7_days", "1-7 days", PALETTE[6]),
    ("upcoming", "due today or later", BLUE),
    ("undated", "no due day", REST),
)


@draws
def open_actions(
    activities: pl.DataFrame,
    *,
    as_of: TimeLike,
    time_zone: str = "UTC",
    users: pl.DataFrame | None = None,
) -> go.Figure:
    """Return stacked bars of the open actions of each owner: overdue for how long, due later, without a day.

    Parameters
    ----------
    activities, as_of, time_zone, users
        Read what `crmlab.analysis.open_actions` reads.

    Returns
    -------
    go.Figure
        Horizontal bars, the longest on top, beyond twenty the rest is one.

    Raises
    ------
    UsageError
        `as_of` or `time_zone` cannot be read, or a column is missing.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"kind": ["action"] * 3, "owner_id": ["ann"] * 3, "done": [False, False, True],
    ...         "due_on": [date(2026, 3, 1), date(2026, 3, 9), date(2026, 3, 2)]}
    >>> figure = plots.open_actions(conform(pl.DataFrame(rows), TABLES["activities"]), as_of="2026-03-09")
    >>> figure.layout.title.text
    'Open actions (n = 2)'
    >>> [trace.name for trace in figure.data]
    ['8-30 days', 'due today or later']
    """
    title = "Open actions"
    owners = analysis.open_actions(activities, as_of=as_of, time_zone=time_zone, users=users)
    if owners.is_empty():
        return nothing_of("activities", activities, title, "no action is open.")

    # shares cannot be added up for the bar of the other owners
    counted = owners.select(_bars.label_of(["owner"]), pl.exclude("owner", "overdue_rate"))
    by_size = _bars.longest_first(counted, "open")
    summed, others_note = _bars.with_others(by_size, "open", "owners")
    open_count = int(summed["open"].sum())
    overdue = int(summed["overdue"].sum())
    traces = []
    for column, legend_name, colour in _PARTS:
        # an empty part would stand in the legend
        if summed[column].sum():
            traces.append(_bars.part(summed, column, legend_name, colour))
    return figure(
        traces,
        f"{title} (n = {number(open_count)})",
        f"On {day(as_of, time_zone)}: {number(overdue)} ({overdue / open_count:.0%}) overdue",
        _whom.left_out({"done, or created later": _actions(activities) - open_count}),
        others_note,
        **_bars.stacked(summed["label"].to_list(), "Open actions"),
    )


@draws
def completion_rate(
    activities: pl.DataFrame,
    *,
    as_of: TimeLike,
    since: dt.date | None = None,
    until: dt.date | None = None,
    time_zone: str = "UTC",
    users: pl.DataFrame | None = None,
) -> go.Figure:
    """Return bars of the share of due actions that each owner did on time.

    Parameters
    ----------
    activities, as_of, since, until, time_zone, users
        Read what `crmlab.analysis.completion_rate` reads.

    Returns
    -------
    go.Figure
        Horizontal bars, 0-100 %, each with the numbers it was made of; most due actions on top, beyond
        twenty the rest is one.

    Raises
    ------
    UsageError
        `as_of`, `since`, `until` or `time_zone` cannot be read, or a column is missing.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"kind": ["action"] * 3, "owner_id": ["ann"] * 3, "done": [True, True, False],
    ...         "due_on": [date(2026, 3, 2)] * 3, "done_at": [date(2026, 3, 1), date(2026, 3, 3), None]}
    >>> figure = plots.completion_rate(conform(pl.DataFrame(rows), TABLES["activities"]), as_of="2026-03-09")
    >>> figure.layout.title.text
    'Actions done on time (n = 3 due actions)'
    """
    title = "Actions done on time"
    owners = analysis.completion_rate(
        activities, as_of=as_of, since=since, until=until, time_zone=time_zone, users=users
    )
    if owners.is_empty():
        return nothing_of("activities", activities, title, "no action was due.")

    counted = owners.select(_bars.label_of(["owner"]), "due", "on_time")
    by_size = _bars.longest_first(counted, "due")
    summed, others_note = _bars.with_others(by_size, "due", "owners")
    # divided when the other owners are summed: shares cannot be added
    rates = summed.with_columns(rate=ratio(pl.col("on_time"), pl.col("due")))
    words_beside = []
    for rate, on_time, due in rates.select("rate", "on_time", "due").iter_rows():
        words_beside.append((f"{rate:.0%}", part_of_whole(on_time, due)))
    due_count = int(rates["due"].sum())
    return figure(
        [_bars.bars(rates, "rate", words_beside, BLUE)],
        f"{title} (n = {plural(due_count, 'due action')})",
        f"Done by the day due / due before {day(as_of, time_zone)}",
        _whom.left_out({"not due in this time, or on no day": _actions(activities) - due_count}),
        others_note,
        height=_bars.height(rates.height),
        xaxis=share_axis("Done on time, % of due"),
        yaxis=_bars.label_axis(rates["label"].to_list()),
    )


def _actions(activities: pl.DataFrame) -> int:
    return height_of(activities.filter(pl.col("kind") == "action"))
