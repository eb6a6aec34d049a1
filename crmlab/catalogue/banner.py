"""Questions of the consent banner on a web site."""

from __future__ import annotations

from crmlab.catalogue.entry import Entry, narrowed

ENTRIES = (
    Entry(
        name="consent_banner",
        question="What do visitors choose on the banner, and does it change?",
        tables=("consent_statistics",),
        arguments="consent_statistics",
        filters=narrowed("consent_statistics", "day"),
    ),
    Entry(
        name="banner_rates",
        question="How many visitors accept, refuse or choose nothing, on which device?",
        tables=("consent_statistics",),
        arguments='consent_statistics, by="device"',
        filters=narrowed("consent_statistics", "day"),
    ),
    Entry(
        name="banner_items",
        question="Which categories do visitors accept?",
        tables=("consent_statistics_items",),
        arguments="consent_statistics_items",
        filters=narrowed("consent_statistics_items", "day"),
    ),
)
