from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

import crmlab
from crmlab.errors import AuthError, NotFoundError
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.services.altcraft.records import profile_id
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import MailEvent, World

FAST = crmlab.Limits(concurrency=10)
KEY = {"Authorization": "Bearer sandbox-altcraft-token"}
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return generate(400, seed=1, now=NOW)


async def asked(
    accounts: Any, method: str, body: Any, *, headers: dict[str, str] = KEY
) -> tuple[int, Any]:
    async with (
        ClientSession() as session,
        session.post(f"{accounts[0].base_url}/{method}", json=body, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


# ---- as the vendor documents it -----------------------------------------------------------------


@pytest.mark.slow
async def test_the_token_is_taken_from_the_header_or_the_body_and_nothing_else(
    world: World,
) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        answers = [
            await asked(accounts, "databases/list", {}),
            await asked(
                accounts, "databases/list", {"token": "sandbox-altcraft-token"}, headers={}
            ),
            await asked(accounts, "databases/list", {"token": "wrong"}, headers={}),
            await asked(
                accounts, "databases/list", {}, headers={"Authorization": "sandbox-altcraft-token"}
            ),
        ]

    assert [(status, body["error"]) for status, body in answers] == [
        (200, 0),
        (200, 0),
        (200, 401),
        (200, 401),
    ]


@pytest.mark.parametrize(
    ("method", "body", "error"),
    [
        ("databases/list/", {}, 0),
        ("nothing/of_the_kind", {}, 501),
        ("databases/list", [1], 400),
        ("databases/list", {"limit": 0}, 450),
        ("profiles/list", {}, 450),
        ("profiles/list", {"db_id": 99}, 404),
        ("profiles/list", {"db_id": "1", "from_id": "strange"}, 450),
        ("subscribers/history_get_all", {"list_id": 1, "date_from": "2026-01-01"}, 450),
        (
            "subscribers/history_get_all",
            {"list_id": 1, "date_from": "1.1.2026", "date_to": "2026-02-01"},
            450,
        ),
        ("segments/get_counters", {"id": 1, "resource_id": 1}, 450),
        ("tasks/status", {"task_id": 1}, 404),
    ],
)
async def test_errors_stand_in_the_envelope(
    world: World, method: str, body: Any, error: int
) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        status, answer = await asked(accounts, method, body)

    assert (status, answer["error"]) == (200, error)


async def test_segments_point_back_at_their_last_as_in_the_vendors_example(world: World) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        _, segments = await asked(accounts, "segments/list", {"from_id": 1, "limit": 2})
        _, databases = await asked(accounts, "databases/list", {"from_id": 1, "limit": 2})
        _, nothing = await asked(accounts, "databases/list", {"from_id": 3})

    assert ([s["id"] for s in segments["data"]], segments["next_from_id"]) == ([1, 2], 2)
    assert ([d["id"] for d in databases["data"]], databases["next_from_id"]) == ([1, 2], 3)
    assert (nothing["data"], nothing["total_count"], "next_from_id" in nothing) == ([], 2, False)


@pytest.mark.slow
async def test_the_limit_of_the_history_counts_profiles_not_rows(world: World) -> None:
    body = {"list_id": 1, "date_from": "2000-01-01", "date_to": "2100-01-01", "limit": 5}
    pages = []
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        pointer: str | None = ""
        while pointer is not None:
            _, answer = await asked(
                accounts, "subscribers/history_get_all", {**body, "from_id": pointer}
            )
            pages.append(answer["data"])
            pointer = answer.get("next_from_id")

    assert {len({event["xxh"] for event in events}) for events in pages[:-1]} == {5}
    assert max(len(events) for events in pages) > 5
    events = [event["event_id"] for events in pages for event in events]
    assert len(events) == len(set(events))


async def test_the_history_holds_the_days_from_first_to_last(world: World) -> None:
    day = max(event.at for event in world.mail_events).date()
    window = {"date_from": f"{day}", "date_to": f"{day}"}
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        found = []
        for database in (1, 2):
            _, answer = await asked(
                accounts, "subscribers/history_get_all", {"list_id": database, **window}
            )
            found += [event["event_id"] for event in answer["data"]]

    assert sorted(found) == sorted(
        event.id for event in world.mail_events if event.at.date() == day
    )


async def test_a_task_can_be_looked_at_once_started(world: World) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        _, started = await asked(
            accounts, "segments/refresh_counters", {"id": 1, "resource_id": 1, "db_id": 1}
        )
        task = await crmlab.call(accounts[0], "tasks_status", task_id=started["data"]["task_id"])
        with pytest.raises(NotFoundError):
            await crmlab.call(accounts[0], "tasks_status", task_id=99)

    assert (task["data"]["status"], task["data"]["progress"]) == ("completed", 100)


# ---- through the client -------------------------------------------------------------------------


@pytest.mark.slow
async def test_every_profile_subscription_and_event_comes_exactly_once(world: World) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    people = world.people_in("altcraft")
    assert data.complete, data.failures
    assert data.rejected.is_empty()
    assert sorted(data.contacts["id"]) == sorted(profile_id(person.id) for person in people)
    assert sorted(data.activities["id"]) == sorted(event.id for event in world.mail_events)
    assert data.subscriptions.height == len(world.subscriptions)
    assert sorted(data.subscriptions["address"]) == sorted(
        one.address for one in world.subscriptions
    )
    assert sorted(data.campaigns["id"]) == sorted(str(campaign.id) for campaign in world.campaigns)
    consent = ("subscribe", "confirm", "unsubscribe", "complain", "hardbounce")
    assert Counter(data.consent_events["kind"]) == Counter(
        event.action for event in world.mail_events if event.action in consent
    )


@pytest.mark.slow
async def test_a_contact_is_the_person_as_this_service_spells_them(world: World) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        data = await crmlab.fetch(accounts, "contacts", limits=FAST)

    rows = {row["id"]: row for row in data.contacts.iter_rows(named=True)}
    companies = world.companies_by_id()
    for person in world.people_in("altcraft"):
        row, known = rows[profile_id(person.id)], world.alias(person, "altcraft")
        assert (row["first_name"] or "", row["last_name"] or "") == (
            known.first_name.strip(),
            known.last_name.strip(),
        )
        assert row["emails"] == ([known.email] if known.email else None)
        assert row["created_at"] == person.created_at
        company = companies.get(person.company_id or "")
        expected = {"season": person.season, "company": company.name if company else None}
        assert {part["key"]: part["value"] for part in row["custom"] or ()} == {
            key: value for key, value in expected.items() if value
        }


async def test_segments_have_their_size_and_their_size_by_channel(world: World) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        data = await crmlab.fetch(accounts, "segments", limits=FAST)

    rows = data.segments
    assert rows["id"].is_unique().all()
    whole = {
        row["segment_id"]: (row["name"], row["size"])
        for row in rows.iter_rows(named=True)
        if not row["channel"]
    }
    assert whole == {str(s.id): (s.name, float(s.size)) for s in world.segments}
    people = world.people_by_id()
    expected: Counter[str] = Counter()
    for segment in world.segments:
        members = set(segment.person_numbers)
        for one in world.subscriptions:
            if people[one.person_id].number in members:
                expected[f"{segment.id}/{one.resource_id}/{one.channel}"] += (
                    one.status == "subscribed"
                )
    by_channel = {row["id"]: row["size"] for row in rows.iter_rows(named=True) if row["channel"]}
    assert by_channel == dict(expected)


async def test_segments_of_equal_size_are_all_counted(world: World) -> None:
    members = world.segments[0]
    twins = [replace(members, id=n, name=f"Twin {n}") for n in (1, 2, 3)]
    async with crmlab.sandbox(replace(world, segments=twins), services=["altcraft"]) as accounts:
        data = await crmlab.fetch(accounts, "segments", limits=FAST)

    sizes = Counter(
        row["segment_id"] for row in data.segments.iter_rows(named=True) if row["channel"]
    )
    assert sizes == dict.fromkeys(("1", "2", "3"), sizes["1"])


@pytest.mark.slow
@pytest.mark.parametrize("days", [0.5, 3, 40])
async def test_history_since_a_time_is_what_happened_since(world: World, days: float) -> None:
    since = max(event.at for event in world.mail_events) - timedelta(days=days)
    until = since + timedelta(days=days / 2)
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        open_end = await crmlab.fetch(accounts, "activities", since=since, limits=FAST)
        bounded = await crmlab.fetch(accounts, "activities", since=since, until=until, limits=FAST)

    events = world.mail_events
    assert sorted(open_end.activities["id"]) == sorted(e.id for e in events if e.at >= since)
    assert sorted(bounded.activities["id"]) == sorted(e.id for e in events if since <= e.at < until)
    assert open_end.complete
    assert bounded.complete


async def test_an_event_on_the_edge_of_two_windows_comes_once() -> None:
    world = generate(3, seed=1, now=NOW)
    person = world.people[0]
    moved = replace(person, services=frozenset({"altcraft"}))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    events = [
        MailEvent(
            id=f"{n:024x}", person_id=person.id, campaign_id=None, message_id=None, action="open",
            at=start + timedelta(days=n),
        )
        for n in range(30)
    ]  # fmt: skip
    alone = replace(world, people=[moved], mail_events=events, subscriptions=[])
    async with crmlab.sandbox(alone, services=["altcraft"]) as accounts:
        data = await crmlab.fetch(
            accounts, "activities", since=start, until=start + timedelta(days=30), limits=FAST
        )

    assert data.activities["id"].to_list() == [event.id for event in events]
    assert data.complete


@pytest.mark.slow
async def test_small_pages_are_followed_to_the_end(world: World) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        account = crmlab.Account(
            "altcraft",
            base_url=accounts[0].base_url,
            token="sandbox-altcraft-token",
            facts={"page_size": 7},
        )
        data = await crmlab.fetch(account, "contacts", "activities", "subscriptions", limits=FAST)

    assert data.complete
    assert data.contacts.height == len(world.people_in("altcraft"))
    assert data.activities.height == len(world.mail_events)
    assert data.subscriptions.height == len(world.subscriptions)


@pytest.mark.slow
async def test_a_wrong_token_is_refused_once_and_nothing_is_tried_again(world: World) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        wrong = crmlab.Account("altcraft", base_url=accounts[0].base_url, token="not-the-token")
        with pytest.raises(AuthError) as refused:
            await crmlab.fetch(wrong, limits=crmlab.Limits(concurrency=1))
        requests = accounts.requests.total()

    assert (refused.value.status, requests) == (401, 1)
    assert "CRMLAB_ALTCRAFT_TOKEN" in str(refused.value)
    assert "not-the-token" not in str(refused.value)


async def test_the_token_in_the_body_works_as_well(world: World) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        old = crmlab.Account(
            "altcraft",
            base_url=accounts[0].base_url,
            token="sandbox-altcraft-token",
            token_in="body",
        )
        data = await crmlab.fetch(old, "campaigns", limits=FAST)

    assert data.campaigns.height == len(world.campaigns)


@pytest.mark.slow
async def test_an_internal_error_with_http_200_is_tried_again(world: World) -> None:
    faults = [Fault(kind="status", match="profiles/list", times=2, status=500)]
    async with crmlab.sandbox(world, services=["altcraft"], faults=faults) as accounts:
        data = await crmlab.fetch(accounts, "contacts", limits=FAST)

    assert data.contacts.height == len(world.people_in("altcraft"))
    assert data.summary["retries"].to_list() == [2]


async def test_one_profile_can_be_asked_for(world: World) -> None:
    person = world.people_in("altcraft")[0]
    database = world.mail_databases[person.number % 2].id
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        found = await crmlab.call(
            accounts[0],
            "profiles_get",
            db_id=database,
            matching="profile_id",
            profile_id=profile_id(person.id),
        )

    assert found["data"]["id"] == profile_id(person.id)


@pytest.mark.slow
async def test_an_empty_world_is_empty_and_what_hangs_on_a_database_is_not_called_complete() -> (
    None
):
    async with crmlab.sandbox(World(), services=["altcraft"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    complete = set(data.summary.filter("complete")["table"])
    assert complete >= {"campaigns", "segments"}
    assert not complete & {"contacts", "activities", "consent_events", "subscriptions"}
    assert {name: frame.height for name, frame in data.items()} == dict.fromkeys(data, 0)


@pytest.mark.slow
async def test_a_world_of_one_person_has_one_contact() -> None:
    world = generate(1, seed=1, now=NOW)
    alone = replace(world, people=[replace(world.people[0], services=frozenset({"altcraft"}))])
    async with crmlab.sandbox(alone, services=["altcraft"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    assert data.complete
    assert data.contacts["id"].to_list() == [profile_id(world.people[0].id)]
