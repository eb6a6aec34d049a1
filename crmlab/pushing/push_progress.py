"""How far a push is, told while it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from crmlab.connector import Page, expected
from crmlab.errors import CrmlabError, Stopped
from crmlab.fetching import Listener, Progress, State
from crmlab.pushing.prepared import Prepared

if TYPE_CHECKING:
    from crmlab.http.client import Client

#: seconds between two words
_INTERVAL = 0.1
#: a wait for the limit that is shorter is its usual pace
_NOTICEABLE = 0.5
_WEIGHT = 0.1


class PushProgress:
    """Counts rows and requests, and tells a listener now and then."""

    def __init__(self, client: Client, prepared: Prepared, listener: Listener | None) -> None:
        self._client = client
        self._account = prepared.rows.account
        self._table = prepared.rows.target.table
        self._listener = listener
        self._began_at = time.monotonic()
        self._due_at = 0.0
        self._rows = 0
        self._requests = 0
        self._known = prepared.requests
        self._latency = 0.0

    def asked(self, page: Page) -> None:
        """Take note of an answer."""
        self._requests += 1
        self._known = max(self._known, self._requests)
        self._latency += (page.seconds - self._latency) * (_WEIGHT if self._latency else 1)

    def tell(self, rows: int) -> None:
        """Take note of rows that are settled, and tell how far it is."""
        self._rows += rows
        now = time.monotonic()
        if self._listener and now >= self._due_at:
            self._due_at = now + _INTERVAL
            wait = self._client.limiter(self._account).wait(now)
            is_waiting = wait > _NOTICEABLE and self._requests < self._known
            self._call("waiting" if is_waiting else "running", wait=wait if is_waiting else 0.0)

    def end(self, failure: CrmlabError | None, *, complete: bool) -> None:
        """Tell that it is over, and whether every row is where it should be."""
        if isinstance(failure, Stopped):
            self._call("stopped", failure=failure.what)
        elif failure:
            self._call("failed", failure=failure.what)
        else:
            self._call("complete" if complete else "incomplete")

    def _call(self, state: State, *, wait: float = 0.0, failure: str = "") -> None:
        if self._listener is None:
            return
        limits = self._client.limits(self._account)
        rest = expected(self._known - self._requests, limits, self._latency)
        self._listener(
            Progress(
                account=self._account.name,
                provider=self._account.provider.name,
                resource=self._table,
                tables=(self._table,),
                state=state,
                rows=self._rows,
                requests=self._requests,
                known_requests=self._known,
                seconds=time.monotonic() - self._began_at,
                left=rest if state in ("running", "waiting") else 0.0,
                exact=True,
                wait=wait,
                failure=failure,
            )
        )
