"""A world's integrations, banners, segments and changes in Commanders Act's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from crmlab.sandbox.service import Record
from crmlab.sandbox.world.model import (
    Banner,
    BannerDay,
    Change,
    Integration,
    TagSegment,
    User,
    World,
)

#: when it began, success, failed, rejected
Hour = tuple[datetime, int, int, int]
_ENVIRONMENTS = {"production": "1", "staging": "2"}
#: what a source's and a destination's parameters may hold: never to be stored by a client
SECRET = "partner-secret-never-to-be-stored"  # noqa: S105  (opens nothing)
DEVICES = {"other": 0, "mobile": 1, "tablet": 2, "desktop": 3}
LOCATIONS = {"other": 0, "eu": 1}
#: how an activity log words what was done
_PAST = {"create": "created", "move": "moved", "update": "updated", "delete": "deleted"}


def millis(time: datetime) -> int:
    """Milliseconds since 1970."""
    return round(time.timestamp() * 1000)


def offset_time(time: datetime | None) -> str | None:
    """ISO 8601 with an offset, as the service writes the times of objects."""
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="seconds")


def integration(one: Integration, included: Collection[str]) -> Record:
    """A source or destination; `health` only where it was asked for."""
    attributes: Record = {
        "label": one.label,
        "occurence_type": "continuous",
        "start_date": None,
        "end_date": None,
        "timezone": "Europe/Paris",
        "data_range_type": None,
        "data_last": None,
        "data_start_date": None,
        "data_end_date": None,
        "last_request_at": offset_time(one.last_run_at),
        "next_request_at": None,
        "last_run_at": offset_time(one.last_run_at),
        "created": offset_time(one.created_at),
        "updated": offset_time(one.created_at),
        "cron": None,
        "deleted_at": None,
        "parameters": _parameters(one),
        "integration_key": str(uuid5(NAMESPACE_URL, f"integration/{one.id}")),
        "status": one.status,
    }
    if "health" in included:
        attributes["health"] = health(one.hourly)
    environment = _ENVIRONMENTS.get(one.environment, "3")
    return {
        "id": one.id,
        "type": "integrations",
        "attributes": attributes,
        "relationships": {
            "connector": _related("dms/connector", one.connector_id),
            "environment": _related("integration-environments", environment),
        },
    }


def _related(kind: str, id: str) -> Record:
    return {"data": {"type": kind, "id": id}}


def catalog(integrations: Iterable[Integration], direction: str) -> list[Record]:
    """What sources or destinations can be made of, as far as these integrations tell."""
    by_connector: dict[str, Integration] = {}
    for integration in integrations:
        if integration.direction == direction:
            by_connector[integration.connector_id] = integration
    in_order = [integration for _, integration in sorted(by_connector.items())]
    return [_connector(integration) for integration in in_order]


def _connector(one: Integration) -> Record:
    kind = "source-template" if one.direction == "source" else "destination-catalog"
    trigger_type = "web" if one.connector_template == "web" else "event"
    return {
        "id": one.connector_id,
        "type": kind,
        "attributes": {
            "label": one.connector_name,
            "icon": f"//icons.example.com/{one.connector_template}.webp",
            "guide_url": None,
            "template": one.connector_template,
            "trigger_type": trigger_type,
        },
        "relationships": {"categories": _related("integration-categories", "1")},
    }


def _parameters(one: Integration) -> Record:
    # both hold a secret of a partner, as live ones do, so that tests see that none of them is kept
    if one.direction == "source":
        return {
            "facebook": {"pixel_id": str(one.id), "access_token": SECRET},
            "gdpr_purpose": "all",
        }
    return {
        "timestamp": "context.event_timestamp",
        "user_id": "user.id",
        "access_token": SECRET,
    }


def health(hourly: Iterable[Hour]) -> Record:
    """Totals of these hours and their history by day; one delivery in fifty needed a second try."""
    totals: Counter[str] = Counter()
    # what was refused and what failed are one in the history, and two in the totals
    success_by_day: Counter[int] = Counter()
    fail_by_day: Counter[int] = Counter()
    for began_at, success, failed, rejected in hourly:
        midnight = millis(began_at.replace(hour=0))
        success_by_day[midnight] += success
        fail_by_day[midnight] += failed + rejected
        totals.update(success=success, failed=failed, rejected=rejected)
    retried = totals["success"] // 50
    at_once = totals["success"] - retried
    return {
        "total": totals.total(),
        "success": {
            "immediate": {"total": at_once, "increase_rate": 0.0},
            "retry": {"total": retried, "increase_rate": None},
        },
        "fail": {
            "rejected": {"total": totals["rejected"], "increase_rate": 0.0},
            "error": {"total": totals["failed"], "increase_rate": None},
        },
        "trends": {
            "success": _dataset("success", success_by_day),
            "fail": _dataset("fail", fail_by_day),
        },
    }


def _dataset(name: str, by_day: Mapping[int, int]) -> Record:
    """A header and a row for each day, as all figures of the service come."""
    header = ["dateTime", name]
    return {"dataset": [header, *map(list, by_day.items())]}


def hours_between(one: Integration, start: datetime, end: datetime) -> list[Hour]:
    """The hours of an integration that begin in start..end."""
    return [hour for hour in one.hourly if start <= hour[0] <= end]


def trends(one: Integration, hours: Iterable[Hour], granularity: int) -> Record:
    """What was delivered in each interval of `granularity` milliseconds; refused and failed are one."""
    intervals: dict[int, list[int]] = {}
    for began_at, success, failed, rejected in hours:
        interval = millis(began_at) // granularity * granularity
        counted = intervals.setdefault(interval, [0, 0])
        counted[0] += success
        counted[1] += failed + rejected
    rows: list[list[str | int]] = [["dateTime", "success", "fail"]]
    for interval, counted in sorted(intervals.items()):
        rows.append([interval, *counted])
    return {
        "id": str(one.id),
        "type": "delivery/trend",
        "attributes": {
            "connector_type": one.connector_template,
            "datasets": rows,
        },
    }


def statistic(
    banner: Banner, first: date, last: date, devices: Collection[int], locations: Collection[int]
) -> Record | None:
    """One banner, summed over the days; counts of 0 are left out, as in the vendor's example."""
    days = []
    for banner_day in banner.daily:
        if first <= banner_day.day <= last and _counts(banner_day, devices, locations):
            days.append(banner_day)
    if not days:
        return None
    counts = _decisions(days)
    exposed = counts["nb_visitors_exposed_to_privacy"]
    counts |= _further_counts(counts)
    rates = {
        "optin_rate": _rate(counts["nb_optin"], exposed),
        "optout_rate": _rate(counts["nb_optout"], exposed),
    }
    for dimension, field in (("category", "categories"), ("vendor", "vendors")):
        optins: Counter[str] = Counter()
        for banner_day in days:
            optins.update(getattr(banner_day, field))
        for number, optin in optins.items():
            counts[f"nb_optin_{dimension}_{number}"] = optin
            if optin:
                rates[f"optin_rate_{dimension}_{number}"] = _rate(optin, exposed)
    present = {metric: count for metric, count in counts.items() if count}
    return {
        "type": "privacy/statistic",
        "id": banner.id,
        "attributes": present | rates,
    }


