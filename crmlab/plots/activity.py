"""Figures of activities: when work happens, how much of each kind, and whose."""

from __future__ import annotations

from collections.abc import Collection

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.period import chosen_grain
from crmlab.analysis.touches import left_out, touches, with_count
from crmlab.plots import _bars, _over_time, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._kinds import by_kind
from crmlab.plots._template import SCALE, figure, nothing_of, number, text, whole_ticks
from crmlab.schema import TimeLike

__all__ = ["activity_heatmap", "activity_volume", "activity_volume_by_owner"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@draws
def activity_heatmap(
    activities: pl.DataFrame,
    *,
    kinds: Collection[str] | None = None,
    as_of: TimeLike | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return a heatmap of people's work by weekday and hour.

    Parameters
    ----------
    activities
        Reads what `crmlab.analysis.activity_heatmap` reads.
    kinds, as_of
        As of `crmlab.analysis.activity_heatmap`.
    time_zone
        IANA name such as ``"Europe/Berlin"``, shown on the axis.

    Returns
    -------
    go.Figure
        Monday on top, 24 hours of the place's own clock.

    Raises
    ------
    UsageError
        `as_of` or `time_zone` is not known.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> utc = pl.Series("starts_at", [datetime(2026, 7, 1, 22, 30)]).dt.replace_time_zone("UTC")
    >>> frame = conform(utc.to_frame(), TABLES["activities"])
    >>> figure = plots.activity_heatmap(frame, time_zone="Europe/Berlin")
    >>> figure.layout.title.text
    'Activities by weekday and hour (n = 1)'
    """
    title = "Activities by weekday and hour"
    counts = analysis.activity_heatmap(activities, kinds=kinds, as_of=as_of, time_zone=time_zone)
    counted = int(counts["count"].sum())
    if not counted:
        return nothing_of("activities", activities, title, "no work has a time of day.")

    reasons = left_out(activities, kinds=kinds, as_of=as_of, time_zone=time_zone)
    # what is left out for no other reason has a day and no hour
    without_hour = _happenings(activities) - sum(reasons.values()) - counted
    grid = counts.pivot(on="hour", index="weekday", values="count").drop("weekday")
    heat = go.Heatmap(
        z=[list(weekday_counts) for weekday_counts in grid.iter_rows()],
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
        f"{title} (n = {number(counted)})",
        _what_people_did(kinds),
        _whom.left_out({**reasons, "without an hour (actions, all-day entries)": without_hour}),
        height=360,
        xaxis={
            "title": {"text": f"Hour of the day ({text(time_zone)})"},
            "tickvals": list(range(0, 24, 3)),
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={
            "title": {"text": "Weekday"},
            "type": "category",
            "autorange": "reversed",
            "showgrid": False,
        },
    )


@draws
def activity_volume(
    activities: pl.DataFrame,
    *,
    kinds: Collection[str] | None = None,
    as_of: TimeLike | None = None,
    every: str | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return stacked bars of people's work per period, a colour for each kind.

    Parameters
    ----------
    activities
        Reads what `crmlab.analysis.activity_volume` reads.
    kinds, as_of
        As of `crmlab.analysis.activity_volume`.
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
        `as_of`, `every` or `time_zone` is not known, or there would be more than 2,000 bars.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> frame = pl.DataFrame({"kind": ["call", "call", "note"],
    ...                       "created_at": [datetime(2026, 1, day) for day in (1, 4, 5)]})
    >>> frame = frame.with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.activity_volume(conform(frame, TABLES["activities"]), every="1w")
    >>> figure.layout.title.text
    'Activities per week (n = 3)'
    >>> [trace.name for trace in figure.data]
    ['call', 'note']
    """
    title = "Activities"
    work_done = touches(activities, kinds=kinds, as_of=as_of, time_zone=time_zone)
    # the grain is chosen by what is counted: a period of nothing would make the bars too wide
    every = chosen_grain(every, work_done["day"])
    counts = analysis.activity_volume(
        activities, kinds=kinds, as_of=as_of, every=every, time_zone=time_zone
    )
    if counts.is_empty():
        return nothing_of("activities", activities, title, "no work has a time.")

    reasons = left_out(activities, kinds=kinds, as_of=as_of, time_zone=time_zone)
    undated = int(work_done["count"].sum()) - int(counts["count"].sum())
    missing = _whom.left_out({**reasons, "without a time": undated})
    return _over_time.stacked(counts, every, title, "Activities", _what_people_did(kinds), missing)


def _what_people_did(kinds: Collection[str] | None) -> str:
    """Return in words whose activities are counted."""
    kinds_named = "calls, meetings, notes, appointments, actions done"
    if kinds is not None:
        kinds_named = text(", ".join(kinds))
    return f"What people did: {kinds_named}"


@draws
def activity_volume_by_owner(
    activities: pl.DataFrame,
    users: pl.DataFrame | None = None,
    *,
    kinds: Collection[str] | None = None,
    as_of: TimeLike | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return stacked bars of the work of each owner, a colour for each kind.

    Parameters
    ----------
    activities, users, kinds, as_of, time_zone
        Read what `crmlab.analysis.activity_volume_by_owner` reads.

    Returns
    -------
    go.Figure
        Horizontal bars, the longest on top, beyond twenty the rest is one; the eight kinds with most
        entries, the rest as one. What has no owner is left out.

    Raises
    ------
    UsageError
        `as_of` or `time_zone` cannot be read, or a column is missing.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"kind": ["call", "call", "note"], "author": ["Ann Bee <ann@example.com>", "Ann Bee", None]}
    >>> figure = plots.activity_volume_by_owner(conform(pl.DataFrame(rows), TABLES["activities"]))
    >>> figure.layout.title.text
    'Activities of each owner (n = 2)'
    """
    title = "Activities of each owner"
    counts = analysis.activity_volume_by_owner(
        activities, users, kinds=kinds, as_of=as_of, time_zone=time_zone
    )
    owned = counts.drop_nulls("owner").select(_bars.label_of(["owner"]), "kind", "count")
    if owned.is_empty():
        return nothing_of("activities", activities, title, "no work has an owner.")

    counted = int(owned["count"].sum())
    reasons = left_out(activities, kinds=kinds, as_of=as_of, time_zone=time_zone)
    of_nobody = int(counts["count"].sum()) - counted
    # owners first, kinds then: the bar of the other owners has all kinds, too
    by_size = _bars.longest_first(owned, "count")
    summed, others_note = _bars.with_others(by_size, "count", "owners")
    kind_parts, kinds_note = by_kind(summed, "label")
    labels = summed["label"].unique(maintain_order=True).to_list()
    return figure(
        [_bars.part(kind_rows, "count", kind, colour) for kind_rows, kind, colour in kind_parts],
        f"{title} (n = {number(counted)})",
        _what_people_did(kinds),
        _whom.left_out({**reasons, "without an owner": of_nobody}),
        others_note,
        kinds_note,
        **_bars.stacked(labels, "Activities"),
    )


def _happenings(activities: pl.DataFrame) -> int:
    """Return how many activities there are, each as often as it happened."""
    return int(with_count(activities, "kind")["count"].sum())
