"""Which paths of OnePageCRM change something, and what each of them answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crmlab.sandbox.service import Records, dumps
from crmlab.sandbox.services.onepagecrm import acts, people, sales
from crmlab.sandbox.services.onepagecrm.acts import Act
from crmlab.sandbox.services.onepagecrm.asked import Asked
from crmlab.sandbox.services.onepagecrm.rules import (
    RULES,
    after_creation,
    after_deletion,
    check_deletion,
)
from crmlab.sandbox.services.onepagecrm.writing import KINDS, Refused, Values, Writing, check_given

#: gives the data of an answer, once everything that was changed is seen
Answer = Callable[[], bytes]
#: changes something
Write = Callable[[Writing, Asked], Answer]

#: lists and their paths with an id
_PATHS = {
    "lead_sources": "/lead_sources/{lead_source_id}",
    "statuses": "/statuses/{status_id}",
    "deal_fields": "/deal_fields/{deal_field_id}",
    "custom_fields": "/custom_fields/{custom_field_id}",
    "company_fields": "/company_fields/{company_field_id}",
    "predefined_actions": "/predefined_actions/{predefined_action_id}",
    "predefined_action_groups": "/predefined_action_groups/{predefined_action_group_id}",
    "predefined_items": "/predefined_items/{predefined_item_id}",
    "predefined_item_groups": "/predefined_item_groups/{predefined_item_group_id}",
    "notes": "/notes/{note_id}",
    "calls": "/calls/{call_id}",
    "meetings": "/meetings/{meeting_id}",
    "actions": "/actions/{action_id}",
    "relationship_types": "/relationship_types/{relationship_type_id}",
}
_OF_CONTACTS = ("actions", "notes", "calls", "meetings")
_RELATIONSHIPS = "/contacts/{contact_id}/relationships"
#: lists that are created in ways of their own, if at all
_DELETED = {
    "deals": "/deals/{deal_id}",
    "attachments": "/attachments/{attachment_id}",
    "webhooks": "/webhooks/{webhook_id}",
}


def _nothing() -> bytes:
    return b"{}"


def _only(writing: Writing, name: str, id: str) -> Records:
    """Return the one record of a list that has this id, without an index: the next write would need another one."""
    return writing.lists[name].where(lambda item: bool(item.id == id))


def _record(writing: Writing, name: str, id: str, *, bare: bool = False) -> Answer:
    """Answer with a record as it is then."""

    def answer() -> bytes:
        one_record = _only(writing, name, id)
        return one_record.slice(bare=bare)[1:-1]

    return answer


def _created(writing: Writing, name: str, values: Values) -> Answer:
    check_given(values, *KINDS[name].required)
    kept_values = RULES[name](writing, values, None)
    item = writing.create(name, kept_values)
    after_creation(writing, name, item)
    if name == "relationship_types":  # the answer is a list, of the one that was made
        return lambda: b'{"relationship_types":%s}' % _only(writing, name, item.id).slice()
    if name == "predefined_item_groups":  # it comes under the name of a product
        bare_record = _record(writing, name, item.id, bare=True)
        return lambda: b'{"predefined_item":%s}' % bare_record()
    return _record(writing, name, item.id)


def _create(name: str) -> Write:
    return lambda writing, asked: _created(writing, name, asked.values)


def _create_of_contact(name: str) -> Write:
    def write(writing: Writing, asked: Asked) -> Answer:
        person = writing.find("contacts", asked.owner_id)
        values = {**asked.values, "contact_id": person.id}
        return _created(writing, name, values)

    return write


def _update(name: str) -> Write:
    def write(writing: Writing, asked: Asked) -> Answer:
        item = writing.find(name, asked.id)
        kind = KINDS[name]
        is_partial = asked.is_partial or not kind.replaces
        if not is_partial:
            check_given(asked.values, *kind.required)
        values = RULES[name](writing, asked.values, item)
        writing.update(name, asked.id, values, partial=is_partial)
        return _record(writing, name, asked.id)

    return write


def _update_action(writing: Writing, asked: Asked) -> Answer:
    """An action may be told to be done in the same request."""
    action = writing.find("actions", asked.id)
    attributes: Values = {}
    if asked.query.get("done") == "true":
        attributes = acts.done(writing, action)
    elif asked.query.get("done") == "false":
        attributes = acts.not_done(writing, action)
    answer = _update("actions")(writing, asked)
    # found again: the update has put another record in its place
    updated = writing.find("actions", asked.id)
    writing.changed("actions", updated, **attributes)
    return answer


def _delete(name: str) -> Write:
    def write(writing: Writing, asked: Asked) -> Answer:
        if asked.is_undo:
            writing.restore(name, asked.id)
            return _nothing
        check_deletion(writing, name, asked.id)
        item = writing.find(name, asked.id)
        writing.delete(name, asked.id)
        after_deletion(writing, name, item)
        return _nothing

    return write


def _act(act: Act, name: str, *, bare: bool = False) -> Write:
    return lambda writing, asked: _record(writing, name, act(writing, asked), bare=bare)


def _contact(path: str, act: Act) -> Write:
    """Answer with the contact and what stands beside it; after a new photo with the contact alone, after tags not."""

    def write(writing: Writing, asked: Asked) -> Answer:
        contact_id = act(writing, asked)
        if "_tag/" in path:
            return _nothing
        if path.endswith("/contact_photo"):
            return lambda: _contact_alone(writing, contact_id)
        return _record(writing, "contacts", contact_id)

    return write


def _contact_alone(writing: Writing, id: str) -> bytes:
    person = writing.find("contacts", id)
    contact = writing.rendered.contact(person)
    return dumps({"contact": contact["contact"]})


def _relate(writing: Writing, asked: Asked) -> Answer:
    return _created(writing, "relationships", _related(writing, asked))


def _relate_anew(writing: Writing, asked: Asked) -> Answer:
    # the contact of the path is an end before the change and after it
    _end_of(writing, asked)
    _related(writing, asked)
    return _update("relationships")(writing, asked)


def _part(writing: Writing, asked: Asked) -> Answer:
    """Take a relationship away, or bring it back."""
    if not asked.is_undo:
        _end_of(writing, asked)
    return _delete("relationships")(writing, asked)


def _related(writing: Writing, asked: Asked) -> Values:
    """Return what the body says of a relationship, one end of which must be the contact of the path."""
    person = writing.find("contacts", asked.owner_id)
    ends = asked.values.get("related_contacts", [])
    contact_ids = [contact.get("contact_id") for contact in ends]
    if ends and person.id not in contact_ids:
        raise Refused(400, "The contact must be one of both", related_contacts="is invalid")
    return asked.values


def _end_of(writing: Writing, asked: Asked) -> None:
    writing.find("contacts", asked.owner_id)
    if asked.owner_id not in writing.find("relationships", asked.id).contact_ids:
        raise Refused(400, "The contact is no part of the relationship")


def _delete_contacts(writing: Writing, asked: Asked) -> Answer:
    contact_ids = [text for text in asked.query.get("ids", "").split(",") if text]
    if not contact_ids:
        raise Refused(400, "ids is missing", ids="is missing")
    # an unknown one refuses the whole request: none is deleted before all are found
    for contact_id in contact_ids:
        writing.find("contacts", contact_id)
    for contact_id in dict.fromkeys(contact_ids):
        writing.delete("contacts", contact_id)
    return _nothing


def _attach(writing: Writing, asked: Asked) -> Answer:
    file = acts.attach(writing, asked)
    return lambda: b'{"attachment":%s}' % _only(writing, "attachments", file.id).slice()[1:-1]


def _link(writing: Writing, asked: Asked) -> Answer:
    link = people.link(writing, asked)
    links = writing.lists["linked_contacts"]
    return lambda: links.where(lambda item: item is link).slice()[1:-1]


def _unlink(writing: Writing, asked: Asked) -> Answer:
    people.unlink(writing, asked)
    return _nothing


def _update_user(writing: Writing, asked: Asked) -> Answer:
    """The name of a user is what the world knows of them; an address for copies is made anew for oneself alone."""
    user = writing.find("users", asked.id)
    values = dict(asked.values)
    if values.pop("bcc_email", None):
        if user.id != writing.me:
            raise Refused(403, "The address of another user cannot be changed")
        writing.write_beside(user.id, bcc_email=f"{writing.new_id()}@users.example.com")
    if "company_name" in values:
        writing.write_beside(user.id, company_name=values.pop("company_name"))
    writing.changed("users", user, **values)
    return _record(writing, "users", user.id)


def _mark_read(writing: Writing, asked: Asked) -> Answer:
    _read(writing, writing.find("notifications", asked.id))
    return _record(writing, "notifications", asked.id)


def _mark_all_read(writing: Writing, asked: Asked) -> Answer:
    for notification in writing.lists["notifications"].items:
        _read(writing, notification)
    return _nothing


def _read(writing: Writing, notification: Any) -> None:
    writing.changed("notifications", notification, record={**notification.record, "read": True})


def _change_key(writing: Writing, asked: Asked) -> Answer:
    """Give a new key: the one before opens nothing any more."""
    writing.key = f"sandbox-{writing.new_id()}"
    return lambda: dumps({"auth_key": writing.key})


def _records_of_one_kind() -> dict[tuple[str, str], Write]:
    """Return what creates, changes and deletes the records of each list that has no way of its own."""
    writes: dict[tuple[str, str], Write] = {}
    for name, path in _PATHS.items():
        writes["POST", f"/{name}"] = _create(name)
        if name != "predefined_item_groups":  # groups of products are never changed
            writes["PUT", path] = _update(name)
    for name, path in {**_PATHS, **_DELETED}.items():
        writes["DELETE", path] = _delete(name)
    for name in _OF_CONTACTS:
        writes["POST", f"/contacts/{{contact_id}}/{name}"] = _create_of_contact(name)
    return writes


def _acts() -> dict[tuple[str, str], Write]:
    """Return what can be done with records beside changing their fields."""
    writes: dict[tuple[str, str], Write] = {}
    for (method, path), act in people.CONTACTS.items():
        writes[method, path] = _contact(path, act)
    for method_and_path, act in people.COMPANIES.items():
        writes[method_and_path] = _act(act, "companies")
    for method_and_path, act in acts.ACTIONS.items():
        writes[method_and_path] = _act(act, "actions")
    for method_and_path, act in acts.FILES.items():
        writes[method_and_path] = _act(act, "attachments", bare=True)
    return writes


WRITES: Mapping[tuple[str, str], Write] = {
    **_records_of_one_kind(),
    ("PUT", "/actions/{action_id}"): _update_action,
    ("POST", "/contacts"): _act(sales.create_contact, "contacts"),
    ("PUT", "/contacts/{contact_id}"): _act(sales.update_contact, "contacts"),
    ("POST", "/deals"): _act(sales.create_deal, "deals"),
    ("POST", "/contacts/{contact_id}/deals"): _act(sales.create_deal, "deals"),
    ("PUT", "/deals/{deal_id}"): _act(sales.update_deal, "deals"),
    **_acts(),
    ("POST", "/notes/{note_id}/attachments"): _attach,
    ("POST", "/calls/{call_id}/attachments"): _attach,
    ("POST", "/meetings/{meeting_id}/attachments"): _attach,
    ("POST", "/deals/{deal_id}/attachments"): _attach,
    ("POST", "/attachments"): _attach,
    ("DELETE", "/contacts/delete"): _delete_contacts,
    ("DELETE", "/contacts/{contact_id}"): _delete("contacts"),
    ("POST", _RELATIONSHIPS): _relate,
    ("PUT", f"{_RELATIONSHIPS}/{{relationship_id}}"): _relate_anew,
    ("DELETE", f"{_RELATIONSHIPS}/{{relationship_id}}"): _part,
    ("POST", "/companies/{company_id}/linked_contacts"): _link,
    ("DELETE", "/companies/{company_id}/linked_contacts/{contact_id}"): _unlink,
    ("PUT", "/users/{user_id}"): _update_user,
    ("POST", "/notifications/{notification_id}/mark_as_read"): _mark_read,
    ("POST", "/notifications/mark_all_as_read"): _mark_all_read,
    ("POST", "/change_auth_key"): _change_key,
}
