"""Altcraft Marketing as documented: everything is POST, errors come in the envelope with HTTP 200.

Not documented, and as crmlab assumes: the HTTP status of errors, `resources/list`, the pointer
of `profiles/list` and `subscribers/history_get_all`, and that ``date_to`` is the last day.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from aiohttp import web

from crmlab.sandbox.service import BODY, Records, Service, answer, dumps
from crmlab.sandbox.services.altcraft import records
from crmlab.sandbox.services.altcraft.asked import Body, RefusedError, data, day, limit, page, whole
from crmlab.sandbox.services.altcraft.campaigns import Campaigns
from crmlab.sandbox.services.altcraft.changes import Changes
from crmlab.sandbox.services.altcraft.imports import Imports
from crmlab.sandbox.services.altcraft.matching import find
from crmlab.sandbox.services.altcraft.objects import Objects
from crmlab.sandbox.services.altcraft.tasks import Tasks
from crmlab.sandbox.world.model import Campaign, World

_TOKEN = "sandbox-altcraft-token"  # noqa: S105  (opens nothing but the sandbox)
_WORDS = {
    400: "Incorrect request",
    401: "API token required",
    403: "No rights for this action",
    404: "Object not found",
    409: "Not unique",
    413: "Database not available in resource",
    415: "Content-Type not supported",
    435: "Several objects match",
    441: "Object of another group",
    450: "Validation error",
    500: "Internal error",
    501: "Method does not exist",
}


def service(world: World) -> Service:
    """Return Altcraft with this world's mailings."""
    platform = _Platform(world)
    return Service(
        name="altcraft",
        prefix="/altcraft/api",
        base_path="/v1.1",
        credentials={"token": _TOKEN},
        allowed=_allowed,
        refusal=_refusal,
        size_in="limit",
        cursor_in="from_id",
        edges=(("date_from", "date_to"),),
        routes=[
            web.post("/v1.1/{method:.*}", platform.handle),
            web.get("/download/data/{folder}/{file}", platform.tasks.file),
        ],
    )


def _allowed(request: web.Request, body: Any) -> bool:
    token = body.get("token") if isinstance(body, dict) else None
    return request.headers.get("Authorization") == f"Bearer {_TOKEN}" or token == _TOKEN


def _refusal(code: int, detail: str = "") -> web.Response:
    known = code in _WORDS
    text = detail or _WORDS.get(code, "Unavailable")
    return answer({"error": code, "error_text": text}, status=200 if known else code)


