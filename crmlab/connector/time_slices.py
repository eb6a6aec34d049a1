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
from typing import NamedTuple

from crmlab.connector.page import Page
from crmlab.connector.paging import Paginator
from crmlab.connector.request import Request

#: pages that a slice should hold
WORTH = 4
#: slices that a list is cut into at most
MAX_SLICES = 16
#: pages that are guessed to be left where nothing tells
_GUESSED_PAGES = 16
#: the tag of what is older than all slices: the newest time that its list began with
_NEWEST = "newest"


class Span(NamedTuple):
    """The period that a request asks for, in whole seconds since 1970; None where it is open."""

    since: int | None
    until: int | None


class _Cuts(NamedTuple):
    """Where a list is cut, in seconds since 1970.

    `is_open`: nobody knows how far back it goes, so that what is older than all edges is cut again.
    """

    edges: list[int]
    is_open: bool = False


def time_slices(
    pages: Paginator,
    *,
    times: Callable[[Page], Iterable[object]],
    span: Callable[[Request], Span],
    cut: Callable[[Request, int | None, int | None], Request],
    pages_left: Callable[[Page], float | None] = lambda page: None,
    step: int = 1,
    overlap: int = 0,
    max_slices: Callable[[Page], int] = lambda page: MAX_SLICES,
) -> Paginator:
    """Return a paginator that cuts what a first answer announces into slices, and follows each by `pages`.

    Parameters
    ----------
    times
        When the records of a page happened, as ISO 8601 text and in their order.
    span
        The period that a request asks for.
    cut
        The same request for another period, from its first page.
    pages_left
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
        slices = slices_of(page)
        if slices:
            return slices
        return [replace(request, partial=True) for request in following]

    def slices_of(page: Page) -> list[Request]:
        """Return a request for each slice of what was asked; none where cutting does not pay."""
        asked = page.request
        period = span(asked)
        moments = _moments(times(page))
        newest = int(asked.tags.get(_NEWEST, max(moments, default=0)))
        cuts = _cuts(
            moments,
            _until_served(period, page),
            newest=newest,
            pages_left=pages_left(page),
            step=step,
            max_slices=max_slices(page),
        )

        edges = _edges_within(period, cuts.edges, step)
        slices = []
        for start, stop in pairwise([period.since, *edges, period.until]):
            end = stop if stop is None or stop == period.until else stop + overlap
            slices.append(replace(cut(asked, start, end), partial=True))
        if cuts.is_open:
            # the oldest slice is no part yet: its first answer is cut like that of a whole list
            slices[0] = replace(slices[0], tags={**asked.tags, _NEWEST: str(newest)}, partial=False)

        # a slice that asks for all again would count as asked, and its other pages be lost
        asks_again = any(each.key == asked.key for each in slices)
        return [] if asks_again or not edges else slices

    def more(page: Page) -> int | None:
        will_follow = pages.more(page)
        return will_follow if page.request.partial or will_follow == 0 else None

    def further(page: Page) -> list[Request]:
        periods = _further(_moments(times(page)), span(page.request), step=step, overlap=overlap)
        return [replace(cut(page.request, *period), partial=True) for period in periods]

    return replace(
        pages, strategy="slices of time side by side", follow=follow, more=more, further=further
    )


def _moments(texts: Iterable[object]) -> list[int]:
    """Return the times that can be read, in their order."""
    moments = map(unix_seconds, texts)
    return [moment for moment in moments if moment is not None]


def _until_served(period: Span, page: Page) -> Span:
    """Return the period up to the moment of the answer at most, by the service's clock: ours may be wrong."""
    if page.sent_at is None:
        return period
    served = int(page.sent_at.timestamp())
    return Span(period.since, served if period.until is None else min(served, period.until))


