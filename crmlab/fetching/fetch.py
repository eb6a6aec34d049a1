"""Fetch any tables from any accounts, concurrently, complete or saying what is missing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from crmlab.accounts import Account
from crmlab.connector import Limits, Page, Timeouts, check_settings
from crmlab.errors import PlanError, Stopped, UsageError
from crmlab.fetching.account_fetch import AccountFetch, finish
from crmlab.fetching.decode_queue import Backpressure
from crmlab.fetching.outcome import account_of, handed_out
from crmlab.fetching.plan import Plan
from crmlab.fetching.progress import Listener, check_stop, listening
from crmlab.fetching.progress_reporter import ProgressReporter
from crmlab.fetching.query import Query, as_query
from crmlab.fetching.resource_result import ResourceResult
from crmlab.fetching.spool import Spools, check_spool, names_a_folder
from crmlab.results import (
    NOT_ALWAYS,
    Fetched,
    Stored,
    parquet_metadata,
    refuse_another_question,
)
from crmlab.schema import TABLES, Asked, TableName, TimeLike

if TYPE_CHECKING:
    from crmlab.fetching.answer_spool import AnswerSpool
    from crmlab.fetching.parquet_store import Store
    from crmlab.fetching.replayed_answers import ReplayedAnswers

LOG = logging.getLogger("crmlab")

OnError = Literal["collect", "raise"]
#: first pages that are there already, by account (its label) and request
Pages = Mapping[str, Mapping[str, Page]]


async def fetch(
    accounts: Account | Iterable[Account] | Plan,
    *tables: TableName | str,
    since: TimeLike | None = None,
    until: TimeLike | None = None,
    on_error: OnError = "collect",
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
    progress: Listener | bool | None = None,
    stop: asyncio.Event | None = None,
    allow_destructive: bool = False,
    spool: str | Path | None = None,
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
    timeouts
        How long a service may take, and how much it may send: `crmlab.Timeouts`.
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
    spool
        A folder, made for this user only where it is not there. Each answer is there, compressed and without keys,
        before it is read. After a run that was killed, stopped or failed the same call asks only for what is missing,
        and for one page of each list that was cut and that nothing counts: where it is another one now, the list is
        asked for from its beginning. Answers older than 12 hours are asked again, and so is everything after a run
        that came to its end. `crmlab.replay` returns what is there without asking.
    allow_destructive
        Is needed, with a `spool`, for what a service gives only once (each event of ``"complero.latest_events"``),
        which is never part of a shared table, and never tried again. What an earlier run spooled and did not read
        comes first.

    Raises
    ------
    UsageError
        unknown table, no accounts, two accounts with one name, since after until, a time without zone, what a
        service gives only once without `allow_destructive` and `spool`
    CrmlabError
        the first failure, with ``on_error="raise"``, or where nothing came at all

    Examples
    --------
    >>> import crmlab
    >>> async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as accounts:
    ...     data = await crmlab.fetch(accounts, "deals", "stages")
    >>> data.complete
    True
    >>> data.summary.select("table", "complete")
    shape: (2, 2)
    ┌────────┬──────────┐
    │ table  ┆ complete │
    │ ---    ┆ ---      │
    │ str    ┆ bool     │
    ╞════════╪══════════╡
    │ stages ┆ true     │
    │ deals  ┆ true     │
    └────────┴──────────┘
    >>> data.deals.schema["created_at"]
    Datetime(time_unit='us', time_zone='UTC')
    """
    check_settings(limits, timeouts)
    check_stop(stop)
    query, pages = _query(accounts, tables, since, until)
    for record_name in query.destructive():
        check_spool(record_name, allow_destructive=allow_destructive, spool=spool)
    with Spools(spool) as spools, spooled(spool, query) as answers:
        query = answers.query if answers else query
        results = await run(
            query,
            pages,
            limits=limits,
            timeouts=timeouts,
            progress=progress,
            stop=stop,
            on_error=on_error,
            spools=spools,
            answers=answers,
        )
        try:
            return handed_out(query, results, spools)
        finally:
            if answers:
                answers.finish(results)


