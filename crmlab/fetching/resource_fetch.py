"""One resource of one account: its requests and pages, the count of it, its frames."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

from crmlab.accounts import Account
from crmlab.connector import Context, Page, Request, Resource, end, pages
from crmlab.decoding import EXPORTS, MISFITS, RAW, REJECTED, Decoder, Record, Way, as_listed, decoder, held, records
from crmlab.errors import ApiError, CrmlabError, ServerError, Stopped, TransportError
from crmlab.fetching.completeness import Tally
from crmlab.fetching.crawl import sweep
from crmlab.fetching.embedding import Inside

if TYPE_CHECKING:
    from crmlab.fetching.account_fetch import AccountRun

#: times a list is read before one that keeps changing is called incomplete
READINGS = 3
#: a plan sends the first requests of a resource only where they are few
PROBES = 10


class Unread(CrmlabError):
    """A plan would have to read a list to know what depends on it."""


class ResourceRun:
    """The reading of one resource; with `probe`, only of what tells how much there is.

    After `work`: `frames` by table (`RAW`: the provider's own records, `EXPORTS`: what others may know of
    them), `rejected`, `failure`, and the account of it.
    """

    def __init__(
        self,
        account: Account,
        resource: Resource,
        parent: AccountRun,
        *,
        tables: frozenset[str],
        own: bool,
        needed: bool,
    ) -> None:
        self.account, self.resource, self.tables, self.own = account, resource, tables, own
        #: whether others look into its own records
        self.looked_up = needed and not resource.gives
        self.raw, self.needed = own or self.looked_up, needed
        self.frames: dict[str, pl.DataFrame] = {}
        #: rows by table, repeats left out
        self.heights: dict[str, int] = {}
        self.rejected = pl.DataFrame(schema=REJECTED)
        self.misfits = pl.DataFrame(schema=MISFITS)
        #: values of each field that could not be read
        self.misfit_counts: dict[str, int] = {}
        #: what lacks ids or amounts because they could not be read
        self.lacking: frozenset[str] = frozenset()
        self.failure: CrmlabError | None = None
        #: requests sent, tries repeated
        self.requests = self.retries = 0
        #: requests that the first answers foresee (None: they cannot), and how many there are at least
        self.foreseen: int | None = 0
        self.least = 0
        #: records that came, repeats included
        self.rows = 0
        #: when it began to ask
        self.began = self.seconds = 0.0
        self.complete = False
        #: how its requests follow each other, in words
        self.strategy = resource.follow.strategy
        self.notes = [note] if (note := resource.note(parent.context)) else []
        self.tally = Tally()
        #: records that came with the answers of another resource; None where none do
        self.received: int | None = None
        #: what it can hold of others, and what may hold it
        self.holds: Inside | None = None
        self.held_by: Inside | None = None
        self._parent = parent
        self._collector = parent.collector(self)
        self.readings = 0
        self._first: set[str] = set()
        self._settled = True
        self._texts: set[int] = set()
        self._halves = self._nothing = 0
        self._reading: asyncio.Timeout | None = None
        self._stopped = False

    @property
    def given(self) -> pl.DataFrame:
        """What other resources may know of its records."""
        return self.frames[EXPORTS if self.resource.gives else RAW]

    @property
    def is_read(self) -> bool:
        """Whether there is nothing more to ask, as far as the answers tell."""
        return self.foreseen is not None and self.foreseen <= self.requests

    @property
    def is_foreseen(self) -> bool:
        """Whether the first answers are in and tell how many requests it takes."""
        return self.foreseen is not None and 0 < len(self._first) <= self.requests

    @property
    def planned(self) -> int:
        """Requests known to be needed, those sent included."""
        return max(self.requests, self.foreseen or self.least)

    async def work(self) -> None:
        """Do it all; a `CrmlabError` is kept in `failure` with what came until then."""
        self.began = started = time.monotonic()
        try:
            try:
                # a time limit that `stop` sets: so only the reading is cancelled, and what came is still decoded
                async with asyncio.timeout(0 if self._stopped else None) as self._reading:
                    await self._read()
            except TimeoutError:
                if not self._stopped:
                    raise
                self.failure = self.account.explain(Stopped("stopped before its end"), self.resource.name)
            except Unread as error:
                self.foreseen = None
                self.notes.append(str(error))
            except CrmlabError as error:
                self.failure = self.account.explain(error, self.resource.name)
            finally:
                self._reading = None
                self._release()
            await self._collect()
        finally:
            self._collector.cancel()
        self.seconds = time.monotonic() - started
        self._parent.tell(self, over=True)

    def stop(self) -> None:
        """End the reading where it is; not of what the service gives only once: an answer on its way would be lost."""
        if self.resource.destructive:
            return
        self._stopped = True
        if self._reading:
            self._reading.reschedule(0)

    @property
    def full_name(self) -> str:
        """The name of its own records, as asked for."""
        return f"{self.account.provider.name}.{self.resource.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """What it fills of what was asked for."""
        return (*sorted(self.tables), *([self.full_name] if self.own else []))

    @property
    def source(self) -> str:
        """What tells its rows from those of other resources and accounts."""
        return f"{self.account.name}/{self.full_name}"

    def count_retry(self) -> None:
        self.retries += 1

    def receive(self, page: Page, found: Sequence[Record]) -> None:
        """Take records that came with an answer of another resource: until then some may have been added."""
        self.received = (self.received or 0) + len(found)
        self.tally.count(page, None)
        self._take(found)
        self._parent.tell(self)

    async def decoder(self) -> Decoder:
        """Return the decoder, as soon as there is what it needs to know."""
        names = dict.fromkeys((*self.resource.after, *self.resource.using))
        return decoder(
            self.resource,
            await self._parent.rows(names, strict=False),
            provider=self.account.provider.name,
            account=self.account.name,
            tables=self.tables,
            raw=self.raw,
            exports=self.needed and bool(self.resource.gives),
        )

    # ---- asking -------------------------------------------------------------------------------------

    async def _read(self) -> None:
        """Read the list; read it again where it changed meanwhile, or where records are missing."""
        if holder := await self._parent.comes_with(self):
            self.strategy = f"within {holder}"
            self.tally.keys = await self._collector.flush()
            return
        context = await self._parent.rows(self.resource.after, strict=True)
        self.began = time.monotonic()
        before: Tally | None = None
        while not before or self.readings < READINGS:
            requests = await self._first_requests(context)
            if self._parent.probing and not self._tells_how_many(requests):
                self.foreseen = self.least if self.resource.follow is end else None
                return
            self._parent.tell(self)
            self.readings += 1
            self.tally = Tally()
            self._texts.clear()
            await sweep(requests, self._ask)
            if self.held_by:
                self.held_by.count(self.resource.name, 0)  # where no answer told
                if await self.held_by.brings(self.resource.name):
                    await self._parent.finished(self.held_by.holder)
            self.tally.keys = await self._collector.flush()
            self._settled = self._is_settled(before)
            # what is short in the same way again is counted otherwise than listed: no reading will mend it
            if self._parent.probing or (self._settled and (not self._is_short() or self.tally.repeats(before))):
                return
            before, self.held_by = self.tally, None

    async def _first_requests(self, context: Context) -> Sequence[Request]:
        requests = list(self.resource.requests(context))
        if self.holds and self.resource.embedding:
            inside = await self.holds.several_pages()
            requests = [self.resource.embedding.first(request, inside) for request in requests]
        if not self.readings:
            self.foreseen = self.least = len(requests)
        self._first = {request.key for request in requests}
        return requests

    def _is_short_lookup(self) -> bool:
        """Whether others need it and few requests bring it whole: then a plan reads it as well."""
        return self.needed and self.foreseen is not None and self.foreseen <= PROBES

    def _tells_how_many(self, requests: Sequence[Request]) -> bool:
        return self.resource.total is not None and not self.resource.destructive and len(requests) <= PROBES

    async def _ask(self, request: Request) -> Iterable[Request]:
        """Send a request, take its answer in, and return the requests that follow."""
        try:
            page = await self._parent.answer(self, request)
        except ApiError as error:
            if self.resource.nothing(error, request):
                self._nothing += 1
                return ()
            if not isinstance(error, ServerError) or not (smaller := self._smaller(request)):
                raise
            return smaller
        except TransportError:
            if not (smaller := self._smaller(request)):
                raise
            return smaller
        wanted = self._parent.wanted_of(self)
        found = records(page, self.resource, whole=self.raw, ways=_all(wanted))
        self._halves += page.halves
        if self.resource.repeats and not self._has_news(found):
            return ()
        total = self.resource.total(page) if self.resource.total else None
        self.tally.count(page, total)
        self._take(found)
        if wanted:
            self._give(page, wanted)
        following = await self._following(page, total or 0)
        self._parent.tell(self)
        return () if self._parent.probing and not self._is_short_lookup() else following

    def _smaller(self, request: Request) -> Sequence[Request]:
        """What to ask instead of a request that was too much."""
        return tuple(self.resource.embedding.smaller(request)) if self.resource.embedding else ()

    async def _following(self, page: Page, total: int) -> Sequence[Request]:
        if page.request.key not in self._first:
            return tuple(self.resource.follow(page))
        following, more = tuple(self.resource.follow(page)), self.resource.follow.more(page)
        if self.held_by:
            self.held_by.count(self.resource.name, total)
            if await self.held_by.brings(self.resource.name):
                self.strategy = f"inside {self.held_by.holder}"
                following = ()
        elif self.holds and (embedding := self.resource.embedding):
            inside, size = await self.holds.choose(total)
            following = tuple(embedding.rest(page, inside, size))
            more = max(more or 0, pages(total, size) - embedding.sizes[0] // size)  # the first has the largest size
        if self.readings == 1:
            more = more if following else 0
            self.foreseen = None if more is None or self.foreseen is None else self.foreseen + more
            self.least += len(following) if more is None else more
        return following

    def _has_news(self, found: Sequence[Record]) -> bool:
        """Whether a page brings a record that no earlier one brought; an empty page does not repeat."""
        before = len(self._texts)
        self._texts.update(hash(record.text) for record in found)
        return not found or len(self._texts) > before

    # ---- taking in ----------------------------------------------------------------------------------

    def _take(self, found: Sequence[Record]) -> None:
        self.rows += len(found)
        self._collector.add(found)

    def _give(self, page: Page, wanted: Mapping[ResourceRun, list[Way]]) -> None:
        """Hand on the records of other resources."""
        found = held(page, self.resource, _all(wanted), whole=self.raw)
        for run, ways in wanted.items():
            lists = [items for way in ways if (items := found[way]) is not None]
            if len(lists) == len(ways):
                run.receive(page, as_listed(chain.from_iterable(lists), run.resource, whole=run.raw))

    async def _collect(self) -> None:
        """Decode what is left, join the parts, and say whether it is all there."""
        self.tally.keys = pl.concat([self.tally.keys, await self._collector.flush()])
        self.rejected = self._collector.rejected
        self.misfits, self.misfit_counts = self._collector.misfits, self._collector.misfit_counts
        self.lacking = frozenset(self.full_name if name == RAW else name for name in self._collector.lacking)
        self.frames = self._collector.frames()
        self.heights = {self.full_name if name == RAW else name: frame.height for name, frame in self.frames.items()}
        if not self._parent.probing:
            self.complete = self._judge()

    def _is_settled(self, before: Tally | None) -> bool:
        if not self.tally.is_counted and not (self.resource.repeats and self.tally.pages > 1):
            return True
        return self.tally.is_settled(before, timed=self.resource.entered is not None)

    def _is_short(self) -> bool:
        return self.tally.is_short(self._collector.rejected.height)

    def _judge(self) -> bool:
        """Say whether all came, and take note of why not."""
        if self._collector.unknown:
            self.notes.append(f"fields nobody documented: {', '.join([*self._collector.unknown][:8])}")
        if self._halves:
            self.notes.append(f"{self._halves} characters came cut in half, now \ufffd")
        if self.failure:
            self.notes.append(str(self.failure))
            return False
        if self.strategy != self.resource.follow.strategy:
            self.notes.append(self.strategy)
        if self._nothing:
            self.notes.append(f"{self._nothing} of {self.requests} requests: nothing there")
        if self.readings > (1 if self.tally.is_counted else 2):
            self.notes.append(f"the list changed while it was read; read {self.readings} times")
        if self.misfit_counts:
            self.notes.append(_unread(self.misfit_counts))
        if self.rejected.height:
            self.notes.append(f"{self.rejected.height} records rejected")
        if self._is_short():
            self.notes.append(f"the service counts {self.tally.expected:,}, {self.tally.distinct:,} came")
        return self._settled and not self.rejected.height and not self._is_short()

    def _release(self) -> None:
        """Let nobody wait for what will not be told any more."""
        if self.held_by:
            self.held_by.count(self.resource.name, 0)
        if self.holds:
            self.holds.give_up()


def _unread(counts: Mapping[str, int]) -> str:
    """Say how many values of which fields could not be read."""
    fields = [f"{field} {count:,}" for field, count in [*counts.items()][:8]]
    return f"{sum(counts.values()):,} values could not be read ({', '.join(fields)})"


def _all(wanted: Mapping[ResourceRun, list[Way]]) -> frozenset[Way]:
    return frozenset(way for ways in wanted.values() for way in ways)
