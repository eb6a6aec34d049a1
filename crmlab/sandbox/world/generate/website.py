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


def _daylight(hour: int) -> float:
    """How much is done at an hour of the day: most in the middle, and least at night."""
    height = math.sin((hour - 5) / 17 * math.pi)
    return 0.25 + 0.75 * max(0.0, height)


_DAYLIGHT = [_daylight(hour) for hour in range(24)]
#: id, name, visitors of a day
_BANNERS = (("1", "Shop", 9_000), ("2", "Blog", 1_400))
#: categories of purposes, and the share of opt-ins that has each of them
_CATEGORIES = ((1, 1.0), (2, 0.86), (3, 0.71), (4, 0.64))
#: id, label, members at the beginning
_SEGMENTS = ((11, "Visitors", 52_000), (12, "Basket left", 4_100), (13, "VIP", 380))
#: of the integrations, by their number: this one is not in production, and that one fails since two days
_STAGING = 2
_FAILING = 5
#: label, direction, the connector's id, template and name, and events an hour; the last is switched off
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
    today = world.now.date()
    days = [today - timedelta(days=days_ago) for days_ago in range(60, 0, -1)]
    for banner_id, banner_name, visitors in _BANNERS:
        banner = Banner(
            id=banner_id,
            name=banner_name,
            daily=list(_banner_days(rng, days, visitors)),
        )
        world.banners.append(banner)
    for segment_id, label, members in _SEGMENTS:
        segment = TagSegment(
            id=segment_id,
            label=label,
            daily=list(_segment_days(rng, days, members)),
        )
        world.tag_segments.append(segment)
    _add_integrations(world, rng)
    world.changes = list(_changes(world, days))


def _banner_days(rng: Random, days: list[date], visitors: int) -> Iterator[BannerDay]:
    for day, of_device, of_location in product(days, _DEVICES, _LOCATIONS):
        device, device_share, optin_share = of_device
        location, location_share = of_location
        traffic = _TRAFFIC[day.weekday()]
        usual_visitors = visitors * device_share * location_share * traffic
        exposed = int(usual_visitors * rng.uniform(0.9, 1.1))
        banner_views = int(exposed * rng.uniform(0.82, 0.9))
        optins = int(banner_views * optin_share * rng.uniform(0.93, 1.07))
        banner_day = BannerDay(
            day=day,
            device=device,
            location=location,
            visitors_exposed=exposed,
            banner_views=banner_views,
            optin=optins,
            optout=int((banner_views - optins) * rng.uniform(0.35, 0.5)),
            explicit_optin=int(optins * rng.uniform(0.88, 0.97)),
            categories={},
            vendors={},
        )
        for category, category_share in _CATEGORIES:
            of_category = optins * category_share
            of_vendor = of_category * rng.uniform(0.9, 1)
            banner_day.categories[str(category)] = int(of_category)
            banner_day.vendors[str(200 + category)] = int(of_vendor)
        yield banner_day


def _segment_days(
    rng: Random, days: list[date], total: int
) -> Iterator[tuple[date, int, int, int]]:
    members = total
    for day in days:
        turnover = members * 0.02 * _TRAFFIC[day.weekday()]
        added = int(turnover * rng.uniform(0.8, 1.3))
        removed = int(turnover * rng.uniform(0.7, 1.2))
        members += added - removed
        yield day, members, added, removed


def _add_integrations(world: World, rng: Random) -> None:
    last_hour = world.now.replace(minute=0, second=0)
    hours_of_week = range(7 * 24, 0, -1)
    hours = [last_hour - timedelta(hours=hours_ago) for hours_ago in hours_of_week]
    for number, description in enumerate(_INTEGRATIONS, start=1):
        label, direction, connector_id, template, connector_name, hourly_events = description
        integration = Integration(
            id=500 + number,
            label=label,
            direction=direction,
            connector_id=connector_id,
            connector_name=connector_name,
            connector_template=template,
            environment="production",
            status="active",
            created_at=world.now - timedelta(days=100 * number),
            last_run_at=hours[-1],
            hourly=[],
        )
        if number == _STAGING:
            integration.environment = "staging"
        if not hourly_events:
            integration.status = "inactive"
            integration.last_run_at = world.now - timedelta(days=60)
        failing_since = last_hour
        if number == _FAILING:
            failing_since = last_hour - timedelta(days=2)
        for hour in hours:
            is_failing = hour >= failing_since
            delivery = _delivery(rng, hour, hourly_events, is_failing)
            integration.hourly.append(delivery)
        world.integrations.append(integration)


def _changes(world: World, days: list[date]) -> Iterator[Change]:
    """Two in three days somebody changes a source or destination."""
    rng = Stream(f"{world.seed}/changes")
    for day in days:
        if rng.random() < 0.67:
            time_of_day = time(rng.randint(8, 17), rng.randint(0, 59))
            changed_at = datetime.combine(day, time_of_day, UTC)
            integration = rng.choice(world.integrations)
            action = rng.choice(("updated", "updated", "published", "created"))
            yield Change(
                id=rng.id(changed_at),
                action=action,
                description=f"{integration.label} {action}",
                subject_kind=integration.direction,
                subject_id=str(integration.id),
                user_id=rng.choice(world.users).id,
                created_at=changed_at,
            )


def _failed_share(rng: Random, *, is_failing: bool) -> float:
    if is_failing:
        return rng.uniform(0.55, 0.8)
    return rng.uniform(0, 0.004)


def _delivery(
    rng: Random, hour: datetime, rate: int, is_failing: bool
) -> tuple[datetime, int, int, int]:
    usual_events = rate * _DAYLIGHT[hour.hour] * _TRAFFIC[hour.weekday()]
    events = int(usual_events * rng.uniform(0.85, 1.15))
    failed = int(events * _failed_share(rng, is_failing=is_failing))
    rejected = int(events * rng.uniform(0, 0.006))
    return hour, events - failed - rejected, failed, rejected
