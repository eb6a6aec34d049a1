"""Names for editors and type checkers. Written by docs/names.py: do not edit, ``make names``."""

from typing import Generic, Literal, TypeVar

import polars as pl

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
TableName = Literal[
    "contacts",
    "companies",
    "deals",
    "deal_items",
    "stages",
    "activities",
    "consent_events",
    "consent_statistics",
    "consent_statistics_items",
    "subscriptions",
    "users",
    "campaigns",
    "segments",
    "integrations",
    "deliveries",
    "operations",
    "changes",
    "fields",
    "tags",
    "lead_sources",
    "statuses",
]
ProviderName = Literal[
    "altcraft",
    "commanders_act",
    "complero",
    "onepagecrm",
    "relenta",
]


class Tables(Generic[Frame]):
    """The shared tables as attributes; which of them are there, each fetch decides."""

    contacts: Frame
    """People: customers, prospects, consent givers, mailing profiles."""
    companies: Frame
    """Organisations that contacts belong to."""
    deals: Frame
    """Sales opportunities."""
    deal_items: Frame
    """Products on deals."""
    stages: Frame
    """Stages of the sales pipelines, in order."""
    activities: Frame
    """What was or will be done: actions, notes, calls, meetings, appointments, mailings."""
    consent_events: Frame
    """What people said about being contacted, and the proof of it."""
    consent_statistics: Frame
    """Banner statistics per day. Counts are of visitors unless the name says otherwise."""
    consent_statistics_items: Frame
    """Banner statistics per day for each category and each vendor (long form)."""
    subscriptions: Frame
    """Addresses subscribed to a channel of a resource, with their state."""
    users: Frame
    """People who work in the services."""
    campaigns: Frame
    """Mailing campaigns."""
    segments: Frame
    """Segments, and their size where the service counts it (per day where it keeps a history)."""
    integrations: Frame
    """Sources that data comes from and destinations it is sent to, with their health."""
    deliveries: Frame
    """Events delivered over time."""
    operations: Frame
    """Background work of the services: uploads, exports, recounts."""
    changes: Frame
    """Who changed what in a service's configuration."""
    fields: Frame
    """Definitions of custom fields."""
    tags: Frame
    """Tags on contacts."""
    lead_sources: Frame
    """Where contacts come from."""
    statuses: Frame
    """Statuses of contacts."""
