"""Figures of the way of deals through the stages."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.rates import ratio
from crmlab.display import plural
from crmlab.plots import _bars
from crmlab.plots._fetches import draws
from crmlab.plots._template import (
    BLUE,
    GREEN,
    axis_from_zero,
    figure,
    how_many,
    nothing_of,
    number,
)

__all__ = ["funnel", "stage_durations"]


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
    steps = analysis.funnel(history, stages).drop_nulls("reached")
    # all deals of a pipeline reached its first stage; what comes after its last is winning
    ends = steps.group_by("pipeline_name", maintain_order=True).agg(
        pl.col("reached").first().alias("n"), pl.col("reached_next").last()
    )
    deal_count = int(ends["n"].sum())
    if not deal_count:
        return nothing_of("stage history", history, title, "no deal was in a stage.")

    stage_bars = steps.select("pipeline_name", "label", "reached", pl.lit(BLUE).alias("colour"))
    won_bars = ends.filter(pl.col("n") > 0).select(
        "pipeline_name",
        pl.lit("Won").alias("label"),
        pl.col("reached_next").alias("reached"),
        pl.lit(GREEN).alias("colour"),
    )
    pipelines, others_note = _whole_pipelines(pl.concat([stage_bars, won_bars]), "reached")
    before = pl.col("reached").shift(1).over("pipeline_name")
    shares = pipelines.with_columns(ratio(pl.col("reached"), before).alias("share"))
    rows = shares.select("reached", "share").rows()
    words_beside = [(plural(count, "deal"), _of_before(share)) for count, share in rows]
    bars = _bars.bars(shares, "reached", words_beside, BLUE)
    bars.marker.color = shares["colour"].to_list()
    return figure(
        [bars],
        f"{title} (n = {plural(deal_count, 'deal')})",
        "Seen in it or in a later stage, or won; from repeated fetches",
        others_note,
        height=_bars.height(shares.height),
        xaxis=axis_from_zero("Deals"),
        yaxis=_bars.label_axis(shares["label"].to_list()),
    )


def _of_before(share: float | None) -> str:
    """Return the share in words; of a first stage there is none."""
    if share is None:
        return ""
    return f"{share:.0%} of the stage before"


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
    durations = analysis.stage_durations(history, stages)
    stay_count = int(durations["stays"].sum())
    if not stay_count:
        return nothing_of("stage history", history, title, "no stay has a known beginning.")

    pipelines, others_note = _whole_pipelines(durations, "stays")
    words_beside = []
    duration_columns = ("stays", "ended", "median_days", "p90_days")
    for stays_counted, ended, median_days, p90_days in pipelines.select(duration_columns).rows():
        lasting = "no stay"
        if stays_counted:
            lasting = _lasting(median_days, p90_days)
        words_beside.append((lasting, f"{number(ended)} of {plural(stays_counted, 'stay')} ended"))
    unknown = int(durations["left_out"].sum())
    return figure(
        [_bars.bars(pipelines, "median_days", words_beside, BLUE)],
        f"{title} (n = {plural(stay_count, 'stay')})",
        "Kaplan-Meier median, stays that go on counted",
        how_many(unknown, "stay", "under way at the first fetch left out"),
        others_note,
        height=_bars.height(pipelines.height),
        xaxis=axis_from_zero("Days (median)"),
        yaxis=_bars.label_axis(pipelines["label"].to_list()),
    )


def _lasting(median: float | None, p90: float | None) -> str:
    """Return how long stays last; where most of them go on, nobody knows yet."""
    half_gone = "not half have left" if median is None else f"half within {number(median)} d"
    if p90 is None:
        return half_gone
    return f"{half_gone}, 9 of 10 within {number(p90)} d"


def _whole_pipelines(stages: pl.DataFrame, size: str) -> tuple[pl.DataFrame, str]:
    """Return the largest pipelines, as many as fit but no half one, and each stage by its own label."""
    by_pipeline = stages.group_by("pipeline_name")
    sizes = by_pipeline.agg(pl.col(size).max(), bars=pl.len())
    by_size = _bars.largest_first(sizes, size, "pipeline_name")
    # the largest is shown even where it alone has too many bars
    is_first = pl.int_range(pl.len()) == 0
    fits = pl.col("bars").cum_sum() <= _bars.MAX_BARS
    fitting = by_size.filter(fits | is_first)
    names = fitting.select("pipeline_name")
    kept = names.join(stages, on="pipeline_name", maintain_order="left_right")
    label_columns = ["pipeline_name", "label"]
    if fitting.height == 1:
        label_columns = ["label"]
    labelled = kept.with_columns(_bars.label_of(label_columns))

    # stages that are called alike would be one bar
    namesakes = pl.int_range(pl.len()).over("label")
    numbered = pl.format("{} ({})", "label", namesakes + 1)
    stage_label = pl.when(namesakes > 0).then(numbered).otherwise("label")
    not_shown = by_size.height - fitting.height
    note = how_many(not_shown, "smaller pipeline", "not shown")
    return labelled.with_columns(label=stage_label), note
