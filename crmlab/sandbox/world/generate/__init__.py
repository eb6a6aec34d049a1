"""Make a plausible `World` of any size from a seed.

The same seed, size and end give the same world on every machine. Each table draws from its own
stream of random numbers, so a change to one leaves the others as they were. All names are made
up; domains and phone numbers are from the ranges reserved for examples and fiction.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crmlab.errors import UsageError
from crmlab.sandbox.world.generate.draw import Calendar
from crmlab.sandbox.world.generate.edits import add_edits
from crmlab.sandbox.world.generate.engagement import add_appointments, add_consent, add_mailing
from crmlab.sandbox.world.generate.lookups import add_lookups
from crmlab.sandbox.world.generate.people import add_companies, add_people
from crmlab.sandbox.world.generate.sales import add_sales
from crmlab.sandbox.world.generate.website import add_website
from crmlab.sandbox.world.model import NOW, World

_MAX_ROWS = 10_000_000


def generate(
    rows: int = 1000,
    *,
    seed: int = 1,
    now: datetime = NOW,
) -> World:
    """A world of `rows` people that ends at `now`; everything else grows with them.

    Raises
    ------
    UsageError
        `rows` is negative or more than fits into memory, or `now` has no time zone.
    """
    if not 0 <= rows <= _MAX_ROWS:
        raise UsageError(f"a world cannot have {rows} people; ask for 0 to {_MAX_ROWS} rows")
    if now.tzinfo is None:
        raise UsageError("now needs a time zone, e.g. datetime(2026, 11, 1, tzinfo=UTC)")
    world = World(seed=seed, now=now.astimezone(UTC).replace(microsecond=0))
    today = world.now.date()
    calendar = Calendar(today - timedelta(days=3 * 365), today - timedelta(days=1), growth=0.8)
    add_lookups(world, calendar.start)
    if rows:
        add_companies(world, rows, calendar)
        add_people(world, rows, calendar)
        add_sales(world, rows, calendar)
        add_appointments(world, rows)
        add_consent(world, calendar)
        add_mailing(world, calendar)
    # its size is fixed: a website has visitors whom no service knows by name
    add_website(world)
    # last of all, since it changes what the others have made
    add_edits(world)
    return world
