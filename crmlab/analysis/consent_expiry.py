"""When consents end, or become too old to rely on."""

from __future__ import annotations

import datetime as dt

import polars as pl

from crmlab.analysis.consent_state import state_of
from crmlab.analysis.decisions import OPT_IN
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import columns_of, keys_of
from crmlab.analysis.period import chosen_grain, local, period_of
from crmlab.analysis.rates import row_count
from crmlab.analysis.subjects import Subject
from crmlab.errors import UsageError
from crmlab.schema import UTC, TimeLike, as_instant

__all__ = ["expiring_consents"]


@answers("everything")
def expiring_consents(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    max_age_days: int = 365,
    within_days: int = 90,
    every: str | None = None,
    subject: Subject = "contact",
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return how many consents end, or reach their greatest age, in each period of the next days.

    A consent expires `max_age_days` times 24 hours after it was last given, or before that where it was given up to an
    earlier moment (`valid_until`); each opt-in renews it.

    Parameters
    ----------
    consent_events
        As of `crmlab.analysis.current_consent`.
    as_of
        The moment to look from; a date is the beginning of that day in `time_zone`.
    max_age_days
        Age at which a consent must be asked for again. Authorities and services differ.
    within_days
        How far to look ahead.
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 periods.
    subject
        ``"contact"`` or ``"email"``, see `crmlab.analysis.current_consent`.
    subscriptions, contacts
        As of `crmlab.analysis.current_consent`: what they refuse does not expire any more.
    time_zone
        IANA name; where the day begins.

    Returns
    -------
    pl.DataFrame
        Sorted; only periods in which some expire: period (Date, its first day; null: too old at `as_of` or
        before, the last rows), channel (String), consents (Int64, of a person, channel and purpose). Consents
        without a time are left out: it cannot be said when they expire.

    Raises
    ------
    UsageError
        `as_of`, `every` or `time_zone` is not known, or a number of days is not positive.

    Notes
    -----
    Consent platforms take six to twelve months as usual (https://support.didomi.io).

    Examples
    --------
    >>> from datetime import UTC, date, datetime
    >>> import polars as pl
    >>> from crmlab.schema import TABLES, conform
    >>> given = [datetime(2025, 1, 31, tzinfo=UTC), datetime(2025, 2, 2, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)]
    >>> rows = {"provider": ["altcraft"] * 3, "opted_in": [True] * 3, "contact_id": ["1", "2", "3"],
    ...         "channel": ["email"] * 3, "occurred_at": given}
    >>> events = conform(pl.DataFrame(rows), TABLES["consent_events"])
    >>> expiring_consents(events, as_of=date(2026, 1, 15), every="1mo")
    shape: (3, 3)
    ┌────────────┬─────────┬──────────┐
    │ period     ┆ channel ┆ consents │
    │ ---        ┆ ---     ┆ ---      │
    │ date       ┆ str     ┆ i64      │
    ╞════════════╪═════════╪══════════╡
    │ 2026-01-01 ┆ email   ┆ 1        │
    │ 2026-02-01 ┆ email   ┆ 1        │
    │ null       ┆ email   ┆ 1        │
    └────────────┴─────────┴──────────┘
    """
    if max_age_days < 1 or within_days < 1:
        raise UsageError("max_age_days and within_days must be 1 or more")
    now = as_instant(as_of, "as_of", time_zone)
    horizon = now + dt.timedelta(days=within_days)
    # own tables may lack it
    has_end = "valid_until" in columns_of(consent_events, "consent_events")
    end = ["valid_until"] if has_end else []
    state = state_of(
        consent_events, now, subject, by=end, subscriptions=subscriptions, contacts=contacts
    )
    too_old_at = pl.col("decided_at") + pl.duration(days=max_age_days)
    ends_at = [pl.col(name).cast(UTC) for name in keys_of(end)]
    expires_at = pl.min_horizontal(too_old_at, *ends_at)
    expiring = (
        state.filter(pl.col("decision") == OPT_IN)
        .select("channel", expires=expires_at)
        .filter(pl.col("expires") <= horizon)
    )

    # what is too old already has no period: it is not to come
    is_ahead = pl.col("expires") > now
    ahead = pl.when(is_ahead).then(local(pl.col("expires"), time_zone))
    expiring = expiring.with_columns(ahead=ahead)
    grain = chosen_grain(every, expiring["ahead"])
    period = period_of(pl.col("ahead"), grain).alias("period")
    counts = expiring.group_by(period, "channel").agg(row_count("consents"))
    return counts.sort("period", "channel", nulls_last=True)
