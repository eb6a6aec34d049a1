"""One request and its answer as values that a difference may change, and what differences are made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from multidict import CIMultiDict, MultiDict

from crmlab.sandbox.service import BODY, Record, Service, dumps

_Items = list[Any]


@dataclass(kw_only=True)
class Asked:
    """A request: what it asks for in its query or in its JSON body."""

    service: Service
    path: str
    query: MultiDict[str]
    body: Record | None
    #: what differences remember from one request of this service to the next, under names of their own
    memory: dict[object, Any]
    #: what a difference remembers until the answer
    marks: set[str] = field(default_factory=set)

    def get(self, name: str) -> str:
        """Return what is asked for under this name; empty where nothing is."""
        value = self._everything.get(name)
        return "" if value is None else str(value)

    @property
    def _everything(self) -> MultiDict[str] | Record:
        return self.query if self.body is None else self.body

    def put(self, name: str, value: str | int) -> None:
        """Ask for something else."""
        if self.body is None:
            self.query[name] = str(value)
        else:
            self.body[name] = value

    def others(self, name: str) -> list[tuple[str, str]]:
        """Return what is asked for beside this name."""
        other_parts = []
        for each, value in self._everything.items():
            if each != name:
                other_parts.append((each, str(value)))
        return sorted(other_parts)

    def drop(self, name: str) -> None:
        """Do not ask for it."""
        if self.get(name):
            del self._everything[name]

    def number(self, name: str) -> int | None:
        """Return the whole number that is asked for under this name, if it is one."""
        value = self.get(name)
        return int(value) if value.isdecimal() else None


@dataclass(kw_only=True)
class Given:
    """An answer: its JSON, its headers, and what is done to its bytes at last."""

    status: int
    headers: CIMultiDict[str]
    data: Any
    edits: list[Callable[[bytes], bytes]] = field(default_factory=list)

    @property
    def items(self) -> _Items | None:
        """The list of the answer, wherever it stands; None where it has none."""
        where = self._place()
        return None if where is None else where[0][where[1]]

    @items.setter
    def items(self, items: _Items) -> None:
        where = self._place()
        if where is not None:
            where[0][where[1]] = items

    def _place(self) -> tuple[Any, Any] | None:
        """Return what holds the list, and under which key."""
        if isinstance(self.data, list):
            return vars(self), "data"
        inner = self.data.get("data") if isinstance(self.data, dict) else None
        if isinstance(inner, list):
            return self.data, "data"
        if not isinstance(inner, dict) or "id" in inner:
            return None
        lists = [name for name, value in inner.items() if isinstance(value, list)]
        is_one_list = len(lists) == 1 and all(
            not isinstance(value, dict) for value in inner.values()
        )
        return (inner, lists[0]) if is_one_list else None

    @property
    def counts(self) -> Record | None:
        """What holds the counts of a list, where there is one."""
        if not isinstance(self.data, dict) or "data" not in self.data:
            return None
        inner = self.data["data"]
        return inner if isinstance(inner, dict) else self.data

    @property
    def records(self) -> Iterator[Record]:
        """The objects of the list, or the one object of an answer without a list."""
        found = self.items
        if found is None:
            found = [self.data]
            if isinstance(self.data, dict):
                found = [self.data.get("data", self.data)]
        return (item for item in found if isinstance(item, dict))

    def write(self) -> bytes:
        """Return the body."""
        body = dumps(self.data)
        for edit in self.edits:
            body = edit(body)
        return body


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One way in which a service differs from its document.

    `ask` changes the request before the service sees it, or answers in its place; `give` changes the answer, or
    returns another. Both leave alone what they are not about. What stands `apart` is served only when it is
    named: it contradicts another difference, or would make most lists incomplete.
    """

    name: str
    doc: str
    ask: Callable[[Asked], web.Response | None] = lambda asked: None
    give: Callable[[Asked, Given], web.Response | None] = lambda asked, given: None
    apart: bool = False


def asked_by(request: web.Request, service: Service, memory: dict[object, Any]) -> Asked:
    """Return what a request asks for."""
    body = request.get(BODY)
    return Asked(
        service=service,
        path=request.path.removeprefix(service.prefix + service.base_path).removesuffix(".json"),
        query=MultiDict(request.query),
        body=body if isinstance(body, dict) else None,
        memory=memory,
    )


def as_request(asked: Asked, request: web.Request) -> web.Request:
    """Return the request that asks for it."""
    if asked.body is not None:
        request[BODY] = asked.body
        return request
    return request.clone(rel_url=request.rel_url.with_query(asked.query))


def given_by(response: web.StreamResponse) -> Given | None:
    """Return what an answer gives; None where it is a refusal, or no JSON."""
    if (
        response.status != 200
        or not isinstance(response, web.Response)
        or not isinstance(response.body, bytes)
    ):
        return None
    try:
        data = json.loads(response.body)
    except ValueError:
        return None
    if isinstance(data, dict) and (data.get("error") or data.get("status") is False):
        return None
    return Given(status=response.status, headers=CIMultiDict(response.headers), data=data)


def as_response(given: Given) -> web.Response:
    """Return the answer that gives it."""
    given.headers.pop("Content-Length", None)
    return web.Response(body=given.write(), status=given.status, headers=given.headers)
