"""One fetch of one account: its resources side by side, and what they tell each other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from crmlab.accounts import Account
from crmlab.connector import Context, Page, Request, Resource
from crmlab.decoding import RAW, Way
from crmlab.fetching.crawl import first
from crmlab.fetching.decode_queue import Backpressure, DecodeQueue
from crmlab.fetching.embedding import Inside
from crmlab.fetching.parquet_store import Store
from crmlab.fetching.progress_reporter import Watch
from crmlab.fetching.query import Question
from crmlab.fetching.resource_fetch import ResourceRun, Unread

if TYPE_CHECKING:
    from crmlab.http.client import Client


class AccountRun:
    """The resources of one account that fill the wanted tables, and those they depend on.

    With `probing`, only what tells how much there is is asked, and kept in `pages`; pages kept so are
    given as `pages` to the fetch that follows, which does not ask for them again.
    """

    def __init__(
        self,
        client: Client,
        account: Account,
        asked: Question,
        backpressure: Backpressure,
        *,
        watch: Watch | None = None,
        store: Store | None = None,
        stop_early: bool = False,
        probing: bool = False,
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        self.account, self.context, self.probing = account, asked.context(account), probing
        self.pages: dict[str, Page] = dict(pages or {})
        self._client, self._backpressure, self._watch, self._store = client, backpressure, watch, store
        self._stop_early = stop_early
        # twice as many as may be in flight: so the line is never empty, and few wait with an old view of what waits
        self._turns = asyncio.Semaphore(2 * client.limits(account).concurrency)
        own = asked.own_of(account)
        wanted, parents = _resources(account, asked.tables, own)
        self._runs = {
            resource.name: ResourceRun(
                account,
                resource,
                self,
                tables=wanted.get(resource.name, frozenset()),
                own=resource.name in own,
                needed=resource.name in parents,
            )
            for resource in account.provider.resources
            if resource.name in wanted.keys() | own | parents
        }
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._introduce()
        if watch:
            watch.expect(self.resources)

    @property
    def resources(self) -> list[ResourceRun]:
        return list(self._runs.values())

    async def finish(self) -> None:
        """Run every resource to its end; the runs keep their failures.

        With `stop_early` the first failure is raised, and the others are cancelled.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._tasks = {name: group.create_task(self._work(run)) for name, run in self._runs.items()}
        except BaseExceptionGroup as several:
            raise first(several) from None

    def stop(self) -> None:
        """End the reading of every resource; what came is kept."""
        for run in self._runs.values():
            run.stop()

    async def _work(self, run: ResourceRun) -> None:
        await run.work()
        if self._store and run.own and run.looked_up:  # was kept in memory until now
            self._keep(run, RAW, run.frames[RAW])
        if run.failure and self._stop_early:
            raise run.failure

    async def finished(self, name: str) -> None:
        """Wait for the end of another resource."""
        await asyncio.shield(self._tasks[name])

    async def rows(self, names: Iterable[str], *, strict: bool) -> Context:
        """Return the context with what these resources give, as soon as they are all in.

        With `strict`, the failure of one is raised; otherwise its rows are just absent.
        """
        found = {}
        for name in names:
            await self.finished(name)
            run = self._runs[name]
            if run.failure and strict:
                raise copy(run.failure)
            if self.probing and strict and not run.is_read:
                raise Unread(f"known when {name} is read")
            found[name] = run.given
        return replace(self.context, rows=found)

    # ---- for its resources ----------------------------------------------------------------------------

    async def answer(self, run: ResourceRun, request: Request) -> Page:
        """Return the answer to a request: as planned, or sent in its turn."""
        if page := self.pages.pop(request.key, None):
            run.requests += 1
            return page
        async with self._turns:
            await self._backpressure.room()
            try:
                retry = not run.resource.destructive
                page = await self._client.send(self.account, request, retry=retry, retried=run.count_retry)
            finally:
                run.requests += 1
        if self._watch:
            self._watch.answered(self.account, page.seconds)
        if self.probing:
            self.pages[request.key] = page
        return page

    def collector(self, run: ResourceRun) -> DecodeQueue:
        """Return what makes frames of its records, in memory or in files."""
        kept = frozenset[str]()
        if self._store:
            kept = frozenset({*run.tables, *([RAW] if run.own and not run.looked_up else [])})
        return DecodeQueue(run.decoder, self._backpressure, keep=partial(self._keep, run), kept=kept)

    def tell(self, run: ResourceRun, *, over: bool = False) -> None:
        if self._watch:
            self._watch.tell(run, over=over)

    async def comes_with(self, run: ResourceRun) -> str:
        """Return the resource whose answers have brought its records; empty where none has."""
        holder = next((each for each in self._runs.values() if each.resource.holds_always(run.resource.name)), None)
        if not holder:
            return ""
        if not self.probing:
            await self.finished(holder.resource.name)
        return holder.resource.name if self.probing or run.received is not None else ""

    def wanted_of(self, run: ResourceRun) -> dict[ResourceRun, list[Way]]:
        """Return the resources of this fetch that its answers may hold, and where."""
        wanted: dict[ResourceRun, list[Way]] = {}
        for each in run.resource.holds:
            if each.resource in self._runs and (run.holds or not run.resource.embedding):
                wanted.setdefault(self._runs[each.resource], []).append(each.path)
        return wanted

    def _introduce(self) -> None:
        """Bring together the lists that can come inside another one with that one."""
        for run in self._runs.values():
            embedding = run.resource.embedding
            names = {each.resource for each in run.resource.holds} & self._runs.keys()
            if embedding and names and embedding.possible(self.context):
                run.holds = Inside(run.resource.name, names, embedding.sizes)
                for name in names:
                    self._runs[name].held_by = run.holds

    def _keep(self, run: ResourceRun, name: str, frame: pl.DataFrame) -> None:
        assert self._store is not None
        key = run.resource.key if name == RAW else pl.col("id")
        self._store.put(run.full_name if name == RAW else name, run.source, frame, key)


async def finish(runs: Sequence[AccountRun], stop: asyncio.Event | None = None) -> None:
    """Run all accounts to their end, or until told to stop; after an error or a cancel, leave none running."""
    tasks = [asyncio.ensure_future(run.finish()) for run in runs]
    waiting = asyncio.ensure_future(_stop(runs, stop)) if stop else None
    try:
        for finished in asyncio.as_completed(tasks):
            await finished
    finally:
        tasks += [waiting] if waiting else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _stop(runs: Sequence[AccountRun], stop: asyncio.Event) -> None:
    await stop.wait()
    for run in runs:
        run.stop()


def _resources(account: Account, tables: frozenset[str], own: set[str]) -> tuple[dict[str, frozenset[str]], set[str]]:
    """Return the resources wanted, each with the tables it is to fill, and those that they depend on."""
    wanted = {
        resource.name: tables.intersection(resource.tables)
        for resource in account.provider.resources
        if not resource.destructive and tables.intersection(resource.tables)
    }
    parents: set[str] = set()
    open_ends = [*wanted, *own]
    while open_ends:
        resource: Resource = account.provider.resource(open_ends.pop())
        new = {*resource.after, *resource.using} - parents
        parents |= new
        open_ends += new
    return wanted, parents
