"""A fetch of what changed: each list of each account from where it was last read, all of them at once."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from crmlab.accounts import Account
from crmlab.connector import Limits, Resource, Timeouts
from crmlab.fetching.fetch import run
from crmlab.fetching.outcome import collected
from crmlab.fetching.plan import Plan, planned
from crmlab.fetching.progress import Listener
from crmlab.fetching.query import ListName, Query, as_query, list_name
from crmlab.fetching.resource_result import ResourceResult
from crmlab.fetching.resource_task import ResourceTask, resource_tasks
from crmlab.results import Fetched
from crmlab.schema import TableName

#: until when each list is known, by its name
Watermarks = Mapping[ListName, dt.datetime]

#: a table of an account: provider, account, table
TableOf = tuple[str, str, str]
#: how far back our own clock is not trusted, where a service tells no time
_UNTOLD = dt.timedelta(days=1)
#: how far the clock of another machine that refreshed before may be ahead of ours
_AHEAD = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRead:
    """One list of one account, as a refresh has read it.

    Attributes
    ----------
    provider, account, resource : str
        Whose list it is, and its name among the provider's resources. Together they are `name`.
    tables : tuple of str
        Which of the asked tables it fills.
    since : datetime, optional
        From when on it was asked for, the overlap included; None: from its beginning.
    began_at : datetime, optional
        When it began to be read, by the service's own clock; None where no answer told.
    watermark : datetime, optional
        Until when its changes are known, for the next refresh. It is never later than `began_at`, than this machine's
        clock, or than the newest change that the service told of in a list that tells it, so that no wrong clock loses
        a change; and never earlier than the watermark before, unless that is more than a day later than now, and so
        tells nothing. As it was before where the list is not complete, and None in a list that comes whole each time.
        A list that is asked about what such lists bring has the earliest of theirs. It is as it was before, too, where
        another list did not come whole that says more of the records, such as their labels: they come again.
    is_whole : bool
        Whether it was asked for all records that the service has now, which it keeps as long as nobody deletes them:
        where it is also complete, one that was there and did not come was deleted.
    filters_by_change : bool
        Whether it is asked for what changed. A list that comes whole each time does not, nor does one that depends on
        lists that do: Complero's employees are asked for as far as new events name them.
    complete : bool
        Whether all that it was asked for came.
    requests : int
        How many were sent, repeated tries apart.
    lacking : frozenset of str
        Tables that lack ids or amounts of it all the same, since these could not be read.
    """

    provider: str
    account: str
    resource: str
    tables: tuple[str, ...]
    since: dt.datetime | None
    began_at: dt.datetime | None
    watermark: dt.datetime | None
    is_whole: bool
    filters_by_change: bool
    complete: bool
    requests: int
    lacking: frozenset[str] = frozenset()

    @property
    def name(self) -> ListName:
        """What watermarks name it by."""
        return self.provider, self.account, self.resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh brought: rows that are new, changed or may be the same, with their summary, and its lists.

    Attributes
    ----------
    data : Fetched
        The rows. An id may come again as it was: that is what the overlap is for.
    lists : tuple of ListRead
        Each list that was read, those that others need included.
    whole : frozenset of (provider, account, table)
        Tables of accounts of which every record came that the service has now: of each list that fills them. What
        was there before and is not among them was deleted.
    """

    data: Fetched
    lists: tuple[ListRead, ...]
    whole: frozenset[TableOf]

    @property
    def watermarks(self) -> dict[ListName, dt.datetime]:
        """Until when the lists are known now: for the next refresh, in the place of those that it replaces."""
        return {read.name: read.watermark for read in self.lists if read.watermark}


