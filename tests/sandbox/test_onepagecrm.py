from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any

import pytest

import crmlab
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.service import Records
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import World
from tests.sandbox.asking import asked

KINDS = ("deals", "notes", "calls", "meetings")
ALL = "&fields=" + ",".join(f"{kind}(all)" for kind in KINDS)
CONTACTS = "/contacts?team=true&per_page=100"


@pytest.fixture(scope="module")
def world() -> World:
    return generate(150, seed=4)


def crm(world: World, *faults: Fault) -> Any:
    return crmlab.sandbox(world, services=["onepagecrm"], faults=faults)


def contacts(*answers: Any) -> list[Any]:
    return [item for answer in answers for item in answer["data"]["contacts"]]


# ---- contacts with what belongs to them ---------------------------------------------------------


@pytest.mark.slow
async def test_contacts_come_with_the_records_of_each_list_asked_for(world: World) -> None:
    async with crm(world) as accounts:
        found = contacts(*await asked(accounts[0], *(f"{CONTACTS}{ALL}&page={n}" for n in (1, 2))))
        lists = {
            kind: [
                item[kind[:-1]]
                for answer in await asked(
                    accounts[0], *(f"/{kind}?per_page=100&page={n}" for n in range(1, 20))
                )
                for item in answer["data"][kind]
            ]
            for kind in KINDS
        }

    assert len(found) == len(world.people_in("onepagecrm"))
    for kind, records in lists.items():
        of_contact = defaultdict(list)
        for record in records:
            of_contact[record["contact_id"]].append(record)
        assert len(of_contact) > 1
        assert [item[kind] for item in found] == [
            of_contact[item["contact"]["id"]] for item in found
        ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ("", set()),
        ("&fields=", set()),
        ("&fields=notes(all)", {"notes"}),
        ("&fields=calls(all),deals(all)", {"calls", "deals"}),
        ("&fields=notes(all),notes(all)", {"notes"}),
        ("&fields=notes,friends(all)", set()),
    ],
)
async def test_only_what_is_asked_for_comes_with_a_contact(
    world: World, fields: str, kinds: set[str]
) -> None:
    async with crm(world) as accounts:
        found = contacts(*await asked(accounts[0], CONTACTS + fields))

    assert found
    assert all(item.keys() & set(KINDS) == kinds for item in found)


@pytest.mark.parametrize(
    "path", ["/contacts/cascade?team=true", "/deals?per_page=100", "/companies?per_page=100"]
)
async def test_only_the_list_of_contacts_embeds(world: World, path: str) -> None:
    async with crm(world) as accounts:
        plain, embedding = await asked(accounts[0], path, path + ALL)

    assert embedding["data"] == plain["data"]


async def test_embedded_records_follow_the_lists(world: World) -> None:
    note = next(
        note
        for note in world.notes
        if note.contact_id in {p.id for p in world.people_in("onepagecrm")}
    )

    def swap(lists: Mapping[str, Records]) -> None:
        lists["notes"].remove(note)
        lists["notes"].add(replace(note, id="f" * 24))

    async with crm(world, Fault(kind="change", match="/users", change=swap)) as accounts:
        before, _, after = await asked(accounts[0], CONTACTS + ALL, "/users", CONTACTS + ALL)

    had, has = (
        next(i["notes"] for i in contacts(answer) if i["contact"]["id"] == note.contact_id)
        for answer in (before, after)
    )
    kept = [each for each in had if each["id"] != note.id]
    assert len(kept) == len(had) - 1
    renamed = {**next(each for each in had if each["id"] == note.id), "id": "f" * 24}
    assert has == [
        *kept,
        {**renamed, "attachments": []},
    ]  # its file belongs to the note of the old id


# ---- bootstrap ----------------------------------------------------------------------------------


