"""A world's sales data in OnePageCRM's words, record by record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crmlab.sandbox.service import Record, iso, unix
from crmlab.sandbox.services.onepagecrm import derived
from crmlab.sandbox.services.onepagecrm.derived import Entry, Link
from crmlab.sandbox.services.onepagecrm.index import Index
from crmlab.sandbox.world.model import (
    Action,
    Call,
    Company,
    CustomField,
    Deal,
    DealItem,
    LeadSource,
    Meeting,
    Note,
    Person,
    Pipeline,
    Status,
    User,
)


def _without_none(record: Record) -> Record:
    """Leave absent values out, as the service does."""
    return {field_name: value for field_name, value in record.items() if value is not None}


def _times(item: Any) -> dict[str, str | None]:
    return {"created_at": iso(item.created_at), "modified_at": iso(item.modified_at)}


def _day(date: dt.date | None) -> str | None:
    if date is None:
        return None
    return date.isoformat()


def stages(pipeline: Pipeline | None) -> list[Record]:
    """The stages of a pipeline; none where there is no pipeline."""
    if pipeline is None:
        return []
    return [{"stage": stage.stage, "label": stage.label} for stage in pipeline.stages]


def pipeline(pipeline: Pipeline) -> Record:
    """A pipeline with its stages."""
    return {
        "id": pipeline.id,
        "name": pipeline.name,
        "type": "sales",
        "default": pipeline.is_default,
        "won_column_enabled": False,
        "won_column_name": "Won",
        "stages": stages(pipeline),
    }


def result_label(key: str) -> str:
    """What the service shows for the result of a call."""
    return key.replace("_", " ").capitalize()


def _deal_items(deal: Deal) -> list[Record]:
    return [_deal_item(deal, item, position) for position, item in enumerate(deal.items, 1)]


def _deal_item(deal: Deal, item: DealItem, position: int) -> Record:
    # items of the world have no times: those of the
    # deal, which they are written with, stand for them
    return {
        "id": item.id,
        "name": item.name,
        "description": item.description,
        "cost": item.cost,
        "price": item.price,
        "amount": round(item.price * item.quantity, 2),
        "qty": item.quantity,
        "deal_id": deal.id,
        "predefined_item_id": derived.product_id(item),
        "position": position,
        **_times(deal),
    }


class Renderers:
    """Records that name others, or count them."""

    def __init__(self, index: Index, written: Mapping[str, Record]) -> None:
        self.index = index
        #: by id, what was written of a record that the world has no place for
        self._written = written

    def _whole(self, record: Record) -> Record:
        return {**record, **self._written.get(record["id"], {})}

    def user(self, user: User) -> Record:
        """A user as `/users` has it."""
        rights = ["activity"]
        if user.role == "admin":
            rights = ["admin"]
        return self._whole(
            {
                "id": user.id,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "email": user.email,
                "company_name": "Example Sales",
                "account_rights": rights,
                "photo_url": "",
                "country_code": "IE",
                "bcc_email": f"{user.id}@users.example.com",
            }
        )

    def field(self, field: CustomField) -> Record:
        """The definition of a custom field."""
        return self._whole(
            {
                "id": field.id,
                "name": field.label,
                "type": field.type,
                "position": 1,
                "choices": field.choices,
            }
        )

    def action(self, action: Action) -> Record:
        """A next action, done or to do."""
        return self._whole(
            _without_none(
                {
                    "id": action.id,
                    "assignee_id": action.assignee_id,
                    "contact_id": action.contact_id,
                    "text": action.text,
                    "status": action.status,
                    "date": _day(action.date),
                    "exact_time": unix(action.exact_time),
                    "position": 1,
                    "done": action.done,
                    "done_at": _day(action.done_at),
                    **_times(action),
                }
            )
        )

    def contact(self, person: Person) -> Record:
        """A contact with what stands beside it in a list."""
        company = self._company_of(person)
        actions = [self.action(action) for action in self.index.actions.get(person.id, ())]
        contact = {
            **_identity(person, company),
            **self._classification(person),
            **self._sales_figures(person),
            **_times(person),
        }
        item = {
            "contact": self._whole(_without_none(contact)),
            "next_actions": actions,
            "queued_actions": [],
        }
        if actions:
            item["next_action"] = actions[0]
        if company:
            item["company"] = self.company(company)
        return item

    def _company_of(self, person: Person) -> Company | None:
        return self.index.companies.get(person.company_id or "")

    def _classification(self, person: Person) -> Record:
        """What the account sorts a contact by."""
        status = self.index.statuses.get(person.status_key)
        return {
            "status": status.text if status else "",
            "status_id": status.id if status else None,
            "tags": person.tags,
            "lead_source_id": person.lead_source_id,
            "lead_source": self.index.sources.get(person.lead_source_id or "", ""),
            "background": person.background,
            "owner_id": person.owner_id,
            "custom_fields": self._custom("contact", {"season": person.season}, "custom_field"),
            "letter": (person.last_name or "?")[0].lower(),
        }

    def _sales_figures(self, person: Person) -> Record:
        deals = self.index.deals_of.get(person.id, ())
        pending = _with_status(deals, "pending")
        company_size = 1
        if person.company_id:
            company_size = self.index.count("contacts", "company_id", person.company_id)
        return {
            "pending_deal": bool(pending),
            "total_pendings": _total_amount(pending),
            "total_deals_count": len(deals),
            "company_size": company_size,
            "sales_closed_for": [],
            "closed_sales": [],
        }

    def status(self, status: Status) -> Record:
        """A status of contacts."""
        return self._whole(
            {
                "id": status.id,
                "status": status.key,
                "text": status.text,
                "description": "",
                "color": status.colour,
                **_counts(self.index.count("contacts", "status_key", status.key)),
            }
        )

    def lead_source(self, source: LeadSource) -> Record:
        """Where contacts come from."""
        count = self.index.count("contacts", "lead_source_id", source.id)
        return self._whole({"id": source.id, "text": source.text, **_counts(count)})

    def call_result(self, key: str) -> Record:
        """The result of a call."""
        count = self.index.count("calls", "result", key)
        return {
            "result": key,
            "text": result_label(key),
            "counts": count,
            "total_counts": count,
            "team_counts": [],
        }

    def linked(self, link: Link) -> Record:
        """A contact that is linked with a company."""
        return {**self.contact(self.index.people[link.contact_id]), "linked_with": link.linked_with}

    def relationship(self, relationship: Entry) -> Record:
        """A relationship with the names of both contacts, and what each is called."""
        ends = relationship.record["related_contacts"]
        contacts = [self._related(contact) for contact in ends]
        return {**derived.entry(relationship), "related_contacts": contacts}

    def _related(self, end: Mapping[str, str]) -> Record:
        person = self.index.people.get(end["contact_id"])
        variant = self.index.variants.get(end["variant_id"], "")
        if person is None:  # a contact that was deleted: nothing is left of it but its id
            return {**end, "variant_name": variant}
        company = self._company_of(person)
        named_end = {
            **end,
            "variant_name": variant,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "photo_url": _photo(person),
            "company_id": person.company_id,
            "company_name": _name_of(company),
            "owner_id": person.owner_id,
        }
        return _without_none(named_end)

    def _attachments(self, reference_id: str) -> list[Record]:
        files = self.index.attachments.get(reference_id, [])
        return [derived.attachment(attachment) for attachment in files]

    def _custom(self, entity: str, values: Mapping[str, str | None], name: str) -> list[Record]:
        definitions = self.index.fields(entity)
        custom_fields = []
        for key, value in values.items():
            # a value without a definition is of a field that was deleted
            if value and key in definitions:
                custom_fields.append({name: self.field(definitions[key]), "value": value})
        return custom_fields

    def company(self, company: Company) -> Record:
        """A company with its counts."""
        deals = self.index.deals_with.get(company.id, [])
        won = _with_status(deals, "won")
        pending = _with_status(deals, "pending")
        return self._whole(
            _without_none(
                {
                    "id": company.id,
                    "name": company.name,
                    "description": company.description,
                    "phone": company.phone or "",
                    "url": company.url or "",
                    "address": _address(company),
                    "company_fields": self._custom(
                        "company", {"size": company.size_label, **company.custom}, "company_field"
                    ),
                    "syncing_tags": False,
                    "synced_tags": [],
                    "contacts_count": self.index.count("contacts", "company_id", company.id),
                    "won_deals_count": len(won),
                    "total_won_amount": _total_amount(won),
                    "pending_deals_count": len(pending),
                    "total_pending_amount": _total_amount(pending),
                    **_times(company),
                }
            )
        )

    def deal(self, deal: Deal) -> Record:
        """A deal with its items."""
        owner = self.index.users.get(deal.owner_id)
        record = {
            "id": deal.id,
            "contact_id": deal.contact_id,
            "owner_id": deal.owner_id,
            "pipeline_id": deal.pipeline_id,
            "sales_pipeline_id": deal.pipeline_id,
            "name": deal.name,
            "text": deal.text,
            "stage": deal.stage,
            "status": deal.status,
            "expected_close_date": _day(deal.expected_close_date),
            "close_date": _day(deal.close_date),
            "date": deal.created_at.date().isoformat(),
            **_money(deal),
            "reason_lost_id": deal.lost_reason_id,
            "deal_fields": self._custom("deal", {"size": deal.size_label}, "deal_field"),
            "has_deal_items": bool(deal.items),
            "deal_items": _deal_items(deal),
            "author": short(owner),
            "has_related_notes": False,
            "attachments": self._attachments(deal.id),
            "contact_info": self._contact_info(deal),
            "owner": _owner(owner),
            "linked_contacts": self._linked_contacts(deal),
            **_times(deal),
        }
        return self._whole(_without_none(record))

    def _contact_info(self, deal: Deal) -> dict[str, str]:
        person = self.index.people.get(deal.contact_id)
        company = self.index.companies.get(deal.company_id or "")
        return {
            "contact_name": person.full_name if person else "",
            "company": _name_of(company),
        }

    def _linked_contacts(self, deal: Deal) -> list[dict[str, str]]:
        contacts = []
        for person_id in deal.linked_contact_ids:
            person = self.index.people.get(person_id)
            # it may have been deleted since
            if person:
                contacts.append(
                    {
                        "id": person.id,
                        "contact_name": person.full_name,
                        "company": "",
                        "photo_url": "",
                    }
                )
        return contacts

    def note(self, note: Note) -> Record:
        """A note."""
        deal = self.index.deals.get(note.deal_id or "")
        return self._whole(
            {
                "id": note.id,
                "contact_id": note.contact_id,
                "text": note.text,
                "date": note.date.isoformat(),
                "linked_deal_id": note.deal_id,
                "linked_deal_name": deal.name if deal else "",
                "author": short(self.index.users.get(note.author)),
                "attachments": self._attachments(note.id),
                **_times(note),
            }
        )

    def call(self, call: Call) -> Record:
        """A call."""
        return self._whole(
            {
                "id": call.id,
                "contact_id": call.contact_id,
                "text": call.text,
                "call_result": call.result,
                "call_time_int": unix(call.at),
                "via": "phone",
                "phone_number": call.phone_number or "",
                "recording_link": None,
                "author": short(self.index.users.get(call.author)),
                "attachments": self._attachments(call.id),
                **_times(call),
            }
        )

    def meeting(self, meeting: Meeting) -> Record:
        """A meeting."""
        return self._whole(
            {
                "id": meeting.id,
                "contact_id": meeting.contact_id,
                "text": meeting.text,
                "meeting_time_int": unix(meeting.at),
                "place": meeting.place,
                "author": short(self.index.users.get(meeting.author)),
                "attachments": self._attachments(meeting.id),
                **_times(meeting),
            }
        )


def _identity(person: Person, company: Company | None) -> Record:
    """Who a contact is, where it works and how it is reached."""
    urls = []
    if company and company.url:
        urls = [{"type": "website", "value": company.url}]
    return {
        "id": person.id,
        "title": person.title,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "job_title": person.job_title or "",
        "starred": person.starred,
        "photo_url": _photo(person),
        "company_id": person.company_id,
        "company_name": _name_of(company),
        "urls": urls,
        "phones": _at_work(person.phones),
        "emails": _at_work(person.emails),
        "address_list": _addresses(person),
    }


def _name_of(company: Company | None) -> str:
    return company.name if company else ""


def _at_work(values: Iterable[str]) -> list[dict[str, str]]:
    return [{"type": "work", "value": contact_value} for contact_value in values]


def _addresses(person: Person) -> list[dict[str, str]]:
    if not (person.street or person.city):
        return []
    return [{**_address(person), "type": "work"}]


def _with_status(deals: Sequence[Deal], status: str) -> list[Deal]:
    return [candidate for candidate in deals if candidate.status == status]


def _total_amount(deals: Iterable[Deal]) -> float:
    return round(sum(opportunity.amount * opportunity.months for opportunity in deals), 2)


def _money(deal: Deal) -> Record:
    # amount and cost are of one month: the totals are of all
    return {
        "amount": deal.amount,
        "months": deal.months,
        "cost": deal.cost,
        "margin": round(deal.amount - deal.cost, 2),
        "total_amount": round(deal.amount * deal.months, 2),
        "total_cost": round(deal.cost * deal.months, 2),
        "commission_base": "amount",
        "commission_type": "none",
        "commission": 0.0,
        "commission_percentage": 0.0,
    }


def _owner(user: User | None) -> dict[str, str] | None:
    if user is None:
        return None
    return {"id": user.id, "name": user.full_name, "email": user.email}


def _counts(number: int) -> Record:
    return {"counts": number, "total_count": number, "action_stream_count": 0, "team_counts": []}


def _photo(person: Person) -> str:
    return f"https://photos.example.com/{person.id}.jpg"


def short(user: User | None) -> str:
    """First name and initial, as the service signs what a user wrote."""
    return f"{user.first_name} {user.last_name[:1]}." if user else ""


def _address(place: Person | Company) -> dict[str, str]:
    return {
        "address": place.street or "",
        "city": place.city or "",
        "state": place.state or "",
        "zip_code": place.zip_code or "",
        "country_code": place.country_code or "",
    }
