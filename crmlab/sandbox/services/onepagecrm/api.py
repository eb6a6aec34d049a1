"""OnePageCRM as documented: Basic auth, pages of at most 100, items wrapped once, the wall.

Not documented, and as crmlab assumes: the cascade takes ``team`` and embeds nothing; what
``fields`` names and is not known is ignored; the deals embedded with a contact are those of which
it is the main contact; ``lead_sources`` and ``statuses`` of the bootstrap answer are the lists
that their own paths give.
"""

from __future__ import annotations

import operator
import time
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Any

from aiohttp import web

from crmlab.connector import Limits
from crmlab.sandbox.service import Handler, Records, Service, answer, dumps, extended
from crmlab.sandbox.services.onepagecrm import lists
from crmlab.sandbox.world.model import World

#: contacts that page numbers reach; what the live service answers beyond is not documented
WALL = 10_000
_USER_ID = "5aba31e99007ba0f570c12f7"
_KEY = "sandbox-onepagecrm-key"
_ERRORS = {
    400: "invalid_request",
    401: "authentication_failed",
    403: "forbidden",
    404: "resource_not_found",
}


def service(world: World) -> Service:
    """Return OnePageCRM with this world's sales data."""
    crm = _Crm(world)
    return Service(
        name="onepagecrm",
        prefix="/onepagecrm/api/v3",
        credentials={"user_id": _USER_ID, "api_key": _KEY},
        allowed=_allowed,
        refusal=_refusal,
        limits=Limits(rate=5, burst=10),
        lists=crm.lists,
        routes=[
            web.get("/bootstrap", crm.bootstrap),
            web.get("/contacts/cascade", crm.cascade),
            web.get("/contacts/cascade/{last}", crm.cascade),
            *(web.get(f"/{name}", crm.whole(name)) for name in lists.WHOLE),
            *(web.get(f"/{name}", crm.paged(name)) for name in crm.lists if name not in lists.WHOLE),
            *(web.get(f"/{name}/{{id}}", crm.one(name)) for name in lists.SINGLE),
        ],
    )


def _allowed(request: web.Request, body: Any) -> bool:
    kind, _, pair = request.headers.get("Authorization", "").partition(" ")
    try:
        return kind == "Basic" and b64decode(pair, validate=True).decode() == f"{_USER_ID}:{_KEY}"
    except (NotBase64, UnicodeDecodeError):
        return False


def _refusal(status: int, detail: str = "", **errors: str) -> web.Response:
    if status == 429:  # the throttle's own answer: 403 like a missing right, but plain text
        return web.Response(text="Rate limit exceeded", status=403)
    name = _ERRORS.get(status, "internal_error")
    detail = detail or name.replace("_", " ").capitalize()
    return answer(
        {"status": status, "message": detail, "error_name": name, "error_message": detail, "errors": errors},
        status=status,
    )


def _envelope(**parts: bytes) -> web.Response:
    return answer(extended(dumps({"status": 0, "message": "OK", "timestamp": int(time.time())}), parts))


class _BadValue(Exception):
    """A parameter that the service refuses."""


