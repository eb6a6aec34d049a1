"""What a check says was reached, and what one call is asked and answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import BaseModel

import crmlab
from crmlab.connector.page import Page
from crmlab.errors import TransportError, UsageError
from crmlab.providers import provider, registry
from tests.conftest import Serve


def page(name: str, body: object) -> Page:
    return Page(request=provider(name).ping, status=200, headers={}, body=json.dumps(body).encode())


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        (
            "onepagecrm",
            {
                "data": {
                    "user": {"first_name": "Jane", "last_name": "Doe", "email": "j@example.com"},
                    "team": [{}, {}],
                }
            },
            "signed in as Jane Doe, j@example.com · 3 users",
        ),
        (  # as the lists wrap their records
            "onepagecrm",
            {"data": {"user": {"user": {"first_name": "Jane", "company_name": "Big Company"}}}},
            "signed in as Jane, Big Company · 1 user",
        ),
        (
            "relenta",
            {"status": True, "data": [{"label": "Size"}, {"label": "Colour"}]},
            "2 custom fields: Size, Colour",
        ),
        ("relenta", {"status": True, "data": []}, "no custom fields"),
        (
            "complero",
            [{"created_at": "2026-11-22T11:57:00Z", "model": "Contact"}],
            "newest upload: Contact of 2026-11-22",
        ),
        ("complero", [], "no uploads yet"),
        (
            "altcraft",
            {"error": 0, "data": [{"name": n} for n in "abcdef"]},
            "6 databases: a, b, c, …",
        ),
        ("altcraft", {"error": 0, "data": [{"id": 1}]}, "1 database: ?"),
        ("commanders_act", {"data": [{"attributes": {"label": "Web"}}]}, "1 source: Web"),
    ],
)
def test_the_cheapest_read_tells_who_and_what_was_reached(
    name: str, body: object, words: str
) -> None:
    assert provider(name).reached(page(name, body)) == words


async def test_a_check_says_what_was_reached_and_where() -> None:
    async with crmlab.sandbox(rows=20) as accounts:
        told = {account.provider.name: await crmlab.check(account) for account in accounts}

    where = accounts.url.removeprefix("http://")
    assert told.keys() == registry().keys()
    assert all(words.endswith(f" · {where}") for words in told.values())
    silent = [name for name, words in told.items() if "answered" in words]
    assert not silent, "say with `Provider.reached` who and what the answer to the ping shows"


async def lenient(serve: Serve, body: bytes) -> str:
    """Check an account whose provider takes every answer."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body)

    account = crmlab.Account("altcraft", base_url=await serve(answer), token="any")
    account.provider = replace(account.provider, check=lambda page: None)
    return await crmlab.check(account)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("relenta", "no custom fields"),
        ("altcraft", "no databases"),
        ("commanders_act", "no sources"),
        ("complero", "no uploads yet"),
    ],
)
async def test_an_answer_without_content_is_an_empty_list_and_told(
    serve: Serve, name: str, words: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=204)

    keys = {
        field.name: "7" * 20
        for field in provider(name).fields
        if field.required and not field.default
    }
    account = crmlab.Account(name, base_url=await serve(answer), **keys)

    told = await crmlab.check(account)

    assert told.startswith(f"{words} (HTTP 204 without content) · ")


async def test_an_answer_of_another_shape_was_reached_all_the_same(serve: Serve) -> None:
    assert (await lenient(serve, b'{"error": 0, "data": "none"}')).startswith(
        "answered · 127.0.0.1:"
    )


async def test_a_page_that_asks_to_sign_in_to_the_network_was_not(serve: Serve) -> None:
    with pytest.raises(TransportError, match="not the expected JSON"):
        await lenient(serve, b"<html>Please sign in</html>")


async def test_records_of_an_answer_come_as_a_frame() -> None:
    async with crmlab.sandbox(rows=40, services=["onepagecrm", "commanders_act"]) as (crm, site):
        deals = await crmlab.call(crm, "list_deals", status="won", per_page=3, as_frame=True)
        sources = await crmlab.call(site, "platform_sources_index", as_frame=True)

    assert deals.height == 3
    assert deals["status"].to_list() == ["won"] * 3
    assert {"id", "label", "type"} <= set(sources.columns)


