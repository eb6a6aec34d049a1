"""What can be written into Complero: contacts, up to a thousand in a request, processed after the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from crmlab.connector import Batch, Entry, Outcome, Page, Target, as_text
from crmlab.errors import TransportError, UsageError

MAX_CONTACTS = 1_000
#: the vendor's table of states is cut in every copy:
#: of the others it is assumed that the work is over
_GOES_ON = frozenset({"pending", "processing", "in_progress", "in progress", "running", "queued"})
_WENT_WELL = frozenset(
    {"", "done", "completed", "complete", "success", "successful", "succeeded", "finished", "ok"}
)
_WENT_WRONG = ("fail", "error", "reject", "invalid")


class _Upload(msgspec.Struct):
    validation_errors: Any = None


class _Operation(msgspec.Struct):
    status: str | None = None
    items: list[Any] | None = None
    validation_errors: Any = None


def _ask(records: Sequence[Entry], options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    contacts = []
    for record in records:
        if record.id is None:
            raise UsageError(
                "a contact of Complero needs an id, which is your own: the service gives none"
            )
        contacts.append({"id": record.id, **record.fields})
    return "bulk_upload_contacts", {"body": contacts}


def _read(page: Page, records: Sequence[Entry]) -> Sequence[Outcome]:
    pending = page.header("operation-id")
    if not pending:  # the vendor says that every answer to an upload has one
        raise TransportError("the answer names no operation")
    errors = None
    if page.body.strip():
        errors = page.read(_Upload).validation_errors
    placed_errors = _Errors(errors, records)
    outcomes = []
    for position, record in enumerate(records):
        outcomes.append(
            _outcome(record, placed_errors.of(position), placed_errors, pending=pending)
        )
    return outcomes


def _followed(page: Page, records: Sequence[Entry]) -> Sequence[Outcome] | None:
    operation = page.read(_Operation)
    status = (operation.status or "").strip().lower()
    if not status and operation.items is None:
        raise TransportError("the answer tells no status")
    if status in _GOES_ON:
        return None
    items_by_id: dict[str, Mapping[str, Any]] = {}
    for item in operation.items or []:
        if isinstance(item, dict) and "id" in item:
            items_by_id[str(item["id"])] = item
    placed_errors = _Errors(operation.validation_errors, records)
    went_wrong = _is_failure(status)
    ending = ""
    if status not in _WENT_WELL:
        ending = f"the upload ended as {status!r}"
    outcomes = []
    for position, record in enumerate(records):
        own_item = items_by_id.get(str(record.id))
        reason = _reason(own_item or {}) or placed_errors.of(position)
        # without items, the state of the whole is all that is said of each
        if went_wrong and not items_by_id:
            reason = reason or ending
        remark = ending
        if items_by_id and own_item is None:
            remark = remark or "the upload is done, and has no item of it"
        outcomes.append(
            _outcome(record, reason, placed_errors, note=remark, is_doubtful=went_wrong)
        )
    return outcomes


def _is_failure(status: str) -> bool:
    return any(failure in status for failure in _WENT_WRONG)


def _outcome(
    record: Entry,
    reason: str,
    errors: _Errors,
    *,
    note: str = "",
    pending: str = "",
    is_doubtful: bool = False,
) -> Outcome:
    """Return what became of one contact. Errors that name no contact may be of this one: then nobody knows."""
    if reason:
        return Outcome(state="refused", id=record.id, reason=reason)
    if errors.of_nobody:
        doubt = f"the service tells of errors, and not of which contact: {errors.of_nobody}"
        return Outcome(state="unknown", id=record.id, reason=doubt)
    if is_doubtful:
        return Outcome(state="unknown", id=record.id, reason=note, pending=pending)
    return Outcome(state="sent", id=record.id, reason=note, pending=pending)


class _Errors:
    """Errors of an upload by the contact that they are of: kept or listed by id, or by the place in the request.

    Which of these a service does is not documented. `of_nobody` has in words what is of no contact: what names a place
    is, too, where not all contacts of the request are there any more.
    """

    def __init__(self, errors: Any, records: Sequence[Entry]) -> None:
        self.of_nobody = ""
        self._by_place: dict[int, str] = {}
        self._places = {str(record.id): position for position, record in enumerate(records)}
        self._keep_places = all(record.keeps_place for record in records)
        for position, error in self._with_places(errors):
            self._take(position, error)

    def of(self, place: int) -> str:
        """Return what is said of the contact in that place."""
        return self._by_place.get(place, "")

    def _with_places(self, errors: Any) -> list[tuple[int | None, Any]]:
        """Return each error with the place of its contact, None where it tells none."""
        if isinstance(errors, dict):
            return self._by_key(errors)
        if not isinstance(errors, list):
            return [(None, errors)]
        positions = [self._places.get(_id_of(error)) for error in errors]
        names_none = not any(position is not None for position in positions)
        if names_none and self._keep_places and len(errors) == len(self._places):
            # as many as there are contacts, and without ids: each is of the contact in its place
            return [*enumerate(errors)]
        return [*zip(positions, errors, strict=True)]

    def _by_key(self, errors: Mapping[str, Any]) -> list[tuple[int | None, Any]]:
        # ids are the user's own, and may look like places
        is_id = self._places.keys() >= errors.keys()
        placed_errors: list[tuple[int | None, Any]] = []
        for key, error in errors.items():
            if not error:
                continue
            position = self._place(key, is_id=is_id)
            if position is None:
                # the name of a field is a part of what is said, an id or a place is not
                placed_errors.append((None, {key: error}))
            else:
                placed_errors.append((position, error))
        return placed_errors

    def _place(self, key: str, *, is_id: bool) -> int | None:
        is_place = self._keep_places and key.isdecimal() and int(key) < len(self._places)
        if is_place and not is_id:
            return int(key)
        return self._places.get(key)

    def _take(self, place: int | None, error: Any) -> None:
        if place is None and len(self._places) == 1 and self._keep_places:
            place = 0
        if place is None:
            self.of_nobody = _joined(self.of_nobody, _in_words(error))
        else:
            self._by_place[place] = _joined(self.of(place), _in_words(error))


def _joined(*texts: str) -> str:
    return "; ".join(filter(None, texts))


def _id_of(error: Any) -> str:
    if not isinstance(error, dict):
        return ""
    return str(error.get("id"))


def _reason(item: Mapping[str, Any]) -> str:
    """Return why an item was refused; nothing where it was not."""
    for name in ("validation_errors", "errors", "error"):
        if item.get(name):
            return _in_words(item[name])
    status = str(item.get("status") or "").lower()
    if not _is_failure(status):
        return ""
    return status


def _in_words(error: Any) -> str:
    """Return an error as text: ``email v1c001``."""
    if not error:
        return ""
    if isinstance(error, dict):
        return "; ".join(f"{field} {_in_words(details)}" for field, details in error.items())
    if isinstance(error, list):
        return ", ".join(map(_in_words, error))
    return str(error)


CONTACTS = Target(
    table="contacts",
    doc="Up to 1,000 in a request. Each needs your own id, first_name and last_name: one that is "
    "there is brought up to date, and sending it again changes nothing more. The service answers "
    "before it has done the work; crmlab asks until it is done, and tells what did not pass. "
    "Channels and consents are in section_work and section_private, whose insides are not "
    "documented.",
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
