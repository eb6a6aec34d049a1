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
            "relationship_type_id": lambda relationship, value: (
                relationship.record["relationship_type_id"] == value
            ),
            "variant_id_filter": lambda relationship, value: value in variant_ids(relationship),
            "search": self._is_searched,
            "symmetrical": lambda relationship, value: (
                self._is_symmetrical(relationship) == is_true(value)
            ),
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
            "owner_id": lambda person, value: person.owner_id == value,
            "company_id": lambda person, value: person.company_id == value,
            "not_linked_with": lambda person, value: person.company_id != value,
            "status_id": lambda person, value: self._status(person) == value,
            "lead_source": lambda person, value: (
                value in (person.lead_source_id, self._source(person))
            ),
            "lead_source_id": lambda person, value: person.lead_source_id == value,
            "tag": lambda person, value: value in person.tags,
            "email": lambda person, value: value.casefold() in map(str.casefold, person.emails),
            "phone": _has_digits,
            "url": lambda person, value: holds(self._url(person), value),
            # a contact without a last name stands under the name of its company
            "letter": lambda person, value: begins(
                person.last_name or self._company(person), value
            ),
            "search": self._is_searched,
            "starred": lambda person, value: person.starred == is_true(value),
            "pending_deal": lambda person, value: self._has_pending(person) == is_true(value),
            "action_stream": lambda person, value: bool(self._actions(person)) == is_true(value),
            "has_actions": lambda person, value: self._is_mine_with(person) == is_true(value),
            "has_actions_for_me": lambda person, value: (
                self._is_mine_with(person, mine=True) == is_true(value)
            ),
            "has_actions_today": lambda person, value: (
                self._has_one_today(person) == is_true(value)
            ),
            "waiting": lambda person, value: self._is_waiting(person) == is_true(value),
            "custom_field_value": lambda person, value: value == person.season,
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

    def _source(self, person: Person) -> str:
        return self._index.sources.get(person.lead_source_id or "", "")

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
        return _any_is(self._index.deals_of.get(person.id, []), "pending")

    def _is_mine_with(self, person: Person, *, mine: bool = False) -> bool:
        """Whether a contact of the caller has actions, of anybody or of the caller."""
        actions = self._actions(person)
        if mine:
            actions = assigned(actions, self._me)
        return person.owner_id == self._me and bool(actions)

    def _has_one_today(self, person: Person) -> bool:
        my_actions = assigned(self._actions(person), self._me)
        is_due = any(action.date == self._today for action in my_actions)
        return person.owner_id == self._me and is_due

    def _is_waiting(self, person: Person) -> bool:
        return _any_is(assigned(self._actions(person), self._me), "waiting")


class Deals:
    """What deals can be asked for by."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def filters(self) -> dict[str, Filter]:
        return {
            "owner_id": lambda deal, value: deal.owner_id == value,
            "company_id": lambda deal, value: deal.company_id == value,
            "pipeline_id": lambda deal, value: deal.pipeline_id == value,
            "sales_pipeline_id": lambda deal, value: deal.pipeline_id == value,
            "status": _has_status,
            "stage": lambda deal, value: deal.status == "pending" and str(deal.stage) == value,
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


def assigned(actions: Iterable[Action], user_id: str) -> list[Action]:
    """Return the actions of one user."""
    return [action for action in actions if action.assignee_id == user_id]


def _any_is(items: Iterable[Deal | Action], status: str) -> bool:
    return any(candidate.status == status for candidate in items)


def any_holds(names: Iterable[str], part: str) -> bool:
    """Return whether one of the texts holds another, whatever the case of its letters."""
    return any(holds(candidate, part) for candidate in names)


def _has_digits(person: Person, value: str) -> bool:
    """Whether one of a contact's phone numbers has these digits, however both are written."""
    wanted_digits = digits(value)
    return any(wanted_digits in digits(phone_number) for phone_number in person.phones)


def variants(kind: Entry) -> list[dict[str, str]]:
    """Return what the ends of a kind of relationship are called."""
    of_kind: list[dict[str, str]] = kind.record["relationship_variants"]
    return of_kind


def variant_ids(relationship: Entry) -> list[str]:
    """Return which variants the ends of a relationship are."""
    return [contact["variant_id"] for contact in relationship.record["related_contacts"]]


def of_person(value: Value, index: Index) -> Value:
    """Return what finds that value of the contact of a link."""

    def of_link(link: Link) -> Any:
        return value(index.people[link.contact_id])

    return of_link


def _has_status(deal: Deal, value: str) -> bool:
    if value == "closed":
        return deal.status in _CLOSED
    return deal.status == value


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
