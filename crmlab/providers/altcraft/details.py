"""What Altcraft tells of each of its objects: their settings, their fields, how many are in which state.

Each is asked for with one request for each object, and only when it is asked for by its name: no shared table but
`fields` needs it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from types import UnionType
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import Context, Page, Request, Resource, View, text
from crmlab.errors import ApiError, TransportError
from crmlab.providers.altcraft import fields, pages, views
from crmlab.providers.altcraft.asking import (
    LIMIT,
    PAGE_SIZE,
    for_each,
    ids,
    is_other_database,
    lacks_counters,
    lacks_details,
    lacks_fields,
    number,
    objects,
    post,
)

#: why a database cannot be without fields
_NO_FIELD = "the service names no field of profiles: name your own as custom_fields"
#: names under which a field may be called by its name, none of which is documented
_NAME = pl.coalesce(text("name"), text("Name"), text("field_name"), text("id"))


class _Data(msgspec.Struct):
    data: Any = None


def _field_list(page: Page) -> Page:
    """Return an answer that names fields in another way than one object each, as such a list.

    It may be a list of names, or an object that holds what is said of each field under its name.
    """
    try:
        data = page.read(_Data).data
    except TransportError:
        return page
    named: list[dict[str, Any]] = []
    if isinstance(data, list) and _are_all(data, str):
        named = [{"name": field_name} for field_name in data]
    elif isinstance(data, dict) and _are_all(data.values(), dict | str):
        named = [_field(field_name, said) for field_name, said in data.items()]
    if not named:
        return page
    return replace(page, body=json.dumps({"data": named}).encode(), _read={})


def _are_all(values: Iterable[Any], kind: type | UnionType) -> bool:
    return all(isinstance(value, kind) for value in values)


def _field(name: str, said: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(said, str):  # the only thing that is said of a field in one word
        return {"name": name, "type": said}
    return {"name": name, **said}


#: refusals of this very question: it lacks something,
#: the token may not ask it, or the method does not exist
_REFUSALS = (400, 403, 404, 450, 501)


def _refuses_to_name_fields(error: ApiError, request: Request) -> bool:
    """Whether an installation tells no fields: what the method takes is hardly documented, and contacts come without.

    The list cannot be empty, so that it is told incomplete.
    """
    return error.status in _REFUSALS


def _database_fields(context: Context) -> Iterable[Request]:
    """One request for each database; which of its names the method takes is not documented, so both are sent."""
    for database in ids(context, "databases"):
        database_id = number(database)
        yield post(
            "databases/fields_get",
            tags={"database_id": database},
            db_id=database_id,
            id=database_id,
        )


#: what begins with _ is the service's own, as are those that every profile has
_IS_OWN = ~_NAME.str.starts_with("_") & ~_NAME.is_in([*fields.PROFILE])
_FIELDS = (
    View(
        table="fields",
        where=_IS_OWN,
        columns={
            "id": pl.concat_str(pl.col("_database_id"), _NAME, separator="/"),
            "entity": pl.lit("contact"),
            "key": _NAME,
            "label": pl.coalesce(text("label"), text("title"), text("description"), _NAME),
            "type": text("type"),
        },
    ),
)


def _of_both(method: str) -> Any:
    """Return one request for each database and resource."""

    def requests(context: Context) -> Iterable[Request]:
        for database in ids(context, "databases"):
            for resource in ids(context, "resources"):
                tags = {"database_id": database, "resource_id": resource}
                yield post(method, tags=tags, id=number(database), resource_id=number(resource))

    return requests


def _log(context: Context) -> Iterable[Request]:
    """One request for each campaign, from the beginning of the period."""
    since = {}
    if context.since:
        since = {"from_time": context.since.isoformat()}
    for campaign in ids(context, "campaigns"):
        yield post(
            "campaigns/log_v2",
            tags={"campaign_id": campaign},
            id=number(campaign),
            limit=LIMIT,
            **since,
        )


DETAILS: tuple[Resource, ...] = (
    Resource(
        name="database_details",
        doc="Each database with its description.",
        requests=for_each("databases/get", "databases"),
        needs_before_request=("databases",),
        absent_is_empty=True,
        lacking=lacks_details("database"),
        schema=fields.OBJECT_DETAIL,
    ),
    Resource(
        name="database_fields",
        doc="The fields of the profiles of each database, your own included; profiles are read "
        "with them.",
        requests=_database_fields,
        needs_before_request=("databases",),
        tags=("database_id",),
        absent_is_empty=True,
        restate=_field_list,
        lacking=lacks_fields("a database"),
        is_empty_answer=_refuses_to_name_fields,
        never_empty=_NO_FIELD,
        key=pl.concat_str(pl.col("_database_id"), _NAME, separator="/"),
        schema=fields.FIELD,
        views=_FIELDS,
        exports={"name": _NAME},
    ),
    Resource(
        name="database_counters",
        doc="How many subscriptions of each database to each resource are in which state, by "
        "channel (databases x resources requests).",
        requests=_of_both("databases/get_counters"),
        needs_before_request=("databases", "resources"),
        tags=("database_id", "resource_id"),
        absent_is_empty=True,
        lacking=lacks_counters("a database"),
        is_empty_answer=is_other_database,
        key=pl.concat_str("_database_id", "_resource_id", "channel", separator="/"),
        schema=fields.STATES,
    ),
    Resource(
        name="resource_details",
        doc="Each resource with its description.",
        requests=for_each("resources/get", "resources"),
        needs_before_request=("resources",),
        absent_is_empty=True,
        lacking=lacks_details("resource"),
        schema=fields.OBJECT_DETAIL,
    ),
    Resource(
        name="resource_fields",
        doc="The fields of the subscriptions to each resource.",
        requests=for_each("resources/fields_get", "resources", tag="resource_id"),
        needs_before_request=("resources",),
        tags=("resource_id",),
        absent_is_empty=True,
        restate=_field_list,
        lacking=lacks_fields("a resource"),
        key=pl.concat_str(pl.col("_resource_id"), _NAME, separator="/"),
        schema=fields.FIELD,
    ),
    Resource(
        name="resource_counters",
        doc="How many subscriptions to each resource are in which state, by channel.",
        requests=for_each("resources/get_counters", "resources", tag="resource_id"),
        needs_before_request=("resources",),
        tags=("resource_id",),
        absent_is_empty=True,
        lacking=lacks_counters("a resource"),
        key=pl.concat_str("_resource_id", "channel", separator="/"),
        schema=fields.STATES,
    ),
    Resource(
        name="campaign_details",
        doc="Each campaign with its description, and who changed it when.",
        requests=for_each("campaigns/get", "campaigns"),
        needs_before_request=("campaigns",),
        absent_is_empty=True,
        lacking=lacks_details("campaign"),
        schema=fields.CAMPAIGN_DETAIL,
    ),
    Resource(
        name="campaign_status",
        doc="Whether each campaign is active, and whether it is over.",
        requests=for_each("campaigns/get_status", "campaigns", tag="campaign_id"),
        needs_before_request=("campaigns",),
        tags=("campaign_id",),
        absent_is_empty=True,
        lacking=lacks_details("campaign"),
        key=pl.col("_campaign_id"),
        schema=fields.CAMPAIGN_STATUS,
    ),
    Resource(
        name="campaign_log",
        doc="What happened while each campaign ran, from `since` on.",
        requests=_log,
        needs_before_request=("campaigns",),
        follow=pages.log,
        total=pages.log_total,
        page_size=PAGE_SIZE,
        tags=("campaign_id",),
        absent_is_empty=True,
        key=pl.concat_str(
            [pl.col("_campaign_id"), *(text(name).fill_null("") for name in fields.CAMPAIGN_LOG)],
            separator="/",
        ),
        schema=fields.CAMPAIGN_LOG,
    ),
    objects(
        "broadcasts",
        "Campaigns that are sent once.",
        fields.CAMPAIGN,
        method="campaigns/broadcasts",
        kind="broadcast",
    ),
    Resource(
        name="broadcast_details",
        doc="Each campaign that is sent once, with its content: the subject lines.",
        requests=for_each("campaigns/broadcasts/get", "broadcasts", tag="broadcast_id"),
        needs_before_request=("broadcasts",),
        tags=("broadcast_id",),
        absent_is_empty=True,
        lacking=lacks_details("broadcast"),
        key=pl.col("_broadcast_id"),
        schema=fields.BROADCAST,
        computed=views.BROADCAST_PARTS,
    ),
    objects(
        "regulars",
        "Campaigns that are sent regularly.",
        fields.CAMPAIGN,
        method="campaigns/regulars",
    ),
    objects(
        "super_campaigns",
        "Campaigns that join mailings and scenarios; the token needs the right to run campaigns.",
        fields.SUPER_CAMPAIGN,
        method="scampaigns",
    ),
)
