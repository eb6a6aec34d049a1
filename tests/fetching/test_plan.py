"""`crmlab.plan` against the sandbox: few requests, each needed anyway, and told what is not known."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from polars.testing import assert_frame_equal

import crmlab
from crmlab.connector.provider import Provider
from crmlab.errors import AuthError, NotFoundError, UsageError
from crmlab.fetching.plan import RESOURCES, SCOPES, Plan
from crmlab.providers.complero import PROVIDER as COMPLERO
from crmlab.providers.onepagecrm import PROVIDER as ONEPAGECRM
from crmlab.providers.onepagecrm.pages import contact_paging
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import NOW, World
from tests.conftest import described

Serve = Callable[[Any], Awaitable[str]]
FAST = crmlab.Limits(concurrency=10)
ONE = ["onepagecrm"]
COUNTED = ("contacts", "companies", "deals", "actions", "notes", "calls", "meetings")


@pytest.fixture(scope="module")
def world() -> World:
    return generate(500, seed=3, now=NOW)


def line(plan: Plan, resource: str) -> dict[str, Any]:
    return plan.resources.filter(pl.col("resource") == resource).row(0, named=True)


def named(account: crmlab.Account, name: str, keys: dict[str, str]) -> crmlab.Account:
    return crmlab.Account(account.provider.name, name=name, base_url=account.base_url, **keys)


def changed(
    account: crmlab.Account, provider: Provider, name: str, **changes: Any
) -> crmlab.Account:
    """The account of a service one of whose lists is otherwise."""
    lists = tuple(
        replace(each, **changes) if each.name == name else each for each in provider.resources
    )
    account.provider = replace(provider, resources=lists)
    return account


# ---- what is sent -------------------------------------------------------------------------------


async def test_a_plan_asks_the_first_page_of_what_is_counted_and_nothing_else(world: World) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        plan = await crmlab.plan(crm, limits=FAST)

    assert Counter(path[1:] for _, path in crm.requests.elements()) == Counter(COUNTED)
    assert plan.exact
    assert plan.resources.schema == RESOURCES
    assert plan.scopes.schema == SCOPES
    assert line(plan, "deals")["records"] == len(world.deals)
    assert line(plan, "users") | {"strategy": "within bootstrap", "requests": 0} == line(
        plan, "users"
    )


@pytest.mark.parametrize("options", [{}, {"since": "2020-01-01"}], ids=["inside", "apart"])
async def test_a_fetch_of_a_plan_asks_nothing_twice_and_what_was_planned(
    world: World, options: Any
) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        plan = await crmlab.plan(crm, limits=FAST, **options)
        planned = crm.requests.copy()
        data = await crmlab.fetch(plan, limits=FAST)
        total = sum(crm.requests.values())
        crm.requests.clear()
        apart = await crmlab.fetch(crm, limits=FAST, **options)

    assert data.complete
    assert plan.exact
    assert total == plan.requests == sum(crm.requests.values())  # as many as without a plan
    assert planned.total() < total
    by_resource = data.summary.unique("resource").select("resource", "planned", "requests")
    assert by_resource.filter(pl.col("planned") != pl.col("requests")).is_empty()
    assert_frame_equal(
        plan.resources.select("resource", "requests"),
        by_resource.select("resource", "requests"),
        check_row_order=False,
    )
    assert {name: frame.height for name, frame in data.items()} == {
        name: f.height for name, f in apart.items()
    }


async def test_a_plan_is_good_for_files_as_well(world: World, tmp_path: Path) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        plan = await crmlab.plan(crm, "deals", "contacts", limits=FAST)
        stored = await crmlab.fetch_to(tmp_path, plan, limits=FAST)

    assert stored.complete
    assert sum(crm.requests.values()) == plan.requests
    assert stored.deals.collect().height == len(world.deals)


async def test_accounts_of_one_name_at_two_services_keep_their_pages_apart(serve: Serve) -> None:
    def service(id: str, **counted: Any) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            return web.json_response(
                {"status": 0, "data": [{"type": "user", "id": id, "user": {"id": id}}], **counted}
            )

        return answer

    one = crmlab.Account(
        "onepagecrm", name="acme", base_url=await serve(service("o")), user_id="me", api_key="k"
    )
    changed(one, ONEPAGECRM, "users", total=lambda page: 1)
    other = crmlab.Account(
        "commanders_act",
        name="acme",
        base_url=await serve(service("c", meta={"pagination": {"total": 1, "total_pages": 1}})),
        site_id="1",
        token="k",
    )

    plan = await crmlab.plan([one, other], "users", limits=FAST)
    data = await crmlab.fetch(plan, limits=FAST)

    assert dict(data.users.select("provider", "id").rows()) == {
        "onepagecrm": "o",
        "commanders_act": "c",
    }


async def test_a_list_that_others_depend_on_is_read_and_what_depends_on_it_is_known() -> None:
    async with crmlab.sandbox(rows=60, now=NOW, services=["commanders_act"]) as running:
        plan = await crmlab.plan(running, "deliveries", since="2026-10-30", limits=FAST)
        sent = running.requests.copy()
        data = await crmlab.fetch(plan, limits=FAST)

    assert set(sent.values()) == {1}
    assert sent.total() == plan.requests == 1 + line(plan, "delivery_trends")["requests"]
    assert plan.exact
    assert running.requests["commanders_act", "/destinations"] == 1
    # an answer that says that there is nothing is no page: it is asked for again
    assert (
        sum((running.requests - sent).values())
        == data.summary["note"].str.contains("nothing there").sum()
        == 1
    )
    assert data.complete


# ---- what is not known --------------------------------------------------------------------------


async def test_what_nobody_counts_is_said_to_be_unknown() -> None:
    async with crmlab.sandbox(rows=60, now=NOW, services=["relenta", "complero"]) as running:
        plan = await crmlab.plan(running, "contacts", "users", limits=FAST)
        sent = running.requests.copy()
        data = await crmlab.fetch(plan, limits=FAST)

    assert not plan.exact
    assert str(plan).startswith("at least ")
    assert not sent
    assert {line(plan, name)["exact"] for name in ("contacts", "events", "employees")} == {False}
    assert line(plan, "employees")["note"] == "known when events is read"
    assert line(plan, "events")["records"] is None
    assert data.complete
    assert plan.requests <= sum(running.requests.values())


async def test_a_long_row_of_first_requests_is_counted_and_not_sent() -> None:
    async with crmlab.sandbox(rows=30, now=NOW, services=["commanders_act"]) as running:
        plan = await crmlab.plan(
            running, "consent_statistics", since="2026-10-01", until="2026-10-31", limits=FAST
        )

    assert not running.requests
    assert (plan.requests, plan.exact) == (30, False)


async def test_contacts_past_the_wall_are_estimated_and_asked_for(world: World) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        account = described(crm[0], "contacts", follow=contact_paging(200))
        plan = await crmlab.plan(account, "contacts", limits=FAST)
        data = await crmlab.fetch(plan, limits=FAST)

    assert data.complete
    assert 1 < plan.requests <= sum(crm.requests.values())


# ---- what reading would change ------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes", [{}, {"total": lambda page: 1}], ids=["as it is", "if it were counted"]
)
async def test_a_plan_does_not_send_what_changes_by_being_read(
    changes: Any, tmp_path: Path
) -> None:
    async with crmlab.sandbox(rows=20, services=["complero"]) as running:
        account = changed(running[0], COMPLERO, "latest_events", **changes)
        plan = await crmlab.plan(account, "complero.latest_events", limits=FAST)
        assert not running.requests
        with pytest.raises(UsageError, match="allow_destructive=True"):
            await crmlab.fetch(plan, limits=FAST)
        assert not running.requests
        data = await crmlab.fetch(plan, limits=FAST, allow_destructive=True, spool=tmp_path)

    assert data["complero.latest_events"].height > 0
    # one brings them, and a further one says that there are no more
    assert (sum(running.requests.values()), plan.requests) == (2, 1)


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tables", "options"),
    [(["deals"], {}), ([], {"since": "2026-01-01"}), ([], {"until": "2026-01-01"})],
)
async def test_a_plan_and_a_question_are_one_too_many(
    world: World, tables: list[str], options: Any
) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        plan = await crmlab.plan(crm, "users", limits=FAST)
        with pytest.raises(UsageError, match=r"a plan already has its tables and its period"):
            await crmlab.fetch(plan, *tables, **options)
        with pytest.raises(UsageError, match=r"a plan already has"):
            await crmlab.fetch_to("nowhere", plan, *tables, **options)

    assert not crm.requests


async def test_a_question_that_cannot_be_asked_is_refused_as_a_fetch_does(world: World) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        with pytest.raises(UsageError, match=r"unknown table 'deal'; did you mean 'deals'\?"):
            await crmlab.plan(crm, "deal")

    assert not crm.requests


async def test_a_wrong_key_is_said_before_anything_is_planned(world: World) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        wrong = named(crm[0], "sales", {**crm.keys["onepagecrm"], "api_key": "wrong"})
        with pytest.raises(AuthError, match="onepagecrm account 'sales': HTTP 401"):
            await crmlab.plan([wrong, crm[0]], limits=FAST)


async def test_the_first_failure_of_a_plan_is_raised(world: World) -> None:
    fault = Fault(kind="status", status=404, match="/notes", times=9)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        with pytest.raises(NotFoundError, match="'onepagecrm', notes: HTTP 404"):
            await crmlab.plan(crm, limits=FAST)


# ---- limits and who shares them -----------------------------------------------------------------


async def test_accounts_that_share_a_limit_are_one_scope(world: World) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        accounts = [named(crm[0], name, crm.keys["onepagecrm"]) for name in ("north", "south")]
        plan = await crmlab.plan(accounts, "deals")

    [scope] = plan.scopes.rows(named=True)
    assert (scope["scope"], scope["accounts"], scope["rate"], scope["burst"]) == (
        "OnePageCRM",
        2,
        5,
        10,
    )
    assert scope["requests"] == plan.requests == plan.resources["requests"].sum() == 2 * (1 + 3)
    assert set(plan.resources["account"]) == {"north", "south"}


async def test_each_token_of_a_service_that_counts_tokens_is_a_scope() -> None:
    async with crmlab.sandbox(rows=30, now=NOW, services=["commanders_act"]) as running:
        keys = running.keys["commanders_act"]
        plan = await crmlab.plan(
            [named(running[0], name, keys) for name in ("shop", "blog")], "users"
        )

    assert plan.scopes["scope"].to_list() == ["Commanders Act, shop", "Commanders Act, blog"]
    assert plan.scopes["accounts"].to_list() == [1, 1]


async def test_the_users_limits_are_planned_with(world: World) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        plan = await crmlab.plan(crm, "deals", limits=crmlab.Limits(rate=2, burst=2, concurrency=3))

    [scope] = plan.scopes.rows(named=True)
    assert (scope["rate"], scope["burst"]) == (2, 2)
    assert plan.bound == pytest.approx((plan.requests - 2) / 2 + scope["latency"])


@pytest.mark.parametrize("ask", [crmlab.plan, crmlab.fetch])
async def test_the_strictest_limits_hold_for_accounts_that_are_counted_together(
    world: World, ask: Any
) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        accounts = [crm[0], named(crm[0], "south", crm.keys["onepagecrm"])]  # one with the vendor's
        with pytest.warns(UserWarning, match=r"are counted together .*: the strictest hold"):
            await ask(accounts, "users")

    assert crm.requests.total() == (0 if ask is crmlab.plan else 2)


async def test_no_client_is_faster_than_planned_at_a_service_that_limits(world: World) -> None:
    async with crmlab.sandbox(world, services=ONE, rate_limits=True) as crm:
        started = time.monotonic()
        plan = await crmlab.plan(crm, "contacts", "deals", "onepagecrm.notes", since="2020-01-01")
        data = await crmlab.fetch(plan)
        took = time.monotonic() - started

    [scope] = plan.scopes.rows(named=True)
    assert data.complete
    assert crm.refused == 0
    assert sum(crm.requests.values()) == plan.requests == 12
    assert plan.bound == pytest.approx(
        2 / 5 + scope["latency"]
    )  # two of them are more than a burst
    assert plan.seconds == pytest.approx(10 / 5 + scope["latency"])  # and leave when the next may
    assert took >= 10 / 5 > plan.bound
