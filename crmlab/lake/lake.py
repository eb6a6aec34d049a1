"""`crmlab.Lake`: one place for tables that stay."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from crmlab.accounts import Account
from crmlab.cluster import Cluster
from crmlab.connector import Limits, Timeouts
from crmlab.errors import UsageError
from crmlab.fetching import Listener, chosen_accounts
from crmlab.forks import check_threads
from crmlab.lake import erasing, refreshing, upkeep
from crmlab.lake import state as states
from crmlab.lake.past import Changes, changes
from crmlab.lake.place import Place, delta
from crmlab.lake.reading import snapshots, stored, table_of
from crmlab.lake.refreshing import Refreshed
from crmlab.lake.versions import MISSED_AT, VALID_FROM, VALID_TO, as_shared
from crmlab.results import Stored
from crmlab.schema import TABLES, UTC, TableName, TimeLike, as_instant

_DURATION = re.compile(r"(\d+)([hdw])")
_UNITS = {"h": dt.timedelta(hours=1), "d": dt.timedelta(days=1), "w": dt.timedelta(weeks=1)}
_STATUS = {
    "provider": pl.String(),
    "account": pl.String(),
    "resource": pl.String(),
    "table": pl.String(),
    "known_at": UTC,
    "watermark": UTC,
    "rows": pl.Int64(),
    "complete": pl.Boolean(),
    "swept_at": UTC,
    "note": pl.String(),
}


class Lake:
    """Tables of any accounts that stay: a refresh asks only for what changed, and the past can be asked.

    Each shared table is a Delta table, which other tools read too. An object that changed has several versions in it,
    with `valid_from` and `valid_to`; what a service deleted stays, marked, and is left out of what `open` returns. A
    refresh that is killed leaves what was there before, and the next one goes on from the same time. Several processes
    may refresh one lake.

    Rows that did not change cost nothing to write. A million deals of which 1 % changed take about 3 seconds of CPU and
    630 MiB to be written (``python -m benchmarks.lake``; the page on lakes has the other steps).

    Parameters
    ----------
    place
        A folder, which the first refresh makes for this user only, or an address such as ``s3://bucket/lake``.
    storage_options
        What an object store is reached with, as deltalake names it (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL``, ...).
        What is left out is found in the environment. No message shows the values.

    Raises
    ------
    UsageError
        deltalake is not installed, or the place is none.

    Examples
    --------
    >>> import crmlab
    >>> lake = crmlab.Lake("warehouse")
    >>> async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as accounts:
    ...     refreshed = await lake.refresh(accounts, "deals")
    >>> lake.open().deals.collect().height > 0
    True
    """

    def __init__(
        self, place: str | Path, *, storage_options: Mapping[str, str] | None = None
    ) -> None:
        self._place = Place(place, storage_options)
        delta()

    def __repr__(self) -> str:
        return f"Lake({self._place.root!r})"

    async def refresh(
        self,
        accounts: Account | Iterable[Account],
        *tables: TableName | str,
        sweep_after: str | dt.timedelta | None = None,
        whole: bool = False,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
        progress: Listener | bool | None = None,
        stop: asyncio.Event | None = None,
        cluster: Cluster | None = None,
    ) -> Refreshed:
        """Ask the accounts for what is new or changed since the last refresh, and make it durable.

        The first refresh reads everything, as far back as each service keeps it. Later ones ask each list from when the
        last complete one began, less an overlap for clocks that differ and records that arrive late; by the service's
        own clock where it tells. A list that did not come whole is kept as far as it came, and asked for from the same
        time again. Lists that a service cannot filter by change come whole each time.

        What a service changes without dating it, such as the label of a status or a link to a contact that is gone,
        comes with the next change of the record, or with ``whole=True``.

        Parameters
        ----------
        accounts
            One or more; also the form of `crmlab.login`.
        *tables
            Shared tables; none named: all that the accounts fill.
        sweep_after
            How old the last reading of all may be, such as ``"7d"``: what was read whole longer ago is read whole
            again, so that deletions are found. None: `sweep` does that.
        whole
            Read everything anew, as the first refresh does. What was deleted is found too.
        limits, timeouts, progress, stop
            As of `crmlab.fetch`. What came before a stop is kept.
        cluster
            The workers that do it: the address of a Dask scheduler, such as ``"tcp://127.0.0.1:8786"``, or a
            `distributed.Client`. Each account is a task, and readers see some accounts before others. The page on
            clusters says when that pays. None: this process does it.

        Returns
        -------
        Refreshed
            What came, and how many rows were added, changed and deleted.

        Raises
        ------
        UsageError
            As of `crmlab.fetch`; or the place holds something else, or columns with other dtypes; or there is no such
            cluster, it does not see the lake, or keys would travel to it unencrypted.
        CrmlabError
            The disk is full, or the store cannot be reached; or the cluster ended before the refresh. What was there
            before is unharmed.
        """
        after = None if sweep_after is None else duration(sweep_after, "sweep_after")
        ask = partial(refreshing.read, sweep_after=after, whole=whole)
        options = {"limits": limits, "timeouts": timeouts, "progress": progress, "stop": stop}
        return await self._refresh(accounts, tables, ask, cluster, options)

    async def sweep(
        self,
        accounts: Account | Iterable[Account],
        *tables: TableName | str,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
        progress: Listener | bool | None = None,
        stop: asyncio.Event | None = None,
        cluster: Cluster | None = None,
    ) -> Refreshed:
        """Read all that the accounts have, so that what was deleted there is found and marked.

        A row is marked with the time at which it was missed, and only where its list came whole. What services let
        expire, such as consent events, deliveries and statistics, is kept and not marked. A row that was marked before
        and is among the ids after all goes on as it was, and counts as added. For the parameters see `refresh`.
        """
        options = {"limits": limits, "timeouts": timeouts, "progress": progress, "stop": stop}
        return await self._refresh(accounts, tables, refreshing.read_ids, cluster, options)

    async def _refresh(
        self,
        accounts: Account | Iterable[Account],
        tables: Sequence[str],
        ask: refreshing.Read,
        cluster: Cluster | None,
        options: Mapping[str, Any],
    ) -> Refreshed:
        """Let this process ask the accounts, or the workers of a cluster, and make durable what came."""
        check_threads()
        chosen = chosen_accounts(accounts)
        if cluster is None:
            return await refreshing.refresh(self._place, chosen, tables, ask, **options)
        # Dask is an extra: whoever has no cluster needs none
        from crmlab.lake import on_cluster  # noqa: PLC0415

        return await on_cluster.refresh(cluster, self._place, chosen, tables, ask, **options)

    def open(self) -> Stored:
        """Return the tables as they are now: whole, whatever the last refresh asked for, and without what was deleted.

        All tables are of one refresh, also while another one writes. `fetched_at` is when the list that is known for
        the shortest time was read. A table of which a service keeps only a while is whole since the first refresh,
        which ``asked.reached`` says.

        Each row of `summary` tells how the last refresh of that list went: its `rows`, `requests` and so on are what
        that refresh brought, be it nothing, and not what the table holds. How many rows a table holds is in `rows`
        of `status`.

        Raises
        ------
        UsageError
            There is no lake, nothing was read into it yet, or a part of it is missing.
        """
        check_threads()
        return stored(self._place, states.read(self._place))

    def as_of(self, time: TimeLike) -> Stored:
        """Return the tables as they were at a time, as far as refreshes saw it: as `open` would have then.

        Parameters
        ----------
        time
            A date (midnight UTC), a time with its zone, or the ISO text of either.

        Raises
        ------
        UsageError
            It is no time, or there was no lake then.
        """
        check_threads()
        at = as_instant(time, "time")
        known = states.read(self._place)
        _check_kept(known, at)
        return stored(self._place, known, at, states.read(self._place, at))

    def scan(self, table: TableName | str) -> pl.LazyFrame:
        """Return one table as it is now, with exactly the columns and dtypes of the shared schema.

        Raises
        ------
        UsageError
            There is no lake, or it does not hold the table.
        """
        check_threads()
        known = states.read(self._place)
        return table_of(self._place, known, self._checked(table, known.versions))

    def sql(self, query: str) -> pl.LazyFrame:
        """Return the answer of a SQL query over the tables as they are now, lazily: see `crmlab.Stored.sql`.

        ``lake.as_of(time).sql(...)`` asks them as they were.

        Raises
        ------
        UsageError
            There is no lake, or the query is no select over its tables.

        Examples
        --------
        >>> import crmlab
        >>> lake = crmlab.Lake("lake")
        >>> async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as accounts:
        ...     refreshed = await lake.refresh(accounts, "deals")
        >>> lake.sql("select count(*) as deals from deals").collect().item() == lake.open().deals.collect().height
        True
        """
        return self.open().sql(query)

    def changes(self, since: TimeLike) -> Changes:
        """Return what is different now from what was at a time.

        Parameters
        ----------
        since
            A date (midnight UTC), a time with its zone, or the ISO text of either.

        Returns
        -------
        Changes
            By table a frame: provider, account, id (String), change (String: added, changed, deleted), changed_at (UTC,
            when a refresh saw it), and of what changed a row for each column: column, old, new (String, lists as
            JSON). What was added and is deleted again since is not among it: `history` has it.

        Raises
        ------
        UsageError
            It is no time, or there is no lake.
        """
        check_threads()
        at = as_instant(since, "since")
        known = states.read(self._place)
        _check_kept(known, at)
        return Changes(
            {name: changes(name, self._versions(name, known), at) for name in _names(known)}, at
        )

    def history(self, table: TableName | str) -> pl.LazyFrame:
        """Return all versions of all rows of a table.

        Returns
        -------
        pl.LazyFrame
            The columns of the shared table, and `valid_from` (UTC, when a refresh first saw the row like this),
            `valid_to` (UTC, when one saw it otherwise; null: it is current) and `missed_at` (UTC, when it was missed
            at the service, where that ended it).

        Raises
        ------
        UsageError
            There is no lake, or it does not hold the table.
        """
        check_threads()
        known = states.read(self._place)
        name = self._checked(table, known.versions)
        return as_shared(self._versions(name, known), name, (VALID_FROM, VALID_TO, MISSED_AT))

    def snapshots(
        self,
        table: TableName | str = "deals",
        *,
        since: TimeLike | None = None,
        every: str | dt.timedelta | None = None,
    ) -> list[tuple[dt.datetime, pl.LazyFrame]]:
        """Return a table as it was after each refresh: what `crmlab.analysis.stage_history` and `slippage` are made of.

        Parameters
        ----------
        table
            A shared table.
        since
            Refreshes from this time on: a date (midnight UTC), a time with its zone, or the ISO text of either. None:
            as far back as the lake keeps its past.
        every
            Of refreshes that are closer to each other than that, such as ``"7d"``, only some are taken: each is read
            whole. None: all.

        Returns
        -------
        list of tuple of datetime and pl.LazyFrame
            Earliest first: when the refresh began, in UTC, and the rows of the accounts of which it read all that had
            changed. Of an account that it did not ask, or not to the end, it saw nothing, and there are no rows.

        Raises
        ------
        UsageError
            There is no lake, or it does not hold the table; `since` is no time, or `every` is no length of time.

        Examples
        --------
        >>> import crmlab
        >>> from crmlab import analysis
        >>> lake = crmlab.Lake("warehouse")
        >>> for days_ago in (90, 0):
        ...     async with crmlab.sandbox(rows=40, services=["onepagecrm"], days_ago=days_ago) as accounts:
        ...         refreshed = await lake.refresh(accounts, "deals", "stages")
        >>> history = analysis.stage_history(lake.snapshots())
        >>> set(history["entry"]) >= {"first fetch", "created"}
        True
        """
        check_threads()
        start = None if since is None else as_instant(since, "since")
        apart = dt.timedelta(0) if every is None else duration(every, "every")
        known = states.read(self._place)
        name = self._checked(table, known.versions)
        return snapshots(self._place, known, name, since=start, every=apart)

    def status(self) -> pl.DataFrame:
        """Return up to when each list is known.

        Returns
        -------
        pl.DataFrame
            A row for each account, list and table: provider, account, resource, table (String), known_at (UTC, when the
            last complete refresh began), watermark (UTC, from when on the next one asks), rows (Int64, that are
            current in the table), complete (Boolean, of the last refresh), swept_at (UTC, when it was last read whole)
            and note (String).
        """
        check_threads()
        known = states.read(self._place)
        lines = [
            (
                mark.provider,
                mark.account,
                mark.resource,
                mark.table,
                mark.known_at,
                mark.watermark,
                known.heights.get(mark.table, 0),
                mark.complete,
                mark.swept_at,
                mark.summary.get("note", ""),
            )
            for mark in known.marks
        ]
        return pl.DataFrame(lines, schema=_STATUS, orient="row").sort(
            "provider", "account", "table", "resource"
        )

    def compact(self) -> pl.DataFrame:
        """Bring the files of each table together: many refreshes leave many small ones, which are slow to read.

        Returns
        -------
        pl.DataFrame
            A row for each table: table (String), files_before and files_after (Int64). Nothing else changes.

        Raises
        ------
        UsageError
            There is no lake.
        """
        check_threads()
        return upkeep.compact(self._place)

    def vacuum(self, keep: str | dt.timedelta = "90d") -> pl.DataFrame:
        """Remove what was superseded longer ago than that, and the files that nothing needs any more.

        What is current stays, and so does what was deleted at a service. The past can then be asked since that time.
        Files stay a day longer than they are needed, so that readers and writers that are at work are not disturbed.

        Parameters
        ----------
        keep
            How much of the past stays: ``"90d"``, ``"12h"``, ``"8w"`` or a `datetime.timedelta`.

        Returns
        -------
        pl.DataFrame
            A row for each table: table (String), versions (Int64, of rows that were removed) and files (Int64).

        Raises
        ------
        UsageError
            There is no lake, or `keep` is no length of time.
        """
        check_threads()
        return upkeep.vacuum(self._place, duration(keep, "keep"), dt.datetime.now(dt.UTC))

    def erase(
        self, person: str, *, region: str | None = None, dry_run: bool = False, alone: bool = False
    ) -> pl.DataFrame:
        """Take a person out of all tables, all versions and all files, and return what was taken.

        What is found is what `crmlab.erase` finds, in what is current and in what was superseded. Whoever reads an
        older state at this moment meets files that are gone, and opens the lake again.

        The services are not told. A refresh brings the person back with the next list that comes whole, or with the
        next change, for as long as the service has the person: delete the person there before, or erase again.

        Parameters
        ----------
        person
            An e-mail address, a telephone number, or the key of a contact: ``"provider/account/id"``.
        region
            As of `crmlab.about`.
        dry_run
            Return what would be taken, and change nothing.
        alone
            No other process refreshes the lake now. Files that writers left which were killed within the last day are
            removed too; otherwise these stay, since they may be about to be committed, and the next `vacuum` that
            finds them older than a day removes them.

        Returns
        -------
        pl.DataFrame
            A row for each table: table (String), rows (Int64, versions that were taken), values (Int64, that were taken
            out of other rows), found_by (String) and files (Int64, that were removed).

        Raises
        ------
        UsageError
            As of `crmlab.about`; or there is no lake.
        """
        check_threads()
        return erasing.erase(self._place, person, region=region, dry_run=dry_run, alone=alone)

    def _versions(self, name: str, known: states.State) -> pl.LazyFrame:
        return table_of(self._place, known, name, is_whole=True)

    def _checked(self, table: str, versions: Mapping[str, int]) -> str:
        if table not in TABLES or table not in versions:
            there = ", ".join(name for name in TABLES if name in versions) or "nothing yet"
            raise UsageError(f"{table!r} is not in the lake; there is {there}")
        return table


def duration(value: str | dt.timedelta, name: str) -> dt.timedelta:
    """Return the length of time that a user gave.

    Raises
    ------
    UsageError
        It is none.

    Examples
    --------
    >>> duration("7d", "sweep_after")
    datetime.timedelta(days=7)
    """
    if isinstance(value, dt.timedelta) and value >= dt.timedelta(0):
        return value
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise UsageError(
            f"{name} is a number of hours, days or weeks, such as '12h', '7d' or '2w', not {value!r}"
        )
    return int(found[1]) * _UNITS[found[2]]


def _check_kept(known: states.State, at: dt.datetime) -> None:
    """Refuse a time of which versions were removed: what is left of it would be taken for all."""
    if known.kept_since and at < known.kept_since:
        raise UsageError(
            f"the lake keeps its past since {known.kept_since:%Y-%m-%d %H:%M} UTC, when vacuum removed what was older: "
            "name a later time"
        )


def _names(known: states.State) -> list[str]:
    return [name for name in TABLES if name in known.versions]
