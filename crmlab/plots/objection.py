"""Figures of objections: who was contacted, or still is mailed, against their word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis import after_opt_out, objection
from crmlab.analysis.period import chosen_grain, local
from crmlab.display import plural
from crmlab.plots import _bars, _over_time, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import VERMILLION, at, axis_from_zero, figure, nothing_of, number
from crmlab.schema import TimeLike, as_instant

__all__ = ["activities_after_opt_out", "mailed_but_objected"]

_CONTACT = ("provider", "account", "contact_id")


@draws
def activities_after_opt_out(
    activities: pl.DataFrame,
    consent_events: pl.DataFrame,
    people: pl.DataFrame,
    *,
    as_of: TimeLike,
    channels: Mapping[str, str] = after_opt_out.CHANNELS,
    purpose: str | None = None,
    every: str | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return stacked bars of what was done after an opt-out, per period and channel.

    Parameters
    ----------
    activities, consent_events, people, as_of, channels, purpose, contacts
        As for `crmlab.analysis.activities_after_opt_out`.
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 bars.
    time_zone
        IANA name; where the day begins.

    Returns
    -------
    go.Figure
        A colour for each channel and the service that did it.

    Raises
    ------
    UsageError
        `as_of` has no time zone, `every` or `time_zone` is not known, or `people` is not of `crmlab.analysis.people`.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.analysis.identity import people
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"provider": ["altcraft"], "account": ["a"], "id": ["1"], "emails": [["ann@example.com"]]}
    >>> who = people(conform(pl.DataFrame(rows), TABLES["contacts"]))
    >>> rows = {"provider": ["altcraft"] * 2, "account": ["a"] * 2, "id": ["5", "6"], "contact_id": ["1", "1"],
    ...         "kind": ["unsubscribe", "send"], "channel": ["email", None], "mailing": [None, "sent"],
    ...         "opted_in": [False, None],
    ...         "occurred_at": [datetime(2026, 1, 9), None], "starts_at": [None, datetime(2026, 1, 11)]}
    >>> rows = pl.DataFrame(rows).with_columns(pl.col("occurred_at", "starts_at").dt.replace_time_zone("UTC"))
    >>> events, sends = conform(rows[:1], TABLES["consent_events"]), conform(rows[1:], TABLES["activities"])
    >>> figure = plots.activities_after_opt_out(sends, events, who, as_of="2026-02-01")
    >>> figure.layout.title.text
    'Contacts after an opt-out per day (n = 1)'
    """
    title = "Contacts after an opt-out"
    late_activities = analysis.activities_after_opt_out(
        activities,
        consent_events,
        people,
        as_of=as_of,
        channels=channels,
        purpose=purpose,
        every=every,
        contacts=contacts,
        time_zone=time_zone,
    )
    if late_activities.is_empty():
        explanation = "nobody was contacted on a channel after opting out of it."
        return nothing_of("activities", activities, title, explanation)

    # the grain that the analysis chose, if it was left to it
    every = chosen_grain(
        every, late_activities.select(local(pl.col("happened_at"), time_zone)).to_series()
    )
    activity_kind = _bars.label_of(["channel", "kind", "provider"]).alias("kind")
    count = pl.len().cast(pl.Int64).alias("count")
    counts = late_activities.group_by("period", activity_kind).agg(count).sort("period", "kind")
    counting_rule = (
        "The last decision of an event before the activity was an opt-out of its channel"
    )
    concerned = f"People concerned: {number(late_activities['person_id'].n_unique())}"
    looked_at = _looked_at(after_opt_out.contacts_made(activities, people, channels))
    return _over_time.stacked(
        counts, every, title, "Activities", counting_rule, concerned, looked_at
    )


def _looked_at(made: pl.DataFrame) -> str:
    """Return of how many activities these are, and how many could not be looked at."""
    known_count = made.drop_nulls(["happened_at", "person_id"]).height
    missing = _whom.left_out({"of unknown people or without a time": made.height - known_count})
    sentences = (f"Of {number(known_count)} that contact a person", missing)
    return ". ".join(filter(None, sentences))


