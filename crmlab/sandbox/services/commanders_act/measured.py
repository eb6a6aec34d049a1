"""What is counted of a world's website: deliveries and their issues, consent, segments, events and their quality."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from crmlab.sandbox.service import dumps
from crmlab.sandbox.services.commanders_act import events, records, replies
from crmlab.sandbox.services.commanders_act.integrations import Integrations
from crmlab.sandbox.services.commanders_act.objects import event_names
from crmlab.sandbox.world.model import Integration, World

#: which share of what a source collects is of each type
_SHARES = (0.7, 0.15, 0.08, 0.05, 0.02)
_INCLUDES = frozenset(
    {"stats.normalized", "sources", "sources.connector", "destinations", "destinations.connector"}
)


class Measured:
    """Answers what is asked about figures."""

    def __init__(self, world: World, integrations: Integrations) -> None:
        self.world = world
        self._integrations = integrations

    def _delivered(self, request: web.Request) -> tuple[Integration, list[records.Hour]]:
        """The integration and its hours of the period; none at all is an error here."""
        one = self._integrations.named(request.match_info["id"])
        end = replies.time(request, "end", self.world.now)
        hours = records.hours_between(
            one, replies.time(request, "start", end - timedelta(days=30)), end
        )
        if not any(sum(hour[1:]) for hour in hours):
            raise replies.NoDataError
        return one, hours

    async def trends(self, request: web.Request) -> web.Response:
        one, hours = self._delivered(request)
        granularity = request.query.get("granularity", "86400000")
        if not granularity.isdigit() or int(granularity) < 1:
            raise replies.BadFilterError("granularity")
        return replies.data(records.trends(one, hours, int(granularity)))

    async def healths(self, request: web.Request) -> web.Response:
        one, hours = self._delivered(request)
        attributes = {"connector_type": one.connector_template, **records.health(hours)}
        return replies.data({"id": str(one.id), "type": "delivery/trend", "attributes": attributes})

    async def statistics(self, request: web.Request) -> web.Response:
        """One row for each banner, whatever the number of days."""
        first = replies.day(request, "filter[begin_date]")
        last = replies.day(request, "filter[end_date]")
        devices = replies.choices(
            request, "filter[sup_filters][device][]", records.DEVICES.values()
        )
        locations = replies.choices(
            request, "filter[sup_filters][location][]", records.LOCATIONS.values()
        )
        rows = (
            records.statistic(banner, first, last, devices, locations)
            for banner in self.world.banners
        )
        return replies.data([row for row in rows if row])

    async def segments(self, request: web.Request) -> web.Response:
        number = request.query.get("filter[segment_id]", "")
        if not number.isdigit():
            raise replies.BadFilterError("filter[segment_id]")
        first = replies.time(request, "filter[from]")
        end = replies.time(request, "filter[to]")
        found = [segment for segment in self.world.tag_segments if segment.id == int(number)]
        if not found:
            raise replies.NoDataError
        return replies.data(records.segment(found[0], first, end))

    # ---- issues ----------------------------------------------------------------------------------

    async def issues(self, request: web.Request) -> web.Response:
        one, hours = self._delivered(request)
        kind = request.query.get("filter[type]")
        if kind not in (None, *events.REASONS):
            raise replies.BadFilterError("filter[type]")
        found = list(events.issues(one, hours))
        attributes: dict[str, Any] = {"connector_type": one.connector_template}
        for each in events.REASONS:
            attributes[each] = [issue for of, issue in found if of == each and kind in (None, each)]
        return replies.data({"id": str(one.id), "type": "delivery/issue", "attributes": attributes})

    async def issue_details(self, request: web.Request) -> web.Response:
        """One delivery, with what was sent: a person, and the key of a partner."""
        for one in self._integrations:
            for kind, issue in events.issues(one, one.hourly):
                if issue["stream_hit_id"] == request.match_info["id"]:
                    return replies.data(events.details(self.world, one, kind, issue))
        raise replies.NoDataError

    # ---- events ----------------------------------------------------------------------------------

    async def quality(self, request: web.Request) -> web.Response:
        sources = self._integrations.of("source")
        chosen = request.query.get("source")
        if chosen:
            sources = [one for one in sources if str(one.id) == chosen]
        if not sources:
            raise replies.NoDataError
        return replies.data(events.data_quality(sources, list(_shares())))

    async def collected(self, request: web.Request) -> web.Response:
        kind = request.query.get("filter[rangeType]", "absolute")
        if kind not in ("absolute", "relative"):
            raise replies.BadFilterError("filter[rangeType]")
        named = replies.included(request, _INCLUDES)
        end = _edge(request, "filter[to]", kind, self.world.now, self.world.now)
        start = _edge(request, "filter[from]", kind, self.world.now, end - timedelta(days=30))
        search = request.query.get("filter[search]", "")
        shares = [(name, share) for name, share in _shares() if search in name]
        body = events.collected_events(self._integrations, shares, start, end)
        if "stats.normalized" not in named:
            del body["included"]
        return web.Response(body=dumps(body), content_type="application/json")


def _shares() -> Iterator[tuple[str, float]]:
    """Yield each type of event with its share of all."""
    return zip(event_names(), _SHARES, strict=True)


def _edge(request: web.Request, name: str, kind: str, now: datetime, default: datetime) -> datetime:
    """A time, or how many seconds before now."""
    if kind == "absolute":
        return replies.time(request, name, default)
    value = request.query.get(name)
    if value is None:
        return default
    if not value.isdecimal() or len(value) > len("9999999999"):
        raise replies.BadFilterError(name)
    return now - timedelta(seconds=int(value))
