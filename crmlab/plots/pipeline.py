"""Figures of deals: win rate, stages now, won and lost per month."""

from __future__ import annotations

from typing import Literal

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis import pipeline
from crmlab.analysis.inputs import By, columns_of, names_of
from crmlab.analysis.parts import height_of, values_of
from crmlab.analysis.period import MAX_BINS, PERIODS
from crmlab.analysis.rates import ratio
from crmlab.display import plural
from crmlab.plots import _bars, _over_time, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import (
    BLUE,
    GREEN,
    NO_DEALS,
    PALETTE,
    VERMILLION,
    figure,
    money,
    nothing,
    number,
    text,
)

__all__ = ["closed_by_month", "pipeline_snapshot", "win_rate"]

_MAX_MONTHS = 120


@draws
def win_rate(
    deals: pl.DataFrame, *, by: By = None, measure: Literal["count", "amount"] = "count"
) -> go.Figure:
    """Return bars of the win rate of closed deals.

    Parameters
    ----------
    deals
        Reads what `crmlab.analysis.win_rate` reads.
    by
        Columns to group by, such as ``"owner_name"``. The groups with most closed deals are shown,
        beyond twenty the rest is one bar. With one period, such as ``"month"``: lines over time, for the
        eight groups with most closed deals.
    measure
        ``"count"``: won deals / closed deals; ``"amount"``: won amount / closed amount, with a bar for
        each currency.

    Returns
    -------
    go.Figure
        Horizontal bars, 0-100 %, each with the numbers it was made of; or lines, which show them on hovering.

    Raises
    ------
    UsageError
        `by` names neither a column nor a period.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"owner_name": ["Ann", "Ann", "Ann", "Bo"], "status": ["won", "won", "lost", "pending"],
    ...         "amount": [100.0, 200.0, 100.0, 50.0], "currency": ["EUR"] * 4}
    >>> figure = plots.win_rate(conform(pl.DataFrame(rows), TABLES["deals"]), by="owner_name")
    >>> figure.layout.title.text
    'Win rate, for each owner (n = 3 closed deals)'
    """
    names = names_of(by)
    periods = _periods(deals, names)
    title = "Win rate by amount" if measure == "amount" else "Win rate"
    if names:
        title += f", for each {text(' and '.join(names).replace('_name', '').replace('_', ' '))}"
    groups = _rates(deals, names, measure)
    closed = int(groups["n"].sum())
    if not closed:
        return nothing(title, "no deal is won or lost." if height_of(deals) else NO_DEALS)
    if len(periods) == 1:
        return _rates_over_time(groups, PERIODS[periods[0]], title, measure)
    counted = groups.filter(pl.col("n") > 0).sort(
        "n", "label", "currency", descending=[True, False, False]
    )
    left_out = groups["label"].n_unique() - counted["label"].n_unique()
    shown, note = _bars.with_others(counted, "n", "groups")
    if shown["currency"].n_unique() > 1:
        shown = shown.with_columns(_bars.label_of(["label", "currency"]))
    shown = shown.with_columns(rate=ratio(pl.col("part"), pl.col("whole")))
    beside = [
        ("no amount", "") if rate is None else (f"{rate:.0%}", f"{number(part)} of {number(whole)}")
        for rate, part, whole in shown.select("rate", "part", "whole").iter_rows()
    ]
    noun = "amount" if measure == "amount" else "deals"
    return figure(
        [_bars.bars(shown, "rate", beside, BLUE)],
        f"{title} (n = {plural(closed, 'closed deal')})",
        f"Won / (won + lost) {noun}",
        _whom.left_out({"open": height_of(deals) - closed}),
        note,
        f"{plural(left_out, 'group')} without closed deals left out" if left_out else "",
        height=_bars.height(shown.height),
        xaxis={
            "title": {"text": f"Won, % of closed {noun}"},
            "tickformat": ".0%",
            "range": [0, 1.02],
        },
        yaxis=_bars.label_axis(shown["label"].to_list()),
    )


def _periods(deals: pl.DataFrame, by: list[str]) -> list[str]:
    """Return which words of `by` are periods of the close date."""
    return [name for name in by if name in PERIODS and name not in columns_of(deals, "deals")]


def _rates(deals: pl.DataFrame, by: list[str], measure: str) -> pl.DataFrame:
    """Return label, currency, n (closed deals), and the won part of the whole; and the period, where `by` has one.

    Numbers of deals are added over currencies, amounts are not.
    """
    rates = analysis.win_rate(deals, by=by)
    along = _periods(deals, by)
    keys = list(by)
    groups = []
    if len(along) == 1:
        groups.append(pl.col(along[0]).alias("period"))
        keys.remove(along[0])
    currency = pl.lit("")
    won, lost = "won", "lost"
    if measure == "amount":
        won, lost = "won_amount", "lost_amount"
        # each currency has its own row, and its name beside the label
        keys = [name for name in keys if name != "currency"]
        if "currency" in rates.columns:
            currency = pl.col("currency").fill_null("(no currency)")
    label = _bars.label_of(keys) if keys else pl.lit("All deals").alias("label")
    return rates.group_by(*groups, label, currency.alias("currency")).agg(
        (pl.col("won") + pl.col("lost")).sum().alias("n"),
        pl.col(won).sum().alias("part"),
        (pl.col(won) + pl.col(lost)).sum().alias("whole"),
    )


