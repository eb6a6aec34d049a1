"""Commanders Act Platform API v2 as its OpenAPI document has it: JSON:API under one site id.

Not documented, and as crmlab assumes: the answer of ``/users``, and the 400 of a request that
lacks a filter.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web

from crmlab.connector import Limits
from crmlab.sandbox.service import Handler, Records, Service, dumps
from crmlab.sandbox.services.commanders_act import records
from crmlab.sandbox.world.model import Change, Integration, World

_TOKEN = "sandbox-commanders-act-token"  # noqa: S105  (opens nothing but the sandbox)
_PREFIX = "/commanders_act/v2/7"
_JSON_API = "application/vnd.api+json"
#: these two also take the token in the query
_TOKEN_IN_QUERY = frozenset({"/privacy/statistics", "/dms/segments-statistics"})
_ERRORS: dict[int, dict[str, Any]] = {
    400: {"code": "BAD_REQUEST", "detail": "The request is not valid"},
    401: {"code": "UNKNOWN_TOKEN", "detail": "The provided token is unknown"},
    403: {"code": "SITE_ACCESS_FORBIDDEN", "detail": "You cannot access this site"},
    404: {"code": "NOT_FOUND", "detail": "There is no such path"},
    429: {"code": "REQUEST_LIMIT_REACHED", "detail": "Your account is limited to 30 requests per second"},
    500: {"code": "SERVER_ERROR", "detail": "An internal error occurred"},
}


def service(world: World) -> Service:
    """Return Commanders Act with this world's website."""
    site = _Site(world)
    segments = ",".join(str(segment.id) for segment in world.tag_segments)
    return Service(
        name="commanders_act",
        prefix=_PREFIX,
        credentials={"site_id": "7", "token": _TOKEN, "segment_ids": segments},
        allowed=_allowed,
        refusal=_refusal,
        no_such_path=lambda: _refusal(404),
        limits=Limits(rate=30, burst=30),
        page_in="page[number]",
        size_in="page[size]",
        edges=(("filter[created][since]", "filter[created][until]"),),
        routes=[
            web.get("/sources", _guarded(site.integrations("source"))),
            web.get("/destinations", _guarded(site.integrations("destination"))),
            web.get("/sources/{id}", _guarded(site.integration)),
            web.get("/destinations/{id}", _guarded(site.integration)),
            web.get("/source-catalog", _guarded(site.catalog("source"))),
            web.get("/destination-catalog", _guarded(site.catalog("destination"))),
            web.get("/integrations/{id}/delivery/trends", _guarded(site.trends)),
            web.get("/integrations/{id}/delivery/healths", _guarded(site.healths)),
            web.get("/privacy/statistics", _guarded(site.statistics)),
            web.get("/dms/segments-statistics", _guarded(site.segments)),
            web.get("/users", _guarded(site.users)),
            web.get("/activity-logs", _guarded(site.logs)),
        ],
    )


def _allowed(request: web.Request, body: Any) -> bool:
    where = request.path.removeprefix(_PREFIX)
    if where in _TOKEN_IN_QUERY and request.query.get("token") == _TOKEN:
        return True
    return request.headers.get("Authorization") == f"Bearer {_TOKEN}"


def _errors(status: int, *errors: dict[str, Any]) -> web.Response:
    # the document has failures of the service as plain JSON
    kind = "application/json" if status >= 500 else _JSON_API
    return web.Response(body=dumps({"errors": list(errors)}), status=status, content_type=kind)


def _refusal(status: int) -> web.Response:
    return _errors(status, _ERRORS.get(status, _ERRORS[500]))


def _data(value: Any) -> web.Response:
    body = value if isinstance(value, bytes) else dumps(value)
    return web.Response(body=b'{"data":' + body + b"}", content_type=_JSON_API)


class _BadFilterError(Exception):
    """A filter is absent or not of its kind."""


class _NoDataError(Exception):
    """The service has nothing to say."""


