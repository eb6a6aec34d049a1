"""Questions of what people said about being contacted.

Most of them need everything that a person ever said, so that a period would give another answer: what
they show is narrowed by service only.
"""

from __future__ import annotations

from crmlab.catalogue.entry import Entry, Filters, narrowed

#: what a question about decisions takes into account besides events: what services keep as a state, and whose an
#: address is
_STATES = ("subscriptions", "contacts")
_GIVEN = "subscriptions=subscriptions, contacts=contacts"
_OF_A_SERVICE = ("provider",)
_EVENTS: Filters = {"service": {"consent_events": _OF_A_SERVICE, "contacts": _OF_A_SERVICE}}
_EVIDENCE: Filters = {
    "service": {"consent_events": _OF_A_SERVICE, **dict.fromkeys(_STATES, _OF_A_SERVICE)}
}

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
        adds=_STATES,
        arguments=f'consent_events, as_of=as_of, by="channel", {_GIVEN}, time_zone=time_zone',
        filters=_EVIDENCE,
    ),
    Entry(
        name="consent_stock",
        question="How many consents are in force, and who came and left?",
        tables=("consent_events",),
        adds=_STATES,
        arguments=f"consent_events, {_GIVEN}, time_zone=time_zone",
        filters=_EVIDENCE,
    ),
    Entry(
        name="consent_survival",
        question="How long do consents last?",
        tables=("consent_events",),
        adds=_STATES,
        arguments=f'consent_events, as_of=as_of, by="channel", {_GIVEN}, time_zone=time_zone',
        filters=_EVIDENCE,
    ),
    Entry(
        name="expiring_consents",
        question="Which consents end or become too old soon?",
        tables=("consent_events",),
        adds=_STATES,
        arguments=f"consent_events, as_of=as_of, {_GIVEN}, time_zone=time_zone",
        filters=_EVIDENCE,
    ),
    Entry(
        name="confirmation_rate",
        question="Which share of the requests is confirmed?",
        tables=("consent_events",),
        adds=("contacts",),
        arguments='consent_events, as_of=as_of, by="channel", contacts=contacts, time_zone=time_zone',
        filters=_EVENTS,
    ),
    Entry(
        name="time_to_confirm",
        question="How long does confirming take?",
        tables=("consent_events",),
        adds=("contacts",),
        arguments='consent_events, as_of=as_of, by="channel", contacts=contacts, time_zone=time_zone',
        filters=_EVENTS,
    ),
    Entry(
        name="documentation_coverage",
        question="Which consents can be proven?",
        tables=("consent_events",),
        adds=_STATES,
        arguments=f'consent_events, as_of=as_of, by="channel", {_GIVEN}, time_zone=time_zone',
        filters=_EVIDENCE,
    ),
    Entry(
        name="consent_journeys",
        question="What do people say first, and what next?",
        tables=("consent_events",),
        adds=("contacts",),
        arguments="consent_events, contacts=contacts",
        filters=_EVENTS,
    ),
)
