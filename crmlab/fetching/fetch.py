"""Fetch any tables from any accounts, concurrently, complete or saying what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl

from crmlab.accounts import Account
from crmlab.connector import Limits, Page
from crmlab.decoding import MISFITS, RAW, REJECTED
from crmlab.errors import PlanError, Stopped
from crmlab.fetching.account_fetch import AccountRun, finish
from crmlab.fetching.decode_queue import Backpressure
from crmlab.fetching.parquet_store import Store
from crmlab.fetching.plan import Plan
from crmlab.fetching.progress import Listener, listening
from crmlab.fetching.progress_reporter import Watch
from crmlab.fetching.query import Moment, Question, question
from crmlab.fetching.resource_fetch import ResourceRun
from crmlab.results import SUMMARY, Fetched, Stored
from crmlab.schema import TABLES, TableName

OnError = Literal["collect", "raise"]
#: first pages that are there already, by account (its label) and request
Pages = Mapping[str, Mapping[str, Page]]


async def fetch(
    accounts: Account | Iterable[Account] | Plan,
    *tables: TableName | str,
    since: Moment = None,
    until: Moment = None,
    on_error: OnError = "collect",
    limits: Limits | None = None,
    progress: Listener | bool | None = None,
    stop: asyncio.Event | None = None,
    allow_destructive: bool = False,
) -> Fetched:
    """Return tables of all accounts in the shared schema, fetched concurrently.

    Parameters
    ----------
    accounts
        One or more; also the form of `crmlab.login`. Or a plan, which says the rest as well.
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
        Instead of the accounts' own: only for servers of your own.
    progress
        True: lines that show how far each account and table is, in a notebook with a button that
        stops; False: none; not given: where somebody looks on (a terminal, a notebook) and
        ``TQDM_DISABLE`` is not set. Or a function, called with a `crmlab.Progress` of a resource
        when there is news, some ten times a second at most.
    stop
        Once it is set, what is on its way is cancelled, and what came is returned: each list that was
        not at its end has a `crmlab.errors.Stopped` in `.failures`. Set it in the same event loop
        (``loop.call_soon_threadsafe(stop.set)`` from another thread). A read that changes something
        is not cut off. An interrupt (Ctrl-C, the notebook's ■) returns nothing.
    allow_destructive
        Needed for reads that change something at the service (``"complero.latest_events"`` is
        given each event once): they are never part of a shared table, and never tried again.

    Raises
    ------
    PlanError
        unknown table, no accounts, two accounts with one name, or with different limits where the
        vendor counts them together, since after until, a time without zone
    CrmlabError
        the first failure, with ``on_error="raise"``, or where nothing came at all
    """
    asked, known = _asked(accounts, tables, since, until, allow_destructive=allow_destructive)
    runs = await _run(asked, known, limits=limits, progress=progress, stop=stop, on_error=on_error)
    brought = {}
    for table in TABLES.values():  # in the order they are declared
        if table.name in asked.tables:
            parts = [run.frames[table.name] for run in runs if table.name in run.frames]
            brought[table.name] = pl.concat([table.empty(), *parts])
    for name in asked.own:
        parts = [run.frames[RAW] for run in runs if run.own and run.full_name == name]
        if parts:
            brought[name] = pl.concat(parts, how="diagonal")
    heights = {name: frame.height for name, frame in brought.items()}
    fetched = Fetched(brought, heights=heights, **_account_of(runs, asked))
    if fetched.failures and not any(heights.values()):
        raise fetched.failures[0]
    return fetched


async def fetch_to(
    directory: str | Path,
    accounts: Account | Iterable[Account] | Plan,
    *tables: TableName | str,
    since: Moment = None,
    until: Moment = None,
    on_error: OnError = "collect",
    limits: Limits | None = None,
    progress: Listener | bool | None = None,
    stop: asyncio.Event | None = None,
) -> Stored:
    """Write tables of any size to Parquet files, one for each, while they arrive.

    Memory holds what is being decoded, a hundred thousand rows of each table, and of every row the hash
    of its key. The files are those of ``(await fetch(...)).export(directory)``; they replace older ones only when
    all is there to be written. For the other parameters and errors see `fetch`.

    Parameters
    ----------
    directory
        Made if it does not exist.
    stop
        Once it is set, what came is written, but never over the files of an earlier fetch.

    Raises
    ------
    Stopped
        told to stop where there are files of an earlier fetch
    """
    asked, known = _asked(accounts, tables, since, until, allow_destructive=False)
    with Store(directory) as store:
        runs = await _run(asked, known, limits=limits, progress=progress, stop=stop, on_error=on_error, store=store)
        for name in asked.tables:
            store.put(name, "", TABLES[name].empty(), pl.col("id"))
        await asyncio.to_thread(store.close)
        for run in runs:
            run.heights |= store.heights(run.source)
        account = _account_of(runs, asked)
        heights = {name: store.rows[name] for name in (*TABLES, *asked.own) if name in store.rows}
        if account["failures"] and not any(heights.values()):
            raise account["failures"][0]
        if store.replaces and any(isinstance(failure, Stopped) for failure in account["failures"]):
            raise Stopped(f"stopped before its end; the files of an earlier fetch in {directory} stay as they are")
        paths = store.publish()
    stored = Stored({name: pl.scan_parquet(paths[name]) for name in heights}, heights=heights, **account)
    stored.paths = {name: paths[name] for name in heights} | stored.export_beside(directory)
    return stored


def _asked(
    accounts: Account | Iterable[Account] | Plan,
    tables: Sequence[str],
    since: Moment,
    until: Moment,
    *,
    allow_destructive: bool,
) -> tuple[Question, Pages]:
    """Return the question, and the pages that a plan has for it."""
    if isinstance(accounts, Plan) and (tables or since or until):
        raise PlanError("a plan says already which tables and which period: fetch(plan)")
    if isinstance(accounts, Plan):
        asked, known = accounts.question, accounts.pages
    else:
        asked, known = question(accounts, tables, since=since, until=until), {}
    if not allow_destructive:
        asked.refuse_destructive()
    return asked, known


async def _run(
    asked: Question,
    known: Pages,
    *,
    limits: Limits | None,
    progress: Listener | bool | None,
    stop: asyncio.Event | None,
    on_error: OnError,
    store: Store | None = None,
) -> list[ResourceRun]:
    """Run every account to its end."""
    from crmlab.http.client import Client  # noqa: PLC0415  # aiohttp is loaded when something is sent

    if on_error not in ("collect", "raise"):
        raise PlanError(f'on_error is "collect" or "raise", not {on_error!r}')
    backpressure = Backpressure()
    stop = stop or asyncio.Event()
    with listening(progress, stop) as listener:
        async with Client(limits) as client, Watch(client, listener) as watch:
            client.check_scopes(asked.accounts)
            runs = [
                AccountRun(
                    client,
                    account,
                    asked,
                    backpressure,
                    watch=watch,
                    store=store,
                    stop_early=on_error == "raise",
                    pages=known.get(account.label, {}),
                )
                for account in asked.accounts
            ]
            await finish(runs, stop)
    return [resource for run in runs for resource in run.resources]


def _account_of(runs: Sequence[ResourceRun], asked: Question) -> dict[str, Any]:
    """Return what belongs beside the tables."""
    summary = [line for run in runs for line in _lines(run)] + _unfilled(asked)
    return {
        "summary": pl.DataFrame(summary, schema=SUMMARY, orient="row"),
        "rejected": pl.concat([pl.DataFrame(schema=REJECTED), *(run.rejected for run in runs)]),
        "misfits": pl.concat([pl.DataFrame(schema=MISFITS), *(run.misfits for run in runs)]),
        "failures": list({str(run.failure): run.failure for run in runs if run.failure}.values()),
        "fetched_at": asked.now,
    }


def _lines(run: ResourceRun) -> list[dict[str, object]]:
    """Return a line for each table asked for; one for what others needed, if there is something to tell of it."""
    is_whole = run.complete and not run.misfit_counts
    shows_own = run.own or not (run.tables or is_whole)
    return [
        {
            "account": run.account.name,
            "provider": run.account.provider.name,
            "resource": run.resource.name,
            "table": name,
            "rows": run.heights.get(name, 0),
            "expected": run.tally.expected,
            "rejected": run.rejected.height,
            "misfits": sum(run.misfit_counts.values()),
            "planned": run.foreseen,
            "requests": run.requests,
            "retries": run.retries,
            "seconds": round(run.seconds, 3),
            "complete": run.complete and name not in run.lacking,
            "note": "; ".join(run.notes),
        }
        for name in (*sorted(run.tables), *([run.full_name] if shows_own else []))
    ]


def _unfilled(asked: Question) -> list[dict[str, object]]:
    """A line for every table that a provider has nothing for, so that an empty frame is explained."""
    fillable = {table for account in asked.accounts for table in account.provider.tables}
    blank = dict.fromkeys(("account", "provider", "resource"), "")
    none = dict.fromkeys(("rows", "rejected", "misfits", "planned", "requests", "retries", "seconds"), 0)
    return [
        {**blank, **none, "table": name, "complete": True, "note": f"none of these services has {name}"}
        for name in TABLES
        if name in asked.tables - fillable
    ]
