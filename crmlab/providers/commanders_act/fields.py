"""Records of Commanders Act as its OpenAPI document has them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crmlab.connector import JSON, Schema

_text = pl.String
_int = pl.Int64
_COUNT = pl.Struct({"total": _int, "increase_rate": pl.Float64})
# the first row names the columns, the others hold a time in milliseconds and counts
_DATASET = pl.List(pl.List(_text))
_RELATED = pl.Struct({"data": pl.Struct({"type": _text, "id": _text})})

#: what is read of no answer, since it may open the systems of partners
NEVER_KEPT_OF_INTEGRATIONS = {
    "attributes.parameters": "settings of a source or destination, tokens of partners included"
}
NEVER_KEPT_OF_LOGS = {
    "attributes.properties": "what was changed, and so parameters with their tokens"
}

HEALTH: Schema = {
    "total": _int,
    "success": pl.Struct({"immediate": _COUNT, "retry": _COUNT}),
    "fail": pl.Struct({"rejected": _COUNT, "error": _COUNT}),
    "trends": pl.Struct(
        {"success": pl.Struct({"dataset": _DATASET}), "fail": pl.Struct({"dataset": _DATASET})}
    ),
}
#: sources and destinations; ids are numbers here and text elsewhere
INTEGRATION: Schema = {
    "id": _text,
    "type": _text,
    "attributes": pl.Struct(
        {
            **dict.fromkeys(
                (
                    "label", "occurence_type", "start_date", "end_date", "timezone", "data_range_type",
                    "data_last", "data_start_date", "data_end_date", "last_request_at", "next_request_at",
                    "last_run_at", "created", "updated", "cron", "deleted_at",
                ),
                _text,
            ),
            "health": pl.Struct(HEALTH),
            "integration_key": _text,
            "status": _text,
        }
    ),
    "relationships": pl.Struct({"connector": _RELATED, "environment": _RELATED}),
}  # fmt: skip
TREND: Schema = {
    "id": _text,
    "type": _text,
    "attributes": pl.Struct({"connector_type": _text, "datasets": _DATASET}),
}
#: a banner of one day: which counts there are depends on the site's categories and vendors
STATISTIC: Schema = {"id": _text, "type": _text, "attributes": JSON}
#: its documented counts; those above 0 are there, {n} being the number of a category or vendor
COUNTERS: Schema = {
    **dict.fromkeys(
        (
            "nb_visitors_exposed_to_privacy", "nb_banner_views", "nb_banner_clicks_links_not_PC",
            "nb_banner_clicks_button", "nb_PC_views", "nb_PC_vendor_views", "nb_PC_clicks_save", "nb_optin_PC_save",
            "nb_optin", "nb_explicit_optin", "nb_optout", "nb_optin_all", "nb_optin_all_on_click_banner",
            "nb_optout_on_click_banner", "nb_optin_all_on_save_PC", "nb_optin_category_{n}", "nb_optin_vendor_{n}",
        ),
        _int,
    ),
    **dict.fromkeys(
        ("optin_rate", "optout_rate", "optin_rate_category_{n}", "optin_rate_vendor_{n}"),
        pl.Float64,
    ),
}  # fmt: skip
SEGMENT: Schema = {
    "id": _text,
    "type": _text,
    # numbers, written as text
    "attributes": pl.Struct(
        {
            "nb_visitors_added": _text,
            "nb_visitors_removed": _text,
            "nb_visitors_total": _text,
            "start_date": _text,
        }
    ),
}
USER: Schema = {
    "id": _text,
    "type": _text,
    "attributes": pl.Struct(
        {"firstname": _text, "lastname": _text, "email": _text, "type": _text, "language": _text}
    ),
}
LOG: Schema = {
    "id": _text,
    "type": _text,
    "attributes": pl.Struct(
        {
            "log_name": _text,
            "action": _text,
            "description": _text,
            "origin": _text,
            "subject_id": _text,
            "subject_type": _text,
            "causer_id": _text,
            "created_at": _text,
        }
    ),
}

_OBJECT = ("type", "attributes")
_OBJECTS = (
    "delivery_trends", "privacy_statistics", "segments_statistics", "event_types", "notifications", "redirect_rules",
    "cookie_scanners", "cookie_fields", "serverside_internal_variables", "delivery_healths",
)  # fmt: skip
_RELATED_OBJECTS = (
    "sources", "destinations", "source_catalog", "destination_catalog", "source_categories", "destination_categories",
    "cleansing_transformations", "enrichment_events", "reports", "alerts", "cookies", "web_tags", "web_triggers",
    "web_constraints", "web_perimeters", "web_datalayer_variables", "web_internal_variables", "serverside_tags",
    "serverside_constraints", "serverside_datalayer_variables",
)  # fmt: skip
#: of the records of each resource, what tells nothing of a person
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_OBJECTS, _OBJECT),
    **dict.fromkeys(_RELATED_OBJECTS, (*_OBJECT, "relationships")),
    # their attributes hold names, addresses, and what users wrote
    **dict.fromkeys(("users", "activity_logs"), ("type",)),
    "web_containers": ("type", "relationships"),
    # what an event or a report holds may be of a visitor
    "delivery_issues": ("kind", "event_types", "events_count", "last_seen"),
    "delivery_issue_details": ("type",),
    "report_data": ("row",),
    "data_quality": ("event", "dateTime"),
    "data_quality_anomalies": ("event", "level", "path", "date", "count"),
    "data_quality_sources": ("reference", "count", "integration"),
    "collection_events": ("type", "attributes", "relationships", "counts"),
    "cookie_descriptions": ("description_en", "description_fr", "description_it"),
}
