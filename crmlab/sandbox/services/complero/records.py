"""A world's consent events, contacts, employees and uploads in Complero's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from crmlab.sandbox.service import Record, iso
from crmlab.sandbox.services.complero.uploads import Upload
from crmlab.sandbox.world.model import Alias, ConsentEvent, Operation, Person, User, World

#: the kinds of event in which a person decides
DECIDING = ("confirm", "update")
#: events beyond which an empty one is among them, as in the vendor's sample
_MANY = 20


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
    for event in sorted(events, key=attrgetter("at", "id")):
        has_contact = True
        if event.kind == "documentation":
            documents += 1
            has_contact = documents % 2 == 0
        feed.append(Entry(event.at, event, has_contact))
    if len(feed) > _MANY:
        middle = _MANY // 2
        empty = Entry(feed[middle].at, None)
        feed.insert(middle, empty)
    return feed


class Renderers:
    """Write the records of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._people = world.people_by_id()
        self._companies = world.companies_by_id()
        self._decided = _decided_before(world)

    def event(self, entry: Entry) -> Record:
        """One line of the feed."""
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
            person = self._people[event.person_id]
            consents = {**self._decided[event.id], event.channel: event.opted_in}
            record["contact"] = self._contact(person, consents, event.has_documentation)
        return record

    def contact(self, person: Person) -> Record:
        """A contact as it is now, with what was decided last about each channel."""
        consents: dict[str, bool] = {}
        documented = False
        for event in self._world.consent_events:
            if event.person_id == person.id:
                consents[event.channel] = event.opted_in
                documented = documented or event.has_documentation
        return self._contact(person, consents, documented)

    def _contact(self, person: Person, consents: dict[str, bool], documented: bool) -> Record:
        alias = self._world.alias(person, "complero")
        company = self._companies.get(person.company_id or "")
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
            "documentation": document(person.number) if documented else {},
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
        uploaded_items = []
        for number in range(operation.items_count):
            uploaded_items.append({"id": f"{operation.model}-{number}"})
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


def _decided_before(world: World) -> dict[str, dict[str, bool]]:
    """Return by event what its person had decided about each channel until then."""
    decided: dict[str, dict[str, bool]] = {}
    before: dict[str, dict[str, bool]] = {}
    for event in sorted(world.consent_events, key=attrgetter("at", "id")):
        of_person = decided.setdefault(event.person_id, {})
        before[event.id] = dict(of_person)
        if event.kind in DECIDING:
            of_person[event.channel] = event.opted_in
    return before


def employee(user: User) -> Record:
    """Return an employee as Complero knows them."""
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


def document(number: int | str) -> Record:
    """Return what a documentation is known by."""
    return {"id": f"doc-{number}", "content_type": "application/pdf"}


def _second(values: list[str]) -> str:
    return "".join(values[1:2])
