"""Complero as documented: a bearer key, bare arrays, cursors in headers, a read that consumes.

Not documented, and as crmlab assumes: every path but ``/ping``, the fields of an event, the
insides of sections, error bodies.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import web

from crmlab.connector import Limits
from crmlab.sandbox.service import BODY, Records, Service, answer, iso
from crmlab.sandbox.services.complero.documentation import Documentation
from crmlab.sandbox.services.complero.people import People
from crmlab.sandbox.services.complero.uploads import CONTACTS, Upload, Uploads, errors_of
from crmlab.sandbox.world.model import ConsentEvent, Operation, Person, User, World

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
    feed = _Feed(world)
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
            web.get("/events", feed.events),
            web.get("/events/latest", feed.latest),
            web.post("/contacts", feed.uploads.contacts),
            web.get("/contacts/{id}", feed.now.contact),
            web.get("/contacts/{contact_id}/documentation", feed.documentation.by_contact),
            web.get("/contacts/{contact_id}/documentation/{event_id}", feed.documentation.by_event),
            web.delete("/contacts/{id}", feed.now.delete_contact),
            web.post("/employees", feed.uploads.employees),
            web.get("/employees/{id}", feed.now.employee),
            web.delete("/employees/{id}", feed.now.delete_employee),
            web.post("/events/sandbox", feed.trigger),
            web.get("/operations", feed.operations),
            web.get("/operations/{id}", feed.one_operation),
        ],
    )


@dataclass(slots=True)
class Entry:
    """One line of the feed; without `event` it is the empty one, which passes every filter."""

    at: datetime
    event: ConsentEvent | None
    has_contact: bool = True
    #: the contact as it was given, of an event that was triggered
    given: dict[str, Any] | None = None

    @property
    def mark(self) -> str:
        """Its place in the feed: the time first, then the id."""
        return f"{iso(self.at)} {self.event.id if self.event else ''}"


def entries(world: World) -> list[Entry]:
    """Return the feed of a world by time.

    Every other event about documentation has no contact; beyond `_MANY` events an empty one
    stands among them.
    """
    known = {person.id for person in world.people_in("complero")}
    events = [event for event in world.consent_events if event.person_id in known]
    feed: list[Entry] = []
    documents = 0
    for event in sorted(events, key=lambda each: (each.at, each.id)):
        documents += event.kind == "documentation"
        feed.append(Entry(event.at, event, event.kind != "documentation" or documents % 2 == 0))
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
        self.log = Records(
            sorted(world.operations, key=lambda each: (each.created_at, each.id), reverse=True),
            self.operation,
        )
        self.received: set[str] = set()
        self.uploads = Uploads(self.log, _answer, _refusal)
        self._by_id = {person.complero_id: person for person in self.people.values()}
        self._users = world.users_by_id()
        self.now = People(
            self.uploads,
            contact=self._contact_of_world,
            employee=self._employee_of_world,
            assigned=lambda id_: {
                each.complero_id for each in self.people.values() if each.owner_id == id_
            },
            answered=_answer,
            refusal=_refusal,
        )
        self.documentation = Documentation(
            world, lambda id_: self.now.find(id_, CONTACTS), lambda: _refusal(404)
        )

    def _contact_of_world(self, id_: str) -> dict[str, Any] | None:
        return self.contact(self._by_id[id_]) if id_ in self._by_id else None

    def _employee_of_world(self, id_: str) -> dict[str, Any] | None:
        return _employee(self._users[id_]) if id_ in self._users else None

    async def trigger(self, request: web.Request) -> web.Response:
        """Make an event of a contact that is there, with a documentation that is the same for all.

        Not documented: that an unknown contact is refused with 404, and that the event shows the contact as given.
        """
        body: Any = request[BODY]
        given = body.get("contact") if isinstance(body, dict) else None
        if not isinstance(given, dict) or body.get("type") not in _DECIDING:
            return _refusal(400, "contact is an object, and type is update or confirm (v1c001)")
        errors = errors_of(given, CONTACTS)
        if errors:
            return _answer(
                {"message": "validation failed", "validation_errors": errors}, status=400
            )
        known = self.now.find(str(given["id"]), CONTACTS)
        if known is None:
            return _refusal(404)
        event = ConsentEvent(
            id=str(uuid4()), person_id="", kind=body["type"], channel="email", opted_in=True, source="sandbox",
            has_documentation=True, at=datetime.now(UTC).replace(microsecond=0),
        )  # fmt: skip
        documented = {"documentation": {"id": f"doc-{event.id}", "content_type": "application/pdf"}}
        self.feed.add(Entry(event.at, event, given={**known, **given, **documented}))
        self.documentation.add(str(given["id"]), event)
        return _answer({"message": "triggered"})

    async def one_operation(self, request: web.Request) -> web.Response:
        found = next((each for each in self.log.items if each.id == request.match_info["id"]), None)
        return _answer(self.operation(found)) if found else _refusal(404)

    async def events(self, request: web.Request) -> web.Response:
        try:
            types = _types(request)
            start = _moment(request, "from")
            stop = _moment(request, "to")
            found = self.feed.once(
                f"{types} {start} {stop}", lambda: self._sent(types, start, stop)
            )
            begin, end = _place(found, request, lambda each: each.mark)
        except _BadValue as error:
            return _refusal(400, str(error))
        self.received |= {each.mark for each in found.items[begin:end]}
        return _page(request, found, begin, end, lambda each: each.mark)

    def _sent(
        self, types: tuple[str, ...], start: datetime | None, stop: datetime | None
    ) -> Records:
        return self.feed.where(
            lambda each: (
                (each.event is None or each.event.kind in types) and _within(each.at, start, stop)
            )
        )

    async def latest(self, request: web.Request) -> web.Response:
        try:
            types = _types(request)
            limit = _limit(request)
        except _BadValue as error:
            return _refusal(400, str(error))
        fresh = self.feed.where(
            lambda each: (
                each.event is not None
                and each.event.kind in types
                and each.mark not in self.received
            )
        )
        self.received |= {each.mark for each in fresh.items[:limit]}
        return _answer(fresh.slice(0, limit))

    async def operations(self, request: web.Request) -> web.Response:
        try:
            start = _moment(request, "from")
            stop = _moment(request, "to")
            found = self.log.once(
                f"{start} {stop}",
                lambda: self.log.where(lambda each: _within(each.created_at, start, stop)),
            )
            begin, end = _place(found, request, _mark)
        except _BadValue as error:
            return _refusal(400, str(error))
        return _page(request, found, begin, end, _mark)

    def event(self, entry: Entry) -> dict[str, Any]:
        event = entry.event
        if event is None:
            return {}
        record: dict[str, Any] = {
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
    ) -> dict[str, Any]:
        if consents is None:
            story = [event for event in self.world.consent_events if event.person_id == person.id]
            consents = {event.channel: event.opted_in for event in story}
            documented = any(event.has_documentation for event in story)
        alias = self.world.alias(person, "complero")
        company = self.companies.get(person.company_id or "")
        return {
            "id": person.complero_id,
            "birthday": "",
            "company": company.name if company else "",
            "data": {"crm_number": person.number},
            "degree": "",
            "documentation": {"id": f"doc-{person.number}", "content_type": "application/pdf"}
            if documented
            else {},
            "employee_id": person.owner_id,
            "first_name": alias.first_name,
            "language": person.language or "",
            "last_name": alias.last_name,
            "name_suffix": "",
            "nationality": "",
            "position": person.job_title or "",
            "salutation": person.title or "",
            "section_private": {
                "email": person.emails[1] if len(person.emails) > 1 else "",
                "consents": {},
            },
            "section_work": {
                "email": alias.email or "",
                "phone": alias.phone or "",
                "mobile": person.phones[1] if len(person.phones) > 1 else "",
                "street": person.street or "",
                "city": person.city or "",
                "state": person.state or "",
                "zip_code": person.zip_code or "",
                "country": person.country_code or "",
                "consents": consents,
            },
            "tags": person.tags,
            "title": "",
            "website": (company and company.url) or "",
        }

    def operation(self, operation: Operation | Upload) -> dict[str, Any]:
        """The items are of the kind uploaded; of uploads before the world began only their number is true."""
        if isinstance(operation, Upload):
            return operation.record()
        return {
            "created_at": iso(operation.created_at),
            "id": operation.id,
            "items": [
                {"id": f"{operation.model}-{number}"} for number in range(operation.items_count)
            ],
            "model": operation.model,
            "status": operation.status,
            "type": operation.kind,
        }


def _decided_before(world: World) -> dict[str, dict[str, bool]]:
    """Return by event what its person had decided about each channel until then."""
    decided: dict[str, dict[str, bool]] = {}
    before: dict[str, dict[str, bool]] = {}
    for event in sorted(world.consent_events, key=lambda each: (each.at, each.id)):
        known = decided.setdefault(event.person_id, {})
        before[event.id] = dict(known)
        if event.kind in _DECIDING:
            known[event.channel] = event.opted_in
    return before


def _employee(user: User) -> dict[str, Any]:
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
    asked = [kind for value in request.query.getall("type", []) for kind in value.split(",")]
    strange = set(asked) - set(_TYPES)
    if strange:
        raise _BadValue(
            f"type: {', '.join(sorted(strange))} is not one of {', '.join(_TYPES)} (v1c001)"
        )
    return tuple(asked) or _DEFAULT_TYPES


def _moment(request: web.Request, name: str) -> datetime | None:
    value = request.query.get(name)
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _BadValue(f"{name}: not a time in ISO 8601 (v1c001)")
    return found


def _within(at: datetime, start: datetime | None, stop: datetime | None) -> bool:
    return (start is None or at >= start) and (stop is None or at <= stop)


def _limit(request: web.Request) -> int:
    value = request.query.get("limit", str(_PAGE))
    if not value.isdecimal() or not int(value):
        raise _BadValue("limit: not a positive whole number (v1c001)")
    return min(int(value), _PAGE)


def _mark(operation: Operation | Upload) -> str:
    return f"{iso(operation.created_at)} {operation.id}"


def _place(found: Records, request: web.Request, mark: Callable[[Any], str]) -> tuple[int, int]:
    """Where the page begins and ends: after the record that the cursor names."""
    limit = _limit(request)
    token = request.query.get("cursor")
    if not token:
        return 0, limit
    try:
        last = b64decode(token, altchars=b"-_", validate=True).decode()
        begin = 1 + [mark(each) for each in found.items].index(last)
    except (NotBase64, UnicodeDecodeError, ValueError):
        raise _BadValue("cursor: unknown (v1c001)") from None
    return begin, begin + limit


def _page(
    request: web.Request, found: Records, begin: int, end: int, mark: Callable[[Any], str]
) -> web.Response:
    """One page; while more follows, the headers say where it goes on."""
    if end >= len(found):
        return _answer(found.slice(begin, end))
    token = urlsafe_b64encode(mark(found.items[end - 1]).encode()).decode()
    link = str(request.url.update_query(cursor=token))
    return _answer(found.slice(begin, end), Next_Cursor=token, Next_Link=link)
