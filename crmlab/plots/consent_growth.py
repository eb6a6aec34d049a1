"""The figure of consents over time: how many there are, came and went."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.consent import SAID
from crmlab.analysis.consent_state import state_of
from crmlab.analysis.decisions import OPT_IN
from crmlab.analysis.parts import height_of, values_of
from crmlab.analysis.period import chosen_grain, local
from crmlab.analysis.subjects import Subject
from crmlab.display import plural
from crmlab.plots import _over_time, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import BLUE, GREEN, VERMILLION, figure, nothing, number
from crmlab.plots.consent_state import NO_CONSENT, NO_EVENTS

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
    every = chosen_grain(every, values_of(consent_events, local(SAID, time_zone)))
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
        if undated:
            return nothing(
                title, f"nobody tells when the {plural(undated, 'consent')} in force began."
            )
        return nothing(title, NO_CONSENT if height_of(consent_events) else NO_EVENTS)
    _over_time.check_periods(stock["period"], every)
    rates = [
        "" if rate is None else f" ({rate:.2%} of those at the start)"
        for rate in stock["opt_out_rate_of_stock_at_start"]
    ]
    begun, ended = _without_time(stock)
    # what is in force since nobody knows when is no growth of the last period
    dated = pl.col("stock_at_start") + pl.col("net")
    shown = stock.with_columns(left=-pl.col("opt_outs"), dated=dated)
    traces = [
        go.Scatter(
            x=shown["period"].to_list(),
            y=shown["dated"].to_list(),
            name="in force at the end",
            mode="lines+markers" if shown.height <= 60 else "lines",
            line={"color": BLUE, "width": 2},
            marker={"size": 6},
            hovertemplate="%{y:,}",
        ),
        _over_time.bars(shown, "opt_ins", every, "opted in", GREEN).update(yaxis="y2"),
        _over_time.bars(shown, "left", every, "opted out", VERMILLION).update(
            yaxis="y2",
            customdata=[
                f"{number(out)}{rate}" for out, rate in zip(shown["opt_outs"], rates, strict=True)
            ],
            hovertemplate="%{customdata}",
        ),
    ]
    if begun or ended:
        traces.append(_diamond(stock))
    return figure(
        traces,
        f"{title}, per {_over_time.word(every)} (n = {number(int(stock['stock'][-1]))} at the end)",
        f"Each of a {_whom.each_of(subject)}; repeated opt-ins are not counted again",
        _whom.evidence(subscriptions, contacts),
        _in_words(begun, ended),
        _whom.events_left_out(consent_events),
        barmode="relative",
        height=440,
        showlegend=True,
        hovermode="x unified",
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


def _without_time(stock: pl.DataFrame) -> tuple[int, int]:
    """Return how many consents began and ended at a time that is not told: the stock at the end knows of them."""
    if "opt_ins_undated" not in stock.columns:
        return 0, 0
    begun, ended = stock.select(pl.col("opt_ins_undated", "opt_outs_undated").sum()).row(0)
    return int(begun), int(ended)


def _in_words(begun: int, ended: int) -> str:
    counts = [
        f"{number(begun)} that began" if begun else "",
        f"less {number(ended)} that ended" if ended else "",
    ]
    known = " ".join(filter(None, counts))
    return f"The diamond, and n, hold {known} at a time that is not told" if known else ""


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
