"""One HTTP server for all fake services, each under its own prefix."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, overload

from aiohttp import web

from crmlab.accounts import Account
from crmlab.connector import Limits
from crmlab.errors import UsageError
from crmlab.forks import check_threads
from crmlab.providers import unknown
from crmlab.sandbox.drift import Difference, differing
from crmlab.sandbox.faults import Fault, broken
from crmlab.sandbox.service import BODY, Service
from crmlab.sandbox.services import names
from crmlab.sandbox.services import service as service_of
from crmlab.sandbox.world.model import World

#: a server of one's own has no vendor's limit
_LIMITS = Limits(concurrency=10)
_MAX_BODY = 64 * 2**20

_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Sandbox(Sequence[Account]):
    """The running services as accounts, with the truth behind them.

    Attributes
    ----------
    world : World
    url : str
    requests : Counter
        Requests received, by service and path.
    refused : int
        Requests answered 429 because they came too fast.
    rate_limits : bool
        Whether that happens; may be changed at any time.
    notes : list of str
        What the loader of the world repaired or could not.
    """

    def __init__(self, world: World, notes: Sequence[str]) -> None:
        self.world = world
        self.notes = list(notes)
        self.url = ""
        self.requests: Counter[tuple[str, str]] = Counter()
        self.refused = 0
        self.rate_limits = False
        self.in_flight = 0
        self.max_in_flight = 0
        #: what opens each service; worthless anywhere else
        self.keys: dict[str, dict[str, str]] = {}
        self._accounts: list[Account] = []
        self._serving: AbstractAsyncContextManager[Sandbox]

    @overload
    def __getitem__(self, index: int) -> Account: ...
    @overload
    def __getitem__(self, index: slice) -> list[Account]: ...
    def __getitem__(self, index: int | slice) -> Account | list[Account]:
        return self._accounts[index]

    def __len__(self) -> int:
        return len(self._accounts)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts)

    def __repr__(self) -> str:
        return f"<Sandbox on {self.url}: {', '.join(account.provider.title for account in self)}>"

    def _repr_html_(self) -> str:
        items = ""
        for account in self:
            items += f"<li>{account.provider.title}: <code>{account.base_url}</code></li>"
        return f"<p>Invented data, served on this machine:</p><ul>{items}</ul>"

    async def close(self) -> None:
        """Stop serving; a second time does no harm."""
        await self._serving.__aexit__(None, None, None)

    def account(self, provider: str) -> Account:
        """Return the account of that service."""
        by_provider = {account.provider.name: account for account in self._accounts}
        return by_provider[provider]


class Starting:
    """A sandbox that is about to run: for ``async with``, or awaited until it is closed or the event loop ends."""

    def __init__(self, serving: AbstractAsyncContextManager[Sandbox]) -> None:
        self._serving = serving

    def __await__(self) -> Generator[Any, None, Sandbox]:
        return self.__aenter__().__await__()

    async def __aenter__(self) -> Sandbox:
        running = await self._serving.__aenter__()
        running._serving = self._serving  # the event loop closes at its end what holds the port
        return running

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._serving.__aexit__(kind, error, trace)


def world_of(
    world: World | Literal["generated", "maven"],
    *,
    rows: int,
    seed: int,
    now: dt.datetime | None,
    data: str | Path | None,
) -> tuple[World, list[str]]:
    """Return the world named and what its loader has to say."""
    if isinstance(world, World):
        return world, []
    if world == "generated":
        from crmlab.sandbox.world.generate import generate

        today = dt.datetime.now(dt.UTC).date()
        noon = dt.datetime.combine(today, dt.time(12), dt.UTC)
        return generate(rows, seed=seed, now=now or noon), []
    if world == "maven":
        from crmlab.sandbox.world import maven

        if data is None:
            raise UsageError('world="maven" needs data=, the folder with sales_pipeline.csv')
        return maven.load(Path(data))
    raise UsageError(unknown("world", world, ["generated", "maven"]))


@asynccontextmanager
async def serve(
    world: World,
    *,
    services: Sequence[str] | None,
    latency: float,
    rate_limits: bool,
    faults: Sequence[Fault],
    differences: Sequence[Difference],
    port: int,
    notes: Sequence[str] = (),
) -> AsyncIterator[Sandbox]:
    """Start the services, yield them, stop them."""
    check_threads()
    running = Sandbox(world, notes)
    running.rate_limits = rate_limits
    served = [service_of(service_name, world) for service_name in services or names()]
    application = web.Application(client_max_size=_MAX_BODY)
    for service in served:
        service_app = _app_of(service, running, latency, faults, differences)
        application.add_subapp(service.prefix, service_app)
    # the answers' own time is measured, not the log's
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        tcp_site = web.TCPSite(runner, "127.0.0.1", port)
        await tcp_site.start()
        # only now is it known where port 0 has led
        host_name, port_number = runner.addresses[0][:2]
        running.url = f"http://{host_name}:{port_number}"
        for service in served:
            running.keys[service.name] = dict(service.credentials)
            account = _account_of(service, running.url, rate_limits=rate_limits)
            running._accounts.append(account)
        yield running
    finally:
        await runner.cleanup()


def _app_of(
    service: Service,
    running: Sandbox,
    latency: float,
    faults: Sequence[Fault],
    differences: Sequence[Difference],
) -> web.Application:
    # the outermost first: what differs in an answer is broken by a fault
    middlewares = [_front(running, service, latency, faults)]
    if differences:
        middlewares.append(_differing(service, differences))
    application = web.Application(client_max_size=_MAX_BODY, middlewares=middlewares)
    application.add_routes(service.routes)
    # after the service's own: the first route that fits answers
    application.router.add_route("*", "/{anything:.*}", _no_such_path(service))
    return application


def _account_of(service: Service, url: str, *, rate_limits: bool) -> Account:
    # without a limit of its own an account keeps to the vendor's
    own_limits = None
    if not rate_limits:
        own_limits = _LIMITS
    return Account(
        service.name,
        base_url=f"{url}{service.prefix}{service.base_path}",
        limits=own_limits,
        facts={},
        **service.credentials,
    )


def _no_such_path(service: Service) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        return service.no_such_path()

    return handle


def _front(
    running: Sandbox,
    service: Service,
    latency: float,
    faults: Sequence[Fault],
) -> Any:
    """Return what every request meets before its handler: counting, limit, latency, faults, key."""
    gate: _Gate | None = None
    if service.limits:
        gate = _Gate(service.limits)

    @web.middleware
    async def front(request: web.Request, handler: _Next) -> web.StreamResponse:
        running.requests[service.name, request.path.removeprefix(service.prefix)] += 1
        running.in_flight += 1
        running.max_in_flight = max(running.max_in_flight, running.in_flight)
        try:
            if running.rate_limits and gate and not gate.admits(time.monotonic()):
                running.refused += 1
                return service.refusal(429)
            if latency:
                await asyncio.sleep(latency)
            next_handler = partial(_opened, service, request, handler)
            # the first fault is the outermost: it breaks what the others make
            hitting_faults = [fault for fault in faults if fault.hits(request)]
            for hitting_fault in reversed(hitting_faults):
                next_handler = partial(broken, hitting_fault, request, next_handler, service)
            response = await next_handler()
            # of a world of some days ago, answers say so
            response.headers.setdefault("Date", format_datetime(running.world.clock(), usegmt=True))
            return response
        finally:
            running.in_flight -= 1

    return front


def _differing(service: Service, differences: Sequence[Difference]) -> Any:
    answered = differing(service, differences)

    @web.middleware
    async def middleware(request: web.Request, handler: _Next) -> web.StreamResponse:
        return await answered(request, handler)

    return middleware


async def _opened(service: Service, request: web.Request, handler: _Next) -> web.StreamResponse:
    """Return what the handler answers to a request with a key that opens the service, and refuse any other."""
    body = None
    if request.can_read_body:
        try:
            body = await request.json()
        # a client that went away in mid-request does not read this
        except (ValueError, ConnectionResetError):
            return service.refusal(400)
    request[BODY] = body
    is_open = request.path.removeprefix(service.prefix) in service.open_paths
    if not is_open and not service.allowed(request, body):
        return service.refusal(401)
    return await handler(request)


class _Gate:
    """Counts as strictly as a vendor may: at most `burst` in any ``burst / rate`` seconds."""

    def __init__(self, limits: Limits) -> None:
        self._window = limits.burst / (limits.rate or float("inf"))
        self._admitted = deque([float("-inf")] * limits.burst, maxlen=limits.burst)

    def admits(self, now: float) -> bool:
        if now - self._admitted[0] < self._window:
            return False
        self._admitted.append(now)
        return True
