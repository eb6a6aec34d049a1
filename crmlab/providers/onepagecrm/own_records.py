"""Lists of OnePageCRM that fill no shared table: asked for by name only, such as ``"onepagecrm.filters"``."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from crmlab.connector import RECORD, Resource
from crmlab.providers.onepagecrm import fields
from crmlab.providers.onepagecrm.asking import (
    created_at,
    first_page,
    first_page_of_each,
    paged,
    told_pages,
    unsorted_page,
    whole,
)
from crmlab.providers.onepagecrm.pages import contact_pages

_CONTACTS: dict[str, Any] = {
    "path": ("data", "contacts"),
    "schema": fields.CONTACT,
    "envelope_fields": fields.BESIDE_CONTACT,
}


def _of(tag: str) -> pl.Expr:
    """Return the key of records that may be there for several others."""
    return pl.format("{}/{}", pl.col(f"_{tag}"), pl.col("id"))


def _host(address: str | None) -> str | None:
    """Return where an address leads; None where it does not say."""
    try:
        return urlsplit(address or "").hostname
    except ValueError:
        return None


def _host_in(name: str) -> pl.Expr:
    """Return the host of an address, which is not kept itself."""

    def read(records: pl.Series) -> pl.Series:
        return pl.Series([_host(_member(record, name)) for record in records], dtype=pl.String)

    return RECORD.map_batches(read, return_dtype=pl.String, is_elementwise=True)


def _member(record: str | None, name: str) -> str | None:
    """Return the text that stands under a name of a record."""
    try:
        member_value = json.loads(record or "{}")[name]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(member_value, str):
        return None
    return member_value


OWN_RECORDS: tuple[Resource, ...] = (
    whole(
        "call_results",
        "call_result",
        "Results of calls, with how often each is used.",
        schema=fields.CALL_RESULT,
        key=pl.col("result"),
    ),
    whole(
        "countries",
        "country",
        "Countries that addresses can be in, with the prefixes of their telephone numbers.",
        path=("data", "countries"),
        schema=fields.COUNTRY,
        key=pl.col("code"),
    ),
    told_pages(
        "predefined_items",
        "predefined_item",
        doc="Products of the account's catalogue, which items of deals are taken from.",
        schema=fields.PREDEFINED_ITEM,
    ),
    told_pages(
        "predefined_item_groups",
        "predefined_item_group",
        doc="Products that are sold together.",
        schema=fields.PREDEFINED_ITEM_GROUP,
    ),
    told_pages(
        "predefined_actions",
        "predefined_action",
        doc="Templates of actions, with the days until one is due.",
        schema=fields.PREDEFINED_ACTION,
    ),
    told_pages(
        "predefined_action_groups",
        "predefined_action_group",
        doc="Templates of actions that are planned together.",
        schema=fields.PREDEFINED_ACTION_GROUP,
    ),
    told_pages(
        "webhooks",
        None,
        doc="Webhooks and the host that each writes to, without its secret and its address (which "
        "opens the receiver).",
        schema=fields.WEBHOOK,
        computed={"hook_host": _host_in("hook_url")},
        never_kept=fields.NEVER_KEPT_OF_WEBHOOKS,
    ),
    paged(
        "notifications",
        "notification",
        doc="Notifications of the signed-in user, of which the service keeps the last 100.",
        requests=unsorted_page("/notifications"),
        inserted_at=None,
        schema=fields.NOTIFICATION,
    ),
    paged(
        "filters",
        "filter",
        doc="Saved filters of contacts, with their conditions.",
        requests=unsorted_page("/filters"),
        inserted_at=None,
        schema=fields.FILTER,
        exports={"id": pl.col("id")},
    ),
    paged(
        "filtered_contacts",
        "contact",
        doc="Contacts that each saved filter matches, once for each filter, whose id is in "
        "_filter_id.",
        requests=first_page_of_each(
            "filters", "/contacts", "filter_id", timed=True, filter_id="{id}", team="true"
        ),
        needs_before_request=("filters",),
        follow=contact_pages,
        tags=("filter_id",),
        key=_of("filter_id"),
        **_CONTACTS,
    ),
    paged(
        "action_stream",
        "contact",
        doc="Contacts for which the signed-in user has something to do, with their next actions.",
        **_CONTACTS,
    ),
    paged(
        "team_stream",
        "contact",
        doc="Contacts for which anybody of the team has something to do, with their next actions.",
        **_CONTACTS,
    ),
    paged(
        "all_contacts",
        "contact",
        doc="Contacts of the whole team, whatever the period: lists that belong to one contact "
        "are asked for by them.",
        requests=first_page("/contacts", timed=False, team="true"),
        follow=contact_pages,
        inserted_at=created_at,
        exports={"id": pl.col("id")},
        **_CONTACTS,
    ),
    paged(
        "relationship_types",
        "relationship_type",
        doc="Kinds of relationships between contacts, with what each of the two is called.",
        schema=fields.RELATIONSHIP_TYPE,
    ),
    paged(
        "relationships",
        "relationship",
        doc="Relationships between contacts, a request for each contact: each once for both, "
        "whose id is in _contact_id.",
        requests=first_page_of_each(
            "all_contacts", "/contacts/{id}/relationships", "contact_id", timed=True
        ),
        needs_before_request=("all_contacts",),
        tags=("contact_id",),
        key=_of("contact_id"),
        schema=fields.RELATIONSHIP,
    ),
    paged(
        "linked_contacts",
        "linked_contact",
        doc="Contacts of others that are linked with a company, a request for each company, whose "
        "id is in _company_id.",
        requests=first_page_of_each("companies", "/companies/{id}/linked_contacts", "company_id"),
        needs_before_request=("companies",),
        inserted_at=None,
        tags=("company_id",),
        key=pl.format("{}/{}", pl.col("_company_id"), pl.col("contact").struct.field("id")),
        schema=fields.LINKED_CONTACT,
    ),
    paged(
        "pinned_attachments",
        "contact",
        doc="Contacts of the whole team, whatever the period, with the files that are pinned to "
        "each.",
        requests=first_page(
            "/contacts", timed=False, team="true", fields="pinned_attachments(all)"
        ),
        follow=contact_pages,
        inserted_at=created_at,
        **(_CONTACTS | {"envelope_fields": {**fields.BESIDE_CONTACT, **fields.PINNED}}),
    ),
)
