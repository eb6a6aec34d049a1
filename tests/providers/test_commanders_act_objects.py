"""Lists of the platform's objects, and what is measured: answers as the vendor writes them, and otherwise."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from crmlab.connector import Context, Page, Request
from crmlab.decoding.decoder import RAW, Decoded, decoder
from crmlab.decoding.records import records
from crmlab.providers.commanders_act import PROVIDER
from crmlab.providers.commanders_act.measured import named_rows

NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
SECRET = "a-key-of-a-partner"
HEADER = ["dateTime", "collected", "normalized"]


def page(
    content: Any, *, path: str = "/x", tags: dict[str, str] | None = None, **params: str
) -> Page:
    request = Request(path=path, params=params, tags=tags or {})
    return Page(request=request, status=200, headers={}, body=json.dumps(content).encode())


def read(name: str, content: Any, **more: Any) -> Decoded:
    """Decode a whole answer as a fetch does: restated, cut into records, read."""
    resource = PROVIDER.resource(name)
    reads = decoder(
        resource, Context(now=NOW), provider="commanders_act", account="a", tables=(), raw=True
    )
    found = resource.restate(page(content, **more))
    return reads(records(found, resource, whole=True))


def rows(name: str, data: Any, **more: Any) -> list[dict[str, Any]]:
    decoded = read(name, {"data": data} if PROVIDER.resource(name).path else data, **more)
    assert decoded.rejected.is_empty()
    frame: pl.DataFrame = decoded.frames[RAW]
    return frame.drop("provider", "account").to_dicts()


# ---- objects that differ from what is documented ------------------------------------------------


@pytest.mark.parametrize(
    "item",
    [
        {"id": 1, "attributes": {"label": "Web"}},
        {"id": "1", "attributes": [{"label": "Web"}]},
        {"id": "1", "attributes": {"id": "1", "type": "source", "attributes": {"label": "Web"}}},
        {"id": "1", "attributes": {'label"': "Web"}},
        {"id": "1", "attributes": {"label": "Web"}, "included": [{"id": "6"}]},
    ],
    ids=[
        "documented",
        "in a list",
        "inside itself",
        "a name with a quotation mark",
        "with what stands beside it",
    ],
)
@pytest.mark.parametrize("is_list", [True, False], ids=["list", "one"])
def test_an_object_is_read_in_each_form_that_the_document_has(
    item: dict[str, Any], is_list: bool
) -> None:
    (found,) = rows("source_catalog", [item] if is_list else item)

    assert (found["id"], found["attributes"]["label"]) == ("1", "Web")


@pytest.mark.parametrize(
    "data", [{"type": "user", "id": 7}, [{"type": "user", "id": "7"}]], ids=["one", "several"]
)
def test_one_related_object_where_several_may_be_is_a_list_of_one(data: Any) -> None:
    item = {"id": 3, "attributes": {"category": "x"}, "relationships": {"creator": {"data": data}}}

    (found,) = rows("alerts", [item])

    assert found["relationships"]["creator"]["data"] == [{"type": "user", "id": "7"}]


def test_a_rule_without_an_id_is_known_by_its_domain() -> None:
    decoded = read("redirect_rules", {"data": {"attributes": {"full_domain": "shop.example"}}})

    assert decoded.rejected.is_empty()
    assert decoded.frames[RAW].height == 1


# ---- what must not be kept ----------------------------------------------------------------------


KEEPS_SECRETS_OUT = [
    (resource.name, way)
    for resource in PROVIDER.resources
    for way in resource.never_kept
    if resource.path == ("data",)
]


@pytest.mark.parametrize(("name", "way"), KEEPS_SECRETS_OUT)
@pytest.mark.parametrize("spelled", ["object", "text"])
def test_what_may_hold_keys_is_in_no_frame_and_no_message(
    name: str, way: str, spelled: str
) -> None:
    *_, field = way.split(".")
    planted: Any = (
        {"token": SECRET} if spelled == "object" else f"https://partner.example.com?key={SECRET}"
    )
    # beside it something that is rejected, or cannot be read
    wrong = {
        "id": 1,
        "attributes": {field: planted, "label": {"no": "text"}, "name": ["no", "text"]},
    }

    decoded = read(name, {"data": [wrong, {"id": None, "attributes": {field: planted}}]})

    assert not any(
        SECRET in str(frame.to_dicts())
        for frame in (*decoded.frames.values(), decoded.rejected, decoded.misfits)
    )


# ---- deliveries ---------------------------------------------------------------------------------


def test_issues_of_a_destination_are_a_row_each() -> None:
    issue = {
        "reason": "timeout",
        "event_types": ["purchase"],
        "events_count": 3,
        "last_seen": 1649880808086,
    }
    data = {
        "id": "9",
        "attributes": {"error": [issue], "rejected": [issue | {"stream_hit_id": "h-1"}]},
    }

    found = rows("delivery_issues", data, tags={"integration_id": "9"})

    assert [(row["kind"], row["events_count"], row["stream_hit_id"]) for row in found] == [
        ("error", 3, None),
        ("rejected", 3, "h-1"),
    ]


def test_an_issue_leads_to_its_details_by_either_of_its_documented_names() -> None:
    data = {"attributes": {"error": [{"reason": "x", "stream_hit": "h-2"}], "rejected": []}}

    (found,) = rows("delivery_issues", data, tags={"integration_id": "9"})

    assert found["stream_hit_id"] == "h-2"


def test_details_are_asked_once_for_each_issue_that_leads_to_them() -> None:
    issues = pl.DataFrame({"stream_hit_id": ["h/1", None, "h-2", "h/1"]})

    asked = PROVIDER.resource("delivery_issue_details").requests(
        Context(now=NOW, rows={"delivery_issues": issues})
    )

    assert [each.path for each in asked] == [
        f"/integrations/delivery/issues/{id}/details" for id in ("h%2F1", "h-2")
    ]


# ---- reports ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rows", "row"])
def test_each_line_of_a_report_has_a_cell_for_each_column(name: str) -> None:
    line = {
        "name": {"type": "string", "value": "Spring"},
        "m-29": {"type": "number", "value": 878, "top_value": 900},
    }

    (found,) = rows(
        "report_data", {name: [line], "columns": ["name", "m-29"]}, tags={"report_id": "4"}
    )

    assert found == {
        "row": 1,
        "cells": [
            {"column": "name", "type": "string", "value": "Spring", "top_value": None},
            {"column": "m-29", "type": "number", "value": "878", "top_value": "900"},
        ],
        "_report_id": "4",
    }


def test_lines_are_numbered_through_all_pages_of_a_report() -> None:
    content = {"data": {"rows": [{}, {}]}, "meta": {"pagination": {"per_page": 10}}}

    decoded = read("report_data", content, tags={"report_id": "4"}, **{"page[number]": "3"})

    assert decoded.frames[RAW]["row"].to_list() == [21, 22]


# ---- events -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        ([HEADER], []),
        ([HEADER, ["t", 5, 4]], [{"dateTime": "t", "collected": 5, "normalized": 4}]),
        ([["normalized", "dateTime"], [4, "t"]], [{"normalized": 4, "dateTime": "t"}]),
        ([["t", 5, 4]], [{"dateTime": ["t", 5, 4]}]),
        ([HEADER, ["t", 5]], [{"dateTime": ["t", 5]}]),
    ],
    ids=["empty", "names only", "documented", "in another order", "no names", "a cell is missing"],
)
def test_rows_have_the_names_that_the_first_one_gives(
    given: list[Any], expected: list[dict[str, Any]]
) -> None:
    assert list(named_rows(given)) == expected


ISSUES = {"error": [{"reason": "timeout"}], "rejected": []}
STATUSES = {"purchase": [HEADER, ["t", 5, 4]]}
VALIDATION = {"statuses": STATUSES, "anomalies": {"search": []}}


@pytest.mark.parametrize(
    ("name", "data", "count", "doubt"),
    [
        ("delivery_issues", {"attributes": ISSUES}, 1, ""),
        ("delivery_issues", [{"attributes": ISSUES}], 1, ""),
        ("delivery_issues", {"attributes": {"error": [], "rejected": []}}, 0, ""),
        ("delivery_issues", [], 0, ""),
        (
            "delivery_issues",
            {"id": "1", "type": "delivery/issue"},
            0,
            "holds nothing at attributes.error",
        ),
        ("delivery_issues", {}, 0, "holds nothing at attributes.error"),
        (
            "delivery_issues",
            {"attributes": {**ISSUES, "rejected": {}}},
            1,
            "an object at attributes.rejected",
        ),
        (
            "delivery_issues",
            {"attributes": {"failed": [{}], "rejected": []}},
            0,
            "nothing at attributes.error",
        ),
        ("delivery_issues", [{"reason": "timeout"}], 1, "lists objects without attributes"),
        ("report_data", {"rows": []}, 0, ""),
        ("report_data", {"row": [{"a": 1}]}, 1, ""),
        ("report_data", {"lines": [{"a": 1}]}, 0, "holds nothing at rows"),
        ("report_data", {"rows": {"a": 1}}, 0, "holds an object at rows"),
        ("data_quality", {"attributes": {"validation": VALIDATION}}, 1, ""),
        ("data_quality", {"attributes": {"validation": {"statuses": {}}}}, 0, ""),
        ("data_quality", {"attributes": {"validation": {"statuses": {"purchase": []}}}}, 0, ""),
        (
            "data_quality",
            {"attributes": {"validations": VALIDATION}},
            0,
            "nothing at attributes.validation.statuses",
        ),
        (
            "data_quality",
            {"attributes": {"validation": {"statuses": {"purchase": None}}}},
            0,
            "validation.statuses.*",
        ),
        (
            "data_quality",
            {"attributes": {"validation": {"statuses": {"a": [["at", "n"], ["t", 5]]}}}},
            2,
            "collected",
        ),
        (
            "data_quality",
            {"attributes": {"validation": {"statuses": {"a": [["t", "5", "4"]]}}}},
            1,
            "collected",
        ),
        (
            "data_quality",
            {"attributes": {"validation": {"statuses": {"a": [HEADER[:2], ["t", 5]]}}}},
            1,
            "normalized",
        ),
        ("data_quality_anomalies", {"attributes": {"validation": VALIDATION}}, 0, ""),
        (
            "data_quality_anomalies",
            {"attributes": {"validation": {}}},
            0,
            "nothing at attributes.validation.anomalies",
        ),
        ("data_quality_sources", {"attributes": {"collection": {"sources": []}}}, 0, ""),
        (
            "data_quality_sources",
            {"attributes": {"collection": {"total": 3}}},
            0,
            "attributes.collection.sources",
        ),
    ],
)
def test_what_does_not_stand_where_it_is_documented_is_a_doubt(
    name: str, data: Any, count: int, doubt: str
) -> None:
    found = PROVIDER.resource(name).restate(page({"data": data}))

    assert len(found.read(dict[str, Any])["data"]) == count
    assert bool(found.doubts) is bool(doubt)
    assert doubt in " ".join(found.doubts)


def test_what_stands_beside_issues_under_another_name_is_told() -> None:
    data = {"attributes": {**ISSUES, "connector_type": "ads", "filtered": [{"reason": "x"}]}}

    found = PROVIDER.resource("delivery_issues").restate(page({"data": data}))

    assert found.remarks == (
        "answers hold what nobody documented inside attributes, which is not read: filtered",
    )


def test_a_line_of_a_report_that_is_no_object_is_rejected() -> None:
    assert (
        read(
            "report_data", {"data": {"rows": [["Spring", 8]]}}, tags={"report_id": "4"}
        ).rejected.height
        == 1
    )


def test_errors_beside_data_without_a_record_are_told() -> None:
    resource = PROVIDER.resource("delivery_issues")
    content = {
        "data": {"attributes": {"error": [], "rejected": []}},
        "errors": [{"title": "too slow"}],
    }

    assert "too slow" in resource.lacking(resource.restate(page(content)))


def test_a_row_without_names_is_kept_whole_where_nothing_tells_its_cells_apart() -> None:
    data = {"attributes": {"validation": {"statuses": {"page_view": [["2026-11-01", 5, 4]]}}}}

    (found,) = rows("data_quality", data)

    assert (found["dateTime"], found["collected"]) == ('["2026-11-01",5,4]', None)


def test_counts_of_events_stand_with_their_events() -> None:
    counts = [["dateTime", "value"], ["2026-11-01 10:00:00", "12.0"]]
    content = {
        "data": [{"id": "7-purchase", "attributes": {"name": "purchase"}}, {"id": "7-search"}],
        "included": [
            {
                "type": "dataset",
                "id": "7-purchase/stats/normalized",
                "attributes": {"dataset": counts},
            }
        ],
    }

    found = read("collection_events", content).frames[RAW]
    restate = PROVIDER.resource("collection_events").restate
    told = restate(page(content)).doubts
    told_of_others = restate(page({**content, "data": []})).doubts

    assert found["counts"].to_list() == [counts, None]
    assert told == ("an event came without its counts, which are documented to stand in included",)
    assert told_of_others == ("counts came of an event that is not listed with them",)


def test_anomalies_come_without_the_samples_of_events() -> None:
    anomaly = {
        "level": "warn",
        "count": 3,
        "path": "a",
        "message": "b",
        "sample": SECRET,
        "date": "2026-11-01",
    }
    data = {"attributes": {"validation": {"anomalies": {"purchase": [anomaly], "search": []}}}}

    (found,) = rows("data_quality_anomalies", data)

    assert (found["event"], found["count"]) == ("purchase", 3)
    assert SECRET not in str(found)
