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
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import polars as pl

from crmlab.analysis.consent import SAID
from crmlab.analysis.inputs import By, keys_of, read
from crmlab.analysis.subjects import Whom, known_people, with_subject
from crmlab.errors import UsageError
from crmlab.schema import CHANNELS, KEY, channel_word, mailbox, purpose_word

#: in this order: of two decisions of one moment the opt-out is the later
OPT_IN = "opt-in"
OPT_OUT = "opt-out"
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
    said_yes = pl.col("opted_in").cast(pl.Boolean)
    decision = pl.when(said_yes).then(pl.lit(OPT_IN)).when(~said_yes).then(pl.lit(OPT_OUT))
    return consent_events.with_columns(decision=decision)


def dated_events(
    consent_events: pl.DataFrame,
    as_of: dt.datetime | None,
    whom: Whom,
    *,
    contacts: pl.DataFrame | None = None,
    by: By = None,
    beside: Sequence[str] = (),
    order: Sequence[str] = (*SUBJECT_KEYS, "at"),
    channels: Iterable[str] | None = None,
    with_expiries: bool = True,
    expired_by: dt.datetime | None = None,
) -> pl.DataFrame:
    """Return the events of known people up to `as_of`, by subject, channel, purpose and time: what was said, when.

    Adds subject (String), at (Datetime, UTC), decision (String, null where the event is neither). Of two
    decisions of one moment the opt-out is the later. Where a consent expired, a row more says so, with the decision
    "expired".

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
    channels
        Only what may decide about one of these, in one spelling: see `may_decide_about`. None: all events.
    with_expiries
        Whether there is a row for each consent that expired.
    expired_by
        The moment up to which there are such rows; None: `as_of`, and without it the last event of all.
    """
    events = read(
        consent_events,
        "consent_events",
        *(*_SAID_BESIDE, *beside, *_READ),
        by=by,
        optional=("purpose", "contact_hash", "valid_until"),
    )
    if contacts is not None:
        contacts = read(contacts, "contacts", *KEY, "emails", optional=("contact_hash",))
    address = mailbox(pl.col("contact_email"))
    wanted = None
    if channels is not None:
        wanted = may_decide_about(channels)
    events = with_subject(events, known_people(whom), address, contacts, wanted=wanted)
    kept_columns = ("purpose", "valid_until", *_SAID_BESIDE, *beside, *keys_of(by))
    dated = _in_one_spelling(events, keys_of(by)).select("subject", SAID.alias("at"), *kept_columns)
    dated = dated.drop_nulls(["subject", "at"])
    if as_of is not None:
        dated = dated.filter(pl.col("at") <= as_of)

    decisions = decided(dated)
    if with_expiries and decisions["valid_until"].count():
        # where no moment is asked for, the last event is the last that is known
        horizon = expired_by or as_of or dated["at"].max()
        decisions = _with_expiries(decisions, pl.lit(horizon))
    # the row as the last key: a stable sort takes three times as long
    numbered = decisions.drop("valid_until").with_row_index("row")
    return numbered.sort(*order, "decision", "row").drop("row")


def may_decide_about(channels: Iterable[str]) -> pl.Expr:
    """Return whether something is said about one of these channels or names none. Reads channel, opted_in."""
    channel = channel_word(pl.col("channel"))
    is_about = channel.is_null() | channel.is_in([*channels])
    return is_about & pl.col("opted_in").is_not_null()


