"""What a listener is told: time left, waits for the limit, reasons; by hand, and of real fetches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

import crmlab
from crmlab.connector.estimate import expected
from crmlab.errors import CrmlabError, NotFoundError
from crmlab.fetching.progress_reporter import MAX_INTERVAL, NOTICEABLE, ProgressReporter
from crmlab.fetching.resource_result import RequestCount, ResourceResult
from crmlab.fetching.resource_task import ResourceTask
from crmlab.http.client import Client
from crmlab.sandbox.faults import Fault


def deals(
    account: crmlab.Account, *, known: int, sent: int = 1, foreseen: bool = True
) -> ResourceResult:
    """The deals of an account that have asked so much, and know to need so much."""
    task = ResourceTask(
        account=account,
        resource=account.provider.resource("deals"),
        tables=frozenset({"deals"}),
        raw=False,
        needed=False,
    )
    requests = RequestCount(sent=sent, expected=known if foreseen else None, minimum=known, first=1)
    return ResourceResult(task=task, requests=requests, began_at=time.monotonic(), complete=True)


def looked_up(result: ResourceResult) -> ResourceResult:
    """The same, only read for others."""
    result.task = replace(result.task, tables=frozenset(), needed=True)
    return result


class Listener(list[crmlab.Progress]):
    """Keeps what it is told."""

    def __call__(self, news: crmlab.Progress) -> None:
        self.append(news)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(crmlab.Limits(rate=5, burst=1)) as client:
        yield client


def account(name: str, test: pytest.FixtureRequest) -> crmlab.Account:
    """An account whose host no other test has: limiters live as long as the process."""
    host = f"https://{abs(hash(test.node.nodeid))}.example/api"
    return crmlab.Account("onepagecrm", name=name, base_url=host, user_id="me", api_key="k")


async def test_time_left_is_that_of_everything_that_shares_the_limit(
    request: pytest.FixtureRequest, client: Client, listener: Listener
) -> None:
    north, south = account("north", request), account("south", request)
    reporter = ProgressReporter(client, listener)
    reporter.answered(north, 0.1)
    several = [deals(north, known=11), looked_up(deals(north, known=21)), deals(south, known=6)]

    for result in several:
        reporter.tell(result)

    told = listener[-1]
    rate = client.limiter(north).rate
    assert len(listener) == 2  # what was not asked for counts, but is not told
    assert told.left == pytest.approx(expected(35, crmlab.Limits(rate=rate), 0.1, accounts=2))
    assert told.exact
    assert told.wait == 0


async def test_what_is_over_leaves_no_time(
    request: pytest.FixtureRequest, client: Client, listener: Listener
) -> None:
    here = account("one", request)
    reporter = ProgressReporter(client, listener)
    one, other = deals(here, known=11), deals(here, known=31)
    reporter.tell(one)

    other.failure = CrmlabError("no")
    reporter.tell(other, over=True)
    reporter.tell(one, over=True)

    assert [(news.state, news.left) for news in listener[1:]] == [("failed", 0), ("complete", 0)]


async def test_until_its_first_answers_are_in_nobody_knows(
    request: pytest.FixtureRequest, client: Client, listener: Listener
) -> None:
    here = account("one", request)
    reporter = ProgressReporter(client, listener)
    known, unknown = deals(here, known=11), deals(here, known=1, sent=0, foreseen=False)
    reporter.expect([known, unknown])

    reporter.tell(unknown)
    reporter.tell(known)
    reporter.tell(unknown, over=True)

    assert [(news.left is None, news.exact) for news in listener] == [
        (True, False),
        (False, False),
        (False, True),
    ]


async def test_after_a_refusal_it_waits_and_the_rest_takes_longer(
    request: pytest.FixtureRequest, client: Client, listener: Listener
) -> None:
    here = account("one", request)
    reporter, limiter = ProgressReporter(client, listener), client.limiter(here)
    before = expected(10, crmlab.Limits(rate=limiter.rate), 0)

    limiter.refused(limiter.take(time.monotonic()), time.monotonic(), 60)
    reporter.tell(deals(here, known=11))

    told = listener[-1]
    assert told.state == "waiting"
    assert 59 < told.wait <= 60
    assert told.left is not None
    assert told.left == pytest.approx(60 + 2 * before, abs=1)


async def test_the_usual_pace_of_a_limit_is_no_wait(
    request: pytest.FixtureRequest, client: Client, listener: Listener
) -> None:
    here = account("one", request)
    limiter = client.limiter(here)
    limiter.take(time.monotonic()).left_at = time.monotonic()

    ProgressReporter(client, listener).tell(deals(here, known=11))

    assert 0 < limiter.wait(time.monotonic()) < NOTICEABLE
    assert listener[-1].state == "running"


async def test_a_resource_that_runs_is_told_of_now_and_then_and_its_end_always(
    request: pytest.FixtureRequest, client: Client, listener: Listener
) -> None:
    result = deals(account("one", request), known=11)
    result.complete = False
    reporter = ProgressReporter(client, listener)

    for _ in range(5):
        reporter.tell(result)
    reporter.tell(result, over=True)
    reporter.tell(result)  # records that come late, with the answers of another

    assert [news.state for news in listener] == ["running", "incomplete"]


@pytest.mark.slow
async def test_it_is_told_of_while_nothing_comes(
    request: pytest.FixtureRequest, client: Client, listener: Listener
) -> None:
    result = deals(account("one", request), known=11)
    async with ProgressReporter(client, listener) as reporter:
        reporter.tell(result)
        await asyncio.sleep(2 * MAX_INTERVAL)

    assert listener[1].seconds > listener[0].seconds


@pytest.mark.slow
async def test_an_error_of_the_listener_while_nothing_comes_is_that_error(
    request: pytest.FixtureRequest, client: Client
) -> None:
    told: list[crmlab.Progress] = []

    def listen(news: crmlab.Progress) -> None:
        told.append(news)
        if len(told) > 1:
            raise ZeroDivisionError("in the listener")

    async def fetch() -> None:
        async with ProgressReporter(client, listen) as reporter:
            reporter.tell(deals(account("one", request), known=11))
            await asyncio.sleep(2 * MAX_INTERVAL)

    with pytest.raises(ZeroDivisionError, match="in the listener"):
        await fetch()


# ---- of real fetches ------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_fetch_that_is_refused_says_that_it_waits(listener: Listener) -> None:
    fault = Fault(kind="status", status=429, retry_after="2", match="/contacts", skip=1)
    async with crmlab.sandbox(
        rows=400, services=["relenta"], rate_limits=True, faults=[fault]
    ) as accounts:
        data = await crmlab.fetch(accounts, "contacts", progress=listener)

    waits = [news for news in listener if news.state == "waiting"]
    assert data.complete
    assert waits
    assert all(NOTICEABLE < news.wait <= 1 for news in waits)
    assert listener[-1].state == "complete"
    assert (listener[-1].left, listener[-1].wait) == (0, 0)


@pytest.mark.slow
async def test_a_fetch_says_how_long_it_takes_at_its_limit(listener: Listener) -> None:
    limits = crmlab.Limits(rate=20, concurrency=4)
    async with crmlab.sandbox(rows=400, services=["onepagecrm"]) as accounts:
        await crmlab.fetch(accounts, "onepagecrm.actions", limits=limits, progress=listener)

    left = [news.left for news in listener if news.left is not None]
    known = next(news for news in listener if news.left is not None)
    assert known.exact
    assert known.left is not None
    assert (
        (known.known_requests - known.requests - 1) / 20
        <= known.left
        < (known.known_requests + 4) / 20 + 1
    )
    assert left == sorted(left, reverse=True)
    assert all(news.tables == ("onepagecrm.actions",) for news in listener)


async def test_the_reason_of_a_failure_is_told_without_where(listener: Listener) -> None:
    fault = Fault(kind="status", status=404, match="/users", times=99)
    async with crmlab.sandbox(rows=20, services=["onepagecrm"], faults=[fault]) as accounts:
        with pytest.raises(NotFoundError) as failed:
            await crmlab.fetch(accounts, "users", limits=crmlab.Limits(), progress=listener)

    assert listener[-1].state == "failed"
    assert listener[-1].failure.startswith("HTTP 404")
    assert str(failed.value) == f"onepagecrm account 'onepagecrm', users: {listener[-1].failure}"
