"""A world with gaps: what a sandbox hardly has and real data are full of, put into its tables by row number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from crmlab.schema import TABLES, conform


def with_gaps(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the tables with values missing, contradictory or of another kind here and there."""
    edited = {
        "deals": _deals(tables["deals"]),
        "activities": _activities(tables["activities"]),
        "contacts": _contacts(tables["contacts"]),
        "consent_events": pl.concat(
            [_consent_events(tables["consent_events"]), _said_by_address_alone(tables["contacts"])]
        ),
        "subscriptions": _subscriptions(tables["subscriptions"]),
    }
    return {**tables, **edited}


def _every(rows: int, offset: int = 0) -> pl.Expr:
    return pl.int_range(pl.len()) % rows == offset


def _put(column: str, value: object, rows: int, offset: int = 0) -> pl.Expr:
    """Return the column with a value in every so many rows."""
    given = value if isinstance(value, pl.Expr) else pl.lit(value)
    return pl.when(_every(rows, offset)).then(given).otherwise(column).alias(column)


def _deals(deals: pl.DataFrame) -> pl.DataFrame:
    return deals.with_columns(
        _put("currency", "USD", 3),
        _put("total_amount", None, 5),
        _put("amount", None, 10),
        _put("close_date", None, 11),
        _put("created_at", pl.col("created_at").dt.offset_by("2y"), 13),
        _put("stage_probability", None, 4),
        _put("expected_close_date", None, 6),
        _put("contact_id", "nobody", 9),
        _put("owner_name", None, 12),
        _put("status", "pending", 8),
    ).with_columns(
        _put("total_amount", float("nan"), 14, 1),
        _put("amount", -250.0, 15),
    )


def _activities(activities: pl.DataFrame) -> pl.DataFrame:
    return (
        activities.with_columns(
            _put("done", None, 5),
            _put("done_at", pl.date(2026, 11, 1), 13),
            _put("due_on", None, 4),
            _put("starts_at", None, 9),
            _put("owner_id", "a user who left", 8),
            _put("campaign_id", "a campaign", 10),
            _put("contact_id", None, 16),
        )
        .with_columns(
            _put("done", False, 7),
            _put("due_on", pl.date(2026, 10, 31), 6, 1),
        )
        .with_columns(
            _put("due_on", pl.date(2026, 11, 1), 6, 2),
            _put("owner_id", None, 17),
        )
    )


def _contacts(contacts: pl.DataFrame) -> pl.DataFrame:
    return (
        contacts.with_columns(
            _put("do_not_contact", True, 6),
            _put("created_at", None, 14),
            _put("phones", None, 5),
            _put("full_name", None, 19),
        )
        .with_columns(
            # an address of a role, of two names, of three, and what is entered where none is known
            _put("emails", pl.lit(["info@example.com"]), 60),
            _put("phones", pl.lit(["+353 20 910 0001", "0049 30 123456"]), 50, 3),
            _put("full_name", "Ann Lee", 60, 1),
            _put("first_name", None, 19),
        )
        .with_columns(
            _put("emails", pl.lit(["ann.lee@example.com"]), 60, 1),
            _put("full_name", "Lee, Anne", 120, 1),
            _put("phones", pl.lit(["+49 30 123456"]), 90, 7),
        )
        .with_columns(
            _put("emails", pl.lit(["family@example.com"]), 100, 9),
            _put("last_name", None, 19),
        )
        .with_columns(
            _put("emails", pl.lit(["none@example.com"]), 17, 5),
        )
    )


def _consent_events(events: pl.DataFrame) -> pl.DataFrame:
    edited = events.with_columns(
        _put("occurred_at", None, 6),
        _put("created_at", None, 12),
        _put("contact_id", None, 15),
        _put("channel", None, 16),
        _put("purpose", "Newsletter", 4),
    ).with_columns(
        _put("purpose", "direct-marketing", 7, 1),
    )
    # who said yes says no: at the same moment, half a year later, and after the day that is asked for
    yes = edited.filter(pl.col("opted_in"))
    no = yes.with_columns(opted_in=pl.lit(False), kind=pl.lit("update"), id="no to " + pl.col("id"))
    later = [
        no.filter(_every(5)),
        no.filter(_every(5, 1)).with_columns(pl.col("occurred_at").dt.offset_by("6mo")),
        no.filter(_every(5, 2)).with_columns(pl.col("occurred_at").dt.offset_by("3y")),
        no.filter(_every(9, 3)).with_columns(
            pl.col("occurred_at").dt.offset_by("1mo"), channel=pl.lit(None)
        ),
    ]
    return pl.concat([edited, *later]).select(list(TABLES["consent_events"].schema))


def _said_by_address_alone(contacts: pl.DataFrame) -> pl.DataFrame:
    """Return what contacts said by an address and no id: to their own service, and to one that knows nobody."""
    address = pl.col("emails").list.first()
    said = contacts.filter(_every(23, 4) & address.is_not_null()).select(
        "provider",
        "account",
        pl.concat_str(pl.lit("by address "), "id").alias("id"),
        pl.lit("said").alias("kind"),
        address.alias("contact_email"),
        pl.lit("email").alias("channel"),
        pl.lit(dt.datetime(2026, 7, 1, tzinfo=dt.UTC)).dt.cast_time_unit("us").alias("occurred_at"),
        _every(2).alias("opted_in"),
    )
    elsewhere = said.with_columns(
        provider=pl.lit("newsletters").cast(pl.Categorical),
        id="elsewhere " + pl.col("id"),
        opted_in=~pl.col("opted_in"),
        purpose=pl.lit("offers"),
    )
    nobodys = elsewhere.with_columns(
        contact_email="nobody." + pl.col("contact_email"), id="nobody " + pl.col("id")
    )
    return pl.concat(
        [conform(part, TABLES["consent_events"]) for part in (said, elsewhere, nobodys)]
    )


def _subscriptions(subscriptions: pl.DataFrame) -> pl.DataFrame:
    second = subscriptions.filter(_every(3)).with_columns(
        id="second " + pl.col("id"),
        resource_id=pl.lit("another"),
        status=pl.lit("unsubscribed"),
        opted_in=pl.lit(False),
    )
    complained = subscriptions.with_columns(
        _put("status", "complained", 7), _put("opted_in", False, 7), _put("contact_id", None, 11)
    )
    return pl.concat([complained, second])
