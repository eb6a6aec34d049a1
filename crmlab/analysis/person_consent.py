"""What each person decided about being contacted, whichever service they said it in."""

from __future__ import annotations

import datetime as dt

import polars as pl

from crmlab.analysis.consent_state import stand_of
from crmlab.analysis.decisions import OPT_IN, OPT_OUT
from crmlab.analysis.subjects import with_person

#: the states a deal's person can be in, in the order that tables and pictures have
STATES = ("opted in", "opted out", "undecided", "unknown person")
OPTED_IN, OPTED_OUT, UNDECIDED, UNKNOWN = STATES


def with_state(
    frame: pl.DataFrame,
    consent_events: pl.DataFrame,
    people: pl.DataFrame,
    *,
    channel: str,
    purpose: str | None,
    until: dt.datetime,
    subscriptions: pl.DataFrame | None,
    contacts: pl.DataFrame | None,
) -> pl.DataFrame:
    """Return `frame` with the state of consent (String, of `STATES`) of the contact that each row names."""
    last_decisions = stand_of(
        consent_events,
        until,
        people,
        channel=channel,
        purpose=purpose,
        subscriptions=subscriptions,
        contacts=contacts,
    ).rename({"subject": "person_id"})
    known_people = with_person(frame, people)
    decided = known_people.join(last_decisions, on="person_id", how="left", maintain_order="left")
    return decided.with_columns(consent=state())


def state() -> pl.Expr:
    """Return the state of consent, of `STATES`. Reads person_id, decision."""
    in_words = {OPT_IN: OPTED_IN, OPT_OUT: OPTED_OUT}
    decision = pl.col("decision").replace_strict(in_words, default=None, return_dtype=pl.String)
    of_known = pl.coalesce(decision, pl.lit(UNDECIDED))
    # without a person, a null decision does not mean that nothing was decided
    is_nobody = pl.col("person_id").is_null()
    return pl.when(is_nobody).then(pl.lit(UNKNOWN)).otherwise(of_known)
