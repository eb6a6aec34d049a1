"""A list is asked, followed and read again where it changed: without a server, from answers in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.connector import Embedding, Page, Paginator, Request, Resource, cursor
from crmlab.decoding import Record, records
from crmlab.errors import ApiError, NotFoundError, ServerError, TransportError
from crmlab.fetching.embedding import EmbeddingNegotiation
from crmlab.fetching.reader import MAX_READINGS, Ask, ListReader
from crmlab.fetching.resource_result import RequestCount
from tests.fetching.no_server import CONTEXT, PAGE_SIZE, Service, answer, body, keys, notes


class Taken:
    """An intake that keeps the ids of what it took."""

    def __init__(self, resource: Resource) -> None:
        self.rejected = 0
        self.ids: list[str] = []
        self._resource = resource
        self._new: list[str] = []

    def cut(self, page: Page) -> Sequence[Record]:
        return records(page, self._resource)

    def take(self, page: Page, found: Sequence[Record]) -> None:
        ids = [each["id"] for each in body(page)["data"]]
        self.ids += ids
        self._new += ids

    async def flush(self) -> pl.DataFrame:
        new = keys(self._new)
        self._new = []
        return new


def reading(
    ask: Ask, resource: Resource | None = None, *, embedded_in: EmbeddingNegotiation | None = None
) -> tuple[ListReader, Taken, RequestCount]:
    chosen = resource or notes()
    taken = Taken(chosen)
    requests = RequestCount()
    return ListReader(chosen, ask, taken, requests, embedded_in=embedded_in), taken, requests


def named(number: int) -> list[str]:
    return [f"n{each}" for each in range(number)]


# ---- following ----------------------------------------------------------------------------------


@given(st.integers(0, 30))
def test_every_page_is_asked_for_once_and_every_record_taken_once(number: int) -> None:
    service = Service(named(number))
    reader, taken, _ = reading(service.ask)

    asyncio.run(reader.read(CONTEXT))

    pages = max(1, -(-number // PAGE_SIZE))
    assert sorted(service.asked, key=int) == [str(page) for page in range(1, pages + 1)]
    assert sorted(taken.ids) == sorted(named(number))
    assert (reader.readings, reader.is_settled, reader.is_short) == (1, True, False)


async def test_the_first_answer_tells_how_many_requests_there_will_be() -> None:
    reader, _, requests = reading(Service(named(7)).ask)
    [first] = await reader.first_requests(CONTEXT)
    assert (requests.expected, requests.is_sized) == (1, False)

    following = list(await reader.visit(first))

    assert len(following) == 3
    assert (requests.expected, requests.minimum) == (4, 4)


async def test_a_cursor_does_not_tell_how_many_requests_there_will_be() -> None:
    by_cursor = cursor(lambda page: "2", lambda request, token: request.with_params(page=token))
    reader, _, requests = reading(Service(named(4)).ask, notes(follow=by_cursor))
    [first] = await reader.first_requests(CONTEXT)

    await reader.visit(first)

    assert (requests.expected, requests.minimum) == (None, 2)


async def test_a_page_that_repeats_ends_a_list_that_tells_no_end() -> None:
    def next_page(page: Page) -> list[Request]:
        return [page.request.with_params(page=int(page.request.params["page"]) + 1)]

    async def ask(request: Request) -> Page:
        page = min(3, int(request.params["page"]))
        return answer(request, [f"n{page}"])

    endless = notes(
        follow=Paginator(strategy="page after page", follow=next_page),
        total=None,
        may_repeat_last_page=True,
    )
    reader, taken, _ = reading(ask, endless)

    await reader.read(CONTEXT)

    assert taken.ids == ["n1", "n2", "n3"] * 2  # read twice: the second reading confirms the first
    assert reader.is_settled


# ---- reading again ------------------------------------------------------------------------------


async def test_a_list_that_lost_a_record_while_it_was_read_is_read_again() -> None:
    reader, _, _ = reading(Service(named(5), named(6), count=6).ask)

    await reader.read(CONTEXT)

    assert (reader.readings, reader.is_short) == (2, False)
    assert reader.completeness.distinct == 6


async def test_a_list_that_is_short_in_the_same_way_twice_is_counted_otherwise_and_not_read_a_third_time() -> (
    None
):
    reader, _, _ = reading(Service(named(5), count=6).ask)

    await reader.read(CONTEXT)

    assert (reader.readings, reader.is_short, reader.is_settled) == (2, True, True)


async def test_a_list_that_keeps_changing_is_given_up() -> None:
    ids = named(9)
    reader, _, _ = reading(Service(ids[:4], ids[2:6], ids[4:8], ids[5:], count=9).ask)

    await reader.read(CONTEXT)

    assert (reader.readings, reader.is_short) == (MAX_READINGS, True)


async def test_rejected_records_did_come() -> None:
    reader, taken, _ = reading(Service(named(5), count=6).ask)
    taken.rejected = 1

    await reader.read(CONTEXT)

    assert (reader.readings, reader.is_short) == (1, False)


async def test_only_the_first_reading_is_foreseen() -> None:
    reader, _, requests = reading(Service(named(5), named(6), count=6).ask)

    await reader.read(CONTEXT)

    assert requests.expected == 3


# ---- errors -------------------------------------------------------------------------------------


def failing(error: Exception) -> Ask:
    async def ask(request: Request) -> Page:
        raise error

    return ask


async def test_an_error_that_means_nothing_there_is_an_empty_list() -> None:
    empty = notes(is_empty_answer=lambda error, request: error.status == 404)
    reader, taken, _ = reading(failing(NotFoundError(404)), empty)

    await reader.read(CONTEXT)

    assert (taken.ids, reader.empty_answers) == ([], 1)


@pytest.mark.parametrize("error", [NotFoundError(404), ServerError(500), TransportError("cut off")])
async def test_any_other_error_is_raised(error: Exception) -> None:
    reader, _, _ = reading(failing(error))

    with pytest.raises(type(error)):
        await reader.read(CONTEXT)


def cut(request: Request) -> Sequence[Request]:
    """Two requests for half of it each; a half is not cut again."""
    if "half" in request.params:
        return ()
    return [request.with_params(half=1), request.with_params(half=2)]


EMBEDDING = Embedding(
    first=lambda request, names: request,
    rest=lambda page, names, size: (),
    smaller=cut,
    sizes=(2,),
    possible=lambda name, context: True,
)


@pytest.mark.parametrize("error", [ServerError(500), TransportError("timed out")])
async def test_what_was_too_much_is_asked_in_smaller_parts(error: Exception) -> None:
    async def ask(request: Request) -> Page:
        if "half" not in request.params:
            raise error
        return answer(request, [f"n{request.params['half']}"])

    reader, taken, _ = reading(ask, notes(embedding=EMBEDDING, total=None))

    await reader.read(CONTEXT)

    assert sorted(taken.ids) == ["n1", "n2"]


@pytest.mark.parametrize("error", [ServerError(500), ApiError(400)])
async def test_what_cannot_be_cut_smaller_or_was_not_too_much_is_an_error(error: ApiError) -> None:
    reader, _, _ = reading(
        failing(error), notes(embedding=replace(EMBEDDING, smaller=lambda request: ()))
    )

    with pytest.raises(type(error)):
        await reader.read(CONTEXT)


# ---- embedded -----------------------------------------------------------------------------------


async def test_a_list_that_comes_inside_another_is_not_followed_and_waits_for_that_one() -> None:
    inside = EmbeddingNegotiation("contacts", ["notes"], (PAGE_SIZE,))
    service = Service(named(8))
    reader, taken, requests = reading(service.ask, embedded_in=inside)
    reader_task = asyncio.create_task(reader.read(CONTEXT))

    assert await inside.choose(8) == (frozenset({"notes"}), PAGE_SIZE)
    await asyncio.sleep(0.01)
    assert not reader_task.done()
    for number in range(2, 8):
        taken.take(answer(Request(path="/contacts"), [f"n{number}"]), [])
    inside.end()
    await reader_task

    assert service.asked == ["1"]
    assert (reader.strategy, reader.readings, reader.is_short) == ("inside contacts", 1, False)
    assert requests.expected == 1


async def test_what_did_not_all_come_inside_is_read_from_its_own_list() -> None:
    inside = EmbeddingNegotiation("contacts", ["notes"], (PAGE_SIZE,))
    service = Service(named(8))
    reader, taken, _ = reading(service.ask, embedded_in=inside)
    reader_task = asyncio.create_task(reader.read(CONTEXT))

    await inside.choose(8)
    inside.end()
    await reader_task

    assert service.asked[0] == "1"
    assert sorted(service.asked[1:], key=int) == ["1", "2", "3", "4"]
    assert sorted(set(taken.ids)) == named(8)
    assert not reader.is_short


async def test_nobody_waits_for_a_reader_that_ended() -> None:
    inside = EmbeddingNegotiation("contacts", ["notes"], (PAGE_SIZE,))
    reader, _, _ = reading(failing(ServerError(500)), embedded_in=inside)

    with pytest.raises(ServerError):
        await reader.read(CONTEXT)
    reader.end()

    assert await inside.several_pages() == {}


async def test_news_are_told_before_the_first_answer_and_after_each() -> None:
    told: list[int] = []
    resource = notes()
    service = Service(named(5))
    reader = ListReader(
        resource,
        service.ask,
        Taken(resource),
        RequestCount(),
        tell=lambda: told.append(len(service.asked)),
    )

    await reader.read(CONTEXT)

    assert told[0] == 0
    assert len(told) == 1 + len(service.asked)
