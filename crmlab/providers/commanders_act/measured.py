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

from crmlab.connector import (
    AnswerParts,
    Context,
    Page,
    PageSize,
    Request,
    Schema,
    fill_path,
    get,
    whole_number,
)
from crmlab.errors import TransportError
from crmlab.providers.commanders_act import fields
from crmlab.providers.commanders_act.asking import collection, delivery
from crmlab.providers.commanders_act.lists import listed
from crmlab.providers.commanders_act.windows import (
    DAYS,
    as_kept,
    by_default,
    reached_as_kept,
    reached_by_default,
)

_LARGE_PAGE = 100
_Record = dict[str, Any]
#: the columns of counts of events
_COUNTED: Schema = {"dateTime": pl.String, "collected": pl.Int64, "normalized": pl.Int64}
_CELL = pl.Struct(
    {"column": pl.String, "type": pl.String, "value": pl.String, "top_value": pl.String}
)


def _restated(
    *inside: str, by: Callable[[Page, AnswerParts], Iterable[Any]]
) -> Callable[[Page], Page]:
    """Return what writes an answer as the list of the records that are found in its data, or in each object of them.

    `inside`: under which of these names an object of the data holds its records.
    """

    def restated(page: Page) -> Page:
        try:
            answer = page.read(dict[str, Any])
        except TransportError:  # told where its records are looked for
            return page
        held_data = answer.get("data")
        holders = held_data if isinstance(held_data, list) else [held_data]
        objects = [candidate for candidate in holders if isinstance(candidate, dict)]
        if not objects:
            return page
        if isinstance(held_data, list) and set().union(*objects).isdisjoint(inside):
            # they may be the records themselves
            return replace(page, doubts=(f"an answer lists objects without {' or '.join(inside)}",))
        return _with_records(page, answer, holders, by)

    return restated


def _with_records(
    page: Page,
    answer: _Record,
    holders: Iterable[Any],
    by: Callable[[Page, AnswerParts], Iterable[Any]],
) -> Page:
    """Return the answer with the records of these objects as its data."""
    records: list[Any] = []
    doubts: dict[str, None] = {}
    remarks: dict[str, None] = {}
    for holder in holders:
        if not isinstance(holder, dict):  # rejected where records are read, as it is none
            records.append(holder)
            continue
        parts = AnswerParts(holder)
        records += by(page, parts)
        doubts |= parts.doubts
        remarks |= parts.remarks
    body = msgspec.json.encode({**answer, "data": records})
    return replace(page, body=body, doubts=tuple(doubts), remarks=tuple(remarks), _read={})


