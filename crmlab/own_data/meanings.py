"""What the words of one's own data mean: what was decided, and what happened to a mailing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

import polars as pl

from crmlab.own_data import words
from crmlab.own_data.naming import plain

#: kinds that are a decision in every service that has them, and those that are none
_DECISIONS: Mapping[str, bool | None] = MappingProxyType(
    {
        **dict.fromkeys(("subscribe", "sub"), True),
        **dict.fromkeys(("unsubscribe", "unsub", "complain", "complaint", "spam", "fbl"), False),
        # whoever confirms or changes something may have said no
        **dict.fromkeys(("confirm", "update", "create", "sync", "documentation"), None),
        **dict.fromkeys(("suspend", "hardbounce"), None),
    }
)
_STEPS: Mapping[str, str] = MappingProxyType(
    {"subscribe": "request", "sub": "request", "confirm": "confirmation"}
)
#: states of a subscription that are a decision
_STATES: Mapping[str, bool] = MappingProxyType(
    {"subscribed": True, "unsubscribed": False, "complained": False}
)
#: the words for what happened to a mailing, in the tenses that people use
_MAILINGS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("send", "sent"), "sent"),
        **dict.fromkeys(("deliver", "delivered"), "delivered"),
        **dict.fromkeys(("open", "opened"), "opened"),
        **dict.fromkeys(("click", "clicked"), "clicked"),
        **dict.fromkeys(("bounce", "bounced", "hardbounce", "softbounce"), "bounced"),
        **dict.fromkeys(("complain", "complained", "complaint", "spam"), "complained"),
        **dict.fromkeys(("unsubscribe", "unsubscribed"), "unsubscribed"),
    }
)


def numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the events with the number of their row as id, where they have none: nothing refers to it."""
    if "id" in frame.columns:
        return frame
    number = pl.int_range(1, pl.len() + 1)
    return frame.with_columns(number.cast(pl.String).alias("id"))


def meant(
    rows: pl.DataFrame,
    name: str,
    given: Collection[str],
) -> pl.DataFrame:
    """Return the rows of a table with what their words mean, where the columns given do not say it themselves.

    Of consent events the kind says what was decided, and which step of a double opt-in they are. Of subscriptions the
    status does. Of activities the kind says what happened to a mailing.
    """
    if name == "consent_events":
        decision = _meaning(rows["kind"], _DECISIONS, pl.Boolean)
        opt_in_step = _meaning(rows["kind"], _STEPS, pl.String).alias("step")
        with_decision = rows.with_columns(pl.coalesce("opted_in", decision))
        if "step" in given:
            return with_decision
        return with_decision.with_columns(opt_in_step)
    if name == "activities":
        mailing = _meaning(rows["kind"], _MAILINGS, pl.String)
        return rows.with_columns(pl.coalesce("mailing", mailing))
    if name == "subscriptions" and "opted_in" not in given:
        state = _meaning(rows["status"], _STATES, pl.Boolean)
        return rows.with_columns(state.alias("opted_in"))
    return rows


def silence(events: pl.DataFrame) -> str:
    """Return what is wrong with events that say nothing of a decision, and what to write; "" where there are none.

    A kind that is known says enough, also where it is no decision.
    """
    known_kinds = [kind for kind in events["kind"].unique() if _is_known(kind)]
    is_known = events["kind"].is_in(known_kinds).fill_null(value=False)
    silent = events.filter(pl.col("opted_in").is_null(), ~is_known)
    if silent.is_empty():
        return ""

    how_many = f"{silent.height:,} of {events.height:,} rows"
    # where there is no kind at all, there may be a column of decisions that is called otherwise
    if events["kind"].null_count() == events.height:
        return (
            f"{how_many} do not say what was decided: write rename={{'...': 'opted_in'}} for the column "
            "that holds yes or no"
        )
    strange_kinds = words.strange(silent["kind"].fill_null("(blank)"), _DECISIONS)
    refusal = words.refusal("kind", strange_kinds, _DECISIONS)
    return f"{how_many} have no opted_in, and a kind that says nothing: {refusal}, or fill opted_in"


def undated(events: pl.DataFrame) -> int:
    """Return how many events have no time, and count in no analysis."""
    times = pl.col("occurred_at", "created_at")
    has_no_time = pl.all_horizontal(times.is_null())
    return events.filter(has_no_time).height


def _is_known(word: str | None) -> bool:
    return word is not None and plain(word) in _DECISIONS


def _meaning(
    texts: pl.Series,
    meanings: Mapping[str, bool | None] | Mapping[str, str],
    dtype: type[pl.DataType],
) -> pl.Series:
    """Return what each word means, whatever its case and what stands between its parts; null where nothing does."""
    words_there = texts.unique().drop_nulls()
    meaning_of = {word: meanings.get(plain(word)) for word in words_there}
    return texts.replace_strict(meaning_of, default=None, return_dtype=dtype)
