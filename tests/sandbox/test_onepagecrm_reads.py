"""Every documented read of OnePageCRM is served from the world, and refused as documented."""

from __future__ import annotations

from typing import Any

import pytest

import crmlab
from crmlab.connector.operation import Operation
from crmlab.errors import NotFoundError
from crmlab.providers import registry
from crmlab.sandbox.world.generate import generate
from tests.sandbox.asking import asked

WORLD = generate(80, seed=4)
PEOPLE = WORLD.people_in("onepagecrm")
UNKNOWN = "0" * 24
READS = [each for each in registry()["onepagecrm"].operations() if not each.writes]
#: stands in the sandbox for the key of the account and those of its webhooks
SECRET = "never-to-be-stored"
#: lists that an id in a path is of, where it is not called like them
LISTED = {
    "last": "contacts",
    "relationship": "contacts/{contact_id}/relationships",
    "company": "companies",
}


def crm() -> Any:
    return crmlab.sandbox(WORLD, services=["onepagecrm"])


def first_id(answer: Any) -> str | None:
    """The first id in an answer."""
    if isinstance(answer, dict) and isinstance(answer.get("id"), str):
        return str(answer["id"])
    parts = (
        answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else []
    )
    return next((id for part in parts if (id := first_id(part))), None)


async def ids_for(account: crmlab.Account, operation: Operation) -> dict[str, str]:
    """An id that there is for each place of the operation's path."""
    ids: dict[str, str] = {}
    for part in (
        *operation.path_parts(),
        *(["contact_id"] if "contact_id" in str(operation.query) else []),
    ):
        kind = part.removesuffix("_id")
        plural = {"company": "companies", "status": "statuses"}.get(kind, f"{kind}s")
        listed = LISTED.get(kind, plural).format(**ids)
        (answer,) = await asked(account, f"/{listed}")
        ids[part] = first_id(answer["data"]) or ""
    return ids


@pytest.mark.slow
async def test_every_documented_read_is_answered() -> None:
    async with crm() as accounts, crmlab.Client(accounts) as client:
        for operation in READS:
            ids = await ids_for(accounts[0], operation)
            answer = await client.call(accounts[0], operation.name, **ids)

            assert answer["data"], operation.name
            assert SECRET not in str(answer), operation.name


async def test_the_secrets_are_there_to_be_left_out() -> None:
    async with crm() as accounts:
        answers = await asked(accounts[0], "/bootstrap", "/webhooks")

    assert all(SECRET in str(answer) for answer in answers)


async def test_an_id_that_nothing_has_is_refused() -> None:
    async with crm() as accounts, crmlab.Client(accounts) as client:
        for operation in READS:
            parts = dict.fromkeys(operation.path_parts(), UNKNOWN)
            if parts:
                with pytest.raises(NotFoundError):
                    await client.call(accounts[0], operation.name, **parts)


REFUSED = {
    "/attachments/s3_form": 400,
    f"/attachments/s3_form?contact_id={UNKNOWN}": 404,
    "/contacts?team=perhaps": 400,
    f"/contacts?team=true&filter_id={UNKNOWN}": 400,
    "/relationship_types?symmetrical=1": 400,
    "/relationship_types?sort_by=name": 400,
    "/notifications?page=0": 400,
    "/notifications?page=²": 400,
    "/filters?page=99999999999999999999": 400,
    f"/contacts/{PEOPLE[0].id}/relationships/{UNKNOWN}": 404,
}


async def test_what_is_asked_wrongly_is_refused() -> None:
    async with crm() as accounts:
        answers = await asked(accounts[0], *REFUSED)

    assert {
        path: answer["status"] for path, answer in zip(REFUSED, answers, strict=True)
    } == REFUSED


