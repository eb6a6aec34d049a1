"""A world's sales data as the lists that OnePageCRM serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from crmlab.sandbox.service import Records, dumps, extended
from crmlab.sandbox.services.onepagecrm import records
from crmlab.sandbox.world.model import Person, Status, World

#: lists that come whole; all others come in pages
WHOLE = ("users", "statuses", "lead_sources", "call_results")
#: lists in pages beside which the document has no counts
UNCOUNTED = ("predefined_items",)
#: lists whose records are not had one by one here
WITHOUT_IDS = ("call_results", "predefined_items")
#: lists whose records are of contacts, and are also had by contact and by company
OF_CONTACTS = ("deals", "actions", "notes", "calls", "meetings")
#: lists whose records come with their contact if asked for
EMBEDDED = ("deals", "notes", "calls", "meetings")


def lists(world: World) -> dict[str, Records]:
    """Return each list."""
    index = records.Index(world)
    people = list(index.people.values())
    by_status = Counter(person.status_key for person in people)
    by_source = Counter(person.lead_source_id for person in people)
    by_result = Counter(call.result for call in world.calls)

    def known(items: Iterable[Any]) -> list[Any]:
        return [item for item in items if item.contact_id in index.people]

    return {
        "users": Records(world.users, records.user, name="user"),
        "statuses": Records(world.statuses, lambda each: _status(each, by_status[each.key]), name="status"),
        "lead_sources": Records(
            world.lead_sources, lambda each: {"id": each.id, "text": each.text, **_counts(by_source[each.id])}
        ),
        "call_results": Records(sorted(by_result), lambda key: _call_result(key, by_result[key]), name="call_result"),
        "predefined_items": Records(
            records.products(world), lambda each: records.product(*each), name="predefined_item"
        ),
        "contacts": Records(people, index.contact),
        "companies": Records(world.companies, index.company, name="company"),
        "deals": Records(known(world.deals), index.deal, name="deal"),
        "actions": Records(known(world.actions), records.action, name="action"),
        "notes": Records(known(world.notes), index.note, name="note"),
        "calls": Records(known(world.calls), index.call, name="call"),
        "meetings": Records(known(world.meetings), index.meeting, name="meeting"),
        "pipelines": Records(world.pipelines, records.pipeline, name="pipeline"),
        "custom_fields": _fields(world, "contact", name="custom_field"),
        "company_fields": _fields(world, "company", name="company_field"),
        "deal_fields": _fields(world, "deal", name="deal_field"),
    }


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
        "deal_stages": [{"stage": s.stage, "label": s.label} for s in (default.stages if default else [])],
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
        "contact_titles": ["Mr", "Mrs", "Ms"],
    }
    members = {
        "team": users.slice(1, bare=True),
        "settings": extended(dumps(settings), {"pipelines": found["pipelines"].slice()}),
        **{name: found[name].slice(bare=True) for name in ("custom_fields", "company_fields", "deal_fields")},
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


def _fields(world: World, entity: str, *, name: str) -> Records:
    return Records((field for field in world.fields if field.entity == entity), records.field, name=name)


def _tags(people: Iterable[Person]) -> list[dict[str, Any]]:
    counts = Counter(tag for person in people for tag in person.tags)
    return [
        {"name": name, "counts": n, "total_count": n, "action_stream_count": 0} for name, n in sorted(counts.items())
    ]


def _call_result(key: str, number: int) -> dict[str, Any]:
    return {
        "result": key,
        "text": records.result_label(key),
        "counts": number,
        "total_counts": number,
        "team_counts": [],
    }


def _status(status: Status, number: int) -> dict[str, Any]:
    return {
        "id": status.id,
        "status": status.key,
        "text": status.text,
        "description": "",
        "color": status.colour,
        **_counts(number),
    }


def _counts(number: int) -> dict[str, Any]:
    return {"counts": number, "total_count": number, "action_stream_count": 0, "team_counts": []}
