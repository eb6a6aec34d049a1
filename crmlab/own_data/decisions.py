"""Consent events of one's own: what was decided, said by the event itself or by its kind."""

from __future__ import annotations

import polars as pl

from crmlab.errors import UsageError
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


def decided(events: pl.DataFrame, *, check: bool) -> pl.DataFrame:
    """Return the events with `opted_in` from their kind, where they do not say it themselves.

    Raises
    ------
    UsageError
        To be checked, and an event says neither: it would count nowhere.
    """
    kind, said = pl.col("kind"), pl.col("opted_in")
    of_kind = pl.when(kind.is_in(_YES)).then(pl.lit(value=True)).when(kind.is_in(_NO)).then(pl.lit(value=False))
    events = events.with_columns(pl.coalesce(said, of_kind).alias("opted_in"))
    silent = events.filter(said.is_null() & ~kind.is_in(_KINDS).fill_null(value=False))
    if not check or silent.is_empty():
        return events
    if events["kind"].null_count() == events.height:
        raise UsageError(
            f"consent_events: {silent.height:,} of {events.height:,} rows do not say what was decided: "
            "write rename={'...': 'opted_in'} for the column that holds yes or no"
        )
    found = words.strange(silent["kind"].fill_null("(blank)"), _KINDS)
    raise UsageError(
        f"consent_events: {silent.height:,} of {events.height:,} rows have no opted_in, and a kind that says nothing: "
        f"{words.refusal('kind', found, _KINDS)}, or fill opted_in"
    )


def undated(events: pl.DataFrame) -> int:
    """Return how many events have no time, and count in no analysis."""
    return events.filter(pl.col("occurred_at").is_null() & pl.col("created_at").is_null()).height
