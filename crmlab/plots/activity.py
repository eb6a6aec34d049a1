"""Figures of activities: when work happens, how much of each kind, and whose."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis import activity
from crmlab.analysis.period import chosen_grain
from crmlab.plots import _bars, _over_time
from crmlab.plots._fetches import draws
from crmlab.plots._kinds import by_kind
from crmlab.plots._template import SCALE, figure, nothing, number, text, whole_ticks

__all__ = ["activity_heatmap", "activity_volume", "activity_volume_by_owner"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NO_ACTIVITIES = "the activities table is empty."


@draws
def activity_heatmap(activities: pl.DataFrame, *, time_zone: str = "UTC") -> go.Figure:
    """Return a heatmap of activities by weekday and hour.

    Parameters
    ----------
    activities
        Reads what `crmlab.analysis.activity_heatmap` reads.
    time_zone
        IANA name such as ``"Europe/Berlin"``, shown on the axis.

    Returns
    -------
    go.Figure
        Monday on top, 24 hours of the place's own clock.

    Raises
    ------
    UsageError
        `time_zone` is not known.
    """
    title = "Activities by weekday and hour"
    counts = analysis.activity_heatmap(activities, time_zone=time_zone)
    n = int(counts["count"].sum())
    if not n:
        return nothing(title, "no activity has a time of day." if activities.height else _NO_ACTIVITIES)
    left_out = activity.happenings(activities) - n
    grid = counts.pivot(on="hour", index="weekday", values="count").drop("weekday")
    heat = go.Heatmap(
        z=[list(row) for row in grid.iter_rows()],
        x=list(range(24)),
        y=list(_DAYS),
        colorscale=SCALE,
        zmin=0,
        xgap=2,
        ygap=2,
        colorbar={
            "title": {"text": "Activities"},
            "thickness": 10,
            "outlinewidth": 0,
            **whole_ticks(max(counts["count"].to_list())),
        },
        hovertemplate="%{y} %{x}:00-%{x}:59: %{z:,}<extra></extra>",
    )
    return figure(
        [heat],
        f"{title} (n = {number(n)})",
        f"{number(left_out)} that last all day or have no time left out" if left_out else "",
        height=360,
        xaxis={
            "title": {"text": f"Hour of the day ({text(time_zone)})"},
            "tickvals": list(range(0, 24, 3)),
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={"title": {"text": "Weekday"}, "type": "category", "autorange": "reversed", "showgrid": False},
    )


@draws
def activity_volume(activities: pl.DataFrame, *, every: str | None = None, time_zone: str = "UTC") -> go.Figure:
    """Return stacked bars of activities per period, a colour for each kind.

    Parameters
    ----------
    activities
        Reads what `crmlab.analysis.activity_volume` reads.
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 bars.
    time_zone
        IANA name; where the day begins.

    Returns
    -------
    go.Figure
        The eight kinds with most activities, the rest as one.

    Raises
    ------
    UsageError
        `every` or `time_zone` is not known, or there would be more than 2,000 bars.
    """
    every = chosen_grain(every, activities.select(activity.happened_on(time_zone)).to_series())
    counts = analysis.activity_volume(activities, every=every, time_zone=time_zone)
    if counts.is_empty():
        return nothing("Activities", "no activity has a time." if activities.height else _NO_ACTIVITIES)
    undated = activity.happenings(activities) - int(counts["count"].sum())
    note = f"{number(undated)} without a time left out" if undated else ""
    return _over_time.stacked(counts, every, "Activities", "Activities", note)


@draws
def activity_volume_by_owner(activities: pl.DataFrame, users: pl.DataFrame | None = None) -> go.Figure:
    """Return stacked bars of the activities of each owner, a colour for each kind.

    Parameters
    ----------
    activities, users
        Read what `crmlab.analysis.activity_volume_by_owner` reads.

    Returns
    -------
    go.Figure
        Horizontal bars, the longest on top, beyond twenty the rest is one; the eight kinds with most
        activities, the rest as one. Activities without an owner, such as mailings, are left out.

    Raises
    ------
    UsageError
        A column is missing.
    """
    title = "Activities of each owner"
    counts = analysis.activity_volume_by_owner(activities, users)
    owned = counts.drop_nulls("owner").select(_bars.label_of(["owner"]), "kind", "count")
    if owned.is_empty():
        return nothing(title, "no activity has an owner." if activities.height else _NO_ACTIVITIES)
    n = int(owned["count"].sum())
    left_out = activity.happenings(activities) - n
    shown, note = _bars.with_others(_bars.longest_first(owned, "count"), "count", "owners")
    parts, rest = by_kind(shown, "label")
    labels = shown["label"].unique(maintain_order=True).to_list()
    return figure(
        [_bars.part(rows, "count", kind, colour) for rows, kind, colour in parts],
        f"{title} (n = {number(n)})",
        f"{number(left_out)} without an owner left out" if left_out else "",
        note,
        rest,
        **_bars.stacked(labels, "Activities"),
    )
