"""One fetch of one account: its resources side by side, each paged, decoded and counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from typing import Literal

import polars as pl

from crmlab.account import Account
from crmlab.client import Client
from crmlab.decode import RAW, REJECTED, Decoded, Decoder, Record, decoder, records, unknown_fields
from crmlab.errors import ApiError, CrmlabError
from crmlab.progress import Listener, Progress
from crmlab.provider import Context, Resource
from crmlab.request import PART, Request
from crmlab.tables import KEY, TABLES, Table

#: pages decoded at once: enough to make the reader's fixed cost small, few enough to start early
BATCH = 10
#: times a list is read before one that keeps changing is called incomplete
SWEEPS = 3
#: records of a batch, evenly spread, looked at for fields that nobody documented
SAMPLE = 10


class AccountRun:
    """The resources of one account that fill the wanted tables, and those they depend on."""

    def __init__(
        self,
        client: Client,
        account: Account,
        context: Context,
        *,
        tables: set[str],
        own: set[str],
        progress: Listener | None,
        stop_early: bool = False,
    ) -> None:
        self.context = context
        self._stop_early = stop_early
        wanted = {
            resource.name: tables.intersection(resource.tables)
            for resource in account.provider.resources
            if not resource.destructive and tables.intersection(resource.tables)
        }
        names = {*wanted, *own}
        parents: set[str] = set()
        open_ends = list(names)
        while open_ends:
            resource = account.provider.resource(open_ends.pop())
            new = {*resource.after, *resource.using} - parents
            parents |= new
            open_ends += new
        self._runs = {
            resource.name: ResourceRun(
                client,
                account,
                resource,
                self,
                tables=wanted.get(resource.name, set()),
                own=resource.name in own,
                needed=resource.name in parents,
                progress=progress,
            )
            for resource in account.provider.resources
            if resource.name in names | parents
        }
        self._tasks: dict[str, asyncio.Task[None]] = {}

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
            raise _first(several) from None

    async def _work(self, run: ResourceRun) -> None:
        await run.work()
        if run.failure and self._stop_early:
            raise run.failure

    async def rows(self, names: Iterable[str], *, strict: bool) -> Context:
        """Return the context with the records of these resources, as soon as they are all in.

        With `strict`, the failure of one is raised; otherwise its rows are just absent.
        """
        found = {}
        for name in names:
            await asyncio.shield(self._tasks[name])
            run = self._runs[name]
            if run.failure and strict:
                raise copy(run.failure)
            found[name] = run.frames[RAW]
        return replace(self.context, rows=found)


class ResourceRun:
    """One resource of one account: the requests, the pages, the frames, the account of it.

    After `work`: `frames` by table (`RAW`: the provider's own records), `rejected`, `failure`.
    """

    def __init__(
        self,
        client: Client,
        account: Account,
        resource: Resource,
        parent: AccountRun,
        *,
        tables: set[str],
        own: bool,
        needed: bool,
        progress: Listener | None,
    ) -> None:
        self.account, self.resource = account, resource
        self.frames: dict[str, pl.DataFrame] = {}
        self.rejected = pl.DataFrame(schema=REJECTED)
        self.failure: CrmlabError | None = None
        self._client, self._parent, self._listener = client, parent, progress
        self._tables, self._own, self._raw = tables, own, own or needed
        self._decoder: Decoder | None = None
        self._decoding: list[asyncio.Task[Decoded]] = []
        self._buffer: list[Record] = []
        self._pages = 0
        self._asked: set[str] = set()
        self._texts: set[int] = set()
        self._unknown: dict[str, None] = {}
        self._halves = 0
        self._nothing = 0
        #: what the service counts, by path, constants, and whether it is a part of a list counted whole
        self._totals: dict[tuple[str, str, bool], list[int]] = {}
        self._notes = [note] if (note := resource.note(parent.context)) else []
        self._changes = ""
        self._requests = self._retries = self._planned = self._rows = 0
        self._seconds = 0.0
        self._complete = False

    async def work(self) -> None:
        """Do it all; a `CrmlabError` is kept in `failure` with what came until then."""
        started = time.monotonic()
        try:
            try:
                context = await self._parent.rows(self.resource.after, strict=True)
                await self._sweeps(context)
            except CrmlabError as error:
                self.failure = self.account.explain(error, self.resource.name)
            await self._collect()
        finally:
            for task in self._decoding:
                task.cancel()
        self._seconds = time.monotonic() - started
        self._tell("failed" if self.failure else "complete" if self._complete else "incomplete")

    def summary(self) -> list[dict[str, object]]:
        """Return a line for each table asked for; one for what others needed, if it is not complete."""
        names = [
            *sorted(self._tables),
            *([f"{self.account.provider.name}.{self.resource.name}"] if self._shows_own() else []),
        ]
        expected = self._expected()
        return [
            {
                "account": self.account.name,
                "provider": self.account.provider.name,
                "resource": self.resource.name,
                "table": name,
                "rows": self.frames[name if name in TABLES else RAW].height,
                "expected": expected,
                "rejected": self.rejected.height,
                "requests": self._requests,
                "retries": self._retries,
                "seconds": round(self._seconds, 3),
                "complete": self._complete,
                "note": "; ".join(self._notes),
            }
            for name in names
        ]

    def _shows_own(self) -> bool:
        return self._own or not (self._tables or self._complete)

    async def _sweeps(self, context: Context) -> None:
        """Read the list; read it again while the service says that it changed meanwhile."""
        for sweep in range(SWEEPS):
            self._asked.clear()
            self._texts.clear()
            self._totals.clear()
            try:
                async with asyncio.TaskGroup() as group:
                    for request in self.resource.requests(context):
                        self._ask(group, request)
            except BaseExceptionGroup as several:
                raise _first(several) from None
            if not any(len(set(totals)) > 1 for totals in self._totals.values()):
                return
            again = min(sweep + 2, SWEEPS)
            self._changes = f"the list changed while it was read; read {again} times"

    def _ask(self, group: asyncio.TaskGroup, request: Request) -> None:
        if request.key not in self._asked:
            self._asked.add(request.key)
            self._planned += 1
            group.create_task(self._visit(group, request))

    async def _visit(self, group: asyncio.TaskGroup, request: Request) -> None:
        try:
            page = await self._client.send(
                self.account, request, retry=not self.resource.destructive, retried=self._count_retry
            )
        except ApiError as error:
            if not self.resource.nothing(error, request):
                raise
            self._nothing += 1
            return
        finally:
            self._requests += 1
        found = records(page, self.resource, whole=self._raw)
        self._halves += page.halves
        if self.resource.repeats and not self._has_news(found):
            return
        total = self.resource.total(page)
        if total is not None:
            counted = request.path, str(sorted(request.tags.items())), PART in request.tags
            self._totals.setdefault(counted, []).append(total)
        self._rows += len(found)
        self._buffer += found
        self._pages += 1
        for following in self.resource.follow(page):
            self._ask(group, following)
        self._tell("running")
        if self._pages % BATCH == 0:
            self._decode_buffer()

    def _has_news(self, found: list[Record]) -> bool:
        """Whether a page brings a record that no earlier one brought; an empty page does not repeat."""
        before = len(self._texts)
        self._texts.update(hash(record.text) for record in found)
        return not found or len(self._texts) > before

    def _count_retry(self) -> None:
        self._retries += 1

    def _decode_buffer(self) -> None:
        found, self._buffer = self._buffer, []
        self._decoding.append(asyncio.create_task(self._decode(found)))

    async def _decode(self, found: list[Record]) -> Decoded:
        reader = await self._reader()
        async with self._client.decoding:
            decoded, strange = await asyncio.to_thread(_decoded, reader, found)
        self._unknown |= dict.fromkeys(strange)
        return decoded

    async def _reader(self) -> Decoder:
        if self._decoder is None:
            names = dict.fromkeys((*self.resource.after, *self.resource.using))
            context = await self._parent.rows(names, strict=False)
            self._decoder = decoder(
                self.resource,
                context,
                provider=self.account.provider.name,
                account=self.account.name,
                tables=self._tables,
                raw=self._raw,
            )
        return self._decoder

    async def _collect(self) -> None:
        """Decode what is left, join the parts, drop repeats, and say whether it is all there."""
        self._decode_buffer()
        parts = await asyncio.gather(*self._decoding)
        self.rejected = pl.concat([self.rejected, *(part.rejected for part in parts)]).unique(maintain_order=True)
        for table in self._tables:
            frame = _newest(pl.concat([part.frames[table] for part in parts]))
            self.frames[table] = _within(frame, TABLES[table], self._parent.context)
        if self._raw:
            frame = pl.concat([part.frames[RAW] for part in parts])
            key = self.resource.key
            self.frames[RAW] = frame.filter(key.is_null() | key.is_last_distinct())
        keys = pl.concat([part.keys for part in parts])
        distinct = keys.drop_nulls().n_unique() + keys.null_count() + self.rejected.height
        self._complete = self._judge(distinct)

    def _judge(self, distinct: int) -> bool:
        expected = self._expected()
        if self._unknown:
            self._notes.append(f"fields nobody documented: {', '.join([*self._unknown][:8])}")
        if self._halves:
            self._notes.append(f"{self._halves} characters came cut in half, now \ufffd")
        if self.failure:
            self._notes.append(str(self.failure))
            return False
        if self._changes:
            self._notes.append(self._changes)
        if self._nothing:
            self._notes.append(f"{self._nothing} of {self._requests} requests: nothing there")
        if self.rejected.height:
            self._notes.append(f"{self.rejected.height} records rejected")
        changed = any(len(set(totals)) > 1 for totals in self._totals.values())
        short = expected is not None and distinct < expected
        if short:
            self._notes.append(f"the service counts {expected:,}, {distinct:,} came")
        return not (changed or short or self.rejected.height)

    def _expected(self) -> int | None:
        whole = [max(totals) for (_, _, is_part), totals in self._totals.items() if not is_part]
        return sum(whole) if whole else None

    def _tell(self, state: Literal["running", "complete", "incomplete", "failed"]) -> None:
        if self._listener and (self._tables or self._own):
            self._listener(
                Progress(
                    account=self.account.name,
                    provider=self.account.provider.name,
                    resource=self.resource.name,
                    state=state,
                    rows=self._rows,
                    requests=self._requests,
                    planned=self._planned,
                )
            )


def _decoded(reader: Decoder, found: list[Record]) -> tuple[Decoded, list[str]]:
    """Return what the records hold, and the fields nobody documented in a sample spread over them."""
    sample = found[:: max(1, len(found) // SAMPLE)]
    return reader(found), unknown_fields(reader.resource, reader.known, sample)


def _first(several: BaseExceptionGroup) -> BaseException:
    """Return the first plain error of a group: nobody outside should meet a group."""
    error: BaseException = several
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _newest(frame: pl.DataFrame) -> pl.DataFrame:
    """Drop repeats by key, keeping what was changed last (of equals, what came last)."""
    if not frame.select(pl.struct(KEY).is_duplicated().any()).item():
        return frame
    ordered = frame.sort("modified_at", maintain_order=True, nulls_last=False)
    return ordered.unique(subset=KEY, keep="last", maintain_order=True)


def _within(frame: pl.DataFrame, table: Table, context: Context) -> pl.DataFrame:
    """Keep rows of the asked period; those without a time stay."""
    if not table.window or not (context.since or context.until):
        return frame
    when = pl.coalesce(table.window)
    outside = pl.lit(False)
    if context.since:
        outside = outside | (when < context.since)
    if context.until:
        outside = outside | (when >= context.until)
    return frame.filter(~outside.fill_null(False))
