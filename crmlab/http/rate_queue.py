"""Who leaves next: the queue in front of a limiter, where accounts take turns."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from crmlab.accounts import Account
from crmlab.connector import Limits
from crmlab.http.limiter import Limiter, Ticket

#: seconds that one request may be faster on its way than the one before it
_SLACK = 0.03

#: what a vendor counts together: the service, its address and, where it counts accounts apart, which
Scope = tuple[str, str, str]
Key = tuple[Scope, Limits]


def scope_of(account: Account, limits: Limits) -> Scope:
    """Return what the vendor counts an account's requests by, together with others of the same."""
    counted_apart = "" if limits.scope == "ip" else account.name
    return (account.provider.name, urlsplit(account.base_url).netloc.lower(), counted_apart)


_limiters: dict[Scope, Limiter] = {}
#: how many clients ask within which limits
_in_use: defaultdict[Scope, Counter[Limits]] = defaultdict(Counter)
#: event loops in several threads share a limiter
_taking_ticket = threading.Lock()


class RateQueue:
    """Everything of one event loop that waits for one limiter, whichever fetch it belongs to.

    Each account stands in it once, so that none waits behind all the pages of another.
    """

    def __init__(self, limiter: Limiter, concurrency: int) -> None:
        self.limiter = limiter
        self._slots = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(concurrency))
        self._accounts = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._head = asyncio.Lock()

    @asynccontextmanager
    async def ticket(
        self, account: str, connections: asyncio.Semaphore, check: Callable[[], None]
    ) -> AsyncIterator[Ticket]:
        """Wait in turn, then hold a slot of the account and a connection; `check` may raise before that."""
        async with self._slots[account]:
            async with self._accounts[account], self._head:
                ticket = await self._when_ready(connections, check)
            try:
                yield ticket
            finally:
                ticket.left_at = ticket.left_at or time.monotonic()
                connections.release()

    async def _when_ready(
        self, connections: asyncio.Semaphore, check: Callable[[], None]
    ) -> Ticket:
        """Take the ticket with the connection in hand: a wait for it afterwards would bunch what leaves."""
        while True:
            check()
            seconds = self.limiter.wait(time.monotonic())
            if seconds:
                await asyncio.sleep(seconds)
                continue
            await connections.acquire()
            with _taking_ticket:
                taken_at = time.monotonic()
                if not self.limiter.wait(taken_at):
                    return self.limiter.take(taken_at)
            connections.release()


#: gone with the last client that waits in it, and so never of a loop that is closed
_queues: WeakValueDictionary[tuple[asyncio.AbstractEventLoop, Key], RateQueue] = (
    WeakValueDictionary()
)


def rate_queue(scope: Scope, limits: Limits) -> RateQueue:
    """Return the queue of that scope in the running event loop."""
    limiter = _limiters.setdefault(scope, Limiter(limits, slack=_SLACK))
    key = (asyncio.get_running_loop(), (scope, limits))
    return _queues.setdefault(key, RateQueue(limiter, limits.concurrency))


def join(scope: Scope, limits: Limits) -> set[Limits]:
    """Keep everything of that scope within these limits too, until `leave`; return those of others that hold now.

    All threads and event loops share them: the vendor counts what comes, and not who sends it.
    """
    with _taking_ticket:
        asking_clients = _in_use[scope]
        others = set(asking_clients) - {limits}
        asking_clients[limits] += 1
        _limiters.setdefault(scope, Limiter(limits, slack=_SLACK)).hold(asking_clients)
    return others


def leave(scope: Scope, limits: Limits) -> None:
    """Take back a `join`."""
    with _taking_ticket:
        asking_clients = _in_use[scope]
        asking_clients[limits] -= 1
        if not asking_clients[limits]:
            del asking_clients[limits]
        if asking_clients:
            _limiters[scope].hold(asking_clients)
