"""Altcraft Marketing as documented: everything is POST, errors come in the envelope with HTTP 200.

Not documented, and as crmlab assumes: the HTTP status of errors, `resources/list`, the pointer
of `profiles/list` and `subscribers/history_get_all`, and that ``date_to`` is the last day.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web

from crmlab.sandbox.service import BODY, Records, Service, answer, dumps
from crmlab.sandbox.services.altcraft import records
from crmlab.sandbox.world.model import World

_TOKEN = "sandbox-altcraft-token"  # noqa: S105  (opens nothing but the sandbox)
_WORDS = {
    400: "Incorrect request",
    401: "API token required",
    403: "No rights for this action",
    404: "Object not found",
    413: "Database not available in resource",
    415: "Content-Type not supported",
    450: "Validation error",
    500: "Internal error",
    501: "Method does not exist",
}
_Body = Mapping[str, Any]


def service(world: World) -> Service:
    """Return Altcraft with this world's mailings."""
    platform = _Platform(world)
    return Service(
        name="altcraft",
        prefix="/altcraft/api/v1.1",
        credentials={"token": _TOKEN, "custom_fields": "season,company"},
        allowed=_allowed,
        refusal=_refusal,
        size_in="limit",
        cursor_in="from_id",
        edges=(("date_from", "date_to"),),
        routes=[web.post("/{method:.*}", platform.handle)],
    )


def _allowed(request: web.Request, body: Any) -> bool:
    token = body.get("token") if isinstance(body, dict) else None
    return request.headers.get("Authorization") == f"Bearer {_TOKEN}" or token == _TOKEN


def _refusal(code: int, detail: str = "") -> web.Response:
    known = code in _WORDS
    text = detail or _WORDS.get(code, "Unavailable")
    return answer({"error": code, "error_text": text}, status=200 if known else code)


