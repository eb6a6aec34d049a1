"""A list that only a cursor leads through, cut into slices of time, side by side. Pure, without state.

Nothing depends on the order of the list being what it seems: the slices together always cover all
that was asked for, the first answer included, each is followed by its own cursor to its end, and what
comes twice is dropped by its key. A wrong guess of how long the list is costs requests, never records.

The service's rate limit is the clock, and every slice ends with a page that is partly filled: a list
is cut only where at least two slices of `WORTH` pages seem to be left, so that long lists cost a
quarter more at most, and short ones nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise

from crmlab.connector.page import Page
from crmlab.connector.paging import Paginator
from crmlab.connector.request import Request

#: pages that a slice should hold
WORTH = 4
#: slices that a list is cut into at most
MAX_SLICES = 16
#: pages that are guessed to be left where nothing tells
_GUESS = 16
#: the tag of what is older than all slices: the newest time that its list began with
_NEWEST = "newest"

Span = tuple[int | None, int | None]


def time_slices(
    pages: Paginator,
    *,
    times: Callable[[Page], Iterable[object]],
    span: Callable[[Request], Span],
    cut: Callable[[Request, int | None, int | None], Request],
    left: Callable[[Page], float | None] = lambda page: None,
    step: int = 1,
    overlap: int = 0,
    max_slices: Callable[[Page], int] = lambda page: MAX_SLICES,
) -> Paginator:
    """Cut what a first answer announces into slices, and follow each of them by `pages`.

    Parameters
    ----------
    times
        When the records of a page happened, as ISO 8601 text and in their order.
    span
        The period that a request asks for, in seconds since 1970; None: open.
    cut
        The same request for another period.
    left
        How many pages seem to be left, where the pages are in no order of time.
    step, overlap
        The seconds that edges are multiples of, and by which slices that touch overlap.
    max_slices
        Slices that the list of a first answer is cut into at most.
    """

    def follow(page: Page) -> Iterable[Request]:
        following = list(pages.follow(page))
        if not following or page.request.partial:
            return following
        return slice_by_slice(page) or [_part(request) for request in following]

    def slice_by_slice(page: Page) -> list[Request]:
        since, until = span(page.request)
        seen = [found for each in times(page) if (found := unix_seconds(each)) is not None]
        newest = int(page.request.tags.get(_NEWEST, max(seen, default=0)))
        served = int(page.sent_at.timestamp()) if page.sent_at else None  # no clock of our own is trusted
        period = since, _earliest(until, served)
        edges, older = _edges(seen, period, newest=newest, left=left(page), step=step, max_slices=max_slices(page))
        inner = sorted({edge - edge % step for edge in edges})
        bounds = [edge for edge in inner if (since is None or since < edge) and (until is None or edge < until)]
        parts = [
            _part(cut(page.request, start, stop if stop is None or stop == until else stop + overlap))
            for start, stop in pairwise([since, *bounds, until])
        ]
        if older:
            parts[0] = replace(parts[0], tags={**page.request.tags, _NEWEST: str(newest)}, partial=False)
        # a part that asks for all again would count as asked, and its other pages be lost
        return parts if bounds and page.request.key not in {part.key for part in parts} else []

    def more(page: Page) -> int | None:
        return pages.more(page) if page.request.partial or pages.more(page) == 0 else None

    return Paginator(strategy="slices of time side by side", follow=follow, more=more)


def _edges(
    seen: list[int], period: Span, *, newest: int, left: float | None, step: int, max_slices: int
) -> tuple[list[int], bool]:
    """Return where to cut, judged by a page's times, and whether what is older has to be cut again."""
    low, high = min(seen, default=0), max(seen, default=0)
    if low == high:
        return [], False
    since, until = period
    slice_ = WORTH * max(step, high - low)
    if seen == sorted(seen):
        return _even(high, max(high, until or high), slice_, max_slices), False
    if seen == sorted(seen, reverse=True):
        if since is not None:
            return _even(low, min(low, since), slice_, max_slices), False
        # nobody knows how far back it goes: as far again as it came until here, and on from there
        back = max(0, low - max(slice_, newest - low))
        return [*_even(low, back, slice_, max_slices), back], True
    count = min(max_slices, int((_GUESS if left is None else left) / WORTH), (high - low) // (WORTH * step))
    ranked = sorted(seen)  # a sample of all times: its quantiles make slices of equal length
    return [ranked[len(ranked) * i // count] for i in range(1, count)], False


def _even(near: int, far: int, slice_: int, max_slices: int) -> list[int]:
    """Cut the time between two ends evenly into as many slices as it is worth."""
    count = min(max_slices, abs(far - near) // slice_)
    return [near + (far - near) * i // count for i in range(1, count)]


def _part(request: Request) -> Request:
    """Mark what is not cut again."""
    return replace(request, partial=True)


def _earliest(*times: int | None) -> int | None:
    return min((time for time in times if time is not None), default=None)


def unix_seconds(text: object) -> int | None:
    """Return ISO 8601 text as whole seconds since 1970; None for what is before, as an empty time in year 1."""
    try:
        moment = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
    return int(since) if since >= 0 else None
