"""The sandbox's services without a server: a fetch whose answers come from memory, and may be changed on the way."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import copy
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from crmlab.accounts import Account
from crmlab.connector import Limits, Page, Request, Resource, Timeouts
from crmlab.connector.page import replace_lone_surrogates
from crmlab.errors import RateLimitError, ServerError, TransportError
from crmlab.fetching.account_fetch import AccountFetch
from crmlab.fetching.decode_queue import Backpressure
from crmlab.fetching.intake import Accept
from crmlab.fetching.query import Query, as_query
from crmlab.fetching.resource_result import ResourceResult
from crmlab.sandbox import services
from crmlab.sandbox.drift import Difference, differing
from crmlab.sandbox.service import BODY
from crmlab.sandbox.world.model import World

_TRIES = 3
#: returns an answer of a resource in the place of another one
Change = Callable[[Resource, Page], Page]


class InMemory:
    """A service of the sandbox: `answer` is what it answers to a request.

    Parameters
    ----------
    differences
        In which ways it differs from its document.
    """

    def __init__(self, name: str, world: World, differences: Iterable[Difference] = ()) -> None:
        self.service = services.service(name, world)
        self.account = Account(
            name,
            base_url=f"http://127.0.0.1:1{self.service.prefix}{self.service.base_path}",
            **self.service.credentials,
        )
        self._app = web.Application()
        inner = web.Application()
        inner.add_routes(self.service.routes)
        self._app.add_subapp(self.service.prefix, inner)
        wanted = tuple(differences)
        self._differs = bool(wanted)
        self._differing = differing(self.service, wanted)
        self._answers: dict[str, Page] = {}

    async def answer(self, request: Request) -> Page:
        """Return the answer; the same one to the same request, as long as nothing differs from the document."""
        if request.key in self._answers:
            return replace(self._answers[request.key], request=request, _read={})
        page = await self._served(request)
        if not self._differs:
            self._answers[request.key] = page
        return page

    async def _served(self, request: Request) -> Page:
        signed = self.account.sign(request)
        path = f"{self.service.prefix}{self.service.base_path}{request.path}"
        query = urlencode(signed.params)
        headers = {"Content-Type": "application/json", **signed.headers}
        asked = make_mocked_request(
            request.method, f"{path}?{query}" if query else path, headers=headers, app=self._app
        )
        asked[BODY] = copy(signed.body)  # which a difference may change
        found = await self._app.router.resolve(asked)
        asked._match_info = found  # what the server does with a request before its handler sees it
        if found.http_exception is not None:
            return _page(request, self.service.no_such_path())
        return _page(request, await self._differing(asked, found.handler))


def _page(request: Request, response: web.StreamResponse) -> Page:
    assert isinstance(response, web.Response)
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = response.body if isinstance(response.body, bytes) else b""
    return Page(request=request, status=response.status, headers=headers, body=body, seconds=0.001)


class _Client:
    """As much of a client as a fetch needs to know of it."""

    timeouts = Timeouts()

    def limits(self, account: Account) -> Limits:
        return Limits(concurrency=10)


class _Silent:
    """A listener to progress that says nothing."""

    def expect(self, results: object) -> None: ...

    def tell(self, result: ResourceResult, *, over: bool = False) -> None: ...


class _Fetch(AccountFetch):
    """A fetch whose requests are answered from memory: each answer is changed, and then checked as any other."""

    def __init__(self, service: InMemory, query: Query, change: Change) -> None:
        client: Any = _Client()
        reporter: Any = _Silent()
        super().__init__(client, service.account, query, Backpressure(), reporter=reporter)
        self._service = service
        self._change = change

    async def answer(self, result: ResourceResult, request: Request, accept: Accept) -> Page:
        """Return the answer, tried again as a client does, but without a wait."""
        result.requests.sent += 1
        for _ in range(_TRIES - 1):
            with suppress(TransportError, ServerError, RateLimitError):
                return await self._answered(result, request, accept)
        return await self._answered(result, request, accept)

    async def _answered(self, result: ResourceResult, request: Request, accept: Accept) -> Page:
        page = self._change(result.task.resource, await self._service.answer(request))
        body, halves = replace_lone_surrogates(page.body)
        page = replace(page, body=body, lone_surrogates=halves, _read={})
        self.account.provider.check(page)
        return accept(page)


def fetched(
    service: InMemory, *names: str, now: dt.datetime, change: Change = lambda resource, page: page
) -> dict[str, ResourceResult]:
    """Return what a fetch of these names brings of each resource, with its answers changed."""

    async def fetch() -> list[ResourceResult]:
        query = replace(as_query(service.account, names, since=None, until=None), now=now)
        whole = _Fetch(service, query, change)
        await whole.finish()
        return whole.results

    return {result.task.resource.name: result for result in asyncio.run(fetch())}
