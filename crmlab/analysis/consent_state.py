"""Consent as it stands: who may be contacted on which channel, and how many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

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
    is_first,
    refuse_misspelt,
    without_void_expiries,
)
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import By, answer, columns_of, keys_of, names_of, read
from crmlab.analysis.parts import together
from crmlab.analysis.rates import counted, ratio, summed
from crmlab.analysis.subjects import (
    Evidence,
    Subject,
    Whom,
    contact_name,
    first_addresses,
    in_parts,
    known_people,
    with_person,
    with_subject,
)
from crmlab.schema import KEY, TimeLike, as_instant, channel_word, first_mailbox, mailbox

__all__ = ["consent_rate", "current_consent"]

_STATE = (*SUBJECT_KEYS, "decision", "decided_at", "source", "provider", "account", "basis")
#: what events, subscriptions and contacts tell alike
_OF_ALL = (*WORDS, "source", "provider", "account")
#: who groups by one of these asks about the contacts of one service
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
    # of all times it comes whole: what expired by then goes by the last event of all
    parts = [evidence] if at is None else in_parts(evidence, whom, by)
    return together([state_of_part(part, at, whom, by=by) for part in parts])


def state_of_part(
    evidence: Evidence, at: dt.datetime | None, whom: Whom, *, by: By = None
) -> pl.DataFrame:
    """Return `state_of` of one part of the evidence."""
    events, subscriptions, contacts = evidence
    said = _said(events, at, whom, by=by, subscriptions=subscriptions, contacts=contacts)
    return _last_of_each(said)


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
    events = dated_events(consent_events, at, whom, contacts=contacts, by=of_events).drop_nulls(
        "decision"
    )
    parts = [_stated(events.rename({"at": "decided_at"}), "event", of_all, of_events)]
    for basis, states in undated_states(subscriptions, contacts, whom).items():
        parts.append(_stated(states.with_columns(_NO_TIME.alias("decided_at")), basis, of_all))

    return pl.concat(parts, how="diagonal")


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
    said = about(everything, channel, purpose)
    asked = [pl.lit(channel).alias("channel")]
    if purpose is not None:
        asked.append(pl.lit(purpose).alias("purpose"))
    last = _last_of_each(said.with_columns(asked))
    said_yes = (pl.col("decision") == OPT_IN).any()
    decision = pl.when(said_yes).then(pl.lit(OPT_IN)).otherwise(pl.lit(OPT_OUT))
    return last.group_by("subject").agg(decision.alias("decision"))


def _last_of_each(said: pl.DataFrame) -> pl.DataFrame:
    """Return the last decision of each subject, channel and purpose; none where the last was a yes that has expired."""
    found = _without_undated_yes_where_events_decide(for_all_they_cover(said))
    is_undated_no = (pl.col("basis") != "event") & (pl.col("decision") == OPT_OUT)
    found = found.sort(*SUBJECT_KEYS, is_undated_no, "decided_at", "decision", maintain_order=True)
    found = without_void_expiries(found, *SUBJECT_KEYS)
    last = found.filter(is_first(*SUBJECT_KEYS).shift(-1, fill_value=True))
    return last.filter(pl.col("decision") != EXPIRED)


def _without_undated_yes_where_events_decide(found: pl.DataFrame) -> pl.DataFrame:
    """Return the decisions, consents without a time only of channels that no event of their person decides about."""
    is_undated_yes = (pl.col("basis") != "event") & (pl.col("decision") == OPT_IN)
    where_events_decide = (
        found.filter(pl.col("basis") == "event").select("subject", "channel").unique()
    )
    kept = found.filter(is_undated_yes).join(
        where_events_decide, on=["subject", "channel"], how="anti", nulls_equal=True
    )
    return pl.concat([found.filter(~is_undated_yes), kept])


def _stated(
    frame: pl.DataFrame, basis: str, of_all: Sequence[str], of_events: Sequence[str] = ()
) -> pl.DataFrame:
    """Return the columns of the answer, and what to group by: columns of the answer, and of the events alone."""
    stated = frame.with_columns(basis=pl.lit(basis))
    copies = [pl.col(name).alias(key) for name, key in zip(of_all, keys_of(of_all), strict=True)]
    return stated.select(*_STATE, *copies, *keys_of(of_events))


def undated_states(
    subscriptions: pl.DataFrame | None, contacts: pl.DataFrame | None, whom: Whom
) -> dict[str, pl.DataFrame]:
    """Return what was decided without a time, by its basis: "subscription" and "contact", where they are given.

    Columns subject, channel, purpose, decision, source, provider, account and id (of the row that says so).
    """
    states = {}
    whom = known_people(whom)
    if contacts is not None:
        contacts = read(
            contacts, "contacts", *KEY, "emails", "do_not_contact", optional=("contact_hash",)
        )
    if subscriptions is not None:
        states["subscription"] = _subscribed(subscriptions, contacts, whom)
    if contacts is not None:
        states["contact"] = _barred(contacts, whom)
    return states


def _subscribed(
    subscriptions: pl.DataFrame, contacts: pl.DataFrame | None, whom: Whom
) -> pl.DataFrame:
    """Return one row for each subscribed or unsubscribed person and channel of an account."""
    subscriptions = read(
        subscriptions,
        "subscriptions",
        "id",
        *_CONTACT,
        "channel",
        "address",
        "opted_in",
        "resource_id",
    )
    own = pl.when(pl.col("address").str.contains("@", literal=True)).then(
        mailbox(pl.col("address"))
    )
    stated = with_contact_id(
        subscriptions.with_columns(own.alias("address")), pl.col("address"), contacts
    )
    if contacts is not None:
        # a subscription is its contact's, whatever address it was made with
        known = first_addresses(contacts).rename({"address": "known"})
        stated = stated.join(known, on=_CONTACT, how="left", maintain_order="left")
        stated = stated.with_columns(pl.coalesce("known", "address").alias("address"))
    stated = with_subject(stated, whom, pl.col("address"), contacts)
    of_first = pl.col("resource_id", "id").sort_by("decision", "resource_id", "id").first()
    return (
        decided(stated)
        .with_columns(channel_word(pl.col("channel")), _NO_TEXT.alias("purpose"))
        .drop_nulls(["decision", "subject"])
        .group_by(*_SERVICE, *SUBJECT_KEYS)
        # subscribed to any resource: "opt-in" comes first in the alphabet
        .agg(pl.col("decision").min(), of_first)
        .rename({"resource_id": "source"})
    )


def _barred(contacts: pl.DataFrame, whom: Whom) -> pl.DataFrame:
    """Return an opt-out of e-mail for each contact that must not be mailed; by address, for each of its addresses."""
    barred = contacts.filter(pl.col("do_not_contact").cast(pl.Boolean))
    if isinstance(whom, pl.DataFrame):
        named = with_person(barred, whom, "id").rename({"person_id": "subject"})
    elif whom == "email":
        written = barred.join(contact_addresses(barred), on=KEY, how="left", nulls_equal=True)
        named = written.with_columns(
            pl.coalesce("address", contact_name(pl.col("id"))).alias("subject")
        )
    else:
        named = barred.with_columns(contact_name(pl.col("id")).alias("subject"))
    stated = named.select(
        "subject",
        pl.lit("email").alias("channel"),
        _NO_TEXT.alias("purpose"),
        pl.lit(OPT_OUT).alias("decision"),
        _NO_TEXT.alias("source"),
        *KEY,
    )
    return stated.drop_nulls("subject")


@answers("everything")
def consent_rate(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    subject: Subject = "contact",
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return how many of those who decided are opted in, and how many of all contacts decided.

    ``opted_in_per_decided = opted_in / decided`` and
    ``coverage_of_contacts = contacts_decided / contacts``. Subjects are counted, once in each
    group: opted in is who is on at least one channel and purpose of it. By default a subject is one contact of one
    account, so that a person whom two services know is counted twice; ``subject="email"`` counts addresses.

    Parameters
    ----------
    consent_events
        As of `current_consent`.
    as_of
        The moment to look from; a date is the beginning of that day in `time_zone`.
    by
        Columns of the events to group by, such as ``"channel"`` or ``"purpose"``; or ``"basis"``. Of the columns that
        `current_consent` does not return, decisions without an event have no value.
    subject
        ``"contact"`` or ``"email"``, see `current_consent`.
    subscriptions
        As of `current_consent`.
    contacts
        All contacts, as of `current_consent`, and for the coverage.
    time_zone
        IANA name; read where `as_of` is a date.

    Returns
    -------
    pl.DataFrame
        One row per group, sorted, nulls last: the columns of `by`, opted_in, opted_out, decided (Int64, subjects
        with any decision), opted_in_per_decided (Float64, 0-1, null of nobody); with `contacts` also contacts
        (Int64, subjects: all of them in every group, or by provider and account those of the same), contacts_decided
        (Int64, those of them who decided), coverage_of_contacts (Float64, 0-1, null where there are none).

    Raises
    ------
    UsageError
        `as_of`, `by`, `subject` or `time_zone` is not known, or a column is missing.

    Notes
    -----
    Didomi's consent rate, opt-ins / (opt-ins + opt-outs), for people instead of notices:
    https://support.didomi.io/cmp-notice-metrics-indicators. Others divide by all who were asked.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> import polars as pl
    >>> from crmlab.schema import KEY, TABLES, conform
    >>> said = pl.Series("occurred_at", [datetime(2026, 1, 1, tzinfo=UTC)] * 3)
    >>> rows = {"provider": ["altcraft"] * 3, "opted_in": [True, True, False],
    ...         "contact_id": ["1", "2", "3"], "channel": ["email"] * 3, "occurred_at": said}
    >>> events = conform(pl.DataFrame(rows), TABLES["consent_events"])
    >>> found = consent_rate(events, as_of="2026-02-01", by="channel")
    >>> found.select("channel", "opted_in", "opted_in_per_decided")
    shape: (1, 3)
    ┌─────────┬──────────┬──────────────────────┐
    │ channel ┆ opted_in ┆ opted_in_per_decided │
    │ ---     ┆ ---      ┆ ---                  │
    │ str     ┆ i64      ┆ f64                  │
    ╞═════════╪══════════╪══════════════════════╡
    │ email   ┆ 2        ┆ 0.666667             │
    └─────────┴──────────┴──────────────────────┘
    """
    now = as_instant(as_of, "as_of", time_zone)
    keys = keys_of(by)
    decided = []
    known = []
    for part in in_parts(Evidence(consent_events, subscriptions, contacts), subject, by):
        state = state_of_part(part, now, subject, by=by)
        decided.append(_decided_of(state, keys, part.contacts, subject))
        if part.contacts is not None:
            known.append(_contacts_of(keys, part.contacts, subject))
    return answer(_rates(decided, known, keys))


