"""Contacts that are uploaded: taken at once, worked on afterwards, each by itself.

Not documented, and as crmlab assumes: the states of an operation but ``pending``, and how its items tell what did not
pass. The codes are the vendor's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import web

from crmlab.sandbox.service import BODY, Records, iso

_MAX = 1_000
#: seconds that the work takes behind the answer
_SECONDS = 0.3
_REQUIRED = ("id", "first_name", "last_name")
_TEXTS = (
    "birthday", "company", "degree", "employee_id", "language", "name_suffix", "nationality", "position", "salutation",
    "title", "website",
)  # fmt: skip
_OBJECTS = ("data", "documentation", "section_private", "section_work")
_UNKNOWN_TAG = "v1c003"
_MISSING = "v1c002"
_RULE = "v1c001"


@dataclass(slots=True)
class Upload:
    """One upload: its contacts are known once it is done."""

    id: str
    created_at: datetime
    items: list[dict[str, Any]]
    contacts: dict[str, dict[str, Any]]
    is_done: bool = False

    def record(self) -> dict[str, Any]:
        return {
            "created_at": iso(self.created_at),
            "id": self.id,
            "items": self.items if self.is_done else [],
            "model": "contact",
            "status": "done" if self.is_done else "pending",
            "type": "upload",
        }


class Uploads:
    """What was uploaded, the newest of each contact last."""

    def __init__(
        self, log: Records, answered: Callable[..., web.Response], refusal: Callable[..., web.Response]
    ) -> None:
        self._log = log
        self._answered = answered
        self._refusal = refusal
        self.by_id: dict[str, Upload] = {}

    async def contacts(self, request: web.Request) -> web.Response:
        """Take up to a thousand contacts."""
        body = request[BODY]
        if not isinstance(body, list) or not all(isinstance(each, dict) for each in body):
            return self._refusal(400, "the body is an array of contacts (v1c001)")
        if len(body) > _MAX:
            return self._refusal(400, f"at most {_MAX} contacts (v1c001)")
        items = [_item(each) for each in body]
        fine = {
            str(each["id"]): each for each, item in zip(body, items, strict=True) if "validation_errors" not in item
        }
        upload = Upload(str(uuid4()), datetime.now(UTC), items, fine)
        self.by_id[upload.id] = upload
        self._log.add(upload, at=0)
        asyncio.get_running_loop().call_later(_SECONDS, self._finish, upload)
        return self._answered({"message": "accepted"}, status=202, Operation_Id=upload.id)

    def _finish(self, upload: Upload) -> None:
        upload.is_done = True
        self._log.replace(upload, upload)  # it is shown otherwise from now on

    def changes(self, id_: str) -> dict[str, Any]:
        """Return what the uploads that are done say of a contact; nothing where none does."""
        found: dict[str, Any] = {}
        for upload in self.by_id.values():
            if upload.is_done:
                found |= upload.contacts.get(id_, {})
        return found


def contact(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a contact that was uploaded and is none of the world's."""
    return {**dict.fromkeys(_TEXTS, ""), **{name: {} for name in _OBJECTS}, "tags": [], **changes}


def _item(contact: Mapping[str, Any]) -> dict[str, Any]:
    errors = {name: _MISSING for name in _REQUIRED if contact.get(name) in (None, "")}
    errors |= dict.fromkeys(contact.keys() - {*_REQUIRED, *_TEXTS, *_OBJECTS}, _UNKNOWN_TAG)
    errors |= {name: _RULE for name in (*_REQUIRED, *_TEXTS) if not isinstance(contact.get(name), str | None)}
    email = (contact.get("section_work") or {}).get("email")
    if email and "@" not in str(email):
        errors["section_work.email"] = _RULE
    return {"id": contact.get("id"), **({"validation_errors": errors} if errors else {})}
