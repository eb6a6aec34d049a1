"""OnePageCRM of the sandbox with 10,000 records in each of four lists, about 55 MB, ready rendered."""

import asyncio
import copy
import sys

import aiohttp

import crmlab
from crmlab.sandbox.generate import generate
from crmlab.sandbox.world import World

LISTS = ("contacts", "deals", "actions", "notes")
_TEXT = "Met at the spring fair, asked for a second offer and a visit to the plant before the summer. "


def world(records: int) -> World:
    """Return a world with that many contacts, deals, actions and notes, filled in as busy accounts are."""
    made = generate(int(records * 1.4) + 50, seed=7)
    made.people = [person for person in made.people if "onepagecrm" in person.services][:records]
    known = [person.id for person in made.people]
    company = made.companies[0].id
    for person in made.people:
        person.company_id = person.company_id or company
        person.emails = [*person.emails, f"{person.id}@example.com", f"home.{person.id}@example.com"]
        person.phones = [*person.phones, "+353 20 916 0001", "+353 20 916 0002"]
        person.tags = [*person.tags, "newsletter", "trade fair 2026", "reseller"]
        person.season, person.background = "Summer", _TEXT * 3
    for number, deal in enumerate(made.deals):
        deal.text, deal.size_label = _TEXT, "Large"
        deal.linked_contact_ids = [known[(number + step) % len(known)] for step in (1, 2)]
    made.deals = _exactly(records, made.deals, set(known))
    made.actions = _exactly(records, made.actions, set(known))
    for number, action in enumerate(made.actions):  # two open actions for every second contact
        action.contact_id, action.done, action.done_at = known[number // 2], False, None
    made.notes = _exactly(records, made.notes, set(known))
    made.calls, made.meetings = [], []
    return made


def _exactly(count: int, items: list, known: set[str]) -> list:
    """Return that many items of known contacts, repeating them under new ids."""
    kept = [item for item in items if item.contact_id in known]
    more = []
    for number in range(max(0, count - len(kept))):
        twin = copy.copy(kept[number % len(kept)])
        twin.id = f"{number:024x}"
        more.append(twin)
    return [*kept, *more][:count]


async def main(records: int, latency: float) -> None:
    async with crmlab.sandbox(world(records), services=["onepagecrm"], latency=latency) as accounts:
        account = accounts[0]
        size = 0
        headers = {"Authorization": aiohttp.encode_basic_auth(*accounts.keys["onepagecrm"].values())}
        async with aiohttp.ClientSession(headers=headers) as session:
            for name in LISTS:  # every record rendered once, so that only its bytes are sent later
                for page in range(1, -(-records // 100) + 1):
                    asked = {"page": str(page), "per_page": "100", "team": "true", "sort_by": "created_at"}
                    async with session.get(f"{account.base_url}/{name}", params=asked) as answer:
                        size += len(await answer.read())
        print(account.base_url, *accounts.keys["onepagecrm"].values(), size, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
