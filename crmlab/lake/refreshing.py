"""A refresh: what is asked, from when on, and what its answer makes of the lake."""

from __future__ import annotations

import asyncio
import datetime as dt
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from crmlab.accounts import Account
from crmlab.atomic_files import make_private_folder, parts_folder
from crmlab.display import DisplayMixin, Overview, plural
from crmlab.errors import CrmlabError, UsageError
from crmlab.fetching import asked_of, fetch_to
from crmlab.lake import state as states
from crmlab.lake.place import Place
from crmlab.lake.state import Mark, State
from crmlab.lake.table import LakeTable, Written
from crmlab.lake.unread import UNREAD, UnreadTable
from crmlab.results import SUMMARY, Stored, failure_as_json
from crmlab.schema import TABLES, Asked, AskedAccount

#: how much earlier than the last refresh began the next one asks for changes. Clocks of services and of this machine
#: differ by seconds to a few minutes, and a change that was being saved when the list was read is dated before it.
#: It costs the changes of these minutes once more, which are found to be stored already
OVERLAP = dt.timedelta(minutes=15)
#: the same for what is dated by when it happened, and may arrive later: a proof that is imported, a form that was
#: filled in offline
EVENT_OVERLAP = dt.timedelta(days=1)

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
    failures : tuple of CrmlabError
        What went wrong. The lists that it is about are asked again by the next refresh.
    complete : bool
        Whether all that was asked for came.
    """

    at: dt.datetime
    summary: pl.DataFrame
    written: pl.DataFrame
    failures: tuple[CrmlabError, ...] = ()
    complete: bool

    def __repr__(self) -> str:
        state = "complete" if self.complete else "INCOMPLETE: see .summary, .failures"
        return f"<Refreshed {self._words()}; {state}>"

    def _words(self) -> str:
        counts = self.written.select(pl.exclude("table").sum()).row(0, named=True)
        return ", ".join(f"{number:,} {what}" for what, number in counts.items())

    def _overview(self) -> Overview:
        requests = int(self.summary["requests"].sum())
        return Overview(
            title="Refreshed" if self.complete else "Not complete",
            words=f"{self._words()} with {plural(requests, 'request')}, as of {self.at:%Y-%m-%d %H:%M} UTC.",
            good=self.complete,
            tables=[("", self.written)],
            folded=[(f"Each list that was read ({self.summary.height:,})", self.summary)],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Tables of one account that are known up to the same time: one fetch."""

    account: Account
    tables: tuple[str, ...]
    since: dt.datetime | None


@dataclass(slots=True, kw_only=True)
class Answer:
    """What came of it: a fetch, or an error where nothing did."""

    question: Question
    asked: Asked
    data: Stored | None = None
    failures: list[CrmlabError] = field(default_factory=list)

    @property
    def account(self) -> AskedAccount:
        return self.asked.accounts[0]

    def lines(self, table: str) -> list[dict[str, Any]]:
        """Return what the summary says of the lists that fill a table."""
        if self.data is None:
            return []
        of_account = self.data.summary.filter(pl.col("table") == table, pl.col("account") != "")
        return of_account.to_dicts()

    def is_whole(self, table: str) -> bool:
        """Whether every row came that the account has of the table, so that what is missing is gone."""
        lines = self.lines(table)
        is_complete = bool(lines) and all(_is_complete(line) for line in lines)
        is_of_all_times = self.question.since is None and not self.asked.period(table).is_bounded
        return is_complete and is_of_all_times and not TABLES[table].is_event


def _is_complete(line: Mapping[str, Any]) -> bool:
    return bool(line["complete"]) and not line["rejected"]


async def refresh(
    place: Place,
    accounts: Sequence[Account],
    tables: Sequence[str],
    *,
    whole_after: dt.timedelta | None,
    **options: Any,
) -> Refreshed:
    """Ask what is new since the last refresh, and make it durable; see `Lake.refresh`."""
    for name in tables:
        if "." in name:
            raise UsageError(f"a lake keeps the shared tables, which have a history, and not {name}")
    asked_of(accounts, *tables)  # says what cannot be asked, before anything is made
    known = await asyncio.to_thread(_known, place)
    at = max(_now(), known.at + dt.timedelta(microseconds=1))
    questions = [each for account in accounts for each in questions_of(account, tables, known, at, whole_after)]
    folder = Path(place.root) if place.is_local else Path(tempfile.gettempdir()) / "crmlab-lakes"
    await asyncio.to_thread(make_private_folder, folder)
    with parts_folder(folder) as parts:
        asking = [_ask(each, parts / str(number), options) for number, each in enumerate(questions)]
        answers = await asyncio.gather(*asking)
        return await asyncio.to_thread(_keep, place, answers, at)