async def fetch_to(
    directory: str | Path,
    accounts: Account | Iterable[Account] | Plan,
    *tables: TableName | str,
    since: TimeLike | None = None,
    until: TimeLike | None = None,
    on_error: OnError = "collect",
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
    progress: Listener | bool | None = None,
    stop: asyncio.Event | None = None,
    spool: str | Path | None = None,
    mask: bool | bytes = False,
) -> Stored:
    """Write tables of any size to Parquet files, one for each, while they arrive.

    Memory holds what is being decoded, a hundred thousand rows of each table, and of every row the hashes
    of its key and of its content. The files are those of ``(await fetch(...)).export(directory)``; they replace
    older ones only when all is there to be written. For the other parameters and errors see `fetch`.

    Parameters
    ----------
    directory
        Made if it does not exist.
    stop
        Once it is set, what came is written, but never over the files of an earlier fetch.
    mask
        True: tokens instead of personal values in everything that is written, from the first part on, by a key that is
        kept nowhere. Or the key, 16 to 64 bytes: files that are masked by the same one join, those of another day too.
        Rejected records and misfits are counted without what they hold, as `Fetched.masked` has them. A `spool` keeps
        answers as they came all the same.

    Raises
    ------
    UsageError
        the folder holds the answer to another question: of other accounts, of another period, or with tables that are
        not asked for now. Some of its files would stay, and be taken for this answer. Or `mask` is neither True nor a
        key. Nothing was sent.
    PlanError
        what a service gives only once
    Stopped
        told to stop where there are files of an earlier fetch

    Examples
    --------
    >>> import polars as pl
    >>> import crmlab
    >>> async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as accounts:
    ...     stored = await crmlab.fetch_to("warehouse", accounts, "deals")
    >>> closed = stored.deals.filter(pl.col("status") != "pending")  # a lazy frame: nothing is read yet
    >>> closed.collect().height == crmlab.open("warehouse").deals.filter(pl.col("status") != "pending").collect().height
    True
    """
    from crmlab.fetching.parquet_store import Store  # noqa: PLC0415  # loaded when files are written
    from crmlab.results import as_mask, masked_account  # noqa: PLC0415  # as above

    check_settings(limits, timeouts)
    check_stop(stop)
    query, pages = _query(accounts, tables, since, until)
    for record_name in query.destructive():
        raise PlanError(
            f"{record_name} gives each record only once, so fetch_to does not read it: "
            "use crmlab.fetch with a spool"
        )
    refuse_another_question(directory, query.asked(), "parquet")
    masking = as_mask(mask)
    with ExitStack() as cleanup:
        answers = cleanup.enter_context(spooled(spool, query))
        query = answers.query if answers else query
        store = cleanup.enter_context(
            Store(
                directory,
                parquet_metadata(query.asked(), is_masked=masking is not None),
                mask=masking,
            )
        )
        results = await run(
            query,
            pages,
            limits=limits,
            timeouts=timeouts,
            progress=progress,
            stop=stop,
            on_error=on_error,
            store=store,
            answers=answers,
        )
        await _close(store, query, results)
        account = account_of(query, results)
        heights = {name: store.rows[name] for name in (*TABLES, *query.raw) if name in store.rows}
        failures = account["failures"]
        if failures and not any(heights.values()):
            if answers:
                answers.finish(results)
            raise failures[0]
        if store.replaces and any(isinstance(failure, Stopped) for failure in failures):
            raise Stopped(
                f"stopped before its end; the files of an earlier fetch in {directory} stay as they are"
            )
        if masking:
            account = masked_account(account)
        stored = _published(Path(directory), store, heights, account)
        if answers:  # not before: a run that is killed here has everything to go on with
            answers.finish(results)
    return stored


async def _close(store: Store, query: Query, results: Sequence[ResourceResult]) -> None:
    """Write what is left of each table, and note of each resource what of it is there."""
    for table_name in query.tables:
        # a table of which nothing came has a file all the same
        store.put(table_name, "", TABLES[table_name].empty(), pl.col("id"))
    await asyncio.to_thread(store.close)
    for result in results:
        result.heights |= store.heights(result.task.source)
        result.take_conflicts(store.conflicts(result.task.source))


