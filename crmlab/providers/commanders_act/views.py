"""Commanders Act's records as rows of the shared tables."""

from __future__ import annotations

import polars as pl

from crmlab.connector import (
    Context,
    View,
    date,
    full_name,
    integer,
    iso_time,
    lookup,
    number,
    text,
    unix_time,
)
from crmlab.providers.commanders_act import trends
from crmlab.providers.commanders_act.windows import period


def _attribute(name: str) -> pl.Expr:
    return pl.col("attributes").struct.field(name)


def _related(name: str) -> pl.Expr:
    return text(pl.col("relationships").struct.field(name).struct.field("data").struct.field("id"))


def _total(outcome: str, *kinds: str) -> pl.Expr:
    """Sum of the health object's totals, null without one."""
    outcome_totals = _attribute("health").struct.field(outcome)
    first_total, *further_totals = (
        outcome_totals.struct.field(kind).struct.field("total") for kind in kinds
    )
    return sum((total.fill_null(0) for total in further_totals), first_total)


def _connector_names(context: Context, catalog: str) -> dict[str, str]:
    """Return what a catalogue calls each kind of connection, by id; none where it did not come."""
    catalog_rows = context.rows.get(catalog, pl.DataFrame())
    if catalog_rows.is_empty():
        return {}
    labels_by_id = catalog_rows.select(
        "id", pl.col("attributes").struct.field("label")
    ).drop_nulls()
    return dict(labels_by_id.iter_rows())


def integrations(context: Context, direction: str) -> tuple[View, ...]:
    """Sources or destinations with their health; what their connectors are called stands in a catalogue."""
    connector_names = _connector_names(context, f"{direction}_catalog")
    return (
        View(
            table="integrations",
            columns={
                "created_at": iso_time(_attribute("created")),
                "modified_at": iso_time(_attribute("updated")),
                "label": text(_attribute("label")),
                "direction": pl.lit(direction),
                "connector": _related("connector"),
                "connector_name": lookup(_related("connector"), connector_names),
                "environment": _related("environment"),
                "status": text(_attribute("status")),
                "last_run_at": iso_time(_attribute("last_run_at")),
                "deleted_at": iso_time(_attribute("deleted_at")),
                "success": _total("success", "immediate", "retry"),
                "retried": _total("success", "retry"),
                "failed": _total("fail", "error"),
                "rejected": _total("fail", "rejected"),
            },
        ),
    )


def _cell(column: str) -> pl.Expr:
    return pl.col("item").struct.field(column)


_DELIVERED = _attribute("datasets").map_batches(
    trends.by_header, return_dtype=pl.List(trends.ROW), is_elementwise=True
)
DELIVERIES = (
    View(
        table="deliveries",
        explode=_DELIVERED,
        columns={
            "id": pl.format("{}/{}", pl.col("_integration_id"), _cell("at")),
            "integration_id": pl.col("_integration_id"),
            "at": unix_time(integer(_cell("at"))),
            "success": integer(_cell("success")),
            "failed": integer(_cell("failed")),
        },
    ),
)


def _count(name: str) -> pl.Expr:
    return integer(pl.col("attributes").str.json_path_match(f"$.{name}"))


def _rate(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(part / whole)


_DAY = date("_day")
_EXPOSED = _count("nb_visitors_exposed_to_privacy")
#: opt-ins of one category or vendor, as ``"nb_optin_vendor_12": 3``; whatever the value is, it is read
_ITEM = r'"nb_optin_(category|vendor)_([^"]+)"\s*:\s*("[^"]*"|[^,}\s]+)'
_PARTS = pl.col("item").str.extract_groups(_ITEM).struct
_DIMENSION = _PARTS.field("1")
_ITEM_ID = _PARTS.field("2")
_ITEM_VALUE = _PARTS.field("3").str.strip_chars('"')
_ITEM_OPTIN = integer(pl.when(_ITEM_VALUE != "null").then(_ITEM_VALUE))
_FILTERS = [pl.when(pl.col(name) != "").then(name) for name in ("_device", "_location")]
_PLACE = pl.concat_str(pl.col("_day"), *_FILTERS, "id", separator="/", ignore_nulls=True)
#: "PC" is the privacy center
_FURTHER_COUNTERS = {
    "banner_link_clicks": "nb_banner_clicks_links_not_PC",
    "banner_button_clicks": "nb_banner_clicks_button",
    "banner_optin_all": "nb_optin_all_on_click_banner",
    "banner_optout": "nb_optout_on_click_banner",
    "center_views": "nb_PC_views",
    "center_vendor_views": "nb_PC_vendor_views",
    "center_saves": "nb_PC_clicks_save",
    "center_optin": "nb_optin_PC_save",
    "center_optin_all": "nb_optin_all_on_save_PC",
    "optin_all": "nb_optin_all",
}
STATISTICS_KEY = pl.when(pl.col("id").is_not_null()).then(_PLACE)
STATISTICS = (
    View(
        table="consent_statistics",
        columns={
            "day": _DAY,
            "banner_id": text("id"),
            "device": text("_device"),
            "location": text("_location"),
            "visitors_exposed": _EXPOSED,
            "banner_views": _count("nb_banner_views"),
            "optin": _count("nb_optin"),
            "optout": _count("nb_optout"),
            "explicit_optin": _count("nb_explicit_optin"),
            **{column: _count(counter) for column, counter in _FURTHER_COUNTERS.items()},
            "optin_rate": _rate(_count("nb_optin"), _EXPOSED),
            "optout_rate": _rate(_count("nb_optout"), _EXPOSED),
        },
    ),
    View(
        table="consent_statistics_items",
        explode=pl.col("attributes").str.extract_all(_ITEM),
        columns={
            "id": pl.format("{}/{}/{}", _PLACE, _DIMENSION, _ITEM_ID),
            "day": _DAY,
            "banner_id": text("id"),
            "dimension": _DIMENSION,
            "item_id": _ITEM_ID,
            "optin": _ITEM_OPTIN,
            "visitors_exposed": _EXPOSED,
            "optin_rate": _rate(_ITEM_OPTIN, _EXPOSED),
        },
    ),
)


def segments(context: Context) -> tuple[View, ...]:
    """A segment's size per day; only the days asked for, since a shorter period would come by the hour."""
    first_day, last_day = period(context)
    day = iso_time(_attribute("start_date"))
    return (
        View(
            table="segments",
            where=day.dt.date().is_between(first_day, last_day).fill_null(value=True),
            columns={
                "segment_id": pl.col("_segment_id"),
                "day": day.dt.date(),
                "size": number(_attribute("nb_visitors_total")),
                "added": number(_attribute("nb_visitors_added")),
                "removed": number(_attribute("nb_visitors_removed")),
            },
        ),
    )


USERS = (
    View(
        table="users",
        columns={
            "name": full_name(_attribute("firstname"), _attribute("lastname")),
            "email": text(_attribute("email")),
            "role": text(_attribute("type")),
        },
    ),
)
LOGS = (
    View(
        table="changes",
        columns={
            "created_at": iso_time(_attribute("created_at")),
            "kind": text(_attribute("action")),
            "description": text(_attribute("description")),
            "subject_kind": text(_attribute("subject_type")),
            "subject_id": text(_attribute("subject_id")),
            "owner_id": text(_attribute("causer_id")),
        },
    ),
)
