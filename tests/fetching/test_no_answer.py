"""A gateway's JSON with status 200 is a failed answer: it is asked for again, then a failure, over HTTP."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from aiohttp import web

import crmlab
from crmlab.errors import CrmlabError, TransportError
from tests.conftest import Serve

FAST = crmlab.Limits(concurrency=10)
AT_ONCE = crmlab.Timeouts(first_wait=0)
GATEWAY = {"message": "Service temporarily unavailable"}


def note_page(number: int, last: int = 3) -> dict[str, Any]:
    rows = [{"note": {"id": f"n{number}", "text": "hello", "created_at": "2026-01-01T00:00:00Z"}}]
    return {"status": 0, "data": {"notes": rows, "max_page": last, "total_count": last}}


def onepagecrm(url: str) -> crmlab.Account:
    return crmlab.Account("onepagecrm", base_url=url, user_id="me", api_key="my-key")


@pytest.mark.parametrize(
    "other", [GATEWAY, {}, {"error": "x"}, {"data": None}, None, "text", 5], ids=str
)
async def test_other_json_in_the_middle_is_asked_for_again(serve: Serve, other: Any) -> None:
    asked: Counter[int] = Counter()

    async def notes(request: web.Request) -> web.Response:
        number = int(request.query["page"])
        asked[number] += 1
        return web.json_response(other if number == 2 and asked[2] == 1 else note_page(number))

    data = await crmlab.fetch(
        onepagecrm(await serve(notes)), "onepagecrm.notes", limits=FAST, timeouts=AT_ONCE
    )

    assert sorted(data["onepagecrm.notes"]["id"]) == ["n1", "n2", "n3"]
    assert data.complete
    assert asked[2] == 2


async def test_other_json_for_ever_is_a_failure_that_tells_names_only(serve: Serve) -> None:
    async def notes(request: web.Request) -> web.Response:
        number = int(request.query["page"])
        return web.json_response(GATEWAY if number == 2 else note_page(number))

    data = await crmlab.fetch(
        onepagecrm(await serve(notes)), "onepagecrm.notes", limits=FAST, timeouts=AT_ONCE
    )

    [failure] = data.failures
    assert isinstance(failure, TransportError)
    assert "an object of message where a list of notes is documented" in str(failure)
    assert "temporarily" not in str(failure)
    assert data.summary["complete"].to_list() == [False]


async def test_a_list_that_is_wrapped_otherwise_is_read_and_told(serve: Serve) -> None:
    async def events(request: web.Request) -> web.Response:
        kind = request.query.get("type")
        return web.json_response(
            {"events": [{"id": f"e-{kind}", "type": kind, "contact": {"id": "c"}}]}
        )

    account = crmlab.Account("complero", base_url=await serve(events), api_key="my-key-of-complero")
    data = await crmlab.fetch(account, "complero.events", limits=FAST, timeouts=AT_ONCE)

    assert sorted(data["complero.events"]["id"]) == ["e-confirm", "e-documentation", "e-update"]
    assert data.complete
    assert "stand in events, not where they are documented" in data.summary["note"][0]


ACCOUNTS: dict[str, dict[str, str]] = {
    "altcraft": {"host": "own.example", "token": "my-token-of-altcraft"},
    "commanders_act": {"site_id": "7", "token": "my-token-of-commanders"},
    "complero": {"api_key": "my-key-of-complero"},
    "onepagecrm": {"user_id": "me", "api_key": "my-key-of-onepagecrm"},
    "relenta": {"account_name": "own", "api_key": "my-key-of-relenta"},
}


@pytest.mark.parametrize(
    "other", [GATEWAY, {}, {"error": "x"}, {"data": None}, None, "text", 5], ids=str
)
@pytest.mark.parametrize("provider", ACCOUNTS)
async def test_a_check_is_not_satisfied_with_any_json(
    serve: Serve, provider: str, other: Any
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(other)

    account = crmlab.Account(provider, base_url=await serve(answer), **ACCOUNTS[provider])

    with pytest.raises(CrmlabError, match=provider):
        await crmlab.check(account, timeouts=AT_ONCE)
