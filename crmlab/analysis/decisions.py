"""Decisions of people, in order: what every analysis of consent over time begins with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

import polars as pl

from crmlab.analysis.addresses import with_contact_id
from crmlab.analysis.consent import SAID
from crmlab.analysis.inputs import By, keys_of, read
from crmlab.errors import UsageError
from crmlab.schema import channel_word, mailbox

#: in this order: of two decisions of one moment the opt-out is the later
OPT_IN, OPT_OUT = "opt-in", "opt-out"
#: what a person is known by: the id of one service's account, or the e-mail address in all of them
Subject = Literal["contact", "email"]
#: what a decision is about
SUBJECT_KEYS = ("subject", "channel")
#: what is kept of each event beside who said it and when
_SAID_BESIDE = ("channel", "provider", "account", "source", "kind", "opted_in", "step", "has_documentation")
_READ = (*_SAID_BESIDE, "contact_id", "contact_email", "occurred_at", "created_at")


def subject_of(subject: Subject, id: str, email: pl.Expr) -> pl.Expr:
    """Return the name of a person as text: "provider/account/id", or the e-mail address (a `mailbox`).

    Without an address the former, without either null. Reads provider, account and the column `id`.

    Raises
    ------
    UsageError
        `subject` is neither "contact" nor "email".
    """
    if subject not in ("contact", "email"):
        raise UsageError(f"subject={subject!r}: give 'contact' (as each service knows it) or 'email' (across services)")
    contact = pl.concat_str(
        pl.col("provider").cast(pl.String).fill_null(""), pl.col("account").fill_null(""), id, separator="/"
    )
    # the address of the person is read only where it counts
    return contact if subject == "contact" else pl.coalesce(mailbox(email), contact)


def decided(consent_events: pl.DataFrame) -> pl.DataFrame:
    """Return the events with their decision: "opt-in" or "opt-out", null where nothing was decided. Reads opted_in."""
    yes = pl.col("opted_in")
    decision = pl.when(yes).then(pl.lit(OPT_IN)).when(~yes).then(pl.lit(OPT_OUT))
    return consent_events.with_columns(decision.alias("decision"))


def dated_events(
    consent_events: pl.DataFrame,
    as_of: dt.datetime | None,
    subject: Subject,
    *,
    by: By = None,
    order: Sequence[str] = (*SUBJECT_KEYS, "at"),
) -> pl.DataFrame:
    """Return the events of known people up to `as_of`, by subject, channel and time: what was said, when.

    Adds subject (String), at (Datetime, UTC), decision (String, null where the event is neither). Of two
    decisions of one moment the opt-out is the later. `order` is another one, in which subject comes first.
    """
    events = read(consent_events, "consent_events", *_READ, by=by)
    events = with_contact_id(events, mailbox(pl.col("contact_email")))
    named = [name for name in ("channel", *keys_of(by)) if name in ("channel", *keys_of("channel"))]
    dated = (
        events.with_columns(channel_word(pl.col(name)) for name in named)
        .select(
            subject_of(subject, "contact_id", pl.col("contact_email")).alias("subject"),
            SAID.alias("at"),
            *_SAID_BESIDE,
            *keys_of(by),
        )
        .drop_nulls(["subject", "at"])
    )
    if as_of is not None:
        dated = dated.filter(pl.col("at") <= as_of)
    # the row as the last key: a stable sort takes three times as long
    return decided(dated).with_row_index("row").sort(*order, "decision", "row").drop("row")


def is_first(*columns: str) -> pl.Expr:
    """Return whether a row is the first of these values, in a frame that is sorted by them."""
    return pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in columns) | (
        pl.int_range(pl.len()) == 0
    )


def for_every_channel(events: pl.DataFrame) -> pl.DataFrame:
    """Return the decisions, a withdrawal that names no channel also for each channel that its person decided about.

    A yes that names no channel stays one for none that is named. Reads subject, channel, decision.
    """
    general = events.filter(pl.col("channel").is_null() & (pl.col("decision") == OPT_OUT))
    if general.is_empty():
        return events
    channels = events.select(SUBJECT_KEYS).drop_nulls("channel").unique()
    copies = general.drop("channel").join(channels, on="subject")
    named = pl.col("channel")
    copies = copies.with_columns(named.alias(key) for key in keys_of("channel") if key in events.columns)
    return pl.concat([events, copies.select(events.columns)])


def changes(events: pl.DataFrame) -> pl.DataFrame:
    """Return, of what `dated_events` returns, only the decisions that changed something.

    An opt-in of one who is opted in and an opt-out of one who is not are no change: what is left of each
    subject and channel begins with an opt-in, and alternates.
    """
    decisions = events.drop_nulls("decision")
    made = for_every_channel(decisions)
    if made.height > decisions.height:
        made = made.sort(*SUBJECT_KEYS, "at", "decision", maintain_order=True)
    is_new = is_first(*SUBJECT_KEYS)
    changed = (
        pl.when(is_new).then(pl.col("decision") == OPT_IN).otherwise(pl.col("decision") != pl.col("decision").shift())
    )
    return made.filter(changed)


def consent_periods(events: pl.DataFrame) -> pl.DataFrame:
    """Return the times of consent of each subject and channel: from an opt-in to the next opt-out.

    Columns as of the opt-in, with start and end (Datetime, UTC); end is null while the consent lasts.
    """
    changed = changes(events)
    following = pl.when(~is_first(*SUBJECT_KEYS).shift(-1, fill_value=True)).then(pl.col("at").shift(-1))
    return (
        changed.with_columns(following.alias("end"))
        .filter(pl.col("decision") == OPT_IN)
        .rename({"at": "start"})
        .drop("decision")
    )