class _Crm:
    def __init__(self, world: World) -> None:
        self.world = world
        self.lists = lists.lists(world)

    async def bootstrap(self, request: web.Request) -> web.Response:
        return _envelope(**lists.bootstrap(self.world, self.lists))

    def whole(self, name: str) -> Handler:
        """A list that is never paged."""

        async def handle(request: web.Request) -> web.Response:
            return _envelope(data=self.lists[name].slice())

        return handle

    def paged(self, name: str) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                page = _whole_number(request, "page", 1)
                per_page = _whole_number(request, "per_page", 10)
                found = self._filtered(name, request)
            except _BadValue as error:
                return _refusal(400, str(error))
            per_page = min(per_page, 100)
            if name == "contacts" and page * per_page > WALL:
                return _refusal(400, f"Contacts past {WALL} need /contacts/cascade")
            start = (page - 1) * per_page
            stop = page * per_page
            counts = {
                "total_count": len(found),
                "page": page,
                "per_page": per_page,
                "max_page": max(1, -(-len(found) // per_page)),
            }
            if name in lists.UNCOUNTED:
                counts = {}
            embedded = _embedded(request) if name == "contacts" else []
            if embedded:
                batch = self._with(embedded, found.rendered(start, stop))
            elif name == "deals" and request.query.get("include_history") == "true":
                batch = _with_history(found.rendered(start, stop))
            else:
                batch = found.slice(start, stop)
            return _envelope(data=extended(dumps(counts), {name: batch}))

        return handle

    def _with(self, embedded: list[str], contacts: Iterable[tuple[Any, bytes]]) -> bytes:
        """Contacts as a JSON array, each with its records of these lists, which are not wrapped."""
        whole = (
            extended(
                contact, {name: self.lists[name].of("contact_id", person.id).slice(bare=True) for name in embedded}
            )
            for person, contact in contacts
        )
        return b"[" + b",".join(whole) + b"]"

    def one(self, name: str) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            found = self.lists[name].of("id", request.match_info["id"])
            return _envelope(data=found.slice(0, 1)[1:-1]) if len(found) else _refusal(404)

        return handle

    async def cascade(self, request: web.Request) -> web.Response:
        contacts = self._filtered("contacts", request)
        ids = [person.id for person in contacts.items]
        last = request.match_info.get("last")
        if last is not None and last not in ids:
            return _refusal(404)
        start = 0 if last is None else ids.index(last) + 1
        left = max(0, len(ids) - start - 100)
        batch = contacts.slice(start, start + 100)
        next_id = ids[start + 99] if left else ""
        host = f"{request.scheme}://{request.host}/onepagecrm/api/v3/contacts/cascade/{next_id}"
        tail = {"items_left": left, "next_set_url": host if left else ""}
        return _envelope(data=extended(dumps(tail), {"contacts": batch}))

    def _filtered(self, name: str, request: web.Request) -> Records:
        """The list as the query asks for it, kept until the list changes."""
        asked = sorted(item for item in request.query.items() if item[0] not in ("page", "per_page", "fields"))
        return self.lists[name].once(str(asked), lambda: self._filter(name, request.query))

    def _filter(self, name: str, query: Any) -> Records:
        found = self.lists[name]
        if name == "contacts" and query.get("team") != "true":
            me = self.world.users[0].id if self.world.users else ""
            found = found.of("owner_id", me)
        for wanted in ("contact_id", "owner_id", "status"):
            if wanted in query and found.items and hasattr(found.items[0], wanted):
                found = found.of(wanted, query[wanted])
        for param, field, keep in _bounds(query):
            edge = _moment(param, query[param])
            found = found.where(partial(_is_within, field=field, keep=keep, edge=edge))
        return _sorted(found, query)


def _with_history(deals: Iterable[tuple[Any, bytes]]) -> bytes:
    """Deals as a JSON array, each with the last stage that it had in each pipeline."""
    whole = []
    for deal, record in deals:
        stages = {deal.pipeline_id: deal.stage_history[-1][1]} if deal.stage_history else {}
        wrapped = extended(record, {"previous_pipeline_stages": dumps(stages)})
        whole.append(b'{"deal":%s}' % wrapped)
    return b"[" + b",".join(whole) + b"]"


def _is_within(item: Any, *, field: str, keep: Callable[[datetime, datetime], bool], edge: datetime) -> bool:
    return keep(getattr(item, field), edge)


def _bounds(query: Any) -> list[tuple[str, str, Callable[[datetime, datetime], bool]]]:
    """Which query parameters bound which time, and how."""
    after: Callable[[datetime, datetime], bool] = operator.ge
    before: Callable[[datetime, datetime], bool] = operator.le
    filtered = query.get("date_filter")
    modified = [("modified_since", after), ("unmodified_since", before)]
    if filtered and any(name in query for name, _ in modified):
        raise _BadValue("date_filter cannot be used with modified_since or unmodified_since")
    found = [(name, "modified_at", keep) for name, keep in modified if name in query]
    if filtered:
        if filtered not in ("created_at", "modified_at", "updated_at"):
            raise _BadValue(f"date_filter {filtered} is not supported")
        field = "created_at" if filtered == "created_at" else "modified_at"
        found += [(name, field, keep) for name, keep in (("since", after), ("until", before)) if name in query]
    return found


def _moment(name: str, value: str) -> datetime:
    try:
        if value.lstrip("-").isdigit():
            return datetime.fromtimestamp(int(value), UTC)
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        raise _BadValue(f"{name} must be YYYY-MM-DD or a Unix timestamp") from None


def _sorted(found: Records, query: Any) -> Records:
    by = query.get("sort_by")
    order = query.get("order", "asc")
    if by in ("created_at", "modified_at", "updated_at") and found.items and hasattr(found.items[0], "created_at"):
        field = "created_at" if by == "created_at" else "modified_at"
        return found.ordered(attrgetter(field), reverse=order == "desc")
    return found


def _embedded(request: web.Request) -> list[str]:
    """The lists that come with each contact."""
    asked = request.query.get("fields", "").split(",")
    return [name for name in lists.EMBEDDED if f"{name}(all)" in asked]


def _whole_number(request: web.Request, name: str, default: int) -> int:
    value = request.query.get(name, str(default))
    if not value.isdigit() or int(value) < 1:
        raise _BadValue(f"{name} must be a positive whole number")
    return int(value)
