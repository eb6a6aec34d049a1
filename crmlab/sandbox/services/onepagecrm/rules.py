"""What OnePageCRM refuses of a record that is written, by its list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crmlab.sandbox.services.onepagecrm.derived import Entry
from crmlab.sandbox.services.onepagecrm.writing import Refused, Writing

_MAX_VARIANTS = 2
_MAX_VARIANT = 35
_MAX_TYPES = 50
_SMALLEST_GROUP = 2
#: actions that are due on no day, unless they have one
_WITHOUT_DAY = ("asap", "waiting", "queued")

Values = Mapping[str, Any]
#: checks the values of a record, which is None where it is new, and returns them as they are kept
Rule = Callable[[Writing, Values, Any], Values]


def _of_contact(writing: Writing, values: Values, item: Any) -> Values:
    """What belongs to a contact stays with it."""
    for name, parameter in (
        ("contacts", "contact_id"),
        ("deals", "linked_deal_id"),
        ("users", "assignee_id"),
    ):
        writing.check_known(name, values, parameter)
    result = values.get("call_result")
    if result and result not in writing.lists["call_results"].items:
        raise Refused(400, "call_result is not known", call_result="is not known")
    return {**values, "contact_id": item.contact_id} if item else values


def _action(writing: Writing, values: Values, item: Any) -> Values:
    """An action is no longer as soon as possible where its contact gets another such one of the same user."""
    values = _of_contact(writing, values, item)
    if values.get("status") in _WITHOUT_DAY:
        values = {"date": None, **values}
    if values.get("status") == "asap":
        assignee_id = values.get("assignee_id") or (item.assignee_id if item else writing.me)
        for other in writing.index.actions.get(values.get("contact_id", ""), []):
            if other is not item and other.status == "asap" and other.assignee_id == assignee_id:
                writing.changed("actions", other, status="date", date=writing.now().date())
    return values


def _action_group(writing: Writing, values: Values, item: Any) -> Values:
    """A group is of two templates or more, each in no other group."""
    ids = values.get("action_ids")
    if ids is None:
        return values
    elsewhere = {
        id
        for group in writing.lists["predefined_action_groups"].items
        if group is not item
        for id in group.record["action_ids"]
    }
    known = writing.index.by_id("predefined_actions")
    if len(set(ids)) < _SMALLEST_GROUP or any(id not in known or id in elsewhere for id in ids):
        raise Refused(
            400, "action_ids must be two templates or more without a group", action_ids="is invalid"
        )
    return values


def _unique_name(listed: str) -> Rule:
    def rule(writing: Writing, values: Values, item: Any) -> Values:
        same = [
            each
            for each in writing.lists[listed].items
            if each.record["name"] == values.get("name")
        ]
        if any(each is not item for each in same):
            raise Refused(409, "The name is taken", name="is taken")
        return values

    return rule


def _item_group(writing: Writing, values: Values, item: Any) -> Values:
    values = _unique_name("predefined_item_groups")(writing, values, item)
    ids = values.get("deal_items", [])
    if any(id not in writing.index.by_id("predefined_items") for id in ids):
        raise Refused(400, "deal_items are not known", deal_items="is invalid")
    kept = {name: value for name, value in values.items() if name != "deal_items"}
    return {**kept, "item_ids": ids, "count": len(ids)}


def _relationship_type(writing: Writing, values: Values, item: Entry | None) -> Values:
    """A kind with one name is the same for both ends, one with two has a name for each; names alone can change."""
    variants = values.get("variants", [])
    names = [str(each.get("name") or "") for each in variants]
    if not 1 <= len(names) <= _MAX_VARIANTS or any(
        not 0 < len(name) <= _MAX_VARIANT for name in names
    ):
        raise Refused(400, "variants must be one name or two", variants="is invalid")
    if item is None:
        if len(writing.lists["relationship_types"]) >= _MAX_TYPES:
            raise Refused(409, "The account has as many kinds as it may")
        ids = [writing.new_id() for _ in names]
    else:
        ids = [each.get("id") for each in variants]
        if {*ids} != {each["id"] for each in item.record["relationship_variants"]}:
            raise Refused(400, "variants must be those of the kind", variants="is invalid")
    named = [{"id": id, "name": name} for id, name in zip(ids, names, strict=True)]
    return {"symmetrical": len(named) == 1, "relationship_variants": named}


def _relationship(writing: Writing, values: Values, item: Entry | None) -> Values:
    """A relationship is between two contacts, each at an end that its kind has, and the only one between them."""
    writing.check_known("relationship_types", values, "relationship_type_id")
    ends = values.get("related_contacts", [])
    ids = [end.get("contact_id") for end in ends]
    kind = writing.index.by_id("relationship_types").get(values.get("relationship_type_id", ""))
    variants = [each["id"] for each in kind.record["relationship_variants"]] if kind else []
    if len(set(ids)) != _MAX_VARIANTS or not writing.index.people.keys() >= {*ids}:
        raise Refused(400, "related_contacts must be two contacts", related_contacts="is invalid")
    if any(end.get("variant_id") not in variants for end in ends):
        raise Refused(400, "variant_id is none of the kind", related_contacts="is invalid")
    others = [each for each in writing.lists["relationships"].items if each is not item]
    if any({*each.contact_ids} == {*ids} for each in others):
        raise Refused(409, "The two contacts have a relationship already")
    return values


def _unchanged(writing: Writing, values: Values, item: Any) -> Values:
    return values


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("notes", "calls", "meetings"), _of_contact),
    "actions": _action,
    "predefined_action_groups": _action_group,
    "predefined_items": _unique_name("predefined_items"),
    "predefined_item_groups": _item_group,
    "relationship_types": _relationship_type,
    "relationships": _relationship,
    **dict.fromkeys(
        (
            "statuses",
            "lead_sources",
            "custom_fields",
            "company_fields",
            "deal_fields",
            "predefined_actions",
        ),
        _unchanged,
    ),
}


def after_creation(writing: Writing, name: str, item: Any) -> None:
    """Let what a new record names know of it."""
    if name == "predefined_item_groups":
        for id in item.record["item_ids"]:
            product = writing.find("predefined_items", id)
            writing.changed(
                "predefined_items", product, record={**product.record, "item_group_id": item.id}
            )


def check_deletion(writing: Writing, name: str, id: str) -> None:
    """Refuse to delete what the account cannot be without."""
    item = writing.find(name, id)
    if name == "lead_sources" and len(writing.lists[name]) == 1:
        raise Refused(409, "The last lead source cannot be deleted")
    if name == "statuses" and item.key == "lead":
        raise Refused(409, "The status lead cannot be deleted")


def after_deletion(writing: Writing, name: str, item: Any) -> None:
    """Leave nothing behind that names what was deleted."""
    if name in ("lead_sources", "statuses"):
        attribute = "lead_source_id" if name == "lead_sources" else "status_key"
        named = item.id if name == "lead_sources" else item.key
        instead = None if name == "lead_sources" else "lead"
        for person in writing.lists["contacts"].items:
            if getattr(person, attribute) == named:
                writing.changed("contacts", person, **{attribute: instead})
    if name == "predefined_actions":
        for group in writing.lists["predefined_action_groups"].items:
            left = [id for id in group.record["action_ids"] if id != item.id]
            if len(left) < _SMALLEST_GROUP:
                writing.delete("predefined_action_groups", group.id)
            else:
                writing.changed(
                    "predefined_action_groups", group, record={**group.record, "action_ids": left}
                )
    if name == "predefined_items":
        for group in writing.lists["predefined_item_groups"].items:
            left = [id for id in group.record["item_ids"] if id != item.id]
            record = {**group.record, "item_ids": left, "count": len(left)}
            writing.changed("predefined_item_groups", group, record=record)
    if name == "predefined_item_groups":
        for product in writing.lists["predefined_items"].items:
            if product.record.get("item_group_id") == item.id:
                kept = {
                    key: value for key, value in product.record.items() if key != "item_group_id"
                }
                writing.changed("predefined_items", product, record=kept)