async def test_bootstrap_holds_the_lists_that_have_their_own_paths(world: World) -> None:
    async with crm(world) as accounts:
        lookups = ("users", "lead_sources", "statuses")
        bootstrap, *whole = await asked(
            accounts[0], "/bootstrap", *(f"/{name}" for name in lookups)
        )
        users, lead_sources, statuses = (answer["data"] for answer in whole)
        names = ("pipelines", "custom_fields", "company_fields", "deal_fields")
        paged = await asked(accounts[0], *(f"/{name}?per_page=100" for name in names))
        pipelines, *fields = (
            answer["data"][name] for name, answer in zip(names, paged, strict=True)
        )

    data = bootstrap["data"]
    assert [data["user"], *data["team"]] == [item["user"] for item in users]
    assert data["settings"]["pipelines"] == pipelines
    assert data["custom_fields"] == [item["custom_field"] for item in fields[0]]
    assert data["company_fields"] == [item["company_field"] for item in fields[1]]
    assert data["deal_fields"] == [item["deal_field"] for item in fields[2]]
    assert bootstrap["lead_sources"] == lead_sources
    assert bootstrap["statuses"] == statuses
    assert all([users, lead_sources, statuses, pipelines, *fields])


async def test_bootstrap_follows_the_lists(world: World) -> None:
    tagged = next(person for person in world.people_in("onepagecrm") if person.tags)

    def without_first(lists: Mapping[str, Records]) -> None:
        lists["contacts"].remove(tagged)
        for name in ("users", "pipelines", "custom_fields", "lead_sources", "statuses"):
            lists[name].remove(lists[name].items[0])

    async with crm(
        world, Fault(kind="change", match="/bootstrap", change=without_first)
    ) as accounts:
        before, after = await asked(accounts[0], "/bootstrap", "/bootstrap")

    assert after["data"]["user"] == before["data"]["team"][0]
    assert after["data"]["settings"]["pipelines"] == before["data"]["settings"]["pipelines"][1:]
    assert after["data"]["custom_fields"] == before["data"]["custom_fields"][1:]
    assert after["lead_sources"] == before["lead_sources"][1:]
    assert after["statuses"] == before["statuses"][1:]
    assert after["team_stream"]["all"] == before["team_stream"]["all"] - 1
    counts = [
        sum(tag["total_count"] for tag in answer["tags"]["tags"]) for answer in (before, after)
    ]
    assert counts[0] - counts[1] == len(tagged.tags)


async def test_an_empty_world_has_a_bootstrap_without_a_user() -> None:
    async with crm(World()) as accounts:
        (answer,) = await asked(accounts[0], "/bootstrap")

    assert "user" not in answer["data"]
    assert answer["data"]["team"] == answer["statuses"] == answer["tags"]["tags"] == []


# ---- lists --------------------------------------------------------------------------------------


async def test_one_record_comes_by_its_id(world: World) -> None:
    deal = next(
        deal
        for deal in world.deals
        if deal.contact_id in {p.id for p in world.people_in("onepagecrm")}
    )

    async with crm(world) as accounts:
        one, listed = await asked(
            accounts[0], f"/deals/{deal.id}", f"/deals?contact_id={deal.contact_id}&per_page=100"
        )

    assert one["data"] == next(
        item for item in listed["data"]["deals"] if item["deal"]["id"] == deal.id
    )
    assert {item["deal"]["contact_id"] for item in listed["data"]["deals"]} == {deal.contact_id}


async def test_contacts_are_the_own_ones_unless_the_team_is_asked_for(world: World) -> None:
    async with crm(world) as accounts:
        own, team = await asked(accounts[0], "/contacts", "/contacts?team=true")

    owners = map(attrgetter("owner_id"), world.people_in("onepagecrm"))
    assert own["data"]["total_count"] == sum(owner == world.users[0].id for owner in owners)
    assert (
        0
        < own["data"]["total_count"]
        < team["data"]["total_count"]
        == len(world.people_in("onepagecrm"))
    )
