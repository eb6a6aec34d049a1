"""Figures of what came into the pipeline and what went out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis import flow, pipeline
from crmlab.analysis.inputs import By, names_of
from crmlab.analysis.parts import height_of
from crmlab.display import plural
from crmlab.plots import _bars, _over_time, _panels, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import (
    BLUE,
    GREEN,
    VERMILLION,
    figure,
    how_many,
    money,
    nothing,
    nothing_of,
    number,
    shares_from_zero,
)

__all__ = ["created_against_closed", "loss_reasons", "waterfall"]

_MAX_MONTHS = 120
#: how a waterfall draws a step; all others are changes
_MEASURES = {"start": "absolute", "end": "total"}


@draws
def created_against_closed(deals: pl.DataFrame, *, time_zone: str = "UTC") -> go.Figure:
    """Return a line of the deals created per month over stacked bars of those won and lost.

    Parameters
    ----------
    deals, time_zone
        As of `crmlab.analysis.created_against_closed`.

    Returns
    -------
    go.Figure
        The last ten years; where the line is above the bars, the open deals grew.

    Raises
    ------
    UsageError
        `time_zone` is not known.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> frame = pl.DataFrame({"status": ["won", "pending"], "close_date": [date(2026, 3, 1), None],
    ...                       "created_at": [datetime(2026, 1, 1), datetime(2026, 1, 2)]})
    >>> frame = frame.with_columns(pl.col("created_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.created_against_closed(conform(frame, TABLES["deals"]))
    >>> figure.layout.title.text
    'Created and closed per month (n = 2 deals created)'
    >>> [trace.name for trace in figure.data]
    ['won', 'lost', 'created']
    """
    title = "Created and closed per month"
    months = analysis.created_against_closed(deals, time_zone=time_zone)
    dated = months.drop_nulls("month").rename({"month": "period"})
    if dated.is_empty():
        return nothing_of("deals", deals, title, "no deal has a date.")

    shown_months = dated.tail(_MAX_MONTHS)
    sums = pl.col("created", "won", "lost").sum()
    # a deal can lack the day of its creation and that of its close: these are dates, not deals
    undated_months = months.filter(pl.col("month").is_null())
    undated = undated_months.select(sums).sum_horizontal().sum()
    created, won, lost = shown_months.select(sums).row(0)
    created_line = go.Scatter(
        x=shown_months["period"].to_list(),
        y=shown_months["created"].to_list(),
        name="created",
        mode="lines+markers",
        line={"color": BLUE, "width": 2},
        marker={"size": 6},
        hovertemplate="%{y:,}",
    )
    closed = pl.col("won") + pl.col("lost")
    heights = shown_months.with_columns(pl.max_horizontal("created", closed).alias("tallest"))
    return figure(
        [
            _over_time.bars(shown_months, "won", "1mo", "won", GREEN),
            _over_time.bars(shown_months, "lost", "1mo", "lost", VERMILLION),
            # last, so that no bar hides it
            created_line,
        ],
        f"{title} (n = {plural(created, 'deal')} created)",
        f"{number(won)} won and {number(lost)} lost in these months",
        how_many(int(undated), "date", "not known, not shown"),
        _over_time.latest_months(_MAX_MONTHS, dated.height),
        **_over_time.layout(heights, "tallest", "1mo", "Deals"),
    )


@draws
def waterfall(start: pl.DataFrame, end: pl.DataFrame) -> go.Figure:
    """Return a waterfall of the open amount from one fetch to a later one.

    Parameters
    ----------
    start, end
        As of `crmlab.analysis.waterfall`.

    Returns
    -------
    go.Figure
        A panel for each currency; steps that no deal took are left out.

    Raises
    ------
    UsageError
        A column is missing.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> def fetched(**columns):
    ...     return conform(pl.DataFrame(columns), TABLES["deals"])
    >>> first = fetched(id=["a", "b"], status=["pending", "pending"], amount=[100.0, 50.0])
    >>> later = fetched(id=["a", "b", "c"], status=["won", "pending", "pending"], amount=[120.0, 40.0, 5.0])
    >>> figure = plots.waterfall(first, later)
    >>> figure.layout.title.text
    'Open amount between two fetches (n = 2 open, then 2)'
    """
    title = "Open amount between two fetches"
    steps = analysis.waterfall(start, end)
    if not steps["deals"].sum():
        return _nothing_open(start, end, title)

    panels, not_shown = _panels.by_currency(steps)
    taken_steps = {"start", "end", *steps.filter(pl.col("deals") > 0)["step"]}
    in_order = [step for step in flow.STEPS if step in taken_steps]
    # the rows of a single panel may name no currency, but the deals do
    only_currency = None
    if len(panels) == 1:
        only_currency = pipeline.only_currency(start) or pipeline.only_currency(end)
    traces: list[go.Waterfall] = []
    titles = []
    for position, (currency, panel_steps) in enumerate(panels):
        traces += _panels.placed(_steps(panel_steps, in_order), position)
        titles.append(f"Amount ({currency or only_currency or 'currency not given'})")

    layout = _panels.axes(titles, labels=in_order)
    # the axis names the steps, so that nothing is left for a legend to say
    layout["showlegend"] = False
    return figure(
        traces,
        f"{title} (n = {_open_deals(steps, 'start')} open, then {_open_deals(steps, 'end')})",
        "Number of deals on each step",
        not_shown,
        **layout,
    )


def _nothing_open(
    start: pl.DataFrame,
    end: pl.DataFrame,
    title: str,
) -> go.Figure:
    if height_of(start):
        return nothing(title, "no deal is open in either.")
    return nothing_of("deals", end, title, "no deal is open in either.")


def _open_deals(steps: pl.DataFrame, step: str) -> str:
    """Return how many deals were open at the start or at the end, in all currencies."""
    return number(int(steps.filter(pl.col("step") == step)["deals"].sum()))


def _steps(panel: pl.DataFrame, in_order: list[str]) -> Iterator[go.Waterfall]:
    taken_steps = panel.filter(pl.col("step").is_in(in_order))
    yield go.Waterfall(
        x=taken_steps["step"].to_list(),
        y=taken_steps["amount"].to_list(),
        measure=[_MEASURES.get(step, "relative") for step in taken_steps["step"]],
        text=[number(deal_count) for deal_count in taken_steps["deals"]],
        textposition="outside",
        cliponaxis=False,
        increasing={"marker": {"color": GREEN}},
        decreasing={"marker": {"color": VERMILLION}},
        totals={"marker": {"color": BLUE}},
        connector={"line": {"color": "rgba(128,128,128,0.6)", "width": 1}},
        hovertemplate="%{x}: %{delta:,.0f}, deals: %{text}<extra></extra>",
    )


@draws
def loss_reasons(
    deals: pl.DataFrame,
    *,
    by: By = None,
    names: Mapping[str, str] | None = None,
) -> go.Figure:
    """Return bars of why deals are lost.

    Parameters
    ----------
    deals, by, names
        As of `crmlab.analysis.loss_reasons`.

    Returns
    -------
    go.Figure
        Horizontal bars of the share of lost deals, most frequent first, each with its number and amount; beyond
        twenty reasons the rest is one bar.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"status": ["lost", "lost", "lost", "won"], "amount": [5.0] * 4,
    ...         "lost_reason_id": ["1", "1", None, None]}
    >>> figure = plots.loss_reasons(conform(pl.DataFrame(rows), TABLES["deals"]), names={"1": "Price"})
    >>> figure.layout.title.text
    'Why deals are lost (n = 3 lost deals)'
    """
    title = "Why deals are lost"
    reasons = analysis.loss_reasons(deals, by=by, names=names)
    lost_deals = int(reasons["lost"].sum())
    if not lost_deals:
        return nothing_of("deals", deals, title, "no deal is lost.")

    # the analysis names currencies only where there are several
    if "currency" not in reasons.columns:
        only_currency = pipeline.only_currency(deals.filter(pipeline.LOST))
        reasons = reasons.with_columns(pl.lit(only_currency, pl.String).alias("currency"))
    labelled = _with_label(reasons, names_of(by))
    counts = labelled.group_by("label").agg(pl.col("lost").sum())
    by_size = _bars.largest_first(counts, "lost")
    summed, others_note = _bars.with_others(by_size, "lost", "reasons")
    amounts = _amounts(labelled)
    shares = summed.with_columns((pl.col("lost") / lost_deals).alias("share"))
    # the bar of the others has no amount: theirs stand with none of the reasons
    words_beside = []
    for label, count, share in shares.select("label", "lost", "share").rows():
        count_in_words = f"{share:.0%}, {plural(count, 'deal')}"
        words_beside.append((count_in_words, amounts.get(label, "")))
    return figure(
        [_bars.bars(shares, "share", words_beside, VERMILLION)],
        f"{title} (n = {plural(lost_deals, 'lost deal')})",
        _whom.left_out({"open or won": height_of(deals) - lost_deals}),
        others_note,
        height=_bars.height(summed.height),
        xaxis=shares_from_zero("% of lost deals"),
        yaxis=_bars.label_axis(summed["label"].to_list()),
    )


def _with_label(reasons: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return label, lost, currency and lost_amount; the label is the group, where there are several, and the reason."""
    named_reasons = reasons.with_columns(pl.col("reason").fill_null("(no reason)"))
    reason_label = named_reasons.select(_bars.label_of([*keys, "reason"])).to_series()
    return reasons.select("lost", "currency", "lost_amount").with_columns(reason_label)


def _amounts(reasons: pl.DataFrame) -> dict[str, str]:
    """Return the lost amounts of each label in words, currencies apart."""
    amounts_in_words: dict[str, list[str]] = {}
    for reason_label, currency, amount in reasons.select("label", "currency", "lost_amount").rows():
        if amount:
            amounts_in_words.setdefault(reason_label, []).append(money(amount, currency))
    return {label: " and ".join(amounts) for label, amounts in amounts_in_words.items()}
