"""One fetch of one account: its resources side by side, and what they know of each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from crmlab.accounts import Account
from crmlab.connector import Page, Request
from crmlab.decoding import RAW, given_key
from crmlab.errors import CrmlabError
from crmlab.fetching.crawl import ended, side_by_side
from crmlab.fetching.decode_queue import Backpressure
from crmlab.fetching.embedding import Embeddings
from crmlab.fetching.intake import Accept
from crmlab.fetching.progress_reporter import ProgressReporter
from crmlab.fetching.query import Query
from crmlab.fetching.resource_fetch import ResourceFetch
from crmlab.fetching.resource_result import ResourceResult
from crmlab.fetching.resource_task import ResourceTask, resource_tasks
from crmlab.fetching.spool import Spools
from crmlab.fetching.task_group import TaskGroup
from crmlab.fetching.time_limit import out_of_time

if TYPE_CHECKING:
    from crmlab.fetching.answer_spool import AnswerSpool
    from crmlab.fetching.parquet_store import Store
    from crmlab.fetching.replayed_answers import ReplayedAnswers
    from crmlab.fetching.spooled_answers import SpooledAnswers
    from crmlab.http.client import Client, Keep


class AccountFetch:
    """The resources of one account that fill the wanted tables, and those they depend on.

    Parameters
    ----------
    store
        takes the frames that are asked for, instead of memory
    spools
        where answers are kept that the service gives only once
    answers
        where all answers are kept, and those of a run that was killed are found
    stop_early
        whether the first failure is raised
    pages
        answers that a plan has already, by `Request.key`: not asked for again
    """

    def __init__(
        self,
        client: Client,
        account: Account,
        query: Query,
        backpressure: Backpressure,
        *,
        reporter: ProgressReporter,
        store: Store | None = None,
        spools: Spools | None = None,
        answers: AnswerSpool | ReplayedAnswers | None = None,
        stop_early: bool = False,
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        self.account = account
        self.backpressure = backpressure
        self._pages = dict(pages or {})
        self._client = client
        self._reporter = reporter
        self._store = store
        self._spools = spools
        self._spooled: SpooledAnswers | None = None
        if answers:
            from crmlab.fetching.spooled_answers import SpooledAnswers  # noqa: PLC0415  # loaded for a spool

            self._spooled = SpooledAnswers(answers, account, self._asked)
        self._stop_early = stop_early
        #: why the store or the spool could not be written: then nothing of this fetch can be
        self._unwritten: CrmlabError | None = None
        # twice as many as may be in flight: so the queue is never empty, and few wait with an old view of what waits
        self._turns = asyncio.Semaphore(2 * client.limits(account).concurrency)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._fetches = self._resource_fetches(resource_tasks(account, query), query)
        reporter.expect(self.results)

    def _resource_fetches(
        self, tasks: Mapping[str, ResourceTask], query: Query
    ) -> dict[str, ResourceFetch]:
        contexts = {name: query.context(self.account, name) for name in tasks}
        embeddings = Embeddings(
            {name: task.resource for name, task in tasks.items()},
            contexts,
        )
        stall_seconds = self._client.timeouts.stall
        fetches: dict[str, ResourceFetch] = {}
        for resource_name, resource_task in tasks.items():
            stored = self._stored(resource_task)
            fetches[resource_name] = ResourceFetch(
                resource_task,
                self,
                embeddings,
                contexts[resource_name],
                stored=stored,
                stall=stall_seconds,
            )
        for resource_name, resource_fetch in fetches.items():
            embedded_paths = embeddings.paths(resource_name)
            resource_fetch.hand_on_to(
                {fetches[embedded]: places for embedded, places in embedded_paths.items()}
            )
        return fetches

    @property
    def results(self) -> list[ResourceResult]:
        """What came of each resource, or has come until now."""
        return [resource_fetch.result for resource_fetch in self._fetches.values()]

    async def finish(self) -> None:
        """Read every resource to its end; their results keep the failures.

        With `stop_early` the first failure is raised, and the others are cancelled.
        """
        async with TaskGroup() as group:
            for name, fetch in self._fetches.items():
                self._tasks[name] = group.create_task(self._work(fetch))

    def stop(self, why: str) -> None:
        """End the reading of every resource; what came is kept."""
        for resource_fetch in self._fetches.values():
            resource_fetch.stop(why)

    async def _work(self, fetch: ResourceFetch) -> None:
        await fetch.work()
        result = fetch.result
        if self._spooled:
            self._spooled.tell(result)
        if self._store and result.task.raw and result.task.is_looked_up and RAW in result.frames:
            self.keep(result.task, RAW, result.frames[RAW], 0)  # was needed in memory until now
        if self._unwritten:
            raise self._unwritten
        if result.failure and self._stop_early:
            raise result.failure

    # ---- for its resources --------------------------------------------------------------------------

    async def finished(self, name: str) -> None:
        """Wait for the end of another resource."""
        await ended(self._tasks[name])

    async def rows(self, names: Iterable[str], *, strict: bool) -> Mapping[str, pl.DataFrame]:
        """Return what these resources export, as soon as they are all in.

        With `strict`, the failure of one is raised; otherwise its rows are just absent.
        """
        exported_rows: dict[str, pl.DataFrame] = {}
        for resource_name in names:
            await self.finished(resource_name)
            result = self._fetches[resource_name].result
            if result.failure and strict:
                raise copy(result.failure)
            exported_rows[resource_name] = result.exported
        return exported_rows

    def incomplete(self, names: Iterable[str]) -> list[str]:
        """Return those of these resources, which are all in, of which something is missing."""
        return [name for name in names if not self._fetches[name].result.complete]

    async def answer(self, result: ResourceResult, request: Request, accept: Accept) -> Page:
        """Return the answer to a request: as an earlier run kept it, as planned, or sent in its turn."""
        if not self._spooled:
            return await self._asked(result, request, accept)
        from crmlab.fetching.spooled_answers import Unwritten  # noqa: PLC0415  # as above

        try:
            return await self._spooled.answer(result, request, accept)
        except Unwritten as error:
            self._unwritten = error.reason
            raise error.reason from None

    async def _asked(self, result: ResourceResult, request: Request, accept: Accept) -> Page:
        """Return an answer that a plan has already, or one that is sent for."""
        planned = self._pages.pop(request.key, None)
        if planned:
            result.requests.sent += 1
            return planned
        if result.task.resource.destructive:
            return await self._answer_once(result, request, accept)
        return await self._sent(result, request, accept, may_repeat=not request.only_once)

    async def file_pages(self, result: ResourceResult, request: Request) -> AsyncGenerator[Page]:
        """Yield the pages of the file that is the answer to a request, which is on disk until the last is taken in.

        Only this user can look into it. In a spool the pages are kept, as the file itself may be of any size.
        """
        if self._spooled and self._spooled.is_replay:
            async for file_page in self._spooled.file_pages(result, request):
                yield file_page
            return
        cut_into_pages = result.task.resource.read_file
        assert cut_into_pages is not None
        with TemporaryDirectory(prefix="crmlab-", ignore_cleanup_errors=True) as folder:
            file_path = Path(folder) / "answer"
            await self._sent(
                result, request, lambda file_page: file_page, may_repeat=True, into=file_path
            )
            # never closed by hand: a thread that nobody waits for any more may still be in it
            file_pages = cut_into_pages(str(file_path), request)
            following = await asyncio.to_thread(next, file_pages, None)
            while following:
                file_page = following
                # looked for before this one is handed out: the last one has to say so
                following = await asyncio.to_thread(next, file_pages, None)
                if self._spooled:
                    await self._spooled.keep_file_page(result, file_page, is_last=following is None)
                yield file_page

    async def _answer_once(self, result: ResourceResult, request: Request, accept: Accept) -> Page:
        """Return an answer that the service gives only once: that of an earlier run which nobody read, else a new one.

        It is on disk before anything reads it.
        """
        assert self._spools is not None
        answer_spool = self._spools.of(self.account, result.task.resource.name, request.path)
        result.lost = answer_spool.lost
        waiting = answer_spool.waiting(request, accept)
        if waiting:
            return waiting
        with answer_spool.asking():
            answer_page = await self._sent(
                result, request, accept, may_repeat=False, keep=answer_spool.keep
            )
        answer_spool.accepted()
        return answer_page

    async def _sent(
        self,
        result: ResourceResult,
        request: Request,
        accept: Accept,
        *,
        may_repeat: bool,
        keep: Keep | None = None,
        into: Path | None = None,
    ) -> Page:
        """Send a request in its turn."""
        if request.wait:
            await asyncio.sleep(request.wait)
        async with self._turns:
            await self.backpressure.room()
            try:
                answer_page = await self._client.send(
                    self.account,
                    request,
                    again="always" if may_repeat else "never",
                    retried=result.requests.count_retry,
                    accept=accept,
                    keep=keep,
                    into=into,
                )
            finally:
                result.requests.sent += 1
        self._reporter.answered(self.account, answer_page.seconds)
        return answer_page

    def tell(self, result: ResourceResult, *, over: bool = False) -> None:
        """Pass on how far a resource is."""
        self._reporter.tell(result, over=over)

    def keep(self, task: ResourceTask, name: str, frame: pl.DataFrame, reading: int) -> None:
        """Put a frame of that reading of its list into the store; from any thread."""
        assert self._store is not None
        table_name = name
        record_key = pl.col("id")
        if name == RAW:
            table_name = task.full_name
            record_key = given_key(task.resource.key)
        try:
            self._store.put(table_name, task.source, frame, record_key, reading=reading)
        except CrmlabError as error:  # a full disk is not the failure of one resource
            self._unwritten = error
            raise

    def _stored(self, task: ResourceTask) -> frozenset[str]:
        """Return the names of the frames that go into the store as they come."""
        if not self._store:
            return frozenset()
        if task.raw and not task.is_looked_up:
            return task.tables | {RAW}
        return task.tables


async def finish(
    fetches: Sequence[AccountFetch], stop: asyncio.Event, seconds: float | None = None
) -> None:
    """Read all accounts to their end, or until told to stop or out of time; after an error, leave nothing running."""
    stopping = asyncio.create_task(_stop(fetches, stop, seconds))
    try:
        await side_by_side(resource_fetch.finish() for resource_fetch in fetches)
    finally:
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)


async def _stop(
    fetches: Sequence[AccountFetch], stop: asyncio.Event, seconds: float | None
) -> None:
    reason = "stopped before its end"
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        assert seconds is not None
        reason = out_of_time(seconds)
    for account_fetch in fetches:
        account_fetch.stop(reason)
