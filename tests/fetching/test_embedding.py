"""Lists inside other lists: the same rows by fewer requests, and by their own where they do not come inside."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from polars.testing import assert_frame_equal

import crmlab
from crmlab.connector.resource import Context
from crmlab.providers.onepagecrm import PROVIDER, pages
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.server import Sandbox
from crmlab.sandbox.service import Records
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import NOW, World
from tests.conftest import described

Serve = Callable[[Any], Awaitable[str]]
FAST = crmlab.Limits(concurrency=10)
ONCE = crmlab.Timeouts(tries=1)
ONE = ["onepagecrm"]
HELD = ("deals", "notes", "calls", "meetings")
OWN = tuple(f"onepagecrm.{name}" for name in HELD)
LONG_AGO = "2001-01-01"


@pytest.fixture(scope="module")
def world() -> World:
    return generate(500, seed=3, now=NOW)


@pytest.fixture(scope="module")
def crowded() -> World:
    """Some two hundred contacts with 24 notes each."""
    world = generate(300, seed=3, now=NOW)
    people = world.people_in("onepagecrm")
    notes = [
        replace(world.notes[0], id=f"n{n:05}", contact_id=people[n % len(people)].id)
        for n in range(24 * len(people))
    ]
    return World(people=people, notes=notes)


def plainly(account: crmlab.Account) -> crmlab.Account:
    """The account of a service that has nothing inside its lists."""
    lists = tuple(replace(each, embeds=(), embedding=None) for each in PROVIDER.resources)
    account.provider = replace(PROVIDER, resources=lists)
    return account


def behind_wall(account: crmlab.Account, wall: int) -> crmlab.Account:
    """The account of a service that gives so many contacts by the number of their page."""
    return described(
        account,
        "contacts",
        follow=pages.contact_paging(wall),
        embedding=pages.contact_embedding(wall),
    )


def line(data: crmlab.Fetched, resource: str) -> dict[str, Any]:
    return data.summary.filter(pl.col("resource") == resource).row(0, named=True)


def asked(crm: Sandbox, *names: str) -> dict[str, int]:
    return {name: crm.requests["onepagecrm", f"/{name}"] for name in names}


def same(one: crmlab.Fetched, other: crmlab.Fetched) -> None:
    assert list(one) == list(other)
    for name, frame in one.items():
        assert_frame_equal(frame, other[name], check_row_order=False)


# ---- the same rows ------------------------------------------------------------------------------


@pytest.mark.parametrize("tables", [(), ("contacts", "deals"), ("contacts", "activities", *OWN)])
async def test_the_rows_are_those_of_separate_lists_and_the_requests_far_fewer(
    world: World, tables: tuple[str, ...]
) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        inside = await crmlab.fetch(crm, *tables, limits=FAST)
        counted = sum(crm.requests.values())
        apart = await crmlab.fetch(plainly(crm[0]), *tables, limits=FAST)

    assert inside.complete
    assert apart.complete
    same(inside, apart)
    assert counted < sum(crm.requests.values()) - counted
    assert line(inside, "deals")["note"] == "inside contacts"
    assert line(inside, "deals")["requests"] == line(inside, "deals")["planned"] == 1


async def test_a_list_of_what_changed_is_asked_for_itself(world: World) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        whole = await crmlab.fetch(crm, "contacts", "deals", limits=FAST)
        since = await crmlab.fetch(crm, "contacts", "deals", limits=FAST, since=LONG_AGO)

    same(whole, since)
    assert line(since, "deals")["requests"] == 3
    assert not pages.embedding.possible("notes", Context(now=NOW, until=NOW))


async def test_without_contacts_each_list_is_read_by_itself(world: World) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        data = await crmlab.fetch(crm, *OWN, limits=FAST)

    assert data.complete
    assert asked(crm, "contacts", *HELD) == {
        "contacts": 0,
        "deals": 3,
        "notes": 4,
        "calls": 3,
        "meetings": 2,
    }


async def test_what_one_page_holds_does_not_come_inside() -> None:
    async with crmlab.sandbox(rows=60, now=NOW, services=ONE) as crm:
        data = await crmlab.fetch(crm, limits=FAST)

    assert data.complete
    assert asked(crm, *HELD) == dict.fromkeys(HELD, 1)
    assert "inside contacts" not in data.summary["note"].to_list()


# ---- how much an answer may hold ----------------------------------------------------------------


async def test_pages_shrink_where_much_is_inside(crowded: World) -> None:
    people, notes = len(crowded.people), len(crowded.notes)
    async with crmlab.sandbox(crowded, services=ONE) as crm:
        data = await crmlab.fetch(crm, "contacts", "onepagecrm.notes", limits=FAST)

    assert data.complete
    assert data["onepagecrm.notes"]["id"].n_unique() == data["onepagecrm.notes"].height == notes
    assert data.contacts.height == people
    later = -(-(people - 100) // 50)  # the first page has a hundred
    assert asked(crm, "contacts", "notes") == {"contacts": 1 + later, "notes": 1}
    assert line(data, "contacts")["planned"] == line(data, "contacts")["requests"] == 1 + later


@pytest.mark.parametrize(
    ("fails", "sizes"),
    [("per_page=100&fields", {100, 50}), ("fields", {100, 50, 25})],
    ids=["a hundred with notes", "any with notes"],
)
async def test_what_is_too_much_for_the_service_is_asked_in_smaller_pages(
    world: World, fails: str, sizes: set[int]
) -> None:
    fault = Fault(kind="status", status=500, match=fails, skip=1, times=999)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        data = await crmlab.fetch(crm, "contacts", *OWN, limits=FAST, timeouts=ONCE)

    assert data.complete
    for name in HELD:
        ids = data[f"onepagecrm.{name}"]["id"]
        assert ids.n_unique() == len(ids) == len(getattr(world, name))
    assert asked(crm, "notes")["notes"] == (
        1 if 25 not in sizes else 1 + 4
    )  # none inside: a reading of its own
    assert data.contacts.height == len(world.people_in("onepagecrm"))


async def test_a_first_answer_that_is_too_much_costs_no_record(world: World) -> None:
    fault = Fault(kind="status", status=500, match="per_page=100&fields", times=999)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        data = await crmlab.fetch(crm, "contacts", *OWN, limits=FAST, timeouts=ONCE)

    assert data.complete
    assert {name: data[f"onepagecrm.{name}"].height for name in HELD} == {
        name: len(getattr(world, name)) for name in HELD
    }
    assert data.contacts.height == len(world.people_in("onepagecrm"))


async def test_past_the_wall_they_come_inside_the_parts(world: World) -> None:
    people = [
        replace(person, created_at=NOW - dt.timedelta(days=90) + dt.timedelta(minutes=n))
        for n, person in enumerate(world.people_in("onepagecrm"))
    ]
    async with crmlab.sandbox(World(people=people, notes=world.notes), services=ONE) as crm:
        data = await crmlab.fetch(
            behind_wall(crm[0], 200), "contacts", "onepagecrm.notes", limits=FAST
        )

    assert data.complete
    assert data.contacts["id"].n_unique() == data.contacts.height == len(people)
    assert (
        data["onepagecrm.notes"]["id"].n_unique()
        == data["onepagecrm.notes"].height
        == len(world.notes)
    )
    assert asked(crm, "notes", "contacts/cascade") == {"notes": 1, "contacts/cascade": 0}


async def test_what_the_cascade_leaves_out_is_read_by_itself(world: World) -> None:
    people = [replace(person, created_at=NOW) for person in world.people_in("onepagecrm")]
    async with crmlab.sandbox(World(people=people, notes=world.notes), services=ONE) as crm:
        data = await crmlab.fetch(
            behind_wall(crm[0], 200), "contacts", "onepagecrm.notes", limits=FAST
        )

    assert data.complete
    assert data.contacts["id"].n_unique() == data.contacts.height == len(people)
    assert (
        data["onepagecrm.notes"]["id"].n_unique()
        == data["onepagecrm.notes"].height
        == len(world.notes)
    )
    assert asked(crm, "contacts/cascade")["contacts/cascade"] > 0


# ---- what does not come inside ------------------------------------------------------------------


async def test_contacts_that_come_without_their_count_are_followed_by_their_pages(
    serve: Serve,
) -> None:
    async def answer(request: web.Request) -> web.Response:
        name, number = request.path[1:], int(request.query["page"])
        rows = [
            {name[:-1]: {"id": f"{name}{n}"}}
            for n in range(100 * number - 100, min(300, 100 * number))
        ]
        counts = {"max_page": 3} if name == "contacts" else {"max_page": 3, "total_count": 300}
        return web.json_response({"status": 0, "data": {name: rows, **counts}})

    account = crmlab.Account(
        "onepagecrm", base_url=await serve(answer), user_id="me", api_key="my-key"
    )
    data = await crmlab.fetch(account, "onepagecrm.contacts", "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.contacts"].height == data["onepagecrm.notes"].height == 300


async def test_what_some_answers_forget_is_read_by_itself(world: World) -> None:
    """As a service would that does not give a contact all that it has."""
    orphans = [
        note
        for note in world.notes
        if note.contact_id not in {p.id for p in world.people_in("onepagecrm")}
    ]
    strange = replace(world.people[0], id="nobody-sees-it", services=frozenset(ONE))
    notes = [
        replace(note, contact_id=strange.id) if n % 9 == 0 else note
        for n, note in enumerate(world.notes)
    ]
    assert not orphans

    def hide(lists: Mapping[str, Records]) -> None:
        lists["contacts"].remove(strange)

    fault = Fault(kind="change", match="/notes", change=hide)
    hidden = World(people=[strange, *world.people_in("onepagecrm")], notes=notes)
    async with crmlab.sandbox(hidden, services=ONE, faults=[fault]) as crm:
        data = await crmlab.fetch(crm, "contacts", "onepagecrm.notes", limits=FAST)

    assert data.complete
    assert sorted(data["onepagecrm.notes"]["id"]) == sorted(note.id for note in notes)
    assert asked(crm, "notes")["notes"] == 1 + 4


async def test_contacts_that_fail_cost_nothing_of_what_would_come_inside(world: World) -> None:
    fault = Fault(kind="status", status=404, match="/contacts", skip=2, times=999)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        data = await crmlab.fetch(crm, "contacts", "deals", limits=FAST)

    assert [str(failure).split(":")[0] for failure in data.failures] == [
        "onepagecrm account 'onepagecrm', contacts"
    ]
    assert data.deals["id"].n_unique() == data.deals.height == len(world.deals)
    assert line(data, "deals")["complete"]


@pytest.mark.parametrize("name", HELD)
async def test_one_list_that_fails_costs_nothing_of_the_others(world: World, name: str) -> None:
    fault = Fault(kind="status", status=404, match=f"/{name}", times=999)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        data = await crmlab.fetch(crm, "contacts", *OWN, limits=FAST)

    assert len(data.failures) == 1
    others = [each for each in HELD if each != name]
    assert [data[f"onepagecrm.{each}"].height for each in others] == [
        len(getattr(world, each)) for each in others
    ]
    assert all(line(data, each)["complete"] for each in (*others, "contacts"))


async def test_a_list_that_has_nothing_keeps_nobody_waiting(world: World) -> None:
    fault = Fault(kind="status", status=404, match="/calls", times=999)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        lists = tuple(
            replace(each, is_empty_answer=lambda error, request: error.status == 404)
            for each in PROVIDER.resources
        )
        crm[0].provider = replace(PROVIDER, resources=lists)
        data = await asyncio.wait_for(crmlab.fetch(crm, "contacts", *OWN, limits=FAST), 20)

    assert data.complete
    assert data["onepagecrm.calls"].is_empty()
    assert line(data, "notes")["note"] == "inside contacts"
