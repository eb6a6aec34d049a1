"""A lake that is refreshed, swept, compacted, vacuumed and erased from, step after step, until somebody kills it.

Run as ``python -m tests.lake.endless PLACE``; storage options come from the environment. What a lake must hold after a
step follows from its number, so that whoever kills this can say what must be there.
"""

from __future__ import annotations

import sys

import polars as pl

import crmlab
from crmlab.errors import UsageError
from crmlab.lake import state as states
from crmlab.lake import table as tables
from crmlab.lake.place import Place
from tests.lake.world import START, came, day, ids, refreshed, rows

NEW = 3
LIFE = 4
SWEEP, COMPACT, ERASE, VACUUM = 2, 3, 4, 6


def created(id: int) -> int:
    """Return at which step a deal is made."""
    return id // NEW + 1


def is_deleted(id: int, step: int) -> bool:
    """Return whether the service has deleted it: every other one, some steps later."""
    return id % 2 == 0 and step >= created(id) + LIFE


def name(id: int, step: int) -> str:
    """Return what it is called after a step: every third step it gets another name, as long as it is there."""
    there = [each for each in range(created(id), step + 1) if not is_deleted(id, each)]
    last = max(each for each in there if each == created(id) or (id + each) % 3 == 0)
    return f"{id} at {last}"


def deals_of(step: int, changed_since: int) -> dict[str, str]:
    """Return what the service lists as changed."""
    there = [id for id in range(step * NEW) if not is_deleted(id, step)]
    return {
        str(id): name(id, step)
        for id in there
        if created(id) > changed_since or name(id, step) != name(id, changed_since)
    }


def person(step: int) -> str:
    """Return whom a step adds."""
    return f"person{step}@example.com"


def expected(step: int, swept: int) -> dict[str, str]:
    """Return the deals that a lake holds after a step, with deletions as of an earlier one."""
    there = [id for id in range(step * NEW) if not is_deleted(id, swept)]
    return {str(id): name(id, step) for id in there}


def done(place: str) -> tuple[int, int]:
    """Return which step was refreshed last, and which was swept."""
    try:
        status = crmlab.Lake(place).status().filter(pl.col("table") == "deals")
    except UsageError:
        return 0, 0
    if status.is_empty():
        return 0, 0
    swept = status["swept_at"].item()
    return (status["known_at"].item() - START).days, (swept - START).days if swept else 0


def step(place: str, number: int) -> None:
    """Do all of one step; what is done already is done again."""
    lake = crmlab.Lake(place)
    refresh(place, number)
    if number % SWEEP == 0:
        there = {str(id) for id in range(number * NEW) if not is_deleted(id, number)}
        refreshed(place, None, day(number + 0.5), ids("deals", there))
    if number % COMPACT == 0:
        lake.compact()
    if number % ERASE == 0:
        lake.erase(person(number - 1), alone=True)
    if number % VACUUM == 0:
        lake.vacuum("52w")


def refresh(place: str, number: int) -> None:
    refreshed_to, _ = done(place)
    if refreshed_to >= number:
        return
    people = rows(
        "contacts", {f"p{number}": {"emails": [person(number)], "full_name": f"Person {number}"}}
    )
    changed = rows(
        "deals", {id: {"name": each} for id, each in deals_of(number, refreshed_to).items()}
    )
    refreshed(place, came({"contacts": people, "deals": changed}, day(number)), day(number))


def main() -> None:
    place = sys.argv[1]
    tables.buckets_for = lambda rows: 2  # type: ignore[assignment]
    if not states.exists(Place(place, None)):
        states.create(Place(place, None), START)
    print("ready", flush=True)
    number = max(1, done(place)[0])
    while True:
        step(place, number)
        print(number, flush=True)
        number += 1


if __name__ == "__main__":
    main()
