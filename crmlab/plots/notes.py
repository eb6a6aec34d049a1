"""Sentences more in the subtitle of a figure, such as the period of its data."""

from __future__ import annotations

import plotly.graph_objects as go

from crmlab.analysis.fetches import FetchLike


def with_note(figure: go.Figure, note: str) -> go.Figure:
    """Return the figure with a sentence more in its subtitle; none where `note` is empty."""
    if not note:
        return figure
    before = figure.layout.title.subtitle.text
    return figure.update_layout(title_subtitle_text=f"{before}. {note}" if before else note)


def with_period(figure: go.Figure, data: FetchLike, *tables: str) -> go.Figure:
    """Return the figure with the period of these tables in its subtitle; nothing is said where they are whole."""
    return with_note(figure, data.asked.period_note(tables))
