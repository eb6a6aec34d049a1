"""A refresh: what is asked, and what became of it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from crmlab import fetching
from crmlab.accounts import Account
from crmlab.display import DisplayMixin, Overview, plural
from crmlab.errors import CrmlabError
from crmlab.fetching import Keys
from crmlab.lake.keeping import Reading, keep
from crmlab.lake.place import Place
from crmlab.lake.question import Question, TableOf, question_of, stale, watermarks
from crmlab.lake.table import Written
from crmlab.results import SUMMARY, Failures

#: asks what a question asks, with the options of a fetch, and returns what came of it: `read` or `read_ids`
Read = Callable[..., Awaitable[Reading]]
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


async def refresh(
    place: Place,
    accounts: Sequence[Account],
    tables: Sequence[str],
    ask: Read,
    **options: Any,
) -> Refreshed:
    """Ask, and make durable what came; see `Lake.refresh` and `Lake.sweep`."""
    question = await question_of(place, accounts, tables)
    reading = await ask(question, **options)
    written = await asyncio.to_thread(keep, place, [reading])
    return _of_reading(reading, written)


async def read(
    question: Question, *, sweep_after: dt.timedelta | None, whole: bool, **options: Any
) -> Reading:
    """Ask what a refresh asks, and return what came of it; nothing is written."""
    known = {} if whole else watermarks(question)
    came = await fetching.refreshed(
        question.accounts, *question.tables, watermarks=known, **options
    )
    old = [] if sweep_after is None else stale(question, came.whole, sweep_after)
    keys = await _swept(question, old, options)
    return Reading(question=question, came=came, keys=keys)


async def read_ids(question: Question, **options: Any) -> Reading:
    """Ask what is still there, and return it; nothing is written."""
    keys = await fetching.keys(question.accounts, *question.tables, **options)
    return Reading(question=question, came=None, keys=[keys])


async def _swept(
    question: Question, old: Sequence[TableOf], options: Mapping[str, Any]
) -> list[Keys]:
    """Return the keys of these tables, account after account: each has others that are stale."""
    found = []
    for account in question.accounts:
        label = (account.provider.name, account.name)
        tables = [table for provider, name, table in old if (provider, name) == label]
        if tables:
            found.append(await fetching.keys(account, *tables, **options))
    return found


def _of_reading(reading: Reading, written: Mapping[str, Written]) -> Refreshed:
    """Return what a refresh tells of what it read and wrote."""
    return refreshed_of(
        reading.question.at,
        reading.lines,
        written,
        failures=reading.failures,
        complete=reading.is_complete,
    )


def refreshed_of(
    at: dt.datetime,
    lines: Sequence[Mapping[str, Any]],
    written: Mapping[str, Written],
    *,
    failures: Iterable[CrmlabError],
    complete: bool,
) -> Refreshed:
    """Return a refresh by the rows of its summary, and by what it wrote into each table."""
    counts = [(name, each.added, each.changed, each.deleted) for name, each in written.items()]
    return Refreshed(
        at=at,
        summary=pl.DataFrame(lines, schema=SUMMARY, orient="row"),
        written=pl.DataFrame(counts, schema=_WRITTEN, orient="row"),
        failures=Failures(failures),
        complete=complete,
    )
