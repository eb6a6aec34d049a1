"""Contacts and employees that are uploaded: taken at once, worked on afterwards, each by itself.

Not documented, and as crmlab assumes: the states of an operation but ``pending``, and how its items tell what did not
pass. The codes are the vendor's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard
from uuid import uuid4

from aiohttp import web

from crmlab.sandbox.service import BODY, Record, Records, iso

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
    others: Record

    def blank(self, changes: Record) -> Record:
        """Return a record that was uploaded and is none of the world's."""
        no_texts = dict.fromkeys(self.texts, "")
        return {**no_texts, "tags": [], **self.others, **changes}


CONTACTS = Kind(
    model="contact",
    required=("id", "first_name", "last_name"),
    texts=_CONTACT_TEXTS,
    others={
        "data": {},
        "documentation": {},
        "section_private": {},
        "section_work": {},
    },
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
    items: list[Record]
    records: dict[str, Record]
    kind: Kind = CONTACTS
    is_done: bool = False

    def record(self) -> Record:
        items: list[Record] = []
        status = "pending"
        if self.is_done:
            items = self.items
            status = "done"
        return {
            "created_at": iso(self.created_at),
            "id": self.id,
            "items": items,
            "model": self.kind.model,
            "status": status,
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
        if not _are_records(body):
            return self._refusal(400, f"the body is an array of {kind.model}s (v1c001)")
        if len(body) > _MAX:
            return self._refusal(400, f"at most {_MAX} {kind.model}s (v1c001)")
        items: list[Record] = []
        accepted: dict[str, Record] = {}
        refused: dict[str, dict[str, str]] = {}
        for position, record in enumerate(body):
            item: Record = {"id": record.get("id")}
            errors = errors_of(record, kind)
            if errors:
                item["validation_errors"] = refused[str(position)] = errors
            else:
                accepted[str(record["id"])] = record
            items.append(item)

        # the newest upload comes first, and is worked on after the answer
        upload = Upload(
            id=str(uuid4()),
            created_at=datetime.now(UTC),
            items=items,
            records=accepted,
            kind=kind,
        )
        self.by_id[upload.id] = upload
        self._log.add(upload, at=0)
        asyncio.get_running_loop().call_later(_SECONDS, self._finish, upload)
        answer: Record = {"message": "accepted"}
        if kind is EMPLOYEES:  # of contacts, only the operation tells
            answer["validation_errors"] = refused
        return self._answered(answer, status=202, Operation_Id=upload.id)

    def _finish(self, upload: Upload) -> None:
        upload.is_done = True
        self._log.replace(upload, upload)  # it is shown otherwise from now on

    def changes(self, id_: str, kind: Kind = CONTACTS) -> Record:
        """Return what the uploads that are done say of a record; nothing where none does."""
        changes: Record = {}
        for upload in self._done(kind):
            changes |= upload.records.get(id_, {})
        return changes

    def forget(self, id_: str, kind: Kind) -> None:
        """Let nothing of a record be left that was deleted."""
        for upload in self.by_id.values():
            if upload.kind is kind:
                upload.records.pop(id_, None)

    def assigned_to(self, employee: str) -> set[str]:
        """Return the contacts that uploads assign to an employee."""
        contact_ids: set[str] = set()
        for upload in self._done(CONTACTS):
            for contact_id in upload.records:
                # a later upload may have assigned it to somebody else
                contact = self.changes(contact_id)
                if contact.get("employee_id") == employee:
                    contact_ids.add(contact_id)
        return contact_ids

    def _done(self, kind: Kind) -> Iterator[Upload]:
        for upload in self.by_id.values():
            if upload.is_done and upload.kind is kind:
                yield upload


def _are_records(body: Any) -> TypeGuard[list[Record]]:
    return isinstance(body, list) and all(isinstance(record, dict) for record in body)


def errors_of(record: Record, kind: Kind) -> dict[str, str]:
    """Return the codes of the rules that a record breaks, by field."""
    errors: dict[str, str] = {}
    for field_name in kind.required:
        if record.get(field_name) in (None, ""):
            errors[field_name] = _MISSING
    known_fields = {*kind.required, *kind.texts, *kind.others}
    errors |= dict.fromkeys(record.keys() - known_fields, _UNKNOWN_TAG)
    for field_name in (*kind.required, *kind.texts):
        if not isinstance(record.get(field_name), str | None):
            errors[field_name] = _RULE
    if _is_no_email(record.get("email")):
        errors["email"] = _RULE
    work_section = record.get("section_work")
    if isinstance(work_section, dict):
        work_email = work_section.get("email")
        if _is_no_email(work_email):
            errors["section_work.email"] = _RULE
    return errors


def _is_no_email(value: Any) -> bool:
    # nothing is no wrong address: whether it may be missing is another rule
    return bool(value) and "@" not in str(value)
