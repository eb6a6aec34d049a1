"""Contacts and deals of OnePageCRM: created, and changed in part or as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crmlab.sandbox.service import Record
from crmlab.sandbox.services.onepagecrm.asked import Asked
from crmlab.sandbox.services.onepagecrm.people import company_called
from crmlab.sandbox.services.onepagecrm.writing import Refused, Values, Writing, check_given, plain
from crmlab.sandbox.world.model import Deal, Person, Pipeline
from crmlab.sandbox.world.newcomer import newcomer

#: what the world has a place for under the same name
_OF_PERSON = (
    "title", "first_name", "last_name", "job_title", "starred", "tags", "lead_source_id", "background", "owner_id",
)  # fmt: skip
#: lists of which the world has the values, and which stand beside it with their types
_VALUES = ("emails", "phones")
_BESIDE_PERSON = (*_VALUES, "address_list", "urls")
_PLACE = {
    "address": "street",
    "city": "city",
    "state": "state",
    "zip_code": "zip_code",
    "country_code": "country_code",
}
#: what a change that is not partial makes of fields that it does not give
_CLEARED: Values = {
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
#: parts of the body of a deal of which nothing is kept as
#: it came: its products are not written in the sandbox
_NOT_BESIDE_DEAL = (*_OF_DEAL, "deal_items", "sales_pipeline_id")
_MAX_NAME = 60


def create_contact(writing: Writing, asked: Asked) -> str:
    """Add a contact, and return its id."""
    values = asked.values
    if not (values.get("last_name") or values.get("company_name")):
        raise Refused(400, "last_name or company_name is required", last_name="is missing")
    person = _blank_person(writing)
    writing.lists["contacts"].add(person)
    # a new contact names its company, only a change may do so by an id
    without_company_id = dict(values)
    without_company_id.pop("company_id", None)
    _change_contact(writing, person, without_company_id)
    return person.id


def update_contact(writing: Writing, asked: Asked) -> str:
    """Change a contact, and return its id: without partial, what is not given is cleared."""
    person: Person = writing.find("contacts", asked.id)
    values = dict(asked.values)
    if not asked.is_partial:
        cleared = {**_CLEARED, "status_id": _status_lead(writing)}
        if "company_id" in values:  # it says which company: without a name it is not cleared
            del cleared["company_name"]
        values = {**cleared, **values}
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


def _change_contact(writing: Writing, person: Person, values: Values) -> None:
    for name, parameter in (
        ("users", "owner_id"),
        ("lead_sources", "lead_source_id"),
        ("companies", "company_id"),
    ):
        writing.check_known(name, values, parameter)
    attributes = _person_attributes(writing, values)
    beside = _named(values, _BESIDE_PERSON)
    if "custom_fields" in values:
        beside["custom_fields"] = _custom(writing, values["custom_fields"], "custom_field")
    writing.write_beside(person.id, **beside)
    writing.changed("contacts", person, **attributes)


def _person_attributes(writing: Writing, values: Values) -> Record:
    """Return what the world has a place for of the values of a contact, by its names."""
    attributes: Record = _named(values, _OF_PERSON)
    for name in _VALUES:
        if name in values:
            typed_values = [typed.get("value") for typed in values[name]]
            attributes[name] = [*filter(None, typed_values)]
    if "address_list" in values:
        addresses = values["address_list"] or [{}]
        for name, attribute in _PLACE.items():
            attributes[attribute] = addresses[0].get(name) or None
    if "status_id" in values:
        attributes["status_key"] = _status(writing, values["status_id"])
    # a name goes before an id, and a company of that name is made where there is none
    if values.get("company_name"):
        company = company_called(writing, values["company_name"])
        attributes["company_id"] = company.id
    elif "company_id" in values or "company_name" in values:
        attributes["company_id"] = values.get("company_id")
    return attributes


def _named(values: Values, names: Iterable[str]) -> Record:
    named_values: Record = {}
    for name in names:
        if name in values:
            named_values[name] = values[name]
    return named_values


def _change_deal(writing: Writing, deal: Deal, values: Values) -> None:
    for name, parameter in (("users", "owner_id"), ("pipelines", "pipeline_id")):
        writing.check_known(name, values, parameter)
    attributes = _named(values, _OF_DEAL)
    if "name" in attributes:
        attributes["name"] = attributes["name"][:_MAX_NAME]
    if attributes.get("status") in ("won", "lost") and deal.status == "pending":
        attributes = {"close_date": writing.now().date(), **attributes}
    beside: Record = {}
    for name, value in values.items():
        if name not in _NOT_BESIDE_DEAL:
            beside[name] = plain(value)
    if "deal_fields" in values:
        beside["deal_fields"] = _custom(writing, values["deal_fields"], "deal_field")
    writing.write_beside(deal.id, **beside)
    writing.changed("deals", deal, **attributes)


def _custom(writing: Writing, given: list[Values], wrapper: str) -> list[Record]:
    """Return custom fields with their definitions, as they are read."""
    definitions = writing.index.by_id(f"{wrapper}s")
    custom_fields = []
    for custom_field in given:
        named_field = custom_field.get(wrapper) or {}
        field_id = named_field.get("id", "")
        if field_id not in definitions:
            errors = {f"{wrapper}s": "is invalid"}
            raise Refused(400, f"A {wrapper} is not known", **errors)
        definition = writing.rendered.field(definitions[field_id])
        value = custom_field.get("value")
        custom_fields.append({wrapper: definition, "value": value})
    return custom_fields


def _status(writing: Writing, id_: str) -> str:
    writing.check_known("statuses", {"status_id": id_}, "status_id")
    return str(writing.find("statuses", id_).key)


def _status_lead(writing: Writing) -> str:
    return str(writing.index.statuses["lead"].id)


def _blank_person(writing: Writing) -> Person:
    contacts = writing.lists["contacts"].items
    numbers = [contact.number for contact in contacts]
    last_number = max(numbers, default=0)
    return newcomer(
        writing.new_id(),
        number=1 + last_number,
        at=writing.now(),
        service="onepagecrm",
        owner_id=writing.me,
    )


def _blank_deal(writing: Writing, contact_id: str) -> Deal:
    now = writing.now()
    person: Person = writing.find("contacts", contact_id)
    pipeline_id = ""
    stage = 0
    pipeline = _default_pipeline(writing.lists["pipelines"].items)
    if pipeline:
        pipeline_id = pipeline.id
        stage = pipeline.stages[0].stage
    return Deal(
        id=writing.new_id(),
        name="",
        contact_id=contact_id,
        company_id=person.company_id,
        owner_id=writing.me,
        pipeline_id=pipeline_id,
        stage=stage,
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


def _default_pipeline(pipelines: Sequence[Pipeline]) -> Pipeline | None:
    """Return the one that is said to be, or else the first."""
    for pipeline in pipelines:
        if pipeline.is_default:
            return pipeline
    return next(iter(pipelines), None)
