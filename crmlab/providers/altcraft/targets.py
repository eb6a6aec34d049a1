"""What can be written into Altcraft: profiles, which are imported by their id or their e-mail address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from crmlab.connector import (
    Batch,
    Entry,
    Fields,
    Outcome,
    Page,
    Target,
    as_list,
    as_text,
    created_or_updated,
    custom_members,
)
from crmlab.errors import UsageError

MAX_PROFILES = 10_000
#: of one request, by https://guides.altcraft.com/en/v72/developer-guide/automation-scenarios/33063492, and a tenth less
MAX_BYTES = 9_000_000
_OWN_FIELDS = ("_bdate", "_sex", "_tz", "subscriptions")
#: what no custom field is named like
_RESERVED = (
    *_OWN_FIELDS,
    "_city",
    "_country",
    "_fname",
    "_id",
    "_lname",
    "_region",
    "email",
    "id",
    "phones",
    "profile_id",
)


class _Answer(msgspec.Struct):
    profile_id: Any = None
    result: Any = None
    data: Any = None


def _email(value: Any, current: Fields) -> Fields:
    addresses = list(value or [])
    if len(addresses) > 1:
        raise UsageError("a profile has one e-mail address: further ones are subscriptions")
    return {"email": addresses[0] if addresses else ""}


def _address(record: Entry) -> str:
    """Return what a profile without an id is known by."""
    return "" if record.id is not None else str(record.fields.get("email") or "").strip().lower()


def _batch(record: Entry) -> Batch:
    """By their address many profiles go together; by its id each goes alone, for only so that is documented."""
    if record.id is None:
        return Batch(kind="email", size=MAX_PROFILES, max_bytes=MAX_BYTES)
    return Batch(kind="id")


def _ask(records: Sequence[Entry], options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    for record in records:
        _check_subscriptions(record)
    first = records[0]
    if first.id is not None:
        return "profiles_import", {
            **options,
            "matching": "profile_id",
            "profile_id": first.id,
            "data": dict(first.fields),
        }
    if not all(record.fields.get("email") for record in records):
        raise UsageError("a profile without an id is known by its e-mail address, which is missing")
    return "profiles_import_batch", {
        **options,
        "matching": "email",
        "data": [dict(record.fields) for record in records],
    }


def _read(page: Page, records: Sequence[Entry]) -> Sequence[Outcome]:
    answer = page.read(_Answer)
    if records[0].id is not None:
        return [created_or_updated(records[0], answer.profile_id)]
    listed = answer.result if answer.result is not None else answer.data
    if not isinstance(listed, list):
        # the page that shows this answer is cut: of another shape it says that the whole was taken, and no more
        return [
            Outcome(state="sent", reason="the answer does not tell of each profile")
            for _ in records
        ]
    said = [_outcome(each) for each in listed]
    places = _places(listed, records)
    if places:
        unnamed = Outcome(
            state="unknown", reason="the answer tells of others, and not of this profile"
        )
        return [
            said[places[place]] if place in places else unnamed for place in range(len(records))
        ]
    if len(said) == len(records):
        return said
    note = (
        f"the answer tells of {len(said):,} profiles in place of {len(records):,}, and not of which"
    )
    refused = {each.reason for each in said if each.state == "refused"}
    if refused:
        return [
            Outcome(state="unknown", reason=f"{note}: {', '.join(sorted(refused))}")
            for _ in records
        ]
    return [Outcome(state="sent", reason=note) for _ in records]


def _places(listed: Sequence[Any], records: Sequence[Entry]) -> dict[int, int]:
    """Return where the answer tells of each record, by address; nothing where it does not name each of its own."""
    ours = {str(record.fields.get("email")).lower(): place for place, record in enumerate(records)}
    named = [str(each.get("email")).lower() if isinstance(each, dict) else "" for each in listed]
    if len(ours) < len(records) or len(set(named)) < len(named) or not ours.keys() >= set(named):
        return {}
    return {ours[address]: place for place, address in enumerate(named)}


def _outcome(said: Any) -> Outcome:
    """Return what the answer says of one profile."""
    if not isinstance(said, dict):
        return Outcome(state="sent", id=str(said) if said else None)
    number = said.get("error")
    found = said.get("profile_id") or said.get("id")
    if number not in (None, 0, "0", "", False):
        return Outcome(
            state="refused",
            reason=" · ".join(str(each) for each in (number, said.get("error_text")) if each),
        )
    return Outcome(state="sent", id=str(found) if found else None)


def _check_subscriptions(record: Entry) -> None:
    subscriptions = record.fields.get("subscriptions") or []
    if not isinstance(subscriptions, list) or not all(
        isinstance(each, dict) for each in subscriptions
    ):
        raise UsageError(
            "subscriptions is a list of objects: a CSV file cannot hold it, Parquet can"
        )


def _account_fields(options: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in options.get("custom_fields", "").split(",") if name.strip()]


CONTACTS = Target(
    table="contacts",
    doc="Profiles of the database db_id. Those with an id are changed, one request each; those without are known by "
    "their e-mail address and go together, up to 10,000 and 9 MB in a request: one that is there is changed, another "
    "is created, and the service does not tell which. No scenario is started unless skip_triggers=False.",
    columns={
        "first_name": as_text("_fname"),
        "last_name": as_text("_lname"),
        "city": as_text("_city"),
        "state": as_text("_region"),
        "country": as_text("_country"),
        "emails": _email,
        "phones": as_list("phones"),
        "custom": custom_members(_RESERVED),
    },
    own_fields=_OWN_FIELDS,
    account_fields=_account_fields,
    options={
        "db_id": True,
        "skip_triggers": False,
        "skip_invalid_subscriptions": False,
        "detect_geo": False,
    },
    ask=_ask,
    read=_read,
    batch=_batch,
    known_by=_address,
)
TARGETS = (CONTACTS,)
