"""Double opt-in and proof: how many confirm, how fast, and how many consents are documented."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl

from crmlab.analysis.consent_duration import (
    lasting,
    thinned_curve,
    times_counted,
    without_undated_ends,
)
from crmlab.analysis.consent_state import state_of_part
from crmlab.analysis.decisions import (
    OPT_IN,
    OPT_OUT,
    SUBJECT_KEYS,
    consent_periods,
    dated_events,
    is_first,
)
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import By, answer, keys_of
from crmlab.analysis.rates import counted, number_of, ratio, row_count, summed
from crmlab.analysis.subject_parts import Evidence, in_parts
from crmlab.analysis.subjects import Subject
from crmlab.errors import UsageError
from crmlab.schema import TimeLike, as_instant

__all__ = ["confirmation_rate", "documentation_coverage", "time_to_confirm"]


@answers("everything")
def confirmation_rate(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    within_days: int = 7,
    subject: Subject = "contact",
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return the share of requests that were confirmed within some days, of those that had the time.

    ``confirmed_per_request_old_enough = confirmed / requests_old_enough``. A request is the first of each person,
    channel and purpose; confirmed is it by the first confirmation at or after it that is no refusal. One younger than
    `within_days` is in neither number, even if it is confirmed: the quick ones would count too much. Where opt-in is
    single, no request is ever confirmed.

    Parameters
    ----------
    consent_events
        As of `crmlab.analysis.current_consent`.
    as_of
        The moment to look from; a date is the beginning of that day in `time_zone`. Later events are not
        read.
    by
        Columns to group by: channel, purpose, source (of the request), provider, account.
    within_days
        Days of 24 hours that a confirmation may take.
    subject
        ``"contact"`` or ``"email"``, see `crmlab.analysis.current_consent`.
    contacts
        Reads provider, account, id, emails: who has the address of an event that names no contact.
    time_zone
        IANA name; read where `as_of` is a date.

    Returns
    -------
    pl.DataFrame
        One row per group, sorted, nulls last: the columns of `by`, requests_old_enough, confirmed,
        requests_too_young (Int64, of a person, channel and purpose), confirmed_per_request_old_enough (Float64,
        0-1, null of none).

    Raises
    ------
    UsageError
        `as_of`, `by` or `subject` is not known, or `within_days` is not positive.

    Notes
    -----
    What proves a double opt-in: https://inboxeagle.com/learn/email-compliance/consent-documentation. The rule for young
    requests is crmlab's.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"provider": ["altcraft"] * 3, "step": ["request", "request", "confirmation"],
    ...         "contact_id": ["1", "2", "1"], "occurred_at": [datetime(2026, 1, day) for day in (1, 1, 3)]}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> confirmation_rate(conform(frame, TABLES["consent_events"]), as_of=date(2026, 1, 31)).row(0)
    (2, 1, 0, 0.5)
    """
    if within_days < 1:
        raise UsageError("within_days must be 1 or more")
    now = as_instant(as_of, "as_of", time_zone)
    keys = keys_of(by)
    measures = _confirmed_within(dt.timedelta(days=within_days), now)
    part_counts = []
    for events, _, of_part in in_parts(Evidence(consent_events, contacts=contacts), subject, by):
        dated = dated_events(events, now, subject, contacts=of_part, by=by)
        part_counts.append(counted(_requested(dated), keys, *measures))
    rate = ratio("confirmed", "requests_old_enough")
    rates = summed(part_counts, keys, "requests_old_enough", "confirmed", "requests_too_young")
    return answer(rates.with_columns(confirmed_per_request_old_enough=rate))


def _confirmed_within(limit: dt.timedelta, now: dt.datetime) -> tuple[pl.Expr, ...]:
    """Return how many requests had the time, how many of them were confirmed in it, and how many had it not yet."""
    # a young request that is confirmed already would count with the fast ones only
    had_time = pl.col("start") <= now - limit
    was_in_time = pl.col("end") - pl.col("start") <= limit
    return (
        number_of(had_time, "requests_old_enough"),
        number_of(had_time & was_in_time, "confirmed"),
        number_of(~had_time, "requests_too_young"),
    )