async def refreshed(
    accounts: Account | Iterable[Account],
    *tables: TableName | str,
    watermarks: Watermarks,
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
    progress: Listener | bool | None = None,
    stop: asyncio.Event | None = None,
) -> Refreshed:
    """Return what is new or changed since `watermarks`, of all accounts and tables in one fetch.

    A list without a watermark, or with one of the future, is read from its beginning, as far back as the service keeps
    it. So is one by which another list is asked that has none. One that does not filter by change comes whole. What
    went wrong is in ``.data.failures``; nothing is raised for it, even where nothing came.

    Parameters
    ----------
    watermarks
        `Refreshed.watermarks` of earlier refreshes; the overlap of each list is taken off here.

    Raises
    ------
    UsageError
        as `crmlab.fetch`
    """
    query = refreshing_query(accounts, *tables, watermarks=watermarks)
    results = await run(
        query,
        {},
        limits=limits,
        timeouts=timeouts,
        progress=progress,
        stop=stop,
        on_error="collect",
    )
    each_read = [list_read(query, result, watermarks) for result in results]
    lists_read = tuple(_with_parents(query, each_read, watermarks))
    return Refreshed(
        data=collected(query, results), lists=lists_read, whole=whole_tables(query, lists_read)
    )


async def plan_refresh(
    accounts: Account | Iterable[Account],
    *tables: TableName | str,
    watermarks: Watermarks,
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
) -> Plan:
    """Return how many requests `refreshed` needs, and which lists come whole each time; see `crmlab.plan`."""
    query = refreshing_query(accounts, *tables, watermarks=watermarks)
    return await planned(query, limits=limits, timeouts=timeouts)


def refreshing_query(
    accounts: Account | Iterable[Account], *tables: TableName | str, watermarks: Watermarks
) -> Query:
    """Return the query that asks each list from its watermark on, less its overlap.

    Raises
    ------
    UsageError
        as `crmlab.fetch`
    """
    query = as_query(accounts, tables, since=None, until=None)
    since_of: dict[ListName, dt.datetime] = {}
    for account in query.accounts:
        tasks = resource_tasks(account, query)
        for resource in account.provider.resources:
            known_until = _known_until(account, resource, tasks, watermarks)
            asked_since = _since(resource, known_until, query.now)
            if asked_since:
                since_of[list_name(account, resource.name)] = asked_since
    return replace(query, since_of=since_of)


def _known_until(
    account: Account,
    resource: Resource,
    tasks: Mapping[str, ResourceTask],
    watermarks: Watermarks,
) -> dt.datetime | None:
    """Return until when a list is known for all that it is read for; None where one of these has not got it yet.

    Whoever was not asked until now is asked about all that the list names, and not about what is new.
    """
    known_times = [watermarks.get(list_name(account, resource.name))]
    for name, dependent in tasks.items():
        if resource.name in dependent.resource.needs_before_decode:
            return None  # each of its records may name any record of the list
        if dependent.tables and resource.name in account.provider.asked_by_changes(name):
            known_times.append(watermarks.get(list_name(account, name)))
    return _earliest(known_times)


def _earliest(times: Iterable[dt.datetime | None]) -> dt.datetime | None:
    """Return the earliest time; None where one of them is not known."""
    known_times: list[dt.datetime] = []
    for time in times:
        if time is None:
            return None
        known_times.append(time)
    return min(known_times, default=None)


def _since(
    resource: Resource, watermark: dt.datetime | None, now: dt.datetime
) -> dt.datetime | None:
    """Return from when on a list is asked for; None where from its beginning, or because it comes whole."""
    changes = resource.change_filter
    if changes is None:
        return None
    known_until = _trusted(watermark, now)
    if known_until:
        return known_until - changes.overlap
    if changes.kept:
        return now - changes.kept
    return None


