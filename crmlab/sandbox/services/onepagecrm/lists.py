"""A world's sales data as the lists that OnePageCRM serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from crmlab.sandbox.service import Records, dumps, extended
from crmlab.sandbox.services.onepagecrm import derived, records
from crmlab.sandbox.services.onepagecrm.derived import Entry
from crmlab.sandbox.services.onepagecrm.index import Index
from crmlab.sandbox.world.model import Person, World

#: lists that are an array of their own; all others stand under their names
ARRAYS = ("users", "statuses", "lead_sources", "call_results")
#: lists under a name that come whole
WHOLE = ("countries",)
#: lists in pages beside which the document has no counts
UNCOUNTED = (
    "predefined_items",
    "predefined_item_groups",
    "predefined_actions",
    "predefined_action_groups",
)
#: lists whose records are not had one by one
WITHOUT_IDS = ("call_results", "countries")
#: lists whose records are of contacts, and are also had by contact and by company
OF_CONTACTS = ("deals", "actions", "notes", "calls", "meetings")
#: lists that are only had by what they belong to
INSIDE = ("relationships", "linked_contacts", "attachments")
#: lists whose records come with their contact if asked for
EMBEDDED = ("deals", "notes", "calls", "meetings", "pinned_attachments")


def lists(world: World, written: Mapping[str, Mapping[str, Any]]) -> dict[str, Records]:
    """Return each list; `written` has by id what was written of a record beyond what the world knows of it."""
    found: dict[str, Records] = {}
    rendered = records.Renderers(Index(found), written)
    people = {person.id: person for person in world.people_in("onepagecrm")}

    def known(items: Iterable[Any]) -> list[Any]:
        return [item for item in items if item.contact_id in people]

    def entries(items: Iterable[Entry], name: str) -> Records:
        return Records(items, derived.entry, name=name)

    def fields(entity: str, name: str) -> Records:
        return Records(
            (field for field in world.fields if field.entity == entity), rendered.field, name=name
        )

    notes = known(world.notes)
    deals = known(world.deals)
    products = derived.products(world)
    kinds = derived.relationship_types(world)
    results = sorted({call.result for call in world.calls})
    author = records.short(world.users[-1]) if world.users else ""
    found |= {
        "users": Records(world.users, rendered.user, name="user"),
        "statuses": Records(world.statuses, rendered.status, name="status"),
        "lead_sources": Records(world.lead_sources, rendered.lead_source),
        "call_results": Records(results, rendered.call_result, name="call_result"),
        "countries": Records(derived.countries(), dict, name="country"),
        "predefined_items": entries(products, "predefined_item"),
        "predefined_item_groups": entries(
            derived.product_groups(products), "predefined_item_group"
        ),
        "predefined_actions": entries(derived.predefined_actions(), "predefined_action"),
        "predefined_action_groups": entries(
            derived.predefined_action_groups(), "predefined_action_group"
        ),
        "filters": entries(derived.filters(world), "filter"),
        "notifications": entries(derived.notifications(world, author), "notification"),
        "webhooks": entries(derived.webhooks(), ""),
        "relationship_types": entries(kinds, "relationship_type"),
        "relationships": Records(
            derived.relationships([*people.values()], kinds),
            rendered.relationship,
            name="relationship",
        ),
        "attachments": Records(derived.attachments(notes), derived.attachment),
        "linked_contacts": Records(
            derived.links(deals, people), rendered.linked, name="linked_contact"
        ),
        "contacts": Records(people.values(), rendered.contact),
        "companies": Records(world.companies, rendered.company, name="company"),
        "deals": Records(deals, rendered.deal, name="deal"),
        "actions": Records(known(world.actions), rendered.action, name="action"),
        "notes": Records(notes, rendered.note, name="note"),
        "calls": Records(known(world.calls), rendered.call, name="call"),
        "meetings": Records(known(world.meetings), rendered.meeting, name="meeting"),
        "pipelines": Records(world.pipelines, records.pipeline, name="pipeline"),
        "custom_fields": fields("contact", "custom_field"),
        "company_fields": fields("company", "company_field"),
        "deal_fields": fields("deal", "deal_field"),
    }
    return found


def bootstrap(world: World, found: Mapping[str, Records]) -> dict[str, bytes]:
    """Return the data of the bootstrap answer and what stands beside it."""
    users = found["users"]
    default = next((p for p in world.pipelines if p.is_default), None)
    settings = {
        "time_zone": "Europe/Dublin",
        "not_working_days": "weekend",
        "date_format": "%d/%m/%Y",
        "time_with_ampm": False,
        "listing_size": 10,
        "currency": world.currency,
        "currency_symbol": "€",
        "popular_countries": ["IE", "GB"],
        "deal_stages": [
            {"stage": s.stage, "label": s.label} for s in (default.stages if default else [])
        ],
        "default_contact_type": "individual",
    }
    data = {
        "user_id": users.items[0].id if len(users) else "",
        "auth_key": "never-to-be-stored",
        "account_type": "pro",
        "call_results": {key: records.result_label(key) for key in found["call_results"].items},
        "call_results_order": found["call_results"].items,
        "reason_losts": [
            {"id": id, "name": name, "position": position}
            for position, (id, name) in enumerate(world.lost_reasons.items(), 1)
        ],
        "filters": [derived.entry(each) for each in found["filters"].items],
        "predefined_actions": [derived.entry(each) for each in found["predefined_actions"].items],
        "contact_titles": ["Mr", "Mrs", "Ms"],
    }
    members = {
        "team": users.slice(1, bare=True),
        "settings": extended(dumps(settings), {"pipelines": found["pipelines"].slice()}),
        **{
            name: found[name].slice(bare=True)
            for name in ("custom_fields", "company_fields", "deal_fields")
        },
    }
    if len(users):
        members["user"] = users.slice(0, 1, bare=True)[1:-1]
    return {
        "data": extended(dumps(data), members),
        "lead_sources": found["lead_sources"].slice(),
        "statuses": found["statuses"].slice(),
        "tags": dumps({"tags": _tags(found["contacts"].items), "system_tags": []}),
        "team_stream": dumps({"all": len(found["contacts"]), "users": []}),
    }


def _tags(people: Iterable[Person]) -> list[dict[str, Any]]:
    counts = Counter(tag for person in people for tag in person.tags)
    return [
        {"name": name, "counts": n, "total_count": n, "action_stream_count": 0}
        for name, n in sorted(counts.items())
    ]
