"""Questions of what is done: calls, meetings, notes, actions, mailings."""

from __future__ import annotations

from crmlab.catalogue.entry import Entry, Filters, narrowed

#: when work was done: an action on a day, a note on that which its author gave it, all else at a time
_WHEN = ("done_at", "dated_on", "starts_at", "created_at")


def _activities(*period: str) -> Filters:
    return narrowed("activities", *period, owner="owner")


ENTRIES = (
    Entry(
        name="activity_heatmap",
        question="At what time of the week is the work done?",
        tables=("activities",),
        arguments="activities, as_of=as_of, time_zone=time_zone",
        filters=_activities(*_WHEN),
    ),
    Entry(
        name="activity_volume",
        question="How much is done, and what?",
        tables=("activities",),
        arguments="activities, as_of=as_of, time_zone=time_zone",
        filters=_activities(*_WHEN),
    ),
    Entry(
        name="activity_volume_by_owner",
        question="Who does what, and how much of it?",
        tables=("activities",),
        adds=("users",),
        arguments="activities, users, as_of=as_of, time_zone=time_zone",
        filters=_activities(*_WHEN),
    ),
    Entry(
        name="open_actions",
        question="What is still to be done, by whom, and how long is it overdue?",
        tables=("activities",),
        adds=("users",),
        arguments="activities, as_of=as_of, users=users, time_zone=time_zone",
        filters=_activities("due_on"),
    ),
    Entry(
        name="completion_rate",
        question="Which share of the actions is done on time, and by whom?",
        tables=("activities",),
        adds=("users",),
        arguments="activities, as_of=as_of, users=users, time_zone=time_zone",
        filters=_activities("due_on"),
    ),
    Entry(
        name="response_time",
        question="How soon after coming in does a contact hear from us?",
        tables=("contacts", "activities"),
        arguments="contacts, activities, as_of=as_of, time_zone=time_zone",
        filters=narrowed("contacts", "created_at", owner="owner"),
    ),
    Entry(
        name="activities_per_deal",
        question="How much work do won and lost deals take?",
        tables=("deals", "activities"),
        arguments="deals, activities, time_zone=time_zone",
        filters=narrowed("deals", "close_date", owner="owner_name", pipeline="pipeline_id"),
    ),
    Entry(
        name="days_since_last_touch",
        question="Which open deals has nobody touched for long?",
        tables=("deals", "activities"),
        arguments="deals, activities, as_of=as_of, time_zone=time_zone",
        filters=narrowed("deals", owner="owner_name", pipeline="pipeline_id"),
    ),
    Entry(
        name="email_engagement",
        question="Which mailings are opened and clicked?",
        tables=("activities",),
        adds=("campaigns",),
        arguments="activities, campaigns",
        filters=narrowed("activities"),
    ),
    Entry(
        name="email_engagement_over_time",
        question="Are mailings opened more or less than they used to be?",
        tables=("activities",),
        arguments='activities, every="1mo", time_zone=time_zone',
        filters=narrowed("activities"),
    ),
)
