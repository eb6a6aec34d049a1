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
    PALETTE,
    VERMILLION,
    axis_from_zero,
    figure,
    how_many,
    money,
    nothing,
    nothing_of,
    part_of_whole,
    share_axis,
    text,
)

__all__ = ["closed_by_month", "pipeline_snapshot", "win_rate"]

_MAX_MONTHS = 120
_NO_CLOSED_DEAL = "no deal is won or lost."
_NO_CLOSE_DATE = "no closed deal has a close date."


@draws
def win_rate(
    deals: pl.DataFrame,
    *,
    by: By = None,
    measure: Literal["count", "amount"] = "count",
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
    group_columns = names_of(by)
    periods = _periods(deals, group_columns)
    title = _title(group_columns, measure)
    groups = _rates(deals, group_columns, measure)
    closed_deals = int(groups["n"].sum())
    if not closed_deals:
        return nothing_of("deals", deals, title, _NO_CLOSED_DEAL)
    # two periods are groups like others: only one can be an axis
    if len(periods) == 1:
        return _rates_over_time(groups, PERIODS[periods[0]], title, measure)

    counted = groups.filter(pl.col("n") > 0)
    most_first = [True, False, False]
    by_size = counted.sort("n", "label", "currency", descending=most_first)
    left_out = groups["label"].n_unique() - counted["label"].n_unique()
    summed, others_note = _bars.with_others(by_size, "n", "groups")
    if summed["currency"].n_unique() > 1:
        summed = summed.with_columns(_bars.label_of(["label", "currency"]))
    rates = summed.with_columns(rate=ratio(pl.col("part"), pl.col("whole")))
    rows = rates.select("rate", "part", "whole").iter_rows()
    words_beside = [_made_of(*rate_row) for rate_row in rows]
    open_deals = height_of(deals) - closed_deals
    measured = _measured(measure)
    return figure(
        [_bars.bars(rates, "rate", words_beside, BLUE)],
        f"{title} (n = {plural(closed_deals, 'closed deal')})",
        f"Won / (won + lost) {measured}",
        _whom.left_out({"open": open_deals}),
        others_note,
        how_many(left_out, "group", "without closed deals left out"),
        height=_bars.height(rates.height),
        xaxis=share_axis(f"Won, % of closed {measured}"),
        yaxis=_bars.label_axis(rates["label"].to_list()),
    )


def _title(group_columns: list[str], measure: str) -> str:
    """Return what the figure shows, and for whom: ``owner_name`` is "owner" there."""
    title = "Win rate"
    if measure == "amount":
        title = "Win rate by amount"
    if not group_columns:
        return title
    named = " and ".join(group_columns)
    groups = named.replace("_name", "").replace("_", " ")
    return f"{title}, for each {text(groups)}"


def _measured(measure: str) -> str:
    """Return the noun of what is divided by each other."""
    if measure == "amount":
        return "amount"
    return "deals"


def _made_of(
    rate: float | None,
    part: float,
    whole: float,
) -> tuple[str, str]:
    """Return the two lines of words on a bar: deals without an amount have no rate by amount."""
    if rate is None:
        return "no amount", ""
    return f"{rate:.0%}", part_of_whole(part, whole)


def _periods(deals: pl.DataFrame, by: list[str]) -> list[str]:
    """Return which words of `by` are periods of the close date."""
    # a column of the user's own that is called "month" is a column
    columns = columns_of(deals, "deals")
    return [column for column in by if column in PERIODS and column not in columns]


def _rates(
    deals: pl.DataFrame,
    by: list[str],
    measure: str,
) -> pl.DataFrame:
    """Return label, currency, n (closed deals), and the won part of the whole; and the period, where `by` has one.

    Numbers of deals are added over currencies, amounts are not.
    """
    rates = analysis.win_rate(deals, by=by)
    periods = _periods(deals, by)
    label_columns = list(by)
    groups = []
    if len(periods) == 1:
        groups.append(pl.col(periods[0]).alias("period"))
        label_columns.remove(periods[0])

    currency = pl.lit("")
    won = pl.col("won")
    lost = pl.col("lost")
    closed_count = won + lost
    if measure == "amount":
        won = pl.col("won_amount")
        lost = pl.col("lost_amount")
        # each currency has its own row, and its name beside the label
        label_columns = [column for column in label_columns if column != "currency"]
        if "currency" in rates.columns:
            currency = pl.col("currency").fill_null("(no currency)")

    group_label = pl.lit("All deals").alias("label")
    if label_columns:
        group_label = _bars.label_of(label_columns)
    grouped = rates.group_by(*groups, group_label, currency.alias("currency"))
    return grouped.agg(
        n=closed_count.sum(),
        part=won.sum(),
        whole=(won + lost).sum(),
    )


def _rates_over_time(
    rates: pl.DataFrame,
    every: str,
    title: str,
    measure: str,
) -> go.Figure:
    """Return a line for each of the largest groups, with a gap where none closed."""
    dated = rates.drop_nulls("period")
    if dated.is_empty():
        return nothing(title, _NO_CLOSE_DATE)
    if dated["currency"].n_unique() > 1:
        dated = dated.with_columns(_bars.label_of(["label", "currency"]))

    sizes = dated.group_by("label").agg(pl.col("n").sum())
    labels = _bars.largest_first(sizes, "n")["label"]
    shown_labels = labels.head(len(PALETTE))
    first_period = pl.lit(dated["period"].min())
    last_period = pl.lit(dated["period"].max())
    # every period has a point, so that one without closed deals is a gap
    span = pl.date_range(first_period, last_period, every, eager=True)
    periods = span.tail(MAX_BINS).to_frame("period")
    traces = []
    for group_label, colour in zip(shown_labels, PALETTE, strict=False):
        own_rates = dated.filter(pl.col("label") == group_label)
        points = periods.join(own_rates, on="period", how="left").sort("period")
        traces.append(_rate_line(points, group_label, colour))

    is_shown = pl.col("label").is_in(shown_labels.implode())
    shown = dated.join(periods, on="period").filter(is_shown)
    undated_rates = rates.filter(pl.col("period").is_null())
    undated = int(undated_rates["n"].sum())
    closed_deals = plural(int(shown["n"].sum()), "closed deal")
    latest_note = ""
    if span.len() > MAX_BINS:
        latest_note = f"Latest {MAX_BINS} periods"
    measured = _measured(measure)
    return figure(
        traces,
        f"{title} (n = {closed_deals})",
        f"Won / (won + lost) {measured} by close date",
        how_many(undated, "closed deal", "without a close date not shown"),
        _smaller_groups(labels.len() - len(traces)),
        latest_note,
        height=380,
        showlegend=len(traces) > 1,
        hovermode="x unified",
        xaxis=_over_time.time_axis(periods["period"], every),
        yaxis=share_axis(f"Won, % of closed {measured}"),
    )


def _rate_line(points: pl.DataFrame, label: str, colour: str) -> go.Scatter:
    """Return the line of one group. Reads period, part, whole."""
    rates = points.select(ratio(pl.col("part"), pl.col("whole"))).to_series()
    counts = points.select("part", "whole").fill_null(0).rows()
    return go.Scatter(
        x=points["period"].to_list(),
        y=rates.to_list(),
        customdata=[part_of_whole(part, whole) for part, whole in counts],
        name=text(label),
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 6},
        hovertemplate="%{y:.0%}, %{customdata}",
    )


