"""Contacts after an opt-out: what was done with people against their word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any

import polars as pl

from crmlab.analysis.decisions import (
    OPT_OUT,
    dated_events,
    history_of,
    may_decide_about,
    word_of,
)
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read
from crmlab.analysis.parts import together
from crmlab.analysis.period import chosen_grain, local, period_of
from crmlab.analysis.subject_parts import of_people_in_parts
from crmlab.analysis.subjects import with_person
from crmlab.analysis.touches import HAPPENED
from crmlab.errors import UsageError
from crmlab.schema import CHANNELS as SHARED_CHANNELS
from crmlab.schema import KEY, TimeLike, as_instant

__all__ = ["activities_after_opt_out"]

#: what contacts a person, and by which channel: a kind of activity, or what happened to a mailing. The table of
#: activities does not tell a mailing's channel: all of them are taken for e-mail
CHANNELS: Mapping[str, str] = {"sent": "email", "call": "phone"}
#: channels that every decision may be about, however it is spelled
KNOWN_CHANNELS = frozenset(SHARED_CHANNELS)
_CONTACT = ["provider", "account", "contact_id"]


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
        opt_out_account, opt_out_id, opt_out_kind, opt_out_channel (String; of the event, null: it names none;
        kind "expired": the consent of that event expired, and left a refusal of another purpose),
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
    of_some = decisions.join(opt_outs, on=whom, how="semi", maintain_order="left")
    # of several in one moment always the same one is shown
    decisions_of_some = of_some.sort("at", "decision", maintain_order=True)
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
