"""Figures of the way of deals through the stages."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.parts import height_of
from crmlab.analysis.rates import ratio
from crmlab.display import plural
from crmlab.plots import _bars
from crmlab.plots._fetches import draws
from crmlab.plots._template import BLUE, GREEN, figure, nothing, number

__all__ = ["funnel", "stage_durations"]

_NO_HISTORY = "the stage history table is empty."


@draws
def funnel(history: pl.DataFrame, stages: pl.DataFrame) -> go.Figure:
    """Return bars of how many deals reached each stage, and were won.

    Parameters
    ----------
    history, stages
        As of `crmlab.analysis.funnel`.

    Returns
    -------
    go.Figure
        Horizontal bars in the order of the stages, each with its share of the stage before; last those won.

    Raises
    ------
    UsageError
        A column is missing.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.analysis.history import stage_history
    >>> from crmlab.schema import TABLES, conform
    >>> def fetched(*rows):
    ...     columns = ["id", "stage", "status"]
    ...     return conform(pl.DataFrame(rows, schema=columns, orient="row"), TABLES["deals"])
    >>> history = stage_history([("2026-01-01", fetched(("a", 10, "pending"), ("b", 10, "pending"))),
    ...                          ("2026-01-08", fetched(("a", 50, "pending"), ("b", 10, "lost")))])
    >>> figure = plots.funnel(history, TABLES["stages"].empty())
    >>> figure.layout.title.text
    'Deals that reached each stage (n = 2 deals)'
    """
    title = "Deals that reached each stage"
    found = analysis.funnel(history, stages).drop_nulls("reached")
    reached = found.group_by("pipeline_name", maintain_order=True).agg(
        pl.col("reached").first().alias("n"), pl.col("reached_next").last()
    )
    n = int(reached["n"].sum())
    if not n:
        return nothing(title, "no deal was in a stage." if height_of(history) else _NO_HISTORY)
    steps = found.select("pipeline_name", "label", "reached", pl.lit(BLUE).alias("colour"))
    won = reached.filter(pl.col("n") > 0).select(
        "pipeline_name",
        pl.lit("Won").alias("label"),
        pl.col("reached_next").alias("reached"),
        pl.lit(GREEN).alias("colour"),
    )
    whole, note = _whole_pipelines(pl.concat([steps, won]), "reached")
    before = pl.col("reached").shift(1).over("pipeline_name")
    shown = whole.with_columns(ratio(pl.col("reached"), before).alias("share"))
    rows = shown.select("reached", "share").rows()
    beside = [
        (plural(count, "deal"), "" if share is None else f"{share:.0%} of the stage before")
        for count, share in rows
    ]
    bars = _bars.bars(shown, "reached", beside, BLUE)
    bars.marker.color = shown["colour"].to_list()
    return figure(
        [bars],
        f"{title} (n = {plural(n, 'deal')})",
        "Seen in it or in a later stage, or won; from repeated fetches",
        note,
        height=_bars.height(shown.height),
        xaxis={"title": {"text": "Deals"}, "rangemode": "tozero"},
        yaxis=_bars.label_axis(shown["label"].to_list()),
    )


@draws
def stage_durations(history: pl.DataFrame, stages: pl.DataFrame) -> go.Figure:
    """Return bars of how many days deals stay in each stage.

    Parameters
    ----------
    history, stages
        As of `crmlab.analysis.stage_durations`.

    Returns
    -------
    go.Figure
        Horizontal bars of the median in the order of the stages, each with the time by which nine of ten have left.

    Raises
    ------
    UsageError
        A column is missing.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.analysis.history import stage_history
    >>> from crmlab.schema import TABLES, conform
    >>> def fetched(*stages):
    ...     rows = {"id": ["a", "b"][:len(stages)], "stage": stages, "status": ["pending"] * len(stages)}
    ...     return conform(pl.DataFrame(rows, schema_overrides={"id": pl.String}), TABLES["deals"])
    >>> fetches = [fetched(10), fetched(20, 20), fetched(20, 20), fetched(30, 20)]
    >>> history = stage_history(zip(["2026-01-01", "2026-01-11", "2026-01-21", "2026-01-31"], fetches))
    >>> figure = plots.stage_durations(history, TABLES["stages"].empty())
    >>> figure.layout.title.text
    'Days that deals stay in a stage (n = 3 stays)'
    """
    title = "Days that deals stay in a stage"
    found = analysis.stage_durations(history, stages)
    n = int(found["stays"].sum())
    if not n:
        return nothing(
            title, "no stay has a known beginning." if height_of(history) else _NO_HISTORY
        )
    shown, note = _whole_pipelines(found, "stays")
    beside = []
    for stays, ended, median, p90 in shown.select(
        "stays", "ended", "median_days", "p90_days"
    ).rows():
        half = "not half have left" if median is None else f"half within {number(median)} d"
        nine_of_ten = "" if p90 is None else f", 9 of 10 within {number(p90)} d"
        beside.append(
            (
                half + nine_of_ten if stays else "no stay",
                f"{number(ended)} of {plural(stays, 'stay')} ended",
            )
        )
    unknown = int(found["left_out"].sum())
    return figure(
        [_bars.bars(shown, "median_days", beside, BLUE)],
        f"{title} (n = {plural(n, 'stay')})",
        "Kaplan-Meier median, stays that go on counted",
        f"{plural(unknown, 'stay')} under way at the first fetch left out" if unknown else "",
        note,
        height=_bars.height(shown.height),
        xaxis={"title": {"text": "Days (median)"}, "rangemode": "tozero"},
        yaxis=_bars.label_axis(shown["label"].to_list()),
    )


def _whole_pipelines(found: pl.DataFrame, size: str) -> tuple[pl.DataFrame, str]:
    """Return the largest pipelines, as many as fit but no half one, and each stage by its own label."""
    pipelines = (
        found.group_by("pipeline_name")
        .agg(pl.col(size).max(), pl.len().alias("bars"))
        .sort(size, "pipeline_name", descending=[True, False])
    )
    fit = pipelines.filter(
        (pl.col("bars").cum_sum() <= _bars.MAX_BARS) | (pl.int_range(pl.len()) == 0)
    )
    left_out = pipelines.height - fit.height
    kept = fit.select("pipeline_name").join(found, on="pipeline_name", maintain_order="left_right")
    parts = ["label"] if fit.height == 1 else ["pipeline_name", "label"]
    kept = kept.with_columns(_bars.label_of(parts))
    twice = pl.int_range(pl.len()).over("label")
    same = pl.when(twice > 0).then(pl.format("{} ({})", "label", twice + 1)).otherwise("label")
    note = f"{plural(left_out, 'smaller pipeline')} not shown" if left_out else ""
    return kept.with_columns(same.alias("label")), note
