"""The objects of a world's website in Commanders Act's words: catalogues, reports, alerts, cookies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

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
    return {
        **tag_manager(world),
        **_platform(world),
        **_monitoring(world),
        **_cookies(world),
    }


# ---- sources, destinations, events --------------------------------------------------------------


def _platform(world: World) -> dict[str, Collection]:
    """Return catalogues, categories, types of events and what is done with events; and who may do it."""
    source_ids = []
    for integration in world.integrations:
        if integration.direction == "source":
            source_ids.append(str(integration.id))
    catalogs = {
        **_catalog(world, "source", "source-template"),
        **_catalog(world, "destination", "destination-catalog"),
    }
    return {
        **catalogs,
        "/normalized-datalayer/event-types": _event_types(world),
        "/integrations/cleansing-transformations": _transformations(source_ids),
        "/enrichment/events/": _enrichments(world, source_ids),
        "/users": Collection(type="admin/users", objects=users(world)),
        "/admin/workspace": Collection(type="workspace"),
    }


def _catalog(world: World, direction: str, kind: str) -> dict[str, Collection]:
    objects = catalog(world.integrations, direction)
    # ids of categories are text, though they are numbers
    categories = Collection(type=f"{direction}-category", ids=str)
    for position, label in enumerate(("Website", "Advertising"), 1):
        categories.add(
            {"label": label, "position": position, "types": [direction]},
            templates=link("integration-templates", str(position)),
        )
    return {
        f"/{direction}-catalog": Collection(
            type=kind, objects=objects, includes=frozenset({"categories"})
        ),
        f"/{direction}-categories": categories,
    }


def _event_types(world: World) -> Collection:
    event_types = Collection(type="normalized-datalayer/event-types")
    since = offset_time(world.now - timedelta(days=300))
    for name, label in _EVENTS:
        is_custom = name == "trial_started"
        event_type = {
            "name": name,
            "label": label,
            "created": since,
            "updated": since,
            "stored": not is_custom,
            "is_custom": is_custom,
        }
        event_types.add(event_type)
    return event_types


def _transformations(source_ids: list[str]) -> Collection:
    transformations = Collection(type="integrations/cleansing-transformations")
    operations = (("Old name", "rename_event"), ("Tests", "filter_event"))
    for order, (label, operation) in enumerate(operations, 1):
        constant = {"type": "constant", "value": SECRET}
        transformation = {
            "event_count": 100 * order,
            "label": label,
            "description": f"{label} of events",
            "operation": operation,
            "parameters": {"filter": {"type": "in", "operands": [constant]}},
            "order": order,
            "status": "active",
        }
        transformations.add(transformation, sources=links("integration", source_ids))
    return transformations


def _enrichments(world: World, source_ids: list[str]) -> Collection:
    enrichments = Collection(
        type="enrichment/event",
        includes=frozenset({"store", "variables", "sources"}),
        filters={"status": "status", "name": "name"},
        is_paged=True,
    )
    created_at = offset_time(world.now - timedelta(days=30))
    # more than a page holds
    for number in range(1, 13):
        status = "active" if number % 4 else "inactive"
        source_id = "1"
        if source_ids:
            source_id = source_ids[number % len(source_ids)]
        enrichment = {
            "name": f"Products of group {number}",
            "description": "What is stored of products",
            "status": status,
            "type": "datastore",
            "parameters": {"filter": {"value": SECRET}, "mapping": []},
            "matching_key": "products.id",
            "path": "custom",
            "path_custom": "items.products",
            "created_at": created_at,
            "updated_at": created_at,
        }
        enrichments.add(
            enrichment,
            store=link("dms/universe", "1"),
            variables=link("dms/variable", str(30 + number)),
            sources=link("integration", source_id),
        )
    return enrichments


# ---- reports, alerts, redirects -----------------------------------------------------------------


def _monitoring(world: World) -> dict[str, Collection]:
    alerts = Collection(
        type="health/alert",
        includes=frozenset({"notification", "creator"}),
        filters={"category": "category", "model_id": "model_id", "enable": "is_enable"},
    )
    notifications = Collection(type="health/alert/notification", filters={"alert": "alert_id"})
    for integration in world.integrations:
        if integration.direction == "destination":
            failed = sum(hour[2] for hour in integration.hourly[-24:])
            _add_alert(world, alerts, notifications, integration.id, failed)
    return {
        "/ams/reports": _reports(world),
        "/health/alerts": alerts,
        "/health/notifications": notifications,
        "/ams/redirect-rules": _redirect_rules(world),
    }


def _reports(world: World) -> Collection:
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
        created_at = offset_time(world.now - timedelta(days=10 * number))
        status = "published" if number % 3 else "draft"
        report = {
            "public_id": f"{number * 40_503:08x}",
            "label": f"Campaigns {number}",
            "description": "Conversions by campaign",
            "status": status,
            "updated_at": created_at,
            "created_at": created_at,
            "archived": number > 10,
            "is_system": False,
        }
        reports.add(
            report,
            owner=link("user", "1"),
            claims=links("ams/report_claims", (str(200 + number),)),
        )
    return reports


def _redirect_rules(world: World) -> Collection:
    # each filter is called as the attribute that it is about
    filters = {
        "domain": "domain",
        "tld": "tld",
        "full_domain": "full_domain",
        "rule": "rule",
        "is_active": "is_active",
    }
    rules = Collection(type="ams/redirect-rules", filters=filters)
    created_at = offset_time(world.now - timedelta(days=200))
    decisions = {"shop": "allow", "blog": "allow", "old-partner": "deny"}
    for domain, decision in decisions.items():
        redirect_rule = {
            "domain": domain,
            "tld": "example",
            "full_domain": f"{domain}.example",
            "rule": decision,
            "is_active": True,
            "created_at": created_at,
            "updated_at": created_at,
        }
        rules.add(redirect_rule)
    return rules


def _add_alert(
    world: World, alerts: Collection, notifications: Collection, integration: int, failed: int
) -> None:
    number = len(alerts.objects) + 1
    checked_at = offset_time(world.now - timedelta(hours=1))
    frequency = "1h" if failed > 1_000 else "1d"
    alerts.add(
        {
            "model_id": integration,
            "parameters": {"threshold": 75, "key": SECRET},
            "category": "destination/delivery",
            "is_enable": True,
            "last_check_at": checked_at,
            "last_check_value": str(failed),
            "created_at": offset_time(world.now - timedelta(days=90)),
            "updated_at": checked_at,
        },
        notification=link("health/notification", str(number)),
        creator=link("user", "1"),
    )
    notifications.add(
        {
            "alert_id": number,
            "frequency": frequency,
            "channel": "SLACK",
            "channel_settings": {"slack": {"webhook": f"https://hooks.example.com/{SECRET}"}},
            "last_notified_at": checked_at,
        }
    )


# ---- cookies ------------------------------------------------------------------------------------


def _cookies(world: World) -> dict[str, Collection]:
    custom_fields = Collection(type="privacy/cookie-scanner/setting/custom-field")
    created_at = offset_time(world.now - timedelta(days=100))
    times = {"created": created_at, "updated": created_at}
    for position, name in enumerate(("Usage", "Retention"), 1):
        custom_fields.add({"name": name, "position": position, "is_system": 0, **times})
    return {
        "/privacy/cookie-scanners": _scanners(world),
        "/privacy/cookie-scanner/cookies": _scanned_cookies(),
        "/privacy/cookie-scanner/setting/custom-fields": custom_fields,
    }


def _scanners(world: World) -> Collection:
    """Return two versions of the list of cookies, of which the second is deployed."""
    scanners = Collection(type="privacy/cookie-scanner", includes=frozenset({"cookie"}))
    versions = (("1.00", "First", "basket"), ("2.00", "With the blog", "ads_click"))
    for number, (version, comment, new_cookie) in enumerate(versions, 1):
        created_at = offset_time(world.now - timedelta(days=100 // number))
        scanner = {
            "version": version,
            "comment": comment,
            "new": new_cookie,
            "ignored": "",
            "languages": ["en", "fr"],
            "is_deployed": int(number == 2),
            "filename": "cookies-all",
            "created": created_at,
            "updated": created_at,
            "deployed": created_at,
        }
        scanners.add(scanner)
    return scanners


def _scanned_cookies() -> Collection:
    cookies = Collection(
        type="privacy/cookie-scanner/cookie", includes=frozenset({"vendor", "category", "fields"})
    )
    for number, (name, storage_type, is_compliant) in enumerate(_COOKIES, 1):
        score = 95 if is_compliant else 20
        cookie = {
            "name": name,
            "cookie_scanner_id": 2,
            "vendor_url": "",
            "storage_type": storage_type,
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
            "score": score,
            # what a cookie held when it was seen may be somebody's session
            "sample": [f"{name}={SECRET}"],
        }
        cookies.add(
            cookie,
            vendor=link("privacy/cookie-scanner/vendor-reference", str(number)),
            category=link("privacy/cookie-scanner/category-reference", "1"),
            fields=link("privacy/cookie-scanner/custom-field", "1"),
        )
    return cookies


def event_names() -> Iterator[str]:
    """Yield the names of the types of events."""
    return (name for name, _ in _EVENTS)
