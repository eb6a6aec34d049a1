"""Figures of engagement: how campaigns are opened and clicked, one by one and over time."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.inputs import read
from crmlab.analysis.parts import values_of
from crmlab.analysis.period import chosen_grain, local
from crmlab.analysis.rates import ratio
from crmlab.analysis.touches import HAPPENED
from crmlab.display import plural
from crmlab.plots import _bars, _over_time
from crmlab.plots._fetches import draws
from crmlab.plots._template import (
    BLUE,
    PALETTE,
    figure,
    how_many,
    nothing_of,
    part_of_whole,
    share_axis,
)

__all__ = ["email_engagement", "email_engagement_over_time"]

_ORANGE = PALETTE[1]
_TITLE = "Mailings opened and clicked"
_NO_SEND = "no mailing was sent."
_RULE = "Contacts that something was sent to, once for each campaign; a click is an opening"


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
    sent_campaigns = rates.filter(pl.col("sent") > 0)
    if sent_campaigns.is_empty():
        return nothing_of("activities", activities, _TITLE, _NO_SEND)

    # of a service that tells no deliveries, who was sent to counts as reached
    reached = pl.coalesce("delivered", "sent").alias("reached")
    counted = _labelled(sent_campaigns).select("label", reached, "opened", "clicked")
    by_size = _bars.longest_first(counted, "reached")
    summed, others_note = _bars.with_others(by_size, "reached", "campaigns")
    recipients = plural(int(sent_campaigns["sent"].sum()), "recipient")
    return figure(
        [_rate_bars(summed, "opened", BLUE), _rate_bars(summed, "clicked", _ORANGE)],
        f"{_TITLE} (n = {recipients})",
        _RULE,
        _without_send(rates),
        others_note,
        barmode="group",
        showlegend=True,
        height=170 + 46 * summed.height,
        xaxis=share_axis(f"% of contacts {_base(sent_campaigns)}"),
        yaxis=_bars.label_axis(summed["label"].to_list()),
    )


def _rate_bars(campaigns: pl.DataFrame, column: str, colour: str) -> go.Bar:
    """Return the bars of one rate. Reads label, reached and the column."""
    rate = ratio(pl.col(column), pl.col("reached"))
    # nothing is drawn where a service does not tell who opened or clicked
    known_rates = campaigns.with_columns(rate=rate).drop_nulls("rate")
    words_beside = []
    for share, part, whole in known_rates.select("rate", column, "reached").iter_rows():
        words_beside.append((f"{share:.0%}: {part_of_whole(part, whole)}",))
    return _bars.bars(known_rates, "rate", words_beside, colour, column)


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
    times = read(activities, "activities", "starts_at", "created_at")
    every = chosen_grain(every, values_of(times, local(HAPPENED, time_zone)))
    rates = analysis.email_engagement_over_time(activities, every=every, time_zone=time_zone)
    _over_time.check_periods(rates["period"], every)
    sent_periods = rates.filter(pl.col("sent") > 0)
    if sent_periods.is_empty():
        return nothing_of("activities", activities, _TITLE, _NO_SEND)

    # of a service that tells no deliveries, who was sent to counts as reached
    delivered_or_sent = pl.coalesce("delivered", "sent").sum().alias("reached")
    reached = pl.col("reached")
    opened = pl.col("opened")
    clicked = pl.col("clicked")
    by_period = sent_periods.group_by("period")
    counts = by_period.agg(delivered_or_sent, opened.sum(), clicked.sum())
    # periods without a send are gaps, not a straight line over them
    first_period = pl.col("period").min()
    last_period = pl.col("period").max()
    periods = counts.select(period=pl.date_range(first_period, last_period, every))
    rate_lines = periods.join(counts, on="period", how="left").sort("period")
    rate_lines = rate_lines.with_columns(
        ratio(opened, reached).alias("open_rate"),
        ratio(clicked, reached).alias("click_rate"),
        ratio(clicked, opened).alias("click_to_open_rate"),
    )
    base = _base(sent_periods)
    styles = (
        ("open_rate", f"opened / {base}", BLUE, "solid"),
        ("click_rate", f"clicked / {base}", _ORANGE, "solid"),
        ("click_to_open_rate", "clicked / opened", _ORANGE, "dot"),
    )
    recipients = plural(int(sent_periods["sent"].sum()), "recipient")
    return figure(
        _over_time.rate_lines(rate_lines, styles),
        f"{_TITLE} per {_over_time.word(every)} sent (n = {recipients})",
        _RULE,
        "The last periods still grow",
        _without_send(rates),
        **_over_time.rate_layout(rate_lines, every, "% of contacts"),
    )


def _labelled(rates: pl.DataFrame) -> pl.DataFrame:
    """Name each campaign by no more than it takes to tell the campaigns apart."""
    campaign_name = pl.coalesce(
        "campaign", pl.format("campaign {}", "campaign_id"), pl.lit("(no campaign)")
    )
    named = rates.with_columns(campaign_name.alias("campaign"))
    label_columns = ["campaign"]
    for distinguishing in ("campaign_id", "account", "provider"):
        if named.select(label_columns).is_duplicated().any():
            label_columns.append(distinguishing)
    return named.with_columns(_bars.label_of(label_columns))


def _base(rates: pl.DataFrame) -> str:
    # services differ in what they tell: the rates of one figure may be of both
    bases = rates["base"].unique().sort()
    return " or ".join(bases.replace("sent", "sent to"))


def _without_send(rates: pl.DataFrame) -> str:
    events = rates.select(pl.col("opens_without_send", "clicks_without_send").sum())
    missed = int(events.sum_horizontal().item())
    return how_many(missed, "event", "without a send before left out")
