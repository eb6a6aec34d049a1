"""Pages of a list, where an answer tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from crmlab.connector import Page, Paginator, Request, linked, numbered, pointer, whole_number
from crmlab.errors import PagingError


class _Ends(msgspec.Struct):
    # an empty object may come as an empty list
    meta: Any = None
    links: Any = None


def _pagination(page: Page) -> Mapping[str, Any]:
    """Return what an answer tells of its pages: in ``meta.pagination`` as documented, or in ``meta``."""
    metadata = page.read(_Ends).meta
    if not isinstance(metadata, dict):
        return {}
    for candidate in (metadata.get("pagination"), metadata.get("page"), metadata):
        if isinstance(candidate, dict) and not _SIGNS.isdisjoint(candidate):
            return candidate
    return {}


def _first_of(pagination: Mapping[str, Any], names: Iterable[str]) -> int | None:
    for name in names:
        number = whole_number(pagination.get(name))
        if number is not None:
            return number
    return None


def total(page: Page) -> int | None:
    """Return how many records an answer says there are; None where it does not."""
    return _first_of(_pagination(page), _TOTAL)


def _last_page(page: Page) -> int | None:
    return _first_of(_pagination(page), _LAST_PAGE)


def _proves_no_end(page: Page) -> bool:
    """Whether an answer tells of pages, and neither how many records there are nor that no page follows."""
    links = page.read(_Ends).links
    tells_of_next = isinstance(links, dict) and "next" in links
    return bool(_pagination(page)) and total(page) is None and not tells_of_next


_PAGE = "page[number]"
#: how answers call the number of the last page and of all records: the documented name first
_LAST_PAGE = ("total_pages", "last_page", "page_count", "pages")
_TOTAL = ("total", "total_count")
#: what tells that there are pages, though not how many
_PAGE_SIGNS = ("per_page", "current_page", "next_page")
_SIGNS = frozenset((*_LAST_PAGE, *_TOTAL, *_PAGE_SIGNS))
_numbered = numbered(_last_page, param=_PAGE)


def _follow(page: Page) -> Iterable[Request]:
    """Follow pages where an answer tells of them: documented for reports only, possible elsewhere."""
    if not _is_chain(page):
        return _numbered(page)
    link = _next_link(page)
    if link is None:
        return ()
    following = linked(page.request, link)
    number = following.params.get(_PAGE, "")
    if not number.isdecimal() or int(number) > _number(page):
        return [following]
    if _last_page(page) is not None:  # meta tells as well that nothing follows
        return ()
    raise PagingError(
        f"the next page of {page.request.path} is said to be page {number}, which was read before"
    )


def _number(page: Page) -> int:
    return whole_number(page.request.params.get(_PAGE)) or 1


def _is_chain(page: Page) -> bool:
    """Whether only a link can tell what follows: meta tells of no pages, or of none after this one."""
    last_page = _last_page(page)
    return last_page is None or last_page <= _number(page)


def _next_link(page: Page) -> str | None:
    """Return the link to the next page: text, or an object that holds it (jsonapi.org, 1.1, document links)."""
    links = page.read(_Ends).links
    if not isinstance(links, dict):
        return None
    address = links.get("next")
    if isinstance(address, dict):
        address = address.get("href")
    if not isinstance(address, str):
        return None
    return pointer(address)


def _more(page: Page) -> int | None:
    if not _is_chain(page):
        return _numbered.more(page)
    if _follow(page):  # one page at least: how many, only the links of the next ones tell
        return None
    return 0


PAGES = Paginator(
    strategy="one answer, or the pages that it tells of",
    follow=_follow,
    more=_more,
    param=_PAGE,
    proves_no_end=_proves_no_end,
    is_chain=_is_chain,
)
