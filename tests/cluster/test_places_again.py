"""Accounts of a worker that is gone are begun anew at any moment, also while others of it are still given up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

import crmlab
from crmlab.cluster import worker
from crmlab.cluster.run import _Run

GONE = "tcp://127.0.0.1:1"
THERE = "tcp://127.0.0.1:2"


@dataclass
class Begun:
    """An account that a worker of the scheduler below reads."""

    scheduler: Scheduler
    address: str
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def result(self) -> str:
        await self.ended.wait()
        return self.address

    async def cancel(self) -> None:
        # the fourth ends just now, so that there is room for one that waits again
        self.scheduler.begun[3].ended.set()
        await asyncio.sleep(0.05)


class Scheduler:
    """As much of Dask's client as a run needs: two workers, one of which is gone when it has three accounts."""

    scheduler = SimpleNamespace(address="tcp://127.0.0.1:0")

    def __init__(self) -> None:
        self.begun: list[Begun] = []

    def addresses(self) -> list[str]:
        has_begun_all = len(self.begun) >= 4
        return [THERE] if has_begun_all else [GONE, THERE]

    async def run(self, function: Any, *given: Any, **about: Any) -> dict[str, worker.Report]:
        if function is not worker.report:
            return {}
        slots = {GONE: 3, THERE: 1}
        version = worker.version()
        return {
            address: worker.Report(version, address, address, slots[address], ())
            for address in self.addresses()
        }

    def submit(self, *given: Any, workers: list[str], **about: Any) -> Begun:
        future = Begun(self, workers[0])
        self.begun.append(future)
        if len(self.begun) > 4:
            asyncio.get_running_loop().call_later(0.3, future.ended.set)
        return future


@pytest.mark.parametrize("count", [4, 9])
async def test_each_account_has_an_outcome(count: int) -> None:
    accounts = [
        crmlab.Account("complero", name=f"account {number}", api_key="a-key", facts={})
        for number in range(count)
    ]
    run = _Run(
        Scheduler(),  # type: ignore[arg-type]
        str,
        accounts,
        [None] * count,
        limits=crmlab.Limits(concurrency=10),
        seconds=None,
        listener=None,
    )

    outcomes = await asyncio.wait_for(run.finish(asyncio.Event()), 20)

    assert outcomes.begun == {each.label: THERE for each in accounts}
    assert outcomes.not_begun == outcomes.lost == []