class _Deal(BaseModel):
    id: str
    amount: float


class _Deals(BaseModel):
    class Data(BaseModel):
        class Item(BaseModel):
            deal: _Deal

        deals: list[Item]

    data: Data


async def test_an_answer_is_read_into_a_model_and_one_of_another_kind_is_refused_without_its_values() -> (
    None
):
    async with (
        crmlab.sandbox(rows=40, services=["onepagecrm"]) as (account,),
        crmlab.Client([account]) as client,
    ):
        found = await client.call(account, "list_deals", per_page=3, as_model=_Deals)
        with pytest.raises(UsageError, match=r"is no _Deal: id \(missing\), amount \(missing\)"):
            await crmlab.call(account, "list_deals", per_page=3, as_model=_Deal)
        with pytest.raises(UsageError, match="a frame or a model"):
            await crmlab.call(account, "list_deals", as_model=_Deals, as_frame=True)

    assert [type(each.deal.amount) for each in found.data.deals] == [float] * 3


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("get_contcat", {}, "did you mean 'get_contact'"),
        ("get_contact", {"id": "1"}, "it takes no 'id'; its arguments are contact_id"),
    ],
)
async def test_what_cannot_be_called_is_refused_before_anything_is_sent(
    name: str, arguments: dict[str, str], told: str
) -> None:
    account = crmlab.Account("onepagecrm", user_id="1", api_key="k", base_url="http://127.0.0.1:9")

    with pytest.raises(UsageError, match=told):
        await crmlab.call(account, name, **arguments)


@pytest.mark.parametrize(
    ("account", "settings", "told"),
    [
        ("onepagecrm", {}, "accounts are crmlab.Account objects, not str"),
        (None, {"timeouts": 3}, r"timeouts are crmlab.Timeouts\(...\), not int"),
    ],
)
@pytest.mark.parametrize(
    "ask", [crmlab.call, crmlab.push, crmlab.fetch], ids=["call", "push", "fetch"]
)
async def test_something_else_in_the_place_of_an_account_or_a_setting_is_refused(
    ask: Any, account: Any, settings: dict[str, Any], told: str
) -> None:
    account = account or crmlab.Account(
        "onepagecrm", user_id="1", api_key="k", base_url="http://127.0.0.1:9"
    )
    further = {
        crmlab.call: ("get_bootstrap",),
        crmlab.push: ("contacts", pl.DataFrame({"last_name": ["B"]})),
    }

    with pytest.raises(UsageError, match=told):
        await ask(account, *further.get(ask, ("contacts",)), **settings)


def test_operations_are_a_frame() -> None:
    counted = {name: crmlab.operations(name).height for name in registry()}

    assert counted == {
        "altcraft": 40,
        "commanders_act": 133,
        "complero": 14,
        "onepagecrm": 166,
        "relenta": 5,
    }
    (note,) = crmlab.operations("onepagecrm").filter(operation="get_note")["arguments"].to_list()
    assert note == [{"name": "note_id", "takes": "text", "required": True, "default": None}]


async def test_a_hundred_calls_of_a_client_connect_once() -> None:
    connections = set()

    async def answer(request: web.Request) -> web.Response:
        connections.add(request.transport)
        return web.json_response(
            {"status": 0, "data": {"contact": {"id": request.path.rpartition("/")[2]}}}
        )

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        ours = crmlab.Account(
            "onepagecrm", user_id="1", api_key="k", base_url=str(server.make_url(""))
        )
        async with crmlab.Client(ours, limits=crmlab.Limits(concurrency=1)) as client:
            found = [
                await client.call(ours, "get_contact", contact_id=f"c{number}")
                for number in range(100)
            ]

    assert [each["data"]["contact"]["id"] for each in found] == [
        f"c{number}" for number in range(100)
    ]
    assert len(connections) == 1


async def test_a_client_calls_for_its_own_accounts_only() -> None:
    ours = crmlab.Account("onepagecrm", name="ours", user_id="1", api_key="k")
    other = crmlab.Account("onepagecrm", name="other", user_id="1", api_key="k")

    async with crmlab.Client(ours) as client:
        with pytest.raises(UsageError, match="'other' is none of this client's accounts"):
            await client.call(other, "list_users")
