"""How many of those who decided are opted in, and how many of all contacts decided."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from crmlab.analysis.consent_state import state_of_part
from crmlab.analysis.decisions import OPT_IN
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import By, answer, keys_of, read
from crmlab.analysis.rates import counted, number_of, ratio, row_count, summed
from crmlab.analysis.subject_parts import Evidence, in_parts
from crmlab.analysis.subjects import Subject, contact_name
from crmlab.schema import KEY, TimeLike, as_instant, first_mailbox

__all__ = ["consent_rate"]

#: who groups by one of these asks about the contacts of one service
_SERVICE = ("provider", "account")


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
    decided_counts = []
    contact_counts = []
    for part in in_parts(Evidence(consent_events, subscriptions, contacts), subject, by):
        state = state_of_part(part, now, subject, by=by)
        decided_counts.append(_decided_of(state, keys, part.contacts, subject))
        if part.contacts is not None:
            contact_counts.append(_contacts_of(keys, part.contacts, subject))
    return answer(_rates(decided_counts, contact_counts, keys))


def rates_of(
    state: pl.DataFrame, keys: Sequence[str], contacts: pl.DataFrame | None, subject: Subject
) -> pl.DataFrame:
    """Return `consent_rate` of what `state_of` returned."""
    contact_counts = []
    if contacts is not None:
        contact_counts.append(_contacts_of(keys, contacts, subject))
    decided_counts = _decided_of(state, keys, contacts, subject)
    return _rates([decided_counts], contact_counts, keys)


def _decided_of(
    state: pl.DataFrame, keys: Sequence[str], contacts: pl.DataFrame | None, subject: Subject
) -> pl.DataFrame:
    """Return how many subjects of each group are opted in, opted out, decided, and decided and among the contacts."""
    people = state.with_columns(is_contact=pl.lit(value=False))
    if contacts is not None:
        services = _services_in(keys)
        known_contacts = _known(contacts, services, subject)
        is_contact = known_contacts.with_columns(is_contact=pl.lit(value=True))
        contact_keys = [*keys_of(services), "subject"]
        people = state.join(is_contact, on=contact_keys, how="left", nulls_equal=True)
    said_yes = (pl.col("decision") == OPT_IN).any().alias("yes")
    # a group may hold several decisions of one subject: an opt-in among them counts
    subjects = people.group_by(*keys, "subject").agg(said_yes, pl.col("is_contact").any())
    measures = (
        number_of(pl.col("yes"), "opted_in"),
        number_of(~pl.col("yes"), "opted_out"),
        row_count("decided"),
        number_of(pl.col("is_contact"), "contacts_decided"),
    )
    return counted(subjects, keys, *measures)


def _contacts_of(keys: Sequence[str], contacts: pl.DataFrame, subject: Subject) -> pl.DataFrame:
    """Return how many contacts there are: of each service, where they are grouped by it."""
    services = _services_in(keys)
    known_contacts = _known(contacts, services, subject)
    return counted(known_contacts, keys_of(services), row_count("contacts"))


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
        ratio("opted_in", "decided").alias("opted_in_per_decided"),
        "contacts_decided",
    )
    if not known:
        return rates.drop("contacts_decided")
    service_keys = keys_of(_services_in(keys))
    with_contacts = _with_contacts(rates, summed(known, service_keys, "contacts"), service_keys)
    coverage = ratio("contacts_decided", "contacts")
    return with_contacts.with_columns(coverage_of_contacts=coverage)


def _services_in(keys: Sequence[str]) -> list[str]:
    return [name for name in _SERVICE if keys_of(name)[0] in keys]


def _known(contacts: pl.DataFrame, services: Sequence[str], subject: Subject) -> pl.DataFrame:
    """Return the people among the contacts, each once for every service that they are grouped by."""
    known_contacts = read(contacts, "contacts", *KEY, "emails", by=services)
    subject_name = contact_name(pl.col("id"))
    if subject == "email":
        subject_name = pl.coalesce(first_mailbox(pl.col("emails")), subject_name)
    subjects = known_contacts.select(*keys_of(services), subject=subject_name)
    return subjects.drop_nulls("subject").unique()


def _with_contacts(
    rates: pl.DataFrame, counts: pl.DataFrame, of_service: Sequence[str]
) -> pl.DataFrame:
    """Return the rates with the contacts that there are: of the service, where they are grouped by it."""
    if not of_service:
        all_contacts = pl.lit(counts["contacts"].item(), pl.Int64)
        return rates.with_columns(contacts=all_contacts)
    joined = rates.join(counts, on=of_service, how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(pl.col("contacts").fill_null(0))
