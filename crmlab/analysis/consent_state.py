"""Consent as it stands: who may be contacted on which channel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import polars as pl

from crmlab.analysis.addresses import contact_addresses, with_contact_id
from crmlab.analysis.decisions import (
    EXPIRED,
    OPT_IN,
    OPT_OUT,
    SUBJECT_KEYS,
    WORDS,
    about,
    dated_events,
    decided,
    for_all_they_cover,
    is_last,
    may_decide_about,
    refuse_misspelt,
    without_void_expiries,
)
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import By, columns_of, keys_of, names_of, read
from crmlab.analysis.parts import together
from crmlab.analysis.subject_parts import Evidence, in_parts
from crmlab.analysis.subjects import (
    Subject,
    Whom,
    contact_name,
    first_addresses,
    known_people,
    with_person,
    with_subject,
)
from crmlab.schema import KEY, TimeLike, as_instant, channel_word, mailbox

__all__ = ["current_consent"]

_STATE = (*SUBJECT_KEYS, "decision", "decided_at", "source", "provider", "account", "basis")
#: what events, subscriptions and contacts tell alike
_OF_ALL = (*WORDS, "source", "provider", "account")
_SERVICE = ("provider", "account")
_CONTACT = ("provider", "account", "contact_id")
_NO_TIME = pl.lit(None, pl.Datetime("us", "UTC"))
_NO_TEXT = pl.lit(None, pl.String)


@answers("everything")
def current_consent(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    subject: Subject = "contact",
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return what each person last said about each channel and purpose.

    The last decision up to `as_of` wins; of two at the same moment the opt-out does. It is about one channel and one
    purpose: a no to "newsletter" is no no to "marketing". A withdrawal that names no channel ends every one, and one
    that names no purpose ends every purpose; a consent that names none is one for none that is named. Spellings of one
    channel or purpose are one.

    Subscriptions and contacts carry no time: give them only if they were fetched at `as_of`. Then a refusal among them
    stands above every event, and a consent counts on channels about which no event of the person decides. A person who
    is subscribed to one resource of an account and unsubscribed from another is opted in on that channel.

    A consent that was given up to a time (`valid_until`) decides nothing once it has come.

    Parameters
    ----------
    consent_events
        Reads provider, account, kind, contact_id, contact_email, channel, purpose (where there is such a column),
        source, occurred_at, created_at (where occurred_at is null), opted_in, step, has_documentation, valid_until
        (where there is such a column). An event that
        names no contact is of the contact of its account that has its address (or its contact_hash, where there is
        one), in another event or among `contacts`: of several the first, and a refusal is of each of them. Where none
        has it, it is of the address itself.
    as_of
        The moment to look from; a date is the beginning of that day in `time_zone`.
    subject
        ``"contact"``: a person is one contact of one account; ``"email"``: one e-mail address, in lower
        case, in whatever service (a contact where there is none). It is the `contact_email` of an event, or else the
        first of its contact's `emails`; of a subscription that of its contact, or its own where the contact is not
        known. A contact that must not be mailed is so at each of its addresses.
    subscriptions
        Reads provider, account, id, contact_id, channel, address, opted_in, resource_id. They name no purpose.
    contacts
        Reads provider, account, id, emails, do_not_contact: true is an opt-out of the channel "email" for every
        purpose, false says nothing. Whose an address is, is looked up here, too.
    time_zone
        IANA name; read where `as_of` is a date.

    Returns
    -------
    pl.DataFrame
        Sorted; one row per subject, channel and purpose with a decision: subject (String, "provider/account/id" or
        the e-mail address), channel, purpose (String, null: none is named), decision (String, "opt-in" or
        "opt-out"), decided_at (Datetime UTC, null where the service gives no time), source (String, where it
        was said; the resource of a subscription), provider, account (of that decision), basis (String, "event",
        "subscription" or "contact"). Events without a person or a time are left out.

    Raises
    ------
    UsageError
        `as_of` has no time zone, or `subject` is not known.

    Notes
    -----
    That the last decision of a person and purpose counts is how consent platforms keep it, see
    https://docs.liveramp.com/privacy-manager/en/reporting-for-gdpr.html.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"provider": ["altcraft"] * 2, "account": ["shop"] * 2, "opted_in": [True, False],
    ...         "contact_id": ["7"] * 2, "channel": ["email"] * 2,
    ...         "occurred_at": [datetime(2026, 1, day) for day in (1, 9)]}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> state = current_consent(conform(frame, TABLES["consent_events"]), as_of=date(2026, 1, 5))
    >>> state.select("subject", "channel", "decision", "basis")
    shape: (1, 4)
    ┌─────────────────┬─────────┬──────────┬───────┐
    │ subject         ┆ channel ┆ decision ┆ basis │
    │ ---             ┆ ---     ┆ ---      ┆ ---   │
    │ str             ┆ str     ┆ str      ┆ str   │
    ╞═════════════════╪═════════╪══════════╪═══════╡
    │ altcraft/shop/7 ┆ email   ┆ opt-in   ┆ event │
    └─────────────────┴─────────┴──────────┴───────┘
    """
    now = as_instant(as_of, "as_of", time_zone)
    return state_of(consent_events, now, subject, subscriptions=subscriptions, contacts=contacts)


