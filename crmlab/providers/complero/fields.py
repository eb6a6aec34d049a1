"""Records of Complero as documented: contact, employee and operation.

The fields of an event are lost from every copy of the reference, and so are the insides of a
contact's sections, documentation and data: an event keeps its contact as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crmlab.connector import JSON, Schema


def _scalars(*names: str) -> Schema:
    return dict.fromkeys(names, pl.String)


CONTACT: Schema = {
    **_scalars(
        "id", "first_name", "last_name", "birthday", "company", "degree", "employee_id", "language",
        "name_suffix", "nationality", "position", "salutation", "title", "website",
    ),
    "tags": pl.List(pl.String),
}  # fmt: skip
#: what is documented of the contact of an event
INSIDE_CONTACT: Schema = {
    **CONTACT,
    **dict.fromkeys(("data", "documentation", "section_private", "section_work"), JSON),
}
EVENT: Schema = {
    **_scalars(
        "id",
        "event_id",
        "type",
        "created_at",
        "occurred_at",
        "timestamp",
        "source",
        "channel",
        "contact_id",
    ),
    "contact": JSON,
    "consents": JSON,
    "documentation": JSON,
}
EMPLOYEE: Schema = {
    **_scalars(
        "id", "email", "first_name", "last_name", "city", "department", "fax_number", "house_number",
        "phone_number", "position", "profile_picture_url", "street", "website", "zip_code",
    ),
    "data": JSON,
    "tags": pl.List(pl.String),
}  # fmt: skip
OPERATION: Schema = {**_scalars("id", "created_at", "status", "type", "model"), "items": JSON}

_EVENT_NOT_PERSONAL = (
    "event_id", "type", "created_at", "occurred_at", "timestamp", "source", "channel", "contact_id", "fingerprint",
    "its_contact_id", "its_event_id",
)  # fmt: skip
#: of the records of each resource, what tells nothing of a person
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    "events": _EVENT_NOT_PERSONAL,
    "latest_events": _EVENT_NOT_PERSONAL,
    "employees": ("department", "position", "tags"),
    "contacts": ("company", "employee_id", "language", "position", "tags"),
    # its items are ids and words of the service, of records that it wrote: nobody documents more
    "operations": ("created_at", "status", "type", "model"),
}
