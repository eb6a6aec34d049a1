"""Objections that another system does not know of: who was contacted, or still is, against their word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any

import polars as pl

from crmlab.analysis.consent_state import undated_states
from crmlab.analysis.decisions import (
    OPT_OUT,
    about,
    dated_events,
    history_of,
    may_decide_about,
    word_of,
)
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read
from crmlab.analysis.parts import together
from crmlab.analysis.period import chosen_grain, local, period_of
from crmlab.analysis.subjects import of_people_in_parts, with_person
from crmlab.analysis.touches import HAPPENED
from crmlab.errors import UsageError
from crmlab.schema import CHANNELS as SHARED_CHANNELS
from crmlab.schema import KEY, TimeLike, as_instant, channel_word

__all__ = ["activities_after_opt_out", "mailed_but_objected"]

#: what contacts a person, and by which channel: a kind of activity, or what happened to a mailing. The table of
#: activities does not tell a mailing's channel: all of them are taken for e-mail
CHANNELS: Mapping[str, str] = {"sent": "email", "call": "phone"}
#: channels that every decision may be about, however it is spelled
KNOWN_CHANNELS = frozenset(SHARED_CHANNELS)
_CONTACT = ["provider", "account", "contact_id"]
_REFUSED = "unsubscribed"
_NO_TIME = pl.lit(None, pl.Datetime("us", "UTC"))


@answers("everything")
def activities_after_opt_out(
    activities: pl.DataFrame,
    consent_events: pl.DataFrame,
    people: pl.DataFrame,
    *,
    as_of: TimeLike,
    channels: Mapping[str, str] = CHANNELS,
    purpose: str | None = None,
    every: str | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return what was done to people on a channel after they had opted out of it, each with its evidence.

    The person's last decision before the activity counts, in whatever service it was made: who opted in
    again may be contacted again. Only the channel of the opt-out is looked at, or all of them where it names none.
    Refusals without a time (subscriptions, `do_not_contact`) are not here, for nobody knows whether the activity came
    after them: `mailed_but_objected` has them.

    Parameters
    ----------
    activities
        Reads provider, account, id, kind, mailing, contact_id, starts_at, created_at (where starts_at is null). Those
        without a time, or of an unknown contact, are left out.
    consent_events
        As of `crmlab.analysis.open_pipeline_by_consent`, and id.
    people
        As `crmlab.analysis.people` returns it.
    as_of
        What comes later has not happened; a date is the beginning of that day in `time_zone`.
    channels
        Kind of activity, or of a mailing what happened to it -> the channel it uses. What is not here contacts nobody.
    purpose
        What the activities were for, where all were for one. None: not known, and opted out is who had said yes to no
        purpose of the channel.
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 periods.
    contacts
        Reads provider, account, id, emails: who has the address of an event that names no contact.
    time_zone
        IANA name; where the day begins.

    Returns
    -------
    pl.DataFrame
        Oldest first: happened_at (Datetime UTC), channel, kind, provider (Categorical), account, id (of the
        activity), person_id (String), opted_out_at (Datetime UTC), opt_out_provider (Categorical),
        opt_out_account, opt_out_id, opt_out_kind, opt_out_channel (String; of the event, null: it names none),
        days_after (Float64, days from the opt-out to the activity).

    Raises
    ------
    UsageError
        `as_of` has no time zone, `channels` is empty, or `people` is not of `crmlab.analysis.people`.

    Notes
    -----
    Withdrawal ends what it concerns from then on: https://gdpr-info.eu/art-7-gdpr/ (3). Whether another legal basis
    allows the contact, such as the delivery of what was bought, the frames do not tell.

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
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
    >>> found = activities_after_opt_out(sends, events, who, as_of="2026-02-01")
    >>> found.select("channel", "kind", "id", "opt_out_id", "days_after")
    shape: (1, 5)
    ┌─────────┬──────┬─────┬────────────┬────────────┐
    │ channel ┆ kind ┆ id  ┆ opt_out_id ┆ days_after │
    │ ---     ┆ ---  ┆ --- ┆ ---        ┆ ---        │
    │ str     ┆ str  ┆ str ┆ str        ┆ f64        │
    ╞═════════╪══════╪═════╪════════════╪════════════╡
    │ email   ┆ send ┆ 6   ┆ 5          ┆ 2.0        │
    └─────────┴──────┴─────┴────────────┴────────────┘
    """
    until = as_instant(as_of, "as_of", time_zone)
    after_opt_out = partial(
        _after_opt_out, contacts=contacts, until=until, channels=channels, purpose=purpose
    )
    tables = {"activities": activities, "consent_events": consent_events}
    # a purpose that is misspelt is known by all decisions, not by those of a part
    may_be_parted = (
        purpose is None
        and isinstance(channels, Mapping)
        and len(channels) > 0
        and set(channels.values()) <= KNOWN_CHANNELS
    )
    parts = None
    if may_be_parted:
        wanted = {
            "activities": _channel_used(channels).is_not_null(),
            "consent_events": may_decide_about(_words_of(channels)),
        }
        has_contacts = contacts is not None
        parts = of_people_in_parts(
            after_opt_out, tables, people, wanted=wanted, has_contacts=has_contacts
        )
    if parts is None:
        parts = [after_opt_out(tables, people)]
    return _by_period(together(parts), every, time_zone)


