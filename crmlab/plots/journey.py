"""The figure of what follows what."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis import journey
from crmlab.analysis.subjects import Subject
from crmlab.plots import _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import PALETTE, REST, TEXT, figure, nothing_of, text

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
        explanation = "no event of a known person has a time."
        return nothing_of("consent events", consent_events, title, explanation)

    people = int(links.filter(pl.col("step") == 1)["subjects"].sum())
    small_note = ""
    if smallest:
        small_note = f"Links of less than {smallest:.0%} of them are summed as '{journey.OTHER}'"
    return figure(
        [_sankey(links)],
        f"{title} (n = {_whom.subjects(people, subject)})",
        f"The first {steps} consent events of each; '{journey.END}': no further one",
        small_note,
        _whom.events_left_out(consent_events),
        height=420,
        margin={"l": 16, "r": 16, "t": 80, "b": 20},
    )


def _sankey(links: pl.DataFrame) -> go.Sankey:
    """Return the diagram. Reads step, before, after, subjects."""
    # a kind is another node in each step: else what comes twice would make a circle
    starts = links.select("step", kind="before")
    ends = links.select(pl.col("step") + 1, kind="after")
    nodes = pl.concat([starts, ends]).unique().sort("step", "kind")
    number_of = {node: node_number for node_number, node in enumerate(nodes.rows())}
    sources = []
    targets = []
    widths = []
    for step, kind_before, kind_after, people_count in links.rows():
        sources.append(number_of[step, kind_before])
        targets.append(number_of[step + 1, kind_after])
        widths.append(people_count)

    colours = _colours(nodes["kind"])
    return go.Sankey(
        node={
            "label": [text(node_kind) for node_kind in nodes["kind"]],
            "color": [colours.get(node_kind, REST) for node_kind in nodes["kind"]],
            # else who has no further event would stand in the last column
            "align": "left",
            "pad": 14,
            "thickness": 14,
            "line": {"width": 0},
            "hovertemplate": "%{label}: %{value:,}<extra></extra>",
        },
        link={
            "source": sources,
            "target": targets,
            "value": widths,
            "color": "rgba(128,128,128,0.30)",
            "hovertemplate": "%{source.label} → %{target.label}: %{value:,}<extra></extra>",
        },
        # Plotly puts a shadow of the page's colour behind the words, which here is not known
        textfont={"size": 12, "color": TEXT, "shadow": "none"},
    )


def _colours(kinds: pl.Series) -> dict[str, str]:
    """Return a colour for each kind that is an event."""
    events = kinds.unique().sort()
    named = [event_kind for event_kind in events if event_kind not in (journey.END, journey.OTHER)]
    return dict(zip(named, PALETTE, strict=False))