def _trusted(watermark: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """Return a watermark, but for one of later than now: of clocks that were set back since, it tells nothing."""
    if watermark is None or watermark > now + _AHEAD:
        return None
    return watermark


def list_read(query: Query, result: ResourceResult, watermarks: Watermarks) -> ListRead:
    """Return what there is to know of a list that was read, for the next refresh and for deletions."""
    resource_task = result.task
    provider = resource_task.account.provider
    watermark_name = list_name(resource_task.account, resource_task.resource.name)
    return ListRead(
        provider=provider.name,
        account=resource_task.account.name,
        resource=resource_task.resource.name,
        tables=tuple(sorted(resource_task.tables)),
        since=result.since,
        began_at=result.told_began_at,
        watermark=_watermark(query, result, watermarks.get(watermark_name)),
        is_whole=bool(resource_task.tables)
        and is_whole(query, resource_task.account, resource_task.resource),
        filters_by_change=resource_task.resource.filters_by_change,
        complete=result.complete,
        requests=result.requests.sent,
        lacking=result.lacking,
    )


def _watermark(
    query: Query, result: ResourceResult, before: dt.datetime | None
) -> dt.datetime | None:
    """Return until when a list is known, by whichever clock is the slowest; see `ListRead.watermark`."""
    if not result.task.resource.filters_by_change:
        return None
    if not result.complete:
        return before
    began_at = result.told_began_at or query.now - _UNTOLD
    known_until = min(began_at, query.now)
    before = _trusted(before, query.now)
    if result.task.resource.inserted_at:  # a list that tells when its records changed
        known_until = min(known_until, result.newest_at or before or known_until)
    return max(known_until, before or known_until)


def _with_parents(
    query: Query, lists: Iterable[ListRead], watermarks: Watermarks
) -> Iterator[ListRead]:
    """Return the lists with the watermarks that they have by the lists that they need."""
    found = {each.name: each for each in lists}
    for account in query.accounts:
        for resource in account.provider.resources:
            name = list_name(account, resource.name)
            if name not in found:
                continue
            each = found[name]
            changing = [
                found[list_name(account, parent)]
                for parent in account.provider.asked_by_changes(resource.name)
            ]
            if changing and not each.filters_by_change:
                known_until = watermarks.get(name)
                if each.complete:
                    known_until = _earliest(parent.watermark for parent in changing)
                each = replace(each, watermark=known_until)
            if each.tables and _lacks_words(account, resource, found):
                each = replace(each, watermark=watermarks.get(name))
            yield each


def _lacks_words(account: Account, resource: Resource, found: Mapping[ListName, ListRead]) -> bool:
    """Whether the records of a list came without what another list says of them, such as labels: they come again."""
    parents = [found[list_name(account, parent)] for parent in resource.needs_before_decode]
    return not all(parent.complete for parent in parents)


def is_whole(query: Query, account: Account, resource: Resource) -> bool:
    """Whether a list was asked for all the records that there are, and loses none but by deletion."""
    if resource.destructive:
        return False
    if account.provider.comes_whole(resource.name):
        return True
    changes = resource.change_filter
    from_its_beginning = query.since_for(account, resource.name) is None
    return changes is not None and not changes.of_events and from_its_beginning


def whole_tables(query: Query, lists: Iterable[ListRead]) -> frozenset[TableOf]:
    """Return the tables of which all lists that fill them are whole and complete."""
    whole_of_lists: set[tuple[ListName, str]] = set()
    for list_result in lists:
        if list_result.is_whole and list_result.complete:
            for table_name in list_result.tables:
                if table_name not in list_result.lacking:
                    whole_of_lists.add((list_result.name, table_name))

    whole_found: set[TableOf] = set()
    for account in query.accounts:
        # of each table, what no list has all of
        lacking: set[str] = set()
        for resource in account.provider.resources:
            if resource.destructive:
                continue
            watermark_name = list_name(account, resource.name)
            for table_name in resource.tables:
                if (watermark_name, table_name) not in whole_of_lists:
                    lacking.add(table_name)
        for table_name in query.tables.intersection(account.provider.tables) - lacking:
            whole_found.add((account.provider.name, account.name, table_name))
    return frozenset(whole_found)
