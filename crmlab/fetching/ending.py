"""Whether one reading of a list came to its end: what its pages tell for it and against it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from crmlab.connector import Page, Request, Resource, may_be_full
from crmlab.decoding import Record
from crmlab.display import plural
from crmlab.errors import ApiError, PagingError
from crmlab.fetching.known_records import KnownRecords, signature
from crmlab.fetching.numbered_list import NumberedList
from crmlab.fetching.numbered_pages import NumberedPages

#: pages that hold hardly anything, before a list is said to have no end, and records on each of them on average
_MAX_THIN_PAGES = 1_000
_THIN = 10
#: refused pages in a row that are taken for the end of a list whose last page was not full
_ENOUGH_REFUSED = 2


class _Trail(msgspec.Struct, frozen=True):
    """The way to a page: how many pages led to it, how many of the last ones brought nothing new, what they held.

    `is_check`: it began where a list had come to its end without a proof.
    """

    depth: int = 0
    barren: int = 0
    seen: set[int] = msgspec.field(default_factory=set)
    is_check: bool = False


class Ending:
    """What one reading of a list tells of its end.

    `doubts` say why there may be more than came, `remarks` what the end rests on where nothing speaks against it.
    """

    def __init__(self, resource: Resource) -> None:
        self.doubts: dict[str, None] = {}
        self.remarks: dict[str, None] = {}
        self._resource = resource
        self._paging = resource.follow
        self._asked: set[str] = set()
        self._trails: dict[str, _Trail] = {}
        #: by path and tags
        self._lists: dict[tuple[str, str], NumberedList] = {}
        #: of the page of each request
        self._signatures: dict[str, int] = {}
        self._seen: set[int] = set()
        #: records of the largest page
        self._largest = 0
        #: pages that named another one, and what was on them
        self._follow_pages = 0
        self._follow_records = 0
        self._records = KnownRecords()
        #: first answers without a list, which is taken for an empty one
        self._without_list = 0
        #: keys of requests that asked in another way and brought nothing new
        self._repeating: set[str] = set()
        #: whether more came after a page that named no other one, and whether one could not be asked about
        self._has_found_more = False
        self._is_unproven = False
        #: the same of pages that are only full if the service makes them smaller than asked
        self._may_be_unproven = False
        self._refused: dict[str, tuple[Request, ApiError]] = {}
        self._asked_again: set[str] = set()

    # ---- while it is read -------------------------------------------------------------------------

    def answered(self, page: Page, found: Sequence[Record]) -> bool:
        """Take note of an answer before it is followed; return whether it brings something new."""
        request = page.request
        self._asked.add(request.key)
        self._refused.pop(request.key, None)
        page_signature = self._signatures[request.key] = signature(found)
        is_new = bool(found) and page_signature not in self._seen
        self._seen.add(page_signature)
        self._largest = max(self._largest, len(found))
        number = self._number(request)
        if page.lacks_list and request.key not in self._trails and number in (None, 0, 1):
            self._without_list += 1
        if number is not None:
            numbered_list = self._list(request)
            numbered_list.answered(number, page, height=len(found), signature=page_signature)
        if self._paging.is_chain(page):
            self._note_records(request, found)
        return is_new

    def _note_records(self, request: Request, found: Sequence[Record]) -> None:
        is_on_check = self._is_on_check(request)
        brings_news = self._records.add(found, compare=is_on_check)
        if not brings_news:
            self._repeating.add(request.key)
        elif is_on_check:
            self._has_found_more = True

    def _is_on_check(self, request: Request) -> bool:
        trail = self._trails.get(request.key)
        return trail is not None and trail.is_check

    def is_check(self, request: Request) -> bool:
        """Whether a request only looks whether there is more; not any longer, where more was found."""
        return self._is_on_check(request) and not self._has_found_more

    def unproven(self) -> None:
        """Take note of a page that may not be the last one of its list, and of nothing that could tell."""
        self._is_unproven = True

    def refused(self, request: Request, error: ApiError) -> None:
        """Take note of a page after the first that is refused: whether it is past the end, the others tell."""
        self._asked.add(request.key)
        self._refused[request.key] = (request, error)

    def follow(
        self,
        page: Page,
        found: Sequence[Record],
        following: Iterable[Request],
        *,
        total: int | None,
    ) -> Sequence[Request]:
        """Return the requests that really follow an answer, of those that its paginator names.

        Raises
        ------
        PagingError
            the list goes on for ever
        """
        named_requests = list(following)
        new_requests = self._not_asked(named_requests)
        is_chain = self._paging.is_chain(page)
        if is_chain and len(new_requests) < len(named_requests):
            self.doubts.setdefault("a cursor leads back to an earlier page")
        if not new_requests:
            new_requests = self._one_more(page, found, total)
        if is_chain and self._comes_again(page.request, found):
            self.doubts.setdefault(
                "a page came again under another cursor: what should stand in its place is missing"
            )
        trail = self._next_trail(page.request, found)
        if is_chain and not named_requests and self._is_full(page, found, else_usual=True):
            new_requests = self._checks(page)
            is_stuck = trail.is_check and page.request.key in self._repeating
            trail = replace(trail, is_check=True)
            if (not new_requests or is_stuck) and total is None:
                self._may_be_unproven = True
                # the only page of a list may be full though smaller than asked; those after it are compared with it
                self._is_unproven |= self._is_full(page, found, else_usual=trail.depth == 1)
        if not new_requests:
            return ()
        if not is_chain and not self._paging.param:
            return new_requests
        if trail.barren >= self._paging.max_barren:
            self._note_barren_end(trail, found)
            return ()
        self._check_that_it_ends(page, found, trail, total)
        if len(new_requests) > 1:
            # each of several ways is new: what one brings says nothing of another
            for request in new_requests:
                self._trails[request.key] = replace(trail, barren=0, seen=set())
        else:
            self._trails[new_requests[0].key] = trail
        return new_requests

    def _note_barren_end(self, trail: _Trail, found: Sequence[Record]) -> None:
        """Say why pages that bring nothing new are followed no further."""
        if found or not self._paging.empty_is_end:
            self.doubts.setdefault(
                f"{trail.barren} pages in a row brought no new record, and name yet another one"
            )
        else:
            self.remarks.setdefault(
                f"its end is {trail.barren} empty pages, the last of which names another one"
            )

    def _check_that_it_ends(
        self, page: Page, found: Sequence[Record], trail: _Trail, total: int | None
    ) -> None:
        """Raise a `PagingError` where a list goes on for ever, be it with hardly anything on its pages."""
        self._follow_pages += 1
        self._follow_records += len(found)
        has_many_pages = self._follow_pages >= _MAX_THIN_PAGES
        is_thin = has_many_pages and self._follow_records < _THIN * self._follow_pages
        if trail.depth >= self._paging.max_pages or (is_thin and total is None):
            raise PagingError(
                f"{page.request.path} does not end: {self._follow_pages:,} pages name yet another one"
            )

    def _next_trail(self, request: Request, found: Sequence[Record]) -> _Trail:
        trail = self._trails.pop(request.key, None) or _Trail()
        page_signature = self._signatures[request.key]
        is_new = bool(found) and page_signature not in trail.seen
        trail.seen.add(page_signature)
        barren = 0 if is_new else trail.barren + 1
        return replace(trail, depth=trail.depth + 1, barren=barren)

    def _comes_again(self, request: Request, found: Sequence[Record]) -> bool:
        """Whether a page holds what an earlier one on its way held.

        Not one that is asked for by its time, or that the service does not tell of.
        """
        trail = self._trails.get(request.key)
        if not found or trail is None or trail.is_check:
            return False
        return self._signatures[request.key] in trail.seen and not self._is_one_more(request)

    def _is_one_more(self, request: Request) -> bool:
        """Whether a page was asked for that the service does not tell of: it may be the last one once more."""
        if self._number(request) is None:
            return False
        return request.key in self._list(request).one_more_keys

    def _checks(self, page: Page) -> list[Request]:
        """Return what asks otherwise than by the cursor whether there is more."""
        return self._not_asked(self._paging.further(page))

    def _one_more(self, page: Page, found: Sequence[Record], total: int | None) -> list[Request]:
        number = self._number(page.request)
        if number is None:
            return []
        is_full = self._is_full(page, found)
        following = self._list(page.request).one_more(number, page, total=total, is_full=is_full)
        return self._not_asked(following)

    # ---- refused pages ----------------------------------------------------------------------------

    def to_ask(self) -> list[Request]:
        """Return what is to be asked when all answers are in: refused pages again, or some pages more; each once."""
        if not self._refused:
            beyond: list[Request] = []
            for numbered_list in self._lists.values():
                beyond += numbered_list.beyond()
            return self._not_asked(beyond)
        onward = self._onward()
        if self._may_be_past_the_end():
            return onward
        asked_again: list[Request] = []
        for key, (request, _) in self._refused.items():
            if key not in self._asked_again:
                self._asked_again.add(key)
                asked_again.append(request)
        return [*asked_again, *onward]

    def _not_asked(self, requests: Iterable[Request]) -> list[Request]:
        return [request for request in requests if request.key not in self._asked]

    def _onward(self) -> list[Request]:
        """Return the pages after a single refused one: what they hold tells whether it is past the end."""
        if not self._tells_no_end or len(self._refused) >= _ENOUGH_REFUSED:
            return []
        [(refused, _)] = self._refused.values()
        return self._not_asked(self._paging.onward(refused))

    def settle(self) -> None:
        """Say what the pages mean that stay refused.

        Raises
        ------
        ApiError
            one of them is no end: the list holds more
        """
        self._settle_chain()
        if self._without_list:
            self.remarks.setdefault(
                f"{plural(self._without_list, 'answer')} without a list, which is taken for an empty one"
            )
        for numbered_list in self._lists.values():
            numbered_list.settle(self.doubts, self.remarks)
        for request_key, (request, refusal) in [*self._refused.items()]:
            if self._is_one_more(request):
                self._list(request).settle_refused(request, refusal, self.doubts, self.remarks)
                del self._refused[request_key]
        if self._refused:
            self._settle_refused()

    def _settle_refused(self) -> None:
        request, refusal = next(iter(self._refused.values()))
        if self._may_be_past_the_end():
            self.remarks.setdefault(
                f"its end is told by HTTP {refusal.status} for the pages after the last one"
            )
        elif self._tells_no_end and self._is_after_the_last():
            last_number = self._list(request).pages.last
            self.doubts.setdefault(
                f"page {last_number} is full or others after it are empty, "
                f"and further pages are refused ({refusal.what}): there may be more"
            )
        else:
            refusal.hint = (
                refusal.hint
                or "a page in the middle of the list was refused twice: what it holds is missing"
            )
            raise refusal

    def _settle_chain(self) -> None:
        what_was_found = "a full page named no next one, though more records followed"
        if self._has_found_more and (self._is_unproven or self._may_be_unproven):
            self.doubts.setdefault(
                f"{what_was_found}; of another such page nothing can tell whether there are still more"
            )
        elif self._has_found_more:
            self.remarks.setdefault(
                f"{what_was_found}: they were asked for by their time or number"
            )
        elif self._is_unproven:
            self.remarks.setdefault(
                "a last page is full: that the list ends there rests on the missing cursor alone"
            )

    @property
    def _tells_no_end(self) -> bool:
        return self._resource.may_repeat_last_page and bool(self._paging.param)

    def _may_be_past_the_end(self) -> bool:
        """Whether refusals are how this list ends: all come after a page that is not full, and no page is empty."""
        if not self._tells_no_end or not self._is_after_the_last():
            return False
        other_pages = self._refused_pages
        if other_pages.highest > other_pages.last:  # an empty page is how others end
            return False
        return not other_pages.last or not other_pages.is_as_full_as_asked(other_pages.last)

    def _is_after_the_last(self) -> bool:
        refused = [self._number(request) or 0 for request, _ in self._refused.values()]
        return min(refused) > self._refused_pages.last

    @property
    def _refused_pages(self) -> NumberedPages:
        """The other pages of the list of which some are refused: where such a list tells no end, there is only one."""
        request, _ = next(iter(self._refused.values()))
        return self._list(request).pages

    # ---- of one page ------------------------------------------------------------------------------

    def _number(self, request: Request) -> int | None:
        """Return the number of the page that is asked for; None where pages have none, or it is a part of a list."""
        if not self._paging.param or request.partial:
            return None
        number = request.params.get(self._paging.param, "1")
        if not number.isdecimal():
            return None
        return int(number)

    def _list(self, request: Request) -> NumberedList:
        list_key = (request.path, str(sorted(request.tags.items())))
        return self._lists.setdefault(list_key, NumberedList(self._resource))

    def _asked_size(self, request: Request) -> int | None:
        page_size = self._resource.page_size
        if page_size is None:
            return None
        return page_size.of(request)

    def _is_full(self, page: Page, found: Sequence[Record], *, else_usual: bool = False) -> bool:
        """Whether a page holds as many records as asked for; `else_usual`: or as services choose to put on a page."""
        page_size = self._resource.page_size
        asked_size = self._asked_size(page.request)
        if page_size is None or asked_size is None:
            return False
        if else_usual and may_be_full(len(found)) and len(found) >= self._largest:
            return True
        return len(found) >= asked_size and (
            page_size.held is None or page_size.held(page) >= asked_size
        )