class _Platform:
    def __init__(self, world: World) -> None:
        self.world = world
        self.databases = records.databases(world)
        self.resources = {resource.id for resource in world.mail_resources}
        group = {"Id": 1, "Name": "Default"}
        self.lists = {
            name: Records(items, lambda item: records.thing(item.id, item.name, group=group))
            for name, items in (
                ("databases", world.mail_databases),
                ("resources", world.mail_resources),
                ("segments", world.segments),
            )
        }
        self.lists["campaigns"] = Records(world.campaigns, records.campaign)
        # copies, since who is in one may be changed, and the world stays as it is
        self.segments = {
            each.id: replace(each, person_numbers=[*each.person_numbers]) for each in world.segments
        }
        self.objects = Objects(world, self.databases)
        self.tasks = Tasks(self.segments, self.databases)
        campaigns = Campaigns(world, self.databases)
        self.imports = Imports(self.databases)
        self.methods: dict[str, Callable[[Body], bytes]] = {
            # segments point back at their last one, as the vendor's example does
            **{
                f"{name}/list": self._objects(found, back=name == "segments")
                for name, found in self.lists.items()
            },
            **self.objects.methods(),
            **self.tasks.methods(),
            **self.imports.methods(),
            # the scenarios of the sandbox are its campaigns that something triggers
            **self.imports.started_with(
                {each.id for each in campaigns.with_scenarios.items}, self.tasks.start
            ),
            **Changes(self.databases, self.segments).methods(),
            **campaigns.methods(self._objects),
            "segments/get": self.segment,
            "segments/get_counters": self.segment_counters,
            "segments/refresh_counters": self.refresh_segment,
            "databases/refresh_counters": self.refresh_database,
            "resources/refresh_counters": self.refresh_resource,
            "profiles/list": self.profiles,
            "profiles/get": self.profile,
            "subscriptions/list_all": self.subscriptions,
            "subscriptions/list": self.subscriptions_of_one,
            "subscribers/history_get_all": self.history,
            "subscribers/history_get": self.history_of_one,
            "admin/accounts/list": self.accounts,
        }

    async def handle(self, request: web.Request) -> web.Response:
        method = self.methods.get(request.match_info["method"].strip("/"))
        if method is None:
            return _refusal(501)
        if request.content_type != "application/json":
            return _refusal(415)
        body = request[BODY]
        if not isinstance(body, dict):
            return _refusal(400)
        try:
            parts = method(body)
        except RefusedError as refused:
            return _refusal(refused.code, refused.detail)
        return answer(b'{"error":0,"error_text":"Successful operation",' + parts + b"}")

    def _objects(self, found: Records, *, back: bool = False) -> Callable[[Body], bytes]:
        """Return the method that lists numbered objects; `back`: a page points at its last one, not past it."""

        def listing(body: Body) -> bytes:
            first = whole(body, "from_id", 1)
            size = limit(body)
            chosen = found
            if isinstance(next(iter(found.items), None), Campaign):
                chosen = chosen.where(lambda item: item.kind == body.get("type", item.kind))
                chosen = chosen.where(
                    lambda item: item.is_active == body.get("is_active", item.is_active)
                )
            ahead = chosen.where(lambda item: item.id >= first).ordered(lambda item: item.id)
            last = max((item.id for item in ahead.items[:size]), default=None)
            following = last if back or last is None else last + 1
            tail = {"total_count": len(chosen)} | (
                {"next_from_id": following} if last is not None else {}
            )
            return b'"data":' + ahead.slice(0, size) + b"," + dumps(tail)[1:-1]

        return listing

    def _segment(self, body: Body) -> Any:
        found = self.segments.get(whole(body, "id"))
        if found is None:
            raise RefusedError(404)
        return found

    def segment(self, body: Body) -> bytes:
        return data(records.segment(self._segment(body), next(iter(self.databases), None)))

    def segment_counters(self, body: Body) -> bytes:
        segment = self._segment(body)
        resource = whole(body, "resource_id")
        if resource not in self.resources:
            raise RefusedError(404)
        if "db_id" not in body and "list_id" not in body:
            raise RefusedError(450, "db_id is required for dynamic segments")
        states: dict[str, dict[str, int]] = {}
        for profiles in self.databases.values():
            for line in profiles.numbers(segment.person_numbers, resource):
                counted = states.setdefault(line["channel"], dict.fromkeys(line["status"], 0))
                for word, number in line["status"].items():
                    counted[word] += number
        return data([{"channel": channel, "status": status} for channel, status in states.items()])

    def refresh_segment(self, body: Body) -> bytes:
        segment = self._segment(body)
        return self.tasks.start(
            [{"channels": [], "in_progress": False, "segment_id": segment.id, "updated": True}]
        )

    def refresh_database(self, body: Body) -> bytes:
        return self.tasks.start(self.objects.refreshed(body, database="id", resource="resource_id"))

    def refresh_resource(self, body: Body) -> bytes:
        return self.tasks.start(self.objects.refreshed(body, database="list_id", resource="id"))

    def accounts(self, body: Body) -> bytes:
        whole(body, "from_id", 1)
        limit(body)
        return data([{"id": 1, "name": "Sandbox", "is_active": True}]) + b',"total_count":1'

    def _profiles(self, body: Body, name: str = "db_id") -> records.Profiles:
        number = whole(body, name)
        if number not in self.databases:
            raise RefusedError(404)
        return self.databases[number]

    def profiles(self, body: Body) -> bytes:
        found = self._profiles(body)
        size = limit(body)
        pointer = str(body.get("from_id") or "")
        if pointer and pointer not in found.by_id:
            raise RefusedError(450, "from_id")
        start = found.by_id[pointer] if pointer else 0
        following = start + size
        more = (
            records.profile_id(found.people[following].id)
            if following < len(found.people)
            else None
        )
        return page(found.records.slice(start, following), more)

    def profile(self, body: Body) -> bytes:
        found = self._profiles(body)
        index = find(found, body)
        return b'"data":' + found.records.slice(index, index + 1)[1:-1]

    def history_of_one(self, body: Body) -> bytes:
        """The events of one profile, from a day to a day where they are named."""
        found = self._profiles(body, "list_id")
        hash_ = body.get("xxh") or records.xxh(found.people[find(found, body)])
        first = day(body, "date_from", "2000-01-01")
        end = day(body, "date_to", "2999-12-31") + timedelta(days=1)
        for name, _, events in found.history:
            if name == hash_:
                chosen = events.where(lambda event: first <= event.at < end)
                return b'"data":' + chosen.slice(0, len(chosen))
        raise RefusedError(404)

    def subscriptions(self, body: Body) -> bytes:
        resource = whole(body, "resource_id")
        size = limit(body)
        if resource not in self.resources:
            raise RefusedError(404)
        wanted = {name: body[name] for name in ("channel", "status") if body.get(name)}
        parts = [self._profiles(body)] if body.get("db_id") else list(self.databases.values())
        rows: list[bytes] = []
        for part in parts:
            chosen = part.subscriptions.where(
                lambda one: (
                    one.resource_id == resource
                    and all(getattr(one, name) == value for name, value in wanted.items())
                )
            )
            rows += [chosen.slice(index, index + 1)[1:-1] for index in range(len(chosen))]
        start = _position(body)
        following = f"s.{start + size:08x}" if start + size < len(rows) else None
        return page(b"[" + b",".join(rows[start : start + size]) + b"]", following)

    def subscriptions_of_one(self, body: Body) -> bytes:
        found = self._profiles(body)
        if not body.get("profile_id"):
            raise RefusedError(450, "profile_id")
        if body["profile_id"] not in found.by_id:
            raise RefusedError(404)
        person = found.people[found.by_id[body["profile_id"]]]
        chosen = found.subscriptions.where(lambda one: one.person_id == person.id)
        return b'"data":' + chosen.slice(0, len(chosen))

    def history(self, body: Body) -> bytes:
        """Events of at most `limit` profiles: a page may hold more rows than that."""
        found = self._profiles(body, "list_id")
        size = limit(body)
        first = day(body, "date_from")
        end = day(body, "date_to") + timedelta(days=1)
        pointer = str(body.get("from_id") or "").partition(".")[0]
        start = bisect_left(found.history, pointer, key=lambda profile: profile[0])
        rows: list[bytes] = []
        profiles = 0
        for name, times, events in found.history[start:]:
            low = bisect_left(times, first)
            high = bisect_left(times, end)
            if low >= high:
                continue
            if profiles == size:
                return page(b"[" + b",".join(rows) + b"]", f"{name}.{times[low]:%Y%m%d}")
            profiles += 1
            rows.append(events.slice(low, high)[1:-1])
        return page(b"[" + b",".join(rows) + b"]", None)


def _position(body: Body) -> int:
    pointer = str(body.get("from_id") or "s.0")
    try:
        return int(pointer.removeprefix("s."), 16)
    except ValueError:
        raise RefusedError(450, "from_id") from None
