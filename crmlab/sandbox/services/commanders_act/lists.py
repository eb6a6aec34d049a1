"""Lists of the service's objects, each asked for as a whole or by its id, in pages where these are documented."""

from __future__ import annotations

import math
from collections.abc import Mapping
from urllib.parse import quote

from aiohttp import web

from crmlab.sandbox.service import Handler, Record, dumps
from crmlab.sandbox.services.commanders_act import replies
from crmlab.sandbox.services.commanders_act.collection import (
    Collection,
    Object,
    without_related,
)
from crmlab.sandbox.services.commanders_act.objects import collections
from crmlab.sandbox.world.model import World

_PAGE_SIZE = 10
#: paths without a way to one of their objects, and those that answer no read at all
_WITHOUT_IDS = frozenset(
    {
        "/users",
        "/source-catalog",
        "/destination-catalog",
        "/source-categories",
        "/destination-categories",
        "/normalized-datalayer/event-types",
    }
)
_NOT_READ = frozenset(
    {
        "/admin/workspace",
        "/tms/serverside-containers",
        "/tms/web-datalayer-variable-categories",
        "/tms/serverside-datalayer-variable-categories",
    }
)
#: metrics of a report
_METRICS = ("attribution-model-5_metric-29", "attribution-model-22_metric-29")
_LINES = 25
_EXPORTS = ("html", "json", "csv", "xslx")


