from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import ClientSession

import crmlab
from crmlab.errors import AuthError, NotFoundError
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.services.complero.records import entries
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import ConsentEvent, Person, World

FAST = crmlab.Limits(concurrency=10)
KEY = {"Authorization": "Bearer sandbox-complero-key"}
SEEN = ("confirm", "update", "documentation")
HARD = 'é 🎉👩🏽\u200d💻 \x00 NUL \u2028line\u2029paragraph \u200f\u063a\u062f\u064b\u0627\u200f\r\n\ttab \\ "quote" \''


def small_world(count: int, **changes: Any) -> World:
    """`count` people whom Complero knows, with one confirmation each."""
    world = generate(max(count, 1), seed=3)
    people = [
        replace(person, services=frozenset({"complero"}), **changes)
        for person in world.people[:count]
    ]
    events = [
        ConsentEvent(
            id=f"e{person.number}", person_id=person.id, kind="confirm", channel="email", opted_in=True,
            source="form", has_documentation=False, at=world.now - timedelta(days=person.number % 300, hours=1),
        )
        for person in people
    ]  # fmt: skip
    return replace(world, people=people, consent_events=events)


def seen_in(world: World) -> list[ConsentEvent]:
    known = {person.id for person in world.people_in("complero")}
    return [
        event for event in world.consent_events if event.kind in SEEN and event.person_id in known
    ]


def people_of(world: World, events: list[ConsentEvent]) -> dict[str, Person]:
    people = world.people_by_id()
    return {people[event.person_id].complero_id: people[event.person_id] for event in events}


async def asked(
    accounts: Any, path: str, headers: dict[str, str] = KEY
) -> tuple[int, Any, Mapping[str, str]]:
    async with (
        ClientSession() as session,
        session.get(accounts.account("complero").base_url + path, headers=headers) as answer,
    ):
        return answer.status, await answer.json(), answer.headers


# ---- as the vendor documents it -----------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "sandbox-complero-key"}]
)
async def test_a_missing_or_wrong_key_is_refused(headers: dict[str, str]) -> None:
    async with crmlab.sandbox(small_world(1), services=["complero"]) as accounts:
        status, body, answered = await asked(accounts, "/events", headers)

    assert status == 401
    assert body == {"message": "unauthorized"}
    assert answered["Request-Id"]


async def test_ping_needs_no_key() -> None:
    async with crmlab.sandbox(small_world(1), services=["complero"]) as accounts:
        status, _, _ = await asked(accounts, "/ping", {})

    assert status == 200


async def test_every_answer_has_a_request_id_of_its_own() -> None:
    async with crmlab.sandbox(small_world(1), services=["complero"]) as accounts:
        paths = (
            "/ping",
            "/events",
            "/operations",
            "/contacts/none",
            "/nothing/there",
            "/events?limit=x",
        )
        ids = [(await asked(accounts, path))[2]["Request-Id"] for path in paths]

    assert len(set(ids)) == len(paths)


async def test_the_cursor_leads_through_all_events_by_time() -> None:
    async with crmlab.sandbox(small_world(25), services=["complero"]) as accounts:
        path, found, pages = "/events?limit=10", [], 0
        while path:
            _, body, headers = await asked(accounts, path)
            found += body
            pages += 1
            cursor = headers.get("Next-Cursor")
            assert ("Next-Link" in headers) == bool(cursor)
            path = f"/events?limit=10&cursor={cursor}" if cursor else ""

    times = [event["created_at"] for event in found if event]
    assert pages == 3
    assert len({event["id"] for event in found if event}) == len(times) == 25
    assert times == sorted(times)
    assert found.count({}) == 1


async def test_a_page_that_ends_with_the_list_has_no_cursor() -> None:
    async with crmlab.sandbox(small_world(10), services=["complero"]) as accounts:
        _, body, headers = await asked(accounts, "/events?limit=10")

    assert len(body) == 10
    assert "Next-Cursor" not in headers


