"""What the answer to a refresh makes of the lake: rows are written first, and what the lake knows of them last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from crmlab import fetching
from crmlab.errors import CrmlabError
from crmlab.fetching import Keys, ListRead, asked_of
from crmlab.lake import state as states
from crmlab.lake.place import Place
from crmlab.lake.question import Question, TableOf
from crmlab.lake.state import Mark, State
from crmlab.lake.table import LakeTable, Written
from crmlab.lake.unread import UNREAD, UnreadTable
from crmlab.results import SUMMARY, failure_as_json
from crmlab.schema import TABLES

#: what the summary says of a list that was read for the ids of what is still there
_IDS_ONLY = "ids only, to find what was deleted"
#: columns of the summary that the lake does not keep
NOT_KEPT = ("since", "until", "seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came of a question: rows, and the keys of what is still there."""

    question: Question
    came: fetching.Refreshed | None
    keys: Sequence[Keys]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The rows of the summary."""
        lines = self.came.data.summary.to_dicts() if self.came else []
        for each in self.keys:
            for read in each.lists:
                lines += [_line_of_keys(read, table) for table in read.tables]
        return lines

    @property
    def failures(self) -> list[CrmlabError]:
        """What went wrong."""
        failures = list(self.came.data.failures) if self.came else []
        for each in self.keys:
            failures += each.failures
        return failures

    @property
    def tables(self) -> list[str]:
        """The tables that something is said of."""
        return [name for name in TABLES if self._is_about(name)]

    def _is_about(self, table: str) -> bool:
        if self.came and table in self.came.data:
            return True
        return any(_swept_accounts(table, each) for each in self.keys)

    @property
    def is_complete(self) -> bool:
        """Whether all that was asked for came."""
        return not self.failures and all(is_complete(line) for line in self.lines)


def keep(place: Place, readings: Sequence[Reading]) -> dict[str, Written]:
    """Write what came and what was missed, and at last that it is there; return by table what that changed.

    The readings are of one moment, and each is of other accounts. They become one commit of each table and one of what
    the lake knows, so that a reader sees all of them or none.
    """
    first = readings[0].question
    written: dict[str, Written] = {}
    versions: dict[str, int] = {}
    for name in TABLES:
        table = LakeTable(place, name, first.known.lake)
        changed = _keep_table(table, readings)
        if changed is not None:
            written[name] = changed
            versions[name] = table.open().version()
    came = [reading.came for reading in readings if reading.came]
    if came:
        for name in UNREAD:
            unread = UnreadTable(place, name, first.known.lake)
            met = pl.concat([getattr(each.data, name) for each in came])
            versions[name] = unread.append(met, first.at)

    def update(known: State) -> State:
        return _with_versions(_with_readings(known, readings), versions, place)

    states.commit(place, update)
    return written


def _keep_table(table: LakeTable, readings: Sequence[Reading]) -> Written | None:
    """Write one table, and return how it changed; None where nothing was asked of it."""
    at = readings[0].question.at
    written = None
    frames = []
    whole: list[tuple[str, str]] = []
    for reading in readings:
        if reading.came and table.name in reading.came.data:
            frames.append(reading.came.data[table.name])
            whole += _accounts_of(table.name, reading.came.whole)
    if frames:
        rows = pl.concat(frames).lazy()
        # the first accounts of many make a table that has to hold those of all
        share = min(1.0, sum(reading.question.share for reading in readings))
        written = table.merge(rows, at=at, whole=sorted(whole), share=share)
    ids = []
    swept: list[tuple[str, str]] = []
    for reading in readings:
        for each in reading.keys:
            accounts = _swept_accounts(table.name, each)
            if accounts:
                ids.append(each.frames[table.name])
                swept += accounts
    if swept and table.exists():
        # of many accounts all at once: every bucket of the table is read for it
        written = written or Written()
        written += table.mark_missed(pl.concat(ids), at=at, whole=sorted(swept))
    return written


def _swept_accounts(table: str, keys: Keys) -> list[tuple[str, str]]:
    """Return the accounts of which all ids of a table are there."""
    return _accounts_of(table, keys.whole) if table in keys.frames else []


def _accounts_of(table: str, whole: Iterable[TableOf]) -> list[tuple[str, str]]:
    """Return the accounts of which a table is whole, so that what is missing was deleted."""
    if TABLES[table].is_event:
        return []
    return sorted((provider, account) for provider, account, name in whole if name == table)


def _with_readings(known: State, readings: Sequence[Reading]) -> State:
    """Return what is known after these readings, but for the versions of the tables."""
    marks = list(known.marks)
    failures = dict(known.failures)
    for reading in readings:
        of_reading = {(each.provider.name, each.name) for each in reading.question.accounts}
        # each is of few accounts, and a lake may know thousands: theirs are left as they are
        own = [mark for mark in marks if (mark.provider, mark.account) in of_reading]
        others = [mark for mark in marks if (mark.provider, mark.account) not in of_reading]
        marks = others + _marks_after(own, reading)
        failures |= _failures_of(reading)
    at = readings[0].question.at
    return replace(
        known,
        at=max(at, known.at),
        marks=marks,
        failures={name: each for name, each in failures.items() if each},
    )


def _marks_after(known: Iterable[Mark], reading: Reading) -> list[Mark]:
    """Return what is known of the lists of these accounts after a reading of them."""
    question = reading.question
    marks = {mark.key: mark for mark in known}
    if reading.came:
        new = list(_marks(question, reading.came, marks))
        marks = _without_superseded(marks | {mark.key: mark for mark in new}, new)
    swept = {table for each in reading.keys for table in each.whole}
    for mark in marks.values():
        if (mark.provider, mark.account, mark.table) in swept:
            mark.swept_at = question.at
    return list(marks.values())


def _failures_of(reading: Reading) -> dict[str, list[dict[str, Any]]]:
    """Return by account what went wrong, be it nothing; what a sweep alone met is not kept."""
    said: dict[str, list[dict[str, Any]]] = {}
    if reading.came:
        said = {account.label: [] for account in reading.question.accounts}
        for each in reading.came.data.failures:
            if each.account in said:
                said[each.account].append(failure_as_json(each))
    return said


def _with_versions(known: State, versions: Mapping[str, int], place: Place) -> State:
    """Return what is known, with the versions of the tables that were written, and how many rows they hold."""
    # another writer may have committed later versions, which hold all that ours hold
    newest = {name: max(version, known.versions.get(name, 0)) for name, version in versions.items()}
    heights = {
        name: LakeTable(place, name, known.lake).current_rows(newest[name])
        for name in versions
        if name in TABLES
    }
    return replace(
        known,
        versions={**known.versions, **newest},
        heights={**known.heights, **heights},
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
    summary = {name: line[name] for name in SUMMARY if name not in NOT_KEPT}
    mark = replace(before, refreshed_at=question.at, complete=is_complete(line), summary=summary)
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


def is_complete(line: Mapping[str, Any]) -> bool:
    """Return whether a row of the summary tells of a list that came whole."""
    return bool(line["complete"]) and not line["rejected"]


def _gap(mark: Mark, since: dt.datetime | None) -> str:
    """Return in words what nobody read: what the service kept no more when it was asked."""
    if since is None or mark.known_at is None or since <= mark.known_at:
        return ""
    return (
        f"a gap: what happened from {mark.known_at:%Y-%m-%d %H:%M} to {since:%Y-%m-%d %H:%M} UTC was not read while "
        "the service kept it"
    )


def _line_of_keys(read: ListRead, table: str) -> dict[str, Any]:
    """Return the row of the summary of a list that was read for its ids."""
    blank = dict.fromkeys(SUMMARY)
    numbers = dict.fromkeys(("rejected", "misfits", "unread", "retries"), 0)
    return {
        **blank,
        **numbers,
        "provider": read.provider,
        "account": read.account,
        "resource": read.resource,
        "table": table,
        "requests": read.requests,
        "complete": read.complete,
        "note": _IDS_ONLY,
    }
