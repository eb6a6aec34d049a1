"""Complero as documented: a bearer key, bare arrays, cursors in headers, a read that consumes.

Not documented, and as crmlab assumes: every path but ``/ping``, the fields of an event, the
insides of sections, error bodies.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from uuid import uuid4

from aiohttp import web

from crmlab.connector import Limits
from crmlab.sandbox.service import BODY, Record, Records, Service, answer, iso
from crmlab.sandbox.services.complero.documentation import Documentation
from crmlab.sandbox.services.complero.people import People
from crmlab.sandbox.services.complero.records import (
    DECIDING,
    Entry,
    Renderers,
    document,
    employee,
    entries,
)
from crmlab.sandbox.services.complero.uploads import CONTACTS, Upload, Uploads, errors_of
from crmlab.sandbox.world.model import ConsentEvent, Operation, World

_KEY = "sandbox-complero-key"
_PAGE = 1000
_TYPES = ("confirm", "update", "documentation")
_DEFAULT_TYPES = ("confirm", "update")
#: what tells the place of a record in its list
_MarkOf = Callable[[Any], str]
_MESSAGES = {
    400: "bad request",
    401: "unauthorized",
    404: "not found",
    429: "too many requests",
}


def service(world: World) -> Service:
    """Return Complero with the consent events, contacts and employees that it knows."""
    event_feed = _Feed(world)
    return Service(
        name="complero",
        prefix="/complero/v1",
        credentials={"api_key": _KEY},
        allowed=_allowed,
        refusal=_refusal,
        no_such_path=lambda: _refusal(404, "no such path"),
        limits=Limits(rate=20, burst=20),
        open_paths=frozenset({"/ping"}),
        size_in="limit",
        cursor_in="cursor",
        edges=(("from", "to"),),
        routes=[
            web.get("/ping", _ping),
            web.get("/events", event_feed.events),
            web.get("/events/latest", event_feed.latest),
            web.post("/contacts", event_feed.uploads.contacts),
            web.get("/contacts/{id}", event_feed.now.contact),
            web.get("/contacts/{contact_id}/documentation", event_feed.documentation.by_contact),
            web.get(
                "/contacts/{contact_id}/documentation/{event_id}", event_feed.documentation.by_event
            ),
            web.delete("/contacts/{id}", event_feed.now.delete_contact),
            web.post("/employees", event_feed.uploads.employees),
            web.get("/employees/{id}", event_feed.now.employee),
            web.delete("/employees/{id}", event_feed.now.delete_employee),
            web.post("/events/sandbox", event_feed.trigger),
            web.get("/operations", event_feed.operations),
            web.get("/operations/{id}", event_feed.one_operation),
        ],
    )


def _allowed(request: web.Request, body: Any) -> bool:
    return request.headers.get("Authorization") == f"Bearer {_KEY}"


class _BadValue(Exception):
    """A parameter that the service refuses."""


class _Feed:
    def __init__(self, world: World) -> None:
        self._rendered = Renderers(world)
        self.feed = Records(entries(world), self._rendered.event)
        operations = sorted(world.operations, key=attrgetter("created_at", "id"), reverse=True)
        self.log = Records(operations, self._rendered.operation)
        self.received: set[str] = set()
        self.uploads = Uploads(self.log, _answer, _refusal)
        self._by_id = {person.complero_id: person for person in world.people_in("complero")}
        self._users = world.users_by_id()
        self.now = People(
            self.uploads,
            contact=self._contact_of_world,
            employee=self._employee_of_world,
            assigned=self._assigned_in_world,
            answered=_answer,
            refusal=_refusal,
        )
        self.documentation = Documentation(
            world, lambda contact_id: self.now.find(contact_id, CONTACTS), lambda: _refusal(404)
        )

    def _contact_of_world(self, id_: str) -> Record | None:
        person = self._by_id.get(id_)
        if person is None:
            return None
        return self._rendered.contact(person)

    def _employee_of_world(self, id_: str) -> Record | None:
        user = self._users.get(id_)
        if user is None:
            return None
        return employee(user)

    def _assigned_in_world(self, employee_id: str) -> set[str]:
        contact_ids: set[str] = set()
        for person in self._by_id.values():
            if person.owner_id == employee_id:
                contact_ids.add(person.complero_id)
        return contact_ids

    async def trigger(self, request: web.Request) -> web.Response:
        """Make an event of a contact that is there, with a documentation that is the same for all.

        Not documented: that an unknown contact is refused with 404, and that the event shows the contact as given.
        """
        body: Any = request[BODY]
        contact = None
        if isinstance(body, dict):
            contact = body.get("contact")
        if not isinstance(contact, dict) or body.get("type") not in DECIDING:
            return _refusal(400, "contact is an object, and type is update or confirm (v1c001)")
        errors = errors_of(contact, CONTACTS)
        if errors:
            refused = {"message": "validation failed", "validation_errors": errors}
            return _answer(refused, status=400)
        contact_id = str(contact["id"])
        known_contact = self.now.find(contact_id, CONTACTS)
        if known_contact is None:
            return _refusal(404)
        event = _triggered(body["type"])
        contact_of_event = {
            **known_contact,
            **contact,
            "documentation": document(event.id),
        }
        self.feed.add(Entry(event.at, event, given=contact_of_event))
        self.documentation.add(contact_id, event)
        return _answer({"message": "triggered"})

    async def one_operation(self, request: web.Request) -> web.Response:
        operation_id = request.match_info["id"]
        for operation in self.log.items:
            if operation.id == operation_id:
                return _answer(self._rendered.operation(operation))
        return _refusal(404)

    async def events(self, request: web.Request) -> web.Response:
        try:
            types = _types(request)
            start = _moment(request, "from")
            stop = _moment(request, "to")
            chosen = f"{types} {start} {stop}"
            asked_for = self.feed.once(chosen, lambda: self._sent(types, start, stop))
            begin, end = _place(asked_for, request, _mark_of_entry)
        except _BadValue as error:
            return _refusal(400, str(error))
        # what a page brought was received: the latest events do not bring it again
        self._receive(asked_for.items[begin:end])
        return _page(request, asked_for, begin, end, _mark_of_entry)

    def _receive(self, entries: Iterable[Entry]) -> None:
        self.received.update(entry.mark for entry in entries)

    def _sent(
        self, types: tuple[str, ...], start: datetime | None, stop: datetime | None
    ) -> Records:
        def is_asked_for(entry: Entry) -> bool:
            # the empty entry has no kind, and no filter keeps it away
            is_of_type = entry.event is None or entry.event.kind in types
            return is_of_type and _within(entry.at, start, stop)

        return self.feed.where(is_asked_for)

    async def latest(self, request: web.Request) -> web.Response:
        try:
            types = _types(request)
            limit = _limit(request)
        except _BadValue as error:
            return _refusal(400, str(error))

        def is_new(entry: Entry) -> bool:
            is_of_type = entry.event is not None and entry.event.kind in types
            return is_of_type and entry.mark not in self.received

        unread = self.feed.where(is_new)
        # taken out of the list for good, whoever reads next
        self._receive(unread.items[:limit])
        return _answer(unread.slice(0, limit))

    async def operations(self, request: web.Request) -> web.Response:
        try:
            start = _moment(request, "from")
            stop = _moment(request, "to")
            asked_for = self.log.once(f"{start} {stop}", lambda: self._created(start, stop))
            begin, end = _place(asked_for, request, _mark)
        except _BadValue as error:
            return _refusal(400, str(error))
        return _page(request, asked_for, begin, end, _mark)

    def _created(self, start: datetime | None, stop: datetime | None) -> Records:
        return self.log.where(lambda operation: _within(operation.created_at, start, stop))


def _triggered(kind: str) -> ConsentEvent:
    return ConsentEvent(
        id=str(uuid4()),
        person_id="",
        kind=kind,
        channel="email",
        opted_in=True,
        source="sandbox",
        has_documentation=True,
        at=datetime.now(UTC).replace(microsecond=0),
    )


async def _ping(request: web.Request) -> web.Response:
    return _answer({"message": "pong"})


def _answer(body: Any, *, status: int = 200, **headers: str) -> web.Response:
    return answer(body, status=status, Request_Id=str(uuid4()), **headers)


def _refusal(status: int, message: str = "") -> web.Response:
    message = message or _MESSAGES.get(status, "internal server error")
    return _answer({"message": message}, status=status)


def _types(request: web.Request) -> tuple[str, ...]:
    # given once with commas, several times, or both
    types: list[str] = []
    for value in request.query.getall("type", []):
        types += value.split(",")
    unknown = set(types) - set(_TYPES)
    if unknown:
        named = ", ".join(sorted(unknown))
        known = ", ".join(_TYPES)
        raise _BadValue(f"type: {named} is not one of {known} (v1c001)")
    return tuple(types) or _DEFAULT_TYPES


def _moment(request: web.Request, name: str) -> datetime | None:
    value = request.query.get(name)
    if value is None:
        return None
    refusal = _BadValue(f"{name}: not a time in ISO 8601 (v1c001)")
    try:
        named_time = datetime.fromisoformat(value)
    except ValueError:
        raise refusal from None
    if named_time.tzinfo is None:
        raise refusal
    return named_time


def _within(at: datetime, start: datetime | None, stop: datetime | None) -> bool:
    is_before = start is not None and at < start
    is_after = stop is not None and at > stop
    return not is_before and not is_after


def _limit(request: web.Request) -> int:
    value = request.query.get("limit", str(_PAGE))
    if not value.isdecimal() or not int(value):
        raise _BadValue("limit: not a positive whole number (v1c001)")
    return min(int(value), _PAGE)


def _mark(operation: Operation | Upload) -> str:
    return f"{iso(operation.created_at)} {operation.id}"


def _mark_of_entry(entry: Entry) -> str:
    return entry.mark


def _place(found: Records, request: web.Request, mark: _MarkOf) -> tuple[int, int]:
    """Where the page begins and ends: after the record that the cursor names."""
    limit = _limit(request)
    token = request.query.get("cursor")
    if not token:
        return 0, limit
    try:
        last_mark = b64decode(token, altchars=b"-_", validate=True).decode()
        # the mark and no position: what is added before it does not move the next page
        marks = list(map(mark, found.items))
        begin = 1 + marks.index(last_mark)
    except (NotBase64, UnicodeDecodeError, ValueError):
        raise _BadValue("cursor: unknown (v1c001)") from None
    return begin, begin + limit


def _page(
    request: web.Request, found: Records, begin: int, end: int, mark: _MarkOf
) -> web.Response:
    """One page; while more follows, the headers say where it goes on."""
    records = found.slice(begin, end)
    if end >= len(found):  # no header, rather than an empty one
        return _answer(records)
    last_mark = mark(found.items[end - 1])
    next_cursor = urlsafe_b64encode(last_mark.encode()).decode()
    next_link = str(request.url.update_query(cursor=next_cursor))
    return _answer(records, Next_Cursor=next_cursor, Next_Link=next_link)
