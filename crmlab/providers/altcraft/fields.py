"""Records of Altcraft Marketing as documented.

Numbers come as text here and there in the vendor's examples (``"id": "87"``), so ids are text, and
what no table needs is text too: its type must never cost a record.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crmlab.connector import JSON, Schema

_text = pl.String
_int = pl.Int64
_bool = pl.Boolean
_texts = pl.List(pl.String)
#: the casing of both differs between methods and versions
_GROUPS = pl.List(pl.Struct({"id": _text, "name": _text, "Id": _text, "Name": _text}))

#: databases, resources and segments are listed in one shape
OBJECT: Schema = {
    "id": _text,
    "name": _text,
    "ui_tags": _texts,
    "groups": _GROUPS,
    "Groups": _GROUPS,
}
SEGMENT: Schema = {
    "id": _text,
    "name": _text,
    "count": _int,
    "segment": pl.List(
        pl.Struct(
            {
                "condition": _text,
                "limit": _text,
                "list_id": _text,
                "percent_from": _text,
                "percent_to": _text,
            }
        )
    ),
}
#: a database or a resource by its id
OBJECT_DETAIL: Schema = {"id": _text, "name": _text, "suppress_id": _text, "description": _text}
#: what is said of a field is documented nowhere
FIELD: Schema = dict.fromkeys(
    ("id", "name", "Name", "field_name", "label", "title", "description", "type"), _text
)
_STATES = (
    "all", "subscribed", "unsubscribed", "complained", "hardbounced", "unconfirmed", "suspended", "invalid",
    "subscribed_sendable", "unconfirmed_sendable",
)  # fmt: skip
#: how many subscriptions are in which state
STATES: Schema = {"channel": _text, "status": pl.Struct(dict.fromkeys(_STATES, _int))}
COUNTER: Schema = {
    "channel": _text,
    "status": pl.Struct({"subscribed_sendable": _int, "unconfirmed_sendable": _int}),
}
CAMPAIGN: Schema = {
    "id": _text,
    "name": _text,
    "type": _text,
    "is_active": _bool,
    "subid": _text,
    "for_confirm": _text,
    "ui_tags": _texts,
    "groups": _GROUPS,
    "Groups": _GROUPS,
}
CAMPAIGN_DETAIL: Schema = {
    **dict.fromkeys(("id", "name", "description", "type", "updated_user", "update_time"), _text),
    "is_active": _bool,
}
CAMPAIGN_STATUS: Schema = {"is_active": _bool, "is_completed": _bool, "status": _text}
CAMPAIGN_LOG: Schema = dict.fromkeys(("time", "level", "state", "message", "value"), _text)
BROADCAST: Schema = {
    **dict.fromkeys(("name", "data_id", "data_type"), _text),
    "is_active": _bool,
    "content": pl.List(pl.Struct({"subject": _text})),
}
#: how it is listed is not documented: as other
#: campaigns are, with the state that it can be asked by
SUPER_CAMPAIGN: Schema = {
    **dict.fromkeys(("id", "name", "state"), _text),
    "ui_tags": _texts,
    "groups": _GROUPS,
    "Groups": _GROUPS,
}
PROFILE: Schema = {
    "id": _text,
    "db_id": _text,
    "email": _text,
    "phones": _texts,
    **dict.fromkeys(
        (
            "_acid", "_bdate", "_city", "_click_exist", "_country", "_createtime", "_deliv_date",
            "_deliv_exist", "_fname", "_ip", "_lat", "_lname", "_lon", "_md5", "_open_date", "_regdate",
            "_region", "_sex", "_status", "_tz", "_xxh",
        ),
        _text,
    ),
    # the resource `subscriptions` has them as records
    "subscriptions": JSON,
}  # fmt: skip
SUBSCRIPTION: Schema = {
    "resource_id": _text,
    "channel": _text,
    "email": _text,
    "phone": _text,
    "provider": _text,
    "subscription_id": _text,
    "cc_data": JSON,
    "priority": _text,
    "status": _text,
    "custom_fields": JSON,
    "cats": JSON,
    "db_id": _text,
    "profile_id": _text,
    "_xxh": _text,
    "hash_id": _text,
}
EVENT: Schema = {
    "event_id": _text,
    "xxh": _text,
    "profile_id": _text,
    "email": _text,
    "list_id": _text,
    "action": _text,
    "count": _text,
    "datetime": _text,
    "message_id": _text,
    "message_name": _text,
    "campaign_id": _text,
    "campaign_name": _text,
    "smid": _text,
    "channel": _text,
    "subscription": pl.Struct(
        {
            "resource_id": _text,
            "resource_name": _text,
            "channel": _text,
            "email": _text,
            "phone": _text,
            "priority": _text,
            "status": _text,
        }
    ),
    "subscriptions": JSON,
    "fields": JSON,
}

#: of the records of each resource, what tells nothing of a person
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("databases", "resources", "segments"), tuple(OBJECT)),
    **dict.fromkeys(("campaigns", "broadcasts", "regulars"), tuple(CAMPAIGN)),
    **dict.fromkeys(("database_details", "resource_details"), tuple(OBJECT_DETAIL)),
    **dict.fromkeys(("database_fields", "resource_fields"), tuple(FIELD)),
    **dict.fromkeys(("database_counters", "resource_counters"), tuple(STATES)),
    # the rules of a segment may name people
    "segment_details": ("name", "count"),
    "segment_counters": tuple(COUNTER),
    "super_campaigns": tuple(SUPER_CAMPAIGN),
    "campaign_details": ("name", "description", "type", "update_time", "is_active"),
    "campaign_status": tuple(CAMPAIGN_STATUS),
    "campaign_log": ("time", "level", "state"),
    "broadcast_details": ("name", "data_id", "data_type", "is_active", "content", "content_json"),
    "profiles": (
        "db_id", "_click_exist", "_country", "_createtime", "_deliv_date", "_deliv_exist", "_open_date", "_regdate",
        "_status", "_tz",
    ),
    "subscriptions": (
        "resource_id", "channel", "provider", "priority", "status", "cats", "db_id", "profile_id", "subscription_id",
    ),
    "history": (
        "event_id", "profile_id", "list_id", "action", "count", "datetime", "message_id", "message_name",
        "campaign_id", "campaign_name", "smid", "channel", "subscription_cats",
    ),
}  # fmt: skip
