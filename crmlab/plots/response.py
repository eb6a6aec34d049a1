"""Figure of response: how soon contacts have an answer from a person."""

from __future__ import annotations

import math
from collections.abc import Collection

import plotly.graph_objects as go
import polars as pl

from crmlab.analysis import response
from crmlab.analysis.inputs import By, keys_of
from crmlab.analysis.parts import height_of
from crmlab.analysis.survival import kaplan_meier, time_until
from crmlab.analysis.touches import OUTBOUND
from crmlab.display import plural
from crmlab.plots import _bars, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import PALETTE, figure, nothing, number, text
from crmlab.schema import TimeLike

__all__ = ["response_time"]

#: ticks of a logarithmic axis of hours
_TICKS = {1 / 60: "1 min", 1 / 6: "10 min", 1: "1 hour", 4: "4 h", 24: "1 day", 168: "1 week", 730: "1 month",
          8766: "1 year", 87_660: "10 years"}  # fmt: skip
#: steps of a curve within a factor of ten; more cannot be told apart
_STEPS = 50


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
    keys = keys_of(by)
    waits = response.waits(
        contacts, activities, as_of=as_of, by=by, start=start, kinds=kinds, time_zone=time_zone
    )
    if waits.is_empty():
        why = (
            f"no contact has a {text(start)} by then."
            if height_of(contacts)
            else "the contacts table is empty."
        )
        return nothing(title, why)
    able = height_of(response.answerable(contacts, activities, kinds))
    unable, without_start = height_of(contacts) - able, able - waits.height
    label = _bars.label_of(keys) if keys else pl.lit("all contacts").alias("label")
    durations = waits.select(
        label, pl.col("wait_hours").alias("duration"), pl.col("answered").alias("ended")
    )
    groups = durations.group_by("label").len("n").sort("n", "label", descending=[True, False])
    curves = kaplan_meier(durations, by="label")
    traces: list[go.Scatter] = []
    for (name, _), colour in zip(groups.iter_rows(), PALETTE, strict=False):
        traces += _curve(curves.filter(pl.col("label") == name), name, colour, is_alone=not keys)
    waiting, left_out = int((~durations["ended"]).sum()), groups.height - len(PALETTE)
    return figure(
        traces,
        f"{title} (n = {plural(waits.height, 'contact')})",
        f"{number(waiting)} ({waiting / waits.height:.0%}) still wait and count as waiting (Kaplan-Meier)",
        _whom.left_out(
            {
                "of accounts in which no call, meeting or other work is recorded": unable,
                f"without a {text(start)} by then": without_start,
            }
        ),
        f"{plural(left_out, 'smaller group')} not shown" if left_out > 0 else "",
        # the legend is as high as it has lines
        height=400 + 12 * min(len(PALETTE), groups.height if keys else 0),
        showlegend=bool(keys),
        hovermode="closest",
        xaxis=_time_axis(curves),
        yaxis={
            "title": {"text": "Answered, % of contacts"},
            "tickformat": ".0%",
            "range": [0, 1.04],
        },
    )


def _curve(curve: pl.DataFrame, name: str, colour: str, *, is_alone: bool) -> list[go.Scatter]:
    """Return the steps of one group, thinned to what can be seen, and dots at its median and 90th percentile."""
    curve = curve.with_columns(pl.col("time").clip(min(_TICKS)))
    step = (pl.col("time").log10() * _STEPS).floor()
    thin = curve.group_by(step.alias("step"), maintain_order=True).last()
    reached = [(curve.select(time_until(share)).item(), share) for share in (0.5, 0.9)]
    found = [(hours, share) for hours, share in reached if hours is not None]
    median = reached[0][0]
    line = go.Scatter(
        x=[min(_TICKS), *thin["time"]],
        y=[0.0, *(1 - thin["surviving"])],
        name=text(f"{name}: median {_words(median) if median is not None else 'not reached'}"),
        legendgroup=name,
        mode="lines",
        line={"color": colour, "width": 2, "shape": "hv"},
        hovertemplate=f"{text(name)}: %{{y:.0%}} after %{{customdata}}<extra></extra>",
        customdata=[_words(hours) for hours in (min(_TICKS), *thin["time"])],
    )
    dots = go.Scatter(
        x=[hours for hours, _ in found],
        y=[share for _, share in found],
        mode="markers+text" if is_alone else "markers",
        marker={"color": colour, "size": 9},
        text=[f"{share:.0%}: {_words(hours)}" for hours, share in found],
        textposition="top left",
        cliponaxis=False,
        showlegend=False,
        legendgroup=name,
        hovertemplate=f"{text(name)}: %{{text}}<extra></extra>",
    )
    return [line, dots]


def _time_axis(curves: pl.DataFrame) -> dict[str, object]:
    times: list[float] = curves["time"].to_list()
    shortest, longest = max(min(*times, 1), min(_TICKS)), max(*times, 1)
    return {
        "type": "log",
        "title": {"text": "Time since the contact came (logarithmic)"},
        "tickvals": list(_TICKS),
        "ticktext": list(_TICKS.values()),
        "range": [math.log10(shortest) - 0.05, math.log10(longest) + 0.1],
    }


def _words(hours: float) -> str:
    """Return 0.5 as "30 minutes"."""
    for size, unit in ((24.0, "day"), (1.0, "hour")):
        if hours >= 2 * size:
            return f"{hours / size:.{0 if hours >= 20 * size else 1}f} {unit}s"
    return f"{hours * 60:.0f} minutes"
