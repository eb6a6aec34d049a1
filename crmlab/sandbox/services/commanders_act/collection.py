"""The objects at one path of the service, as JSON:API has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]


@dataclass(kw_only=True)
class Collection:
    """The objects at one path, which may be added to, changed and deleted.

    `includes` are what may stand with them, `filters` the attribute that each filter is about. With `is_paged`, a page
    holds ten of them. `unique` is the attribute of which two objects cannot have the same value. Where one object is
    asked for, what it is related to stands with it if it `shows_related`.
    """

    type: str
    objects: list[Object] = field(default_factory=list)
    includes: frozenset[str] = frozenset()
    filters: Mapping[str, str] = field(default_factory=dict)
    is_paged: bool = False
    unique: str = ""
    shows_related: bool = True
    ids: Callable[[int], Any] = int

    def add(self, attributes: Mapping[str, Any], **related: Any) -> Object:
        """Add an object with the next free id."""
        # above all others, so that an id of one that was deleted comes back only if it was the last
        ids = [int(entity["id"]) for entity in self.objects]
        highest = max(ids, default=0)
        entity: Object = {
            "id": self.ids(highest + 1),
            "type": self.type,
            "attributes": dict(attributes),
        }
        if related:
            entity["relationships"] = {}
            for relation, linked in related.items():
                entity["relationships"][relation] = {"data": linked}
        self.objects.append(entity)
        return entity

    def has(self, attributes: Mapping[str, Any]) -> bool:
        """Return whether there is one already that no other may be like."""
        taken_values = [entity["attributes"].get(self.unique) for entity in self.objects]
        return bool(self.unique) and attributes.get(self.unique) in taken_values

    def named(self, id: str) -> Object | None:
        """Return the object with that id."""
        # ids are numbers at some paths and texts at others, in a request always text
        for entity in self.objects:
            if str(entity["id"]) == id:
                return entity
        return None


def link(kind: str, id: Any) -> Object:
    """Return what names another object."""
    return {"type": kind, "id": id}


def links(kind: str, ids: Iterable[Any]) -> list[Object]:
    """Return what names several objects of a kind."""
    return [link(kind, linked_id) for linked_id in ids]


def without_related(entity: Object) -> Object:
    """Return an object without what it is related to."""
    other_members = dict(entity)
    other_members.pop("relationships", None)
    return other_members
