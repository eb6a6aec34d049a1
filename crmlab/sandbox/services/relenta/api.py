"""Relenta as documented: a key per department, ``{status, code, data}``, newest id first.

Not documented, and as crmlab assumes: past the end ``data`` is empty, page 1 is the first, a page
holds at most 100, errors have a ``message``.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crmlab.sandbox.service import Handler, Records, Service, answer, iso
from crmlab.sandbox.services.relenta.saving import Activities, Contacts
from crmlab.sandbox.world.model import Appointment, CustomField, Person, User, World

_KEY = "sandbox-relenta-department-key"
_MAX_PAGE_SIZE = 100
_PAGING = {"page": "1", "page_size": "20"}
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
    write = _Writer(world)
    lists = {
        "contacts": Records(
            sorted(world.people_in("relenta"), key=contact_id, reverse=True), write.any_contact
        ),
        "activities": Records(
            sorted(world.appointments, key=lambda each: int(each.id), reverse=True),
            write.any_activity,
        ),
    }
    fields = Records(write.fields, write.field)
    custom = {key_of(field) for field in write.fields}
    contacts = Contacts(
        lists["contacts"], custom, id_of=contact_id, envelope=_envelope, refusal=_refusal
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


def contact_id(person: Person | dict[str, Any]) -> str:
    """Return the id that Relenta gave this person, or a contact that was saved."""
    if isinstance(person, dict):
        return str(person["id"])
    return str(33_000_000 + person.number)


def key_of(field: CustomField) -> str:
    """Return the name of a custom field in a contact: its label, escaped."""
    return "_".join(field.label.split())


def _refusal(status: int, message: str = "") -> web.Response:
    message = message or _MESSAGES.get(status, "Internal Server Error")
    return answer({"status": False, "code": status, "message": message}, status=status)


def _envelope(data: bytes) -> web.Response:
    return answer(b'{"status":true,"code":200,"data":' + data + b"}")


def _paged(records: Records) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        asked = {name: request.query.get(name, default) for name, default in _PAGING.items()}
        if not all(value.isdecimal() and int(value) for value in asked.values()):
            return _refusal(400, "page and page_size must be positive whole numbers")
        page = int(asked["page"])
        size = min(int(asked["page_size"]), _MAX_PAGE_SIZE)
        return _envelope(records.slice((page - 1) * size, page * size))

    return handle


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

    def any_contact(self, contact: Person | dict[str, Any]) -> dict[str, Any]:
        """A person of the world, or a contact as it was saved."""
        return contact if isinstance(contact, dict) else self.contact(contact)

    def contact(self, person: Person) -> dict[str, Any]:
        alias = self.world.alias(person, "relenta")
        company = self.companies.get(person.company_id or "")
        emails = [email for email in (alias.email, *person.emails[1:]) if email]
        phones = [phone for phone in (alias.phone, *person.phones[1:]) if phone]
        labelled = [
            f"{phone} ({label})"
            for phone, label in zip(phones, ("Work", "toll-free"), strict=False)
        ]
        return {
            "id": contact_id(person),
            "full_name": f"{alias.first_name} {alias.last_name}".strip(),
            "first_name": alias.first_name,
            "last_name": alias.last_name,
            "dt_created": iso(person.created_at),
            "dt_modified": iso(person.modified_at),
            "emails": ";".join(emails),
            "title": person.job_title,
            "company": company and company.name,
            "comment": person.background or None,
            # labels are optional: every other contact has them
            "phone": ";".join(phones if person.number % 2 else labelled + phones[2:]),
            "url": (company and company.url) or "",
            "fax": "",
            "messenger": "",
            "twitter": "",
            "linkedin": "",
            "facebook": "",
            "text": "",
            "address": _address(person),
            "do_not_mass_email": person.do_not_mail,
            **_given(groups=";".join(person.groups), tags=";".join(person.tags)),
            **{key_of(field): value for field in self.fields if (value := _custom(person, field))},
        }

    def any_activity(self, activity: Appointment | dict[str, Any]) -> dict[str, Any]:
        """An appointment of the world, or an activity as it was saved."""
        return activity if isinstance(activity, dict) else self.activity(activity)

    def activity(self, appointment: Appointment) -> dict[str, Any]:
        users = [self.users[id] for id in appointment.user_ids if id in self.users]
        people = [self.people[id] for id in appointment.person_ids if id in self.people]
        author = self.users.get(appointment.author)
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
            "author": _signature(author) if author else "",
            "users": ";".join(map(_signature, users)),
            "contacts": ";".join(map(self._person, people)),
            "subject": appointment.subject,
            "body": appointment.body,
        }

    def field(self, field: CustomField) -> dict[str, Any]:
        number = self.fields.index(field)
        return {
            "id": str(33_078_800 + number),
            "type": _TYPES.get(field.type, "Text"),
            "key": key_of(field),
            "label": field.label,
            "default_value": "",
            **({"choices": field.choices} if field.choices else {}),
        }

    def _person(self, person: Person) -> str:
        alias = self.world.alias(person, "relenta")
        name = f"{alias.first_name} {alias.last_name}".strip()
        return f"{name} <{alias.email}>" if alias.email else name


def _signature(user: User) -> str:
    return f"{user.full_name} <{user.email}>"


def _given(**values: str) -> dict[str, str]:
    """Leave out what is empty, as the service does with groups, tags and custom fields."""
    return {name: value for name, value in values.items() if value}


def _custom(person: Person, field: CustomField) -> str | None:
    """The one custom field of a person that the world has."""
    return person.season if field.key == "season" else None


def _address(person: Person) -> str:
    """Lines as the service mixes them: both ends of line occur."""
    place = " ".join(part for part in (person.zip_code, person.city) if part)
    first = "\n".join(part for part in (person.street, place) if part)
    return "\r\n".join(part for part in (first, person.state) if part)
