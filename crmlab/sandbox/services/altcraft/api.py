"""Altcraft Marketing as documented: everything is POST, errors come in the envelope with HTTP 200.

Not documented, and as crmlab assumes: the HTTP status of errors, `resources/list`, the pointer
of `profiles/list` and `subscribers/history_get_all`, and that ``date_to`` is the last day.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from typing import Any

from aiohttp import web

from crmlab.sandbox.service import BODY, Records, Service, answer, dumps
from crmlab.sandbox.services.altcraft import records
from crmlab.sandbox.services.altcraft.asked import (
    Body,
    Method,
    RefusedError,
    data,
    day,
    given,
    known,
    limit,
    page,
    whole,
)
from crmlab.sandbox.services.altcraft.campaigns import Campaigns
from crmlab.sandbox.services.altcraft.changes import Changes
from crmlab.sandbox.services.altcraft.imports import Imports
from crmlab.sandbox.services.altcraft.matching import find
from crmlab.sandbox.services.altcraft.objects import Objects
from crmlab.sandbox.services.altcraft.tasks import Tasks
from crmlab.sandbox.world.model import Campaign, Segment, World

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
    if isinstance(body, dict) and body.get("token") == _TOKEN:
        return True
    return request.headers.get("Authorization") == f"Bearer {_TOKEN}"


def _refusal(code: int, detail: str = "") -> web.Response:
    text = detail or _WORDS.get(code, "Unavailable")
    # the documented errors come with HTTP 200; others are of what stands before the service
    status = 200 if code in _WORDS else code
    return answer({"error": code, "error_text": text}, status=status)


class _Platform:
    def __init__(self, world: World) -> None:
        self.world = world
        self.databases = records.databases(world)
        self.resources = {resource.id for resource in world.mail_resources}
        self.segments: dict[int, Segment] = {}
        for segment in world.segments:
            # a copy, since who is in one may be changed, and the world stays as it is
            members = [*segment.person_numbers]
            self.segments[segment.id] = replace(segment, person_numbers=members)
        self.objects = Objects(world, self.databases)
        self.tasks = Tasks(self.segments, self.databases)
        self.imports = Imports(self.databases)
        self.methods = self._methods()

    def _methods(self) -> dict[str, Method]:
        """Return what answers each method, by its path."""
        campaigns = Campaigns(self.world, self.databases)
        # the scenarios of the sandbox are its campaigns that something triggers
        scenario_ids = {scenario.id for scenario in campaigns.with_scenarios.items}
        return {
            "databases/list": self._objects(_things(self.world.mail_databases)),
            "resources/list": self._objects(_things(self.world.mail_resources)),
            # segments point back at their last one, as the vendor's example does
            "segments/list": self._objects(_things(self.world.segments), back=True),
            "campaigns/list": self._objects(Records(self.world.campaigns, records.campaign)),
            **self.objects.methods(),
            **self.tasks.methods(),
            **self.imports.methods(),
            **self.imports.started_with(scenario_ids, self.tasks.start),
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

    def _objects(self, listed: Records, *, back: bool = False) -> Method:
        """Return the method that lists numbered objects; `back`: a page points at its last one, not past it."""

        def listing(body: Body) -> bytes:
            first_id = whole(body, "from_id", 1)
            size = limit(body)
            chosen = listed
            if isinstance(next(iter(listed.items), None), Campaign):
                chosen = _asked_campaigns(listed, body)
            following = chosen.where(lambda item: item.id >= first_id)
            following = following.ordered(attrgetter("id"))
            counters = {"total_count": len(chosen)}
            on_page = following.items[:size]
            if on_page:
                last_id = on_page[-1].id
                counters["next_from_id"] = last_id if back else last_id + 1
            members = following.slice(0, size)
            return b'"data":' + members + b"," + dumps(counters)[1:-1]

        return listing

    def segment(self, body: Body) -> bytes:
        segment = known(self.segments, body, "id")
        first_database = next(iter(self.databases), None)
        return data(records.segment(segment, first_database))

    def segment_counters(self, body: Body) -> bytes:
        segment = known(self.segments, body, "id")
        resource = whole(body, "resource_id")
        if resource not in self.resources:
            raise RefusedError(404)
        if "db_id" not in body and "list_id" not in body:
            raise RefusedError(450, "db_id is required for dynamic segments")
        totals: dict[str, Counter[str]] = {}
        for profiles in self.databases.values():
            for counters in profiles.numbers(segment.person_numbers, resource):
                channel = counters["channel"]
                channel_totals = totals.setdefault(channel, Counter())
                # states are counted at zero too, which an update of a Counter keeps
                channel_totals.update(counters["status"])
        counted = []
        for channel, states in totals.items():
            counted.append({"channel": channel, "status": states})
        return data(counted)

    def refresh_segment(self, body: Body) -> bytes:
        segment = known(self.segments, body, "id")
        result = {
            # the channels of a segment are counted when they are asked for, not in the task
            "channels": [],
            "in_progress": False,
            "segment_id": segment.id,
            "updated": True,
        }
        return self.tasks.start([result])

    def refresh_database(self, body: Body) -> bytes:
        result = self.objects.refreshed(body, database="id", resource="resource_id")
        return self.tasks.start(result)

    def refresh_resource(self, body: Body) -> bytes:
        result = self.objects.refreshed(body, database="list_id", resource="id")
        return self.tasks.start(result)

    def accounts(self, body: Body) -> bytes:
        whole(body, "from_id", 1)
        limit(body)
        account = {"id": 1, "name": "Sandbox", "is_active": True}
        return data([account]) + b',"total_count":1'

    def profiles(self, body: Body) -> bytes:
        profiles = known(self.databases, body, "db_id")
        size = limit(body)
        pointer = str(body.get("from_id") or "")
        start = 0
        if pointer:
            if pointer not in profiles.by_id:
                raise RefusedError(450, "from_id")
            start = profiles.by_id[pointer]
        stop = start + size
        next_pointer = None
        if stop < len(profiles.people):
            next_person = profiles.people[stop]
            next_pointer = records.profile_id(next_person.id)
        return page(profiles.records.slice(start, stop), next_pointer)

    def profile(self, body: Body) -> bytes:
        profiles = known(self.databases, body, "db_id")
        position = find(profiles, body)
        return b'"data":' + profiles.records.slice(position, position + 1)[1:-1]

    def history_of_one(self, body: Body) -> bytes:
        """The events of one profile, from a day to a day where they are named."""
        profiles = known(self.databases, body, "list_id")
        wanted = body.get("xxh")
        if not wanted:
            position = find(profiles, body)
            wanted = records.xxh(profiles.people[position])
        first_day = day(body, "date_from", "2000-01-01")
        end = day(body, "date_to", "2999-12-31") + timedelta(days=1)
        for profile_hash, _, events in profiles.history:
            if profile_hash == wanted:
                chosen = events.where(lambda event: first_day <= event.at < end)
                return b'"data":' + chosen.slice(0, len(chosen))
        raise RefusedError(404)

    def subscriptions(self, body: Body) -> bytes:
        resource = whole(body, "resource_id")
        size = limit(body)
        if resource not in self.resources:
            raise RefusedError(404)
        databases = list(self.databases.values())
        if body.get("db_id"):
            databases = [known(self.databases, body, "db_id")]
        subscriptions: list[bytes] = []
        for profiles in databases:
            chosen = profiles.subscriptions.of("resource_id", resource)
            for field in ("channel", "status"):
                if body.get(field):
                    chosen = _where(chosen, field, body[field])
            for _, rendered in chosen.rendered(0, len(chosen)):
                subscriptions.append(rendered)
        start = _position(body)
        stop = start + size
        next_pointer = None
        if stop < len(subscriptions):
            next_pointer = f"s.{stop:08x}"
        return page(_array(subscriptions[start:stop]), next_pointer)

    def subscriptions_of_one(self, body: Body) -> bytes:
        profiles = known(self.databases, body, "db_id")
        profile_id = given(body, "profile_id")
        if profile_id not in profiles.by_id:
            raise RefusedError(404)
        position = profiles.by_id[profile_id]
        person = profiles.people[position]
        chosen = profiles.subscriptions.of("person_id", person.id)
        return b'"data":' + chosen.slice(0, len(chosen))

    def history(self, body: Body) -> bytes:
        """Events of at most `limit` profiles: a page may hold more rows than that."""
        profiles = known(self.databases, body, "list_id")
        size = limit(body)
        first_day = day(body, "date_from")
        end = day(body, "date_to") + timedelta(days=1)
        pointer = str(body.get("from_id") or "")
        first_hash, _, _ = pointer.partition(".")
        position = bisect_left(profiles.history, first_hash, key=attrgetter("xxh"))
        # the events of each profile on the page, several with commas between them
        histories: list[bytes] = []
        for profile_hash, times, events in profiles.history[position:]:
            start = bisect_left(times, first_day)
            stop = bisect_left(times, end)
            if start >= stop:
                continue
            if len(histories) == size:
                return page(_array(histories), f"{profile_hash}.{times[start]:%Y%m%d}")
            histories.append(events.slice(start, stop)[1:-1])
        return page(_array(histories), None)


def _things(items: Iterable[Any]) -> Records:
    return Records(items, lambda item: records.thing(item.id, item.name))


def _asked_campaigns(campaigns: Records, body: Body) -> Records:
    """Return the campaigns of the kind and the state that a request names, if it does."""
    for parameter, attribute in (("type", "kind"), ("is_active", "is_active")):
        if parameter in body:
            campaigns = _where(campaigns, attribute, body[parameter])
    return campaigns


def _where(listed: Records, attribute: str, value: Any) -> Records:
    # compared one by one: what a body holds may be a list, which no index could look up
    return listed.where(lambda item: getattr(item, attribute) == value)


def _array(members: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(members) + b"]"


def _position(body: Body) -> int:
    pointer = str(body.get("from_id") or "s.0")
    try:
        return int(pointer.removeprefix("s."), 16)
    except ValueError:
        raise RefusedError(450, "from_id") from None
