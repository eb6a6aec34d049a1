"""Work that goes on at a service behind its answer, asked for until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from crmlab.accounts import Account
from crmlab.connector import Entry, Outcome
from crmlab.errors import CrmlabError, NotFoundError, Stopped
from crmlab.fetching import chosen
from crmlab.pushing.prepared import Prepared
from crmlab.pushing.results_file import Line, ResultsFile
from crmlab.pushing.stopping import unless_stopped

if TYPE_CHECKING:
    from crmlab.http.client import Client

#: seconds before the first question, and at most between two
_FIRST_WAIT = 0.2
_MAX_WAIT = 5.0
#: characters of what a service says of a row
_MAX_REASON = 500
#: seconds after which a push ends although work goes on: the next one asks again
PATIENCE = 120.0


def as_told(line: Line, outcome: Outcome, account: Account) -> Line:
    """Return a row with what an answer says of it: no secret of the account, and no page of text."""
    reason = account.redact(outcome.reason)
    if len(reason) > _MAX_REASON:
        reason = f"{reason[:_MAX_REASON]}…"
    return replace(
        line, state=outcome.state, id=outcome.id or line.id, reason=reason, pending=outcome.pending
    )


class FollowUp:
    """Asks what became of work that goes on, and puts it into the file."""

    def __init__(
        self, client: Client, prepared: Prepared, file: ResultsFile, stop: asyncio.Event
    ) -> None:
        self._client = client
        self._prepared = prepared
        self._file = file
        self._stop = stop
        self._lines: dict[str, list[Line]] = {}
        #: work of which not all rows that went together are known
        self._in_part: set[str] = set()

    def add(self, lines: Iterable[Line], *, in_part: bool = False) -> None:
        """Take note of rows that went together, where the work on any of them goes on; errors may name their places.

        Of an earlier push they are there in part: what was refused at once is no longer among them.
        """
        together = list(lines)
        works = {line.pending for line in together}
        for pending in sorted(works - {""}):
            # with the rows that were settled at once: what errors name by its place is counted among all
            self._lines[pending] = [line for line in together if line.pending in (pending, "")]
            if in_part:
                self._in_part.add(pending)

    async def run(self) -> None:
        """Ask until everything is done, `PATIENCE` is over, or it is told to stop."""
        next_wait = _FIRST_WAIT
        waited = 0.0
        while self._lines and waited < PATIENCE and not self._stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), next_wait)
            waited += next_wait
            next_wait = min(next_wait * 2, _MAX_WAIT)
            # a copy of the names: those that are over leave the dict
            for pending in [*self._lines]:
                if await self._is_over(pending):
                    del self._lines[pending]
        for pending, lines in self._lines.items():
            self._tell(lines, f"{pending} goes on: push again with the same file")

    async def _is_over(self, pending: str) -> bool:
        target = self._prepared.rows.target
        assert target.followed is not None
        account = self._prepared.rows.account
        lines = self._lines[pending]
        try:
            question = chosen(account, target.follow, {"id": pending})
            sending = self._client.send(question.account, question.request)
            answer = await unless_stopped(sending, self._stop)
            outcomes = target.followed(answer, self._entries(pending))
        except Stopped:
            return False
        except NotFoundError:  # and will not be there later
            unknown = Outcome(state="unknown", reason=f"the service knows no {pending} any more")
            outcomes = [unknown] * len(lines)
        except CrmlabError as error:
            self._tell(lines, f"what became of {pending} is not known: {error.what}")
            return True
        if outcomes is None:
            return False
        settled = []
        for line, outcome in zip(lines, outcomes, strict=True):
            # the others were settled at once, and only kept the places of these
            if line.pending:
                settled.append(as_told(line, outcome, account))
        self._file.put(settled)
        return True

    def _tell(self, lines: Iterable[Line], reason: str) -> None:
        """Say of rows why nobody knows yet what became of them."""
        with_reason = []
        for line in lines:
            if line.pending:
                with_reason.append(replace(line, reason=reason))
        self._file.put(with_reason)

    def _entries(self, pending: str) -> list[Entry]:
        keeps_place = pending not in self._in_part
        return [Entry(line.id, {}, keeps_place=keeps_place) for line in self._lines[pending]]