def rates_of(
    state: pl.DataFrame, keys: Sequence[str], contacts: pl.DataFrame | None, subject: Subject
) -> pl.DataFrame:
    """Return `consent_rate` of what `state_of` returned."""
    known = [] if contacts is None else [_contacts_of(keys, contacts, subject)]
    return _rates([_decided_of(state, keys, contacts, subject)], known, keys)


def _decided_of(
    state: pl.DataFrame, keys: Sequence[str], contacts: pl.DataFrame | None, subject: Subject
) -> pl.DataFrame:
    """Return how many subjects of each group are opted in, opted out, decided, and decided and among the contacts."""
    people = state.with_columns(is_contact=pl.lit(value=False))
    if contacts is not None:
        services = _services_in(keys)
        is_contact = _known(contacts, services, subject).with_columns(is_contact=pl.lit(value=True))
        people = state.join(
            is_contact, on=[*keys_of(services), "subject"], how="left", nulls_equal=True
        )
    opted_in = (pl.col("decision") == OPT_IN).any()
    each = people.group_by(*keys, "subject").agg(opted_in.alias("yes"), pl.col("is_contact").any())
    measures = (
        pl.col("yes").sum().cast(pl.Int64).alias("opted_in"),
        (~pl.col("yes")).sum().cast(pl.Int64).alias("opted_out"),
        pl.len().cast(pl.Int64).alias("decided"),
        pl.col("is_contact").sum().cast(pl.Int64).alias("contacts_decided"),
    )
    return counted(each, keys, *measures)


