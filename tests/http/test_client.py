"""Sending: refusals, retries, limits, and what never leaves."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import socket
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web  # a real server stands in for the services

import crmlab
from crmlab.connector.request import Request
from crmlab.errors import (
    ApiError,
    AuthError,
    CrmlabError,
    InternalError,
    RateLimitError,
    ServerError,
    TransportError,
)
from crmlab.http.client import Client
from crmlab.http.rate_queue import rate_queue

Serve = Callable[[Any], Awaitable[str]]
USER, KEY = "user-5aba31e9", "key-never-to-be-shown"
FAST = crmlab.Limits(concurrency=10)
ASK = Request(path="/users")


def account(url: str, name: str = "sales", limits: crmlab.Limits | None = None) -> crmlab.Account:
    return crmlab.Account(
        "onepagecrm", name=name, base_url=url, limits=limits, user_id=USER, api_key=KEY
    )


def fine(data: object = None) -> web.Response:
    return web.json_response({"status": 0, "message": "OK", "data": data})


def refusal(status: int, **headers: str) -> web.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"status": status, "message": "no", "error_name": "refused", "error_message": "not so"}
    return web.json_response(body, status=status, headers=named)


class Script:
    """Answers in turn, the last one for ever; keeps what was asked."""

    def __init__(self, *answers: Callable[[web.Request], web.StreamResponse]) -> None:
        self.answers, self.asked, self.at = answers, [], []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.at.append(time.monotonic())
        return self.answers[min(len(self.asked), len(self.answers)) - 1](request)


async def send(
    url: str, request: Request = ASK, *, timeouts: crmlab.Timeouts | None = None, **options: Any
) -> Any:
    async with Client(FAST, timeouts) as client:
        return await client.send(account(url), request, **options)


async def test_the_answer_comes_with_lower_case_headers(serve: Serve) -> None:
    script = Script(lambda r: web.json_response({"status": 0}, headers={"X-Next": "2"}))

    page = await send(await serve(script))

    assert (page.status, page.header("X-Next"), json.loads(page.body)) == (200, "2", {"status": 0})


async def test_a_request_arrives_as_it_was_meant(serve: Serve) -> None:
    script = Script(lambda r: fine())

    await send(
        await serve(script),
        Request(path="/contacts/a%2Fb%20c", params={"q": "a b&c=é+", "page": "1"}),
    )

    [asked] = script.asked
    assert asked.raw_path.startswith("/contacts/a%2Fb%20c?")
    assert dict(asked.query) == {"q": "a b&c=é+", "page": "1"}
    assert asked.headers["Accept"] == "application/json"


@pytest.mark.slow
@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_failing_service_is_asked_again(serve: Serve, status: int) -> None:
    script, retries = (
        Script(lambda r: refusal(status), lambda r: refusal(status), lambda r: fine()),
        [],
    )

    page = await send(await serve(script), retried=lambda: retries.append(1))

    assert page.status == 200
    assert (len(script.asked), len(retries)) == (3, 2)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_a_refusal_is_final(serve: Serve, status: int) -> None:
    script = Script(lambda r: refusal(status))

    with pytest.raises(ApiError, match=f"HTTP {status} · refused · not so"):
        await send(await serve(script))

    assert len(script.asked) == 1


@pytest.mark.parametrize("tries", [1, 2, 5])
async def test_a_service_that_fails_for_ever_is_given_up(serve: Serve, tries: int) -> None:
    script = Script(lambda r: refusal(500))

    with pytest.raises(ServerError):
        await send(await serve(script), timeouts=crmlab.Timeouts(tries=tries, first_wait=0.001))

    assert len(script.asked) == tries


async def test_what_could_be_applied_twice_is_sent_once(serve: Serve) -> None:
    script = Script(lambda r: refusal(500), lambda r: fine())

    with pytest.raises(ServerError):
        await send(
            await serve(script), Request(path="/x", method="POST", body={"a": 1}), again="never"
        )

    assert len(script.asked) == 1


def cut(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"status":0,"data":[{"id":', content_type="application/json")


def page_of_a_proxy(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>sign in</html>", content_type="text/html")


def reset(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def too_short(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    request.transport.close()
    return web.Response()


def bad_gzip(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"no gzip at all", headers={"Content-Encoding": "gzip"})


def no_http(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"SSH-2.0-OpenSSH_9.0\r\n\r\n")
    request.transport.close()
    return web.Response()


def endless_nesting(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"status":0,"data":[' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"]}")


BROKEN = [cut, page_of_a_proxy, reset, too_short, bad_gzip, no_http]


@pytest.mark.slow
@pytest.mark.parametrize("broken", BROKEN)
async def test_no_usable_answer_is_a_reason_to_ask_again(serve: Serve, broken: Any) -> None:
    script = Script(broken, lambda r: fine([{"user": {"id": "1"}}]))

    page = await send(await serve(script))

    assert json.loads(page.body)["data"] == [{"user": {"id": "1"}}]
    assert len(script.asked) >= 2


@pytest.mark.slow
async def test_endless_nesting_costs_what_is_nested_and_no_more(serve: Serve) -> None:
    page = await send(await serve(Script(endless_nesting)), again="never")

    answer = page.read(dict[str, msgspec.Raw])
    assert bytes(answer["status"]) == b"0"
    assert b"nested too deeply" in bytes(answer["data"])


@pytest.mark.parametrize("broken", BROKEN)
async def test_no_usable_answer_is_a_transport_error_without_secrets(
    serve: Serve, broken: Any
) -> None:
    url = await serve(Script(broken))

    with pytest.raises(TransportError) as caught:
        await send(url, again="never")

    assert_no_secret(
        "".join(traceback.format_exception(caught.value)), str(caught.value), repr(caught.value)
    )


def assert_no_secret(*texts: str) -> None:
    from base64 import b64encode

    pair = b64encode(f"{USER}:{KEY}".encode()).decode()
    for text in texts:
        assert KEY not in text
        assert pair not in text


async def test_a_wrong_content_type_does_not_matter(serve: Serve) -> None:
    script = Script(
        lambda r: web.Response(body=b'{"status":0,"data":[]}', content_type="text/html")
    )

    assert (await send(await serve(script))).status == 200


async def test_half_a_character_does_not_cost_the_page(serve: Serve) -> None:
    script = Script(lambda r: web.Response(body=rb'{"status":0,"data":[{"user":{"id":"\ud83d"}}]}'))

    page = await send(await serve(script))

    assert json.loads(page.body)["data"][0]["user"]["id"] == "\ufffd"
    assert page.lone_surrogates == 1


async def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(serve: Serve) -> None:
    other = Script(lambda r: fine())
    elsewhere = await serve(other)
    script = Script(lambda r: web.Response(status=302, headers={"Location": f"{elsewhere}/users"}))

    with pytest.raises(ApiError, match="redirects are not followed"):
        await send(await serve(script))

    assert (len(script.asked), other.asked) == (1, [])


@pytest.mark.parametrize(
    "path", ["@thief.example.com/users", ".thief.example.com/users", "0/users"]
)
async def test_a_path_that_would_change_the_host_is_not_asked_for(serve: Serve, path: str) -> None:
    script = Script(lambda r: fine())

    with pytest.raises(InternalError, match="would lead to another host: nothing was sent"):
        await send(await serve(script), Request(path=path))

    assert script.asked == []


@pytest.mark.slow
async def test_a_port_where_nobody_listens_is_named_soon() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    started = time.monotonic()

    with pytest.raises(TransportError, match=rf"cannot reach 127\.0\.0\.1:{port}") as caught:
        await send(f"http://127.0.0.1:{port}")

    assert time.monotonic() - started < 6
    assert_no_secret("".join(traceback.format_exception(caught.value)))


async def test_cookies_of_one_account_do_not_travel_with_another(serve: Serve) -> None:
    script = Script(
        lambda r: web.json_response(
            {"status": 0}, headers={"Set-Cookie": "session=of-sales; Path=/"}
        )
    )
    url = (await serve(script)).replace("127.0.0.1", "localhost")

    async with Client(FAST) as client:
        for name in ("sales", "support"):
            await client.send(account(url, name), ASK)

    assert [request.headers.get("Cookie") for request in script.asked] == [None, None]


async def test_after_a_refused_key_nothing_more_of_that_account_is_sent(serve: Serve) -> None:
    script = Script(lambda r: refusal(401))
    sales = account(await serve(script))

    async with Client(FAST) as client:
        for _ in range(3):
            with pytest.raises(AuthError, match="HTTP 401"):
                await client.send(sales, ASK)

    assert len(script.asked) == 1


async def test_a_refused_account_does_not_hold_up_another(serve: Serve) -> None:
    script = Script(lambda r: refusal(401), lambda r: fine())
    url = await serve(script)

    async with Client(FAST) as client:
        with pytest.raises(AuthError):
            await client.send(account(url, "wrong"), ASK)
        page = await client.send(account(url, "right"), ASK)

    assert page.status == 200


async def test_after_a_refused_key_nothing_more_is_sent_and_the_same_is_said(serve: Serve) -> None:
    script = Script(lambda r: refusal(401))
    sales = account(await serve(script))
    said = set()

    async with Client(FAST) as client:
        for resource in ("users", "deals"):
            with pytest.raises(AuthError) as caught:
                await client.send(sales, ASK)
            said.add(str(sales.explain(caught.value, resource)))

    assert len(script.at) == 1
    assert len(said) == 1
    assert said.pop().startswith(f"{sales.label}: HTTP 401")


@pytest.mark.slow
async def test_a_host_that_cannot_be_reached_is_tried_for_one_request_only() -> None:
    nobody = account("http://127.0.0.1:9")

    async with Client(FAST) as client:
        with pytest.raises(TransportError) as first:
            await client.send(nobody, ASK)
        started = time.monotonic()
        with pytest.raises(TransportError) as second:
            await client.send(nobody, ASK)

    assert time.monotonic() - started < 0.1
    assert str(first.value) == str(second.value)


async def test_a_service_that_quotes_the_key_does_not_get_it_shown(serve: Serve) -> None:
    body = {"status": 400, "error_name": f"bad {KEY}", "error_message": f"the key {KEY} is bad"}
    script = Script(lambda r: web.json_response(body, status=400))

    with pytest.raises(ApiError) as caught:
        await send(await serve(script))

    assert_no_secret(
        str(caught.value), repr(caught.value), repr(caught.value.args), str(vars(caught.value))
    )


async def test_a_service_that_quotes_the_authorization_header_does_not_get_it_shown(
    serve: Serve,
) -> None:
    def echo(request: web.Request) -> web.Response:
        return web.json_response(
            {"status": 400, "error_message": f"not {request.headers['Authorization']}"}, status=400
        )

    with pytest.raises(ApiError) as caught:
        await send(await serve(Script(echo)))

    assert_no_secret(str(caught.value), repr(caught.value), str(vars(caught.value)))


@pytest.mark.slow
@pytest.mark.parametrize(("wait", "least", "most"), [("1", 1.0, 2.0), (None, 0.9, 2.0)])
async def test_too_many_requests_are_asked_again_after_the_time_named(
    serve: Serve, wait: str | None, least: float, most: float
) -> None:
    headers = {} if wait is None else {"Retry_After": wait}
    script = Script(lambda r: refusal(429, **headers), lambda r: fine())

    await send(await serve(script))

    [first, second] = script.at
    assert least <= second - first <= most


async def test_a_service_that_asks_for_an_hour_has_failed(serve: Serve) -> None:
    script = Script(lambda r: refusal(429, Retry_After="3600"))

    with pytest.raises(RateLimitError) as caught:
        await send(await serve(script))

    assert caught.value.retry_after == 3600
    assert len(script.at) == 1


@pytest.mark.slow
async def test_retry_after_may_be_a_date(serve: Serve) -> None:
    def later(request: web.Request) -> web.Response:
        return refusal(
            429,
            Retry_After=time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2)),
        )

    script = Script(later, lambda r: fine())

    await send(await serve(script))

    [first, second] = script.at
    assert 0.9 <= second - first <= 2.5


@pytest.mark.slow
async def test_too_many_requests_stop_all_requests_of_that_scope(serve: Serve) -> None:
    script = Script(lambda r: refusal(429, Retry_After="1"), lambda r: fine())
    url = await serve(script)

    async with Client(FAST) as client:
        first = asyncio.create_task(client.send(account(url, "a"), ASK))
        await asyncio.sleep(0.3)
        await client.send(account(url, "b"), ASK)
        await first

    assert min(script.at[1:]) - script.at[0] >= 0.95


async def test_no_more_requests_than_allowed_are_in_flight(serve: Serve) -> None:
    now, most = 0, 0

    async def slow(request: web.Request) -> web.Response:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0.02)
        now -= 1
        return fine()

    sales = account(await serve(slow))

    async with Client(crmlab.Limits(concurrency=3)) as client:
        await asyncio.gather(*(client.send(sales, ASK) for _ in range(12)))

    assert most == 3


@pytest.mark.slow
async def test_the_rate_of_a_scope_holds_for_all_its_clients(serve: Serve) -> None:
    script = Script(lambda r: fine())
    url = await serve(script)
    limits = crmlab.Limits(rate=20, burst=2, concurrency=10)

    async def several(name: str) -> None:
        async with Client(limits) as client:
            await asyncio.gather(*(client.send(account(url, name), ASK) for _ in range(6)))

    await asyncio.gather(several("a"), several("b"))

    assert len(script.at) == 12
    assert 0.45 <= max(script.at) - min(script.at) <= 1.0


async def test_accounts_that_are_counted_apart_do_not_wait_for_each_other(serve: Serve) -> None:
    script = Script(lambda r: fine())
    url = await serve(script)

    async with Client(crmlab.Limits(rate=1, burst=1, concurrency=10, scope="account")) as client:
        await asyncio.gather(*(client.send(account(url, name), ASK) for name in "abcd"))

    assert max(script.at) - min(script.at) < 0.5


@pytest.mark.slow
async def test_no_secret_is_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    url = await serve(Script(cut, lambda r: refusal(500), lambda r: refusal(401)))

    with pytest.raises(AuthError):
        await send(url)

    assert_no_secret(caplog.text)


@pytest.mark.parametrize(
    "error", [RateLimitError(429, retry_after=5), AuthError(401, "c", "d", "r", "h")]
)
def test_an_error_survives_being_copied(error: ApiError) -> None:
    from copy import copy

    error.account = "there"

    assert (str(copy(error)), vars(copy(error))) == (str(error), vars(error))
    assert isinstance(copy(error), CrmlabError)


@pytest.mark.slow
async def test_accounts_of_one_limit_take_turns(serve: Serve) -> None:
    arrived = []

    async def name_of(request: web.Request) -> web.Response:
        arrived.append(request.path[1:])
        return fine()

    url = await serve(name_of)
    accounts = {name: account(url, name) for name in ("many", "few")}

    async with Client(crmlab.Limits(rate=200, burst=1)) as client:
        asked = [
            client.send(accounts[name], Request(path=f"/{name}"))
            for name in ["many"] * 60 + ["few"] * 4
        ]
        await asyncio.gather(*asked)

    assert arrived.count("many") == 60
    assert [number for number, name in enumerate(arrived) if name == "few"][-1] < 12


@pytest.mark.slow
@pytest.mark.parametrize(
    "limits", [crmlab.Limits(concurrency=5), crmlab.Limits(rate=200, burst=20, concurrency=5)]
)
async def test_a_slow_account_delays_no_other(serve: Serve, limits: crmlab.Limits) -> None:
    others_done, slow_arrived = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/slow":
            slow_arrived.set()
            await others_done.wait()
        return fine()

    url = await serve(answer)
    slow, *others = (account(url, name) for name in "sabc")

    async with asyncio.timeout(20), Client(limits) as client:
        waiting = [asyncio.create_task(client.send(slow, Request(path="/slow"))) for _ in range(30)]
        await slow_arrived.wait()
        await asyncio.gather(*(client.send(other, ASK) for other in others * 10))
        others_done.set()
        await asyncio.gather(*waiting)


@pytest.mark.slow
async def test_two_clients_keep_to_the_places_of_one_account(serve: Serve) -> None:
    now, most = 0, 0

    async def slow(request: web.Request) -> web.Response:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0.01)
        now -= 1
        return fine()

    url, limits = await serve(slow), crmlab.Limits(concurrency=3)

    async with Client(limits) as one, Client(limits) as other:
        await asyncio.gather(
            *(client.send(account(url), ASK) for client in (one, other) for _ in range(10))
        )

    assert most == 3


async def test_the_time_of_departure_is_when_the_headers_are_sent(serve: Serve) -> None:
    limits = crmlab.Limits(rate=1)
    left = []

    async def look(request: web.Request) -> web.Response:
        limiter = rate_queue((request.host, ""), limits).limiter
        left.append(
            limiter.wait(time.monotonic() + 60) == 0
        )  # what has not left counts as leaving then
        return fine()

    async with Client(limits) as client:
        await client.send(account(await serve(look)), ASK)

    assert left == [True]


async def test_a_host_that_cannot_be_reached_frees_its_time() -> None:
    nobody, limits = account("http://127.0.0.1:9"), crmlab.Limits(rate=50)

    async with Client(limits) as client:
        with pytest.raises(TransportError):
            await client.send(nobody, ASK, again="never")

    assert rate_queue(("127.0.0.1:9", ""), limits).limiter.wait(time.monotonic() + 60) == 0


@pytest.mark.parametrize(("given", "holds"), [(None, crmlab.Limits(rate=2)), (FAST, FAST)])
async def test_an_accounts_own_limits_hold_unless_the_fetch_has_some(
    given: Any, holds: crmlab.Limits
) -> None:
    sales = account("http://127.0.0.1:9", limits=crmlab.Limits(rate=2))

    async with Client(given) as client:
        assert client.limits(sales) == holds


def two_limits(scope: Any) -> list[crmlab.Account]:
    agreed = crmlab.Limits(rate=50, burst=50, scope=scope)
    return [
        account("http://127.0.0.1:9", "north"),
        account("http://127.0.0.1:9", "south", limits=agreed),
    ]


async def test_the_strictest_limit_holds_for_accounts_that_are_counted_together() -> None:
    both = two_limits("ip")

    async with Client() as client:
        with pytest.warns(
            UserWarning, match=r"'north' and .* 'south' are counted together .*: the strictest hold"
        ):
            client.share_limits(both)
        limits = [client.limits(each) for each in both]

    assert limits == [crmlab.Limits(rate=5, burst=10, concurrency=10, ceiling=5)] * 2


@pytest.mark.slow
async def test_the_strictest_limit_holds_for_fetches_side_by_side(serve: Serve) -> None:
    script = Script(lambda r: fine())
    url = await serve(script)

    async with Client(crmlab.Limits(rate=20)) as strict, Client(FAST) as lax:
        await strict.send(account(url, "a"), ASK)
        with pytest.warns(
            UserWarning, match="'b' and what is fetched beside it are counted together"
        ):
            await lax.send(account(url, "b"), ASK)
        await asyncio.gather(*(lax.send(account(url, "b"), ASK) for _ in range(8)))
    async with Client(FAST) as alone:
        await asyncio.gather(*(alone.send(account(url, "c"), ASK) for _ in range(30)))

    assert len(script.at) == 40
    assert script.at[9] - script.at[0] >= 0.4  # nine waits of a twentieth of a second
    assert script.at[39] - script.at[10] < 1.4  # thirty of them are 1.5 s


async def test_an_account_that_is_counted_alone_has_its_own_limit() -> None:
    async with Client() as client:
        client.share_limits(two_limits("account"))
    async with Client(FAST) as client:
        client.share_limits(two_limits("ip"))


@pytest.mark.slow
async def test_refusals_slow_the_scope_down(serve: Serve) -> None:
    script = Script(*[lambda r: refusal(429, Retry_After="1")] * 3, lambda r: fine())
    url, limits = await serve(script), crmlab.Limits(rate=20, burst=4)

    async with Client(limits) as client:
        await asyncio.gather(*(client.send(account(url, name), ASK) for name in "abc"))
        await asyncio.gather(*(client.send(account(url, name), ASK) for name in "ab"))

    first, again = script.at[:3], script.at[3:]
    assert first[-1] - first[0] < 0.2
    assert again[0] - first[0] >= 0.95
    assert again[-1] - again[0] >= 4 * 0.08  # 10 a second instead of 20, and no bursts


async def test_a_service_that_asks_for_an_hour_is_not_asked_for_anything_more(serve: Serve) -> None:
    script = Script(lambda r: refusal(429, Retry_After="3600"))
    sales = account(await serve(script))

    async with Client(FAST) as client:
        for _ in range(3):
            with pytest.raises(RateLimitError, match="429"):
                await client.send(sales, ASK)

    assert len(script.at) == 1


@pytest.mark.slow
async def test_without_a_time_named_each_wait_is_twice_the_last(serve: Serve) -> None:
    script = Script(lambda r: refusal(429), lambda r: refusal(429), lambda r: fine())

    await send(await serve(script))

    first, second, third = script.at
    assert second - first >= 0.95
    assert third - second >= 1.95


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_limit_holds_on_a_machine_that_is_busy(serve: Serve, method: str) -> None:
    script = Script(lambda r: fine())
    limits = crmlab.Limits(rate=100, burst=10, concurrency=10)
    busy_for = random.Random(7)

    async def be_busy() -> None:
        while True:
            time.sleep(busy_for.choice([0, 0, 0.03, 0.06]))  # noqa: ASYNC251  # nothing else of the process runs
            await asyncio.sleep(busy_for.choice([0, 0, 0.02]))

    url = await serve(script)
    async with Client(limits) as client:
        hog = asyncio.create_task(be_busy())
        requests = [Request(path="/users", method=method, body={"n": n}) for n in range(40)]
        await asyncio.gather(*(client.send(account(url), request) for request in requests))
        hog.cancel()

    windows = [later - earlier for earlier, later in zip(script.at, script.at[10:], strict=False)]
    assert min(windows) >= 10 / 100
