"""What OnePageCRM's lists can be asked for, against the world that they are served from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

import crmlab
from crmlab.sandbox.services.onepagecrm.index import Index
from crmlab.sandbox.services.onepagecrm.lists import lists
from crmlab.sandbox.services.onepagecrm.query import BadValue, Queries
from crmlab.sandbox.world.generate import generate
from tests.sandbox.asking import asked

WORLD = generate(80, seed=4)
PEOPLE = WORLD.people_in("onepagecrm")
LISTS = lists(WORLD, {})
QUERIES = Queries(WORLD, Index(LISTS))
COMPANY = next(person.company_id for person in PEOPLE if person.company_id)
STAFF = {person.id for person in PEOPLE if person.company_id == COMPANY}
DEALS = LISTS["deals"].items
PENDING = next(deal for deal in DEALS if deal.status == "pending")
CLOSED = next(deal for deal in DEALS if deal.close_date)
TAG = next(tag for person in PEOPLE for tag in person.tags)
MIDDLE = sorted(deal.modified_at for deal in DEALS)[len(DEALS) // 2]
TEAM = {"team": "true"}


def found(name: str, /, **query: str) -> list[Any]:
    return QUERIES.answer(name, LISTS[name], query).items


def ids(items: list[Any]) -> list[str]:
    return [item.id for item in items]


@pytest.mark.parametrize(
    ("name", "query", "keep"),
    [
        ("contacts", {**TEAM, "company_id": COMPANY}, lambda one: one.company_id == COMPANY),
        ("contacts", {**TEAM, "tag": TAG}, lambda one: TAG in one.tags),
        ("contacts", {**TEAM, "starred": "true"}, lambda one: one.starred),
        (
            "contacts",
            {**TEAM, "email": PEOPLE[0].emails[0].upper()},
            lambda one: one.id == PEOPLE[0].id,
        ),
        (
            "contacts",
            {**TEAM, "phone": PEOPLE[0].phones[0]},
            lambda one: PEOPLE[0].phones[0] in one.phones,
        ),
        ("contacts", {**TEAM, "letter": "s"}, lambda one: one.last_name.lower().startswith("s")),
        (
            "contacts",
            {**TEAM, "search": PEOPLE[0].full_name},
            lambda one: one.full_name == PEOPLE[0].full_name,
        ),
        (
            "contacts",
            {**TEAM, "pending_deal": "true"},
            lambda one: any(
                deal.contact_id == one.id and deal.status == "pending" for deal in DEALS
            ),
        ),
        (
            "contacts",
            {"owner_id": WORLD.users[0].id},
            lambda one: one.owner_id == WORLD.users[0].id,
        ),
        ("deals", {"status": "closed"}, lambda one: one.status in ("won", "lost")),
        ("deals", {"status": "won"}, lambda one: one.status == "won"),
        (
            "deals",
            {"stage": str(PENDING.stage)},
            lambda one: one.status == "pending" and one.stage == PENDING.stage,
        ),
        (
            "deals",
            {"sales_pipeline_id": PENDING.pipeline_id},
            lambda one: one.pipeline_id == PENDING.pipeline_id,
        ),
        ("deals", {"company_id": COMPANY}, lambda one: one.company_id == COMPANY),
        ("deals", {"search": PENDING.name}, lambda one: one.name == PENDING.name),
        ("actions", {"done": "true"}, lambda one: one.done),
        (
            "actions",
            {"assignee_id": WORLD.users[1].id},
            lambda one: one.assignee_id == WORLD.users[1].id,
        ),
        ("notes", {"company_id": COMPANY}, lambda one: one.contact_id in STAFF),
        (
            "companies",
            {"name": WORLD.companies[0].name[:5]},
            lambda one: one.name.startswith(WORLD.companies[0].name[:5]),
        ),
    ],
)
def test_a_filter_keeps_what_it_is_documented_to_keep(
    name: str, query: dict[str, str], keep: Callable[[Any], bool]
) -> None:
    expected = [item.id for item in LISTS[name].items if keep(item)]

    assert expected
    assert ids(found(name, **query)) == expected


def test_a_period_is_of_the_time_of_change_unless_another_is_named() -> None:
    since = str(int(MIDDLE.timestamp()))
    changed = ids([deal for deal in DEALS if deal.modified_at >= MIDDLE])
    day = CLOSED.close_date.isoformat()

    assert 0 < len(changed) < len(DEALS)
    assert ids(found("deals", since=since)) == changed
    assert ids(found("deals", modified_since=since)) == changed
    assert ids(found("deals", date_filter="updated_at", since=since)) == changed
    assert ids(found("deals", date_filter="created_at", until=since)) == ids(
        [deal for deal in DEALS if deal.created_at <= MIDDLE]
    )
    assert ids(found("deals", date_filter="close_date", since=day, until=day)) == ids(
        [deal for deal in DEALS if deal.close_date == CLOSED.close_date]
    )
    assert ids(found("companies", since=since)) == ids(WORLD.companies)


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("notes", "date"),
        ("calls", "call_time"),
        ("meetings", "meeting_time"),
        ("actions", "date"),
        ("actions", "close_date"),
        ("deals", "date"),
        ("deals", "expected_close_date"),
    ],
)
def test_each_list_can_be_cut_by_each_of_its_documented_times(name: str, by: str) -> None:
    edge = WORLD.now - dt.timedelta(days=200)
    since = str(int(edge.timestamp()))

    older = found(name, date_filter=by, until=since)
    newer = found(name, date_filter=by, since=since)

    assert older
    assert newer
    assert not set(ids(older)) & set(ids(newer))


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("deals", {"date_filter": "call_time", "since": "0"}),
        ("deals", {"date_filter": "created_at", "modified_since": "0"}),
        ("deals", {"since": "yesterday"}),
        ("deals", {"sort_by": "updated_at"}),
        ("contacts", {"sort_by": "starred"}),
        ("notes", {"order": "up"}),
    ],
)
def test_what_is_not_documented_for_a_list_is_refused(name: str, query: dict[str, str]) -> None:
    with pytest.raises(BadValue):
        found(name, **query)


@pytest.mark.parametrize(
    ("name", "by", "value"),
    [
        ("contacts", "last_name", lambda one: one.last_name.casefold()),
        ("contacts", "modified_at", lambda one: one.modified_at),
        ("deals", "date", lambda one: one.created_at.date()),
        ("companies", "name", lambda one: one.name.casefold()),
        ("notes", "date", lambda one: one.date),
    ],
)
def test_lists_come_in_the_order_asked_for(name: str, by: str, value: Callable[[Any], Any]) -> None:
    rising = [value(item) for item in found(name, **TEAM, sort_by=by)]
    falling = [value(item) for item in found(name, **TEAM, sort_by=by, order="desc")]

    assert rising == sorted(value(item) for item in LISTS[name].items)
    assert falling == rising[::-1]


async def test_paths_answer_with_and_without_json() -> None:
    deal = PENDING.id

    async with crmlab.sandbox(WORLD, services=["onepagecrm"]) as accounts:
        paths = (
            "/deals",
            "/users",
            "/bootstrap",
            f"/deals/{deal}",
            f"/contacts/{PENDING.contact_id}/deals",
        )
        bare = await asked(accounts[0], *paths)
        suffixed = await asked(accounts[0], *(f"{path}.json" for path in paths))

    assert all("data" in answer for answer in bare)
    assert [answer["data"] for answer in bare] == [answer["data"] for answer in suffixed]


async def test_deals_come_with_their_contacts_and_past_stages_where_they_are_asked_for() -> None:
    linked = next(deal for deal in DEALS if deal.linked_contact_ids and deal.stage_history)
    of_contact = f"/deals?per_page=100&contact_id={linked.contact_id}"

    async with crmlab.sandbox(WORLD, services=["onepagecrm"]) as accounts:
        plain, full, one = await asked(
            accounts[0],
            of_contact,
            f"{of_contact}&fields=contacts(all)&include_history=true",
            f"/deals/{linked.id}?include_history=true",
        )

    [entry] = [entry for entry in full["data"]["deals"] if entry["deal"]["id"] == linked.id]
    stages = entry["deal"].pop("previous_pipeline_stages")
    assert entry["deal"] in [each["deal"] for each in plain["data"]["deals"]]
    assert stages == {linked.pipeline_id: linked.stage_history[-1][1]}
    assert one["data"]["deal"]["previous_pipeline_stages"] == stages
    known = {person.id for person in PEOPLE}
    assert [each["id"] for each in entry["contacts"]] == [
        id for id in (linked.contact_id, *linked.linked_contact_ids) if id in known
    ]


async def test_records_come_by_contact_and_by_company() -> None:
    async with crmlab.sandbox(WORLD, services=["onepagecrm"]) as accounts:
        by_contact, by_company, nobody = await asked(
            accounts[0],
            f"/contacts/{PENDING.contact_id}/deals?per_page=100",
            f"/companies/{COMPANY}/notes?per_page=100",
            "/contacts/000000000000000000000000/deals",
        )

    assert {each["deal"]["contact_id"] for each in by_contact["data"]["deals"]} == {
        PENDING.contact_id
    }
    assert {each["note"]["contact_id"] for each in by_company["data"]["notes"]} <= STAFF
    assert nobody["status"] == 404
