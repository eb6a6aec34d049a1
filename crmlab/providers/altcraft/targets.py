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
from crmlab.errors import TransportError, UsageError

MAX_PROFILES = 10_000
#: of one request, by
#: https://guides.altcraft.com/en/v72/developer-guide/automation-scenarios/33063492,
#: and a tenth less
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
    if not addresses:
        return {"email": ""}
    return {"email": addresses[0]}


def _address(record: Entry) -> str:
    """Return what a profile without an id is known by."""
    if record.id is not None:
        return ""
    return str(record.fields.get("email") or "").strip().lower()


def _batch(record: Entry) -> Batch:
    """By their address many profiles go together; by its id each goes alone, for only so that is documented."""
    if record.id is None:
        return Batch(kind="email", size=MAX_PROFILES, max_bytes=MAX_BYTES)
    return Batch(kind="id")


def _ask(records: Sequence[Entry], options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    for record in records:
        _check_subscriptions(record)
    first_record = records[0]
    if first_record.id is not None:
        return "profiles_import", {
            **options,
            "matching": "profile_id",
            "profile_id": first_record.id,
            "data": dict(first_record.fields),
        }
    profiles = [dict(record.fields) for record in records]
    if not all(profile.get("email") for profile in profiles):
        raise UsageError("a profile without an id is known by its e-mail address, which is missing")
    return "profiles_import_batch", {**options, "matching": "email", "data": profiles}


def _read(page: Page, records: Sequence[Entry]) -> Sequence[Outcome]:
    if page.has_no_content:  # an import is answered with what came of it: this may be a gateway's
        raise TransportError("the answer has no content")
    answer = page.read(_Answer)
    if records[0].id is not None:
        return [created_or_updated(records[0], answer.profile_id)]
    listed_outcomes = answer.result
    if listed_outcomes is None:
        listed_outcomes = answer.data
    if not isinstance(listed_outcomes, list):
        # the page that shows this answer is cut: of another
        # shape it says that the whole was taken, and no more
        return _alike(
            records, Outcome(state="sent", reason="the answer does not tell of each profile")
        )
    outcomes = [_outcome(profile_answer) for profile_answer in listed_outcomes]
    by_address = _by_address(listed_outcomes, records)
    if by_address:
        unnamed = Outcome(
            state="unknown", reason="the answer tells of others, and not of this profile"
        )
        outcomes_by_position = _alike(records, unnamed)
        for position, place_in_answer in by_address.items():
            outcomes_by_position[position] = outcomes[place_in_answer]
        return outcomes_by_position
    if len(outcomes) == len(records):
        return outcomes
    note = f"the answer tells of {len(outcomes):,} profiles in place of {len(records):,}, and not of which"
    refused = {outcome.reason for outcome in outcomes if outcome.state == "refused"}
    if refused:
        # nobody knows which was refused, so that none may be taken for sent
        reason = f"{note}: {', '.join(sorted(refused))}"
        return _alike(records, Outcome(state="unknown", reason=reason))
    return _alike(records, Outcome(state="sent", reason=note))


def _alike(records: Sequence[Entry], outcome: Outcome) -> list[Outcome]:
    return [outcome] * len(records)


def _by_address(listed: Sequence[Any], records: Sequence[Entry]) -> dict[int, int]:
    """Return where the answer tells of each record, by address; nothing where it does not name each of its own."""
    positions = {_email_of(record.fields): position for position, record in enumerate(records)}
    places = {
        _email_of(profile_answer): place_in_answer
        for place_in_answer, profile_answer in enumerate(listed)
    }
    is_ambiguous = len(positions) < len(records) or len(places) < len(listed)
    if is_ambiguous or not positions.keys() >= places.keys():
        return {}
    return {positions[address]: place_in_answer for address, place_in_answer in places.items()}


def _email_of(said: Any) -> str:
    if not isinstance(said, Mapping):
        return ""
    return str(said.get("email")).lower()


def _outcome(said: Any) -> Outcome:
    """Return what the answer says of one profile."""
    if not isinstance(said, dict):
        return _sent(said)
    error_number = said.get("error")
    if error_number in (None, 0, "0", "", False):
        return _sent(said.get("profile_id") or said.get("id"))
    reason = str(error_number)
    if said.get("error_text"):
        reason = f"{reason} · {said['error_text']}"
    return Outcome(state="refused", reason=reason)


def _sent(profile_id: Any) -> Outcome:
    if not profile_id:
        return Outcome(state="sent", id=None)
    return Outcome(state="sent", id=str(profile_id))


def _check_subscriptions(record: Entry) -> None:
    refusal = UsageError(
        "subscriptions is a list of objects: a CSV file cannot hold it, Parquet can"
    )
    subscriptions = record.fields.get("subscriptions") or []
    if not isinstance(subscriptions, list):
        raise refusal
    if not all(isinstance(subscription, dict) for subscription in subscriptions):
        raise refusal


def _account_fields(options: Mapping[str, str]) -> list[str]:
    fields = options.get("custom_fields", "").split(",")
    return [field.strip() for field in fields if field.strip()]


CONTACTS = Target(
    table="contacts",
    doc="Profiles of the database db_id. Those with an id are changed, one request each; those "
    "without are known by their e-mail address and go together, up to 10,000 and 9 MB in a "
    "request: one that is there is changed, another is created, and the service does not tell "
    "which. No scenario is started unless skip_triggers=False.",
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
