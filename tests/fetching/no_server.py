"""A service without a server: lists in pages that answer from memory, for what needs no network."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

import crmlab
from crmlab.connector import Context, Page, Request, Resource, numbered
from crmlab.fetching.completeness import KEYS
from crmlab.fetching.decode_queue import Backpressure
from crmlab.fetching.intake import Accept
from crmlab.fetching.resource_result import ResourceResult
from crmlab.fetching.resource_task import ResourceTask

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
CONTEXT = Context(now=NOON)
PAGE_SIZE = 2


def body(page: Page) -> dict[str, Any]:
    read: dict[str, Any] = page.read(dict[str, Any])
    return read


def last_page(page: Page) -> int:
    return int(body(page)["pages"])


def counted(page: Page) -> int:
    return int(body(page)["count"])


def notes(**changes: Any) -> Resource:
    """A list of notes in numbered pages, counted by the service, as far as nothing else is said."""
    declared: dict[str, Any] = {
        "name": "notes",
        "doc": "Notes.",
        "requests": lambda context: (Request(path="/notes", params={"page": "1"}),),
        "follow": numbered(last_page),
        "total": counted,
        "schema": {"id": pl.String, "text": pl.String},
    }
    return Resource(**declared | changes)


def answer(
    request: Request,
    ids: Sequence[str],
    *,
    pages: int = 1,
    count: int | None = None,
    at: dt.datetime | None = None,
) -> Page:
    """The answer to a request that holds these notes."""
    text = {
        "data": [{"id": each, "text": f"note {each}"} for each in ids],
        "pages": pages,
        "count": len(ids) if count is None else count,
    }
    headers = {} if at is None else {"date": at.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    return Page(
        request=request, status=200, headers=headers, body=json.dumps(text).encode(), seconds=0.1
    )


class Service:
    """Answers from one list of ids after the other: a new one with each reading."""

    def __init__(self, *readings: Sequence[str], count: int | None = None) -> None:
        self.asked: list[str] = []
        self._readings = readings
        self._reading = -1
        self._count = count

    async def ask(self, request: Request) -> Page:
        number = int(request.params["page"])
        self.asked.append(request.params["page"])
        if number == 1:
            self._reading = min(self._reading + 1, len(self._readings) - 1)
        ids = self._readings[self._reading]
        start = (number - 1) * PAGE_SIZE
        pages = max(1, -(-len(ids) // PAGE_SIZE))
        count = len(ids) if self._count is None else self._count
        return answer(request, ids[start : start + PAGE_SIZE], pages=pages, count=count)


def keys(ids: Iterable[str]) -> pl.DataFrame:
    """What a decoder says of these records."""
    hashes = pl.Series("key", list(ids), dtype=pl.String).hash()
    return pl.DataFrame({"key": hashes, "inserted_at": [None] * len(hashes)}, schema=KEYS)


def account() -> crmlab.Account:
    return crmlab.Account("onepagecrm", name="sales", user_id="me", api_key="my-key")


def task(resource: Resource, **changes: Any) -> ResourceTask:
    """What a fetch wants of a resource: its own records, as far as nothing else is said."""
    wanted: dict[str, Any] = {"tables": frozenset(), "raw": True, "needed": False}
    return ResourceTask(account=account(), resource=resource, **wanted | changes)


class Account:
    """As much of an account as its resources need: it answers from a service, and remembers what it is told."""

    def __init__(self, service: Service, backpressure: Backpressure | None = None) -> None:
        self.backpressure = backpressure or Backpressure()
        self.told: list[bool] = []
        self._service = service

    async def answer(self, result: ResourceResult, request: Request, accept: Accept) -> Page:
        try:
            return accept(await self._service.ask(request))
        finally:
            result.requests.sent += 1

    async def rows(self, names: Iterable[str], *, strict: bool = True) -> dict[str, pl.DataFrame]:
        return {}

    def incomplete(self, names: Iterable[str]) -> list[str]:
        return []

    async def finished(self, name: str) -> None:
        raise AssertionError(f"nobody needs to wait for {name}")

    def tell(self, result: ResourceResult, *, over: bool = False) -> None:
        self.told.append(over)

    def keep(self, task: ResourceTask, name: str, frame: pl.DataFrame) -> None:
        raise AssertionError(f"{name} is kept in memory")
