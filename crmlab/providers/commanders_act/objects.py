"""Lists of objects of the platform, each of which is a path and what is documented of its records.

None fills a shared table: whoever wants one asks for it by name, such as ``"commanders_act.web_tags"``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import Page, PageSize, Resource, Schema, get
from crmlab.errors import TransportError
from crmlab.providers.commanders_act.lists import listed
from crmlab.providers.commanders_act.pages import PAGES

_PAGE_SIZE = PageSize(name="page[size]")
_LARGE_PAGE = 100
_KEYS_OF_PARTNERS = "may hold keys of partners"
_LINKED = pl.Struct({"type": pl.String, "id": pl.String})
#: one other object, or several
ONE = pl.Struct({"data": _LINKED})
MANY = pl.Struct({"data": pl.List(_LINKED)})


def _of(*, text: str = "", whole: str = "", flag: str = "", **others: Any) -> Schema:
    """Return the type of each field by its name: text, whole numbers, yes or no, and what is of another type."""
    schema: dict[str, Any] = {}
    for names, kind in ((text, pl.String), (whole, pl.Int64), (flag, pl.Boolean)):
        schema |= dict.fromkeys(names.split(), kind)
    return schema | others


def _objects(
    name: str,
    path: str,
    doc: str,
    attributes: Schema,
    *,
    related: Schema | None = None,
    include: str = "",
    **more: Any,
) -> Resource:
    """Return the list at a path, of objects with these attributes and relationships."""
    schema: Schema = {"id": pl.String, "type": pl.String, "attributes": pl.Struct(attributes)}
    if related:
        schema = {**schema, "relationships": pl.Struct(related)}
    parameters = {}
    if include:
        parameters["include"] = include
    return listed(
        name,
        doc,
        requests=get(path, **parameters),
        schema=schema,
        restate=plain_objects(related or {}),
        **more,
    )


def _numbered(name: str, path: str, doc: str, attributes: Schema, **more: Any) -> Resource:
    """Return a list whose pages are documented to have numbers, though not to tell how many there are."""
    resource = _objects(
        name, path, doc, attributes, follow=replace(PAGES, next_if_full=True), **more
    )
    parameters = {"page[number]": 1, "page[size]": _LARGE_PAGE}
    if more.get("include"):
        parameters["include"] = more["include"]
    return replace(resource, requests=get(path, **parameters), page_size=_PAGE_SIZE)


# ---- what differs from what is documented -------------------------------------------------------


def plain_objects(related: Schema) -> Callable[[Page], Page]:
    """Return what writes the objects of an answer, and what they are related to, as they are read.

    The vendor's own examples differ from its descriptions: an object stands where several are described, or a list
    of one where one is, attributes stand once more inside themselves, a name ends with a quotation mark, and what
    stands beside the list in JSON:API stands inside it.
    """
    several = {name for name, kind in related.items() if kind == MANY}

    def restated(page: Page) -> Page:
        try:
            answer = page.read(dict[str, Any])
        except TransportError:  # told where its records are looked for
            return page
        held_data = answer.get("data")
        objects = [held_data] if _is_object(held_data) else held_data
        if not isinstance(objects, list):
            return page
        plain_items = [_plain_object(item, several) for item in objects]
        # most answers are as documented: they are not written again
        if plain_items == held_data:
            return page
        return replace(page, body=msgspec.json.encode({**answer, "data": plain_items}), _read={})

    return restated


def _is_object(data: Any) -> bool:
    return isinstance(data, dict) and "attributes" in data


#: what an object has beside its attributes, which stands
#: there once more where these stand inside themselves
_OF_AN_OBJECT = ("id", "type", "attributes")


def _plain_object(item: Any, several: Collection[str]) -> Any:
    if not isinstance(item, dict):
        return item
    plain_item = dict(item)
    # what stands beside all objects of an answer, not inside one
    plain_item.pop("included", None)
    attributes = _alone(item.get("attributes"))
    if isinstance(attributes, dict):
        plain_item["attributes"] = _plain_attributes(attributes)
    relations = item.get("relationships")
    if isinstance(relations, dict):
        linked = {}
        for name, relation in relations.items():
            linked[name] = _linked(relation, is_several=name in several)
        plain_item["relationships"] = linked
    return plain_item


def _plain_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    inner_attributes = attributes.get("attributes")
    if isinstance(inner_attributes, dict):
        others = {name: value for name, value in attributes.items() if name not in _OF_AN_OBJECT}
        attributes = {**others, **inner_attributes}
    return {name.strip('"'): value for name, value in attributes.items()}


def _alone(value: Any) -> Any:
    """Return the only item of a list of one."""
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    return value


def _linked(relation: Any, *, is_several: bool) -> Any:
    if not isinstance(relation, dict) or "data" not in relation:
        return relation
    linked_data = _alone(relation["data"])
    if is_several and isinstance(linked_data, dict):
        linked_data = [linked_data]
    return {**relation, "data": linked_data}


# ---- sources, destinations, events --------------------------------------------------------------

_CATALOG = _of(text="label icon guide_url template trigger_type")
_CATEGORY = _of(text="label", whole="position", types=pl.List(pl.String))
PLATFORM = (
    _objects(
        "source_catalog",
        "/source-catalog",
        "What sources can be made of.",
        _CATALOG,
        related={"categories": MANY},
    ),
    _objects(
        "destination_catalog",
        "/destination-catalog",
        "What destinations can be made of.",
        _CATALOG,
        related={"categories": MANY},
    ),
    _objects(
        "source_categories",
        "/source-categories",
        "Groups of what sources can be made of.",
        _CATEGORY,
        related={"templates": MANY},
    ),
    _objects(
        "destination_categories",
        "/destination-categories",
        "Groups of what destinations can be made of.",
        _CATEGORY,
        related={"templates": MANY},
    ),
    _objects(
        "event_types",
        "/normalized-datalayer/event-types",
        "Types of events that the site knows.",
        _of(text="name label created updated", flag="stored is_custom"),
    ),
    _objects(
        "cleansing_transformations",
        "/integrations/cleansing-transformations",
        "How events of sources are cleansed, and how many were within a day.",
        _of(text="label description operation status", whole="event_count order"),
        related={"sources": MANY},
        never_kept={
            "attributes.parameters": f"conditions and values of a transformation: {_KEYS_OF_PARTNERS}"
        },
    ),
    _numbered(
        "enrichment_events",
        "/enrichment/events/",
        "How events are enriched with what is stored of visitors and products.",
        _of(
            text="name description status type matching_key path path_custom created_at updated_at",
            events_name=pl.List(pl.String),
        ),
        related={"store": ONE, "variables": MANY, "sources": MANY},
        include="store,variables,sources",
        never_kept={
            "attributes.parameters": f"filter and mapping of an enrichment: {_KEYS_OF_PARTNERS}"
        },
    ),
)

# ---- reports, alerts, redirects -----------------------------------------------------------------

MONITORING = (
    _numbered(
        "reports",
        "/ams/reports",
        "Live reports; what they show is in `report_data`.",
        _of(
            text="public_id label description status updated_at created_at",
            flag="archived is_system",
        ),
        related={"owner": ONE, "claims": MANY},
        include="owner,claims",
    ),
    _objects(
        "alerts",
        "/health/alerts",
        "Alerts on the health of what is collected and delivered, and what was found last.",
        _of(
            text="category last_check_at last_check_value created_at updated_at",
            whole="model_id",
            flag="is_enable",
        ),
        related={"notification": MANY, "creator": MANY},
        include="notification,creator",
        never_kept={"attributes.parameters": "settings of an alert"},
    ),
    _objects(
        "notifications",
        "/health/notifications",
        "Who is told of alerts, how often and when last; not at which address.",
        _of(text="frequency channel last_notified_at", whole="alert_id"),
        never_kept={
            "attributes.channel_settings": "addresses, and webhooks that anybody can write to"
        },
    ),
    _objects(
        "redirect_rules",
        "/ams/redirect-rules",
        "Domains to which clicks may be redirected.",
        _of(text="domain tld full_domain rule is_active created_at updated_at deleted_at"),
        # the vendor's example has no id
        key=pl.coalesce("id", pl.col("attributes").struct.field("full_domain")),
    ),
)

# ---- cookies ------------------------------------------------------------------------------------

COOKIES = (
    _objects(
        "cookie_scanners",
        "/privacy/cookie-scanners",
        "Versions of the list of cookies, and which one is deployed.",
        _of(
            text="version comment new ignored filename created updated deployed",
            whole="is_deployed",
            languages=pl.List(pl.String),
        ),
    ),
    _objects(
        "cookies",
        "/privacy/cookie-scanner/cookies",
        "Cookies that were found on the site, or declared.",
        _of(
            text="name vendor_url storage_type storage_domain storage_duration origin "
            "origin_label website",
            whole="cookie_scanner_id status score",
            flag="is_live is_compliant is_missing",
            url=pl.List(pl.String),
        ),
        related={"vendor": ONE, "category": ONE, "fields": MANY},
        include="vendor,category,fields",
        never_kept={"attributes.sample": "samples of cookies as browsers of visitors had them"},
    ),
    _objects(
        "cookie_fields",
        "/privacy/cookie-scanner/setting/custom-fields",
        "Custom fields of the list of cookies.",
        _of(text="name created updated", whole="position is_system"),
    ),
)

# ---- the tag manager ----------------------------------------------------------------------------

_RULE = _of(
    text="label type pattern cookie_name js_code",
    whole="frequency",
    device_os_list=pl.List(pl.String),
    browser_list=pl.List(pl.String),
)
_OF_CONTAINER: Schema = {"container": ONE, "tags": MANY}
_VARIABLE = "name description detailed_description"
TAGS = (
    _objects(
        "web_containers",
        "/tms/web-containers",
        "Containers, which bring tags to pages of the site.",
        _of(
            text="name force_cookie_samesite_setting force_cookie_secure_setting",
            whole="recurring_synchronization_cron_hours recurring_synchronization_cron_minutes "
            "recurring_synchronization_cron_days recurring_synchronization_cron_months "
            "recurring_synchronization_cron_day_of_week default_tags_lifetime",
            flag="add_unminified_version_for_manual_deploy include_md5_file_in_deployment_mail "
            "recurring_synchronization recurring_synchronization_conf_expert noscript "
            "events_trigger old_event_support include_jquery_for_tests",
            deployment_methods=pl.List(pl.String),
            recurring_synchronization_deployment_methods=pl.List(pl.String),
            recurring_synchronization_mailing_list=pl.List(pl.String),
            expiration_users=pl.List(pl.String),
        ),
        related=_OF_CONTAINER,
    ),
    _objects(
        "web_tags",
        "/tms/web-tags",
        "Tags of the containers, with their code.",
        _of(
            text="name tag_code",
            whole="template_id timeout order position",
            flag="disabled",
            variables_mappings=pl.List(pl.Struct(_of(text="code value variable"))),
        ),
        related={"container": ONE},
    ),
    _objects(
        "web_triggers",
        "/tms/web-triggers",
        "What fires tags.",
        _of(
            text="name type css_selector function_name",
            whole="horizontal_pct vertical_pct horizontal_px vertical_px",
            flag="is_default",
        ),
        related=_OF_CONTAINER,
    ),
    _objects(
        "web_constraints",
        "/tms/web-constraints",
        "Rules by which tags do or do not fire.",
        _RULE,
        related=_OF_CONTAINER,
    ),
    _objects(
        "web_perimeters", "/tms/web-perimeters", "Parts of the site.", _RULE, related=_OF_CONTAINER
    ),
    _objects(
        "web_datalayer_variables",
        "/tms/web-datalayer-variables",
        "Variables of the data layer.",
        _of(text=f"{_VARIABLE} type", flag="use_in_noscript"),
        related={"category": ONE},
    ),
    _objects(
        "web_internal_variables",
        "/tms/web-internal-variables",
        "Variables that containers compute.",
        _of(text=f"{_VARIABLE} type value"),
        related={"containers": MANY},
    ),
    _objects(
        "serverside_tags",
        "/tms/serverside-tags",
        "Tags on the server, without what they send and where to.",
        _of(text="name", whole="template_id", flag="disabled"),
        related={"container": ONE},
        never_kept={
            "attributes.destination_url": f"the address of a partner: {_KEYS_OF_PARTNERS}",
            "attributes.headers": f"headers sent to a partner: {_KEYS_OF_PARTNERS}",
            "attributes.post_parameters": f"what is sent to a partner: {_KEYS_OF_PARTNERS}",
        },
    ),
    _objects(
        "serverside_constraints",
        "/tms/serverside-constraints",
        "Rules of tags on the server.",
        _of(text="label type pattern"),
        related=_OF_CONTAINER,
    ),
    _objects(
        "serverside_datalayer_variables",
        "/tms/serverside-datalayer-variables",
        "Variables of the data layer on the server.",
        _of(text=f"{_VARIABLE} variable_parameter", flag="data_saver reconciliation_key"),
        related={"category": ONE},
    ),
    _objects(
        "serverside_internal_variables",
        "/tms/serverside-internal-variables",
        "Variables that are mapped on the server.",
        _of(
            text=_VARIABLE,
            value=pl.Struct(
                {
                    "variable_to_map": pl.String,
                    "mapping": pl.List(pl.Struct(_of(text="input output"))),
                }
            ),
        ),
    ),
)
OBJECTS = (*PLATFORM, *MONITORING, *COOKIES, *TAGS)
