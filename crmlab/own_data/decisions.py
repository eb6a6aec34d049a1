"""Consent events of one's own: what was decided, said by the event itself or by its kind."""

from __future__ import annotations

import polars as pl

from crmlab.own_data import words
from crmlab.schema import TABLES

#: kinds that are a decision in every service that has them
_YES = ("subscribe", "sub")
_NO = ("unsubscribe", "unsub", "complain", "complaint", "spam", "fbl")
_KINDS = TABLES["consent_events"].columns["kind"].words


def numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the events with the number of their row as id, where they have none: nothing refers to it."""
    if "id" in frame.columns:
        return frame
    return frame.with_columns(pl.int_range(1, pl.len() + 1).cast(pl.String).alias("id"))


def decided(events: pl.DataFrame) -> pl.DataFrame:
    """Return the events with `opted_in` from their kind, where they do not say it themselves."""
    kind, said = pl.col("kind"), pl.col("opted_in")
    of_kind = pl.when(kind.is_in(_YES)).then(pl.lit(value=True)).when(kind.is_in(_NO)).then(pl.lit(value=False))
    return events.with_columns(pl.coalesce(said, of_kind).alias("opted_in"))


def silence(events: pl.DataFrame) -> str:
    """Return what is wrong with events that say nothing of a decision, and what to write; "" where there are none.

    A kind that is known says enough, also where it is no decision.
    """
    silent = events.filter(pl.col("opted_in").is_null(), ~pl.col("kind").is_in(_KINDS).fill_null(value=False))
    if silent.is_empty():
        return ""
    some = f"{silent.height:,} of {events.height:,} rows"
    if events["kind"].null_count() == events.height:
        return (
            f"{some} do not say what was decided: write rename={{'...': 'opted_in'}} for the column "
            "that holds yes or no"
        )
    found = words.strange(silent["kind"].fill_null("(blank)"), _KINDS)
    refusal = words.refusal("kind", found, _KINDS)
    return f"{some} have no opted_in, and a kind that says nothing: {refusal}, or fill opted_in"


def undated(events: pl.DataFrame) -> int:
    """Return how many events have no time, and count in no analysis."""
    return events.filter(pl.col("occurred_at").is_null() & pl.col("created_at").is_null()).height
