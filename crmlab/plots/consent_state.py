"""Figures of consent as it stands: how many are opted in, and when consents grow too old."""

from __future__ import annotations

import datetime as dt

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.consent_rates import rates_of
from crmlab.analysis.consent_state import state_of
from crmlab.analysis.decisions import OPT_IN
from crmlab.analysis.inputs import By, answer, keys_of, names_of
from crmlab.analysis.period import chosen_grain
from crmlab.analysis.subjects import Subject
from crmlab.plots import _over_time, _shares, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import at, nothing, nothing_of, number
from crmlab.schema import TimeLike, as_instant

__all__ = ["consent_rate", "expiring_consents"]

NO_CONSENT = "no event of a known person is an opt-in or opt-out."


@draws
def consent_rate(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    subject: Subject = "contact",
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return bars of the share of people who are opted in, of those who decided.

    Parameters
    ----------
    consent_events, as_of, by, subject, subscriptions, contacts, time_zone
        As `crmlab.analysis.consent_rate`.

    Returns
    -------
    go.Figure
        Horizontal bars, 0-100 %, each with the numbers it was made of; with `contacts` the subtitle says how
        many of them have decided.

    Raises
    ------
    UsageError
        `as_of`, `by` or `subject` is not known.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import KEY, TABLES, conform
    >>> said = pl.Series("occurred_at", [datetime(2026, 1, 1, tzinfo=UTC)] * 3)
    >>> rows = {"provider": ["altcraft"] * 3, "opted_in": [True, True, False],
    ...         "contact_id": ["1", "2", "3"], "channel": ["email"] * 3, "occurred_at": said}
    >>> events = conform(pl.DataFrame(rows), TABLES["consent_events"])
    >>> figure = plots.consent_rate(events, as_of="2026-02-01", by="channel")
    >>> figure.layout.title.text
    'Contacts opted in (n = 3 contacts with a decision)'
    """
    title = f"{_whom.NOUNS[subject][1].capitalize()} opted in"
    moment = as_instant(as_of, "as_of", time_zone)
    state = state_of(
        consent_events, moment, subject, by=by, subscriptions=subscriptions, contacts=contacts
    )
    if state.is_empty():
        return nothing_of("consent events", consent_events, title, NO_CONSENT)

    rates = answer(rates_of(state, keys_of(by), None, subject))
    groups = _shares.labelled(rates, names_of(by), "All channels")
    # who decided for two channels counts in two groups, and once in the whole
    total = rates_of(state, [], contacts, subject).row(0, named=True)
    covered = ""
    if total.get("contacts"):
        everybody = _whom.subjects(total["contacts"], subject)
        covered = f"{total['coverage_of_contacts']:.0%} of {everybody} have decided"
    return _shares.one(
        groups.rename({"opted_in": "part", "decided": "whole"}),
        title,
        "Opted in, % of those who decided",
        _whom.subjects(total["decided"], subject, "with a decision"),
        f"Opted in / {_whom.NOUNS[subject][1]} with a decision, as of {at(as_of, time_zone)}",
        _whom.evidence(subscriptions, contacts),
        covered,
        _whom.without_a_time(state),
        _whom.expired(consent_events, moment),
        _whom.yes_to_nothing_named(state),
        _whom.events_left_out(consent_events),
    )


@draws
def expiring_consents(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    max_age_days: int = 365,
    within_days: int = 90,
    every: str | None = None,
    subject: Subject = "contact",
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return stacked bars of the consents that end or reach their greatest age, per period and channel.

    Parameters
    ----------
    consent_events, as_of, max_age_days, within_days, every, subject, subscriptions, contacts, time_zone
        As `crmlab.analysis.expiring_consents`.

    Returns
    -------
    go.Figure
        A colour for each channel; the subtitle says how many are expired already.

    Raises
    ------
    UsageError
        `as_of`, `subject`, `every` or `time_zone` is not known, a number of days is not positive, or there would
        be more than 2,000 bars.

    Examples
    --------
    >>> from datetime import UTC, date, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> given = [datetime(2025, 1, 31, tzinfo=UTC), datetime(2025, 2, 2, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)]
    >>> rows = {"provider": ["altcraft"] * 3, "opted_in": [True] * 3, "contact_id": ["1", "2", "3"],
    ...         "channel": ["email"] * 3, "occurred_at": given}
    >>> events = conform(pl.DataFrame(rows), TABLES["consent_events"])
    >>> figure = plots.expiring_consents(events, as_of=date(2026, 1, 15), every="1mo")
    >>> figure.layout.title.text
    'Consents that end or become 365 days old per month (n = 2)'
    """
    title = f"Consents that end or become {max_age_days} days old"
    moment = as_instant(as_of, "as_of", time_zone)
    last_moment = moment + dt.timedelta(days=within_days)
    every = chosen_grain(every, pl.Series([moment, last_moment]))
    counts = analysis.expiring_consents(
        consent_events,
        as_of=as_of,
        max_age_days=max_age_days,
        within_days=within_days,
        every=every,
        subject=subject,
        subscriptions=subscriptions,
        contacts=contacts,
        time_zone=time_zone,
    )
    if counts.is_empty():
        explanation = f"none that is in force does by {at(last_moment, time_zone)}."
        return nothing_of("consent events", consent_events, title, explanation)

    # those that are too old already have no period in which they become so
    still_ahead = counts.drop_nulls("period")
    all_consents = int(counts["consents"].sum())
    expired = all_consents - int(still_ahead["consents"].sum())
    if still_ahead.is_empty():
        return nothing(
            title, f"none does in these {within_days} days, {number(expired)} are older already."
        )

    state = state_of(
        consent_events, moment, subject, subscriptions=subscriptions, contacts=contacts
    )
    in_force = state.filter(pl.col("decision") == OPT_IN)
    undated = in_force["decided_at"].null_count()
    later = in_force.height - undated - all_consents
    channel = pl.col("channel").fill_null("(no channel)").alias("kind")
    kinds = still_ahead.select("period", channel, count="consents")
    return _over_time.stacked(
        kinds,
        every,
        title,
        "Consents",
        f"Each of a {_whom.each_of(subject)}, in the {within_days} days from {at(as_of, time_zone)}",
        f"{number(expired)} are older already and {number(later)} end or become so later",
        _whom.left_out({"in force without a time": undated}),
    )