@answers("everything")
def time_to_confirm(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    subject: Subject = "contact",
    contacts: pl.DataFrame | None = None,
    confidence: float = 0.95,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return the share of requests that are confirmed after each number of days.

    ``confirmed_share = 1 - survival`` of Kaplan and Meier: an unconfirmed request counts for as long as it
    has waited (censored), so young ones pull the share neither up nor down. Where none waits it is the
    empirical distribution. Median: `crmlab.analysis.consent_duration.median_days`.

    Parameters
    ----------
    consent_events, as_of, by, subject, contacts, time_zone
        As `confirmation_rate`.
    confidence
        Of the band.

    Returns
    -------
    pl.DataFrame
        As `crmlab.analysis.consent_survival` (ended: confirmed; censored: waiting; survival: share that waits longer),
        and last confirmed_share (Float64, 0-1).

    Raises
    ------
    UsageError
        `as_of`, `by`, `subject` or `confidence` is not known.

    Notes
    -----
    https://rdrr.io/cran/epitools/man/kapmeier.html.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"provider": ["altcraft"] * 3, "step": ["request", "request", "confirmation"],
    ...         "contact_id": ["1", "2", "1"], "occurred_at": [datetime(2026, 1, day) for day in (1, 1, 3)]}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> shares = time_to_confirm(conform(frame, TABLES["consent_events"]), as_of=date(2026, 1, 31))
    >>> shares.select("days", "at_risk", "confirmed_share").rows()
    [(2.0, 2, 0.5), (30.0, 1, 0.5)]
    """
    now = as_instant(as_of, "as_of", time_zone)
    keys = keys_of(by)
    evidence = Evidence(consent_events, contacts=contacts)

    def counts() -> Iterator[pl.DataFrame]:
        for events, _, of_part in in_parts(evidence, subject, by):
            dated = dated_events(events, now, subject, contacts=of_part, by=by)
            yield times_counted(lasting(_requested(dated), now), keys)

    waiting = thinned_curve(counts(), keys, confidence=confidence)
    return answer(waiting.with_columns(confirmed_share=1 - pl.col("survival")))


def _requested(events: pl.DataFrame) -> pl.DataFrame:
    """Return the first request of each person and channel: start, and end where it was confirmed."""
    step = pl.col("step")
    first_requests = (
        events.filter(step == "request").filter(is_first(*SUBJECT_KEYS)).rename({"at": "start"})
    )
    # an answer that says no confirms nothing
    is_refusal = (pl.col("decision") == OPT_OUT).fill_null(value=False)
    confirmations = events.filter((step == "confirmation") & ~is_refusal)
    confirmed_at = confirmations.select(*SUBJECT_KEYS, end="at")
    answered = (
        first_requests.select(*SUBJECT_KEYS, "start")
        .join(confirmed_at, on=SUBJECT_KEYS, nulls_equal=True)
        .filter(pl.col("end") >= pl.col("start"))
        .group_by(SUBJECT_KEYS)
        .agg(pl.col("end").min())
    )
    return first_requests.join(answered, on=SUBJECT_KEYS, how="left", nulls_equal=True)


@answers("everything")
def documentation_coverage(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    subject: Subject = "contact",
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return the share of the consents in force that can be proven.

    ``documented_per_consent = documented / consents``. The consents in force are those of
    `crmlab.analysis.current_consent`. One is documented if any event since its opt-in has a document, which is about
    its purpose or names none. Proof of a consent that was withdrawn in between proves nothing of the present one, and
    of a consent that only a subscription tells of there is no proof.

    Parameters
    ----------
    consent_events
        As of `crmlab.analysis.current_consent`.
    as_of
        The moment to look from; a date is the beginning of that day in `time_zone`. Later events are not
        read.
    by
        Columns to group by: channel, purpose, source (of the opt-in), provider, account.
    subject
        ``"contact"`` or ``"email"``, see `crmlab.analysis.current_consent`.
    subscriptions, contacts
        As of `crmlab.analysis.current_consent`.
    time_zone
        IANA name; read where `as_of` is a date.

    Returns
    -------
    pl.DataFrame
        One row per group, sorted, nulls last: the columns of `by`; consents, documented, undocumented (the
        service says that there is no document), not_said (it says nothing), with_source (where it was given is
        known) (Int64, of a person, channel and purpose); documented_per_consent (Float64, 0-1, null of none).

    Raises
    ------
    UsageError
        `as_of`, `by` or `subject` is not known.

    Notes
    -----
    What a proof holds: https://inboxeagle.com/learn/email-compliance/consent-documentation. Its text, version and
    address are not in the table: whether the document holds them cannot be said.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"provider": ["complero"] * 2, "contact_id": ["1", "2"],
    ...         "opted_in": [True, True], "has_documentation": [True, False],
    ...         "occurred_at": [datetime(2026, 1, 1)] * 2}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> documentation_coverage(conform(frame, TABLES["consent_events"]), as_of=date(2026, 1, 31)).row(0)
    (2, 1, 1, 0, 0, 0.5)
    """
    now = as_instant(as_of, "as_of", time_zone)
    keys = keys_of(by)
    part_counts = []
    for part in in_parts(Evidence(consent_events, subscriptions, contacts), subject, by):
        part_counts.append(_coverage(part, now, subject, by))
    count_names = ("consents", "documented", "undocumented", "not_said", "with_source")
    counts = summed(part_counts, keys, *count_names)
    rate = ratio("documented", "consents")
    return answer(counts.with_columns(documented_per_consent=rate))


