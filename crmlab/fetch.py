"""Fetch any tables from any accounts, concurrently, complete or saying what is missing."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import polars as pl

from crmlab.account import Account, check_names
from crmlab.client import Client
from crmlab.decode import RAW, REJECTED
from crmlab.errors import CrmlabError, PlanError
from crmlab.fetched import SUMMARY, Fetched
from crmlab.progress import Listener
from crmlab.provider import Context, Limits
from crmlab.providers import registry, unknown
from crmlab.run import AccountRun, ResourceRun
from crmlab.tables import KEY, TABLES
from crmlab.window import instant

OnError = Literal["collect", "raise"]


async def fetch(
    accounts: Account | Iterable[Account],
    *tables: str,
    since: str | dt.date | dt.datetime | None = None,
    until: str | dt.date | dt.datetime | None = None,
    on_error: OnError = "collect",
    limits: Limits | None = None,
    progress: Listener | None = None,
    allow_destructive: bool = False,
) -> Fetched:
    """Return tables of all accounts in the shared schema, fetched concurrently.

    Parameters
    ----------
    accounts
        One or more; also the form of `crmlab.login`.
    *tables
        Shared tables (``"deals"``) and a provider's own records (``"onepagecrm.deals"``: every
        documented field, nested ones kept). None named: every shared table the accounts fill.
    since, until
        From (inclusive) and up to (exclusive): a date or ISO 8601 text such as ``"2026-01-01"``
        (midnight UTC), or a time with its zone. They bound when an object was last changed
        (created, where the service does not tell changes) and when an event happened; a table's
        `Table.window` says which column. Lookups (users, stages, fields, ...) always come whole.
    on_error
        "collect": what came is returned, what failed is in `.failures`. "raise": the first
        failure is raised and the rest is cancelled.
    limits
        Instead of the providers' own: only for servers of your own.
    progress
        Called with a `crmlab.Progress` whenever there is news.
    allow_destructive
        Needed for reads that change something at the service (``"complero.latest_events"`` is
        given each event once): they are never part of a shared table, and never tried again.

    Raises
    ------
    PlanError
        unknown table, no accounts, two accounts with one name, since after until, a time
        without zone
    CrmlabError
        the first failure, with ``on_error="raise"``, or where nothing came at all
    """
    chosen = [accounts] if isinstance(accounts, Account) else list(accounts)
    if strange := [type(each).__name__ for each in chosen if not isinstance(each, Account)]:
        raise PlanError(f"accounts are crmlab.Account objects, not {strange[0]}")
    if strange := [type(name).__name__ for name in tables if not isinstance(name, str)]:
        raise PlanError(f"a table is named by text, not {strange[0]}")
    now = dt.datetime.now(dt.UTC)
    start, end = instant(since, "since"), instant(until, "until")
    if start and end and start >= end:
        raise PlanError(f"since ({start:%Y-%m-%d %H:%M %Z}) must be before until ({end:%Y-%m-%d %H:%M %Z})")
    if not chosen:
        raise PlanError("no accounts given: crmlab.Account(...), crmlab.login() or crmlab.sandbox() make some")
    if on_error not in ("collect", "raise"):
        raise PlanError(f'on_error is "collect" or "raise", not {on_error!r}')
    check_names(chosen)
    shared, own = _named(chosen, tables)
    for provider, resource in own:
        if registry()[provider].resource(resource).destructive and not allow_destructive:
            raise PlanError(f"{provider}.{resource} changes what it reads; allow_destructive=True says you want it")

    async with Client(limits) as client:
        runs = [
            AccountRun(
                client,
                account,
                Context(now=now, since=start, until=end, options=account.options),
                tables=shared,
                own={resource for provider, resource in own if provider == account.provider.name},
                progress=progress,
                stop_early=on_error == "raise",
            )
            for account in chosen
        ]
        await _all([run.finish() for run in runs])
    fetched = _assemble([r for run in runs for r in run.resources], chosen, shared, own, now)
    if fetched.failures and not any(len(f) for f in fetched.values()):
        raise fetched.failures[0]
    return fetched


async def check(account: Account) -> str:
    """Send the provider's cheapest read and return, in plain words, what answered.

    Raises
    ------
    CrmlabError
        the key is refused or the service cannot be reached
    """
    async with Client() as client:
        page = await _where(account, client.send(account, account.provider.ping))
    found = page.read(Any)
    data = found.get("data", found) if isinstance(found, dict) else found
    count = f" · {len(data):,} {'entry' if len(data) == 1 else 'entries'}" if isinstance(data, list) else ""
    return f"answered{count}"


async def call(account: Account, operation: str, **arguments: object) -> Any:
    """Return the decoded answer of one operation, e.g. ``call(account, "contact", id="a/b")``.

    Raises
    ------
    PlanError
        the provider has no such operation
    CrmlabError
        the service refused or could not be reached; what writes is sent once, never again
    """
    known = {op.name: op for op in account.provider.operations}
    if operation not in known:
        raise PlanError(unknown("operation", operation, known))
    chosen = known[operation]
    request = chosen.request(**arguments)
    async with Client() as client:
        page = await _where(account, client.send(account, request, retry=not (chosen.writes or chosen.destructive)))
    return page.read(Any)


async def _where(account: Account, sending: Any) -> Any:
    try:
        return await sending
    except CrmlabError as error:
        raise account.explain(error) from None


async def _all(work: Sequence[Any]) -> None:
    """Wait for all; after an error or a cancel, leave none running."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        for finished in asyncio.as_completed(tasks):
            await finished
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _named(accounts: Sequence[Account], tables: Sequence[str]) -> tuple[set[str], set[tuple[str, str]]]:
    """Return the shared tables asked for and the (provider, resource) pairs asked for."""
    used = {account.provider.name: account.provider for account in accounts}
    if not tables:
        return {table for provider in used.values() for table in provider.tables}, set()
    shared: set[str] = set()
    own: set[tuple[str, str]] = set()
    for name in tables:
        provider, dot, resource = name.partition(".")
        if not dot:
            if name not in TABLES:
                raise PlanError(unknown("table", name, TABLES))
            shared.add(name)
            continue
        if provider not in registry():
            raise PlanError(unknown("provider", provider, registry()))
        known = {r.name: r for r in registry()[provider].resources}
        if resource not in known:
            raise PlanError(unknown(f"{provider} resource", resource, known))
        if provider not in used:
            raise PlanError(f"{name!r} needs a {provider} account; given: {', '.join(used)}")
        own.add((provider, resource))
    return shared, own


