"""Answers whose list stands elsewhere are read; what holds no list is no answer, and its values are not told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crmlab.connector import Page, Provider, Request, Resource
from crmlab.decoding import as_documented, records
from crmlab.errors import TransportError
from crmlab.providers import registry

EVENTS = registry()["complero"].resource("events")
NOTES = registry()["onepagecrm"].resource("notes")
USERS = registry()["onepagecrm"].resource("users")
SOURCES = registry()["commanders_act"].resource("sources")
HISTORY = registry()["altcraft"].resource("history")
EMPLOYEES = registry()["complero"].resource("employees")
ENVELOPES = {"altcraft": {"error": 0}, "relenta": {"status": True, "code": 200}}
GATEWAY = "Service temporarily unavailable"
NO_ANSWERS: list[Any] = [
    {"message": GATEWAY},
    {},
    {"error": GATEWAY},
    {"data": None},
    {"errors": [{"id": "1", "title": GATEWAY}]},
    {"type": "about:blank", "title": GATEWAY, "status": 503},
    {"timestamp": "2026-01-01T00:00:00Z", "status": 503, "error": GATEWAY, "path": "/list"},
    None,
    GATEWAY,
    5,
    True,
]


def page(body: Any) -> Page:
    return Page(
        request=Request(path="/list"), status=200, headers={}, body=json.dumps(body).encode()
    )


def read(body: Any, resource: Resource) -> tuple[list[Any], str]:
    """Return the records of an answer, and where they stood if not where they are documented."""
    accepted = as_documented(page(body), resource)
    return [json.loads(record.text) for record in records(accepted, resource)], accepted.list_at


def lists(provider: Provider) -> list[Any]:
    return [pytest.param(each, id=f"{provider.name}.{each.name}") for each in provider.resources]


STRICT = [
    each
    for name in ("onepagecrm", "commanders_act", "complero")
    for each in lists(registry()[name])
]
TOLERANT = [each for name in ("altcraft", "relenta") for each in lists(registry()[name])]


@pytest.mark.parametrize("body", NO_ANSWERS, ids=json.dumps)
@pytest.mark.parametrize("resource", STRICT)
def test_any_json_is_no_empty_list_and_only_names_are_told(resource: Resource, body: Any) -> None:
    with pytest.raises(TransportError, match=f"of {resource.name} is documented") as failed:
        as_documented(page(body), resource)

    assert GATEWAY not in str(failed.value)
    if isinstance(body, dict):
        assert all(name in str(failed.value) for name in body)


@pytest.mark.parametrize("resource", TOLERANT)
@pytest.mark.parametrize("data", [{"data": None}, {"data": []}, {"data": {}}, {}], ids=json.dumps)
def test_where_the_envelope_tells_success_nothing_is_an_empty_list(
    resource: Resource, data: dict[str, Any]
) -> None:
    name = "altcraft" if resource in registry()["altcraft"].resources else "relenta"

    assert read({**ENVELOPES[name], **data}, resource) == ([], "")


@pytest.mark.parametrize("resource", TOLERANT)
def test_a_text_in_the_place_of_a_list_is_no_empty_list(resource: Resource) -> None:
    name = "altcraft" if resource in registry()["altcraft"].resources else "relenta"

    with pytest.raises(TransportError):
        as_documented(page({**ENVELOPES[name], "data": GATEWAY}), resource)


def test_a_list_where_it_is_documented_is_handed_on_as_it_came() -> None:
    came = page({"status": 0, "data": {"notes": [{"note": {"id": "1"}}], "max_page": 1}})

    assert as_documented(came, NOTES) is came


@pytest.mark.parametrize(
    ("body", "resource", "where"),
    [
        ({"data": [{"id": "1"}]}, EVENTS, "data"),
        ({"events": [{"id": "1"}]}, EVENTS, "events"),
        ({"data": {"events": [{"id": "1"}]}}, EVENTS, "data.events"),
        ({"error": 0, "data": {"items": [{"id": "1"}]}}, HISTORY, "data.items"),
        ({"error": 0, "items": [{"id": "1"}]}, HISTORY, "items"),
        ([{"id": "1"}], SOURCES, "the body itself"),
        ({"data": {"data": [{"id": "1"}]}}, SOURCES, "data.data"),
        ({"data": {"ads": [{"id": "1"}], "mail": []}}, SOURCES, "data.*"),
        ({"data": {"1": {"id": "1"}}}, SOURCES, "data.*"),
        ({"status": 0, "notes": [{"note": {"id": "1"}}]}, NOTES, "notes"),
        ({"status": 0, "data": [{"note": {"id": "1"}}]}, NOTES, "data"),
        ({"status": 0, "data": {"users": [{"user": {"id": "1"}}]}}, USERS, "data.users"),
        ({"data": {"id": "1"}}, EMPLOYEES, "data"),
        ([{"id": "1"}], EMPLOYEES, "the body itself"),
    ],
)
def test_a_list_that_stands_elsewhere_is_read_and_its_place_told(
    body: Any, resource: Resource, where: str
) -> None:
    assert read(body, resource) == ([{"id": "1"}], where)


def test_an_empty_list_elsewhere_is_empty_but_not_beside_an_error() -> None:
    assert read({"events": []}, EVENTS) == ([], "events")
    with pytest.raises(TransportError):
        as_documented(page({"events": [], "error": GATEWAY}), EVENTS)


def test_one_record_where_a_list_is_documented_is_a_list_of_one() -> None:
    assert read({"data": {"notes": {"note": {"id": "1"}}}}, NOTES) == ([{"id": "1"}], "")
    assert read({"id": "1"}, EVENTS) == ([{"id": "1"}], "")


@pytest.mark.parametrize(
    "gateway",
    [
        {"id": "req-1", "message": "later"},
        {"id": "req-1", "status": "failed", "type": "error"},
        {"id": "req-1", "trace_id": "t", "error_class": "upstream"},
        [{"cause": "later"}],
    ],
)
@pytest.mark.parametrize("resource", [EVENTS, EMPLOYEES])
def test_an_error_with_an_id_is_no_record(resource: Resource, gateway: Any) -> None:
    with pytest.raises(TransportError, match="is documented"):
        as_documented(page(gateway), resource)


@pytest.mark.parametrize("body", [{"data": {}}, {"data": {"message": "later"}}])
def test_an_envelope_around_nothing_is_no_single_record(body: Any) -> None:
    with pytest.raises(TransportError, match="is documented"):
        as_documented(page(body), registry()["onepagecrm"].resource("bootstrap"))


def test_what_stands_beside_a_list_is_found_where_it_is_documented() -> None:
    resource = NOTES
    for body in (
        {"status": 0, "data": {"items": [{"note": {"id": "1"}}], "total_count": 3, "max_page": 2}},
        {"status": 0, "notes": [{"note": {"id": "1"}}], "total_count": 3, "max_page": 2},
    ):
        accepted = as_documented(page(body), resource)

        assert resource.total
        assert resource.total(accepted) == 3
    pointer = {"error": 0, "data": {"items": [{"event_id": "1"}], "next_from_id": "b"}}
    moved = as_documented(page(pointer), HISTORY)
    assert json.loads(moved.body)["next_from_id"] == "b"


@pytest.mark.parametrize("more", [{}, {"new_a": 1, "new_b": 2, "new_c": 3, "new_d": 4}])
def test_a_record_that_says_no_to_everything_is_one(more: dict[str, int]) -> None:
    resource = registry()["altcraft"].resource("campaign_status")
    state = {"is_active": False, "is_completed": False, "status": "Inactive", **more}

    assert read({"error": 0, "error_text": "", "data": state}, resource)[0] == [state]


def test_what_is_no_json_is_no_answer() -> None:
    broken = Page(request=Request(path="/list"), status=200, headers={}, body=b'{"data": [')

    with pytest.raises(TransportError, match="not the expected JSON"):
        as_documented(broken, SOURCES)
