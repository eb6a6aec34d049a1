"""What is measured of deliveries, reports, events and cookies: answers whose records stand inside one object.

Each is written as a list of flat records before it is read. Rows of times and counts, whose first row names their
columns, become records with these names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import Context, Page, PageSize, Request, Schema, fill_path, get, whole_number
from crmlab.errors import TransportError
from crmlab.providers.commanders_act import fields
from crmlab.providers.commanders_act.asking import collection, delivery
from crmlab.providers.commanders_act.lists import listed
from crmlab.providers.commanders_act.windows import DAYS, as_kept, by_default, reached_as_kept, reached_by_default

_LARGE_PAGE = 100
_Record = dict[str, Any]
_CELL = pl.Struct({"column": pl.String, "type": pl.String, "value": pl.String, "top_value": pl.String})


def _restated(records: Callable[[Page, Any], Iterable[Any]]) -> Callable[[Page], Page]:
    """Return what writes an answer as the list of the records that are found in its data."""

    def restated(page: Page) -> Page:
        try:
            answer = page.read(dict[str, Any])
        except TransportError:  # told where its records are looked for
            return page
        data = answer.get("data")
        if not isinstance(data, dict):
            return page
        body = msgspec.json.encode({**answer, "data": list(records(page, data))})
        return replace(page, body=body, _read={})

    return restated


def _inside(value: Any, *names: str) -> Any:
    """Return what stands at the end of a way through objects; None where it breaks off."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _by_event(value: Any) -> Iterator[tuple[str, list[Any]]]:
    """Yield the list that an object has for each event."""
    if isinstance(value, dict):
        for event, found in value.items():
            yield event, _items(found)


def named_rows(rows: list[Any]) -> Iterator[_Record]:
    """Yield each row with its columns by name, which the first row gives; without such a row, what cannot be read."""
    if not rows:
        return
    header = rows[0]
    has_names = isinstance(header, list) and all(isinstance(name, str) for name in header)
    for row in rows[1:] if has_names else rows:
        is_row = has_names and isinstance(row, list) and len(row) == len(header)
        yield dict(zip(header, row, strict=True)) if is_row else {"dateTime": row}


# ---- deliveries ---------------------------------------------------------------------------------

_DETAILS = "/integrations/delivery/issues/{id}/details"
ISSUE: Schema = {
    "kind": pl.String,
    "reason": pl.String,
    "event_types": pl.List(pl.String),
    "events_count": pl.Int64,
    "last_seen": pl.Int64,
    "stream_hit_id": pl.String,
}


def _issues(page: Page, data: _Record) -> Iterator[Any]:
    """Yield the issues of one destination; what leads to its details is described by another name than it has."""
    for kind in ("error", "rejected"):
        for issue in _items(_inside(data, "attributes", kind)):
            if not isinstance(issue, dict):
                yield issue
                continue
            known = {name: value for name, value in issue.items() if name != "stream_hit"}
            yield {"kind": kind, "stream_hit_id": issue.get("stream_hit"), **known}


def _details(context: Context) -> Iterator[Request]:
    ids = context.rows["delivery_issues"]["stream_hit_id"].drop_nulls().unique(maintain_order=True)
    for id in ids:
        yield Request(path=fill_path(_DETAILS, id=id))


DELIVERIES = (
    listed(
        "delivery_healths",
        f"What was delivered to each destination in all, and how much more than before; kept {DAYS} days.",
        requests=delivery("healths"),
        note=as_kept,
        reached=reached_as_kept,
        needs_before_request=("destinations",),
        tags=("integration_id",),
        key=pl.col("_integration_id"),
        schema={
            "id": pl.String,
            "type": pl.String,
            "attributes": pl.Struct({"connector_type": pl.String, **fields.HEALTH}),
        },
    ),
    listed(
        "delivery_issues",
        f"Why deliveries to each destination failed or were rejected; kept {DAYS} days.",
        requests=delivery("issues"),
        note=as_kept,
        reached=reached_as_kept,
        needs_before_request=("destinations",),
        restate=_restated(_issues),
        tags=("integration_id",),
        key=pl.format("{}/{}/{}", pl.col("_integration_id"), pl.col("kind"), pl.col("reason")),
        schema=ISSUE,
    ),
    listed(
        "delivery_issue_details",
        "One delivery of each issue, without what was sent and answered.",
        requests=_details,
        needs_before_request=("delivery_issues",),
        schema={
            "id": pl.String,
            "type": pl.String,
            "attributes": pl.Struct({"timestamp": pl.Int64, "status": pl.String, "detail": pl.String}),
        },
        never_kept={
            "attributes.request": "a delivery as it was sent, with persons and keys of partners in it",
            "attributes.response": "what the partner answered to it",
        },
    ),
)

# ---- reports ------------------------------------------------------------------------------------


def _report_data(context: Context) -> Iterator[Request]:
    for id in context.rows["reports"]["id"].drop_nulls():
        path = fill_path("/ams/reports/{id}/data", id=id)
        yield Request(path=path, params={"page[size]": str(_LARGE_PAGE)}, tags={"report_id": id})


def _report_rows(page: Page, data: _Record) -> Iterator[Any]:
    """Yield each line of a report with its number; the document calls the list ``row``, and its example ``rows``."""
    number = whole_number(page.request.params.get("page[number]")) or 1
    pagination = _inside(page.read(dict[str, Any]), "meta", "pagination", "per_page")
    size = whole_number(pagination) or _LARGE_PAGE
    lines = _items(data.get("rows")) or _items(data.get("row"))
    for place, line in enumerate(lines, start=(number - 1) * size + 1):
        cells = line.items() if isinstance(line, dict) else ()
        yield {"row": place, "cells": [_cell(column, value) for column, value in cells]}


