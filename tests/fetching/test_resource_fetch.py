"""One resource from its first request to its result, without a server; and what goes wrong in it stays in it."""

from __future__ import annotations

import asyncio
from typing import Any

import polars as pl
import pytest
from polars.exceptions import PanicException

from crmlab.connector import Context, Page, Paginator, Request, Resource
from crmlab.decoding import RAW
from crmlab.errors import InternalError, NotFoundError, Stopped
from crmlab.fetching.decode_queue import Backpressure
from crmlab.fetching.embedding import Embeddings
from crmlab.fetching.resource_fetch import ResourceFetch
from tests.fetching.no_server import CONTEXT, Account, Service, answer, notes, task


def fetch(
    service: Service,
    resource: Resource | None = None,
    *,
    backpressure: Backpressure | None = None,
    **wanted: Any,
) -> tuple[ResourceFetch, Account]:
    chosen = resource or notes()
    account = Account(service, backpressure)
    embeddings = Embeddings({chosen.name: chosen}, {chosen.name: CONTEXT})
    return ResourceFetch(
        task(chosen, **wanted), account, embeddings, CONTEXT, stored=frozenset()
    ), account


def raising(error: BaseException) -> Any:
    def fail(*_: object) -> Any:
        raise error

    return fail


# ---- what comes ---------------------------------------------------------------------------------


async def test_a_list_that_came_whole_is_complete() -> None:
    notes_fetch, account = fetch(Service(["a", "b", "c"]))

    await notes_fetch.work()

    result = notes_fetch.result
    assert result.frames[RAW]["id"].to_list() == ["a", "b", "c"]
    assert result.heights == {"onepagecrm.notes": 3}
    assert (result.complete, result.failure, result.notes) == (True, None, [])
    assert (
        result.rows,
        result.expected_records,
        result.requests.sent,
        result.requests.expected,
    ) == (3, 3, 2, 2)
    assert account.told[-1] is True
    assert True not in account.told[:-1]


async def test_a_list_of_which_a_record_is_missing_is_not_complete_and_says_so() -> None:
    notes_fetch, _ = fetch(Service(["a", "b"], count=3))

    await notes_fetch.work()

    assert not notes_fetch.result.complete
    assert notes_fetch.result.failure is None
    assert notes_fetch.result.notes[-1] == "the service counts 3, 2 came"


async def test_what_came_before_an_error_is_kept_beside_it() -> None:
    class Broken(Service):
        async def ask(self, request: Request) -> Page:
            if request.params["page"] == "3":
                raise NotFoundError(404)
            return await super().ask(request)

    notes_fetch, _ = fetch(Broken(["a", "b", "c", "d", "e"]))

    await notes_fetch.work()

    result = notes_fetch.result
    assert result.frames[RAW]["id"].to_list() == ["a", "b", "c", "d"]
    assert isinstance(result.failure, NotFoundError)
    [note] = result.notes
    assert note.startswith(
        "onepagecrm account 'sales', notes: HTTP 404; a page in the middle of the list was refused twice"
    )
    assert not result.complete


async def test_records_that_another_resource_brings_are_told_and_kept() -> None:
    notes_fetch, account = fetch(Service(["a"]))
    page = answer(Request(path="/contacts"), ["b"])

    notes_fetch.receive(page, notes_fetch._intake.cut(page))
    told = len(account.told)
    await notes_fetch.work()

    assert told == 1
    assert notes_fetch.result.frames[RAW]["id"].to_list() == ["b", "a"]


# ---- told to stop -------------------------------------------------------------------------------


class Stuck(Service):
    """The second page never comes."""

    async def ask(self, request: Request) -> Page:
        if request.params["page"] == "2":
            await asyncio.Event().wait()
        return await super().ask(request)


async def test_what_came_before_a_stop_is_kept() -> None:
    notes_fetch, _ = fetch(Stuck(["a", "b", "c"]))
    working = asyncio.create_task(notes_fetch.work())
    await asyncio.sleep(0.01)

    notes_fetch.stop("stopped")
    await working

    assert isinstance(notes_fetch.result.failure, Stopped)
    assert notes_fetch.result.frames[RAW]["id"].to_list() == ["a", "b"]


async def test_one_that_is_stopped_before_it_began_asks_nothing() -> None:
    service = Service(["a"])
    notes_fetch, _ = fetch(service)

    notes_fetch.stop("stopped")
    await notes_fetch.work()

    assert isinstance(notes_fetch.result.failure, Stopped)
    assert service.asked == []


