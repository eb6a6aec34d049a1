"""What can be written into Complero: contacts, up to a thousand in a request, processed after the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from crmlab.connector import Batch, Entry, Outcome, Page, Target, as_text
from crmlab.errors import UsageError

MAX_CONTACTS = 1_000
#: the vendor's table of states is cut in every copy: of the others it is assumed that the work is over
_GOES_ON = frozenset({"pending", "processing", "in_progress", "in progress", "running", "queued"})
_WENT_WELL = frozenset({"", "done", "completed", "complete", "success", "successful", "succeeded", "finished", "ok"})
_WENT_WRONG = ("fail", "error", "reject", "invalid")


class _Upload(msgspec.Struct):
    validation_errors: Any = None


class _Operation(msgspec.Struct):
    status: str | None = None
    items: list[Any] | None = None
    validation_errors: Any = None


def _ask(records: Sequence[Entry], options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if any(record.id is None for record in records):
        raise UsageError("a contact of Complero needs an id, which is your own: the service gives none")
    return "bulk_upload_contacts", {"body": [{"id": record.id, **record.fields} for record in records]}


def _read(page: Page, records: Sequence[Entry]) -> Sequence[Outcome]:
    pending = page.header("operation-id") or ""
    errors = page.read(_Upload).validation_errors if page.body.strip() else None
    return _outcomes(records, errors, [], status="", pending=pending)


def _followed(page: Page, records: Sequence[Entry]) -> Sequence[Outcome] | None:
    operation = page.read(_Operation)
    status = (operation.status or "").strip().lower()
    if status in _GOES_ON:
        return None
    return _outcomes(records, operation.validation_errors, operation.items or [], status=status)


def _outcomes(
    records: Sequence[Entry], errors: Any, items: Sequence[Any], *, status: str, pending: str = ""
) -> Sequence[Outcome]:
    """Return what is said of each contact: by its place or its id in the errors, and by its id in the items."""
    said = {str(item["id"]): item for item in items if isinstance(item, dict) and "id" in item}
    everything_failed = any(word in status for word in _WENT_WRONG) and not said
    outcomes = []
    for place, record in enumerate(records):
        reason = _reason(said.get(str(record.id), {})) or _reason_in(errors, place, record)
        if everything_failed and not reason:
            reason = f"the upload ended as {status!r}"
        note = "" if status in _WENT_WELL or reason else f"the upload ended as {status!r}"
        outcomes.append(
            Outcome(
                state="refused" if reason else "sent",
                id=record.id,
                reason=reason or note,
                pending="" if reason else pending,
            )
        )
    return outcomes


def _reason(item: Mapping[str, Any]) -> str:
    """Return why an item was refused; nothing where it was not."""
    for name in ("validation_errors", "errors", "error"):
        if item.get(name):
            return _in_words(item[name])
    status = str(item.get("status") or "").lower()
    return status if any(word in status for word in _WENT_WRONG) else ""


def _reason_in(errors: Any, place: int, record: Entry) -> str:
    """Return what is said of one contact where errors are kept by place or id, or listed by place."""
    if isinstance(errors, list) and len(errors) > place:
        return _in_words(errors[place])
    if isinstance(errors, dict):
        return _in_words(errors.get(str(place)) or errors.get(str(record.id)))
    return ""


def _in_words(error: Any) -> str:
    """Return an error as text: ``email v1c001``."""
    if not error:
        return ""
    if isinstance(error, dict):
        return "; ".join(f"{name} {_in_words(each)}" for name, each in error.items())
    if isinstance(error, list):
        return ", ".join(_in_words(each) for each in error)
    return str(error)


CONTACTS = Target(
    table="contacts",
    doc="Up to 1,000 in a request. Each needs your own id, first_name and last_name: one that is there is brought up "
    "to date, and sending it again changes nothing more. The service answers before it has done the work; crmlab asks "
    "until it is done, and tells what did not pass. Channels and consents are in section_work and section_private, "
    "whose insides are not documented.",
    columns={
        "first_name": as_text("first_name"),
        "last_name": as_text("last_name"),
        "job_title": as_text("position"),
        "company_name": as_text("company"),
        "language": as_text("language"),
        "owner_id": as_text("employee_id"),
    },
    own_fields=(
        "birthday", "data", "degree", "documentation", "name_suffix", "nationality", "salutation", "section_private",
        "section_work", "title", "website",
    ),
    ask=_ask,
    read=_read,
    batch=lambda record: Batch(size=MAX_CONTACTS),
    always_sent=("first_name", "last_name"),
    repeatable=True,
    follow="get_operation",
    followed=_followed,
)  # fmt: skip
TARGETS = (CONTACTS,)
