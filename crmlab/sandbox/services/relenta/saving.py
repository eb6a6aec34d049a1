"""Contacts and activities that are saved: created without an id, changed with one.

Not documented, and served in the way that harms most: what is left out of a change is blanked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from crmlab.sandbox.service import BODY, Record, Records, dumps, iso
from crmlab.sandbox.world.model import Appointment

_TEXTS = (
    "first_name", "last_name", "emails", "title", "company", "comment", "phone", "url", "fax", "messenger", "twitter",
    "linkedin", "facebook", "text", "address",
)  # fmt: skip
#: left out where they are empty
_OMITTED = ("groups", "tags")
_FLAG = "do_not_mass_email"
_OF_ACTIVITY = (
    "activity_type", "label", "calendar_id", "rrule", "status", "author", "users", "contacts", "subject", "body",
)  # fmt: skip
_TIMES = ("dt_start", "dt_end")
#: taken beside the texts and times, though the last two of them change nothing
_BESIDE_ACTIVITY = ("id", "all_day", "dt_created", "dt_modified")
#: the id of the first contact or activity where there is none
_FIRST = 33_000_001


class Contacts:
    """The list of contacts, of which each item is a person of the world or a contact as it was saved."""

    def __init__(
        self,
        records: Records,
        custom: set[str],
        *,
        id_of: Callable[[Any], str],
        envelope: Callable[[bytes], web.Response],
        refusal: Callable[..., web.Response],
    ) -> None:
        self._records = records
        self._id_of = id_of
        self._custom = custom
        self._envelope = envelope
        self._refusal = refusal
        self._last = max(map(int, map(id_of, records.items)), default=_FIRST - 1)

    async def save(self, request: web.Request) -> web.Response:
        """Create or change the contact in the body."""
        body = request[BODY]
        if not isinstance(body, dict):
            return self._refusal(400, "a contact is an object")
        known = {*_TEXTS, *_OMITTED, _FLAG, *self._custom, "id", "full_name"}
        unknown = body.keys() - known
        if unknown:
            return self._refusal(400, f"unknown fields: {', '.join(sorted(unknown))}")
        now = iso(datetime.now(UTC))
        if body.get("id") in (None, ""):
            self._last += 1
            new_id = str(self._last)
            contact = self._contact(body, new_id, created_at=now, now=now)
            self._records.add(contact, at=0)
            return self._envelope(dumps({"id": self._last}))
        contact_id = str(body["id"])
        saved_before = _with_id(self._records, contact_id, self._id_of)
        if saved_before is None:
            return self._refusal(404)
        created_at = _created_at(saved_before)
        contact = self._contact(body, contact_id, created_at=created_at, now=now)
        self._records.replace(saved_before, contact)
        return self._envelope(dumps({"id": int(contact_id)}))

    def _contact(
        self, body: Record, id_: str, *, created_at: str | None, now: str | None
    ) -> Record:
        names = f"{body.get('first_name') or ''} {body.get('last_name') or ''}"
        contact: Record = {
            "id": id_,
            "full_name": names.strip(),
            "dt_created": created_at,
            "dt_modified": now,
            **_texts(body, _TEXTS),
            _FLAG: bool(body.get(_FLAG)),
        }
        for field in (*_OMITTED, *sorted(self._custom)):
            if body.get(field):
                contact[field] = body[field]
        return contact


class Activities:
    """The list of activities, of which each item is an appointment of the world or an activity as it was saved."""

    def __init__(
        self,
        records: Records,
        *,
        envelope: Callable[[bytes], web.Response],
        refusal: Callable[..., web.Response],
    ) -> None:
        self._records = records
        self._envelope = envelope
        self._refusal = refusal
        self._last = max(map(int, map(activity_id, records.items)), default=_FIRST - 1)

    async def save(self, request: web.Request) -> web.Response:
        """Create or change the activity in the body."""
        body = request[BODY]
        if not isinstance(body, dict):
            return self._refusal(400, "an activity is an object")
        unknown = body.keys() - {*_OF_ACTIVITY, *_TIMES, *_BESIDE_ACTIVITY}
        if unknown:
            return self._refusal(400, f"unknown fields: {', '.join(sorted(unknown))}")
        for time_field in _TIMES:
            if not _is_time(body.get(time_field)):
                names = " and ".join(_TIMES)
                return self._refusal(400, f"{names} are times such as 2026-01-31T09:00:00Z")
        now = iso(datetime.now(UTC))
        if body.get("id") in (None, ""):
            self._last += 1
            new_id = str(self._last)
            activity = _activity(body, new_id, created_at=now, now=now)
            self._records.add(activity, at=0)
            return self._envelope(dumps({"id": self._last}))
        wanted_id = str(body["id"])
        saved_before = _with_id(self._records, wanted_id, activity_id)
        if saved_before is None:
            return self._refusal(404)
        created_at = _created_at(saved_before)
        activity = _activity(body, wanted_id, created_at=created_at, now=now)
        self._records.replace(saved_before, activity)
        return self._envelope(dumps({"id": int(wanted_id)}))


def activity_id(activity: Appointment | Record) -> str:
    """Return the id of an appointment of the world, or of an activity that was saved."""
    if isinstance(activity, dict):
        return str(activity["id"])
    return str(activity.id)


def _with_id(records: Records, wanted_id: str, id_of: Callable[[Any], str]) -> Any:
    for item in records.items:
        if id_of(item) == wanted_id:
            return item
    return None


def _created_at(item: Any) -> str | None:
    # what was saved is a record in the service's words already
    if isinstance(item, dict):
        return str(item["dt_created"])
    return iso(item.created_at)


def _texts(body: Record, fields: Iterable[str]) -> Record:
    """Return these fields as the service keeps them: what is not given is blank."""
    return {field: body.get(field) or "" for field in fields}


def _activity(body: Record, id_: str, *, created_at: str | None, now: str | None) -> Record:
    return {
        "id": id_,
        **_texts(body, (*_OF_ACTIVITY, *_TIMES)),
        "all_day": bool(body.get("all_day")),
        "dt_created": created_at,
        "dt_modified": now,
    }


def _is_time(value: object) -> bool:
    """Whether nothing is given, or a time with its zone."""
    if value in (None, ""):
        return True
    try:
        return datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False
