"""Commanders Act Platform API v2: sources, destinations, deliveries, consent statistics.

JSON:API under one site id. Sources: the vendor's OpenAPI document (July 2025) and its public
platform documentation. Limits: 30 requests a second and 30 connections of each token.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import (
    Context,
    Field,
    Limits,
    Page,
    Paginator,
    Provider,
    Request,
    Resource,
    count_and_names,
    fill_path,
    get,
    linked,
    numbered,
    pointer,
    read_refusal,
    refuse,
    whole_number,
)
from crmlab.connector.operation import declared_in
from crmlab.errors import ApiError, PagingError
from crmlab.providers.commanders_act import fields, statistics, views
from crmlab.providers.commanders_act.probes import PROBES
from crmlab.providers.commanders_act.windows import (
    DAYS,
    as_kept,
    by_default,
    days,
    iso,
    kept,
    period,
    reached_as_kept,
    reached_by_default,
)

#: by the number that the service gives them
_DEVICES = ("others", "mobile", "tablet", "desktop")
_LOCATIONS = ("other", "eu")
HOUR = 3_600_000
DAY = 86_400_000
_WEEK = dt.timedelta(days=7)
#: data that hold nothing
_NOTHING = re.compile(rb"\s*(?:null|\[\s*\]|\{\s*\})\s*")
#: the service's words for refusals that come without a usable HTTP status
_STATUSES = {
    "MISSING_AUTHORIZATION_HEADER": 401,
    "UNKNOWN_TOKEN_TYPE": 401,
    "INVALID_TOKEN_TYPE": 401,
    "UNKNOWN_TOKEN": 401,
    "SITE_ACCESS_FORBIDDEN": 403,
    "REQUEST_LIMIT_REACHED": 429,
    "CONNECTION_LIMIT_REACHED": 429,
    "SERVER_ERROR": 500,
}


class _Error(msgspec.Struct):
    # any of them may be absent, and numbers may come as text
    code: Any = None
    title: Any = None
    detail: Any = None
    status: Any = None


class _Errors(msgspec.Struct):
    errors: list[_Error] | None = None


class _Answer(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")
    # beside data, one error alone or a text is an error as well
    errors: Any = None

    def listed_errors(self) -> list[_Error]:
        items = self.errors if isinstance(self.errors, list) else [self.errors]
        return [_error(item) for item in items if item]

    @property
    def has_data(self) -> bool:
        return not _NOTHING.fullmatch(bytes(self.data))


class _Ends(msgspec.Struct):
    # an empty object may come as an empty list
    meta: Any = None
    links: Any = None


#: some operations, such as the events collected, answer with plain JSON alone
_ACCEPT = "application/vnd.api+json, application/json;q=0.9"


def _sign(request: Request, secrets: Mapping[str, str]) -> Request:
    return request.with_headers(Authorization=f"Bearer {secrets['token']}", Accept=_ACCEPT)


def _check(page: Page) -> None:
    """Raise the first error of an answer: some come with HTTP 200, and some stand alone. Beside data it is told."""
    errors = [] if _beside_data(page) else _errors(page)
    if not errors:
        return
    code, detail = _words(errors[0])
    raise refuse(
        page,
        now=time.time(),
        code=code,
        detail=detail,
        status=_status(errors[0], code) if page.succeeded else 0,
    )


def _beside_data(page: Page) -> str:
    """Return what an answer says that its data lack; "" where it says nothing."""
    if not page.succeeded:
        return ""
    answer = page.read(_Answer)
    errors = answer.listed_errors()
    if not errors or not answer.has_data:
        return ""
    said = " ".join(_words(errors[0])).strip()
    more = f", and {len(errors) - 1:,} more" if len(errors) > 1 else ""
    return f"an answer tells of errors beside its data: {said or 'without a word'}{more}"


def _words(error: _Error) -> tuple[str, str]:
    """Return the code of an error and what it is about."""
    return str(error.code or error.title or ""), str(error.detail or error.title or "")


def _errors(page: Page) -> list[_Error]:
    if page.succeeded:
        return page.read(_Errors).errors or []
    return read_refusal(page, _Errors()).errors or [read_refusal(page, _Error())]


def _error(item: Any) -> _Error:
    return msgspec.convert(item, _Error) if isinstance(item, dict) else _Error(detail=item)


def _status(error: _Error, code: str) -> int:
    """Return the HTTP status that an error names, or that is known for its code; 0 where neither tells."""
    named = int(error.status) if str(error.status).isdigit() else 0
    return named or _STATUSES.get(code, 0)


def _pagination(page: Page) -> Mapping[str, Any]:
    """Return what an answer tells of its pages: in ``meta.pagination`` as documented, or in ``meta``."""
    meta = page.read(_Ends).meta
    if not isinstance(meta, dict):
        return {}
    for found in (meta.get("pagination"), meta.get("page"), meta):
        if isinstance(found, dict) and not found.keys().isdisjoint((*_LAST_PAGE, *_TOTAL, *_PAGE_SIGNS)):
            return found
    return {}


def _first_of(found: Mapping[str, Any], names: Iterable[str]) -> int | None:
    numbers = (whole_number(found.get(name)) for name in names)
    return next((number for number in numbers if number is not None), None)


def _total(page: Page) -> int | None:
    return _first_of(_pagination(page), _TOTAL)


def _last_page(page: Page) -> int | None:
    return _first_of(_pagination(page), _LAST_PAGE)


def _proves_no_end(page: Page) -> bool:
    """Whether an answer tells of pages, and neither how many records there are nor that no page follows."""
    links = page.read(_Ends).links
    tells_of_next = isinstance(links, dict) and "next" in links
    return bool(_pagination(page)) and _total(page) is None and not tells_of_next


_PAGE = "page[number]"
#: how answers call the number of the last page and of all records: the documented name first
_LAST_PAGE = ("total_pages", "last_page", "page_count", "pages")
_TOTAL = ("total", "total_count")
#: what tells that there are pages, though not how many
_PAGE_SIGNS = ("per_page", "current_page", "next_page")
_numbered = numbered(_last_page, param=_PAGE)


def _follow(page: Page) -> Iterable[Request]:
    """Follow pages where an answer tells of them: documented for reports only, possible elsewhere."""
    if not _is_chain(page):
        return _numbered(page)
    link = _next_link(page)
    if link is None:
        return ()
    following = linked(page.request, link)
    number = following.params.get(_PAGE, "")
    if not number.isdecimal() or int(number) > _number(page):
        return [following]
    if _last_page(page) is not None:  # meta tells as well that nothing follows
        return ()
    raise PagingError(f"the next page of {page.request.path} is said to be page {number}, which was read before")


def _number(page: Page) -> int:
    return whole_number(page.request.params.get(_PAGE)) or 1


def _is_chain(page: Page) -> bool:
    """Whether only a link can tell what follows: meta tells of no pages, or of none after this one."""
    last = _last_page(page)
    return last is None or last <= _number(page)


def _next_link(page: Page) -> str | None:
    """Return the link to the next page: text, or an object that holds it (jsonapi.org, 1.1, document links)."""
    links = page.read(_Ends).links
    link = links.get("next") if isinstance(links, dict) else None
    address = link.get("href") if isinstance(link, dict) else link
    return pointer(address) if isinstance(address, str) else None


def _more(page: Page) -> int | None:
    if not _is_chain(page):
        return _numbered.more(page)
    return None if _follow(page) else 0


_pages = Paginator(
    strategy="one answer, or the pages that it tells of",
    follow=_follow,
    more=_more,
    param=_PAGE,
    proves_no_end=_proves_no_end,
    is_chain=_is_chain,
)


def _is_empty_answer(error: ApiError, request: Request) -> bool:
    """Whether this is how the service says that there is no data (not: no such path)."""
    return error.status == 404 and "no data" in error.detail.lower()


def _trends(context: Context) -> Iterable[Request]:
    """Each destination's deliveries, by the hour for up to a day, else by the day."""
    window = kept(context)
    if window is None:
        return
    start, end = window
    granularity = HOUR if end - start <= dt.timedelta(days=1) else DAY
    # whole intervals: the first one would be counted in part
    start = start.replace(minute=0, second=0, microsecond=0)
    if granularity == DAY:
        start = start.replace(hour=0)
    for integration in context.rows["destinations"]["id"].drop_nulls():
        yield _delivery("trends", integration, iso(start), iso(end), granularity)


