"""What can be written into OnePageCRM: contacts and deals, one by one, each change only what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from crmlab.connector import (
    Entry,
    Fields,
    Outcome,
    Page,
    Target,
    as_list,
    as_text,
    as_value,
    created_or_updated,
    custom_entries,
    entries,
    inside_first,
    one_by_one,
)
from crmlab.errors import UsageError


class _Named(msgspec.Struct):
    id: Any = None


class _Data(msgspec.Struct):
    contact: _Named = msgspec.field(default_factory=_Named)
    deal: _Named = msgspec.field(default_factory=_Named)


class _Answer(msgspec.Struct):
    data: _Data = msgspec.field(default_factory=_Data)


def _read(name: str) -> Callable[[Page, Sequence[Entry]], Sequence[Outcome]]:
    def read(page: Page, records: Sequence[Entry]) -> Sequence[Outcome]:
        (record,) = records
        answered_id = getattr(page.read(_Answer).data, name).id
        return [created_or_updated(record, answered_id)]

    return read


def _current(name: str) -> Callable[[Fields], Fields]:
    """Return what takes a record out of the answer that holds it."""

    def current(answer: Fields) -> Fields:
        current_record: Fields = answer["data"][name]
        return current_record

    return current


_PLACE = {
    "street": "address",
    "city": "city",
    "state": "state",
    "zip_code": "zip_code",
    "country": "country_code",
}

CONTACTS = Target(
    table="contacts",
    doc="One request each: without an id a contact is created, with one it is changed, and only "
    "in the columns given. Before addresses, e-mails, phones or custom fields are changed the "
    "contact is read, for the service replaces the list that they are a part of.",
    columns={
        **{
            name: as_text(name)
            for name in ("first_name", "last_name", "job_title", "company_name", "company_id")
        },
        **{
            column: inside_first("address_list", part, type="work")
            for column, part in _PLACE.items()
        },
        "owner_id": as_text("owner_id"),
        "emails": entries("emails", type="work"),
        "phones": entries("phones", type="work"),
        "tags": as_list("tags"),
        "custom": custom_entries("custom_fields", "custom_field"),
    },
    own_fields=("title", "starred", "background", "status_id", "lead_source_id"),
    ask=one_by_one("create_contact", "update_contact", "contact_id"),
    read=_read("contact"),
    current_operation="get_contact",
    merged=frozenset({*_PLACE, "emails", "phones", "custom"}),
    current=_current("contact"),
)


def _ask_deal(records: Sequence[Entry], options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    (record,) = records
    if record.id is None and not (record.fields.get("contact_id") and record.fields.get("name")):
        raise UsageError("a new deal needs contact_id and name")
    if record.id is not None and "contact_id" in record.fields:
        raise UsageError("contact_id cannot be changed: a deal stays with its contact")
    return one_by_one("create_deal", "update_deal", "deal_id")(records, options)


DEALS = Target(
    table="deals",
    doc="One request each: without an id a deal is created, of the contact that contact_id names, "
    "with one it is changed, and only in the columns given. Before custom fields are changed the "
    "deal is read.",
    columns={
        **{
            name: as_text(name)
            for name in ("name", "contact_id", "owner_id", "pipeline_id", "status")
        },
        **{
            name: as_value(name)
            for name in ("stage", "amount", "months", "cost", "expected_close_date", "close_date")
        },
        "opened_on": as_value("date"),
        "custom": custom_entries("deal_fields", "deal_field"),
    },
    own_fields=(
        "text",
        "commission_base",
        "commission_type",
        "commission",
        "commission_percentage",
    ),
    ask=_ask_deal,
    read=_read("deal"),
    current_operation="get_deal",
    merged=frozenset({"custom"}),
    current=_current("deal"),
)
TARGETS = (CONTACTS, DEALS)