def _decisions(days: Iterable[BannerDay]) -> dict[str, int]:
    """Who saw a banner in these days, and what they decided."""
    counts = {
        "nb_visitors_exposed_to_privacy": 0,
        "nb_banner_views": 0,
        "nb_optin": 0,
        "nb_explicit_optin": 0,
        "nb_optout": 0,
    }
    for banner_day in days:
        counts["nb_visitors_exposed_to_privacy"] += banner_day.visitors_exposed
        counts["nb_banner_views"] += banner_day.banner_views
        counts["nb_optin"] += banner_day.optin
        counts["nb_explicit_optin"] += banner_day.explicit_optin
        counts["nb_optout"] += banner_day.optout
    return counts


def _further_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Where and how visitors chose: one in ten opened the privacy center, and half of those chose there."""
    explicit = counts["nb_explicit_optin"]
    in_center = explicit // 20
    on_banner = explicit - in_center
    opened = counts["nb_visitors_exposed_to_privacy"] // 10
    return {
        "nb_banner_clicks_links_not_PC": opened // 5,
        "nb_banner_clicks_button": on_banner + counts["nb_optout"],
        "nb_optin_all_on_click_banner": on_banner,
        "nb_optout_on_click_banner": counts["nb_optout"],
        "nb_PC_views": opened,
        "nb_PC_vendor_views": opened // 2,
        "nb_PC_clicks_save": in_center,
        "nb_optin_PC_save": in_center,
        "nb_optin_all_on_save_PC": in_center // 2,
        "nb_optin_all": on_banner + in_center // 2,
    }


def _counts(row: BannerDay, devices: Collection[int], locations: Collection[int]) -> bool:
    """Whether a row is asked for; no devices are all of them, and so are no locations."""
    device = DEVICES.get(row.device or "", 0)
    location = LOCATIONS.get(row.location or "", 0)
    if devices and device not in devices:
        return False
    return not locations or location in locations


def _rate(part: int, whole: int) -> float:
    if not whole:
        return 0.0
    return part / whole


def segment(one: TagSegment, first: datetime, end: datetime) -> list[Record]:
    """Sizes by the hour for less than a week, else by the day; numbers as text."""
    parts = 1
    if end - first < timedelta(days=7):
        parts = 24
    rows = []
    for day, total, added, removed in one.daily:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        for part in range(parts):
            began_at = midnight + timedelta(hours=part)
            if not first <= began_at < end:
                continue
            attributes = {
                "nb_visitors_added": str(_share(added, parts, part)),
                "nb_visitors_removed": str(_share(removed, parts, part)),
                "nb_visitors_total": str(total),
                "start_date": began_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            }
            row = {
                "type": "dms/segment-statistics",
                "id": str(millis(began_at)),
                "attributes": attributes,
            }
            rows.append(row)
    return rows


def _share(number: int, parts: int, part: int) -> int:
    equal_share, left_over = divmod(number, parts)
    # what is left over goes to the first parts: together they are the number again
    return equal_share + (part < left_over)


def users(world: World) -> list[Record]:
    """Who works with the site."""
    return [_user(number, user) for number, user in enumerate(world.users, 1)]


def _user(number: int, user: User) -> Record:
    return {
        "type": "admin/users",
        "id": number,
        "attributes": {
            "type": "end_user",
            "language": "english",
            "email": user.email,
            "firstname": user.first_name,
            "lastname": user.last_name,
        },
    }


class Log:
    """The activity log; ids are numbers here, given in the order of first mention."""

    def __init__(self, changes: Iterable[Change], people: Iterable[User]) -> None:
        self.changes = list(enumerate(changes, 1))
        self._users = {user.id: number for number, user in enumerate(people, 1)}
        self._subjects: dict[str, int] = {}
        for _, change in self.changes:
            self._subjects.setdefault(change.subject_id, len(self._subjects) + 1)

    def causer(self, change: Change) -> int:
        """The number of the user who did it; 0 for one who is gone."""
        return self._users.get(change.user_id, 0)

    def action(self, change: Change) -> str:
        """What was done, in the past form."""
        return _PAST.get(change.action, change.action)

    def line(self, number: int, change: Change) -> Record:
        """One line of the log."""
        return {
            "type": "activity-logs",
            "id": number,
            "attributes": {
                "log_name": "api",
                "action": self.action(change),
                "description": change.description,
                "origin": f"/v2/7/{change.subject_kind}s",
                "subject_id": self._subjects[change.subject_id],
                "subject_type": change.subject_kind,
                "causer_id": self.causer(change),
                "properties": {"attributes": {"access_token": SECRET}},
                "created_at": offset_time(change.created_at),
            },
        }