def _delivery(kind: str, id: str, start: str, end: str, granularity: int) -> Request:
    return Request(
        path=fill_path(f"/integrations/{{id}}/delivery/{kind}", id=id),
        params={"start": start, "end": end, "granularity": str(granularity)},
        tags={"integration_id": id},
    )


def _statistics(context: Context) -> Iterable[Request]:
    devices = _DEVICES if context.options.get("devices") == "yes" else ("",)
    locations = _LOCATIONS if context.options.get("locations") == "yes" else ("",)
    for day, device, location in product(days(context), devices, locations):
        date = day.isoformat()
        request = Request(
            path="/privacy/statistics",
            params={"filter[begin_date]": date, "filter[end_date]": date},
            tags={"day": date, "device": device, "location": location},
        )
        if device:
            request = request.with_params(**{"filter[sup_filters][device][]": _DEVICES.index(device)})
        if location:
            request = request.with_params(**{"filter[sup_filters][location][]": _LOCATIONS.index(location)})
        yield request


def _segments(context: Context) -> Iterable[Request]:
    first, last = period(context)
    end = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), dt.UTC)
    start = dt.datetime.combine(first, dt.time(), dt.UTC)
    # a period below a week would be answered by the hour
    start = min(start, end - _WEEK)
    listed = context.options.get("segment_ids", "").split(",")
    segments = [part.strip() for part in listed if part.strip()]
    for segment in dict.fromkeys(segments):
        yield Request(
            path="/dms/segments-statistics",
            params={"filter[segment_id]": segment, "filter[from]": iso(start), "filter[to]": iso(end)},
            tags={"segment_id": segment},
        )


