"""Paginators, driven by servers that are pure functions."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.connector.page import Page
from crmlab.connector.paging import (
    PageSize,
    Paginator,
    chain,
    cursor,
    link_parts,
    linked,
    may_be_full,
    numbered,
    one_answer,
    pointer,
    until_empty,
    widening,
)
from crmlab.connector.request import Request
from crmlab.errors import PagingError

Server = Callable[[Request], dict[str, Any]]


def answer(request: Request, body: dict[str, Any]) -> Page:
    return Page(request=request, status=200, headers={}, body=json.dumps(body).encode())


def crawl(
    follow: Paginator, serve: Server, order: random.Random, first: Request | None = None
) -> list[Request]:
    """Ask as the fetcher does, whatever was asked already dropped; answers come in any order."""
    waiting = [first or Request(path="/list")]
    asked, visited = {waiting[0].key}, []
    while waiting:
        request = waiting.pop(order.randrange(len(waiting)))
        visited.append(request)
        for following in follow(answer(request, serve(request))):
            if following.key not in asked:
                asked.add(following.key)
                waiting.append(following)
    return visited


def pages(visited: list[Request], param: str = "page") -> Counter[int]:
    return Counter(int(request.params.get(param, 1)) for request in visited)


def last(page: Page) -> int:
    return int(page.read(dict)["last"])


def is_empty(page: Page) -> bool:
    return not page.read(dict)["data"]


def test_a_list_that_comes_whole_is_asked_once() -> None:
    assert crawl(one_answer, lambda request: {}, random.Random(1)) == [Request(path="/list")]


@given(count=st.integers(0, 250), order=st.randoms())
def test_every_numbered_page_is_asked_for_exactly_once(count: int, order: random.Random) -> None:
    visited = crawl(numbered(last), lambda request: {"last": count}, order)

    assert pages(visited) == Counter(range(1, max(1, count) + 1))


@given(count=st.integers(1, 60), after=st.integers(1, 60), order=st.randoms())
def test_a_list_that_grows_by_a_page_while_it_is_read_is_followed(
    count: int, after: int, order: random.Random
) -> None:
    answers = 0

    def serve(request: Request) -> dict[str, Any]:
        nonlocal answers
        answers += 1
        return {"last": count + (count > 1 and answers > min(after, count - 1))}

    visited = crawl(numbered(last), serve, order)

    assert pages(visited) == Counter(range(1, count + 1 + (count > 1)))


def test_a_later_page_number_is_counted_under_its_own_name() -> None:
    visited = crawl(
        numbered(last, param="page[number]"), lambda request: {"last": 3}, random.Random(1)
    )

    assert pages(visited, "page[number]") == Counter([1, 2, 3])


@given(count=st.integers(0, 200), max_window=st.sampled_from([1, 2, 4, 8, 16]), order=st.randoms())
def test_a_widening_list_is_asked_to_its_end_and_little_past_it(
    count: int, max_window: int, order: random.Random
) -> None:
    def serve(request: Request) -> dict[str, Any]:
        return {"data": [1] if int(request.params.get("page", 1)) <= count else []}

    asked = pages(crawl(widening(is_empty, max_window=max_window), serve, order))

    assert set(asked.values()) == {1}
    assert set(range(1, count + 1)) <= set(asked)
    assert max(asked) == len(asked) <= max(1, count + max_window)


def test_a_list_without_end_is_a_paging_error_and_not_a_loop() -> None:
    with pytest.raises(PagingError, match=r"/list does not end: page 1,000 still holds"):
        crawl(widening(is_empty, max_pages=1000), lambda request: {"data": [1]}, random.Random(1))


@pytest.mark.parametrize("max_window", [0, -1, 3, 6, 12])
def test_a_window_that_would_leave_pages_out_is_refused(max_window: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        widening(is_empty, max_window=max_window)


def test_a_paginator_says_what_it_does_and_how_much_it_will_be() -> None:
    def first(**body: Any) -> Page:
        return answer(Request(path="/list"), body)

    by_cursor = cursor(lambda page: page.read(dict)["next"], place)
    known = [
        (one_answer, first(), 0),
        (numbered(last), first(last=0), 0),
        (numbered(last), first(last=7), 6),
        (by_cursor, first(next=None), 0),
        (by_cursor, first(next="more"), None),
        (widening(is_empty), first(data=[]), 0),
        (widening(is_empty), first(data=[1]), None),
    ]

    assert [paginator.more(page) for paginator, page, _ in known] == [more for _, _, more in known]
    assert len({paginator.strategy for paginator, _, _ in known}) == 4


def place(request: Request, token: str) -> Request:
    return request.with_params(cursor=token)


@given(count=st.integers(1, 100), order=st.randoms())
def test_a_cursor_leads_through_each_page_once(count: int, order: random.Random) -> None:
    def serve(request: Request) -> dict[str, Any]:
        number = int(request.params.get("cursor", 0))
        return {"next": str(number + 1) if number + 1 < count else None}

    visited = crawl(cursor(lambda page: page.read(dict)["next"], place), serve, order)

    assert [request.params.get("cursor") for request in visited] == [
        None,
        *map(str, range(1, count)),
    ]


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_cursor_is_the_end(nothing: str | None) -> None:
    assert (
        len(crawl(cursor(lambda page: nothing, place), lambda request: {}, random.Random(1))) == 1
    )


def test_a_cursor_that_points_back_at_itself_ends() -> None:
    visited = crawl(cursor(lambda page: "same", place), lambda request: {}, random.Random(1))

    assert [request.params for request in visited] == [{}, {"cursor": "same"}]


def test_a_page_size_is_made_smaller_wherever_it_stands_and_left_out_at_last() -> None:
    in_query = Request(path="/list", params={"limit": "1000", "type": "a"})
    in_body = Request(path="/list", method="POST", body={"limit": 1000, "from_id": ""})

    queries = [request.params for request in PageSize(name="limit").smaller(in_query)]
    bodies = [request.body for request in PageSize(name="limit", in_body=True).smaller(in_body)]

    assert [params.get("limit") for params in queries] == ["500", "250", "100", None]
    assert all(params["type"] == "a" for params in queries)
    assert bodies == [{"limit": size, "from_id": ""} for size in (500, 250, 100)] + [
        {"from_id": ""}
    ]
    assert list(PageSize(name="per_page").smaller(in_query)) == []


def test_pages_that_nobody_can_read_are_refused_and_not_listed() -> None:
    with pytest.raises(PagingError, match="/list tells of 1,000,000,000 pages"):
        numbered(last)(answer(Request(path="/list"), {"last": 10**9}))


@pytest.mark.parametrize(
    "link",
    [
        "?page=2",
        "/users?page=2",
        "https://api.example.com/v1/users?page=2",
        "http://api.example.com/users?page=2",
        "https://thief.example.com/users?page=2",
        "http://169.254.169.254/users?page=2",
        "//10.0.0.1/users?page=2",
        "https://thief@api.example.com/users?page=2",
    ],
)
def test_a_link_is_followed_on_the_host_that_was_asked_whatever_it_names(link: str) -> None:
    assert linked(Request(path="/users"), link) == Request(path="/users", params={"page": "2"})


@pytest.mark.parametrize(
    "link",
    ["/admin?page=2", "http://[::1/users", r"\\thief\users?page=2", "javascript:users", "..//"],
)
def test_a_link_that_leads_elsewhere_is_not_followed(link: str) -> None:
    with pytest.raises(PagingError, match="is not followed"):
        linked(Request(path="/users"), link)


# ---- what a paginator says of itself ------------------------------------------------------------

FIRST = Request(path="/list")


def test_a_list_that_comes_whole_says_that_nothing_follows() -> None:
    page = answer(FIRST, {})

    assert (one_answer.more(page), one_answer.max_barren, one_answer.min_more) == (0, 20, 0)
    assert one_answer.max_pages == 10_000
    assert (one_answer.next_if_full, one_answer.empty_is_end) == (False, False)
    assert not one_answer.proves_no_end(page)
    assert not one_answer.is_chain(page)
    assert (*one_answer.further(page), *one_answer.onward(FIRST)) == ()


def test_what_is_taken_out_of_a_list_is_asked_for_until_nothing_comes() -> None:
    taking = until_empty(is_empty)
    [second] = taking(answer(FIRST, {"data": [1]}))
    [third] = taking(answer(second, {"data": [1]}))

    assert (second.turn - FIRST.turn, third.turn - second.turn) == (1, 1)
    assert list(taking(answer(third, {"data": []}))) == []
    assert taking.is_chain(answer(FIRST, {}))
    assert taking.more(answer(FIRST, {"data": [1]})) is None


def test_numbered_pages_say_how_many_follow_and_the_last_is_sent_last() -> None:
    paged = numbered(lambda page: page.read(dict).get("last"), max_pages=4)
    page = answer(FIRST, {"last": 4})
    requests = list(paged(page))

    assert [int(request.params["page"]) for request in requests] == [2, 3, 4]
    assert [request.send_last for request in requests] == [False, False, True]
    assert paged.more(page) == 3
    assert paged.more(answer(requests[0], {"last": 4})) == 2
    assert paged.more(answer(requests[2], {"last": 1})) == 0
    assert (paged.more(answer(FIRST, {})), list(paged(answer(FIRST, {})))) == (None, [])
    assert (paged.param, paged.next_if_full) == ("page", True)
    # a later page asks only for what came in the meantime
    assert [int(request.params["page"]) for request in paged(answer(requests[1], {"last": 4}))] == [
        3,
        4,
    ]
    # and the last of those is sent last, whichever page told of them
    grown = list(paged(answer(requests[2], {"last": 4})))
    assert [request.send_last for request in grown] == [False, True]
    [second] = paged(answer(requests[0], {"last": 2}))
    assert second.params["page"] == "2"
    with pytest.raises(PagingError, match="tells of 5 pages; more than 4 are not read"):
        paged(answer(FIRST, {"last": 5}))


def test_many_pages_are_read_unless_they_are_more_than_anybody_has() -> None:
    assert len(list(numbered(last)(answer(FIRST, {"last": 10_000})))) == 9_999
    with pytest.raises(PagingError, match="more than 10,000"):
        numbered(last)(answer(FIRST, {"last": 10_001}))


def test_a_list_of_ten_thousand_pages_that_goes_on_has_no_end() -> None:
    def page(number: int) -> Page:
        return answer(FIRST.with_params(page=number), {"data": [1]})

    assert list(widening(is_empty)(page(9_999))) == []
    with pytest.raises(PagingError, match="page 10,000 still holds something"):
        widening(is_empty)(page(10_000))


@pytest.mark.parametrize(("empty_is_end", "max_barren"), [(True, 2), (False, 20)])
def test_a_cursor_leads_on_and_says_whether_an_empty_page_is_the_end(
    *, empty_is_end: bool, max_barren: int
) -> None:
    def place(request: Request, token: str) -> Request:
        return request.with_params(after=token)

    paged = cursor(lambda page: page.read(dict).get("next"), place, empty_is_end=empty_is_end)
    going, ended = answer(FIRST, {"next": "t"}), answer(FIRST, {"next": ""})

    assert [request.params["after"] for request in paged(going)] == ["t"]
    assert list(paged(ended)) == []
    assert (paged.more(going), paged.more(ended)) == (None, 0)
    assert (paged.max_barren, paged.empty_is_end) == (max_barren, empty_is_end)
    assert paged.is_chain(going)


def test_without_a_word_an_empty_page_is_no_end() -> None:
    plain = [cursor(lambda page: None, lambda request, token: request), chain(lambda page: None)]

    assert [(each.max_barren, each.empty_is_end) for each in plain] == [(20, False)] * 2


@pytest.mark.parametrize(
    ("value", "named"),
    [
        *[
            (nothing, None)
            for nothing in (
                None,
                False,
                [],
                {},
                "",
                " ",
                "null",
                " None ",
                "nil",
                "FALSE",
                "undefined",
            )
        ],
        ("abc", "abc"),
        (" abc ", "abc"),
        (0, "0"),
        (7, "7"),
        (7.0, "7"),
    ],
)
def test_what_names_the_next_page_is_text_or_a_whole_number(
    value: object, named: str | None
) -> None:
    assert pointer(value) == named


@pytest.mark.parametrize("value", [True, 1.5, [1], {"a": 1}])
def test_what_says_that_there_is_a_page_and_not_which_is_told(value: object) -> None:
    with pytest.raises(PagingError, match=f"but a {type(value).__name__}"):
        pointer(value)


def test_a_link_is_read_in_its_parts() -> None:
    assert link_parts(" https://host.example/list?page=2 ").query == "page=2"
    with pytest.raises(PagingError, match="is none, so it is not followed"):
        link_parts("https://[host")


def test_a_link_without_a_value_keeps_its_parameter() -> None:
    assert linked(FIRST, "/api/list/?after=&page=2").params == {"after": "", "page": "2"}
    assert linked(FIRST, "?page=3").params == {"page": "3"}


@pytest.mark.parametrize(("path", "link"), [("/list", "/list~?page=2"), ("/list~", "/list?page=2")])
def test_only_a_slash_at_the_end_of_a_path_says_nothing(path: str, link: str) -> None:
    assert linked(Request(path="/list/"), "/list?page=2").params == {"page": "2"}
    with pytest.raises(PagingError, match="is not followed"):
        linked(Request(path=path), link)


@pytest.mark.parametrize(
    ("max_window", "refused"), [(1, False), (8, False), (0, True), (6, True), (-4, True)]
)
def test_windows_are_powers_of_two(max_window: int, *, refused: bool) -> None:
    if refused:
        with pytest.raises(ValueError, match=f"not {max_window}"):
            widening(is_empty, max_window=max_window)
    else:
        widening(is_empty, max_window=max_window)


def test_windows_grow_until_an_empty_page_and_say_that_nobody_knows_how_many_follow() -> None:
    paged = widening(is_empty, max_window=4, max_pages=16)

    def following(number: int) -> list[int]:
        asked = FIRST.with_params(page=number)
        return [int(request.params["page"]) for request in paged(answer(asked, {"data": [1]}))]

    assert [following(number) for number in (1, 2, 3, 4)] == [[2], [3, 4], [], [5, 6, 7, 8]]
    assert [following(number) for number in (5, 8, 12)] == [[], [9, 10, 11, 12], [13, 14, 15, 16]]
    assert [int(request.params["page"]) for request in paged.onward(FIRST.with_params(page=2))] == [
        3,
        4,
    ]
    assert (paged.more(answer(FIRST, {"data": []})), paged.more(answer(FIRST, {"data": [1]}))) == (
        0,
        None,
    )
    assert (paged.param, following(15)) == ("page", [])
    with pytest.raises(PagingError, match="page 16 still holds something"):
        following(16)


@pytest.mark.parametrize(
    ("height", "is_full"),
    [
        (0, False),
        (1, False),
        (9, False),
        (100, True),
        (99, False),
        (101, False),
        (200, True),
        (1000, True),
    ]
    + [(height, True) for height in (10, 20, 25, 30, 40, 50)],
)
def test_pages_of_usual_sizes_may_be_full(height: int, *, is_full: bool) -> None:
    assert may_be_full(height) is is_full


@pytest.mark.parametrize("in_body", [True, False])
def test_pages_are_made_smaller_by_and_by_and_at_last_as_the_service_likes(
    *, in_body: bool
) -> None:
    size = PageSize(name="limit", in_body=in_body)
    asked = (
        replace(FIRST, body={"limit": 10, "of": "x"})
        if in_body
        else FIRST.with_params(limit=10, of="x")
    )

    smaller = list(size.smaller(asked))

    assert size.of(asked) == 10
    assert [size.of(request) for request in smaller] == [5, 2, 1, None]
    held = smaller[-1].body if in_body else smaller[-1].params
    assert held == {"of": "x"}
    assert size.of(FIRST) is None
    assert list(size.smaller(FIRST)) == []
    assert size.of(size.sized(FIRST, 3)) == 3


def test_each_way_to_read_a_list_is_called_in_plain_words() -> None:
    ways = [
        one_answer,
        until_empty(is_empty),
        numbered(last),
        chain(lambda page: None),
        widening(is_empty),
    ]

    assert [way.strategy for way in ways] == [
        "one answer",
        "asked again until nothing is left",
        "pages side by side",
        "page after page",
        "pages until an empty one",
    ]
    assert one_answer.param == ""
