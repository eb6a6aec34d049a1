"""What Altcraft tells of each object, and the fields of profiles that nobody has to type in."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from aiohttp import web

import crmlab
from crmlab.connector import Page, Request
from crmlab.decoding import as_documented
from crmlab.providers.altcraft import PROVIDER
from crmlab.providers.altcraft.details import DETAILS
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import World
from tests.conftest import Serve

FAST = crmlab.Limits(concurrency=10)


@pytest.fixture(scope="module")
def world() -> World:
    return generate(150, seed=1)


@pytest.mark.slow
async def test_every_object_has_its_details_and_a_plan_counts_their_requests(world: World) -> None:
    names = [f"altcraft.{each.name}" for each in DETAILS]
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        plan = await crmlab.plan(accounts, *names)
        data = await crmlab.fetch(plan)
        requests = accounts.requests.total()

    assert data.complete, data.summary
    assert data.misfits.is_empty()
    assert requests == plan.requests
    campaigns = {str(campaign.id): campaign for campaign in world.campaigns}
    details = data["altcraft.campaign_details"]
    status = data["altcraft.campaign_status"]
    assert dict(details.select("id", "name").iter_rows()) == {
        id_: each.name for id_, each in campaigns.items()
    }
    assert dict(status.select("_campaign_id", "is_active").iter_rows()) == {
        id_: each.is_active for id_, each in campaigns.items()
    }
    for kind, listed in (
        ("broadcast", "broadcasts"),
        ("regular", "regulars"),
        ("trigger", "super_campaigns"),
    ):
        wanted = sorted(id_ for id_, each in campaigns.items() if each.kind == kind)
        assert sorted(data[f"altcraft.{listed}"]["id"]) == wanted
    subjects = data["altcraft.broadcast_details"]["content"].list.eval(
        pl.element().struct.field("subject")
    )
    assert set(subjects.explode()) == {
        each.name for each in world.campaigns if each.kind == "broadcast"
    }


async def test_counters_count_every_subscription_once(world: World) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        data = await crmlab.fetch(
            accounts, "altcraft.database_counters", "altcraft.resource_counters", limits=FAST
        )

    for name in ("altcraft.database_counters", "altcraft.resource_counters"):
        status = data[name]["status"].struct
        assert status.field("all").sum() == len(world.subscriptions)
        unsubscribed = sum(one.status == "unsubscribed" for one in world.subscriptions)
        assert status.field("unsubscribed").sum() == unsubscribed


@pytest.mark.parametrize("limit", [2, 3, 1000])
@pytest.mark.slow
async def test_a_log_is_followed_from_its_last_time_on(world: World, limit: int) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        account = crmlab.Account(
            "altcraft",
            base_url=accounts[0].base_url,
            token="sandbox-altcraft-token",
            facts={"page_size": limit},
        )
        data = await crmlab.fetch(account, "altcraft.campaign_log", limits=FAST)

    sent = {
        (e.campaign_id, e.at.date())
        for e in world.mail_events
        if e.action == "send" and e.campaign_id
    }
    assert data.complete
    assert data["altcraft.campaign_log"].height == 2 * len(sent)


@pytest.mark.parametrize("count", [4, 9])
async def test_a_log_that_is_not_followed_to_what_is_counted_is_told(
    serve: Serve, count: int
) -> None:
    """As where lines come newest first: the last time of a page is then older than all others."""
    lines = [
        {"level": "INFO", "message": f"m{n}", "time": f"2026-01-0{9 - n}T00:00:00Z"}
        for n in range(4)
    ]

    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        if request.path == "/campaigns/list":
            return web.json_response(
                {"error": 0, "data": [{"id": 1, "name": "a"}], "total_count": 1}
            )
        data = lines if not body.get("from_time") else lines[:1]
        return web.json_response({"error": 0, "data": data, "total_count": count})

    account = crmlab.Account("altcraft", base_url=await serve(answer), token="t", limits=FAST)
    data = await crmlab.fetch(account, "altcraft.campaign_log")

    assert data.complete is (count == 4)


def restated(data: Any) -> list[dict[str, Any]]:
    resource = PROVIDER.resource("database_fields")
    body = json.dumps({"error": 0, "data": data}).encode()
    page = resource.restate(Page(request=Request(path="/x"), status=200, headers={}, body=body))
    found: list[dict[str, Any]] = page.read(dict[str, Any])["data"]
    return found


def test_fields_are_read_however_they_are_named() -> None:
    as_documented = [{"name": "season", "type": "string"}]

    assert restated(as_documented) == as_documented
    assert restated(["season", "size"]) == [{"name": "season"}, {"name": "size"}]
    assert restated({"season": {"type": "string"}}) == as_documented
    assert restated({"season": "string"}) == as_documented


@pytest.mark.parametrize("name", ["database_fields", "resource_fields"])
@pytest.mark.parametrize(
    ("content", "is_told"), [({}, True), ({"data": None}, True), ({"data": []}, False)]
)
def test_an_answer_without_a_list_of_fields_is_told(
    name: str, content: dict[str, Any], is_told: bool
) -> None:
    resource = PROVIDER.resource(name)
    body = json.dumps({"error": 0, **content}).encode()
    page = resource.restate(Page(request=Request(path="/x"), status=200, headers={}, body=body))

    assert bool(resource.lacking(as_documented(page, resource))) is is_told


@pytest.mark.slow
async def test_custom_fields_come_without_being_typed_in_and_cost_a_request_each_database(
    world: World,
) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        plan = await crmlab.plan(accounts, "contacts")
        data = await crmlab.fetch(plan)
        asked = accounts.requests["altcraft", "/v1.1/databases/fields_get"]
        named = crmlab.Account(
            "altcraft",
            base_url=accounts[0].base_url,
            token="sandbox-altcraft-token",
            custom_fields="season",
        )
        typed_in = await crmlab.fetch(named, "contacts", "altcraft.profiles", limits=FAST)
        in_all = accounts.requests["altcraft", "/v1.1/databases/fields_get"]

    def keys(frame: pl.DataFrame) -> set[str]:
        return set(
            frame["custom"].list.eval(pl.element().struct.field("key")).explode().drop_nulls()
        )

    assert keys(data.contacts) == {"season", "company"}
    assert plan.resources.filter(resource="database_fields")["requests"].to_list() == [2]
    assert asked == in_all == len(world.mail_databases)
    assert keys(typed_in.contacts) == {"season"}
    assert "season" in typed_in["altcraft.profiles"].columns


async def test_the_fields_of_profiles_are_definitions_but_for_the_services_own(
    world: World,
) -> None:
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        data = await crmlab.fetch(accounts, "fields", limits=FAST)

    assert set(data.fields["key"]) == {"season", "company"}
    assert data.fields.height == 2 * len(world.mail_databases)


@pytest.mark.slow
@pytest.mark.parametrize("code", [501, 450, 403])
async def test_an_installation_that_names_no_fields_has_contacts_and_says_what_to_do(
    serve: Serve, code: int
) -> None:
    async def answer(request: web.Request) -> web.Response:
        data: Any = {
            "/databases/list": [{"id": 1, "name": "a"}],
            "/profiles/list": [{"id": "p1", "email": "a@b.example", "season": "May"}],
        }.get(request.path)
        if data is None:
            return web.json_response({"error": code, "error_text": "No"})
        return web.json_response({"error": 0, "data": data})

    account = crmlab.Account("altcraft", base_url=await serve(answer), token="t", limits=FAST)
    data = await crmlab.fetch(account, "contacts", "fields")
    named = crmlab.Account(
        "altcraft", base_url=account.base_url, token="t", custom_fields="season", limits=FAST
    )
    contacts = await crmlab.fetch(named, "contacts")

    told = {row["table"]: row for row in data.summary.iter_rows(named=True)}
    assert data.contacts["id"].to_list() == ["p1"]
    assert (told["contacts"]["complete"], told["fields"]["complete"]) == (True, False)
    assert "fields nobody documented: season" in told["contacts"]["note"]
    assert "custom_fields" in told["fields"]["note"]
    assert contacts.complete