def _further(moments: list[int], period: Span, *, step: int, overlap: int) -> list[Span]:
    """Return the periods in which more would be found, if a page were not the last of its list.

    After it in a list that is in order of time, a half of the period each in one that is not, and on both sides of
    a moment that fills the page: what else there is of that very moment no period can tell.
    """
    if not moments:
        return []
    edges = [_floor(moment, step) for moment in moments]
    last = edges[-1]
    if len(set(edges)) == 1:
        return _around(last, period, step)
    if edges == sorted(edges):
        is_shorter = period.since is None or last - overlap > period.since
        return [Span(last - overlap if is_shorter else last, period.until)]
    if edges == sorted(edges, reverse=True):
        ends = (last + step + overlap, last + step)
        shorter = [end for end in ends if period.until is None or end < period.until]
        return [Span(period.since, next(iter(shorter), last))]
    middle = sorted(edges)[len(edges) // 2]
    since = middle - overlap if period.since is None else max(middle - overlap, period.since)
    until = middle + overlap if period.until is None else min(middle + overlap, period.until)
    return [Span(period.since, until), Span(since, period.until)]


def _around(moment: int, period: Span, step: int) -> list[Span]:
    """Return what is before and after a moment, with it and without: whether edges belong to a period is not known."""
    spans = [
        Span(period.since, moment),
        Span(period.since, moment - step),
        Span(moment, period.until),
        Span(moment + step, period.until),
    ]
    return [
        span
        for span in spans
        if span.since is None or span.until is None or span.since <= span.until
    ]


def _floor(moment: int, step: int) -> int:
    return moment - moment % step


def _edges_within(period: Span, edges: Iterable[int], step: int) -> list[int]:
    """Return the edges as multiples of `step`, in order, without those that are not inside the period."""
    rounded = sorted({_floor(edge, step) for edge in edges})
    after_since = [edge for edge in rounded if period.since is None or edge > period.since]
    return [edge for edge in after_since if period.until is None or edge < period.until]


def _cuts(
    moments: list[int],
    period: Span,
    *,
    newest: int,
    pages_left: float | None,
    step: int,
    max_slices: int,
) -> _Cuts:
    """Return where to cut a list, judged by the times of one of its pages."""
    if len(set(moments)) < 2:
        return _Cuts([])
    low = min(moments)
    high = max(moments)
    slice_seconds = WORTH * max(step, high - low)

    is_ascending = moments == sorted(moments)
    if is_ascending:
        return _Cuts(_evenly(high, max(high, period.until or high), slice_seconds, max_slices))

    is_descending = moments == sorted(moments, reverse=True)
    if is_descending and period.since is not None:
        return _Cuts(_evenly(low, min(low, period.since), slice_seconds, max_slices))
    if is_descending:
        # nobody knows how far back it goes: as far again as it came until here, and on from there
        oldest = max(0, low - max(slice_seconds, newest - low))
        return _Cuts([*_evenly(low, oldest, slice_seconds, max_slices), oldest], is_open=True)

    guessed = _GUESSED_PAGES if pages_left is None else pages_left
    count = min(max_slices, int(guessed / WORTH), (high - low) // (WORTH * step))
    return _Cuts(_quantiles(moments, count))


def _evenly(near: int, far: int, slice_seconds: int, max_slices: int) -> list[int]:
    """Return the edges that cut the time between two ends evenly, into as many slices as it is worth."""
    count = min(max_slices, abs(far - near) // slice_seconds)
    return [near + (far - near) * number // count for number in range(1, count)]


def _quantiles(moments: list[int], count: int) -> list[int]:
    """Return the edges of slices that hold equally much: a page in no order is a sample of all times."""
    ranked = sorted(moments)
    return [ranked[len(ranked) * number // count] for number in range(1, count)]


def unix_seconds(text: object) -> int | None:
    """Return ISO 8601 text as whole seconds since 1970; None for what is before, as an empty time in year 1."""
    try:
        moment = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    since_1970 = int(moment.timestamp())
    return since_1970 if since_1970 >= 0 else None
