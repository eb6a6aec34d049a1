"""What users deleted since then: records of a past world that no later one has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from zlib import crc32

from crmlab.sandbox.world.model import Deal, Integration, Person, World

#: one record in so many had a double, which was deleted within so many days of its creation
_ONE_IN = 40
_DAYS = 400
#: what is added to numbers, so that nothing else has them
_FAR = 5_000_000
#: where hexadecimal ids have zeros
_MARK = "d0"
#: contacts of Complero are told by their events, which stay
_LISTED = frozenset({"onepagecrm", "relenta", "altcraft"})


class _Identified(Protocol):
    created_at: datetime

    @property
    def id(self) -> str | int: ...


_Record = TypeVar("_Record", bound=_Identified)


def with_deleted(world: World) -> World:
    """Return the world with records that were still there at its end; `World.deleted` names them."""
    added: dict[str, Any] = {
        "people": [_person(double) for double in _doubles(world, world.people)],
        "deals": [_deal(double) for double in _doubles(world, world.deals)],
        "integrations": [_source(double) for double in _doubles(world, world.integrations)],
    }
    for list_name in ("companies", "actions", "notes", "calls", "meetings", "appointments"):
        added[list_name] = [*_doubles(world, getattr(world, list_name))]
    deleted_ids: set[str] = set()
    lists: dict[str, Any] = {}
    for list_name, doubles in added.items():
        deleted_ids.update(str(double.id) for double in doubles)
        lists[list_name] = [*getattr(world, list_name), *doubles]
    return replace(world, deleted=frozenset(deleted_ids), **lists)


def without_deleted(world: World) -> World:
    """Return the world without what is about to be deleted."""
    if not world.deleted:
        return world
    remaining: dict[str, Any] = {}
    for world_field in fields(world):
        records = getattr(world, world_field.name)
        if isinstance(records, list):
            remaining[world_field.name] = [
                record for record in records if not _is_deleted(record, world)
            ]
    return replace(world, deleted=frozenset(), **remaining)


def _is_deleted(record: object, world: World) -> bool:
    # a subscription has no id of its own, and is never deleted by itself
    return str(getattr(record, "id", "")) in world.deleted


def _doubles(world: World, records: Iterable[_Record]) -> Iterator[_Record]:
    """Yield a copy with another id of each record that had one, as long as it was there."""
    for record in records:
        # drawn from the id, and not one after the other: the same records have one at any time
        drawn_number = crc32(f"{world.seed}/deleted/{record.id}".encode())
        lifetime = timedelta(days=1 + drawn_number // _ONE_IN % _DAYS)
        if drawn_number % _ONE_IN == 0 and world.now < record.created_at + lifetime:
            yield replace(record, id=_other_id(record.id))  # type: ignore[type-var]


def _other_id(id: str | int) -> str | int:
    if isinstance(id, int):
        return id + _FAR
    # a hexadecimal id may have no letter by chance, but is longer
    if id.isdecimal() and len(id) < 20:
        return str(int(id) + _FAR)
    return f"{id[:8]}{_MARK}{id[10:]}"


def _person(person: Person) -> Person:
    return replace(
        person,
        number=person.number + _FAR,
        emails=[f"former.{email}" for email in person.emails],
        phones=[],
        services=person.services & _LISTED,
    )


def _deal(deal: Deal) -> Deal:
    return replace(deal, name=f"{deal.name} (twice)", items=[])


def _source(integration: Integration) -> Integration:
    """Return an integration that nothing is delivered by."""
    return replace(integration, label=f"{integration.label} (old)", direction="source", hourly=[])
