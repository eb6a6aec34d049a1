"""A world's sales data in OnePageCRM's words, record by record."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from crmlab.sandbox.service import iso, unix
from crmlab.sandbox.world.model import (
    Action,
    Call,
    Company,
    CustomField,
    Deal,
    DealItem,
    Meeting,
    Note,
    Person,
    Pipeline,
    User,
    World,
)


def _without_none(record: dict[str, Any]) -> dict[str, Any]:
    """Leave absent values out, as the service does."""
    return {key: value for key, value in record.items() if value is not None}


def _times(item: Any) -> dict[str, str | None]:
    return {"created_at": iso(item.created_at), "modified_at": iso(item.modified_at)}


def user(user: User) -> dict[str, Any]:
    """A user as `/users` has it."""
    return {
        "id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "company_name": "Example Sales",
        "account_rights": ["admin"] if user.role == "admin" else ["activity"],
        "photo_url": "",
        "country_code": "IE",
        "bcc_email": f"{user.id}@users.example.com",
    }


def pipeline(pipeline: Pipeline) -> dict[str, Any]:
    """A pipeline with its stages."""
    return {
        "id": pipeline.id,
        "name": pipeline.name,
        "type": "sales",
        "default": pipeline.is_default,
        "won_column_enabled": False,
        "won_column_name": "Won",
        "stages": [{"stage": stage.stage, "label": stage.label} for stage in pipeline.stages],
    }


def field(field: CustomField) -> dict[str, Any]:
    """The definition of a custom field."""
    return {"id": field.id, "name": field.label, "type": field.type, "position": 1, "choices": field.choices}


def action(action: Action) -> dict[str, Any]:
    """A next action, done or to do."""
    return _without_none(
        {
            "id": action.id,
            "assignee_id": action.assignee_id,
            "contact_id": action.contact_id,
            "text": action.text,
            "status": action.status,
            "date": action.date and action.date.isoformat(),
            "exact_time": unix(action.exact_time),
            "position": 1,
            "done": action.done,
            "done_at": action.done_at and action.done_at.isoformat(),
            **_times(action),
        }
    )


def result_label(key: str) -> str:
    """What the service shows for the result of a call."""
    return key.replace("_", " ").capitalize()


def product_id(item: DealItem) -> str:
    """The id of the product that an item of a deal was taken from."""
    return f"{crc32(item.name.encode()):024x}"


def products(world: World) -> list[tuple[int, DealItem]]:
    """Products of the catalogue with their positions: what the deals hold, each once."""
    by_name = {item.name: item for deal in world.deals for item in deal.items}
    return list(enumerate(by_name.values(), 1))


def product(position: int, item: DealItem) -> dict[str, Any]:
    """A product of the catalogue."""
    return {
        "id": product_id(item),
        "name": item.name,
        "description": item.description,
        "cost": item.cost,
        "price": item.price,
        "position": position,
    }


def _deal_item(deal: Deal, item: DealItem, position: int) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "description": item.description,
        "cost": item.cost,
        "price": item.price,
        "amount": round(item.price * item.quantity, 2),
        "qty": item.quantity,
        "deal_id": deal.id,
        "predefined_item_id": product_id(item),
        "position": position,
        **_times(deal),
    }


class Index:
    """The world's records by id, for the names that stand beside ids."""

    def __init__(self, world: World) -> None:
        self.people = {person.id: person for person in world.people_in("onepagecrm")}
        self.companies = world.companies_by_id()
        self.users = world.users_by_id()
        self.deals = {deal.id: deal for deal in world.deals}
        self.statuses = {status.key: status for status in world.statuses}
        self.sources = {source.id: source.text for source in world.lead_sources}
        self.fields = {(field.entity, field.key): field for field in world.fields}
        self.actions: dict[str, list[Action]] = defaultdict(list)
        for action in world.actions:
            if not action.done:
                self.actions[action.contact_id].append(action)
        self.deals_of: dict[str, list[Deal]] = defaultdict(list)
        self.deals_with: dict[str, list[Deal]] = defaultdict(list)
        for deal in world.deals:
            self.deals_of[deal.contact_id].append(deal)
            self.deals_with[deal.company_id or ""].append(deal)
        self.staff = Counter(person.company_id for person in self.people.values())

    def contact(self, person: Person) -> dict[str, Any]:
        """A contact with what stands beside it in a list."""
        status = self.statuses.get(person.status_key)
        pending = [deal for deal in self.deals_of[person.id] if deal.status == "pending"]
        company = self.companies.get(person.company_id or "")
        actions = [action(each) for each in self.actions[person.id]]
        contact = {
            "id": person.id,
            "title": person.title,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "job_title": person.job_title or "",
            "starred": person.starred,
            "photo_url": f"https://photos.example.com/{person.id}.jpg",
            "company_id": person.company_id,
            "company_name": company.name if company else "",
            "urls": [{"type": "website", "value": company.url}] if company and company.url else [],
            "phones": [{"type": "work", "value": phone} for phone in person.phones],
            "emails": [{"type": "work", "value": email} for email in person.emails],
            "address_list": self._addresses(person),
            "status": status.text if status else "",
            "status_id": status.id if status else None,
            "tags": person.tags,
            "lead_source_id": person.lead_source_id,
            "lead_source": self.sources.get(person.lead_source_id or "", ""),
            "background": person.background,
            "owner_id": person.owner_id,
            "custom_fields": self._custom("contact", {"season": person.season}, "custom_field"),
            "letter": (person.last_name or "?")[0].lower(),
            "pending_deal": bool(pending),
            "total_pendings": round(sum(deal.amount * deal.months for deal in pending), 2),
            "total_deals_count": len(self.deals_of[person.id]),
            "company_size": self.staff[person.company_id] if person.company_id else 1,
            "sales_closed_for": [],
            "closed_sales": [],
            **_times(person),
        }
        item = {"contact": _without_none(contact), "next_actions": actions, "queued_actions": []}
        if actions:
            item["next_action"] = actions[0]
        if company:
            item["company"] = self.company(company)
        return item

    def _addresses(self, person: Person) -> list[dict[str, str]]:
        if not (person.street or person.city):
            return []
        return [{**_address(person), "type": "work"}]

    def _custom(self, entity: str, values: Mapping[str, str | None], name: str) -> list[dict[str, Any]]:
        return [
            {name: field(self.fields[entity, key]), "value": value}
            for key, value in values.items()
            if value and (entity, key) in self.fields
        ]

    def company(self, company: Company) -> dict[str, Any]:
        """A company with its counts."""
        deals = self.deals_with[company.id]
        won = [deal for deal in deals if deal.status == "won"]
        pending = [deal for deal in deals if deal.status == "pending"]
        return _without_none(
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
                "contacts_count": self.staff[company.id],
                "won_deals_count": len(won),
                "total_won_amount": round(sum(deal.amount * deal.months for deal in won), 2),
                "pending_deals_count": len(pending),
                "total_pending_amount": round(sum(deal.amount * deal.months for deal in pending), 2),
                **_times(company),
            }
        )

    def deal(self, deal: Deal) -> dict[str, Any]:
        """A deal with its items."""
        person = self.people[deal.contact_id]
        owner = self.users.get(deal.owner_id)
        company = self.companies.get(deal.company_id or "")
        return _without_none(
            {
                "id": deal.id,
                "contact_id": deal.contact_id,
                "owner_id": deal.owner_id,
                "pipeline_id": deal.pipeline_id,
                "sales_pipeline_id": deal.pipeline_id,
                "name": deal.name,
                "text": deal.text,
                "stage": deal.stage,
                "status": deal.status,
                "expected_close_date": deal.expected_close_date and deal.expected_close_date.isoformat(),
                "close_date": deal.close_date and deal.close_date.isoformat(),
                "date": deal.created_at.date().isoformat(),
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
                "reason_lost_id": deal.lost_reason_id,
                "deal_fields": self._custom("deal", {"size": deal.size_label}, "deal_field"),
                "has_deal_items": bool(deal.items),
                "deal_items": [_deal_item(deal, item, n) for n, item in enumerate(deal.items, 1)],
                "author": _short(owner),
                "has_related_notes": False,
                "attachments": [],
                "contact_info": {
                    "contact_name": person.full_name,
                    "company": company.name if company else "",
                },
                "owner": {"id": owner.id, "name": owner.full_name, "email": owner.email} if owner else None,
                "linked_contacts": [
                    {"id": other.id, "contact_name": other.full_name, "company": "", "photo_url": ""}
                    for other in map(self.people.get, deal.linked_contact_ids)
                    if other
                ],
                **_times(deal),
            }
        )

    def note(self, note: Note) -> dict[str, Any]:
        """A note."""
        deal = self.deals.get(note.deal_id or "")
        return {
            "id": note.id,
            "contact_id": note.contact_id,
            "text": note.text,
            "date": note.date.isoformat(),
            "linked_deal_id": note.deal_id,
            "linked_deal_name": deal.name if deal else "",
            "author": _short(self.users.get(note.author)),
            "attachments": [],
            **_times(note),
        }

    def call(self, call: Call) -> dict[str, Any]:
        """A call."""
        return {
            "id": call.id,
            "contact_id": call.contact_id,
            "text": call.text,
            "call_result": call.result,
            "call_time_int": unix(call.at),
            "via": "phone",
            "phone_number": call.phone_number or "",
            "recording_link": None,
            "author": _short(self.users.get(call.author)),
            "attachments": [],
            **_times(call),
        }

    def meeting(self, meeting: Meeting) -> dict[str, Any]:
        """A meeting."""
        return {
            "id": meeting.id,
            "contact_id": meeting.contact_id,
            "text": meeting.text,
            "meeting_time_int": unix(meeting.at),
            "place": meeting.place,
            "author": _short(self.users.get(meeting.author)),
            "attachments": [],
            **_times(meeting),
        }


def _short(user: User | None) -> str:
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