async def test_without_a_type_only_updates_and_confirmations_come() -> None:
    async with crmlab.sandbox(generate(300, seed=2), services=["complero"]) as accounts:
        _, default, _ = await asked(accounts, "/events")
        _, documents, _ = await asked(accounts, "/events?type=documentation")

    assert {event["type"] for event in default if event} == {"update", "confirm"}
    assert {event["type"] for event in documents if event} == {"documentation"}
    assert any("contact" not in event for event in documents if event)


async def test_times_and_types_and_cursors_that_make_no_sense_are_refused() -> None:
    async with crmlab.sandbox(small_world(3), services=["complero"]) as accounts:
        for query in (
            "type=create",
            "from=yesterday",
            "to=2026-01-01",
            "limit=0",
            "limit=all",
            "cursor=%25",
        ):
            status, body, _ = await asked(accounts, f"/events?{query}")
            assert status == 400, query
            assert "v1c001" in body["message"]


async def test_latest_events_come_once_and_those_read_elsewhere_never() -> None:
    async with crmlab.sandbox(small_world(12), services=["complero"]) as accounts:
        _, first, _ = await asked(accounts, "/events/latest?limit=5")
        _, page, _ = await asked(accounts, "/events?limit=8")
        _, rest, _ = await asked(accounts, "/events/latest")
        _, again, _ = await asked(accounts, "/events/latest")

    assert len(first) == 5
    assert {event["id"] for event in first} < {event["id"] for event in page}
    assert len(rest) == 4
    assert not {event["id"] for event in rest} & {event["id"] for event in page}
    assert again == []


async def test_operations_come_newest_first() -> None:
    world = generate(500, seed=2)

    async with crmlab.sandbox(world, services=["complero"]) as accounts:
        _, body, _ = await asked(accounts, "/operations")

    times = [operation["created_at"] for operation in body]
    assert times == sorted(times, reverse=True)
    assert len(times) == len(world.operations)


# ---- end to end ---------------------------------------------------------------------------------


def event_ids(data: crmlab.Fetched) -> list[str]:
    """Return the id of each event, whose channels are rows of their own."""
    assert data.consent_events["id"].is_unique().all()
    return data.consent_events["id"].str.split("/").list.first().unique().to_list()


