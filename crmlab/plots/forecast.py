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
from crmlab.plots._template import BLUE, GREEN, NO_DEALS, VERMILLION, figure, money, nothing
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
    found = analysis.weighted_pipeline(
        deals, as_of=as_of, probability=probability, time_zone=time_zone
    )
    n = int(found["deals"].sum())
    if not n:
        return nothing(title, "no deal is open." if height_of(deals) else NO_DEALS)
    labels, labelled = _labels(found)
    panels, left_out = _panels.by_currency(labelled)
    only = pipeline.only_currency(deals.filter(pipeline.OPEN))
    names = [currency or only or "currency not given" for currency, _ in panels]
    traces = [
        trace
        for place, (_, part) in enumerate(panels)
        for trace in _panels.placed(_raw_and_weighted(part), place)
    ]
    sources = found["probability_from"].drop_nulls().unique().sort().to_list()
    unknown = int(found.filter(pl.col("probability_from").is_null())["deals"].sum())
    without = int(found["without_amount"].sum())
    layout = _panels.axes([f"Amount ({name})" for name in names])
    layout["xaxis"] |= {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": labels,
        "showgrid": False,
    }
    return figure(
        traces,
        f"{title} (n = {plural(n, 'open deal')})",
        f"Weighted: amount x probability of its stage, from {' and '.join(sources)}"
        if sources
        else "",
        f"{plural(unknown, 'deal')} without a probability" if unknown else "",
        f"{plural(without, 'deal')} without an amount" if without else "",
        _whom.left_out({"closed": height_of(deals.filter(pipeline.WON | pipeline.LOST))}),
        left_out,
        barmode="overlay",
        showlegend=True,
        **layout,
    )


def _labels(found: pl.DataFrame) -> tuple[list[str], pl.DataFrame]:
    """Return the labels in order, every month between two others included, and the frame with its own."""
    months = found["month"].drop_nulls()
    shown: list[date] = []
    if months.len():
        span = pl.select(
            pl.date_range(pl.lit(months.min()), pl.lit(months.max()), "1mo")
        ).to_series()
        shown = span.head(_MAX_MONTHS).to_list()
    later = f"after {shown[-1]:%b %Y}" if shown else ""
    month = pl.col("month").dt.strftime("%b %Y")
    is_later = pl.col("month") > (shown[-1] if shown else date.max)
    label = (
        pl.when(is_later).then(pl.lit(later)).otherwise(pl.coalesce(month, "bucket")).alias("label")
    )
    labelled = found.with_columns(label)
    used = set(labelled["label"])
    order = ["overdue", *(f"{first:%b %Y}" for first in shown), later, "no date"]
    months_shown = {f"{first:%b %Y}" for first in shown}
    return [name for name in order if name in used or name in months_shown], labelled


def _raw_and_weighted(part: pl.DataFrame) -> Iterator[go.Bar]:
    sums = part.group_by("label", maintain_order=True).agg(
        pl.col("amount", "weighted_amount", "deals").sum()
    )
    counts = [plural(count, "deal") for count in sums["deals"]]
    for column, name, colour in (
        ("amount", "all", "rgba(86,180,233,0.45)"),
        ("weighted_amount", "weighted", BLUE),
    ):
        yield go.Bar(
            x=sums["label"].to_list(),
            y=sums[column].to_list(),
            name=name,
            customdata=counts,
            marker={"color": colour},
            hovertemplate=f"%{{x}}, {name}: %{{y:,.0f}} (%{{customdata}})<extra></extra>",
        )


@draws
def coverage(
    deals: pl.DataFrame, quota: float | Mapping[str, float], *, since: date | str, until: date | str
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
    found = analysis.coverage(deals, quota, since=since, until=until)
    n = int(found.select(pl.col("won", "open").sum()).sum_horizontal().item())
    if not n:
        return nothing(
            title, "no deal is open or won in this time." if height_of(deals) else NO_DEALS
        )
    shown = found.drop_nulls("quota").with_columns(
        pl.col("currency").fill_null("All deals").alias("label")
    )
    traces = []
    for column, count, name, colour in (
        ("won_amount", "won", "won", GREEN),
        ("open_amount", "open", "open", BLUE),
    ):
        rows = shown.select("quota", column, count, "currency").rows()
        beside = [
            (money(amount, currency), plural(number, "deal"))
            for _, amount, number, currency in rows
        ]
        shares = shown.with_columns(pl.col(column) / pl.col("quota"))
        traces.append(_bars.bars(shares, column, beside, colour, name))
    words = [
        f"{currency + ': ' if currency and shown.height > 1 else ''}"
        + (f"coverage {ratio:.1f} = open / (quota - won)" if ratio is not None else "quota filled")
        for currency, ratio in shown.select("currency", "coverage").rows()
    ]
    return figure(
        traces,
        f"{title} (n = {plural(n, 'deal')})",
        *words,
        f"{int(found['won'].sum()):,} won in this time and {int(found['open'].sum()):,} open",
        _whom.left_out({"lost, or closed at another time": height_of(deals) - n}),
        "No quota for some currencies: not shown" if shown.height < found.height else "",
        barmode="stack",
        showlegend=True,
        height=_bars.height(shown.height) + 30,
        shapes=[_QUOTA],
        xaxis={"title": {"text": "% of the quota"}, "tickformat": ".0%", "rangemode": "tozero"},
        yaxis=_bars.label_axis(shown["label"].to_list()),
    )
