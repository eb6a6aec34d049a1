"""What Altcraft's answers say of the list that they belong to, and how to follow it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec

from crmlab.connector import (
    Page,
    Paginator,
    Request,
    Span,
    cursor,
    may_be_full,
    pointer,
    time_slices,
    unix_seconds,
    whole_number,
)
from crmlab.errors import PagingError

#: where an answer names its next page
POINTER = "next_from_id"
#: where a list of objects begins
FIRST = 1
#: slices of history that are read side by side: as many as may be in flight
_SLICES = 5
_MEGABYTE = 1_000_000
_NUMBER = re.compile(r"-?[0-9]{1,20}")
#: what is documented of an answer
BESIDE = frozenset({"error", "error_text", "data", "total_count", POINTER})
#: bytes of what is looked at beside a list
_MAX_BYTES = 1000
#: words in the names of what counts a list, and neither an account nor a country
_COUNTS = re.compile(r"(^|[^A-Za-z])(total|count)(?!e?r)|Total|Count(?!e?r)")
#: words in the names of what may lead to a next page
_LEADS_ON = re.compile(
    "next|after|cursor|contin|token|from|offset|scroll|more|page|paging|pagination|link|anchor|marker|bookmark|resume|seek|start|position|pointer|following",
    re.IGNORECASE,
)


class _Listing(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")
    next_from_id: Any = None
    total_count: Any = None

    @property
    def height(self) -> int:
        if not bytes(self.data).startswith(b"["):
            return 1
        return len(msgspec.json.decode(self.data, type=list[msgspec.Raw]))


def is_empty(page: Page) -> bool:
    """Return whether the list of a page holds nothing."""
    return page.read(_Listing).height == 0


def total(page: Page) -> int | None:
    """Return how many objects the service says the list has."""
    return whole_number(page.read(_Listing).total_count)


def _undocumented(page: Page) -> dict[str, Any]:
    """Return what stands beside the list and nobody documents, small as it is, by name."""
    undocumented = {}
    for member, encoded in page.read(dict[str, msgspec.Raw]).items():
        # what is large holds records, and nothing that leads on
        if member not in BESIDE and len(bytes(encoded)) < _MAX_BYTES:
            undocumented[member] = msgspec.json.decode(encoded)
    return undocumented


def mentioned(page: Page) -> int | None:
    """Return how many records a list has as its answer says: in total_count, or in what nobody documents."""
    counted = total(page)
    if counted is not None:
        return counted
    beside = _undocumented(page)
    objects = [value for value in beside.values() if isinstance(value, dict)]
    counts = []
    for members in (beside, *objects):
        for member, value in members.items():
            count = whole_number(value)
            if count is not None and _COUNTS.search(member):
                counts.append(count)
    # where several count, the largest says how much may be missing
    return max(counts, default=None)


def lacks_pointer(page: Page, name: str = POINTER) -> str:
    """Return what is to be said of a page that names no next one where others would, but has something alike beside it.

    What repeats the question, such as the size of the page, leads nowhere.
    """
    listing = page.read(_Listing)
    if listing.next_from_id or not listing.height:
        return ""
    undocumented = _undocumented(page)
    # true is no 1 that was asked for
    sent_values = [repr(value) for value in page.request.body.values()]
    likely_pointers = []
    for other_name, value in undocumented.items():
        is_new = value and repr(value) not in sent_values
        if is_new and _LEADS_ON.search(other_name):
            likely_pointers.append(other_name)
    if undocumented.get(name) or not likely_pointers:
        return ""
    others = ", ".join(likely_pointers)
    return (
        f"a page names no next one in {name}, but has {others}, which nobody documents: "
        "there may be more. crmlab.probe(account) looks what leads to it"
    )


def objects_lack_pointer(page: Page) -> str:
    """Return the same of a list of objects: its documented count tells as well whether there is more."""
    if total(page) is not None:
        return ""
    return lacks_pointer(page)


class _Object(msgspec.Struct):
    id: Any = None


def _follow_objects(page: Page) -> Iterable[Request]:
    """Follow whole numbers upwards; the vendor's examples also point back at the last object."""
    listing = page.read(_Listing)
    sent_id = page.request.body["from_id"]
    following = pointer(listing.next_from_id) or ""
    points_on = following.isdecimal() and int(following) > sent_id
    if not points_on:
        return ()
    if sent_id == FIRST and _is_whole(page):
        return ()
    return [page.request.with_body(from_id=int(following))]


def _is_whole(page: Page) -> bool:
    """Whether a first page holds all that is counted; a full one may hold no more than a page does."""
    counted = total(page)
    if counted is None:
        return False
    limit: int = page.request.body["limit"]
    return limit > page.read(_Listing).height >= counted


