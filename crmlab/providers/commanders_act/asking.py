"""Which requests bring deliveries, statistics, segments and the log: by day, by destination, by segment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from itertools import product

from crmlab.connector import Context, Request, fill_path
from crmlab.providers.commanders_act.windows import DAYS, days, iso, kept, period

#: by the number that the service gives them
_DEVICES = ("others", "mobile", "tablet", "desktop")
_LOCATIONS = ("other", "eu")
HOUR = 3_600_000
DAY = 86_400_000
_WEEK = dt.timedelta(days=7)


def delivery(kind: str) -> Callable[[Context], Iterable[Request]]:
    """Return what asks for one kind of figures of each destination, by the hour for up to a day, else by the day."""

    def requests(context: Context) -> Iterable[Request]:
        window = kept(context)
        if window is None:
            return
        start, end = window
        granularity = HOUR
        is_long = end - start > dt.timedelta(days=1)
        # whole intervals: the first one would be counted in part
        start = start.replace(minute=0, second=0, microsecond=0)
        if is_long:
            granularity = DAY
            start = start.replace(hour=0)
        for integration in context.rows["destinations"]["id"].drop_nulls():
            yield Request(
                path=fill_path(f"/integrations/{{id}}/delivery/{kind}", id=integration),
                params={"start": iso(start), "end": iso(end), "granularity": str(granularity)},
                tags={"integration_id": integration},
            )

    return requests


def statistics(context: Context) -> Iterable[Request]:
    """Yield a request for each day of the period, and each device and location where these are asked apart."""
    # an empty name stands for all of them together
    devices: tuple[str, ...] = ("",)
    locations: tuple[str, ...] = ("",)
    if context.options.get("devices") == "yes":
        devices = _DEVICES
    if context.options.get("locations") == "yes":
        locations = _LOCATIONS
    for one_day, device, location in product(days(context), devices, locations):
        iso_day = one_day.isoformat()
        request = Request(
            path="/privacy/statistics",
            params={"filter[begin_date]": iso_day, "filter[end_date]": iso_day},
            tags={"day": iso_day, "device": device, "location": location},
        )
        if device:
            request = request.with_params(
                **{"filter[sup_filters][device][]": _DEVICES.index(device)}
            )
        if location:
            request = request.with_params(
                **{"filter[sup_filters][location][]": _LOCATIONS.index(location)}
            )
        yield request


def segments(context: Context) -> Iterable[Request]:
    """Yield a request for each segment that the account names, for at least a week."""
    first_day, last_day = period(context)
    end = dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time(), dt.UTC)
    start = dt.datetime.combine(first_day, dt.time(), dt.UTC)
    # a period below a week would be answered by the hour
    start = min(start, end - _WEEK)
    listed = context.options.get("segment_ids", "").split(",")
    segment_ids = [segment_id.strip() for segment_id in listed if segment_id.strip()]
    for segment_id in dict.fromkeys(segment_ids):
        yield Request(
            path="/dms/segments-statistics",
            params={
                "filter[segment_id]": segment_id,
                "filter[from]": iso(start),
                "filter[to]": iso(end),
            },
            tags={"segment_id": segment_id},
        )


def collection(context: Context) -> list[Request]:
    """The events that were collected in the period, with their counts."""
    end = context.until or context.now
    start = context.since or end - dt.timedelta(days=DAYS)
    parameters = {
        "filter[rangeType]": "absolute",
        "filter[from]": iso(start),
        "filter[to]": iso(end),
        "include": "stats.normalized",
    }
    return [Request(path="/monitoring/collection/events", params=parameters)]


def logs(context: Context) -> Iterable[Request]:
    """Whole days, one more on both sides: the time zone of the days is not documented."""
    one_day = dt.timedelta(days=1)
    params = {}
    if context.since:
        params["filter[created][since]"] = (context.since - one_day).date().isoformat()
    if context.until:
        params["filter[created][until]"] = (context.until + one_day).date().isoformat()
    return [Request(path="/activity-logs", params=params)]
