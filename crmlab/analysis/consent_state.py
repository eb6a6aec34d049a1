"""Consent as it stands: who may be contacted on which channel, and how many."""

from __future__ import annotations

import datetime as dt

import polars as pl

from crmlab.analysis.decisions import WHOM, Subject, grouped, is_first, moment, subject_of, told
from crmlab.analysis.rates import ratio
from crmlab.analysis.vocabulary import OPT_IN, OPT_OUT, STATES
from crmlab.tables import TABLES

__all__ = ["consent_rate", "current_consent"]

_STATE = (*WHOM, "decision", "decided_at", "source", "provider", "account", "basis")
_EMAIL = pl.col("emails").list.first()
#: how the bases are ranked: what has no time counts for consent only where no event decides, and for a
#: refusal whatever the events say
_UNDATED_YES, _EVENT, _UNDATED_NO = range(3)


def current_consent(
    consent_events: pl.DataFrame,
    as_of: dt.date | dt.datetime,
    *,
    subject: Subject = "contact",
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return what each person last said about each channel.

    The last decision up to `as_of` wins; of two at the same moment the opt-out does. Subscriptions and
    contacts carry no time: give them only if they were fetched at `as_of`. Then a refusal among them stands above
    every event, and a consent counts where no event decides. A person who is subscribed to one resource
    and unsubscribed from another is opted in on that channel.

    Parameters
    ----------
    consent_events
        Reads provider, account, kind, contact_id, contact_email, channel, source, occurred_at, created_at
        (where occurred_at is null), opted_in. What a kind means: `crmlab.analysis.vocabulary`.
    as_of
        The moment to look from; a date is its midnight UTC.
    subject
        ``"contact"``: a person is one contact of one account; ``"email"``: one e-mail address, in lower
        case, in whatever service (a contact where there is none).
    subscriptions
        Reads provider, account, contact_id, channel, address, status, resource_id.
    contacts
        Reads provider, account, id, emails, do_not_contact: true is an opt-out of the channel "email",
        false says nothing. With ``subject="email"`` also the addresses of subscriptions' contacts.

    Returns
    -------
    pl.DataFrame
        Sorted; one row per subject and channel with a decision: subject (String, "provider/account/id" or
        the e-mail address), channel (String, null: the event names none), decision (String, "opt-in" or
        "opt-out"), decided_at (Datetime UTC, null where the service gives no time), source (String, where it
        was said; the resource of a subscription), provider, account (of that decision), basis (String, "event",
        "subscription" or "contact"). Events without a person or a time are left out.

    Raises
    ------
    PlanError
        `as_of` has no time zone, or `subject` is not known.

    Notes
    -----
    That the last decision of a person and purpose counts is how consent platforms keep it, see
    https://docs.liveramp.com/privacy-manager/en/reporting-for-gdpr.html.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.tables import TABLES, conform
    >>> rows = {"provider": ["altcraft"] * 2, "account": ["shop"] * 2, "kind": ["subscribe", "unsubscribe"],
    ...         "contact_id": ["7"] * 2, "channel": ["email"] * 2,
    ...         "occurred_at": [datetime(2026, 1, day) for day in (1, 9)]}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> state = current_consent(conform(frame, TABLES["consent_events"]), date(2026, 1, 5))
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
    events = told(consent_events, moment(as_of), subject).drop_nulls("decision")
    parts = [_stated(events.rename({"at": "decided_at"}), "event")]
    if subscriptions is not None:
        parts.append(_stated(_subscribed(subscriptions, contacts, subject), "subscription"))
    if contacts is not None:
        parts.append(_stated(_barred(contacts, subject), "contact"))
    found = parts[0]
    if len(parts) > 1:
        undated = pl.when(pl.col("decision") == OPT_IN).then(_UNDATED_YES).otherwise(_UNDATED_NO)
        rank = pl.when(pl.col("basis") == "event").then(_EVENT).otherwise(undated)
        found = pl.concat(parts).sort(*WHOM, rank, "decided_at", "decision", maintain_order=True)
    return found.filter(is_first(*WHOM).shift(-1, fill_value=True))


def _stated(frame: pl.DataFrame, basis: str) -> pl.DataFrame:
    return frame.with_columns(basis=pl.lit(basis)).select(_STATE)


def _subscribed(subscriptions: pl.DataFrame, contacts: pl.DataFrame | None, subject: Subject) -> pl.DataFrame:
    """Return one row for each subscribed or unsubscribed person and channel."""
    people = contacts if contacts is not None else TABLES["contacts"].empty()
    key = ["provider", "account", "contact_id"]
    known = people.select("provider", "account", pl.col("id").alias("contact_id"), _EMAIL.alias("known")).unique(key)
    own = pl.when(pl.col("address").str.contains("@", literal=True)).then("address")
    states = subscriptions.join(known, on=key, how="left").with_columns(
        subject_of(subject, "contact_id", pl.coalesce("known", own)).alias("subject"),
        pl.col("status").str.to_lowercase().replace_strict(STATES, default=None, return_dtype=pl.String).alias("is"),
    )
    says = pl.col("is")
    return (
        states.filter(says.is_in([OPT_IN, OPT_OUT]))
        .drop_nulls("subject")
        .group_by("provider", "account", *WHOM)
        # subscribed to any resource: "opt-in" comes first in the alphabet
        .agg(says.min().alias("decision"), pl.col("resource_id").sort_by("is", "resource_id").first().alias("source"))
        .with_columns(decided_at=pl.lit(None, pl.Datetime("us", "UTC")))
    )


def _barred(contacts: pl.DataFrame, subject: Subject) -> pl.DataFrame:
    return (
        contacts.filter(pl.col("do_not_contact"))
        .select(
            subject_of(subject, "id", _EMAIL).alias("subject"),
            pl.lit("email").alias("channel"),
            pl.lit(OPT_OUT).alias("decision"),
            pl.lit(None, pl.Datetime("us", "UTC")).alias("decided_at"),
            pl.lit(None, pl.String).alias("source"),
            "provider",
            "account",
        )
        .drop_nulls("subject")
    )


def consent_rate(
    state: pl.DataFrame,
    by: str | list[str] | None = None,
    *,
    contacts: pl.DataFrame | None = None,
    subject: Subject = "contact",
) -> pl.DataFrame:
    """Return how many of those who decided are opted in, and how many of all contacts decided.

    ``opted_in_per_decided = opted_in / decided`` and
    ``coverage_of_contacts = contacts_decided / contacts``. People are counted, once in each
    group: opted in is who is on at least one channel of it.

    Parameters
    ----------
    state
        What `current_consent` returns.
    by
        Its columns to group by: channel, source, provider, account.
    contacts
        All contacts, for the coverage. Reads provider, account, id, emails.
    subject
        As given to `current_consent`.

    Returns
    -------
    pl.DataFrame
        One row per group, sorted, nulls last: the columns of `by`, opted_in, opted_out, decided (Int64, people
        with any decision), opted_in_per_decided (Float64, 0-1, null of nobody); with `contacts` also
        contacts_decided, contacts (Int64, people, all of them in every group), coverage_of_contacts
        (Float64, 0-1).

    Raises
    ------
    PlanError
        `by` names what `state` does not have.

    Notes
    -----
    Didomi's consent rate, opt-ins / (opt-ins + opt-outs), for people instead of notices:
    https://support.didomi.io/cmp-notice-metrics-indicators. Others divide by all who were asked.

    Examples
    --------
    >>> import polars as pl
    >>> state = pl.DataFrame({"subject": ["a", "b", "c"], "channel": ["email"] * 3,
    ...                       "decision": ["opt-in", "opt-in", "opt-out"]})
    >>> consent_rate(state, by="channel").select("channel", "opted_in", "opted_in_per_decided")
    shape: (1, 3)
    ┌─────────┬──────────┬──────────────────────┐
    │ channel ┆ opted_in ┆ opted_in_per_decided │
    │ ---     ┆ ---      ┆ ---                  │
    │ str     ┆ i64      ┆ f64                  │
    ╞═════════╪══════════╪══════════════════════╡
    │ email   ┆ 2        ┆ 0.666667             │
    └─────────┴──────────┴──────────────────────┘
    """
    keys = grouped(by, state)
    known = None
    people = state.with_columns(is_contact=pl.lit(value=False))
    if contacts is not None:
        known = contacts.select(subject_of(subject, "id", _EMAIL).alias("subject")).drop_nulls().unique()
        people = state.with_columns(pl.col("subject").is_in(known["subject"].implode()).alias("is_contact"))
    opted_in = (pl.col("decision") == OPT_IN).any()
    each = people.group_by(*keys, "subject").agg(opted_in.alias("yes"), pl.col("is_contact").any())
    measures = (
        pl.col("yes").sum().cast(pl.Int64).alias("opted_in"),
        (~pl.col("yes")).sum().cast(pl.Int64).alias("opted_out"),
        pl.len().cast(pl.Int64).alias("decided"),
        pl.col("is_contact").sum().cast(pl.Int64).alias("contacts_decided"),
    )
    counted = each.group_by(keys).agg(measures).sort(keys, nulls_last=True) if keys else each.select(measures)
    counted = counted.with_columns(ratio(pl.col("opted_in"), pl.col("decided")).alias("opted_in_per_decided"))
    rates = [*keys, "opted_in", "opted_out", "decided", "opted_in_per_decided"]
    if known is None:
        return counted.select(rates)
    return counted.select(*rates, "contacts_decided", pl.lit(known.height, pl.Int64).alias("contacts")).with_columns(
        ratio(pl.col("contacts_decided"), pl.col("contacts")).alias("coverage_of_contacts")
    )
