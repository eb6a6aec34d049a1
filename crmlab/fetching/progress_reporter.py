"""How far a fetch is, told while it runs: what has come, how long the rest takes, waits for the limit."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from crmlab.accounts import Account
from crmlab.connector import Limits, expected
from crmlab.errors import Stopped
from crmlab.fetching.progress import Listener, Progress, State
from crmlab.fetching.resource_result import ResourceResult
from crmlab.http import Limiter, Scope

if TYPE_CHECKING:
    from crmlab.http.client import Client

#: seconds between two words on a resource: at least while answers come, at most while none does
MIN_INTERVAL = 0.1
MAX_INTERVAL = 0.5
#: a wait for the limit that is shorter is its usual pace
NOTICEABLE = 0.5
#: of the last answer, in the running mean of their seconds
_WEIGHT = 0.1


class ProgressReporter:
    """Tells the listener of every resource that fills what was asked for.

    Use as an async context manager: a limit is waited for, and time goes by, while nothing else happens.
    What the listener raises ends the block, and is raised there: it is no failure of a resource.
    """

    def __init__(self, client: Client, listener: Listener | None) -> None:
        self._client = client
        self._listener = listener
        self._estimates: dict[Account, RateEstimate] = {}
        self._shared: dict[tuple[Scope, Limits], RateEstimate] = {}
        #: when there may be more to say of each resource: never, once it is over
        self._due_at: dict[ResourceResult, float] = {}
        self._owner: asyncio.Task[object] | None = None
        self._pulse: asyncio.Task[None] | None = None
        self._listener_error: Exception | None = None

    async def __aenter__(self) -> Self:
        if self._listener is not None:  # it may be a list, and empty
            self._owner = asyncio.current_task()
            self._pulse = asyncio.create_task(self._beat())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._pulse or not self._owner:
            return
        self._pulse.cancel()
        try:
            await asyncio.wait([self._pulse])
        except asyncio.CancelledError:
            if not self._listener_error:
                raise
        # a cancel that is not ours goes before what the listener raised
        if self._listener_error and self._owner.uncancel() == 0:
            raise self._listener_error

    def expect(self, results: Iterable[ResourceResult]) -> None:
        """Know of resources before they tell how much they need."""
        for result in results:
            self._estimate(result.task.account).count(result, over=False)

    def answered(self, account: Account, seconds: float) -> None:
        """Take note of how long an answer took."""
        estimate = self._estimate(account)
        weight = _WEIGHT if estimate.latency else 1
        estimate.latency += (seconds - estimate.latency) * weight

    def tell(self, result: ResourceResult, *, over: bool = False) -> None:
        """Pass on how far a resource is; only now and then while it runs."""
        now = time.monotonic()
        if self._listener is None or (not over and now < self._due_at.get(result, 0)):
            return
        estimate = self._estimate(result.task.account)
        estimate.count(result, over=over)
        state: State = "running"
        self._due_at[result] = now + MIN_INTERVAL
        if over:
            state = _end(result)
            self._due_at[result] = math.inf
        if result.task.names:
            self._call(_news(result, state, estimate, now))

    def _call(self, news: Progress) -> None:
        assert self._listener is not None
        try:
            self._listener(news)
        except Exception as error:  # noqa: BLE001  # raised where the fetch is, see `__aexit__`
            self._listener = None
            self._listener_error = error
            if self._owner:
                self._owner.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(MAX_INTERVAL)
            for result in [*self._due_at]:
                self.tell(result)

    def _estimate(self, account: Account) -> RateEstimate:
        if account not in self._estimates:
            limits = self._client.limits(account)
            estimate = RateEstimate(limits, self._client.limiter(account))
            rate_scope = self._client.scope(account)
            self._estimates[account] = self._shared.setdefault((rate_scope, limits), estimate)
        return self._estimates[account]


class RateEstimate:
    """What is still to be asked of all that shares a limit, and how long that takes."""

    def __init__(self, limits: Limits, limiter: Limiter) -> None:
        self.limiter = limiter
        self.latency = 0.0
        self._limits = limits
        self._accounts: set[Account] = set()
        self._left: dict[ResourceResult, int] = {}
        self._unsized: set[ResourceResult] = set()
        self._requests = 0

    @property
    def is_exact(self) -> bool:
        """Whether nothing that shares the limit can turn out to need more."""
        return not self._unsized

    def count(self, result: ResourceResult, *, over: bool) -> None:
        """Take note of what a resource has still to ask."""
        requests_left = 0
        if not over:
            requests_left = result.requests.known - result.requests.sent
        self._requests += requests_left - self._left.get(result, 0)
        self._left[result] = requests_left
        self._accounts.add(result.task.account)
        if over or result.requests.is_sized:
            self._unsized.discard(result)
        else:
            self._unsized.add(result)

    def seconds_left(self, now: float) -> float:
        """Return the seconds that the rest takes at the rate of the moment, once the next may leave."""
        limits = replace(self._limits, rate=self.limiter.rate, ceiling=None)
        seconds = expected(self._requests, limits, self.latency, accounts=len(self._accounts))
        if self._requests:
            seconds += self.limiter.wait(now)
        return seconds


def _end(result: ResourceResult) -> State:
    if isinstance(result.failure, Stopped):
        return "stopped"
    if result.failure:
        return "failed"
    return "complete" if result.complete else "incomplete"


def _left(result: ResourceResult, state: State, estimate: RateEstimate, now: float) -> float | None:
    if state == "complete":
        return 0.0
    if not result.requests.is_sized:
        return None
    if state != "running":
        return 0.0
    return estimate.seconds_left(now)


def _wait(result: ResourceResult, state: State, estimate: RateEstimate, now: float) -> float:
    """Return the seconds that the limit keeps it waiting; 0 where that is no more than the usual pace."""
    has_asked_all = result.requests.is_sized and result.requests.sent == result.requests.known
    if state != "running" or has_asked_all:
        return 0.0
    wait_seconds = estimate.limiter.wait(now)
    if wait_seconds <= NOTICEABLE:
        return 0.0
    return wait_seconds


def _news(result: ResourceResult, state: State, estimate: RateEstimate, now: float) -> Progress:
    wait_seconds = _wait(result, state, estimate, now)
    return Progress(
        account=result.task.account.name,
        provider=result.task.account.provider.name,
        resource=result.task.resource.name,
        tables=result.task.names,
        state="waiting" if wait_seconds else state,
        rows=result.rows,
        requests=result.requests.sent,
        known_requests=result.requests.known,
        seconds=now - result.began_at,
        left=_left(result, state, estimate, now),
        exact=estimate.is_exact,
        wait=wait_seconds,
        failure=result.failure.what if result.failure else "",
    )
