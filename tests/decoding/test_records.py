"""Pages cut into records, and records of others found inside them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.connector.page import Page
from crmlab.connector.request import Request
from crmlab.connector.resource import Resource
from crmlab.decoding.records import Record, as_listed, held, records, unknown_fields
from crmlab.errors import TransportError
from crmlab.providers.onepagecrm import PROVIDER

CONTACTS, NOTES = PROVIDER.resource("contacts"), PROVIDER.resource("notes")
STATUSES, SOURCES = PROVIDER.resource("statuses"), PROVIDER.resource("lead_sources")
JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text().filter(lambda key: key != "note"), JSONS, max_size=4)


def page(body: Any, **tags: str) -> Page:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Page(request=Request(path="/list", tags=tags), status=200, headers={}, body=text)


def plain(found: list[Record] | None) -> Any:
    return None if found is None else [json.loads(record.text) for record in found]


def inside(
    *items: Any, way: tuple[str, ...] = ("notes",), resource: Resource = NOTES, whole: bool = False
) -> Any:
    holder = Resource(name="holder", doc="", requests=lambda _: (), schema={}, path=())
    [texts] = held(page(list(items)), holder, frozenset({way}), whole=True).values()
    return None if texts is None else plain(as_listed(texts, resource, whole=whole))


# ---- of a page ----------------------------------------------------------------------------------


@given(st.lists(OBJECTS, max_size=5))
def test_the_records_of_a_page_are_the_items_of_its_list_as_they_stand(items: list[Any]) -> None:
    body = {"status": 0, "data": {"notes": [{"note": item, "beside": 1} for item in items]}}

    assert plain(records(page(body), NOTES)) == items
    assert plain(records(page(body), NOTES, whole=True)) == body["data"]["notes"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"data": {"notes": []}}, []),
        ({"data": {"notes": None}}, []),
        ({"data": None}, []),
        ({}, []),
        ({"data": {"notes": {"note": {"id": 1}}}}, [{"id": 1}]),
        ({"data": {"notes": [None, {"note": {"id": 1}}]}}, [{"id": 1}]),
        ({"data": {"notes": [{"note": None}]}}, [{}]),
        ({"data": {"notes": [{"other": 1}]}}, [{}]),
        ({"data": {"notes": [5, {"note": {"id": 1}}]}}, [5, {"id": 1}]),
    ],
    ids=[
        "empty",
        "null",
        "no data",
        "nothing",
        "one object",
        "null item",
        "null record",
        "no record",
        "no object",
    ],
)
def test_lists_of_any_shape(body: Any, found: list[Any]) -> None:
    assert plain(records(page(body), NOTES)) == found


@pytest.mark.parametrize("body", [b"<html>", b'{"data":{"notes":[{"note":', {"data": 5}, [1]])
def test_a_body_without_a_way_to_the_list_is_an_error(body: Any) -> None:
    with pytest.raises(TransportError):
        records(page(body), NOTES)


def test_a_single_object_is_one_record_and_a_list_where_it_should_be_too() -> None:
    single = replace(NOTES, path=("data",), unwrap=None, single=True)

    assert plain(records(page({"data": {"id": 1}}), single)) == [{"id": 1}]
    assert plain(records(page({"data": [1, 2]}), single)) == [[1, 2]]
    assert records(page({"data": None}), single) == []


def test_an_answer_without_content_has_no_records() -> None:
    for path in ((), ("data",), ("data", "notes")):
        chosen = replace(NOTES, path=path)

        assert (
            records(Page(request=Request(path="/list"), status=204, headers={}, body=b""), chosen)
            == []
        )
        with pytest.raises(TransportError):
            records(Page(request=Request(path="/list"), status=200, headers={}, body=b""), chosen)


def test_records_know_the_constants_of_their_request() -> None:
    [record] = records(page({"data": {"notes": [{"note": {}}]}}, day="2026-01-01"), NOTES)

    assert record.tags == {"day": "2026-01-01"}


# ---- inside others ------------------------------------------------------------------------------


def test_records_come_as_their_own_list_gives_them_whichever_way_they_are_written() -> None:
    bare, wrapped = {"id": "1", "text": "x"}, {"note": {"id": "1", "text": "x"}}

    for written in (bare, wrapped):
        assert inside({"notes": [written]}) == [bare]
        assert inside({"notes": [written]}, whole=True) == [wrapped]


def test_what_stands_beside_a_wrapped_record_stays_there() -> None:
    item = {"note": {"id": "1"}, "next_action": 5}

    assert inside({"notes": [item]}, whole=True) == [item]
    assert inside({"notes": [item]}) == [{"id": "1"}]


@given(st.lists(OBJECTS, max_size=4), st.booleans())
def test_no_record_is_lost_or_changed(items: list[Any], wrapped: bool) -> None:
    holder = {
        "contact": {"id": "c"},
        "notes": [{"note": item} if wrapped else item for item in items],
    }

    assert inside(holder, {"contact": {}}, holder) == items * 2
    assert inside(holder, whole=True) == [{"note": item} for item in items]


@pytest.mark.parametrize(
    ("holder", "found"),
    [
        ({"notes": []}, []),
        ({"notes": {"id": "1"}}, [{"id": "1"}]),
        ({"notes": {"note": {"id": "1"}}}, [{"id": "1"}]),
        ({"notes": [None, {"id": "1"}]}, [{"id": "1"}]),
        ({"notes": None}, None),
        ({}, None),
        ([], None),
        (5, None),
        ("notes", None),
    ],
    ids=[
        "empty",
        "one object",
        "one wrapped",
        "null item",
        "null",
        "absent",
        "a list",
        "a number",
        "text",
    ],
)
def test_whether_and_what_an_answer_holds(holder: Any, found: Any) -> None:
    assert inside(holder) == found


def test_a_holder_without_them_costs_those_of_another_nothing() -> None:
    assert inside({"contact": {}}, {"notes": None}, {"notes": [{"id": "1"}]}) == [{"id": "1"}]
    assert inside() is None


def test_beside_what_is_no_object_nothing_is_held() -> None:
    assert inside({"notes": [{"id": "1"}]}, 5) is None  # and the list of its own is asked


def test_one_way_that_leads_nowhere_costs_another_nothing() -> None:
    holder, ways = (
        PROVIDER.resource("bootstrap"),
        frozenset({("statuses",), ("data", "settings", "pipelines")}),
    )

    found = held(
        page({"statuses": [{"id": "1"}], "data": {"settings": 5}}), holder, ways, whole=False
    )

    assert found == {("statuses",): [b'{"id": "1"}'], ("data", "settings", "pipelines"): None}


@pytest.mark.parametrize("between", [None, [], 5, {}, {"settings": None}, {"settings": [1]}])
def test_a_way_that_breaks_off_leads_to_nothing(between: Any) -> None:
    assert inside({"data": between}, way=("data", "settings", "pipelines")) is None


def test_a_way_of_several_steps_is_followed() -> None:
    answer = {"data": {"settings": {"pipelines": [{"id": "p"}]}}}
    pipelines = PROVIDER.resource("pipelines")

    assert inside(answer, way=("data", "settings", "pipelines"), resource=pipelines) == [
        {"id": "p"}
    ]


@pytest.mark.parametrize("whole", [False, True])
def test_null_among_the_records_of_another_list_is_nothing_as_in_their_own(whole: bool) -> None:
    own = page({"data": {"notes": [None, {"note": {"id": "7"}}]}})

    found = as_listed([b"null", b'{"id":"7"}'], NOTES, whole=whole)

    assert plain(found) == plain(records(own, NOTES, whole=whole))


def test_a_field_named_like_the_wrapper_is_no_wrapper() -> None:
    status = {"id": "1", "status": "lead", "text": "Lead"}

    for written in (status, {"status": status}):
        assert inside({"statuses": [written]}, way=("statuses",), resource=STATUSES) == [status]
        assert inside(
            {"statuses": [written]}, way=("statuses",), resource=STATUSES, whole=True
        ) == [{"status": status}]


def test_records_without_a_wrapper_stay_as_they_are() -> None:
    source = {"id": "1", "text": "Web"}

    for whole in (False, True):
        assert inside(
            {"lead_sources": [source]}, way=("lead_sources",), resource=SOURCES, whole=whole
        ) == [source]


def test_what_is_no_object_comes_along_to_be_rejected() -> None:
    assert inside({"notes": [5, {"id": "1"}]}) == [5, {"id": "1"}]
    assert inside({"notes": "many"}, whole=True) == [{"note": "many"}]


WAYS = frozenset({("notes",)})


def test_what_is_handed_on_does_not_stand_beside_the_record_as_well() -> None:
    item = {"contact": {"id": "1"}, "next_action": None, "company": {"id": "c"}}
    answer = page({"data": {"contacts": [{**item, "notes": [{"id": "7"}]}, {"contact": None}]}})

    assert plain(records(answer, CONTACTS, whole=True, ways=WAYS)) == [item, {"contact": None}]
    assert held(answer, CONTACTS, WAYS, whole=True) == {("notes",): [b'{"id": "7"}']}


@pytest.mark.parametrize(
    "item",
    [
        {"contact": {"id": "1"}, "horoscope": "lion", "notes": [{"id": "7"}]},
        {"id": "1", "notes": [{"id": "7"}]},
        {"contact": {"id": "1"}, "notes": {"id": "7"}},
    ],
    ids=["a field nobody documented", "no wrapper", "one object for a list"],
)
def test_an_item_of_another_shape_stays_as_it_came(item: dict[str, Any]) -> None:
    answer = page({"data": {"contacts": [item]}})

    assert plain(records(answer, CONTACTS, whole=True, ways=WAYS)) == [item]
    assert held(answer, CONTACTS, WAYS, whole=True) == {("notes",): [b'{"id": "7"}']}


# ---- fields nobody documented -------------------------------------------------------------------


def test_unknown_fields_are_found_in_the_record_and_beside_it() -> None:
    known = frozenset({*CONTACTS.schema, *CONTACTS.envelope_fields, "contact"})  # type: ignore[misc]
    found = [
        {"contact": {"id": "1", "shoe_size": 43}, "horoscope": "lion"},
        {"contact": None, "shoe_size": 1},
        5,
    ]

    strange = unknown_fields(
        CONTACTS, known, [Record(json.dumps(item).encode(), {}) for item in found]
    )

    assert sorted(strange) == ["horoscope", "shoe_size"]
