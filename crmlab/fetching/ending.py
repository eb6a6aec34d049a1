"""Whether one reading of a list came to its end: what its pages tell for it and against it. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from crmlab.connector import Page, Request, Resource
from crmlab.decoding import Record
from crmlab.errors import ApiError, PagingError

#: pages that follow each other, one named by the other, before a list is said to have no end
MAX_PAGES = 10_000
#: the same where hardly anything is on them: so many pages, with so many records each on average
_MAX_THIN_PAGES = 1_000
_THIN = 10
#: refused pages in a row that are taken for the end of a list whose last page was not full
_ENOUGH_REFUSED = 2
#: how many records services put on a page of their own choice: a page of so many may be full
_USUAL_SIZES = frozenset({10, 20, 25, 30, 50, 100, 200, 250, 500, 1000})


@dataclass(frozen=True, slots=True)
class _Trail:
    """The way to a page: how many pages led to it, how many of the last ones brought nothing new, what they held.

    `is_check`: it began where a list had come to its end without a proof.
    """

    depth: int = 0
    barren: int = 0
    seen: set[int] = field(default_factory=set)
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
        #: records of the pages of a numbered list, by number
        self._heights: dict[int, int] = {}
        self._first_page = 0
        self._seen: set[int] = set()
        #: pages that named another one, and what was on them
        self._follow_pages = 0
        self._follow_records = 0
        #: hashes of the records that came; a set as soon as there is something to compare with them
        self._texts: array[int] | set[int] = array("q")
        #: keys of requests that brought nothing new since then
        self._repeating: set[str] = set()
        #: whether more came after a page that named no other one, and whether one could not be asked about
        self._has_found_more = False
        self._is_unproven = False
        self._refused: dict[str, tuple[Request, ApiError]] = {}
        self._asked_again: set[str] = set()

    # ---- while it is read -------------------------------------------------------------------------

    def answered(self, page: Page, found: Sequence[Record]) -> bool:
        """Take note of an answer before it is followed; return whether it brings something new."""
        request = page.request
        self._asked.add(request.key)
        self._refused.pop(request.key, None)
        signature = _signature(found)
        is_new = bool(found) and signature not in self._seen
        self._seen.add(signature)
        self._note_number(page, found)
        if self._paging.is_chain(page):
            self._note_texts(request, found)
        return is_new

    def _note_texts(self, request: Request, found: Sequence[Record]) -> None:
        texts = [hash(record.text) for record in found]
        if isinstance(self._texts, array):
            if not self._is_on_check(request):
                self._texts.extend(texts)
                return
            self._texts = set(self._texts)
        if self._texts.issuperset(texts):
            self._repeating.add(request.key)
        elif self._is_on_check(request):
            self._has_found_more = True
        self._texts.update(texts)

    def _is_on_check(self, request: Request) -> bool:
        trail = self._trails.get(request.key)
        return trail is not None and trail.is_check

    def is_check(self, request: Request) -> bool:
        """Whether a request only looks whether there is more; not any longer, where more was found."""
        return self._is_on_check(request) and not self._has_found_more

    def unproven(self) -> None:
        """Take note of a page that may not be the last one of its list, and of nothing that could tell."""
        self._is_unproven = True

    def _note_number(self, page: Page, found: Sequence[Record]) -> None:
        number = self._number(page.request)
        if number is None or page.request.partial:
            return
        self._heights[number] = len(found)
        if number == 1:
            self._first_page = _signature(found)
        elif found and _signature(found) == self._first_page and self._may_be_full(page, found):
            self.doubts.setdefault(f"page {number} repeats page 1: the service seems to ignore which page is asked for")

    def refused(self, request: Request, error: ApiError) -> None:
        """Take note of a page after the first that is refused: whether it is past the end, the others tell."""
        self._asked.add(request.key)
        self._refused[request.key] = (request, error)

    def follow(
        self, page: Page, found: Sequence[Record], following: Iterable[Request], *, total: int | None
    ) -> Sequence[Request]:
        """Return the requests that really follow an answer, of those that its paginator names.

        Raises
        ------
        PagingError
            the list goes on for ever
        """
        named = list(following)
        new = [request for request in named if request.key not in self._asked]
        is_chain = self._paging.is_chain(page)
        if is_chain and len(new) < len(named):
            self.doubts.setdefault("a cursor leads back to an earlier page")
        if not new:
            new = self._one_more(page, found, total)
        trail = self._next_trail(page.request, found)
        if is_chain and not named and total is None and self._is_full(page, found):
            new = [request for request in self._paging.further(page) if request.key not in self._asked]
            is_stuck = trail.is_check and page.request.key in self._repeating
            trail = replace(trail, is_check=True)
            if not new or is_stuck:
                self.unproven()
        if not new:
            return ()
        if not is_chain and not self._paging.param:
            return new

        if trail.barren >= self._paging.max_barren:
            if found or not self._paging.empty_is_end:
                self.doubts.setdefault(f"{trail.barren} pages in a row brought no new record, and name yet another one")
            return ()
        self._follow_pages += 1
        self._follow_records += len(found)
        is_thin = self._follow_pages >= _MAX_THIN_PAGES and self._follow_records < _THIN * self._follow_pages
        if trail.depth >= MAX_PAGES or (is_thin and total is None):
            raise PagingError(f"{page.request.path} does not end: {self._follow_pages:,} pages name yet another one")
        for request in new:
            self._trails[request.key] = trail if len(new) == 1 else replace(trail, barren=0, seen=set())
        return new

    def _next_trail(self, request: Request, found: Sequence[Record]) -> _Trail:
        trail = self._trails.pop(request.key, None) or _Trail()
        signature = _signature(found)
        is_new = bool(found) and signature not in trail.seen
        trail.seen.add(signature)
        return _Trail(trail.depth + 1, 0 if is_new else trail.barren + 1, trail.seen, trail.is_check)

    def _one_more(self, page: Page, found: Sequence[Record], total: int | None) -> list[Request]:
        """Return the request for the next page, where a full one is no proof that it is the last."""
        number = self._number(page.request)
        if number is None or not self._paging.next_if_full or page.request.partial:
            return []
        repeats = number > 1 and _signature(found) == self._first_page
        if not found or repeats or number < max(self._heights):
            return []
        if total is None:
            is_last = self._paging.more(page) is not None or not self._is_full(page, found)
        else:
            # a service that caps its pages without a word has more of them than it says
            is_last = sum(self._heights.values()) >= total or len(found) < self._heights.get(1, 0)
        if is_last:
            return []
        following = page.request.with_params(**{self._paging.param: number + 1})
        return [] if following.key in self._asked else [following]

    # ---- refused pages ----------------------------------------------------------------------------

    def to_ask(self) -> list[Request]:
        """Return what is to be asked when all answers are in: refused pages again, or one page more; each once."""
        if not self._refused:
            return []
        onward = self._onward()
        if self._may_be_past_the_end():
            return onward
        again = [request for key, (request, _) in self._refused.items() if key not in self._asked_again]
        self._asked_again.update(request.key for request in again)
        return [*again, *onward]

    def _onward(self) -> list[Request]:
        """Return the pages after a single refused one: what they hold tells whether it is past the end."""
        if not self._tells_no_end or len(self._refused) >= _ENOUGH_REFUSED:
            return []
        [(refused, _)] = self._refused.values()
        return [request for request in self._paging.onward(refused) if request.key not in self._asked]

    def settle(self) -> None:
        """Say what the pages mean that stay refused.

        Raises
        ------
        ApiError
            one of them is no end: the list holds more
        """
        self._settle_chain()
        if not self._refused:
            return
        _, error = next(iter(self._refused.values()))
        if self._may_be_past_the_end():
            self.remarks.setdefault(f"its end is told by HTTP {error.status} for the pages after the last one")
        elif self._tells_no_end and self._is_after_the_last():
            last = self._last_with_records()
            self.doubts.setdefault(
                f"page {last} is full or others after it are empty, and further pages are refused ({error.what}): "
                "there may be more"
            )
        else:
            error.hint = error.hint or "a page in the middle of the list was refused twice: what it holds is missing"
            raise error

    def _settle_chain(self) -> None:
        more = "a full page named no next one, though more records followed"
        if self._has_found_more and self._is_unproven:
            self.doubts.setdefault(f"{more}; of another such page nothing can tell whether there are still more")
        elif self._has_found_more:
            self.remarks.setdefault(f"{more}: they were asked for by their time or number")
        elif self._is_unproven:
            self.remarks.setdefault("a last page is full: that the list ends there rests on the missing cursor alone")

    @property
    def _tells_no_end(self) -> bool:
        return self._resource.may_repeat_last_page and bool(self._paging.param)

    def _may_be_past_the_end(self) -> bool:
        """Whether refusals are how this list ends: all come after a page that is not full, and no page is empty."""
        if not self._tells_no_end or not self._is_after_the_last():
            return False
        last = self._last_with_records()
        has_empty_pages = any(number > last for number in self._heights)
        asked_size = self._asked_size(next(iter(self._refused.values()))[0])
        return not has_empty_pages and not (asked_size and self._heights.get(last, 0) >= asked_size)

    def _is_after_the_last(self) -> bool:
        return min(self._refused_numbers()) > self._last_with_records()

    def _last_with_records(self) -> int:
        return max((number for number, height in self._heights.items() if height), default=0)

    def _refused_numbers(self) -> list[int]:
        return sorted(self._number(request) or 0 for request, _ in self._refused.values())

    # ---- of one page ------------------------------------------------------------------------------

    def _number(self, request: Request) -> int | None:
        if not self._paging.param:
            return None
        number = request.params.get(self._paging.param, "1")
        return int(number) if number.isdecimal() else None

    def _asked_size(self, request: Request) -> int | None:
        return self._resource.page_size.of(request) if self._resource.page_size else None

    def _is_full(self, page: Page, found: Sequence[Record]) -> bool:
        size = self._resource.page_size
        asked_size = size.of(page.request) if size else None
        if size is None or asked_size is None or len(found) < asked_size:
            return False
        return size.held is None or size.held(page) >= asked_size

    def _may_be_full(self, page: Page, found: Sequence[Record]) -> bool:
        """Whether a page that repeats is a full one; where the last page may repeat, a partly filled one is no sign."""
        if not self._resource.may_repeat_last_page:
            return True
        return self._is_full(page, found) or len(found) in _USUAL_SIZES


def _signature(found: Sequence[Record]) -> int:
    """Return what tells a page from others, by a few of its records: whole pages would take long to compare."""
    middle = len(found) // 2
    return hash((len(found), *(record.text for record in (*found[:1], *found[middle : middle + 1], *found[-1:]))))
