"""What can be written of one table at a service, as values: its columns in the vendor's words, and how to send them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from crmlab.connector.page import Page
from crmlab.errors import TransportError, UsageError

#: what became of a row: "sent" where the service took it and does not tell whether it was new
State = Literal["sent", "created", "updated", "refused", "not_sent", "unknown"]

#: the vendor's fields of a record
Fields: TypeAlias = Mapping[str, Any]
#: returns the vendor's fields for the value of a column; None empties the field. The second argument has the fields
#: that the record has at the service, as far as they were read, and those that other columns gave already
Write: TypeAlias = Callable[[Any, Fields], Fields]


@dataclass(frozen=True, slots=True)
class Entry:
    """One record to be written: its id, None where the service shall give one, and its fields.

    `keeps_place` says whether it stands among the others where it stood in the request, as errors may name places.
    """

    id: str | None
    fields: Fields = field(repr=False)
    keeps_place: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an answer says of one record. `pending` is the id of work that goes on behind it, to be asked for later."""

    state: State
    id: str | None = None
    reason: str = ""
    pending: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Which records go together: those of one `kind`, at most `size` of them and `max_bytes` of JSON in a request."""

    kind: str = ""
    size: int = 1
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What can be written of one table at a service.

    `columns` has how each column of the shared table is written, and `own_fields` names fields of the vendor that no
    column holds: they are written as they are. `account_fields` names further ones that an account has.
    `options` names what `crmlab.push` is told beside the frame, and whether it must be. `repeatable` says that a
    second application of the same change adds nothing, by the vendor's own words. `known_by` returns what the service
    finds a record by that comes without an id, "" where it always makes a new one.

    `ask` returns the name of the operation that writes these records, and its arguments; `batch` says which go
    together, and `read` what the answer says of each, in their order. Where the work goes on behind the answer,
    `follow` is the operation that tells of it, whose one argument is the id, and `followed` what its answer says:
    None while the work goes on. Both raise a `TransportError` where the answer is none of the service: then nobody
    knows what became of the records.

    `current_resource` names the list that is read before records are changed, because the service may blank what is
    left out; `current_operation` the one that reads a record by its id before a column of `merged` is changed, because
    the service replaces the whole list that the column is a part of. `current` makes the fields to be sent of what
    was read. `always_sent` names columns without which the service takes no change, whether they changed or not.
    """

    table: str
    doc: str
    columns: Mapping[str, Write]
    ask: Callable[[Sequence[Entry], Mapping[str, Any]], tuple[str, dict[str, Any]]]
    read: Callable[[Page, Sequence[Entry]], Sequence[Outcome]]
    batch: Callable[[Entry], Batch] = lambda entry: Batch()
    own_fields: Iterable[str] = ()
    account_fields: Callable[[Mapping[str, str]], Iterable[str]] = lambda options: ()
    options: Mapping[str, bool] = field(default_factory=dict)
    repeatable: bool = False
    known_by: Callable[[Entry], str] = lambda entry: ""
    follow: str = ""
    followed: Callable[[Page, Sequence[Entry]], Sequence[Outcome] | None] | None = None
    current_resource: str = ""
    current_operation: str = ""
    merged: frozenset[str] = frozenset()
    always_sent: tuple[str, ...] = ()
    current: Callable[[Fields], Fields] = dict


def as_text(name: str) -> Write:
    """Write a text; nothing is the empty text."""
    return lambda value, current: {name: _text(value)}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def as_value(name: str) -> Write:
    """Write a value as it is; days and times as ISO 8601."""

    def write(value: Any, current: Fields) -> Fields:
        if hasattr(value, "isoformat"):
            return {name: value.isoformat()}
        return {name: value}

    return write


def as_list(name: str) -> Write:
    """Write a list of text; nothing is the empty list."""
    return lambda value, current: {name: list(value or [])}


def as_flag(name: str) -> Write:
    """Write true or false."""

    def write(value: Any, current: Fields) -> Fields:
        if not isinstance(value, bool):
            raise UsageError(f"{name} is true or false, and cannot be emptied")
        return {name: value}

    return write


