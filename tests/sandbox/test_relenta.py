from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

import crmlab
from crmlab.errors import AuthError
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.services.relenta.api import contact_id
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import Appointment, CustomField, Person, User, World

FAST = crmlab.Limits(concurrency=10)
KEY = {"X-Relenta-Department-Key": "sandbox-relenta-department-key"}
HARD = 'é 🎉👩🏽\u200d💻 \x00 NUL \u2028line\u2029paragraph \u200f\u063a\u062f\u064b\u0627\u200f\r\n\ttab \\ "quote" \''


def small_world(count: int) -> World:
    world = generate(count or 1, seed=3)
    people = [replace(person, services=frozenset({"relenta"})) for person in world.people[:count]]
    known = {person.id for person in people}
    appointments = [each for each in world.appointments if known.issuperset(each.person_ids)]
    return replace(world, people=people, appointments=appointments)


def records_of(data: crmlab.Fetched) -> list[str]:
    """The ids of the service's own records, without the further times of what repeats."""
    return [id for id in data.activities["id"] if "/" not in id]


async def asked(accounts: Any, path: str, headers: dict[str, str] = KEY) -> tuple[int, Any]:
    async with (
        ClientSession() as session,
        session.get(accounts.account("relenta").base_url + path, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


# ---- as the vendor documents it -----------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{}, {"X-Relenta-Department-Key": "wrong"}, {"Authorization": "Bearer x"}]
)
async def test_a_missing_or_wrong_key_is_refused(headers: dict[str, str]) -> None:
    async with crmlab.sandbox(small_world(1), services=["relenta"]) as accounts:
        status, body = await asked(accounts, "/contact.list.json", headers)

    assert (status, body["status"], body["code"]) == (401, False, 401)


async def test_pages_hold_what_was_asked_and_nothing_past_the_end() -> None:
    async with crmlab.sandbox(small_world(7), services=["relenta"]) as accounts:
        answers = [
            await asked(accounts, f"/contact.list.json?page={n}&page_size=3")
            for n in (1, 2, 3, 4, 99)
        ]

    assert [status for status, _ in answers] == [200] * 5
    assert [len(body["data"]) for _, body in answers] == [3, 3, 1, 0, 0]
    assert all(body["status"] is True and body["code"] == 200 for _, body in answers)
    ids = [int(record["id"]) for _, body in answers for record in body["data"]]
    assert ids == sorted(set(ids), reverse=True)


async def test_custom_fields_take_no_parameters() -> None:
    async with crmlab.sandbox(small_world(1), services=["relenta"]) as accounts:
        refused, body = await asked(accounts, "/custom_field.list.json?page=1")
        status, fields = await asked(accounts, "/custom_field.list.json")

    assert (refused, body["status"]) == (400, False)
    assert status == 200
    assert fields["data"][0]["key"] == "Favourite_season"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/contact.list.xml", 400),
        ("/contact.list", 400),
        ("/contact.list.json?page=0", 400),
        ("/contact.list.json?page_size=many", 400),
    ],
)
async def test_what_is_not_there_or_not_well_formed_is_refused(path: str, status: int) -> None:
    async with crmlab.sandbox(small_world(1), services=["relenta"]) as accounts:
        found, body = await asked(accounts, path)

    assert (found, body["code"], body["status"]) == (status, status, False)


async def test_empty_groups_tags_and_custom_fields_are_left_out() -> None:
    world = small_world(2)
    bare = replace(world.people[0], groups=[], tags=[], season=None)
    rich = replace(world.people[1], groups=["Cold", "Warm"], tags=["VIP"], season="Spring")

    async with crmlab.sandbox(
        replace(world, people=[bare, rich]), services=["relenta"]
    ) as accounts:
        _, body = await asked(accounts, "/contact.list.json")

    newest, oldest = body["data"]
    assert not {"groups", "tags", "Favourite_season"} & set(oldest)
    assert (newest["groups"], newest["tags"], newest["Favourite_season"]) == (
        "Cold;Warm",
        "VIP",
        "Spring",
    )


# ---- end to end ---------------------------------------------------------------------------------


