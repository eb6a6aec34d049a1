"""A refresh: what is asked, from when on, and what its answer makes of the lake."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from crmlab import fetching
from crmlab.accounts import Account
from crmlab.display import DisplayMixin, Overview, plural
from crmlab.errors import UsageError
from crmlab.fetching import Keys, ListRead, asked_of
from crmlab.lake import state as states
from crmlab.lake.place import Place
from crmlab.lake.state import Mark, State
from crmlab.lake.table import LakeTable, Written
from crmlab.lake.unread import UNREAD, UnreadTable
from crmlab.lake.upkeep import parts_of
from crmlab.results import SUMMARY, Failures, failure_as_json
from crmlab.schema import TABLES, AskedAccount

#: a table of an account: provider, account, table
TableOf = tuple[str, str, str]

_WRITTEN = {"table": pl.String(), "added": pl.Int64(), "changed": pl.Int64(), "deleted": pl.Int64()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed(DisplayMixin):
    """What a refresh brought, and what it changed in the lake.

    Attributes
    ----------
    at : datetime
        When it began, in UTC.
    summary : pl.DataFrame
        As of `crmlab.fetch`, with what was asked of each list: a row for each account, resource and table.
    written : pl.DataFrame
        A row for each table: table (String), and how many rows were added, changed and deleted (Int64). All others
        that came were as they are stored.
    failures : Failures
        What went wrong. The lists that it is about are asked again by the next refresh.
    complete : bool
        Whether all that was asked for came.
    """

    at: dt.datetime
    summary: pl.DataFrame
    written: pl.DataFrame
    failures: Failures
    complete: bool

    @property
    def requests(self) -> int:
        """How many requests were sent; those of a list that fills several tables count once."""
        is_of_ids = pl.col("rows").is_null().alias("is_of_ids")
        lists = self.summary.with_columns(is_of_ids).unique(
            ["provider", "account", "resource", "is_of_ids"]
        )
        return int(lists["requests"].sum())

    def __repr__(self) -> str:
        state = "complete" if self.complete else "INCOMPLETE: see .summary, .failures"
        return f"<Refreshed {self._words()}; {state}>"

    def _words(self) -> str:
        counts = self.written.select(pl.exclude("table").sum()).row(0, named=True)
        return ", ".join(f"{number:,} {what}" for what, number in counts.items())

    def _overview(self) -> Overview:
        return Overview(
            title="Refreshed" if self.complete else "Not complete",
            words=f"{self._words()} with {plural(self.requests, 'request')}, as of {self.at:%Y-%m-%d %H:%M} UTC.",
            good=self.complete,
            tables=[("", self.written)],
            folded=[(f"Each list that was read ({self.summary.height:,})", self.summary)],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of whom, and what the lake knew when it was asked."""

    accounts: Sequence[Account]
    tables: Sequence[str]
    known: State
    at: dt.datetime

    def asked_account(self, provider: str, name: str) -> AskedAccount:
        """Return an account with the settings that change what comes."""
        return asked_of(self.account(provider, name)).accounts[0]

    def account(self, provider: str, name: str) -> Account:
        """Return an account by its name."""
        return next(
            each for each in self.accounts if (each.provider.name, each.name) == (provider, name)
        )

    def marks(self, account: AskedAccount) -> list[Mark]:
        """Return what is known of an account, as far as it was asked with the same settings."""
        head = (account.provider, account.name, dict(account.options))
        return [
            mark for mark in self.known.marks if (mark.provider, mark.account, mark.options) == head
        ]


async def refresh(
    place: Place,
    accounts: Sequence[Account],
    tables: Sequence[str],
    *,
    sweep_after: dt.timedelta | None,
    whole: bool,
    **options: Any,
) -> Refreshed:
    """Ask what is new since the last refresh, and make it durable; see `Lake.refresh`."""
    question = await _question(place, accounts, tables)
    known = {} if whole else watermarks(question)
    came = await fetching.refreshed(accounts, *tables, watermarks=known, **options)
    stale = [] if sweep_after is None else _stale(question, came.whole, sweep_after)
    keys = await _swept(question, stale, options)
    return await asyncio.to_thread(keep, place, question, came, keys)


async def sweep(
    place: Place, accounts: Sequence[Account], tables: Sequence[str], **options: Any
) -> Refreshed:
    """Ask what is still there, and mark what is not; see `Lake.sweep`."""
    question = await _question(place, accounts, tables)
    keys = await fetching.keys(accounts, *tables, **options)
    return await asyncio.to_thread(keep, place, question, None, [keys])


async def _question(place: Place, accounts: Sequence[Account], tables: Sequence[str]) -> Question:
    asked_of(accounts, *tables)  # says what cannot be asked, before anything is made
    for name in tables:
        if name not in TABLES:
            raise UsageError(
                f"a lake keeps the shared tables, which have a history, and not {name}"
            )
    known = await asyncio.to_thread(_known, place)
    # a clock that was set back must not put what is seen now before what was seen then
    at = max(dt.datetime.now(dt.UTC), known.at + dt.timedelta(microseconds=1))
    return Question(accounts=accounts, tables=tables, known=known, at=at)


