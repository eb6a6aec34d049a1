"""A table of a service as a lazy frame: what a query filters by goes into the requests, where the service allows it."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import polars as pl
from polars.io.plugins import register_io_source

from crmlab.accounts import Account
from crmlab.connector import Limits, Resource, Timeouts
from crmlab.display import listed
from crmlab.errors import CrmlabError, UsageError
from crmlab.fetching.fetch import run
from crmlab.fetching.outcome import handed_out
from crmlab.fetching.predicates import Terms, terms_of
from crmlab.fetching.query import Query, as_query, clock
from crmlab.fetching.resource_task import narrowing
from crmlab.forks import check_threads
from crmlab.providers import unknown
from crmlab.results import Fetched
from crmlab.schema import TABLES, TableName

LOG = logging.getLogger("crmlab")

#: rows of a batch, where Polars names no number
_BATCH = 100_000
_Answer = TypeVar("_Answer")


def scan(
    accounts: Account | Iterable[Account],
    table: TableName | str,
    *,
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
    tell: Callable[[str], object] | None = None,
) -> pl.LazyFrame:
    """Return a shared table of accounts as a lazy frame, which is asked for when it is collected. Experimental.

    Filters that the service can apply go into the requests: bounds of the time of the last change (``modified_at``;
    of consent events ``occurred_at``), and, at OnePageCRM, one owner, status, pipeline or stage of pending deals.
    ``provider`` and ``account`` choose which accounts are asked at all, and ``head`` without a filter asks for no more
    pages than it needs. All other filters, joins and groups are computed here, of all rows. Filters that are joined by
    "and" are told apart; of an "or", nothing is pushed.

    The rows are those that `crmlab.fetch` returns of the table, whatever was pushed: every filter is applied again
    here. Each ``collect()`` asks anew, and so does each use within one query: collect once, and go on with that.
    ``collect()`` blocks the event loop of a notebook, ``await query.collect_async()`` does not: use it where
    `crmlab.sandbox` runs in the same loop, which could not answer otherwise. Rows are in memory before the first one
    is handed out, since only then it is known that none is missing or there twice; larger ones are for `fetch_to`.

    Parameters
    ----------
    accounts
        One or more; also the form of `crmlab.login`.
    table
        The name of a shared table, such as ``"deals"``.
    limits, timeouts
        See `fetch`.
    tell
        Called with a line for each account when the frame is collected: what it is asked for. The log has the same
        line at INFO. ``explain()`` shows what Polars hands over, and cannot show what becomes of it.

    Returns
    -------
    pl.LazyFrame
        With the columns and dtypes of the table. It holds keys, in no repr and no plan, and refuses to be serialized.

    Raises
    ------
    UsageError
        There is no such table, or no account; a service's own records have no schema before they are fetched.
    CrmlabError
        From ``collect()``: a request failed, or what came is not complete. No part of a list is returned as the whole.

    Examples
    --------
    >>> import datetime as dt
    >>> import crmlab
    >>> import polars as pl
    >>> since = dt.datetime(2025, 1, 31, tzinfo=dt.UTC)
    >>> async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as accounts:
    ...     deals = crmlab.scan(accounts, "deals", tell=print)
    ...     won = deals.filter(pl.col("modified_at") >= since, pl.col("status") == "won", pl.col("amount") > 10)
    ...     frame = await won.select("name", "status").collect_async()
    deals of onepagecrm account 'onepagecrm': asked for modified_at since 2025-01-30 23:59:59 UTC, status=won
    >>> frame["status"].unique().to_list()
    ['won']
    """
    check_threads()
    if isinstance(table, str) and "." in table:
        raise UsageError(
            f"scan takes shared tables, whose columns are known before: fetch {table!r} instead"
        )
    if table not in TABLES:
        raise UsageError(unknown("table", str(table), TABLES))
    query = as_query(accounts, [table], since=None, until=None)
    source = _Source(query, table, limits, timeouts, tell)
    return register_io_source(
        source,
        schema=TABLES[table].schema,
        is_pure=False,
        explain_name="crmlab",
        explain_detail=f"{table} of {listed([account.label for account in query.accounts])}",
    )


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Source:
    """What Polars calls for the rows. It holds accounts, and so keys: it is written to no file."""

    query: Query
    table: str
    limits: Limits | None
    timeouts: Timeouts | None
    tell: Callable[[str], object] | None

    def __repr__(self) -> str:
        return f"<scan of {self.table}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise UsageError(
            "a scan holds the keys of its accounts, so it cannot be serialized: collect it, and keep the frame"
        )

    def __call__(
        self,
        columns: list[str] | None,
        predicate: pl.Expr | None,
        rows: int | None,
        batch: int | None,
    ) -> Iterator[pl.DataFrame]:
        """Yield the rows that fit, in batches."""
        # how many have to come for so many that fit is not known
        enough = rows if predicate is None else None
        all_rows = self._fetched(terms_of(predicate), enough)
        for batch_frame in all_rows.iter_slices(batch or _BATCH):
            yield _chosen(batch_frame, columns, predicate)
        if all_rows.is_empty():  # Polars wants a frame with the columns all the same
            yield _chosen(all_rows, columns, predicate)

    def _fetched(self, terms: Terms, rows: int | None) -> pl.DataFrame:
        """Return the rows that the services give; with `rows`, no more than so many."""
        queries = self._queries(terms)
        answers = in_thread(self._read(queries, enough=rows))
        if rows is not None and not all(fetched.complete for fetched in answers):
            row_count = sum(fetched[self.table].height for fetched in answers)
            if row_count < rows:  # enough records were not enough rows: only now all are needed
                answers = in_thread(self._read(queries, enough=None))
        frames = [fetched[self.table] for fetched in answers]
        return pl.concat([TABLES[self.table].empty(), *frames]).slice(0, rows)

    def _queries(self, terms: Terms) -> list[Query]:
        """Return what each account is asked for, and tell it."""
        queries: list[Query] = []
        for account in self.query.accounts:
            if not _may_fit(account, terms):
                self._tell(f"{self.table} of {account.label}: not asked")
                continue
            query = replace(self.query, accounts=(account,), now=clock(), wanted=terms.values)
            query = _within(query, terms, _time_column(account, self.table))
            queries.append(query)
            self._tell(f"{self.table} of {account.label}: asked for {_in_words(query, self.table)}")
        return queries

    def _tell(self, line: str) -> None:
        LOG.info("scan: %s", line)
        if self.tell:
            self.tell(line)

    async def _read(self, queries: Sequence[Query], *, enough: int | None) -> list[Fetched]:
        readings = [self._read_account(replace(query, enough=enough)) for query in queries]
        return list(await asyncio.gather(*readings))

    async def _read_account(self, query: Query) -> Fetched:
        results = await run(
            query,
            {},
            limits=self.limits,
            timeouts=self.timeouts,
            progress=False,
            stop=None,
            on_error="raise",
        )
        fetched = handed_out(query, results)
        if query.enough is None and not fetched.complete:
            incomplete = fetched.summary.filter(~pl.col("complete"))
            list_notes = [list_note for list_note in incomplete["note"].to_list() if list_note]
            reasons = "; ".join(list_notes) or "records were rejected"
            raise CrmlabError(
                f"{self.table} of {query.accounts[0].label} is not complete ({reasons}): crmlab.fetch returns "
                "the rows that came, and says what is missing"
            )
        return fetched


def _chosen(
    frame: pl.DataFrame, columns: list[str] | None, predicate: pl.Expr | None
) -> pl.DataFrame:
    """Return the rows that fit, with the columns that are wanted."""
    if predicate is not None:
        frame = frame.filter(predicate)
    if columns is not None:
        frame = frame.select(columns)
    return frame


def _may_fit(account: Account, terms: Terms) -> bool:
    """Whether rows of an account may fit a filter, as far as its columns of whom they are from tell."""
    for column, own_value in (("provider", account.provider.name), ("account", account.name)):
        if own_value not in terms.values.get(column, {own_value}):
            return False
    return True


def _filling(account: Account, table: str) -> list[Resource]:
    """Return the resources of an account that fill a table."""
    resources: list[Resource] = []
    for resource in account.provider.resources:
        if table in resource.tables and not resource.destructive:
            resources.append(resource)
    return resources


def _time_column(account: Account, table: str) -> str:
    """Return the column whose bounds a fetch of the table can be given; "" where not all that fill it have the same."""
    columns: set[str] = set()
    for resource in _filling(account, table):
        pushdown = resource.pushdown.get(table)
        columns.add(pushdown.time if pushdown else "")
    if len(columns) != 1:
        return ""
    return columns.pop()


def _within(query: Query, terms: Terms, column: str) -> Query:
    """Return the query of the times that a column is to have."""
    lower_bound = terms.since.get(column)
    upper_bound = terms.until.get(column)
    if lower_bound and upper_bound and lower_bound >= upper_bound:
        return query  # nothing fits, which the filter itself finds out
    return replace(query, since=_in_utc(lower_bound), until=_in_utc(upper_bound))


def _in_utc(time: dt.datetime | None) -> dt.datetime | None:
    if time is None:
        return None
    return time.astimezone(dt.UTC)


def _in_words(query: Query, table: str) -> str:
    """Say what goes into the requests of an account."""
    (account,) = query.accounts
    conditions = []
    column = _time_column(account, table)
    for direction, bound_time in (("since", query.since), ("before", query.until)):
        if bound_time:
            conditions.append(f"{column} {direction} {bound_time:%Y-%m-%d %H:%M:%S} UTC")
    params: dict[str, str] = {}
    for resource in _filling(account, table):
        params |= narrowing(resource, query)
    conditions += [f"{param_name}={param_value}" for param_name, param_value in params.items()]
    return ", ".join(conditions) or "all of it"


def in_thread(work: Coroutine[Any, Any, _Answer]) -> _Answer:
    """Return what a coroutine returns, run in an event loop of its own: one may be running here.

    Whatever ends the wait, such as an interrupt, ends the work as well.
    """
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[_Answer]]] = Future()
    answer: Future[_Answer] = Future()

    async def working() -> _Answer:
        task = asyncio.current_task()
        assert task is not None
        started.set_result((asyncio.get_running_loop(), task))
        return await work

    def serve() -> None:
        try:
            answer.set_result(asyncio.run(working()))
        except BaseException as error:  # noqa: BLE001  # raised where it is waited for
            answer.set_exception(error)

    thread = threading.Thread(target=serve, name="crmlab-scan", daemon=True)
    thread.start()
    try:
        return answer.result()
    except BaseException:
        if not answer.done():
            loop, task = started.result()
            loop.call_soon_threadsafe(task.cancel)
        raise
    finally:
        thread.join()
