"""The keys of what services have now, so that what was deleted shows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import polars as pl

from crmlab.accounts import Account
from crmlab.connector import Limits, Timeouts
from crmlab.errors import CrmlabError, UsageError
from crmlab.fetching.fetch import run
from crmlab.fetching.outcome import collected
from crmlab.fetching.progress import Listener
from crmlab.fetching.query import ListName, Query, as_query, list_name
from crmlab.fetching.refreshing import ListRead, TableOf, is_whole, list_read, whole_tables
from crmlab.fetching.resource_task import KEY_COLUMNS
from crmlab.schema import TableName


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The ids that services have now.

    Attributes
    ----------
    frames : mapping of str to pl.DataFrame
        By table: provider (Categorical), account (String), id (String), created_at and modified_at (Datetime in UTC,
        null where the service gives none).
    lists : tuple of ListRead
        Each list that was read; none has a watermark.
    whole : frozenset of (provider, account, table)
        Tables of accounts of which every id came. Of all others nothing can be said that is missing.
    failures : tuple of CrmlabError
        What went wrong.
    """

    frames: Mapping[str, pl.DataFrame]
    lists: tuple[ListRead, ...]
    whole: frozenset[TableOf]
    failures: tuple[CrmlabError, ...]


async def keys(
    accounts: Account | Iterable[Account],
    *tables: TableName | str,
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
    progress: Listener | bool | None = None,
    stop: asyncio.Event | None = None,
) -> Keys:
    """Return the ids of all records that are at the services now, so that those that were deleted show.

    They come with the fewest requests that the vendor documents: the largest pages, and OnePageCRM's deals, notes,
    calls and meetings inside its contacts where that saves requests.

    Parameters
    ----------
    *tables
        Shared tables. None named: those of lists that filter by change, and only these lists, since a refresh brings
        all others whole each time. What expires, such as consent events and deliveries, is never read.

    Raises
    ------
    UsageError
        as `crmlab.fetch`
    """
    query = keys_query(accounts, *tables)
    results = await run(
        query,
        {},
        limits=limits,
        timeouts=timeouts,
        progress=progress,
        stop=stop,
        on_error="collect",
    )
    lists_read = tuple(replace(list_read(query, result, {}), watermark=None) for result in results)
    fetched = collected(query, results)
    frames: dict[str, pl.DataFrame] = {}
    for table_name in sorted(query.tables):
        frames[table_name] = fetched[table_name].select("provider", "account", *KEY_COLUMNS)
    return Keys(
        frames=frames,
        lists=lists_read,
        whole=whole_tables(query, lists_read),
        failures=tuple(fetched.failures),
    )


def keys_query(accounts: Account | Iterable[Account], *tables: TableName | str) -> Query:
    """Return the query for the ids of what users may delete.

    Raises
    ------
    UsageError
        as `crmlab.fetch`, or a service's own records are named
    """
    query = as_query(accounts, tables, since=None, until=None)
    if query.raw:
        raise UsageError(f"keys are read of shared tables, not of {', '.join(query.raw)}")
    list_names: set[ListName] = set()
    filled: set[str] = set()
    for account in query.accounts:
        for resource in account.provider.resources:
            if not is_whole(query, account, resource):
                continue
            # what comes whole each time is compared by a refresh: only who names it wants it here
            if tables or resource.filters_by_change:
                list_names.add(list_name(account, resource.name))
                filled.update(resource.tables)
    return replace(query, tables=query.tables & filled, keys_of=frozenset(list_names))
