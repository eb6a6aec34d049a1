"""Objections that another system does not know of: who was contacted, or still is, against their word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial

import polars as pl

from crmlab.analysis.consent_state import undated_states
from crmlab.analysis.decisions import OPT_OUT, about, dated_events, history_of, word_of
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
    after = partial(
        _after_opt_out, contacts=contacts, until=until, channels=channels, purpose=purpose
    )
    # a purpose that is misspelt is known by all decisions, not by those of a part
    may_be_parted = (
        purpose is None
        and isinstance(channels, Mapping)
        and set(channels.values()) <= KNOWN_CHANNELS
    )
    found = None
    if may_be_parted:
        found = of_people_in_parts(
            after, activities, consent_events, people, has_contacts=contacts is not None
        )
    if found is None:
        found = [after(activities, consent_events, people)]
    return _by_period(together(found), every, time_zone)


def _after_opt_out(
    activities: pl.DataFrame,
    consent_events: pl.DataFrame,
    people: pl.DataFrame,
    *,
    contacts: pl.DataFrame | None,
    until: dt.datetime,
    channels: Mapping[str, str],
    purpose: str | None,
) -> pl.DataFrame:
    """Return `activities_after_opt_out` of some people, without the period and in no order."""
    made = contacts_made(activities, people, channels)
    done = made.drop_nulls(["happened_at", "person_id"]).filter(pl.col("happened_at") <= until)
    said = dated_events(consent_events, until, people, contacts=contacts, beside=["id"])
    names = {"subject": "person_id", "channel": "opt_out_channel", "kind": "opt_out_kind"}
    names |= {name: f"opt_out_{name}" for name in KEY}
    decided = pl.concat(
        history_of(said, channel, purpose)
        .rename(names)
        .select("at", "decision", *names.values(), pl.lit(channel).alias("channel"))
        for channel in sorted({word_of("channel", channel) for channel in channels.values()})
    )
    # most people never opted out: they need not be looked at in order of time
    whom = ["person_id", "channel"]
    ever = decided.filter(pl.col("decision") == OPT_OUT)
    last = (
        done.join(ever, on=whom, how="semi")
        .sort("happened_at")
        .join_asof(
            decided.join(ever, on=whom, how="semi").sort("at", "decision"),
            left_on="happened_at",
            right_on="at",
            by=whom,
            allow_exact_matches=False,
            check_sortedness=False,
        )
    )
    late = pl.col("happened_at") - pl.col("at")
    found = last.filter(pl.col("decision") == OPT_OUT)
    return found.select(
        *done.columns,
        pl.col("at").alias("opted_out_at"),
        *(f"opt_out_{name}" for name in (*KEY, "kind", "channel")),
        (late.dt.total_seconds().cast(pl.Float64) / 86_400).alias("days_after"),
    )


def _by_period(found: pl.DataFrame, every: str | None, time_zone: str) -> pl.DataFrame:
    """Return what was done after an opt-out, oldest first, with its period."""
    day = local(pl.col("happened_at"), time_zone)
    every = chosen_grain(every, found.select(day).to_series())
    dated = found.with_columns(period_of(day, every).alias("period"))
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
    activities = read(
        activities, "activities", *_CONTACT, "id", "kind", "mailing", "starts_at", "created_at"
    )
    by_kind = {
        str(kind).strip().lower(): word_of("channel", channel) for kind, channel in channels.items()
    }
    used = pl.coalesce(
        pl.col(name)
        .str.to_lowercase()
        .replace_strict(by_kind, default=None, return_dtype=pl.String)
        for name in ("mailing", "kind")
    )
    contacting = activities.with_columns(used.alias("channel")).drop_nulls("channel")
    named = with_person(contacting, people)
    return named.select(HAPPENED.alias("happened_at"), "channel", "kind", *KEY, "person_id")


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
    said = dated_events(consent_events, until, people, contacts=contacts, beside=["id"])
    last = history_of(said, "email", purpose).unique("subject", keep="last", maintain_order=True)
    refused = last.filter(pl.col("decision") == OPT_OUT)
    objections = [_objections(refused, pl.col("kind"), pl.col("at"))]
    words = {"contact": "do not contact", "subscription": _REFUSED}
    for basis, states in undated_states(subscriptions, contacts, people).items():
        undated = about(states, "email", purpose).filter(pl.col("decision") == OPT_OUT)
        if basis == "subscription":
            undated = undated.join(refused, on="subject", how="anti")
        objections.append(_objections(undated, pl.lit(words[basis]), _NO_TIME))
    mailed = with_person(
        mailed_contacts(subscriptions, activities, until - dt.timedelta(days=days), until), people
    )
    # who was mailed before the objection only is no longer mailed
    still = (
        pl.col("subscribed")
        | pl.col("objected_at").is_null()
        | (pl.col("last_sent_at") > pl.col("objected_at"))
    )
    is_same_provider = pl.col("provider").cast(pl.String).eq_missing(pl.col("objected_provider"))
    is_same_account = pl.col("account").eq_missing(pl.col("objected_account"))
    refused_there = is_same_provider & is_same_account & (pl.col("objection") == _REFUSED)
    refused_there &= pl.col("objected_at").is_null()
    return (
        mailed.join(pl.concat(objections), on="person_id")
        .filter(still, ~refused_there)
        .with_columns(pl.col("objected_provider").cast(pl.Categorical))
        .sort(
            pl.col("provider").cast(pl.String),
            "account",
            "contact_id",
            "objection",
            pl.col("objected_provider").cast(pl.String),
            "objected_account",
            "objected_id",
        )
    )


def _objections(rows: pl.DataFrame, objection: pl.Expr, at: pl.Expr) -> pl.DataFrame:
    """Return person_id, objection, objected_at, objected_provider, objected_account, objected_id."""
    return rows.select(
        pl.col("subject").alias("person_id"),
        objection.alias("objection"),
        at.alias("objected_at"),
        pl.col("provider").cast(pl.String).alias("objected_provider"),
        pl.col("account").alias("objected_account"),
        pl.col("id").alias("objected_id"),
    )


def mailed_contacts(
    subscriptions: pl.DataFrame, activities: pl.DataFrame, since: dt.datetime, until: dt.datetime
) -> pl.DataFrame:
    """Return provider, account, contact_id, subscribed, last_sent_at of the contacts that get e-mail."""
    is_mail = channel_word(pl.col("channel")) == "email"
    subscriptions = read(subscriptions, "subscriptions", *_CONTACT, "channel", "opted_in")
    activities = read(activities, "activities", *_CONTACT, "mailing", "starts_at", "created_at")
    active = subscriptions.filter(is_mail & pl.col("opted_in"))
    sent = activities.filter(
        (pl.col("mailing") == "sent") & HAPPENED.is_between(since, until, closed="right")
    )
    both = pl.concat(
        [
            active.select(
                *_CONTACT, pl.lit(value=True).alias("subscribed"), _NO_TIME.alias("last_sent_at")
            ),
            sent.select(
                *_CONTACT, pl.lit(value=False).alias("subscribed"), HAPPENED.alias("last_sent_at")
            ),
        ]
    )
    return (
        both.drop_nulls("contact_id")
        .group_by(_CONTACT)
        .agg(pl.col("subscribed").any(), pl.col("last_sent_at").max())
    )
