"""One list read to its end: ask, follow, and read again where it changed meanwhile."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

import polars as pl

from crmlab.connector import Context, Page, Request, Resource, pages
from crmlab.decoding import Record
from crmlab.errors import ApiError, NotFoundError, PagingError, ServerError, TransportError
from crmlab.fetching.completeness import Completeness
from crmlab.fetching.crawl import Visit, crawl
from crmlab.fetching.embedding import EmbeddingNegotiation
from crmlab.fetching.ending import Ending
from crmlab.fetching.resource_result import RequestCount
from crmlab.fetching.stall import BarrenTime

#: times a list is read before one that keeps changing is called incomplete
MAX_READINGS = 3

#: statuses of refusals that may mean the size of the page
_MAY_BE_THE_SIZE = (400, 413, 422, 450)

#: returns the answer to a request
Ask = Callable[[Request], Awaitable[Page]]
#: yields the pages that the file is cut into which is the answer to a request
AskFile = Callable[[Request], AsyncGenerator[Page]]


class ListMoved(Exception):
    """The list is another one than when an earlier run read a part of it: it is read from its beginning."""


class Intake(Protocol):
    """Where a reader hands its pages on to."""

    @property
    def rejected(self) -> int:
        """How many records could not be read until the last `flush`."""
        ...

    def cut(self, page: Page) -> Sequence[Record]:
        """Return the records of a page."""
        ...

    def take(self, page: Page, found: Sequence[Record]) -> None:
        """Take the records of a page in, and hand on those that it holds of other resources."""
        ...

    async def flush(self) -> pl.DataFrame:
        """Decode what was taken in; return the keys of what came since the last time."""
        ...


class ListReader:
    """Reads the list of one resource.

    Parameters
    ----------
    ask
        gives the answers: the service, or a dictionary in a test
    intake
        takes the pages
    requests
        is told how many requests the first answers make us expect
    ask_file
        gives the answers that are files; none where no request asks for one
    tell
        called when there is news of how far it is
    embeds, embedded_in
        the negotiation with the lists that this one can embed, and with the one that can embed it
    stall
        seconds without a new record, waits for the limit apart, after which the list is given up
    enough
        records after which the list is left as it is; None: all of it is read
    """

    def __init__(
        self,
        resource: Resource,
        ask: Ask,
        intake: Intake,
        requests: RequestCount,
        *,
        ask_file: AskFile | None = None,
        tell: Callable[[], None] = lambda: None,
        embeds: EmbeddingNegotiation | None = None,
        embedded_in: EmbeddingNegotiation | None = None,
        stall: float | None = None,
        enough: int | None = None,
    ) -> None:
        self.completeness = Completeness()
        self.ending = Ending(resource)
        self.readings = 0
        #: whether the last reading can be trusted: nothing came into its middle while it was read
        self.is_settled = True
        #: how the requests follow each other, in words
        self.strategy = resource.follow.strategy
        #: answers that said that there is nothing
        self.empty_answers = 0
        #: whether a record came in this reading
        self._has_records = False
        self._nothing_there: ApiError | None = None
        self._resource = resource
        self._ask = ask
        self._ask_file = ask_file
        self._intake = intake
        self._requests = requests
        self._tell = tell
        self._embeds = embeds
        self._embedded_in = embedded_in
        self._stall = stall
        self._enough = enough
        #: whether it was left before its end, since what came was enough
        self.is_cut = False
        self._barren_time = BarrenTime()
        self._first_keys: set[str] = set()
        #: whether there is a page before page 1; None as long as nobody looked
        self._has_page_zero: bool | None = None
        #: whether fewer records came with the last reading of its own list than the service counts
        self._was_short = False
        #: first requests that a refused one was replaced by: smaller pages may be allowed
        self._smaller: dict[str, Iterator[Request]] = {}
        #: records that first answers count of their lists, where nobody documents that count
        self._mentioned = 0
        #: records that came in this reading, repeats included
        self._came = 0
        #: hashes of the records of this reading, where a page may repeat
        self._seen_texts: set[int] = set()

    @property
    def is_short(self) -> bool:
        """Whether fewer records came than the service counts."""
        return self.completeness.is_short(self._intake.rejected)

    async def read(self, context: Context) -> None:
        """Read the list; read it again where it changed meanwhile, or where records are missing."""
        before: Completeness | None = None
        while self.readings < MAX_READINGS:
            requests = await self.first_requests(context)
            self._tell()
            self.readings += 1
            self.completeness = Completeness()
            self.ending = Ending(self._resource)
            self.empty_answers = 0
            self._mentioned = 0
            self._came = 0
            self._seen_texts.clear()
            self._has_records = False
            if not requests and self._resource.nothing_to_ask:
                self.ending.doubts.setdefault(self._resource.nothing_to_ask)
            try:
                await self.follow_all(requests, self._visit_and_tell)
            except ListMoved:  # since an earlier run read its first pages
                await self._intake.flush()
                self._embedded_in = None
                continue
            if self.is_cut:
                self.completeness.seen_keys = await self._intake.flush()
                return
            if not self._has_records and self._resource.never_empty:
                self.ending.doubts.setdefault(self._resource.never_empty)
            await self._wait_for_embedded()
            self.completeness.seen_keys = await self._intake.flush()
            self._compare_with_mentioned()
            self.is_settled = self._has_settled(before)
            # what is short in the same way again is counted otherwise than listed: no reading will mend it
            if self.is_settled and (not self.is_short or self.completeness.repeats(before)):
                return
            before = self.completeness
            self._was_short = self.is_short and not self._embedded_in
            self._embedded_in = None  # from now on its own list brings its records

    async def follow_all(self, requests: Sequence[Request], visit: Visit) -> None:
        """Visit these requests and all that follow, and ask again what was refused in between.

        Raises
        ------
        CrmlabError
            the first error, or a refusal that is neither the end of the list nor "nothing there"
        """
        visited_keys: set[str] = set()
        waiting: Sequence[Request] = requests
        while waiting:
            # those that were refused are asked again
            visited_keys.difference_update(request.key for request in waiting)
            await crawl(waiting, visit, visited_keys)
            waiting = self.ending.to_ask()
        self.ending.settle()
        if self._nothing_there and self._resource.never_all_empty:
            self._check_that_not_all_is_empty(self._nothing_there, len(requests))

    def _check_that_not_all_is_empty(self, error: ApiError, asked: int) -> None:
        """Raise the error by which one was told that there is nothing, where all requests were answered so."""
        if self.empty_answers == asked:
            error.hint = (
                f"all of {self.empty_answers} requests were answered so: "
                "the path may be another one"
            )
            raise error

    async def first_requests(self, context: Context) -> Sequence[Request]:
        """Return the requests that wait for no answer of this list."""
        requests = list(self._resource.requests(context))
        if self._embeds and self._resource.embedding:
            counts = await self._embeds.several_pages()
            requests = [self._resource.embedding.first(request, counts) for request in requests]
        if self.readings == 0:
            self._requests.begin(len(requests))
        self._first_keys = {request.key for request in requests}
        return requests

    async def visit(self, request: Request) -> Iterable[Request]:
        """Send a request, hand its answer on, and return the requests that follow."""
        if request.is_file:
            await self._take_file(request)
            return ()
        try:
            page = await self._ask(request)
        except (ApiError, TransportError) as error:
            return self._instead_of(request, error)
        page_records = self._intake.cut(page)
        self._has_records = self._has_records or bool(page_records)
        self._note_what_is_said(page)
        self._watch_for_stall(page, is_new=self.ending.answered(page, page_records))
        if self._resource.may_repeat_last_page and not self._has_news(page_records):
            return ()
        list_total = None
        if self._resource.total:
            list_total = self._resource.total(page)
        self.completeness.count(page, list_total)
        self._came += len(page_records)
        self._intake.take(page, page_records)
        if request.key in self._first_keys:
            self._mentioned += self._resource.mentioned(page) or 0
            await self._read_page_zero(request, page_records)
            following = await self._follow_first(page, page_records, list_total)
        else:
            named_requests = self._resource.follow(page)
            following = self.ending.follow(page, page_records, named_requests, total=list_total)
        return self._until_enough(following, page_records)

    def _until_enough(
        self, following: Iterable[Request], found: Sequence[Record]
    ) -> Sequence[Request]:
        """Return as many of these requests as bring enough records, if each answer holds as many as the last."""
        requests = tuple(following)
        if self._enough is None:
            return requests
        if self.is_cut:  # pages that are on their way would name the last ones again
            return ()
        missing = max(0, self._enough - self._came)
        needed = -(-missing // max(1, len(found)))
        self.is_cut = needed < len(requests)
        return requests[:needed]

    async def _take_file(self, request: Request) -> None:
        """Hand on what a file holds, page by page."""
        assert self._ask_file is not None
        async with aclosing(self._ask_file(request)) as answers:
            async for page in answers:
                page_records = self._intake.cut(page)
                self._has_records = self._has_records or bool(page_records)
                self._note_what_is_said(page)
                self.completeness.count(page, None)
                self._intake.take(page, page_records)
                self._tell()

    def _note_what_is_said(self, page: Page) -> None:
        """Take note of what a page says of its records: what they lack, and what else there is to say."""
        if page.has_no_content:  # a gateway may say so, and no service documents it of a list
            self.ending.doubts.setdefault(
                f"HTTP {page.status} without content, where a list is documented"
            )
        for doubt in (self._resource.lacking(page), *page.doubts):
            if doubt:
                self.ending.doubts.setdefault(doubt)
        for remark in (self._resource.remark(page), *page.remarks):
            if remark:
                self.ending.remarks.setdefault(remark)

    def end(self) -> None:
        """Let nobody wait for what will not be told any more."""
        if self._embedded_in:
            self._embedded_in.count(self._resource.name, 0)
        if self._embeds:
            self._embeds.end()

    def _compare_with_mentioned(self) -> None:
        """Say that fewer records came than answers count, where nobody documents what they count."""
        if self._came < self._mentioned:
            self.ending.doubts.setdefault(f"answers count {self._mentioned:,}, {self._came:,} came")

    async def _visit_and_tell(self, request: Request) -> Iterable[Request]:
        following = await self.visit(request)
        self._tell()
        return following

    def _instead_of(self, request: Request, error: ApiError | TransportError) -> Sequence[Request]:
        """Return what to ask after an error: nothing where it means an empty list, less where it was too much."""
        refusal = _refusal(error)
        may_be_too_much = isinstance(error, (ServerError, TransportError))
        if self.ending.is_check(request) and (refusal or may_be_too_much):
            self.ending.unproven()
            return ()
        if request.key in self._first_keys:
            if refusal:
                smaller_page = self._smaller_page(request, refusal)
                if smaller_page:
                    return [smaller_page]
            if isinstance(error, ApiError) and self._resource.is_empty_answer(error, request):
                self.empty_answers += 1
                self._nothing_there = error
                return ()
        elif refusal:
            self.ending.refused(request, refusal)
            return ()
        if not may_be_too_much or not self._resource.embedding:
            raise error
        smaller = tuple(self._resource.embedding.smaller(request))
        if not smaller:
            raise error
        return smaller

    async def _read_page_zero(self, request: Request, found: Sequence[Record]) -> None:
        """Read the page before page 1, where the list begins with another record than page 1 does."""
        if self._has_page_zero is None:
            beginning = self._beginning(request)
            if beginning is None:
                return
            answer = await self._optional(beginning)
            self._has_page_zero = answer is not None and _begins_otherwise(answer[1], found)
        if not self._has_page_zero:
            return
        answer = await self._optional(request.with_params(**{self._resource.follow.param: 0}))
        if answer is None:
            return
        page, records = answer
        if self._has_news(records):
            self.completeness.count(page, None)
            self._intake.take(page, records)
            self.ending.remarks.setdefault("its first page is number 0")

    def _beginning(self, request: Request) -> Request | None:
        """Return what the list begins with, whatever the number of its first page; None where nobody needs to know."""
        if self._resource.plain_request or not self._was_short:
            return self._resource.plain_request
        number_param = self._resource.follow.param
        if not number_param:
            return None
        return request.with_params(**{number_param: 0})

    async def _optional(self, request: Request) -> tuple[Page, Sequence[Record]] | None:
        """Return the answer to a request that need not be answered, with its records."""
        try:
            page = await self._ask(replace(request, only_once=True))
        except (ApiError, TransportError):
            return None
        return page, self._intake.cut(page)

    def _smaller_page(self, request: Request, error: ApiError) -> Request | None:
        """Return a first request for a smaller page, where the size may be what was refused; None at last."""
        page_size = self._resource.page_size
        if page_size is None or self._resource.destructive or error.status not in _MAY_BE_THE_SIZE:
            return None
        smaller_requests = self._smaller.pop(request.key, None)
        if smaller_requests is None:
            smaller = [*page_size.smaller(request)]
            if self._resource.is_empty_answer(error, request):
                # most likely nothing is there: one more request makes sure
                smaller = smaller[-1:]
            smaller_requests = iter(smaller)
        next_request = next(smaller_requests, None)
        if next_request:
            self._smaller[next_request.key] = smaller_requests
            self._first_keys.add(next_request.key)
        return next_request

    async def _follow_first(
        self, page: Page, found: Sequence[Record], counted: int | None
    ) -> Sequence[Request]:
        """Return what follows a first answer, which tells how many requests there will be."""
        list_total = counted or 0
        following = tuple(self._resource.follow(page))
        in_all = self._resource.follow.more(page)
        if self._embedded_in:
            self._embedded_in.count(self._resource.name, list_total)
            if await self._embedded_in.brings(self._resource.name):
                self.strategy = f"inside {self._embedded_in.holder}"
                self._requests.follow(0, 0)
                return ()
        elif self._embeds and self._resource.embedding:
            page_sizes = self._resource.embedding.sizes
            embedded, page_size = await self._embeds.choose(list_total)
            following = tuple(self._resource.embedding.rest(page, embedded, page_size))
            # the first answer has a page of the largest size
            in_all = max(in_all or 0, pages(list_total, page_size) - page_sizes[0] // page_size)
        following = tuple(self.ending.follow(page, found, following, total=counted))
        if self.readings <= 1:
            self._requests.follow(len(following), in_all if following else 0)
        return following

    async def _wait_for_embedded(self) -> None:
        """Wait until the list that embeds this one has brought its records, if it does."""
        if not self._embedded_in:
            return
        self._embedded_in.count(self._resource.name, 0)  # where no answer told
        if await self._embedded_in.brings(self._resource.name):
            await self._embedded_in.over()

    def _watch_for_stall(self, page: Page, *, is_new: bool) -> None:
        """Raise a `PagingError` where answers have taken too long without a new record: not in a limit's queue."""
        self._barren_time.answered(time.monotonic(), page.seconds, is_new=is_new)
        seconds = self._barren_time.seconds
        if self._stall is not None and seconds > self._stall:
            raise PagingError(
                f"{page.request.path} brought no new record in {seconds:,.0f} seconds, "
                "which is more than stall of crmlab.Timeouts"
            )

    def _has_news(self, found: Sequence[Record]) -> bool:
        """Whether a page brings a record that no earlier one brought; an empty page does not repeat."""
        seen_before = len(self._seen_texts)
        self._seen_texts.update(record.fingerprint for record in found)
        return not found or len(self._seen_texts) > seen_before

    def _has_settled(self, before: Completeness | None) -> bool:
        may_have_slid = self._resource.may_repeat_last_page and self.completeness.pages > 1
        if not self.completeness.is_counted and not may_have_slid:
            return True
        return self.completeness.is_settled(before, timed=self._resource.inserted_at is not None)


def _begins_otherwise(found: Sequence[Record], others: Sequence[Record]) -> bool:
    """Whether the first of these records is there, and is another one than the first of those."""
    if not found or not found[0].size:
        return False
    return not others or found[0].fingerprint != others[0].fingerprint


def _refusal(error: ApiError | TransportError) -> ApiError | None:
    """Return the error where this very request is refused; None where it is the key, the pace or a redirect."""
    if not isinstance(error, ApiError) or type(error) not in (ApiError, NotFoundError):
        return None
    if error.status < 400:
        return None
    return error
