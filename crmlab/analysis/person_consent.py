"""What each person last said about being contacted, whichever service they said it in."""

from __future__ import annotations

import datetime as dt

import polars as pl

from crmlab.analysis.addresses import with_contact_id
from crmlab.analysis.consent import SAID
from crmlab.analysis.decisions import OPT_IN, OPT_OUT, decided
from crmlab.analysis.inputs import read
from crmlab.schema import KEY, channel_word, mailbox

#: the states a deal's person can be in, in the order that tables and pictures have
STATES = ("opted in", "opted out", "undecided", "unknown person")
OPTED_IN, OPTED_OUT, UNDECIDED, UNKNOWN = STATES

_READ = (*KEY, "kind", "contact_id", "contact_email", "channel", "opted_in", "occurred_at", "created_at")


def with_person(frame: pl.DataFrame, people: pl.DataFrame, id: str = "contact_id") -> pl.DataFrame:
    """Return `frame` with the person_id of the contact that each row names, null where it is not known.

    Raises
    ------
    UsageError
        `people` is not what `crmlab.analysis.people` returns.
    """
    known = read(people, "people", *KEY, "person_id")
    keys = known.select(*KEY[:2], pl.col("id").alias(id), "person_id")
    return frame.join(keys, on=[*KEY[:2], id], how="left", maintain_order="left")


def decisions(
    consent_events: pl.DataFrame, people: pl.DataFrame, channel: str, until: dt.datetime | None = None
) -> pl.DataFrame:
    """Return what people decided about a channel up to a moment, oldest first.

    A withdrawal that names no channel is about every one, a consent that names none about none. Of two of the same
    moment the opt-out is the later.

    Parameters
    ----------
    consent_events
        Reads provider, account, id, kind, contact_id, contact_email, channel, occurred_at, created_at (where
        occurred_at is null), opted_in. Events without a time or of an unknown contact are left out.
    people
        As `crmlab.analysis.people` returns it.

    Returns
    -------
    pl.DataFrame
        person_id (String), at (Datetime UTC), decision (String, "opt-in" or "opt-out"), provider (Categorical),
        account, id, kind, channel (String), as the event has them.
    """
    return about(all_decisions(consent_events, people, until), channel)


def all_decisions(consent_events: pl.DataFrame, people: pl.DataFrame, until: dt.datetime | None) -> pl.DataFrame:
    """Return `decisions` about every channel."""
    events = with_contact_id(read(consent_events, "consent_events", *_READ), mailbox(pl.col("contact_email")))
    made = (
        with_person(decided(events), people)
        .select("person_id", SAID.alias("at"), "decision", *KEY, "kind", "channel")
        .drop_nulls(["person_id", "at", "decision"])
    )
    return (made if until is None else made.filter(pl.col("at") <= until)).sort("at", "decision", maintain_order=True)


def about(made: pl.DataFrame, channel: str) -> pl.DataFrame:
    """Return those of `all_decisions` that are about a channel: a withdrawal that names none is about each."""
    named = channel_word(pl.col("channel"))
    is_general = named.is_null() & (pl.col("decision") == OPT_OUT)
    return made.filter(is_general | (named == channel_word(pl.lit(channel))))


def with_state(
    frame: pl.DataFrame, consent_events: pl.DataFrame, people: pl.DataFrame, channel: str, until: dt.datetime
) -> pl.DataFrame:
    """Return `frame` with the state of consent (String, of `STATES`) of the contact that each row names."""
    last = decisions(consent_events, people, channel, until).unique("person_id", keep="last", maintain_order=True)
    known = with_person(frame, people).join(
        last.select("person_id", "decision"), on="person_id", how="left", maintain_order="left"
    )
    return known.with_columns(state().alias("consent"))


def state() -> pl.Expr:
    """Return the state of consent, of `STATES`. Reads person_id, decision."""
    return (
        pl.when(pl.col("person_id").is_null())
        .then(pl.lit(UNKNOWN))
        .when(pl.col("decision").is_null())
        .then(pl.lit(UNDECIDED))
        .otherwise(
            pl.col("decision").replace_strict(
                {OPT_IN: OPTED_IN, OPT_OUT: OPTED_OUT}, default=None, return_dtype=pl.String
            )
        )
    )
