"""A fetch that is told to stop: what came is kept, and nothing goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web

import crmlab
from crmlab.errors import Stopped
from crmlab.sandbox.faults import Fault

Serve = Callable[[Any], Awaitable[str]]
FAST = crmlab.Limits(concurrency=10)
OWN = "onepagecrm.notes"


class Notes:
    """A list of 60 pages; from the tenth on they never come. `stuck` is set when they are asked for."""

    def __init__(self) -> None:
        self.stuck = asyncio.Event()
        self.transports: set[asyncio.Transport | None] = set()

    async def __call__(self, request: web.Request) -> web.Response:
        self.transports.add(request.transport)
        page = int(request.query.get("page", "1"))
        if page >= 10:
            self.stuck.set()
            await asyncio.sleep(60)
        rows = [
            {"note": {"id": f"{page}-{n}", "created_at": "2026-01-01T00:00:00Z", "text": "hello"}}
            for n in range(100)
        ]
        return web.json_response(
            {"status": 0, "data": {"notes": rows, "max_page": 60, "total_count": 6000}}
        )


@pytest.fixture
async def notes() -> Notes:
    return Notes()


@pytest.fixture
async def account(serve: Serve, notes: Notes) -> crmlab.Account:
    return crmlab.Account("onepagecrm", base_url=await serve(notes), user_id="me", api_key="my-key")


async def stopped(notes: Notes, stop: asyncio.Event) -> None:
    """Stop when the list is stuck; give what came until then the time to be taken in."""
    await notes.stuck.wait()
    await asyncio.sleep(0.3)
    stop.set()


def left(before: set[asyncio.Task[Any]]) -> list[Any]:
    package = str(Path(crmlab.__file__).parent)
    coroutines = [task.get_coro() for task in asyncio.all_tasks() - before]
    return [each for each in coroutines if each.cr_code.co_filename.startswith(package)]  # type: ignore[union-attr]


async def test_what_came_is_returned_and_nothing_goes_on(
    account: crmlab.Account, notes: Notes
) -> None:
    stop, told = asyncio.Event(), list[crmlab.Progress]()
    stopping = asyncio.create_task(stopped(notes, stop))
    before = asyncio.all_tasks()

    data = await crmlab.fetch(account, OWN, limits=FAST, stop=stop, progress=told.append)

    assert data[OWN].height == 900
    assert not data.complete
    assert [type(failure) for failure in data.failures] == [Stopped]
    assert str(data.failures[0]) == "onepagecrm account 'onepagecrm', notes: stopped before its end"
    assert data.summary["note"].to_list() == [str(data.failures[0])]
    assert (told[-1].state, told[-1].rows) == ("stopped", 900)
    assert left(before) == []
    await asyncio.sleep(0.05)
    assert all(transport is None or transport.is_closing() for transport in notes.transports)
    await stopping


async def test_with_raise_it_is_an_error(account: crmlab.Account, notes: Notes) -> None:
    stop = asyncio.Event()
    stopping = asyncio.create_task(stopped(notes, stop))

    with pytest.raises(Stopped, match="notes: stopped before its end"):
        await crmlab.fetch(account, OWN, limits=FAST, stop=stop, on_error="raise")
    await stopping


async def test_where_nothing_came_it_is_an_error_and_nothing_was_sent() -> None:
    stop = asyncio.Event()
    stop.set()
    async with crmlab.sandbox(rows=20) as accounts:
        with pytest.raises(Stopped):
            await crmlab.fetch(accounts, limits=FAST, stop=stop)

    assert not accounts.requests


@pytest.mark.parametrize("wait", [0.02, 0.1, 0.2, 0.4, 0.8])
async def test_at_any_time_each_list_is_whole_or_says_not(
    wait: float, caplog: pytest.LogCaptureFixture
) -> None:
    stop = asyncio.Event()
    async with crmlab.sandbox(rows=300, latency=0.02) as accounts:
        whole = await crmlab.fetch(accounts, limits=FAST)
        before = asyncio.all_tasks()
        asyncio.get_running_loop().call_later(wait, stop.set)
        try:
            data = await crmlab.fetch(accounts, limits=FAST, stop=stop)
        except Stopped:  # nothing at all had come
            data = None
        assert left(before) == []
    assert caplog.messages == []  # of the sandbox, whose clients went away

    if data is not None:
        key = ["account", "resource", "table"]
        both = data.summary.join(whole.summary, on=key, suffix="_whole").filter("complete")
        assert both.filter(pl.col("rows") != pl.col("rows_whole")).is_empty()
        assert {type(failure) for failure in data.failures} <= {Stopped}
        assert data.complete == (not data.failures)


async def test_a_stop_after_the_end_changes_nothing() -> None:
    stop = asyncio.Event()
    async with crmlab.sandbox(rows=20, services=["relenta"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST, stop=stop)
        stop.set()

    assert data.complete


async def test_what_the_service_gives_only_once_is_waited_for(tmp_path: Path) -> None:
    stop = asyncio.Event()
    fault = Fault(kind="slow", match="/events/latest", seconds=0.6)
    async with crmlab.sandbox(rows=50, services=["complero"], faults=[fault]) as accounts:
        asyncio.get_running_loop().call_later(0.3, stop.set)
        once = {"allow_destructive": True, "spool": tmp_path}
        data = await crmlab.fetch(
            accounts, "complero.latest_events", limits=FAST, stop=stop, **once
        )

    assert data.complete
    assert data["complero.latest_events"].height > 0


# ---- in files -------------------------------------------------------------------------------------


async def test_in_a_new_folder_what_came_is_written(
    account: crmlab.Account, notes: Notes, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    stopping = asyncio.create_task(stopped(notes, stop))
    before = asyncio.all_tasks()

    stored = await crmlab.fetch_to(tmp_path, account, OWN, limits=FAST, stop=stop)

    assert stored[OWN].select(pl.len()).collect().item() == 900
    assert not stored.complete
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{OWN}.parquet",
        "summary.parquet",
        "crmlab.json",
    }
    assert left(before) == []
    await stopping


async def test_files_of_an_earlier_fetch_stay(
    account: crmlab.Account, notes: Notes, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    for name in (OWN, "summary"):
        (tmp_path / f"{name}.parquet").write_bytes(name.encode())
    stopping = asyncio.create_task(stopped(notes, stop))

    with pytest.raises(Stopped, match=r"the files of an earlier fetch in .* stay as they are"):
        await crmlab.fetch_to(tmp_path, account, OWN, limits=FAST, stop=stop)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        f"{name}.parquet": name.encode() for name in (OWN, "summary")
    }
    await stopping
