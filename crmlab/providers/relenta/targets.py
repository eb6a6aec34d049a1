"""What can be written into Relenta: contacts, one by one, and each change as the whole contact."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from crmlab.connector import (
    Entry,
    Fields,
    Outcome,
    Page,
    Target,
    as_flag,
    as_text,
    created_or_updated,
    custom_members,
    joined,
)

#: what the service writes itself
_NOT_WRITTEN = frozenset({"id", "full_name", "dt_created", "dt_modified"})
_LABEL = re.compile(r"(\S)\s*\([^()]*[^\W\d_][^()]*\)$")
_FLAG = "do_not_mass_email"
_OWN_FIELDS = ("comment", "url", "fax", "messenger", "twitter", "linkedin", "facebook", "text")
#: what no custom field is named like: `save_contact` takes them beside
_RESERVED = (
    *_NOT_WRITTEN, *_OWN_FIELDS, _FLAG, "address", "company", "emails", "first_name", "groups", "last_name", "phone",
    "tags", "title",
)  # fmt: skip
#: as one table of the vendor's document spells it
_MISSPELT_FLAG = "do_no_mass_email"


class _Saved(msgspec.Struct):
    id: Any = None


class _Answer(msgspec.Struct):
    data: _Saved = msgspec.field(default_factory=_Saved)


def _without_label(phone: str) -> str:
    return _LABEL.sub(r"\1", phone)


def _current(record: Fields) -> Fields:
    """Return a contact of the list as it is sent back: what the service writes itself is left out."""
    fields = {
        name: value
        for name, value in record.items()
        if name not in _NOT_WRITTEN and value is not None
    }
    do_not_mail = fields.pop(_MISSPELT_FLAG, None)
    do_not_mail = fields.get(_FLAG, do_not_mail)
    if do_not_mail is not None:
        fields[_FLAG] = str(do_not_mail).lower() in ("true", "1")
    return fields


def _ask(records: Sequence[Entry], options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    (record,) = records
    known_id = {} if record.id is None else {"id": record.id}
    return "save_contact", {**record.fields, **known_id}


def _read(page: Page, records: Sequence[Entry]) -> Sequence[Outcome]:
    (record,) = records
    answered_id = page.read(_Answer).data.id
    return [created_or_updated(record, answered_id)]


CONTACTS = Target(
    table="contacts",
    doc="One request each: without an id a contact is created, with one it is changed. Whether "
    "the service blanks what is left out of a change is not documented, so the list of contacts "
    "is read before, and the whole contact is sent.",
    columns={
        "first_name": as_text("first_name"),
        "last_name": as_text("last_name"),
        "job_title": as_text("title"),
        "company_name": as_text("company"),
        "emails": joined("emails", labelled=_without_label),
        "phones": joined("phone", labelled=_without_label),
        "street": as_text("address"),
        "tags": joined("tags"),
        "groups": joined("groups"),
        "do_not_contact": as_flag(_FLAG),
        "custom": custom_members(_RESERVED),
    },
    own_fields=_OWN_FIELDS,
    ask=_ask,
    read=_read,
    current_resource="contacts",
    current=_current,
)
TARGETS = (CONTACTS,)
