"""What probes have in common: an answer looked at whatever its shape, and what it says of an assumption."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crmlab.connector import (
    Finding,
    Page,
    Request,
    has_fields,
    have_zone,
    honours_size,
    is_sorted,
    listed,
    member,
    stands_at,
)


def page(body: Any) -> Page:
    return Page(
        request=Request(path="/notes"), status=200, headers={}, body=json.dumps(body).encode()
    )


@pytest.mark.parametrize(
    ("body", "path", "records"),
    [
        ({"data": [{"id": 1}, "text", None]}, ("data",), [{"id": 1}]),
        (
            {"data": {"notes": [{"note": {"id": 1}}, {"id": 2}]}},
            ("data", "notes"),
            [{"id": 1}, {"id": 2}],
        ),
        ([{"id": 1}], (), [{"id": 1}]),
        ({"events": [{"id": 1}]}, (), [{"id": 1}]),
        ({"data": {"items": [{"id": 1}], "total": 1}}, ("data",), [{"id": 1}]),
        ({"data": {"notes": [{"id": 1}], "users": [{"id": 2}]}}, ("data",), []),
        ({"message": "Service temporarily unavailable"}, ("data",), []),
        ("text", ("data",), []),
    ],
)
def test_records_are_found_where_they_are_documented_or_as_the_only_list(
    body: Any, path: tuple[str, ...], records: list[Any]
) -> None:
    assert listed(page(body), *path, unwrap="note") == records


def test_what_is_no_json_holds_nothing() -> None:
    strange = Page(request=Request(path="/notes"), status=200, headers={}, body=b"<html>")

    assert listed(strange, "data") == []
    assert member(strange, "data") is None


@pytest.mark.parametrize(
    ("finding", "verdict", "said"),
    [
        (stands_at(page({"data": []}), "data"), "confirmed", "the list is data"),
        (stands_at(page([])), "confirmed", "the body itself"),
        (stands_at(page({"data": {"items": [{}]}}), "data"), "refuted", "an object of data"),
        (
            stands_at(page({"message": "x"}), "data"),
            "cannot be told",
            "no list: it is an object of message",
        ),
        (has_fields([], ("id",)), "cannot be told", "no record"),
        (
            has_fields([{}, {"id": 1, "at": 2}], ("id",), ("time", "at")),
            "confirmed",
            "1 looked at: id, at are there",
        ),
        (has_fields([{"key": 1}], ("id",)), "refuted", "no id; there are key"),
        (
            honours_size(page([]), [{}] * 3, 3, more=None, name="limit"),
            "confirmed",
            "3 were asked for",
        ),
        (
            honours_size(page([]), [{}] * 4, 3, more=None, name="limit"),
            "refuted",
            "limit is not looked at",
        ),
        (
            honours_size(page([]), [{}] * 2, 3, more=True, name="limit"),
            "refuted",
            "though there are more",
        ),
        (
            honours_size(page([]), [{}] * 2, 3, more=False, name="limit"),
            "cannot be told",
            "only 2 records",
        ),
        (
            honours_size(page([]), [], 3, more=True, name="limit"),
            "cannot be told",
            "only 0 records",
        ),
        (is_sorted(["2026", "2025", None], descending=True), "confirmed", "falling"),
        (is_sorted([1, 2], descending=True), "refuted", "not come in falling"),
        (is_sorted([1, 1], descending=True), "cannot be told", "the same"),
        (is_sorted([1, "2"], descending=False), "cannot be told", "no order"),
        (
            have_zone(["2026-01-05T12:03:32Z", "2026-01-05T12:03:32-05:00", None, ""]),
            "confirmed",
            "2 times",
        ),
        (
            have_zone(["2026-01-05 12:03:32", "2026-01-05T12:03:32Z"]),
            "refuted",
            "1 of 2 times say no zone",
        ),
        (have_zone(["2026-01-05", None]), "cannot be told", "no record has a time"),
    ],
)
def test_what_is_seen_confirms_refutes_or_tells_nothing(
    finding: Finding, verdict: str, said: str
) -> None:
    assert finding.verdict == verdict
    assert said in finding.found


def test_smaller_pages_are_a_fact() -> None:
    finding = honours_size(page([]), [{}] * 50, 100, more=True, name="page_size")

    assert finding.facts == {"page_size": 50}


def test_names_of_fields_are_shown_short_and_printable() -> None:
    finding = has_fields([{"a" * 100: 1, "b\n\x1b[31m": 2}], ("id",))

    assert "a" * 41 not in finding.found
    assert finding.found.isprintable()
