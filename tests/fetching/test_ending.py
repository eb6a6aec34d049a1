"""Where a list ends, when the service is not as documented: over HTTP, against servers of one handler."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import crmlab
from crmlab.errors import NotFoundError, PagingError
from tests.conftest import Serve, described

FAST = crmlab.Limits(concurrency=4)
TIME = "2026-01-01T00:00:00Z"


def relenta(url: str) -> crmlab.Account:
    return crmlab.Account("relenta", name="north", base_url=url, api_key="k" * 20)


def complero(url: str) -> crmlab.Account:
    return crmlab.Account("complero", base_url=url, api_key="k" * 20)


def onepagecrm(url: str) -> crmlab.Account:
    return crmlab.Account("onepagecrm", base_url=url, user_id="me", api_key="k" * 20)


def altcraft(url: str) -> crmlab.Account:
    return crmlab.Account(
        "altcraft", base_url=url, host="own.example", token="k" * 20, custom_fields="season"
    )


class Relenta:
    """So many contacts in pages; `refused` says with which status a page is refused, `once` that it is so only once."""

    def __init__(
        self, count: int, refused: dict[int, int], *, once: bool = False, cap: int = 100
    ) -> None:
        self.asked: Counter[int] = Counter()
        self.cap = cap
        self._count = count
        self._refused = refused
        self._once = once

    async def __call__(self, request: web.Request) -> web.Response:
        if "custom_field" in request.path:
            return web.json_response({"status": True, "code": 200, "data": []})
        page = int(request.query.get("page", "1"))
        size = min(int(request.query.get("page_size", "20")), self.cap)
        self.asked[page] += "page" in request.query
        status = self._refused.get(page)
        if status and not (self._once and self.asked[page] > 1):
            refusal = {"status": False, "code": status, "message": "bad request"}
            return web.json_response(refusal, status=status)
        rows = [self.contact(number) for number in range(self._count)]
        return web.json_response(
            {"status": True, "code": 200, "data": rows[(page - 1) * size : page * size]}
        )

    def contact(self, number: int) -> dict[str, Any]:
        return {
            "id": str(number),
            "full_name": f"C {number}",
            "dt_created": TIME,
            "dt_modified": TIME,
        }


# ---- refused pages ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("page", [2, 3, 5, 6])
async def test_a_page_that_is_refused_once_is_asked_again(
    serve: Serve, page: int, status: int
) -> None:
    service = Relenta(550, {page: status}, once=True)

    data = await crmlab.fetch(relenta(await serve(service)), "contacts", limits=FAST)

    assert data.contacts.height == 550
    assert data.complete


@pytest.mark.parametrize(("page", "height"), [(2, 450), (3, 450), (5, 450), (6, 500)])
async def test_a_page_that_stays_refused_costs_itself_and_is_told(
    serve: Serve, page: int, height: int
) -> None:
    service = Relenta(550, {page: 400})

    data = await crmlab.fetch(relenta(await serve(service)), "contacts", limits=FAST)

    assert data.contacts.height == height
    assert not data.complete
    assert "HTTP 400 · bad request" in data.summary["note"][0]


@pytest.mark.parametrize("count", [7, 150, 350])
async def test_refused_pages_after_a_last_one_that_is_not_full_are_the_end(
    serve: Serve, count: int
) -> None:
    refused = dict.fromkeys(range(-(-count // 100) + 1, 100), 404)

    data = await crmlab.fetch(
        relenta(await serve(Relenta(count, refused))), "contacts", limits=FAST
    )

    assert data.contacts.height == count
    assert data.complete
    assert "its end is told by HTTP 404" in data.summary["note"][0]


async def test_refused_pages_after_a_full_one_may_hide_more(serve: Serve) -> None:
    service = Relenta(550, dict.fromkeys(range(3, 100), 400))

    data = await crmlab.fetch(relenta(await serve(service)), "contacts", limits=FAST)

    assert data.contacts.height == 200
    assert not data.complete
    assert "there may be more" in data.summary["note"][0]


def event(number: int, kind: str) -> dict[str, Any]:
    return {
        "id": f"{kind}{number}",
        "type": kind,
        "created_at": TIME,
        "contact": {"id": "c", "employee_id": "e1"},
    }


async def test_a_cursor_that_expires_is_no_end(serve: Serve) -> None:
    async def events(request: web.Request) -> web.Response:
        kind = request.query["type"]
        if "cursor" in request.query:
            return web.json_response({"message": "cursor expired"}, status=400)
        return web.json_response(
            [event(1, kind)], headers={"Next-Cursor": "b"} if kind == "documentation" else {}
        )

    data = await crmlab.fetch(complero(await serve(events)), "complero.events", limits=FAST)

    assert data["complero.events"].height == 3
    assert not data.complete
    assert "cursor expired" in data.summary["note"][0]


async def test_a_type_of_events_that_the_service_does_not_know_has_none(serve: Serve) -> None:
    async def events(request: web.Request) -> web.Response:
        kind = request.query["type"]
        if kind == "documentation":
            return web.json_response({"message": "no such type"}, status=400)
        return web.json_response([event(1, kind)])

    data = await crmlab.fetch(complero(await serve(events)), "complero.events", limits=FAST)

    assert data["complero.events"].height == 2
    assert data.complete


@pytest.mark.parametrize("known", [True, False])
async def test_deleted_employees_are_some_and_a_wrong_path_is_all(
    serve: Serve, known: bool
) -> None:
    async def service(request: web.Request) -> web.Response:
        if request.path == "/employees/e1" and known:
            return web.json_response({"id": "e1", "email": "e1@example.org", "first_name": "E"})
        if request.path.startswith("/employees"):
            return web.json_response({"message": "not found"}, status=404)
        rows = [
            event(1, "update"),
            {**event(2, "update"), "contact": {"id": "d", "employee_id": "e2"}},
        ]
        return web.json_response(rows if request.query["type"] == "update" else [])

    data = await crmlab.fetch(
        complero(await serve(service)), "users", "consent_events", limits=FAST
    )

    assert data.users.height == known
    assert data.complete == known
    if not known:
        [failure] = data.failures
        assert isinstance(failure, NotFoundError)
        assert "the path may be another one" in str(failure)


# ---- full pages ---------------------------------------------------------------------------------


def note(number: int) -> dict[str, Any]:
    return {"note": {"id": f"n{number}", "text": "hello", "created_at": TIME}}


class Notes:
    """So many notes in pages; `told` says what stands beside them."""

    def __init__(
        self, count: int, told: Any, *, cap: int = 100, ignores_page: bool = False
    ) -> None:
        self.asked: list[int] = []
        self._count = count
        self._told = told
        self._cap = cap
        self._ignores_page = ignores_page

    async def __call__(self, request: web.Request) -> web.Response:
        page = int(request.query["page"])
        self.asked.append(page)
        size = min(int(request.query.get("per_page", 10)), self._cap)
        start = 0 if self._ignores_page else (page - 1) * size
        rows = [note(number) for number in range(self._count)[start : start + size]]
        return web.json_response({"status": 0, "data": {"notes": rows, **self._told(page, size)}})


def nothing(page: int, size: int) -> dict[str, int]:
    return {}


@pytest.mark.parametrize(("count", "requests"), [(0, 2), (99, 2), (100, 3), (350, 5), (400, 6)])
async def test_a_list_that_tells_no_end_is_read_to_an_empty_page(
    serve: Serve, count: int, requests: int
) -> None:
    service = Notes(count, nothing)

    data = await crmlab.fetch(onepagecrm(await serve(service)), "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.notes"].height == count
    assert data.complete
    assert service.asked == [*range(1, requests + 1)]


async def test_a_full_page_that_comes_again_is_a_service_that_ignores_the_number(
    serve: Serve,
) -> None:
    service = Notes(350, nothing, ignores_page=True)

    data = await crmlab.fetch(onepagecrm(await serve(service)), "onepagecrm.notes", limits=FAST)

    assert service.asked == [1, 2]
    assert not data.complete
    assert "ignore which page" in data.summary["note"][0]


async def test_a_full_page_of_relenta_that_comes_again_is_no_last_page(serve: Serve) -> None:
    class Deaf(Relenta):
        def contact(self, number: int) -> dict[str, Any]:
            return super().contact(number % 100)

    data = await crmlab.fetch(relenta(await serve(Deaf(900, {}))), "contacts", limits=FAST)

    assert data.contacts.height == 100
    assert not data.complete
    assert "ignore which page" in data.summary["note"][0]


@pytest.mark.parametrize("cap", [50, 10])
@pytest.mark.parametrize("says", ["its own size", "the size asked for", "counts only"])
async def test_pages_that_are_capped_are_all_read(serve: Serve, cap: int, says: str) -> None:
    def told(page: int, size: int) -> dict[str, int]:
        shown = size if says == "its own size" else 100
        pages = {"per_page": shown, "max_page": -(-390 // shown)}
        return {"total_count": 390, **(pages if says != "counts only" else {})}

    service = Notes(390, told, cap=cap)

    data = await crmlab.fetch(onepagecrm(await serve(service)), "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.notes"].height == 390
    assert data.complete


async def test_pages_that_are_said_to_be_a_thousand_million_are_bounded_by_what_is_counted(
    serve: Serve,
) -> None:
    service = Notes(390, lambda page, size: {"total_count": 390, "max_page": 10**9})

    data = await crmlab.fetch(onepagecrm(await serve(service)), "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.notes"].height == 390
    assert data.complete
    assert max(service.asked) <= 5


async def test_pages_that_are_said_to_be_a_thousand_million_and_not_counted_are_refused(
    serve: Serve,
) -> None:
    service = Notes(390, lambda page, size: {"max_page": 10**9})

    data = await crmlab.fetch(onepagecrm(await serve(service)), "onepagecrm.notes", limits=FAST)

    [failure] = data.failures
    assert isinstance(failure, PagingError)
    assert "/notes tells of 1,000,000,000 pages" in str(failure)
    assert data["onepagecrm.notes"].height == 100


async def test_a_number_of_pages_that_grows_for_ever_ends_where_nothing_new_comes(
    serve: Serve,
) -> None:
    service = Notes(150, lambda page, size: {"max_page": page + 1})

    data = await crmlab.fetch(onepagecrm(await serve(service)), "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.notes"].height == 150
    assert not data.complete
    assert "20 pages in a row brought no new record" in data.summary["note"][0]
    assert len(service.asked) <= 25


# ---- cursors ------------------------------------------------------------------------------------


class Events:
    """Events page by page: `pages` gives the number of events and the next cursor for a cursor ("" at first)."""

    def __init__(self, pages: Any) -> None:
        self.asked = 0
        self._pages = pages

    async def __call__(self, request: web.Request) -> web.Response:
        if request.query["type"] != "update":
            return web.json_response([])
        self.asked += 1
        cursor = request.query.get("cursor", "")
        height, following = self._pages(cursor)
        rows = [event(number, f"update-{cursor}-") for number in range(height)]
        return web.json_response(rows, headers={"Next-Cursor": following} if following else {})


async def read_events(serve: Serve, service: Events) -> crmlab.Fetched:
    return await asyncio.wait_for(
        crmlab.fetch(complero(await serve(service)), "complero.events", limits=FAST), timeout=60
    )


@pytest.mark.parametrize(
    "pages",
    [{"": "a", "a": "a"}, {"": "a", "a": "b", "b": "a"}, {"": "a", "a": "b", "b": "c", "c": "a"}],
    ids=["itself", "the one before", "two before"],
)
async def test_a_cursor_that_leads_back_is_no_end(serve: Serve, pages: dict[str, str]) -> None:
    service = Events(lambda cursor: (2, pages[cursor]))

    data = await read_events(serve, service)

    assert data["complero.events"].height == 2 * len(pages)
    assert not data.complete
    assert "a cursor leads back to an earlier page" in data.summary["note"][0]


async def test_empty_pages_with_a_new_cursor_are_followed(serve: Serve) -> None:
    service = Events(
        lambda cursor: (
            (0 if 3 <= int(cursor or 0) < 20 else 1, str(int(cursor or 0) + 1))
            if cursor != "25"
            else (1, "")
        )
    )

    data = await read_events(serve, service)

    assert data["complero.events"].height == 26 - 17
    assert data.complete


@pytest.mark.parametrize("height", [0, 2])
async def test_pages_without_a_new_record_are_followed_twenty_times(
    serve: Serve, height: int
) -> None:
    service = Events(lambda cursor: (height, str(int(cursor or 0) + 1)))
    same = service._pages

    async def handler(request: web.Request) -> web.Response:
        if request.query["type"] != "update":
            return web.json_response([])
        service.asked += 1
        count, following = same(request.query.get("cursor", ""))
        return web.json_response(
            [event(number, "u") for number in range(count)], headers={"Next-Cursor": following}
        )

    data = await crmlab.fetch(complero(await serve(handler)), "complero.events", limits=FAST)

    assert service.asked <= 21
    assert not data.complete
    assert "20 pages in a row brought no new record" in data.summary["note"][0]


async def test_a_list_that_goes_on_for_ever_is_an_error_that_names_it(serve: Serve) -> None:
    service = Events(lambda cursor: (1, str(int(cursor or 0) + 1)))
    account = complero(await serve(service))
    follow = replace(account.provider.resource("events").follow, max_pages=30)

    data = await crmlab.fetch(
        described(account, "events", follow=follow), "complero.events", limits=FAST
    )

    [failure] = data.failures
    assert isinstance(failure, PagingError)
    assert "/events does not end: 30 pages" in str(failure)
    assert data["complero.events"].height == 30


class TimedEvents:
    """Updates at these seconds in this order, a thousand a page; after page `names` none names a next one."""

    def __init__(
        self, seconds: Sequence[int], *, names: int = 99, filters: bool = True, size: int = 1000
    ) -> None:
        self._rows = [
            {**event(number, "u"), "created_at": _at(second)}
            for number, second in enumerate(seconds)
        ]
        self._names = names
        self._filters = filters
        self._size = size

    async def __call__(self, request: web.Request) -> web.Response:
        asked = request.query
        if asked["type"] != "update":
            return web.json_response([])
        since, until = asked.get("from", ""), asked.get("to", "3")
        rows = [
            row for row in self._rows if not self._filters or since <= row["created_at"] <= until
        ]
        start = int(asked.get("cursor", "0"))
        end = start + self._size
        names_next = end < len(rows) and start // self._size < self._names
        return web.json_response(
            rows[start:end], headers={"Next-Cursor": str(end)} if names_next else {}
        )


def _at(second: int) -> str:
    return (dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=second)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


ASCENDING = [60 * number for number in range(3500)]
ORDERS = {
    "ascending": ASCENDING,
    "descending": ASCENDING[::-1],
    "in no order": random.Random(1).sample(ASCENDING, len(ASCENDING)),
}


async def timed_events(serve: Serve, service: TimedEvents) -> tuple[int, bool, str]:
    data = await crmlab.fetch(complero(await serve(service)), "complero.events", limits=FAST)
    return data["complero.events"].height, data.complete, data.summary["note"][0]


@pytest.mark.parametrize("order", ORDERS)
async def test_a_full_last_page_is_the_end_where_nothing_more_is_found_by_its_time(
    serve: Serve, order: str
) -> None:
    seconds = [second for second in ORDERS[order] if second < 60_000]

    assert await timed_events(serve, TimedEvents(seconds)) == (1000, True, "")


@pytest.mark.parametrize("names", [0, 2])
@pytest.mark.parametrize("order", ORDERS)
async def test_a_full_page_without_a_cursor_is_read_on_by_time_where_more_is_found(
    serve: Serve, order: str, names: int
) -> None:
    height, complete, note = await timed_events(serve, TimedEvents(ORDERS[order], names=names))

    assert (height, complete) == (3500, True)
    if names == 0:  # else slices of time have found all of it before
        assert "a full page named no next one, though more records followed" in note


@pytest.mark.parametrize(
    ("seconds", "filters", "height", "complete"),
    [
        ([7] * 1000, True, 1000, True),
        (ASCENDING[:1000], False, 1000, True),
        ([*range(1000), *[1000] * 1500, *range(1001, 1500)], True, 2499, False),
    ],
    ids=["one second", "no filter of time", "a second of more than a page"],
)
async def test_a_full_last_page_that_no_time_can_tell_from_a_whole_list_is_told(
    serve: Serve, seconds: Sequence[int], filters: bool, height: int, complete: bool
) -> None:
    found, is_complete, note = await timed_events(
        serve, TimedEvents(seconds, names=0, filters=filters)
    )

    assert (found, is_complete) == (height, complete)
    assert ("rests on the missing cursor alone" if complete else "nothing can tell whether") in note


async def test_a_crowded_second_is_told_where_pages_are_smaller_than_asked(serve: Serve) -> None:
    seconds = [*range(100), *[100] * 150, *range(101, 150)]

    height, complete, note = await timed_events(serve, TimedEvents(seconds, names=0, size=100))

    assert (height, complete) == (249, False)
    assert "nothing can tell whether" in note


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": []}])
async def test_an_empty_list_is_told_where_only_the_missing_list_says_that_it_is_empty(
    serve: Serve, answer: dict[str, Any]
) -> None:
    async def service(request: web.Request) -> web.Response:
        return web.json_response({"error": 0, "error_text": "Successful operation", **answer})

    data = await crmlab.fetch(altcraft(await serve(service)), "altcraft.campaigns", limits=FAST)

    is_told = "1 answer without a list, which is taken for an empty one" in data.summary["note"][0]
    assert data.complete
    assert is_told == (answer != {"data": []})


async def test_a_last_page_without_a_list_is_the_end(serve: Serve) -> None:
    async def service(request: web.Request) -> web.Response:
        page = int(request.query.get("page", "1"))
        answer = {"status": True, "code": 200}
        if page == 1:
            answer["data"] = [{"id": str(number), "dt_created": TIME} for number in range(100)]
        return web.json_response(answer)

    data = await crmlab.fetch(relenta(await serve(service)), "relenta.contacts", limits=FAST)

    assert data["relenta.contacts"].height == 100
    assert "without a list" not in data.summary["note"][0]


async def test_a_check_that_is_refused_costs_nothing(serve: Serve) -> None:
    service = TimedEvents(ASCENDING[:1000])

    async def handler(request: web.Request) -> web.Response:
        return (
            web.json_response({}, status=400) if "from" in request.query else await service(request)
        )

    data = await crmlab.fetch(complero(await serve(handler)), "complero.events", limits=FAST)

    assert data["complero.events"].height == 1000
    assert data.complete
    assert "rests on the missing cursor alone" in data.summary["note"][0]


async def test_objects_after_a_full_page_that_points_nowhere_are_asked_for_by_number(
    serve: Serve,
) -> None:
    async def service(request: web.Request) -> web.Response:
        first = (await request.json())["from_id"]
        objects = [{"id": number, "name": f"c{number}"} for number in range(first, 2501)]
        return web.json_response({"error": 0, "data": objects[:1000]})

    data = await crmlab.fetch(altcraft(await serve(service)), "altcraft.campaigns", limits=FAST)

    assert data["altcraft.campaigns"].height == 2500
    assert data.complete


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/v1/events?type=update&cursor=b",
        "https://elsewhere.example/v1/events?type=update&after=b",
        "/events?after=b",
        "?after=b",
        '<https://elsewhere.example/v1/events?cursor=a>; rel="prev", </events?cursor=b>; rel="next"',
    ],
)
async def test_a_link_is_followed_where_no_cursor_has_a_header_of_its_own(
    serve: Serve, link: str
) -> None:
    async def events(request: web.Request) -> web.Response:
        if request.query["type"] != "update":
            return web.json_response([])
        if "b" in (request.query.get("cursor"), request.query.get("after")):
            return web.json_response([event(2, "u")])
        return web.json_response(
            [event(1, "u")], headers={"Next-Link": link, "Next-Cursor": "null"}
        )

    data = await crmlab.fetch(complero(await serve(events)), "complero.events", limits=FAST)

    assert data["complero.events"].height == 2
    assert data.complete


async def test_a_link_to_another_path_is_not_followed_and_told(serve: Serve) -> None:
    async def events(request: web.Request) -> web.Response:
        link = "https://elsewhere.example/other?after=b"
        return web.json_response([event(1, request.query["type"])], headers={"Next-Link": link})

    data = await crmlab.fetch(complero(await serve(events)), "complero.events", limits=FAST)

    assert data["complero.events"].height > 0
    assert "at another path, which is not followed" in str(data.failures[0])


@pytest.mark.parametrize("empty", [1, 2])
async def test_an_empty_page_of_history_that_points_on_is_followed_once(
    serve: Serve, empty: int
) -> None:
    asked: list[str] = []

    async def service(request: web.Request) -> web.Response:
        body = await request.json()
        if request.path.endswith("databases/list"):
            return web.json_response(
                {"error": 0, "data": [{"id": 1, "name": "d"}], "total_count": 1}
            )
        start = int(body["from_id"] or 0)
        asked.append(body["from_id"])
        is_empty = 1 <= start <= empty
        rows = [] if is_empty else [{"event_id": f"e{start}", "action": "open", "datetime": TIME}]
        following = {"next_from_id": str(start + 1)} if start < 4 else {}
        return web.json_response({"error": 0, "data": rows, **following})

    data = await crmlab.fetch(altcraft(await serve(service)), "altcraft.history", limits=FAST)

    assert data["altcraft.history"].height == (4 if empty == 1 else 1)
    assert data.complete
    assert len(asked) == (5 if empty == 1 else 3)


# ---- sizes of pages, first pages, repeated ids -----------------------------------------------------


@pytest.mark.parametrize("allowed", [50, 25, 10, None])
async def test_a_page_size_that_is_refused_is_made_smaller(
    serve: Serve, allowed: int | None
) -> None:
    notes = Notes(
        90, lambda page, size: {"total_count": 90, "max_page": -(-90 // size), "per_page": size}
    )

    async def handler(request: web.Request) -> web.Response:
        size = request.query.get("per_page")
        if size is not None and (allowed is None or int(size) > allowed):
            return web.json_response(
                {"status": 400, "message": "per_page is too large"}, status=400
            )
        return await notes(request)

    data = await crmlab.fetch(onepagecrm(await serve(handler)), "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.notes"].height == 90
    assert data.complete


async def test_a_first_request_that_is_refused_in_every_size_is_a_failure(serve: Serve) -> None:
    asked: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.query.get("per_page"))
        return web.json_response({"status": 400, "message": "no"}, status=400)

    with pytest.raises(crmlab.errors.ApiError, match="HTTP 400"):
        await crmlab.fetch(onepagecrm(await serve(handler)), "onepagecrm.notes", limits=FAST)

    assert asked == ["100", "50", "25", "10", None]


@pytest.mark.parametrize("cap", [20, 50])
async def test_contacts_with_others_inside_are_all_read_where_pages_are_capped(
    serve: Serve, cap: int
) -> None:
    def part(rows: list[dict[str, Any]], request: web.Request, name: str) -> web.Response:
        size = min(int(request.query.get("per_page", 10)), cap)
        page = int(request.query["page"])
        told = {
            "total_count": len(rows),
            "per_page": size,
            "max_page": -(-len(rows) // size),
            "page": page,
        }
        return web.json_response(
            {"status": 0, "data": {name: rows[(page - 1) * size : page * size], **told}}
        )

    async def handler(request: web.Request) -> web.Response:
        name = request.path.strip("/")
        if name == "contacts":
            inside = {"notes": []} if "fields" in request.query else {}
            people = [
                {"contact": {"id": f"c{n}", "created_at": TIME}, **inside} for n in range(790)
            ]
            return part(people, request, name)
        return part([note(n) for n in range(790)], request, name)

    account = onepagecrm(await serve(handler))
    data = await crmlab.fetch(account, "onepagecrm.contacts", "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.contacts"].height == 790
    assert data["onepagecrm.notes"].height == 790
    assert data.complete


@pytest.mark.parametrize("count", [7, 100, 250])
async def test_a_list_that_begins_with_page_0_is_read_from_there(serve: Serve, count: int) -> None:
    async def handler(request: web.Request) -> web.Response:
        if "custom_field" in request.path:
            return web.json_response({"status": True, "code": 200, "data": []})
        page = int(request.query.get("page", "0"))
        size = int(request.query.get("page_size", "20"))
        rows = [service.contact(number) for number in range(count)]
        return web.json_response(
            {"status": True, "code": 200, "data": rows[page * size : (page + 1) * size]}
        )

    service = Relenta(count, {})
    data = await crmlab.fetch(relenta(await serve(handler)), "contacts", limits=FAST)

    assert data.contacts.height == count
    assert data.complete
    assert "its first page is number 0" in data.summary["note"][0]


async def test_a_list_that_begins_with_page_1_is_not_asked_for_page_0(serve: Serve) -> None:
    service = Relenta(150, {})

    data = await crmlab.fetch(relenta(await serve(service)), "contacts", limits=FAST)

    assert data.complete
    assert 0 not in service.asked


@pytest.mark.parametrize("table", ["contacts", "relenta.contacts"])
@pytest.mark.parametrize(
    "case",
    [
        (105, False, False),  # five ids of the first page come on the second one again
        (105, True, True),  # changed while the list was read
        (10, True, False),  # but not within a page
    ],
)
async def test_an_id_that_comes_twice_with_other_content_is_told(
    serve: Serve, tmp_path: Path, table: str, case: tuple[int, bool, bool]
) -> None:
    count, changed, complete = case
    ids = count - 5

    class Twins(Relenta):
        def contact(self, number: int) -> dict[str, Any]:
            modified = f"2026-01-01T00:{number % 60:02d}:{number // 60:02d}Z" if changed else TIME
            return {**super().contact(number), "id": str(number % ids), "dt_modified": modified}

    account = relenta(await serve(Twins(count, {})))
    data = await crmlab.fetch(account, table, limits=FAST)
    stored = await crmlab.fetch_to(tmp_path, account, table, limits=FAST)

    assert data[table].height == stored[table].collect().height == ids
    assert data.complete == stored.complete == complete
    assert ("5 ids came more than once with other content" in data.summary["note"][0]) != complete
    assert stored.summary["note"].to_list() == data.summary["note"].to_list()


@pytest.mark.parametrize("written", [str, float])
async def test_counts_that_are_written_otherwise_are_counts(serve: Serve, written: Any) -> None:
    def told(page: int, size: int) -> dict[str, Any]:
        return {
            "total_count": written(390),
            "max_page": written(-(-390 // size)),
            "per_page": written(size),
        }

    async def users(request: web.Request) -> web.Response:
        number = int(request.query.get("page[number]", "1"))
        row = {"id": number, "type": "users", "attributes": {"firstname": "A"}}
        return web.json_response(
            {
                "data": [row],
                "meta": {"pagination": {"total_pages": written(3), "total": written(3)}},
            }
        )

    notes_account = onepagecrm(await serve(Notes(390, told)))
    site = crmlab.Account(
        "commanders_act", base_url=await serve(users), site_id="7", token="k" * 20
    )
    data = await crmlab.fetch(
        [notes_account, site], "onepagecrm.notes", "commanders_act.users", limits=FAST
    )

    assert data["onepagecrm.notes"].height == 390
    assert data["commanders_act.users"].height == 3
    assert data.complete


# ---- counts that are wrong, pages that are missing --------------------------------------------------


@pytest.mark.parametrize(
    "count", [0, 99, 100, 150, 349, -1, 10**30, "350 notes", None, True, [350]]
)
async def test_a_count_that_is_too_small_or_no_count_loses_nothing(
    serve: Serve, count: Any
) -> None:
    service = Notes(350, lambda page, size: {"total_count": count, "max_page": 4, "per_page": size})

    data = await crmlab.fetch(onepagecrm(await serve(service)), "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.notes"].height == 350
    assert data.complete


async def test_a_count_that_is_that_of_the_page_loses_nothing(serve: Serve) -> None:
    service = Notes(
        350, lambda page, size: {"total_count": min(size, 350 - size * (page - 1)), "max_page": 1}
    )

    data = await crmlab.fetch(onepagecrm(await serve(service)), "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.notes"].height == 350
    assert "more came than the 50 that the service counts" in data.summary["note"][0]


@pytest.mark.parametrize("last", [0, 1, 2, 3, "x", None, -1])
async def test_a_last_page_that_is_told_too_low_loses_nothing(serve: Serve, last: Any) -> None:
    service = Notes(350, lambda page, size: {"max_page": last})

    data = await crmlab.fetch(onepagecrm(await serve(service)), "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.notes"].height == 350
    assert data.complete


@pytest.mark.parametrize("past", [[], [399], [0], 404])
async def test_what_comes_past_a_last_page_that_is_told_changes_nothing(
    serve: Serve, past: Any
) -> None:
    notes = Notes(400, lambda page, size: {"max_page": 4})

    async def handler(request: web.Request) -> web.Response:
        if int(request.query["page"]) <= 4:
            return await notes(request)
        if past == 404:
            return web.json_response({"status": 404, "message": "no such page"}, status=404)
        rows = [
            note(number)
            for last in past
            for number in range(last // 100 * 100, last // 100 * 100 + 100)
        ]
        return web.json_response({"status": 0, "data": {"notes": rows, "max_page": 4}})

    data = await crmlab.fetch(onepagecrm(await serve(handler)), "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.notes"].height == 400
    assert data.complete
    assert data.summary["note"][0] == ""


@pytest.mark.parametrize("told", [nothing, lambda page, size: {"total_count": 350}])
@pytest.mark.parametrize("sizes", [[100, 40, 100, 60, 50], [30] * 12, [7] * 50])
async def test_pages_of_any_size_are_all_read(serve: Serve, told: Any, sizes: list[int]) -> None:
    async def handler(request: web.Request) -> web.Response:
        page = int(request.query["page"])
        start = sum(sizes[: page - 1])
        rows = [note(number) for number in range(350)[start : start + sum(sizes[page - 1 : page])]]
        return web.json_response({"status": 0, "data": {"notes": rows, **told(page, 100)}})

    data = await crmlab.fetch(onepagecrm(await serve(handler)), "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.notes"].height == 350
    assert data.complete


@pytest.mark.parametrize(
    ("missing", "instead"),
    [*product((1, 2, 3, 4, 5, 8), ["nothing"]), *product((2, 3, 4, 5, 8), ["the page before"])],
)
async def test_a_page_in_the_middle_that_is_missing_is_told_and_others_are_read(
    serve: Serve, missing: int, instead: str
) -> None:
    service = Relenta(850, {})

    async def handler(request: web.Request) -> web.Response:
        if request.query.get("page") != str(missing):
            return await service(request)
        if instead == "nothing":
            return web.json_response({"status": True, "code": 200, "data": []})
        return await service(
            request.clone(rel_url=request.rel_url.update_query(page=str(missing - 1)))
        )

    data = await crmlab.fetch(relenta(await serve(handler)), "contacts", limits=FAST)

    assert data.contacts.height == 750
    assert not data.complete
    words = (
        f"page {missing} is empty, though"
        if instead == "nothing"
        else f"page {missing} repeats page {missing - 1}"
    )
    assert words in data.summary["note"][0]


@pytest.mark.parametrize("blanks", [" ", "  "], ids=["the same text", "other blanks"])
async def test_a_page_that_comes_again_under_another_pointer_is_told(
    serve: Serve, blanks: str
) -> None:
    async def service(request: web.Request) -> web.Response:
        if request.path.endswith("databases/list"):
            return web.json_response(
                {"error": 0, "data": [{"id": 1, "name": "d"}], "total_count": 1}
            )
        sent = (await request.json())["from_id"]
        names = {"": "ab", "x": "ab", "y": "cd"}[sent]
        following = {"": "x", "x": "y"}.get(sent)
        answer = {"error": 0, "data": [{"id": name} for name in names], "next_from_id": following}
        separators = (",", ":" + (blanks if sent == "x" else " "))
        return web.Response(
            text=json.dumps(answer, separators=separators), content_type="application/json"
        )

    data = await crmlab.fetch(altcraft(await serve(service)), "altcraft.profiles", limits=FAST)

    assert data["altcraft.profiles"].height == 4
    assert not data.complete
    assert "a page came again under another cursor" in data.summary["note"][0]


@pytest.mark.parametrize("end", [None, "", "null", False, [], {}, 0, -1, "2"])
@pytest.mark.parametrize("table", ["altcraft.profiles", "altcraft.campaigns"])
async def test_pointers_are_read_however_they_are_written(
    serve: Serve, table: str, end: Any
) -> None:
    async def service(request: web.Request) -> web.Response:
        if request.path.endswith("databases/list"):
            return web.json_response(
                {"error": 0, "data": [{"id": 1, "name": "d"}], "total_count": 1}
            )
        sent = int((await request.json())["from_id"] or 1)
        following: Any = {1: 3, 3: "5", 5: 7.0}.get(sent, end)
        rows = [{"id": number, "name": "a"} for number in (sent, sent + 1)]
        return web.json_response({"error": 0, "data": rows, "next_from_id": following})

    data = await crmlab.fetch(altcraft(await serve(service)), table, limits=FAST)

    assert data[table].height == 8
    assert data.complete, data.summary["note"][0]


@pytest.mark.parametrize("following", [True, {"id": 3}, [3], 3.5])
async def test_a_pointer_that_is_none_is_told(serve: Serve, following: Any) -> None:
    async def service(request: web.Request) -> web.Response:
        return web.json_response(
            {"error": 0, "data": [{"id": 1, "name": "a"}], "next_from_id": following}
        )

    data = await crmlab.fetch(altcraft(await serve(service)), "altcraft.campaigns", limits=FAST)

    assert data["altcraft.campaigns"].height == 1
    assert "neither text nor a whole number" in str(data.failures[0])


@pytest.mark.parametrize(
    ("link", "complete"),
    [
        ("/users?page[cursor]={}", True),
        ("https://elsewhere.example/v2/7/users?page%5Bcursor%5D={}", True),
        ("?page[cursor]={}", True),
        ("/users?page[cursor]=1", False),
        ("/elsewhere?page[cursor]={}", False),
    ],
)
@pytest.mark.parametrize("meta", [{}, {"pagination": {"total_pages": 1}}])
async def test_links_of_any_form_are_followed_or_told(
    serve: Serve, link: str, complete: bool, meta: dict[str, Any]
) -> None:
    async def users(request: web.Request) -> web.Response:
        number = int(request.query.get("page[cursor]", "1"))
        rows = [{"id": number, "type": "users", "attributes": {"firstname": "A"}}]
        following = {"next": link.format(number + 1) if number < 3 else None}
        return web.json_response({"data": rows, "meta": meta, "links": following})

    site = crmlab.Account(
        "commanders_act", base_url=await serve(users), site_id="7", token="k" * 20
    )
    data = await crmlab.fetch(site, "commanders_act.users", limits=FAST)

    assert data.complete == complete
    assert not complete or data["commanders_act.users"].height == 3


async def test_pages_of_one_list_say_nothing_of_another_list_of_the_resource(serve: Serve) -> None:
    async def statistics(request: web.Request) -> web.Response:
        day = request.query["filter[begin_date]"]
        number = int(request.query.get("page[number]", "1"))
        is_empty = day.endswith("01") and number == 1
        row = {"id": f"{day}{number}", "type": "statistics", "attributes": {"nb_optin": 1}}
        last = 1 if is_empty else 3
        rows = [] if is_empty or number > last else [row]
        return web.json_response({"data": rows, "meta": {"pagination": {"total_pages": last}}})

    site = crmlab.Account(
        "commanders_act", base_url=await serve(statistics), site_id="7", token="k" * 20
    )
    data = await crmlab.fetch(
        site,
        "commanders_act.privacy_statistics",
        since="2026-03-01",
        until="2026-03-04",
        limits=FAST,
    )

    assert data["commanders_act.privacy_statistics"].height == 6
    assert data.complete


@pytest.mark.parametrize("told", [0, 1, 2, 3, -1, "two", None])
@pytest.mark.parametrize("past", [200, 400, 404])
async def test_pages_told_in_odd_numbers_are_followed_until_nothing_comes(
    serve: Serve, told: Any, past: int
) -> None:
    async def users(request: web.Request) -> web.Response:
        number = int(request.query.get("page[number]", "1"))
        rows = [{"id": str(each), "type": "users", "attributes": {}} for each in range(9)][
            number * 4 - 4 : number * 4
        ]
        if not rows and past != 200:
            return web.json_response(
                {"errors": [{"status": past, "detail": "No data found"}]}, status=past
            )
        return web.json_response(
            {"data": rows, "meta": {"pagination": {"total_pages": told, "per_page": 4}}}
        )

    site = crmlab.Account(
        "commanders_act", base_url=await serve(users), site_id="7", token="k" * 20
    )
    data = await crmlab.fetch(site, "users", limits=FAST)

    assert data.users.height == 9
    assert data.complete


@pytest.mark.parametrize("told", [0, 1, -1])
async def test_one_page_that_comes_again_whatever_is_asked_is_the_only_one(
    serve: Serve, told: int
) -> None:
    async def users(request: web.Request) -> web.Response:
        row = {"id": "1", "type": "users", "attributes": {}}
        return web.json_response({"data": [row], "meta": {"pagination": {"total_pages": told}}})

    site = crmlab.Account(
        "commanders_act", base_url=await serve(users), site_id="7", token="k" * 20
    )
    data = await crmlab.fetch(site, "users", limits=FAST)

    assert data.users.height == 1
    assert data.complete


async def test_the_only_page_that_comes_again_is_told(serve: Serve) -> None:
    async def contacts(request: web.Request) -> web.Response:
        rows = [] if "custom_field" in request.path else [{"id": "1", "full_name": "A"}]
        return web.json_response({"status": True, "code": 200, "data": rows})

    data = await crmlab.fetch(relenta(await serve(contacts)), "contacts", limits=FAST)

    assert data.complete
    assert "page 2 repeats page 1" in data.summary["note"][0]


@pytest.mark.parametrize("nothing", [{}, None, [], ""])
async def test_a_segment_that_is_listed_and_comes_without_details_is_missed(
    serve: Serve, nothing: Any
) -> None:
    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        if request.path.endswith("/get"):
            return web.json_response(
                {"error": 0, "data": {"id": 1, "name": "S"} if body["id"] == 1 else nothing}
            )
        rows = [{"id": 1, "name": "S"}, {"id": 2, "name": "T"}] if body.get("from_id") == 1 else []
        return web.json_response({"error": 0, "data": rows})

    data = await crmlab.fetch(
        altcraft(await serve(answer)), "altcraft.segment_details", limits=FAST
    )

    assert data.summary["complete"].to_list() == [False]
    assert "without its details" in data.summary["note"][0]


@pytest.mark.parametrize("nameless", [{}, {"id": None}, {"id": ""}])
async def test_records_without_an_id_are_there_once_however_often_their_list_is_read(
    serve: Serve, tmp_path: Path, nameless: dict[str, Any]
) -> None:
    async def contacts(request: web.Request) -> web.Response:
        number = int(request.query.get("page", "1"))
        # two each are equal: nothing says that they are one
        people = [nameless | {"full_name": f"C {each // 2}"} for each in range(150)]
        rows = [] if "custom_field" in request.path else people[number * 100 - 100 : number * 100]
        return web.json_response({"status": True, "code": 200, "data": rows})

    asked = relenta(await serve(contacts))
    data = await crmlab.fetch(asked, "relenta.contacts", limits=FAST)
    stored = await crmlab.fetch_to(tmp_path, asked, "relenta.contacts", limits=FAST)

    assert data["relenta.contacts"].height == 150
    assert stored.summary["rows"].to_list() == data.summary["rows"].to_list() == [150]


@pytest.mark.parametrize(
    "told", [{"max_page": 1}, {"max_page": 0, "total_count": "x"}, {"max_page": -1}]
)
async def test_a_list_without_its_documented_count_is_followed_past_the_last_page_it_tells(
    serve: Serve, told: dict[str, Any]
) -> None:
    async def companies(request: web.Request) -> web.Response:
        if request.path != "/companies":
            return web.json_response({"status": 0, "message": "OK", "data": {"user_id": "me"}})
        number = int(request.query.get("page", "1"))
        rows = [{"company": {"id": str(each)}} for each in range(70)][
            number * 33 - 33 : number * 33
        ]
        return web.json_response(
            {"status": 0, "message": "OK", "data": {"companies": rows, **told}}
        )

    data = await crmlab.fetch(
        onepagecrm(await serve(companies)), "onepagecrm.companies", limits=FAST
    )

    assert data["onepagecrm.companies"].height == 70
    assert data.complete


@pytest.mark.parametrize(
    ("name", "beside", "note"),
    [
        ("profiles", {"total_count": 90}, "answers count 90, 37 came"),
        ("profiles", {"total_count": "90"}, "answers count 90, 37 came"),
        ("subscriptions", {"total_count": 38}, "answers count 38, 37 came"),
        ("history", {"total_count": 90}, "answers count 90, 37 came"),
        ("profiles", {"meta": {"total": 90, "per_page": 1000}}, "answers count 90, 37 came"),
        ("subscriptions", {"count": 37, "totalItems": "90"}, "answers count 90, 37 came"),
        ("profiles", {"next_id": "x37"}, "has next_id, which nobody documents: there may be more"),
        ("subscriptions", {"cursor": {"after": "x"}}, "has cursor, which nobody documents"),
        ("history", {"has_more": True}, "has has_more, which nobody documents"),
        ("databases", {"next_page": 2}, "has next_page, which nobody documents"),
        # what counts as many, what repeats the question, and what is said of nothing
        ("profiles", {"total_count": 37}, ""),
        (
            "profiles",
            {"total_count": None, "page_size": 1000, "next_page": None, "has_more": False},
            "",
        ),
        ("profiles", {"request_id": "abc", "took": 12}, ""),
        ("history", {"count": 37, "total_pages": 1, "meta": {"total": None}}, ""),
        ("profiles", {"account": 90, "account_id": 90, "country": 90, "counter": 90}, ""),
    ],
)
async def test_altcraft_lists_tell_what_stands_beside_them_and_speaks_against_their_end(
    serve: Serve, name: str, beside: dict[str, Any], note: str
) -> None:
    """A service that caps its pages at 37, and names the next page and the count otherwise, or nowhere documented."""
    rows = [
        {"id": f"{each}", "event_id": f"{each}", "name": f"N {each}", "profile_id": f"{each}"}
        for each in range(37)
    ]

    async def answer(request: web.Request) -> web.Response:
        asked = await request.json()
        paths = {"profiles": "profiles/list", "subscriptions": "list_all", "history": "get_all"}
        if request.path.endswith(paths.get(name, "databases/list")):
            found = rows if asked["from_id"] in ("", 1) else []
            return web.json_response({"error": 0, "data": found, **(beside if found else {})})
        return web.json_response({"error": 0, "data": [{"id": 1, "name": "d"}], "total_count": 1})

    data = await crmlab.fetch(altcraft(await serve(answer)), f"altcraft.{name}", limits=FAST)

    assert data[f"altcraft.{name}"].height == 37
    assert data.complete == (not note)
    assert note in data.summary["note"][0]


@pytest.mark.parametrize("nothing", [{}, None, "", []])
async def test_a_size_that_came_without_counters_is_missed(serve: Serve, nothing: Any) -> None:
    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        counters = [{"channel": "email", "status": {"subscribed_sendable": 0}}]
        if request.path.endswith("get_counters"):
            return web.json_response(
                {"error": 0, "data": counters if body["resource_id"] == 1 else nothing}
            )
        if request.path.endswith("/get"):
            return web.json_response({"error": 0, "data": {"id": 1, "name": "S"}})
        rows = [{"id": 1, "name": "S"}, {"id": 2, "name": "T"}] if body.get("from_id") == 1 else []
        return web.json_response({"error": 0, "data": rows, "total_count": len(rows)})

    data = await crmlab.fetch(
        altcraft(await serve(answer)), "altcraft.segment_counters", limits=FAST
    )

    # an empty list is one: the segment has nobody on any channel
    assert data.complete == (nothing == [])
    assert ("came without its counters" in data.summary["note"][0]) == (nothing != [])
