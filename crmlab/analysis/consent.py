"""Consent: what people said about being contacted, and what visitors chose on the banner."""

from __future__ import annotations

import polars as pl

from crmlab.analysis.activity import count_by_period
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import read
from crmlab.analysis.period import chosen_grain, local, period_of
from crmlab.analysis.rates import number_of, row_count, share

__all__ = ["consent_banner", "consent_kinds", "consent_trend"]

#: when it was said; where that is not known, when it was recorded
SAID = pl.coalesce("occurred_at", "created_at")
_COUNTS = ("visitors_exposed", "optin", "optout")


@answers("period")
def consent_trend(
    consent_events: pl.DataFrame, *, every: str | None = None, time_zone: str = "UTC"
) -> pl.DataFrame:
    """Return how many consent events of each kind there were in each period.

    Parameters
    ----------
    consent_events
        Reads kind, occurred_at, created_at (where occurred_at is null).
    every
        ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; None: the finest that gives at most 400 periods.
    time_zone
        IANA name; where the day begins.

    Returns
    -------
    pl.DataFrame
        Sorted; only periods and kinds that occur: period (Date, its first day, weeks begin on Monday),
        kind (String, the service's word), count (Int64, events, not people). Events without a time
        are left out.

    Raises
    ------
    UsageError
        `every` or `time_zone` is not known.

    Notes
    -----
    Kinds are counted side by side and not netted: services differ in what an opt-in is
    (https://support.didomi.io/cmp-notice-metrics-indicators).

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> frame = pl.DataFrame({"kind": ["subscribe", "subscribe", "unsubscribe"],
    ...                       "occurred_at": [datetime(2026, 1, day) for day in (1, 31, 31)]})
    >>> frame = frame.with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> consent_trend(conform(frame, TABLES["consent_events"]), every="1mo")
    shape: (2, 3)
    ┌────────────┬─────────────┬───────┐
    │ period     ┆ kind        ┆ count │
    │ ---        ┆ ---         ┆ ---   │
    │ date       ┆ str         ┆ i64   │
    ╞════════════╪═════════════╪═══════╡
    │ 2026-01-01 ┆ subscribe   ┆ 2     │
    │ 2026-01-01 ┆ unsubscribe ┆ 1     │
    └────────────┴─────────────┴───────┘
    """
    events = read(consent_events, "consent_events", "kind", "occurred_at", "created_at")
    return count_by_period(events, local(SAID, time_zone).dt.date(), every)


@answers("period")
def consent_kinds(consent_events: pl.DataFrame) -> pl.DataFrame:
    """Return how each kind of consent event is read: as an opt-in, an opt-out or neither.

    Parameters
    ----------
    consent_events
        Reads provider, kind, opted_in.

    Returns
    -------
    pl.DataFrame
        Sorted; one row per provider and kind: provider (Categorical), kind (String, the service's word),
        events, opt_ins, opt_outs, neither (Int64, events; events = opt_ins + opt_outs + neither).

    Notes
    -----
    What a word decides stands in `opted_in`, which each service's description fills. A note of the fetch names words
    that it did not know: they decide nothing.

    Examples
    --------
    >>> import polars as pl
    >>> rows = {"provider": ["complero", "complero", "altcraft"], "kind": ["update", "update", "smiled"],
    ...         "opted_in": [True, False, None]}
    >>> consent_kinds(pl.DataFrame(rows))
    shape: (2, 6)
    ┌──────────┬────────┬────────┬─────────┬──────────┬─────────┐
    │ provider ┆ kind   ┆ events ┆ opt_ins ┆ opt_outs ┆ neither │
    │ ---      ┆ ---    ┆ ---    ┆ ---     ┆ ---      ┆ ---     │
    │ cat      ┆ str    ┆ i64    ┆ i64     ┆ i64      ┆ i64     │
    ╞══════════╪════════╪════════╪═════════╪══════════╪═════════╡
    │ altcraft ┆ smiled ┆ 1      ┆ 0       ┆ 0        ┆ 1       │
    │ complero ┆ update ┆ 2      ┆ 1       ┆ 1        ┆ 0       │
    └──────────┴────────┴────────┴─────────┴──────────┴─────────┘
    """
    events = read(consent_events, "consent_events", "provider", "kind", "opted_in")
    opted_in = pl.col("opted_in")
    counts = events.group_by("provider", "kind").agg(
        row_count("events"),
        number_of(opted_in, "opt_ins"),
        number_of(~opted_in, "opt_outs"),
        number_of(opted_in.is_null(), "neither"),
    )
    return counts.sort("provider", "kind", nulls_last=True)


