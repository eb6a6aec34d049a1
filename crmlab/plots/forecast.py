"""Figures of what the open deals can still bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis import pipeline
from crmlab.analysis.forecast import Probabilities
from crmlab.analysis.parts import height_of
from crmlab.display import plural
from crmlab.plots import _bars, _panels, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import (
    BLUE,
    GREEN,
    VERMILLION,
    figure,
    how_many,
    money,
    nothing_of,
    shares_from_zero,
)
from crmlab.schema import TimeLike

__all__ = ["coverage", "weighted_pipeline"]

_MAX_MONTHS = 24
#: below the bars, so that it crosses no number
_QUOTA = {
    "type": "line",
    "layer": "below",
    "yref": "paper",
    "x0": 1,
    "x1": 1,
    "y0": 0,
    "y1": 1,
    "line": {"color": VERMILLION, "width": 3},
}


@draws
def weighted_pipeline(
    deals: pl.DataFrame,
    *,
    as_of: TimeLike,
    probability: Probabilities | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return bars of the open amount by expected month of closing, and how much of it is to be expected.

    Parameters
    ----------
    deals, as_of, probability, time_zone
        As of `crmlab.analysis.weighted_pipeline`.

    Returns
    -------
    go.Figure
        A panel for each currency: overdue, two years of months, what is later, and what has no date.

    Raises
    ------
    UsageError
        As `crmlab.analysis.weighted_pipeline`.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"stage_probability": [0.1, 0.8, 0.5], "status": ["pending"] * 3,
    ...         "amount": [100.0, 200.0, 40.0],
    ...         "expected_close_date": [date(2026, 1, 9), date(2026, 3, 9), date(2026, 3, 31)]}
    >>> figure = plots.weighted_pipeline(conform(pl.DataFrame(rows), TABLES["deals"]), as_of=date(2026, 2, 1))
    >>> figure.layout.title.text
    'Open amount by expected month (n = 3 open deals)'
    >>> [trace.name for trace in figure.data]
    ['all', 'weighted']
    """
    title = "Open amount by expected month"
    months = analysis.weighted_pipeline(
        deals, as_of=as_of, probability=probability, time_zone=time_zone
    )
    open_deals = int(months["deals"].sum())
    if not open_deals:
        return nothing_of("deals", deals, title, "no deal is open.")

    labels, labelled = _labels(months)
    panels, not_shown = _panels.by_currency(labelled)
    only_currency = pipeline.only_currency(deals.filter(pipeline.OPEN))
    traces: list[go.Bar] = []
    titles = []
    for position, (currency, panel_months) in enumerate(panels):
        traces += _panels.placed(_raw_and_weighted(panel_months), position)
        titles.append(f"Amount ({currency or only_currency or 'currency not given'})")

    layout = _panels.axes(titles, labels=labels)
    unweighted = months.filter(pl.col("probability_from").is_null())
    closed = height_of(deals.filter(pipeline.WON | pipeline.LOST))
    return figure(
        traces,
        f"{title} (n = {plural(open_deals, 'open deal')})",
        _rule(months["probability_from"]),
        how_many(int(unweighted["deals"].sum()), "deal", "without a probability"),
        how_many(int(months["without_amount"].sum()), "deal", "without an amount"),
        _whom.left_out({"closed": closed}),
        not_shown,
        barmode="overlay",
        showlegend=True,
        **layout,
    )


def _rule(sources: pl.Series) -> str:
    """Return how amounts are weighted, and by whose probabilities; "" where no stage has one."""
    known_sources = sources.drop_nulls().unique().sort().to_list()
    if not known_sources:
        return ""
    return f"Weighted: amount x probability of its stage, from {' and '.join(known_sources)}"


def _labels(months: pl.DataFrame) -> tuple[list[str], pl.DataFrame]:
    """Return the labels in order, every month between two others included, and the frame with its own."""
    shown_months = _shown_months(months["month"].drop_nulls())
    # where no deal has a month, no month is later than the last one
    last_shown = date.max
    later_label = ""
    if shown_months:
        last_shown = shown_months[-1]
        later_label = f"after {last_shown:%b %Y}"
    month_names = [f"{month_start:%b %Y}" for month_start in shown_months]

    own_label = pl.coalesce(pl.col("month").dt.strftime("%b %Y"), "bucket")
    is_later = pl.col("month") > last_shown
    shown_label = pl.when(is_later).then(pl.lit(later_label)).otherwise(own_label)
    labelled = months.with_columns(label=shown_label)
    # months without deals are shown, so that the axis is one of time; the other labels are not
    used = {*labelled["label"], *month_names}
    in_order = ["overdue", *month_names, later_label, "no date"]
    return [axis_label for axis_label in in_order if axis_label in used], labelled


