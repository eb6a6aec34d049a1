"""OnePageCRM of the sandbox with many records in each of four lists, and a count of what it was asked.

Prints one line of JSON when it is ready: where it is and what is true there. Answers each line on its
standard input with a line of JSON: the requests since the line before.
"""

import asyncio
import copy
import json
import sys
import time
from typing import Any

import aiohttp

import crmlab
from crmlab.sandbox import server
from crmlab.sandbox.services.onepagecrm.api import WALL
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import World

LISTS = ("contacts", "deals", "actions", "notes")
_TEXT = (
    "Met at the spring fair, asked for a second offer and a visit to the plant before the summer. "
)


class Counting(server.Sandbox):
    """A sandbox that keeps the area under the curve of requests in flight, too."""

    def __init__(self, *of: Any) -> None:
        self._start()
        super().__init__(*of)

    @property
    def in_flight(self) -> int:
        return self._now

    @in_flight.setter
    def in_flight(self, number: int) -> None:
        at = time.perf_counter()
        self._first = self._first or at
        self._area += self._now * (at - self._last)
        self._last, self._now = at, number

    def counted(self) -> dict[str, float]:
        """Return what was asked since the last time, and start anew."""
        span = self._last - self._first
        found = {
            "requests": self.requests.total(),
            "refused": self.refused,
            "in_flight_mean": self._area / span if span else 0.0,
            "in_flight_max": self.max_in_flight,
        }
        self.requests.clear()
        self.refused = self.max_in_flight = 0
        self._start()
        return found

    def _start(self) -> None:
        self._now, self._first, self._last, self._area = 0, 0.0, 0.0, 0.0


def world(records: int) -> World:
    """Return a world with that many deals, actions and notes, filled in as busy accounts are.

    As many contacts, up to the wall past which page numbers do not reach.
    """
    contacts = min(records, WALL)
    made = generate(int(contacts * 1.4) + 50, seed=7)
    made.people = [person for person in made.people if "onepagecrm" in person.services][:contacts]
    known = [person.id for person in made.people]
    company = made.companies[0].id
    for person in made.people:
        person.company_id = person.company_id or company
        person.emails = [
            *person.emails,
            f"{person.id}@example.com",
            f"home.{person.id}@example.com",
        ]
        person.phones = [*person.phones, "+353 20 916 0001", "+353 20 916 0002"]
        person.tags = [*person.tags, "newsletter", "trade fair 2026", "reseller"]
        person.season, person.background = "Summer", _TEXT * 3
    for number, deal in enumerate(made.deals):
        deal.text, deal.size_label = _TEXT, "Large"
        deal.linked_contact_ids = [known[(number + step) % len(known)] for step in (1, 2)]
    made.deals = _exactly(records, made.deals, set(known), "d")
    made.actions = _exactly(records, made.actions, set(known), "a")
    for number, action in enumerate(
        made.actions[:contacts]
    ):  # two open actions for every second contact
        action.contact_id, action.done, action.done_at = known[number // 2], False, None
    for action in made.actions[contacts:]:
        action.done, action.done_at = True, action.modified_at.date()
    made.notes = _exactly(records, made.notes, set(known), "e")
    made.calls, made.meetings = [], []
    return made


def _exactly(count: int, items: list, known: set[str], first: str) -> list:
    """Return that many items of known contacts, repeating them under new ids, which no other list has."""
    kept = [item for item in items if item.contact_id in known]
    more = []
    for number in range(max(0, count - len(kept))):
        twin = copy.copy(kept[number % len(kept)])
        twin.id = f"{first}{number:023x}"
        more.append(twin)
    return [*kept, *more][:count]


async def _rendered(url: str, authorization: str, rows: dict[str, int]) -> int:
    """Ask for every page once, so that later only its bytes are sent; return how many bytes they are."""

    async def size(session: aiohttp.ClientSession, name: str, page: int) -> int:
        asked = {"page": str(page), "per_page": "100", "team": "true", "sort_by": "created_at"}
        async with session.get(f"{url}/{name}", params=asked) as answer:
            return len(await answer.read())

    async with aiohttp.ClientSession(headers={"Authorization": authorization}) as session:
        pages = [
            size(session, name, 1 + page) for name in LISTS for page in range(-(-rows[name] // 100))
        ]
        return sum(await asyncio.gather(*pages))


async def main(records: int, latency: float, rate_limits: bool) -> None:
    made = world(records)
    rows = {"contacts": len(made.people), **{name: len(getattr(made, name)) for name in LISTS[1:]}}
    server.Sandbox = Counting  # what `crmlab.sandbox` starts
    async with crmlab.sandbox(
        made, services=["onepagecrm"], latency=latency, rate_limits=rate_limits
    ) as accounts:
        user, key = accounts.keys["onepagecrm"].values()
        url = accounts[0].base_url
        size = (
            0 if rate_limits else await _rendered(url, aiohttp.encode_basic_auth(user, key), rows)
        )
        accounts.counted()
        truth = {"rows": rows, "amount": sum(deal.amount for deal in made.deals)}
        print(
            json.dumps({"url": url, "user": user, "key": key, "megabytes": size / 1e6, **truth}),
            flush=True,
        )
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(accounts.counted()), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:] == ["limited"]))