async def test_every_event_and_every_person_with_one_comes_exactly_once() -> None:
    world = generate(1500, seed=2)
    events = seen_in(world)

    async with crmlab.sandbox(world, services=["complero"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    assert data.complete
    assert len(entries(world)) > len(events)
    assert sorted(event_ids(data)) == sorted(event.id for event in events)
    assert sorted(data.contacts["id"]) == sorted(people_of(world, events))
    assert sorted(data.operations["id"]) == sorted(operation.id for operation in world.operations)


async def test_what_comes_is_what_the_world_holds() -> None:
    world = generate(400, seed=5)
    events, users = seen_in(world), world.users_by_id()
    people, numbers = people_of(world, events), {event.id: event for event in events}

    async with crmlab.sandbox(world, services=["complero"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    for row in data.contacts.iter_rows(named=True):
        expect_contact(row, people[row["id"]], world)
    shown: dict[str, dict[str, bool | None]] = {}
    for row in data.consent_events.iter_rows(named=True):
        event = numbers[row["id"].partition("/")[0]]
        assert (row["kind"], row["occurred_at"], row["source"]) == (
            event.kind,
            event.at,
            event.source,
        )
        assert row["has_documentation"] is event.has_documentation
        if row["contact_id"]:
            assert people[row["contact_id"]].id == event.person_id
            shown.setdefault(event.id, {})[row["channel"]] = row["opted_in"]
    assert any(len(channels) > 1 for channels in shown.values())
    for id, channels in shown.items():
        # an event shows the contact as a whole: what was decided until then about every channel
        decided = {
            each.channel: each.opted_in for each in events if is_decided_by(numbers[id], each)
        }
        decided[numbers[id].channel] = numbers[id].opted_in
        is_silent = numbers[id].kind == "documentation"
        assert channels == (dict.fromkeys(decided) if is_silent else decided)
    without = data.consent_events.filter(pl.col("contact_id").is_null())
    assert set(without["kind"]) == {"documentation"}
    counts = {operation.id: operation.items_count for operation in world.operations}
    assert dict(data.operations.select("id", "items_count").iter_rows()) == counts
    owners = {person.owner_id for person in people.values()}
    assert {(row["id"], row["email"]) for row in data.users.iter_rows(named=True)} == {
        (id, users[id].email) for id in owners
    }


def is_decided_by(event: ConsentEvent, other: ConsentEvent) -> bool:
    is_earlier = (other.at, other.id) < (event.at, event.id)
    return is_earlier and other.person_id == event.person_id and other.kind != "documentation"


def expect_contact(row: dict[str, Any], person: Person, world: World) -> None:
    alias = world.alias(person, "complero")
    company = world.companies_by_id().get(person.company_id or "")
    newest = max(
        event.at
        for event in seen_in(world)
        if event.person_id == person.id and event.kind != "documentation"
    )
    assert (row["first_name"] or "", row["last_name"] or "") == (alias.first_name, alias.last_name)
    assert row["emails"] == ([alias.email, *person.emails[1:2]] if alias.email else None)
    assert row["phones"] == ([alias.phone, *person.phones[1:2]] if alias.phone else None)
    assert (row["street"], row["city"], row["state"]) == (person.street, person.city, person.state)
    assert (row["zip_code"], row["country"]) == (person.zip_code, person.country_code)
    assert (row["job_title"], row["language"]) == (person.job_title, person.language)
    assert row["company_name"] == (company and company.name)
    assert row["tags"] == (person.tags or None)
    assert row["owner_id"] == person.owner_id
    assert row["modified_at"] >= newest


async def test_hard_text_arrives_unchanged() -> None:
    world = small_world(
        1, first_name=HARD, last_name=HARD[::-1], street=HARD, job_title=HARD, tags=[HARD]
    )
    alias = world.alias(world.people[0], "complero")

    async with crmlab.sandbox(world, services=["complero"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    row = data.contacts.row(0, named=True)
    assert data.complete
    assert (row["first_name"], row["last_name"]) == (alias.first_name, alias.last_name)
    assert (row["street"], row["job_title"], row["tags"]) == (HARD, HARD, [HARD])


async def test_a_period_keeps_what_happened_in_it() -> None:
    world = generate(400, seed=4)
    since, until = world.now - timedelta(days=300), world.now - timedelta(days=100)
    inside = [event for event in seen_in(world) if since <= event.at < until]

    async with crmlab.sandbox(world, services=["complero"]) as accounts:
        data = await crmlab.fetch(
            accounts, "consent_events", "operations", since=since, until=until, limits=FAST
        )

    assert inside
    assert sorted(event_ids(data)) == sorted(event.id for event in inside)
    operations = [each.id for each in world.operations if since <= each.created_at < until]
    assert sorted(data.operations["id"]) == sorted(operations)


async def test_the_edges_of_a_period_are_since_included_and_until_not() -> None:
    world = small_world(2)
    early, late = sorted(event.at for event in world.consent_events)

    async with crmlab.sandbox(world, services=["complero"]) as accounts:
        data = await crmlab.fetch(accounts, "consent_events", since=early, until=late, limits=FAST)

    assert data.consent_events["occurred_at"].to_list() == [early]


async def test_an_empty_world_gives_empty_tables() -> None:
    async with crmlab.sandbox(World(), services=["complero"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    assert data.complete
    assert {name: frame.height for name, frame in data.items()} == dict.fromkeys(data, 0)


@pytest.mark.parametrize("count", [1, 20, 21, 999, 1000, 1001, 2000])
async def test_lists_of_any_length_come_whole(count: int) -> None:
    async with crmlab.sandbox(small_world(count), services=["complero"]) as accounts:
        data = await crmlab.fetch(accounts, "consent_events", "contacts", limits=FAST)

    assert data.consent_events["id"].n_unique() == data.consent_events.height == count
    assert data.contacts["id"].n_unique() == data.contacts.height == count


async def test_ids_with_slashes_and_spaces_are_found() -> None:
    world = small_world(8)
    person = world.people[6]
    user = replace(world.users[0], id="E 1/2 ü?#")
    world = replace(
        world, users=[user], people=[replace(each, owner_id=user.id) for each in world.people]
    )

    async with crmlab.sandbox(world, services=["complero"]) as accounts:
        contact = await crmlab.call(accounts[0], "get_contact", id=person.complero_id)
        employee = await crmlab.call(accounts[0], "get_employee", id=user.id)
        data = await crmlab.fetch(accounts, "users", limits=FAST)
        with pytest.raises(NotFoundError, match=r"complero.*request"):
            await crmlab.call(accounts[0], "get_contact", id="nobody")

    assert "/" in person.complero_id
    assert " " in person.complero_id
    assert contact["id"] == person.complero_id
    assert employee["email"] == user.email
    assert data.users["id"].to_list() == [user.id]


async def test_one_operation_and_ping_and_the_latest_events_can_be_called(tmp_path: Path) -> None:
    world = small_world(3)
    once: dict[str, Any] = {"allow_destructive": True, "spool": tmp_path}

    async with crmlab.sandbox(world, services=["complero"]) as accounts:
        operation = await crmlab.call(accounts[0], "get_operation", id=world.operations[0].id)
        await crmlab.call(accounts[0], "ping")
        first = await crmlab.call(accounts[0], "get_latest_events", **once)
        second = await crmlab.call(accounts[0], "get_latest_events", **once)

    assert operation["model"] == world.operations[0].model
    assert (len(first), second) == (3, [])


async def test_a_fetch_does_not_touch_the_latest_events() -> None:
    async with crmlab.sandbox(small_world(3), services=["complero"]) as accounts:
        await crmlab.fetch(accounts, limits=FAST)

        assert ("complero", "/events/latest") not in accounts.requests


async def test_a_wrong_key_names_the_account_and_its_field_and_is_not_tried_again() -> None:
    async with crmlab.sandbox(small_world(5), services=["complero"]) as accounts:
        wrong = crmlab.Account(
            "complero", name="north", base_url=accounts[0].base_url, api_key="wrong"
        )
        with pytest.raises(AuthError) as checked:
            await crmlab.check(wrong)
        after_check = accounts.requests.total()
        with pytest.raises(AuthError) as fetched:
            await crmlab.fetch(wrong, limits=FAST)

    message = str(fetched.value)
    assert "complero account 'north'" in message
    assert "check api_key (" in message
    assert "CRMLAB_COMPLERO_API_KEY" in message
    assert "wrong" not in message
    assert checked.value.request_id
    assert after_check == 1
    assert accounts.requests.total() - after_check <= 4  # three types of events and the operations


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="status", match="/events", status=503, times=2),
        Fault(kind="status", match="cursor=", status=429, retry_after="0"),
        Fault(kind="truncate", match="cursor="),
        Fault(kind="not_json", match="type=confirm"),
        Fault(kind="reset", match="/employees"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.match}",
)
async def test_a_passing_fault_loses_nothing(fault: Fault) -> None:
    world = small_world(1500)

    async with crmlab.sandbox(world, services=["complero"], faults=[fault]) as accounts:
        data = await crmlab.fetch(accounts, "consent_events", "users", limits=FAST)

    assert data.complete
    assert data.consent_events["id"].n_unique() == data.consent_events.height == 1500
    assert sorted(data.users["id"]) == sorted({person.owner_id for person in world.people})