def _cell(column: str, value: Any) -> _Record:
    return {"column": column, **(value if isinstance(value, dict) else {"value": value})}


REPORTS = (
    listed(
        "report_data",
        "The lines of each live report, without its total: a cell for each of its columns.",
        requests=_report_data,
        needs_before_request=("reports",),
        page_size=PageSize(name="page[size]"),
        restate=_restated(_report_rows),
        tags=("report_id",),
        key=pl.format("{}/{}", pl.col("_report_id"), pl.col("row")),
        schema={"row": pl.Int64, "cells": pl.List(_CELL)},
    ),
)

# ---- events -------------------------------------------------------------------------------------


def _quality(page: Page, data: _Record) -> Iterator[_Record]:
    for event, rows in _by_event(_inside(data, "attributes", "validation", "statuses")):
        for row in named_rows(rows):
            yield {"event": event, **row}


_SAMPLE = "sample"


def _anomalies(page: Page, data: _Record) -> Iterator[Any]:
    for event, found in _by_event(_inside(data, "attributes", "validation", "anomalies")):
        for anomaly in found:
            if not isinstance(anomaly, dict):
                yield anomaly
                continue
            kept = {name: value for name, value in anomaly.items() if name != _SAMPLE}
            yield {"event": event, **kept}


def _quality_sources(page: Page, data: _Record) -> list[Any]:
    return _items(_inside(data, "attributes", "collection", "sources"))


_QUALITY = get("/monitoring/sources-data-quality")
_DATASET = pl.List(pl.List(pl.String))
_RELATED = pl.Struct({"data": pl.List(pl.Struct({"type": pl.String, "id": pl.String}))})


def _with_counts(page: Page) -> Page:
    """Return the answer with each event's counts in it, which stand beside the events."""
    try:
        answer = page.read(dict[str, Any])
    except TransportError:  # told where its records are looked for
        return page
    events = answer.get("data")
    if not isinstance(events, list):
        return page
    counts = {}
    for each in _items(answer.get("included")):
        if _inside(each, "type") == "dataset":
            counts[str(_inside(each, "id")).partition("/")[0]] = _inside(each, "attributes", "dataset")
    known = [{**each, "counts": counts.get(str(each.get("id")))} if isinstance(each, dict) else each for each in events]
    return replace(page, body=msgspec.json.encode({**answer, "data": known}), _read={})


EVENTS = (
    listed(
        "data_quality",
        "How many events of each type were collected and normalized, over time.",
        requests=_QUALITY,
        restate=_restated(_quality),
        key=pl.format("{}/{}", pl.col("event"), pl.col("dateTime")),
        schema={"event": pl.String, "dateTime": pl.String, "collected": pl.Int64, "normalized": pl.Int64},
    ),
    listed(
        "data_quality_anomalies",
        "What is wrong with events of each type, and how often; without samples of them.",
        requests=_QUALITY,
        restate=_restated(_anomalies),
        key=pl.format("{}/{}/{}", pl.col("event"), pl.col("path"), pl.col("message")),
        schema={
            "event": pl.String,
            **dict.fromkeys(("level", "path", "message", "date"), pl.String),
            "count": pl.Int64,
        },
        never_kept={_SAMPLE: "an event as it was collected, with what it says of a visitor"},
    ),
    listed(
        "data_quality_sources",
        "Which sources events were collected by, with their health.",
        requests=_QUALITY,
        restate=_restated(_quality_sources),
        key=pl.col("reference"),
        schema={
            "reference": pl.String,
            "count": pl.Int64,
            "integration": pl.Struct(
                {
                    **dict.fromkeys(("label", "integration_type", "environment", "version", "status"), pl.String),
                    "has_undeployed_changes": pl.Boolean,
                    "last_run": pl.String,
                    "last_deployment": pl.Int64,
                    "health": pl.Float64,
                    "trend": pl.List(pl.Struct({"timestamp": pl.Int64, "value": pl.Float64})),
                }
            ),
        },
    ),
    listed(
        "collection_events",
        f"Events that were collected, with their counts and where they come from and go; the last {DAYS} days without "
        "since.",
        requests=collection,
        note=by_default,
        reached=reached_by_default,
        restate=_with_counts,
        schema={
            "id": pl.String,
            "type": pl.String,
            "attributes": pl.Struct({"name": pl.String}),
            "relationships": pl.Struct({"destinations": _RELATED, "sources": _RELATED}),
            "counts": _DATASET,
        },
    ),
)

# ---- cookies ------------------------------------------------------------------------------------


def _descriptions(context: Context) -> Iterator[Request]:
    attributes = context.rows["cookies"]["attributes"]
    for name in attributes.struct.field("name").drop_nulls().unique(maintain_order=True):
        path = fill_path("/privacy/cookie-scanner/cookie/description/{name}", name=name)
        yield Request(path=path, tags={"name": name})


COOKIES = (
    listed(
        "cookie_descriptions",
        "What each cookie is for, in the languages that the service has.",
        requests=_descriptions,
        needs_before_request=("cookies",),
        path=(),
        single=True,
        tags=("name",),
        key=pl.col("_name"),
        schema=dict.fromkeys(("description_en", "description_fr", "description_it"), pl.String),
    ),
)
MEASURED = (*DELIVERIES, *REPORTS, *EVENTS, *COOKIES)
