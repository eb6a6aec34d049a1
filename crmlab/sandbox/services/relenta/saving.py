"""Contacts and activities that are saved: created without an id, changed with one.

Not documented, and served in the way that harms most: what is left out of a change is blanked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from crmlab.sandbox.service import BODY, Records, dumps, iso
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
#: the id of the first activity where there is none
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
        self._last = max((int(id_of(item)) for item in records.items), default=33_000_000)

    async def save(self, request: web.Request) -> web.Response:
        """Create or change the contact in the body."""
        body = request[BODY]
        if not isinstance(body, dict):
            return self._refusal(400, "a contact is an object")
        strange = body.keys() - {*_TEXTS, *_OMITTED, _FLAG, *self._custom, "id", "full_name"}
        if strange:
            return self._refusal(400, f"unknown fields: {', '.join(sorted(strange))}")
        now = iso(datetime.now(UTC))
        if body.get("id") in (None, ""):
            self._last += 1
            self._records.add(self._contact(body, str(self._last), created_at=now, now=now), at=0)
            return self._envelope(dumps({"id": self._last}))
        found = next(
            (item for item in self._records.items if self._id_of(item) == str(body["id"])), None
        )
        if found is None:
            return self._refusal(404)
        created = found["dt_created"] if isinstance(found, dict) else iso(found.created_at)
        self._records.replace(
            found, self._contact(body, str(body["id"]), created_at=created, now=now)
        )
        return self._envelope(dumps({"id": int(body["id"])}))

    def _contact(
        self, body: dict[str, Any], id_: str, *, created_at: str | None, now: str | None
    ) -> dict[str, Any]:
        contact: dict[str, Any] = {"id": id_}
        contact["full_name"] = (
            f"{body.get('first_name') or ''} {body.get('last_name') or ''}".strip()
        )
        contact |= {"dt_created": created_at, "dt_modified": now}
        contact |= {name: body.get(name) or "" for name in _TEXTS}
        contact[_FLAG] = bool(body.get(_FLAG))
        contact |= {
            name: body[name] for name in (*_OMITTED, *sorted(self._custom)) if body.get(name)
        }
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
        self._last = max((int(activity_id(item)) for item in records.items), default=_FIRST - 1)

    async def save(self, request: web.Request) -> web.Response:
        """Create or change the activity in the body."""
        body = request[BODY]
        if not isinstance(body, dict):
            return self._refusal(400, "an activity is an object")
        strange = body.keys() - {
            *_OF_ACTIVITY,
            *_TIMES,
            "id",
            "all_day",
            "dt_created",
            "dt_modified",
        }
        if strange:
            return self._refusal(400, f"unknown fields: {', '.join(sorted(strange))}")
        if not all(_is_time(body.get(name)) for name in _TIMES):
            return self._refusal(
                400, f"{' and '.join(_TIMES)} are times such as 2026-01-31T09:00:00Z"
            )
        now = iso(datetime.now(UTC))
        if body.get("id") in (None, ""):
            self._last += 1
            self._records.add(_activity(body, str(self._last), created_at=now, now=now), at=0)
            return self._envelope(dumps({"id": self._last}))
        found = next(
            (item for item in self._records.items if activity_id(item) == str(body["id"])), None
        )
        if found is None:
            return self._refusal(404)
        created = found["dt_created"] if isinstance(found, dict) else iso(found.created_at)
        self._records.replace(found, _activity(body, str(body["id"]), created_at=created, now=now))
        return self._envelope(dumps({"id": int(body["id"])}))


def activity_id(activity: Appointment | dict[str, Any]) -> str:
    """Return the id of an appointment of the world, or of an activity that was saved."""
    return str(activity["id"] if isinstance(activity, dict) else activity.id)


def _activity(
    body: dict[str, Any], id_: str, *, created_at: str | None, now: str | None
) -> dict[str, Any]:
    return {
        "id": id_,
        **{name: body.get(name) or "" for name in (*_OF_ACTIVITY, *_TIMES)},
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
