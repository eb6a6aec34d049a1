"""A proxy between the client and a server, which keeps what both said on the wire."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

_SKIPPED = {
    "host",
    "content-length",
    "transfer-encoding",
    "content-encoding",
    "connection",
    "keep-alive",
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    status: int
    content_type: str
    body: Any
    #: what Prism found wrong with the request
    violations: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Recorder:
    """Where the client is to send its requests, and what was exchanged so far."""

    url: str = ""
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        return [
            f"{e.method} {e.path} {dict(e.params)}: {violation}"
            for e in self.exchanges
            for violation in e.violations
        ]

    def taken(self) -> list[Exchange]:
        """Return what was exchanged since the last time."""
        found, self.exchanges = self.exchanges, []
        return found


@asynccontextmanager
async def recorder(
    target: str, *, spelled: Callable[[str, str], str] = lambda path, name: name
) -> AsyncIterator[Recorder]:
    """Forward everything to `target`, parameters as `spelled` for it, and keep what was said."""
    kept = Recorder()
    async with aiohttp.ClientSession() as session:

        async def forward(request: web.Request) -> web.Response:
            async with session.request(
                request.method,
                URL(target + request.rel_url.raw_path, encoded=True).with_query(
                    [(spelled(request.path, name), value) for name, value in request.query.items()]
                ),
                headers=_passed_on(request.headers),
                data=await request.read() or None,
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
            found = json.loads(body) if answer.content_type.endswith("json") else body.decode()
            kept.exchanges.append(
                Exchange(
                    method=request.method.lower(),
                    path=request.path,
                    params=tuple(request.query.items()),
                    status=answer.status,
                    content_type=answer.content_type,
                    body=found,
                    violations=(
                        *_told(answer.headers.get("sl-violations", "[]")),
                        *_refused(found),
                    ),
                )
            )
            return web.Response(body=body, status=answer.status, headers=_passed_on(answer.headers))

        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", forward)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            kept.url = f"http://{host}:{port}"
            yield kept
        finally:
            await runner.cleanup()


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _SKIPPED}


def _told(header: str) -> list[str]:
    """Return the violations of the request; those of the answer are the document's own."""
    return [_said(found) for found in json.loads(header) if found["location"][:1] == ["request"]]


def _refused(body: Any) -> list[str]:
    """Return why Prism refuses a request where the document describes no refusal."""
    if not isinstance(body, dict) or "stoplight.io/prism/errors" not in str(body.get("type")):
        return []
    return [_said(found) for found in body.get("validation", ())] or [
        f"{body['title']}: {body['detail']}"
    ]


def _said(violation: Mapping[str, Any]) -> str:
    return f"{'.'.join(violation['location'])}: {violation['message']}"
