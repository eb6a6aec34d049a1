"""Commanders Act Platform API v2 as its OpenAPI document has it: JSON:API under one site id.

Not documented, and as crmlab assumes: the answer of ``/users``, and the 400 of a request that
lacks a filter.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date
from typing import Any

from aiohttp import web

from crmlab.connector import Limits
from crmlab.sandbox.service import Handler, Records, Service
from crmlab.sandbox.services.commanders_act import records, replies
from crmlab.sandbox.services.commanders_act.integrations import Integrations
from crmlab.sandbox.services.commanders_act.lists import Lists
from crmlab.sandbox.services.commanders_act.measured import Measured
from crmlab.sandbox.services.commanders_act.writes import Writes
from crmlab.sandbox.world.model import Change, World

_TOKEN = "sandbox-commanders-act-token"  # noqa: S105  (opens nothing but the sandbox)
_PREFIX = "/commanders_act/v2/7"
#: what may stand with a source or destination
_PARTS = frozenset({"connector", "environment", "health"})
#: these two also take the token in the query
_TOKEN_IN_QUERY = frozenset({"/privacy/statistics", "/dms/segments-statistics"})


def service(world: World) -> Service:
    """Return Commanders Act with this world's website."""
    segments = ",".join(str(segment.id) for segment in world.tag_segments)
    return Service(
        name="commanders_act",
        prefix=_PREFIX,
        credentials={"site_id": "7", "token": _TOKEN, "segment_ids": segments},
        allowed=_allowed,
        refusal=replies.refusal,
        no_such_path=lambda: replies.refusal(404),
        limits=Limits(rate=30, burst=30),
        page_in="page[number]",
        size_in="page[size]",
        edges=(("filter[created][since]", "filter[created][until]"),),
        routes=list(_routes(world)),
    )


def _routes(world: World) -> Iterator[web.RouteDef]:
    """Yield what answers each path."""
    integrations = Integrations(world)
    lists = Lists(world)
    writes = Writes(world, lists.collections, integrations)
    log = _Log(world)
    measured = Measured(world, integrations)
    handlers: dict[str, Handler] = {
        "/sources": _all(integrations, "source"),
        "/destinations": _all(integrations, "destination"),
        "/sources/{id}": _one(integrations, "source"),
        "/destinations/{id}": _one(integrations, "destination"),
        "/activity-logs": log.lines_asked,
        "/integrations/{id}/delivery/trends": measured.trends,
        "/integrations/{id}/delivery/healths": measured.healths,
        "/integrations/{id}/delivery/issues": measured.issues,
        "/integrations/delivery/issues/{id}/details": measured.issue_details,
        "/privacy/statistics": measured.statistics,
        "/dms/segments-statistics": measured.segments,
        "/monitoring/sources-data-quality": measured.quality,
        "/monitoring/collection/events": measured.collected,
        "/privacy/cookie-scanner/{version}/deploy": writes.deploy,
    }
    handlers |= lists.reads
    for path, handler in handlers.items():
        yield web.get(path, replies.guarded(handler))
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        yield web.route(method, r"/{path:[\s\S]*}", replies.guarded(writes.handle))


def _allowed(request: web.Request, body: Any) -> bool:
    asked_path = request.path.removeprefix(_PREFIX)
    if asked_path in _TOKEN_IN_QUERY and request.query.get("token") == _TOKEN:
        return True
    return request.headers.get("Authorization") == f"Bearer {_TOKEN}"


def _all(integrations: Integrations, direction: str) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        included = replies.included(request, _PARTS)
        chosen = integrations.of(direction)
        entities = [integrations.shown(integration, included) for integration in chosen]
        return replies.data(entities)

    return handle


def _one(integrations: Integrations, direction: str) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        integration = integrations.named(request.match_info["id"], direction)
        included = replies.included(request, _PARTS)
        return replies.data(integrations.shown(integration, included))

    return handle


class _Log:
    def __init__(self, world: World) -> None:
        self.log = records.Log(world.changes, world.users)
        self.lines = Records(self.log.changes, lambda numbered: self.log.line(*numbered))

    async def lines_asked(self, request: web.Request) -> web.Response:
        lines = self.lines
        action = request.query.get("filter[action]")
        if action:
            lines = lines.where(lambda numbered: self.log.action(numbered[1]) == action)
        causer_id = request.query.get("filter[causer_id]")
        if causer_id:
            lines = lines.where(lambda numbered: str(self.log.causer(numbered[1])) == causer_id)
        first_day, last_day = _created_between(request)
        lines = lines.where(lambda numbered: first_day <= _created(numbered[1]) <= last_day)
        return replies.data(lines.slice(0, len(lines)))


def _created_between(request: web.Request) -> tuple[date, date]:
    """The days that ``filter[created]`` names, both included."""
    if "filter[created]" in request.query:
        one_day = replies.day(request, "filter[created]")
        return one_day, one_day
    first_day = date.min
    if "filter[created][since]" in request.query:
        first_day = replies.day(request, "filter[created][since]")
    last_day = date.max
    if "filter[created][until]" in request.query:
        last_day = replies.day(request, "filter[created][until]")
    return first_day, last_day


def _created(change: Change) -> date:
    return change.created_at.astimezone(UTC).date()