def _rates_over_time(rates: pl.DataFrame, every: str, title: str, measure: str) -> go.Figure:
    """Return a line for each of the largest groups, with a gap where none closed."""
    dated = rates.drop_nulls("period")
    if dated.is_empty():
        return nothing(title, "no closed deal has a close date.")
    if dated["currency"].n_unique() > 1:
        dated = dated.with_columns(_bars.label_of(["label", "currency"]))
    n = pl.col("n").sum()
    sizes = dated.group_by("label").agg(n).sort("n", "label", descending=[True, False])["label"]
    first, last = dated.select(
        pl.col("period").min().alias("first"), pl.col("period").max().alias("last")
    ).row(0)
    axis = pl.date_range(first, last, every, eager=True).alias("period").tail(MAX_BINS).to_frame()
    traces = []
    for label, colour in zip(sizes, PALETTE, strict=False):
        line = axis.join(dated.filter(pl.col("label") == label), on="period", how="left").sort(
            "period"
        )
        line = line.with_columns(rate=ratio(pl.col("part"), pl.col("whole")))
        rows = line.select("part", "whole").fill_null(0).rows()
        made_of = [f"{number(part)} of {number(whole)}" for part, whole in rows]
        traces.append(
            go.Scatter(
                x=line["period"].to_list(),
                y=line["rate"].to_list(),
                customdata=made_of,
                name=text(label),
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"size": 6},
                hovertemplate="%{y:.0%}, %{customdata}",
            )
        )
    noun = "amount" if measure == "amount" else "deals"
    shown = dated.join(axis, on="period").filter(
        pl.col("label").is_in(sizes.head(len(traces)).implode())
    )
    undated = int(rates.filter(pl.col("period").is_null())["n"].sum())
    return figure(
        traces,
        f"{title} (n = {plural(int(shown['n'].sum()), 'closed deal')})",
        f"Won / (won + lost) {noun} by close date",
        f"{plural(undated, 'closed deal')} without a close date not shown" if undated else "",
        f"{sizes.len() - len(traces)} groups with fewer closed deals not shown"
        if sizes.len() > len(traces)
        else "",
        f"Latest {MAX_BINS} periods" if axis["period"][0] > first else "",
        height=380,
        showlegend=len(traces) > 1,
        hovermode="x unified",
        xaxis=_over_time.time_axis(axis["period"], every),
        yaxis={
            "title": {"text": f"Won, % of closed {noun}"},
            "tickformat": ".0%",
            "range": [0, 1.02],
        },
    )


@draws
def pipeline_snapshot(
    deals: pl.DataFrame, stages: pl.DataFrame, *, measure: Literal["amount", "deals"] = "amount"
) -> go.Figure:
    """Return bars of the open deals in each stage. Not a funnel: that needs the history of the stages.

    Parameters
    ----------
    deals, stages
        Read what `crmlab.analysis.pipeline_snapshot` reads.
    measure
        What the bars are as long as: ``"amount"`` (a colour for each currency) or ``"deals"``.

    Returns
    -------
    go.Figure
        Horizontal bars in the order of the stages, each with its number of deals and their amount.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"pipeline_id": ["p"] * 3, "stage": [10, 10, 90], "status": ["pending"] * 3,
    ...         "amount": [100.0, 50.0, 10.0]}
    >>> names = {"pipeline_id": ["p", "p"], "pipeline_name": ["Sales"] * 2, "stage": [10, 50],
    ...          "label": ["Lead", "Offer"]}
    >>> deals = conform(pl.DataFrame(rows), TABLES["deals"])
    >>> figure = plots.pipeline_snapshot(deals, conform(pl.DataFrame(names), TABLES["stages"]))
    >>> figure.layout.title.text
    'Open deals in each stage (n = 3 open deals)'
    """
    title = "Open deals in each stage"
    snapshot = analysis.pipeline_snapshot(deals, stages)
    n = int(snapshot["deals"].sum())
    if not n:
        return nothing(title, "no deal is open." if height_of(deals) else NO_DEALS)
    currencies = values_of(
        deals.filter(pipeline.OPEN), pl.col("currency").unique().sort(nulls_last=True)
    ).to_list()
    if "currency" not in snapshot.columns:
        currencies = currencies[:1]
        snapshot = snapshot.with_columns(currency=pl.lit(currencies[0], pl.String))
    several = len(currencies) > 1
    shown, note = _bars.with_others(_labelled(snapshot), "deals", "stages")
    traces = []
    for place, currency in enumerate(currencies):
        part = shown.filter(pl.col("currency").eq_missing(pl.lit(currency, pl.String)))
        beside = [
            (plural(count, "deal"), money(amount, currency))
            for count, amount in part.select("deals", "amount").iter_rows()
        ]
        name = currency or "currency not given"
        traces.append(_bars.bars(part, measure, beside, PALETTE[place % len(PALETTE)], name))
    unit = "each bar in its own currency" if several else text(currencies[0] or "account currency")
    labels = shown["label"].unique(maintain_order=True).to_list()
    return figure(
        traces,
        f"{title} (n = {plural(n, 'open deal')})",
        "Where deals are now, not how many passed through",
        _whom.left_out({"closed": height_of(deals) - n}),
        note,
        barmode="group",
        showlegend=several,
        height=_bars.height(len(labels), len(currencies)),
        xaxis={
            "title": {"text": f"Amount ({unit})" if measure == "amount" else "Open deals"},
            "rangemode": "tozero",
        },
        yaxis=_bars.label_axis(labels),
    )


