"""Every documented operation that reads is served by the sandbox, and refused where it is asked wrongly."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from aiohttp import ClientSession

import crmlab
from crmlab.connector import Operation, Request
from crmlab.connector.arguments import is_required
from crmlab.errors import ApiError, NotFoundError
from crmlab.providers import registry
from crmlab.sandbox.services.altcraft.records import profile_id
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import World

SERVICES = ("altcraft", "complero", "relenta")
#: numbers and texts that nothing in the sandbox is called by
NOBODY: Mapping[Any, Any] = {int: 987_654, str: "nobody-of-that-name"}
#: required, and no id of anything
_NO_IDS = frozenset({"date_from", "date_to", "source_type"})


@pytest.fixture(scope="module")
def world() -> World:
    return generate(120, seed=1)


def reads(provider: str) -> list[Operation]:
    return [operation for operation in registry()[provider].operations() if not operation.writes]


def arguments(provider: str, operation: str, world: World) -> dict[str, Any]:
    """Return what an operation can be asked with: what it needs of a table of examples, by its names."""
    person = world.people_in("altcraft")[0]
    documented = next(event for event in world.consent_events if event.has_documentation)
    contact = world.people_by_id()[documented.person_id].complero_id
    broadcast = next(campaign for campaign in world.campaigns if campaign.kind == "broadcast")
    ids: dict[str, Any] = {
        "campaigns": broadcast.id,
        "contact": contact,
        "employee": world.users[0].id,
        "operation": world.operations[0].id,
    }
    named = next((value for name, value in ids.items() if name in operation), 1)
    examples: dict[str, Any] = {
        "id": named,
        "contact_id": contact,
        "event_id": documented.id,
        "db_id": 1 + person.number % 2,
        "list_id": 1 + person.number % 2,
        "resource_id": world.mail_resources[0].id,
        "profile_id": profile_id(person.id),
        "source_type": "database",
        "source_id": 1,
        "date_from": "2020-01-01",
        "date_to": f"{world.now:%Y-%m-%d}",
        "task_id": 1,
        "folder": "00000000-0000-0000-0000-000000000001",
        "file": "1_database_export.csv",
    }
    chosen = next(each for each in reads(provider) if each.name == operation)
    given = {each.name: examples[each.name] for each in chosen.arguments() if each.required}
    if operation in ("profiles_get", "subscribers_history_get"):
        given |= {"matching": "profile_id", "profile_id": examples["profile_id"]}
    if operation == "segments_get_counters":
        given |= {"db_id": 1}
    if operation == "campaigns_broadcasts_list":
        given |= {"type": "broadcast"}
    return given


def held(name: str, answer: Any) -> Any:
    """Return what an answer holds, in its envelope or, at Complero, without one."""
    return answer if name == "complero" else answer["data"]


@pytest.mark.parametrize("name", SERVICES)
async def test_every_read_is_served_and_decodes(world: World, name: str, tmp_path: Path) -> None:
    answers: dict[str, Any] = {}
    async with (
        crmlab.sandbox(world, services=[name]) as accounts,
        crmlab.Client(accounts) as client,
    ):
        if name == "altcraft":
            await client.call(accounts[0], "profiles_get_all", source_type="database", source_id=1)
        for each in reads(name):
            words: dict[str, Any] = {"allow_dangerous": each.dangerous}
            if each.destructive:
                words |= {"allow_destructive": True, "spool": tmp_path}
            given = arguments(name, each.name, world)
            answers[each.name] = await client.call(accounts[0], each.name, **words, **given)

    files = {each.name for each in reads(name) if each.binary}
    assert all(
        isinstance(answer, bytes) is (operation in files) for operation, answer in answers.items()
    )
    # all but what an earlier read took away, and the pong, hold something
    lists = {operation: answer for operation, answer in answers.items() if operation not in files}
    empty = [operation for operation, answer in lists.items() if not held(name, answer)]
    assert empty in ([], ["get_latest_events"])


def wrongly_asked(
    operation: Operation, given: Mapping[str, Any]
) -> list[tuple[str, dict[str, Any]]]:
    """Return what an operation is asked with for things that are not there, one at a time."""
    types = {**operation.path_parts(), **operation.query, **operation.fields}
    required = {name: get_args(kind)[0] for name, kind in types.items() if is_required(kind)}
    needed = {**operation.path_parts(), **required}
    return [
        (name, {**given, name: NOBODY[kind]})
        for name, kind in needed.items()
        if name not in _NO_IDS
    ]


async def refusal(call: Awaitable[object]) -> ApiError | None:
    """Return why a call was refused; None where it was not."""
    try:
        await call
    except ApiError as error:
        return error
    return None


@pytest.mark.parametrize("name", SERVICES)
async def test_what_is_not_there_is_refused_as_documented(world: World, name: str) -> None:
    async with (
        crmlab.sandbox(world, services=[name]) as accounts,
        crmlab.Client(accounts) as client,
    ):
        for each in reads(name):
            for wrong, given in wrongly_asked(each, arguments(name, each.name, world)):
                refused = await refusal(
                    client.call(accounts[0], each.name, allow_dangerous=each.dangerous, **given)
                )
                assert isinstance(refused, NotFoundError), f"{each.name} of an unknown {wrong}"


async def test_required_parameters_that_are_missing_are_refused(world: World) -> None:
    """Only Altcraft's reads have any beside the path: 450 in the envelope."""
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        headers = accounts[0].sign(Request(path="/")).headers
        async with ClientSession(headers=headers) as session:
            for each in reads("altcraft"):
                required = [name for name, kind in each.fields.items() if is_required(kind)]
                body = arguments("altcraft", each.name, world)
                for missing in required:
                    less = {name: value for name, value in body.items() if name != missing}
                    answer = await session.post(accounts[0].base_url + each.path, json=less)
                    assert (await answer.json())["error"] == 450, f"{each.name} without {missing}"


async def test_a_profile_is_found_in_every_documented_way(world: World) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        data = await crmlab.fetch(accounts, "altcraft.profiles")
        profiles = data["altcraft.profiles"]
        one = profiles.filter(
            profiles["email"].is_first_distinct() & profiles["phones"].is_not_null()
        ).to_dicts()[0]
        ways: list[dict[str, Any]] = [
            {"matching": "email", "email": one["email"].upper()},
            {"matching": "email_profile", "email": one["email"]},
            {"matching": "phone", "phone": one["phones"][0]},
            {"matching": "email_phone", "email": one["email"], "phone": one["phones"][0]},
            {"matching": "profile_id", "profile_id": one["id"]},
        ]
        found = []
        async with crmlab.Client(accounts) as client:
            for way in ways:
                found.append(
                    await client.call(accounts[0], "profiles_get", db_id=int(one["db_id"]), **way)
                )
            with pytest.raises(ApiError) as several:
                await client.call(
                    accounts[0],
                    "profiles_get",
                    db_id=1,
                    matching="custom",
                    field_name="_status",
                    field_value="active",
                )

    assert {each["data"]["id"] for each in found} == {one["id"]}
    assert several.value.code == "435"
