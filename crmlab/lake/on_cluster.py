"""A refresh or a sweep by the workers of a cluster: each account is read and written where it is read, once.

Rows go from a worker into the lake and nowhere else. While a worker commits what some accounts brought, those that are
read meanwhile gather, and are its next commit: so there are few commits, however many accounts there are, and few
writers that are in each other's way.

What a worker that died had committed is in the lake with the marks of its accounts, in one commit of what the lake
knows. Whoever is to read such an account again finds them there, and does nothing. Where it died before that, the
same rows are found stored, and written once. The ids of a sweep are read again in both cases: what was missed is
marked, and is not marked twice.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from crmlab.accounts import Account
from crmlab.cluster import Cluster, Outcomes, Task, each_account
from crmlab.connector import Limits, Timeouts
from crmlab.errors import CrmlabError, InternalError, Stopped, UsageError
from crmlab.fetching import Listener, out_of_time
from crmlab.lake import state as states
from crmlab.lake.keeping import Reading, is_complete, keep
from crmlab.lake.place import STATE, Place
from crmlab.lake.question import Question, question_of
from crmlab.lake.refreshing import Read, Refreshed, refreshed_of
from crmlab.lake.state import Mark, State
from crmlab.lake.table import LakeTable, Written
from crmlab.lake.versions import MISSED_AT, VALID_FROM, VALID_TO
from crmlab.results import failure_as_json, failure_from_json
from crmlab.schema import KEY, TABLES


async def refresh(
    cluster: Cluster,
    place: Place,
    accounts: Sequence[Account],
    tables: Sequence[str],
    ask: Read,
    *,
    limits: Limits | None,
    timeouts: Timeouts | None,
    progress: Listener | bool | None,
    stop: asyncio.Event | None,
) -> Refreshed:
    """Have each account read and written by a worker; see `Lake.refresh` and `Lake.sweep`."""
    question = await question_of(place, accounts, tables)
    total = timeouts.total if timeouts else None
    work = ReadAndKeep(
        place=place,
        known=replace(question.known, marks=[], failures={}, versions={}, heights={}),
        at=question.at,
        tables=tuple(tables),
        share=1 / len(accounts),
        ask=ask,
        limits=limits,
        timeouts=timeouts or Timeouts(),
    )
    by_account = _marks_by_account(question.known)
    marks = [by_account.get((each.provider.name, each.name), []) for each in accounts]
    outcomes = await each_account(
        cluster,
        work,
        accounts,
        marks,
        limits=limits,
        seconds=total,
        progress=progress,
        stop=stop,
    )
    is_stopped = stop is not None and stop.is_set()
    why = "stopped before its end" if is_stopped or total is None else out_of_time(total)
    return await asyncio.to_thread(_gathered, place, question, outcomes, why)


def _marks_by_account(known: State) -> dict[tuple[str, str], list[Mark]]:
    """Return what is known of each account."""
    found: dict[tuple[str, str], list[Mark]] = {}
    for mark in known.marks:
        found.setdefault((mark.provider, mark.account), []).append(mark)
    return found


# ---- at a worker ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one account: what the summary says of it, and no rows."""

    lines: Sequence[Mapping[str, Any]]
    tables: Sequence[str]
    failures: Sequence[Mapping[str, Any]]
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAndKeep:
    """What a worker does with each account. It holds what the lake is reached with, and travels sealed."""

    place: Place
    #: without what is known of accounts: that comes with each
    known: State
    at: dt.datetime
    tables: Sequence[str]
    share: float
    ask: Read
    limits: Limits | None
    timeouts: Timeouts

    async def __call__(self, account: Account, task: Task) -> Outcome:
        """Read one account, and return when what it brought is in the lake."""
        if task.is_repeated:
            before = await asyncio.to_thread(self._kept_before, account)
            if before:
                return before
        commits = task.here.shared(Commits, lambda: Commits(self.place))
        await commits.check()
        known = replace(self.known, marks=task.detail)
        question = Question(
            accounts=[account], tables=self.tables, known=known, at=self.at, share=self.share
        )
        reading = await self.ask(
            question,
            limits=self.limits,
            timeouts=replace(self.timeouts, total=task.seconds),
            progress=task.tell,
            stop=task.stop,
        )
        await commits.keep(reading, task)
        return Outcome(
            lines=reading.lines,
            tables=reading.tables,
            failures=[failure_as_json(each) for each in reading.failures],
            complete=reading.is_complete,
        )

    def _kept_before(self, account: Account) -> Outcome | None:
        """Return what a worker that died has committed of this refresh; None where there is nothing."""
        known = states.read(self.place)
        label = (account.provider.name, account.name)
        lines = [
            mark.summary
            for mark in known.marks
            if (mark.provider, mark.account) == label and mark.refreshed_at == self.at
        ]
        if not lines:
            return None
        failures = known.failures.get(account.label, [])
        complete = not failures and all(is_complete(line) for line in lines)
        tables = sorted({line["table"] for line in lines})
        return Outcome(lines=lines, tables=tables, failures=failures, complete=complete)


