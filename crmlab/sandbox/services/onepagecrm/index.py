"""OnePageCRM's records by id, and by what they belong to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from crmlab.sandbox.service import Records
from crmlab.sandbox.services.onepagecrm.derived import Attachment, Entry
from crmlab.sandbox.world.model import Action, Company, CustomField, Deal, Person, Status, User

#: lists of custom fields by what they belong to
_FIELDS = {"contact": "custom_fields", "company": "company_fields", "deal": "deal_fields"}


class Index:
    """Looks into the lists themselves, so that what was changed there shows wherever it is named."""

    def __init__(self, lists: Mapping[str, Records]) -> None:
        # the lists may be filled later: nothing is looked up before it is asked for
        self._lists = lists

    def by_id(self, name: str) -> Mapping[str, Any]:
        """Return the records of a list by id."""
        records = self._lists[name]
        return records.once("one by id", lambda: {record.id: record for record in records.items})

    def count(self, name: str, field: str, value: Any) -> int:
        """Return how many records of a list have that value."""
        records = self._lists[name]
        field_of = attrgetter(field)
        counts = records.once(f"count by {field}", lambda: Counter(map(field_of, records.items)))
        return counts[value]

    @property
    def people(self) -> Mapping[str, Person]:
        """Contacts by id."""
        return self.by_id("contacts")

    @property
    def companies(self) -> Mapping[str, Company]:
        """Companies by id."""
        return self.by_id("companies")

    @property
    def users(self) -> Mapping[str, User]:
        """Users by id."""
        return self.by_id("users")

    @property
    def deals(self) -> Mapping[str, Deal]:
        """Deals by id."""
        return self.by_id("deals")

    @property
    def statuses(self) -> Mapping[str, Status]:
        """Statuses by the word that contacts have for them."""
        return self._by_key("statuses")

    @property
    def sources(self) -> Mapping[str, str]:
        """What lead sources are called, by id."""
        records = self._lists["lead_sources"]
        return records.once(
            "text by id",
            lambda: {lead_source.id: lead_source.text for lead_source in records.items},
        )

    def fields(self, entity: str) -> Mapping[str, CustomField]:
        """Return the definitions of the custom fields of contacts, companies or deals, by their keys."""
        return self._by_key(_FIELDS[entity])

    @property
    def variants(self) -> Mapping[str, str]:
        """What each end of a relationship is called, by the id of that."""
        types = self._lists["relationship_types"]
        return types.once("names of variants", lambda: dict(_variants(types.items)))

    @property
    def actions(self) -> Mapping[str, list[Action]]:
        """What is to be done for each contact."""
        records = self._lists["actions"]
        return records.once("to do", lambda: _groups(_not_done(records.items), "contact_id"))

    @property
    def deals_of(self) -> Mapping[str, list[Deal]]:
        """Deals by contact."""
        return self._grouped("deals", "contact_id")

    @property
    def deals_with(self) -> Mapping[str | None, list[Deal]]:
        """Deals by company."""
        return self._grouped("deals", "company_id")

    @property
    def attachments(self) -> Mapping[str, list[Attachment]]:
        """Files by the note, call, meeting or deal that they belong to."""
        return self._grouped("attachments", "reference_id")

    def _grouped(self, name: str, field: str) -> Mapping[Any, list[Any]]:
        records = self._lists[name]
        return records.once(f"those by {field}", lambda: _groups(records.items, field))

    def _by_key(self, name: str) -> Mapping[str, Any]:
        records = self._lists[name]
        return records.once("one by key", lambda: {record.key: record for record in records.items})


def _not_done(actions: Iterable[Action]) -> Iterator[Action]:
    return (action for action in actions if not action.done)


def _groups(items: Iterable[Any], field: str) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for item in items:
        groups[getattr(item, field)].append(item)
    return dict(groups)


def _variants(types: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    for relationship_type in types:
        for variant in relationship_type.record["relationship_variants"]:
            yield variant["id"], variant["name"]