def _labelled(snapshot: pl.DataFrame) -> pl.DataFrame:
    """Name each stage by no more than it takes to tell the stages apart."""
    parts = ["label"] if snapshot["pipeline_name"].n_unique() == 1 else ["pipeline_name", "label"]
    stages = snapshot.select("pipeline_name", "stage", "label").unique()
    if stages.select(parts).is_duplicated().any():
        parts.append("stage")
    return snapshot.select(_bars.label_of(parts), "currency", "deals", "amount")


@draws
def closed_by_month(deals: pl.DataFrame) -> go.Figure:
    """Return stacked bars of the deals won and lost per month of closing, the last ten years of them.

    Parameters
    ----------
    deals
        Reads what `crmlab.analysis.closed_by_month` reads.

    Returns
    -------
    go.Figure
        Two colours; the won amount shows on hovering.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"status": ["won", "lost", "won"], "amount": [100.0, 70.0, 30.0],
    ...         "close_date": [date(2026, 1, 5), date(2026, 1, 31), date(2026, 3, 1)]}
    >>> figure = plots.closed_by_month(conform(pl.DataFrame(rows), TABLES["deals"]))
    >>> figure.layout.title.text
    'Deals won and lost per month (n = 3 closed deals)'
    >>> [trace.name for trace in figure.data]
    ['won', 'lost']
    """
    title = "Deals won and lost per month"
    months = analysis.closed_by_month(deals)
    dated = months.drop_nulls("month")
    if dated.is_empty():
        why = "no deal is won or lost." if months.is_empty() else "no closed deal has a close date."
        return nothing(title, why if height_of(deals) else NO_DEALS)
    undated = int(
        months.filter(pl.col("month").is_null())
        .select(pl.col("won", "lost").sum())
        .sum_horizontal()
        .item()
    )
    per_month = _with_amounts(dated, deals)
    shown = per_month.tail(_MAX_MONTHS)
    traces = [
        _over_time.bars(shown, "won", "1mo", "won", GREEN).update(
            customdata=shown["amounts"].to_list(), hovertemplate="%{y:,}%{customdata}"
        ),
        _over_time.bars(shown, "lost", "1mo", "lost", VERMILLION),
    ]
    n = int(shown.select(pl.col("won", "lost").sum()).sum_horizontal().item())
    return figure(
        traces,
        f"{title} (n = {plural(n, 'closed deal')})",
        _whom.left_out(
            {"open": height_of(deals.filter(pipeline.OPEN)), "without a close date": undated}
        ),
        f"Latest {_MAX_MONTHS} of {per_month.height} months"
        if per_month.height > _MAX_MONTHS
        else "",
        **_over_time.layout(
            shown.with_columns(all=pl.col("won") + pl.col("lost")), "all", "1mo", "Closed deals"
        ),
    )


def _with_amounts(months: pl.DataFrame, deals: pl.DataFrame) -> pl.DataFrame:
    """Return period, won, lost, and the won amounts of all currencies in words."""
    if "currency" not in months.columns:
        only = pipeline.only_currency(deals.filter(pipeline.WON | pipeline.LOST))
        months = months.with_columns(currency=pl.lit(only, pl.String))
    rows = months.select("won_amount", "currency").iter_rows()
    words = [f" ({text(money(amount, currency))})" if amount else "" for amount, currency in rows]
    return (
        months.with_columns(pl.Series("amounts", words, pl.String))
        .group_by(pl.col("month").alias("period"))
        .agg(pl.col("won", "lost").sum(), pl.col("amounts").str.join())
        .sort("period")
    )
