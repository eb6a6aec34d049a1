"""Contacts and employees that are uploaded: taken at once, worked on afterwards, each by itself.

Not documented, and as crmlab assumes: the states of an operation but ``pending``, and how its items tell what did not
pass. The codes are the vendor's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import web

from crmlab.sandbox.service import BODY, Records, iso

_MAX = 1_000
#: seconds that the work takes behind the answer
_SECONDS = 0.3
_CONTACT_TEXTS = (
    "birthday", "company", "degree", "employee_id", "language", "name_suffix", "nationality", "position", "salutation",
    "title", "website",
)  # fmt: skip
_EMPLOYEE_TEXTS = (
    "last_name", "city", "department", "fax_number", "house_number", "phone_number", "position", "profile_picture_url",
    "street", "website", "zip_code",
)  # fmt: skip
_UNKNOWN_TAG = "v1c003"
_MISSING = "v1c002"
_RULE = "v1c001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is uploaded: its required texts, its other texts, and its fields of another shape with their empty value."""

    model: str
    required: tuple[str, ...]
    texts: tuple[str, ...]
    others: Mapping[str, Any]

    def blank(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record that was uploaded and is none of the world's."""
        return {**dict.fromkeys(self.texts, ""), "tags": [], **self.others, **changes}


CONTACTS = Kind(
    model="contact",
    required=("id", "first_name", "last_name"),
    texts=_CONTACT_TEXTS,
    others={"data": {}, "documentation": {}, "section_private": {}, "section_work": {}},
)
EMPLOYEES = Kind(
    model="employee",
    required=("id", "email", "first_name"),
    texts=_EMPLOYEE_TEXTS,
    others={"data": {}, "tags": []},
)


@dataclass(slots=True)
class Upload:
    """One upload: its records are known once it is done."""

    id: str
    created_at: datetime
    items: list[dict[str, Any]]
    records: dict[str, dict[str, Any]]
    kind: Kind = CONTACTS
    is_done: bool = False

    def record(self) -> dict[str, Any]:
        return {
            "created_at": iso(self.created_at),
            "id": self.id,
            "items": self.items if self.is_done else [],
            "model": self.kind.model,
            "status": "done" if self.is_done else "pending",
            "type": "upload",
        }


class Uploads:
    """What was uploaded, the newest of each record last."""

    def __init__(
        self,
        log: Records,
        answered: Callable[..., web.Response],
        refusal: Callable[..., web.Response],
    ) -> None:
        self._log = log
        self._answered = answered
        self._refusal = refusal
        self.by_id: dict[str, Upload] = {}

    async def contacts(self, request: web.Request) -> web.Response:
        """Take up to a thousand contacts."""
        return self._taken(request, CONTACTS)

    async def employees(self, request: web.Request) -> web.Response:
        """Take employees; the answer tells at once which are not taken."""
        return self._taken(request, EMPLOYEES)

    def _taken(self, request: web.Request, kind: Kind) -> web.Response:
        body = request[BODY]
        if not isinstance(body, list) or not all(isinstance(each, dict) for each in body):
            return self._refusal(400, f"the body is an array of {kind.model}s (v1c001)")
        if len(body) > _MAX:
            return self._refusal(400, f"at most {_MAX} {kind.model}s (v1c001)")
        items = [_item(each, kind) for each in body]
        fine = {
            str(each["id"]): each
            for each, item in zip(body, items, strict=True)
            if "validation_errors" not in item
        }
        upload = Upload(str(uuid4()), datetime.now(UTC), items, fine, kind)
        self.by_id[upload.id] = upload
        self._log.add(upload, at=0)
        asyncio.get_running_loop().call_later(_SECONDS, self._finish, upload)
        answer: dict[str, Any] = {"message": "accepted"}
        if kind is EMPLOYEES:
            refused = {
                str(place): item.get("validation_errors") for place, item in enumerate(items)
            }
            answer["validation_errors"] = {
                place: errors for place, errors in refused.items() if errors
            }
        return self._answered(answer, status=202, Operation_Id=upload.id)

    def _finish(self, upload: Upload) -> None:
        upload.is_done = True
        self._log.replace(upload, upload)  # it is shown otherwise from now on

    def changes(self, id_: str, kind: Kind = CONTACTS) -> dict[str, Any]:
        """Return what the uploads that are done say of a record; nothing where none does."""
        found: dict[str, Any] = {}
        for upload in self._done(kind):
            found |= upload.records.get(id_, {})
        return found

    def forget(self, id_: str, kind: Kind) -> None:
        """Let nothing of a record be left that was deleted."""
        for upload in self.by_id.values():
            if upload.kind is kind:
                upload.records.pop(id_, None)

    def assigned_to(self, employee: str) -> set[str]:
        """Return the contacts that uploads assign to an employee."""
        ids = {id_ for upload in self._done(CONTACTS) for id_ in upload.records}
        return {id_ for id_ in ids if self.changes(id_).get("employee_id") == employee}

    def _done(self, kind: Kind) -> Iterator[Upload]:
        return (upload for upload in self.by_id.values() if upload.is_done and upload.kind is kind)


def errors_of(record: Mapping[str, Any], kind: Kind) -> dict[str, str]:
    """Return the codes of the rules that a record breaks, by field."""
    errors = {name: _MISSING for name in kind.required if record.get(name) in (None, "")}
    errors |= dict.fromkeys(
        record.keys() - {*kind.required, *kind.texts, *kind.others}, _UNKNOWN_TAG
    )
    texts = (*kind.required, *kind.texts)
    errors |= {name: _RULE for name in texts if not isinstance(record.get(name), str | None)}
    for place, email in (
        ("email", record.get("email")),
        ("section_work.email", _work_email(record)),
    ):
        if email and "@" not in str(email):
            errors[place] = _RULE
    return errors


def _work_email(record: Mapping[str, Any]) -> Any:
    work = record.get("section_work")
    return work.get("email") if isinstance(work, dict) else None


def _item(record: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    errors = errors_of(record, kind)
    return {"id": record.get("id"), **({"validation_errors": errors} if errors else {})}
