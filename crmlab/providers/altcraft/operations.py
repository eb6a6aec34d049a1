"""What Altcraft can be asked: every operation that its documentation names, all with POST and one flat JSON body.

Names, paths and parameters are those of https://guides.altcraft.com/en/developer-guide/ as far as its pages could be
read; `assumed` marks the operations whose page was not found. There is no description that a program could read.
"""

from typing import Any, Literal, Required

from crmlab.connector.operation import Operation, get, post

Matching = Literal[
    "email",
    "email_profile",
    "email_sub",
    "phone",
    "phone_sub",
    "profile_id",
    "push_sub",
    "custom",
    "custom_sub",
    "email_phone",
    "email_phone_sub",
]
Channel = Literal["email", "sms", "push", "notify", "viber", "whatsapp", "telegram_bot"]

#: pages of numbered objects, and which objects
OBJECTS = {
    "from_id": int,
    "limit": int,
    "ui_tags": list[str],
    "groups": list[str],
    "groups_id": list[int],
}
#: pages that a text of the answer before leads to
POINTER = {"from_id": str, "limit": int}
#: how a profile is found: the matching, and the field that it needs
WHO = {
    "matching": Matching,
    "email": str,
    "phone": str,
    "profile_id": str,
    "field_name": str,
    "field_value": str,
    "resource_id": int,
}
ID = {"id": Required[int]}
OF_RESOURCE = ID | {"resource_id": Required[int]}
DAYS = {"date_from": str, "date_to": str}
FEEDBACK = {"feedback": dict[str, str]}
IMPORT = {
    "db_id": Required[int],
    "skip_triggers": bool,
    "skip_invalid_subscriptions": bool,
    "detect_geo": bool,
}
STATIC = {
    "segment_id": Required[int],
    "db_id": Required[int],
    "profile_id": Required[str],
    "skip_triggers": bool,
}


def _read(name: str, fields: dict[str, Any] | None = None, **more: Any) -> Operation:
    """Return an operation that reads, although it is sent with POST."""
    return post(name.replace("/", "_"), f"/{name}", writes=False, fields=fields or {}, **more)


def _write(name: str, fields: dict[str, Any], **more: Any) -> Operation:
    """Return an operation that changes something, and starts no scenario unless it is told to."""
    quiet = {"defaults": {"skip_triggers": True}} if "skip_triggers" in fields else {}
    return post(name.replace("/", "_"), f"/{name}", fields=fields, **quiet, **more)


