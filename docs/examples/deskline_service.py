"""Deskline as the sandbox serves it: a key in a header, lists in pages that tell how many there are.

An example, as deskline.py beside it. Customers are the people of the world; each of their notes is a ticket.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crmlab.connector import Limits
from crmlab.sandbox.service import Handler, Records, Service, answer, iso
from crmlab.sandbox.world.model import Note, Person, World

_KEY = "sandbox-deskline-key"
_MAX_PAGE_SIZE = 100


def service(world: World) -> Service:
    """Return Deskline with the people of that world."""
    lists = {
        "customers": Records(world.people, _customer),
        "tickets": Records(world.notes, _ticket),
    }
    return Service(
        name="deskline",
        prefix="/deskline/v1",
        credentials={"api_key": _KEY},
        allowed=lambda request, body: request.headers.get("X-Desk-Key") == _KEY,
        refusal=lambda status: answer({"error": f"refused: {status}"}, status=status),
        routes=[
            *(web.get(f"/{name}", _paged(name, records)) for name, records in lists.items()),
            web.get("/tickets/{id}", _one(lists["tickets"])),
        ],
        limits=Limits(rate=10, burst=10),
        lists=lists,
        page_in="page",
        size_in="per_page",
        edges=(("updated_since", ""),),
    )


def _paged(name: str, records: Records) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        since = request.query.get("updated_since", "")[:19]
        found = records.where(lambda item: str(iso(item.modified_at))[:19] >= since)
        size = min(int(request.query.get("per_page", _MAX_PAGE_SIZE)), _MAX_PAGE_SIZE)
        start = size * (int(request.query.get("page", 1)) - 1)
        pages = max(1, -(-len(found) // size))
        body = b'{"%s":%s,"pages":%d,"total":%d}' % (
            name.encode(),
            found.slice(start, start + size),
            pages,
            len(found),
        )
        return answer(body)

    return handle


def _one(tickets: Records) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        found = tickets.of("id", request.match_info["id"]).items
        if not found:
            return answer({"error": "no such ticket"}, status=404)
        return answer(_ticket(found[0]))

    return handle


def _customer(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": f"{person.first_name} {person.last_name}",
        "organisation": "",
        "phone": person.phones[0] if person.phones else None,
        "emails": person.emails,
        "created_at": iso(person.created_at),
        "updated_at": iso(person.modified_at),
    }


def _ticket(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "customer_id": note.contact_id,
        "subject": "A question",
        "text": note.text,
        "state": "open",
        "agent": {"id": note.author, "name": note.author},
        "opened_at": iso(note.created_at),
        "closed_at": None,
        "updated_at": iso(note.modified_at),
    }
