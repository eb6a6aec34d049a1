"""How long a service may take and how much it may send: over HTTP, with limits that are short."""

from __future__ import annotations

import asyncio
import gzip
import time
from typing import Any

import pytest
from aiohttp import web

import crmlab
from crmlab.connector import Request
from crmlab.errors import ApiError, PagingError, Stopped, TransportError
from crmlab.http.client import Client
from tests.conftest import Serve

FAST = crmlab.Limits(concurrency=10)
SHORT = crmlab.Timeouts(answer=0.3)


def account(url: str) -> crmlab.Account:
    return crmlab.Account("onepagecrm", base_url=url, user_id="me", api_key="k" * 20)


async def silent(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(20)
    return web.Response()


async def dripping(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(200):
        await response.write(b" ")
        await asyncio.sleep(0.05)
    return response


def notes(last: int = 1) -> dict[str, Any]:
    rows = [{"note": {"id": "n", "text": "x" * 100, "created_at": "2026-01-01T00:00:00Z"}}]
    return {"status": 0, "data": {"notes": rows, "max_page": last, "total_count": 1}}


@pytest.mark.parametrize("handler", [silent, dripping])
async def test_one_answer_takes_no_longer_than_it_may(serve: Serve, handler: Any) -> None:
    url = await serve(handler)
    started = time.monotonic()

    with pytest.raises(TransportError, match="did not answer in time"):
        await crmlab.fetch(account(url), "onepagecrm.notes", limits=FAST, timeouts=SHORT)
    with pytest.raises(TransportError, match="did not answer in time"):
        await crmlab.check(account(url), timeouts=SHORT)
    with pytest.raises(TransportError, match="did not answer in time"):
        await crmlab.plan(account(url), "onepagecrm.notes", limits=FAST, timeouts=SHORT)
    with pytest.raises(TransportError, match="did not answer in time"):
        await crmlab.call(account(url), "get_contact", contact_id="1", timeouts=SHORT)

    assert time.monotonic() - started < 8  # four times 0.3 s, on a machine however busy


async def test_one_slow_answer_costs_only_its_list(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response(notes()) if request.path == "/notes" else await silent(request)

    data = await crmlab.fetch(
        account(await serve(handler)),
        "onepagecrm.notes",
        "onepagecrm.calls",
        limits=FAST,
        timeouts=SHORT,
    )

    assert data["onepagecrm.notes"].height == 1
    assert [failure.resource for failure in data.failures] == ["calls"]


@pytest.mark.parametrize("packed", [True, False])
async def test_an_answer_that_is_too_large_is_cut_short_and_named(
    serve: Serve, packed: bool
) -> None:
    asked = []
    body = b" " * 5_000_000

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(1)
        headers = {"Content-Encoding": "gzip"} if packed else {}
        return web.Response(body=gzip.compress(body) if packed else body, headers=headers)

    url = await serve(handler)
    async with Client(FAST, crmlab.Timeouts(max_body=1_000_000)) as client:
        with pytest.raises(
            TransportError,
            match=r"larger than 1,000,000 bytes, which is max_body of crmlab\.Timeouts",
        ):
            await client.send(account(url), Request(path="/notes"))

    assert len(asked) == 1


async def test_a_refusal_of_any_size_is_one_and_is_not_read_to_its_end(serve: Serve) -> None:
    written = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse(status=400)
        await response.prepare(request)
        for _ in range(1_000):
            await response.write(b"x" * 1_000_000)
            written += 1
        return response

    url = await serve(handler)
    async with Client(FAST) as client:
        with pytest.raises(ApiError) as refusal:
            await client.send(account(url), Request(path="/notes"))

    assert refusal.value.status == 400
    assert written < 50  # what a connection holds that nobody reads is more than a megabyte


async def test_a_list_without_a_new_record_is_given_up(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.query["type"] != "update":
            return web.json_response([])
        await asyncio.sleep(0.1)
        following = str(int(request.query.get("cursor", "0")) + 1)
        return web.json_response([], headers={"Next-Cursor": following})

    complero = crmlab.Account("complero", base_url=await serve(handler), api_key="k" * 20)
    with pytest.raises(PagingError, match=r"brought no new record in .* stall of crmlab"):
        await crmlab.fetch(
            complero, "complero.events", limits=FAST, timeouts=crmlab.Timeouts(stall=0.35)
        )


async def test_answers_side_by_side_do_not_make_a_list_stall(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        page = int(request.query["page"])
        if page > 1:
            await asyncio.sleep(0.2)
        rows = notes(30)["data"]["notes"] if page in (1, 30) else []
        return web.json_response({"status": 0, "data": {"notes": rows, "max_page": 30}})

    url = await serve(handler)
    data = await crmlab.fetch(
        account(url),
        "onepagecrm.notes",
        limits=crmlab.Limits(concurrency=28),
        timeouts=crmlab.Timeouts(stall=2),
    )

    assert not data.failures


async def test_the_whole_is_stopped_in_time_only_where_that_is_asked(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response(notes()) if request.path == "/notes" else await silent(request)

    data = await crmlab.fetch(
        account(await serve(handler)),
        "onepagecrm.notes",
        "onepagecrm.calls",
        limits=FAST,
        timeouts=crmlab.Timeouts(total=0.5),
    )

    assert data["onepagecrm.notes"].height == 1
    [failure] = data.failures
    assert isinstance(failure, Stopped)
    assert "after 0.5 s, which is total of crmlab.Timeouts" in str(failure)


async def test_what_returns_nothing_before_its_end_is_given_up_after_the_total(
    serve: Serve,
) -> None:
    url = await serve(silent)
    total = crmlab.Timeouts(total=0.2)

    for asking in (
        crmlab.check(account(url), timeouts=total),
        crmlab.plan(account(url), "onepagecrm.notes", limits=FAST, timeouts=total),
        crmlab.call(account(url), "get_contact", contact_id="1", timeouts=total),
    ):
        with pytest.raises(Stopped, match=r"after 0\.2 s, which is total of crmlab\.Timeouts"):
            await asking


@pytest.mark.parametrize("name", ["answer", "connect", "stall", "total", "max_body"])
def test_a_time_limit_is_positive_or_none(name: str) -> None:
    assert getattr(crmlab.Timeouts(**{name: None}), name) is None
    for wrong in (0, -1):
        with pytest.raises(ValueError, match=f"{name} must be positive"):
            crmlab.Timeouts(**{name: wrong})
