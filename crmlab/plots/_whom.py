"""Whom a figure counts and whom it leaves out, in words for its subtitle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from crmlab.analysis.consent import SAID
from crmlab.analysis.decisions import OPT_IN
from crmlab.analysis.inputs import columns_of
from crmlab.analysis.parts import height_of, values_of
from crmlab.analysis.subjects import Subject
from crmlab.display import plural
from crmlab.plots._template import number
from crmlab.schema import channel_word, purpose_word

#: what a subject of consent is called, one and several
NOUNS: Mapping[Subject, tuple[str, str]] = {
    "contact": ("contact", "contacts"),
    "email": ("address", "addresses"),
}


def left_out(reasons: Mapping[str, int]) -> str:
    """Return how many are left out and which: "Left out: 45 open, 3 without a close date"; "" where none is."""
    counts = [f"{number(count)} {reason}" for reason, count in reasons.items() if count]
    return f"Left out: {', '.join(counts)}" if counts else ""


def subjects(count: int, subject: Subject, what: str = "") -> str:
    """Return "2 contacts with a decision": what is counted as one person, and how many of them."""
    one, several = (f"{noun} {what}".strip() for noun in NOUNS[subject])
    return plural(count, one, several)


def each_of(subject: Subject) -> str:
    """Return what a consent is of: two services that know one person have two contacts."""
    return f"{NOUNS[subject][0]}, channel and purpose"


def evidence(subscriptions: pl.DataFrame | None, contacts: pl.DataFrame | None) -> str:
    """Return by what the decisions are known."""
    known = ["events"]
    if subscriptions is not None and values_of(subscriptions, "opted_in").count():
        known.append("subscriptions")
    if (
        contacts is not None
        and values_of(contacts, pl.col("do_not_contact").cast(pl.Boolean).any()).item()
    ):
        known.append("do-not-contact marks")
    return f"By {', '.join(known)}" if len(known) > 1 else "By events alone"


def events_left_out(consent_events: pl.DataFrame) -> str:
    """Return how many events are about nobody, or of no time: they are in no answer about decisions."""
    there = columns_of(consent_events, "consent_events")
    names = [name for name in ("contact_id", "contact_email", "contact_hash") if name in there]
    is_nobodys = pl.all_horizontal(pl.col(names).is_null())
    count = height_of(consent_events.filter(is_nobodys | SAID.is_null()))
    return f"Left out: {plural(count, 'event')} without a person or time" if count else ""


def yes_to_nothing_named(state: pl.DataFrame) -> str:
    """Return how many consents name no channel, or no purpose beside others that name one; "" where none does.

    Reads channel, purpose, decision of what `crmlab.analysis.current_consent` returns.
    """
    yes = state.filter(pl.col("decision") == OPT_IN)
    counts = {"channel": yes["channel"].null_count(), "purpose": yes["purpose"].null_count()}
    if not state["purpose"].count():
        counts["purpose"] = 0
    notes = [
        f"{plural(count, 'consent')} without a {name}" for name, count in counts.items() if count
    ]
    return f"{' and '.join(notes)}: for none that is named" if notes else ""


def without_a_time(state: pl.DataFrame) -> str:
    """Return how many decisions are states, of which a service tells no time; "" where none is.

    Reads decided_at of what `crmlab.analysis.current_consent` returns. They are the same whatever moment is asked for.
    """
    count = state["decided_at"].null_count()
    return f"{plural(count, 'decision')} without a time, as they were when fetched" if count else ""


def expired(consent_events: pl.DataFrame, as_of: dt.datetime) -> str:
    """Return how many events say yes up to a time that has come; "" where none does."""
    if "valid_until" not in columns_of(consent_events, "consent_events"):
        return ""
    count = height_of(consent_events.filter(pl.col("opted_in") & (pl.col("valid_until") <= as_of)))
    return (
        f"{plural(count, 'event')} with a yes that has expired, which is none any more"
        if count
        else ""
    )


def yes_without_purpose(consent_events: pl.DataFrame, channel: str, purpose: str | None) -> str:
    """Return how many events say yes to a channel and name no purpose, where one is asked for; "" where none does."""
    if purpose is None or "purpose" not in columns_of(consent_events, "consent_events"):
        return ""
    of_channel = channel_word(pl.col("channel")) == channel_word(pl.lit(channel))
    names_none = purpose_word(pl.col("purpose")).is_null()
    count = height_of(consent_events.filter(pl.col("opted_in") & of_channel & names_none))
    return (
        f"{plural(count, 'event')} with a yes and no purpose: for none that is named"
        if count
        else ""
    )
