"""Work that goes on at a service behind its answer, asked for until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from crmlab.connector import Entry
from crmlab.errors import CrmlabError
from crmlab.fetching import chosen
from crmlab.pushing.prepared import Prepared
from crmlab.pushing.results_file import Line, ResultsFile

if TYPE_CHECKING:
    from crmlab.http.client import Client

#: seconds before the first question, and at most between two
_FIRST_WAIT = 0.2
_MAX_WAIT = 5.0
#: seconds after which a push ends although work goes on: the next one asks again
PATIENCE = 120.0


class FollowUp:
    """Asks what became of work that goes on, and puts it into the file."""

    def __init__(self, client: Client, prepared: Prepared, file: ResultsFile, stop: asyncio.Event) -> None:
        self._client = client
        self._prepared = prepared
        self._file = file
        self._stop = stop
        self._lines: dict[str, list[Line]] = {}

    def add(self, lines: Iterable[Line]) -> None:
        """Take note of rows whose work goes on."""
        for line in lines:
            if line.pending:
                self._lines.setdefault(line.pending, []).append(line)

    async def run(self) -> None:
        """Ask until everything is done, `PATIENCE` is over, or it is told to stop."""
        wait = _FIRST_WAIT
        waited = 0.0
        while self._lines and waited < PATIENCE and not self._stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), wait)
            waited += wait
            wait = min(wait * 2, _MAX_WAIT)
            for pending in [*self._lines]:
                if await self._is_over(pending):
                    del self._lines[pending]
        for pending, lines in self._lines.items():
            self._file.put(replace(line, reason=f"{pending} goes on: push again with the same file") for line in lines)

    async def _is_over(self, pending: str) -> bool:
        target = self._prepared.rows.target
        assert target.followed is not None
        lines = self._lines[pending]
        try:
            asked = chosen(self._prepared.rows.account, target.follow, {"id": pending})
            page = await self._client.send(asked.account, asked.request)
            outcomes = target.followed(page, self._entries(lines))
        except CrmlabError as error:
            self._file.put(
                replace(line, reason=f"what became of {pending} is not known: {error.what}") for line in lines
            )
            return True
        if outcomes is None:
            return False
        self._file.put(
            replace(line, state=outcome.state, reason=outcome.reason, pending="")
            for line, outcome in zip(lines, outcomes, strict=True)
        )
        return True

    @staticmethod
    def _entries(lines: Sequence[Line]) -> list[Entry]:
        return [Entry(line.id, {}) for line in lines]
