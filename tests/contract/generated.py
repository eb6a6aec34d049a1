"""Requests that schemathesis makes of an official document, and what the sandbox answers to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import Any
from urllib.parse import unquote

import aiohttp
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies
from schemathesis import Case
from yarl import URL

import crmlab
from crmlab.connector import Operation, Request
from crmlab.sandbox.world.model import NOW
from docs.pages.coverage import served_by
from tests.contract.document import Document
from tests.contract.recorder import Exchange

#: requests of each operation; every second one with an id in its path asks for a record that there is
EXAMPLES = 10
#: of what is read again when all was written
AGAIN = 2
#: lists whose records are asked for under another path, and by what they are named if not by their id
LISTED = {
    "/integrations": ("/destinations", "id"),
    "/integrations/delivery/issues": ("/integrations/503/delivery/issues", "stream_hit_id"),
    "/privacy/cookie-scanner": ("/privacy/cookie-scanners", "version"),
    "/privacy/cookie-scanner/cookie/description": ("/privacy/cookie-scanner/cookies", "name"),
}
#: an id, of the kind that the service has, which nothing has
UNKNOWN = {"onepagecrm": "0" * 24, "commanders_act": "999999999"}
schemathesis.openapi.format(
    "ISO-8601", strategies.datetimes(timezones=strategies.just(UTC)).map(datetime.isoformat)
)
_MADE_ONCE = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What was asked for an operation, and what came."""

    operation: str
    url: str
    exchange: Exchange


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What the sandbox answered to what was made, by why it was made."""

    generated: list[Answered] = field(default_factory=list)
    without_required: list[Answered] = field(default_factory=list)
    of_unknown_id: list[Answered] = field(default_factory=list)

    @property
    def all(self) -> list[Answered]:
        return [*self.generated, *self.without_required, *self.of_unknown_id]


async def answers(document: Document) -> Answers:
    """Return the sandbox's answers to the same requests in every run, to each operation that it serves."""
    found = Answers()
    schema = schemathesis.openapi.from_dict(document.with_plain_types())
    operations = {
        f"{each.ok().method.upper()} {each.ok().path}": each.ok()
        for each in schema.get_all_operations()
    }
    # another one, for a new key is among what is asked for
    async with crmlab.sandbox(rows=5, services=[document.name]) as accounts:
        served = await served_by(accounts[0])
    async with (
        crmlab.sandbox(rows=60, now=NOW, services=[document.name]) as accounts,
        aiohttp.ClientSession() as session,
    ):
        client = _Client(accounts[0], session)
        asked: set[str] = set()
        for label in [each for each in _in_turn(served) if each in operations]:
            operation = operations[label]
            is_read_again = label in asked
            asked.add(label)
            ids = await client.ids_of(operation.path)
            for case in _made(operation, ids)[: AGAIN if is_read_again else EXAMPLES]:
                found.generated.append(await client.answered(label, case))
                for lacking in _without_required(case):
                    found.without_required.append(await client.answered(label, lacking))
            if operation.path_parameters and case.path_parameters:
                case.path_parameters = dict.fromkeys(case.path_parameters, UNKNOWN[document.name])
                found.of_unknown_id.append(await client.answered(label, case))
    return found


def _in_turn(served: Sequence[Operation]) -> list[str]:
    """Return what is asked for, one after the other: what is read is read again once all was written, and deleted last.

    What is about keys and users comes at the very end, for it may be the end of the key.
    """
    reads = [each for each in served if not each.writes]
    changes = [each for each in served if each.writes and not each.dangerous]
    writes = [each for each in changes if each.method != "DELETE"]
    deletes = [each for each in changes if each.method == "DELETE"]
    dangerous = [each for each in served if each.writes and each.dangerous]
    return [
        f"{each.method} {each.path}" for each in (*reads, *writes, *reads, *deletes, *dangerous)
    ]


def _made(operation: Any, ids: Sequence[str]) -> list[Case]:
    """Return the requests made of an operation, every second one about a record that there is."""
    cases: list[Case] = []

    @seed(1)
    @_MADE_ONCE
    @given(case=operation.as_strategy())
    def keep(case: Case) -> None:
        cases.append(case)

    keep()
    for case, id in zip(cases[::2], cycle(ids), strict=False):
        case.path_parameters = {**case.path_parameters, next(iter(case.path_parameters)): id}
    return cases


def _without_required(case: Case) -> Iterator[Case]:
    """Yield the request without each of the query parameters that the document requires, but the key."""
    required = [each.name for each in case.operation.query if each.is_required]
    for name in required:
        left = {key: value for key, value in case.query.items() if key != name}
        yield case.operation.Case(path_parameters=case.path_parameters, query=left, body=case.body)


class _Client:
    """Sends requests as they were made, signed for the account."""

    def __init__(self, account: crmlab.Account, session: aiohttp.ClientSession) -> None:
        self._account = account
        self._session = session
        self._headers = dict(account.sign(Request(path="/")).headers)
        self._ids: dict[str, list[str]] = {}

    async def ids_of(self, template: str) -> list[str]:
        """Return ids of the list to which the first id in a path belongs."""
        where, brace, _ = template.partition("/{")
        if not brace:
            return []
        if where not in self._ids:
            path, name = LISTED.get(where, (where, "id"))
            exchange = await self._exchange("GET", self._account.base_url + path)
            self._ids[where] = list(_ids(exchange.body, name))
        return self._ids[where]

    async def answered(self, operation: str, case: Case) -> Answered:
        made = case.as_transport_kwargs(base_url=self._account.base_url)
        prepared = requests.Request(
            **{name: made[name] for name in _SENT if name in made}
        ).prepare()
        url = str(prepared.url)
        exchange = await self._exchange(case.method, url, prepared.headers, prepared.body)
        return Answered(operation=operation, url=f"{case.method} {url}", exchange=exchange)

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: Any = None
    ) -> Exchange:
        sent = {**(headers or {}), **self._headers}
        async with self._session.request(
            method, URL(url, encoded=True), headers=sent, data=body
        ) as answer:
            text = await answer.text()
        path = unquote(url.removeprefix(self._account.base_url).partition("?")[0])
        said = json.loads(text) if answer.content_type.endswith("json") and text else text
        return Exchange(method.lower(), path, (), answer.status, answer.content_type, said)


#: what of a request schemathesis hands to `requests`
_SENT = ("method", "url", "headers", "params", "json", "data")


def _ids(body: Any, name: str) -> Iterator[str]:
    """Yield the first id (or what else is of that name) within each record of a list, however it is wrapped."""
    if isinstance(body, dict) and isinstance(body.get(name), str | int):
        yield str(body[name])
    elif isinstance(body, dict):
        for value in body.values():
            yield from _ids(value, name)
    elif isinstance(body, list):
        for item in body:
            yield from islice(_ids(item, name), 1)
