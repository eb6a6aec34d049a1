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
from crmlab.fetching.resource_fetch import ResourceRun
from crmlab.http import Limiter, Scope

if TYPE_CHECKING:
    from crmlab.http.client import Client

#: seconds between two words on a resource: at least while answers come, at most while none does
OFTEN, SELDOM = 0.1, 0.5
#: a wait for the limit that is shorter is its usual pace
NOTICEABLE = 0.5
#: of the last answer, in the running mean of their seconds
_WEIGHT = 0.1


class Watch:
    """Tells the listener of every resource that fills what was asked for.

    Use as an async context manager: a limit is waited for, and time goes by, while nothing else happens.
    """

    def __init__(self, client: Client, listener: Listener | None) -> None:
        self._client, self._listener = client, listener
        self._paces: dict[Account, _Pace] = {}
        self._shared: dict[tuple[Scope, Limits], _Pace] = {}
        #: when there may be more to say of each resource: never, once it is over
        self._due: dict[ResourceRun, float] = {}

    async def __aenter__(self) -> Self:
        self._pulse = None if self._listener is None else asyncio.create_task(self._beat())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pulse:
            self._pulse.cancel()
            await asyncio.wait([self._pulse])
            if not self._pulse.cancelled() and not error:
                self._pulse.result()  # what the listener raised

    def expect(self, runs: Iterable[ResourceRun]) -> None:
        """Know of resources before they tell how much they need."""
        for run in runs:
            self._pace(run.account).count(run, over=False)

    def answered(self, account: Account, seconds: float) -> None:
        """Take note of how long an answer took."""
        pace = self._pace(account)
        pace.latency += (seconds - pace.latency) * (_WEIGHT if pace.latency else 1)

    def tell(self, run: ResourceRun, *, over: bool = False) -> None:
        """Pass on how far a resource is; only now and then while it runs."""
        now = time.monotonic()
        if self._listener is None or (not over and now < self._due.get(run, 0)):
            return
        pace = self._pace(run.account)
        pace.count(run, over=over)
        self._due[run] = math.inf if over else now + OFTEN
        if run.names:
            self._listener(_news(run, _end(run) if over else "running", pace, now))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(SELDOM)
            for run in [*self._due]:
                self.tell(run)

    def _pace(self, account: Account) -> _Pace:
        if account not in self._paces:
            limits = self._client.limits(account)
            pace = _Pace(limits, self._client.limiter(account))
            self._paces[account] = self._shared.setdefault((self._client.scope(account), limits), pace)
        return self._paces[account]


class _Pace:
    """What is still to be asked of all that shares a limit."""

    def __init__(self, limits: Limits, limiter: Limiter) -> None:
        self.limiter = limiter
        self.latency = 0.0
        self._limits = limits
        self._accounts: set[Account] = set()
        self._left: dict[ResourceRun, int] = {}
        self._unforeseen: set[ResourceRun] = set()
        self._requests = 0

    @property
    def exact(self) -> bool:
        return not self._unforeseen

    def count(self, run: ResourceRun, *, over: bool) -> None:
        left = 0 if over else run.planned - run.requests
        self._requests += left - self._left.get(run, 0)
        self._left[run] = left
        self._accounts.add(run.account)
        if over or run.is_foreseen:
            self._unforeseen.discard(run)
        else:
            self._unforeseen.add(run)

    def left(self, now: float) -> float:
        """Return the seconds that the rest takes at the rate of the moment, once the next may leave."""
        limits = replace(self._limits, rate=self.limiter.rate, ceiling=None)
        rest = expected(self._requests, limits, self.latency, accounts=len(self._accounts))
        return rest + (self.limiter.wait(now) if self._requests else 0.0)


def _end(run: ResourceRun) -> State:
    if run.failure:
        return "stopped" if isinstance(run.failure, Stopped) else "failed"
    return "complete" if run.complete else "incomplete"


def _left(run: ResourceRun, state: State, pace: _Pace, now: float) -> float | None:
    if state == "complete":
        return 0.0
    if not run.is_foreseen:
        return None
    return pace.left(now) if state == "running" else 0.0


def _news(run: ResourceRun, state: State, pace: _Pace, now: float) -> Progress:
    asks = state == "running" and not (run.is_foreseen and run.requests == run.planned)
    waits = asks and (wait := pace.limiter.wait(now)) > NOTICEABLE
    return Progress(
        account=run.account.name,
        provider=run.account.provider.name,
        resource=run.resource.name,
        tables=run.names,
        state="waiting" if waits else state,
        rows=run.rows,
        requests=run.requests,
        planned=run.planned,
        seconds=now - run.began,
        left=_left(run, state, pace, now),
        exact=pace.exact,
        wait=wait if waits else 0.0,
        failure=run.failure.what if run.failure else "",
    )