@answers("period")
def consent_banner(consent_statistics: pl.DataFrame, *, every: str | None = None) -> pl.DataFrame:
    """Return exposed visitors, opt-ins and opt-outs of the consent banner per day, with their rates.

    ``optin_rate = optin / visitors_exposed``, ``optout_rate = optout / visitors_exposed``, both from the
    summed counts: rates of banners are never averaged. Visitors who chose nothing are in neither.

    Parameters
    ----------
    consent_statistics
        Reads provider, account, day, banner_id, device, location, visitors_exposed, optin, optout.
        Where a banner's day has both a row for all devices (device null) and rows for single ones, only
        the former counts, so that no visitor is added twice; the same for location.
    every
        ``"1d"``; or a longer period, of which `day` is then the first; None: the finest that gives at
        most 400.

    Returns
    -------
    pl.DataFrame
        Sorted by day: day (Date, as the service counts it), visitors_exposed, optin, optout (Int64,
        visitors, over all banners; null where the service does not say it of one of them),
        optin_rate, optout_rate (Float64, 0-1, null when no visitor was exposed).

    Raises
    ------
    UsageError
        `every` is not known.

    Notes
    -----
    Commanders Act divides by exposed visitors and calls it the global consent rate
    (https://doc.commandersact.com/features/consent-management/user-guides/consent-analysis); Didomi calls
    the same the opt-in rate and divides its "consent rate" by choices made
    (https://support.didomi.io/cmp-notice-metrics-indicators). A visitor of two days or two banners is two.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"day": [date(2026, 1, 1)] * 2, "banner_id": ["a", "b"], "visitors_exposed": [100, 300],
    ...         "optin": [90, 110], "optout": [5, 95]}
    >>> with pl.Config(tbl_cols=-1, tbl_width_chars=100):
    ...     consent_banner(conform(pl.DataFrame(rows), TABLES["consent_statistics"]))
    shape: (1, 6)
    ┌────────────┬──────────────────┬───────┬────────┬────────────┬─────────────┐
    │ day        ┆ visitors_exposed ┆ optin ┆ optout ┆ optin_rate ┆ optout_rate │
    │ ---        ┆ ---              ┆ ---   ┆ ---    ┆ ---        ┆ ---         │
    │ date       ┆ i64              ┆ i64   ┆ i64    ┆ f64        ┆ f64         │
    ╞════════════╪══════════════════╪═══════╪════════╪════════════╪═════════════╡
    │ 2026-01-01 ┆ 400              ┆ 200   ┆ 100    ┆ 0.5        ┆ 0.25        │
    └────────────┴──────────────────┴───────┴────────┴────────────┴─────────────┘
    """
    columns = ("provider", "account", "day", "banner_id", "device", "location", *_COUNTS)
    statistics = read(consent_statistics, "consent_statistics", *columns).drop_nulls("day")
    dated = without_parts(without_parts(statistics, "device"), "location")
    grain = chosen_grain(every, dated["day"])
    sums = [complete_sum(name) for name in _COUNTS]
    periods = dated.group_by(period_of(pl.col("day"), grain)).agg(sums).sort("day")
    return periods.with_columns(
        optin_rate=share("optin", "visitors_exposed"),
        optout_rate=share("optout", "visitors_exposed"),
    )


def complete_sum(name: str) -> pl.Expr:
    """Return the sum of a count; null where one is missing, for the rest would pass for all of it."""
    is_complete = pl.col(name).null_count() == 0
    return pl.when(is_complete).then(pl.col(name).sum()).alias(name)


def without_parts(statistics: pl.DataFrame, part: str) -> pl.DataFrame:
    """Drop the rows of single devices or locations where the row of all of them is there."""
    whole_is_there = pl.col(part).is_null().any().over("provider", "account", "day", "banner_id")
    return statistics.filter(pl.col(part).is_null() | ~whole_is_there)