def _known(place: Place) -> State:
    if states.exists(place):
        known = states.read(place)
        return replace(known, at=max(known.at, *_written_at(place, known)))
    return states.create(place, dt.datetime.now(dt.UTC) - dt.timedelta(microseconds=1))


def _written_at(place: Place, known: State) -> Iterable[dt.datetime]:
    """Return of when the newest rows are that nobody has published yet; their writer may have had a clock that is fast.

    Raises
    ------
    UsageError
        A table is gone, which would be made anew with what changed alone and pass for whole; or is of before.
    """
    yield known.at
    for name, each in parts_of(known, place).items():
        newest = each.open().version()
        place.check_reached(each.path, newest, known.versions[name])
        if newest > known.versions[name] and isinstance(each, LakeTable):
            yield each.latest(newest) or known.at


def watermarks(question: Question) -> dict[tuple[str, str, str], dt.datetime]:
    """Return from when on each list is to be asked for: where it fills several tables, from the earliest on.

    A list of which one of the asked tables was never read has none, and comes from its beginning.
    """
    found: dict[tuple[str, str, str], dt.datetime] = {}
    for account in question.accounts:
        asked = asked_of(account, *question.tables)
        times = {
            (mark.resource, mark.table): mark.watermark
            for mark in question.marks(asked.accounts[0])
        }
        for resource in account.provider.resources:
            wanted = [
                times.get((resource.name, table))
                for table in resource.tables
                if table in asked.tables
            ]
            known = [time for time in wanted if time]
            if known and len(known) == len(wanted):
                found[(account.provider.name, account.name, resource.name)] = min(known)
    return found


def _stale(question: Question, whole: Iterable[TableOf], age: dt.timedelta) -> list[TableOf]:
    """Return the tables of accounts of which nobody has read for so long what is still there."""
    fresh = set(whole)
    found = []
    for account in question.accounts:
        asked = asked_of(account, *question.tables)
        marks = question.marks(asked.accounts[0])
        for table in asked.tables:
            times = [mark.swept_at for mark in marks if mark.table == table]
            is_old = any(time is None or question.at - time >= age for time in times)
            name = (account.provider.name, account.name, table)
            if is_old and name not in fresh and not TABLES[table].is_event:
                found.append(name)
    return found


async def _swept(
    question: Question, stale: Sequence[TableOf], options: Mapping[str, Any]
) -> list[Keys]:
    """Return the keys of these tables, account after account: each has others that are stale."""
    found = []
    for account in question.accounts:
        label = (account.provider.name, account.name)
        tables = [table for provider, name, table in stale if (provider, name) == label]
        if tables:
            found.append(await fetching.keys(account, *tables, **options))
    return found


# ---- what is written ---------------------------------------------------------------------------------


def keep(
    place: Place, question: Question, came: fetching.Refreshed | None, keys: Sequence[Keys]
) -> Refreshed:
    """Write what came and what was missed, and at last that it is there."""
    written: dict[str, Written] = {}
    versions: dict[str, int] = {}
    for name in TABLES:
        table = LakeTable(place, name, question.known.lake)
        changed = _keep_table(table, question.at, came, keys)
        if changed is not None:
            written[name] = changed
            versions[name] = table.open().version()
    if came:
        for name in UNREAD:
            unread = UnreadTable(place, name, question.known.lake)
            versions[name] = unread.append(getattr(came.data, name), question.at)

    def update(known: State) -> State:
        return _updated(known, question, came, keys, versions=versions, place=place)

    states.commit(place, update)
    return _refreshed(question.at, came, keys, written)


def _keep_table(
    table: LakeTable, at: dt.datetime, came: fetching.Refreshed | None, keys: Sequence[Keys]
) -> Written | None:
    """Write one table, and return how it changed; None where nothing was asked of it."""
    written = None
    if came and table.name in came.data:
        written = table.merge(
            came.data[table.name].lazy(), at=at, whole=_accounts_of(table.name, came.whole)
        )
    for each in keys:
        whole = _accounts_of(table.name, each.whole)
        if table.name in each.frames and whole and table.exists():
            written = written or Written()
            written += table.mark_missed(each.frames[table.name], at=at, whole=whole)
    return written


def _accounts_of(table: str, whole: Iterable[TableOf]) -> list[tuple[str, str]]:
    """Return the accounts of which a table is whole, so that what is missing was deleted."""
    if TABLES[table].is_event:
        return []
    return sorted((provider, account) for provider, account, name in whole if name == table)


