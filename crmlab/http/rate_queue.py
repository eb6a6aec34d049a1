"""Who leaves next: the line in front of a limiter, where accounts take turns."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from crmlab.connector import Limits
from crmlab.http.limiter import Departure, Limiter

#: seconds that one request may be faster on its way than the one before it
_SLACK = 0.03

#: what a vendor counts together: its address and, where it counts accounts apart, which
Scope = tuple[str, str]
Key = tuple[Scope, Limits]
_limiters: dict[Key, Limiter] = {}
#: event loops in several threads share a limiter
_departing = threading.Lock()


class Line:
    """Everything of one event loop that waits for one limiter, whichever fetch it belongs to.

    Each account stands in it once, so that none waits behind all the pages of another.
    """

    def __init__(self, limiter: Limiter, concurrency: int) -> None:
        self.limiter = limiter
        self._slots = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(concurrency))
        self._own = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._head = asyncio.Lock()

    @asynccontextmanager
    async def departure(
        self, account: str, connections: asyncio.Semaphore, check: Callable[[], None]
    ) -> AsyncIterator[Departure]:
        """Wait in turn, then hold a slot of the account and a connection; `check` may raise before that."""
        async with self._slots[account]:
            async with self._own[account], self._head:
                departure = await self._when_ready(connections, check)
            try:
                yield departure
            finally:
                departure.at = departure.at or time.monotonic()
                connections.release()

    async def _when_ready(self, connections: asyncio.Semaphore, check: Callable[[], None]) -> Departure:
        """Take the time with the connection in hand: a wait for it afterwards would bunch what leaves."""
        while True:
            check()
            if wait := self.limiter.wait(time.monotonic()):
                await asyncio.sleep(wait)
                continue
            await connections.acquire()
            with _departing:
                now = time.monotonic()
                if not self.limiter.wait(now):
                    return self.limiter.take(now)
            connections.release()


#: gone with the last client that waits in it, and so never of a loop that is closed
_lines: WeakValueDictionary[tuple[asyncio.AbstractEventLoop, Key], Line] = WeakValueDictionary()


def line(scope: Scope, limits: Limits) -> Line:
    """Return the line of that scope in the running event loop."""
    key = (scope, limits)
    limiter = _limiters.setdefault(key, Limiter(limits, slack=_SLACK))
    return _lines.setdefault((asyncio.get_running_loop(), key), Line(limiter, limits.concurrency))