def _known(place: Place) -> State:
    if states.exists(place):
        return states.read(place)
    return states.create(place, _now())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def questions_of(
    account: Account,
    tables: Sequence[str],
    known: State,
    at: dt.datetime,
    whole_after: dt.timedelta | None,
) -> list[Question]:
    """Return what an account is asked: together what is known up to the same time."""
    asked = asked_of(account, *tables)
    names = [name for name in asked.tables if name in account.provider.tables]
    since = {name: _since(name, asked.accounts[0], known, at, whole_after) for name in names}
    dated = [name for name in names if TABLES[name].window]
    times = dict.fromkeys(since[name] for name in dated) or {None: None}
    # lookups come whole whenever they are asked for: with the first, so that lists that both need are asked once
    first = next(iter(times))
    grouped = {time: [name for name in dated if since[name] == time] for time in times}
    grouped[first] += [name for name in names if name not in dated]
    return [Question(account=account, tables=tuple(group), since=time) for time, group in grouped.items() if group]


def _since(
    table: str, account: AskedAccount, known: State, at: dt.datetime, whole_after: dt.timedelta | None
) -> dt.datetime | None:
    """Return from when on a table is to be asked for; None: from its beginning."""
    marks = [mark for mark in known.marks if _is_of(mark, account) and mark.table == table]
    times = [mark.watermark for mark in marks if mark.watermark]
    if not marks or len(times) < len(marks):
        return None
    if whole_after is not None and not TABLES[table].is_event:
        swept = [mark.swept_at for mark in marks if mark.swept_at and at - mark.swept_at < whole_after]
        if len(swept) < len(marks):
            return None
    return min(times)


def _is_of(mark: Mark, account: AskedAccount) -> bool:
    return (mark.provider, mark.account, mark.options) == (account.provider, account.name, dict(account.options))


async def _ask(question: Question, folder: Path, options: Mapping[str, Any]) -> Answer:
    asked = asked_of(question.account, *question.tables, since=question.since)
    try:
        data = await fetch_to(folder, question.account, *question.tables, since=question.since, **options)
    except UsageError:
        raise
    except CrmlabError as failure:
        return Answer(question=question, asked=asked, failures=[failure])
    return Answer(question=question, asked=data.asked, data=data, failures=list(data.failures))


def _keep(place: Place, answers: Sequence[Answer], at: dt.datetime) -> Refreshed:
    """Write what came, and at last that it is there."""
    lake = states.read(place).lake
    tables = [name for name in TABLES if any(name in each.question.tables for each in answers)]
    written: dict[str, Written] = {}
    versions: dict[str, int] = {}
    for name in tables:
        table = LakeTable(place, name, lake)
        written[name] = _keep_table(table, answers, at)
        versions[name] = table.open().version()
    for name in UNREAD:
        unread = UnreadTable(place, name, lake)
        came = [getattr(each.data, name) for each in answers if each.data]
        versions[name] = unread.append(came, at)

    def update(known: State) -> State:
        return _updated(place, known, answers, at, versions)

    states.commit(place, update)
    return _refreshed(answers, at, written)


def _keep_table(table: LakeTable, answers: Sequence[Answer], at: dt.datetime) -> Written:
    with_it = [each for each in answers if each.data and table.name in each.data]
    rows = [each.data[table.name] for each in with_it if each.data]
    whole = [(each.account.provider, each.account.name) for each in with_it if each.is_whole(table.name)]
    empty = TABLES[table.name].empty().lazy()
    return table.merge(pl.concat([empty, *rows]), at=at, whole=whole)


