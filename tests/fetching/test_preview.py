"""What a plan asks of one resource: first pages, and short lists that others need; without a server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import polars as pl
import pytest

from crmlab.connector import EmbeddedList, Page, Request, Resource, cursor, one_answer
from crmlab.decoding import RAW
from crmlab.errors import InternalError, NotFoundError
from crmlab.fetching.decode_queue import Backpressure
from crmlab.fetching.embedding import Embeddings
from crmlab.fetching.preview import MAX_REQUESTS, ResourcePreview, Unread
from tests.fetching.no_server import CONTEXT, Account, Service, answer, notes, task


def preview(
    service: Service,
    resource: Resource | None = None,
    *,
    account: Account | None = None,
    **wanted: Any,
) -> ResourcePreview:
    chosen = resource or notes()
    embeddings = Embeddings({chosen.name: chosen}, {chosen.name: CONTEXT})
    return ResourcePreview(
        task(chosen, **wanted), account or Account(service), Backpressure(), embeddings, CONTEXT
    )


def named(number: int) -> list[str]:
    return [f"n{each}" for each in range(number)]


async def test_the_first_page_tells_how_many_requests_and_records_there_are() -> None:
    service = Service(named(41))
    previewed = preview(service)

    await previewed.work()

    assert service.asked == ["1"]
    assert (previewed.result.requests.expected, previewed.result.expected_records) == (21, 41)
    assert not previewed.is_read


async def test_a_short_list_that_others_need_is_read_whole() -> None:
    service = Service(named(5))
    previewed = preview(service, needed=True)

    await previewed.work()

    assert sorted(service.asked) == ["1", "2", "3"]
    assert previewed.is_read
    assert sorted(previewed.result.frames[RAW]["id"]) == named(5)


async def test_a_long_list_that_others_need_is_not_read() -> None:
    service = Service(named(2 * MAX_REQUESTS + 1))
    previewed = preview(service, needed=True)

    await previewed.work()

    assert service.asked == ["1"]
    assert not previewed.is_read


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"total": None}, None),
        ({"total": None, "follow": one_answer}, 1),
        ({"destructive": True, "follow": one_answer}, 1),
        (
            {
                "requests": lambda context: [
                    Request(path=f"/notes/{n}") for n in range(MAX_REQUESTS + 1)
                ]
            },
            None,
        ),
    ],
    ids=["nobody counts it", "one answer", "changes by being read", "a long row of first requests"],
)
async def test_what_a_first_page_would_not_tell_or_would_change_is_not_asked(
    changes: dict[str, Any], expected: int | None
) -> None:
    service = Service(named(5))
    previewed = preview(service, notes(**changes))

    await previewed.work()

    assert service.asked == []
    assert previewed.result.requests.expected == expected
    assert previewed.result.requests.minimum == len(list(previewed.task.resource.requests(CONTEXT)))


async def test_a_cursor_tells_only_the_least() -> None:
    by_cursor = cursor(lambda page: "2", lambda request, token: request.with_params(page=token))
    previewed = preview(Service(named(5)), notes(follow=by_cursor))

    await previewed.work()

    assert (previewed.result.requests.expected, previewed.result.requests.minimum) == (None, 2)


async def test_what_depends_on_a_list_that_is_not_read_is_unknown_and_says_why() -> None:
    class Unknowing(Account):
        async def rows(
            self, names: Iterable[str], *, strict: bool = True
        ) -> dict[str, pl.DataFrame]:
            raise Unread("known when contacts is read")

    service = Service(named(5))
    previewed = preview(service, account=Unknowing(service))

    await previewed.work()

    assert service.asked == []
    assert previewed.result.requests.expected is None
    assert previewed.result.notes == ["known when contacts is read"]


async def test_what_always_comes_with_another_needs_no_request_and_is_read_when_it_came() -> None:
    class Patient(Account):
        async def finished(self, name: str) -> None:
            assert name == "bootstrap"
            page = answer(Request(path="/bootstrap"), ["a", "b"])
            previewed.receive(page, previewed._intake.cut(page))

    holder = notes(name="bootstrap", embeds=(EmbeddedList(resource="notes", path=("notes",)),))
    service = Service(named(5))
    embeddings = Embeddings(
        {"bootstrap": holder, "notes": notes()}, {"bootstrap": CONTEXT, "notes": CONTEXT}
    )
    previewed = ResourcePreview(
        task(notes(), needed=True), Patient(service), Backpressure(), embeddings, CONTEXT
    )

    await previewed.work()

    assert service.asked == []
    assert (previewed.result.strategy, previewed.result.requests.expected) == (
        "within bootstrap",
        0,
    )
    assert previewed.result.frames[RAW]["id"].to_list() == ["a", "b"]


async def test_an_error_is_raised_and_says_where() -> None:
    async def ask(request: Request) -> Page:
        raise NotFoundError(404)

    service: Any = Service([])
    service.ask = ask

    with pytest.raises(NotFoundError, match="onepagecrm account 'sales', notes: HTTP 404"):
        await preview(service).work()


async def test_a_fault_is_raised_as_one_of_crmlabs_own() -> None:
    def total(page: Page) -> int:
        raise json.JSONDecodeError("secret", "", 0)

    with pytest.raises(
        InternalError, match=r"notes: a fault of crmlab's own.*JSONDecodeError"
    ) as failed:
        await preview(Service(named(5)), notes(total=total)).work()

    assert "secret" not in str(failed.value)
