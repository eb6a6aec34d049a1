"""Complero as documented: a bearer key, bare arrays, cursors in headers, a read that consumes.

Not documented, and as crmlab assumes: every path but ``/ping``, the fields of an event, the
insides of sections, error bodies.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import web

from crmlab.connector import Limits
from crmlab.sandbox.service import BODY, Record, Records, Service, answer, iso
from crmlab.sandbox.services.complero.documentation import Documentation
from crmlab.sandbox.services.complero.people import People
from crmlab.sandbox.services.complero.uploads import CONTACTS, Upload, Uploads, errors_of
from crmlab.sandbox.world.model import Alias, ConsentEvent, Operation, Person, User, World

_KEY = "sandbox-complero-key"
_PAGE = 1000
_TYPES = ("confirm", "update", "documentation")
_DEFAULT_TYPES = ("confirm", "update")
#: the kinds of event in which a person decides
_DECIDING = ("confirm", "update")
#: events beyond which an empty one is among them, as in the vendor's sample
_MANY = 20
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
        allowed=lambda request, body: request.headers.get("Authorization") == f"Bearer {_KEY}",
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


@dataclass(slots=True)
class Entry:
    """One line of the feed; without `event` it is the empty one, which passes every filter."""

    at: datetime
    event: ConsentEvent | None
    has_contact: bool = True
    #: the contact as it was given, of an event that was triggered
    given: Record | None = None

    @property
    def mark(self) -> str:
        """Its place in the feed: the time first, then the id."""
        event_id = self.event.id if self.event else ""
        return f"{iso(self.at)} {event_id}"


def entries(world: World) -> list[Entry]:
    """Return the feed of a world by time.

    Every other event about documentation has no contact; beyond `_MANY` events an empty one
    stands among them.
    """
    known_ids = {person.id for person in world.people_in("complero")}
    events = [event for event in world.consent_events if event.person_id in known_ids]
    feed: list[Entry] = []
    documents = 0
    for event in sorted(events, key=lambda event: (event.at, event.id)):
        has_contact = True
        if event.kind == "documentation":
            documents += 1
            has_contact = documents % 2 == 0
        feed.append(Entry(event.at, event, has_contact))
    if len(feed) > _MANY:
        feed.insert(_MANY // 2, Entry(feed[_MANY // 2].at, None))
    return feed


class _BadValue(Exception):
    """A parameter that the service refuses."""


class _Feed:
    def __init__(self, world: World) -> None:
        self.world = world
        self.people = {person.id: person for person in world.people_in("complero")}
        self.companies = world.companies_by_id()
        self.decided = _decided_before(world)
        self.feed = Records(entries(world), self.event)
        operations = sorted(world.operations, key=lambda operation: operation.id, reverse=True)
        operations.sort(key=lambda operation: operation.created_at, reverse=True)
        self.log = Records(operations, self.operation)
        self.received: set[str] = set()
        self.uploads = Uploads(self.log, _answer, _refusal)
        self._by_id = {person.complero_id: person for person in self.people.values()}
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
        return self.contact(person)

    def _employee_of_world(self, id_: str) -> Record | None:
        user = self._users.get(id_)
        if user is None:
            return None
        return _employee(user)

    def _assigned_in_world(self, employee_id: str) -> set[str]:
        people = self.people.values()
        return {person.complero_id for person in people if person.owner_id == employee_id}

    async def trigger(self, request: web.Request) -> web.Response:
        """Make an event of a contact that is there, with a documentation that is the same for all.

        Not documented: that an unknown contact is refused with 404, and that the event shows the contact as given.
        """
        body: Any = request[BODY]
        contact = None
        if isinstance(body, dict):
            contact = body.get("contact")
        if not isinstance(contact, dict) or body.get("type") not in _DECIDING:
            return _refusal(400, "contact is an object, and type is update or confirm (v1c001)")
        errors = errors_of(contact, CONTACTS)
        if errors:
            return _answer(
                {"message": "validation failed", "validation_errors": errors}, status=400
            )
        known_contact = self.now.find(str(contact["id"]), CONTACTS)
        if known_contact is None:
            return _refusal(404)
        event = _triggered(body["type"])
        contact_of_event = {**known_contact, **contact, "documentation": _document(event.id)}
        self.feed.add(Entry(event.at, event, given=contact_of_event))
        self.documentation.add(str(contact["id"]), event)
        return _answer({"message": "triggered"})

    async def one_operation(self, request: web.Request) -> web.Response:
        operation_id = request.match_info["id"]
        for operation in self.log.items:
            if operation.id == operation_id:
                return _answer(self.operation(operation))
        return _refusal(404)

    async def events(self, request: web.Request) -> web.Response:
        try:
            types = _types(request)
            start = _moment(request, "from")
            stop = _moment(request, "to")
            asked_for = self.feed.once(
                f"{types} {start} {stop}", lambda: self._sent(types, start, stop)
            )
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

    def event(self, entry: Entry) -> Record:
        event = entry.event
        if event is None:
            return {}
        record: Record = {
            "id": event.id,
            "type": event.kind,
            "created_at": iso(event.at),
            "source": event.source,
        }
        if entry.given:
            record["contact"] = entry.given
        elif entry.has_contact:
            # the contact as a whole: also what was decided about other channels before
            consents = {**self.decided[event.id], event.channel: event.opted_in}
            record["contact"] = self.contact(
                self.people[event.person_id], consents, event.has_documentation
            )
        return record

    def contact(
        self, person: Person, consents: dict[str, bool] | None = None, documented: bool = False
    ) -> Record:
        if consents is None:
            consents = {}
            for event in self.world.consent_events:
                if event.person_id == person.id:
                    consents[event.channel] = event.opted_in
                    documented = documented or event.has_documentation
        alias = self.world.alias(person, "complero")
        company = self.companies.get(person.company_id or "")
        company_name = ""
        website = ""
        if company:
            company_name = company.name
            website = company.url or ""
        return {
            "id": person.complero_id,
            "birthday": "",
            "company": company_name,
            "data": {"crm_number": person.number},
            "degree": "",
            "documentation": _document(person.number) if documented else {},
            "employee_id": person.owner_id,
            "first_name": alias.first_name,
            "language": person.language or "",
            "last_name": alias.last_name,
            "name_suffix": "",
            "nationality": "",
            "position": person.job_title or "",
            "salutation": person.title or "",
            # who has two addresses has the second one for themselves
            "section_private": {"email": _second(person.emails), "consents": {}},
            "section_work": _section_work(person, alias, consents),
            "tags": person.tags,
            "title": "",
            "website": website,
        }

    def operation(self, operation: Operation | Upload) -> Record:
        """The items are of the kind uploaded; of uploads before the world began only their number is true."""
        if isinstance(operation, Upload):
            return operation.record()
        uploaded_items = [
            {"id": f"{operation.model}-{number}"} for number in range(operation.items_count)
        ]
        return {
            "created_at": iso(operation.created_at),
            "id": operation.id,
            "items": uploaded_items,
            "model": operation.model,
            "status": operation.status,
            "type": operation.kind,
        }


def _section_work(person: Person, alias: Alias, consents: dict[str, bool]) -> Record:
    """How a person is reached at work, and what they consent to: one answer for each channel."""
    return {
        "email": alias.email or "",
        "phone": alias.phone or "",
        "mobile": _second(person.phones),
        "street": person.street or "",
        "city": person.city or "",
        "state": person.state or "",
        "zip_code": person.zip_code or "",
        "country": person.country_code or "",
        "consents": consents,
    }


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


def _document(number: int | str) -> dict[str, str]:
    return {"id": f"doc-{number}", "content_type": "application/pdf"}


def _second(values: list[str]) -> str:
    return "".join(values[1:2])


def _decided_before(world: World) -> dict[str, dict[str, bool]]:
    """Return by event what its person had decided about each channel until then."""
    decided: dict[str, dict[str, bool]] = {}
    before: dict[str, dict[str, bool]] = {}
    for event in sorted(world.consent_events, key=lambda event: (event.at, event.id)):
        of_person = decided.setdefault(event.person_id, {})
        before[event.id] = dict(of_person)
        if event.kind in _DECIDING:
            of_person[event.channel] = event.opted_in
    return before


def _employee(user: User) -> Record:
    return {
        "city": "",
        "data": {},
        "department": user.department,
        "email": user.email,
        "fax_number": "",
        "first_name": user.first_name,
        "house_number": "",
        "id": user.id,
        "last_name": user.last_name,
        "phone_number": user.phone or "",
        "position": user.role,
        "profile_picture_url": "",
        "street": "",
        "tags": [],
        "website": "",
        "zip_code": "",
    }


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
        raise _BadValue(
            f"type: {', '.join(sorted(unknown))} is not one of {', '.join(_TYPES)} (v1c001)"
        )
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


def _place(found: Records, request: web.Request, mark: Callable[[Any], str]) -> tuple[int, int]:
    """Where the page begins and ends: after the record that the cursor names."""
    limit = _limit(request)
    token = request.query.get("cursor")
    if not token:
        return 0, limit
    try:
        last_mark = b64decode(token, altchars=b"-_", validate=True).decode()
        # the mark and no position: what is added before it does not move the next page
        begin = 1 + [mark(record) for record in found.items].index(last_mark)
    except (NotBase64, UnicodeDecodeError, ValueError):
        raise _BadValue("cursor: unknown (v1c001)") from None
    return begin, begin + limit


def _page(
    request: web.Request, found: Records, begin: int, end: int, mark: Callable[[Any], str]
) -> web.Response:
    """One page; while more follows, the headers say where it goes on."""
    if end >= len(found):  # no header, rather than an empty one
        return _answer(found.slice(begin, end))
    next_cursor = urlsafe_b64encode(mark(found.items[end - 1]).encode()).decode()
    next_link = str(request.url.update_query(cursor=next_cursor))
    return _answer(found.slice(begin, end), Next_Cursor=next_cursor, Next_Link=next_link)
