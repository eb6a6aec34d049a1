"""The last day's work on what was there before: about one record in a hundred was changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import TypeVar

from crmlab.sandbox.world.generate.draw import Stream, between, share_of
from crmlab.sandbox.world.model import Company, Deal, Note, Person, World

#: of contacts, companies, open deals and notes
_EDITED = 0.01

_Record = TypeVar("_Record")


def add_edits(world: World) -> None:
    """Change some records within a day before the world ends; of deals the amount, which tells what it was before."""
    rng = Stream(f"{world.seed}/edits")
    for person in _some(world.people, rng):
        _edit(person, rng, world)
    for company in _some(world.companies, rng):
        _edit(company, rng, world)
    for note in _some(world.notes, rng):
        _edit(note, rng, world)
    open_deals = [deal for deal in world.deals if deal.status == "pending"]
    for deal in _some(open_deals, rng):
        _edit(deal, rng, world)
        amount_before = round(deal.amount * rng.choice((0.8, 0.9, 1.25)), 2)
        deal.earlier_amounts.append((deal.modified_at, amount_before))


def _some(records: Sequence[_Record], rng: Random) -> list[_Record]:
    """Return one in a hundred, at least one of those that there are."""
    if not records:
        return []
    return rng.sample(records, share_of(len(records), _EDITED))


def _edit(
    record: Person | Company | Note | Deal,
    rng: Random,
    world: World,
) -> None:
    day_before = world.now - timedelta(days=1)
    # what was made on the last day cannot have been edited before
    earliest = max(day_before, record.created_at)
    edited_at = between(rng, earliest, world.now)
    record.modified_at = max(record.modified_at, edited_at)