def _logs(context: Context) -> Iterable[Request]:
    """Whole days, one more on both sides: the time zone of the days is not documented."""
    day = dt.timedelta(days=1)
    params = {}
    if context.since:
        params["filter[created][since]"] = (context.since - day).date().isoformat()
    if context.until:
        params["filter[created][until]"] = (context.until + day).date().isoformat()
    return [Request(path="/activity-logs", params=params)]


def _list(name: str, doc: str, **more: Any) -> Resource:
    return Resource(
        name=name,
        doc=doc,
        follow=_pages,
        total=_total,
        is_empty_answer=_is_empty_answer,
        lacking=_beside_data,
        **more,
    )


PROVIDER = Provider(
    name="commanders_act",
    title="Commanders Act",
    base_url="https://api.commander1.com/v2/{site_id}",
    home="https://doc.commandersact.com/developers/platform-api",
    fields=(
        Field(
            name="site_id",
            label="Site ID",
            secret=False,
            pattern="[0-9]+",
            help="the number of your site, in the address of every page of the platform",
        ),
        Field(name="token", label="API token", help="from your Commanders Act account manager"),
        Field(
            name="segment_ids",
            label="Segment IDs",
            secret=False,
            pattern=r"([0-9]+(\s*,\s*[0-9]+)*)?",
            help="optional: numbers of the segments to count, joined by commas (the API cannot list them)",
        ),
        Field(
            name="devices",
            label="Consent by device",
            secret=False,
            default="no",
            pattern="yes|no",
            help="yes: banner statistics apart for desktop, mobile, tablet and others, in four times as many requests",
        ),
        Field(
            name="locations",
            label="Consent by location",
            secret=False,
            default="no",
            pattern="yes|no",
            help="yes: banner statistics apart for visitors inside and outside the EU, in twice as many requests",
        ),
    ),
    sign=_sign,
    check=_check,
    limits=Limits(rate=30, burst=30, concurrency=30, scope="account"),
    ping=Request(path="/sources"),
    reached=count_and_names("source", "attributes", "label"),
    ping_resource="sources",
    resources=(
        _list(
            "sources",
            "Sources with their health, without their parameters (which may hold secrets).",
            requests=get("/sources", include="connector,environment,health"),
            schema=fields.INTEGRATION,
            never_kept=fields.NEVER_KEPT_OF_INTEGRATIONS,
            views=views.integrations("source"),
        ),
        _list(
            "destinations",
            "Destinations with their health, without their parameters (which may hold secrets of partners).",
            requests=get("/destinations", include="connector,environment,health"),
            schema=fields.INTEGRATION,
            never_kept=fields.NEVER_KEPT_OF_INTEGRATIONS,
            views=views.integrations("destination"),
        ),
        _list(
            "delivery_trends",
            f"Deliveries of each destination, by the hour up to a day, else by the day; kept {DAYS} days.",
            requests=_trends,
            note=as_kept,
            reached=reached_as_kept,
            needs_before_request=("destinations",),
            tags=("integration_id",),
            key=pl.col("_integration_id"),
            schema=fields.TREND,
            views=views.DELIVERIES,
        ),
        _list(
            "privacy_statistics",
            "Consent banners, a request for each day of since..until (and device with devices=yes, location with "
            "locations=yes); "
            f"the last {DAYS} days without since.",
            requests=_statistics,
            note=by_default,
            reached=reached_by_default,
            tags=("day", "device", "location"),
            restate=statistics.as_documented,
            key=views.STATISTICS_KEY,
            schema=fields.STATISTIC,
            inside_json={"attributes": fields.COUNTERS},
            views=views.STATISTICS,
        ),
        _list(
            "segments_statistics",
            f"Sizes per day of the segments named in segment_ids; the last {DAYS} days without since.",
            requests=_segments,
            note=lambda context: by_default(context) if context.options.get("segment_ids") else "no segment_ids given",
            reached=reached_by_default,
            tags=("segment_id",),
            key=pl.format("{}/{}", pl.col("_segment_id"), pl.col("id")),
            schema=fields.SEGMENT,
            views=views.segments,
            view_tables=("segments",),
        ),
        _list("users", "Users of the site.", requests=get("/users"), schema=fields.USER, views=views.USERS),
        _list(
            "activity_logs",
            "Who changed what (needs the right to see the modification history).",
            requests=_logs,
            schema=fields.LOG,
            never_kept=fields.NEVER_KEPT_OF_LOGS,
            views=views.LOGS,
        ),
    ),
    operations=declared_in("crmlab.providers.commanders_act.operations"),
    assumptions=(
        "lists come whole; where an answer holds meta.pagination or links.next, it is followed, the link by what it "
        "asks for and not to its host; where it tells of pages, and neither of a total nor of a link, one page more is "
        "asked for than it tells",
        "GET /users, which the vendor shows as its example of a request, answers a JSON:API list of "
        "firstname, lastname, email and type",
        "an integration's id is unique among sources and destinations",
        f"statistics are asked for the last {DAYS} days where since is not given, today included",
        "days of the consent statistics and of deliveries begin where the site's time zone says, not at "
        "midnight UTC: a delivery day that begins before since is left out",
        "the segment ids of the statistics (numbers) cannot be looked up: other parts of the platform "
        "name segments by letters and digits",
        "a count that an answer leaves out is unknown, not 0",
        "the first row of delivery trends names their columns, in whatever order; a column that it does not name is "
        "told as values that could not be read",
        "errors beside data mean that the data are not all: they are kept, and the list is told incomplete",
        "filter[created] of the activity log includes both days, whatever their time zone",
    ),
    probes=PROBES,
    never_kept=fields.NEVER_KEPT_OF_LISTS_NOT_READ,
    not_covered=(
        "creating and changing sources, destinations, users, alerts, tag-manager objects",
        "delivery issues: they hold bodies of requests, with persons and keys in them",
        "event monitoring, data quality, reports, enrichment, the tag manager's catalogues",
        "the APIs beside it with other keys: conversions, consent of a single visitor, event collection",
    ),
)