def _after_opt_out(
    tables: Mapping[str, Any],
    people: pl.DataFrame,
    *,
    contacts: pl.DataFrame | None,
    until: dt.datetime,
    channels: Mapping[str, str],
    purpose: str | None,
) -> pl.DataFrame:
    """Return `activities_after_opt_out` of some people, without the period and in no order."""
    done_by_then = (
        contacts_made(tables["activities"], people, channels)
        .drop_nulls(["happened_at", "person_id"])
        .filter(pl.col("happened_at") <= until)
    )
    # whether a purpose is misspelt is told by the decisions about every channel
    asked_channels = None
    if purpose is None and set(channels.values()) <= KNOWN_CHANNELS:
        asked_channels = _words_of(channels)
    events = dated_events(
        tables["consent_events"],
        until,
        people,
        contacts=contacts,
        beside=["id"],
        channels=asked_channels,
    )
    decisions = _decisions_by_channel(events, channels, purpose)

    # most people never opted out: they need not be looked at in order of time
    whom = ["person_id", "channel"]
    opt_outs = decisions.filter(pl.col("decision") == OPT_OUT)
    contacts_of_some = done_by_then.join(opt_outs, on=whom, how="semi").sort("happened_at")
    decisions_of_some = decisions.join(opt_outs, on=whom, how="semi").sort("at", "decision")
    with_last_decision = contacts_of_some.join_asof(
        decisions_of_some,
        left_on="happened_at",
        right_on="at",
        by=whom,
        allow_exact_matches=False,
        check_sortedness=False,
    )
    after_opt_out = with_last_decision.filter(pl.col("decision") == OPT_OUT)
    time_after = pl.col("happened_at") - pl.col("at")
    days_after = time_after.dt.total_seconds().cast(pl.Float64) / 86_400
    return after_opt_out.select(
        *done_by_then.columns,
        pl.col("at").alias("opted_out_at"),
        *(f"opt_out_{name}" for name in (*KEY, "kind", "channel")),
        days_after.alias("days_after"),
    )


def _decisions_by_channel(
    events: pl.DataFrame, channels: Mapping[str, str], purpose: str | None
) -> pl.DataFrame:
    """Return the decisions about each of these channels, with the evidence under the names of the answer."""
    new_names = {"subject": "person_id", "channel": "opt_out_channel", "kind": "opt_out_kind"}
    for name in KEY:
        new_names[name] = f"opt_out_{name}"
    by_channel = []
    for channel in _words_of(channels):
        decisions = history_of(events, channel, purpose).rename(new_names)
        # a withdrawal of all channels is one of this one, whichever it names itself
        of_channel = pl.lit(channel).alias("channel")
        by_channel.append(decisions.select("at", "decision", *new_names.values(), of_channel))
    return pl.concat(by_channel)