def _more_objects(page: Page) -> int | None:
    """Return how many pages follow: the last one that holds something is followed by an empty one."""
    objects = total(page)
    if not _follow_objects(page):
        return 0
    if objects is None:
        return None
    limit: int = page.request.body["limit"]
    return -(-objects // limit)


def _objects_after(page: Page) -> Iterable[Request]:
    """Ask for the objects after the last one by its number, where the page itself points nowhere."""
    try:
        objects_of_page = msgspec.json.decode(page.read(_Listing).data, type=list[_Object])
    except msgspec.ValidationError:
        # objects of a shape that nobody expects are rejected one by one, elsewhere
        return []
    numbers = []
    for listed_object in objects_of_page:
        number = whole_number(listed_object.id)
        if number is not None:
            numbers.append(number)
    if not numbers:
        return []
    return [page.request.with_body(from_id=max(numbers) + 1)]


objects = Paginator(
    strategy="page after page",
    follow=_follow_objects,
    more=_more_objects,
    is_chain=lambda page: True,
    further=_objects_after,
    max_barren=2,
    empty_is_end=True,
)


def _pointer(page: Page, name: str = POINTER) -> str | None:
    """Return what points to the next page, under that name too.

    What was sent itself, or a number that is not above it, is the end; not after a page that is full, of which it is
    returned all the same: it leads back.
    """
    listing = page.read(_Listing)
    following = pointer(listing.next_from_id)
    if following is None and name != POINTER:
        following = pointer(page.read(dict[str, Any]).get(name))
    sent_pointer = str(page.request.body["from_id"])
    if following is None:
        return None
    if may_be_full(listing.height) or may_be_full(_profiles(page)):
        return following
    if not _NUMBER.fullmatch(following):
        is_end = following == sent_pointer
    elif _NUMBER.fullmatch(sent_pointer):
        is_end = int(following) <= int(sent_pointer)
    else:  # the first page is asked for without a number
        is_end = int(following) <= 0
    return None if is_end else following


class _Line(msgspec.Struct):
    time: Any = None


def log_total(page: Page) -> int | None:
    """Return how many lines the service says a log has; a log that is asked for from a time on may count otherwise."""
    if "from_time" in page.request.body:
        return None
    return total(page)


def _follow_log(page: Page) -> Iterable[Request]:
    """Ask for a log from its last time on, where the page is full: lines of that time come again.

    That lines come oldest first is assumed; where they do not, the count tells that some are missing.
    """
    if not _is_full(page):
        return ()
    listing = page.read(_Listing)
    lines = msgspec.json.decode(listing.data, type=list[_Line])
    last_time = str(lines[-1].time)
    if last_time == page.request.body.get("from_time"):
        # asked for once more, the same page would come
        raise PagingError(
            f"a log of {page.request.path} holds more lines of one moment than a page does"
        )
    return [page.request.with_body(from_time=last_time)]


#: a page of a log begins with the last lines of the one
#: before, so that it is no chain of different pages
log = Paginator(
    strategy="page after page", follow=_follow_log, more=lambda page: None if _is_full(page) else 0
)


def _is_full(page: Page) -> bool:
    limit: int = page.request.body["limit"]
    return page.read(_Listing).height >= limit


def records_by(name: str) -> Paginator:
    """Return how a list is followed whose next page stands under that name."""
    find_pointer = partial(_pointer, name=name)
    return cursor(
        find_pointer, lambda request, token: request.with_body(from_id=token), empty_is_end=True
    )


records = records_by(POINTER)


class _Event(msgspec.Struct):
    datetime: Any = None
    xxh: Any = None
    profile_id: Any = None


def _events(page: Page) -> list[_Event]:
    try:
        return msgspec.json.decode(page.read(_Listing).data, type=list[_Event])
    except msgspec.ValidationError:
        # events of a shape that nobody expects are rejected one by one, elsewhere
        return []


def _times(page: Page) -> list[object]:
    return [event.datetime for event in _events(page)]


def units(page: Page) -> int:
    """Return how many a page holds of what the limit counts: events, or profiles where there are more events."""
    events = _events(page)
    if len(events) <= page.request.body.get("limit", 0):
        return len(events)
    return _profiles(page)


def _profiles(page: Page) -> int:
    """Return how many profiles the events of a page are of."""
    return len({str(event.xxh or event.profile_id) for event in _events(page)})


def _pages_left(page: Page, name: str) -> float | None:
    """Return how many pages are left: the pointer begins with a profile's hash, and hashes are spread evenly."""
    profile_hash = re.match("[0-9a-f]{16}", _pointer(page, name) or "")
    if not profile_hash:
        return None
    # the page reached this part of all hashes: as many pages are left as the rest holds such parts
    return 2**64 / max(1, int(profile_hash[0], 16)) - 1


def _max_slices(page: Page) -> int:
    """Return how many slices pay.

    A page is said to hold the events of so many profiles, however many events each has; who has some
    in every slice is on a page of each. Such slices save no requests but share heavy pages out: at a
    few requests a second, one for each megabyte costs no time.
    """
    counts_profiles = len(_times(page)) > page.request.body["limit"]
    if not counts_profiles:
        return _SLICES
    return min(_SLICES, len(page.body) // _MEGABYTE)


def _span(request: Request) -> Span:
    return Span(unix_seconds(request.body["date_from"]), unix_seconds(request.body["date_to"]))


def _within(request: Request, since: int | None, until: int | None) -> Request:
    """Ask for the same history from a day to a day; both ends are never open."""
    return request.with_body(date_from=_day(since or 0), date_to=_day(until or 0), from_id="")


def _day(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).date().isoformat()


def history_by(name: str) -> Paginator:
    """Return how the history is followed whose next page stands under that name."""
    # whether the last day is in or out is not documented:
    # each slice begins on the last day of the one before
    return time_slices(
        records_by(name),
        times=_times,
        span=_span,
        cut=_within,
        pages_left=partial(_pages_left, name=name),
        step=86_400,
        max_slices=_max_slices,
    )


history = history_by(POINTER)
