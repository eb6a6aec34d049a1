"""What OnePageCRM refuses of a record that is written, by its list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crmlab.sandbox.service import Record
from crmlab.sandbox.services.onepagecrm.derived import Entry
from crmlab.sandbox.services.onepagecrm.filters import assigned
from crmlab.sandbox.services.onepagecrm.writing import Refused, Values, Writing

_MAX_VARIANTS = 2
_MAX_VARIANT = 35
_MAX_TYPES = 50
_SMALLEST_GROUP = 2
#: actions that are due on no day, unless they have one
_WITHOUT_DAY = ("asap", "waiting", "queued")

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
    if item is None:
        return values
    return {**values, "contact_id": item.contact_id}


def _action(writing: Writing, values: Values, item: Any) -> Values:
    """An action is no longer as soon as possible where its contact gets another such one of the same user."""
    values = _of_contact(writing, values, item)
    if values.get("status") in _WITHOUT_DAY:
        values = {"date": None, **values}
    if values.get("status") == "asap":
        assignee_before = item.assignee_id if item else writing.me
        assignee_id = values.get("assignee_id") or assignee_before
        actions = writing.index.actions.get(values.get("contact_id", ""), [])
        today = writing.now().date()
        for other in assigned(actions, assignee_id):
            if other is not item and other.status == "asap":
                writing.changed("actions", other, status="date", date=today)
    return values


def _action_group(writing: Writing, values: Values, item: Any) -> Values:
    """A group is of two templates or more, each in no other group."""
    ids = values.get("action_ids")
    if ids is None:
        return values
    ungrouped = set(writing.index.by_id("predefined_actions"))
    for group in writing.lists["predefined_action_groups"].items:
        if group is not item:
            ungrouped -= {*group.record["action_ids"]}
    if len(set(ids)) < _SMALLEST_GROUP or not ungrouped.issuperset(ids):
        detail = "action_ids must be two templates or more without a group"
        raise Refused(400, detail, action_ids="is invalid")
    return values


def _unique_name(listed: str) -> Rule:
    def rule(writing: Writing, values: Values, item: Any) -> Values:
        for other in writing.lists[listed].items:
            if other is not item and other.record["name"] == values.get("name"):
                raise Refused(409, "The name is taken", name="is taken")
        return values

    return rule


def _item_group(writing: Writing, values: Values, item: Any) -> Values:
    values = _unique_name("predefined_item_groups")(writing, values, item)
    ids = values.get("deal_items", [])
    products = writing.index.by_id("predefined_items")
    if not products.keys() >= {*ids}:
        raise Refused(400, "deal_items are not known", deal_items="is invalid")
    # written under one name, and read under another
    other_values = _without(values, "deal_items")
    return {**other_values, "item_ids": ids, "count": len(ids)}


def _without(values: Values, name: str) -> Record:
    other_values = dict(values)
    other_values.pop(name, None)
    return other_values


def _relationship_type(writing: Writing, values: Values, item: Entry | None) -> Values:
    """A kind with one name is the same for both ends, one with two has a name for each; names alone can change."""
    variants = values.get("variants", [])
    names = [str(variant.get("name") or "") for variant in variants]
    lengths = [len(name) for name in names]
    are_short = all(lengths) and max(lengths, default=0) <= _MAX_VARIANT
    if not 1 <= len(names) <= _MAX_VARIANTS or not are_short:
        raise Refused(400, "variants must be one name or two", variants="is invalid")
    if item is None:
        if len(writing.lists["relationship_types"]) >= _MAX_TYPES:
            raise Refused(409, "The account has as many kinds as it may")
        variant_ids = [writing.new_id() for _ in names]
    else:
        variant_ids = _ids(variants)
        kept_ids = _ids(item.record["relationship_variants"])
        if {*variant_ids} != {*kept_ids}:
            raise Refused(400, "variants must be those of the kind", variants="is invalid")
    named_variants = []
    for variant_id, name in zip(variant_ids, names, strict=True):
        named_variants.append({"id": variant_id, "name": name})
    return {"symmetrical": len(named_variants) == 1, "relationship_variants": named_variants}


def _ids(variants: Iterable[Values]) -> list[Any]:
    return [variant.get("id") for variant in variants]


def _relationship(writing: Writing, values: Values, item: Entry | None) -> Values:
    """A relationship is between two contacts, each at an end that its kind has, and the only one between them."""
    writing.check_known("relationship_types", values, "relationship_type_id")
    ends = values.get("related_contacts", [])
    contact_ids = {end.get("contact_id") for end in ends}
    variant_ids = {end.get("variant_id") for end in ends}
    type_id = values.get("relationship_type_id", "")
    relationship_type = writing.index.by_id("relationship_types").get(type_id)
    known_ids: set[str] = set()
    if relationship_type:
        variants = relationship_type.record["relationship_variants"]
        known_ids = set(_ids(variants))
    are_known = writing.index.people.keys() >= contact_ids
    if len(contact_ids) != _MAX_VARIANTS or not are_known:
        raise Refused(400, "related_contacts must be two contacts", related_contacts="is invalid")
    if not known_ids >= variant_ids:
        raise Refused(400, "variant_id is none of the kind", related_contacts="is invalid")
    for other in writing.lists["relationships"].items:
        if other is not item and {*other.contact_ids} == contact_ids:
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
        for product_id in item.record["item_ids"]:
            product = writing.find("predefined_items", product_id)
            record = {**product.record, "item_group_id": item.id}
            writing.changed("predefined_items", product, record=record)


def check_deletion(writing: Writing, name: str, id: str) -> None:
    """Refuse to delete what the account cannot be without."""
    item = writing.find(name, id)
    if name == "lead_sources" and len(writing.lists[name]) == 1:
        raise Refused(409, "The last lead source cannot be deleted")
    if name == "statuses" and item.key == "lead":
        raise Refused(409, "The status lead cannot be deleted")


def after_deletion(writing: Writing, name: str, item: Any) -> None:
    """Leave nothing behind that names what was deleted."""
    if name == "lead_sources":
        _replace_in_contacts(writing, "lead_source_id", item.id, None)
    if name == "statuses":
        # a contact always has a status: the one that cannot be deleted is left
        _replace_in_contacts(writing, "status_key", item.key, "lead")
    if name == "predefined_actions":
        _take_out_of_action_groups(writing, item.id)
    if name == "predefined_items":
        _take_out_of_item_groups(writing, item.id)
    if name == "predefined_item_groups":
        for product in writing.lists["predefined_items"].items:
            if product.record.get("item_group_id") == item.id:
                record = _without(product.record, "item_group_id")
                writing.changed("predefined_items", product, record=record)


def _replace_in_contacts(writing: Writing, attribute: str, old: str, new: str | None) -> None:
    for person in writing.lists["contacts"].items:
        if getattr(person, attribute) == old:
            writing.changed("contacts", person, **{attribute: new})


def _take_out_of_action_groups(writing: Writing, action_id: str) -> None:
    for group in writing.lists["predefined_action_groups"].items:
        others = _others(group.record["action_ids"], action_id)
        if len(others) < _SMALLEST_GROUP:
            writing.delete("predefined_action_groups", group.id)
        else:
            record = {**group.record, "action_ids": others}
            writing.changed("predefined_action_groups", group, record=record)


def _take_out_of_item_groups(writing: Writing, product_id: str) -> None:
    for group in writing.lists["predefined_item_groups"].items:
        others = _others(group.record["item_ids"], product_id)
        record = {**group.record, "item_ids": others, "count": len(others)}
        writing.changed("predefined_item_groups", group, record=record)


def _others(ids: Iterable[str], deleted_id: str) -> list[str]:
    return [other_id for other_id in ids if other_id != deleted_id]
