"""Questions that no single service can answer: the same person in several."""

from __future__ import annotations

from crmlab.catalogue.entry import Entry, Filters, narrowed

#: what services keep as a state tells of decisions, too
_STATES = "subscriptions=subscriptions, contacts=contacts"


def _deals(*period: str) -> Filters:
    filters = narrowed("deals", *period, owner="owner_name", pipeline="pipeline_id")
    # without the consents of one service, what people said to it would be missing
    return {choice: frames for choice, frames in filters.items() if choice != "service"}


ENTRIES = (
    Entry(
        name="people_overlap",
        question="How many people do the services share?",
        tables=("contacts",),
        arguments="people",
        filters=narrowed("people"),
    ),
    Entry(
        name="open_pipeline_by_consent",
        question="What did the people of the open deals say about being contacted?",
        tables=("deals", "consent_events", "contacts"),
        adds=("subscriptions",),
        arguments=f"deals, consent_events, people, as_of=as_of, {_STATES}, time_zone=time_zone",
        filters=_deals(),
    ),
    Entry(
        name="consent_coverage_of_pipeline",
        question="Whose open deals are with people who decided about being contacted?",
        tables=("deals", "consent_events", "contacts"),
        adds=("subscriptions",),
        arguments=f'deals, consent_events, people, by="owner_name", as_of=as_of, {_STATES}, time_zone=time_zone',
        filters=_deals(),
    ),
    Entry(
        name="consent_and_win_rate",
        question="Are deals with people who opted in won more often?",
        tables=("deals", "consent_events", "contacts"),
        arguments="deals, consent_events, people, contacts=contacts, time_zone=time_zone",
        filters=_deals("close_date"),
    ),
    Entry(
        name="activities_after_opt_out",
        question="What was done after someone said no?",
        tables=("activities", "consent_events", "contacts"),
        arguments="activities, consent_events, people, as_of=as_of, contacts=contacts, time_zone=time_zone",
        filters=narrowed("activities", "starts_at", "created_at", owner="owner"),
    ),
    Entry(
        name="mailed_but_objected",
        question="Who is mailed here but objected there?",
        tables=("contacts", "activities", "consent_events"),
        adds=("subscriptions",),
        arguments="contacts, subscriptions, activities, consent_events, people, as_of=as_of, time_zone=time_zone",
        filters={"service": {"subscriptions": ("provider",), "activities": ("provider",)}},
    ),
)
