"""Figures of consent: events over time, and choices on the banner."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis import consent
from crmlab.analysis.inputs import read
from crmlab.analysis.parts import height_of, values_of
from crmlab.analysis.period import chosen_grain, local
from crmlab.plots import _over_time, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import BLUE, VERMILLION, figure, nothing_of, number

__all__ = ["consent_banner", "consent_trend"]


@draws
def consent_trend(
    consent_events: pl.DataFrame, *, every: str | None = None, time_zone: str = "UTC"
) -> go.Figure:
    """Return stacked bars of consent events per period, a colour for each kind.

    Parameters
    ----------
    consent_events
        Reads what `crmlab.analysis.consent_trend` reads.
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 bars.
    time_zone
        IANA name; where the day begins.

    Returns
    -------
    go.Figure
        The eight kinds with most events, the rest as one.

    Raises
    ------
    UsageError
        `every` or `time_zone` is not known, or there would be more than 2,000 bars.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> frame = pl.DataFrame({"kind": ["subscribe", "subscribe", "unsubscribe"],
    ...                       "occurred_at": [datetime(2026, 1, day) for day in (1, 31, 31)]})
    >>> frame = frame.with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.consent_trend(conform(frame, TABLES["consent_events"]), every="1mo")
    >>> figure.layout.title.text
    'Consent events per month (n = 3)'
    >>> [trace.name for trace in figure.data]
    ['subscribe', 'unsubscribe']
    """
    title = "Consent events"
    times = read(consent_events, "consent_events", "occurred_at", "created_at")
    every = chosen_grain(every, values_of(times, local(consent.SAID, time_zone)))
    counts = analysis.consent_trend(consent_events, every=every, time_zone=time_zone)
    if counts.is_empty():
        explanation = "no consent event has a time."
        return nothing_of("consent events", consent_events, title, explanation)

    undated = height_of(consent_events) - int(counts["count"].sum())
    # what a kind means is the service's: the events say themselves what they decide
    kinds = analysis.consent_kinds(consent_events)
    kind_sums = kinds.select(pl.col("opt_ins", "opt_outs", "neither").sum()).row(0)
    opt_ins, opt_outs, neither = map(number, kind_sums)
    decisions = (
        f"Events, not people: {opt_ins} opt-ins, {opt_outs} opt-outs, {neither} that decide nothing"
    )
    missing = _whom.left_out({"without a time": undated})
    return _over_time.stacked(counts, every, title, "Events", decisions, missing)


@draws
def consent_banner(consent_statistics: pl.DataFrame, *, every: str | None = None) -> go.Figure:
    """Return lines of the banner's opt-in and opt-out rate over time.

    Parameters
    ----------
    consent_statistics
        Reads what `crmlab.analysis.consent_banner` reads.
    every
        ``"1d"`` or longer; None: the finest that gives at most 400 points. Rates of longer periods are
        those of the summed counts.

    Returns
    -------
    go.Figure
        Two lines, 0-100 % of exposed visitors; gaps where no visitor was exposed.

    Raises
    ------
    UsageError
        `every` is not known.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"day": [date(2026, 1, 1)] * 2, "banner_id": ["a", "b"], "visitors_exposed": [100, 300],
    ...         "optin": [90, 110], "optout": [5, 95]}
    >>> figure = plots.consent_banner(conform(pl.DataFrame(rows), TABLES["consent_statistics"]))
    >>> figure.layout.title.text
    'Banner opt-ins and opt-outs per day (n = 400 visitors)'
    >>> [trace.name for trace in figure.data]
    ['opt-in', 'opt-out']
    """
    title = "Banner opt-ins and opt-outs"
    days = read(consent_statistics, "consent_statistics", "day")
    every = chosen_grain(every, days["day"])
    rates = analysis.consent_banner(consent_statistics, every=every)
    has_rate = pl.any_horizontal(pl.col("optin_rate", "optout_rate").is_not_null())
    known_rates = rates.filter(has_rate)
    if known_rates.is_empty():
        explanation = "no visitor saw a banner."
        return nothing_of("consent statistics", consent_statistics, title, explanation)

    visitors = number(int(known_rates["visitors_exposed"].sum()))
    styles = (
        ("optin_rate", "opt-in", BLUE, "solid"),
        ("optout_rate", "opt-out", VERMILLION, "dot"),
    )
    # all periods, not only those that are known: the others are the gaps
    rate_lines = rates.rename({"day": "period"})
    return figure(
        _over_time.rate_lines(rate_lines, styles),
        f"{title} per {_over_time.word(every)} (n = {visitors} visitors)",
        "Share of exposed visitors; the rest chose nothing",
        **_over_time.rate_layout(rate_lines, every, "% of exposed visitors"),
    )
