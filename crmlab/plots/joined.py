"""Figures of deals and consent together, and of the people whom several services know."""

from __future__ import annotations

from itertools import chain

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
    axis_from_zero,
    figure,
    money,
    nothing,
    nothing_of,
    number,
    part_of_whole,
    share_axis,
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
#: rates so near to an end of the axis that words in the middle of their point would be cut
_NEAR_ZERO = 0.15
_NEAR_ONE = 0.85


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
    contact_count = height_of(people)
    if not contact_count:
        return nothing(title, "the contacts table is empty.")

    combinations = analysis.people_overlap(people)
    named = pl.element().cast(pl.String).fill_null("(no service)")
    known_to_each = combinations["services"].list.eval(named).to_list()
    services = set(chain.from_iterable(known_to_each))
    labels = [_combination(set(known_to), services) for known_to in known_to_each]
    label_series = pl.Series("label", labels, pl.String)
    counts = combinations.select(label_series, "people", "contacts")
    summed, others_note = _bars.with_others(counts, "people", "combinations")
    words_beside = []
    for persons, contacts in summed.select("people", "contacts").iter_rows():
        words_beside.append((number(persons), plural(contacts, "contact")))
    return figure(
        [_bars.bars(summed, "people", words_beside, BLUE)],
        f"{title} (n = {number(int(counts['people'].sum()))})",
        f"{number(contact_count)} contacts; one person where address or number say so, never by name alone",
        others_note,
        height=_bars.height(summed.height),
        xaxis=axis_from_zero("People"),
        yaxis=_bars.label_axis(summed["label"].to_list()),
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
    states = analysis.open_pipeline_by_consent(
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
    open_deals = int(states["deals"].sum())
    if not open_deals:
        return nothing_of("deals", deals, title, "no deal is open.")

    several = "currency" in states.columns
    unit = "each bar in its own currency"
    # the analysis names currencies only where there are several
    if not several:
        first_currency = pl.col("currency").drop_nulls().first()
        only_currency = values_of(deals.filter(OPEN), first_currency).first()
        states = states.with_columns(pl.lit(only_currency, pl.String).alias("currency"))
        unit = text(only_currency or "account currency")
    currencies = states["currency"].unique(maintain_order=True).to_list()
    traces = []
    for position, currency in enumerate(currencies):
        is_own = pl.col("currency").eq_missing(pl.lit(currency, pl.String))
        own_states = states.filter(is_own).rename({"consent": "label"})
        # one currency leaves the colours to the states; several need them to be told apart
        colours: str | list[str] = [_COLOURS[state] for state in own_states["label"]]
        if several:
            colours = PALETTE[position % len(PALETTE)]
        words_beside = _with_shares(own_states, currency)
        legend_name = currency or "currency not given"
        traces.append(_bars.bars(own_states, "amount", words_beside, colours, legend_name))

    return figure(
        traces,
        f"{title} (n = {plural(open_deals, 'open deal')})",
        f"Last decision about {_topic(channel, purpose)} up to {at(as_of, time_zone)}, in any service",
        _whom.evidence(subscriptions, contacts),
        _whom.yes_without_purpose(consent_events, channel, purpose),
        _whom.left_out({"closed": height_of(deals) - open_deals}),
        barmode="group",
        showlegend=several,
        height=_bars.height(len(person_consent.STATES), len(currencies)),
        xaxis=axis_from_zero(f"Amount ({unit})"),
        yaxis=_bars.label_axis(person_consent.STATES),
    )


def _with_shares(states: pl.DataFrame, currency: str | None) -> list[tuple[str, str]]:
    """Return the words on each bar: its deals, its amount, and which share of the currency's amount it is."""
    whole_amount = states["amount"].sum()
    words_beside = []
    for deal_count, amount in states.select("deals", "amount").iter_rows():
        in_words = money(amount, currency)
        # deals may all be without an amount
        if whole_amount:
            in_words += f" ({amount / whole_amount:.0%})"
        words_beside.append((plural(deal_count, "deal"), in_words))
    return words_beside


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
    group_columns = names_of(by)
    noun = text(" and ".join(group_columns).replace("_name", "").replace("_", " "))
    title = "Consent coverage"
    if group_columns:
        title = f"Consent coverage, for each {noun}"
    coverages = analysis.consent_coverage_of_pipeline(
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
    open_deals = int(coverages["deals"].sum())
    if not open_deals:
        return nothing_of("deals", deals, title, "no deal is open.")

    # numbers of deals may be added over currencies, amounts may not
    labelled = _shares.labelled(coverages, group_columns, "All open deals")
    sums = pl.col("deals", "decided", "opted_in").sum()
    counts = labelled.group_by("label").agg(sums)
    by_size = _bars.largest_first(counts, "deals")
    summed, others_note = _bars.with_others(by_size, "deals", f"{noun}s")
    opted_out = pl.col("decided") - pl.col("opted_in")
    shares = summed.with_columns(
        opted_in_share=pl.col("opted_in") / pl.col("deals"),
        opted_out_share=opted_out / pl.col("deals"),
    )
    return figure(
        [
            _share_bars(shares, "opted_in_share", GREEN, "opted in"),
            _share_bars(shares, "opted_out_share", VERMILLION, "opted out"),
        ],
        f"{title} (n = {plural(open_deals, 'open deal')})",
        f"Last decision about {_topic(channel, purpose)} up to {at(as_of, time_zone)}",
        "The rest is undecided or unknown",
        _whom.evidence(subscriptions, contacts),
        _whom.yes_without_purpose(consent_events, channel, purpose),
        _whom.left_out({"closed": height_of(deals) - open_deals}),
        others_note,
        barmode="stack",
        showlegend=True,
        # the legend takes a line more
        height=_bars.height(shares.height) + 20,
        xaxis=share_axis("% of open deals"),
        yaxis=_bars.label_axis(shares["label"].to_list()),
    )


def _share_bars(
    shares: pl.DataFrame,
    share_column: str,
    colour: str,
    name: str,
) -> go.Bar:
    """Return one part of the bars; a part of nobody says nothing. Reads label, deals and the share."""
    words_beside = []
    for share, deal_count in shares.select(share_column, "deals").iter_rows():
        share_words = ("", "")
        if share:
            share_words = (f"{share:.0%}", part_of_whole(share * deal_count, deal_count))
        words_beside.append(share_words)
    return _bars.bars(shares, share_column, words_beside, colour, name)


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
    rates = analysis.consent_and_win_rate(
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
    totals = rates.select(pl.col("won", "lost").sum())
    closed_with_date = int(totals.sum_horizontal().item())
    if not closed:
        return nothing_of("deals", deals, title, "no deal is won or lost.")
    if not closed_with_date:
        return nothing(title, "no closed deal has a close date.")

    # a state that nobody was in has no rate
    known_rates = rates.drop_nulls("win_rate")
    reasons = {"open": height_of(deals) - closed, "without a close date": closed - closed_with_date}
    label_axis = _bars.label_axis(known_rates["consent"].to_list())
    return figure(
        [_points(known_rates)],
        f"{title} (n = {plural(closed_with_date, 'closed deal')})",
        "Not a cause: who is asked, who answers and who buys go together. "
        f"Lines: {100 * confidence:g} % Wilson interval",
        f"Last decision about {_topic(channel, purpose)} of an event before the closing day",
        _whom.yes_without_purpose(consent_events, channel, purpose),
        _whom.left_out(reasons),
        height=150 + 62 * known_rates.height,
        xaxis=share_axis("Won, % of closed deals"),
        # words stand above their point, so that the first row needs room above it
        yaxis={**label_axis, "range": [known_rates.height - 0.5, -0.7], "autorange": False},
    )


def _points(rates: pl.DataFrame) -> go.Scatter:
    """Return a point for each state, with its interval and the numbers that it was made of."""
    rate_words = []
    for win_rate, won, lost in rates.select("win_rate", "won", "lost").iter_rows():
        rate_words.append(f"{win_rate:.0%} ({part_of_whole(won, won + lost)})")
    return go.Scatter(
        x=rates["win_rate"].to_list(),
        y=rates["consent"].to_list(),
        mode="markers+text",
        marker={"size": 11, "color": [_COLOURS[state] for state in rates["consent"]]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (rates["high"] - rates["win_rate"]).to_list(),
            "arrayminus": (rates["win_rate"] - rates["low"]).to_list(),
            "color": REST,
            "thickness": 2,
        },
        text=rate_words,
        textposition=[f"top {_side(win_rate)}" for win_rate in rates["win_rate"]],
        cliponaxis=False,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )


def _topic(channel: str, purpose: str | None) -> str:
    """Return what the decisions are about, in words."""
    if purpose is None:
        return text(channel)
    return text(f"{channel} for {purpose}")


def _side(rate: float) -> str:
    """Return where the words of a point go so that none are cut off."""
    if rate < _NEAR_ZERO:
        return "right"
    if rate > _NEAR_ONE:
        return "left"
    return "center"
