"""Response: how long people wait for the first word from a person."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import By, answer, keys_of, read
from crmlab.analysis.rates import number_of, ratio, row_count
from crmlab.analysis.survival import kaplan_meier, time_until
from crmlab.analysis.touches import HUMAN, OUTBOUND, is_work, of_contacts, touches
from crmlab.schema import KEY, UTC, TimeLike, as_instant

__all__ = ["response_time"]

_ACCOUNT = ("provider", "account")


def answerable(
    contacts: pl.DataFrame, activities: pl.DataFrame, kinds: Collection[str] = OUTBOUND
) -> pl.DataFrame:
    """Return the contacts that can have an answer: those of accounts in which the work of people is recorded.

    A service that only mails, or only keeps consents, knows of no call: its contacts would wait for ever.

    Parameters
    ----------
    contacts
        Reads provider, account.
    activities
        Reads provider, account, kind, campaign_id. Any kind of work shows that there could be an answer.
    kinds
        The kinds that answer.
    """
    all_activities = read(activities, "activities", *_ACCOUNT, "kind", "campaign_id")
    accounts = all_activities.filter(is_work((*HUMAN, *kinds))).select(_ACCOUNT).unique()
    return contacts.join(accounts, on=_ACCOUNT, how="semi", nulls_equal=True)


def waits(
    contacts: pl.DataFrame,
    activities: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    start: str = "created_at",
    kinds: Collection[str] = OUTBOUND,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return for each contact how long it waited, or has waited so far, for the first touch.

    Parameters
    ----------
    contacts, activities, as_of, start, kinds, time_zone
        As for `response_time`.

    Returns
    -------
    pl.DataFrame
        The rows of `answerable` contacts whose wait began by `as_of`, in their order and with their columns, and:
        first_touch_at (Datetime, UTC; null: none yet), answered (Boolean), wait_hours (Float64, hours of the
        clock on the wall or until `as_of`; nights and weekends count).

    Raises
    ------
    UsageError
        `as_of` or `time_zone` cannot be read, or a column is missing.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> came = pl.Series("created_at", [datetime(2026, 3, 2, 9, tzinfo=UTC)] * 2)
    >>> contacts = conform(pl.DataFrame({"id": ["a", "b"], "created_at": came}), TABLES["contacts"])
    >>> called = pl.Series("starts_at", [datetime(2026, 3, 2, 12, tzinfo=UTC)])
    >>> calls = pl.DataFrame({"kind": ["call"], "contact_id": ["a"], "starts_at": called})
    >>> found = waits(contacts, conform(calls, TABLES["activities"]), as_of="2026-03-04")
    >>> found.select("id", "answered", "wait_hours")
    shape: (2, 3)
    ┌─────┬──────────┬────────────┐
    │ id  ┆ answered ┆ wait_hours │
    │ --- ┆ ---      ┆ ---        │
    │ str ┆ bool     ┆ f64        │
    ╞═════╪══════════╪════════════╡
    │ a   ┆ true     ┆ 3.0        │
    │ b   ┆ false    ┆ 39.0       │
    └─────┴──────────┴────────────┘
    """
    instant = as_instant(as_of, "as_of", time_zone)
    contacts = read(contacts, "contacts", *KEY, "emails", start, by=by, own={start: UTC})
    contacts = answerable(contacts, activities, kinds)
    # `start` may be called like anything: once read, it is the beginning
    began_at = pl.col(start).alias("began_at")
    contacts = contacts.select(*KEY, "emails", began_at, *keys_of(by))
    # lists of addresses are the greatest part of a contact, and not needed any more
    waiting = contacts.drop("emails").filter(pl.col("began_at") <= instant)
    numbered = waiting.with_row_index("row")
    done_work = touches(activities, kinds=kinds, as_of=as_of, time_zone=time_zone)
    touched = of_contacts(contacts, done_work).rename({"contact_id": "id"})
    first_touches = _first_touches(numbered, touched)

    # who has no answer has waited up to now
    wait_end = pl.coalesce("first_touch_at", pl.lit(instant).dt.cast_time_unit("us"))
    wait = wait_end - pl.col("began_at")
    wait_hours = wait.dt.total_microseconds() / 3_600_000_000
    with_touch = numbered.join(first_touches, on="row", how="left", maintain_order="left")
    return with_touch.drop("row").with_columns(
        answered=pl.col("first_touch_at").is_not_null(), wait_hours=wait_hours
    )


def _first_touches(numbered: pl.DataFrame, touched: pl.DataFrame) -> pl.DataFrame:
    """Return row and first_touch_at of the contacts that were touched since they began to wait."""
    beginnings = numbered.select("row", *KEY, "began_at")
    return (
        beginnings.join(touched, on=KEY, nulls_equal=True)
        .filter(pl.col("at") >= pl.col("began_at"))
        .group_by("row")
        .agg(first_touch_at=pl.col("at").min())
    )


