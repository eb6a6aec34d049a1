"""A world's sales data as the lists that OnePageCRM serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from crmlab.sandbox.service import Record, Records, dumps, extended
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


def lists(world: World, written: Mapping[str, Record]) -> dict[str, Records]:
    """Return each list; `written` has by id what was written of a record beyond what the world knows of it."""
    listed: dict[str, Records] = {}
    # renderers look into the finished lists, which need
    # the renderers: the index is filled afterwards
    rendered = records.Renderers(Index(listed), written)
    contacts = {person.id: person for person in world.people_in("onepagecrm")}
    listed |= _of_account(world, rendered)
    listed |= _templates(world)
    listed |= _relations(world, rendered, contacts)
    listed |= _sales(world, rendered, contacts)
    return listed


def _of_account(world: World, rendered: records.Renderers) -> dict[str, Records]:
    """Return the lists of who works with the account, and of what its records are sorted by."""
    call_results = sorted({call.result for call in world.calls})
    account = {
        "users": Records(world.users, rendered.user, name="user"),
        "statuses": Records(world.statuses, rendered.status, name="status"),
        "lead_sources": Records(world.lead_sources, rendered.lead_source),
        "call_results": Records(call_results, rendered.call_result, name="call_result"),
        "countries": Records(derived.countries(), dict, name="country"),
        "filters": _entries(derived.filters(world), "filter"),
        "notifications": _entries(_notifications(world), "notification"),
        "webhooks": _entries(derived.webhooks(), ""),
        "pipelines": Records(world.pipelines, records.pipeline, name="pipeline"),
    }
    for entity in ("contact", "company", "deal"):
        # only those of contacts are not called by what they are fields of
        name = "custom_field" if entity == "contact" else f"{entity}_field"
        definitions = (field for field in world.fields if field.entity == entity)
        account[f"{name}s"] = Records(definitions, rendered.field, name=name)
    return account


def _relations(
    world: World, rendered: records.Renderers, contacts: Mapping[str, Person]
) -> dict[str, Records]:
    """Return the lists of what joins contacts with each other, and with companies."""
    relationship_types = derived.relationship_types(world)
    relationships = derived.relationships([*contacts.values()], relationship_types)
    links = derived.links(_of_contacts(world.deals, contacts), contacts)
    return {
        "relationship_types": _entries(relationship_types, "relationship_type"),
        "relationships": Records(relationships, rendered.relationship, name="relationship"),
        "linked_contacts": Records(links, rendered.linked, name="linked_contact"),
    }


def _sales(
    world: World, rendered: records.Renderers, contacts: Mapping[str, Person]
) -> dict[str, Records]:
    """Return the lists of contacts, companies and what is done with them."""
    deals = _of_contacts(world.deals, contacts)
    actions = _of_contacts(world.actions, contacts)
    notes = _of_contacts(world.notes, contacts)
    calls = _of_contacts(world.calls, contacts)
    meetings = _of_contacts(world.meetings, contacts)
    return {
        "contacts": Records(contacts.values(), rendered.contact),
        "companies": Records(world.companies, rendered.company, name="company"),
        "deals": Records(deals, rendered.deal, name="deal"),
        "actions": Records(actions, rendered.action, name="action"),
        "notes": Records(notes, rendered.note, name="note"),
        "calls": Records(calls, rendered.call, name="call"),
        "meetings": Records(meetings, rendered.meeting, name="meeting"),
        "attachments": Records(derived.attachments(notes), derived.attachment),
    }


def _of_contacts(items: Iterable[Any], contacts: Mapping[str, Person]) -> list[Any]:
    # people of the world who are no contacts here have deals and notes elsewhere
    return [candidate for candidate in items if candidate.contact_id in contacts]


def _entries(items: Iterable[Entry], name: str) -> Records:
    return Records(items, derived.entry, name=name)


def _templates(world: World) -> dict[str, Records]:
    """Return the lists of what can be chosen from where something is planned or sold."""
    products = derived.products(world)
    product_groups = derived.product_groups(products)
    action_groups = derived.predefined_action_groups()
    return {
        "predefined_items": _entries(products, "predefined_item"),
        "predefined_item_groups": _entries(product_groups, "predefined_item_group"),
        "predefined_actions": _entries(derived.predefined_actions(), "predefined_action"),
        "predefined_action_groups": _entries(action_groups, "predefined_action_group"),
    }


def _notifications(world: World) -> list[Entry]:
    author = ""
    if world.users:
        author = records.short(world.users[-1])
    return derived.notifications(world, author)


def bootstrap(world: World, listed: Mapping[str, Records]) -> dict[str, bytes]:
    """Return the data of the bootstrap answer and what stands beside it."""
    users = listed["users"]
    pipelines = listed["pipelines"].slice()
    members = {
        "team": users.slice(1, bare=True),
        "settings": extended(dumps(_settings(world)), {"pipelines": pipelines}),
    }
    for field_list in ("custom_fields", "company_fields", "deal_fields"):
        members[field_list] = listed[field_list].slice(bare=True)
    if len(users):
        members["user"] = users.slice(0, 1, bare=True)[1:-1]
    account = dumps(_account(world, listed))
    contacts = listed["contacts"]
    tags = {"tags": _tags(contacts.items), "system_tags": []}
    team_stream = {"all": len(contacts), "users": []}
    return {
        "data": extended(account, members),
        "lead_sources": listed["lead_sources"].slice(),
        "statuses": listed["statuses"].slice(),
        "tags": dumps(tags),
        "team_stream": dumps(team_stream),
    }


def _settings(world: World) -> Record:
    default = next((pipeline for pipeline in world.pipelines if pipeline.is_default), None)
    return {
        "time_zone": "Europe/Dublin",
        "not_working_days": "weekend",
        "date_format": "%d/%m/%Y",
        "time_with_ampm": False,
        "listing_size": 10,
        "currency": world.currency,
        "currency_symbol": "€",
        "popular_countries": ["IE", "GB"],
        "deal_stages": records.stages(default),
        "default_contact_type": "individual",
    }


def _account(world: World, listed: Mapping[str, Records]) -> Record:
    users = listed["users"]
    call_results = listed["call_results"].items
    lost_reasons = []
    for position, (reason_id, name) in enumerate(world.lost_reasons.items(), 1):
        lost_reasons.append({"id": reason_id, "name": name, "position": position})
    return {
        "user_id": users.items[0].id if len(users) else "",
        # the answer of the live service has the key: no frame and no file may ever hold it
        "auth_key": "never-to-be-stored",
        "account_type": "pro",
        "call_results": {result: records.result_label(result) for result in call_results},
        "call_results_order": call_results,
        "reason_losts": lost_reasons,
        "filters": _plain_entries(listed["filters"]),
        "predefined_actions": _plain_entries(listed["predefined_actions"]),
        "contact_titles": ["Mr", "Mrs", "Ms"],
    }


def _plain_entries(entries: Records) -> list[Record]:
    return [derived.entry(listed) for listed in entries.items]


def _tags(people: Iterable[Person]) -> list[Record]:
    counts: Counter[str] = Counter()
    for person in people:
        counts.update(person.tags)
    tags = []
    for name, contacts in sorted(counts.items()):
        tag = {
            "name": name,
            "counts": contacts,
            "total_count": contacts,
            "action_stream_count": 0,
        }
        tags.append(tag)
    return tags