def _coverage(evidence: Evidence, now: dt.datetime, subject: Subject, by: By) -> pl.DataFrame:
    """Return how many consents in force there are in each group, and how many of them are documented."""
    consent_events, subscriptions, contacts = evidence
    events = dated_events(consent_events, now, subject, contacts=contacts, by=by)
    in_force = consent_periods(events).filter(pl.col("end").is_null())
    columns = ["source", "documented", "said", *keys_of(by)]
    only_stated = []
    if subscriptions is not None or contacts is not None:
        state = state_of_part(evidence, now, subject, by=by)
        in_force = without_undated_ends(in_force, state)
        # what a service keeps as a state comes without a document
        is_stated = (pl.col("basis") != "event") & (pl.col("decision") == OPT_IN)
        nothing = pl.lit(value=False)
        stated = state.filter(is_stated).with_columns(documented=nothing, said=nothing)
        only_stated.append(stated.select(columns))
    proofs = _proofs(events, in_force)
    dated = in_force.drop("has_documentation").join(proofs, on=SUBJECT_KEYS, nulls_equal=True)
    consents = pl.concat([dated.select(columns), *only_stated])

    is_documented = pl.col("documented")
    is_said = pl.col("said")
    measures = (
        row_count("consents"),
        number_of(is_documented, "documented"),
        number_of(is_said & ~is_documented, "undocumented"),
        number_of(~is_said, "not_said"),
        number_of(pl.col("source").is_not_null(), "with_source"),
    )
    return counted(consents, keys_of(by), *measures)


def _proofs(events: pl.DataFrame, in_force: pl.DataFrame) -> pl.DataFrame:
    """Return for each consent in force whether an event since its opt-in has a document, and whether one says so."""
    has_proof = pl.col("has_documentation")
    of_purpose = pl.col("purpose").alias("of_purpose")
    events_of_channel = in_force.select(*SUBJECT_KEYS, "start").join(
        events.select("subject", "channel", of_purpose, "at", has_proof),
        on=["subject", "channel"],
        nulls_equal=True,
    )
    # an event that names no purpose is about each of them
    is_about_it = pl.col("of_purpose").is_null() | (pl.col("of_purpose") == pl.col("purpose"))
    since_opt_in = events_of_channel.filter(is_about_it, pl.col("at") >= pl.col("start"))
    return since_opt_in.group_by(SUBJECT_KEYS).agg(
        documented=has_proof.any(), said=has_proof.is_not_null().any()
    )
