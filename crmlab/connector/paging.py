"""Paginators: from an answer to the requests that follow it. Pure, without state.

A paginator says what *can* follow; the fetcher drops what was asked already, so a list that
points back at itself ends instead of looping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from crmlab.connector.page import Page, whole_number
from crmlab.connector.request import Request
from crmlab.errors import PagingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Paginator:
    """How a list is followed, and what that is called.

    `strategy` says it in plain words. `more` is how many requests will follow a first answer in
    all, those that follow the followers included; None where the answer does not tell.

    Where pages are numbered, `param` names the query parameter that holds the number, and with `next_if_full`
    a full page is followed by the next one where nothing says that it is the last, and so is one of which
    `proves_no_end` says that what it tells of pages does not say so. `is_chain` says whether an answer
    alone names the one that follows it; `further` asks in another way for what would come after a page that names
    none.
    """

    strategy: str
    follow: Callable[[Page], Iterable[Request]]
    more: Callable[[Page], int | None] = lambda page: None
    param: str = ""
    next_if_full: bool = False
    proves_no_end: Callable[[Page], bool] = lambda page: False
    is_chain: Callable[[Page], bool] = lambda page: False
    further: Callable[[Page], Iterable[Request]] = lambda page: ()
    #: the requests that would follow this one if its page held something, where that does not depend on the page
    onward: Callable[[Request], Iterable[Request]] = lambda request: ()
    #: pages in a row without a new record that are followed, and whether an empty page is a documented end
    max_barren: int = 20
    empty_is_end: bool = False
    #: pages that follow each other, one named by the other, before a list is said to have no end
    max_pages: int = 10_000
    #: how many requests follow each first one at least, where no answer can tell it before
    min_more: int = 0

    def __call__(self, page: Page) -> Iterable[Request]:
        """Return the requests that follow this answer."""
        return self.follow(page)


#: nothing follows: the list comes whole
one_answer = Paginator(strategy="one answer", follow=lambda page: (), more=lambda page: 0)


def until_empty(is_empty: Callable[[Page], bool]) -> Paginator:
    """The same request again as long as something comes: each answer takes what it holds out of the list."""

    def follow(page: Page) -> Iterable[Request]:
        if is_empty(page):
            return ()
        return [replace(page.request, turn=page.request.turn + 1)]

    return Paginator(
        strategy="asked again until nothing is left", follow=follow, is_chain=lambda page: True
    )


def numbered(
    last: Callable[[Page], int | None], *, param: str = "page", max_pages: int = 10_000
) -> Paginator:
    """Pages 2..n at once, as soon as page 1 has told the last, which is asked when the others are in.

    Later pages name the last again, so a list that grew while it was paged is followed. Where none tells the
    last (`last` returns None), each full page is followed by the next. A list that says that it has more than
    `max_pages` is a `PagingError`: nothing counts so far.
    """

    def follow(page: Page) -> Iterable[Request]:
        last_number = last(page)
        if last_number is None:
            return []
        if last_number > max_pages:
            raise PagingError(
                f"{page.request.path} tells of {last_number:,} pages; more than {max_pages:,} are not read"
            )
        first_number = 2
        if _number(page.request, param) != 1:
            # a later page names the last again: only a page that came in the meantime is new
            first_number = max(2, last_number - 1)
        numberless = replace(page.request, send_last=False)
        page_numbers = range(first_number, last_number + 1)
        requests = [numberless.with_params(**{param: number}) for number in page_numbers]
        if requests:
            requests[-1] = replace(requests[-1], send_last=True)
        return requests

    def more(page: Page) -> int | None:
        last_number = last(page)
        if last_number is None:
            return None
        return max(0, last_number - _number(page.request, param))

    return Paginator(
        strategy="pages side by side", follow=follow, more=more, param=param, next_if_full=True
    )


def cursor(
    find: Callable[[Page], str | None],
    place: Callable[[Request, str], Request],
    *,
    empty_is_end: bool = False,
) -> Paginator:
    """One request for the cursor that the answer names; none where it names none.

    An empty page with a new cursor is followed: some twenty times, or once where the vendor calls it the end.
    """

    def following(page: Page) -> Request | None:
        token = find(page)
        if not token:
            return None
        return place(page.request, token)

    return chain(following, empty_is_end=empty_is_end)


def chain(following: Callable[[Page], Request | None], *, empty_is_end: bool = False) -> Paginator:
    """One request that the answer names; none where it names none. `cursor` is the usual one of them."""

    def follow(page: Page) -> Iterable[Request]:
        request = following(page)
        if request is None:
            return ()
        return [request]

    def more(page: Page) -> int | None:
        return None if following(page) else 0

    return Paginator(
        strategy="page after page",
        follow=follow,
        more=more,
        is_chain=lambda page: True,
        max_barren=2 if empty_is_end else 20,
        empty_is_end=empty_is_end,
    )


#: how services write that there is no further page, where a pointer to it would stand
_NO_POINTER = frozenset({"", "null", "none", "nil", "false", "undefined"})


def pointer(value: object) -> str | None:
    """Return what names the next page, be it text or a whole number; None where it says that there is none.

    Raises
    ------
    PagingError
        it says that there is one, and not which: true, an object, a list
    """
    if value is None or value is False or value in ([], {}):
        return None
    if isinstance(value, str):
        pointer_text = value.strip()
        if pointer_text.lower() in _NO_POINTER:
            return None
        return pointer_text
    if isinstance(value, int) and value is not True:
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    raise PagingError(
        f"what names the next page is neither text nor a whole number, but a {type(value).__name__}"
    )


def link_parts(link: str) -> SplitResult:
    """Return the parts of a link that a service sent; one that is none is a `PagingError`."""
    try:
        return urlsplit(link.strip())
    except ValueError:
        raise PagingError(
            "the service sent something as a link that is none, so it is not followed"
        ) from None


def linked(request: Request, link: str) -> Request:
    """Return the request that a link to the next page means: what it asks for, at the path of this request.

    The host of the link is not looked at: another one would get the key.

    Raises
    ------
    PagingError
        it is no link, or leads to another path
    """
    link_split = link_parts(link)
    link_path = link_split.path.rstrip("/")
    if link_path and not link_path.endswith(request.path.rstrip("/")):
        raise PagingError(
            f"the next page of {request.path} is said to be at another path, which is not followed"
        )
    return request.with_params(**dict(parse_qsl(link_split.query, keep_blank_values=True)))


def widening(
    is_empty: Callable[[Page], bool],
    *,
    param: str = "page",
    max_window: int = 8,
    max_pages: int = 10_000,
) -> Paginator:
    """For lists that tell no end: windows of 1, 1, 2, 4 .. `max_window` pages, until an empty page.

    The last page of a window asks for the next window if it holds anything, so at most `max_window`
    requests go past the end. A list that has none, page after page of something else, is a
    `PagingError` at page `max_pages`. `max_window` must be a power of two.
    """
    if not _is_power_of_two(max_window):
        raise ValueError(f"max_window must be a power of two, not {max_window}")

    def follow(page: Page) -> Iterable[Request]:
        if is_empty(page):
            return ()
        number = _number(page.request, param)
        if number >= max_pages:
            raise PagingError(
                f"{page.request.path} does not end: page {number:,} still holds something"
            )
        return onward(page.request)

    def onward(request: Request) -> Iterable[Request]:
        number = _number(request, param)
        if not _closes_window(number, max_window):
            return ()
        next_window = range(number + 1, number + 1 + min(number, max_window))
        return [request.with_params(**{param: page_number}) for page_number in next_window]

    def more(page: Page) -> int | None:
        return 0 if is_empty(page) else None

    return Paginator(
        strategy="pages until an empty one", follow=follow, more=more, param=param, onward=onward
    )


#: how many records services put on a page of their own choice: a page of so many may be full
_USUAL_SIZES = frozenset({10, 20, 25, 30, 40, 50})
_USUAL_STEP = 100


def may_be_full(height: int) -> bool:
    """Whether services of their own choice put so many records on a page."""
    return height in _USUAL_SIZES or (height > 0 and height % _USUAL_STEP == 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSize:
    """How many records a page is asked to hold: in a query parameter, or in a field of the JSON body.

    `held` is how many of what is counted a page holds, where that may be something else than its records.
    """

    name: str
    in_body: bool = False
    held: Callable[[Page], int] | None = None

    def of(self, request: Request) -> int | None:
        """Return how many records a page of this request may hold; None where it does not say."""
        size = str(self._fields(request).get(self.name, ""))
        return int(size) if size.isdecimal() else None

    def sized(self, request: Request, size: int) -> Request:
        """Return the same request for pages of that size."""
        if self.in_body:
            return request.with_body(**{self.name: size})
        return request.with_params(**{self.name: size})

    def smaller(self, request: Request) -> Iterable[Request]:
        """Return the same request for smaller pages, the largest first, and at last for those the service chooses."""
        current_size = self.of(request)
        if current_size is None:
            return
        for divisor in (2, 4, 10):
            yield self.sized(request, max(1, current_size // divisor))
        without_size = dict(self._fields(request))
        without_size.pop(self.name, None)
        if self.in_body:
            yield replace(request, body=without_size)
        else:
            yield replace(request, params=without_size)

    def _fields(self, request: Request) -> Mapping[str, Any]:
        """Return the part of a request that says the size."""
        if self.in_body:
            return request.body or {}
        return request.params


def _number(request: Request, param: str) -> int:
    """Return the number of the page that is asked for; a list without one begins at page 1."""
    number = whole_number(request.params.get(param))
    return 1 if number is None else number


def _closes_window(number: int, max_window: int) -> bool:
    """Whether a window ends with this page: windows of 1, 1, 2, 4 pages end at pages 1, 2, 4, 8."""
    if number > max_window:
        return number % max_window == 0
    return _is_power_of_two(number)


def _is_power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0
