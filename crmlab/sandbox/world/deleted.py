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
    for name in ("companies", "actions", "notes", "calls", "meetings", "appointments"):
        added[name] = [*_doubles(world, getattr(world, name))]
    ids = frozenset(str(record.id) for records in added.values() for record in records)
    lists: dict[str, Any] = {
        name: [*getattr(world, name), *records] for name, records in added.items()
    }
    return replace(world, deleted=ids, **lists)


def without_deleted(world: World) -> World:
    """Return the world without what is about to be deleted."""
    if not world.deleted:
        return world
    kept: dict[str, Any] = {}
    for each in fields(world):
        records = getattr(world, each.name)
        if isinstance(records, list):
            kept[each.name] = [
                record for record in records if str(getattr(record, "id", "")) not in world.deleted
            ]
    return replace(world, deleted=frozenset(), **kept)


def _doubles(world: World, records: Iterable[_Record]) -> Iterator[_Record]:
    """Yield a copy with another id of each record that had one, as long as it was there."""
    for record in records:
        drawn = crc32(f"{world.seed}/deleted/{record.id}".encode())
        days = timedelta(days=1 + drawn // _ONE_IN % _DAYS)
        if drawn % _ONE_IN == 0 and world.now < record.created_at + days:
            yield replace(record, id=_other_id(record.id))  # type: ignore[type-var]


def _other_id(id: str | int) -> str | int:
    if isinstance(id, int):
        return id + _FAR
    return str(int(id) + _FAR) if id.isdecimal() and len(id) < 20 else f"{id[:8]}{_MARK}{id[10:]}"


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