async def test_every_person_that_relenta_knows_comes_exactly_once() -> None:
    world = generate(1500, seed=2)

    async with crmlab.sandbox(world, services=["relenta"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    assert data.complete
    assert sorted(data.contacts["id"]) == sorted(
        contact_id(person) for person in world.people_in("relenta")
    )
    assert sorted(records_of(data)) == sorted(each.id for each in world.appointments)
    assert data.fields["label"].to_list() == ["Favourite season"]


async def test_what_comes_is_what_the_world_holds() -> None:
    world = generate(400, seed=5)
    people = {contact_id(person): person for person in world.people_in("relenta")}

    async with crmlab.sandbox(world, services=["relenta"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    for row in data.contacts.iter_rows(named=True):
        expect_contact(row, people[row["id"]], world)


def expect_contact(row: dict[str, Any], person: Person, world: World) -> None:
    alias = world.alias(person, "relenta")
    company = world.companies_by_id().get(person.company_id or "")
    assert (row["first_name"] or "", row["last_name"] or "") == (alias.first_name, alias.last_name)
    assert row["emails"] == ([alias.email, *person.emails[1:]] if alias.email else None)
    assert row["phones"] == ([alias.phone, *person.phones[1:]] if alias.phone else None)
    assert row["tags"] == (person.tags or None)
    assert row["groups"] == (person.groups or None)
    assert row["job_title"] == person.job_title
    assert row["company_name"] == (company and company.name)
    assert row["do_not_contact"] is person.do_not_mail
    assert (row["created_at"], row["modified_at"]) == (person.created_at, person.modified_at)
    assert [each["value"] for each in row["custom"] or []] == (
        [person.season] if person.season else []
    )
    assert (row["street"] or "").startswith(person.street or "")


def hard_world() -> World:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    user = User(
        id="u",
        first_name="U",
        last_name="Ser",
        email="u@x.example",
        role="user",
        phone=None,
        department="",
    )
    person = replace(
        small_world(1).people[0],
        id="p",
        first_name=HARD,
        last_name=HARD[::-1],
        background=HARD,
        street=HARD,
        emails=["p@x.example"],
    )
    meeting = Appointment(
        id="1", label="Lunch", kind="default", calendar_id="1", all_day=False, starts_at=at, ends_at=at,
        rrule="", status="open", author="u", user_ids=["u"], person_ids=["p"], subject=HARD, body=HARD,
        created_at=at, modified_at=at,
    )  # fmt: skip
    field = CustomField(id="f", entity="contact", key="season", label=f"What {HARD}", type="text")
    return World(
        users=[user], people=[replace(person, season=HARD)], appointments=[meeting], fields=[field]
    )


async def test_hard_text_arrives_unchanged() -> None:
    world = hard_world()
    alias = world.alias(world.people[0], "relenta")

    async with crmlab.sandbox(world, services=["relenta"]) as accounts:
        data = await crmlab.fetch(
            accounts, "contacts", "activities", "relenta.contacts", limits=FAST
        )

    contact, activity = data.contacts.row(0, named=True), data.activities.row(0, named=True)
    assert data.complete
    assert (contact["first_name"], contact["last_name"]) == (alias.first_name, alias.last_name)
    assert (activity["subject"], activity["body"]) == (HARD, HARD)
    assert activity["contact_emails"] == [alias.email]
    assert contact["street"].startswith(HARD)
    assert [(each["label"], each["value"]) for each in contact["custom"]] == [
        (f"What {HARD}", HARD)
    ]
    assert data["relenta.contacts"]["comment"].to_list() == [HARD]


async def test_a_period_keeps_what_was_changed_in_it() -> None:
    world = generate(300, seed=4)
    since, until = world.now - timedelta(days=200), world.now - timedelta(days=50)

    async with crmlab.sandbox(world, services=["relenta"]) as accounts:
        data = await crmlab.fetch(
            accounts, "contacts", "activities", since=since, until=until, limits=FAST
        )

    inside = [
        person for person in world.people_in("relenta") if since <= person.modified_at < until
    ]
    meetings = [each for each in world.appointments if since <= each.modified_at < until]
    assert inside
    assert sorted(data.contacts["id"]) == sorted(map(contact_id, inside))
    assert sorted(records_of(data)) == sorted(each.id for each in meetings)


async def test_an_empty_world_gives_empty_tables() -> None:
    async with crmlab.sandbox(World(), services=["relenta"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    assert data.complete
    assert (data.contacts.height, data.activities.height, data.fields.height) == (0, 0, 0)


@pytest.mark.parametrize("count", [1, 100, 101, 200])
async def test_lists_of_any_length_come_whole(count: int) -> None:
    async with crmlab.sandbox(small_world(count), services=["relenta"]) as accounts:
        data = await crmlab.fetch(accounts, "contacts", limits=FAST)

    assert data.contacts["id"].n_unique() == data.contacts.height == count


async def test_a_wrong_key_names_the_account_and_its_fields_and_is_not_tried_again() -> None:
    async with crmlab.sandbox(small_world(5), services=["relenta"]) as accounts:
        wrong = crmlab.Account(
            "relenta",
            name="support",
            base_url=accounts[0].base_url,
            account_name="sea",
            api_key="wrong",
        )
        with pytest.raises(AuthError) as checked:
            await crmlab.check(wrong)
        after_check = accounts.requests.total()
        with pytest.raises(AuthError) as fetched:
            await crmlab.fetch(wrong, limits=FAST)

    message = str(fetched.value)
    assert "relenta account 'support'" in message
    assert "api_key" in message
    assert "CRMLAB_RELENTA_API_KEY" in message
    assert "plan" in message
    assert "wrong" not in message
    assert checked.value.status == 401
    assert after_check == 1
    assert accounts.requests.total() - after_check <= 3  # one each for three lists


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="status", match="page=2", status=500, times=2),
        Fault(kind="status", match="contact.list", status=429, retry_after="0"),
        Fault(kind="truncate", match="page=3"),
        Fault(kind="not_json", match="custom_field"),
        Fault(kind="reset", match="page=4"),
    ],
    ids=lambda fault: fault.kind,
)
async def test_a_passing_fault_loses_nothing(fault: Fault) -> None:
    async with crmlab.sandbox(small_world(450), services=["relenta"], faults=[fault]) as accounts:
        data = await crmlab.fetch(accounts, "contacts", limits=FAST)

    assert data.complete
    assert data.contacts["id"].n_unique() == data.contacts.height == 450
    assert data.contacts["custom"].is_not_null().any()


async def test_the_key_is_checked_by_the_cheapest_read() -> None:
    async with crmlab.sandbox(small_world(1), services=["relenta"]) as accounts:
        told = await crmlab.check(accounts[0])

    assert told.startswith("1 custom field: ")
    assert dict(accounts.requests) == {("relenta", "/custom_field.list.json"): 1}
