"""The ways in which a live service may differ from its document: each has a name, and can be served.

A difference changes requests on their way to a service or answers on their way back; the services know nothing of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import web

from crmlab.errors import UsageError
from crmlab.providers import unknown
from crmlab.sandbox.drift import meanings, pages, unlisted, values
from crmlab.sandbox.drift.exchange import Difference, as_request, as_response, asked_by, given_by
from crmlab.sandbox.service import Service

__all__ = ["DIFFERENCES", "Difference", "chosen", "differing"]

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: in the order in which they change an answer: what is put around it comes after what it holds
DIFFERENCES = (
    *meanings.DIFFERENCES,
    *pages.DIFFERENCES,
    *unlisted.DIFFERENCES,
    *values.DIFFERENCES,
)


def chosen(drift: bool | str | Iterable[str]) -> tuple[Difference, ...]:
    """Return the differences that these names choose: all that go together, where True.

    Raises
    ------
    UsageError
        a name is not known; names the nearest
    """
    if isinstance(drift, bool):
        return tuple(each for each in DIFFERENCES if drift and not each.apart)
    names = drift.split(",") if isinstance(drift, str) else drift
    wanted = {name.strip() for name in names}
    known = [each.name for each in DIFFERENCES]
    for name in sorted(wanted.difference(known)):
        raise UsageError(unknown("difference", name, known))
    return tuple(each for each in DIFFERENCES if each.name in wanted)


def differing(
    service: Service, differences: Iterable[Difference]
) -> Callable[[web.Request, _Handler], Awaitable[web.StreamResponse]]:
    """Return what answers a request of this service with these differences, by its handler."""
    memory: dict[object, Any] = {}
    wanted = tuple(differences)

    async def answer(request: web.Request, handler: _Handler) -> web.StreamResponse:
        asked = asked_by(request, service, memory)
        for difference in wanted:
            instead = difference.ask(asked)
            if instead is not None:
                return instead
        response = await handler(as_request(asked, request))
        given = given_by(response)
        if given is None:
            return response
        for difference in wanted:
            instead = difference.give(asked, given)
            if instead is not None:
                return instead
        return as_response(given)

    return answer
