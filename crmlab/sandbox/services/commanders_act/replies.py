"""What every handler answers with, and how it reads what a request asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from aiohttp import web

from crmlab.sandbox.service import Handler, Record, dumps

JSON_API = "application/vnd.api+json"
_ERRORS: dict[int, Record] = {
    400: {"code": "BAD_REQUEST", "detail": "The request is not valid"},
    401: {"code": "UNKNOWN_TOKEN", "detail": "The provided token is unknown"},
    403: {"code": "SITE_ACCESS_FORBIDDEN", "detail": "You cannot access this site"},
    404: {"code": "NOT_FOUND", "detail": "There is no such path"},
    429: {
        "code": "REQUEST_LIMIT_REACHED",
        "detail": "Your account is limited to 30 requests per second",
    },
    500: {"code": "SERVER_ERROR", "detail": "An internal error occurred"},
}


def errors(status: int, *errors: Record) -> web.Response:
    """Return an answer of errors alone."""
    # the document has failures of the service as plain JSON
    kind = "application/json" if status >= 500 else JSON_API
    body = dumps({"errors": list(errors)})
    return web.Response(body=body, status=status, content_type=kind)


def refusal(status: int) -> web.Response:
    """Return the error answer of a status."""
    return errors(status, _ERRORS.get(status, _ERRORS[500]))


def data(value: Any) -> web.Response:
    """Return an answer of data."""
    # lists that are kept come as the bytes that they were rendered to once
    rendered = value if isinstance(value, bytes) else dumps(value)
    body = b'{"data":' + rendered + b"}"
    return web.Response(body=body, content_type=JSON_API)


class BadFilterError(Exception):
    """A filter is absent or not of its kind."""


class NoDataError(Exception):
    """The service has nothing to say."""


def guarded(handler: Handler) -> Handler:
    """Return the handler, what it cannot answer told as errors."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            response: web.StreamResponse = await handler(request)
        except BadFilterError as error:
            return errors(400, {"code": "INVALID_FILTER", "detail": str(error)})
        except NoDataError:
            return errors(404, {"status": 404, "detail": "No data found"})
        return response

    return handle


def included(request: web.Request, known: Collection[str]) -> set[str]:
    """What ``include`` names, as a comma list; only what is known."""
    parts = request.query.get("include", "").split(",")
    named = {related for related in parts if related}
    unknown = named - set(known)
    if unknown:
        raise BadFilterError(f"include: {', '.join(sorted(unknown))}")
    return named


def day(request: web.Request, name: str) -> date:
    """Return the day that a filter names."""
    try:
        return date.fromisoformat(request.query.get(name, ""))
    except ValueError:
        raise BadFilterError(name) from None


def time(request: web.Request, name: str, default: datetime | None = None) -> datetime:
    """A time with its zone, as the document asks for."""
    value = request.query.get(name)
    if value is None and default is not None:
        return default
    try:
        named_time = datetime.fromisoformat(value or "")
    except ValueError:
        raise BadFilterError(name) from None
    if named_time.tzinfo is None:  # the document asks for one in every time
        raise BadFilterError(f"{name} needs a time zone")
    return named_time


def choices(request: web.Request, name: str, allowed: Iterable[int]) -> set[int]:
    """Return the choices that a filter names."""
    known = {str(choice): choice for choice in allowed}
    values = request.query.getall(name, [])
    if not known.keys() >= {*values}:
        raise BadFilterError(name)
    return {known[value] for value in values}
