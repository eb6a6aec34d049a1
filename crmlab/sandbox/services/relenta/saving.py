"""Contacts that are saved: created without an id, changed with one.

Not documented, and served in the way that harms most: what is left out of a change is blanked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from crmlab.sandbox.service import BODY, Records, dumps, iso

_TEXTS = (
    "first_name", "last_name", "emails", "title", "company", "comment", "phone", "url", "fax", "messenger", "twitter",
    "linkedin", "facebook", "text", "address",
)  # fmt: skip
#: left out where they are empty
_OMITTED = ("groups", "tags")
_FLAG = "do_not_mass_email"


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
        found = next((item for item in self._records.items if self._id_of(item) == str(body["id"])), None)
        if found is None:
            return self._refusal(404)
        created = found["dt_created"] if isinstance(found, dict) else iso(found.created_at)
        self._records.replace(found, self._contact(body, str(body["id"]), created_at=created, now=now))
        return self._envelope(dumps({"id": int(body["id"])}))

    def _contact(self, body: dict[str, Any], id_: str, *, created_at: str | None, now: str | None) -> dict[str, Any]:
        contact: dict[str, Any] = {"id": id_}
        contact["full_name"] = f"{body.get('first_name') or ''} {body.get('last_name') or ''}".strip()
        contact |= {"dt_created": created_at, "dt_modified": now}
        contact |= {name: body.get(name) or "" for name in _TEXTS}
        contact[_FLAG] = bool(body.get(_FLAG))
        contact |= {name: body[name] for name in (*_OMITTED, *sorted(self._custom)) if body.get(name)}
        return contact
