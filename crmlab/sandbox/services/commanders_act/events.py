"""A world's events as the service counts them, and what went wrong with them on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from crmlab.sandbox.service import dumps
from crmlab.sandbox.services.commanders_act.objects import event_names
from crmlab.sandbox.services.commanders_act.records import SECRET, Hour, hours_between, millis
from crmlab.sandbox.world.model import Integration, World

#: why deliveries go wrong, and which share of those that do
REASONS = {
    "error": (("token_expired", 0.7), ("timeout", 0.3)),
    "rejected": (("invalid_user", 0.6), ("no_consent", 0.4)),
}


def issues(one: Integration, hours: list[Hour]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield why deliveries failed, or were rejected, and how many did."""
    if one.direction != "destination":
        return
    counts = {"error": [hour[2] for hour in hours], "rejected": [hour[3] for hour in hours]}
    for kind, wrong in counts.items():
        total = sum(wrong)
        last_seen = max(
            (hour[0] for hour, count in zip(hours, wrong, strict=True) if count),
            default=one.created_at,
        )
        for reason, share in REASONS[kind]:
            events = round(total * share)
            if events:
                yield (
                    kind,
                    {
                        "reason": reason,
                        "event_types": list(event_names())[:2],
                        "events_count": events,
                        "last_seen": millis(last_seen),
                        "stream_hit_id": f"{uuid5(NAMESPACE_URL, f'issue/{one.id}')}-86400-{kind}-{reason}",
                    },
                )


def details(world: World, one: Integration, kind: str, issue: dict[str, Any]) -> dict[str, Any]:
    """Return one delivery that went wrong, with what was sent and answered."""
    person = world.people[0] if world.people else None
    sent = {"email": person.emails[0] if person and person.emails else "somebody@example.com"}
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


def data_quality(
    sources: Iterable[Integration], shares: Iterable[tuple[str, float]]
) -> dict[str, Any]:
    """What the sources collected and what of it was normalized, by type of event and hour of the last day."""
    chosen = list(sources)
    by_hour: Counter[datetime] = Counter()
    for one in chosen:
        for at, success, failed, rejected in one.hourly[-24:]:
            by_hour[at] += success + failed + rejected
    statuses: dict[str, Any] = {}
    anomalies: dict[str, Any] = {}
    for name, share in shares:
        counts = [(at, round(events * share)) for at, events in sorted(by_hour.items())]
        rows = [[_naive_time(at), count, count - count // 100] for at, count in counts]
        statuses[name] = [["dateTime", "collected", "normalized"], *rows]
        lacking = sum(count // 100 for _, count in counts)
        anomalies[name] = _anomalies(name, lacking, counts[-1][0]) if lacking else []
    return {
        "type": "monitoring/sources/data-quality-report",
        "attributes": {
            "eventNames": list(statuses),
            "validation": {"statuses": statuses, "anomalies": anomalies},
            "collection": {
                "total": by_hour.total(),
                "sources": [_collecting(one) for one in chosen],
            },
        },
    }


def _anomalies(event: str, count: int, at: datetime) -> list[dict[str, Any]]:
    return [
        {
            "level": "warn",
            "count": count,
            "path": "properties.page_type",
            "message": f"{event} event requires .page_type property",
            "sample": f'{{"key":"{SECRET}"}}',
            "date": _naive_time(at),
        }
    ]


def _collecting(one: Integration) -> dict[str, Any]:
    days = hours_of_days(one)
    return {
        "reference": str(uuid5(NAMESPACE_URL, f"source/{one.id}")),
        "count": sum(sum(hour[1:]) for hour in one.hourly[-24:]),
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
            "trend": [{"timestamp": day, "value": 90} for day in days],
        },
    }


def hours_of_days(one: Integration) -> list[int]:
    """The days of which there are hours, in milliseconds."""
    return sorted({millis(hour[0].replace(hour=0)) for hour in one.hourly})


def collected_events(
    integrations: Iterable[Integration],
    shares: Iterable[tuple[str, float]],
    start: datetime,
    end: datetime,
) -> dict[str, Any]:
    """Types of events, which sources collect and destinations get, with counts by the hour, newest first."""
    chosen = list(integrations)
    by_hour: Counter[datetime] = Counter()
    for one in chosen:
        if one.direction == "source":
            for at, success, failed, rejected in hours_between(one, start, end):
                by_hour[at] += success + failed + rejected
    links = {
        f"{direction}s": {"data": _links(chosen, direction)}
        for direction in ("source", "destination")
    }
    found = []
    included = []
    for name, share in shares:
        id = f"7-{name}"
        related = {**links, "stats": {"data": {"type": "events/stat", "id": id}}}
        event = {
            "type": "events/definition",
            "id": id,
            "attributes": {"name": name},
            "relationships": related,
        }
        rows = [
            [_naive_time(at), str(float(round(by_hour[at] * share)))]
            for at in sorted(by_hour, reverse=True)
        ]
        dataset = {"dataset": [["dateTime", "value"], *rows]}
        found.append(event)
        included.append({"type": "dataset", "id": f"{id}/stats/normalized", "attributes": dataset})
    return {"data": found, "included": included}


def _links(integrations: Iterable[Integration], direction: str) -> list[dict[str, str]]:
    return [
        {"type": "integration", "id": str(one.id)}
        for one in integrations
        if one.direction == direction
    ]


def _naive_time(at: datetime) -> str:
    """A time without its zone, as figures of events have it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.000000000")