def _guarded(handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            response: web.StreamResponse = await handler(request)
        except _BadFilterError as error:
            return _errors(400, {"code": "INVALID_FILTER", "detail": str(error)})
        except _NoDataError:
            return _errors(404, {"status": 404, "detail": "No data found"})
        return response

    return handle


class _Site:
    def __init__(self, world: World) -> None:
        self.world = world
        self.log = records.Log(world.changes, world.users)
        self.lines = Records(self.log.changes, lambda numbered: self.log.line(*numbered))

    def integrations(self, direction: str) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            included = _included(request)
            return _data(
                [records.integration(one, included) for one in self.world.integrations if one.direction == direction]
            )

        return handle

    def catalog(self, direction: str) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            return _data(records.catalog(self.world.integrations, direction))

        return handle

    async def integration(self, request: web.Request) -> web.Response:
        return _data(records.integration(self._named(request), _included(request)))

    def _named(self, request: web.Request) -> Integration:
        for one in self.world.integrations:
            if str(one.id) == request.match_info["id"]:
                return one
        raise _NoDataError

    def _delivered(self, request: web.Request) -> tuple[Integration, list[records.Hour]]:
        """The integration and its hours of the period; none at all is an error here."""
        one = self._named(request)
        end = _time(request, "end", self.world.now)
        hours = records.hours_between(one, _time(request, "start", end - timedelta(days=30)), end)
        if not any(sum(hour[1:]) for hour in hours):
            raise _NoDataError
        return one, hours

    async def trends(self, request: web.Request) -> web.Response:
        one, hours = self._delivered(request)
        granularity = request.query.get("granularity", "86400000")
        if not granularity.isdigit() or int(granularity) < 1:
            raise _BadFilterError("granularity")
        return _data(records.trends(one, hours, int(granularity)))

    async def healths(self, request: web.Request) -> web.Response:
        one, hours = self._delivered(request)
        attributes = {"connector_type": one.connector_template, **records.health(hours)}
        return _data({"id": str(one.id), "type": "delivery/trend", "attributes": attributes})

    async def statistics(self, request: web.Request) -> web.Response:
        """One row for each banner, whatever the number of days."""
        first = _day(request, "filter[begin_date]")
        last = _day(request, "filter[end_date]")
        devices = _choices(request, "filter[sup_filters][device][]", records.DEVICES.values())
        locations = _choices(request, "filter[sup_filters][location][]", records.LOCATIONS.values())
        rows = (records.statistic(banner, first, last, devices, locations) for banner in self.world.banners)
        return _data([row for row in rows if row])

    async def segments(self, request: web.Request) -> web.Response:
        number = request.query.get("filter[segment_id]", "")
        if not number.isdigit():
            raise _BadFilterError("filter[segment_id]")
        first = _time(request, "filter[from]")
        end = _time(request, "filter[to]")
        found = [segment for segment in self.world.tag_segments if segment.id == int(number)]
        if not found:
            raise _NoDataError
        return _data(records.segment(found[0], first, end))

    async def users(self, request: web.Request) -> web.Response:
        return _data(records.users(self.world))

    async def logs(self, request: web.Request) -> web.Response:
        found = self.lines
        action = request.query.get("filter[action]")
        if action:
            found = found.where(lambda numbered: self.log.action(numbered[1]) == action)
        causer = request.query.get("filter[causer_id]")
        if causer:
            found = found.where(lambda numbered: str(self.log.causer(numbered[1])) == causer)
        first, last = _created_between(request)
        found = found.where(lambda numbered: first <= _created(numbered[1]) <= last)
        return _data(found.slice(0, len(found)))


def _created_between(request: web.Request) -> tuple[date, date]:
    """The days that ``filter[created]`` names, both included."""
    if "filter[created]" in request.query:
        day = _day(request, "filter[created]")
        return day, day
    first = date.min
    if "filter[created][since]" in request.query:
        first = _day(request, "filter[created][since]")
    last = date.max
    if "filter[created][until]" in request.query:
        last = _day(request, "filter[created][until]")
    return first, last


def _created(change: Change) -> date:
    return change.created_at.astimezone(UTC).date()


def _included(request: web.Request) -> set[str]:
    """What ``include`` names, as a comma list."""
    named = {part for part in request.query.get("include", "").split(",") if part}
    strange = named - {"connector", "environment", "health"}
    if strange:
        raise _BadFilterError(f"include: {', '.join(sorted(strange))}")
    return named


def _day(request: web.Request, name: str) -> date:
    try:
        return date.fromisoformat(request.query.get(name, ""))
    except ValueError:
        raise _BadFilterError(name) from None


def _time(request: web.Request, name: str, default: datetime | None = None) -> datetime:
    """A time with its zone, as the document asks for."""
    value = request.query.get(name)
    if value is None and default is not None:
        return default
    try:
        found = datetime.fromisoformat(value or "")
    except ValueError:
        raise _BadFilterError(name) from None
    if found.tzinfo is None:
        raise _BadFilterError(f"{name} needs a time zone")
    return found


def _choices(request: web.Request, name: str, allowed: Iterable[int]) -> set[int]:
    known = {str(choice): choice for choice in allowed}
    values = request.query.getall(name, [])
    if any(value not in known for value in values):
        raise _BadFilterError(name)
    return {known[value] for value in values}
