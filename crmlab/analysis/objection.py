"""Objections that another system does not know of: who was contacted, or still is, against their word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from crmlab.analysis.activity import HAPPENED
from crmlab.analysis.decisions import OPT_OUT
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read
from crmlab.analysis.period import chosen_grain, local, period_of
from crmlab.analysis.person_consent import about, all_decisions, decisions, with_person
from crmlab.errors import UsageError
from crmlab.schema import KEY, TimeLike, as_instant, channel_word

__all__ = ["activities_after_opt_out", "mailed_but_objected"]

#: what contacts a person, and by which channel: a kind of activity, or what happened to a mailing. The table of
#: activities does not tell a mailing's channel: all of them are taken for e-mail
CHANNELS: Mapping[str, str] = {"sent": "email", "call": "phone"}
_CONTACT = ["provider", "account", "contact_id"]


@answers("everything")
def activities_after_opt_out(
    activities: pl.DataFrame,
    consent_events: pl.DataFrame,
    people: pl.DataFrame,
    *,
    as_of: TimeLike,
    channels: Mapping[str, str] = CHANNELS,
    every: str | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return what was done to people on a channel after they had opted out of it, each with its evidence.

    The person's last decision before the activity counts, in whatever service it was made: who opted in
    again may be contacted again. Only the channel of the opt-out is looked at, or all of them where it names none.

    Parameters
    ----------
    activities
        Reads provider, account, id, kind, mailing, contact_id, starts_at, created_at (where starts_at is null). Those
        without a time, or of an unknown contact, are left out.
    consent_events
        Reads provider, account, id, kind, contact_id, contact_email, channel, occurred_at, created_at (where
        occurred_at is null), opted_in.
    people
        As `crmlab.analysis.people` returns it.
    as_of
        What comes later has not happened; a date is the beginning of that day in `time_zone`.
    channels
        Kind of activity, or of a mailing what happened to it -> the channel it uses. What is not here contacts nobody.
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 periods.
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
    if not channels:
        raise UsageError('channels is empty: give kinds of activity with their channel, such as {"call": "phone"}')
    activities = read(activities, "activities", *_CONTACT, "id", "kind", "mailing", "starts_at", "created_at")
    used = pl.coalesce(
        pl.col(name).str.to_lowercase().replace_strict(dict(channels), default=None, return_dtype=pl.String)
        for name in ("mailing", "kind")
    )
    done = (
        with_person(activities.with_columns(channel_word(used).alias("channel")), people)
        .select(HAPPENED.alias("happened_at"), "channel", "kind", *KEY, "person_id")
        .drop_nulls(["happened_at", "channel", "person_id"])
        .filter(pl.col("happened_at") <= until)
    )
    ever_said = all_decisions(consent_events, people, until)
    decided = pl.concat(
        about(ever_said, channel)
        .rename({"channel": "opt_out_channel", "kind": "opt_out_kind", **{name: f"opt_out_{name}" for name in KEY}})
        .with_columns(channel_word(pl.lit(channel)).alias("channel"))
        for channel in sorted(set(channels.values()))
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
    day = local(pl.col("happened_at"), time_zone)
    every = chosen_grain(every, found.select(day).to_series())
    return found.select(
        *done.columns,
        pl.col("at").alias("opted_out_at"),
        *(f"opt_out_{name}" for name in (*KEY, "kind", "channel")),
        (late.dt.total_seconds().cast(pl.Float64) / 86_400).alias("days_after"),
        period_of(day, every).alias("period"),
    ).sort("happened_at", pl.col("provider").cast(pl.String), "account", "id")


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
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return the contacts that are mailed although the person objected, there or in another service.

    Mailed is who has a subscription to e-mail that is opted in, or was sent a mailing in the last
    `days`. An objection is `do_not_contact`, which has no date, or a last decision about e-mail that is
    an opt-out; one that an opt-in followed, in any service, is none. A
    mailing from before a dated objection does not count against it.

    Parameters
    ----------
    contacts
        Reads provider, account, id, do_not_contact.
    subscriptions
        Reads provider, account, contact_id, channel, opted_in.
    activities
        Reads provider, account, mailing, contact_id, starts_at, created_at (where starts_at is null).
    consent_events
        Reads provider, account, id, kind, contact_id, contact_email, channel, occurred_at, created_at (where
        occurred_at is null), opted_in.
    people
        As `crmlab.analysis.people` returns it.
    as_of
        Decisions and mailings up to then count; a date is the beginning of that day in `time_zone`.
        Subscriptions and `do_not_contact` are as they were fetched.
    days
        How long ago a mailing is that shows that somebody is mailed.
    time_zone
        IANA name; read where `as_of` is a date.

    Returns
    -------
    pl.DataFrame
        Sorted by contact; a row for each mailed contact and objection: provider (Categorical), account, contact_id
        (String, of the mailed contact), subscribed (Boolean), last_sent_at (Datetime UTC, null: not in the
        last `days`), person_id (String), objection (String, ``"do not contact"`` or the kind of the event),
        objected_at (Datetime UTC, null where the service gives no time), objected_provider (Categorical),
        objected_account, objected_id (String, of the contact or event that says so).

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
    where = [pl.col("provider").cast(pl.String).alias("objected_provider"), pl.col("account").alias("objected_account")]
    contacts = read(contacts, "contacts", *KEY, "do_not_contact")
    refused = decisions(consent_events, people, "email", until).unique("person_id", keep="last", maintain_order=True)
    decided = refused.filter(pl.col("decision") == OPT_OUT).select(
        "person_id", pl.col("kind").alias("objection"), pl.col("at").alias("objected_at"), *where, objected_id="id"
    )
    barred = with_person(contacts.filter(pl.col("do_not_contact")), people, "id").select(
        "person_id", pl.lit("do not contact").alias("objection"), _no_time("objected_at"), *where, objected_id="id"
    )
    mailed = with_person(_mailed(subscriptions, activities, until - dt.timedelta(days=days), until), people)
    # who was mailed before the objection only is no longer mailed
    still = pl.col("subscribed") | pl.col("objected_at").is_null() | (pl.col("last_sent_at") > pl.col("objected_at"))
    return (
        mailed.join(pl.concat([barred, decided]), on="person_id")
        .filter(still)
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


def _mailed(
    subscriptions: pl.DataFrame, activities: pl.DataFrame, since: dt.datetime, until: dt.datetime
) -> pl.DataFrame:
    """Return provider, account, contact_id, subscribed, last_sent_at of the contacts that get e-mail."""
    is_mail = channel_word(pl.col("channel")) == "email"
    subscriptions = read(subscriptions, "subscriptions", *_CONTACT, "channel", "opted_in")
    activities = read(activities, "activities", *_CONTACT, "mailing", "starts_at", "created_at")
    active = subscriptions.filter(is_mail & pl.col("opted_in"))
    sent = activities.filter((pl.col("mailing") == "sent") & HAPPENED.is_between(since, until, closed="right"))
    both = pl.concat(
        [
            active.select(*_CONTACT, pl.lit(value=True).alias("subscribed"), _no_time("last_sent_at")),
            sent.select(*_CONTACT, pl.lit(value=False).alias("subscribed"), HAPPENED.alias("last_sent_at")),
        ]
    )
    return (
        both.drop_nulls("contact_id").group_by(_CONTACT).agg(pl.col("subscribed").any(), pl.col("last_sent_at").max())
    )


def _no_time(name: str) -> pl.Expr:
    return pl.lit(None, pl.Datetime("us", "UTC")).alias(name)
