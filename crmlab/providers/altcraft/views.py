"""Altcraft's records as rows of the shared tables."""

from __future__ import annotations

import polars as pl

from crmlab.connector import (
    RECORD,
    Context,
    View,
    custom,
    full_name,
    integer,
    iso_time,
    lookup,
    text,
    texts,
)
from crmlab.providers.altcraft import fields

# The vendor's list of actions is not public: these are the words to be expected, for its own texts
# use several for one thing. Case, and what stands between the parts of a word, do not matter.
_REQUESTS = ("subscribe", "subscribed", "sub", "resubscribe", "resubscribed")
_CONFIRMATIONS = ("confirm", "confirmed", "confirmation")
_COMPLAINTS = ("complain", "complained", "complaint", "spam", "fbl")
_LEAVINGS = ("unsubscribe", "unsubscribed", "unsub")
_HARD_BOUNCES = ("hardbounce", "hardbounced")
_YES = (*_REQUESTS, *_CONFIRMATIONS)
_NO = (*_LEAVINGS, *_COMPLAINTS)
#: they end or hold up a subscription, but nobody decided
#: it. A bounce ends the mailing, not the consent
_UNDECIDED = (*_HARD_BOUNCES, "suspend", "suspended", "unconfirmed", "invalid")
#: the words of a profile's history that are about consent.
#: All others (send, open, click, ...) happen to a mailing
CONSENT_ACTIONS = (*_YES, *_NO, *_UNDECIDED)

#: what happened to a mailing, and the words for it
_MAILING_WORDS = {
    "sent": ("send", "sent"),
    "delivered": ("deliv", "deliver", "delivered", "delivery"),
    "opened": ("open", "opened", "read"),
    "clicked": ("click", "clicked"),
    "bounced": ("bounce", "bounced", *_HARD_BOUNCES, "softbounce", "softbounced"),
    "complained": _COMPLAINTS,
    "unsubscribed": _LEAVINGS,
}
_MAILING = {word: what for what, words in _MAILING_WORDS.items() for word in words}
#: nothing that an analysis counts
_ASIDE = ("webversionsave",)
_KNOWN = (*CONSENT_ACTIONS, *_MAILING, *_ASIDE)


def _word(column: str) -> pl.Expr:
    """Return a word in one spelling: "Hard_Bounce " is "hardbounce"."""
    return pl.col(column).str.to_lowercase().str.replace_all(r"[\s_-]", "")


def _unknown(column: str) -> pl.Expr:
    """Return the words of a column that are none of those above."""
    return pl.when(~_word(column).is_in(_KNOWN)).then(column)


def _opted_in(column: str) -> pl.Expr:
    """Return what a word decides: true is yes, false is no, null is neither.

    Of a word that decides nothing nothing is asked, so it is no value that could not be read.
    """
    deciding_word = pl.when(_word(column).is_in([*_YES, *_NO])).then(_word(column))
    return (
        pl.when(deciding_word.is_in(_YES))
        .then(pl.lit(value=True))
        .when(deciding_word.is_in(_NO))
        .then(pl.lit(value=False))
    )


_WORD = _word("action")
_STEP = (
    pl.when(_WORD.is_in(_REQUESTS))
    .then(pl.lit("request"))
    .when(_WORD.is_in(_CONFIRMATIONS))
    .then(pl.lit("confirmation"))
)


def _joined(*columns: str | pl.Expr) -> pl.Expr:
    expressions = [pl.col(column) if isinstance(column, str) else column for column in columns]
    return pl.concat_str([expression.fill_null("") for expression in expressions], separator="/")


EVENT_KEY = pl.coalesce(
    text("event_id"), _joined("xxh", "action", "datetime", "message_id", "campaign_id")
)
#: whether `hash_id` stands for the subscription or for the address is not said: unique either way
SUBSCRIPTION_KEY = _joined(
    "resource_id",
    "channel",
    "profile_id",
    pl.coalesce(text("hash_id"), text("email"), text("phone"), text("subscription_id")),
)
COUNTER_KEY = _joined("_segment_id", "_resource_id", "channel")

CAMPAIGNS = (
    View(
        table="campaigns",
        columns={
            "name": text("name"),
            "kind": text("type"),
            "is_active": pl.col("is_active"),
            "tags": texts("ui_tags"),
        },
    ),
)
SEGMENTS = (
    View(
        table="segments",
        columns={
            "segment_id": pl.col("id"),
            "name": text("name"),
            "size": pl.col("count").cast(pl.Float64),
        },
    ),
)


