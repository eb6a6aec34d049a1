"""Questions of what people said about being contacted.

Most of them need everything that a person ever said, so that a period would give another answer: what
they show is narrowed by service only.
"""

from __future__ import annotations

from crmlab.catalogue.entry import Entry, narrowed

_EVENTS = narrowed("consent_events")

ENTRIES = (
    Entry(
        name="consent_trend",
        question="What do people say about being contacted, and when?",
        tables=("consent_events",),
        arguments="consent_events, time_zone=time_zone",
        filters=narrowed("consent_events", "occurred_at", "created_at"),
    ),
    Entry(
        name="consent_rate",
        question="Which share of those who decided is opted in?",
        tables=("consent_events",),
        arguments='consent_events, as_of=as_of, by="channel", time_zone=time_zone',
        filters=_EVENTS,
    ),
    Entry(
        name="consent_stock",
        question="How many consents are in force, and who came and left?",
        tables=("consent_events",),
        arguments="consent_events, time_zone=time_zone",
        filters=_EVENTS,
    ),
    Entry(
        name="consent_survival",
        question="How long do consents last?",
        tables=("consent_events",),
        arguments='consent_events, as_of=as_of, by="channel", time_zone=time_zone',
        filters=_EVENTS,
    ),
    Entry(
        name="expiring_consents",
        question="Which consents become too old soon?",
        tables=("consent_events",),
        arguments="consent_events, as_of=as_of, time_zone=time_zone",
        filters=_EVENTS,
    ),
    Entry(
        name="confirmation_rate",
        question="Which share of the requests is confirmed?",
        tables=("consent_events",),
        arguments='consent_events, as_of=as_of, by="channel", time_zone=time_zone',
        filters=_EVENTS,
    ),
    Entry(
        name="time_to_confirm",
        question="How long does confirming take?",
        tables=("consent_events",),
        arguments='consent_events, as_of=as_of, by="channel", time_zone=time_zone',
        filters=_EVENTS,
    ),
    Entry(
        name="documentation_coverage",
        question="Which consents can be proven?",
        tables=("consent_events",),
        arguments='consent_events, as_of=as_of, by="channel", time_zone=time_zone',
        filters=_EVENTS,
    ),
    Entry(
        name="consent_journeys",
        question="What do people say first, and what next?",
        tables=("consent_events",),
        arguments="consent_events",
        filters=_EVENTS,
    ),
)
