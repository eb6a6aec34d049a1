"""What OnePageCRM's contacts, deals and relationships can be asked for by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from crmlab.sandbox.services.onepagecrm.derived import Entry, Link
from crmlab.sandbox.services.onepagecrm.index import Index
from crmlab.sandbox.world.model import Action, Deal, Person

#: whether a record is what a value asks for
Filter = Callable[[Any, str], bool]
Value = Callable[[Any], Any]
CREATED: dict[str, Value] = {
    "created_at": attrgetter("created_at"),
    "modified_at": attrgetter("modified_at"),
}
_CLOSED = ("won", "lost")


class Relationships:
    """What relationships can be asked for by."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def filters(self) -> dict[str, Filter]:
        return {
            "contact_id": lambda relationship, value: value in relationship.contact_ids,
            "contact_id_filter": lambda relationship, value: value in relationship.contact_ids,
            "relationship_type_id": has_value(_type_id),
            "variant_id_filter": lambda relationship, value: value in variant_ids(relationship),
            "search": self._is_searched,
            "symmetrical": switched(self._is_symmetrical),
        }

    def _is_searched(self, relationship: Entry, value: str) -> bool:
        names: list[str] = []
        for contact_id in relationship.contact_ids:
            person = self._index.people.get(contact_id)
            if person:
                names.append(person.full_name)
        for variant_id in variant_ids(relationship):
            names.append(self._index.variants.get(variant_id, ""))
        return any_holds(names, value)

    def _is_symmetrical(self, relationship: Entry) -> bool:
        return len(set(variant_ids(relationship))) == 1


class Contacts:
    """What contacts can be asked for by."""

    def __init__(self, index: Index, me: str, today: dt.date) -> None:
        self._index = index
        self._me = me
        self._today = today

    def filters(self) -> dict[str, Filter]:
        return {
            "owner_id": has("owner_id"),
            "company_id": has("company_id"),
            "not_linked_with": lambda person, value: person.company_id != value,
            "status_id": has_value(self._status),
            "lead_source": self._came_from,
            "lead_source_id": has("lead_source_id"),
            "tag": lambda person, value: value in person.tags,
            "email": _has_email,
            "phone": _has_digits,
            "url": lambda person, value: holds(self._url(person), value),
            "letter": self._stands_under,
            "search": self._is_searched,
            "starred": switched(attrgetter("starred")),
            "pending_deal": switched(self._has_pending),
            "action_stream": switched(self._actions),
            "has_actions": switched(self._is_mine_with_actions),
            "has_actions_for_me": switched(self._is_mine_with_my_actions),
            "has_actions_today": switched(self._has_one_today),
            "waiting": switched(self._is_waiting),
            "custom_field_value": has("season"),
        }

    def orders(self) -> dict[str, Value]:
        return {
            **CREATED,
            "first_name": lambda person: person.first_name.casefold(),
            "last_name": lambda person: person.last_name.casefold(),
            "name": lambda person: person.full_name.casefold(),
            "company_name": lambda person: self._company(person).casefold(),
        }

    def _status(self, person: Person) -> str:
        status = self._index.statuses.get(person.status_key)
        if status is None:
            return ""
        return status.id

    def _came_from(self, person: Person, value: str) -> bool:
        """Whether a contact has a lead source of that id or name."""
        source_id = person.lead_source_id or ""
        source = self._index.sources.get(source_id, "")
        return value in (person.lead_source_id, source)

    def _stands_under(self, person: Person, letter: str) -> bool:
        # a contact without a last name stands under the name of its company
        name = person.last_name or self._company(person)
        return begins(name, letter)

    def _company(self, person: Person) -> str:
        company = self._index.companies.get(person.company_id or "")
        if company is None:
            return ""
        return company.name

    def _url(self, person: Person) -> str:
        company = self._index.companies.get(person.company_id or "")
        if company is None:
            return ""
        return company.url or ""

    def _actions(self, person: Person) -> list[Any]:
        return self._index.actions.get(person.id, [])

    def _is_searched(self, person: Person, value: str) -> bool:
        if any_holds([person.full_name, self._company(person)], value):
            return True
        # a search without digits would be found in every phone number
        return bool(digits(value)) and _has_digits(person, value)

    def _has_pending(self, person: Person) -> bool:
        deals = self._index.deals_of.get(person.id, [])
        return _any_is(deals, "pending")

    def _my_actions(self, person: Person) -> list[Action]:
        return assigned(self._actions(person), self._me)

    def _is_mine_with_actions(self, person: Person) -> bool:
        """Whether a contact of the caller has actions, of anybody."""
        return person.owner_id == self._me and bool(self._actions(person))

    def _is_mine_with_my_actions(self, person: Person) -> bool:
        """Whether a contact of the caller has actions of the caller."""
        return person.owner_id == self._me and bool(self._my_actions(person))

    def _has_one_today(self, person: Person) -> bool:
        days = [action.date for action in self._my_actions(person)]
        return person.owner_id == self._me and self._today in days

    def _is_waiting(self, person: Person) -> bool:
        return _any_is(self._my_actions(person), "waiting")