def _by_period(contacts: pl.DataFrame, every: str | None, time_zone: str) -> pl.DataFrame:
    """Return what was done after an opt-out, oldest first, with its period."""
    local_time = local(pl.col("happened_at"), time_zone)
    grain = chosen_grain(every, contacts.select(local_time).to_series())
    dated = contacts.with_columns(period=period_of(local_time, grain))
    return dated.sort("happened_at", pl.col("provider").cast(pl.String), "account", "id")


def contacts_made(
    activities: pl.DataFrame, people: pl.DataFrame, channels: Mapping[str, str]
) -> pl.DataFrame:
    """Return what contacts people, by these channels: happened_at, channel, kind, provider, account, id, person_id.

    Time and person are null where they are not known.

    Raises
    ------
    UsageError
        `channels` is empty, or `people` is not of `crmlab.analysis.people`.
    """
    if not isinstance(channels, Mapping) or not channels:
        raise UsageError(
            'channels: give kinds of activity with their channel, such as {"call": "phone"}'
        )
    columns = (*_CONTACT, "id", "kind", "mailing", "starts_at", "created_at")
    all_activities = read(activities, "activities", *columns)
    with_channel = all_activities.with_columns(channel=_channel_used(channels))
    named = with_person(with_channel.drop_nulls("channel"), people)
    return named.select(HAPPENED.alias("happened_at"), "channel", "kind", *KEY, "person_id")


def _channel_used(channels: Mapping[str, str]) -> pl.Expr:
    """Return the channel by which an activity contacts a person, null where it does not. Reads mailing, kind."""
    by_kind = {}
    for kind, channel in channels.items():
        by_kind[str(kind).strip().lower()] = word_of("channel", channel)
    # what happened to a mailing comes first: its kind is the service's own word
    used_channels = []
    for column in ("mailing", "kind"):
        kind_word = pl.col(column).str.to_lowercase()
        used_channels.append(
            kind_word.replace_strict(by_kind, default=None, return_dtype=pl.String)
        )
    return pl.coalesce(used_channels)


def _words_of(channels: Mapping[str, str]) -> list[str]:
    """Return the channels in one spelling, in order."""
    return sorted({word_of("channel", channel) for channel in channels.values()})