class _RefusedError(Exception):
    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class _Platform:
    def __init__(self, world: World) -> None:
        self.world = world
        self.databases = records.databases(world)
        self.resources = {resource.id for resource in world.mail_resources}
        self.tasks = 0
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
        self.methods: dict[str, Callable[[_Body], bytes]] = {
            **{f"{name}/list": self._objects(name) for name in self.lists},
            "databases/get": self.database,
            "segments/get": self.segment,
            "segments/get_counters": self.segment_counters,
            "segments/refresh_counters": self.start,
            "tasks/status": self.task,
            "profiles/list": self.profiles,
            "profiles/get": self.profile,
            "subscriptions/list_all": self.subscriptions,
            "subscriptions/list": self.subscriptions_of_one,
            "subscribers/history_get_all": self.history,
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
        except _RefusedError as refused:
            return _refusal(refused.code, refused.detail)
        return answer(b'{"error":0,"error_text":"Successful operation",' + parts + b"}")

    def _objects(self, name: str) -> Callable[[_Body], bytes]:
        def listing(body: _Body) -> bytes:
            first = _whole(body, "from_id", 1)
            limit = _limit(body)
            found = self.lists[name]
            if name == "campaigns":
                found = found.where(lambda item: item.kind == body.get("type", item.kind))
                found = found.where(lambda item: item.is_active == body.get("is_active", item.is_active))
            ahead = found.where(lambda item: item.id >= first).ordered(lambda item: item.id)
            last = max((item.id for item in ahead.items[:limit]), default=None)
            # segments point back at their last one, as the vendor's example does
            following = last if name == "segments" or last is None else last + 1
            tail = {"total_count": len(found)} | ({"next_from_id": following} if last is not None else {})
            return b'"data":' + ahead.slice(0, limit) + b"," + dumps(tail)[1:-1]

        return listing

    def database(self, body: _Body) -> bytes:
        found = next((d for d in self.world.mail_databases if d.id == _whole(body, "id")), None)
        if found is None:
            raise _RefusedError(404)
        return _data({"id": found.id, "name": found.name, "suppress_id": 0, "description": ""})

    def _segment(self, body: _Body) -> Any:
        found = next((s for s in self.world.segments if s.id == _whole(body, "id")), None)
        if found is None:
            raise _RefusedError(404)
        return found

    def segment(self, body: _Body) -> bytes:
        return _data(records.segment(self._segment(body), next(iter(self.databases), None)))

    def segment_counters(self, body: _Body) -> bytes:
        segment = self._segment(body)
        resource = _whole(body, "resource_id")
        if resource not in self.resources:
            raise _RefusedError(404)
        if "db_id" not in body and "list_id" not in body:
            raise _RefusedError(450, "db_id is required for dynamic segments")
        states: dict[str, dict[str, int]] = {}
        for profiles in self.databases.values():
            for line in profiles.numbers(segment.person_numbers, resource):
                counted = states.setdefault(line["channel"], dict.fromkeys(line["status"], 0))
                for word, number in line["status"].items():
                    counted[word] += number
        return _data([{"channel": channel, "status": status} for channel, status in states.items()])

    def start(self, body: _Body) -> bytes:
        self._segment(body)
        self.tasks += 1
        return _data({"task_id": self.tasks})

    def task(self, body: _Body) -> bytes:
        if not 0 < _whole(body, "task_id") <= self.tasks:
            raise _RefusedError(404)
        return _data({"status": "completed", "progress": 100, "result": []})

    def _profiles(self, body: _Body, name: str = "db_id") -> records.Profiles:
        number = _whole(body, name)
        if number not in self.databases:
            raise _RefusedError(404)
        return self.databases[number]

    def profiles(self, body: _Body) -> bytes:
        found = self._profiles(body)
        limit = _limit(body)
        pointer = str(body.get("from_id") or "")
        if pointer and pointer not in found.by_id:
            raise _RefusedError(450, "from_id")
        start = found.by_id[pointer] if pointer else 0
        following = start + limit
        more = records.profile_id(found.people[following].id) if following < len(found.people) else None
        return _page(found.records.slice(start, following), more)

    def profile(self, body: _Body) -> bytes:
        found = self._profiles(body)
        matching = body.get("matching", "email")
        if matching == "profile_id":
            index = found.by_id.get(str(body.get("profile_id")))
        elif matching == "email":
            wanted = str(body.get("email")).lower()
            emails = [str(found.profile(person).get("email")).lower() for person in found.people]
            index = emails.index(wanted) if wanted in emails else None
        else:
            raise _RefusedError(450, "matching")
        if index is None:
            raise _RefusedError(404)
        return b'"data":' + found.records.slice(index, index + 1)[1:-1]

    def subscriptions(self, body: _Body) -> bytes:
        resource = _whole(body, "resource_id")
        limit = _limit(body)
        if resource not in self.resources:
            raise _RefusedError(404)
        wanted = {name: body[name] for name in ("channel", "status") if body.get(name)}
        parts = [self._profiles(body)] if body.get("db_id") else list(self.databases.values())
        rows: list[bytes] = []
        for part in parts:
            chosen = part.subscriptions.where(
                lambda one: (
                    one.resource_id == resource and all(getattr(one, name) == value for name, value in wanted.items())
                )
            )
            rows += [chosen.slice(index, index + 1)[1:-1] for index in range(len(chosen))]
        start = _position(body)
        following = f"s.{start + limit:08x}" if start + limit < len(rows) else None
        return _page(b"[" + b",".join(rows[start : start + limit]) + b"]", following)

    def subscriptions_of_one(self, body: _Body) -> bytes:
        found = self._profiles(body)
        if body.get("profile_id") not in found.by_id:
            raise _RefusedError(404)
        person = found.people[found.by_id[body["profile_id"]]]
        chosen = found.subscriptions.where(lambda one: one.person_id == person.id)
        return b'"data":' + chosen.slice(0, len(chosen))

    def history(self, body: _Body) -> bytes:
        """Events of at most `limit` profiles: a page may hold more rows than that."""
        found = self._profiles(body, "list_id")
        limit = _limit(body)
        first = _day(body, "date_from")
        end = _day(body, "date_to") + timedelta(days=1)
        pointer = str(body.get("from_id") or "").partition(".")[0]
        start = bisect_left(found.history, pointer, key=lambda profile: profile[0])
        rows: list[bytes] = []
        profiles = 0
        for name, times, events in found.history[start:]:
            low = bisect_left(times, first)
            high = bisect_left(times, end)
            if low >= high:
                continue
            if profiles == limit:
                return _page(b"[" + b",".join(rows) + b"]", f"{name}.{times[low]:%Y%m%d}")
            profiles += 1
            rows.append(events.slice(low, high)[1:-1])
        return _page(b"[" + b",".join(rows) + b"]", None)


def _data(value: object) -> bytes:
    return b'"data":' + dumps(value)


def _page(rows: bytes, following: str | None) -> bytes:
    return b'"data":' + rows + (b',"next_from_id":' + dumps(following) if following else b"")


def _whole(body: _Body, name: str, default: int | None = None) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not str(value).isdigit():
        raise _RefusedError(450, name)
    return int(str(value))


def _limit(body: _Body) -> int:
    limit = _whole(body, "limit", 1000)
    if limit < 1:
        raise _RefusedError(450, "limit")
    return limit


def _position(body: _Body) -> int:
    pointer = str(body.get("from_id") or "s.0")
    try:
        return int(pointer.removeprefix("s."), 16)
    except ValueError:
        raise _RefusedError(450, "from_id") from None


def _day(body: _Body, name: str) -> datetime:
    try:
        day = date.fromisoformat(str(body.get(name)))
    except ValueError:
        raise _RefusedError(450, name) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
