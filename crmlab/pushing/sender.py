"""Sends the rows of a push: a few requests at a time, each noted before it leaves and when its answer is there."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crmlab.connector import Fields, Page
from crmlab.errors import (
    ApiError,
    CrmlabError,
    RateLimitError,
    ServerError,
    Stopped,
    TransportError,
    UnknownOutcomeError,
    UsageError,
)
from crmlab.fetching import Listener, TaskGroup, chosen, out_of_time
from crmlab.pushing.batches import Ready, batches
from crmlab.pushing.current import whole_list
from crmlab.pushing.follow_up import FollowUp, as_told
from crmlab.pushing.prepared import Prepared, refusal
from crmlab.pushing.push_progress import PushProgress
from crmlab.pushing.results_file import Line, ResultsFile
from crmlab.pushing.rows import Row
from crmlab.pushing.stopping import stopped, unless_stopped

if TYPE_CHECKING:
    from crmlab.http.client import Again, Client

#: requests under way at a time: of so many the outcome is unknown where the process is killed
IN_FLIGHT = 4
#: outcomes unknown one after the other, after which a service does not seem to be well
MAX_UNKNOWN = 3


class Sender:
    """Sends what is prepared, until all is sent, something fails that fails for all, or it is told to stop.

    `failure` is what ended it before its end.
    """

    def __init__(
        self,
        client: Client,
        prepared: Prepared,
        file: ResultsFile,
        listener: Listener | None,
        stop: asyncio.Event,
    ) -> None:
        self.failure: CrmlabError | None = None
        #: the rows whose turn has come
        self.settled: set[int] = set()
        self._client = client
        self._prepared = prepared
        self._account = prepared.rows.account
        self._target = prepared.rows.target
        self._file = file
        self._stop = stop
        self._progress = PushProgress(client, prepared, listener)
        self._follow_up = FollowUp(client, prepared, file, stop)
        self._current: dict[str, Fields] = {}
        self._unknown_in_a_row = 0

    async def run(self) -> None:
        """Send everything, and follow to its end what goes on at the service."""
        self._follow_up.add(self._prepared.pending, in_part=True)
        time_limit = self._timer()
        try:
            if self._prepared.reads_list:
                await self._read_list()
            waiting_batches = batches(self._ready_rows(), self._target)
            workers = min(IN_FLIGHT, self._client.limits(self._account).concurrency)
            async with TaskGroup() as task_group:
                for _ in range(workers):
                    task_group.create_task(self._work(waiting_batches))
            # workers end without a failure only when nothing is left, or it shall stop
            if not self.failure and next(waiting_batches, None):
                self.failure = stopped()
            await self._follow_up.run()
        finally:
            if time_limit:
                time_limit.cancel()
            is_complete = all(line.is_done for line in self._file.lines.values())
            self._progress.end(self.failure, complete=is_complete)

    def _timer(self) -> asyncio.TimerHandle | None:
        """Return what ends the push when its time is over, if it has any."""
        seconds = self._client.timeouts.total
        if not seconds:
            return None
        return asyncio.get_running_loop().call_later(seconds, self._out_of_time, seconds)

    async def _read_list(self) -> None:
        try:
            self._current = await whole_list(self._account, self._target, self._client, self._stop)
        except Stopped as error:
            self.failure = self.failure or error

    def _out_of_time(self, seconds: float) -> None:
        self.failure = self.failure or Stopped(out_of_time(seconds))
        self._stop.set()

    def _ready_rows(self) -> Iterator[Ready]:
        """Yield the rows as they are sent; those that need the record of the service first are made when they are."""
        for ready_row in self._prepared.to_send:
            frame_row = ready_row.row
            if frame_row.id is None or not self._target.current_resource:
                yield ready_row
                continue
            try:
                yield self._prepared.ready(frame_row, self._known(frame_row.id))
            except UsageError as error:
                self._settle([refusal(self._prepared.line(frame_row), error)])

    def _known(self, id_: str) -> Fields:
        """Return what the list has of a record."""
        if id_ not in self._current:
            raise UsageError(
                f"no record of that id is in the list of {self._target.current_resource}"
            )
        return self._current[id_]

    async def _work(self, queue: Iterator[list[Ready]]) -> None:
        """Send one batch after the other."""
        while not (self.failure or self._stop.is_set()):
            batch = next(queue, None)
            if batch is None:
                return
            await self._send(batch)

    async def _send(self, batch: list[Ready]) -> None:
        lines = [self._prepared.line(ready_row.row) for ready_row in batch]
        has_left = asyncio.Event()  # and may be applied
        try:
            # a service whose records are read one by one takes them one by one, too
            if batch[0].row.needs_own_read(self._target):
                batch = [await self._merged(ready_row.row) for ready_row in batch]
            answer = await self._answer(batch, lines, has_left)
        except UnknownOutcomeError as error:
            self._unknown(lines, error)
        except UsageError as error:
            self._refused(lines, error)
        except Stopped as error:
            self.failure = self.failure or error
            if not has_left.is_set():
                return
            self._settle(self._noted(lines, error))
        except CrmlabError as error:
            self._failed(lines, error, has_left=has_left.is_set())
        else:
            self._answered(batch, lines, answer)
        self._progress.tell(len(batch))

    async def _merged(self, row: Row) -> Ready:
        """Return a row as a record that keeps what the service has beside it."""
        operations = {each.name: each for each in self._account.provider.operations()}
        reading = operations[self._target.current_operation]
        (id_name,) = reading.path_parts()
        question = chosen(self._account, reading.name, {id_name: row.id})
        sending = self._client.send(self._account, question.request)
        answer = await unless_stopped(sending, self._stop)
        self._progress.asked(answer)
        try:
            current = self._target.current(answer.read(dict[str, Any]))
        except (KeyError, TypeError):
            current = None
        if not isinstance(current, dict):
            raise TransportError(
                f"{question.request.path} answered without the record that it should hold"
            )
        # sent back to this id, the values of another record would overwrite those of this one
        if str(current.get("id", row.id)) != row.id:
            raise TransportError(f"{question.request.path} answered with another record")
        return self._prepared.ready(row, current)

    async def _answer(
        self,
        batch: Sequence[Ready],
        lines: Sequence[Line],
        has_left: asyncio.Event,
    ) -> Page:
        question = self._prepared.asked(batch)
        is_on_its_way = False
        again: Again = "always"
        if question.may_change_twice:
            again = "unapplied"

        def leaving() -> None:
            nonlocal is_on_its_way
            sent_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            reason = "it was on its way when the process ended"
            on_its_way = []
            for line in lines:
                on_its_way.append(replace(line, state="unknown", reason=reason, sent_at=sent_at))
            # on disk before it leaves: of a process that is killed, this is all that is known
            self._file.put(on_its_way)
            has_left.set()
            is_on_its_way = True

        def retried() -> None:
            nonlocal is_on_its_way
            is_on_its_way = False
            if question.may_change_twice:  # it was refused as too fast, or did not leave
                self._file.put(lines)
                has_left.clear()
            if self._stop.is_set():
                raise stopped()

        sending = self._client.send(
            self._account,
            question.request,
            again=again,
            leaving=leaving,
            retried=retried,
        )
        # what waits for its turn, or to be sent again, is not sent once it shall stop
        answer = await unless_stopped(sending, self._stop, may_be_cut=lambda: not is_on_its_way)
        self._progress.asked(answer)
        return answer

    def _answered(
        self,
        batch: Sequence[Ready],
        lines: Sequence[Line],
        page: Page,
    ) -> None:
        """Take note of what the answer says of each row."""
        from crmlab.http.client import outcome_unknown  # noqa: PLC0415  # loads aiohttp

        try:
            outcomes = self._target.read(page, [ready_row.entry for ready_row in batch])
        except TransportError as error:  # a gateway's, for one, with a success of its own
            self._unknown(lines, outcome_unknown(page.request, error))
            return
        self._unknown_in_a_row = 0
        settled = []
        for line, outcome in zip(lines, outcomes, strict=True):
            with_time = replace(line, sent_at=self._file.lines[line.row].sent_at)
            settled.append(as_told(with_time, outcome, self._account))
        self._settle(settled)
        self._follow_up.add(settled)

    def _unknown(self, lines: Sequence[Line], error: CrmlabError) -> None:
        self._settle(self._noted(lines, error))
        self._unknown_in_a_row += 1
        if self._unknown_in_a_row >= MAX_UNKNOWN:
            self._end(error)

    def _failed(
        self,
        lines: Sequence[Line],
        error: CrmlabError,
        *,
        has_left: bool,
    ) -> None:
        """Take note of rows that the service refused, or of what fails for all of them."""
        if has_left and _may_be_applied(error):
            # a second application would change nothing, and was tried in vain
            self._settle(self._noted(lines, error))
            self._end(error)
        elif _is_of_the_row(error):
            self._refused(lines, error)
        else:
            self._settle([replace(line, reason=error.what) for line in lines])
            self._end(error)

    def _refused(self, lines: Sequence[Line], error: CrmlabError) -> None:
        """Take note of rows that were refused, by the service or before they were sent."""
        self._settle([refusal(line, error) for line in lines])

    def _noted(self, lines: Sequence[Line], error: CrmlabError) -> list[Line]:
        """Return rows that left, of which nobody knows what became."""
        return [replace(self._file.lines[line.row], reason=error.what) for line in lines]

    def _end(self, error: CrmlabError) -> None:
        self.failure = self.failure or self._account.explain(error, self._target.table)

    def _settle(self, lines: Sequence[Line]) -> None:
        self._file.put(lines)
        self.settled.update(line.row for line in lines)


def _may_be_applied(error: CrmlabError) -> bool:
    """Whether the service may have made the change before it failed."""
    if isinstance(error, TransportError):
        return error.sent
    return isinstance(error, ServerError)


def _is_of_the_row(error: CrmlabError) -> bool:
    """Whether the service refused this row, and another may fare better."""
    if isinstance(error, RateLimitError | ServerError):
        return False
    return isinstance(error, ApiError) and not error.of_account