@answers("everything")
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
) -> pl.DataFrame:
    """Return the contacts that are mailed although the person objected, there or in another service.

    Mailed is who has a subscription to e-mail that is opted in, or was sent a mailing in the last
    `days`. An objection is what makes the person opted out of e-mail by `crmlab.analysis.current_consent`, with all
    three kinds of evidence: `do_not_contact` and the refusal of a subscription, which have no time, or a last decision
    that is an opt-out; one that an opt-in followed, in any service, is none. A mailing from before a dated objection
    does not count against it, nor does what an account sent against a refused subscription of its own: it was before.
    A refused subscription of a person whose last decision is an opt-out is that same objection.

    Parameters
    ----------
    contacts
        Reads provider, account, id, emails, do_not_contact.
    subscriptions
        Reads provider, account, id, contact_id, channel, address, opted_in, resource_id.
    activities
        Reads provider, account, mailing, contact_id, starts_at, created_at (where starts_at is null).
    consent_events
        As of `crmlab.analysis.open_pipeline_by_consent`, and id.
    people
        As `crmlab.analysis.people` returns it.
    as_of
        Decisions and mailings up to then count; a date is the beginning of that day in `time_zone`.
        Subscriptions and `do_not_contact` are as they were fetched.
    days
        How long ago a mailing is that shows that somebody is mailed.
    purpose
        What the mailings are for, where all are for one. None: not known, and an objection is of who said yes to no
        purpose.
    time_zone
        IANA name; read where `as_of` is a date.

    Returns
    -------
    pl.DataFrame
        Sorted by contact; a row for each mailed contact and objection: provider (Categorical), account, contact_id
        (String, of the mailed contact), subscribed (Boolean), last_sent_at (Datetime UTC, null: not in the
        last `days`), person_id (String), objection (String, ``"do not contact"``, of a subscription
        ``"unsubscribed"``, or the kind of the event), objected_at (Datetime UTC, null where the service gives no time),
        objected_provider (Categorical), objected_account, objected_id (String, of the contact, subscription or event
        that says so).

    Raises
    ------
    UsageError
        `as_of` has no time zone, or `people` is not of `crmlab.analysis.people`.

    Notes
    -----
    The right to object to direct marketing: https://gdpr-info.eu/art-21-gdpr/ (2, 3).

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.analysis.identity import people
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"provider": ["altcraft", "relenta"], "account": ["a", "a"], "id": ["1", "2"],
    ...         "emails": [["ann@example.com"]] * 2, "do_not_contact": [None, True]}
    >>> contacts = conform(pl.DataFrame(rows), TABLES["contacts"])
    >>> rows = {"provider": ["altcraft"], "account": ["a"], "contact_id": ["1"], "channel": ["email"],
    ...         "opted_in": [True]}
    >>> subscriptions = conform(pl.DataFrame(rows), TABLES["subscriptions"])
    >>> mailed_but_objected(contacts, subscriptions, TABLES["activities"].empty(), TABLES["consent_events"].empty(),
    ...                     people(contacts), as_of="2026-02-01").select("contact_id", "objection", "objected_id")
    shape: (1, 3)
    ┌────────────┬────────────────┬─────────────┐
    │ contact_id ┆ objection      ┆ objected_id │
    │ ---        ┆ ---            ┆ ---         │
    │ str        ┆ str            ┆ str         │
    ╞════════════╪════════════════╪═════════════╡
    │ 1          ┆ do not contact ┆ 2           │
    └────────────┴────────────────┴─────────────┘
    """
    until = as_instant(as_of, "as_of", time_zone)
    since = until - dt.timedelta(days=days)
    against = partial(_against_their_word, since=since, until=until, purpose=purpose)
    tables = {
        "contacts": contacts,
        "subscriptions": subscriptions,
        "activities": activities,
        "consent_events": consent_events,
    }
    parts = None
    # a purpose that is misspelt is known by all decisions, not by those of a part
    if purpose is None:
        wanted = {
            "contacts": pl.col("do_not_contact").cast(pl.Boolean),
            "subscriptions": may_decide_about(["email"]),
            "activities": _is_sent_between(since, until),
            "consent_events": may_decide_about(["email"]),
        }
        parts = of_people_in_parts(against, tables, people, wanted=wanted, has_contacts=True)
    if parts is None:
        parts = [against(tables, people)]
    return together(parts).sort(
        pl.col("provider").cast(pl.String),
        "account",
        "contact_id",
        "objection",
        pl.col("objected_provider").cast(pl.String),
        "objected_account",
        "objected_id",
    )


def _against_their_word(
    tables: Mapping[str, Any],
    people: pl.DataFrame,
    *,
    since: dt.datetime,
    until: dt.datetime,
    purpose: str | None,
) -> pl.DataFrame:
    """Return `mailed_but_objected` of some people, in no order."""
    contacts, subscriptions = tables["contacts"], tables["subscriptions"]
    # whether a purpose is misspelt is told by the decisions about every channel
    channels = None
    if purpose is None:
        channels = ["email"]
    events = dated_events(
        tables["consent_events"],
        until,
        people,
        contacts=contacts,
        beside=["id"],
        channels=channels,
    )
    decisions = history_of(events, "email", purpose)
    last_decisions = decisions.unique("subject", keep="last", maintain_order=True)
    refused = last_decisions.filter(pl.col("decision") == OPT_OUT)
    undated = undated_states(subscriptions, contacts, people, channels=["email"])
    objections = [
        _objections(refused, pl.col("kind"), pl.col("at")),
        *_undated_objections(undated, refused, purpose),
    ]
    mailed_by_contact = mailed_contacts(subscriptions, tables["activities"], since, until)
    mailed = with_person(mailed_by_contact, people)
    against_their_word = mailed.join(pl.concat(objections), on="person_id").filter(
        _is_mailed_still(), ~_refused_there()
    )
    return against_their_word.with_columns(pl.col("objected_provider").cast(pl.Categorical))


