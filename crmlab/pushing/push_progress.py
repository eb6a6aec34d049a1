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
        if self._latency:
            self._latency += (page.seconds - self._latency) * _WEIGHT
        else:
            self._latency = page.seconds

    def tell(self, rows: int) -> None:
        """Take note of rows that are settled, and tell how far it is."""
        self._rows += rows
        told_at = time.monotonic()
        if self._listener is None or told_at < self._due_at:
            return
        self._due_at = told_at + _INTERVAL
        seconds = self._client.limiter(self._account).wait(told_at)
        # after the last request nothing waits, whatever the limiter says of a further one
        if seconds > _NOTICEABLE and self._requests < self._known:
            self._call("waiting", wait=seconds)
        else:
            self._call("running")

    def end(self, failure: CrmlabError | None, *, complete: bool) -> None:
        """Tell that it is over, and whether every row is where it should be."""
        if isinstance(failure, Stopped):
            self._call("stopped", failure=failure.what)
        elif failure:
            self._call("failed", failure=failure.what)
        elif complete:
            self._call("complete")
        else:
            self._call("incomplete")

    def _call(
        self,
        state: State,
        *,
        wait: float = 0.0,
        failure: str = "",
    ) -> None:
        if self._listener is None:
            return
        seconds_left = 0.0
        if state in ("running", "waiting"):
            limits = self._client.limits(self._account)
            requests_left = self._known - self._requests
            seconds_left = expected(requests_left, limits, self._latency)
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
                left=seconds_left,
                exact=True,
                wait=wait,
                failure=failure,
            )
        )
