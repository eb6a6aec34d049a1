"""What goes wrong inside one resource costs that resource, and none of the others: over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from polars.exceptions import PanicException

import crmlab
from crmlab.errors import InternalError
from crmlab.providers.onepagecrm import pages as onepagecrm_pages
from tests.conftest import Serve

FAST = crmlab.Limits(concurrency=10)
SERVICES = ["onepagecrm", "relenta", "complero"]


def raising(error: BaseException) -> Any:
    def fail(*_: object) -> Any:
        raise error

    return fail


def broken(account: crmlab.Account, name: str, **changes: Any) -> crmlab.Account:
    """The account of a service, one of whose resources is described wrongly."""
    resources = [
        replace(each, **changes) if each.name == name else each
        for each in account.provider.resources
    ]
    account.provider = replace(account.provider, resources=tuple(resources))
    return account


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", [ZeroDivisionError("x"), PanicException("x")], ids=lambda fault: type(fault).__name__
)
@pytest.mark.parametrize("place", ["requests", "total", "inserted_at"])
async def test_a_fault_in_one_list_costs_only_that_list(fault: BaseException, place: str) -> None:
    async with crmlab.sandbox(rows=40, services=SERVICES) as accounts:
        whole = await crmlab.fetch(accounts, "contacts", "deals", limits=FAST)
        broken(accounts[0], "deals", **{place: raising(fault)})
        data = await crmlab.fetch(accounts, "contacts", "deals", limits=FAST)

    [failure] = data.failures
    assert isinstance(failure, InternalError)
    assert str(failure).startswith(
        "onepagecrm account 'onepagecrm', deals: a fault of crmlab's own"
    )
    assert data.deals.is_empty()
    assert data.contacts.height == whole.contacts.height > 0
    assert data.summary.filter(~data.summary["complete"])["resource"].to_list() == ["deals"]


@pytest.mark.slow
@pytest.mark.parametrize("place", ["embedding", "note", "reached"])
async def test_a_fault_before_a_list_is_read_costs_only_that_list(place: str) -> None:
    async with crmlab.sandbox(rows=40, services=SERVICES) as accounts:
        change = raising(ZeroDivisionError())
        if place == "embedding":
            change = replace(onepagecrm_pages.embedding, possible=change)
        broken(accounts[0], "contacts", **{place: change})
        data = await crmlab.fetch(accounts, "contacts", "activities", limits=FAST)

    [failure] = data.failures
    assert isinstance(failure, InternalError)
    assert failure.resource == "contacts"
    assert set(data.activities["provider"]) == {"onepagecrm", "relenta"}
    assert set(data.contacts["provider"]) == {"relenta", "complero"}


@pytest.mark.slow
async def test_a_fault_is_raised_where_failures_are() -> None:
    async with crmlab.sandbox(rows=40, services=["onepagecrm"]) as accounts:
        broken(accounts[0], "deals", requests=raising(ZeroDivisionError()))
        with pytest.raises(InternalError, match="ZeroDivisionError"):
            await crmlab.fetch(accounts, "contacts", "deals", limits=FAST, on_error="raise")
        with pytest.raises(InternalError, match="ZeroDivisionError"):
            await crmlab.plan(accounts, "contacts", "deals", limits=FAST)


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Mon, 01 Jan 0001 00:00:00 +1200",
        "yesterday",
    ],
)
async def test_a_clock_that_tells_no_time_costs_nothing(serve: Serve, date: str) -> None:
    async def notes(request: web.Request) -> web.Response:
        rows = [
            {"note": {"id": f"n{n}", "text": "hello", "created_at": "2026-01-01T00:00:00Z"}}
            for n in range(3)
        ]
        body = {"status": 0, "data": {"notes": rows, "max_page": 1, "total_count": 3}}
        return web.json_response(body, headers={"Date": date})

    account = crmlab.Account(
        "onepagecrm", base_url=await serve(notes), user_id="me", api_key="my-key"
    )
    data = await crmlab.fetch(account, "onepagecrm.notes", limits=FAST)

    assert data["onepagecrm.notes"].height == 3
    assert data.complete


async def test_what_cannot_be_written_ends_the_fetch_with_that_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(28, "No space left on device")
    monkeypatch.setattr("crmlab.fetching.parquet_store.Store.put", raising(full))
    async with crmlab.sandbox(rows=40, services=["onepagecrm"]) as accounts:
        with pytest.raises(OSError, match="No space left") as failed:
            await crmlab.fetch_to(tmp_path, accounts, "contacts", limits=FAST)

    assert failed.value is full
    assert list(tmp_path.iterdir()) == []


async def test_a_listener_that_fails_ends_the_fetch_with_its_error_and_leaves_nothing_running() -> (
    None
):
    def listen(news: crmlab.Progress) -> None:
        raise ZeroDivisionError("in the listener")

    before = asyncio.all_tasks()
    async with crmlab.sandbox(rows=400, services=["onepagecrm"], latency=0.2) as accounts:
        with pytest.raises(ZeroDivisionError, match="in the listener"):
            await crmlab.fetch(accounts, "contacts", limits=FAST, progress=listen)

        current = asyncio.current_task()
        assert current
        assert current.cancelling() == 0
        package = str(Path(crmlab.__file__).parent / "fetching")
        left = [task.get_coro() for task in asyncio.all_tasks() - before]
        assert [each for each in left if each.cr_code.co_filename.startswith(package)] == []  # type: ignore[union-attr]


async def test_a_cancel_goes_before_what_a_listener_raised() -> None:
    async def fetch() -> None:
        def listen(news: crmlab.Progress) -> None:
            fetching.cancel()
            raise ZeroDivisionError("in the listener")

        async with crmlab.sandbox(rows=40, services=["onepagecrm"]) as accounts:
            await crmlab.fetch(accounts, "contacts", limits=FAST, progress=listen)

    fetching = asyncio.create_task(fetch())

    with pytest.raises(asyncio.CancelledError):
        await fetching