def _published(
    directory: Path, store: Store, heights: Mapping[str, int], account: Mapping[str, Any]
) -> Stored:
    """Put the files where they belong, with those that stand beside the tables; return what is there."""
    table_paths = store.paths
    table_scans = {name: pl.scan_parquet(table_paths[name], glob=False) for name in heights}
    stored = Stored(table_scans, heights=heights, **account)
    writers = stored.writers_beside(directory, store.wholes)
    obsolete = {f"{table_name}.parquet" for table_name in NOT_ALWAYS} - writers.keys()
    store.publish(writers, obsolete=obsolete)
    stored.paths = {table_name: table_paths[table_name] for table_name in heights}
    for file_name in writers:
        if file_name.endswith(".parquet"):
            stored.paths[Path(file_name).stem] = directory / file_name
    return stored


def asked_of(
    accounts: Account | Iterable[Account],
    *tables: TableName | str,
    since: TimeLike | None = None,
    until: TimeLike | None = None,
) -> Asked:
    """Return what `fetch` would be asked with these arguments; nothing is sent.

    Raises
    ------
    UsageError
        it cannot be asked, see `fetch`
    """
    return as_query(accounts, tables, since=since, until=until).asked()


def _query(
    accounts: Account | Iterable[Account] | Plan,
    tables: Sequence[str],
    since: TimeLike | None,
    until: TimeLike | None,
) -> tuple[Query, Pages]:
    """Return what is asked for, and the pages that a plan has of it."""
    pages: Pages = {}
    if isinstance(accounts, Plan):
        if tables or since or until:
            raise UsageError("a plan already has its tables and its period: write fetch(plan)")
        query = accounts.query
        pages = accounts.pages
    else:
        query = as_query(accounts, tables, since=since, until=until)
    return query, pages


async def run(
    query: Query,
    pages: Pages,
    *,
    limits: Limits | None,
    timeouts: Timeouts | None,
    progress: Listener | bool | None,
    stop: asyncio.Event | None,
    on_error: OnError,
    store: Store | None = None,
    spools: Spools | None = None,
    answers: AnswerSpool | ReplayedAnswers | None = None,
) -> list[ResourceResult]:
    """Read every account to its end, and return what came of each resource."""
    from crmlab.http.client import Client  # noqa: PLC0415  # aiohttp is loaded when something is sent

    if on_error not in ("collect", "raise"):
        raise UsageError(f'on_error is "collect" or "raise", not {on_error!r}')
    started = time.monotonic()
    backpressure = Backpressure()
    stop = stop or asyncio.Event()
    with listening(progress, stop) as listener:
        async with (
            Client(limits, timeouts) as client,
            ProgressReporter(client, listener) as reporter,
        ):
            client.share_limits(query.accounts)
            account_fetches: list[AccountFetch] = []
            for account in query.accounts:
                account_fetch = AccountFetch(
                    client,
                    account,
                    query,
                    backpressure,
                    reporter=reporter,
                    store=store,
                    spools=spools,
                    answers=answers,
                    stop_early=on_error == "raise",
                    pages=pages.get(account.label, {}),
                )
                account_fetches.append(account_fetch)
            await finish(account_fetches, stop, client.timeouts.total)
    results: list[ResourceResult] = []
    for account_fetch in account_fetches:
        results += account_fetch.results
    _log(query, results, time.monotonic() - started)
    return results


def _log(query: Query, results: Sequence[ResourceResult], seconds: float) -> None:
    """Log a line for the fetch: of whom, how much, and whether it is all; nothing of what came."""
    LOG.info(
        "%s: %d lists, %d records, %d requests, %d retries in %.1f s, %d failures, %s",
        ", ".join(account.label for account in query.accounts),
        len(results),
        sum(result.rows for result in results),
        sum(result.requests.sent for result in results),
        sum(result.requests.retries for result in results),
        seconds,
        sum(result.failure is not None for result in results),
        "complete" if all(result.complete for result in results) else "not complete",
    )


def spooled(
    directory: str | Path | None, query: Query
) -> AbstractContextManager[AnswerSpool | None]:
    """Return the spool where all answers are kept; none where no folder is named."""
    if directory is None:
        return nullcontext()
    if not names_a_folder(directory):
        raise UsageError(f"spool is the path of a folder, not {directory!r}")
    from crmlab.fetching.answer_spool import AnswerSpool  # noqa: PLC0415  # loaded when a folder is named

    return AnswerSpool(directory, query)
