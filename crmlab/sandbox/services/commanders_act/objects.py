"""The objects of a world's website in Commanders Act's words: catalogues, reports, alerts, cookies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

from crmlab.sandbox.services.commanders_act.collection import Collection, link, links
from crmlab.sandbox.services.commanders_act.records import SECRET, catalog, offset_time, users
from crmlab.sandbox.services.commanders_act.tags import tag_manager
from crmlab.sandbox.world.model import World

_EVENTS = (
    ("page_view", "Page view"),
    ("add_to_cart", "Added to cart"),
    ("purchase", "Purchase"),
    ("search", "Search"),
    ("trial_started", "Trial started"),
)
_COOKIES = (
    ("consent_choice", "1st-party-cookie", True),
    ("basket", "1st-party-cookie", True),
    ("visitor_id", "local_storage", True),
    ("ads_click", "3rd-party-cookie", False),
    ("language", "session_storage", True),
)


def collections(world: World) -> dict[str, Collection]:
    """Return what is at each path, by the path."""
    return {**tag_manager(world), **_platform(world), **_monitoring(world), **_cookies(world)}


# ---- sources, destinations, events --------------------------------------------------------------


def _platform(world: World) -> dict[str, Collection]:
    """Return catalogues, categories, types of events and what is done with events; and who may do it."""
    found = {}
    for direction, kind in (("source", "source-template"), ("destination", "destination-catalog")):
        objects = catalog(world.integrations, direction)
        found[f"/{direction}-catalog"] = Collection(
            type=kind, objects=objects, includes=frozenset({"categories"})
        )
        categories = Collection(type=f"{direction}-category", ids=str)
        for position, label in enumerate(("Website", "Advertising"), 1):
            categories.add(
                {"label": label, "position": position, "types": [direction]},
                templates=link("integration-templates", str(position)),
            )
        found[f"/{direction}-categories"] = categories
    events = Collection(type="normalized-datalayer/event-types")
    since = offset_time(world.now - timedelta(days=300))
    for name, label in _EVENTS:
        is_custom = name == "trial_started"
        events.add(
            {
                "name": name,
                "label": label,
                "created": since,
                "updated": since,
                "stored": not is_custom,
                "is_custom": is_custom,
            }
        )
    found["/normalized-datalayer/event-types"] = events
    sources = [str(one.id) for one in world.integrations if one.direction == "source"]
    found["/integrations/cleansing-transformations"] = _transformations(sources)
    found["/enrichment/events/"] = _enrichments(world, sources)
    found["/users"] = Collection(type="admin/users", objects=users(world))
    found["/admin/workspace"] = Collection(type="workspace")
    return found


def _transformations(sources: list[str]) -> Collection:
    found = Collection(type="integrations/cleansing-transformations")
    for order, (label, operation) in enumerate(
        (("Old name", "rename_event"), ("Tests", "filter_event")), 1
    ):
        found.add(
            {
                "event_count": 100 * order,
                "label": label,
                "description": f"{label} of events",
                "operation": operation,
                "parameters": {
                    "filter": {"type": "in", "operands": [{"type": "constant", "value": SECRET}]}
                },
                "order": order,
                "status": "active",
            },
            sources=links("integration", sources),
        )
    return found


def _enrichments(world: World, sources: list[str]) -> Collection:
    found = Collection(
        type="enrichment/event",
        includes=frozenset({"store", "variables", "sources"}),
        filters={"status": "status", "name": "name"},
        is_paged=True,
    )
    at = offset_time(world.now - timedelta(days=30))
    for number in range(1, 13):
        found.add(
            {
                "name": f"Products of group {number}",
                "description": "What is stored of products",
                "status": "active" if number % 4 else "inactive",
                "type": "datastore",
                "parameters": {"filter": {"value": SECRET}, "mapping": []},
                "matching_key": "products.id",
                "path": "custom",
                "path_custom": "items.products",
                "created_at": at,
                "updated_at": at,
            },
            store=link("dms/universe", "1"),
            variables=link("dms/variable", str(30 + number)),
            sources=link("integration", sources[number % len(sources)] if sources else "1"),
        )
    return found


# ---- reports, alerts, redirects -----------------------------------------------------------------


def _monitoring(world: World) -> dict[str, Collection]:
    reports = Collection(
        type="ams/reports",
        includes=frozenset({"owner", "claims"}),
        filters={
            "label": "label",
            "status": "status",
            "public-id": "public_id",
            "archived": "archived",
        },
        is_paged=True,
    )
    for number in range(1, 13):
        at = offset_time(world.now - timedelta(days=10 * number))
        reports.add(
            {
                "public_id": f"{number * 40_503:08x}",
                "label": f"Campaigns {number}",
                "description": "Conversions by campaign",
                "status": "published" if number % 3 else "draft",
                "updated_at": at,
                "created_at": at,
                "archived": number > 10,
                "is_system": False,
            },
            owner=link("user", "1"),
            claims=links("ams/report_claims", (str(200 + number),)),
        )
    alerts = Collection(
        type="health/alert",
        includes=frozenset({"notification", "creator"}),
        filters={"category": "category", "model_id": "model_id", "enable": "is_enable"},
    )
    notifications = Collection(type="health/alert/notification", filters={"alert": "alert_id"})
    for one in world.integrations:
        if one.direction == "destination":
            _add_alert(
                world, alerts, notifications, one.id, sum(hour[2] for hour in one.hourly[-24:])
            )
    rules = Collection(
        type="ams/redirect-rules",
        filters={n: n for n in ("domain", "tld", "full_domain", "rule", "is_active")},
    )
    for domain, rule in (("shop", "allow"), ("blog", "allow"), ("old-partner", "deny")):
        at = offset_time(world.now - timedelta(days=200))
        rules.add(
            {
                "domain": domain,
                "tld": "example",
                "full_domain": f"{domain}.example",
                "rule": rule,
                "is_active": True,
                "created_at": at,
                "updated_at": at,
            }
        )
    return {
        "/ams/reports": reports,
        "/health/alerts": alerts,
        "/health/notifications": notifications,
        "/ams/redirect-rules": rules,
    }


def _add_alert(
    world: World, alerts: Collection, notifications: Collection, integration: int, failed: int
) -> None:
    number = len(alerts.objects) + 1
    at = offset_time(world.now - timedelta(hours=1))
    alerts.add(
        {
            "model_id": integration,
            "parameters": {"threshold": 75, "key": SECRET},
            "category": "destination/delivery",
            "is_enable": True,
            "last_check_at": at,
            "last_check_value": str(failed),
            "created_at": offset_time(world.now - timedelta(days=90)),
            "updated_at": at,
        },
        notification=link("health/notification", str(number)),
        creator=link("user", "1"),
    )
    notifications.add(
        {
            "alert_id": number,
            "frequency": "1h" if failed > 1_000 else "1d",
            "channel": "SLACK",
            "channel_settings": {"slack": {"webhook": f"https://hooks.example.com/{SECRET}"}},
            "last_notified_at": at,
        }
    )


# ---- cookies ------------------------------------------------------------------------------------


def _cookies(world: World) -> dict[str, Collection]:
    scanners = Collection(type="privacy/cookie-scanner", includes=frozenset({"cookie"}))
    for number, (version, comment) in enumerate((("1.00", "First"), ("2.00", "With the blog")), 1):
        at = offset_time(world.now - timedelta(days=100 // number))
        scanners.add(
            {
                "version": version,
                "comment": comment,
                "new": "basket" if number == 1 else "ads_click",
                "ignored": "",
                "languages": ["en", "fr"],
                "is_deployed": int(number == 2),
                "filename": "cookies-all",
                "created": at,
                "updated": at,
                "deployed": at,
            }
        )
    cookies = Collection(
        type="privacy/cookie-scanner/cookie", includes=frozenset({"vendor", "category", "fields"})
    )
    numbers = count(1)
    for name, kind, is_compliant in _COOKIES:
        number = next(numbers)
        cookies.add(
            {
                "name": name,
                "cookie_scanner_id": 2,
                "vendor_url": "",
                "storage_type": kind,
                "storage_domain": "shop.example",
                "storage_duration": "365",
                "origin": "scanned_extension",
                "origin_label": "Scanned",
                "status": 1,
                "is_live": True,
                "is_compliant": is_compliant,
                "is_missing": False,
                "website": "shop.example",
                "url": ["https://shop.example/"],
                "score": 95 if is_compliant else 20,
                "sample": [f"{name}={SECRET}"],
            },
            vendor=link("privacy/cookie-scanner/vendor-reference", str(number)),
            category=link("privacy/cookie-scanner/category-reference", "1"),
            fields=link("privacy/cookie-scanner/custom-field", "1"),
        )
    custom = Collection(type="privacy/cookie-scanner/setting/custom-field")
    at = offset_time(world.now - timedelta(days=100))
    for position, name in enumerate(("Usage", "Retention"), 1):
        custom.add(
            {"name": name, "position": position, "is_system": 0, "created": at, "updated": at}
        )
    return {
        "/privacy/cookie-scanners": scanners,
        "/privacy/cookie-scanner/cookies": cookies,
        "/privacy/cookie-scanner/setting/custom-fields": custom,
    }


def event_names() -> Iterator[str]:
    """Yield the names of the types of events."""
    return (name for name, _ in _EVENTS)
