"""Slices of time, against lists in memory: complete whatever the order, and at a known cost."""

from __future__ import annotations

import datetime as dt
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.connector.page import Page
from crmlab.connector.paging import Paginator, cursor
from crmlab.connector.request import Request
from crmlab.connector.time_slices import Span, _further, time_slices, unix_seconds

NOW = 1_790_000_000
YEAR = 365 * 86_400
ORDERS = ("ascending", "descending", "shuffled", "by block", "by block, newest first")
#: groups of events as (seconds before now, how many, seconds between them; 0: all at once)
GROUPS = st.lists(
    st.tuples(
        st.integers(0, 3 * YEAR),
        st.integers(1, 60),
        st.sampled_from([0, 0.2, 1, 60, 5_000, 300_000]),
    ),
    min_size=1,
    max_size=6,
)


def iso(moment: float) -> str:
    return (
        dt.datetime.fromtimestamp(moment, dt.UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def span(request: Request) -> Span:
    return Span(unix_seconds(request.params.get("from")), unix_seconds(request.params.get("to")))


def within(request: Request, since: int | None, until: int | None) -> Request:
    edges = {name: iso(edge) for name, edge in (("from", since), ("to", until)) if edge is not None}
    return replace(request, params=edges)


def following(page: Page) -> str | None:
    return page.header("next")


@cache
def paginator(**how: Any) -> Paginator:
    """Return what is tried; made when it is first asked for, so that a mutant's is made of the mutant."""
    return time_slices(
        cursor(following, lambda request, token: request.with_params(cursor=token)),
        times=lambda page: page.read(list),
        span=span,
        cut=within,
        **how or {"overlap": 1},
    )


@dataclass
class Service:
    """A list of events, filtered by time, in pages that only a cursor leads through."""

    events: Sequence[tuple[int, float]]
    size: int = 10
    edges: str = "[]"
    filters: bool = True
    dated: bool = True
    #: what stands in place of some events' times
    odd: dict[int, object] = field(default_factory=dict)

    def found(self, request: Request) -> list[tuple[int, float]]:
        since, until = span(request) if self.filters else (None, None)
        return [
            (number, at)
            for number, at in self.events
            if (since is None or at > since or (at == since and self.edges[0] == "["))
            and (until is None or at < until or (at == until and self.edges[1] == "]"))
        ]

    def answer(self, request: Request) -> Page:
        found, start = self.found(request), int(request.params.get("cursor", 0))
        headers = (
            {"date": format_datetime(dt.datetime.fromtimestamp(NOW, dt.UTC), usegmt=True)}
            if self.dated
            else {}
        )
        if start + self.size < len(found):
            headers["next"] = str(start + self.size)
        times = [self.odd.get(number, iso(at)) for number, at in found[start : start + self.size]]
        return Page(request=request, status=200, headers=headers, body=json.dumps(times).encode())


def crawl(
    service: Service, since: int | None = None, until: int | None = None
) -> tuple[list[Request], int]:
    """Ask until nothing follows: return what was asked, and the longest chain of it; check that all came."""
    first = within(Request(path="/events"), since, until)
    waiting, asked, came, longest = [(first, 1)], {}, set(), 0
    while waiting:
        request, depth = waiting.pop(0)
        if request.key in asked:
            continue
        asked[request.key], longest = request, max(longest, depth)
        start = int(request.params.get("cursor", 0))
        came |= {number for number, _ in service.found(request)[start : start + service.size]}
        waiting += [(each, depth + 1) for each in paginator()(service.answer(request))]
    assert came == {number for number, _ in service.found(first)}
    return list(asked.values()), longest


def ordered(moments: list[float], order: str, chance: random.Random) -> list[tuple[int, float]]:
    events = sorted(
        enumerate(moments), key=lambda event: event[1], reverse="desc" in order or "newest" in order
    )
    if order == "shuffled":
        chance.shuffle(events)
    if "block" in order:  # each page looks sorted, the list is not
        blocks = [events[start : start + 15] for start in range(0, len(events), 15)]
        chance.shuffle(blocks)
        events = [event for block in blocks for event in block]
    return events


def spread(pages: int) -> list[float]:
    return [NOW - 3 * YEAR * n / (pages * 10) for n in range(pages * 10)]


@settings(max_examples=300)
@given(
    groups=GROUPS,
    order=st.sampled_from(ORDERS),
    edges=st.sampled_from(["[]", "[)", "(]", "()"]),
    size=st.sampled_from([3, 10]),
    since=st.none() | st.integers(0, 3 * YEAR),
    until=st.none() | st.integers(-YEAR, 3 * YEAR),
    dated=st.booleans(),
    chance=st.randoms(use_true_random=False),
)
def test_every_event_of_the_window_comes_whatever_the_order_of_the_list(
    *,
    groups: list[tuple[int, int, float]],
    order: str,
    edges: str,
    size: int,
    since: int | None,
    until: int | None,
    dated: bool,
    chance: random.Random,
) -> None:
    moments = [NOW - before + n * step for before, number, step in groups for n in range(number)]
    some = {
        chance.randrange(len(moments)): text
        for text in (None, "", "0001-01-01T00:00:00Z", {}, "2999-01-01")
    }
    late = {number: iso(at + chance.randrange(-YEAR, YEAR)) for number, at in enumerate(moments)}
    odd = chance.choice([{}, some, late])  # late: times that are not those it filters by
    events = ordered(moments, order, chance)
    service = Service(events, size=size, edges=edges, dated=dated, odd=odd)
    start, end = (None if before is None else NOW - before for before in (since, until))

    asked, _ = crawl(service, start, end)

    pages = -(-len(service.found(asked[0])) // size)
    # an event on an edge may come twice, the first page does; each cut of a past without beginning costs a round
    rounds = 1 + sum("newest" in request.tags and not request.partial for request in asked)
    assert len(asked) <= 2 * pages + 17 * rounds + 1


@pytest.mark.parametrize("order", ["ascending", "descending", "shuffled"])
@pytest.mark.parametrize("since", [None, NOW - 3 * YEAR], ids=["all", "since"])
@pytest.mark.parametrize("pages", [30, 100, 300])
def test_a_long_list_costs_a_quarter_more_and_is_far_shorter(
    order: str, since: int | None, pages: int
) -> None:
    asked, longest = crawl(Service(ordered(spread(pages), order, random.Random(1))), since)

    most = 1.25 * pages + (2 * 5 if order == "descending" and since is None else 2)
    assert len(asked) <= most
    assert longest <= pages * (0.5 if order == "shuffled" else 0.3)  # ten times are a small sample


@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize("pages", [1, 2, 5, 8])
def test_a_short_list_is_not_cut(order: str, pages: int) -> None:
    service = Service(ordered(spread(pages), order, random.Random(1)))

    asked, longest = crawl(service, NOW - 3 * YEAR)

    assert len(asked) == longest == pages


@pytest.mark.parametrize("pages", [2, 5, 8])
def test_a_short_list_whose_beginning_nobody_knows_costs_little_more(pages: int) -> None:
    asked, _ = crawl(Service(ordered(spread(pages), "descending", random.Random(1))))

    assert len(asked) <= 1.5 * pages + 2


@pytest.mark.parametrize(
    ("moments", "odd"),
    [
        ([NOW - YEAR] * 200, {}),
        (spread(20), dict.fromkeys(range(200), None)),
        (spread(20), dict.fromkeys(range(200), "soon")),
        (spread(20), dict.fromkeys(range(200), "0001-01-01T00:00:00Z")),
    ],
    ids=["one time for all", "none", "no times", "before all times"],
)
def test_events_without_times_to_cut_by_are_read_page_after_page(
    moments: list[float], odd: dict[int, object]
) -> None:
    asked, longest = crawl(Service(ordered(moments, "ascending", random.Random(1)), odd=odd))

    assert len(asked) == longest == 20


@pytest.mark.parametrize("order", ORDERS)
def test_a_service_that_does_not_filter_is_read_to_its_end(order: str) -> None:
    asked, _ = crawl(Service(ordered(spread(20), order, random.Random(1)), filters=False))

    assert len(asked) <= 17 * 20 * 3


def test_without_a_time_of_the_service_an_open_end_is_not_cut() -> None:
    service = Service(ordered(spread(30), "ascending", random.Random(1)), dated=False)

    assert len(crawl(service)[0]) == 30
    assert len(crawl(service, until=NOW)[0]) > 30


def test_slices_cover_the_window_end_to_end_and_the_newest_stays_open() -> None:
    service = Service(ordered(spread(30), "ascending", random.Random(1)))
    first = Request(path="/events", params={"from": iso(NOW - 3 * YEAR)})

    spans = [span(request) for request in paginator()(service.answer(first))]

    assert spans[0][0] == NOW - 3 * YEAR
    assert spans[-1][1] is None
    assert all(start == stop - 1 for (_, stop), (start, _) in pairwise(spans))


def test_what_is_cut_is_not_cut_again() -> None:
    service = Service(ordered(spread(300), "ascending", random.Random(1)))

    parts = list(paginator()(service.answer(Request(path="/events"))))
    followers = [list(paginator()(service.answer(part))) for part in parts]

    assert len(parts) == 16
    assert all(part.partial for part in parts)
    assert all(
        [each.params for each in found] == [{**part.params, "cursor": "10"}]
        for part, found in zip(parts, followers, strict=True)
    )


def test_a_plan_says_how_the_list_is_read() -> None:
    assert paginator().strategy == "slices of time side by side"


def test_only_the_end_is_known_beforehand() -> None:
    service = Service(ordered(spread(2), "ascending", random.Random(1)))
    first = service.answer(Request(path="/events"))
    (last,) = paginator()(first)

    middle = replace(first, request=replace(first.request, partial=True))

    assert (paginator().more(first), paginator().more(service.answer(last))) == (None, 0)
    # of a slice that goes on nobody knows how far, and of a whole list of one page nothing follows
    assert paginator().more(middle) is None
    assert paginator().more(replace(first, headers={})) == 0


def test_what_a_whole_list_says_of_its_length_is_not_that_of_its_slices() -> None:
    counted = replace(cursor(following, lambda request, token: request), more=lambda page: 7)
    pages = time_slices(counted, times=lambda page: [], span=span, cut=within)
    whole = Page(request=Request(path="/events"), status=200, headers={}, body=b"[]")
    part = replace(whole, request=replace(whole.request, partial=True))

    assert (pages.more(whole), pages.more(part)) == (None, 7)


def test_a_list_that_is_not_cut_is_not_cut_on_its_next_page_either() -> None:
    service = Service(ordered(spread(2), "ascending", random.Random(1)), dated=False)

    following_requests = list(paginator()(service.answer(Request(path="/events"))))

    assert [request.partial for request in following_requests] == [True]


def test_two_times_are_enough_to_cut_by() -> None:
    first = within(Request(path="/events"), NOW - YEAR, NOW)
    times = [iso(NOW - YEAR), iso(NOW - YEAR + 86_400)]
    page = Page(request=first, status=200, headers={"next": "2"}, body=json.dumps(times).encode())

    assert len(list(paginator()(page))) == 16


def test_seconds_in_no_order_are_no_more_slices_than_they_fill() -> None:
    first = within(Request(path="/events"), NOW - YEAR, NOW)
    times = [iso(NOW - before) for before in (8, 3, 9, 1, 0, 5, 7, 2)]
    page = Page(request=first, status=200, headers={"next": "2"}, body=json.dumps(times).encode())

    # nine seconds: two slices of four
    assert len(list(paginator()(page))) == 2


def test_a_page_that_may_be_the_last_names_the_periods_of_what_would_come_after_it() -> None:
    first = within(Request(path="/events"), NOW - YEAR, NOW)
    times = [iso(NOW - 400), iso(NOW - 300), iso(NOW - 195)]
    page = Page(request=first, status=200, headers={}, body=json.dumps(times).encode())

    [after] = paginator(overlap=5, step=10).further(page)
    [after_overlapping] = paginator(overlap=5).further(page)
    [after_alone] = paginator(step=1).further(page)

    assert span(after) == Span(NOW - 205, NOW)
    assert span(after_overlapping) == Span(NOW - 200, NOW)
    assert span(after_alone) == Span(NOW - 195, NOW)
    assert after.partial


def test_no_part_is_the_whole_again_which_would_count_as_asked() -> None:
    until = NOW - YEAR
    first = within(Request(path="/events"), None, until)
    late = [
        iso(until + 49),
        iso(until + 39),
    ]  # not the times that it filters by: the edge is a second before `until`
    page = Page(request=first, status=200, headers={"next": "2"}, body=json.dumps(late).encode())

    assert [request.params.get("cursor") for request in paginator()(page)] == ["2"]


# ---- where more would be, if the last page were not the last ------------------------------------

ALWAYS = Span(None, None)


@pytest.mark.parametrize(
    ("moments", "period", "step", "overlap", "spans"),
    [
        ([], ALWAYS, 1, 0, []),
        # in order of time: after the last
        ([10, 20, 30], ALWAYS, 1, 0, [Span(30, None)]),
        ([10, 20, 30], Span(5, 90), 1, 5, [Span(25, 90)]),
        ([10, 20, 30], Span(25, None), 1, 5, [Span(30, None)]),
        ([10, 20, 30], Span(24, None), 1, 5, [Span(25, None)]),
        ([12, 25, 38], ALWAYS, 10, 0, [Span(30, None)]),
        # newest first: before the last
        ([30, 20, 10], ALWAYS, 1, 0, [Span(None, 11)]),
        ([30, 20, 10], Span(3, None), 1, 5, [Span(3, 16)]),
        ([30, 20, 10], Span(None, 16), 1, 5, [Span(None, 11)]),
        ([30, 20, 10], Span(None, 17), 1, 5, [Span(None, 16)]),
        ([30, 20, 10], Span(None, 11), 1, 5, [Span(None, 10)]),
        # of one moment: on both sides of it
        ([10, 10], ALWAYS, 1, 0, [Span(None, 10), Span(None, 9), Span(10, None), Span(11, None)]),
        ([10, 10], Span(10, 10), 1, 0, [Span(10, 10), Span(10, 10)]),
        ([12, 17], Span(0, 90), 10, 0, [Span(0, 10), Span(0, 0), Span(10, 90), Span(20, 90)]),
        # in no order: in both halves
        ([10, 30, 20], ALWAYS, 1, 0, [Span(None, 20), Span(20, None)]),
        ([10, 30, 20], ALWAYS, 1, 5, [Span(None, 25), Span(15, None)]),
        ([10, 30, 20], Span(18, 22), 1, 5, [Span(18, 22), Span(18, 22)]),
        ([10, 40, 20, 30], Span(0, 90), 1, 2, [Span(0, 32), Span(28, 90)]),
    ],
)
def test_more_is_looked_for_where_the_order_of_the_page_says(
    moments: list[int], period: Span, step: int, overlap: int, spans: list[Span]
) -> None:
    assert _further(moments, period, step=step, overlap=overlap) == spans


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01", 1),
        ("1970-01-01T01:00:02+01:00", 2),
        ("1969-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("soon", None),
        (None, None),
    ],
)
def test_times_are_seconds_since_1970_or_unknown(text: object, seconds: int | None) -> None:
    assert unix_seconds(text) == seconds


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process is set on Unix alone")
def test_a_time_without_a_zone_is_of_utc_wherever_the_computer_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert unix_seconds("1970-01-02T00:00:00") == 86_400
    finally:
        monkeypatch.undo()
        time.tzset()