def _shown_months(months: pl.Series) -> list[date]:
    """Return the first of the months that lie between these, with them."""
    if months.is_empty():
        return []
    first_month = pl.lit(months.min())
    last_month = pl.lit(months.max())
    span = pl.date_range(first_month, last_month, "1mo", eager=True)
    return span.head(_MAX_MONTHS).to_list()


def _raw_and_weighted(rows: pl.DataFrame) -> Iterator[go.Bar]:
    sums = pl.col("amount", "weighted_amount", "deals").sum()
    month_sums = rows.group_by("label", maintain_order=True).agg(sums)
    counts = [plural(deal_count, "deal") for deal_count in month_sums["deals"]]
    # the weighted bar lies over the other: what is left of it to see is the risk
    styles = (
        ("amount", "all", "rgba(86,180,233,0.45)"),
        ("weighted_amount", "weighted", BLUE),
    )
    for column, legend_name, colour in styles:
        yield go.Bar(
            x=month_sums["label"].to_list(),
            y=month_sums[column].to_list(),
            name=legend_name,
            customdata=counts,
            marker={"color": colour},
            hovertemplate=f"%{{x}}, {legend_name}: %{{y:,.0f}} (%{{customdata}})<extra></extra>",
        )


@draws
def coverage(
    deals: pl.DataFrame,
    quota: float | Mapping[str, float],
    *,
    since: date | str,
    until: date | str,
) -> go.Figure:
    """Return bars of what is won and what is open, against the quota.

    Parameters
    ----------
    deals, quota, since, until
        As of `crmlab.analysis.coverage`.

    Returns
    -------
    go.Figure
        A bar for each currency, in % of its quota, with a line where the quota is.

    Raises
    ------
    UsageError
        As `crmlab.analysis.coverage`.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"status": ["won", "pending"], "amount": [40.0, 180.0], "currency": ["EUR"] * 2,
    ...         "close_date": [date(2026, 1, 9), None]}
    >>> deals = conform(pl.DataFrame(rows), TABLES["deals"])
    >>> figure = plots.coverage(deals, 100, since="2026-01-01", until="2026-04-01")
    >>> figure.layout.title.text
    'Won and open against the quota (n = 2 deals)'
    >>> [trace.name for trace in figure.data]
    ['won', 'open']
    """
    title = "Won and open against the quota"
    coverages = analysis.coverage(deals, quota, since=since, until=until)
    won_count = int(coverages["won"].sum())
    open_count = int(coverages["open"].sum())
    deal_count = won_count + open_count
    if not deal_count:
        return nothing_of("deals", deals, title, "no deal is open or won in this time.")

    # without a quota there is nothing to be 100 %
    with_quota = coverages.drop_nulls("quota").with_columns(
        pl.col("currency").fill_null("All deals").alias("label")
    )
    missing_quota = ""
    if with_quota.height < coverages.height:
        missing_quota = "No quota for some currencies: not shown"
    return figure(
        [
            _part_of_quota(with_quota, "won", GREEN),
            _part_of_quota(with_quota, "open", BLUE),
        ],
        f"{title} (n = {plural(deal_count, 'deal')})",
        *_ratios(with_quota),
        f"{won_count:,} won in this time and {open_count:,} open",
        _whom.left_out({"lost, or closed at another time": height_of(deals) - deal_count}),
        missing_quota,
        barmode="stack",
        showlegend=True,
        # the legend takes a line more
        height=_bars.height(with_quota.height) + 30,
        shapes=[_QUOTA],
        xaxis=shares_from_zero("% of the quota"),
        yaxis=_bars.label_axis(with_quota["label"].to_list()),
    )


def _part_of_quota(coverages: pl.DataFrame, state: str, colour: str) -> go.Bar:
    """Return the bars of the won or of the open deals. Reads label, currency, quota, and state and its amount."""
    amount_column = f"{state}_amount"
    words_beside = []
    for amount, count, currency in coverages.select(amount_column, state, "currency").rows():
        words_beside.append((money(amount, currency), plural(count, "deal")))
    shares = coverages.with_columns(pl.col(amount_column) / pl.col("quota"))
    return _bars.bars(shares, amount_column, words_beside, colour, state)


def _ratios(coverages: pl.DataFrame) -> list[str]:
    """Return the coverage of each currency as a sentence."""
    sentences = []
    for currency, ratio in coverages.select("currency", "coverage").rows():
        # of a quota that is reached nothing is left to be covered
        sentence = "quota filled"
        if ratio is not None:
            sentence = f"coverage {ratio:.1f} = open / (quota - won)"
        if currency and coverages.height > 1:
            sentence = f"{currency}: {sentence}"
        sentences.append(sentence)
    return sentences