def _smaller_groups(not_shown: int) -> str:
    if not not_shown:
        return ""
    return f"{not_shown} groups with fewer closed deals not shown"


@draws
def pipeline_snapshot(
    deals: pl.DataFrame,
    stages: pl.DataFrame,
    *,
    measure: Literal["amount", "deals"] = "amount",
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
    open_deals = int(snapshot["deals"].sum())
    if not open_deals:
        return nothing_of("deals", deals, title, "no deal is open.")

    by_name = pl.col("currency").unique().sort(nulls_last=True)
    currencies = values_of(deals.filter(pipeline.OPEN), by_name).to_list()
    # the analysis parts amounts only where there are several currencies
    if "currency" not in snapshot.columns:
        currencies = currencies[:1]
        snapshot = snapshot.with_columns(currency=pl.lit(currencies[0], pl.String))
    several = len(currencies) > 1
    summed, others_note = _bars.with_others(_labelled(snapshot), "deals", "stages")
    traces = []
    for position, currency in enumerate(currencies):
        is_own = pl.col("currency").eq_missing(pl.lit(currency, pl.String))
        own_stages = summed.filter(is_own)
        words_beside = []
        for deal_count, amount in own_stages.select("deals", "amount").iter_rows():
            words_beside.append((plural(deal_count, "deal"), money(amount, currency)))
        colour = PALETTE[position % len(PALETTE)]
        legend_name = currency or "currency not given"
        traces.append(_bars.bars(own_stages, measure, words_beside, colour, legend_name))

    labels = summed["label"].unique(maintain_order=True).to_list()
    return figure(
        traces,
        f"{title} (n = {plural(open_deals, 'open deal')})",
        "Where deals are now, not how many passed through",
        _whom.left_out({"closed": height_of(deals) - open_deals}),
        others_note,
        barmode="group",
        showlegend=several,
        height=_bars.height(len(labels), len(currencies)),
        xaxis=axis_from_zero(_length_in_words(measure, currencies)),
        yaxis=_bars.label_axis(labels),
    )


def _length_in_words(measure: str, currencies: list[str | None]) -> str:
    """Return what the bars are as long as."""
    if measure != "amount":
        return "Open deals"
    if len(currencies) > 1:
        return "Amount (each bar in its own currency)"
    return f"Amount ({text(currencies[0] or 'account currency')})"


def _labelled(snapshot: pl.DataFrame) -> pl.DataFrame:
    """Name each stage by no more than it takes to tell the stages apart."""
    label_columns = ["pipeline_name", "label"]
    if snapshot["pipeline_name"].n_unique() == 1:
        label_columns = ["label"]
    stages = snapshot.select("pipeline_name", "stage", "label").unique()
    # two stages of one pipeline may be called alike
    if stages.select(label_columns).is_duplicated().any():
        label_columns.append("stage")
    return snapshot.select(_bars.label_of(label_columns), "currency", "deals", "amount")


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
    if months.is_empty():
        return nothing_of("deals", deals, title, _NO_CLOSED_DEAL)
    dated = months.drop_nulls("month")
    if dated.is_empty():
        return nothing_of("deals", deals, title, _NO_CLOSE_DATE)

    undated_months = months.filter(pl.col("month").is_null())
    undated = _closed_in(undated_months)
    per_month = _with_amounts(dated, deals)
    shown_months = per_month.tail(_MAX_MONTHS)
    won_bars = _over_time.bars(shown_months, "won", "1mo", "won", GREEN)
    amounts = shown_months["amounts"].to_list()
    won_bars.update(customdata=amounts, hovertemplate="%{y:,}%{customdata}")
    lost_bars = _over_time.bars(shown_months, "lost", "1mo", "lost", VERMILLION)
    heights = shown_months.with_columns(all=pl.col("won") + pl.col("lost"))
    open_deals = height_of(deals.filter(pipeline.OPEN))
    return figure(
        [won_bars, lost_bars],
        f"{title} (n = {plural(_closed_in(shown_months), 'closed deal')})",
        _whom.left_out({"open": open_deals, "without a close date": undated}),
        _over_time.latest_months(_MAX_MONTHS, per_month.height),
        **_over_time.layout(heights, "all", "1mo", "Closed deals"),
    )


def _closed_in(months: pl.DataFrame) -> int:
    """Return how many deals were won or lost in all of these months."""
    totals = months.select(pl.col("won", "lost").sum())
    return int(totals.sum_horizontal().item())


def _with_amounts(months: pl.DataFrame, deals: pl.DataFrame) -> pl.DataFrame:
    """Return period, won, lost, and the won amounts of all currencies in words."""
    # the analysis names currencies only where there are several
    if "currency" not in months.columns:
        only_currency = pipeline.only_currency(deals.filter(pipeline.WON | pipeline.LOST))
        months = months.with_columns(currency=pl.lit(only_currency, pl.String))
    amounts_in_words = []
    for amount, currency in months.select("won_amount", "currency").iter_rows():
        in_words = ""
        if amount:
            in_words = f" ({text(money(amount, currency))})"
        amounts_in_words.append(in_words)

    worded = months.with_columns(pl.Series("amounts", amounts_in_words, pl.String))
    by_month = worded.group_by(pl.col("month").alias("period"))
    closed_sums = pl.col("won", "lost").sum()
    amounts = pl.col("amounts").str.join()
    return by_month.agg(closed_sums, amounts).sort("period")
