"""Decisions: what people said about being contacted. This is the one place that says what a decision is.

A decision is an event whose `opted_in` is true or false. It is about one channel and one purpose of one person, and the
last of them counts. A withdrawal that names no channel is about every channel, and one that names no purpose about
every purpose. A consent that names none is one for none that is named: nobody knows what it was given for. One that
was given up to a time (`valid_until`) has expired from then on: it is no yes any more, and no refusal either.

What services keep as a state without a time (subscriptions, `do_not_contact`) comes to it in
`crmlab.analysis.consent_state`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from difflib import get_close_matches

import polars as pl

from crmlab.analysis.consent import SAID
from crmlab.analysis.inputs import By, keys_of, read
from crmlab.analysis.subjects import Whom, known_people, with_subject
from crmlab.errors import UsageError
from crmlab.schema import CHANNELS, KEY, channel_word, mailbox, purpose_word

#: in this order: of two decisions of one moment the opt-out is the later
OPT_IN, OPT_OUT = "opt-in", "opt-out"
#: what is left of a consent once it has expired; comes before the others, so that one given anew at that moment counts
EXPIRED = "expired"
#: what a decision is about
SUBJECT_KEYS = ("subject", "channel", "purpose")
#: how each of them is spelled in one way
WORDS = {"channel": channel_word, "purpose": purpose_word}
#: how alike two names are of which one is taken for a slip of the other; 1: the same
_SIMILAR = 0.75
#: what is kept of each event beside who said it and when
_SAID_BESIDE = (
    "channel",
    "provider",
    "account",
    "source",
    "kind",
    "opted_in",
    "step",
    "has_documentation",
)
_READ = ("contact_id", "contact_email", "occurred_at", "created_at")


def decided(consent_events: pl.DataFrame) -> pl.DataFrame:
    """Return the events with their decision: "opt-in" or "opt-out", null where nothing was decided. Reads opted_in."""
    yes = pl.col("opted_in").cast(pl.Boolean)
    decision = pl.when(yes).then(pl.lit(OPT_IN)).when(~yes).then(pl.lit(OPT_OUT))
    return consent_events.with_columns(decision.alias("decision"))


def dated_events(
    consent_events: pl.DataFrame,
    as_of: dt.datetime | None,
    whom: Whom,
    *,
    contacts: pl.DataFrame | None = None,
    by: By = None,
    beside: Sequence[str] = (),
    order: Sequence[str] = (*SUBJECT_KEYS, "at"),
    with_expiries: bool = True,
) -> pl.DataFrame:
    """Return the events of known people up to `as_of`, by subject, channel, purpose and time: what was said, when.

    Adds subject (String), at (Datetime, UTC), decision (String, null where the event is neither). Of two
    decisions of one moment the opt-out is the later. Where a consent expired, a row more says so, with the decision
    "expired"; without `as_of`, up to the last event of all.

    Parameters
    ----------
    whom
        Whose decisions they are, see `crmlab.analysis.subjects`.
    contacts
        Reads provider, account, id, emails, and contact_hash where it is there: whose an event is that names no
        contact.
    by, beside
        Columns of the events to keep: under private names, and under their own.
    order
        Another order, in which subject comes first.
    with_expiries
        Whether there is a row for each consent that expired.
    """
    columns = (*_SAID_BESIDE, *beside, *_READ)
    events = read(
        consent_events,
        "consent_events",
        *columns,
        by=by,
        optional=("purpose", "contact_hash", "valid_until"),
    )
    if contacts is not None:
        contacts = read(contacts, "contacts", *KEY, "emails", optional=("contact_hash",))
    events = with_subject(events, known_people(whom), mailbox(pl.col("contact_email")), contacts)
    dated = (
        events.with_columns(word(pl.col(name)) for name, word in WORDS.items())
        .with_columns(
            word(pl.col(key))
            for name, word in WORDS.items()
            for key in keys_of(name)
            if key in keys_of(by)
        )
        .select(
            "subject",
            SAID.alias("at"),
            "purpose",
            "valid_until",
            *_SAID_BESIDE,
            *beside,
            *keys_of(by),
        )
        .drop_nulls(["subject", "at"])
    )
    if as_of is not None:
        dated = dated.filter(pl.col("at") <= as_of)
    made = decided(dated)
    if with_expiries and made["valid_until"].count():
        made = _with_expiries(made, pl.lit(as_of if as_of else dated["at"].max()))
    # the row as the last key: a stable sort takes three times as long
    return (
        made.drop("valid_until").with_row_index("row").sort(*order, "decision", "row").drop("row")
    )


def _with_expiries(decisions: pl.DataFrame, horizon: pl.Expr) -> pl.DataFrame:
    """Return the decisions with a row more for each consent that had expired at that moment, and none after it.

    One that was given when it had expired already is none from the beginning.
    """
    is_yes = pl.col("decision") == OPT_IN
    was_over = is_yes & (pl.col("valid_until") <= pl.col("at")).fill_null(value=False)
    found = decisions.with_columns(
        decision=pl.when(was_over).then(pl.lit(EXPIRED)).otherwise("decision")
    )

    in_order = found.drop_nulls("decision").sort(
        *SUBJECT_KEYS, "at", "decision", maintain_order=True
    )
    following = pl.when(~is_first(*SUBJECT_KEYS).shift(-1, fill_value=True)).then(
        pl.col("at").shift(-1)
    )
    given_up_to = in_order.with_columns(following=following).filter(
        is_yes, pl.col("valid_until") <= horizon
    )
    # said again, or taken back, before it expired
    ended = given_up_to.filter(
        pl.col("following").is_null() | (pl.col("following") > pl.col("valid_until"))
    )
    nothing = [
        pl.lit(None, found.schema[name]).alias(name)
        for name in ("opted_in", "step", "has_documentation")
    ]
    expiries = ended.with_columns(
        *nothing,
        at=pl.col("valid_until"),
        decision=pl.lit(EXPIRED),
        kind=pl.lit(EXPIRED).cast(found.schema["kind"]),
    )
    return pl.concat([found, expiries.select(found.columns)])


def without_void_expiries(decisions: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """Return the decisions, sorted by these keys and time, without consents that expired when they were withdrawn."""
    before = pl.when(~is_first(*keys)).then(pl.col("decision").shift())
    is_void = (pl.col("decision") == EXPIRED) & (before == OPT_OUT)
    return decisions.filter(~is_void.fill_null(value=False))


def is_first(*columns: str) -> pl.Expr:
    """Return whether a row is the first of these values, in a frame that is sorted by them."""
    return pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in columns) | (
        pl.int_range(pl.len()) == 0
    )


def for_all_they_cover(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the decisions, a general withdrawal also for each channel and purpose that it covers.

    General is one that names no channel or no purpose; it covers those that its person decided about. A yes that names
    none stays one for none that is named. Reads subject, channel, purpose, decision.
    """
    names_no_channel = pl.col("channel").is_null()
    # where nobody names a purpose, there is none to be covered
    some_purposes = decisions["purpose"].null_count() < decisions.height
    names_no_purpose = pl.col("purpose").is_null() & pl.lit(some_purposes)
    general = decisions.filter(
        (names_no_channel | names_no_purpose) & (pl.col("decision") == OPT_OUT)
    )
    if general.is_empty():
        return decisions

    named = decisions.select(SUBJECT_KEYS).unique()
    withdrawn = general.rename({"channel": "of_channel", "purpose": "of_purpose"})
    covers = [
        pl.col(f"of_{name}").is_null() | (pl.col(f"of_{name}") == pl.col(name)) for name in WORDS
    ]
    is_itself = [pl.col(f"of_{name}").eq_missing(pl.col(name)) for name in WORDS]
    copies = (
        withdrawn.join(named, on="subject").filter(*covers).filter(~pl.all_horizontal(is_itself))
    )

    keys = [(name, key) for name in WORDS for key in keys_of(name) if key in decisions.columns]
    copies = copies.with_columns(pl.col(name).alias(key) for name, key in keys)
    return pl.concat([decisions, copies.select(decisions.columns)])