async def test_the_contacts_of_a_filter_are_those_that_it_describes() -> None:
    status = WORLD.statuses[0]
    async with crm() as accounts:
        (filters,) = await asked(accounts[0], "/filters")
        saved = next(
            each["filter"]
            for each in filters["data"]["filters"]
            if each["filter"]["name"] == status.text
        )
        run, alone, listed = await asked(
            accounts[0],
            f"/contacts/filters/{saved['id']}?per_page=100",
            f"/filters/{saved['id']}",
            f"/contacts?filter_id={saved['id']}&per_page=100",
        )

    mine = {person.id for person in PEOPLE if person.owner_id == WORLD.users[0].id}
    wanted = {person.id for person in PEOPLE if person.status_key == status.key} & mine
    assert run["data"]["per_page"] == 25
    assert run["data"]["filter"] == saved
    assert {item["contact"]["id"] for item in listed["data"]["contacts"]} == wanted
    for answer in (run, alone):
        assert {item["contact"]["id"] for item in answer["data"]["contacts"]} <= wanted
        assert answer["data"]["total_count"] == len(wanted)


async def test_the_streams_hold_those_with_something_to_do_the_most_urgent_first() -> None:
    async with crm() as accounts:
        mine, ours = await asked(
            accounts[0], "/action_stream?per_page=100", "/team_stream?per_page=100"
        )

    to_do = [action for action in WORLD.actions if not action.done]
    people = {person.id for person in PEOPLE}
    for answer, actions in (
        (mine, [action for action in to_do if action.assignee_id == WORLD.users[0].id]),
        (ours, to_do),
    ):
        found = [item["contact"]["id"] for item in answer["data"]["contacts"]]
        assert set(found) == {action.contact_id for action in actions} & people
        first = {action.status for action in actions if action.contact_id == found[0]}
        every = {action.status for action in actions if action.contact_id in people}
        assert ("asap" in first) == ("asap" in every)


async def test_a_relationship_is_the_same_from_both_ends() -> None:
    async with crm() as accounts:
        for person in PEOPLE:
            (answer,) = await asked(accounts[0], f"/contacts/{person.id}/relationships")
            if answer["data"]["relationships"]:
                break
        one = answer["data"]["relationships"][0]["relationship"]
        (other,) = {end["contact_id"] for end in one["related_contacts"]} - {person.id}
        (from_there,) = await asked(
            accounts[0], f"/contacts/{other}/relationships?contact_id_filter={person.id}"
        )
        stranger = next(each.id for each in PEOPLE if each.id not in (other, person.id))
        (of_stranger,) = await asked(accounts[0], f"/contacts/{stranger}/relationships/{one['id']}")

    assert from_there["data"]["relationships"] == [{"relationship": one}]
    assert of_stranger["status"] == 400
    assert all(end["variant_name"] for end in one["related_contacts"])


async def test_a_pinned_file_is_at_its_note_at_its_contact_and_at_its_company() -> None:
    async with crm() as accounts:
        (page,) = await asked(
            accounts[0], "/contacts?team=true&per_page=100&fields=pinned_attachments(all)"
        )
        pinned = [item for item in page["data"]["contacts"] if item["pinned_attachments"]]
        contact = next(item["contact"] for item in pinned if item["contact"].get("company_id"))
        of_contact, of_company, notes = await asked(
            accounts[0],
            f"/contacts/{contact['id']}/pinned_attachments",
            f"/companies/{contact['company_id']}/pinned_attachments?per_page=100",
            f"/contacts/{contact['id']}/notes?per_page=100",
        )

    files = of_contact["data"]["pinned_attachments"]
    assert files
    assert all(each["pinned"] for each in files)
    assert of_contact["total_count"] == len(files)
    assert {each["id"] for each in files} <= {
        each["id"] for each in of_company["data"]["pinned_attachments"]
    }
    at_notes = [file for item in notes["data"]["notes"] for file in item["note"]["attachments"]]
    assert all(file in at_notes for file in files)


async def test_two_sandboxes_of_the_same_world_answer_the_same() -> None:
    paths = (
        "/webhooks",
        "/filters",
        "/notifications",
        "/relationship_types",
        "/predefined_item_groups",
    )

    async def answers() -> list[Any]:
        async with crm() as accounts:
            return [answer["data"] for answer in await asked(accounts[0], *paths)]

    assert await answers() == await answers()
