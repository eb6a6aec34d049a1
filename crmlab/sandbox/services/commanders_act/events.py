"""A world's events as the service counts them, and what went wrong with them on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from crmlab.sandbox.service import Record, dumps
from crmlab.sandbox.services.commanders_act.collection import Object, link, links
from crmlab.sandbox.services.commanders_act.objects import event_names
from crmlab.sandbox.services.commanders_act.records import SECRET, Hour, hours_between, millis
from crmlab.sandbox.world.model import Integration, World

#: why deliveries go wrong, and which share of those that do
REASONS = {
    "error": (("token_expired", 0.7), ("timeout", 0.3)),
    "rejected": (("invalid_user", 0.6), ("no_consent", 0.4)),
}


def issues(one: Integration, hours: list[Hour]) -> Iterator[tuple[str, Record]]:
    """Yield why deliveries failed, or were rejected, and how many did."""
    if one.direction != "destination":
        return
    errors: Counter[datetime] = Counter()
    rejections: Counter[datetime] = Counter()
    for began_at, _, failed, rejected in hours:
        errors[began_at] += failed
        rejections[began_at] += rejected
    for kind, by_hour in (("error", errors), ("rejected", rejections)):
        total = by_hour.total()
        # unary plus leaves out the hours in which nothing went wrong
        last_seen = max(+by_hour, default=one.created_at)
        for reason, share in REASONS[kind]:
            deliveries = round(total * share)
            # a reason that nothing went wrong for is in no answer
            if deliveries:
                hit = uuid5(NAMESPACE_URL, f"issue/{one.id}")
                issue = {
                    "reason": reason,
                    "event_types": list(event_names())[:2],
                    "events_count": deliveries,
                    "last_seen": millis(last_seen),
                    "stream_hit_id": f"{hit}-86400-{kind}-{reason}",
                }
                yield kind, issue


def details(world: World, one: Integration, kind: str, issue: Record) -> Record:
    """Return one delivery that went wrong, with what was sent and answered."""
    # what is sent to a partner holds personal data: nothing of it may be stored by a client
    email = "somebody@example.com"
    for person in world.people[:1]:
        if person.emails:
            email = person.emails[0]
    sent = {"email": email}
    return {
        "id": issue["stream_hit_id"],
        "type": "delivery/issues-details",
        "attributes": {
            "timestamp": issue["last_seen"],
            "status": kind,
            "detail": issue["reason"],
            "request": {
                "url": f"https://partner.example.com/{one.connector_template}?key={SECRET}",
                "method": "POST",
                "body": dumps(sent).decode(),
                "data": sent,
            },
            "response": {
                "statusCode": 401,
                "headers": {"set-cookie": SECRET},
                "body": "",
                "data": {},
            },
        },
    }


def data_quality(sources: Iterable[Integration], shares: Iterable[tuple[str, float]]) -> Record:
    """What the sources collected and what of it was normalized, by type of event and hour of the last day."""
    chosen_sources = list(sources)
    last_day = [source.hourly[-24:] for source in chosen_sources]
    by_hour = _collected_by_hour(last_day)
    statuses: Record = {}
    anomalies: Record = {}
    for event_name, share in shares:
        rows: list[list[Any]] = [["dateTime", "collected", "normalized"]]
        anomalies[event_name] = []
        lacking = 0
        for began_at, events in sorted(by_hour.items()):
            collected = round(events * share)
            # one event in a hundred lacks a property, and is not normalized
            without_property = collected // 100
            lacking += without_property
            normalized = collected - without_property
            rows.append([_naive_time(began_at), collected, normalized])
        statuses[event_name] = rows
        if lacking:
            anomaly = _anomaly(event_name, lacking, max(by_hour))
            anomalies[event_name].append(anomaly)
    collecting = [_collecting(source) for source in chosen_sources]
    return {
        "type": "monitoring/sources/data-quality-report",
        "attributes": {
            "eventNames": list(statuses),
            "validation": {"statuses": statuses, "anomalies": anomalies},
            "collection": {"total": by_hour.total(), "sources": collecting},
        },
    }


def _collected_by_hour(hours_of_sources: Iterable[Iterable[Hour]]) -> Counter[datetime]:
    """Return how many events the sources collected, whatever became of them."""
    by_hour: Counter[datetime] = Counter()
    for hours in hours_of_sources:
        for began_at, success, failed, rejected in hours:
            by_hour[began_at] += success + failed + rejected
    return by_hour


def _anomaly(event: str, count: int, at: datetime) -> Record:
    return {
        "level": "warn",
        "count": count,
        "path": "properties.page_type",
        "message": f"{event} event requires .page_type property",
        "sample": f'{{"key":"{SECRET}"}}',
        "date": _naive_time(at),
    }


def _collecting(one: Integration) -> Record:
    trend = [{"timestamp": midnight, "value": 90} for midnight in hours_of_days(one)]
    last_day = one.hourly[-24:]
    by_hour = _collected_by_hour([last_day])
    return {
        "reference": str(uuid5(NAMESPACE_URL, f"source/{one.id}")),
        "count": by_hour.total(),
        "integration": {
            "label": one.label,
            "integration_type": "sources",
            "environment": one.environment,
            "version": "1.00",
            "has_undeployed_changes": False,
            "last_run": None,
            "last_deployment": millis(one.created_at),
            "health": 90,
            "status": one.status,
            "trend": trend,
        },
    }


def hours_of_days(one: Integration) -> list[int]:
    """The days of which there are hours, in milliseconds."""
    days: set[int] = set()
    for began_at, *_counts in one.hourly:
        midnight = began_at.replace(hour=0)
        days.add(millis(midnight))
    return sorted(days)


def collected_events(
    integrations: Iterable[Integration],
    shares: Iterable[tuple[str, float]],
    start: datetime,
    end: datetime,
) -> Record:
    """Types of events, which sources collect and destinations get, with counts by the hour, newest first."""
    sources = []
    destinations = []
    for integration in integrations:
        if integration.direction == "source":
            sources.append(integration)
        else:
            destinations.append(integration)
    by_hour = _collected_by_hour(hours_between(source, start, end) for source in sources)
    linked = {
        "sources": {"data": _links(sources)},
        "destinations": {"data": _links(destinations)},
    }
    events = []
    datasets = []
    for event_name, share in shares:
        event_id = f"7-{event_name}"
        related = {**linked, "stats": {"data": link("events/stat", event_id)}}
        event = {
            "type": "events/definition",
            "id": event_id,
            "attributes": {"name": event_name},
            "relationships": related,
        }
        rows = [["dateTime", "value"]]
        for began_at in sorted(by_hour, reverse=True):
            collected = round(by_hour[began_at] * share)
            # these figures come as text, with a decimal point
            rows.append([_naive_time(began_at), str(float(collected))])
        dataset = {
            "type": "dataset",
            "id": f"{event_id}/stats/normalized",
            "attributes": {"dataset": rows},
        }
        events.append(event)
        datasets.append(dataset)
    return {"data": events, "included": datasets}


def _links(integrations: Iterable[Integration]) -> list[Object]:
    return links("integration", [str(integration.id) for integration in integrations])


def _naive_time(at: datetime) -> str:
    """A time without its zone, as figures of events have it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.000000000")
