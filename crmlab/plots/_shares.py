"""Horizontal bars of shares: one part of a whole, or all its parts beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import polars as pl

from crmlab.analysis.rates import ratio
from crmlab.plots import _bars
from crmlab.plots._template import BLUE, figure, number, text


def labelled(frame: pl.DataFrame, keys: Sequence[str], whole: str) -> pl.DataFrame:
    """Return the frame with a label in place of the columns `keys`; without keys there is one row, called `whole`."""
    if not keys:
        return frame.with_columns(pl.lit(whole).alias("label"))
    label = frame.select(_bars.label_of(keys)).to_series()
    return frame.drop(keys).with_columns(label)


def one(groups: pl.DataFrame, title: str, axis: str, noun: str, *notes: str) -> go.Figure:
    """Return bars of part / whole, each with both, the largest wholes first; empty wholes are left out.

    Reads label, part, whole. `noun`: what the title counts.
    """
    counted = groups.select("label", "part", "whole").filter(pl.col("whole") > 0)
    shown, note = _bars.with_others(
        counted.sort("whole", "label", descending=[True, False]), "whole", "groups"
    )
    shown = shown.with_columns(share=ratio(pl.col("part"), pl.col("whole")))
    beside = [
        (f"{share:.1%}", f"{number(part)} of {number(whole)}")
        for share, part, whole in shown.select("share", "part", "whole").iter_rows()
    ]
    return figure(
        [_bars.bars(shown, "share", beside, BLUE)],
        f"{title} (n = {noun})",
        *notes,
        note,
        height=_bars.height(shown.height),
        xaxis={"title": {"text": axis}, "tickformat": ".0%", "range": [0, 1.02]},
        yaxis=_bars.label_axis(shown["label"].to_list()),
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
    names = [name for name, _, _ in columns]
    counted = (
        groups.select("label", *names)
        .with_columns(whole=pl.sum_horizontal(names))
        .filter(pl.col("whole") > 0)
    )
    shown, note = _bars.with_others(
        counted.sort("whole", "label", descending=[True, False]), "whole", "groups"
    )
    traces = [_part(shown, name, words, colour) for name, words, colour in columns]
    return figure(
        traces,
        f"{title} (n = {noun})",
        *notes,
        note,
        barmode="stack",
        showlegend=True,
        height=_bars.height(shown.height) + 30,
        xaxis={"title": {"text": axis}, "tickformat": ".0%", "range": [0, 1.02]},
        yaxis=_bars.label_axis(shown["label"].to_list()),
    )


def _part(shown: pl.DataFrame, name: str, words: str, colour: str) -> go.Bar:
    share = shown.select(ratio(pl.col(name), pl.col("whole"))).to_series()
    return go.Bar(
        x=share.to_list(),
        y=[text(label) for label in shown["label"]],
        # less than a line is wide is left to hovering
        text=[f"{each:.0%}" if each >= 0.06 else "" for each in share],
        name=text(words),
        orientation="h",
        marker={"color": colour},
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"size": 11, "color": "#FFFFFF"},
        customdata=[
            f"{number(part)} of {number(whole)}"
            for part, whole in shown.select(name, "whole").iter_rows()
        ],
        hovertemplate="%{y}: %{x:.1%} (%{customdata}) " + text(words) + "<extra></extra>",
    )