def changes(events: pl.DataFrame) -> pl.DataFrame:
    """Return, of what `dated_events` returns, only the decisions that changed something.

    An opt-in of one who is opted in and an opt-out of one who is not are no change: what is left of each
    subject, channel and purpose begins with an opt-in, and alternates with what ends it, an opt-out or its expiry.
    """
    decisions = events.drop_nulls("decision")
    made = for_all_they_cover(decisions)
    if made.height > decisions.height:
        made = made.sort(*SUBJECT_KEYS, "at", "decision", maintain_order=True)
    is_new = is_first(*SUBJECT_KEYS)
    is_yes = pl.col("decision") == OPT_IN
    return made.filter(pl.when(is_new).then(is_yes).otherwise(is_yes != is_yes.shift()))


def consent_periods(events: pl.DataFrame) -> pl.DataFrame:
    """Return the times of consent of each subject, channel and purpose: from an opt-in to what ends it.

    Columns as of the opt-in, with start and end (Datetime, UTC); end is null while the consent lasts.
    """
    changed = changes(events)
    following = pl.when(~is_first(*SUBJECT_KEYS).shift(-1, fill_value=True)).then(
        pl.col("at").shift(-1)
    )
    return (
        changed.with_columns(following.alias("end"))
        .filter(pl.col("decision") == OPT_IN)
        .rename({"at": "start"})
        .drop("decision")
    )


