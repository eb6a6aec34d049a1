"""Sentences more in the subtitle of a figure, such as the period of its data."""

from __future__ import annotations

import plotly.graph_objects as go

from crmlab.analysis.fetches import FetchLike
from crmlab.plots._template import with_subtitle
from crmlab.schema import unread_note


def with_note(figure: go.Figure, note: str) -> go.Figure:
    """Return the figure with a sentence more in its subtitle; none where `note` is empty."""
    if not note:
        return figure
    subtitle_before = figure.layout.title.subtitle.text
    if not subtitle_before:
        return with_subtitle(figure, note)
    return with_subtitle(figure, f"{subtitle_before}. {note}")


def with_notes(figure: go.Figure, data: FetchLike, *tables: str) -> go.Figure:
    """Return the figure with what there is to say of these tables in its subtitle: their period, and what is unread.

    Nothing is said where they are whole and all of their values could be read.
    """
    figure = with_note(figure, data.asked.period_note(tables))
    return with_note(figure, unread_note(data.summary, tables))
