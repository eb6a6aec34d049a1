"""What of each service's documented operations can be called, read as a frame and tried in the sandbox.

Everything here is found out: from the declarations, from the requests that resources make, and from a sandbox that
is asked.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import aiohttp

import crmlab
from crmlab.connector.operation import Operation
from crmlab.connector.provider import Provider
from crmlab.connector.request import Request, fill_path
from crmlab.providers import registry
from docs.pages import declared
from docs.pages.markdown import table

#: services whose official document judges every request and answer: see `make contract`
CHECKED = ("onepagecrm", "commanders_act")
#: a path that no service has
_NOWHERE = "/no/such/path"


@dataclass(frozen=True, kw_only=True)
class Covered:
    """One documented operation, and what can be done with it."""

    provider: str
    operation: Operation
    #: the resource whose records it reads, or blank
    frame: str
    in_sandbox: bool

    @property
    def holes(self) -> Iterator[str]:
        """Yield what is missing: a frame of what it reads, or its place in the sandbox."""
        if not self.frame and not self.operation.writes:
            yield "frame"
        if not self.in_sandbox:
            yield "sandbox"


def covered() -> list[Covered]:
    """Return every operation of every service; those that the sandbox serves are found by asking it."""
    return asyncio.run(_covered())


async def _covered() -> list[Covered]:
    rows = []
    async with crmlab.sandbox(rows=5) as accounts:
        for account in accounts:
            frames = frames_of(account.provider)
            served = {each.name for each in await served_by(account)}
            rows += [
                Covered(
                    provider=account.provider.name,
                    operation=each,
                    frame=frames.get(each.name, ""),
                    in_sandbox=each.name in served,
                )
                for each in account.provider.operations()
            ]
    return rows


async def served_by(account: crmlab.Account) -> list[Operation]:
    """Return the operations that the sandbox answers otherwise than a path that does not exist."""
    served = []
    async with aiohttp.ClientSession() as session:
        unknown = {method: await _asked(session, account, method, _NOWHERE) for method in ("GET", "POST")}
        for each in account.provider.operations():
            path = fill_path(each.path, **dict.fromkeys(each.path_parts(), "1"))
            nothing = unknown["GET" if each.method == "GET" else "POST"]
            if await _asked(session, account, each.method, path) != nothing:
                served.append(each)
    return served


async def _asked(session: aiohttp.ClientSession, account: crmlab.Account, method: str, path: str) -> tuple[int, str]:
    """Return the status and the words of an answer to a request without any parameters."""
    signed = account.sign(Request(path=path, method=method))
    asking = session.request(method, account.base_url + path, params=signed.params, headers=signed.headers)
    async with asking as response:
        return response.status, await response.text()


def frames_of(provider: Provider) -> dict[str, str]:
    """Return the resource that holds what each operation reads: the list itself, one of its records, or some."""
    resources: dict[str, str] = {}
    for resource in provider.resources:
        for request in declared.all_asked(provider, resource):
            resources.setdefault(_plain(unquote(request.path)), resource.name)
    reads = [each for each in provider.operations() if not each.writes]
    return {each.name: frame for each in reads if (frame := _frame(_plain(each.path), resources))}


def _frame(path: str, resources: dict[str, str]) -> str:
    if path in resources:
        return resources[path]
    owner, _, last = path.rpartition("/")
    if last == "{}":
        return resources.get(owner, "")
    # the records of one owner: /contacts/{id}/deals
    return resources.get(f"/{last}", "") if owner.endswith("{}") else ""


def _plain(path: str) -> str:
    """Return a path without what its ends and its parts in braces are called."""
    return re.sub(r"\{[^}]*\}", "{}", path.removesuffix(".json").rstrip("/"))


def pages() -> dict[str, str]:
    """Return each page by its path."""
    rows = covered()
    summary = [_summary(name, [row for row in rows if row.provider == name]) for name in registry()]
    return {
        "providers/coverage.md": f"""# What is covered

Every operation that a vendor documents is declared, and what can be done with each is found out anew whenever these
pages are written: a sandbox is asked for each of them. *Readable as a frame* counts those that read; *checked* are
those of services with an official OpenAPI document, which judges every request and every answer of the sandbox.

{table(["service", "documented", "reads", "readable as a frame", "in the sandbox", "checked"], summary)}
"""
    }


def _summary(name: str, rows: list[Covered]) -> list[str]:
    reads = [row for row in rows if not row.operation.writes]
    counts = (len(rows), len(reads), sum(bool(row.frame) for row in reads), sum(row.in_sandbox for row in rows))
    checked = len(rows) if name in CHECKED else 0
    return [f"[{registry()[name].title}]({name}.md)", *map(str, (*counts, checked))]