@draws
def mailed_but_objected(
    contacts: pl.DataFrame,
    subscriptions: pl.DataFrame,
    activities: pl.DataFrame,
    consent_events: pl.DataFrame,
    people: pl.DataFrame,
    *,
    as_of: TimeLike,
    days: int = 90,
    purpose: str | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return bars of the mailed contacts whose person objected, by where and how they did.

    Parameters
    ----------
    contacts, subscriptions, activities, consent_events, people, as_of, days, purpose, time_zone
        As for `crmlab.analysis.mailed_but_objected`.

    Returns
    -------
    go.Figure
        Horizontal bars of contacts; who objected in several places is in several bars.

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
    >>> rows = {"provider": ["altcraft", "relenta"], "account": ["a", "a"], "id": ["1", "2"],
    ...         "emails": [["ann@example.com"]] * 2, "do_not_contact": [None, True]}
    >>> contacts = conform(pl.DataFrame(rows), TABLES["contacts"])
    >>> rows = {"provider": ["altcraft"], "account": ["a"], "contact_id": ["1"], "channel": ["email"],
    ...         "opted_in": [True]}
    >>> subscriptions = conform(pl.DataFrame(rows), TABLES["subscriptions"])
    >>> sends, events = TABLES["activities"].empty(), TABLES["consent_events"].empty()
    >>> figure = plots.mailed_but_objected(
    ...     contacts, subscriptions, sends, events, people(contacts), as_of="2026-02-01"
    ... )
    >>> figure.layout.title.text
    'Mailed although they objected (n = 1 contact)'
    """
    title = "Mailed although they objected"
    mailed_people = analysis.mailed_but_objected(
        contacts,
        subscriptions,
        activities,
        consent_events,
        people,
        as_of=as_of,
        days=days,
        purpose=purpose,
        time_zone=time_zone,
    )
    if mailed_people.is_empty():
        explanation = "no mailed contact is known to have objected."
        return nothing_of("contacts", contacts, title, explanation)

    contact_count = mailed_people.select(_CONTACT).n_unique()
    counts = _by_objection(mailed_people)
    summed, others_note = _bars.with_others(counts, "contacts", "kinds of objection")
    words_beside = []
    for objecting, sent_to in summed.select("contacts", "sent").iter_rows():
        words_beside.append((plural(objecting, "contact"), f"{number(sent_to)} sent to"))
    several_note = ""
    if int(counts["contacts"].sum()) > contact_count:
        several_note = "Who objected in several places is in several bars"
    period_end = as_instant(as_of, "as_of", time_zone)
    period_start = period_end - dt.timedelta(days=days)
    mailed = objection.mailed_contacts(subscriptions, activities, period_start, period_end)
    return figure(
        [_bars.bars(summed, "contacts", words_beside, VERMILLION)],
        f"{title} (n = {plural(contact_count, 'contact')})",
        f"Of {plural(mailed.height, 'contact')} subscribed, or sent to in the {days} days up to {at(as_of, time_zone)}",
        _whom.evidence(subscriptions, contacts),
        several_note,
        others_note,
        height=_bars.height(summed.height),
        xaxis=axis_from_zero("Mailed contacts"),
        yaxis=_bars.label_axis(summed["label"].to_list()),
    )


def _by_objection(mailed_people: pl.DataFrame) -> pl.DataFrame:
    """Return label, contacts, and how many of these something was sent to; the most frequent objection first."""
    provider = pl.col("objected_provider").cast(pl.String)
    objection_kind = pl.col("objection").fill_null("kind not given")
    objection_label = pl.format("{}: {}", provider, objection_kind).alias("label")
    # a contact has a row for each decision of its person, and counts once for each kind of them
    was_sent_to = pl.col("last_sent_at").is_not_null().any()
    each_once = mailed_people.group_by(objection_label, *_CONTACT).agg(sent=was_sent_to)
    counts = each_once.group_by("label").agg(
        contacts=pl.len().cast(pl.Int64),
        sent=pl.col("sent").sum().cast(pl.Int64),
    )
    return _bars.largest_first(counts, "contacts")
