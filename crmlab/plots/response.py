"""Figure of response: how soon contacts have an answer from a person."""

from __future__ import annotations

import math
from collections.abc import Collection

import plotly.graph_objects as go
import polars as pl

from crmlab.analysis import response
from crmlab.analysis.inputs import By, keys_of, read
from crmlab.analysis.survival import kaplan_meier, time_until
from crmlab.analysis.touches import OUTBOUND
from crmlab.display import plural
from crmlab.plots import _bars, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import PALETTE, figure, how_many, nothing_of, number, text
from crmlab.schema import TimeLike

__all__ = ["response_time"]

#: ticks of a logarithmic axis of hours
_TICKS = {1 / 60: "1 min", 1 / 6: "10 min", 1: "1 hour", 4: "4 h", 24: "1 day", 168: "1 week", 730: "1 month",
          8766: "1 year", 87_660: "10 years"}  # fmt: skip
#: steps of a curve within a factor of ten; more cannot be told apart
_STEPS = 50
#: the shares whose times are marked
_MARKED = (0.5, 0.9)
#: units of times in words, in hours, the longest first
_UNITS = ((24.0, "day"), (1.0, "hour"))


@draws
def response_time(
    contacts: pl.DataFrame,
    activities: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    start: str = "created_at",
    kinds: Collection[str] = OUTBOUND,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return curves of the share of contacts that have an answer, by the time they wait.

    Parameters
    ----------
    contacts, activities, by, as_of, start, kinds, time_zone
        Read what `crmlab.analysis.response_time` reads.

    Returns
    -------
    go.Figure
        Rising steps, 0-100 %, over a logarithmic time; a curve for each of the eight groups with most contacts.
        Dots are the median and the 90th percentile.

    Raises
    ------
    UsageError
        `as_of` or `time_zone` cannot be read, or a column is missing.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> came = pl.Series("created_at", [datetime(2026, 3, 2, 9, tzinfo=UTC)] * 3)
    >>> contacts = conform(pl.DataFrame({"id": ["a", "b", "c"], "created_at": came}), TABLES["contacts"])
    >>> called = pl.Series("starts_at", [datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (12, 18)])
    >>> calls = pl.DataFrame({"kind": ["call"] * 2, "contact_id": ["a", "b"], "starts_at": called})
    >>> figure = plots.response_time(contacts, conform(calls, TABLES["activities"]), as_of="2026-03-04")
    >>> figure.layout.title.text
    'Time to the first answer (n = 3 contacts)'
    """
    title = "Time to the first answer"
    group_columns = keys_of(by)
    waits = response.waits(
        contacts, activities, as_of=as_of, by=by, start=start, kinds=kinds, time_zone=time_zone
    )
    if waits.is_empty():
        return nothing_of("contacts", contacts, title, f"no contact has a {text(start)} by then.")

    group_label = pl.lit("all contacts").alias("label")
    if group_columns:
        group_label = _bars.label_of(group_columns)
    durations = waits.select(
        group_label,
        duration=pl.col("wait_hours"),
        ended=pl.col("answered"),
    )
    sizes = durations.group_by("label").len("n")
    groups = _bars.largest_first(sizes, "n")
    curves = kaplan_meier(durations, by="label")
    traces: list[go.Scatter] = []
    for group_name, colour in zip(groups["label"], PALETTE, strict=False):
        own_curve = curves.filter(pl.col("label") == group_name)
        traces += _curve(own_curve, group_name, colour, is_alone=not group_columns)

    # where nobody writes down what was done, no contact could have an answer
    accounts = read(contacts, "contacts", "provider", "account")
    answerable_contacts = response.answerable(accounts, activities, kinds).height
    reasons = {
        "of accounts in which no call, meeting or other work is recorded": accounts.height
        - answerable_contacts,
        f"without a {text(start)} by then": answerable_contacts - waits.height,
    }
    waiting = int((~durations["ended"]).sum())
    # the legend is as high as it has lines
    legend_lines = 0
    if group_columns:
        legend_lines = min(len(PALETTE), groups.height)
    return figure(
        traces,
        f"{title} (n = {plural(waits.height, 'contact')})",
        f"{number(waiting)} ({waiting / waits.height:.0%}) still wait and count as waiting (Kaplan-Meier)",
        _whom.left_out(reasons),
        how_many(groups.height - len(PALETTE), "smaller group", "not shown"),
        height=400 + 12 * legend_lines,
        showlegend=bool(group_columns),
        hovermode="closest",
        xaxis=_time_axis(curves),
        yaxis={
            "title": {"text": "Answered, % of contacts"},
            "tickformat": ".0%",
            "range": [0, 1.04],
        },
    )


def _curve(
    curve: pl.DataFrame,
    name: str,
    colour: str,
    *,
    is_alone: bool,
) -> list[go.Scatter]:
    """Return the steps of one group, thinned to what can be seen, and dots at its median and 90th percentile."""
    # an answer within the minute has no place on a logarithmic axis
    shortest = min(_TICKS)
    clipped = curve.with_columns(pl.col("time").clip(shortest))
    # of the steps that fall on one spot the last tells how high the curve is there
    spot_on_axis = (pl.col("time").log10() * _STEPS).floor()
    thinned = clipped.group_by(spot_on_axis.alias("step"), maintain_order=True).last()
    times = [shortest, *thinned["time"]]
    median = clipped.select(time_until(0.5)).item()
    median_in_words = "not reached"
    if median is not None:
        median_in_words = _words(median)
    line = go.Scatter(
        x=times,
        y=[0.0, *(1 - thinned["surviving"])],
        name=text(f"{name}: median {median_in_words}"),
        legendgroup=name,
        mode="lines",
        line={"color": colour, "width": 2, "shape": "hv"},
        hovertemplate=f"{text(name)}: %{{y:.0%}} after %{{customdata}}<extra></extra>",
        customdata=[_words(hours) for hours in times],
    )
    return [line, _dots(clipped, name, colour, is_alone=is_alone)]


def _dots(
    curve: pl.DataFrame,
    name: str,
    colour: str,
    *,
    is_alone: bool,
) -> go.Scatter:
    """Return the dots on the steps of one group, where the curve is high enough for them."""
    reached_at = []
    reached_shares = []
    for share in _MARKED:
        hours = curve.select(time_until(share)).item()
        if hours is not None:
            reached_at.append(hours)
            reached_shares.append(share)

    # beside several curves the words would stand on other curves
    mode = "markers"
    if is_alone:
        mode = "markers+text"
    dot_words = [
        f"{share:.0%}: {_words(hours)}"
        for hours, share in zip(reached_at, reached_shares, strict=True)
    ]
    return go.Scatter(
        x=reached_at,
        y=reached_shares,
        mode=mode,
        marker={"color": colour, "size": 9},
        text=dot_words,
        textposition="top left",
        cliponaxis=False,
        showlegend=False,
        legendgroup=name,
        hovertemplate=f"{text(name)}: %{{text}}<extra></extra>",
    )


def _time_axis(curves: pl.DataFrame) -> dict[str, object]:
    times: list[float] = curves["time"].to_list()
    # one hour is always there, so that the axis has a tick
    shortest = max(min(*times, 1), min(_TICKS))
    longest = max(*times, 1)
    return {
        "type": "log",
        "title": {"text": "Time since the contact came (logarithmic)"},
        "tickvals": list(_TICKS),
        "ticktext": list(_TICKS.values()),
        "range": [math.log10(shortest) - 0.05, math.log10(longest) + 0.1],
    }


def _words(hours: float) -> str:
    """Return 0.5 as "30 minutes"."""
    for size, unit in _UNITS:
        if hours >= 20 * size:
            return f"{hours / size:.0f} {unit}s"
        if hours >= 2 * size:
            return f"{hours / size:.1f} {unit}s"
    return f"{hours * 60:.0f} minutes"
