"""What OnePageCRM's answers say of the list that they belong to, and how to follow it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from operator import attrgetter
from typing import Any

import msgspec

from crmlab.connector import (
    Context,
    Embedding,
    Page,
    Paginator,
    Request,
    fill_path,
    numbered,
    pages,
    unix_seconds,
    whole_number,
)
from crmlab.errors import TransportError

#: in Unix seconds: what is later counts something else, such as milliseconds
_YEAR_2100 = 4_102_444_800
#: contacts beyond this number cannot be reached by page number
WALL = 10_000
#: of pages; each half the one before, so that two pages hold what one held
SIZES = (100, 50, 25)
_PERIOD = ("modified_since", "unmodified_since", "since", "until", "date_filter", "page")


class _Told(msgspec.Struct):
    """What stands beside a list, as it came."""

    total_count: Any = None
    max_page: Any = None
    per_page: Any = None
    items_left: Any = None


class Counts(msgspec.Struct):
    """What stands beside a list: its length, its last page and the size of its pages, or what the cascade has left."""

    total_count: int | None = None
    max_page: int | None = None
    per_page: int | None = None
    items_left: int | None = None


class Envelope(msgspec.Struct):
    """What is around every answer; `data` is an object for lists with pages, else a list."""

    status: int = 0
    message: str = ""
    timestamp: int | None = None
    data: _Told | list[msgspec.Raw] | None = None


class _Lists(msgspec.Struct):
    data: dict[str, msgspec.Raw]


class _Changes(msgspec.Struct):
    data: dict[str, Any]


class _Contact(msgspec.Struct):
    id: str
    created_at: str = ""
    modified_at: str = ""


class _Item(msgspec.Struct):
    contact: _Contact


class _Items(msgspec.Struct):
    contacts: list[_Item]


class _Contacts(msgspec.Struct):
    data: _Items


def counts(page: Page) -> Counts:
    """Return the counts of an answer; all None where it has none."""
    told_counts = page.read(Envelope).data
    if not isinstance(told_counts, _Told):
        return Counts()
    return Counts(
        total_count=whole_number(told_counts.total_count),
        max_page=whole_number(told_counts.max_page),
        per_page=whole_number(told_counts.per_page),
        items_left=whole_number(told_counts.items_left),
    )


def told_time(page: Page) -> dt.datetime | None:
    """Return when an answer was made: the earlier of what its body and its header say, which may be other machines."""
    try:
        timestamp = page.read(Envelope).timestamp
    except TransportError:  # told where its records are looked for
        timestamp = None
    if timestamp is None or not 0 < timestamp < _YEAR_2100:
        return page.sent_at
    in_body = dt.datetime.fromtimestamp(timestamp, dt.UTC)
    return min(in_body, page.sent_at or in_body)


def ignores_period(page: Page) -> str:
    """Return what is to be said of the first page of what changed since a time that begins with what did not.

    The list is sorted by the time of the change, so that the first record tells.
    """
    since = whole_number(page.request.params.get("modified_since"))
    if since is None or page.request.params.get("page") != "1":
        return ""
    first_changed_at = _first_changed_at(page)
    if first_changed_at is None or first_changed_at >= since:
        return ""
    return (
        "records that were changed before modified_since came as well: shared tables leave them out, and each refresh "
        "costs as much as the first"
    )


def _first_changed_at(page: Page) -> int | None:
    """Return when the first record of a page was changed; None where that cannot be read."""
    try:
        lists = page.read(_Changes).data
    except TransportError:  # told where its records are looked for
        return None
    items = next((items for items in lists.values() if isinstance(items, list)), [])
    if not items or not isinstance(items[0], dict):
        return None
    # the record itself, or wrapped in its name: {"deal": {...}}
    for candidate in (items[0], *items[0].values()):
        if isinstance(candidate, dict) and "modified_at" in candidate:
            return unix_seconds(candidate["modified_at"])
    return None


def total(page: Page) -> int | None:
    """Return how many records the service says the list (or the part of it asked for) has."""
    return counts(page).total_count


def _last(page: Page) -> int | None:
    """Return the number of the last page; None where nothing tells it. What is counted bounds what is said of pages."""
    told_counts = counts(page)
    if told_counts.total_count is None:
        return told_counts.max_page
    needed_pages = pages(told_counts.total_count, page_size(page))
    if told_counts.max_page is None:
        return needed_pages
    return min(told_counts.max_page, needed_pages + 1)


def page_size(page: Page) -> int:
    """Return how many records a page holds: as asked, as the service says, or as it does without a word."""
    asked = int(page.request.params.get("per_page", 10))
    told_counts = counts(page)
    size = max(1, min(asked, told_counts.per_page or asked))
    is_first = page.request.params.get("page", "1") == "1"
    if not is_first or not told_counts.total_count:
        return size
    records_that_came = _height(page)
    # a first page that others follow is full, whatever size was asked for and told
    if 0 < records_that_came < told_counts.total_count:
        return records_that_came
    return max(size, records_that_came)


def _height(page: Page) -> int:
    """Return how many records came."""
    height = 0
    for encoded in page.read(_Lists).data.values():
        if bytes(encoded).startswith(b"["):
            records = msgspec.json.decode(encoded, type=list[msgspec.Raw])
            height = max(height, len(records))
    return height


#: all pages after the first one, which tells how many there are
numbered_pages = numbered(_last)


def contact_paging(wall: int = WALL) -> Paginator:
    """Return how contacts are followed: up to the wall by pages, past it by parts of the time of creation (or change).

    Each part is cut again until it is below the wall; contacts of the same second, which
    no part can separate, come by the cascade: batch after batch, and slower.
    """
    return Paginator(
        strategy=f"pages side by side, past {wall:,} in parts by time",
        follow=partial(_follow, wall=wall),
        more=partial(_more, wall=wall),
        param="page",
        next_if_full=True,
    )


def _follow(page: Page, *, wall: int) -> Iterable[Request]:
    if page.request.path.startswith("/contacts/cascade"):
        return _next_batch(page)
    if (total(page) or 0) <= wall:
        return numbered_pages(page)
    if page.request.params["page"] != "1":
        return ()
    return _parts(page, wall)


def _more(page: Page, *, wall: int) -> int | None:
    """Return how many requests follow; past the wall about one page in each two parts is partly filled."""
    contacts = total(page) or 0
    if contacts <= wall:
        return numbered_pages.more(page)
    return -(-contacts // 100) + contacts // wall


contact_pages = contact_paging()


def _next_batch(page: Page) -> Iterable[Request]:
    batch = page.read(_Contacts).data.contacts
    if not batch or not counts(page).items_left:
        return ()
    return [_cascade(batch[-1].contact.id)]


def _cascade(last: str = "") -> Request:
    path = "/contacts/cascade"
    if last:
        path = fill_path("/contacts/cascade/{last}", last=last)
    return Request(path=path, params={"team": "true"}, partial=True)


def _is_in_cascade(request: Request) -> bool:
    """Whether the cascade gives what a list of contacts is asked for: it takes no filter, and brings no attachments."""
    embedded = request.params.get("fields", "")
    return "filter_id" not in request.params and "pinned_attachments" not in embedded


def _parts(page: Page, wall: int) -> Iterable[Request]:
    """Cut the time that a first page spans (its list is sorted by it) so that each part may fit below the wall."""
    first_time, last_time = _first_and_last(page)
    since_time = int(page.request.params.get("since", "0"))
    end_time = _end(page)
    if (
        first_time is None
        or last_time is None
        or end_time is None
        or not since_time <= first_time < end_time
    ):
        # one second, or a service that does not filter
        if not _is_in_cascade(page.request):
            return ()
        return [_cascade()]

    parts = []
    is_crowded = last_time == first_time or end_time == first_time + 1
    if is_crowded:  # a whole page in one second: probably an import
        parts.append(_part(page.request, first_time, first_time))
        first_time += 1
    # whether an edge belongs to a part is not documented:
    # it belongs to two, and repeats are dropped
    edges = _edges(first_time, last_time, end_time, total(page) or 0, wall)
    for start, stop in list(pairwise(edges)) or [(end_time, end_time)]:
        parts.append(_part(page.request, start, stop))
    return parts


def _first_and_last(page: Page) -> tuple[int | None, int | None]:
    """Return when the first and the last contact of a page were made (or changed: as it is sorted)."""
    time_of = attrgetter(page.request.params["sort_by"])
    contacts = page.read(_Contacts).data.contacts
    if not contacts:
        return None, None
    first_time = unix_seconds(time_of(contacts[0].contact))
    last_time = unix_seconds(time_of(contacts[-1].contact))
    return first_time, last_time


def _end(page: Page) -> int | None:
    """Return until when contacts were asked for; the moment of the answer, where until now."""
    parameters = page.request.params
    until = parameters.get("until", parameters.get("unmodified_since"))
    if not until:
        return page.read(Envelope).timestamp
    return int(until)


def _edges(first: int, last: int, end: int, contacts: int, wall: int) -> list[int]:
    """Return where to cut first..end so that each part may be half as long as the wall is high.

    `last` is when the last of the hundred contacts of a page was made. Were all as close as these, half a
    wall of them would end at one more edge.
    """
    half_wall = wall // 2
    part_count = -(-contacts // half_wall)
    evenly = {first + (end - first) * number // part_count for number in range(part_count + 1)}
    if_all_were_as_close = first + (last - first + 1) * half_wall // 100
    return sorted(evenly | {min(end, max(first, if_all_were_as_close))})


def _part(request: Request, since: int, until: int) -> Request:
    """The same contacts of a shorter time: ``date_filter`` excludes the other filters of time."""
    kept_parameters = {name: value for name, value in request.params.items() if name not in _PERIOD}
    span_parameters = {
        "date_filter": kept_parameters["sort_by"],
        "since": str(since),
        "until": str(until),
        "page": "1",
    }
    return Request(
        path="/contacts",
        params={**kept_parameters, **span_parameters},
        tags={**request.tags, "period": f"{since}-{until}"},
        partial=True,
    )


# ---- contacts with what else is known of them ---------------------------------------------------


def asks_for_history(context: Context) -> bool:
    """Whether deals are to come with the last stage that each had in each pipeline: their own list alone gives it."""
    return context.options.get("stage_history") == "yes"


def _embedded(request: Request, names: Iterable[str]) -> Request:
    """Ask for contacts with their deals, notes, ... inside."""
    params = dict(request.params)
    params.pop("fields", None)
    fields = ",".join(f"{name}(all)" for name in sorted(names))
    if fields:
        params["fields"] = fields
    return replace(request, params=params)


def _rest(page: Page, names: Iterable[str], size: int, *, wall: int) -> Iterable[Request]:
    """The contacts after a first page, in pages of that size."""
    size_before = page_size(page)
    size = min(size, size_before)
    request = _embedded(page.request, names).with_params(per_page=size)
    contacts = total(page) or (_last(page) or 1) * size_before
    if contacts > wall:
        return _parts(replace(page, request=request), wall)

    already_read = size_before // size
    last_number = -(-contacts // size)
    requests = []
    for number in range(already_read + 1, last_number + 1):
        requests.append(replace(request.with_params(page=number), send_last=number == last_number))
    return requests


def _smaller(request: Request) -> Iterable[Request]:
    """Two pages of half the size for one; the smallest is asked without anything inside."""
    if "fields" not in request.params:
        return []
    half_size = int(request.params.get("per_page", 0)) // 2
    number = int(request.params.get("page", 0))
    if half_size not in SIZES:
        return [_embedded(request, ())]
    half_request = request.with_params(per_page=half_size)
    return [
        half_request.with_params(page=2 * number - 1),
        half_request.with_params(page=2 * number),
    ]


def _may_embed(name: str, context: Context) -> bool:
    """Whether contacts may bring these records: only whole lists, for a new note does not change its contact."""
    if name == "deals" and asks_for_history(context):
        return False
    return not (context.since or context.until)


def contact_embedding(wall: int = WALL) -> Embedding:
    """Return how contacts are asked for with what else is known of them.

    Whole lists only: a contact is not changed by a new note, and so not among the contacts changed since.
    """
    return Embedding(
        first=_embedded,
        rest=partial(_rest, wall=wall),
        smaller=_smaller,
        sizes=SIZES,
        possible=_may_embed,
    )


embedding = contact_embedding()
