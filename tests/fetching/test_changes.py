"""Lists that change while they are read: what was there throughout comes once, or the summary says incomplete."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any, Literal

from aiohttp import web
from hypothesis import example, given, settings
from hypothesis import strategies as st

import crmlab

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
Kind = Literal["delete", "add", "insert", "modify", "move"]


@dataclass
class Change:
    """After that many answers, at that part of the list."""

    after: int
    kind: Kind
    place: float


@dataclass
class Server:
    """Lists that change between answers, on a clock of its own that goes on a second with each."""

    records: list[dict[str, Any]]
    changes: list[Change]
    answers: int = 0
    #: ids of what was there from the first answer to the last
    stable: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.stable = {record["id"] for record in self.records}

    @property
    def now(self) -> dt.datetime:
        return NOW + dt.timedelta(seconds=self.answers)

    async def answer(self, request: web.Request) -> web.Response:
        raise NotImplementedError

    def answered(self, body: object) -> web.Response:
        """The answer; and then what changes after it."""
        answer = web.json_response(body, headers={"Date": format_datetime(self.now, usegmt=True)})
        self.answers += 1
        for change in self.changes:
            if change.after == self.answers:
                self.apply(change)
        return answer

    def apply(self, change: Change) -> None:
        place = int(change.place * len(self.records))
        if change.kind == "delete" and self.records:
            gone = self.records.pop(min(place, len(self.records) - 1))
            self.stable.discard(gone["id"])
        elif change.kind == "add":
            self.records.append(self.record(f"new{self.answers}{change.place}", self.now))
        elif (
            change.kind == "insert"
        ):  # as a restored record comes back: with its old time, in its old place
            at = self.records[place]["created_at"] if place < len(self.records) else iso(START)
            self.records.insert(place, self.record(f"old{self.answers}{change.place}", at))
        elif self.records:
            chosen = self.records[min(place, len(self.records) - 1)]
            self.change(chosen, change)

    def change(self, record: dict[str, Any], change: Change) -> None:
        record["modified_at"] = iso(self.now)

    def record(self, id: str, at: dt.datetime | str) -> dict[str, Any]:
        time = at if isinstance(at, str) else iso(at)
        return {"id": id, "created_at": time, "modified_at": time}


def iso(time: dt.datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


class Notes(Server):
    """Notes of OnePageCRM: counted, sorted as asked, filtered by the time of change."""

    async def answer(self, request: web.Request) -> web.Response:
        query = request.query
        since = int(query.get("modified_since", 0))
        found = [note for note in self.records if seconds(note["modified_at"]) >= since]
        found.sort(key=lambda note: note[query["sort_by"]])
        page, size = int(query["page"]), int(query["per_page"])
        data = {
            "notes": [{"note": note} for note in found[(page - 1) * size : page * size]],
            "total_count": len(found),
            "max_page": max(1, -(-len(found) // size)),
        }
        return self.answered({"status": 0, "data": json.loads(json.dumps(data))})


class RelentaContacts(Server):
    """Contacts of Relenta: the newest first, and nothing that tells how many there are."""

    async def answer(self, request: web.Request) -> web.Response:
        if "custom_field" in request.path:
            return web.json_response({"status": True, "code": 200, "data": []})
        page, size = int(request.query["page"]), int(request.query["page_size"])
        found = self.records[::-1][(page - 1) * size : page * size]
        contacts = [
            {"id": one["id"], "dt_created": one["created_at"], "dt_modified": one["modified_at"]}
            for one in found
        ]
        return self.answered({"status": True, "code": 200, "data": contacts})


def seconds(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp())


def fetched(
    server: Server, account: Callable[[str], crmlab.Account], *tables: str, **options: Any
) -> crmlab.Fetched:
    async def run() -> crmlab.Fetched:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", server.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            return await crmlab.fetch(account(url), *tables, **options)
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def onepagecrm(url: str) -> crmlab.Account:
    return crmlab.Account("onepagecrm", base_url=url, user_id="me", api_key="my-key")


def relenta(url: str) -> crmlab.Account:
    return crmlab.Account("relenta", base_url=url, api_key="my-key")


def records(count: int) -> list[dict[str, Any]]:
    """That many, one a minute, every third one changed much later."""
    made = []
    for n in range(count):
        created = iso(START + dt.timedelta(minutes=n))
        modified = iso(START + dt.timedelta(days=40, minutes=n)) if n % 3 == 0 else created
        made.append({"id": f"{n:05}", "created_at": created, "modified_at": modified})
    return made


def without_restoring(changes: list[Change]) -> list[Change]:
    """What no count can tell, as `Completeness` says: one restored in the moment when one is deleted."""
    deletes = any(change.kind == "delete" for change in changes)
    return [change for change in changes if change.kind != "insert" or not deletes]


CHANGES = st.lists(
    st.builds(
        Change,
        after=st.integers(1, 12),
        kind=st.sampled_from(["delete", "delete", "add", "insert", "modify"]),
        place=st.floats(0, 1),
    ),
    max_size=4,
).map(without_restoring)
IN_FLIGHT = st.sampled_from([1, 2, 10]).map(lambda n: crmlab.Limits(concurrency=n))
COUNTS = st.sampled_from([0, 1, 99, 100, 101, 250, 300, 730])


def check(server: Server, data: crmlab.Fetched, table: str) -> None:
    came = Counter(data[table]["id"])
    assert set(came.values()) <= {1}
    assert server.stable <= came.keys() or not data.complete


@settings(max_examples=80)
@given(COUNTS, CHANGES, IN_FLIGHT)
@example(730, [Change(3, "delete", 0.0), Change(3, "add", 1.0)], crmlab.Limits(concurrency=1))
def test_a_list_that_is_counted(count: int, changes: list[Change], limits: crmlab.Limits) -> None:
    server = Notes(records(count), changes)

    data = fetched(server, onepagecrm, "onepagecrm.notes", limits=limits)

    check(server, data, "onepagecrm.notes")


@settings(max_examples=60)
@given(COUNTS, CHANGES, IN_FLIGHT)
@example(730, [Change(2, "delete", 0.0), Change(2, "modify", 0.4)], crmlab.Limits(concurrency=1))
def test_a_list_of_what_changed_in_a_period(
    count: int, changes: list[Change], limits: crmlab.Limits
) -> None:
    server = Notes(records(count), changes)
    since = START + dt.timedelta(days=40)
    server.stable = {
        record["id"] for record in server.records if record["modified_at"] >= iso(since)
    }

    data = fetched(server, onepagecrm, "onepagecrm.notes", limits=limits, since=since)

    check(server, data, "onepagecrm.notes")


@settings(max_examples=60)
@given(COUNTS, CHANGES, IN_FLIGHT)
@example(730, [Change(3, "delete", 0.99)], crmlab.Limits(concurrency=1))
def test_a_list_that_nobody_counts(
    count: int, changes: list[Change], limits: crmlab.Limits
) -> None:
    server = RelentaContacts(records(count), changes)

    data = fetched(server, relenta, "contacts", limits=limits)

    check(server, data, "contacts")
