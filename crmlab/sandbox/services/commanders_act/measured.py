"""What is counted of a world's website: deliveries and their issues, consent, segments, events and their quality."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
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


_OF_DEVICES = "filter[sup_filters][device][]"
_OF_LOCATIONS = "filter[sup_filters][location][]"


class Measured:
    """Answers what is asked about figures."""

    def __init__(self, world: World, integrations: Integrations) -> None:
        self.world = world
        self._integrations = integrations

    def _delivered(self, request: web.Request) -> tuple[Integration, list[records.Hour]]:
        """The integration and its hours of the period; none at all is an error here."""
        integration = self._integrations.named(request.match_info["id"])
        end = replies.time(request, "end", self.world.now)
        start = replies.time(request, "start", end - timedelta(days=30))
        hours = records.hours_between(integration, start, end)
        has_deliveries = any(any(counts) for _began_at, *counts in hours)
        if not has_deliveries:
            raise replies.NoDataError
        return integration, hours

    async def trends(self, request: web.Request) -> web.Response:
        integration, hours = self._delivered(request)
        granularity = request.query.get("granularity", "86400000")
        if not granularity.isdigit() or int(granularity) < 1:
            raise replies.BadFilterError("granularity")
        return replies.data(records.trends(integration, hours, int(granularity)))

    async def healths(self, request: web.Request) -> web.Response:
        integration, hours = self._delivered(request)
        # of the same type as trends: so the document has it
        return _figures(integration, "delivery/trend", records.health(hours))

    async def statistics(self, request: web.Request) -> web.Response:
        """One row for each banner, whatever the number of days."""
        first_day = replies.day(request, "filter[begin_date]")
        last_day = replies.day(request, "filter[end_date]")
        devices = replies.choices(request, _OF_DEVICES, records.DEVICES.values())
        locations = replies.choices(request, _OF_LOCATIONS, records.LOCATIONS.values())
        rows = []
        for banner in self.world.banners:
            row = records.statistic(banner, first_day, last_day, devices, locations)
            if row:
                rows.append(row)
        return replies.data(rows)

    async def segments(self, request: web.Request) -> web.Response:
        segment_id = request.query.get("filter[segment_id]", "")
        if not segment_id.isdigit():
            raise replies.BadFilterError("filter[segment_id]")
        start = replies.time(request, "filter[from]")
        end = replies.time(request, "filter[to]")
        for segment in self.world.tag_segments:
            if segment.id == int(segment_id):
                return replies.data(records.segment(segment, start, end))
        raise replies.NoDataError

    # ---- issues ----------------------------------------------------------------------------------

    async def issues(self, request: web.Request) -> web.Response:
        integration, hours = self._delivered(request)
        asked_kind = request.query.get("filter[type]")
        if asked_kind not in (None, *events.REASONS):
            raise replies.BadFilterError("filter[type]")
        # a kind that is not asked for is there all the same, and empty
        by_kind: dict[str, list[Any]] = {kind: [] for kind in events.REASONS}
        for kind, issue in events.issues(integration, hours):
            if asked_kind in (None, kind):
                by_kind[kind].append(issue)
        return _figures(integration, "delivery/issue", by_kind)

    async def issue_details(self, request: web.Request) -> web.Response:
        """One delivery, with what was sent: a person, and the key of a partner."""
        for integration in self._integrations:
            for kind, issue in events.issues(integration, integration.hourly):
                if issue["stream_hit_id"] == request.match_info["id"]:
                    details = events.details(self.world, integration, kind, issue)
                    return replies.data(details)
        raise replies.NoDataError

    # ---- events ----------------------------------------------------------------------------------

    async def quality(self, request: web.Request) -> web.Response:
        sources = self._integrations.of("source")
        source_id = request.query.get("source")
        if source_id:
            sources = [source for source in sources if str(source.id) == source_id]
        if not sources:
            raise replies.NoDataError
        quality = events.data_quality(sources, list(_shares()))
        return replies.data(quality)

    async def collected(self, request: web.Request) -> web.Response:
        range_type = request.query.get("filter[rangeType]", "absolute")
        if range_type not in ("absolute", "relative"):
            raise replies.BadFilterError("filter[rangeType]")
        included = replies.included(request, _INCLUDES)
        now = self.world.now
        edge: Callable[[web.Request, str, datetime], datetime] = replies.time
        if range_type == "relative":
            edge = partial(_edge_before, now)
        end = edge(request, "filter[to]", now)
        start = edge(request, "filter[from]", end - timedelta(days=30))
        search = request.query.get("filter[search]", "")
        searched = [(event_name, share) for event_name, share in _shares() if search in event_name]
        body = events.collected_events(self._integrations, searched, start, end)
        if "stats.normalized" not in included:
            del body["included"]
        return web.Response(body=dumps(body), content_type="application/json")


def _figures(integration: Integration, kind: str, figures: Mapping[str, Any]) -> web.Response:
    entity = {
        "id": str(integration.id),
        "type": kind,
        "attributes": {"connector_type": integration.connector_template, **figures},
    }
    return replies.data(entity)


def _shares() -> Iterator[tuple[str, float]]:
    """Yield each type of event with its share of all."""
    return zip(event_names(), _SHARES, strict=True)


def _edge_before(now: datetime, request: web.Request, name: str, default: datetime) -> datetime:
    """A time that is given as how many seconds before now it is."""
    value = request.query.get(name)
    if value is None:
        return default
    if not value.isdecimal() or len(value) > len("9999999999"):
        raise replies.BadFilterError(name)
    return now - timedelta(seconds=int(value))
