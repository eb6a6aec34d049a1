"""What of each service's documented operations can be called, read as a frame and tried in the sandbox.

Everything here is found out: from the declarations, from the requests that resources make, and from a sandbox that
is asked. Only what is missing is written by hand, in `docs.pages.holes`, with the reason.
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
from docs.pages.holes import ELSEWHERE, HOLES
from docs.pages.markdown import code, table

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
    """Return the operations that the sandbox answers otherwise than a path that does not exist.

    Those about users and keys come last, a new key at the very end: it may be the end of the one that asks.
    """
    served = []
    async with aiohttp.ClientSession() as session:
        unknown = {}
        for method in ("GET", "POST"):
            unknown[method] = await _asked(session, account, Request(path=_NOWHERE, method=method))
        for each in sorted(
            account.provider.operations(), key=lambda each: (each.dangerous, each.body is None)
        ):
            path = fill_path(each.path, **dict.fromkeys(each.path_parts(), "1"))
            request = Request(path=path, method=each.method, from_root=each.from_root)
            nothing = unknown["GET" if each.method == "GET" else "POST"]
            if await _asked(session, account, request) != nothing:
                served.append(each)
    return served


async def _asked(
    session: aiohttp.ClientSession, account: crmlab.Account, request: Request
) -> tuple[int, str]:
    """Return the status and the words of an answer to a request without any parameters."""
    signed = account.sign(request)
    base = account.root_url if request.from_root else account.base_url
    asking = session.request(
        request.method, base + request.path, params=signed.params, headers=signed.headers
    )
    async with asking as response:
        return response.status, await response.text()


def frames_of(provider: Provider) -> dict[str, str]:
    """Return the resource that holds what each operation reads: the list itself, one of its records, or some."""
    resources: dict[str, str] = {}
    for resource in provider.resources:
        for request in declared.all_asked(provider, resource):
            resources.setdefault(_plain(unquote(request.path)), resource.name)
    found = dict(ELSEWHERE.get(provider.name, {}))
    for each in provider.operations():
        frame = "" if each.writes else _frame(_plain(each.path), resources)
        if frame:
            found[each.name] = frame
    return found


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
    """Return the page by its path."""
    rows = covered()
    services = {name: [row for row in rows if row.provider == name] for name in registry()}
    summary = [_summary(registry()[name], each) for name, each in services.items()]
    holes = [
        [registry()[each.provider].title, ", ".join(map(code, each.operations)), each.reason]
        for each in HOLES
    ]
    lists = "\n\n".join(
        f"## {registry()[name].title}\n\n{_operations(each)}" for name, each in services.items()
    )
    return {
        "providers/coverage.md": f"""# Coverage

crmlab declares every operation that a vendor documents, so you can call each with `crmlab.call`. This page also says
what else you can do with it, which is found out by asking a sandbox for every operation whenever these pages are
written. An operation is *checked* if its service has an official OpenAPI document, against which `make contract`
tests the requests and the sandbox's answers.

{table(["service", "documented", "read", "readable as frames", "in the sandbox", "checked"], summary)}

## What is missing

{table(["service", "operations", "why"], holes)}

{lists}
"""
    }


def _summary(provider: Provider, rows: list[Covered]) -> list[str]:
    reads = [row for row in rows if not row.operation.writes]
    checked = len(rows) if provider.name in CHECKED else 0
    counts = (
        len(rows),
        len(reads),
        sum(bool(row.frame) for row in reads),
        sum(row.in_sandbox for row in rows),
        checked,
    )
    return [f"[{provider.title}]({provider.name}.md)", *map(str, counts)]


def _operations(rows: list[Covered]) -> str:
    head = ["operation", "asks", "frame", "called", "in the sandbox", "checked"]
    return table(head, [_line(row) for row in rows])


def _line(row: Covered) -> list[str]:
    operation = row.operation
    frame = code(f"{row.provider}.{row.frame}") if row.frame else ""
    permissions = {
        "allow_destructive=True": operation.destructive,
        "allow_dangerous=True": operation.dangerous,
    }
    needed = [code(name) for name, is_needed in permissions.items() if is_needed]
    called = f"with {' and '.join(needed)}" if needed else "yes"
    in_sandbox = "yes" if row.in_sandbox else "no"
    checked = "yes" if row.provider in CHECKED else "no official document"
    return [
        code(operation.name),
        code(f"{operation.method} {operation.path}"),
        frame,
        called,
        in_sandbox,
        checked,
    ]
