"""The queue in front of a limiter: turns, places, and what is left after a cancel."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Awaitable, Callable

import pytest

import crmlab
from crmlab.http.limiter import Limiter
from crmlab.http.rate_queue import RateQueue, join, leave, rate_queue

Answer = Callable[[], Awaitable[object]]
_hosts = itertools.count()


def scope() -> tuple[str, str]:
    """A scope that no other test uses: limiters live as long as the process."""
    return (f"host-{next(_hosts)}", "")


def fine() -> None:
    """Let the request leave."""


async def at_once() -> None:
    """Answer without delay."""


async def rounds(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def new(rate: float | None = None, *, burst: int = 1, concurrency: int = 100) -> RateQueue:
    return RateQueue(Limiter(crmlab.Limits(rate=rate, burst=burst)), concurrency)


class Traffic:
    """Requests that leave through a queue and are answered when `answer` returns."""

    def __init__(
        self, queue: RateQueue, *, connections: int = 100, check: Callable[[], None] = fine
    ) -> None:
        self.queue, self.connections, self.check = queue, asyncio.Semaphore(connections), check
        self.left: list[str] = []
        self.at: list[float] = []
        self.in_flight = self.max_in_flight = 0

    async def send(self, account: str, answer: Answer = at_once) -> None:
        async with self.queue.ticket(account, self.connections, self.check) as ticket:
            ticket.left_at = time.monotonic()
            self.left.append(account)
            self.at.append(ticket.left_at)
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
            try:
                await answer()
            finally:
                self.in_flight -= 1

    async def all(self, accounts: str, answer: Answer = at_once) -> None:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for account in accounts:
                group.create_task(self.send(account, answer))


async def test_an_account_with_few_requests_does_not_wait_behind_one_with_many() -> None:
    traffic = Traffic(new(rate=500))

    await traffic.all("a" * 40 + "bbb" + "cc")

    assert "".join(traffic.left[:9]) == "aabcabcab"
    assert sorted(traffic.left) == sorted("a" * 40 + "bbb" + "cc")


async def test_the_requests_of_one_account_leave_in_their_order() -> None:
    traffic, left = Traffic(new(rate=500)), []

    async def one(number: int) -> None:
        async with traffic.queue.ticket("a", traffic.connections, fine):
            left.append(number)

    await asyncio.gather(*(one(number) for number in range(20)))

    assert left == list(range(20))


async def test_each_account_has_its_own_places_in_flight() -> None:
    traffic = Traffic(new(concurrency=3))

    await traffic.all("aaaaaaaaaabbbbbbbbbb", lambda: rounds(20))

    assert traffic.max_in_flight == 6


async def test_connections_are_bounded_over_all_accounts() -> None:
    traffic = Traffic(new(concurrency=3), connections=4)

    await traffic.all("aaabbbcccddd", lambda: rounds(20))

    assert traffic.max_in_flight == 4


async def test_an_account_that_gets_no_answer_delays_no_other() -> None:
    traffic = Traffic(new(concurrency=3))
    async with asyncio.TaskGroup() as group:
        stuck = [group.create_task(traffic.send("stuck", asyncio.Event().wait)) for _ in range(20)]

        await traffic.all("abcabc")

        assert traffic.in_flight == 3
        for task in stuck:
            task.cancel()


async def test_who_waits_for_its_time_holds_no_connection() -> None:
    waiting, other = new(rate=0.01), Traffic(new(), connections=1)
    async with waiting.ticket("a", other.connections, fine):
        pass

    async with asyncio.TaskGroup() as group:
        head = group.create_task(Traffic(waiting).send("a"))
        await rounds(5)
        await other.all("bb")
        head.cancel()

    assert other.left == ["b", "b"]


async def test_a_wait_for_a_connection_bunches_nothing() -> None:
    traffic = Traffic(new(rate=50), connections=1)

    async with traffic.connections:
        sending = asyncio.create_task(traffic.all("abc"))
        await asyncio.sleep(0.1)
    await sending

    assert [later - earlier >= 0.02 for earlier, later in itertools.pairwise(traffic.at)] == [
        True,
        True,
    ]


@pytest.mark.parametrize("ticks", range(8))
@pytest.mark.parametrize("cancelled", [{0}, {1}, {0, 1}, {0, 2, 4}, {1, 3, 5}, {0, 1, 2, 3, 4, 5}])
async def test_a_cancel_at_any_moment_loses_neither_turn_nor_place(
    cancelled: set[int], ticks: int
) -> None:
    traffic = Traffic(new(rate=1000, concurrency=2), connections=2)
    tasks = [asyncio.create_task(traffic.send(account, lambda: rounds(3))) for account in "aaabbb"]
    await rounds(ticks)
    for number in cancelled:
        tasks[number].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(traffic.left) >= 6 - len(cancelled)

    for account in "ab":  # both places can still be held at the same time
        await traffic.all(account * 2, asyncio.Barrier(2).wait)


async def test_an_error_loses_neither_turn_nor_place() -> None:
    traffic = Traffic(new(concurrency=1), connections=1)

    for _ in range(3):
        with pytest.raises(ValueError, match="broken"):
            async with traffic.queue.ticket("a", traffic.connections, fine):
                raise ValueError("broken")

    await traffic.all("aab")
    assert sorted(traffic.left) == ["a", "a", "b"]


async def test_who_may_not_leave_any_more_takes_no_time() -> None:
    def lost() -> None:
        raise ValueError("lost")

    limited = new(rate=0.001)

    for _ in range(5):
        with pytest.raises(ValueError, match="lost"):
            async with limited.ticket("a", asyncio.Semaphore(1), lost):
                pass

    assert limited.limiter.wait(time.monotonic()) == 0


def test_limits_hold_as_long_as_somebody_asks_within_them() -> None:
    where, slow, fast = scope(), crmlab.Limits(rate=1), crmlab.Limits(rate=10)

    async def rate() -> float | None:
        return rate_queue(where, fast).limiter.rate

    rates = []
    assert join(where, fast) == set()
    assert join(where, slow) == {fast}
    assert join(where, slow) == {fast}
    for left in (slow, slow, fast):
        rates.append(asyncio.run(rate()))
        leave(where, left)

    assert rates == pytest.approx([1, 1, 10], rel=0.03)


async def test_fetches_of_one_event_loop_wait_in_one_line() -> None:
    where, limits = scope(), crmlab.Limits(rate=5)

    first = rate_queue(where, limits)

    assert rate_queue(where, limits) is first
    assert rate_queue(scope(), limits) is not first
    assert rate_queue(where, crmlab.Limits(rate=6)).limiter is first.limiter


def test_event_loops_one_after_the_other_keep_to_one_limit() -> None:
    where, at = scope(), []

    async def several() -> None:
        traffic = Traffic(rate_queue(where, crmlab.Limits(rate=50)))
        await traffic.all("ab")
        at.extend(traffic.at)

    asyncio.run(several())
    asyncio.run(several())

    assert all(later - earlier >= 0.02 for earlier, later in itertools.pairwise(at))


@pytest.mark.slow
@pytest.mark.parametrize("rates", [(100, 100, 100), (100, 300, None)])
def test_event_loops_side_by_side_keep_to_the_strictest_limit(
    rates: tuple[float | None, ...],
) -> None:
    where, at = scope(), []
    given = [crmlab.Limits(rate=rate, burst=5) for rate in rates]
    for each in given:
        join(where, each)

    async def several(limits: crmlab.Limits) -> None:
        traffic = Traffic(rate_queue(where, limits))
        await traffic.all("ab" * 8)
        at.extend(traffic.at)

    threads = [threading.Thread(target=asyncio.run, args=(several(each),)) for each in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    at.sort()
    assert len(at) == 48
    assert min(later - earlier for earlier, later in zip(at, at[5:], strict=False)) >= 0.05
