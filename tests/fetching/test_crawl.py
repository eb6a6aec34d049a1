"""Requests that lead to requests: each once, those that close their list last."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.connector.request import Request
from crmlab.errors import NotFoundError, TransportError
from crmlab.fetching.crawl import crawl, side_by_side

Graph = dict[int, list[tuple[int, bool]]]
NODES = st.integers(0, 11)


def to(number: int, *, send_last: bool = False) -> Request:
    return Request(path=f"/{number}", send_last=send_last)


def answered_by(starts: Iterable[int], graph: Graph, delays: dict[int, int]) -> list[int]:
    """The numbers in the order of their answers; each answer takes its turns of the loop."""
    answered: list[int] = []

    async def ask(request: Request) -> list[Request]:
        number = int(request.path[1:])
        for _ in range(delays.get(number, 0)):
            await asyncio.sleep(0)
        answered.append(number)
        return [to(n, send_last=send_last) for n, send_last in graph.get(number, [])]

    asyncio.run(crawl([to(number) for number in starts], ask))
    return answered


def reached(starts: Iterable[int], graph: Graph) -> set[int]:
    found, waiting = set[int](), list(starts)
    while waiting:
        if (number := waiting.pop()) not in found:
            found.add(number)
            waiting += [n for n, _ in graph.get(number, [])]
    return found


@given(
    st.lists(NODES, max_size=4),
    st.dictionaries(NODES, st.lists(st.tuples(NODES, st.booleans()), max_size=4)),
    st.dictionaries(NODES, st.integers(0, 5)),
)
def test_all_that_follows_is_asked_exactly_once(
    starts: list[int], graph: Graph, delays: dict[int, int]
) -> None:
    assert Counter(answered_by(starts, graph, delays)) == Counter(reached(starts, graph))


@given(st.integers(2, 30), st.dictionaries(st.integers(1, 30), st.integers(0, 9)))
def test_what_closes_a_list_is_asked_when_all_others_are_in(
    last: int, delays: dict[int, int]
) -> None:
    graph = {1: [(n, n == last) for n in range(2, last + 1)]}

    assert answered_by([1], graph, delays)[-1] == last


def test_what_follows_the_last_is_asked_as_well() -> None:
    assert answered_by([1], {1: [(2, True), (3, False)], 2: [(4, True), (5, False)]}, {}) == [
        1,
        3,
        2,
        5,
        4,
    ]


def test_requests_wait_for_no_other() -> None:
    order = answered_by([1, 2], {1: [(3, False)], 2: [(4, False)]}, {1: 9})

    assert order == [2, 4, 1, 3]


def test_nothing_to_ask_is_the_end() -> None:
    assert answered_by([], {}, {}) == []


async def test_the_first_error_is_raised_plain_and_what_runs_is_cancelled() -> None:
    cancelled: list[str] = []

    async def ask(request: Request) -> Any:
        if request.path == "/1":
            await asyncio.sleep(0)
            raise NotFoundError(404, "", "gone")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(request.path)
            raise

    with pytest.raises(NotFoundError, match="gone"):
        await crawl([to(1), to(2), to(3)], ask)

    assert sorted(cancelled) == ["/2", "/3"]


async def test_an_error_of_the_last_is_raised_plain() -> None:
    async def ask(request: Request) -> list[Request]:
        if request.send_last:
            raise TransportError("cut off")
        return [to(2, send_last=True)]

    with pytest.raises(TransportError, match="cut off"):
        await crawl([to(1)], ask)


async def test_what_fails_beside_others_leaves_no_mark_of_a_cancel_on_its_caller() -> None:
    """Else an `asyncio.timeout` around it would end in a CancelledError."""
    task = asyncio.current_task()
    assert task

    async def fails(seconds: float) -> None:
        await asyncio.sleep(seconds)
        raise NotFoundError(404, "", "gone")

    with pytest.raises(NotFoundError):
        await side_by_side([side_by_side([fails(0), asyncio.sleep(60)]), asyncio.sleep(60)])
    assert task.cancelling() == 0

    for seconds in (0.0, 0.005, 0.01, 0.015):
        with pytest.raises((NotFoundError, TimeoutError)):
            async with asyncio.timeout(0.01):
                await side_by_side([fails(seconds), fails(seconds + 0.001), asyncio.sleep(60)])
        assert task.cancelling() == 0


async def test_a_cancel_reaches_each_task_once_and_goes_before_their_errors() -> None:
    ended: list[str] = []

    async def cleans_up() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)  # a second cancel would cut this off
            ended.append("cleaned up")
            raise NotFoundError(404, "", "gone")

    work = asyncio.create_task(side_by_side([cleans_up(), cleans_up()]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    work.cancel()
    await asyncio.sleep(0.001)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work

    assert ended == ["cleaned up"] * 2


@pytest.mark.slow
def test_asyncio_has_nothing_to_complain_of_where_several_fail_at_once() -> None:
    complaints: list[dict[str, Any]] = []

    async def refused() -> None:
        raise TransportError("refused")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        with pytest.raises(TransportError):
            await side_by_side([refused(), refused(), refused()])
        gc.collect()  # a task complains when it goes

    asyncio.run(main())

    assert complaints == []
