"""Consent banners, segments and integrations that Commanders Act knows, and what changed; their size is fixed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from random import Random

from crmlab.sandbox.world.generate.draw import Stream
from crmlab.sandbox.world.model import Banner, BannerDay, Change, Integration, TagSegment, World

_TRAFFIC = (1.0, 1.05, 1.1, 1.05, 0.95, 0.7, 0.75)
#: device, share of the visitors, share of them that opts in
_DEVICES = (
    ("mobile", 0.55, 0.52),
    ("desktop", 0.33, 0.61),
    ("tablet", 0.09, 0.57),
    ("other", 0.03, 0.4),
)
_LOCATIONS = (("eu", 0.85), ("other", 0.15))
_DAYLIGHT = [0.25 + 0.75 * max(0.0, math.sin((hour - 5) / 17 * math.pi)) for hour in range(24)]
#: label, direction, connector, its name, events an hour; the fifth fails, the last is switched off
#: label, direction, the connector's id, template and name, and events an hour
_INTEGRATIONS = (
    ("Web container", "source", "12", "web", "Website", 12_000),
    ("CRM import", "source", "31", "http_api", "HTTP API", 800),
    ("Ads conversions", "destination", "98", "ads_capi", "Conversions API", 2_600),
    ("Warehouse", "destination", "104", "cloud_storage", "Cloud storage", 9_000),
    ("E-mail tool", "destination", "57", "email_api", "E-mail API", 1_500),
    ("Old partner", "destination", "6", "webhook", "Webhook", 0),
)


def add_website(world: World) -> None:
    """60 days of banners and segments, seven of integrations."""
    rng = Stream(f"{world.seed}/website")
    days = [world.now.date() - timedelta(days=n) for n in range(60, 0, -1)]
    world.banners = [
        Banner(id=number, name=name, daily=list(_banner_days(rng, days, visitors)))
        for number, name, visitors in (("1", "Shop", 9_000), ("2", "Blog", 1_400))
    ]
    world.tag_segments = [
        TagSegment(id=number, label=label, daily=list(_segment_days(rng, days, total)))
        for number, label, total in (
            (11, "Visitors", 52_000),
            (12, "Basket left", 4_100),
            (13, "VIP", 380),
        )
    ]
    _add_integrations(world, rng)
    world.changes = list(_changes(world, days))


def _banner_days(rng: Random, days: list[date], visitors: int) -> Iterator[BannerDay]:
    parts = ((1, 1.0), (2, 0.86), (3, 0.71), (4, 0.64))
    for day, (device, share, yes), (location, part) in product(days, _DEVICES, _LOCATIONS):
        exposed = int(visitors * share * part * _TRAFFIC[day.weekday()] * rng.uniform(0.9, 1.1))
        views = int(exposed * rng.uniform(0.82, 0.9))
        optin = int(views * yes * rng.uniform(0.93, 1.07))
        yield BannerDay(
            day=day,
            device=device,
            location=location,
            visitors_exposed=exposed,
            banner_views=views,
            optin=optin,
            optout=int((views - optin) * rng.uniform(0.35, 0.5)),
            explicit_optin=int(optin * rng.uniform(0.88, 0.97)),
            categories={str(n): int(optin * share) for n, share in parts},
            vendors={str(200 + n): int(optin * share * rng.uniform(0.9, 1)) for n, share in parts},
        )


def _segment_days(
    rng: Random, days: list[date], total: int
) -> Iterator[tuple[date, int, int, int]]:
    for day in days:
        moving = total * 0.02 * _TRAFFIC[day.weekday()]
        added = int(moving * rng.uniform(0.8, 1.3))
        removed = int(moving * rng.uniform(0.7, 1.2))
        total += added - removed
        yield day, total, added, removed


def _add_integrations(world: World, rng: Random) -> None:
    end = world.now.replace(minute=0, second=0)
    hours = [end - timedelta(hours=n) for n in range(7 * 24, 0, -1)]
    for number, (label, direction, connector, template, name, rate) in enumerate(
        _INTEGRATIONS, start=1
    ):
        failing_since = end - timedelta(days=2) if number == 5 else end
        world.integrations.append(
            Integration(
                id=500 + number,
                label=label,
                direction=direction,
                connector_id=connector,
                connector_name=name,
                connector_template=template,
                environment="staging" if number == 2 else "production",
                status="active" if rate else "inactive",
                created_at=world.now - timedelta(days=100 * number),
                last_run_at=hours[-1] if rate else world.now - timedelta(days=60),
                hourly=[_delivery(rng, hour, rate, hour >= failing_since) for hour in hours],
            )
        )


def _changes(world: World, days: list[date]) -> Iterator[Change]:
    """Two in three days somebody changes a source or destination."""
    rng = Stream(f"{world.seed}/changes")
    for day in days:
        if rng.random() < 0.67:
            at = datetime.combine(day, time(rng.randint(8, 17), rng.randint(0, 59)), UTC)
            chosen = rng.choice(world.integrations)
            action = rng.choice(("updated", "updated", "published", "created"))
            yield Change(
                id=rng.id(at),
                action=action,
                description=f"{chosen.label} {action}",
                subject_kind=chosen.direction,
                subject_id=str(chosen.id),
                user_id=rng.choice(world.users).id,
                created_at=at,
            )


def _delivery(
    rng: Random, hour: datetime, rate: int, is_failing: bool
) -> tuple[datetime, int, int, int]:
    events = int(rate * _DAYLIGHT[hour.hour] * _TRAFFIC[hour.weekday()] * rng.uniform(0.85, 1.15))
    failed = int(events * (rng.uniform(0.55, 0.8) if is_failing else rng.uniform(0, 0.004)))
    rejected = int(events * rng.uniform(0, 0.006))
    return hour, events - failed - rejected, failed, rejected
