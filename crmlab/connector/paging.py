"""Paginators: from an answer to the requests that follow it. Pure, without state.

A paginator says what *can* follow; the fetcher drops what was asked already, so a list that
points back at itself ends instead of looping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from crmlab.connector.page import Page
from crmlab.connector.request import Request
from crmlab.errors import PagingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Paginator:
    """How a list is followed, and what that is called.

    `strategy` says it in plain words. `more` is how many requests will follow a first answer in
    all, those that follow the followers included; None where the answer does not tell.
    """

    strategy: str
    follow: Callable[[Page], Iterable[Request]]
    more: Callable[[Page], int | None] = lambda page: None

    def __call__(self, page: Page) -> Iterable[Request]:
        """Return the requests that follow this answer."""
        return self.follow(page)


#: nothing follows: the list comes whole
one_answer = Paginator(strategy="one answer", follow=lambda page: (), more=lambda page: 0)


def numbered(last: Callable[[Page], int], *, param: str = "page") -> Paginator:
    """Pages 2..n at once, as soon as page 1 has told the last, which is asked when the others are in.

    Later pages name the last again, so a list that grew while it was paged is followed.
    """

    def follow(page: Page) -> Iterable[Request]:
        final = last(page)
        # a later page names the last again: only a page that came in the meantime is new
        first = 2 if _number(page, param) == 1 else max(2, final - 1)
        requests = []
        for number in range(first, final + 1):
            request = page.request.with_params(**{param: number})
            requests.append(replace(request, send_last=number == final))
        return requests

    def more(page: Page) -> int:
        return max(0, last(page) - _number(page, param))

    return Paginator(strategy="pages side by side", follow=follow, more=more)


def cursor(find: Callable[[Page], str | None], place: Callable[[Request, str], Request]) -> Paginator:
    """One request for the cursor that the answer names; none where it names none."""

    def follow(page: Page) -> Iterable[Request]:
        token = find(page)
        return [place(page.request, token)] if token else ()

    return Paginator(strategy="page after page", follow=follow, more=lambda page: None if find(page) else 0)


def widening(
    is_empty: Callable[[Page], bool], *, param: str = "page", max_window: int = 8, max_pages: int = 100_000
) -> Paginator:
    """For lists that tell no end: windows of 1, 1, 2, 4 .. `max_window` pages, until an empty page.

    The last page of a window asks for the next window if it holds anything, so at most `max_window`
    requests go past the end. A list that has none, page after page of something else, is a
    `PagingError` at page `max_pages`. `max_window` must be a power of two.
    """
    if not _is_power_of_two(max_window):
        raise ValueError(f"max_window must be a power of two, not {max_window}")

    def follow(page: Page) -> Iterable[Request]:
        number = _number(page, param)
        if not _closes_window(number, max_window) or is_empty(page):
            return ()
        if number >= max_pages:
            raise PagingError(f"{page.request.path} does not end: page {number:,} still holds something")
        next_window = range(number + 1, number + 1 + min(number, max_window))
        return [page.request.with_params(**{param: each}) for each in next_window]

    def more(page: Page) -> int | None:
        return 0 if is_empty(page) else None

    return Paginator(strategy="pages until an empty one", follow=follow, more=more)


def _number(page: Page, param: str) -> int:
    """Return the number of the page that was asked for; a list without one begins at page 1."""
    return int(page.request.params.get(param, 1))


def _closes_window(number: int, max_window: int) -> bool:
    """Whether a window ends with this page: windows of 1, 1, 2, 4 pages end at pages 1, 2, 4, 8."""
    if number > max_window:
        return number % max_window == 0
    return _is_power_of_two(number)


def _is_power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0