def _assemble(
    runs: Sequence[ResourceRun],
    accounts: Sequence[Account],
    shared: set[str],
    own: set[tuple[str, str]],
    now: dt.datetime,
) -> Fetched:
    tables: dict[str, pl.DataFrame] = {}
    for table in TABLES.values():  # in the order they are declared
        if table.name in shared:
            parts = [run.frames[table.name] for run in runs if table.name in run.frames]
            tables[table.name] = _unique(pl.concat([table.empty(), *parts]))
    for provider, resource in sorted(own):
        parts = [
            run.frames[RAW]
            for run in runs
            if (run.account.provider.name, run.resource.name) == (provider, resource) and RAW in run.frames
        ]
        if parts:
            tables[f"{provider}.{resource}"] = pl.concat(parts, how="diagonal")
    summary = [row for run in runs for row in run.summary()]
    summary += _unfilled(accounts, shared)
    return Fetched(
        tables,
        summary=pl.DataFrame(summary, schema=SUMMARY, orient="row"),
        rejected=pl.concat([pl.DataFrame(schema=REJECTED), *(run.rejected for run in runs)]),
        failures=list({str(run.failure): run.failure for run in runs if run.failure}.values()),
        fetched_at=now,
    )


def _unfilled(accounts: Sequence[Account], shared: set[str]) -> list[dict[str, object]]:
    """A line for every table that a provider has nothing for, so that an empty frame is explained."""
    fillable = {table for account in accounts for table in account.provider.tables}
    return [
        {
            "account": "",
            "provider": "",
            "resource": "",
            "table": name,
            "rows": 0,
            "rejected": 0,
            "requests": 0,
            "retries": 0,
            "seconds": 0.0,
            "complete": True,
            "note": f"none of these services has {name}",
        }
        for name in TABLES
        if name in shared - fillable
    ]


def _unique(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.unique(subset=KEY, keep="first", maintain_order=True)