@dataclass(slots=True)
class _Waiting:
    """A reading that is to be committed; `error` is why it could not be."""

    reading: Reading
    is_done: bool = False
    error: CrmlabError | None = None


@dataclass(slots=True)
class Commits:
    """What the accounts of one worker commit, one commit after another."""

    place: Place
    _waiting: list[_Waiting] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _is_there: bool = False

    async def check(self) -> None:
        """Raise where this machine does not see the lake, before anything is asked.

        Raises
        ------
        UsageError
            The place is a folder of another machine.
        """
        if self._is_there:
            return
        self._is_there = await asyncio.to_thread(self.place.exists, STATE)
        if not self._is_there:
            raise UsageError(
                f"a worker does not see the lake at {self.place.root}: several machines refresh a lake in a bucket, or "
                "in a folder that all of them have under this path"
            )

    async def keep(self, reading: Reading, task: Task) -> None:
        """Commit a reading, together with all that wait when its turn comes."""
        own = _Waiting(reading)
        self._waiting.append(own)
        async with self._turn:
            if not own.is_done:
                async with task.here.alone():
                    # those that came while another process committed are in it too
                    await self._commit(self._waiting)
        if own.error:
            raise own.error

    async def _commit(self, waiting: list[_Waiting]) -> None:
        self._waiting = []
        error: CrmlabError | None = InternalError("the commit ended early that it was part of")
        try:
            await asyncio.to_thread(keep, self.place, [each.reading for each in waiting])
            error = None
        except CrmlabError as raised:
            error = raised
        finally:
            for each in waiting:
                each.error = error
                each.is_done = True


# ---- where it was asked for ------------------------------------------------------------------------------


def _gathered(place: Place, question: Question, outcomes: Outcomes, why: str) -> Refreshed:
    """Return what all accounts brought, and what it changed in the lake."""
    lines = _lines(question, outcomes)
    failures: list[CrmlabError] = []
    for each in outcomes.begun.values():
        failures += [failure_from_json(failure) for failure in each.failures]
    for label in outcomes.not_begun:
        failures.append(_of_account(Stopped(why), label))
    for label in outcomes.lost:
        died = CrmlabError(
            "the worker died each time that this account was read: give the workers more memory"
        )
        failures.append(_of_account(died, label))
    is_whole = not failures and all(each.complete for each in outcomes.begun.values())
    tables = {table for each in outcomes.begun.values() for table in each.tables}
    written = _written(place, question, tables)
    return refreshed_of(question.at, lines, written, failures=failures, complete=is_whole)


def _lines(question: Question, outcomes: Outcomes) -> list[Mapping[str, Any]]:
    """Return the rows of the summary, with one for each table that none of the services has.

    Every account tells of the tables that its own service does not have, which another one may fill.
    """
    filled = {table for account in question.accounts for table in account.provider.tables}
    lines: list[Mapping[str, Any]] = []
    lacking: dict[str, Mapping[str, Any]] = {}
    for outcome in outcomes.begun.values():
        for line in outcome.lines:
            if line["account"]:
                lines.append(line)
            elif line["table"] not in filled:
                lacking[line["table"]] = line
    return [*lines, *lacking.values()]


def _of_account(error: CrmlabError, label: str) -> CrmlabError:
    error.account = label
    return error


def _written(place: Place, question: Question, tables: Container[str]) -> dict[str, Written]:
    """Return by table what this refresh changed, by what is in the lake.

    Each version says when it began and when it ended. So it is true also where a worker died that would have told.
    """
    known = states.read(place)
    accounts = pl.LazyFrame(
        [(each.provider.name, each.name) for each in question.accounts],
        schema=dict.fromkeys(KEY[:2], pl.String),
        orient="row",
    )
    found = {}
    for name in TABLES:
        if name in tables and name in known.versions:
            table = LakeTable(place, name, known.lake)
            with place.in_words(table.path):
                versions = table.scan(known.versions[name])
                found[name] = _counted(versions.join(accounts, on=KEY[:2], how="semi"), question.at)
    return found


def _counted(versions: pl.LazyFrame, at: dt.datetime) -> Written:
    begins = pl.col(VALID_FROM) == at
    ends = pl.col(VALID_TO) == at
    is_deleted = pl.col(MISSED_AT) == at
    of_now = versions.filter(begins | ends).select(
        begun=begins.sum(),
        changed=(ends & pl.col(MISSED_AT).is_null()).sum(),
        deleted=(ends & is_deleted).sum(),
    )
    begun, changed, deleted = of_now.collect(engine="streaming").row(0)
    return Written(begun - changed, changed, deleted)
