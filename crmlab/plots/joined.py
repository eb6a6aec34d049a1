"""Figures of deals and consent together, and of the people whom several services know."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis import person_consent
from crmlab.analysis.inputs import By, names_of
from crmlab.analysis.parts import height_of, values_of
from crmlab.analysis.pipeline import LOST, OPEN, WON
from crmlab.display import plural
from crmlab.plots import _bars, _shares, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import (
    BLUE,
    GREEN,
    PALETTE,
    REST,
    VERMILLION,
    at,
    figure,
    money,
    nothing,
    number,
    text,
)
from crmlab.schema import TimeLike

__all__ = [
    "consent_and_win_rate",
    "consent_coverage_of_pipeline",
    "open_pipeline_by_consent",
    "people_overlap",
]

_COLOURS = dict(zip(person_consent.STATES, (GREEN, VERMILLION, "#E69F00", REST), strict=True))
_NO_DEALS = "the deals table is empty."


@draws
def people_overlap(people: pl.DataFrame) -> go.Figure:
    """Return bars of how many people each combination of services knows.

    Parameters
    ----------
    people
        As `crmlab.analysis.people` returns it; counted by `crmlab.analysis.people_overlap`.

    Returns
    -------
    go.Figure
        Horizontal bars, the most people on top, each with its contacts.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab import plots
    >>> who = pl.DataFrame({"provider": ["altcraft", "relenta", "relenta"], "account": ["a"] * 3,
    ...                     "id": ["1", "3", "4"], "person_id": ["altcraft/a/1", "altcraft/a/1", "relenta/a/4"]})
    >>> figure = plots.people_overlap(who)
    >>> figure.layout.title.text
    'People by the services that know them (n = 2)'
    """
    title = "People by the services that know them"
    if not height_of(people):
        return nothing(title, "the contacts table is empty.")
    found = analysis.people_overlap(people)
    services = set(found["services"].explode())
    labels = [_combination(set(each), services) for each in found["services"]]
    found = found.select(pl.Series("label", labels, pl.String), "people", "contacts")
    shown, note = _bars.with_others(found, "people", "combinations")
    beside = [
        (number(n), plural(contacts, "contact"))
        for n, contacts in shown.select("people", "contacts").iter_rows()
    ]
    n = int(found["people"].sum())
    return figure(
        [_bars.bars(shown, "people", beside, BLUE)],
        f"{title} (n = {number(n)})",
        f"{number(height_of(people))} contacts; one person where address or number say so, never by name alone",
        note,
        height=_bars.height(shown.height),
        xaxis={"title": {"text": "People"}, "rangemode": "tozero"},
        yaxis=_bars.label_axis(shown["label"].to_list()),
    )


def _combination(services: set[str], every: set[str]) -> str:
    """Return a name that stays short: most of the services are all but one."""
    missing = every - services
    if not missing and len(every) > 2:
        return f"all {len(every)} services"
    if len(missing) == 1 and len(services) > 2:
        return f"all but {missing.pop()}"
    return " + ".join(sorted(services))


@draws
def open_pipeline_by_consent(
    deals: pl.DataFrame,
    consent_events: pl.DataFrame,
    people: pl.DataFrame,
    *,
    as_of: TimeLike,
    channel: str = "email",
    purpose: str | None = None,
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return bars of the open deals' amount by the consent of the person each deal is with.

    Parameters
    ----------
    deals, consent_events, people, as_of, channel, purpose, subscriptions, contacts, time_zone
        As for `crmlab.analysis.open_pipeline_by_consent`.

    Returns
    -------
    go.Figure
        Four horizontal bars in each currency, each with its deals and its share of the amount.

    Raises
    ------
    UsageError
        `as_of` has no time zone, or `people` is not of `crmlab.analysis.people`.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.analysis.identity import people
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"provider": ["onepagecrm", "altcraft"], "account": ["a"] * 2, "id": ["1", "9"],
    ...         "emails": [["ann@example.com"]] * 2}
    >>> who = people(conform(pl.DataFrame(rows), TABLES["contacts"]))
    >>> rows = {"provider": ["onepagecrm"] * 2, "account": ["a"] * 2, "contact_id": ["1", None],
    ...         "status": ["pending"] * 2, "amount": [70.0, 30.0]}
    >>> deals = conform(pl.DataFrame(rows), TABLES["deals"])
    >>> rows = {"provider": ["altcraft"], "account": ["a"], "opted_in": [True], "contact_id": ["9"],
    ...         "channel": ["email"], "occurred_at": [datetime(2026, 1, 9)]}
    >>> events = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> events = conform(events, TABLES["consent_events"])
    >>> figure = plots.open_pipeline_by_consent(deals, events, who, as_of=date(2026, 2, 1))
    >>> figure.layout.title.text
    'Open pipeline by consent (n = 2 open deals)'
    """
    title = "Open pipeline by consent"
    found = analysis.open_pipeline_by_consent(
        deals,
        consent_events,
        people,
        as_of=as_of,
        channel=channel,
        purpose=purpose,
        subscriptions=subscriptions,
        contacts=contacts,
        time_zone=time_zone,
    )
    n = int(found["deals"].sum())
    if not n:
        return nothing(title, "no deal is open." if height_of(deals) else _NO_DEALS)
    several = "currency" in found.columns
    only = values_of(deals.filter(OPEN), pl.col("currency").drop_nulls().first()).first()
    if not several:
        found = found.with_columns(pl.lit(only, pl.String).alias("currency"))
    used = found["currency"].unique(maintain_order=True).to_list()
    traces = []
    for place, currency in enumerate(used):
        part = found.filter(pl.col("currency").eq_missing(pl.lit(currency, pl.String)))
        whole = part["amount"].sum()
        beside = [
            (
                plural(count, "deal"),
                money(amount, currency) + (f" ({amount / whole:.0%})" if whole else ""),
            )
            for count, amount in part.select("deals", "amount").iter_rows()
        ]
        part = part.rename({"consent": "label"})
        colours = (
            [_COLOURS[state] for state in part["label"]]
            if not several
            else PALETTE[place % len(PALETTE)]
        )
        traces.append(_bars.bars(part, "amount", beside, colours, currency or "currency not given"))
    unit = "each bar in its own currency" if several else text(only or "account currency")
    return figure(
        traces,
        f"{title} (n = {plural(n, 'open deal')})",
        f"Last decision about {_topic(channel, purpose)} up to {at(as_of, time_zone)}, in any service",
        _whom.evidence(subscriptions, contacts),
        _whom.yes_without_purpose(consent_events, channel, purpose),
        _whom.left_out({"closed": height_of(deals) - n}),
        barmode="group",
        showlegend=several,
        height=_bars.height(len(person_consent.STATES), len(used)),
        xaxis={"title": {"text": f"Amount ({unit})"}, "rangemode": "tozero"},
        yaxis=_bars.label_axis(person_consent.STATES),
    )


