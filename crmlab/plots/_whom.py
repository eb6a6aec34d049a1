"""Whom a figure counts and whom it leaves out, in words for its subtitle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from crmlab.analysis.decisions import OPT_IN
from crmlab.analysis.inputs import columns_of, read
from crmlab.analysis.parts import height_of, values_of
from crmlab.analysis.subjects import Subject
from crmlab.display import plural
from crmlab.plots._template import how_many, number
from crmlab.schema import channel_word, purpose_word

#: what a subject of consent is called, one and several
NOUNS: Mapping[Subject, tuple[str, str]] = {
    "contact": ("contact", "contacts"),
    "email": ("address", "addresses"),
}


#: the columns of an event by which its person is known
_PERSON = ("contact_id", "contact_email", "contact_hash")


def left_out(reasons: Mapping[str, int]) -> str:
    """Return how many are left out and which: "Left out: 45 open, 3 without a close date"; "" where none is."""
    parts_left_out = [f"{number(count)} {reason}" for reason, count in reasons.items() if count]
    if not parts_left_out:
        return ""
    return f"Left out: {', '.join(parts_left_out)}"


def subjects(count: int, subject: Subject, what: str = "") -> str:
    """Return "2 contacts with a decision": what is counted as one person, and how many of them."""
    singular, several = (f"{noun} {what}".strip() for noun in NOUNS[subject])
    return plural(count, singular, several)


def each_of(subject: Subject) -> str:
    """Return what a consent is of: two services that know one person have two contacts."""
    return f"{NOUNS[subject][0]}, channel and purpose"


def evidence(subscriptions: pl.DataFrame | None, contacts: pl.DataFrame | None) -> str:
    """Return by what the decisions are known."""
    known_by = ["events"]
    # a table that is there and says nothing about consent is no evidence
    if subscriptions is not None and values_of(subscriptions, "opted_in").count():
        known_by.append("subscriptions")
    if contacts is not None and _has_marks(contacts):
        known_by.append("do-not-contact marks")

    if len(known_by) == 1:
        return "By events alone"
    return f"By {', '.join(known_by)}"


def _has_marks(contacts: pl.DataFrame) -> bool:
    """Return whether a contact is marked as one that nobody is to contact."""
    # a column of nulls alone, as a frame made by hand may have it, is no Boolean one
    marks = pl.col("do_not_contact").cast(pl.Boolean)
    return bool(values_of(contacts, marks.any()).item())


def events_left_out(consent_events: pl.DataFrame) -> str:
    """Return how many events are about nobody, or of no time: they are in no answer about decisions."""
    known_columns = columns_of(consent_events, "consent_events")
    # a person is known by any of these, and a service may have but one of them
    person_columns = [column for column in _PERSON if column in known_columns]
    is_nobodys = pl.all_horizontal(pl.col(person_columns).is_null())
    is_undated = pl.all_horizontal(pl.col("occurred_at", "created_at").is_null())
    count = height_of(consent_events.filter(is_nobodys | is_undated))
    if not count:
        return ""
    return f"Left out: {plural(count, 'event')} without a person or time"


def yes_to_nothing_named(state: pl.DataFrame) -> str:
    """Return how many consents name no channel, or no purpose beside others that name one; "" where none does.

    Reads channel, purpose, decision of what `crmlab.analysis.current_consent` returns.
    """
    consents = state.filter(pl.col("decision") == OPT_IN)
    counts = {
        "channel": consents["channel"].null_count(),
        "purpose": consents["purpose"].null_count(),
    }
    # where no decision names a purpose, the services have none, and nothing is missing
    if not state["purpose"].count():
        counts["purpose"] = 0
    notes = []
    for column, count in counts.items():
        if count:
            notes.append(f"{plural(count, 'consent')} without a {column}")
    if not notes:
        return ""
    return f"{' and '.join(notes)}: for none that is named"


def without_a_time(state: pl.DataFrame) -> str:
    """Return how many decisions are states, of which a service tells no time; "" where none is.

    Reads decided_at of what `crmlab.analysis.current_consent` returns. They are the same whatever moment is asked for.
    """
    return how_many(
        state["decided_at"].null_count(), "decision", "without a time, as they were when fetched"
    )


def expired(consent_events: pl.DataFrame, as_of: dt.datetime) -> str:
    """Return how many events say yes up to a time that has come; "" where none does."""
    ends = read(consent_events, "consent_events", "opted_in", optional=("valid_until",))
    has_expired = pl.col("opted_in") & (pl.col("valid_until") <= as_of)
    count = ends.filter(has_expired).height
    return how_many(count, "event", "with a yes that has expired, which is none any more")


def yes_without_purpose(consent_events: pl.DataFrame, channel: str, purpose: str | None) -> str:
    """Return how many events say yes to a channel and name no purpose, where one is asked for; "" where none does."""
    if purpose is None or "purpose" not in columns_of(consent_events, "consent_events"):
        return ""
    of_channel = channel_word(pl.col("channel")) == channel_word(pl.lit(channel))
    names_none = purpose_word(pl.col("purpose")).is_null()
    count = height_of(consent_events.filter(pl.col("opted_in") & of_channel & names_none))
    return how_many(count, "event", "with a yes and no purpose: for none that is named")