def _updated(
    known: State,
    question: Question,
    came: fetching.Refreshed | None,
    keys: Sequence[Keys],
    *,
    versions: Mapping[str, int],
    place: Place,
) -> State:
    """Return what is known after a refresh."""
    marks = {mark.key: mark for mark in known.marks}
    failures = dict(known.failures)
    if came:
        new = list(_marks(question, came, marks))
        marks = _without_superseded(marks | {mark.key: mark for mark in new}, new)
        for account in question.accounts:
            said = [
                failure_as_json(each)
                for each in came.data.failures
                if each.account == account.label
            ]
            failures[account.label] = said
    swept = {table for each in keys for table in each.whole}
    for mark in marks.values():
        if (mark.provider, mark.account, mark.table) in swept:
            mark.swept_at = question.at
    # another writer may have committed later versions, which hold all that ours hold
    newest = {name: max(version, known.versions.get(name, 0)) for name, version in versions.items()}
    tables = [name for name in versions if name in TABLES]
    heights = {
        name: LakeTable(place, name, known.lake).current_rows(newest[name]) for name in tables
    }
    return replace(
        known,
        at=max(question.at, known.at),
        versions={**known.versions, **newest},
        heights={**known.heights, **heights},
        marks=list(marks.values()),
        failures={name: each for name, each in failures.items() if each},
    )


def _without_superseded(marks: Mapping[Any, Mark], new: Iterable[Mark]) -> dict[Any, Mark]:
    """Leave out what was asked with other settings of the account, where these have now brought all.

    Nobody asks it any more. It would make the lake as old as that for good.
    """
    answered = {mark.list_name: mark.key for mark in new if mark.complete}
    return {key: mark for key, mark in marks.items() if answered.get(mark.list_name, key) == key}


def _marks(
    question: Question, came: fetching.Refreshed, known: Mapping[Any, Mark]
) -> Iterable[Mark]:
    """Return what is known of each list and table that was read."""
    lines = {
        (line["provider"], line["account"], line["resource"], line["table"]): line
        for line in came.data.summary.to_dicts()
    }
    for each in came.lists:
        for table in each.tables:
            line = lines[(*each.name, table)]
            account = question.asked_account(each.provider, each.account)
            blank = Mark(
                provider=each.provider,
                account=each.account,
                options=dict(account.options),
                resource=each.resource,
                table=table,
                refreshed_at=question.at,
                complete=False,
            )
            before = known.get(blank.key, blank)
            yield _mark(question, came, each, line, before)


def _mark(
    question: Question,
    came: fetching.Refreshed,
    read: ListRead,
    line: Mapping[str, Any],
    before: Mark,
) -> Mark:
    summary = {name: line[name] for name in SUMMARY if name not in ("since", "until", "seconds")}
    mark = replace(before, refreshed_at=question.at, complete=_is_complete(line), summary=summary)
    if not mark.complete or _is_set_back(question, read, before):
        return mark
    account = question.account(read.provider, read.account)
    since = asked_of(account, mark.table, since=read.since).period(mark.table).since
    gap = _gap(mark, since)
    if gap:
        mark.summary["note"] = "; ".join(part for part in (line["note"], gap) if part)
    is_continued = mark.known_at is not None and not gap and since is not None
    if not is_continued:
        mark.covered_since = since
    if (read.provider, read.account, mark.table) in came.whole:
        mark.swept_at = mark.values_read_at = question.at
    mark.known_at = came.data.asked.fetched_at
    mark.watermark = read.watermark
    return mark


def _is_set_back(question: Question, read: ListRead, before: Mark) -> bool:
    """Whether another writer has set the watermark back since it was asked from there: what is between is not known."""
    asked_from = next(
        (mark.watermark for mark in question.known.marks if mark.key == before.key), None
    )
    if read.since is None or asked_from is None or before.watermark is None:
        return False
    return before.watermark < asked_from


def _is_complete(line: Mapping[str, Any]) -> bool:
    return bool(line["complete"]) and not line["rejected"]


def _gap(mark: Mark, since: dt.datetime | None) -> str:
    """Return in words what nobody read: what the service kept no more when it was asked."""
    if since is None or mark.known_at is None or since <= mark.known_at:
        return ""
    return (
        f"a gap: what happened from {mark.known_at:%Y-%m-%d %H:%M} to {since:%Y-%m-%d %H:%M} UTC was not read while "
        "the service kept it"
    )


def _refreshed(
    at: dt.datetime,
    came: fetching.Refreshed | None,
    keys: Sequence[Keys],
    written: Mapping[str, Written],
) -> Refreshed:
    lines = came.data.summary.to_dicts() if came else []
    lines += [
        _line_of_keys(read, table) for each in keys for read in each.lists for table in read.tables
    ]
    counts = [(name, each.added, each.changed, each.deleted) for name, each in written.items()]
    failures = [
        *(came.data.failures if came else ()),
        *(failure for each in keys for failure in each.failures),
    ]
    return Refreshed(
        at=at,
        summary=pl.DataFrame(lines, schema=SUMMARY, orient="row"),
        written=pl.DataFrame(counts, schema=_WRITTEN, orient="row"),
        failures=Failures(failures),
        complete=not failures and all(_is_complete(line) for line in lines),
    )


def _line_of_keys(read: ListRead, table: str) -> dict[str, Any]:
    numbers = dict.fromkeys(("rejected", "misfits", "unread", "retries"), 0)
    name = {
        "provider": read.provider,
        "account": read.account,
        "resource": read.resource,
        "table": table,
    }
    said = {
        "requests": read.requests,
        "complete": read.complete,
        "note": "ids only, to find what was deleted",
    }
    return {**dict.fromkeys(SUMMARY), **numbers, **name, **said}
