"""Figures of engagement: how campaigns are opened and clicked, one by one and over time."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.parts import height_of, values_of
from crmlab.analysis.period import chosen_grain, local
from crmlab.analysis.rates import ratio
from crmlab.analysis.touches import HAPPENED
from crmlab.display import plural
from crmlab.plots import _bars, _over_time
from crmlab.plots._fetches import draws
from crmlab.plots._template import BLUE, PALETTE, figure, nothing, number

__all__ = ["email_engagement", "email_engagement_over_time"]

_ORANGE = PALETTE[1]
_TITLE = "Mailings opened and clicked"
_NO_SEND = "no mailing was sent."
_EMPTY = "the activities table is empty."


@draws
def email_engagement(activities: pl.DataFrame, campaigns: pl.DataFrame | None = None) -> go.Figure:
    """Return bars of the open rate and the click rate of each campaign.

    Parameters
    ----------
    activities, campaigns
        Read what `crmlab.analysis.email_engagement` reads.

    Returns
    -------
    go.Figure
        Horizontal bars, 0-100 % of the contacts reached, each with the numbers it was made of; the twenty
        campaigns that reached most, the rest as one.

    Raises
    ------
    UsageError
        A column is missing.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"mailing": ["sent", "sent", "clicked", "opened"], "contact_id": ["a", "b", "a", "c"],
    ...         "campaign_id": ["7"] * 4, "created_at": [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 1, 2, 3)]}
    >>> figure = plots.email_engagement(conform(pl.DataFrame(rows), TABLES["activities"]))
    >>> figure.layout.title.text
    'Mailings opened and clicked (n = 2 recipients)'
    >>> [trace.name for trace in figure.data]
    ['opened', 'clicked']
    """
    rates = analysis.email_engagement(activities, campaigns)
    sent = rates.filter(pl.col("sent") > 0)
    if sent.is_empty():
        return nothing(_TITLE, _NO_SEND if height_of(activities) else _EMPTY)
    reached = pl.coalesce("delivered", "sent").alias("reached")
    counted = _labelled(sent).select("label", reached, "opened", "clicked")
    shown, note = _bars.with_others(_bars.longest_first(counted, "reached"), "reached", "campaigns")
    traces = []
    for column, name, colour in (("opened", "opened", BLUE), ("clicked", "clicked", _ORANGE)):
        lengths = shown.with_columns(rate=ratio(pl.col(column), pl.col("reached")))
        beside = [
            (f"{rate:.0%}: {number(part)} of {number(whole)}",)
            for rate, part, whole in lengths.drop_nulls("rate")
            .select("rate", column, "reached")
            .iter_rows()
        ]
        traces.append(_bars.bars(lengths.drop_nulls("rate"), "rate", beside, colour, name))
    return figure(
        traces,
        f"{_TITLE} (n = {plural(int(sent['sent'].sum()), 'recipient')})",
        "Contacts that something was sent to, once for each campaign; a click is an opening",
        _without_send(rates),
        note,
        barmode="group",
        showlegend=True,
        height=170 + 46 * shown.height,
        xaxis={
            "title": {"text": f"% of contacts {_base(sent)}"},
            "tickformat": ".0%",
            "range": [0, 1.02],
        },
        yaxis=_bars.label_axis(shown["label"].to_list()),
    )


@draws
def email_engagement_over_time(
    activities: pl.DataFrame, *, every: str | None = None, time_zone: str = "UTC"
) -> go.Figure:
    """Return lines of the open rate, the click rate and the click-to-open rate, by the period of sending.

    Parameters
    ----------
    activities
        Reads what `crmlab.analysis.email_engagement_over_time` reads.
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 points,
        whose rates jump where few mailings were sent.
    time_zone
        IANA name; where the day begins.

    Returns
    -------
    go.Figure
        Three lines, 0-100 %; gaps where nothing was sent.

    Raises
    ------
    UsageError
        `every` or `time_zone` is not known, a column is missing, or there would be more than 2,000 points.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"mailing": ["sent", "opened"], "contact_id": ["a", "a"], "campaign_id": ["7", "7"],
    ...         "created_at": [datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)]}
    >>> figure = plots.email_engagement_over_time(conform(pl.DataFrame(rows), TABLES["activities"]), every="1mo")
    >>> figure.layout.title.text
    'Mailings opened and clicked per month sent (n = 1 recipient)'
    >>> [trace.name for trace in figure.data]
    ['opened / sent to', 'clicked / sent to', 'clicked / opened']
    """
    every = chosen_grain(every, values_of(activities, local(HAPPENED, time_zone)))
    rates = analysis.email_engagement_over_time(activities, every=every, time_zone=time_zone)
    _over_time.check_periods(rates["period"], every)
    sent = rates.filter(pl.col("sent") > 0)
    if sent.is_empty():
        return nothing(_TITLE, _NO_SEND if height_of(activities) else _EMPTY)
    reached, opened, clicked = pl.coalesce("delivered", "sent"), pl.col("opened"), pl.col("clicked")
    counts = sent.group_by("period").agg(
        reached.sum().alias("reached"), opened.sum(), clicked.sum()
    )
    # periods without a send are gaps, not a straight line over them
    whole = counts.select(
        pl.date_range(pl.col("period").min(), pl.col("period").max(), every).alias("period")
    )
    lines = (
        whole.join(counts, on="period", how="left")
        .sort("period")
        .with_columns(
            ratio(opened, pl.col("reached")).alias("open_rate"),
            ratio(clicked, pl.col("reached")).alias("click_rate"),
            ratio(clicked, opened).alias("click_to_open_rate"),
        )
    )
    styles = (
        ("open_rate", f"opened / {_base(sent)}", BLUE, "solid"),
        ("click_rate", f"clicked / {_base(sent)}", _ORANGE, "solid"),
        ("click_to_open_rate", "clicked / opened", _ORANGE, "dot"),
    )
    return figure(
        _over_time.rate_lines(lines, styles),
        f"{_TITLE} per {_over_time.word(every)} sent (n = {plural(int(sent['sent'].sum()), 'recipient')})",
        "Contacts that something was sent to, once for each campaign; a click is an opening",
        "The last periods still grow",
        _without_send(rates),
        **_over_time.rate_layout(lines, every, "% of contacts"),
    )


def _labelled(rates: pl.DataFrame) -> pl.DataFrame:
    """Name each campaign by no more than it takes to tell the campaigns apart."""
    name = pl.coalesce("campaign", pl.format("campaign {}", "campaign_id"), pl.lit("(no campaign)"))
    named = rates.with_columns(name.alias("campaign"))
    parts = ["campaign"]
    for further in ("campaign_id", "account", "provider"):
        if named.select(parts).is_duplicated().any():
            parts.append(further)
    return named.with_columns(_bars.label_of(parts))


def _base(rates: pl.DataFrame) -> str:
    return " or ".join(
        "sent to" if base == "sent" else base for base in rates["base"].unique().sort()
    )


def _without_send(rates: pl.DataFrame) -> str:
    missed = int(
        rates.select(pl.col("opens_without_send", "clicks_without_send").sum())
        .sum_horizontal()
        .item()
    )
    return f"{plural(missed, 'event')} without a send before left out" if missed else ""
