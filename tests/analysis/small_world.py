"""What the tests of joined analyses share: a few people of two services, and what they said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from crmlab.schema.tables import TABLES, conform
from tests.analysis.words import decided

AS_OF = date(2026, 6, 1)


def at(day: int, month: int = 1, hour: int = 9) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    utc = {key: pl.Datetime("us", "UTC") for row in rows for key in row if key.endswith("_at")}
    return conform(pl.DataFrame(rows, schema_overrides=utc, infer_schema_length=None), TABLES[name])


def said(*rows: tuple[str, str, str | None, datetime | None]) -> pl.DataFrame:
    """Events of Altcraft: contact, kind, channel, when."""
    names = ("contact_id", "kind", "channel", "occurred_at")
    frame = [
        {
            "provider": "altcraft",
            "account": "shop",
            "id": str(n),
            **dict(zip(names, row, strict=True)),
        }
        for n, row in enumerate(rows)
    ]
    return decided(table("consent_events", frame)) if frame else TABLES["consent_events"].empty()


def who(**contacts: str) -> pl.DataFrame:
    """People whom OnePageCRM calls what is on the left, and Altcraft that with a capital."""
    rows = [
        (*key, person)
        for name, person in contacts.items()
        for key in (("onepagecrm", "crm", name), ("altcraft", "shop", name.capitalize()))
    ]
    schema = {
        "provider": pl.Categorical,
        "account": pl.String,
        "id": pl.String,
        "person_id": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")
