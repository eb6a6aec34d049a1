"""Lists of the service's objects, each asked for as a whole or by its id, in pages where these are documented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from crmlab.sandbox.service import Handler, dumps
from crmlab.sandbox.services.commanders_act import replies
from crmlab.sandbox.services.commanders_act.collection import Collection, Object
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
        found: dict[str, Handler] = {}
        for path, collection in self.collections.items():
            if path in _NOT_READ:
                continue
            found[path] = _all(collection)
            if path not in _WITHOUT_IDS:
                found[f"{path.rstrip('/')}/{{id}}"] = _one(collection)
        return found | {
            "/ams/reports/{id}/data": self.report_data,
            "/privacy/cookie-scanner/cookie/description/{name}": self.cookie_description,
            "/privacy/cookie-scanner/install-code": self.install_code,
            "/privacy/cookie-scanner/{version}/{format}/exports/{language}": self.export,
        }

    async def report_data(self, request: web.Request) -> web.Response:
        """A page of the lines of a report, with what tells of the others."""
        report = _named(self.collections["/ams/reports"], request)
        number, size = _page(request)
        campaigns = [campaign.name for campaign in self._world.campaigns] or ["Campaign"]
        lines = [_line(campaigns[n % len(campaigns)], n, int(report["id"])) for n in range(_LINES)]
        chosen = lines[(number - 1) * size : number * size]
        last = -(-len(lines) // size)
        pagination = {
            "total": len(lines),
            "count": len(chosen),
            "per_page": size,
            "current_page": number,
            "total_pages": last,
        }
        numbers = {"self": number, "first": 1, "last": last, "next": min(number + 1, last)}
        address = f"https://internal.example.com/v2/7/ams/reports/{report['id']}/data"
        links = {name: f"{address}?{_query(page, size)}" for name, page in numbers.items()}
        if number >= last:
            del links["next"]
        columns = ["name", *_METRICS]
        data = {"rows": chosen, "total": _sum(lines), "columns": columns}
        body = {"data": data, "meta": {"pagination": pagination}, "links": links}
        return web.Response(body=dumps(body), content_type=replies.JSON_API)

    async def cookie_description(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if not any(each["attributes"]["name"] == name for each in self._cookies):
            raise replies.NoDataError
        body = {
            f"description_{language}": f"{name} ({language})" for language in ("en", "fr", "it")
        }
        return web.Response(body=dumps(body), content_type=replies.JSON_API)

    @property
    def _cookies(self) -> list[Object]:
        return self.collections["/privacy/cookie-scanner/cookies"].objects

    async def install_code(self, request: web.Request) -> web.Response:
        body = {"code": '<script src="//cdn.example.com/cookies.js"></script>'}
        return web.Response(body=dumps(body), content_type=replies.JSON_API)

    async def export(self, request: web.Request) -> web.Response:
        """The cookies of a version as a file; what is in it is not documented."""
        versions = {
            each["attributes"]["version"]
            for each in self.collections["/privacy/cookie-scanners"].objects
        }
        if (
            request.match_info["version"] not in versions
            or request.match_info["format"].lower() not in _EXPORTS
        ):
            raise replies.NoDataError
        names = "\n".join(each["attributes"]["name"] for each in self._cookies)
        return web.Response(body=names.encode(), content_type="application/octet-stream")


def _all(collection: Collection) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        replies.included(request, collection.includes)
        found = [each for each in collection.objects if _passes(each, collection.filters, request)]
        if not collection.is_paged:
            return replies.data(found)
        number, size = _page(request)
        return replies.data(_sorted(found, request)[(number - 1) * size : number * size])

    return handle


def _one(collection: Collection) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        replies.included(request, collection.includes)
        found = _named(collection, request)
        shown = {
            name: part
            for name, part in found.items()
            if collection.shows_related or name != "relationships"
        }
        return replies.data(shown)

    return handle


def _named(collection: Collection, request: web.Request) -> Object:
    found = collection.named(request.match_info["id"])
    if found is None:
        raise replies.NoDataError
    return found


def _passes(each: Object, filters: Mapping[str, str], request: web.Request) -> bool:
    """Whether an object has what each filter wants; truths are written true and false, or 1 and 0."""
    for name, attribute in filters.items():
        wanted = request.query.get(f"filter[{name}]")
        value = each["attributes"].get(attribute)
        forms = (
            {str(value).lower(), str(int(value))}
            if isinstance(value, bool)
            else {str(value).lower()}
        )
        if wanted is not None and wanted.lower() not in forms:
            return False
    return True


def _sorted(found: list[Object], request: web.Request) -> list[Object]:
    """Return the objects in the order that ``sort``, or ``sort[by]`` and ``sort[desc]``, asks for."""
    wanted = request.query.get("sort", request.query.get("sort[by]", ""))
    is_falling = wanted.startswith("-") or request.query.get("sort[desc]") == "true"
    name = wanted.lstrip("-")
    if not name:
        return found
    if any(name not in each["attributes"] for each in found):
        raise replies.BadFilterError("sort")
    return sorted(found, key=lambda each: str(each["attributes"][name]), reverse=is_falling)


def _page(request: web.Request) -> tuple[int, int]:
    """Return which page is asked for, and how many it may hold."""
    found = []
    for name, default in (("page[number]", 1), ("page[size]", _PAGE_SIZE)):
        value = request.query.get(name, str(default))
        if not value.isdecimal() or not 0 < int(value) < 10**6:
            raise replies.BadFilterError(name)
        found.append(int(value))
    return found[0], found[1]


def _query(number: int, size: int) -> str:
    return f"{quote('page[number]')}={number}&{quote('page[size]')}={size}"


def _line(name: str, number: int, report: int) -> Object:
    values = [(900 - 7 * number) * report, (500 - 3 * number) * report]
    cells = {
        metric: {"type": "number", "value": v, "top_value": v}
        for metric, v in zip(_METRICS, values, strict=True)
    }
    return {"name": {"type": "string", "value": f"{name} {number + 1}"}, **cells}


def _sum(lines: list[Object]) -> dict[str, Any]:
    sums = {metric: sum(line[metric]["value"] for line in lines) for metric in _METRICS}
    total: dict[str, Any] = {"name": {"type": "string", "value": "total"}}
    return total | {
        metric: {"type": "number", "value": v, "top_value": v} for metric, v in sums.items()
    }
