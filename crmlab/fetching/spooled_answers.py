"""The answers of one account, as far as a run before this one kept them; the others are asked for, and kept."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from crmlab.accounts import Account
from crmlab.connector import Page, Request, Resource
from crmlab.decoding import records
from crmlab.errors import ApiError, CrmlabError, Stopped, TransportError
from crmlab.fetching.answer_file import AnswerFile
from crmlab.fetching.answer_places import Place
from crmlab.fetching.answer_secrets import without_secrets
from crmlab.fetching.answer_spool import AnswerSpool
from crmlab.fetching.continuation import Continuation
from crmlab.fetching.intake import Accept
from crmlab.fetching.reader import ListMoved
from crmlab.fetching.replayed_answers import ReplayedAnswers
from crmlab.fetching.resource_result import ResourceResult

#: sends a request, of whatever is not kept
Ask = Callable[[ResourceResult, Request, Accept], Awaitable[Page]]


#: what a kept answer says where it is a page of a file, and what the last one says
FILE_PAGE = "page_of_file"
LAST = "last"


class Unwritten(Exception):
    """An answer could not be kept, for this `reason`: so none of this fetch can be."""

    def __init__(self, reason: CrmlabError) -> None:
        super().__init__()
        self.reason = reason


@dataclass(slots=True)
class _Taken:
    """What was taken of an earlier run for one resource."""

    answers: int = 0
    since: dt.datetime | None = None
    #: whether the list was another one by now, so that none of it was taken
    has_moved: bool = False
    #: by how often the list was read until then
    continuations: dict[int, Continuation] = field(
        default_factory=lambda: defaultdict(Continuation)
    )

    def count(self, asked_at: dt.datetime) -> None:
        self.answers += 1
        self.since = min(self.since or asked_at, asked_at)


class SpooledAnswers:
    """Gives answers that are kept, and keeps those that are asked for.

    Parameters
    ----------
    spool
        The folder.
    account
        Whose answers they are.
    ask
        Sends for what is not there.
    """

    def __init__(self, spool: AnswerSpool | ReplayedAnswers, account: Account, ask: Ask) -> None:
        self._spool = spool
        self._account = account
        self._ask = ask
        self._taken: dict[ResourceResult, _Taken] = defaultdict(_Taken)

    async def answer(self, result: ResourceResult, request: Request, accept: Accept) -> Page:
        """Return the answer to a request: the one that is kept, else a new one, which is kept.

        Raises
        ------
        ListMoved
            The list was changed since the answers that are kept: it has to be read from its beginning.
        Unwritten
            The answer could not be kept.
        CrmlabError
            There is none.
        """
        resource = result.task.resource
        answer_place = self._spool.place(self._account, resource, request)
        # what is given once is handed out by a spool of its own, which knows what was read
        if self._spool.is_replay or not resource.destructive:
            kept_answer = await asyncio.to_thread(answer_place.read)
            if kept_answer:
                page = self._page_of(kept_answer, result, request, accept, answer_place)
                if page:
                    return page
        if self._spool.is_replay:
            raise await self._reason_of_absence(answer_place)

        continuation = self._taken[result].continuations[answer_place.time]
        await self._check_list(continuation, result, request, accept)
        try:
            return await self._new(result, request, accept, answer_place)
        except ApiError as error:
            if continuation.is_refused(request, error):
                self._move(result)
            raise

    async def _reason_of_absence(self, place: Place) -> CrmlabError:
        """Return why an answer is not there, of which nothing can be asked."""
        if place.path.exists():
            return Stopped(
                f"the answer in {place.path} cannot be read: it is damaged, or of another version"
            )
        list_error = await asyncio.to_thread(place.error_of_list)
        if list_error:  # who asked side by side waited for this answer no longer
            return list_error
        return Stopped(
            f"the answer is not in {self._spool.directory}: the fetch ended before it came"
        )

    @property
    def is_replay(self) -> bool:
        """Whether nothing may be asked for."""
        return self._spool.is_replay

    async def file_pages(self, result: ResourceResult, request: Request) -> AsyncGenerator[Page]:
        """Yield what was kept of the pages of a file.

        Raises
        ------
        Stopped
            They are not all there: the fetch ended before.
        """
        is_end = False
        while not is_end:
            # one after the other at the same address
            answer_place = self._spool.place(self._account, result.task.resource, request)
            kept_answer = await asyncio.to_thread(answer_place.read)
            if not kept_answer:
                spool_folder = self._spool.directory
                raise Stopped(
                    f"the file at {request.path} is not whole in {spool_folder}: the fetch ended before it was read"
                )
            if kept_answer.error:
                raise kept_answer.error
            is_end = kept_answer.about[FILE_PAGE] == LAST
            yield kept_answer.page(request)

    async def keep_file_page(self, result: ResourceResult, page: Page, *, is_last: bool) -> None:
        """Keep a page of a file, without secrets as answers are kept."""
        resource = result.task.resource
        answer_place = self._spool.place(self._account, resource, page.request)
        kept_answer = await asyncio.to_thread(without_secrets, self._account, resource, page, page)
        if kept_answer:
            marked_about = {**kept_answer.about, FILE_PAGE: LAST if is_last else "more"}
            await self._keep(answer_place, AnswerFile(about=marked_about, body=kept_answer.body))

    def tell(self, result: ResourceResult) -> None:
        """Say in the notes of a result what was taken of an earlier run, and what was not."""
        if self._spool.is_replay:
            return
        if self._spool.note:
            result.notes.append(self._spool.note)
        taken_before = self._taken.get(result)
        if not taken_before:
            return
        if taken_before.has_moved:
            result.notes.append(
                f"the list was changed since {self._spool.directory} has answers of it: all asked again"
            )
        elif taken_before.since:
            answers = "answer" if taken_before.answers == 1 else "answers"
            since = f"{taken_before.since:%Y-%m-%d %H:%M} UTC"
            result.notes.append(
                f"resumed from {self._spool.directory}: {taken_before.answers:,} {answers} of {since}"
            )

    # ---- what is kept -------------------------------------------------------------------------------

    def _page_of(
        self,
        kept: AnswerFile,
        result: ResourceResult,
        request: Request,
        accept: Accept,
        place: Place,
    ) -> Page | None:
        """Return what is kept as an answer; None where it has to be asked again."""
        resource = result.task.resource
        kept_error = kept.error
        if kept_error:
            is_answer = isinstance(kept_error, ApiError) and resource.is_empty_answer(
                kept_error, request
            )
            if not is_answer and not self._spool.is_replay:
                return None
            self._count(kept, result)
            raise kept_error
        try:
            kept_page = accept(kept.page(request))
        except TransportError:
            if self._spool.is_replay:
                raise
            return None
        self._count(kept, result)
        if not self._spool.is_replay:
            self._taken[result].continuations[place.time].took(kept_page, resource)
        return kept_page

    def _count(self, kept: AnswerFile, result: ResourceResult) -> None:
        result.requests.sent += 1
        self._taken[result].count(kept.asked_at)

    # ---- whether the list is still the same ---------------------------------------------------------

    async def _check_list(
        self, continuation: Continuation, result: ResourceResult, request: Request, accept: Accept
    ) -> None:
        """Before a list is gone on with, ask again for a page of it that is kept; raise where it is another one."""
        async with continuation.checking:
            page_before = continuation.to_check(request, result.task.resource)
            if not page_before:
                return
            is_same = False
            # one that is refused now is another one as well
            with suppress(ApiError):
                page_now, kept_answer = await self._answered(result, page_before.request, accept)
                if kept_answer:  # without its secrets, as the other one is kept
                    page_now = accept(kept_answer.page(page_before.request))
                resource = result.task.resource
                is_same = _texts(page_now, resource) == _texts(page_before, resource)
            if not is_same:
                self._move(result)

    def _move(self, result: ResourceResult) -> NoReturn:
        taken_before = self._taken[result]
        assert isinstance(self._spool, AnswerSpool)
        taken_before.has_moved = True
        taken_before.continuations.clear()
        self._spool.forget(self._account, result.task.resource)
        raise ListMoved

    # ---- what is new --------------------------------------------------------------------------------

    async def _new(
        self, result: ResourceResult, request: Request, accept: Accept, place: Place
    ) -> Page:
        try:
            new_page, kept_answer = await self._answered(result, request, accept)
        except CrmlabError as error:
            await self._keep(place, AnswerFile.of_error(request, error))
            raise
        if kept_answer:
            await self._keep(place, kept_answer)
        return new_page

    async def _answered(
        self, result: ResourceResult, request: Request, accept: Accept
    ) -> tuple[Page, AnswerFile | None]:
        """Return a new answer, and what may be kept of it."""
        as_it_came: Page | None = None

        def accept_and_note(accepted_page: Page) -> Page:
            nonlocal as_it_came
            accepted = accept(accepted_page)
            as_it_came = accepted_page
            return accepted

        accepted_page = await self._ask(result, request, accept_and_note)
        kept_answer = await asyncio.to_thread(
            without_secrets,
            self._account,
            result.task.resource,
            accepted_page,
            as_it_came or accepted_page,  # a plan accepted it before
        )
        return accepted_page, kept_answer

    async def _keep(self, place: Place, answer: AnswerFile) -> None:
        assert isinstance(self._spool, AnswerSpool)
        try:
            await asyncio.to_thread(self._spool.keep, place, answer)
        except CrmlabError as error:
            raise Unwritten(error) from None


def _texts(page: Page, resource: Resource) -> list[bytes]:
    """Return the records of a page."""
    return [record.text for record in records(page, resource, whole=False, ways=frozenset())]