def _updated(
    place: Place, known: State, answers: Sequence[Answer], at: dt.datetime, versions: Mapping[str, int]
) -> State:
    """Return what is known after a refresh."""
    marks = {mark.key: mark for mark in known.marks}
    failures = dict(known.failures)
    for answer in answers:
        failures[answer.question.account.label] = []
    for answer in answers:
        failures[answer.question.account.label] += [failure_as_json(each) for each in answer.failures]
        for table in answer.question.tables:
            for mark in _marks(answer, table, at, known.marks):
                marks[mark.key] = mark
    # another writer may have committed later versions, which hold all that ours hold
    newest = {name: max(version, known.versions.get(name, 0)) for name, version in versions.items()}
    heights = {
        name: LakeTable(place, name, known.lake).current_rows(newest[name]) for name in versions if name in TABLES
    }
    return replace(
        known,
        at=max(at, known.at),
        versions={**known.versions, **newest},
        heights={**known.heights, **heights},
        marks=_without_placeholders(list(marks.values())),
        failures={name: each for name, each in failures.items() if each},
    )


def _without_placeholders(marks: list[Mark]) -> list[Mark]:
    """Return the marks without those of a table of which no list was known, where there are lists now."""
    with_lists = {(mark.provider, mark.account, mark.table) for mark in marks if mark.resource}
    return [mark for mark in marks if mark.resource or (mark.provider, mark.account, mark.table) not in with_lists]


def _marks(answer: Answer, table: str, at: dt.datetime, known: Iterable[Mark]) -> list[Mark]:
    """Return the new marks of the lists that fill a table."""
    before = [mark for mark in known if _is_of(mark, answer.account) and mark.table == table]
    lines = answer.lines(table)
    if not lines:
        reason = "; ".join(str(each) for each in answer.failures)
        if not before:
            blank = Mark(**_head(answer), resource="", table=table, refreshed_at=at, complete=False)
            before = [blank]
        return [replace(mark, refreshed_at=at, complete=False, summary=_blank(mark, reason)) for mark in before]
    earlier = {mark.resource: mark for mark in before}
    return [_mark(answer, line, at, earlier.get(line["resource"])) for line in lines]


def _head(answer: Answer) -> dict[str, Any]:
    account = answer.account
    return {"provider": account.provider, "account": account.name, "options": dict(account.options)}


def _blank(mark: Mark, note: str) -> dict[str, Any]:
    numbers = ("rows", "rejected", "misfits", "unread", "requests", "retries")
    return {**mark.summary, **dict.fromkeys(numbers, 0), "complete": False, "note": note}


def _mark(answer: Answer, line: Mapping[str, Any], at: dt.datetime, before: Mark | None) -> Mark:
    table = line["table"]
    summary = {name: line[name] for name in SUMMARY if name not in ("since", "until", "seconds")}
    mark = before or Mark(**_head(answer), resource=line["resource"], table=table, refreshed_at=at, complete=False)
    mark = replace(mark, refreshed_at=at, complete=_is_complete(line), summary=summary)
    if not mark.complete:
        return mark
    since = answer.asked.period(table).since
    gap = _gap(mark, since)
    if gap:
        mark.summary["note"] = "; ".join(part for part in (line["note"], gap) if part)
    is_continued = mark.known_at is not None and not gap
    if not is_continued:
        mark = replace(mark, covered_since=since)
    elif since is None:
        mark = replace(mark, covered_since=None)
    overlap = EVENT_OVERLAP if TABLES[table].is_event else OVERLAP
    began = answer.asked.fetched_at
    swept_at = at if answer.is_whole(table) else mark.swept_at
    return replace(mark, watermark=began - overlap, known_at=began, swept_at=swept_at)


def _gap(mark: Mark, since: dt.datetime | None) -> str:
    """Return in words what nobody read: what the service kept no more when it was asked."""
    if since is None or mark.known_at is None or since <= mark.known_at:
        return ""
    return (
        f"a gap: what happened from {mark.known_at:%Y-%m-%d %H:%M} to {since:%Y-%m-%d %H:%M} UTC was not read while "
        "the service kept it"
    )


def _refreshed(answers: Sequence[Answer], at: dt.datetime, written: Mapping[str, Written]) -> Refreshed:
    empty = pl.DataFrame(schema=SUMMARY)
    summary = pl.concat([empty, *(each.data.summary for each in answers if each.data)])
    counts = [(name, each.added, each.changed, each.deleted) for name, each in written.items()]
    failures = tuple(failure for each in answers for failure in each.failures)
    is_complete = not failures and all(_is_complete(line) for line in summary.to_dicts())
    return Refreshed(
        at=at,
        summary=summary,
        written=pl.DataFrame(counts, schema=_WRITTEN, orient="row"),
        failures=failures,
        complete=is_complete,
    )
