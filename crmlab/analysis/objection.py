"""Objections that another system does not know of: who is still mailed against their word."""

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
)
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read
from crmlab.analysis.parts import together
from crmlab.analysis.subject_parts import of_people_in_parts
from crmlab.analysis.subjects import with_person
from crmlab.analysis.touches import HAPPENED
from crmlab.schema import TimeLike, as_instant, channel_word

__all__ = ["mailed_but_objected"]

_CONTACT = ["provider", "account", "contact_id"]
_REFUSED = "unsubscribed"
_NO_TIME = pl.lit(None, pl.Datetime("us", "UTC"))


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
    A refused subscription of a person whose last decision is an opt-out is that same objection. Where a consent to one
    purpose expired and a refusal of another one is left, the objection is "expired", of the event that gave it.

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
