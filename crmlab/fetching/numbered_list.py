"""One numbered list while it is read: whether a page more is asked for, and what its pages tell at the end. Pure."""

from __future__ import annotations

from crmlab.connector import Page, Request, Resource
from crmlab.errors import ApiError
from crmlab.fetching.numbered_pages import NumberedPages


class NumberedList:
    """What tells of the end of one list whose pages have numbers: what the service says of it, and its pages."""

    def __init__(self, resource: Resource) -> None:
        self.pages = NumberedPages()
        #: keys of requests for pages that the service does not tell of
        self.one_more_keys: set[str] = set()
        #: what the service counted last, of a list that is counted
        self._counted: int | None = None
        #: keys of those requests for what is past the last page that the service tells of
        self._past_told_end: set[str] = set()
        self._has_looked_beyond = False
        self._any_request: Request | None = None
        self._resource = resource
        self._paging = resource.follow

    def answered(self, number: int, page: Page, *, height: int, signature: int) -> None:
        """Take note of a page with so many records."""
        self._any_request = page.request
        if page.request.key in self._past_told_end:
            brings_news = self.pages.brings_news(number, height=height, signature=signature)
            if not brings_news:
                return  # it confirms what the service told
        asked_size = None
        if self._resource.page_size:
            asked_size = self._resource.page_size.of(page.request)
        self.pages.note(number, height, signature=signature, asked_size=asked_size)

    def one_more(
        self, number: int, page: Page, *, total: int | None, is_full: bool
    ) -> list[Request]:
        """Return the request for the next page, where nothing proves that this is the last one."""
        if total is not None:
            self._counted = total
        if number != self.pages.highest or not self.pages.is_news(number):
            return []
        is_short = total is not None and self.pages.came < total
        if not self._paging.next_if_full and not is_short and not self._paging.proves_no_end(page):
            return []
        if self._is_proven_last(page, total=total, is_full=is_full):
            return []
        following = page.request.with_params(**{self._paging.param: number + 1})
        self.one_more_keys.add(following.key)
        if self._paging.more(page) is not None:
            self._past_told_end.add(following.key)
        return [following]

    def _is_proven_last(self, page: Page, *, total: int | None, is_full: bool) -> bool:
        """Whether the count tells that a page is the last one, or the last number tells it of one that is not full."""
        if total is not None and self.pages.came <= total:
            # a count of one full page may be that of the page
            may_count_the_page = self.pages.highest == 1 and is_full
            return self.pages.came == total and not may_count_the_page
        lacks_its_count = self._resource.total is not None and self._paging.next_if_full
        if total is None and (lacks_its_count or self._paging.proves_no_end(page)):
            return False
        if total is not None or self._paging.more(page) is not None:
            return not is_full
        return self._resource.page_size is None

    def beyond(self) -> list[Request]:
        """Return the next pages, once, where hardly any without news follow a full one: there may be more."""
        request = self._any_request
        if self._has_looked_beyond or request is None or not self.pages.may_go_on:
            return []
        self._has_looked_beyond = True
        param = self._paging.param
        highest = self.pages.highest
        if self._resource.may_repeat_last_page:
            return [*self._paging.onward(request.with_params(**{param: highest}))]
        if not self._paging.next_if_full or self._counted is not None:
            return []
        if not self.pages.is_empty(highest):
            return []
        following = request.with_params(**{param: highest + 1})
        self.one_more_keys.add(following.key)
        return [following]

    def settle(self, doubts: dict[str, None], remarks: dict[str, None]) -> None:
        """Say what pages mean that repeat another one, or are empty although others follow; a count says it better."""
        repeated = self.pages.repeated_in_words(may_repeat_last=self._resource.may_repeat_last_page)
        if self._counted is not None:
            if self.pages.came > self._counted and self.one_more_keys:
                remarks.setdefault(f"more came than the {self._counted:,} that the service counts")
            if repeated:
                remarks.setdefault(repeated)
            return
        if repeated:
            doubts.setdefault(repeated)
        elif self.pages.last == 1 and self.pages.repeats(2) == 1:
            remarks.setdefault(
                "page 2 repeats page 1: nothing else tells that there is only one page"
            )
        empty_pages = self.pages.empty_in_words()
        if empty_pages:
            doubts.setdefault(empty_pages)
        short_pages = self.pages.short_in_words()
        if short_pages:
            remarks.setdefault(short_pages)

    def settle_refused(
        self, request: Request, error: ApiError, doubts: dict[str, None], remarks: dict[str, None]
    ) -> None:
        """Say what it means that a page is refused of which the service does not tell."""
        if self._counted is not None or request.key in self._past_told_end:
            return  # the count tells whether something is missing, or the last page is the one that was told
        after_the_last = f"the page after the last one is refused ({error.what})"
        if self.pages.is_as_full_as_asked(self.pages.last):
            doubts.setdefault(f"{after_the_last}: there may be more")
        else:
            remarks.setdefault(after_the_last)
