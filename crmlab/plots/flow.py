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
from crmlab.plots._template import BLUE, GREEN, NO_DEALS, VERMILLION, figure, money, nothing, number

__all__ = ["created_against_closed", "loss_reasons", "waterfall"]

_MAX_MONTHS = 120


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
        return nothing(title, "no deal has a date." if height_of(deals) else NO_DEALS)
    shown = dated.tail(_MAX_MONTHS)
    counts = ("created", "won", "lost")
    undated = int(
        months.filter(pl.col("month").is_null()).select(pl.col(counts).sum()).sum_horizontal().sum()
    )
    created, won, lost = shown.select(pl.col(counts).sum()).row(0)
    line = go.Scatter(
        x=shown["period"].to_list(),
        y=shown["created"].to_list(),
        name="created",
        mode="lines+markers",
        line={"color": BLUE, "width": 2},
        marker={"size": 6},
        hovertemplate="%{y:,}",
    )
    tallest = shown.with_columns(
        pl.max_horizontal("created", pl.col("won") + pl.col("lost")).alias("tallest")
    )
    return figure(
        [
            _over_time.bars(shown, "won", "1mo", "won", GREEN),
            _over_time.bars(shown, "lost", "1mo", "lost", VERMILLION),
            line,
        ],
        f"{title} (n = {plural(created, 'deal')} created)",
        f"{number(won)} won and {number(lost)} lost in these months",
        f"{plural(undated, 'date')} not known, not shown" if undated else "",
        f"Latest {_MAX_MONTHS} of {dated.height} months" if dated.height > _MAX_MONTHS else "",
        **_over_time.layout(tallest, "tallest", "1mo", "Deals"),
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
    ends = steps.filter(pl.col("step").is_in(["start", "end"]))
    if not steps["deals"].sum():
        return nothing(
            title, "no deal is open in either." if height_of(start) or height_of(end) else NO_DEALS
        )
    panels, left_out = _panels.by_currency(steps)
    only = pipeline.only_currency(start) or pipeline.only_currency(end)
    names = [
        currency or (only if len(panels) == 1 else None) or "currency not given"
        for currency, _ in panels
    ]
    taken = set(steps.filter(pl.col("deals") > 0)["step"]) | {"start", "end"}
    order = [step for step in flow.STEPS if step in taken]
    traces = [
        trace
        for place, (_, part) in enumerate(panels)
        for trace in _panels.placed(_steps(part, order), place)
    ]
    layout = _panels.axes([f"Amount ({name})" for name in names])
    layout["xaxis"] |= {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": order,
        "showgrid": False,
    }
    at_start, at_end = (
        int(ends.filter(pl.col("step") == step)["deals"].sum()) for step in ("start", "end")
    )
    return figure(
        traces,
        f"{title} (n = {number(at_start)} open, then {number(at_end)})",
        "Number of deals on each step",
        left_out,
        **(layout | {"showlegend": False}),
    )


def _steps(part: pl.DataFrame, order: list[str]) -> Iterator[go.Waterfall]:
    rows = part.filter(pl.col("step").is_in(order))
    yield go.Waterfall(
        x=rows["step"].to_list(),
        y=rows["amount"].to_list(),
        measure=[
            "absolute" if step == "start" else "total" if step == "end" else "relative"
            for step in rows["step"]
        ],
        text=[number(count) for count in rows["deals"]],
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
    deals: pl.DataFrame, *, by: By = None, names: Mapping[str, str] | None = None
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
    n = int(reasons["lost"].sum())
    if not n:
        return nothing(title, "no deal is lost." if height_of(deals) else NO_DEALS)
    if "currency" not in reasons.columns:
        only = pipeline.only_currency(deals.filter(pipeline.LOST))
        reasons = reasons.with_columns(pl.lit(only, pl.String).alias("currency"))
    labelled = _with_label(reasons, names_of(by))
    counts = (
        labelled.group_by("label")
        .agg(pl.col("lost").sum())
        .sort("lost", "label", descending=[True, False])
    )
    shown, note = _bars.with_others(counts, "lost", "reasons")
    amounts = _amounts(labelled)
    shares = shown.with_columns((pl.col("lost") / n).alias("share"))
    beside = [
        (f"{share:.0%}, {plural(count, 'deal')}", amounts.get(name, ""))
        for name, count, share in shares.select("label", "lost", "share").rows()
    ]
    return figure(
        [_bars.bars(shares, "share", beside, VERMILLION)],
        f"{title} (n = {plural(n, 'lost deal')})",
        _whom.left_out({"open or won": height_of(deals) - n}),
        note,
        height=_bars.height(shown.height),
        xaxis={"title": {"text": "% of lost deals"}, "tickformat": ".0%", "rangemode": "tozero"},
        yaxis=_bars.label_axis(shown["label"].to_list()),
    )


def _with_label(reasons: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return label, lost, currency and lost_amount; the label is the group, where there are several, and the reason."""
    named = reasons.with_columns(pl.col("reason").fill_null("(no reason)"))
    label = named.select(_bars.label_of([*keys, "reason"])).to_series()
    return reasons.select("lost", "currency", "lost_amount").with_columns(label)


def _amounts(reasons: pl.DataFrame) -> dict[str, str]:
    """Return the lost amounts of each label in words, currencies apart."""
    words: dict[str, list[str]] = {}
    for label, currency, amount in reasons.select("label", "currency", "lost_amount").rows():
        if amount:
            words.setdefault(label, []).append(money(amount, currency))
    return {label: " and ".join(sums) for label, sums in words.items()}
