"""Accounts on real workers: each once, within the limits, with progress, a stop, and the death of a worker."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import crmlab
from crmlab.cluster import Outcomes, each_account
from crmlab.errors import CrmlabError, InternalError, Stopped, UsageError
from crmlab.fetching import Progress
from tests.cluster.conftest import Workers
from tests.cluster.works import Dying, Failing, WhoAndWhere

LIMITS = crmlab.Limits(concurrency=10)


def many(accounts: Any, provider: str, count: int, **more: Any) -> list[crmlab.Account]:
    """Return accounts of one service of the sandbox, each with a name of its own."""
    url = accounts.account(provider).base_url
    return [
        crmlab.Account(
            provider,
            name=f"{provider} {number}",
            base_url=url,
            facts={},
            **accounts.keys[provider],
            **more,
        )
        for number in range(count)
    ]


def named(count: int, limits: crmlab.Limits = LIMITS) -> list[crmlab.Account]:
    return [
        crmlab.Account(
            "complero", name=f"account {number}", api_key="a-key", limits=limits, facts={}
        )
        for number in range(count)
    ]


async def done(
    workers: Workers, work: Any, accounts: Sequence[crmlab.Account], **more: Any
) -> Outcomes:
    options = {"limits": None, "seconds": None, "progress": False, "stop": None, **more}
    return await each_account(workers.address, work, accounts, [*range(len(accounts))], **options)


def equal(one: crmlab.Lake, other: crmlab.Lake, *tables: str) -> None:
    for table in tables:
        frames = [
            lake.scan(table).collect().sort("provider", "account", "id") for lake in (one, other)
        ]
        assert frames[0].equals(frames[1])
        assert frames[0].height > 0


async def test_each_account_is_read_once_and_told_of(workers: Workers) -> None:
    news: list[Progress] = []
    accounts = named(20)

    outcomes = await done(workers, WhoAndWhere(0.3), accounts, progress=news.append)

    assert outcomes.begun.keys() == {each.label for each in accounts}
    assert [outcomes.begun[each.label][2] for each in accounts] == [*range(20)]
    assert {process for _, process, _, _ in outcomes.begun.values()} == {*workers.processes()}
    assert {each.account for each in news} == {each.name for each in accounts}
    assert not all(each.exact for each in news)


async def test_what_is_counted_by_address_is_read_by_one_worker(workers: Workers) -> None:
    outcomes = await done(workers, WhoAndWhere(), named(8, crmlab.Limits(rate=5, burst=5)))

    assert len({process for _, process, _, _ in outcomes.begun.values()}) == 1


async def test_the_limit_of_a_service_holds_with_two_workers(
    workers: Workers, tmp_path: Path
) -> None:
    lake = crmlab.Lake(tmp_path / "lake")
    # the sandbox refuses more than twenty in a second: with a limiter in each worker there would be thirty. One sends
    # fifteen, and the next ones three seconds later, so that a busy machine may let two of them pass on their way
    limits = crmlab.Limits(rate=5, burst=15, scope="ip")
    async with crmlab.sandbox(rows=40, rate_limits=True, services=["complero"]) as accounts:
        asked = many(accounts, "complero", 12, limits=limits)
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        told = await lake.refresh(asked, "consent_events", cluster=workers.address, progress=False)
        seconds = loop.time() - began_at
        requests = accounts.requests.total()

    assert told.complete, told.failures
    assert accounts.refused == 0
    assert requests == told.requests >= 36
    assert seconds >= (requests - 15) / 5


async def test_a_lake_is_as_one_process_fills_it(workers: Workers, tmp_path: Path) -> None:
    tables = ("contacts", "deals", "consent_events")
    here = crmlab.Lake(tmp_path / "here")
    there = crmlab.Lake(tmp_path / "there")
    async with crmlab.sandbox(rows=40) as accounts:
        asked = [
            each for one in accounts for each in many(accounts, one.provider.name, 2, limits=LIMITS)
        ]
        expected = await here.refresh(asked, *tables, progress=False)
        told = await there.refresh(asked, *tables, cluster=workers.address, progress=False)
        again = await there.refresh(
            asked, *tables, cluster=workers.address, progress=False, sweep_after="0h"
        )

    assert told.complete
    assert told.written.equals(expected.written)
    keys = ["provider", "account", "resource", "table", "rows", "complete"]
    assert told.summary.select(keys).sort(keys).equals(expected.summary.select(keys).sort(keys))
    equal(here, there, *tables)
    assert again.complete
    assert again.written.select(pl.exclude("table").sum()).sum_horizontal().item() == 0
    assert "ids only" in str(again.summary["note"].to_list())
    state = crmlab.lake.state.read(there._place)
    assert {mark.refreshed_at for mark in state.marks} == {again.at}


async def test_a_sweep_finds_what_one_process_finds(workers: Workers, tmp_path: Path) -> None:
    tables = ("contacts", "deals", "consent_events")
    here = crmlab.Lake(tmp_path / "here")
    there = crmlab.Lake(tmp_path / "there")
    # of this world a contact is deleted within its last thirty days
    now = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
    only: dict[str, Any] = {"services": ["onepagecrm", "complero"], "seed": 4, "now": now}
    async with crmlab.sandbox(rows=40, days_ago=30, **only) as accounts:
        before = [
            each for one in accounts for each in many(accounts, one.provider.name, 2, limits=LIMITS)
        ]
        await here.refresh(before, *tables, progress=False)
        await there.refresh(before, *tables, cluster=workers.address, progress=False)
    async with crmlab.sandbox(rows=40, **only) as accounts:
        asked = [
            each for one in accounts for each in many(accounts, one.provider.name, 2, limits=LIMITS)
        ]
        expected = await here.sweep(asked, *tables, progress=False)
        told = await there.sweep(asked, *tables, cluster=workers.address, progress=False)
        again = await there.sweep(asked, *tables, cluster=workers.address, progress=False)

    assert told.complete
    assert expected.written["deleted"].sum() > 0
    assert told.written.equals(expected.written)
    keys = ["provider", "account", "resource", "table", "requests", "complete", "note"]
    assert told.summary.select(keys).sort(keys).equals(expected.summary.select(keys).sort(keys))
    assert again.written.select(pl.exclude("table").sum()).sum_horizontal().item() == 0
    equal(here, there, *tables)
    assert (
        there.status()
        .select("swept_at")
        .equals(
            there.status()
            .with_columns(swept_at=pl.when(pl.col("swept_at").is_not_null()).then(pl.lit(again.at)))
            .select("swept_at")
        )
    )


async def test_a_worker_that_is_killed_is_survived(workers: Workers, tmp_path: Path) -> None:
    here = crmlab.Lake(tmp_path / "here")
    there = crmlab.Lake(tmp_path / "there")
    killed: list[int] = []

    def kill_one(news: Progress) -> None:
        if news.state == "complete" and not killed:
            killed.append(workers.processes()[0])
            os.kill(killed[0], signal.SIGKILL)

    async with crmlab.sandbox(rows=40, latency=0.1, services=["complero"]) as accounts:
        asked = many(accounts, "complero", 24, limits=LIMITS)
        await here.refresh(asked, "consent_events", progress=False)
        told = await there.refresh(
            asked, "consent_events", cluster=workers.address, progress=kill_one
        )

    assert killed
    assert killed[0] not in workers.processes()
    assert told.complete, told.failures
    assert told.summary["account"].n_unique() == 24
    equal(here, there, "consent_events")
    assert there.history("consent_events").collect().height == told.written["added"].item()
    assert there.open().complete


async def test_a_stop_keeps_what_came_and_the_rest_comes_next_time(
    workers: Workers, tmp_path: Path
) -> None:
    lake = crmlab.Lake(tmp_path / "lake")
    stop = asyncio.Event()
    async with crmlab.sandbox(rows=40, latency=0.3, services=["complero"]) as accounts:
        asked = many(accounts, "complero", 30, limits=LIMITS)
        told = await lake.refresh(
            asked,
            "consent_events",
            cluster=workers.address,
            progress=lambda news: stop.set() if news.state == "complete" else None,
            stop=stop,
        )
        kept = lake.scan("consent_events").collect()["account"].n_unique()
        rest = await lake.refresh(asked, "consent_events", cluster=workers.address, progress=False)

    assert not told.complete
    assert {type(each) for each in told.failures} == {Stopped}
    assert 0 < kept < 30
    assert rest.complete
    counts = Counter(lake.scan("consent_events").collect()["account"])
    assert len(counts) == 30
    assert len(set(counts.values())) == 1


async def test_no_more_is_begun_when_the_time_is_over(workers: Workers, tmp_path: Path) -> None:
    lake = crmlab.Lake(tmp_path / "lake")
    async with crmlab.sandbox(rows=20, latency=5, services=["complero"]) as accounts:
        told = await lake.refresh(
            many(accounts, "complero", 20, limits=LIMITS),
            "consent_events",
            cluster=workers.address,
            progress=False,
            timeouts=crmlab.Timeouts(total=1),
        )

    assert not told.complete
    assert len({each.account for each in told.failures}) == 20
    assert "total of crmlab.Timeouts" in str(told.failures[-1])


async def test_what_a_listener_raises_ends_the_refresh(workers: Workers) -> None:
    def stumble(news: Progress) -> None:
        raise ArithmeticError("mine")

    with pytest.raises(ArithmeticError, match="mine"):
        await done(workers, WhoAndWhere(30), named(4), progress=stumble)


async def test_a_cancel_leaves_nothing_at_work(workers: Workers) -> None:
    begun = asyncio.Event()
    running = asyncio.create_task(
        done(workers, WhoAndWhere(60), named(4), progress=lambda news: begun.set())
    )
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    # the slots of the workers are free again
    outcomes = await asyncio.wait_for(done(workers, WhoAndWhere(), named(8)), 60)

    assert len(outcomes.begun) == 8


async def test_errors_are_raised_where_the_caller_is(workers: Workers) -> None:
    with pytest.raises(UsageError, match="asked wrongly"):
        await done(workers, Failing("usage", "asked wrongly"), named(3))
    with pytest.raises(InternalError, match=r"^KeyError in works\.py, line \d+, of a worker$"):
        await done(workers, Failing("other", "x"), named(3))


async def test_an_account_with_which_each_worker_dies_is_a_failure(workers: Workers) -> None:
    outcomes = await asyncio.wait_for(done(workers, Dying(), named(1)), 240)

    assert outcomes.lost == ["complero account 'account 0'"]
    assert outcomes.begun == {}


async def test_a_client_is_as_good_as_an_address(workers: Workers) -> None:
    import distributed

    async with distributed.Client(workers.address, asynchronous=True) as client:
        outcomes = await each_account(
            client,
            WhoAndWhere(),
            named(2),
            [1, 2],
            limits=None,
            seconds=None,
            progress=False,
            stop=None,
        )
        assert len(outcomes.begun) == 2
        assert client.status == "running"
    with pytest.raises(UsageError, match="is closed"):
        await each_account(
            client,
            WhoAndWhere(),
            named(2),
            [1, 2],
            limits=None,
            seconds=None,
            progress=False,
            stop=None,
        )


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ("tcp://127.0.0.1:1", r"^no scheduler answers at tcp://127\.0\.0\.1:1 \(OSError\)"),
        ("127.0.0.1:1", "is not the address of a scheduler"),
        ("tcp://:port", "is not the address of a scheduler"),
        ("tls://127.0.0.1:1", "tls://127.0.0.1:1"),
        ("tcp://10.1.2.3:8786", "would travel to 10.1.2.3 unencrypted"),
        (7, "not of type int"),
    ],
)
async def test_a_wrong_address_is_said_in_one_line(cluster: Any, said: str, tmp_path: Path) -> None:
    lake = crmlab.Lake(tmp_path / "lake")
    with pytest.raises(UsageError, match=said) as raised:
        await lake.refresh(named(1), "deals", cluster=cluster, progress=False)

    assert "\n" not in str(raised.value)


async def test_a_cluster_that_ends_says_so(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed.comm import CommClosedError

    async def gone(*given: object, **options: object) -> None:
        raise CommClosedError("in <TCP (closed)>")

    def end(news: Progress) -> None:
        monkeypatch.setattr("distributed.Client._run", gone)

    with pytest.raises(CrmlabError, match=r"the scheduler at tcp://.* is gone"):
        await done(workers, WhoAndWhere(60), named(2), progress=end)


async def test_workers_with_another_version_are_refused(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crmlab, "__version__", "9.9")
    with pytest.raises(UsageError, match=r"has crmlab .*, and this process 9\.9"):
        await done(workers, WhoAndWhere(), named(1))


async def test_without_distributed_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="a cluster needs distributed: pip install distributed"):
        await crmlab.Lake(tmp_path / "lake").refresh(
            named(1), "contacts", cluster="tcp://127.0.0.1:1"
        )
