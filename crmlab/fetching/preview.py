"""What a plan asks before a fetch: first pages, which tell how much there is, and short lists that others need."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import polars as pl

from crmlab.accounts import Account
from crmlab.connector import Context, JsonPath, Page, Request, one_answer
from crmlab.decoding import Decoder, Record
from crmlab.errors import CrmlabError
from crmlab.fetching.crawl import ended
from crmlab.fetching.decode_queue import Backpressure, DecodeQueue
from crmlab.fetching.embedding import Embeddings
from crmlab.fetching.faults import FAULTS, internal_error
from crmlab.fetching.intake import Accept, PageIntake, Receiver
from crmlab.fetching.query import Query
from crmlab.fetching.reader import ListReader
from crmlab.fetching.resource_result import ResourceResult
from crmlab.fetching.resource_task import ResourceTask, resource_tasks
from crmlab.fetching.task_group import TaskGroup

if TYPE_CHECKING:
    from crmlab.http.client import Client

#: the first requests of a resource are sent only where they are few
MAX_REQUESTS = 10


class Unread(CrmlabError):
    """A plan would have to read a list to know what depends on it."""


class PreviewedAccount(Protocol):
    """What the preview of a resource needs of its account."""

    async def answer(self, result: ResourceResult, request: Request, accept: Accept) -> Page:
        """Return the answer to a request, accepted."""
        ...

    async def rows(self, names: Iterable[str]) -> Mapping[str, pl.DataFrame]:
        """Return the rows of other resources; raise `Unread` where a plan does not read them."""
        ...

    async def finished(self, name: str) -> None:
        """Wait for the end of another resource."""
        ...


class ResourcePreview:
    """Asks of one resource what tells how much there is; `result` says it."""

    def __init__(
        self,
        task: ResourceTask,
        account: PreviewedAccount,
        backpressure: Backpressure,
        embeddings: Embeddings,
        context: Context,
    ) -> None:
        resource_name = task.resource.name
        self.result = ResourceResult(task=task, strategy=task.resource.follow.strategy)
        self._account = account
        self._context = context
        self._embeddings = embeddings
        self._always_in = embeddings.always_in(resource_name)
        self._queue = DecodeQueue(
            self._decoder,
            backpressure,
            keep=lambda resource_name, frame, reading: None,
            kept=frozenset(),
        )
        self._intake = PageIntake(self.result, self._queue)
        self._reader = ListReader(
            task.resource,
            self._ask,
            self._intake,
            self.result.requests,
            embeds=embeddings.embeds(resource_name),
            embedded_in=embeddings.embedded_in(resource_name),
        )
        self._has_received = False

    @property
    def task(self) -> ResourceTask:
        """What is wanted of it."""
        return self.result.task

    @property
    def is_read(self) -> bool:
        """Whether all its records are there, so that others can look into them."""
        return self.task.exported in self.result.frames

    def hand_on_to(self, receivers: Mapping[Receiver, Sequence[JsonPath]]) -> None:
        """Hand on the records of others, which its pages hold at these paths."""
        self._intake.hand_on_to(receivers)

    def receive(self, page: Page, found: Sequence[Record]) -> None:
        """Take records that a page of another resource holds."""
        self._has_received = True
        self._intake.add(found)

    async def work(self) -> None:
        """Ask, and decode what others need to know; raise the first error."""
        try:
            await self._preview()
            await self._export()
        except Unread as reason:
            self.result.requests.expected = None
            self.result.notes.append(str(reason))
        except CrmlabError as error:
            raise self._explained(error) from None
        except FAULTS as fault:
            raise self._explained(internal_error(fault)) from None
        finally:
            self._reader.end()
            self._queue.cancel()

    async def _preview(self) -> None:
        self._embeddings.check(self.task.resource.name)
        note = self.task.note(self._context)
        if note:
            self.result.notes.append(note)
        if self._always_in:
            self.result.strategy = f"within {self._always_in}"
            if self.task.needed:
                await self._account.finished(self._always_in)
            return
        context = await self._knowing(self.task.resource.needs_before_request)
        requests = await self._reader.first_requests(context)
        if self._tells_how_many(requests):
            await self._reader.follow_all(requests, self._visit)
            self.result.strategy = self._reader.strategy
            self.result.expected_records = self._reader.completeness.expected
        elif self.task.resource.follow is not one_answer:
            self.result.requests.expected = None
            self.result.requests.minimum += len(requests) * self.task.resource.follow.min_more

    async def _export(self) -> None:
        """Decode what others need to know, where all of it came and can be decoded."""
        came_whole = self.result.requests.is_done
        if self._always_in:
            came_whole = self._has_received
        if self.task.needed and came_whole:
            with suppress(Unread):
                await self._intake.flush()
                self.result.frames = self._queue.frames()

    async def _visit(self, request: Request) -> Iterable[Request]:
        following = await self._reader.visit(request)
        if not self._is_short_lookup:
            return ()
        return following

    async def _ask(self, request: Request) -> Page:
        return await self._account.answer(self.result, request, self._intake.accept)

    async def _decoder(self) -> Decoder:
        return self.task.decoder(await self._knowing(self.task.parents))

    async def _knowing(self, names: Iterable[str]) -> Context:
        """Return the context with the rows of other resources; raise `Unread` where a plan does not read them."""
        return replace(self._context, rows=await self._account.rows(names))

    def _tells_how_many(self, requests: Sequence[Request]) -> bool:
        resource = self.task.resource
        may_ask = not resource.destructive and not resource.starts_work
        return resource.total is not None and may_ask and len(requests) <= MAX_REQUESTS

    @property
    def _is_short_lookup(self) -> bool:
        """Whether others need it and few requests bring it whole."""
        expected = self.result.requests.expected
        return self.task.needed and expected is not None and expected <= MAX_REQUESTS

    def _explained(self, error: CrmlabError) -> CrmlabError:
        return self.task.account.explain(error, self.task.resource.name)


class AccountPreview:
    """Asks of one account what tells how much there is; `pages` are the answers, by `Request.key`."""

    def __init__(
        self, client: Client, account: Account, query: Query, backpressure: Backpressure
    ) -> None:
        self.account = account
        self.pages: dict[str, Page] = {}
        self._client = client
        self._tasks: dict[str, asyncio.Task[None]] = {}
        all_tasks = resource_tasks(account, query)
        contexts = {name: query.context(account, name) for name in all_tasks}
        embeddings = Embeddings(
            {name: task.resource for name, task in all_tasks.items()},
            contexts,
        )
        previews: dict[str, ResourcePreview] = {}
        for resource_name, resource_task in all_tasks.items():
            previews[resource_name] = ResourcePreview(
                resource_task, self, backpressure, embeddings, contexts[resource_name]
            )
        for resource_name, preview in previews.items():
            embedded_paths = embeddings.paths(resource_name)
            preview.hand_on_to(
                {previews[embedded]: places for embedded, places in embedded_paths.items()}
            )
        self._previews = previews

    @property
    def results(self) -> list[ResourceResult]:
        """What each resource told."""
        return [preview.result for preview in self._previews.values()]

    async def finish(self) -> None:
        """Preview every resource; the first failure is raised, and the others are cancelled."""
        async with TaskGroup() as task_group:
            for resource_name, preview in self._previews.items():
                self._tasks[resource_name] = task_group.create_task(preview.work())

    async def finished(self, name: str) -> None:
        """Wait for the end of another resource."""
        await ended(self._tasks[name])

    async def rows(self, names: Iterable[str]) -> Mapping[str, pl.DataFrame]:
        """Return the rows of other resources; raise `Unread` where a plan does not read them."""
        exported_rows: dict[str, pl.DataFrame] = {}
        for resource_name in names:
            await self.finished(resource_name)
            preview = self._previews[resource_name]
            if not preview.is_read:
                raise Unread(f"known when {resource_name} is read")
            exported_rows[resource_name] = preview.result.exported
        return exported_rows

    async def answer(self, result: ResourceResult, request: Request, accept: Accept) -> Page:
        """Return the answer to a request, and keep it for the fetch that follows."""
        first_page = await self._client.send(
            self.account, request, retried=result.requests.count_retry, accept=accept
        )
        result.requests.sent += 1
        self.pages[request.key] = first_page
        return first_page
