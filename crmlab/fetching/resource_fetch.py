"""One resource of one account: its list is read, its records decoded, and it is said whether that is all."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol, cast

import polars as pl

from crmlab.connector import Context, JsonPath, Page, Request
from crmlab.decoding import RAW, Decoder, Record
from crmlab.errors import CrmlabError, Stopped
from crmlab.fetching.decode_queue import Backpressure, DecodeQueue
from crmlab.fetching.embedding import Embeddings
from crmlab.fetching.faults import FAULTS, internal_error
from crmlab.fetching.intake import Accept, PageIntake, Receiver
from crmlab.fetching.reader import ListReader
from crmlab.fetching.resource_result import ResourceResult
from crmlab.fetching.resource_task import ResourceTask

#: fields that nobody documented, named in a note
MAX_NAMED = 8


class AccountServices(Protocol):
    """What a resource needs of its account."""

    @property
    def backpressure(self) -> Backpressure:
        """What all resources share while they decode."""
        ...

    async def answer(self, result: ResourceResult, request: Request, accept: Accept) -> Page:
        """Return the answer to a request, accepted."""
        ...

    def file_pages(self, result: ResourceResult, request: Request) -> AsyncGenerator[Page]:
        """Yield the pages of the file that is the answer to a request."""
        ...

    async def rows(self, names: Iterable[str], *, strict: bool) -> Mapping[str, pl.DataFrame]:
        """Return the rows of other resources, as soon as they are in."""
        ...

    def incomplete(self, names: Iterable[str]) -> list[str]:
        """Return those of these resources, which are all in, of which something is missing."""
        ...

    async def finished(self, name: str) -> None:
        """Wait for the end of another resource."""
        ...

    def tell(self, result: ResourceResult, *, over: bool = False) -> None:
        """Pass on how far it is."""
        ...

    def keep(self, task: ResourceTask, name: str, frame: pl.DataFrame, reading: int) -> None:
        """Take a frame that need not stay in memory, of that reading of the list; from any thread."""
        ...


class ResourceFetch:
    """The reading of one resource; `result` tells how far it is, and at its end what came.

    Parameters
    ----------
    context
        what is known before anything is asked
    stored
        the names of the frames that `AccountServices.keep` takes
    stall
        seconds without a new record, waits for the limit apart, after which the list is given up
    """

    def __init__(
        self,
        task: ResourceTask,
        account: AccountServices,
        embeddings: Embeddings,
        context: Context,
        *,
        stored: frozenset[str],
        stall: float | None = None,
    ) -> None:
        resource_name = task.resource.name
        self.result = ResourceResult(
            task=task, strategy=task.resource.follow.strategy, since=context.since
        )
        self._account = account
        self._context = context
        self._embeddings = embeddings
        self._always_in = embeddings.always_in(resource_name)
        self._queue = DecodeQueue(self._decoder, account.backpressure, keep=self._keep, kept=stored)
        self._intake = PageIntake(self.result, self._queue)
        self._reader = ListReader(
            task.resource,
            self._ask,
            self._intake,
            self.result.requests,
            ask_file=self._ask_file,
            tell=self._tell,
            embeds=embeddings.embeds(resource_name),
            embedded_in=embeddings.embedded_in(resource_name),
            stall=stall,
            enough=task.enough,
        )
        #: whether records came with the answers of another resource
        self._has_received = False
        #: why it was told to stop; empty while it was not
        self._stopped = ""
        self._reading: asyncio.Timeout | None = None

    @property
    def task(self) -> ResourceTask:
        """What is wanted of it."""
        return self.result.task

    def hand_on_to(self, receivers: Mapping[Receiver, Sequence[JsonPath]]) -> None:
        """Hand on the records of others, which its pages hold at these paths."""
        self._intake.hand_on_to(receivers)

    async def work(self) -> None:
        """Do it all. Whatever goes wrong is kept in `result.failure`, with what came until then."""
        started = time.monotonic()
        self.result.began_at = started
        try:
            try:
                await self._contain(self._read_until_stopped())
            finally:
                self._reader.end()
            await self._contain(self._collect())
            if self.task.needed and not self.result.frames:
                await self._contain(self._export_nothing())
        finally:
            self._queue.cancel()
        if self.result.failure:
            self.result.notes.append(str(self.result.failure))
        self.result.seconds = time.monotonic() - started
        self._account.tell(self.result, over=True)

    def stop(self, why: str) -> None:
        """End the reading where it is; not of what the service gives only once: an answer on its way would be lost."""
        if self.task.resource.destructive:
            return
        self._stopped = why
        if self._reading:
            self._reading.reschedule(0)

    def receive(self, page: Page, found: Sequence[Record]) -> None:
        """Take records that a page of another resource holds: until then some may have been added."""
        self._has_received = True
        self.result.note_clock(page)
        self._reader.completeness.count(page, None)
        self._intake.add(found)
        self._tell()

    # ---- reading ------------------------------------------------------------------------------------

    async def _contain(self, step: Awaitable[None]) -> None:
        """Take a step: what goes wrong in it is the failure of this resource, and costs no other one."""
        try:
            await step
        except CrmlabError as error:
            self._fail(error)
        except FAULTS as fault:
            self._fail(internal_error(fault))

    def _fail(self, error: CrmlabError) -> None:
        if not self.result.failure:  # what comes after the first may follow from it
            self.result.failure = self.task.account.explain(error, self.task.resource.name)

    async def _read_until_stopped(self) -> None:
        if self._stopped:
            raise Stopped(self._stopped)
        try:
            # a time limit that `stop` sets: so only the reading is cancelled, and what came is still decoded
            async with asyncio.timeout(None) as self._reading:
                await self._read()
        except TimeoutError:
            if not self._stopped:
                raise
            raise Stopped(self._stopped) from None
        finally:
            self._reading = None

    async def _read(self) -> None:
        self._embeddings.check(self.task.resource.name)
        task_note = self.task.note(self._context)
        if task_note:
            self.result.notes.append(task_note)
        if self._always_in:
            await self._account.finished(self._always_in)
            if self._has_received:
                self.result.strategy = f"within {self._always_in}"
                self._reader.completeness.seen_keys = await self._intake.flush()
                return
        context = await self._knowing(self.task.resource.needs_before_request, strict=True)
        self.result.began_at = time.monotonic()
        await self._reader.read(context)
        self.result.strategy = self._reader.strategy
        # what it was not asked about is missing here too
        for parent in self._account.incomplete(self.task.resource.needs_before_request):
            self._reader.ending.doubts.setdefault(
                f"asked about what came of {parent}, which is not complete"
            )

    async def _ask(self, request: Request) -> Page:
        answer_page = await self._account.answer(self.result, request, self._intake.accept)
        self.result.note_clock(answer_page)
        return answer_page

    async def _ask_file(self, request: Request) -> AsyncGenerator[Page]:
        """Yield the pages of a file, which is on disk until the last of them is taken in."""
        async with aclosing(self._account.file_pages(self.result, request)) as file_pages:
            async for file_page in file_pages:
                await self._account.backpressure.room()
                yield file_page

    async def _decoder(self) -> Decoder:
        """Return the decoder, as soon as there is what it needs to know."""
        return self.task.decoder(await self._knowing(self.task.parents, strict=False))

    async def _knowing(self, names: Iterable[str], *, strict: bool) -> Context:
        """Return the context with the rows of other resources, as soon as they are in."""
        return replace(self._context, rows=await self._account.rows(names, strict=strict))

    def _tell(self) -> None:
        self._account.tell(self.result)

    def _keep(self, name: str, frame: pl.DataFrame, reading: int) -> None:
        self._account.keep(self.task, name, frame, reading)

    # ---- what came ----------------------------------------------------------------------------------

    async def _collect(self) -> None:
        """Decode what is left, join the parts, and say whether it is all there."""
        result = self.result
        completeness = self._reader.completeness
        completeness.seen_keys = pl.concat([completeness.seen_keys, await self._intake.flush()])
        result.newest_at = cast("dt.datetime | None", completeness.seen_keys["inserted_at"].max())
        result.rejected = self._queue.rejected
        result.misfits = self._queue.misfits
        result.misfit_counts = self._queue.misfit_counts
        result.unread_counts = self._queue.unread_counts
        result.lacking = frozenset(self._named(frame_name) for frame_name in self._queue.lacking)
        result.frames = self._queue.frames()
        result.heights = {self._named(name): frame.height for name, frame in result.frames.items()}
        result.expected_records = completeness.expected
        result.notes += self._notes()
        result.complete = not result.failure and self._is_complete()
        result.repeats_are_equal = not self._has_received
        result.take_conflicts(self._queue.conflicts)

    def _named(self, frame: str) -> str:
        if frame == RAW:
            return self.task.full_name
        return frame

    async def _export_nothing(self) -> None:
        """Export empty frames, where not one could be made: others do without these rows, but not without columns."""
        decoder = await self._decoder()
        self.result.frames = dict(decoder([]).frames)

    def _is_complete(self) -> bool:
        reader = self._reader
        if not reader.is_settled or reader.is_short or reader.is_cut:
            return False
        if reader.ending.doubts or self.result.lost:
            return False
        return self.result.rejected.is_empty()

    def _names(self) -> list[str]:
        """Return what the summary says of fields and words that are not as documented."""
        decode_queue = self._queue
        renamed = [f"{column} for {field}" for field, column in decode_queue.renamed.items()]
        return [
            *_named("fields nobody documented", decode_queue.unknown),
            *_named("columns named otherwise, since the name is taken", renamed),
            *_named("words nobody knows, which decide nothing", decode_queue.unknown_words),
        ]

    def _notes(self) -> list[str]:
        """Return what the summary says of it, besides a failure."""
        result = self.result
        summary_notes = self._names()
        if self._intake.lone_surrogates:
            summary_notes.append(
                f"{self._intake.lone_surrogates} characters came cut in half, now \ufffd"
            )
        if self._intake.found_at:
            places = ", ".join(self._intake.found_at)
            summary_notes.append(f"the records stand in {places}, not where they are documented")
        summary_notes += _named(
            "names that stand twice in a record, of which one value was read",
            self._intake.repeated_names,
        )
        if result.lost:
            summary_notes.append(result.lost)
        if not result.failure:
            summary_notes += self._notes_of_reading()
        return summary_notes

    def _notes_of_reading(self) -> list[str]:
        """Return what the summary says of how a list was read to its end."""
        result = self.result
        reader = self._reader
        summary_notes: list[str] = []
        if result.strategy != self.task.resource.follow.strategy:
            summary_notes.append(result.strategy)
        if reader.empty_answers:
            summary_notes.append(
                f"{reader.empty_answers} of {result.requests.sent} requests: nothing there"
            )
        usual_readings = 1 if reader.completeness.is_counted else 2
        if reader.readings > usual_readings:
            summary_notes.append(
                f"the list changed while it was read; read {reader.readings} times"
            )
        if result.misfit_counts:
            summary_notes.append(_unread(result.misfit_counts))
        if result.rejected.height:
            summary_notes.append(f"{result.rejected.height} records rejected")
        summary_notes += [*reader.ending.doubts, *reader.ending.remarks]
        if reader.is_cut:
            summary_notes.append(f"{self.task.enough:,} records were enough")
        elif reader.is_short:
            counted = reader.completeness.expected
            summary_notes.append(
                f"the service counts {counted:,}, {reader.completeness.distinct:,} came"
            )
        return summary_notes


def _named(what: str, names: Iterable[str]) -> list[str]:
    """Return a note that names the first of them; none where there are none."""
    first_names = [*names][:MAX_NAMED]
    if not first_names:
        return []
    return [f"{what}: {', '.join(first_names)}"]


def _unread(counts: Mapping[str, int]) -> str:
    """Say how many values of which fields could not be read."""
    fields = [f"{name} {misfit_count:,}" for name, misfit_count in [*counts.items()][:MAX_NAMED]]
    return f"{sum(counts.values()):,} values could not be read ({', '.join(fields)})"