def word_of(name: str, given: str) -> str:
    """Return the channel or purpose that is asked for, in one spelling.

    Raises
    ------
    UsageError
        It is no text, or a blank one.
    """
    word = None
    if isinstance(given, str):
        word = pl.select(WORDS[name](pl.lit(given))).item()
    if word is None:
        example = "'email'" if name == "channel" else "'newsletter', or leave it away for any"
        raise UsageError(f"{name}={given!r} names no {name}: give one, such as {example}")
    return str(word)


def refuse_misspelt(decisions: pl.DataFrame, channel: str, purpose: str | None) -> None:
    """Refuse a channel or purpose that no decision names where one of them names a similar one.

    Everybody would be undecided about it. What is not similar to any is asked in earnest: nobody decided about it.
    Reads channel, purpose.

    Raises
    ------
    UsageError
        It says which is meant.
    """
    asked = {"channel": channel, "purpose": purpose}
    for name, given in asked.items():
        if given is None:
            continue
        word = word_of(name, given)
        known = decisions[name].unique().drop_nulls().to_list()
        if name == "channel":
            known += CHANNELS
        similar = [] if word in known else get_close_matches(word, known, n=1, cutoff=_SIMILAR)
        if similar:
            raise UsageError(f"no decision is about {name}={given!r}; did you mean {similar[0]!r}?")


def about(decisions: pl.DataFrame, channel: str, purpose: str | None) -> pl.DataFrame:
    """Return the decisions about a channel, and about a purpose where one is given.

    A withdrawal that names none is about each. Reads channel, purpose, decision.
    """
    is_out = pl.col("decision") == OPT_OUT
    of_channel = pl.col("channel") == word_of("channel", channel)
    found = decisions.filter(of_channel | (pl.col("channel").is_null() & is_out))
    if purpose is None:
        return found
    of_purpose = pl.col("purpose") == word_of("purpose", purpose)
    return found.filter(of_purpose | (pl.col("purpose").is_null() & is_out))


def history_of(events: pl.DataFrame, channel: str, purpose: str | None) -> pl.DataFrame:
    """Return, oldest first, each decision about a channel with what its person had decided after it.

    Who said yes to one purpose and no to another is opted in: only who has a yes to none of them is opted out.

    Parameters
    ----------
    events
        What `dated_events` returns.
    channel, purpose
        What the decisions are about; None: any purpose.

    Returns
    -------
    pl.DataFrame
        The columns of `events`, with decision (String): "opt-in", "opt-out" or "expired" after this event, taken
        together.
    """
    made = events.drop_nulls("decision")
    refuse_misspelt(made, channel, purpose)
    decisions = about(made, channel, purpose)
    if decisions["purpose"].null_count() < decisions.height:
        decisions = _taken_together(decisions, channel)
    in_time = decisions.sort("subject", "at", "decision", maintain_order=True)
    return without_void_expiries(in_time, "subject").sort("at", "decision", maintain_order=True)


def _taken_together(decisions: pl.DataFrame, channel: str) -> pl.DataFrame:
    """Return the decisions about one channel, each with that of its person about all purposes of it."""
    one_channel = decisions.with_columns(named=pl.col("channel"), channel=pl.lit(channel))
    made = for_all_they_cover(one_channel).sort(
        "subject", "purpose", "at", "decision", maintain_order=True
    )
    is_yes = pl.col("decision") == OPT_IN
    was_yes = (
        pl.when(~is_first("subject", "purpose")).then(is_yes.shift()).otherwise(pl.lit(value=False))
    )
    moves = made.with_columns((is_yes.cast(pl.Int64) - was_yes.cast(pl.Int64)).alias("move"))

    # an opt-out of several purposes is one moment: what holds after it is the last row of it
    in_time = moves.sort("subject", "at", "decision", maintain_order=True)
    purposes_with_yes = pl.col("move").cum_sum().over("subject")
    none_is_left = (
        pl.when(pl.col("decision") == EXPIRED).then(pl.lit(EXPIRED)).otherwise(pl.lit(OPT_OUT))
    )
    together = pl.when(purposes_with_yes > 0).then(pl.lit(OPT_IN)).otherwise(none_is_left)
    return in_time.with_columns(
        together.alias("decision"), pl.col("named").alias("channel")
    ).select(decisions.columns)
