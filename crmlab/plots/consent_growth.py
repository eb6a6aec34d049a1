"""The figure of consents over time: how many there are, came and went."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.consent import SAID
from crmlab.analysis.consent_state import state_of
from crmlab.analysis.decisions import OPT_IN
from crmlab.analysis.inputs import read
from crmlab.analysis.parts import values_of
from crmlab.analysis.period import chosen_grain, local
from crmlab.analysis.subjects import Subject
from crmlab.display import plural
from crmlab.plots import _over_time, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import BLUE, GREEN, VERMILLION, figure, nothing, nothing_of, number
from crmlab.plots.consent_state import NO_CONSENT

__all__ = ["consent_stock"]


@draws
def consent_stock(
    consent_events: pl.DataFrame,
    *,
    every: str | None = None,
    subject: Subject = "contact",
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return the number of consents in force over time, and below it who came and who left per period.

    Parameters
    ----------
    consent_events, subject, subscriptions, contacts, time_zone
        As `crmlab.analysis.consent_stock`.
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 periods.

    Returns
    -------
    go.Figure
        Two panels over one axis of time; the opt-out rate shows on hovering.

    Raises
    ------
    UsageError
        `every`, `subject` or `time_zone` is not known, or there would be more than 2,000 bars.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"provider": ["altcraft"] * 3, "opted_in": [True, True, False],
    ...         "contact_id": ["1", "2", "1"], "occurred_at": [datetime(2026, 1, day) for day in (5, 6, 19)]}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.consent_stock(conform(frame, TABLES["consent_events"]), every="1w")
    >>> figure.layout.title.text
    'Consents in force, per week (n = 1 at the end)'
    >>> [trace.name for trace in figure.data]
    ['in force at the end', 'opted in', 'opted out']
    """
    title = "Consents in force"
    times = read(consent_events, "consent_events", "occurred_at", "created_at")
    every = chosen_grain(every, values_of(times, local(SAID, time_zone)))
    stock = analysis.consent_stock(
        consent_events,
        every=every,
        subject=subject,
        subscriptions=subscriptions,
        contacts=contacts,
        time_zone=time_zone,
    )
    if stock.is_empty():
        state = state_of(
            consent_events, None, subject, subscriptions=subscriptions, contacts=contacts
        )
        undated = state.filter(pl.col("decision") == OPT_IN).height
        # states, such as a subscription, may tell of consents without saying since when
        if undated:
            consents = plural(undated, "consent")
            return nothing(title, f"nobody tells when the {consents} in force began.")
        return nothing_of("consent events", consent_events, title, NO_CONSENT)

    _over_time.check_periods(stock["period"], every)
    traces = [_in_force(stock), *_changes(stock, every)]
    undated_beginnings, undated_ends = _without_time(stock)
    if undated_beginnings or undated_ends:
        traces.append(_diamond(stock))
    at_the_end = number(int(stock["stock"][-1]))
    return figure(
        traces,
        f"{title}, per {_over_time.word(every)} (n = {at_the_end} at the end)",
        f"Each of a {_whom.each_of(subject)}; repeated opt-ins are not counted again",
        _whom.evidence(subscriptions, contacts),
        _in_words(undated_beginnings, undated_ends),
        _whom.events_left_out(consent_events),
        barmode="relative",
        height=440,
        showlegend=True,
        hovermode="x unified",
        # below both panels, not between them
        xaxis={**_over_time.time_axis(stock["period"], every), "anchor": "y2"},
        yaxis={
            "title": {"text": "Consents"},
            "rangemode": "tozero",
            "domain": [0.45, 1],
            "tickformat": ",d",
        },
        yaxis2={
            "title": {"text": "Opted in, out"},
            "domain": [0, 0.36],
            "tickformat": ",d",
            "nticks": 5,
        },
    )


def _in_force(stock: pl.DataFrame) -> go.Scatter:
    """Return the line of the consents that began at a known time."""
    # what is in force since nobody knows when is no growth of the last period
    dated_stock = stock["stock_at_start"] + stock["net"]
    return go.Scatter(
        x=stock["period"].to_list(),
        y=dated_stock.to_list(),
        name="in force at the end",
        mode=_over_time.line_mode(stock.height),
        line={"color": BLUE, "width": 2},
        marker={"size": 6},
        hovertemplate="%{y:,}",
    )


def _changes(stock: pl.DataFrame, every: str) -> list[go.Bar]:
    """Return the bars of who came, and below the axis those of who left, with their share of those in force."""
    opted_in = _over_time.bars(stock, "opt_ins", every, "opted in", GREEN)
    downwards = stock.with_columns(left=-pl.col("opt_outs"))
    opted_out = _over_time.bars(downwards, "left", every, "opted out", VERMILLION)
    counts_in_words = []
    for left_count, left_rate in stock.select("opt_outs", "opt_out_rate_of_stock_at_start").rows():
        in_words = number(left_count)
        # of a first period without anybody there is no share
        if left_rate is not None:
            in_words += f" ({left_rate:.2%} of those at the start)"
        counts_in_words.append(in_words)
    opted_in.update(yaxis="y2")
    opted_out.update(yaxis="y2", customdata=counts_in_words, hovertemplate="%{customdata}")
    return [opted_in, opted_out]


def _without_time(stock: pl.DataFrame) -> tuple[int, int]:
    """Return how many consents began and ended at a time that is not told: the stock at the end knows of them."""
    # without consents of no known time the analysis has no such columns
    if "opt_ins_undated" not in stock.columns:
        return 0, 0
    undated_beginnings, undated_ends = stock.select(
        pl.col("opt_ins_undated", "opt_outs_undated").sum()
    ).row(0)
    return int(undated_beginnings), int(undated_ends)


def _in_words(begun: int, ended: int) -> str:
    counts_in_words = []
    if begun:
        counts_in_words.append(f"{number(begun)} that began")
    if ended:
        counts_in_words.append(f"less {number(ended)} that ended")
    if not counts_in_words:
        return ""
    return f"The diamond, and n, hold {' '.join(counts_in_words)} at a time that is not told"


def _diamond(stock: pl.DataFrame) -> go.Scatter:
    """Return the point of all consents in force, those of no known time too."""
    return go.Scatter(
        x=stock["period"].tail(1).to_list(),
        y=stock["stock"].tail(1).to_list(),
        name="with those of no known time",
        mode="markers",
        marker={"size": 11, "symbol": "diamond-open", "color": BLUE, "line": {"width": 2}},
        hovertemplate="%{y:,}",
    )