def counters(context: Context) -> tuple[View, ...]:
    """How many of a segment can be sent to, by resource and channel."""
    segments = context.rows["segment_details"]
    names = dict(zip(segments["id"], segments["name"], strict=True))
    return (
        View(
            table="segments",
            columns={
                "segment_id": pl.col("_segment_id"),
                "name": lookup(pl.col("_segment_id"), names),
                "channel": text("channel"),
                "size": pl.col("status").struct.field("subscribed_sendable").cast(pl.Float64),
            },
        ),
    )


def contacts(context: Context) -> tuple[View, ...]:
    """Profiles; the custom fields that the account names."""
    return (
        View(
            table="contacts",
            columns={
                "created_at": pl.coalesce(iso_time("_createtime"), iso_time("_regdate")),
                "full_name": full_name("_fname", "_lname"),
                "first_name": text("_fname"),
                "last_name": text("_lname"),
                "emails": texts(pl.concat_list(pl.col("email"))),
                "phones": texts("phones"),
                "city": text("_city"),
                "state": text("_region"),
                "country": text("_country"),
                "status": text("_status"),
                "contact_hash": text("_xxh"),
                "custom": custom({name: (name, name) for name in custom_names(context)}),
            },
        ),
    )


def custom_names(context: Context) -> list[str]:
    """The custom fields that the account's settings name; where they name none, those that the service does."""
    names = [name.strip() for name in context.options.get("custom_fields", "").split(",")]
    if not any(names) and "database_fields" in context.rows:
        told_names = context.rows["database_fields"]["name"].drop_nulls()
        names = [name for name in told_names if _is_custom(name)]
    return list(dict.fromkeys(name for name in names if name))


def _is_custom(name: str) -> bool:
    # what begins with _ is the service's own, and Polars
    # reads * and ^...$ as patterns for names of columns
    return not name.startswith(("_", "*", "^")) and name not in fields.PROFILE


SUBSCRIPTIONS = (
    View(
        table="subscriptions",
        columns={
            "contact_id": text("profile_id"),
            "channel": text("channel"),
            "address": pl.coalesce(
                text("email"), text("phone"), text("subscription_id"), text("cc_data")
            ),
            "status": text("status"),
            "opted_in": _opted_in("status"),
            "resource_id": pl.coalesce(text("resource_id"), pl.col("_resource_id")),
        },
    ),
)
UNKNOWN_STATES = {"subscriptions": _unknown("status")}

_AT = iso_time("datetime")
_COUNT = integer("count")
_IN_EVENT = pl.col("subscription").struct
HISTORY = (
    View(
        table="activities",
        columns={
            "created_at": _AT,
            "modified_at": _AT,
            "starts_at": _AT,
            "kind": text("action"),
            "contact_id": text("profile_id"),
            "contact_emails": texts(pl.concat_list(pl.col("email"))),
            "subject": pl.coalesce(text("message_name"), text("campaign_name")),
            "campaign_id": text("campaign_id"),
            "contact_hash": text("xxh"),
            # an event that stands for none would not be there
            "count": pl.when(_COUNT > 0).then(_COUNT),
            "mailing": _WORD.replace_strict(_MAILING, default=None, return_dtype=pl.String),
        },
    ),
    View(
        table="consent_events",
        # a word that nobody knows may be about consent: it is shown, and decides nothing
        where=_WORD.is_in(CONSENT_ACTIONS) | ~_WORD.is_in(_KNOWN),
        columns={
            "created_at": _AT,
            "modified_at": _AT,
            "occurred_at": _AT,
            "kind": text("action"),
            "contact_id": text("profile_id"),
            "contact_email": text("email"),
            "contact_hash": text("xxh"),
            "channel": pl.coalesce(text("channel"), text(_IN_EVENT.field("channel"))),
            "source": pl.coalesce(text("campaign_name"), text(_IN_EVENT.field("resource_name"))),
            "opted_in": _opted_in("action"),
            "step": _STEP,
        },
    ),
)
#: parts of any shape inside an object, for whole records
SUBSCRIPTION_PARTS = {
    "subscription_custom_fields": RECORD.str.json_path_match("$.subscription.custom_fields"),
    "subscription_cats": RECORD.str.json_path_match("$.subscription.cats"),
}
SEGMENT_PARTS = {"segment_json": RECORD.str.json_path_match("$.segment")}
BROADCAST_PARTS = {"content_json": RECORD.str.json_path_match("$.content")}
UNKNOWN_ACTIONS = {"activities": _unknown("kind"), "consent_events": _unknown("kind")}
