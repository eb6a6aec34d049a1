"""The short lists of OnePageCRM: within the bootstrap answer if that is asked anyway, else asked for themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from aiohttp import ClientSession, web
from polars.testing import assert_frame_equal

import crmlab
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.server import Sandbox
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import NOW, World
from tests.conftest import Serve

FAST = crmlab.Limits(concurrency=10)
LOOKUPS = (
    "users",
    "pipelines",
    "statuses",
    "lead_sources",
    "custom_fields",
    "company_fields",
    "deal_fields",
)
OWN = tuple(f"onepagecrm.{name}" for name in LOOKUPS)
TABLES = ("users", "stages", "statuses", "lead_sources", "fields")
Edit = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def world() -> World:
    return generate(60, seed=8, now=NOW)


def asked(crm: Sandbox) -> set[str]:
    return {path[1:] for _, path in crm.requests}


async def edited(serve: Serve, crm: Sandbox, edit: Edit) -> crmlab.Account:
    """The account of a service whose bootstrap answer is another."""

    async def pass_on(request: web.Request) -> web.Response:
        headers = {"Authorization": request.headers["Authorization"]}
        async with (
            ClientSession() as session,
            session.get(crm[0].base_url + request.path_qs, headers=headers) as found,
        ):
            body = await found.json()
        if request.path == "/bootstrap":
            edit(body)
        return web.Response(body=json.dumps(body), content_type="application/json")

    return crmlab.Account("onepagecrm", base_url=await serve(pass_on), **crm.keys["onepagecrm"])


@pytest.mark.parametrize("names", [TABLES, OWN, (*TABLES, *OWN)], ids=["shared", "own", "both"])
async def test_they_come_with_the_bootstrap_answer_as_from_their_own_lists(
    world: World, names: Any
) -> None:
    async with crmlab.sandbox(world, services=["onepagecrm"]) as crm:
        apart = await crmlab.fetch(crm, *names, limits=FAST)
        assert asked(crm) == set(LOOKUPS)
        crm.requests.clear()
        within = await crmlab.fetch(crm, *names, "tags", limits=FAST)

    assert asked(crm) == {"bootstrap"}
    assert within.complete
    for name, frame in apart.items():
        assert frame.height > 0
        assert_frame_equal(frame, within[name], check_row_order=False)
    told = within.summary.filter(pl.col("resource") != "bootstrap")
    assert set(told["note"]) == {"within bootstrap"}
    assert told["requests"].sum() == told["planned"].sum() == 0


async def test_where_the_bootstrap_answer_fails_each_is_asked_for_itself(world: World) -> None:
    fault = Fault(kind="status", status=403, match="/bootstrap", times=9)
    async with crmlab.sandbox(world, services=["onepagecrm"], faults=[fault]) as crm:
        data = await crmlab.fetch(crm, *TABLES, "tags", limits=FAST)

    assert asked(crm) == {"bootstrap", *LOOKUPS}
    assert (data.users.height, data.statuses.height) == (len(world.users), len(world.statuses))
    assert len(data.failures) == 1
    assert not data.complete


@pytest.mark.parametrize(
    ("edit", "missing"),
    [
        (lambda answer: answer["data"].pop("user"), {"users"}),
        (lambda answer: answer["data"].pop("team"), {"users"}),
        (lambda answer: answer["data"].update(settings=[]), {"pipelines"}),
        (lambda answer: answer["data"]["settings"].update(pipelines=None), {"pipelines"}),
        (lambda answer: answer.pop("statuses"), {"statuses"}),
        (
            lambda answer: answer.update(lead_sources=None, statuses=None),
            {"lead_sources", "statuses"},
        ),
        (lambda answer: answer["data"].pop("deal_fields"), {"deal_fields"}),
    ],
)
async def test_what_it_lacks_is_asked_for_itself(
    world: World, serve: Serve, edit: Edit, missing: set[str]
) -> None:
    async with crmlab.sandbox(world, services=["onepagecrm"]) as crm:
        account = await edited(serve, crm, edit)
        data = await crmlab.fetch(account, *TABLES, "tags", limits=FAST)
        apart = await crmlab.fetch(crm, *TABLES, limits=FAST)

    assert asked(crm) >= missing
    for name in TABLES:
        assert_frame_equal(data[name], apart[name], check_row_order=False)
    told = data.summary.filter(pl.col("requests") > 0)["resource"]
    assert set(told) == {"bootstrap", *missing}


async def test_lists_that_come_empty_are_there(world: World, serve: Serve) -> None:
    async with crmlab.sandbox(world, services=["onepagecrm"]) as crm:
        account = await edited(
            serve, crm, lambda answer: answer.update(statuses=[], lead_sources=[])
        )
        data = await crmlab.fetch(account, "statuses", "lead_sources", "tags", limits=FAST)

    assert data.statuses.is_empty()
    assert asked(crm) == {"bootstrap"}


async def test_a_bad_value_within_is_told_as_from_its_own_list(world: World, serve: Serve) -> None:
    def spoil(answer: dict[str, Any]) -> None:
        answer["data"]["deal_fields"][0]["position"] = "first"
        answer["statuses"][0]["status"]["counts"] = "many"

    async with crmlab.sandbox(world, services=["onepagecrm"]) as crm:
        account = await edited(serve, crm, spoil)
        data = await crmlab.fetch(
            account, "onepagecrm.deal_fields", "onepagecrm.statuses", "tags", limits=FAST
        )

    assert sorted(data.misfits["resource"]) == ["deal_fields", "statuses"]
    assert data["onepagecrm.statuses"].height == len(world.statuses)
    assert data.rejected.is_empty()
