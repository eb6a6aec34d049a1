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

import msgspec

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
    slicer = _Slicer(
        pages=pages,
        times=times,
        span=span,
        cut=cut,
        pages_left=pages_left,
        step=step,
        overlap=overlap,
        max_slices=max_slices,
    )
    return replace(
        pages,
        strategy="slices of time side by side",
        follow=slicer.follow,
        more=slicer.more,
        further=slicer.further,
    )


class _Slicer(msgspec.Struct, frozen=True, kw_only=True):
    """What `time_slices` is told, and the parts of the paginator that it makes of it."""

    pages: Paginator
    times: Callable[[Page], Iterable[object]]
    span: Callable[[Request], Span]
    cut: Callable[[Request, int | None, int | None], Request]
    pages_left: Callable[[Page], float | None]
    step: int
    overlap: int
    max_slices: Callable[[Page], int]

    def follow(self, page: Page) -> Iterable[Request]:
        """Return the slices that a first answer announces; of a slice, what its cursor names."""
        following = list(self.pages.follow(page))
        if not following or page.request.partial:
            return following
        slices = self._slices_of(page)
        if slices:
            return slices
        return [replace(request, partial=True) for request in following]

    def more(self, page: Page) -> int | None:
        """Return how many requests follow, where the answer tells: those of slices nothing does."""
        will_follow = self.pages.more(page)
        if page.request.partial or will_follow == 0:
            return will_follow
        return None

    def further(self, page: Page) -> list[Request]:
        """Return what asks by its time for what would come after a page that names no other one."""
        period = self.span(page.request)
        periods = _further(_moments(self.times(page)), period, step=self.step, overlap=self.overlap)
        return [replace(self.cut(page.request, *part), partial=True) for part in periods]

    def _slices_of(self, page: Page) -> list[Request]:
        """Return a request for each slice of what was asked; none where cutting does not pay."""
        period = self.span(page.request)
        moments = _moments(self.times(page))
        newest = int(page.request.tags.get(_NEWEST, max(moments, default=0)))
        list_cuts = _cuts(
            moments,
            _until_served(period, page),
            newest=newest,
            pages_left=self.pages_left(page),
            step=self.step,
            max_slices=self.max_slices(page),
        )
        edges = _edges_within(period, list_cuts.edges, self.step)
        if not edges:
            return []
        slices = self._between(page.request, period, edges)
        if list_cuts.is_open:
            # the oldest slice is no part yet: its first answer is cut like that of a whole list
            tags = {**page.request.tags, _NEWEST: str(newest)}
            slices[0] = replace(slices[0], tags=tags, partial=False)

        # a slice that asks for all again would count as asked, and its other pages be lost
        if any(request.key == page.request.key for request in slices):
            return []
        return slices

    def _between(self, request: Request, period: Span, edges: list[int]) -> list[Request]:
        """Return the same request for each time between two edges, which overlap."""
        slices: list[Request] = []
        for since, until in pairwise([period.since, *edges, period.until]):
            end = until
            if until is not None and until != period.until:
                end = until + self.overlap
            slices.append(replace(self.cut(request, since, end), partial=True))
        return slices


def _moments(texts: Iterable[object]) -> list[int]:
    """Return the times that can be read, in their order."""
    moments = map(unix_seconds, texts)
    return [moment for moment in moments if moment is not None]


def _until_served(period: Span, page: Page) -> Span:
    """Return the period up to the moment of the answer at most, by the service's clock: ours may be wrong."""
    if page.sent_at is None:
        return period
    served = int(page.sent_at.timestamp())
    return Span(period.since, _earliest(served, period.until))


def _further(moments: list[int], period: Span, *, step: int, overlap: int) -> list[Span]:
    """Return the periods in which more would be found, if a page were not the last of its list.

    After it in a list that is in order of time, a half of the period each in one that is not, and on both sides of
    a moment that fills the page: what else there is of that very moment no period can tell.
    """
    if not moments:
        return []
    edges = [_floor(moment, step) for moment in moments]
    last_edge = edges[-1]
    if len(set(edges)) == 1:
        return _around(last_edge, period, step)
    if edges == sorted(edges):
        next_since = last_edge - overlap
        if period.since is not None and next_since <= period.since:
            next_since = last_edge  # as long a period again would never end
        return [Span(next_since, period.until)]
    if edges == sorted(edges, reverse=True):
        for next_until in (last_edge + step + overlap, last_edge + step):
            if period.until is None or next_until < period.until:
                return [Span(period.since, next_until)]
        return [Span(period.since, last_edge)]
    middle = sorted(edges)[len(edges) // 2]
    return [
        Span(period.since, _earliest(middle + overlap, period.until)),
        Span(_latest(middle - overlap, period.since), period.until),
    ]


def _earliest(moment: int, until: int | None) -> int:
    return moment if until is None else min(moment, until)


def _latest(moment: int, since: int | None) -> int:
    return moment if since is None else max(moment, since)


def _around(moment: int, period: Span, step: int) -> list[Span]:
    """Return what is before and after a moment, with it and without: whether edges belong to a period is not known."""
    touching_spans = [
        Span(period.since, moment),
        Span(period.since, moment - step),
        Span(moment, period.until),
        Span(moment + step, period.until),
    ]
    return [span for span in touching_spans if not _is_empty(span)]


def _is_empty(span: Span) -> bool:
    return span.since is not None and span.until is not None and span.since > span.until


def _floor(moment: int, step: int) -> int:
    return moment - moment % step


def _edges_within(period: Span, edges: Iterable[int], step: int) -> list[int]:
    """Return the edges as multiples of `step`, in order, without those that are not inside the period."""
    within: list[int] = []
    for rounded_edge in sorted({_floor(rounded_edge, step) for rounded_edge in edges}):
        if period.since is not None and rounded_edge <= period.since:
            continue
        if period.until is not None and rounded_edge >= period.until:
            continue
        within.append(rounded_edge)
    return within


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
    oldest_seen = min(moments)
    newest_seen = max(moments)
    slice_seconds = WORTH * max(step, newest_seen - oldest_seen)

    is_ascending = moments == sorted(moments)
    if is_ascending:
        return _Cuts(
            _evenly(
                newest_seen,
                max(newest_seen, period.until or newest_seen),
                slice_seconds,
                max_slices,
            )
        )

    is_descending = moments == sorted(moments, reverse=True)
    if is_descending and period.since is not None:
        return _Cuts(
            _evenly(oldest_seen, min(oldest_seen, period.since), slice_seconds, max_slices)
        )
    if is_descending:
        # nobody knows how far back it goes: as far again as it came until here, and on from there
        oldest = max(0, oldest_seen - max(slice_seconds, newest - oldest_seen))
        return _Cuts(
            [*_evenly(oldest_seen, oldest, slice_seconds, max_slices), oldest], is_open=True
        )

    guessed = _GUESSED_PAGES if pages_left is None else pages_left
    count = min(max_slices, int(guessed / WORTH), (newest_seen - oldest_seen) // (WORTH * step))
    return _Cuts(_quantiles(moments, count))


def _evenly(near: int, far: int, slice_seconds: int, max_slices: int) -> list[int]:
    """Return the edges that cut the time between two ends evenly, into as many slices as it is worth."""
    slice_count = min(max_slices, abs(far - near) // slice_seconds)
    return [near + (far - near) * number // slice_count for number in range(1, slice_count)]


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
    if since_1970 < 0:
        return None
    return since_1970
