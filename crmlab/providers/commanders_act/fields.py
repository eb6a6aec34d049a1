"""Records of Commanders Act as its OpenAPI document has them."""

from __future__ import annotations

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
NEVER_KEPT_OF_LOGS = {"attributes.properties": "what was changed, and so parameters with their tokens"}

HEALTH: Schema = {
    "total": _int,
    "success": pl.Struct({"immediate": _COUNT, "retry": _COUNT}),
    "fail": pl.Struct({"rejected": _COUNT, "error": _COUNT}),
    "trends": pl.Struct({"success": pl.Struct({"dataset": _DATASET}), "fail": pl.Struct({"dataset": _DATASET})}),
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
    "attributes": pl.Struct({"firstname": _text, "lastname": _text, "email": _text, "type": _text, "language": _text}),
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
