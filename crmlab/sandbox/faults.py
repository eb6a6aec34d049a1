"""What can go wrong between a client and these services, on purpose and repeatably."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

from crmlab.sandbox.service import Records, Service

Kind = Literal[
    "status", "truncate", "not_json", "reset", "slow", "redirect", "wrong_type", "change"
]


@dataclass(kw_only=True)
class Fault:
    """Hits requests whose path and query contain `match`: `times` of them, after `skip`.

    Parameters
    ----------
    kind
        "status": that `status` (with `retry_after`, if given, as a Retry-After header);
        "truncate": half of the body with status 200; "not_json": an HTML page with status 200;
        "reset": the connection is cut; "slow": the body drips for `seconds`;
        "redirect": 302 to another host; "wrong_type": the JSON as text/html;
        "change": nothing goes wrong, and then `change` is called with the service's lists, to add
        and remove records: later answers are made from what it leaves, the world stays as it was.

    Of several that hit one request the first is the outermost: what it does, it does to the answer
    that the next made.
    """

    kind: Kind
    match: str = ""
    times: int = 1
    skip: int = 0
    status: int = 500
    retry_after: str | None = None
    seconds: float = 0.5
    change: Callable[[Mapping[str, Records]], object] = lambda lists: None
    _seen: int = field(default=0, repr=False)

    def hits(self, request: web.Request) -> bool:
        if self.match not in request.path_qs:
            return False
        self._seen += 1
        return self.skip < self._seen <= self.skip + self.times


async def broken(
    fault: Fault,
    request: web.Request,
    handle: Callable[[], Awaitable[web.StreamResponse]],
    service: Service,
) -> web.StreamResponse:
    """Return the answer that this fault makes of a request."""
    if fault.kind == "status":
        response = service.refusal(fault.status)
        if fault.retry_after is not None:
            response.headers["Retry-After"] = fault.retry_after
        return response
    if fault.kind == "not_json":
        return web.Response(
            text="<html><body>Please sign in to the network</body></html>", content_type="text/html"
        )
    if fault.kind == "redirect":
        return web.Response(status=302, headers={"Location": "http://127.0.0.2:9/elsewhere"})
    if fault.kind == "reset":
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    whole_answer = await handle()
    # this answer was made before: only later ones tell of it
    if fault.kind == "change":
        fault.change(service.lists)
        return whole_answer
    # a stream is on its way already: nothing of it can be broken any more
    if not isinstance(whole_answer, web.Response) or not isinstance(whole_answer.body, bytes):
        return whole_answer
    if fault.kind == "truncate":
        half_the_body = whole_answer.body[: len(whole_answer.body) // 2]
        return web.Response(body=half_the_body, content_type="application/json")
    if fault.kind == "wrong_type":
        return web.Response(body=whole_answer.body, content_type="text/html")
    return await _drip(request, whole_answer.body, fault.seconds)


async def _drip(request: web.Request, body: bytes, seconds: float) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    part_size = max(1, len(body) // 10)
    for position in range(0, len(body), part_size):
        await response.write(body[position : position + part_size])
        await asyncio.sleep(seconds / 10)
    await response.write_eof()
    return response
