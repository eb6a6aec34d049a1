"""Altcraft's records as rows of the shared tables."""

from __future__ import annotations

import polars as pl

from crmlab.connector import Context, View, custom, full_name, iso_time, lookup, text, texts

#: the words of a profile's history that are about consent, in the spellings to be expected: the
#: vendor's list of actions is not public. All others (send, open, click, ...) happen to a mailing
CONSENT_ACTIONS = (
    "subscribe", "sub", "confirm", "unsubscribe", "unsub", "suspend", "complain", "complaint", "spam", "fbl",
    "hardbounce", "hard_bounce",
)  # fmt: skip

#: what happened to a mailing, and the words for it. Case and what stands between the parts of a word do not matter
_MAILING_WORDS = {
    "sent": ("send", "sent"),
    "delivered": ("deliver", "delivered", "delivery"),
    "opened": ("open", "opened", "read"),
    "clicked": ("click", "clicked"),
    "bounced": ("bounce", "bounced", "hardbounce", "hardbounced", "softbounce", "softbounced"),
    "complained": ("complain", "complained", "complaint", "spam", "fbl"),
    "unsubscribed": ("unsubscribe", "unsubscribed", "unsub"),
}
_MAILING = {word: what for what, words in _MAILING_WORDS.items() for word in words}
#: an action in one spelling: "Hard_Bounce " is "hardbounce"
_WORD = pl.col("action").str.to_lowercase().str.replace_all(r"[\s_-]", "")


def _joined(*columns: str | pl.Expr) -> pl.Expr:
    parts = [pl.col(column) if isinstance(column, str) else column for column in columns]
    return pl.concat_str([part.fill_null("") for part in parts], separator="/")


EVENT_KEY = pl.coalesce(text("event_id"), _joined("xxh", "action", "datetime", "message_id", "campaign_id"))
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
                "custom": custom({name: (name, name) for name in custom_names(context)}),
            },
        ),
    )


def custom_names(context: Context) -> list[str]:
    """The custom fields that the account's settings name."""
    names = (name.strip() for name in context.options.get("custom_fields", "").split(","))
    return list(dict.fromkeys(name for name in names if name))


SUBSCRIPTIONS = (
    View(
        table="subscriptions",
        columns={
            "contact_id": text("profile_id"),
            "channel": text("channel"),
            "address": pl.coalesce(text("email"), text("phone"), text("subscription_id"), text("cc_data")),
            "status": text("status"),
            "resource_id": pl.coalesce(text("resource_id"), pl.col("_resource_id")),
        },
    ),
)

_AT = iso_time("datetime")
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
            "mailing": _WORD.replace_strict(_MAILING, default=None, return_dtype=pl.String),
        },
    ),
    View(
        table="consent_events",
        where=pl.col("action").str.to_lowercase().is_in(CONSENT_ACTIONS),
        columns={
            "created_at": _AT,
            "modified_at": _AT,
            "occurred_at": _AT,
            "kind": text("action"),
            "contact_id": text("profile_id"),
            "contact_email": text("email"),
            "channel": pl.coalesce(text("channel"), text(_IN_EVENT.field("channel"))),
            "source": pl.coalesce(text("campaign_name"), text(_IN_EVENT.field("resource_name"))),
        },
    ),
)
