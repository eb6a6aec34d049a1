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

    def __init__(self, found: Mapping[str, Records]) -> None:
        self._found = found

    def by_id(self, name: str) -> Mapping[str, Any]:
        """Return the records of a list by id."""
        found = self._found[name]
        return found.once("one by id", lambda: {item.id: item for item in found.items})

    def count(self, name: str, field: str, value: Any) -> int:
        """Return how many records of a list have that value."""
        found = self._found[name]
        counts = found.once(
            f"count by {field}", lambda: Counter(map(attrgetter(field), found.items))
        )
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
        found = self._found["statuses"]
        return found.once("one by key", lambda: {status.key: status for status in found.items})

    @property
    def sources(self) -> Mapping[str, str]:
        """What lead sources are called, by id."""
        found = self._found["lead_sources"]
        return found.once("text by id", lambda: {source.id: source.text for source in found.items})

    def fields(self, entity: str) -> Mapping[str, CustomField]:
        """Return the definitions of the custom fields of contacts, companies or deals, by their keys."""
        found = self._found[_FIELDS[entity]]
        return found.once("one by key", lambda: {field.key: field for field in found.items})

    @property
    def variants(self) -> Mapping[str, str]:
        """What each end of a relationship is called, by the id of that."""
        types = self._found["relationship_types"]
        return types.once("names of variants", lambda: dict(_variants(types.items)))

    @property
    def actions(self) -> Mapping[str, list[Action]]:
        """What is to be done for each contact."""
        found = self._found["actions"]
        return found.once(
            "to do", lambda: _groups((each for each in found.items if not each.done), "contact_id")
        )

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
        found = self._found[name]
        return found.once(f"those by {field}", lambda: _groups(found.items, field))


def _groups(items: Iterable[Any], field: str) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for item in items:
        groups[getattr(item, field)].append(item)
    return dict(groups)


def _variants(types: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    for kind in types:
        for variant in kind.record["relationship_variants"]:
            yield variant["id"], variant["name"]
