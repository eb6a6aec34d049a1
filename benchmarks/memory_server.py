"""Millions of Complero events and OnePageCRM contacts, rendered by template when they are asked for.

python -m benchmarks.memory_server EVENTS CONTACTS
"""

import asyncio
import datetime as dt
import json
import sys
import time
from collections.abc import Sequence

from aiohttp import web

_PAGE = 1000
_BEGIN = int(dt.datetime(2024, 7, 1, tzinfo=dt.UTC).timestamp())
_TWO_YEARS = 730 * 86_400
#: events of each contact
_EACH = 10
#: of ten events that follow each other, those of that type
_PLACES = {"confirm": (0, 1, 2, 4, 5, 7), "update": (3, 6, 8), "documentation": (9,)}
_KINDS = [next(kind for kind, places in _PLACES.items() if place in places) for place in range(10)]
_EVENT = (
    '{"id":"%024x","type":"%s","created_at":"%s","source":"web form","contact":{"id":"%020x",'
    '"company":"Example Trading Ltd","employee_id":"e%d","first_name":"Maria","last_name":"Number%d","language":"en",'
    '"position":"Buyer","section_private":{"email":"","consents":{}},"section_work":{"email":"m.%d@example.com",'
    '"phone":"+353 20 %07d","street":"7 Quay Street","city":"Galway","zip_code":"H91 X2F7","country":"IE",'
    '"consents":{"%s":%s}},"tags":["newsletter"],"title":"","website":""}}'
)
_WORDS = (
    "Met at the spring fair, asked for a second offer and a visit to the plant before the summer. "
)


def _iso(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Events:
    """Complero's feed, oldest first: cursors, types and periods as the sandbox has them."""

    def __init__(self, count: int) -> None:
        self._count = count

    async def page(self, request: web.Request) -> web.Response:
        asked = request.query
        limit = min(int(asked.get("limit", _PAGE)), _PAGE)
        kinds = asked.getall("type", ["confirm", "update"])
        begin = max(int(asked.get("cursor", 0)), self._number(asked.get("from"), 0))
        end = min(self._count, self._number(asked.get("to"), self._count - 1, after=True))
        found = self._of(kinds, begin, end, limit + 1)
        headers = {"Next-Cursor": str(found[limit])} if len(found) > limit else {}
        body = f"[{','.join(map(self._event, found[:limit]))}]".encode()
        return web.Response(body=body, content_type="application/json", headers=headers)

    @staticmethod
    def _of(kinds: Sequence[str], begin: int, end: int, limit: int) -> list[int]:
        places = {place for kind in kinds for place in _PLACES[kind]}
        found = (number for number in range(begin, end) if number % 10 in places)
        return [number for number, _ in zip(found, range(limit), strict=False)]

    def _time(self, number: int) -> int:
        return _BEGIN + number * _TWO_YEARS // self._count

    def _number(self, moment: str | None, default: int, *, after: bool = False) -> int:
        """Return the first event at that moment, or the first `after` it."""
        if moment is None:
            return default + after
        seconds = int(dt.datetime.fromisoformat(moment).timestamp()) - _BEGIN + after
        return max(0, -(-seconds * self._count // _TWO_YEARS))

    def _event(self, number: int) -> str:
        contact = number * 7_919 % max(1, self._count // _EACH)
        channel = ("email", "sms", "letter")[number % 3]
        consent = "true" if number % 7 else "false"
        place = contact, contact % 500, contact, contact, contact, channel, consent
        return _EVENT % (number, _KINDS[number % 10], _iso(self._time(number)), *place)


class Contacts:
    """OnePageCRM's contacts of 3.5 kB by time of creation, one a minute, with the wall's filters of time."""

    def __init__(self, count: int) -> None:
        self._count = count

    async def page(self, request: web.Request) -> web.Response:
        asked = request.query
        number, size = int(asked.get("page", 1)), int(asked.get("per_page", 10))
        begin = max(0, -(-(int(asked.get("since", 0)) - _BEGIN) // 60))
        end = (
            min(self._count, (int(asked["until"]) - _BEGIN) // 60 + 1)
            if "until" in asked
            else self._count
        )
        total = max(0, end - begin)
        if number * size > 10_000:
            return web.Response(status=400)
        start = begin + (number - 1) * size
        counts = f'"total_count":{total},"page":{number},"per_page":{size},"max_page":{max(1, -(-total // size))}'
        items = ",".join(self._contact(each) for each in range(start, min(end, start + size)))
        return web.Response(
            text=f'{{"status":0,"message":"OK","timestamp":{int(time.time())},"data":{{{counts},"contacts":[{items}]}}}}',
            content_type="application/json",
        )

    @staticmethod
    def _contact(number: int) -> str:
        created, id = _iso(_BEGIN + number * 60), f"{number:024x}"
        person = {
            "id": id,
            "title": "Ms",
            "first_name": "Maria",
            "last_name": f"Number{number}",
            "job_title": "Buyer",
            "starred": False,
            "company_id": f"{number // 3:024x}",
            "company_name": "Example Trading Ltd",
            "emails": [
                {"type": kind, "value": f"{kind}.{number}@example.com"}
                for kind in ("work", "home", "other")
            ],
            "phones": [
                {"type": kind, "value": f"+353 20 {number:07}"}
                for kind in ("work", "mobile", "other")
            ],
            "urls": [{"type": "website", "value": "https://www.example.com"}],
            "background": f"{number} {_WORDS * 22}",
            "tags": ["newsletter", "trade fair 2026", "reseller"],
            "status": "lead",
            "status_id": "5aba31e99007ba0f570c1200",
            "lead_source": "Advertisement",
            "lead_source_id": "advertisement",
            "owner_id": f"{number % 50:024x}",
            "address_list": [
                {
                    "address": "7 Quay Street",
                    "city": "Galway",
                    "zip_code": "H91",
                    "country_code": "IE",
                }
            ],
            "custom_fields": [
                {
                    "custom_field": {"id": "5aba31e9", "name": "Region", "type": "text"},
                    "value": "West",
                }
            ],
            "created_at": created,
            "modified_at": created,
        }
        return json.dumps({"contact": person, "next_actions": [], "queued_actions": []})


async def main(events: int, contacts: int) -> None:
    app = web.Application()
    app.add_routes(
        [web.get("/events", Events(events).page), web.get("/contacts", Contacts(contacts).page)]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