class Lists:
    """The collections of a site, and what answers to their paths."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.collections = collections(world)

    @property
    def reads(self) -> dict[str, Handler]:
        """Return what answers a read, by path."""
        handlers: dict[str, Handler] = {}
        for path, collection in self.collections.items():
            if path in _NOT_READ:
                continue
            handlers[path] = _all(collection)
            if path not in _WITHOUT_IDS:
                handlers[f"{path.rstrip('/')}/{{id}}"] = _one(collection)
        return handlers | {
            "/ams/reports/{id}/data": self.report_data,
            "/privacy/cookie-scanner/cookie/description/{name}": self.cookie_description,
            "/privacy/cookie-scanner/install-code": self.install_code,
            "/privacy/cookie-scanner/{version}/{format}/exports/{language}": self.export,
        }

    async def report_data(self, request: web.Request) -> web.Response:
        """A page of the lines of a report, with what tells of the others."""
        report = _named(self.collections["/ams/reports"], request)
        page_number, page_size = _page(request)
        lines = self._report_lines(int(report["id"]))
        page_lines = _on_page(lines, page_number, page_size)
        last_page = math.ceil(len(lines) / page_size)
        pagination = {
            "total": len(lines),
            "count": len(page_lines),
            "per_page": page_size,
            "current_page": page_number,
            "total_pages": last_page,
        }
        # links lead to a host that no client reaches:
        # whoever follows them must not take them as they are
        address = f"https://internal.example.com/v2/7/ams/reports/{report['id']}/data"
        links = {
            "self": f"{address}?{_query(page_number, page_size)}",
            "first": f"{address}?{_query(1, page_size)}",
            "last": f"{address}?{_query(last_page, page_size)}",
        }
        if page_number < last_page:
            links["next"] = f"{address}?{_query(page_number + 1, page_size)}"
        data = {
            "rows": page_lines,
            "total": _sum(lines),
            "columns": ["name", *_METRICS],
        }
        body = {
            "data": data,
            "meta": {"pagination": pagination},
            "links": links,
        }
        return web.Response(body=dumps(body), content_type=replies.JSON_API)

    def _report_lines(self, report_id: int) -> list[Object]:
        campaigns = [campaign.name for campaign in self._world.campaigns] or ["Campaign"]
        lines = []
        for number in range(_LINES):
            campaign_name = campaigns[number % len(campaigns)]
            lines.append(_line(campaign_name, number, report_id))
        return lines

    async def cookie_description(self, request: web.Request) -> web.Response:
        cookie_name = request.match_info["name"]
        if cookie_name not in self._cookie_names:
            raise replies.NoDataError
        body = {}
        for language in ("en", "fr", "it"):
            body[f"description_{language}"] = f"{cookie_name} ({language})"
        return web.Response(body=dumps(body), content_type=replies.JSON_API)

    @property
    def _cookie_names(self) -> list[str]:
        cookies = self.collections["/privacy/cookie-scanner/cookies"]
        return [cookie["attributes"]["name"] for cookie in cookies.objects]

    async def install_code(self, request: web.Request) -> web.Response:
        body = {"code": '<script src="//cdn.example.com/cookies.js"></script>'}
        return web.Response(body=dumps(body), content_type=replies.JSON_API)

    async def export(self, request: web.Request) -> web.Response:
        """The cookies of a version as a file; what is in it is not documented."""
        scanners = self.collections["/privacy/cookie-scanners"]
        versions = {scanner["attributes"]["version"] for scanner in scanners.objects}
        is_format = request.match_info["format"].lower() in _EXPORTS
        if request.match_info["version"] not in versions or not is_format:
            raise replies.NoDataError
        content = "\n".join(self._cookie_names).encode()
        return web.Response(body=content, content_type="application/octet-stream")


def _all(collection: Collection) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        replies.included(request, collection.includes)
        filters = collection.filters
        chosen = [entity for entity in collection.objects if _passes(entity, filters, request)]
        if not collection.is_paged:
            return replies.data(chosen)
        page_number, page_size = _page(request)
        in_order = _sorted(chosen, request)
        return replies.data(_on_page(in_order, page_number, page_size))

    return handle


def _one(collection: Collection) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        replies.included(request, collection.includes)
        entity = _named(collection, request)
        if not collection.shows_related:
            entity = without_related(entity)
        return replies.data(entity)

    return handle


def _named(collection: Collection, request: web.Request) -> Object:
    entity = collection.named(request.match_info["id"])
    if entity is None:
        raise replies.NoDataError
    return entity


def _passes(entity: Object, filters: Mapping[str, str], request: web.Request) -> bool:
    """Whether an object has what each filter wants; truths are written true and false, or 1 and 0."""
    for name, attribute in filters.items():
        wanted = request.query.get(f"filter[{name}]")
        value = entity["attributes"].get(attribute)
        spellings = {str(value).lower()}
        if isinstance(value, bool):
            spellings.add(str(int(value)))
        if wanted is not None and wanted.lower() not in spellings:
            return False
    return True


def _sorted(entities: list[Object], request: web.Request) -> list[Object]:
    """Return the objects in the order that ``sort``, or ``sort[by]`` and ``sort[desc]``, asks for."""
    wanted = request.query.get("sort", request.query.get("sort[by]", ""))
    is_falling = wanted.startswith("-") or request.query.get("sort[desc]") == "true"
    attribute = wanted.lstrip("-")
    if not attribute:
        return entities
    if any(attribute not in entity["attributes"] for entity in entities):
        raise replies.BadFilterError("sort")

    # as text: an attribute may be absent, or a number here and a word there
    def text(entity: Object) -> str:
        return str(entity["attributes"][attribute])

    return sorted(entities, key=text, reverse=is_falling)


def _page(request: web.Request) -> tuple[int, int]:
    """Return which page is asked for, and how many it may hold."""
    number = _positive(request, "page[number]", 1)
    size = _positive(request, "page[size]", _PAGE_SIZE)
    return number, size


def _on_page(entities: list[Object], number: int, size: int) -> list[Object]:
    stop = number * size
    return entities[stop - size : stop]


def _positive(request: web.Request, name: str, default: int) -> int:
    value = request.query.get(name, str(default))
    if not value.isdecimal() or not 0 < int(value) < 10**6:
        raise replies.BadFilterError(name)
    return int(value)


def _query(number: int, size: int) -> str:
    return f"{quote('page[number]')}={number}&{quote('page[size]')}={size}"


def _line(name: str, number: int, report: int) -> Object:
    first_metric, second_metric = _METRICS
    return {
        "name": {"type": "string", "value": f"{name} {number + 1}"},
        first_metric: _cell((900 - 7 * number) * report),
        second_metric: _cell((500 - 3 * number) * report),
    }


def _cell(value: int) -> Object:
    return {"type": "number", "value": value, "top_value": value}


def _sum(lines: list[Object]) -> Record:
    """Return the last line of a report: the sum of all its lines, also of those on other pages."""
    total: Record = {"name": {"type": "string", "value": "total"}}
    for metric in _METRICS:
        values = [line[metric]["value"] for line in lines]
        total[metric] = _cell(sum(values))
    return total