OPERATIONS: tuple[Operation, ...] = (
    _read(
        "profiles/get",
        WHO | {"db_id": Required[int]},
        doc="One profile by its database and id, address or field.",
    ),
    _read(
        "profiles/list",
        POINTER | {"db_id": Required[int], "query": dict[str, Any], "fields": list[str]},
        doc="A page of the profiles of a database.",
    ),
    _read(
        "profiles/get_all",
        {
            "source_type": Required[Literal["database", "segment"]],
            "source_id": Required[int],
            "file_format": Literal["csv", "json"],
            "custom_request": dict[str, Any],
        },
        doc="Starts an export of all profiles and tells the id of the task.",
    ),
    _write("profiles/import", IMPORT | WHO | {"data": Required[dict[str, Any]]}),
    _write("profiles/import_batch", IMPORT | WHO | {"data": Required[list[dict[str, Any]]]}),
    _write("profiles/delete", WHO | {"db_id": Required[int]}, destructive=True, assumed=True),
    _write("profiles/segstatic/add", STATIC),
    _write("profiles/segstatic/remove", STATIC),
    _read(
        "databases/fields_get",
        {"db_id": Required[int]},
        doc="The fields of the profiles of a database.",
    ),
    _read(
        "subscribers/history_get",
        WHO | DAYS | {"list_id": Required[int], "xxh": str},
        doc="What was sent to one profile, and how it answered.",
    ),
    _read(
        "subscribers/history_get_all",
        POINTER
        | {
            "list_id": Required[int],
            "date_from": Required[str],
            "date_to": Required[str],
            "fields": list[str],
        },
        doc="A page of what was sent to all profiles of a database, and how they answered.",
    ),
    _read(
        "subscriptions/list",
        {"db_id": Required[int], "profile_id": Required[str]},
        doc="The subscriptions of one profile.",
    ),
    _read(
        "subscriptions/list_all",
        POINTER | {"resource_id": Required[int], "db_id": int, "channel": Channel, "status": str},
        doc="A page of the subscriptions to a resource.",
    ),
    _read("resources/fields_get", ID, doc="The fields of the subscriptions to a resource."),
    _read("databases/list", OBJECTS, doc="A page of the databases that the token sees."),
    _read("databases/get", ID, doc="One database."),
    _read(
        "databases/get_counters",
        OF_RESOURCE,
        doc="How many subscriptions of a database are in which state.",
    ),
    _write("databases/refresh_counters", OF_RESOURCE | FEEDBACK),
    _write("resources/refresh_counters", ID | FEEDBACK | {"list_id": Required[int]}),
    _read(
        "resources/list", OBJECTS, assumed=True, doc="A page of the resources that the token sees."
    ),
    _read("resources/get", ID, assumed=True, doc="One resource."),
    _read(
        "resources/get_counters",
        ID,
        assumed=True,
        doc="How many subscriptions of a resource are in which state.",
    ),
    _read("segments/list", OBJECTS, doc="A page of the segments that the token sees."),
    _read("segments/get", ID, doc="One segment, with its conditions."),
    _read(
        "segments/get_counters",
        # one page calls the database db_id, a newer one list_id
        OF_RESOURCE | {"db_id": int, "list_id": int},
        doc="How many subscriptions of a segment can be sent to.",
    ),
    _write("segments/refresh_counters", OF_RESOURCE | FEEDBACK | {"db_id": int}),
    _read(
        "campaigns/list",
        OBJECTS
        | {
            "type": Literal["broadcast", "regular", "trigger"],
            "is_active": bool,
            "attributes": list[str],
        },
        doc="A page of the campaigns.",
    ),
    _read("campaigns/get", ID, doc="One campaign."),
    _read("campaigns/get_status", ID, doc="Whether a campaign is active, and whether it is over."),
    _read(
        "campaigns/log_v2",
        ID | {"from_time": str, "limit": int},
        doc="What happened while a campaign ran.",
    ),
    _read(
        "campaigns/broadcasts/list",
        OBJECTS | {"type": Literal["broadcast"]},
        doc="A page of the campaigns sent once.",
    ),
    _read("campaigns/regulars/list", OBJECTS, doc="A page of the campaigns sent regularly."),
    _read("campaigns/broadcasts/get", ID, doc="One campaign sent once, with its content."),
    _read(
        "scampaigns/list",
        OBJECTS
        | {"state": Literal["cloning", "inactive", "waiting", "active", "completed", "deleted"]},
        doc="A page of the campaigns that join mailings and scenarios.",
    ),
    _write(
        "workflows/import_and_start_batch",
        IMPORT | WHO | {"workflow_id": int, "data": Required[list[dict[str, Any]]]},
    ),
    _write(
        "workflows/import_and_start_batch_task",
        IMPORT | WHO | {"workflow_id": int, "data": Required[list[dict[str, Any]]]},
    ),
    _write(
        "goals/register",
        WHO
        | {
            "db_id": Required[int],
            "pixel_id": Required[int],
            "goal": str,
            "goals": list[dict[str, Any]],
            "value": float,
            "date": str,
            "pixel_data": dict[str, Any],
            "skip_triggers": bool,
            "enrich_profile": bool,
            "is_test": bool,
            "vendor": str,
        },
    ),
    _read(
        "tasks/status",
        {"task_id": Required[int]},
        doc="The state of background work by its id, which the call that started it told.",
    ),
    get(
        "download",
        "/api/download/data/{folder}/{file}",
        from_root=True,
        binary=True,
        doc="The file of an export, by the last two parts of the path that its task tells.",
    ),
    _read(
        "admin/accounts/list",
        {"from_id": int, "limit": int},
        dangerous=True,
        doc="The accounts of an installation, with an administrator's token.",
    ),
)