def joined(
    name: str, separator: str = ";", *, labelled: Callable[[str], str] | None = None
) -> Write:
    """Write a list as one text, its values joined by the separator.

    `labelled` returns the value of a part without its label: a part whose value stays keeps its label.

    Raises
    ------
    UsageError
        A value holds the separator: it would be read back as two.
    """

    def write(value: Any, current: Fields) -> Fields:
        new_values = [str(item) for item in value or []]
        if any(separator in item for item in new_values):
            raise UsageError(
                f"a value of {name} holds {separator!r}, which the service puts between values"
            )
        if labelled:
            with_label: dict[str, str] = {}
            for current_part in str(current.get(name) or "").split(separator):
                if current_part.strip():
                    with_label[labelled(current_part.strip())] = current_part.strip()
            new_values = [with_label.get(item, item) for item in new_values]
        return {name: separator.join(new_values)}

    return write


def entries(name: str, **added: Any) -> Write:
    """Write a list of ``{"value": ...}``: one whose value the record has stays as it is, others get what is `added`."""

    def write(value: Any, current: Fields) -> Fields:
        existing = {entry.get("value"): entry for entry in _objects(name, current)}
        entries_sent: list[Fields] = []
        for item in value or []:
            entries_sent.append(existing.get(item, {**added, "value": item}))
        return {name: entries_sent}

    return write


def inside_first(name: str, part: str, **added: Any) -> Write:
    """Write one field of the first object in a list, and leave the others of it and of the list as they are."""

    def write(value: Any, current: Fields) -> Fields:
        objects = _objects(name, current)
        first = objects[0] if objects else added
        return {name: [{**first, part: _text(value)}, *objects[1:]]}

    return write


def _objects(name: str, current: Fields) -> list[dict[str, Any]]:
    """Return what a record has of a list of objects.

    Raises
    ------
    UsageError
        It has something else, which would be lost: the list is sent whole.
    """
    objects = current.get(name) or []
    if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
        raise UsageError(
            f"what the service has as {name} is not the documented list of objects, and would be lost"
        )
    return objects


def custom_entries(name: str, wrapper: str) -> Write:
    """Write custom fields as ``{wrapper: {"id": key}, "value": value}``; those that are not named stay."""

    def write(value: Any, current: Fields) -> Fields:
        new_values = _custom_values(value)
        entries_sent: list[Fields] = []
        for entry in _objects(name, current):
            (definition,) = _objects(wrapper, {wrapper: [entry.get(wrapper) or {}]})
            field_key = definition.get("id")
            if field_key not in new_values:
                entries_sent.append({wrapper: {"id": field_key}, "value": entry.get("value")})
        for field_key, new_value in new_values.items():
            entries_sent.append({wrapper: {"id": field_key}, "value": new_value})
        return {name: entries_sent}

    return write


def custom_members(reserved: Iterable[str]) -> Write:
    """Write custom fields as further fields of the record, each under its key; fields of the vendor are `reserved`.

    Raises
    ------
    UsageError
        A key is the name of a field of the vendor: the id, for one, would make it another record.
    """
    reserved_names = frozenset(reserved)

    def write(value: Any, current: Fields) -> Fields:
        new_values = _custom_values(value)
        strange = sorted(reserved_names & new_values.keys())
        if strange:
            raise UsageError(
                f"{', '.join(strange)} of custom is a field of the service itself: give it as a column"
            )
        return new_values

    return write


def _custom_values(value: Any) -> dict[str, Any]:
    """Return the values of custom fields by their keys, each key once."""
    values: dict[str, Any] = {}
    for custom_field in value or []:
        key = custom_field["key"]
        if not key:
            raise UsageError("a custom field has no key")
        if key in values:
            raise UsageError(f"the custom field {key} has two values")
        values[key] = custom_field["value"]
    return values


def created_or_updated(record: Entry, found: Any) -> Outcome:
    """Return what became of a record, by the id in the answer.

    Raises
    ------
    TransportError
        The answer names none, or another one: it may be a gateway's, and no success.
    """
    if not isinstance(found, str | int) or not str(found).strip():
        raise TransportError("the answer names no id")
    if record.id is None:
        return Outcome(state="created", id=str(found))
    if record.id != str(found):
        raise TransportError("the answer names another id")
    return Outcome(state="updated", id=record.id)


def one_by_one(
    creates: str, updates: str, id_name: str
) -> Callable[..., tuple[str, dict[str, Any]]]:
    """Return a `Target.ask` of a service with an operation that creates and one that changes, a record each."""

    def ask(records: Sequence[Entry], options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        (record,) = records
        body = dict(record.fields)
        if record.id is None:
            return creates, {"body": body}
        return updates, {id_name: record.id, "body": body}

    return ask
