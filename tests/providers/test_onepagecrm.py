"""Paging contacts past the wall, against a list in memory."""

import datetime as dt
import json
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.connector.page import Page
from crmlab.connector.request import Request
from crmlab.providers.onepagecrm import PROVIDER, pages

NOW = 1_790_000_000
#: groups of contacts as (seconds before now, how many, seconds between them; 0: an import in one second)
GROUPS = st.lists(
    st.tuples(
        st.integers(3_000, 100_000_000),
        st.integers(1, 450),
        st.sampled_from([0, 0.01, 0.3, 1, 60, 5_000]),
    ),
    min_size=1,
    max_size=5,
)


def moments(groups: list[tuple[int, int, float]]) -> list[int]:
    return [
        NOW - max(0, before - int(n * step))
        for before, number, step in groups
        for n in range(number)
    ]


#: contacts that can be reached by page number, of a service that has few
WALL = 200
paging = pages.contact_paging(WALL)


def answer(created: list[int], request: Request, *, filters: bool = True) -> Page:
    """What OnePageCRM says, as documented."""
    everything = sorted(enumerate(created), key=lambda pair: pair[1])
    if request.path.startswith("/contacts/cascade"):
        ids = [str(n) for n, _ in everything]
        start = ids.index(request.path.rsplit("/", 1)[1]) + 1 if request.path.count("/") == 3 else 0
        batch = everything[start : start + 100]
        counts = {"items_left": max(0, len(everything) - start - 100)}
    else:
        asked = request.params
        if filters and "since" in asked:
            everything = [
                pair for pair in everything if int(asked["since"]) <= pair[1] <= int(asked["until"])
            ]
        number = int(asked["page"])
        assert number * 100 <= WALL, "no page number reaches beyond the wall"
        batch = everything[(number - 1) * 100 : number * 100]
        counts = {"total_count": len(everything), "max_page": -(-len(everything) // 100)}
    contacts = [{"contact": {"id": str(n), "created_at": iso(at)}} for n, at in batch]
    body = {"status": 0, "timestamp": NOW, "data": {"contacts": contacts, **counts}}
    return Page(request=request, status=200, headers={}, body=json.dumps(body).encode())


def iso(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def visited(created: list[int], *, filters: bool = True) -> tuple[set[str], list[Request]]:
    """The ids that paging brings, and what was asked."""
    order = {"sort_by": "created_at", "order": "asc", "page": "1", "per_page": "100"}
    waiting = deque([Request(path="/contacts", params={"team": "true", **order})])
    asked: dict[str, Request] = {}
    ids: set[str] = set()
    while waiting:
        request = waiting.popleft()
        if request.key in asked:
            continue
        asked[request.key] = request
        page = answer(created, request, filters=filters)
        ids |= {item["contact"]["id"] for item in json.loads(page.body)["data"]["contacts"]}
        waiting += paging(page)
    return ids, list(asked.values())


@given(GROUPS)
def test_every_contact_is_reached_whenever_it_was_created(
    groups: list[tuple[int, int, float]],
) -> None:
    created = moments(groups)

    ids, asked = visited(created)

    assert ids == {str(n) for n in range(len(created))}
    assert len(asked) <= 2 * (len(created) // 100) + 30 * len(groups)


@settings(max_examples=20)
@given(GROUPS)
def test_a_service_that_does_not_filter_by_time_is_read_by_the_cascade(
    groups: list[tuple[int, int, float]],
) -> None:
    created = moments(groups)

    ids, asked = visited(created, filters=False)

    assert ids == {str(n) for n in range(len(created))}
    assert len(asked) < 300


def test_up_to_the_wall_the_pages_are_asked_by_number() -> None:
    _, asked = visited([NOW - n for n in range(200)])

    assert [request.params["page"] for request in asked] == ["1", "2"]


def test_only_the_whole_list_counts_as_what_is_expected() -> None:
    _, asked = visited([NOW - 1000 * n for n in range(450)])

    assert [request.path for request in asked if not request.partial] == ["/contacts"]


def test_contacts_are_asked_of_the_whole_team() -> None:
    _, asked = visited([NOW - 1000 * n for n in range(450)] + [NOW - 5] * 250)

    assert {request.params.get("team") for request in asked} == {"true"}
    assert PROVIDER.resource("contacts").follow is pages.contact_pages


@pytest.mark.parametrize("count", [90, 200, 450, 2000])
def test_how_many_requests_follow_is_told_by_the_first_answer(count: int) -> None:
    created = [NOW - 1000 * n for n in range(count)]
    _, asked = visited(created)

    told = paging.more(answer(created, asked[0]))

    assert told == len(asked) - 1 if count <= WALL else abs(told - len(asked) + 1) <= len(asked) / 2
