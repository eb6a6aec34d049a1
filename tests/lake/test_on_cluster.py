"""What a worker does with an account: read once, committed together with others, and known when it is begun again."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import crmlab
from crmlab.errors import CrmlabError, UsageError
from crmlab.fetching import Progress
from crmlab.lake import on_cluster, refreshing
from crmlab.lake import state as states
from crmlab.lake.on_cluster import ReadAndKeep, _counted
from crmlab.lake.place import Place
from crmlab.lake.table import LakeTable
from tests.lake.world import came, day, deals, ids, refreshed

LIMITS = crmlab.Limits(concurrency=10)


@dataclass
class Here:
    """A worker process without Dask."""

    made: dict[type[Any], Any] = field(default_factory=dict)

    def shared(self, kind: type[Any], make: Callable[[], Any]) -> Any:
        return self.made.setdefault(kind, make())

    def alone(self) -> AbstractAsyncContextManager[Any]:
        return nullcontext()


@dataclass
class Task:
    """One account in it."""

    here: Here
    is_repeated: bool = False
    detail: Any = ()
    seconds: float | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, news: Progress) -> None:
        assert news.account


def work_on(place: Place, count: int) -> ReadAndKeep:
    known = states.create(place, dt.datetime(2026, 11, 1, tzinfo=dt.UTC))
    return ReadAndKeep(
        place=place,
        known=replace(known, marks=[]),
        at=dt.datetime.now(dt.UTC),
        tables=("consent_events",),
        share=1 / count,
        ask=partial(refreshing.read, sweep_after=None, whole=False),
        limits=LIMITS,
        timeouts=crmlab.Timeouts(),
    )


def many(accounts: Any, count: int, provider: str = "complero") -> list[crmlab.Account]:
    url = accounts.account(provider).base_url
    keys = accounts.keys[provider]
    return [
        crmlab.Account(provider, name=f"account {number}", base_url=url, facts={}, **keys)
        for number in range(count)
    ]


async def test_accounts_that_are_read_at_the_same_time_are_few_commits(tmp_path: Path) -> None:
    place = Place(tmp_path / "lake", None)
    work = work_on(place, 12)
    here = Here()
    async with crmlab.sandbox(rows=30, services=["complero"]) as accounts:
        asked = many(accounts, 12)
        before = place.open("state").version()
        outcomes = await asyncio.gather(*(work(each, Task(here)) for each in asked))  # type: ignore[arg-type]

    assert all(each.complete for each in outcomes)
    assert crmlab.Lake(place.root).status()["account"].n_unique() == 12
    assert 1 <= place.open("state").version() - before < 12


async def test_accounts_that_are_swept_at_the_same_time_are_few_commits(tmp_path: Path) -> None:
    place = Place(tmp_path / "lake", None)
    reading = replace(work_on(place, 6), tables=("deals",))
    later = reading.at + dt.timedelta(seconds=1)
    sweeping = replace(reading, ask=refreshing.read_ids, at=later)
    async with crmlab.sandbox(rows=10, services=["onepagecrm"]) as accounts:
        asked = many(accounts, 6, "onepagecrm")
        here = Here()
        await asyncio.gather(*(reading(each, Task(here)) for each in asked))  # type: ignore[arg-type]
        known = states.read(place)
        before = place.open("state").version()
        tasks = [Task(here, detail=known.marks, is_repeated=True) for _ in asked]
        outcomes = await asyncio.gather(*(map(sweeping, asked, tasks)))  # type: ignore[arg-type]

    assert all(each.complete for each in outcomes)
    assert {tuple(each.tables) for each in outcomes} == {("deals",)}
    assert crmlab.Lake(place.root).status()["swept_at"].to_list() == [later] * 6
    assert 1 <= place.open("state").version() - before < 6


@pytest.mark.fast
async def test_an_account_that_is_begun_again_after_its_commit_is_not_asked(tmp_path: Path) -> None:
    place = Place(tmp_path / "lake", None)
    work = work_on(place, 1)
    async with crmlab.sandbox(rows=30, services=["complero"]) as accounts:
        account = many(accounts, 1)[0]
        first = await work(account, Task(Here()))  # type: ignore[arg-type]
        asked = accounts.requests.total()
        version = place.open("state").version()
        again = await work(account, Task(Here(), is_repeated=True))  # type: ignore[arg-type]

        assert accounts.requests.total() == asked
        other = replace(work, at=work.at + dt.timedelta(seconds=1))
        await other(account, Task(Here(), is_repeated=True))  # type: ignore[arg-type]
        assert accounts.requests.total() > asked
    assert place.open("state").version() == version + 1
    assert again.complete
    told = [
        (line["resource"], line["table"], line["rows"], line["requests"]) for line in first.lines
    ]
    assert told == [
        (line["resource"], line["table"], line["rows"], line["requests"]) for line in again.lines
    ]


async def test_where_a_commit_fails_all_that_were_part_of_it_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path / "lake", None)
    work = work_on(place, 3)
    here = Here()

    def full(place: Place, readings: object) -> None:
        raise CrmlabError("the disk is full")

    monkeypatch.setattr(on_cluster, "keep", full)
    async with crmlab.sandbox(rows=10, services=["complero"]) as accounts:
        tasks = [work(each, Task(here)) for each in many(accounts, 3)]  # type: ignore[arg-type]
        ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert [str(each) for each in ended] == ["the disk is full"] * 3


async def test_a_machine_that_does_not_see_the_lake_says_so_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    work = replace(work_on(Place(tmp_path / "lake", None), 1), place=Place(tmp_path / "none", None))
    async with crmlab.sandbox(rows=10, services=["complero"]) as accounts:
        with pytest.raises(UsageError, match="a worker does not see the lake at"):
            await work(many(accounts, 1)[0], Task(Here()))  # type: ignore[arg-type]

        assert accounts.requests.total() == 0


def test_what_a_refresh_changed_is_counted_by_what_is_in_the_lake(tmp_path: Path) -> None:
    first = came({"deals": deals({"1": "a", "2": "b", "3": "c"})}, day(1), whole=True)
    refreshed(tmp_path / "lake", first, day(1))
    then = came({"deals": deals({"2": "B", "4": "d"})}, day(2))
    told = refreshed(tmp_path / "lake", then, day(2), ids("deals", {"2", "3", "4"}))

    place = Place(tmp_path / "lake", None)
    table = LakeTable(place, "deals", states.read(place).lake)
    counted = _counted(table.scan(table.open().version()), day(2))

    assert told.written.rows() == [("deals", 1, 1, 1)]
    assert (counted.added, counted.changed, counted.deleted) == (1, 1, 1)


def test_a_table_is_made_for_all_accounts_that_are_on_their_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path / "lake", None)
    lake = states.create(place, day(0)).lake
    made: list[int] = []
    make = LakeTable.make
    monkeypatch.setattr(
        LakeTable, "make", lambda table, rows: (made.append(rows), make(table, rows))
    )

    LakeTable(place, "deals", lake).merge(deals({"1": "a", "2": "b"}).lazy(), at=day(1), share=0.01)

    assert made == [200]


def test_what_the_lake_knows_is_stored_once(tmp_path: Path) -> None:
    place = Place(tmp_path / "lake", None)
    known = states.create(place, day(0))
    known.failures = {f"account {number}": [{"what": "x" * 90}] for number in range(3_000)}
    states.commit(place, lambda state: replace(state, failures=known.failures))

    files = [path.stat().st_size for path in (tmp_path / "lake" / "state").glob("*.parquet")]

    # its least and greatest value beside it would be twice 300,000 bytes
    assert max(files) < 100_000
