"""What several test modules share: a server of one handler, and two fetches of the sandbox."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from aiohttp import web  # a real server stands in for the services
from hypothesis import settings

import crmlab

# no test is timed: on a busy machine one example in thousands is slow
settings.register_profile("crmlab", deadline=None)
settings.load_profile("crmlab")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


def described(account: crmlab.Account, resource: str, **changes: Any) -> crmlab.Account:
    """Return the account, of whose service this resource is described otherwise: a provider is a value."""
    resources = [
        replace(each, **changes) if each.name == resource else each
        for each in account.provider.resources
    ]
    account.provider = replace(account.provider, resources=tuple(resources))
    return account


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a server on 127.0.0.1 whose every answer comes from one handler; returns its address."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await handler(request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture(scope="session")
def fetched() -> crmlab.Fetched:
    """Return every table of a small sandbox."""

    async def fetch() -> crmlab.Fetched:
        async with crmlab.sandbox(rows=200, seed=2) as accounts:
            return await crmlab.fetch(accounts, limits=crmlab.Limits(concurrency=10))

    return asyncio.run(fetch())


@pytest.fixture(scope="session")
def earlier(fetched: crmlab.Fetched) -> crmlab.Fetched:
    """Return the deals as they were a month before."""

    async def fetch() -> pl.DataFrame:
        async with crmlab.sandbox(
            rows=200, seed=2, services=["onepagecrm"], days_ago=30
        ) as accounts:
            return (
                await crmlab.fetch(accounts, "deals", limits=crmlab.Limits(concurrency=10))
            ).deals

    deals = asyncio.run(fetch())
    return crmlab.Fetched(
        {"deals": deals},
        heights={"deals": deals.height},
        summary=fetched.summary,
        rejected=fetched.rejected,
        failures=(),
        asked=replace(fetched.asked, fetched_at=fetched.fetched_at - dt.timedelta(days=30)),
    )