def state_of(
    consent_events: pl.DataFrame,
    at: dt.datetime | None,
    whom: Whom,
    *,
    by: By = None,
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return `current_consent`, with what `by` names of the events beside it; `at` None: of all times.

    Channel, purpose, source, provider, account and basis are known of subscriptions and contacts, too; of a column that
    only the events have, they have no value.
    """
    evidence = Evidence(consent_events, subscriptions, contacts)
    parts: Iterable[Evidence] = [evidence]
    # of all times it comes whole: what expired by then goes by the last event of all
    if at is not None:
        parts = in_parts(evidence, whom, by)
    states = [state_of_part(part, at, whom, by=by) for part in parts]
    return together(states)


def state_of_part(
    evidence: Evidence, at: dt.datetime | None, whom: Whom, *, by: By = None
) -> pl.DataFrame:
    """Return `state_of` of one part of the evidence."""
    events, subscriptions, contacts = evidence
    decisions = _said(events, at, whom, by=by, subscriptions=subscriptions, contacts=contacts)
    return _last_of_each(decisions)


def _said(
    consent_events: pl.DataFrame,
    at: dt.datetime | None,
    whom: Whom,
    *,
    by: By = None,
    subscriptions: pl.DataFrame | None,
    contacts: pl.DataFrame | None,
) -> pl.DataFrame:
    """Return all that tells of a decision: the dated events first, sorted, and what has no time."""
    # the basis is no column of the events, but one may group by it
    of_all = [name for name in names_of(by) if name in _OF_ALL]
    if "basis" in names_of(by) and "basis" not in columns_of(consent_events, "consent_events"):
        of_all.append("basis")
    of_events = [name for name in names_of(by) if name not in of_all]
    decisions = dated_events(consent_events, at, whom, contacts=contacts, by=of_events)
    decisions = decisions.drop_nulls("decision").rename({"at": "decided_at"})
    stated_parts = [_stated(decisions, "event", of_all, of_events)]
    for basis, states in undated_states(subscriptions, contacts, whom).items():
        undated = states.with_columns(decided_at=_NO_TIME)
        stated_parts.append(_stated(undated, basis, of_all))

    return pl.concat(stated_parts, how="diagonal")


def stand_of(
    consent_events: pl.DataFrame,
    at: dt.datetime,
    whom: Whom,
    *,
    channel: str,
    purpose: str | None,
    subscriptions: pl.DataFrame | None,
    contacts: pl.DataFrame | None,
) -> pl.DataFrame:
    """Return subject and decision of everybody who decided about a channel: an opt-in where one purpose of it has one.

    A withdrawal that names no channel is about this one, whatever else its person decided about.
    """
    everything = _said(consent_events, at, whom, subscriptions=subscriptions, contacts=contacts)
    refuse_misspelt(everything, channel, purpose)
    about_channel = about(everything, channel, purpose)
    # a withdrawal that names none is about this one, too
    asked_words = [pl.lit(channel).alias("channel")]
    if purpose is not None:
        asked_words.append(pl.lit(purpose).alias("purpose"))
    last_decisions = _last_of_each(about_channel.with_columns(asked_words))
    said_yes = (pl.col("decision") == OPT_IN).any()
    decision = pl.when(said_yes).then(pl.lit(OPT_IN)).otherwise(pl.lit(OPT_OUT))
    return last_decisions.group_by("subject").agg(decision=decision)


def _last_of_each(said: pl.DataFrame) -> pl.DataFrame:
    """Return the last decision of each subject, channel and purpose; none where the last was a yes that has expired."""
    decisions = _without_undated_yes_where_events_decide(for_all_they_cover(said))
    # a refusal without a time stands above every event: in order of time it comes last
    is_undated_no = (pl.col("basis") != "event") & (pl.col("decision") == OPT_OUT)
    decisions = decisions.sort(
        *SUBJECT_KEYS, is_undated_no, "decided_at", "decision", maintain_order=True
    )
    decisions = without_void_expiries(decisions, *SUBJECT_KEYS)
    last_decisions = decisions.filter(is_last(*SUBJECT_KEYS))
    return last_decisions.filter(pl.col("decision") != EXPIRED)


def _without_undated_yes_where_events_decide(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the decisions, consents without a time only of channels that no event of their person decides about."""
    is_undated_yes = (pl.col("basis") != "event") & (pl.col("decision") == OPT_IN)
    is_of_event = pl.col("basis") == "event"
    where_events_decide = decisions.filter(is_of_event).select("subject", "channel").unique()
    undated_yes = decisions.filter(is_undated_yes).join(
        where_events_decide, on=["subject", "channel"], how="anti", nulls_equal=True
    )
    return pl.concat([decisions.filter(~is_undated_yes), undated_yes])


def _stated(
    frame: pl.DataFrame, basis: str, of_all: Sequence[str], of_events: Sequence[str] = ()
) -> pl.DataFrame:
    """Return the columns of the answer, and what to group by: columns of the answer, and of the events alone."""
    with_basis = frame.with_columns(basis=pl.lit(basis))
    # who groups by a column of the answer gets it twice: under its own name, and to group by
    copies = []
    for name in of_all:
        (key,) = keys_of(name)
        copies.append(pl.col(name).alias(key))
    return with_basis.select(*_STATE, *copies, *keys_of(of_events))


def undated_states(
    subscriptions: pl.DataFrame | None,
    contacts: pl.DataFrame | None,
    whom: Whom,
    *,
    channels: Iterable[str] | None = None,
) -> dict[str, pl.DataFrame]:
    """Return what was decided without a time, by its basis: "subscription" and "contact", where they are given.

    Columns subject, channel, purpose, decision, source, provider, account and id (of the row that says so). With
    `channels` only subscriptions to these, and those that name none.
    """
    states = {}
    known_whom = known_people(whom)
    if contacts is not None:
        contacts = read(
            contacts, "contacts", *KEY, "emails", "do_not_contact", optional=("contact_hash",)
        )
    if subscriptions is not None:
        states["subscription"] = _subscribed(subscriptions, contacts, known_whom, channels)
    if contacts is not None:
        states["contact"] = _barred(contacts, known_whom)
    return states


def _subscribed(
    subscriptions: pl.DataFrame,
    contacts: pl.DataFrame | None,
    whom: Whom,
    channels: Iterable[str] | None,
) -> pl.DataFrame:
    """Return one row for each subscribed or unsubscribed person and channel of an account."""
    columns = ("id", *_CONTACT, "channel", "address", "opted_in", "resource_id")
    all_subscriptions = read(subscriptions, "subscriptions", *columns)
    # the address of a text message or a letter is no mailbox
    is_mailbox = pl.col("address").str.contains("@", literal=True)
    own_address = pl.when(is_mailbox).then(mailbox(pl.col("address")))
    addressed = all_subscriptions.with_columns(address=own_address)
    named = with_contact_id(addressed, pl.col("address"), contacts)
    stated = named.drop_nulls("opted_in")
    if channels is not None:
        stated = stated.filter(may_decide_about(channels))
    if contacts is not None:
        stated = _at_known_addresses(stated, whom, contacts)
    stated = with_subject(stated, whom, pl.col("address"), contacts)

    spelled = decided(stated).with_columns(channel_word(pl.col("channel")), purpose=_NO_TEXT)
    of_first = pl.col("resource_id", "id").sort_by("decision", "resource_id", "id").first()
    return (
        spelled.drop_nulls("subject")
        .group_by(*_SERVICE, *SUBJECT_KEYS)
        # subscribed to any resource: "opt-in" comes first in the alphabet
        .agg(pl.col("decision").min(), of_first)
        .rename({"resource_id": "source"})
    )


def _at_known_addresses(stated: pl.DataFrame, whom: Whom, contacts: pl.DataFrame) -> pl.DataFrame:
    """Return subscriptions with the first address of their contact: whatever they were made with, they are its."""
    # whose they are is asked of the address only where their contact does not tell
    if isinstance(whom, pl.DataFrame):
        known = stated.join(
            whom.drop_nulls("person_id"), left_on=_CONTACT, right_on=KEY, how="semi"
        )
        if known.height == stated.height:
            return stated
    elif whom == "contact" and not stated["contact_id"].has_nulls():
        return stated
    known_addresses = first_addresses(contacts).rename({"address": "known"})
    joined = stated.join(known_addresses, on=_CONTACT, how="left", maintain_order="left")
    return joined.with_columns(address=pl.coalesce("known", "address"))


def _barred(contacts: pl.DataFrame, whom: Whom) -> pl.DataFrame:
    """Return an opt-out of e-mail for each contact that must not be mailed; by address, for each of its addresses."""
    barred = contacts.filter(pl.col("do_not_contact").cast(pl.Boolean))
    return (
        _named(barred, whom)
        .select(
            "subject",
            pl.lit("email").alias("channel"),
            _NO_TEXT.alias("purpose"),
            pl.lit(OPT_OUT).alias("decision"),
            _NO_TEXT.alias("source"),
            *KEY,
        )
        .drop_nulls("subject")
    )


def _named(contacts: pl.DataFrame, whom: Whom) -> pl.DataFrame:
    """Return the contacts with `subject`, by address a row for each that they have."""
    if isinstance(whom, pl.DataFrame):
        return with_person(contacts, whom, "id").rename({"person_id": "subject"})
    own_name = contact_name(pl.col("id"))
    if whom == "email":
        addressed = contacts.join(contact_addresses(contacts), on=KEY, how="left", nulls_equal=True)
        return addressed.with_columns(subject=pl.coalesce("address", own_name))
    return contacts.with_columns(subject=own_name)
