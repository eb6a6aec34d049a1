"""Relenta as documented: a key per department, ``{status, code, data}``, newest id first.

Not documented, and as crmlab assumes: past the end ``data`` is empty, page 1 is the first, a page
holds at most 100, errors have a ``message``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from aiohttp import web

from crmlab.sandbox.service import Handler, Record, Records, Service, answer, iso
from crmlab.sandbox.services.relenta.saving import Activities, Contacts
from crmlab.sandbox.world.model import Appointment, CustomField, Person, User, World

_Item = TypeVar("_Item")
_KEY = "sandbox-relenta-department-key"
_MAX_PAGE_SIZE = 100
_MESSAGES = {
    400: "Bad Request",
    401: "Forbidden",
    404: "Resource Not Found",
    429: "Too Many Requests",
}
#: kinds of custom fields elsewhere, in Relenta's words
_TYPES = {
    "select_box": "Single choice",
    "multiple_choice": "Multiple choice",
    "number": "Number",
    "date": "Date",
}


def service(world: World) -> Service:
    """Return Relenta with the people and appointments that it knows."""
    writer = _Writer(world)
    people = sorted(world.people_in("relenta"), key=contact_id, reverse=True)
    appointments = sorted(world.appointments, key=lambda appointment: int(appointment.id))
    lists = {
        "contacts": Records(people, writer.any_contact),
        # the newest id first, as contacts are
        "activities": Records(reversed(appointments), writer.any_activity),
    }
    fields = Records(writer.fields, writer.field)
    custom_keys = {key_of(field) for field in writer.fields}
    contacts = Contacts(
        lists["contacts"], custom_keys, id_of=contact_id, envelope=_envelope, refusal=_refusal
    )
    activities = Activities(lists["activities"], envelope=_envelope, refusal=_refusal)
    return Service(
        name="relenta",
        prefix="/relenta/api/v3",
        credentials={"account_name": "sandbox", "api_key": _KEY},
        allowed=lambda request, body: request.headers.get("X-Relenta-Department-Key") == _KEY,
        refusal=_refusal,
        lists=lists,
        page_in="page",
        size_in="page_size",
        routes=[
            web.get("/contact.list.json", _paged(lists["contacts"])),
            web.post(r"/contact.{verb:save|create}.json", contacts.save),
            web.get("/activity.list.json", _paged(lists["activities"])),
            web.post("/activity.save.json", activities.save),
            web.get("/custom_field.list.json", _whole(fields)),
            web.get(r"/{name:(contact|activity|custom_field)\.list(\.\w+)?}", _wrong_format),
        ],
    )


def contact_id(person: Person | Record) -> str:
    """Return the id that Relenta gave this person, or a contact that was saved."""
    if isinstance(person, dict):
        return str(person["id"])
    return str(33_000_000 + person.number)


def key_of(field: CustomField) -> str:
    """Return the name of a custom field in a contact: its label, escaped."""
    return "_".join(field.label.split())


def _refusal(status: int, message: str = "") -> web.Response:
    refused = {
        "status": False,
        "code": status,
        "message": message or _MESSAGES.get(status, "Internal Server Error"),
    }
    return answer(refused, status=status)


def _envelope(data: bytes) -> web.Response:
    return answer(b'{"status":true,"code":200,"data":' + data + b"}")


def _paged(records: Records) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        page = _positive(request.query.get("page", "1"))
        size = _positive(request.query.get("page_size", "20"))
        if not page or not size:
            return _refusal(400, "page and page_size must be positive whole numbers")
        # more than the greatest size is no error: as many come as may
        size = min(size, _MAX_PAGE_SIZE)
        stop = page * size
        return _envelope(records.slice(stop - size, stop))

    return handle


def _positive(text: str) -> int | None:
    """Return a whole number above zero; None where the text is none."""
    if not text.isdecimal() or int(text) == 0:
        return None
    return int(text)


def _whole(records: Records) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        if request.query:
            return _refusal(400, "No parameters are allowed")
        return _envelope(records.slice(0, len(records)))

    return handle


async def _wrong_format(request: web.Request) -> web.Response:
    return _refusal(400, "The response format must be json")


class _Writer:
    """Writes the world's records in Relenta's words."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.people = world.people_by_id()
        self.users = world.users_by_id()
        self.companies = world.companies_by_id()
        self.fields = [field for field in world.fields if field.entity == "contact"]

    def any_contact(self, contact: Person | Record) -> Record:
        """A person of the world, or a contact as it was saved."""
        if isinstance(contact, dict):
            return contact
        return self.contact(contact)

    def contact(self, person: Person) -> Record:
        alias = self.world.alias(person, "relenta")
        company_name = None
        website = ""
        company = self.companies.get(person.company_id or "")
        if company:
            company_name = company.name
            website = company.url or ""
        emails = _not_empty(alias.email, *person.emails[1:])
        phones = _not_empty(alias.phone, *person.phones[1:])
        if person.number % 2 == 0:  # labels are optional: every other contact has them
            phones = _labelled(phones)
        return {
            "id": contact_id(person),
            "full_name": f"{alias.first_name} {alias.last_name}".strip(),
            "first_name": alias.first_name,
            "last_name": alias.last_name,
            "dt_created": iso(person.created_at),
            "dt_modified": iso(person.modified_at),
            "emails": ";".join(emails),
            "title": person.job_title,
            "company": company_name,
            "comment": person.background or None,
            "phone": ";".join(phones),
            "url": website,
            "fax": "",
            "messenger": "",
            "twitter": "",
            "linkedin": "",
            "facebook": "",
            "text": "",
            "address": _address(person),
            "do_not_mass_email": person.do_not_mail,
            **self._optional(person),
        }

    def _optional(self, person: Person) -> Record:
        """Groups, tags and custom fields, which the service leaves out where they are empty."""
        texts = {"groups": ";".join(person.groups), "tags": ";".join(person.tags)}
        for field in self.fields:
            texts[key_of(field)] = _custom(person, field)
        return {name: text for name, text in texts.items() if text}

    def any_activity(self, activity: Appointment | Record) -> Record:
        """An appointment of the world, or an activity as it was saved."""
        if isinstance(activity, dict):
            return activity
        return self.activity(activity)

    def activity(self, appointment: Appointment) -> Record:
        # who was deleted since is named no more
        users = _known(self.users, appointment.user_ids)
        people = _known(self.people, appointment.person_ids)
        author = ""
        if appointment.author in self.users:
            author = _signature(self.users[appointment.author])
        return {
            "id": appointment.id,
            "activity_type": appointment.kind,
            "label": appointment.label,
            "calendar_id": appointment.calendar_id,
            "all_day": appointment.all_day,
            "dt_created": iso(appointment.created_at),
            "dt_modified": iso(appointment.modified_at),
            "dt_start": iso(appointment.starts_at),
            "dt_end": iso(appointment.ends_at),
            "rrule": appointment.rrule,
            "status": appointment.status,
            "author": author,
            "users": ";".join(map(_signature, users)),
            "contacts": ";".join(map(self._person, people)),
            "subject": appointment.subject,
            "body": appointment.body,
        }

    def field(self, field: CustomField) -> Record:
        number = self.fields.index(field)
        record = {
            "id": str(33_078_800 + number),
            "type": _TYPES.get(field.type, "Text"),
            "key": key_of(field),
            "label": field.label,
            "default_value": "",
        }
        if field.choices:
            return {**record, "choices": field.choices}
        return record

    def _person(self, person: Person) -> str:
        alias = self.world.alias(person, "relenta")
        name = f"{alias.first_name} {alias.last_name}".strip()
        if not alias.email:
            return name
        return f"{name} <{alias.email}>"


def _signature(user: User) -> str:
    return f"{user.full_name} <{user.email}>"


def _not_empty(*texts: str | None) -> list[str]:
    return [text for text in texts if text]


def _labelled(phones: list[str]) -> list[str]:
    """Phone numbers, of which the first two say what they are for."""
    labelled = list(phones)
    for position, label in enumerate(("Work", "toll-free")):
        if position < len(phones):
            labelled[position] = f"{phones[position]} ({label})"
    return labelled


def _known(known: Mapping[str, _Item], ids: Iterable[str]) -> list[_Item]:
    return [known[item_id] for item_id in ids if item_id in known]


def _custom(person: Person, field: CustomField) -> str:
    """The one custom field of a person that the world has; empty of any other."""
    if field.key != "season":
        return ""
    return person.season or ""


def _address(person: Person) -> str:
    """Lines as the service mixes them: both ends of line occur."""
    city = " ".join(_not_empty(person.zip_code, person.city))
    street_and_city = "\n".join(_not_empty(person.street, city))
    return "\r\n".join(_not_empty(street_and_city, person.state))