class Deals:
    """What deals can be asked for by."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def filters(self) -> dict[str, Filter]:
        return {
            "owner_id": has("owner_id"),
            "company_id": has("company_id"),
            "pipeline_id": has("pipeline_id"),
            "sales_pipeline_id": has("pipeline_id"),
            "status": _has_status,
            "stage": _is_in_stage,
            "name": lambda deal, value: holds(deal.name, value),
            "search": self._is_searched,
            "tag": lambda deal, value: value in self._tags(deal),
        }

    def _is_searched(self, deal: Deal, value: str) -> bool:
        company = self._index.companies.get(deal.company_id or "")
        person = self._index.people.get(deal.contact_id)
        names = [deal.name]
        if person:
            names.append(person.full_name)
        if company:
            names.append(company.name)
        return any_holds(names, value)

    def _tags(self, deal: Deal) -> list[str]:
        """Deals have no tags of their own: those of their contact count."""
        person = self._index.people.get(deal.contact_id)
        if person is None:
            return []
        return person.tags


def has(attribute: str) -> Filter:
    """Return the filter that keeps what has the value in this attribute."""
    return has_value(attrgetter(attribute))


def has_value(value_of: Value) -> Filter:
    """Return the filter that keeps what this function finds the value for."""
    return lambda item, value: value_of(item) == value


def switched(is_so: Value) -> Filter:
    """Return the filter of a parameter that is either true or false: what is so, or what is not."""
    return lambda item, value: bool(is_so(item)) == is_true(value)


def assigned(actions: Iterable[Action], user_id: str) -> list[Action]:
    """Return the actions of one user."""
    return [action for action in actions if action.assignee_id == user_id]


def _any_is(items: Iterable[Deal | Action], status: str) -> bool:
    return any(candidate.status == status for candidate in items)


def any_holds(names: Iterable[str], part: str) -> bool:
    """Return whether one of the texts holds another, whatever the case of its letters."""
    return any(holds(candidate, part) for candidate in names)


def _has_email(person: Person, value: str) -> bool:
    emails = map(str.casefold, person.emails)
    return value.casefold() in emails


def _has_digits(person: Person, value: str) -> bool:
    """Whether one of a contact's phone numbers has these digits, however both are written."""
    wanted_digits = digits(value)
    return any(wanted_digits in number for number in map(digits, person.phones))


def variants(kind: Entry) -> list[dict[str, str]]:
    """Return what the ends of a kind of relationship are called."""
    of_kind: list[dict[str, str]] = kind.record["relationship_variants"]
    return of_kind


def variant_ids(relationship: Entry) -> list[str]:
    """Return which variants the ends of a relationship are."""
    ends = relationship.record["related_contacts"]
    return [end["variant_id"] for end in ends]


def _type_id(relationship: Entry) -> Any:
    return relationship.record["relationship_type_id"]


def of_person(value: Value, index: Index) -> Value:
    """Return what finds that value of the contact of a link."""

    def of_link(link: Link) -> Any:
        return value(index.people[link.contact_id])

    return of_link


def _has_status(deal: Deal, value: str) -> bool:
    if value == "closed":
        return deal.status in _CLOSED
    return deal.status == value


def _is_in_stage(deal: Deal, value: str) -> bool:
    return deal.status == "pending" and str(deal.stage) == value


def is_true(value: str) -> bool:
    """Return whether a parameter says yes."""
    return value == "true"


def holds(text: str, part: str) -> bool:
    """Return whether a text holds another, whatever the case of its letters."""
    return part.casefold() in text.casefold()


def begins(text: str, letter: str) -> bool:
    """Return whether a text begins with a letter, whatever its case."""
    return text.casefold().startswith(letter.casefold())


def digits(text: str) -> str:
    """Return the digits of a text, and nothing else."""
    return "".join(filter(str.isdigit, text))
