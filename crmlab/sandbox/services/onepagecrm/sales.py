"""Contacts and deals of OnePageCRM: created, and changed in part or as a whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from crmlab.sandbox.services.onepagecrm.asked import Asked
from crmlab.sandbox.services.onepagecrm.people import company_called
from crmlab.sandbox.services.onepagecrm.writing import Refused, Writing, check_given
from crmlab.sandbox.world.model import Deal, Person
from crmlab.sandbox.world.newcomer import newcomer

#: what the world has a place for under the same name
_OF_PERSON = (
    "title", "first_name", "last_name", "job_title", "starred", "tags", "lead_source_id", "background", "owner_id",
)  # fmt: skip
#: lists of which the world has the values, and which stand beside it with their types
_VALUES = ("emails", "phones")
_PLACE = {
    "address": "street",
    "city": "city",
    "state": "state",
    "zip_code": "zip_code",
    "country_code": "country_code",
}
#: what a change that is not partial makes of fields that it does not give
_CLEARED: Mapping[str, Any] = {
    "title": None,
    "first_name": "",
    "last_name": "",
    "job_title": "",
    "starred": False,
    "tags": [],
    "lead_source_id": None,
    "background": "",
    "emails": [],
    "phones": [],
    "urls": [],
    "address_list": [],
    "custom_fields": [],
    "company_name": "",
}
_OF_DEAL = (
    "contact_id", "owner_id", "pipeline_id", "name", "text", "stage", "status", "expected_close_date", "close_date",
    "amount", "months", "cost",
)  # fmt: skip
_MAX_NAME = 60


def create_contact(writing: Writing, asked: Asked) -> str:
    """Add a contact, and return its id."""
    values = asked.values
    if not (values.get("last_name") or values.get("company_name")):
        raise Refused(400, "last_name or company_name is required", last_name="is missing")
    person = _blank_person(writing)
    writing.lists["contacts"].add(person)
    _change_contact(
        writing, person, {name: value for name, value in values.items() if name != "company_id"}
    )
    return person.id


def update_contact(writing: Writing, asked: Asked) -> str:
    """Change a contact, and return its id: without partial, what is not given is cleared."""
    person: Person = writing.find("contacts", asked.id)
    values = dict(asked.values)
    if not asked.is_partial:
        moved = {"company_id": values["company_id"]} if "company_id" in values else {}
        cleared = {
            name: value
            for name, value in _CLEARED.items()
            if not (moved and name == "company_name")
        }
        values = {**cleared, "status_id": _status_lead(writing), **values}
    _change_contact(writing, person, values)
    return person.id


def create_deal(writing: Writing, asked: Asked) -> str:
    """Add a deal of a contact, which the body names or the path does, and return its id."""
    values = dict(asked.values)
    if asked.parts:
        values["contact_id"] = writing.find("contacts", asked.owner_id).id
    check_given(values, "contact_id", "name")
    writing.check_known("contacts", values, "contact_id")
    deal = _blank_deal(writing, values["contact_id"])
    writing.lists["deals"].add(deal)
    _change_deal(writing, deal, values)
    return deal.id


def update_deal(writing: Writing, asked: Asked) -> str:
    """Change a deal, and return its id; what is not given stays."""
    deal: Deal = writing.find("deals", asked.id)
    if asked.values.get("contact_id", deal.contact_id) != deal.contact_id:
        raise Refused(400, "contact_id cannot be changed", contact_id="cannot be changed")
    _change_deal(writing, deal, asked.values)
    return deal.id


def _change_contact(writing: Writing, person: Person, values: Mapping[str, Any]) -> None:
    for name, parameter in (
        ("users", "owner_id"),
        ("lead_sources", "lead_source_id"),
        ("companies", "company_id"),
    ):
        writing.check_known(name, values, parameter)
    own: dict[str, Any] = {name: values[name] for name in _OF_PERSON if name in values}
    beside: dict[str, Any] = {}
    for name in _VALUES:
        if name in values:
            own[name] = [each["value"] for each in values[name] if each.get("value")]
            beside[name] = values[name]
    if "address_list" in values:
        first = values["address_list"][0] if values["address_list"] else {}
        own |= {attribute: first.get(name) or None for name, attribute in _PLACE.items()}
        beside["address_list"] = values["address_list"]
    if "urls" in values:
        beside["urls"] = values["urls"]
    if "status_id" in values:
        own["status_key"] = _status(writing, values["status_id"])
    if values.get("company_name"):
        own["company_id"] = company_called(writing, values["company_name"]).id
    elif "company_id" in values or "company_name" in values:
        own["company_id"] = values.get("company_id")
    if "custom_fields" in values:
        beside["custom_fields"] = _custom(writing, values["custom_fields"], "custom_field")
    writing.write_beside(person.id, **beside)
    writing.changed("contacts", person, **own)


def _change_deal(writing: Writing, deal: Deal, values: Mapping[str, Any]) -> None:
    for name, parameter in (("users", "owner_id"), ("pipelines", "pipeline_id")):
        writing.check_known(name, values, parameter)
    own = {name: values[name] for name in _OF_DEAL if name in values}
    if "name" in own:
        own["name"] = own["name"][:_MAX_NAME]
    if own.get("status") in ("won", "lost") and deal.status == "pending":
        own = {"close_date": writing.now().date(), **own}
    beside = {
        name: _plain(value)
        for name, value in values.items()
        if name not in (*_OF_DEAL, "deal_items")
    }
    beside.pop("sales_pipeline_id", None)
    if "deal_fields" in values:
        beside["deal_fields"] = _custom(writing, values["deal_fields"], "deal_field")
    writing.write_beside(deal.id, **beside)
    writing.changed("deals", deal, **own)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _custom(writing: Writing, given: list[Mapping[str, Any]], wrapper: str) -> list[dict[str, Any]]:
    """Return custom fields with their definitions, as they are read."""
    known = writing.index.by_id(f"{wrapper}s")
    found = []
    for each in given:
        definition = known.get((each.get(wrapper) or {}).get("id", ""))
        if definition is None:
            raise Refused(400, f"A {wrapper} is not known", **{f"{wrapper}s": "is invalid"})
        found.append({wrapper: writing.rendered.field(definition), "value": each.get("value")})
    return found


def _status(writing: Writing, id_: str) -> str:
    writing.check_known("statuses", {"status_id": id_}, "status_id")
    return str(writing.find("statuses", id_).key)


def _status_lead(writing: Writing) -> str:
    return str(writing.index.statuses["lead"].id)


def _blank_person(writing: Writing) -> Person:
    number = 1 + max((each.number for each in writing.lists["contacts"].items), default=0)
    owner = writing.me
    return newcomer(
        writing.new_id(), number=number, at=writing.now(), service="onepagecrm", owner_id=owner
    )


def _blank_deal(writing: Writing, contact_id: str) -> Deal:
    now = writing.now()
    pipelines = writing.lists["pipelines"].items
    default = next(
        (each for each in pipelines if each.is_default), pipelines[0] if pipelines else None
    )
    return Deal(
        id=writing.new_id(),
        name="",
        contact_id=contact_id,
        company_id=writing.find("contacts", contact_id).company_id,
        owner_id=writing.me,
        pipeline_id=default.id if default else "",
        stage=default.stages[0].stage if default else 0,
        status="pending",
        amount=0.0,
        months=1,
        cost=0.0,
        expected_close_date=None,
        close_date=None,
        lost_reason_id=None,
        text="",
        size_label=None,
        items=[],
        linked_contact_ids=[],
        created_at=now,
        modified_at=now,
        stage_history=[],
    )
