"""What is written to Altcraft, Complero and Relenta in the sandbox shows in a later read, or is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

import crmlab
from crmlab.errors import ApiError
from crmlab.providers import registry
from crmlab.sandbox.services.altcraft.records import profile_id
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import World

Ask = Callable[..., Awaitable[Any]]
WORLD = generate(60, seed=1)
PEOPLE = WORLD.people_in("altcraft")
EMPLOYEE = {"id": "E-1", "email": "new@crmlab.example", "first_name": "New"}
CONTACT = {"id": "C-new", "first_name": "Ada", "last_name": "Moss"}


@pytest.fixture
async def asked(request: pytest.FixtureRequest) -> AsyncIterator[Ask]:
    """Call operations of one service of a sandbox of its own."""
    async with (
        crmlab.sandbox(WORLD, services=[request.param]) as accounts,
        crmlab.Client(accounts) as client,
    ):

        async def ask(operation: str, **arguments: Any) -> Any:
            known = {each.name: each for each in registry()[request.param].operations()}
            word = {"allow_destructive": True} if known[operation].destructive else {}
            return await client.call(accounts[0], operation, **word, **arguments)

        yield ask


def service(name: str) -> Any:
    return pytest.mark.parametrize("asked", [name], indirect=True)


async def refused(call: Awaitable[Any]) -> str:
    """Return the code of the refusal, or its status."""
    with pytest.raises(ApiError) as error:
        await call
    return error.value.code or str(error.value.status)


# ---- Altcraft ----------------------------------------------------------------------------------------


def of(person: Any) -> dict[str, Any]:
    """Return how a profile is named: by its database and id."""
    return {"db_id": 1 + person.number % 2, "profile_id": profile_id(person.id)}


@service("altcraft")
async def test_a_deleted_profile_is_nowhere_any_more(asked: Ask) -> None:
    person = next(
        each for each in PEOPLE if any(one.person_id == each.id for one in WORLD.subscriptions)
    )
    which = of(person)
    await asked("profiles_delete", matching="profile_id", **which)

    assert await refused(asked("profiles_get", matching="profile_id", **which)) == "404"
    assert await refused(asked("subscriptions_list", **which)) == "404"
    listed = await asked("profiles_list", db_id=which["db_id"])
    assert which["profile_id"] not in [each["id"] for each in listed["data"]]
    resource = WORLD.mail_resources[0].id
    subscribed = await asked("subscriptions_list_all", resource_id=resource)
    assert which["profile_id"] not in [each["profile_id"] for each in subscribed["data"]]


@service("altcraft")
async def test_a_static_segment_is_as_large_as_who_was_put_into_it(asked: Ask) -> None:
    segment, outside = next(
        (segment, person)
        for segment in WORLD.segments
        for person in PEOPLE
        if person.number not in segment.person_numbers
    )
    sizes = []
    for operation in ("add", "add", "remove", "remove"):
        await asked(f"profiles_segstatic_{operation}", segment_id=segment.id, **of(outside))
        sizes.append((await asked("segments_get", id=segment.id))["data"]["count"])

    assert sizes == [segment.size + 1, segment.size + 1, segment.size, segment.size]
    assert outside.number not in segment.person_numbers


@service("altcraft")
async def test_a_goal_is_an_event_of_the_history(asked: Ask) -> None:
    which = of(PEOPLE[0])
    goal = {"matching": "profile_id", "pixel_id": 1, **which}
    await asked(
        "goals_register",
        goals=[{"goal": "bought", "value": 3}],
        date="2026-01-02T03:04:05Z",
        **goal,
    )
    await asked("goals_register", goal="tried", is_test=True, **goal)

    history = await asked(
        "subscribers_history_get",
        list_id=which["db_id"],
        matching="profile_id",
        profile_id=which["profile_id"],
    )
    goals = [event["datetime"] for event in history["data"] if event["action"] == "goal"]
    assert goals == ["2026-01-02T03:04:05.000Z"]


@pytest.mark.slow
@service("altcraft")
async def test_profiles_that_are_imported_into_a_scenario_are_there(asked: Ask) -> None:
    scenario = next(each.id for each in WORLD.campaigns if each.kind == "trigger")
    given = {"db_id": 1, "workflow_id": scenario}
    await asked("workflows_import_and_start_batch", data=[{"email": "one@crmlab.example"}], **given)
    started = await asked(
        "workflows_import_and_start_batch_task", data=[{"email": "two@crmlab.example"}], **given
    )
    task = await asked("tasks_status", task_id=started["data"]["task_id"])

    assert [each["error"] for each in task["data"]["result"]["result"]] == [0]
    for name in ("one", "two"):
        found = await asked("profiles_get", db_id=1, email=f"{name}@crmlab.example")
        assert found["data"]["email"] == f"{name}@crmlab.example"


@service("altcraft")
@pytest.mark.parametrize("operation", ["databases", "resources", "segments"])
async def test_counting_anew_is_a_task_that_ends(asked: Ask, operation: str) -> None:
    given = {"resources": {"id": 1, "list_id": 1}}.get(operation, {"id": 1, "resource_id": 1})
    started = await asked(f"{operation}_refresh_counters", **given)
    task = await asked("tasks_status", task_id=started["data"]["task_id"])

    assert task["data"]["status"] == "completed"
    assert isinstance(task["data"]["result"], list)


@service("altcraft")
@pytest.mark.parametrize(
    ("operation", "given", "code"),
    [
        ("profiles_delete", {"db_id": 1}, "450"),
        ("profiles_delete", {"db_id": 99, "email": "a@b.example"}, "404"),
        ("profiles_delete", {"db_id": 1, "email": "nobody@b.example"}, "404"),
        (
            "profiles_delete",
            {"db_id": 1, "matching": "custom", "field_name": "_status", "field_value": "active"},
            "435",
        ),
        ("profiles_segstatic_add", {"segment_id": 99, **of(PEOPLE[0])}, "404"),
        ("profiles_segstatic_remove", {"segment_id": 1, "db_id": 1, "profile_id": "nobody"}, "404"),
        (
            "goals_register",
            {"db_id": 1, "pixel_id": 9, "goal": "bought", "email": "a@b.example"},
            "404",
        ),
        ("goals_register", {"db_id": 1, "pixel_id": 1, "email": "a@b.example"}, "450"),
        ("databases_refresh_counters", {"id": 1, "resource_id": 99}, "404"),
        ("workflows_import_and_start_batch", {"db_id": 1, "workflow_id": 9, "data": []}, "404"),
        ("workflows_import_and_start_batch_task", {"db_id": 1, "data": []}, "450"),
        ("resources_refresh_counters", {"id": 1, "list_id": 99}, "404"),
    ],
)
async def test_altcraft_refuses_what_is_missing_unknown_or_ambiguous(
    asked: Ask, operation: str, given: dict[str, Any], code: str
) -> None:
    assert await refused(asked(operation, **given)) == code


# ---- Complero ----------------------------------------------------------------------------------------


def contact_of(world: World) -> str:
    return world.people_in("complero")[0].complero_id


@service("complero")
async def test_a_deleted_contact_is_gone_with_its_documentation(asked: Ask) -> None:
    documented = next(event for event in WORLD.consent_events if event.has_documentation)
    contact = WORLD.people_by_id()[documented.person_id].complero_id
    assert (await asked("documentation_by_contact", contact_id=contact)).startswith(b"%PDF-")
    assert await asked("delete_contact", id=contact) == {"message": "deleted"}

    assert await refused(asked("get_contact", id=contact)) == "404"
    assert await refused(asked("documentation_by_contact", contact_id=contact)) == "404"
    assert await refused(asked("delete_contact", id=contact)) == "404"


@pytest.mark.slow
@service("complero")
async def test_employees_that_are_uploaded_are_there_after_a_moment(asked: Ask) -> None:
    strange = {"id": "E-2", "email": "no-address", "first_name": "Odd"}
    answer = await asked("bulk_upload_employees", body=[EMPLOYEE, strange])
    assert answer["validation_errors"] == {"1": {"email": "v1c001"}}
    assert await refused(asked("get_employee", id="E-1")) == "404"
    newest = (await asked("list_operations", limit="1"))[0]
    assert (newest["model"], newest["status"]) == ("employee", "pending")
    await asyncio.sleep(0.4)

    assert (await asked("get_employee", id="E-1"))["email"] == EMPLOYEE["email"]
    assert (await asked("get_operation", id=newest["id"]))["status"] == "done"
    assert await refused(asked("get_employee", id="E-2")) == "404"
    known = WORLD.users[0]
    await asked(
        "bulk_upload_employees",
        body=[{"id": known.id, "email": known.email, "first_name": "Other", "city": "Hull"}],
    )
    await asyncio.sleep(0.4)
    changed = await asked("get_employee", id=known.id)
    assert (changed["first_name"], changed["city"], changed["last_name"]) == (
        "Other",
        "Hull",
        known.last_name,
    )


@service("complero")
async def test_an_employee_with_contacts_stays_and_one_without_goes(asked: Ask) -> None:
    busy = WORLD.people_in("complero")[0].owner_id
    assert await refused(asked("delete_employee", id=busy)) == "409"
    await asked("bulk_upload_employees", body=[EMPLOYEE])
    await asked("bulk_upload_contacts", body=[{**CONTACT, "employee_id": "E-1"}])
    await asyncio.sleep(0.4)
    assert await refused(asked("delete_employee", id="E-1")) == "409"
    await asked("delete_contact", id="C-new")
    await asked("delete_employee", id="E-1")

    assert await refused(asked("get_employee", id="E-1")) == "404"
    assert await refused(asked("delete_employee", id="E-1")) == "404"


@service("complero")
async def test_a_triggered_event_is_in_the_feed_with_its_documentation(asked: Ask) -> None:
    contact = await asked("get_contact", id=contact_of(WORLD))
    given = {"id": contact["id"], "first_name": "Changed", "last_name": contact["last_name"]}
    await asked("trigger_sandbox_event", body={"contact": given, "type": "update"})
    newest = (await asked("get_events", type="update"))[-1]

    assert (newest["type"], newest["contact"]["first_name"]) == ("update", "Changed")
    file = await asked("documentation_by_event", contact_id=contact["id"], event_id=newest["id"])
    assert newest["id"].encode() in file
    assert (
        await refused(asked("trigger_sandbox_event", body={"contact": CONTACT, "type": "update"}))
        == "404"
    )
    blank = {**given, "last_name": ""}
    assert (
        await refused(asked("trigger_sandbox_event", body={"contact": blank, "type": "confirm"}))
        == "400"
    )


# ---- Relenta -----------------------------------------------------------------------------------------


@service("relenta")
async def test_an_activity_that_is_saved_is_listed_and_what_a_change_leaves_out_is_blanked(
    asked: Ask,
) -> None:
    created = await asked(
        "save_activity", subject="Call", dt_start="2026-01-02T09:00:00Z", body="About tulips"
    )
    first = (await asked("list_activities", page_size=1))["data"][0]
    assert (first["id"], first["subject"], first["body"]) == (
        str(created["data"]["id"]),
        "Call",
        "About tulips",
    )
    await asked("save_activity", id=int(first["id"]), subject="Meeting", all_day=True)
    known = WORLD.appointments[0]
    await asked("save_activity", id=int(known.id), subject="Moved")
    listed = {each["id"]: each for each in (await asked("list_activities", page_size=100))["data"]}

    assert (listed[first["id"]]["subject"], listed[first["id"]]["body"]) == ("Meeting", "")
    assert listed[first["id"]]["dt_created"] == first["dt_created"]
    assert listed[known.id]["subject"] == "Moved" or known.id not in listed


@service("relenta")
@pytest.mark.parametrize(
    ("given", "status"),
    [({"id": 1, "subject": "x"}, "404"), ({"subject": "x", "dt_start": "tomorrow"}, "400")],
)
async def test_relenta_refuses_an_unknown_activity_and_a_time_that_is_none(
    asked: Ask, given: dict[str, Any], status: str
) -> None:
    assert await refused(asked("save_activity", **given)) == status