async def test_what_the_service_gives_only_once_is_read_to_its_end() -> None:
    notes_fetch, _ = fetch(Service(["a"]), notes(destructive=True))

    notes_fetch.stop("stopped")
    await notes_fetch.work()

    assert notes_fetch.result.complete


# ---- faults -------------------------------------------------------------------------------------

FAULTS = [
    ZeroDivisionError("secret"),
    OSError("secret"),
    RecursionError("secret"),
    PanicException("secret"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize(
    "place", ["note", "requests", "follow", "total", "schema", "inserted_at", "is_empty_answer"]
)
async def test_a_fault_is_a_failure_that_says_where_and_nothing_of_the_data(
    fault: BaseException, place: str
) -> None:
    broken: Any = raising(fault)
    if place == "follow":
        broken = Paginator(strategy="broken", follow=raising(fault))
    service: Any = Service(["a", "b", "c"])
    if place == "is_empty_answer":
        service.ask = raising(NotFoundError(404))
    notes_fetch, account = fetch(service, notes(**{place: broken}))

    await notes_fetch.work()

    failure = notes_fetch.result.failure
    assert isinstance(failure, InternalError)
    assert str(failure).startswith("onepagecrm account 'sales', notes: a fault of crmlab's own")
    assert type(fault).__name__ in str(failure)
    assert "test_resource_fetch.py, line" in str(failure)
    assert "secret" not in str(failure)
    assert "please report it" in failure.what_to_do
    assert notes_fetch.result.notes[-1] == str(failure)
    assert not notes_fetch.result.complete
    assert account.told[-1] is True


async def test_what_came_before_a_fault_is_kept_beside_it() -> None:
    def follow(page: Page) -> list[Request]:
        if page.request.params["page"] == "2":
            raise ZeroDivisionError
        return [page.request.with_params(page=2)]

    notes_fetch, _ = fetch(
        Service(["a", "b", "c"]), notes(follow=Paginator(strategy="broken", follow=follow))
    )

    await notes_fetch.work()

    assert isinstance(notes_fetch.result.failure, InternalError)
    assert notes_fetch.result.frames[RAW]["id"].to_list() == ["a", "b", "c"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_batch_that_cannot_be_decoded_costs_no_other_batch(fault: BaseException) -> None:
    def text(id_: str) -> str:
        if id_ == "c":
            raise fault
        return id_

    broken = {"text": pl.col("id").map_elements(text, return_dtype=pl.String)}
    page_by_page = Backpressure(batch_bytes=20, batch_records=1)
    notes_fetch, _ = fetch(
        Service(["a", "b", "c", "d", "e"]), notes(computed=broken), backpressure=page_by_page
    )

    await notes_fetch.work()

    result = notes_fetch.result
    assert result.frames[RAW]["id"].to_list() == ["a", "b", "e"]
    assert result.rejected["raw"].str.json_path_match("$.id").to_list() == ["c", "d"]
    assert result.rejected["reason"].str.starts_with("a fault of crmlab's own").all()
    assert not result.complete
    assert not result.failure


async def test_others_that_look_into_what_could_not_be_decoded_find_its_columns() -> None:
    calls = 0

    def schema(context: Context) -> Any:
        nonlocal calls
        calls += 1
        if calls <= 2:  # at the end of the reading, and at the end of all
            raise ZeroDivisionError
        return {"id": pl.String, "text": pl.String}

    notes_fetch, _ = fetch(Service(["a"]), notes(schema=schema), needed=True)

    await notes_fetch.work()

    assert isinstance(notes_fetch.result.failure, InternalError)
    exported = notes_fetch.result.exported
    assert exported.is_empty()
    assert {"id", "text"} <= {*exported.columns}


async def test_a_cancel_is_no_fault() -> None:
    notes_fetch, _ = fetch(Stuck(["a", "b", "c"]))
    working = asyncio.create_task(notes_fetch.work())
    await asyncio.sleep(0.01)

    working.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working
    assert notes_fetch.result.failure is None


def test_an_interrupt_is_no_fault() -> None:
    async def work() -> None:
        notes_fetch, _ = fetch(Service(["a"]), notes(requests=raising(KeyboardInterrupt())))
        await notes_fetch.work()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(work())