@answers("everything")
def response_time(
    contacts: pl.DataFrame,
    activities: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    start: str = "created_at",
    kinds: Collection[str] = OUTBOUND,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return how long contacts wait for the first call, meeting or appointment: median and 90th percentile.

    Counted are the contacts that can have an answer: those of accounts in which calls, meetings or other work of people
    is recorded. From `start` to the first touch at or after it, by a person: mailings of campaigns are not. Tables do
    not say who called whom, so a call that came in counts, too. Those still waiting count with the time that they have
    waited so far (censored at `as_of`), by the estimator of Kaplan and Meier: leaving them out would show the quick
    answers only. No means: they
    need all answers, and a few forgotten contacts make them.

    Parameters
    ----------
    contacts
        Reads provider, account, id, emails, `start` and the columns of `by`. One wait per row; contacts of accounts
        without any row of work in `activities` are left out, and those without a `start`.
    activities
        Reads what `crmlab.analysis.touches.touches` reads. Those without contact_id (appointments in
        Relenta) belong to the contacts of the account that have one of their e-mail addresses.
    by
        Columns of contacts to group by, such as ``"lead_source"``, or ``"owner"`` of
        `crmlab.analysis.with_owner`.
    as_of
        The moment to ask at; a date is its beginning in `time_zone`. Waits that begin later are left out.
    start
        The column that holds when the wait began: the contact's creation, or when it wrote.
    kinds
        The kinds that answer. An action is done on a day, and answers at its end.
    time_zone
        IANA name; where the day begins and ends.

    Returns
    -------
    pl.DataFrame
        Sorted by `by`, nulls last; one row per group, one without `by`: the columns of `by`;
        contacts (Int64) = answered + waiting (Int64); waiting_rate (Float64, waiting / contacts: the share
        that is censored, null of none); median_hours, p90_hours (Float64, by which half and nine tenths have
        an answer; null where so many have none yet that it cannot be said).

    Raises
    ------
    UsageError
        `as_of` or `time_zone` cannot be read, or a column is missing.

    Notes
    -----
    https://kpitree.co/glossary/sales-metrics/lead-response-time and
    https://metrickittools.com/glossary/lead-response-time; the estimator is
    https://rdrr.io/cran/epitools/man/kapmeier.html.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> came = pl.Series("created_at", [datetime(2026, 3, 2, 9, tzinfo=UTC)] * 3)
    >>> contacts = conform(pl.DataFrame({"id": ["a", "b", "c"], "created_at": came}), TABLES["contacts"])
    >>> called = pl.Series("starts_at", [datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (12, 18)])
    >>> calls = pl.DataFrame({"kind": ["call"] * 2, "contact_id": ["a", "b"], "starts_at": called})
    >>> with pl.Config(tbl_cols=-1, tbl_width_chars=100):
    ...     response_time(contacts, conform(calls, TABLES["activities"]), as_of="2026-03-04")
    shape: (1, 6)
    ┌──────────┬──────────┬─────────┬──────────────┬──────────────┬───────────┐
    │ contacts ┆ answered ┆ waiting ┆ waiting_rate ┆ median_hours ┆ p90_hours │
    │ ---      ┆ ---      ┆ ---     ┆ ---          ┆ ---          ┆ ---       │
    │ i64      ┆ i64      ┆ i64     ┆ f64          ┆ f64          ┆ f64       │
    ╞══════════╪══════════╪═════════╪══════════════╪══════════════╪═══════════╡
    │ 3        ┆ 2        ┆ 1       ┆ 0.333333     ┆ 9.0          ┆ null      │
    └──────────┴──────────┴─────────┴──────────────┴──────────────┴───────────┘
    """
    keys = keys_of(by)
    all_waits = waits(
        contacts, activities, as_of=as_of, by=by, start=start, kinds=kinds, time_zone=time_zone
    )
    is_answered = pl.col("answered")
    measures = (
        row_count("contacts"),
        number_of(is_answered, "answered"),
        number_of(~is_answered, "waiting"),
    )
    # who still waits would make the waits look shorter, left out or counted as answered
    durations = all_waits.rename({"wait_hours": "duration", "answered": "ended"})
    curve = kaplan_meier(durations, by=keys)
    quantiles = (time_until(0.5).alias("median_hours"), time_until(0.9).alias("p90_hours"))
    if keys:
        group_counts = all_waits.group_by(keys).agg(measures)
        group_quantiles = curve.group_by(keys).agg(quantiles)
        answers = group_counts.join(group_quantiles, on=keys, nulls_equal=True)
        in_order = answers.sort(keys, nulls_last=True)
    else:
        in_order = pl.concat(
            [all_waits.select(measures), curve.select(quantiles)], how="horizontal"
        )
    waiting_rate = ratio("waiting", "contacts").alias("waiting_rate")
    return answer(
        in_order.select(
            *keys, "contacts", "answered", "waiting", waiting_rate, "median_hours", "p90_hours"
        )
    )