def _inside(value: Any, *names: str) -> Any:
    """Return what stands at the end of a way through objects; None where it breaks off."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def named_rows(rows: list[Any]) -> Iterator[_Record]:
    """Yield each row with its columns by name, which the first row gives; without such a row, what cannot be read."""
    if not rows:
        return
    header = rows[0]
    if not _names_columns(header):
        for row in rows:
            yield {"dateTime": row}
        return
    for row in rows[1:]:
        if isinstance(row, list) and len(row) == len(header):
            yield dict(zip(header, row, strict=True))
        else:  # no time is a list: it is told as what cannot be read
            yield {"dateTime": row}


def _names_columns(row: Any) -> bool:
    """Whether a row names columns: a row of texts may be one of values."""
    if not isinstance(row, list) or not all(isinstance(name, str) for name in row):
        return False
    return len({*row}) == len(row) and not {*row}.isdisjoint(_COUNTED)


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


_KINDS_OF_ISSUES = ("error", "rejected")


def _issues(page: Page, parts: AnswerParts) -> Iterator[Any]:
    """Yield the issues of one destination; what leads to its details is described by another name than it has."""
    parts.note_others("attributes", known=("connector_type", *_KINDS_OF_ISSUES))
    for kind in _KINDS_OF_ISSUES:
        for issue in parts.list_at("attributes", kind):
            if not isinstance(issue, dict):
                yield issue
                continue
            documented = {name: value for name, value in issue.items() if name != "stream_hit"}
            yield {"kind": kind, "stream_hit_id": issue.get("stream_hit"), **documented}


def _details(context: Context) -> Iterator[Request]:
    ids = context.rows["delivery_issues"]["stream_hit_id"].drop_nulls().unique(maintain_order=True)
    for issue_id in ids:
        yield Request(path=fill_path(_DETAILS, id=issue_id))


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
        restate=_restated("attributes", by=_issues),
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
            "attributes": pl.Struct(
                {"timestamp": pl.Int64, "status": pl.String, "detail": pl.String}
            ),
        },
        never_kept={
            "attributes.request": "a delivery as it was sent, with persons and keys of partners in it",
            "attributes.response": "what the partner answered to it",
        },
    ),
)

# ---- reports ------------------------------------------------------------------------------------


def _report_data(context: Context) -> Iterator[Request]:
    params = {"page[size]": str(_LARGE_PAGE)}
    for report_id in context.rows["reports"]["id"].drop_nulls():
        path = fill_path("/ams/reports/{id}/data", id=report_id)
        yield Request(path=path, params=params, tags={"report_id": report_id})


def _report_rows(page: Page, parts: AnswerParts) -> Iterator[Any]:
    """Yield each line of a report with its number; the document calls the list ``row``, and its example ``rows``."""
    page_number = whole_number(page.request.params.get("page[number]")) or 1
    pagination = _inside(page.read(dict[str, Any]), "meta", "pagination", "per_page")
    page_size = whole_number(pagination) or _LARGE_PAGE
    parts.note_others(known=("rows", "row", "total", "columns"))
    report_lines = parts.list_at("rows", also="row")
    for line_number, report_line in enumerate(
        report_lines, start=(page_number - 1) * page_size + 1
    ):
        if not isinstance(report_line, dict):  # rejected, as it is no record
            yield report_line
            continue
        yield {
            "row": line_number,
            "cells": [_cell(column, value) for column, value in report_line.items()],
        }


def _cell(column: str, value: Any) -> _Record:
    if not isinstance(value, dict):
        return {"column": column, "value": value}
    return {"column": column, **value}


REPORTS = (
    listed(
        "report_data",
        "The lines of each live report, without its total: a cell for each of its columns.",
        requests=_report_data,
        needs_before_request=("reports",),
        page_size=PageSize(name="page[size]"),
        restate=_restated("rows", "row", by=_report_rows),
        tags=("report_id",),
        key=pl.format("{}/{}", pl.col("_report_id"), pl.col("row")),
        schema={"row": pl.Int64, "cells": pl.List(_CELL)},
    ),
)

# ---- events -------------------------------------------------------------------------------------


_VALIDATION = ("attributes", "validation")
_COLLECTION = ("attributes", "collection")


def _note_others(parts: AnswerParts) -> None:
    """Say what an answer on quality holds that no list of ours reads."""
    parts.note_others("attributes", known=("eventNames", "validation", "collection"))
    parts.note_others(*_VALIDATION, known=("statuses", "anomalies"))
    parts.note_others(*_COLLECTION, known=("total", "sources"))


def _quality(page: Page, parts: AnswerParts) -> Iterator[_Record]:
    _note_others(parts)
    for event, rows in parts.lists_at(*_VALIDATION, "statuses"):
        for row in named_rows(rows):
            missing = [name for name in _COUNTED if name not in row]
            if missing:
                parts.doubt(
                    f"rows of counts of events have nothing that can be read as {', '.join(missing)}"
                )
            yield {"event": event, **row}


_SAMPLE = "sample"


def _anomalies(page: Page, parts: AnswerParts) -> Iterator[Any]:
    _note_others(parts)
    for event, anomalies in parts.lists_at(*_VALIDATION, "anomalies"):
        for anomaly in anomalies:
            if not isinstance(anomaly, dict):
                yield anomaly
                continue
            without_sample = {"event": event, **anomaly}
            # an event as it was collected: it says something of a visitor
            without_sample.pop(_SAMPLE, None)
            yield without_sample


def _quality_sources(page: Page, parts: AnswerParts) -> list[Any]:
    _note_others(parts)
    return parts.list_at(*_COLLECTION, "sources")


_QUALITY = get("/monitoring/sources-data-quality")
_DATASET = pl.List(pl.List(pl.String))
_RELATED = pl.Struct({"data": pl.List(pl.Struct({"type": pl.String, "id": pl.String}))})


def _with_counts(page: Page) -> Page:
    """Return the answer with each event's counts in it, which stand beside the events."""
    try:
        answer = page.read(dict[str, Any])
    except TransportError:  # told where its records are looked for
        return page
    listed_events = answer.get("data")
    if not isinstance(listed_events, list):
        return page
    counts = _counts_by_event(answer.get("included"))
    events_with_counts: list[Any] = []
    listed_ids: set[str] = set()
    doubts: dict[str, None] = {}
    for event in listed_events:
        if not isinstance(event, dict):
            events_with_counts.append(event)
            continue
        event_id = str(event.get("id"))
        own_counts = counts.get(event_id)
        listed_ids.add(event_id)
        if own_counts is None:
            doubts.setdefault(
                "an event came without its counts, which are documented to stand in included"
            )
        events_with_counts.append({**event, "counts": own_counts})
    if counts.keys() - listed_ids:
        doubts.setdefault("counts came of an event that is not listed with them")
    body = msgspec.json.encode({**answer, "data": events_with_counts})
    return replace(page, body=body, doubts=tuple(doubts), _read={})


def _counts_by_event(included: Any) -> dict[str, Any]:
    """Return the rows of counts by the id of their event, which theirs begins with."""
    if not isinstance(included, list):
        return {}
    counts = {}
    for included_object in included:
        if _inside(included_object, "type") == "dataset":
            event_id, _, _ = str(_inside(included_object, "id")).partition("/")
            counts[event_id] = _inside(included_object, "attributes", "dataset")
    return counts


EVENTS = (
    listed(
        "data_quality",
        "How many events of each type were collected and normalized, over time.",
        requests=_QUALITY,
        restate=_restated("attributes", by=_quality),
        key=pl.format("{}/{}", pl.col("event"), pl.col("dateTime")),
        schema={"event": pl.String, **_COUNTED},
    ),
    listed(
        "data_quality_anomalies",
        "What is wrong with events of each type, and how often; without samples of them.",
        requests=_QUALITY,
        restate=_restated("attributes", by=_anomalies),
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
        restate=_restated("attributes", by=_quality_sources),
        key=pl.col("reference"),
        schema={
            "reference": pl.String,
            "count": pl.Int64,
            "integration": pl.Struct(
                {
                    **dict.fromkeys(
                        ("label", "integration_type", "environment", "version", "status"), pl.String
                    ),
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
