"""A world's sales data as the lists that OnePageCRM serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from crmlab.sandbox import onepagecrm_records as records
from crmlab.sandbox.world import World

RECORD_NAMES = {
    "contacts": "contact",
    "companies": "company",
    "deals": "deal",
    "actions": "action",
    "notes": "note",
    "calls": "call",
    "meetings": "meeting",
}
_Render = Callable[[Any], dict[str, Any]]


def lists(world: World) -> dict[str, tuple[list[Any], _Render]]:
    """Return each paged list: its items and how one is written."""
    index = records.Index(world)
    fields = {entity: [f for f in world.fields if f.entity == entity] for entity in ("contact", "company", "deal")}
    known = set(index.people)
    of_known = partial(filter, lambda item: item.contact_id in known)
    return {
        "contacts": (list(index.people.values()), index.contact),
        "companies": (world.companies, lambda company: {"company": index.company(company)}),
        "deals": (list(of_known(world.deals)), lambda deal: {"deal": index.deal(deal)}),
        "actions": (list(of_known(world.actions)), lambda action: {"action": records.action(action)}),
        "notes": (list(of_known(world.notes)), lambda note: {"note": index.note(note)}),
        "calls": (list(of_known(world.calls)), lambda call: {"call": index.call(call)}),
        "meetings": (list(of_known(world.meetings)), lambda meeting: {"meeting": index.meeting(meeting)}),
        "pipelines": (world.pipelines, lambda pipeline: {"pipeline": records.pipeline(pipeline)}),
        "custom_fields": (fields["contact"], lambda field: {"custom_field": records.field(field)}),
        "company_fields": (fields["company"], lambda field: {"company_field": records.field(field)}),
        "deal_fields": (fields["deal"], lambda field: {"deal_field": records.field(field)}),
    }


def lookups(world: World) -> dict[str, list[dict[str, Any]]]:
    """Return the lists that come whole."""
    people = world.people_in("onepagecrm")
    by_status = Counter(person.status_key for person in people)
    by_source = Counter(person.lead_source_id for person in people)
    return {
        "users": [{"user": records.user(user)} for user in world.users],
        "statuses": [
            {
                "status": {
                    "id": status.id,
                    "status": status.key,
                    "text": status.text,
                    "description": "",
                    "color": status.colour,
                    **_counts(by_status[status.key]),
                }
            }
            for status in world.statuses
        ],
        "lead_sources": [
            {"id": source.id, "text": source.text, **_counts(by_source[source.id])} for source in world.lead_sources
        ],
    }


def bootstrap(world: World, found: Mapping[str, list[dict[str, Any]]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data of the bootstrap answer and what stands beside it."""
    people = world.people_in("onepagecrm")
    tags = Counter(tag for person in people for tag in person.tags)
    users = [user["user"] for user in found["users"]]
    default = next((p for p in world.pipelines if p.is_default), None)
    data = {
        "user_id": users[0]["id"] if users else "",
        "auth_key": "never-to-be-stored",
        "account_type": "pro",
        "team": users[1:],
        "settings": {
            "time_zone": "Europe/Dublin",
            "not_working_days": "weekend",
            "date_format": "%d/%m/%Y",
            "time_with_ampm": False,
            "listing_size": 10,
            "currency": world.currency,
            "currency_symbol": "€",
            "popular_countries": ["IE", "GB"],
            "deal_stages": [{"stage": s.stage, "label": s.label} for s in (default.stages if default else [])],
            "pipelines": [{"pipeline": records.pipeline(pipeline)} for pipeline in world.pipelines],
            "default_contact_type": "individual",
        },
        "call_results": {"interested": "Interested", "not_interested": "Not interested"},
        "contact_titles": ["Mr", "Mrs", "Ms"],
    }
    if users:
        data["user"] = users[0]
    beside = {
        "tags": {
            "tags": [
                {"name": name, "counts": n, "total_count": n, "action_stream_count": 0}
                for name, n in sorted(tags.items())
            ],
            "system_tags": [],
        },
        "team_stream": {"all": len(people), "users": []},
    }
    return data, beside


def _counts(number: int) -> dict[str, Any]:
    return {"counts": number, "total_count": number, "action_stream_count": 0, "team_counts": []}
