"""What a refresh asks: of whom, for which tables, and from when on, by what the lake knows."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from crmlab.accounts import Account
from crmlab.errors import UsageError
from crmlab.fetching import asked_of
from crmlab.lake import state as states
from crmlab.lake.place import Place
from crmlab.lake.state import Mark, State
from crmlab.lake.table import LakeTable
from crmlab.lake.upkeep import parts_of
from crmlab.schema import TABLES, AskedAccount

#: a table of an account: provider, account, table
TableOf = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of whom, and what the lake knew when it was asked.

    `share` is which part of a refresh it is: one account of a thousand that several processes read is a thousandth.
    """

    accounts: Sequence[Account]
    tables: Sequence[str]
    known: State
    at: dt.datetime
    share: float = 1.0

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


async def question_of(place: Place, accounts: Sequence[Account], tables: Sequence[str]) -> Question:
    """Return the question that a refresh asks now; the lake is made where there is none.

    Raises
    ------
    UsageError
        It cannot be asked, or the place is no lake.
    """
    asked = asked_of(accounts, *tables)  # says what cannot be asked, before anything is made
    for name in tables:
        if name not in TABLES:
            raise UsageError(
                f"a lake keeps the shared tables, which have a history, and not {name}"
            )
    known = await asyncio.to_thread(known_of, place, asked.tables)
    # a clock that was set back must not put what is seen now before what was seen then
    at = max(dt.datetime.now(dt.UTC), known.at + dt.timedelta(microseconds=1))
    return Question(accounts=accounts, tables=tables, known=known, at=at)


def known_of(place: Place, names: Iterable[str] = ()) -> State:
    """Return what the lake knows, as of the newest rows that are in it; it is made where there is none.

    `names` are the tables that are asked for: of those that the lake does not know of, a refresh that was killed may
    have left rows.
    """
    if states.exists(place):
        known = states.read(place)
        return replace(known, at=max(known.at, *_written_at(place, known, names)))
    return states.create(place, dt.datetime.now(dt.UTC) - dt.timedelta(microseconds=1))


def _written_at(place: Place, known: State, names: Iterable[str]) -> Iterable[dt.datetime]:
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
    for name in names:
        unpublished = LakeTable(place, name, known.lake)
        if name not in known.versions and unpublished.exists():
            yield unpublished.latest(unpublished.open().version()) or known.at


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


def stale(question: Question, whole: Iterable[TableOf], age: dt.timedelta) -> list[TableOf]:
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