def _in_one_spelling(events: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return the events with one word for a channel and a purpose, also where they are grouped by it."""
    spelled = [word(pl.col(name)) for name, word in WORDS.items()]
    for name, word in WORDS.items():
        (key,) = keys_of(name)
        if key in keys:
            spelled.append(word(pl.col(key)))
    return events.with_columns(spelled)


def _with_expiries(decisions: pl.DataFrame, horizon: pl.Expr) -> pl.DataFrame:
    """Return the decisions with a row more for each consent that had expired at that moment, and none after it.

    One that was given when it had expired already is none from the beginning.
    """
    is_yes = pl.col("decision") == OPT_IN
    was_over = is_yes & (pl.col("valid_until") <= pl.col("at")).fill_null(value=False)
    decision = pl.when(was_over).then(pl.lit(EXPIRED)).otherwise("decision")
    made = decisions.with_columns(decision=decision)

    in_order = made.drop_nulls("decision").sort(
        *SUBJECT_KEYS, "at", "decision", maintain_order=True
    )
    with_next = in_order.with_columns(following=_time_of_next())
    given_up_to = with_next.filter(is_yes, pl.col("valid_until") <= horizon)
    # said again, or taken back, before it expired
    is_superseded = pl.col("following") <= pl.col("valid_until")
    ended = given_up_to.filter(~is_superseded.fill_null(value=False))

    # an expiry is nobody's word: it has no answer and no document
    nothing = []
    for name in ("opted_in", "step", "has_documentation"):
        nothing.append(pl.lit(None, made.schema[name]).alias(name))
    expiries = ended.with_columns(
        *nothing,
        at="valid_until",
        decision=pl.lit(EXPIRED),
        kind=pl.lit(EXPIRED).cast(made.schema["kind"]),
    )
    return pl.concat([made, expiries.select(made.columns)])


def _time_of_next() -> pl.Expr:
    """Return when the next decision of a subject about the same was made, in a sorted frame; null of the last one."""
    return pl.when(~is_last(*SUBJECT_KEYS)).then(pl.col("at").shift(-1))


def without_void_expiries(decisions: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """Return the decisions, sorted by these keys and time, without consents that expired when they were withdrawn."""
    is_expiry = pl.col("decision") == EXPIRED
    if not decisions.select(is_expiry.any()).item():
        return decisions
    # several may have expired since somebody said something
    word = pl.when(~is_expiry).then("decision")
    nothing_before = pl.coalesce(word, pl.lit(""))
    last_word = pl.when(is_first(*keys)).then(nothing_before).otherwise(word).forward_fill()
    is_void = is_expiry & (last_word == OPT_OUT)
    return decisions.filter(~is_void)


def is_first(*columns: str) -> pl.Expr:
    """Return whether a row is the first of these values, in a frame that is sorted by them."""
    is_other = [pl.col(name).ne_missing(pl.col(name).shift()) for name in columns]
    # the first row of all has nothing before it, which a null would be equal to
    is_top = pl.int_range(pl.len()) == 0
    return pl.any_horizontal(is_other) | is_top


def is_last(*columns: str) -> pl.Expr:
    """Return whether a row is the last of these values, in a frame that is sorted by them."""
    return is_first(*columns).shift(-1, fill_value=True)


def for_all_they_cover(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the decisions, a general withdrawal also for each channel and purpose that it covers.

    General is one that names no channel or no purpose; it covers those that its person decided about. A yes that names
    none stays one for none that is named. Reads subject, channel, purpose, decision.
    """
    names_no_channel = pl.col("channel").is_null()
    # where nobody names a purpose, there is none to be covered
    some_purposes = decisions["purpose"].null_count() < decisions.height
    names_no_purpose = pl.col("purpose").is_null() & pl.lit(some_purposes)
    is_general = (names_no_channel | names_no_purpose) & (pl.col("decision") == OPT_OUT)
    withdrawals = decisions.filter(is_general)
    if withdrawals.is_empty():
        return decisions

    about_what = decisions.select(SUBJECT_KEYS).unique()
    general = withdrawals.rename({"channel": "of_channel", "purpose": "of_purpose"})
    covers = []
    is_itself = []
    for name in WORDS:
        of_general = pl.col(f"of_{name}")
        covers.append(of_general.is_null() | (of_general == pl.col(name)))
        is_itself.append(of_general.eq_missing(pl.col(name)))
    covered = general.join(about_what, on="subject").filter(*covers)
    copies = covered.filter(~pl.all_horizontal(is_itself))

    # who groups by channel or purpose finds a copy where it counts
    for name in WORDS:
        (key,) = keys_of(name)
        if key in decisions.columns:
            copies = copies.with_columns(pl.col(name).alias(key))
    return pl.concat([decisions, copies.select(decisions.columns)])


def changes(events: pl.DataFrame) -> pl.DataFrame:
    """Return, of what `dated_events` returns, only the decisions that changed something.

    An opt-in of one who is opted in and an opt-out of one who is not are no change: what is left of each
    subject, channel and purpose begins with an opt-in, and alternates with what ends it, an opt-out or its expiry.
    """
    decisions = events.drop_nulls("decision")
    with_copies = for_all_they_cover(decisions)
    # without copies they are sorted already
    if with_copies.height > decisions.height:
        with_copies = with_copies.sort(*SUBJECT_KEYS, "at", "decision", maintain_order=True)
    is_yes = pl.col("decision") == OPT_IN
    is_change = pl.when(is_first(*SUBJECT_KEYS)).then(is_yes).otherwise(is_yes != is_yes.shift())
    return with_copies.filter(is_change)


def consent_periods(events: pl.DataFrame) -> pl.DataFrame:
    """Return the times of consent of each subject, channel and purpose: from an opt-in to what ends it.

    Columns as of the opt-in, with start and end (Datetime, UTC); end is null while the consent lasts.
    """
    with_end = changes(events).with_columns(end=_time_of_next())
    opt_ins = with_end.filter(pl.col("decision") == OPT_IN)
    return opt_ins.rename({"at": "start"}).drop("decision")


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
    asked_words = {"channel": channel, "purpose": purpose}
    for name, given in asked_words.items():
        if given is None:
            continue
        word = word_of(name, given)
        known_words = decisions[name].unique().drop_nulls().to_list()
        if name == "channel":
            known_words += CHANNELS
        # what nobody decided about is a slip only where there is something alike
        if word in known_words:
            continue
        similar = get_close_matches(word, known_words, n=1, cutoff=_SIMILAR)
        if similar:
            raise UsageError(f"no decision is about {name}={given!r}; did you mean {similar[0]!r}?")


def about(decisions: pl.DataFrame, channel: str, purpose: str | None) -> pl.DataFrame:
    """Return the decisions about a channel, and about a purpose where one is given.

    A withdrawal that names none is about each. Reads channel, purpose, decision.
    """
    # a withdrawal that names none is about each
    is_opt_out = pl.col("decision") == OPT_OUT
    is_channel = pl.col("channel") == word_of("channel", channel)
    of_channel = decisions.filter(is_channel | (pl.col("channel").is_null() & is_opt_out))
    if purpose is None:
        return of_channel
    is_purpose = pl.col("purpose") == word_of("purpose", purpose)
    return of_channel.filter(is_purpose | (pl.col("purpose").is_null() & is_opt_out))


def history_of(events: pl.DataFrame, channel: str, purpose: str | None) -> pl.DataFrame:
    """Return, oldest first, each decision about a channel with what its person had decided after it.

    Who said yes to one purpose and no to another is opted in. Who has a yes to none of them is opted out where a no
    to one of them stands, and else every consent has expired.

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
    all_decisions = events.drop_nulls("decision")
    refuse_misspelt(all_decisions, channel, purpose)
    decisions = about(all_decisions, channel, purpose)
    if purpose is None and decisions["purpose"].null_count() < decisions.height:
        decisions = _taken_together(decisions, channel)
    by_person = decisions.sort("subject", "at", "decision", maintain_order=True)
    valid = without_void_expiries(by_person, "subject")
    return valid.sort("at", "decision", maintain_order=True)


def _taken_together(decisions: pl.DataFrame, channel: str) -> pl.DataFrame:
    """Return the decisions about one channel, each with that of its person about all purposes of it."""
    one_channel = decisions.with_columns(named="channel", channel=pl.lit(channel))
    by_purpose = for_all_they_cover(one_channel).sort(
        "subject", "purpose", "at", "decision", maintain_order=True
    )
    by_purpose = without_void_expiries(by_purpose, "subject", "purpose")
    moves = by_purpose.with_columns(
        yes_move=_move_of(pl.col("decision") == OPT_IN),
        no_move=_move_of(pl.col("decision") == OPT_OUT),
    )

    in_time = moves.sort("subject", "at", "decision", maintain_order=True)
    purposes_with_yes = pl.col("yes_move").cum_sum().over("subject")
    purposes_with_no = pl.col("no_move").cum_sum().over("subject")
    none_is_left = pl.when(purposes_with_no > 0).then(pl.lit(OPT_OUT)).otherwise(pl.lit(EXPIRED))
    together = pl.when(purposes_with_yes > 0).then(pl.lit(OPT_IN)).otherwise(none_is_left)
    taken = in_time.with_columns(decision=together, channel="named")
    # several purposes may change in one moment, and what holds after it is the last row of it
    after_moment = pl.col("decision").last().over("subject", "at")
    return taken.select(decisions.columns).with_columns(decision=after_moment)


def _move_of(is_so: pl.Expr) -> pl.Expr:
    """Return by how much the purposes of which something is so become more: 1, 0 or -1."""
    before_all = pl.lit(value=False)
    was_so = pl.when(~is_first("subject", "purpose")).then(is_so.shift()).otherwise(before_all)
    return is_so.cast(pl.Int64) - was_so.cast(pl.Int64)
