"""What an answer says of each row is read as it is meant, and what it does not say is no success."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crmlab.connector import Entry, Outcome, Page, Request, custom_entries, entries, inside_first
from crmlab.errors import TransportError, UsageError
from crmlab.providers import registry

IDS = ("N-1", "1", "2")
PEOPLE = [Entry(id_, {"email": f"{id_}@example.com"}) for id_ in IDS]
NEW = [Entry(None, entry.fields) for entry in PEOPLE]


def page(body: Any, **headers: str) -> Page:
    request = Request(path="/contacts", method="POST")
    return Page(request=request, status=200, headers=headers, body=json.dumps(body).encode())


def said(outcomes: Any) -> list[str]:
    """The first letter of each state: Sent, Refused, Unknown, Created."""
    return [outcome.state[0] for outcome in outcomes]


def target(provider: str) -> Any:
    return next(each for each in registry()[provider].targets() if each.table == "contacts")


@pytest.mark.parametrize(
    ("operation", "states"),
    [
        (
            {
                "status": "done",
                "items": [{"id": "N-1"}, {"id": 1, "errors": {"email": "v1c001"}}, {"id": "2"}],
            },
            "srs",
        ),
        ({"status": "done", "validation_errors": {"N-1": "v1c001"}}, "rss"),
        ({"status": "done", "validation_errors": {"0": "v1c001", "1": "v1c001"}}, "rrs"),
        # ids that look like places
        ({"status": "done", "validation_errors": {"1": "v1c001", "2": None}}, "srs"),
        ({"status": "done", "validation_errors": ["v1c001", None, "v1c001"]}, "rsr"),
        ({"status": "done", "validation_errors": [{"id": "2", "email": "v1c001"}]}, "ssr"),
        # of whom?
        ({"status": "done", "validation_errors": {"email": "v1c001"}}, "uuu"),
        ({"status": "done", "validation_errors": ["v1c001"]}, "uuu"),
        ({"status": "done", "validation_errors": "not good"}, "uuu"),
        ({"status": "failed"}, "rrr"),
        ({"status": "failed", "items": [{"id": "N-1"}, {"id": "1", "error": "no"}]}, "uru"),
    ],
)
def test_errors_of_an_upload_are_of_the_contact_that_they_name_or_nobody_knows(
    operation: dict[str, Any], states: str
) -> None:
    assert "".join(said(target("complero").followed(page(operation), PEOPLE))) == states


def test_an_upload_that_cannot_be_followed_and_one_without_an_item_are_told() -> None:
    contacts = target("complero")

    with pytest.raises(TransportError, match="names no operation"):
        contacts.read(page({"message": "taken"}), PEOPLE)
    with pytest.raises(TransportError, match="tells no status"):
        contacts.followed(page({"message": "later"}), PEOPLE)
    ended = contacts.followed(page({"status": "done", "items": [{"id": "N-1"}]}), PEOPLE)

    assert [bool(outcome.reason) for outcome in ended] == [False, True, True]


@pytest.mark.parametrize(
    ("result", "states", "told"),
    [
        ([{"profile_id": "a"}, {"error": 450}, {"profile_id": "c"}], "srs", ""),
        # in another order
        ([{"email": "2@example.com", "error": 450}, {"email": "N-1@example.com"}], "sur", ""),
        ([{"profile_id": "a"}, {"error": 450}], "uuu", "2 profiles in place of 3"),
        ([{"profile_id": "a"}] * 4, "sss", "4 profiles in place of 3"),
        ({"errors": 1}, "sss", "does not tell of each"),
    ],
)
def test_what_an_import_answers_is_of_the_profile_that_it_names_or_of_none(
    result: Any, states: str, told: str
) -> None:
    outcomes = target("altcraft").read(page({"error": 0, "result": result}), NEW)

    assert "".join(said(outcomes)) == states
    assert told in outcomes[0].reason


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("onepagecrm", {"data": {"contact": {"id": "7"}}}),
        ("relenta", {"data": {"id": 7}}),
        ("altcraft", {"profile_id": "7"}),
    ],
)
def test_only_an_answer_that_names_the_id_says_that_a_record_is_there(
    provider: str, body: dict[str, Any]
) -> None:
    read = target(provider).read

    if provider != "altcraft":  # which tells of new profiles by their addresses
        assert read(page(body), NEW[:1]) == [Outcome(state="created", id="7")]
    assert read(page(body), [Entry("7", {})]) == [Outcome(state="updated", id="7")]
    with pytest.raises(TransportError, match="names no id"):
        read(page({"message": "later"}), [Entry("7", {})])
    with pytest.raises(TransportError, match="names another id"):
        read(page(body), [Entry("8", {})])


def test_an_import_without_an_answer_is_not_taken_for_a_success() -> None:
    nothing = Page(request=Request(path="/import", method="POST"), status=204, headers={}, body=b"")

    with pytest.raises(TransportError, match="has no content"):
        target("altcraft").read(nothing, NEW)


@pytest.mark.parametrize("there", ["text", ["text"], {"value": "a"}, 5])
def test_a_list_that_is_not_as_documented_is_not_replaced(there: Any) -> None:
    custom = [{"key": "k", "value": "v"}]

    for write, value in (
        (entries("emails"), ["a@example.com"]),
        (inside_first("emails", "city"), "Bonn"),
        (custom_entries("emails", "field"), custom),
    ):
        with pytest.raises(UsageError, match="would be lost"):
            write(value, {"emails": there})


@pytest.mark.parametrize(
    "errors",
    [{"0": "v1c001"}, ["v1c001", None], "not good", ["v1c001"]],
)
def test_a_place_blames_nobody_where_others_of_the_request_were_refused_before(errors: Any) -> None:
    left = [Entry(id_, {}, keeps_place=False) for id_ in IDS[1:]]
    operation = page({"status": "done", "validation_errors": errors})

    for records in (left, left[:1]):
        outcomes = target("complero").followed(operation, records)
        assert {outcome.state for outcome in outcomes} == {"unknown"}
        assert all("not of which contact" in outcome.reason for outcome in outcomes)

    by_id = target("complero").followed(
        page({"status": "done", "validation_errors": {"2": "v1c001"}}), left
    )
    assert "".join(said(by_id)) == "sr"
