"""The shared tables: columns, names, what was asked of them, and what users may give as a frame or a time."""

from __future__ import annotations

from crmlab.schema.asked import PEOPLE_OF_MASKED, Asked, AskedAccount, Needs, Period
from crmlab.schema.frames import as_polars, collected, in_short, is_pattern
from crmlab.schema.names import Frame, ProviderName, TableName, Tables
from crmlab.schema.spellings import (
    CHANNELS,
    addresses,
    channel_word,
    first_mailbox,
    mailbox,
    mailboxes,
    purpose_word,
)
from crmlab.schema.tables import (
    CUSTOM,
    KEY,
    TABLES,
    UTC,
    Column,
    Table,
    conform,
    repeats_rows,
    within,
)
from crmlab.schema.times import (
    FIRST_YEAR,
    LAST_YEAR,
    TimeLike,
    as_instant,
    day_at,
    instant,
    unknown_zone,
    zone,
)
from crmlab.schema.unread import unread_note

__all__ = [
    "CHANNELS",
    "CUSTOM",
    "FIRST_YEAR",
    "KEY",
    "LAST_YEAR",
    "PEOPLE_OF_MASKED",
    "TABLES",
    "UTC",
    "Asked",
    "AskedAccount",
    "Column",
    "Frame",
    "Needs",
    "Period",
    "ProviderName",
    "Table",
    "TableName",
    "Tables",
    "TimeLike",
    "addresses",
    "as_instant",
    "as_polars",
    "channel_word",
    "collected",
    "conform",
    "day_at",
    "first_mailbox",
    "in_short",
    "instant",
    "is_pattern",
    "mailbox",
    "mailboxes",
    "purpose_word",
    "repeats_rows",
    "unknown_zone",
    "unread_note",
    "within",
    "zone",
]
