"""The figure of what follows what."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis import journey
from crmlab.analysis.parts import height_of
from crmlab.analysis.subjects import Subject
from crmlab.plots import _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import PALETTE, REST, TEXT, figure, nothing, text
from crmlab.plots.consent_state import NO_EVENTS

__all__ = ["consent_journeys"]


@draws
def consent_journeys(
    consent_events: pl.DataFrame,
    *,
    steps: int = journey.MAX_STEPS,
    smallest: float = 0.01,
    subject: Subject = "contact",
    contacts: pl.DataFrame | None = None,
) -> go.Figure:
    """Return a Sankey diagram of the first consent events of people.

    Parameters
    ----------
    consent_events, steps, smallest, subject, contacts
        As `crmlab.analysis.consent_journeys`.

    Returns
    -------
    go.Figure
        A column for each event, a band for each change, as wide as there are people.

    Raises
    ------
    UsageError
        `steps`, `smallest` or `subject` is not in its range.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"provider": ["altcraft"] * 3, "kind": ["subscribe", "subscribe", "unsubscribe"],
    ...         "contact_id": ["1", "2", "1"], "occurred_at": [datetime(2026, 1, day) for day in (1, 1, 11)]}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.consent_journeys(conform(frame, TABLES["consent_events"]))
    >>> figure.layout.title.text
    'What follows what (n = 2 contacts)'
    """
    title = "What follows what"
    links = analysis.consent_journeys(
        consent_events, steps=steps, smallest=smallest, subject=subject, contacts=contacts
    )
    if links.is_empty():
        why = "no event of a known person has a time."
        return nothing(title, why if height_of(consent_events) else NO_EVENTS)
    start, goal = (
        links.select("step", kind="before"),
        links.select(pl.col("step") + 1, kind="after"),
    )
    nodes = pl.concat([start, goal]).unique().sort("step", "kind")
    number = {node: index for index, node in enumerate(nodes.rows())}
    kinds = [
        kind for kind in nodes["kind"].unique().sort() if kind not in (journey.END, journey.OTHER)
    ]
    colours = dict(zip(kinds, PALETTE, strict=False))
    rows = links.rows()
    sankey = go.Sankey(
        node={
            "label": [text(kind) for kind in nodes["kind"]],
            "color": [colours.get(kind, REST) for kind in nodes["kind"]],
            # else who has no further event would stand in the last column
            "align": "left",
            "pad": 14,
            "thickness": 14,
            "line": {"width": 0},
            "hovertemplate": "%{label}: %{value:,}<extra></extra>",
        },
        link={
            "source": [number[step, before] for step, before, _, _ in rows],
            "target": [number[step + 1, after] for step, _, after, _ in rows],
            "value": [people for *_, people in rows],
            "color": "rgba(128,128,128,0.30)",
            "hovertemplate": "%{source.label} → %{target.label}: %{value:,}<extra></extra>",
        },
        textfont={"size": 12, "color": TEXT, "shadow": "none"},
    )
    people = int(links.filter(pl.col("step") == 1)["subjects"].sum())
    note = (
        f"Links of less than {smallest:.0%} of them are summed as '{journey.OTHER}'"
        if smallest
        else ""
    )
    return figure(
        [sankey],
        f"{title} (n = {_whom.subjects(people, subject)})",
        f"The first {steps} consent events of each; '{journey.END}': no further one",
        note,
        _whom.events_left_out(consent_events),
        height=420,
        margin={"l": 16, "r": 16, "t": 80, "b": 20},
    )
