"""What a few reads tell of Commanders Act."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from crmlab.connector import (
    NOWHERE,
    Context,
    Page,
    Probe,
    Reads,
    Request,
    confirmed,
    fill_path,
    has_fields,
    have_zone,
    listed,
    member,
    refuted,
    shown,
    stands_at,
    untold,
    whole_number,
)
from crmlab.errors import NotFoundError

_SOURCES = Request(path="/sources")
_DESTINATIONS = Request(path="/destinations")
_DAY = dt.timedelta(days=1)
#: how far back the activity log and the deliveries are looked at
_WEEKS = dt.timedelta(days=28)
#: destinations that are looked at for deliveries
_MAX_DESTINATIONS = 3
_COLUMNS = ["dateTime", "success", "fail"]


def _data(page: Page) -> list[dict[str, Any]]:
    return listed(page, "data")


def _attributes(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    attribute_values = [record.get("attributes") for record in records]
    return [record for record in attribute_values if isinstance(record, dict)]


def _stands_in_data(context: Context) -> Reads:
    page = yield _SOURCES
    return stands_at(page, "data")


def _users_are_listed(context: Context) -> Reads:
    try:
        page = yield Request(path="/users")
    except NotFoundError:
        return refuted("it answers HTTP 404")
    return has_fields(_attributes(_data(page)), ("firstname",), ("lastname",), ("email",))


def _come_whole(context: Context) -> Reads:
    sources = yield _SOURCES
    destinations = yield _DESTINATIONS
    came = len(_data(sources)) + len(_data(destinations))
    for page in (sources, destinations):
        pages = whole_number(member(page, "meta", "pagination", "total_pages"))
        if member(page, "links", "next") or (pages or 1) > 1:
            return refuted(f"{page.request.path} tells of {pages or 'further'} pages")
    if not came:
        return untold("the site has no sources and no destinations")
    return confirmed(f"{came:,} sources and destinations came, and no further page is told of")


def _ids_are_unique(context: Context) -> Reads:
    sources = yield _SOURCES
    destinations = yield _DESTINATIONS
    source_ids = {str(record.get("id")) for record in _data(sources)}
    destination_ids = {str(record.get("id")) for record in _data(destinations)}
    if not source_ids or not destination_ids:
        return untold("the site has no sources, or no destinations")
    shared_ids = source_ids & destination_ids
    if shared_ids:
        return refuted(f"{len(shared_ids):,} ids are those of a source and of a destination")
    return confirmed(
        f"{len(source_ids):,} sources and {len(destination_ids):,} destinations share no id"
    )


def _times_have_zone(context: Context) -> Reads:
    page = yield _SOURCES
    times = []
    for attributes in _attributes(_data(page)):
        times += [attributes.get("created"), attributes.get("updated")]
    return have_zone(times)


def _statistics(first: dt.date, last: dt.date) -> Request:
    edges = {"filter[begin_date]": first.isoformat(), "filter[end_date]": last.isoformat()}
    return Request(path="/privacy/statistics", params=edges)


def _one_day_is_enough(context: Context) -> Reads:
    two_days_ago = (context.now - 2 * _DAY).date()
    of_one_day = yield from _rows(_statistics(two_days_ago, two_days_ago))
    if of_one_day:
        return confirmed("statistics from a day to the same day hold banners")
    until_next = yield from _rows(_statistics(two_days_ago, two_days_ago + _DAY))
    if until_next:
        return refuted(
            "statistics from a day to the same day are empty, to the day after it they are not"
        )
    return untold("there are no statistics of the day that was looked at")


def _rows(request: Request) -> Any:
    """Ask, and return the records that came; none where the service says that it has no data."""
    try:
        page = yield request
    except NotFoundError:
        return []
    return _data(page)


def _logs(context: Context, **days: dt.date) -> Request:
    return Request(
        path="/activity-logs",
        params={f"filter[created][{edge}]": f"{day}" for edge, day in days.items()},
    )


def _log_days_belong(context: Context) -> Reads:
    log_lines = yield from _rows(_logs(context, since=(context.now - _WEEKS).date()))
    creation_times = [
        str(attributes.get("created_at"))
        for attributes in _attributes(log_lines)
        if attributes.get("created_at")
    ]
    if not creation_times:
        return untold("the activity log of the last four weeks is empty")
    middle_day = dt.date.fromisoformat(creation_times[len(creation_times) // 2][:10])
    of_one_day = yield from _rows(_logs(context, since=middle_day, until=middle_day))
    of_other_days = [
        attributes
        for attributes in _attributes(of_one_day)
        if not str(attributes.get("created_at")).startswith(middle_day.isoformat())
    ]
    if of_other_days:
        return refuted(
            f"{len(of_other_days):,} of {len(of_one_day):,} lines are of other days than the one asked for"
        )
    if of_one_day:
        return confirmed(f"from a day to the same day {len(of_one_day):,} came, all of that day")
    return refuted("no line came from the day of a line to the same day")


def _columns_are_named(context: Context) -> Reads:
    page = yield _DESTINATIONS
    for destination in _data(page)[:_MAX_DESTINATIONS]:
        trends = yield from _trends(context, str(destination.get("id")))
        if trends is None:
            continue
        datasets = [attributes.get("datasets") for attributes in _attributes(trends)]
        first_rows = [dataset[0] for dataset in datasets if isinstance(dataset, list) and dataset]
        if not first_rows:
            continue
        if first_rows[0] == _COLUMNS:
            return confirmed(f"the columns are {shown(first_rows[0])}")
        column_names = (
            first_rows[0] if isinstance(first_rows[0], list) else [type(first_rows[0]).__name__]
        )
        return refuted(f"the columns are {shown(column_names)}")
    return untold("no destination that was looked at has deliveries")


def _trends(context: Context, id_: str) -> Any:
    """Ask for the deliveries of a destination, and return the records of the answer; None where there are none."""
    parameters = {
        "start": (context.now - _WEEKS).strftime("%Y-%m-%dT00:00:00Z"),
        "end": context.now.strftime("%Y-%m-%dT%H:00:00Z"),
        "granularity": "86400000",
    }
    try:
        page = yield Request(
            path=fill_path("/integrations/{id}/delivery/trends", id=id_), params=parameters
        )
    except NotFoundError:
        return None
    single_trend = member(page, "data")
    return (
        [single_trend]
        if isinstance(single_trend, dict) and "attributes" in single_trend
        else _data(page)
    )


PROBES = (
    Probe(
        name="envelope",
        assumption="a list is what data holds",
        source="the vendor's document, whose examples hold an object there for some lists",
        if_wrong="the list is looked for under other usual names, and a note of the fetch says "
        "where it was",
        reads=_stands_in_data,
        max_requests=1,
    ),
    Probe(
        name="users",
        assumption="GET /users lists users with firstname, lastname and email",
        source=f"{NOWHERE}; the vendor shows it as an example of a request",
        if_wrong="users are missing or without their names; nothing else depends on them",
        reads=_users_are_listed,
        max_requests=1,
    ),
    Probe(
        name="whole_lists",
        assumption="a list comes whole, in one answer",
        source=NOWHERE,
        if_wrong="the pages that an answer tells of are followed: more requests, and nothing is "
        "lost",
        reads=_come_whole,
        max_requests=2,
    ),
    Probe(
        name="unique_ids",
        assumption="no source has the id of a destination",
        source=NOWHERE,
        if_wrong="two rows of integrations have one id, and what is joined by it is doubled",
        reads=_ids_are_unique,
        max_requests=2,
    ),
    Probe(
        name="time_zone",
        assumption="times say their zone",
        source="the vendor's document",
        if_wrong="times without a zone are misfits: created_at and modified_at of integrations "
        "are null",
        reads=_times_have_zone,
        max_requests=1,
    ),
    Probe(
        name="statistics_days",
        assumption="consent statistics from a day to the same day are those of that day",
        source=NOWHERE,
        if_wrong="there are no consent statistics, which are asked for day by day: "
        "please report it where you got crmlab from",
        reads=_one_day_is_enough,
        max_requests=2,
    ),
    Probe(
        name="log_days",
        assumption="filter[created] of the activity log includes both of its days, and no others",
        source=NOWHERE,
        if_wrong="a day more is asked for on both sides, so nothing is lost; what is too much is "
        "left out",
        reads=_log_days_belong,
        max_requests=2,
    ),
    Probe(
        name="delivery_columns",
        assumption=f"a dataset of deliveries has the columns {', '.join(_COLUMNS)}",
        source="the vendor's document, by its examples",
        if_wrong="columns are read by the names in the first row, in any order; a count of "
        "another name is null",
        reads=_columns_are_named,
        max_requests=4,
    ),
)
