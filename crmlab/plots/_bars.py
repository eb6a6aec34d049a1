"""Horizontal bars, one for each label: twenty at most, and no label over another."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from crmlab.plots._template import text

MAX_BARS = 20


def label_of(columns: Sequence[str]) -> pl.Expr:
    """Return the values of several columns as one label."""
    column_texts = [pl.col(column).cast(pl.String).fill_null("(none)") for column in columns]
    return pl.concat_str(column_texts, separator=" · ").alias("label")


def largest_first(frame: pl.DataFrame, size: str, name: str = "label") -> pl.DataFrame:
    """Return the rows by size, and those of one size by name."""
    return frame.sort(size, name, descending=[True, False])


def with_others(
    frame: pl.DataFrame,
    size: str,
    noun: str,
) -> tuple[pl.DataFrame, str]:
    """Return the frame with all but the largest labels summed as "N others", and a note that says so.

    The order of the rows stays, the others come last. Columns that are not numbers are kept apart.
    """
    totals = frame.group_by("label", maintain_order=True).agg(pl.col(size).sum())
    if totals.height <= MAX_BARS:
        return frame, ""
    # one bar is that of the others
    by_size = totals.sort(size, descending=True, maintain_order=True)
    kept_labels = by_size["label"].head(MAX_BARS - 1)
    others_label = f"{totals.height - kept_labels.len()} others"
    is_kept = pl.col("label").is_in(kept_labels.implode())
    others = frame.filter(~is_kept).with_columns(label=pl.lit(others_label))

    # what is no number, such as a currency, keeps its rows apart: their amounts cannot be added
    key_columns = []
    for column, dtype in frame.schema.items():
        if not dtype.is_numeric():
            key_columns.append(column)
    all_rows = pl.concat([frame.filter(is_kept), others])
    summed = all_rows.group_by(key_columns, maintain_order=True).agg(pl.all().sum())
    return summed.select(frame.columns), f"The smallest {noun} are summed as '{others_label}'"


def largest(
    frame: pl.DataFrame,
    size: str,
    noun: str,
) -> tuple[pl.DataFrame, str]:
    """Return the rows with the largest sizes in their order, and a note that says how many are not shown.

    For what cannot be summed, such as medians.
    """
    if frame.height <= MAX_BARS:
        return frame, ""
    numbered = frame.with_row_index("place")
    by_size = numbered.sort(size, "place", descending=[True, False])
    kept = by_size.head(MAX_BARS).sort("place")
    not_shown = frame.height - MAX_BARS
    return kept.drop("place"), f"{not_shown} {noun} with fewer deals not shown"


def bars(
    frame: pl.DataFrame,
    length: str,
    beside: Sequence[tuple[str, ...]],
    colour: str | list[str],
    name: str = "",
) -> go.Bar:
    """Return bars as long as the column `length`, with lines of words inside, or beside where they do not fit."""
    # Plotly leaves out the words of a bar without length, unless they are beside it
    positions = ["auto" if value else "outside" for value in frame[length]]
    text_lines = ["<br>".join(map(text, bar_words)) for bar_words in beside]
    return go.Bar(
        x=frame[length].to_list(),
        y=[text(label) for label in frame["label"]],
        text=text_lines,
        name=text(name),
        orientation="h",
        marker={"color": colour},
        textposition=positions,
        textangle=0,
        textfont={"size": 11},
        cliponaxis=False,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )


def part(
    frame: pl.DataFrame,
    length: str,
    name: str,
    colour: str,
) -> go.Bar:
    """Return one colour of stacked bars: as long as the column `length`."""
    return go.Bar(
        x=frame[length].to_list(),
        y=[text(label) for label in frame["label"]],
        name=text(name),
        orientation="h",
        marker={"color": colour},
        hovertemplate="%{y}: %{x:,}",
    )


def longest_first(frame: pl.DataFrame, length: str) -> pl.DataFrame:
    """Return the rows in the order of their labels' total length."""
    total_length = pl.col(length).sum().over("label")
    return frame.sort(total_length, "label", descending=[True, False], maintain_order=True)


def stacked(labels: Sequence[str], unit: str) -> dict[str, Any]:
    """Return the layout of stacked bars, one line high each."""
    return {
        "barmode": "stack",
        "showlegend": True,
        "height": 170 + 32 * len(labels),
        "xaxis": {"title": {"text": unit}, "rangemode": "tozero", "tickformat": ",d"},
        "yaxis": label_axis(labels),
    }


def label_axis(labels: Sequence[str]) -> dict[str, Any]:
    """Return an axis of labels, the first on top; long ones are cut, but stay apart."""
    whole_labels = [text(label) for label in labels]
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": whole_labels,
        "autorange": "reversed",
        # ticks of our own: the bars keep their whole labels, which may begin alike
        "tickmode": "array",
        "tickvals": whole_labels,
        "ticktext": [_short(label) for label in labels],
        "showgrid": False,
    }


def height(labels: int, bars_each: int = 1) -> int:
    """Return the pixels that labels and bars need, both of two lines."""
    return 150 + labels * (6 + 36 * bars_each)


def _short(label: str, width: int = 18) -> str:
    # a label of nothing but blanks has no line, and needs one
    lines = textwrap.wrap(label, width) or [label]
    if len(lines) > 2:
        second_line = lines[1][: width - 1] + "…"
        lines = [lines[0], second_line]
    return "<br>".join(map(text, lines))
