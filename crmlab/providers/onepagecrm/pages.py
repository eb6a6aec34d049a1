"""What OnePageCRM's answers say of the list that they belong to, and how to follow it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import msgspec

from crmlab.paging import Paginator, numbered
from crmlab.request import PART, Page, Request, path
from crmlab.slices import seconds

#: contacts beyond this number cannot be reached by page number
WALL = 10_000


class Counts(msgspec.Struct):
    """What stands beside a list: its length, its last page, or what the cascade has left."""

    total_count: int | None = None
    max_page: int | None = None
    items_left: int | None = None


class Envelope(msgspec.Struct):
    """What is around every answer; `data` is an object for lists with pages, else a list."""

    status: int = 0
    message: str = ""
    timestamp: int | None = None
    data: Counts | list[msgspec.Raw] | None = None


class _Contact(msgspec.Struct):
    id: str
    created_at: str = ""


class _Item(msgspec.Struct):
    contact: _Contact


class _Items(msgspec.Struct):
    contacts: list[_Item]


class _Contacts(msgspec.Struct):
    data: _Items


def counts(page: Page) -> Counts:
    """Return the counts of an answer; all None where it has none."""
    data = page.read(Envelope).data
    return data if isinstance(data, Counts) else Counts()


def total(page: Page) -> int | None:
    """Return how many records the service says the list (or the part of it asked for) has."""
    return counts(page).total_count


def _last(page: Page) -> int:
    return counts(page).max_page or 1


#: all pages after the first one, which tells how many there are
numbered_pages = numbered(_last)


def _follow(page: Page) -> Iterable[Request]:
    """Follow contacts up to the wall by pages, past it by parts of the time of creation.

    Each part is cut again until it is below the wall; contacts created in the same second, which
    no part can separate, come by the cascade: batch after batch, and slower.
    """
    if page.request.path.startswith("/contacts/cascade"):
        return _next_batch(page)
    if (total(page) or 0) <= WALL:
        return numbered_pages(page)
    return _parts(page) if page.request.params["page"] == "1" else ()


def _more(page: Page) -> int | None:
    """Return how many requests follow; past the wall about one page in each two parts is partly filled."""
    if (contacts := total(page) or 0) <= WALL:
        return numbered_pages.more(page)
    return -(-contacts // 100) + contacts // WALL


contact_pages = Paginator(
    strategy="pages side by side; past 10,000 contacts by parts of the time of creation", follow=_follow, more=_more
)


def _next_batch(page: Page) -> Iterable[Request]:
    batch = page.read(_Contacts).data.contacts
    return [_cascade(batch[-1].contact.id)] if counts(page).items_left and batch else ()


def _cascade(last: str = "") -> Request:
    where = path("/contacts/cascade/{last}", last=last) if last else "/contacts/cascade"
    return Request(path=where, params={"team": "true"}, tags={PART: "cascade"})


def _parts(page: Page) -> Iterable[Request]:
    """Cut the time that a first page spans (its list is sorted by it) so that each part may fit."""
    asked = page.request.params
    until = int(asked["until"]) if "until" in asked else page.read(Envelope).timestamp
    times = [seconds(item.contact.created_at) for item in page.read(_Contacts).data.contacts]
    first, last = (times[0], times[-1]) if times else (None, None)
    if first is None or last is None or until is None or not int(asked.get("since", "0")) <= first < until:
        return [_cascade()]  # one second, or a service that does not filter
    crowded = []
    if last == first or until == first + 1:  # a whole page in one second: probably an import
        crowded, first = [_part(first, first)], first + 1
    half = WALL // 2
    parts = -(-(total(page) or 0) // half)
    edges = {first + (until - first) * i // parts for i in range(parts + 1)}
    edges.add(min(until, max(first, first + (last - first + 1) * half // 100)))  # half a wall, if all are as close
    # whether an edge belongs to a part is not documented: it belongs to two, and repeats are dropped
    spans = list(pairwise(sorted(edges))) or [(until, until)]
    return [*crowded, *(_part(since, until) for since, until in spans)]


def _part(since: int, until: int) -> Request:
    span = {"date_filter": "created_at", "since": str(since), "until": str(until)}
    order = {"sort_by": "created_at", "order": "asc", "page": "1", "per_page": "100"}
    return Request(path="/contacts", params={"team": "true", **span, **order}, tags={PART: f"{since}-{until}"})
