"""The shared tables: their columns, their names, and what users may give as a time."""

from __future__ import annotations

from crmlab.schema.names import Frame, ProviderName, TableName, Tables
from crmlab.schema.tables import CUSTOM, KEY, TABLES, UTC, conform, repeats_rows, within
from crmlab.schema.times import TimeLike, as_instant, day_at, instant, zone

__all__ = [
    "CUSTOM",
    "KEY",
    "TABLES",
    "UTC",
    "Frame",
    "ProviderName",
    "TableName",
    "Tables",
    "TimeLike",
    "as_instant",
    "conform",
    "day_at",
    "instant",
    "repeats_rows",
    "within",
    "zone",
]