def _contacts_of(keys: Sequence[str], contacts: pl.DataFrame, subject: Subject) -> pl.DataFrame:
    """Return how many contacts there are: of each service, where they are grouped by it."""
    services = _services_in(keys)
    known = _known(contacts, services, subject)
    return counted(known, keys_of(services), pl.len().cast(pl.Int64).alias("contacts"))


def _rates(
    decided: Sequence[pl.DataFrame], known: Sequence[pl.DataFrame], keys: Sequence[str]
) -> pl.DataFrame:
    """Return `consent_rate` of the counts of all parts; `known` is empty where no contacts are given."""
    counts = summed(decided, keys, "opted_in", "opted_out", "decided", "contacts_decided")
    rates = counts.select(
        *keys,
        "opted_in",
        "opted_out",
        "decided",
        ratio(pl.col("opted_in"), pl.col("decided")).alias("opted_in_per_decided"),
        "contacts_decided",
    )
    if not known:
        return rates.drop("contacts_decided")
    of_service = keys_of(_services_in(keys))
    return _with_contacts(rates, summed(known, of_service, "contacts"), of_service).with_columns(
        ratio(pl.col("contacts_decided"), pl.col("contacts")).alias("coverage_of_contacts")
    )


def _services_in(keys: Sequence[str]) -> list[str]:
    return [name for name in _SERVICE if keys_of(name)[0] in keys]


def _known(contacts: pl.DataFrame, services: Sequence[str], subject: Subject) -> pl.DataFrame:
    """Return the people among the contacts, each once for every service that they are grouped by."""
    found = read(contacts, "contacts", *KEY, "emails", by=services)
    name = contact_name(pl.col("id"))
    if subject == "email":
        name = pl.coalesce(first_mailbox(pl.col("emails")), name)
    return found.select(*keys_of(services), name.alias("subject")).drop_nulls("subject").unique()


def _with_contacts(
    rates: pl.DataFrame, counts: pl.DataFrame, of_service: Sequence[str]
) -> pl.DataFrame:
    """Return the rates with the contacts that there are: of the service, where they are grouped by it."""
    if not of_service:
        return rates.with_columns(pl.lit(counts["contacts"].item(), pl.Int64).alias("contacts"))
    joined = rates.join(counts, on=of_service, how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(pl.col("contacts").fill_null(0))
