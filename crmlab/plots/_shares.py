"""Horizontal bars of shares: one part of a whole, or all its parts beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import polars as pl

from crmlab.analysis.rates import ratio
from crmlab.plots import _bars
from crmlab.plots._template import BLUE, figure, part_of_whole, share_axis, text

#: the least share whose words fit into its part of a bar
_MIN_IN_WORDS = 0.06


def labelled(
    frame: pl.DataFrame,
    keys: Sequence[str],
    whole: str,
) -> pl.DataFrame:
    """Return the frame with a label in place of the columns `keys`; without keys there is one row, called `whole`."""
    if not keys:
        return frame.with_columns(pl.lit(whole).alias("label"))
    group_label = frame.select(_bars.label_of(keys)).to_series()
    return frame.drop(keys).with_columns(group_label)


def one(groups: pl.DataFrame, title: str, axis: str, noun: str, *notes: str) -> go.Figure:
    """Return bars of part / whole, each with both, the largest wholes first; empty wholes are left out.

    Reads label, part, whole. `noun`: what the title counts.
    """
    counted = groups.select("label", "part", "whole").filter(pl.col("whole") > 0)
    # shares cannot be added, so the smallest groups are summed before they are divided
    by_size = _bars.largest_first(counted, "whole")
    summed, others_note = _bars.with_others(by_size, "whole", "groups")
    shares = summed.with_columns(share=ratio(pl.col("part"), pl.col("whole")))
    words_beside = []
    for share, part, whole in shares.select("share", "part", "whole").iter_rows():
        words_beside.append((f"{share:.1%}", part_of_whole(part, whole)))
    return figure(
        [_bars.bars(shares, "share", words_beside, BLUE)],
        f"{title} (n = {noun})",
        *notes,
        others_note,
        height=_bars.height(shares.height),
        xaxis=share_axis(axis),
        yaxis=_bars.label_axis(shares["label"].to_list()),
    )


def parts(
    groups: pl.DataFrame,
    columns: Sequence[tuple[str, str, str]],
    title: str,
    axis: str,
    noun: str,
    *notes: str,
) -> go.Figure:
    """Return bars as long as 100 %, with a colour for each part. Reads label and the columns: name, words, colour."""
    part_names = [column for column, _, _ in columns]
    parts = groups.select("label", *part_names)
    with_whole = parts.with_columns(whole=pl.sum_horizontal(part_names))
    counted = with_whole.filter(pl.col("whole") > 0)
    by_size = _bars.largest_first(counted, "whole")
    summed, others_note = _bars.with_others(by_size, "whole", "groups")
    traces = [_part(summed, column, legend_name, colour) for column, legend_name, colour in columns]
    return figure(
        traces,
        f"{title} (n = {noun})",
        *notes,
        others_note,
        barmode="stack",
        showlegend=True,
        # the legend takes a line more
        height=_bars.height(summed.height) + 30,
        xaxis=share_axis(axis),
        yaxis=_bars.label_axis(summed["label"].to_list()),
    )


def _part(
    groups: pl.DataFrame,
    column: str,
    words: str,
    colour: str,
) -> go.Bar:
    share = ratio(pl.col(column), pl.col("whole"))
    shares = groups.select(share).to_series()
    counts = groups.select(column, "whole").iter_rows()
    made_of = [part_of_whole(part, whole) for part, whole in counts]
    return go.Bar(
        x=shares.to_list(),
        y=[text(label) for label in groups["label"]],
        text=[_inside(share) for share in shares],
        name=text(words),
        orientation="h",
        marker={"color": colour},
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"size": 11, "color": "#FFFFFF"},
        customdata=made_of,
        hovertemplate="%{y}: %{x:.1%} (%{customdata}) " + text(words) + "<extra></extra>",
    )


def _inside(share: float) -> str:
    """Return the words inside a part; none where it is narrower than they are, which is left to hovering."""
    if share < _MIN_IN_WORDS:
        return ""
    return f"{share:.0%}"
