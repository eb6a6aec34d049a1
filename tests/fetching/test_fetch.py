"""A fetch against the sandbox and against servers of its own: complete, or it says what is missing."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web  # a real server stands in for the services

import crmlab
from crmlab.errors import (
    ApiError,
    AuthError,
    CrmlabError,
    NotFoundError,
    ServerError,
    TransportError,
    UsageError,
)
from crmlab.results.fetched import SUMMARY
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.server import Sandbox
from crmlab.sandbox.world.model import NOW, Note, Status, User, World
from crmlab.schema.tables import TABLES

Serve = Callable[[Any], Awaitable[str]]
FAST = crmlab.Limits(concurrency=10)
ONE = ["onepagecrm"]
UTC = dt.UTC


@pytest.fixture(scope="module")
def world() -> World:
    from crmlab.sandbox.world.generate import generate

    return generate(260, seed=3, now=NOW)


@pytest.fixture
async def crm(world: World) -> AsyncIterator[Sandbox]:
    async with crmlab.sandbox(world, services=ONE) as running:
        yield running


def line(data: crmlab.Fetched, resource: str) -> dict[str, Any]:
    return data.summary.filter(pl.col("resource") == resource).row(0, named=True)


def note(number: int, *, at: dt.datetime = NOW) -> dict[str, Any]:
    text = at.isoformat().replace("+00:00", "Z")
    return {
        "id": f"{number:06d}",
        "text": f"note {number}",
        "created_at": text,
        "modified_at": text,
    }


class Notes:
    """A list of notes, paged as OnePageCRM does; `before` may change anything before each answer."""

    def __init__(
        self, notes: list[Any], before: Callable[[Notes, int, int], Any] = lambda *_: None
    ) -> None:
        self.notes, self.before, self.asked = list(notes), before, []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        page, size = int(request.query["page"]), int(request.query["per_page"])
        self.asked.append(page)
        answer = self.before(self, page, len(self.asked))
        if isinstance(answer, web.StreamResponse):
            return answer
        data = {
            "notes": [{"note": note} for note in self.notes[(page - 1) * size : page * size]],
            "total_count": len(self.notes),
            "page": page,
            "max_page": max(1, -(-len(self.notes) // size)),
        }
        return web.json_response({"status": 0, "data": data if answer is None else answer(data)})


async def read(serve: Serve, notes: Notes, *tables: str, **options: Any) -> crmlab.Fetched:
    account = crmlab.Account(
        "onepagecrm", base_url=await serve(notes), user_id="me", api_key="my-key"
    )
    return await crmlab.fetch(account, *(tables or ["activities"]), limits=FAST, **options)


def only_notes(data: crmlab.Fetched) -> pl.DataFrame:
    return data["onepagecrm.notes"]


# ---- all of it ----------------------------------------------------------------------------------


async def test_everything_in_the_world_comes_exactly_once(crm: Sandbox, world: World) -> None:
    data = await crmlab.fetch(crm, limits=FAST)

    assert data.complete
    assert data.rejected.is_empty()
    people = {person.id for person in world.people_in("onepagecrm")}
    assert sorted(data.contacts["id"]) == sorted(people)
    assert sorted(data.deals["id"]) == sorted(
        deal.id for deal in world.deals if deal.contact_id in people
    )
    activities = [*world.actions, *world.notes, *world.calls, *world.meetings]
    assert sorted(data.activities["id"]) == sorted(
        each.id for each in activities if each.contact_id in people
    )
    assert sorted(data.companies["id"]) == sorted(company.id for company in world.companies)
    assert data.deals["amount"].sum() == pytest.approx(
        sum(d.amount for d in world.deals if d.contact_id in people)
    )


async def test_colleagues_contacts_come_too(crm: Sandbox, world: World) -> None:
    data = await crmlab.fetch(crm, "contacts", limits=FAST)

    assert data.contacts["owner_id"].n_unique() > 1
    assert data.contacts.height == len(world.people_in("onepagecrm"))


async def test_every_frame_has_the_shared_schema(crm: Sandbox) -> None:
    data = await crmlab.fetch(crm, *TABLES, limits=FAST)

    assert list(data) == list(TABLES)
    assert {name: frame.schema for name, frame in data.items()} == {
        n: t.schema for n, t in TABLES.items()
    }
    assert data.summary.schema == SUMMARY


async def test_the_summary_adds_up(crm: Sandbox) -> None:
    data = await crmlab.fetch(crm, limits=FAST)

    for table, frame in data.items():
        assert data.summary.filter(table=table)["rows"].sum() == frame.height, table
    by_resource = data.summary.unique(["account", "resource"])
    # what others need (pipelines for the stage labels) is a table here as well: all requests are told
    assert by_resource["requests"].sum() == sum(crm.requests.values())


async def test_a_table_that_no_account_has_is_empty_and_explained(crm: Sandbox) -> None:
    data = await crmlab.fetch(crm, "consent_events", limits=FAST)

    assert data.consent_events.schema == TABLES["consent_events"].schema
    assert data.summary["note"].to_list() == ["none of these services has consent_events"]
    assert not crm.requests


async def test_own_records_keep_every_documented_field(crm: Sandbox) -> None:
    data = await crmlab.fetch(crm, "onepagecrm.deals", limits=FAST)

    frame = data["onepagecrm.deals"]
    assert list(data) == ["onepagecrm.deals"]
    assert frame.columns[:2] == ["provider", "account"]
    assert {"deal_items", "linked_contacts", "contact_info", "commission"} <= set(frame.columns)


async def test_an_empty_account_is_complete() -> None:
    async with crmlab.sandbox(World(), services=ONE) as crm:
        data = await crmlab.fetch(crm, limits=FAST)

    assert data.complete
    assert {frame.height for frame in data.values()} == {0}
    assert data.deals.schema == TABLES["deals"].schema


async def test_one_record_is_complete(serve: Serve) -> None:
    data = await read(serve, Notes([note(1)]), "onepagecrm.notes")

    assert (only_notes(data).height, line(data, "notes")["expected"], data.complete) == (1, 1, True)


async def test_two_resources_may_have_equal_ids_in_one_table(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        name = request.path.strip("/")
        listed = {name: [{name[:-1]: note(n)} for n in range(3)], "total_count": 3, "max_page": 1}
        return web.json_response(
            {"status": 0, "data": listed if name in ("notes", "calls") else {}}
        )

    data = await read(serve, answer, "activities")  # type: ignore[arg-type]

    assert Counter(data.activities["kind"].to_list()) == {"note": 3, "call": 3}


async def test_records_without_id_are_all_kept_among_the_own_records(serve: Serve) -> None:
    nameless = [{"text": "a"}, {"text": "b"}, {"text": "a"}]

    data = await read(serve, Notes([note(1), *nameless, note(2)]), "onepagecrm.notes")

    assert only_notes(data)["text"].to_list() == ["note 1", "a", "b", "a", "note 2"]
    assert data.complete


# ---- the nine wrong results of others -----------------------------------------------------------


async def test_unpaged_lists_of_a_hundred_and_more_are_asked_once() -> None:
    def user(n: int) -> User:
        return User(
            id=f"u{n}",
            first_name="A",
            last_name=str(n),
            email=f"{n}@example.com",
            role="",
            phone=None,
            department="",
        )

    statuses = [Status(id=f"s{n}", key=f"k{n}", text=f"t{n}", colour="000") for n in range(100)]
    async with crmlab.sandbox(
        World(users=[user(n) for n in range(250)], statuses=statuses), services=ONE
    ) as crm:
        data = await crmlab.fetch(crm, "users", "statuses", limits=FAST)

    assert (data.users.height, data.statuses.height) == (250, 100)
    assert set(crm.requests.values()) == {1}


async def test_a_short_page_in_the_middle_does_not_end_the_list(serve: Serve) -> None:
    def shorten(notes: Notes, page: int, nth: int) -> Any:
        return (lambda data: {**data, "notes": data["notes"][:-1]}) if page == 3 else None

    data = await read(serve, Notes([note(n) for n in range(1000)], shorten), "onepagecrm.notes")

    assert only_notes(data).height == 999
    assert not data.complete
    assert "the service counts 1,000, 999 came" in line(data, "notes")["note"]


@pytest.mark.parametrize("kind", ["truncate", "not_json", "reset", "wrong_type", "slow"])
async def test_a_broken_answer_is_asked_again_until_it_is_whole(world: World, kind: Any) -> None:
    fault = Fault(kind=kind, match="/contacts?", skip=1, seconds=0.2)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        data = await crmlab.fetch(crm, "contacts", limits=FAST)

    assert data.complete
    assert (
        data.contacts["id"].n_unique() == data.contacts.height == len(world.people_in("onepagecrm"))
    )
    if kind != "reset":  # aiohttp itself sends a GET again where a kept connection was cut
        assert line(data, "contacts")["retries"] == (kind in ("truncate", "not_json"))


async def test_records_that_change_their_type_cost_only_themselves(serve: Serve) -> None:
    deals: list[dict[str, Any]] = [
        {**note(n), "name": f"deal {n}", "amount": n} for n in range(6000)
    ]
    for n, deal in enumerate(deals):
        deal["amount"] = n if n < 3000 else n + 0.99
        deal["close_date"] = None if n < 2000 else "2026-01-31"
        deal["reason_lost_id"] = n
        if n >= 4000:
            deal["new_key"] = {"a": 1}
        if n >= 5000:
            deal["text"] = ["a", "list"]
    deals[3500]["amount"] = "n/a"

    async def answer(request: web.Request) -> web.Response:
        page = int(request.query.get("page", 1))
        if request.path != "/deals":
            return web.json_response({"status": 0, "data": {"pipelines": []}})
        rows = [{"deal": deal} for deal in deals[(page - 1) * 100 : page * 100]]
        return web.json_response(
            {"status": 0, "data": {"deals": rows, "total_count": 6000, "max_page": 60}}
        )

    data = await read(serve, answer, "deals", "onepagecrm.deals")  # type: ignore[arg-type]

    assert data.deals.height == data["onepagecrm.deals"].height == 6000
    assert data.deals["amount"].sum() == pytest.approx(
        sum(d["amount"] for d in deals if d["amount"] != "n/a")
    )
    assert data.deals["close_date"].null_count() == 2000
    assert set(data["onepagecrm.deals"].filter(pl.col("id") >= "005000")["text"]) == {
        '["a", "list"]'
    }
    assert data.rejected.is_empty()
    assert data.misfits.select("resource", "id", "field", "reason", "raw").rows() == [
        ("deals", "003500", "amount", 'expected a number, got "n/a"', '"n/a"')
    ]
    assert data.summary["misfits"].to_list() == [1, 1]
    assert "1 value not read: see .misfits" in repr(data)
    assert "new_key" in line(data, "deals")["note"]
    assert not data.complete


async def test_a_page_that_fails_twice_comes_in_the_end(world: World) -> None:
    fault = Fault(kind="status", status=500, match="page=2", times=2)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        data = await crmlab.fetch(crm, "contacts", limits=FAST)

    assert data.complete
    assert line(data, "contacts")["retries"] == 2
    assert data.contacts.height == len(world.people_in("onepagecrm"))


async def test_a_service_that_limits_is_waited_for(world: World) -> None:
    limits = crmlab.Limits(rate=50, burst=20)
    async with crmlab.sandbox(world, services=ONE, rate_limits=True) as crm:
        data = await crmlab.fetch(
            crm, "users", "statuses", "lead_sources", "companies", "contacts", limits=limits
        )

    assert data.complete
    assert data.contacts.height == len(world.people_in("onepagecrm"))


async def test_two_fetches_at_once_wait_in_one_line_for_the_providers_own_limits() -> None:
    async with crmlab.sandbox(World(), services=ONE, rate_limits=True) as crm:
        tables, started = ["users", "companies", "contacts", "deals"], time.monotonic()

        several = await asyncio.gather(*(crmlab.fetch(crm, *tables) for _ in range(3)))

    assert all(data.complete for data in several)
    assert set(crm.requests.values()) == {3}
    assert sum(crm.requests.values()) == 15
    assert 2 <= time.monotonic() - started < 4  # 10 in any two seconds
    assert crm.refused == 0


async def test_a_record_deleted_while_paging_costs_no_other(serve: Serve) -> None:
    def delete(notes: Notes, page: int, nth: int) -> None:
        if nth == 2:
            del notes.notes[40]

    data = await read(serve, Notes([note(n) for n in range(1000)], delete), "onepagecrm.notes")

    kept = only_notes(data)["id"].to_list()
    assert Counter(kept) == Counter(
        f"{n:06d}" for n in range(1000)
    )  # the deleted one was there when it began
    assert data.complete
    assert line(data, "notes")["note"] == "the list changed while it was read; read 2 times"


@pytest.mark.parametrize("at", [0, 450, 1000])
async def test_a_record_added_while_paging_comes_and_costs_no_other(serve: Serve, at: int) -> None:
    def add(notes: Notes, page: int, nth: int) -> None:
        if nth == 2:
            notes.notes.insert(at, note(5000))

    data = await read(serve, Notes([note(n) for n in range(1000)], add), "onepagecrm.notes")

    assert Counter(only_notes(data)["id"]) == Counter(
        [f"{n:06d}" for n in range(1000)] + ["005000"]
    )
    assert data.complete


async def test_a_list_that_grows_by_many_pages_is_followed(serve: Serve) -> None:
    def grow(notes: Notes, page: int, nth: int) -> None:
        if nth == 2:
            notes.notes += [note(n) for n in range(300, 1000)]

    data = await read(serve, Notes([note(n) for n in range(300)], grow), "onepagecrm.notes")

    assert Counter(only_notes(data)["id"]) == Counter(f"{n:06d}" for n in range(1000))
    assert data.complete


async def test_a_list_that_never_stands_still_is_incomplete(serve: Serve) -> None:
    def add(notes: Notes, page: int, nth: int) -> None:
        notes.notes.insert(0, note(5000 + nth))

    data = await read(serve, Notes([note(n) for n in range(300)], add), "onepagecrm.notes")

    assert not data.complete
    assert line(data, "notes")["note"].startswith(
        "the list changed while it was read; read 3 times"
    )
    assert {f"{n:06d}" for n in range(300)} <= set(only_notes(data)["id"])


# ---- what fails ---------------------------------------------------------------------------------


async def test_one_failing_resource_loses_nothing_of_the_others(world: World) -> None:
    fault = Fault(kind="status", status=404, match="/notes", times=99)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        data = await crmlab.fetch(crm, "activities", "contacts", limits=FAST)

    [failure] = data.failures
    assert isinstance(failure, NotFoundError)
    assert "onepagecrm account 'onepagecrm', notes: HTTP 404" in str(failure)
    assert not data.complete
    assert not line(data, "notes")["complete"]
    assert line(data, "calls")["complete"]
    assert set(data.activities["kind"]) == {"action", "call", "meeting"}
    assert data.contacts.height == len(world.people_in("onepagecrm"))


async def test_a_resource_that_others_only_look_up_may_fail(world: World) -> None:
    fault = Fault(kind="status", status=403, match="/bootstrap", times=99)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        data = await crmlab.fetch(crm, "deals", limits=FAST)

    assert data.deals.height > 0
    assert data.deals["currency"].null_count() == data.deals.height
    assert data.deals["stage_label"].null_count() == 0  # the pipelines were asked for themselves
    assert not data.complete
    assert "no right to this" in str(data.failures[0])


async def test_a_bad_value_in_what_others_look_up_is_told(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        bad = {"pipeline": {"id": "p", "stages": [{"stage": 1.7}]}}
        found: dict[str, Any] = {
            "/pipelines": {"pipelines": [bad]},
            "/deals": {"deals": [{"deal": note(1)}]},
        }
        return web.json_response({"status": 0, "data": found.get(request.path, {})})

    data = await read(serve, answer, "deals")  # type: ignore[arg-type]

    assert data.deals.height == 1
    assert data.complete
    assert data.misfits.select("resource", "field").rows() == [("pipelines", "stages.stage")]
    assert "pipelines" in data.summary["resource"].to_list()


async def test_a_page_that_fails_for_ever_keeps_what_came(serve: Serve) -> None:
    def fail(notes: Notes, page: int, nth: int) -> web.StreamResponse | None:
        return (
            web.json_response({"status": 404, "message": "gone"}, status=404) if page == 5 else None
        )

    data = await read(serve, Notes([note(n) for n in range(500)], fail), "onepagecrm.notes")

    assert 0 < only_notes(data).height <= 400
    assert [type(failure) for failure in data.failures] == [NotFoundError]
    assert not data.complete


@pytest.mark.parametrize(
    ("status", "kind"), [(403, AuthError), (404, NotFoundError), (400, ApiError)]
)
async def test_where_nothing_came_at_all_the_first_failure_is_raised(
    serve: Serve, status: int, kind: type[CrmlabError]
) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response({"status": status, "message": "no"}, status=status)

    with pytest.raises(kind, match=f"HTTP {status}"):
        await read(serve, refuse, "contacts", "users")  # type: ignore[arg-type]


async def test_a_service_that_fails_for_ever_is_given_up_after_a_few_tries(world: World) -> None:
    impatient = crmlab.Timeouts(tries=3, first_wait=0.001)
    fault = Fault(kind="status", status=500, match="", times=9999)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        with pytest.raises(ServerError, match="asked 3 times"):
            await crmlab.fetch(crm, "onepagecrm.notes", limits=FAST, timeouts=impatient)

    assert crm.requests["onepagecrm", "/notes"] == 3


async def test_a_wrong_key_names_the_account_and_the_field_and_asks_little(crm: Sandbox) -> None:
    keys = {**crm.keys["onepagecrm"], "api_key": "wrong"}
    account = crmlab.Account("onepagecrm", name="sales", base_url=crm[0].base_url, **keys)

    with pytest.raises(
        AuthError,
        match=r"onepagecrm account 'sales': HTTP 401.*check user_id and api_key.*CRMLAB_ONEPAGECRM_API_KEY",
    ):
        await crmlab.fetch(account, limits=FAST)

    assert sum(crm.requests.values()) <= 10


async def test_a_wrong_key_of_one_account_costs_nothing_of_another(crm: Sandbox) -> None:
    keys = {**crm.keys["onepagecrm"], "api_key": "wrong"}
    wrong = crmlab.Account("onepagecrm", name="wrong", base_url=crm[0].base_url, **keys)

    data = await crmlab.fetch([wrong, crm[0]], "users", "statuses", limits=FAST)

    assert set(data.users["account"]) == {"onepagecrm"}
    assert [str(failure).split(" ·")[0] for failure in data.failures] == [
        "onepagecrm account 'wrong': HTTP 401"
    ]


async def test_an_unreachable_service_is_said_soon() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        account = crmlab.Account(
            "onepagecrm",
            base_url=f"http://127.0.0.1:{taken.getsockname()[1]}",
            user_id="me",
            api_key="k",
        )
        started = time.monotonic()
        with pytest.raises(TransportError, match=r"cannot reach 127\.0\.0\.1"):
            await crmlab.fetch(account, limits=FAST)

    assert time.monotonic() - started < 10


async def test_on_request_the_first_failure_is_raised_plain_and_at_once(world: World) -> None:
    faults = [
        Fault(kind="status", status=404, match="/notes", times=99),
        Fault(kind="slow", match="/contacts", times=99, seconds=20),
    ]
    started = time.monotonic()
    async with crmlab.sandbox(world, services=ONE, faults=faults) as crm:
        with pytest.raises(NotFoundError, match="notes: HTTP 404"):
            await crmlab.fetch(crm, "activities", "contacts", limits=FAST, on_error="raise")
        assert time.monotonic() - started < 5


async def test_on_request_a_failure_of_one_account_stops_the_others(serve: Serve) -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(20)
        return web.json_response({"status": 0, "data": []})

    async def gone(request: web.Request) -> web.Response:
        return web.json_response({"status": 404}, status=404)

    accounts = [
        crmlab.Account(
            "onepagecrm", name=name, base_url=await serve(handler), user_id="me", api_key="k"
        )
        for name, handler in (("slow", slow), ("gone", gone))
    ]
    started = time.monotonic()

    with pytest.raises(NotFoundError, match="'gone', users"):
        await crmlab.fetch(accounts, "users", limits=FAST, on_error="raise")

    assert time.monotonic() - started < 5


async def test_an_error_of_the_listener_is_that_error(crm: Sandbox) -> None:
    def listen(event: crmlab.Progress) -> None:
        raise ZeroDivisionError("in the listener")

    with pytest.raises(ZeroDivisionError, match="in the listener"):
        await crmlab.fetch(crm, "users", "contacts", limits=FAST, progress=listen)


async def test_a_redirect_is_not_followed(world: World) -> None:
    fault = Fault(kind="redirect", match="/users", times=99)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        with pytest.raises(ApiError, match="redirects are not followed"):
            await crmlab.fetch(crm, "users", limits=FAST)

    assert crm.requests["onepagecrm", "/users"] == 1


async def test_half_characters_are_told(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(
            body=rb'{"status":0,"data":[{"user":{"id":"1","first_name":"A\ud83d"}}]}'
        )

    data = await read(serve, answer, "users")  # type: ignore[arg-type]

    assert data.users["name"].to_list() == ["A\ufffd"]
    assert line(data, "users")["note"] == "1 characters came cut in half, now \ufffd"


# ---- repeats, periods, the wall -----------------------------------------------------------------


async def test_of_repeated_records_the_newest_is_kept(serve: Serve) -> None:
    later = NOW + dt.timedelta(hours=1)
    found = [
        note(1, at=later) | {"text": "new"},
        note(2),
        note(1) | {"text": "old"},
        note(2) | {"text": "equal, later"},
    ]

    data = await read(serve, Notes(found), "activities")

    notes = data.activities.filter(kind="note").sort("id")
    assert notes.select("id", "body").rows() == [("000001", "new"), ("000002", "equal, later")]
    assert "the service counts 4, 2 came" in line(data, "notes")["note"]


@pytest.mark.parametrize(
    ("since", "until", "kept"),
    [
        (None, None, [0, 1, 2, 3]),
        (NOW, None, [1, 2, 3]),
        (None, NOW + dt.timedelta(seconds=1), [0, 1]),
        (NOW, NOW + dt.timedelta(seconds=2), [1, 2]),
        (NOW + dt.timedelta(microseconds=1), NOW + dt.timedelta(seconds=1, microseconds=1), [2]),
        (NOW + dt.timedelta(days=1), None, []),
    ],
)
async def test_a_period_begins_with_since_and_ends_before_until(
    since: dt.datetime | None, until: dt.datetime | None, kept: list[int]
) -> None:
    async with crmlab.sandbox(_world_of_notes(), services=ONE) as crm:
        data = await crmlab.fetch(crm, "activities", since=since, until=until, limits=FAST)

    assert sorted(data.activities["id"]) == [f"n{n}" for n in kept]
    assert data.complete


def _world_of_notes() -> World:
    """Four notes, a second apart, the second one at NOW."""
    from crmlab.sandbox.world.generate import generate

    world = generate(5, seed=1, now=NOW)
    person = replace(world.people[0], services=frozenset(ONE))
    moments = [NOW + dt.timedelta(seconds=n) for n in (-1, 0, 1, 2)]
    notes = [
        Note(
            id=f"n{n}",
            contact_id=person.id,
            deal_id=None,
            author="",
            text="",
            date=NOW.date(),
            created_at=at,
            modified_at=at,
        )
        for n, at in enumerate(moments)
    ]
    return World(people=[person], notes=notes, users=world.users)


async def test_contacts_past_the_wall_come_in_parts_by_the_time_of_their_creation(
    world: World,
) -> None:
    person = world.people_in("onepagecrm")[0]
    imported = [
        NOW - dt.timedelta(days=30, seconds=n // 50) for n in range(11_000)
    ]  # an import, fifty a second
    since = [NOW - dt.timedelta(days=700) + dt.timedelta(minutes=37 * n) for n in range(10_500)]
    people = [
        replace(person, id=f"{n:024x}", number=n, created_at=at)
        for n, at in enumerate(sorted([*since, *imported]))
    ]
    async with crmlab.sandbox(World(people=people), services=ONE) as crm:
        data = await crmlab.fetch(crm, "contacts", limits=FAST)

    assert data.complete
    assert data.contacts.height == data.contacts["id"].n_unique() == 21_500
    asked = [path for _, path in crm.requests]
    assert "/contacts/cascade" not in asked
    assert line(data, "contacts")["requests"] <= 215 + 40


async def test_a_wall_of_contacts_created_in_one_second_comes_by_the_cascade(world: World) -> None:
    person = world.people_in("onepagecrm")[0]
    people = [replace(person, id=f"{n:024x}", number=n) for n in range(10_050)]
    async with crmlab.sandbox(World(people=people), services=ONE) as crm:
        data = await crmlab.fetch(crm, "contacts", limits=FAST)

    assert data.complete
    assert data.contacts.height == data.contacts["id"].n_unique() == 10_050
    assert line(data, "contacts")["requests"] <= 1 + 4 + 101


async def test_equal_answers_of_different_days_are_different_rows() -> None:
    async with crmlab.sandbox(rows=30, now=NOW, services=["commanders_act"]) as running:
        since, until = NOW - dt.timedelta(days=4), NOW - dt.timedelta(days=1)
        for banner in running.world.banners:
            first = banner.daily[0]
            banner.daily[:] = [
                replace(
                    day,
                    **{
                        n: getattr(first, n)
                        for n in first.__slots__
                        if n not in ("day", "device", "location")
                    },
                )
                for day in banner.daily
            ]
        data = await crmlab.fetch(
            running, "consent_statistics", since=since, until=until, limits=FAST
        )

    days = data.consent_statistics.group_by("day").len()
    assert days.height == 4
    assert days["len"].n_unique() == 1


# ---- progress and cancellation ------------------------------------------------------------------


async def test_progress_never_goes_back_and_ends_with_a_final_state(crm: Sandbox) -> None:
    events: defaultdict[str, list[crmlab.Progress]] = defaultdict(list)

    data = await crmlab.fetch(
        crm, limits=FAST, progress=lambda event: events[event.resource].append(event)
    )

    assert set(events) == set(data.summary["resource"])
    for resource, told in events.items():
        for count in ("rows", "requests", "known_requests"):
            counts = [getattr(event, count) for event in told]
            assert counts == sorted(counts), (resource, count)
        assert all(event.requests <= event.known_requests for event in told)
        assert [event.state for event in told] == ["running"] * (len(told) - 1) + ["complete"]
        assert told[-1].requests == told[-1].known_requests == line(data, resource)["requests"]


@pytest.mark.parametrize(("status", "state"), [(404, "failed"), (200, "incomplete")])
async def test_the_last_event_says_how_it_ended(serve: Serve, status: int, state: str) -> None:
    events: list[crmlab.Progress] = []

    def answer(notes: Notes, page: int, nth: int) -> Any:
        if status != 200:
            return web.json_response({"status": status}, status=status)
        return lambda data: {**data, "total_count": 5}

    with contextlib.suppress(NotFoundError):
        await read(serve, Notes([note(1)], answer), "onepagecrm.notes", progress=events.append)

    assert events[-1].state == state


@pytest.mark.parametrize("wait", [0.0, 0.1, 0.3, 0.5])
async def test_a_cancelled_fetch_leaves_nothing_behind(serve: Serve, wait: float) -> None:
    transports = set()

    async def slow(request: web.Request) -> web.Response:
        transports.add(request.transport)
        name = request.path[1:]
        if name not in ("notes", "deals"):
            await asyncio.sleep(60)
        if int(request.query["page"]) > 55:
            await asyncio.sleep(60)
        rows = [{name[:-1]: note(n)} for n in range(100)]
        return web.json_response(
            {"status": 0, "data": {name: rows, "max_page": 60, "total_count": 6000}}
        )

    account = crmlab.Account(
        "onepagecrm", base_url=await serve(slow), user_id="me", api_key="my-key"
    )
    before = asyncio.all_tasks()
    fetching = asyncio.create_task(
        crmlab.fetch(account, "deals", "activities", limits=crmlab.Limits(concurrency=40))
    )
    await asyncio.sleep(wait)

    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching

    package = str(Path(crmlab.__file__).parent)
    left = [task.get_coro() for task in asyncio.all_tasks() - before]
    assert [
        coroutine for coroutine in left if coroutine.cr_code.co_filename.startswith(package)
    ] == []
    await asyncio.sleep(0.05)
    assert all(transport is None or transport.is_closing() for transport in transports)


async def test_a_finished_fetch_leaves_no_connection_open(serve: Serve) -> None:
    transports = []

    async def answer(request: web.Request) -> web.Response:
        transports.append(request.transport)
        return web.json_response({"status": 0, "data": []})

    await read(serve, answer, "users", "statuses")  # type: ignore[arg-type]
    await asyncio.sleep(0.05)

    assert len(transports) == 2
    assert all(transport.is_closing() for transport in transports)


# ---- accounts -----------------------------------------------------------------------------------


async def test_two_accounts_of_one_provider_stay_apart(crm: Sandbox, world: World) -> None:
    accounts = [
        crmlab.Account("onepagecrm", name=name, base_url=crm[0].base_url, **crm.keys["onepagecrm"])
        for name in ("north", "south")
    ]

    data = await crmlab.fetch(accounts, "contacts", "onepagecrm.users", limits=FAST)

    people = len(world.people_in("onepagecrm"))
    assert Counter(data.contacts["account"]) == {"north": people, "south": people}
    assert Counter(data["onepagecrm.users"]["account"]) == dict.fromkeys(
        ("north", "south"), len(world.users)
    )


async def test_the_users_limits_hold_instead_of_the_providers(world: World) -> None:
    async with crmlab.sandbox(world, services=ONE, latency=0.02) as crm:
        await crmlab.fetch(
            crm, "contacts", "deals", "activities", limits=crmlab.Limits(concurrency=2)
        )

    assert crm.max_in_flight == 2


async def test_one_record_is_called_by_its_id(crm: Sandbox, world: World) -> None:
    person = world.people_in("onepagecrm")[0]

    found = await crmlab.call(crm[0], "get_contact", contact_id=person.id)

    assert found["data"]["contact"]["id"] == person.id


async def test_a_call_for_what_is_not_there_says_so(crm: Sandbox) -> None:
    with pytest.raises(NotFoundError, match="onepagecrm account 'onepagecrm': HTTP 404"):
        await crmlab.call(crm[0], "get_contact", contact_id="../users")


# ---- questions that cannot be asked -------------------------------------------------------------


@pytest.mark.parametrize(
    ("tables", "options", "message"),
    [
        (["deal"], {}, r"unknown table 'deal'; did you mean 'deals'\? Known: contacts, companies"),
        (["zzz"], {}, r"unknown table 'zzz'\. Known: contacts"),
        (
            ["onepagecrm.deal"],
            {},
            r"unknown onepagecrm resource 'deal'; did you mean 'deals'\? Known: bootstrap",
        ),
        (["onepagecrm."], {}, r"unknown onepagecrm resource ''"),
        (
            ["onepagcrm.deals"],
            {},
            r"unknown provider 'onepagcrm'; did you mean 'onepagecrm'\? Known: altcraft",
        ),
        (
            ["relenta.contacts"],
            {},
            r"'relenta\.contacts' needs a relenta account; given: onepagecrm",
        ),
        ([["deals"]], {}, "a table is named by text, not list"),
        ([5], {}, "a table is named by text, not int"),
        (
            ["deals"],
            {"since": "2026-02-01", "until": "2026-01-01"},
            r"since \(2026-02-01 00:00 UTC\) must be before until",
        ),
        (["deals"], {"since": "2026-02-01", "until": "2026-02-01"}, "must be before until"),
        (["deals"], {"since": dt.datetime(2026, 1, 1)}, "has no time zone"),  # noqa: DTZ001  # the subject
        (["deals"], {"until": 5}, "until must be a date"),
        (["deals"], {"on_error": "ignore"}, 'on_error is "collect" or "raise", not \'ignore\''),
    ],
)
async def test_a_question_that_cannot_be_asked_is_refused_before_anything_is_sent(
    crm: Sandbox, tables: list[Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        await crmlab.fetch(crm, *tables, limits=FAST, **options)

    assert not crm.requests


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        ([], "no accounts given"),
        ("onepagecrm", "Account objects, not str"),
        ([None], "Account objects, not NoneType"),
        (5, "Account objects, not int"),
    ],
)
async def test_accounts_that_are_none_are_refused(accounts: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        await crmlab.fetch(accounts, "deals")


async def test_two_accounts_of_one_name_are_refused(crm: Sandbox) -> None:
    with pytest.raises(
        UsageError,
        match="two accounts are called onepagecrm account 'onepagecrm': give each its own name",
    ):
        await crmlab.fetch([crm[0], crm[0]], "deals")


async def test_an_unknown_operation_is_refused(crm: Sandbox) -> None:
    with pytest.raises(
        UsageError, match=r"unknown operation 'contact'; did you mean 'get_contact'\?"
    ):
        await crmlab.call(crm[0], "contact", contact_id="1")


async def test_an_operation_without_its_arguments_is_refused(crm: Sandbox) -> None:
    with pytest.raises(UsageError, match="operation 'get_contact': contact_id is missing"):
        await crmlab.call(crm[0], "get_contact")
    with pytest.raises(UsageError, match="operation 'get_contact': it takes no 'number'"):
        await crmlab.call(crm[0], "get_contact", contact_id="1", number=2)

    assert not crm.requests


async def test_reading_what_changes_by_being_read_must_be_allowed() -> None:
    async with crmlab.sandbox(rows=20, services=["complero"]) as running:
        with pytest.raises(UsageError, match=r"complero\.latest_events gives each record once"):
            await crmlab.fetch(running, "complero.latest_events", limits=FAST)
        await crmlab.fetch(running, "consent_events", limits=FAST)

    assert not [path for _, path in running.requests if "latest" in path]
