"""Lists that change while they are read, and faults that meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

import crmlab
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.service import Records
from crmlab.sandbox.services.relenta.api import contact_id
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import World
from tests.sandbox.asking import asked

Lists = Mapping[str, Records]


@pytest.fixture(scope="module")
def world() -> World:
    return generate(40, seed=6)


def notes(answer: Any) -> list[str]:
    return [item["note"]["id"] for item in answer["data"]["notes"]]


@pytest.mark.slow
async def test_a_list_changes_after_the_request_that_was_named_and_not_before(world: World) -> None:
    removed = Fault(
        kind="change",
        match="/notes",
        skip=1,
        change=lambda lists: lists["notes"].remove(lists["notes"].items[2]),
    )
    async with crmlab.sandbox(world, services=["onepagecrm"], faults=[removed]) as accounts:
        first, _, second, third, last = await asked(
            accounts[0], "/notes", "/users", "/notes", "/notes", "/notes"
        )

    ids = notes(first)
    assert notes(second) == ids
    assert notes(third)[:9] == ids[:2] + ids[3:]
    assert notes(last) == notes(third)
    assert third["data"]["total_count"] == first["data"]["total_count"] - 1
    assert world.notes == generate(40, seed=6).notes


async def test_a_record_moves_from_one_page_to_another(world: World) -> None:
    """What paging by number has to live with."""

    def to_front(lists: Lists) -> None:
        moved = lists["notes"].items[-1]
        lists["notes"].remove(moved)
        lists["notes"].add(moved, at=0)

    fault = Fault(kind="change", match="/notes", change=to_front)
    async with crmlab.sandbox(world, services=["onepagecrm"], faults=[fault]) as accounts:
        one, two = await asked(accounts[0], "/notes?per_page=5", "/notes?per_page=5&page=2")

    assert notes(two)[0] == notes(one)[-1]


async def test_relenta_gains_and_loses_contacts_while_they_are_read(world: World) -> None:
    people = sorted(world.people_in("relenta"), key=contact_id, reverse=True)
    newcomer = replace(people[0], number=people[0].number + 1)

    def change(lists: Lists) -> None:
        lists["contacts"].add(newcomer, at=0)
        lists["contacts"].remove(people[1])

    fault = Fault(kind="change", match="/contact.list", change=change)
    async with crmlab.sandbox(world, services=["relenta"], faults=[fault]) as accounts:
        before, after = await asked(accounts[0], *["/contact.list.json?page_size=100"] * 2)

    assert [record["id"] for record in before["data"]] == [contact_id(person) for person in people]
    assert [record["id"] for record in after["data"]] == [
        contact_id(person) for person in [newcomer, people[0], *people[2:]]
    ]


async def test_each_change_counts_every_request_that_it_matches(world: World) -> None:
    def drop_first(lists: Lists) -> None:
        lists["notes"].remove(lists["notes"].items[0])

    faults = [
        Fault(kind="change", match="/notes", skip=skip, change=drop_first) for skip in (0, 0, 2)
    ]
    async with crmlab.sandbox(world, services=["onepagecrm"], faults=faults) as accounts:
        answers = await asked(accounts[0], *["/notes"] * 4)

    ids = notes(answers[0])
    assert [ids.index(notes(answer)[0]) for answer in answers] == [0, 2, 2, 3]


async def test_of_faults_that_meet_the_first_has_the_last_word(world: World) -> None:
    made: list[str] = []
    faults = [
        Fault(kind="change", match="page=1", change=lambda lists: made.append("before the status")),
        Fault(kind="status", match="/notes", status=404, times=2),
        Fault(kind="change", match="page=2", change=lambda lists: made.append("after the status")),
    ]
    async with crmlab.sandbox(world, services=["onepagecrm"], faults=faults) as accounts:
        answers = await asked(accounts[0], "/notes?page=1", "/notes?page=2", "/notes?page=2")

    assert [answer["status"] for answer in answers] == [404, 404, 0]
    assert made == ["before the status"]