def _undated_objections(
    undated: Mapping[str, pl.DataFrame], refused: pl.DataFrame, purpose: str | None
) -> list[pl.DataFrame]:
    """Return the objections among what has no time, by its basis."""
    words = {"contact": "do not contact", "subscription": _REFUSED}
    objections = []
    for basis, states in undated.items():
        refusals = about(states, "email", purpose).filter(pl.col("decision") == OPT_OUT)
        # an ended subscription of somebody whose refusal is dated is told with its time
        if basis == "subscription":
            refusals = refusals.join(refused, on="subject", how="anti")
        objections.append(_objections(refusals, pl.lit(words[basis]), _NO_TIME))
    return objections


def _is_mailed_still() -> pl.Expr:
    """Return whether a contact is subscribed, or was mailed after the objection: before it that was no offence."""
    was_mailed_after = pl.col("last_sent_at") > pl.col("objected_at")
    return pl.col("subscribed") | pl.col("objected_at").is_null() | was_mailed_after


def _refused_there() -> pl.Expr:
    """Return whether the objection is an ended subscription of the account that mails: it knows of it."""
    is_same_provider = pl.col("provider").cast(pl.String).eq_missing(pl.col("objected_provider"))
    is_same_account = pl.col("account").eq_missing(pl.col("objected_account"))
    has_ended = (pl.col("objection") == _REFUSED) & pl.col("objected_at").is_null()
    return is_same_provider & is_same_account & has_ended


def _objections(rows: pl.DataFrame, objection: pl.Expr, at: pl.Expr) -> pl.DataFrame:
    """Return person_id, objection, objected_at, objected_provider, objected_account, objected_id."""
    return rows.select(
        person_id="subject",
        objection=objection,
        objected_at=at,
        objected_provider=pl.col("provider").cast(pl.String),
        objected_account="account",
        objected_id="id",
    )


def mailed_contacts(
    subscriptions: pl.DataFrame, activities: pl.DataFrame, since: dt.datetime, until: dt.datetime
) -> pl.DataFrame:
    """Return provider, account, contact_id, subscribed, last_sent_at of the contacts that get e-mail."""
    is_mail = channel_word(pl.col("channel")) == "email"
    all_subscriptions = read(subscriptions, "subscriptions", *_CONTACT, "channel", "opted_in")
    columns = (*_CONTACT, "mailing", "starts_at", "created_at")
    all_activities = read(activities, "activities", *columns)
    subscribed = all_subscriptions.filter(is_mail & pl.col("opted_in")).select(
        *_CONTACT, subscribed=pl.lit(value=True), last_sent_at=_NO_TIME
    )
    sent = all_activities.filter(_is_sent_between(since, until)).select(
        *_CONTACT, subscribed=pl.lit(value=False), last_sent_at=HAPPENED
    )
    by_contact = pl.concat([subscribed, sent]).drop_nulls("contact_id").group_by(_CONTACT)
    return by_contact.agg(pl.col("subscribed").any(), pl.col("last_sent_at").max())


def _is_sent_between(since: dt.datetime, until: dt.datetime) -> pl.Expr:
    """Return whether a mailing was sent after one moment and up to another. Reads mailing, starts_at, created_at."""
    is_recent = HAPPENED.is_between(since, until, closed="right")
    return (pl.col("mailing") == "sent") & is_recent