@draws
def consent_coverage_of_pipeline(
    deals: pl.DataFrame,
    consent_events: pl.DataFrame,
    people: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    channel: str = "email",
    purpose: str | None = None,
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return bars of the share of the open deals of each group that are with people who decided about contact.

    Parameters
    ----------
    deals, consent_events, people, as_of, channel, purpose, by, subscriptions, contacts, time_zone
        As for `crmlab.analysis.consent_coverage_of_pipeline`.

    Returns
    -------
    go.Figure
        Horizontal bars, 0-100 % of the open deals, in two parts: opted in and opted out. The twenty owners
        with most deals; the rest is one bar.

    Raises
    ------
    UsageError
        `as_of` has no time zone, or `people` is not of `crmlab.analysis.people`.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.analysis.identity import people
    >>> from crmlab.schema import TABLES, conform
    >>> deals = conform(pl.DataFrame({"owner_name": ["Bo"], "status": ["pending"], "amount": [70.0]}), TABLES["deals"])
    >>> nobody, nothing = people(TABLES["contacts"].empty()), TABLES["consent_events"].empty()
    >>> figure = plots.consent_coverage_of_pipeline(deals, nothing, nobody, as_of="2026-02-01", by="owner_name")
    >>> figure.layout.title.text
    'Consent coverage, for each owner (n = 1 open deal)'
    >>> [trace.name for trace in figure.data]
    ['opted in', 'opted out']
    """
    keys = names_of(by)
    noun = text(" and ".join(keys).replace("_name", "").replace("_", " "))
    title = f"Consent coverage, for each {noun}" if keys else "Consent coverage"
    found = analysis.consent_coverage_of_pipeline(
        deals,
        consent_events,
        people,
        as_of=as_of,
        by=by,
        channel=channel,
        purpose=purpose,
        subscriptions=subscriptions,
        contacts=contacts,
        time_zone=time_zone,
    )
    n = int(found["deals"].sum())
    if not n:
        return nothing(title, "no deal is open." if height_of(deals) else _NO_DEALS)
    # numbers of deals may be added over currencies, amounts may not
    labelled = _shares.labelled(found, keys, "All open deals")
    counts = labelled.group_by("label").agg(pl.col("deals", "decided", "opted_in").sum())
    shown, note = _bars.with_others(
        counts.sort("deals", "label", descending=[True, False]), "deals", f"{noun}s"
    )
    shown = shown.with_columns(
        opted_in_share=pl.col("opted_in") / pl.col("deals"),
        opted_out_share=(pl.col("decided") - pl.col("opted_in")) / pl.col("deals"),
    )
    parts = (("opted in", "opted_in_share", GREEN), ("opted out", "opted_out_share", VERMILLION))
    traces = []
    for name, share, colour in parts:
        beside = [
            (f"{part:.0%}", f"{number(part * deals)} of {number(deals)}") if part else ("", "")
            for part, deals in shown.select(share, "deals").iter_rows()
        ]
        traces.append(_bars.bars(shown, share, beside, colour, name))
    return figure(
        traces,
        f"{title} (n = {plural(n, 'open deal')})",
        f"Last decision about {_topic(channel, purpose)} up to {at(as_of, time_zone)}",
        "The rest is undecided or unknown",
        _whom.evidence(subscriptions, contacts),
        _whom.yes_without_purpose(consent_events, channel, purpose),
        _whom.left_out({"closed": height_of(deals) - n}),
        note,
        barmode="stack",
        showlegend=True,
        height=_bars.height(shown.height) + 20,
        xaxis={"title": {"text": "% of open deals"}, "tickformat": ".0%", "range": [0, 1.02]},
        yaxis=_bars.label_axis(shown["label"].to_list()),
    )


@draws
def consent_and_win_rate(
    deals: pl.DataFrame,
    consent_events: pl.DataFrame,
    people: pl.DataFrame,
    *,
    channel: str = "email",
    purpose: str | None = None,
    confidence: float = 0.95,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return the win rate by consent before closing, with its 95 % interval. No effect of consent.

    Parameters
    ----------
    deals, consent_events, people, channel, purpose, confidence, contacts, time_zone
        As for `crmlab.analysis.consent_and_win_rate`.

    Returns
    -------
    go.Figure
        A point and its interval for each state that has closed deals, with the numbers it was made of.

    Raises
    ------
    UsageError
        `time_zone` is not known, or `people` is not of `crmlab.analysis.people`.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.analysis.identity import people
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"status": ["won", "lost"], "close_date": [date(2026, 1, 5)] * 2}
    >>> nobody, nothing = people(TABLES["contacts"].empty()), TABLES["consent_events"].empty()
    >>> figure = plots.consent_and_win_rate(conform(pl.DataFrame(rows), TABLES["deals"]), nothing, nobody)
    >>> figure.layout.title.text
    'Win rate by consent before closing (n = 2 closed deals)'
    """
    title = "Win rate by consent before closing"
    found = analysis.consent_and_win_rate(
        deals,
        consent_events,
        people,
        channel=channel,
        purpose=purpose,
        confidence=confidence,
        contacts=contacts,
        time_zone=time_zone,
    )
    closed = height_of(deals.filter(WON | LOST))
    n = int(found.select(pl.col("won", "lost").sum()).sum_horizontal().item())
    if not n:
        why = "no closed deal has a close date." if closed else "no deal is won or lost."
        return nothing(title, why if height_of(deals) else _NO_DEALS)
    shown = found.drop_nulls("win_rate")
    undated = closed - n
    points = go.Scatter(
        x=shown["win_rate"].to_list(),
        y=shown["consent"].to_list(),
        mode="markers+text",
        marker={"size": 11, "color": [_COLOURS[state] for state in shown["consent"]]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (shown["high"] - shown["win_rate"]).to_list(),
            "arrayminus": (shown["win_rate"] - shown["low"]).to_list(),
            "color": REST,
            "thickness": 2,
        },
        text=[
            f"{rate:.0%} ({number(won)} of {number(won + lost)})"
            for rate, won, lost in shown.select("win_rate", "won", "lost").iter_rows()
        ],
        textposition=[f"top {_side(rate)}" for rate in shown["win_rate"]],
        cliponaxis=False,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    return figure(
        [points],
        f"{title} (n = {plural(n, 'closed deal')})",
        "Not a cause: who is asked, who answers and who buys go together. "
        f"Lines: {100 * confidence:g} % Wilson interval",
        f"Last decision about {_topic(channel, purpose)} of an event before the closing day",
        _whom.yes_without_purpose(consent_events, channel, purpose),
        _whom.left_out({"open": height_of(deals) - closed, "without a close date": undated}),
        height=150 + 62 * shown.height,
        xaxis={
            "title": {"text": "Won, % of closed deals"},
            "tickformat": ".0%",
            "range": [0, 1.02],
        },
        yaxis=_bars.label_axis(shown["consent"].to_list())
        | {"range": [shown.height - 0.5, -0.7], "autorange": False},
    )


def _topic(channel: str, purpose: str | None) -> str:
    """Return what the decisions are about, in words."""
    return text(channel if purpose is None else f"{channel} for {purpose}")


def _side(rate: float) -> str:
    """Return where the words of a point go so that none are cut off."""
    return "right" if rate < 0.15 else "left" if rate > 0.85 else "center"
