"""The arithmetic of a plan, and how it is shown."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import crmlab
from crmlab.connector.estimate import MAX_RECORDS, bound, embedding, expected, pages
from crmlab.connector.limits import Limits
from crmlab.connector.page import Page
from crmlab.connector.request import Request
from crmlab.display.wording import duration
from crmlab.fetching.plan import RESOURCES, SCOPES, Plan
from crmlab.fetching.query import as_query
from crmlab.http.limiter import Limiter

CRM = Limits(rate=5, burst=10, concurrency=10)
SIZES = (100, 50, 25)
COUNTS = st.integers(0, 20_000)


def plan(*scopes: dict[str, Any]) -> Plan:
    account = crmlab.Account("onepagecrm", name="sales <b>", user_id="me", api_key="my-secret-key")
    page = Page(
        request=Request(path="/contacts"),
        status=200,
        headers={},
        body=b'{"email": "ada@example.com"}',
    )
    resource = {
        "account": account.name,
        "provider": "onepagecrm",
        "resource": "contacts",
        "requests": 25,
    }
    return Plan(
        resources=pl.DataFrame([resource | {"note": "a & b"}], schema=RESOURCES),
        scopes=pl.DataFrame(scopes, schema=SCOPES),
        query=as_query(account, ["contacts"], since=None, until=None),
        pages={account.label: {"key": page}},
    )


def scope(requests: int, *, exact: bool, seconds: float, bound: float) -> dict[str, Any]:
    return {
        "scope": "OnePageCRM",
        "requests": requests,
        "exact": exact,
        "seconds": seconds,
        "bound": bound,
    }


# ---- seconds ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requests", "seconds"),
    [(0, 0.0), (1, 0.5), (10, 0.5), (11, 0.7), (15, 1.5), (110, 20.5), (3010, 600.5)],
)
def test_a_burst_leaves_at_once_and_the_rest_at_the_rate(requests: int, seconds: float) -> None:
    assert bound(requests, CRM, 0.5) == pytest.approx(seconds)


def test_without_a_rate_the_last_answer_is_the_bound() -> None:
    assert bound(1000, Limits(), 0.3) == 0.3


def test_slow_answers_take_longer_than_the_limit() -> None:
    assert expected(100, Limits(rate=100, burst=100, concurrency=10), 2.0) == pytest.approx(20)
    assert expected(
        100, Limits(rate=100, burst=100, concurrency=10), 2.0, accounts=4
    ) == pytest.approx(5)
    assert expected(100, CRM, 0.1) == bound(100, CRM, 0.1) == pytest.approx(18.1)


LIMITS = st.builds(
    Limits, rate=st.floats(0.1, 100), burst=st.integers(1, 100), concurrency=st.integers(1, 50)
)


@given(st.integers(1, 300), LIMITS)
def test_requests_are_expected_when_the_limiter_lets_them_leave(
    requests: int, limits: Limits
) -> None:
    limiter, now = Limiter(limits), 0.0
    for _ in range(requests):
        while wait := limiter.wait(now):
            now += wait
        limiter.take(now).left_at = now

    assert expected(requests, limits, 0.0) == pytest.approx(now)


@given(COUNTS, LIMITS, st.floats(0, 5), st.integers(1, 20))
def test_nothing_is_expected_below_its_bound_and_more_requests_never_take_less(
    requests: int, limits: Limits, latency: float, accounts: int
) -> None:
    assert bound(requests, limits, latency) <= expected(
        requests, limits, latency, accounts=accounts
    )
    assert bound(requests, limits, latency) <= bound(requests + 1, limits, latency)
    assert expected(requests, limits, latency) <= expected(requests + 1, limits, latency)
    assert expected(requests, limits, latency, accounts=accounts) <= expected(
        requests, limits, latency
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (185, "3 min 5 s"),
        (3599.6, "1 h 0 min"),
        (7800, "2 h 10 min"),
        (360_000, "100 h 0 min"),
    ],
)
def test_a_duration_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


# ---- pages --------------------------------------------------------------------------------------


@given(COUNTS, st.integers(1, 1000))
def test_pages_hold_all_records_and_none_is_empty_but_the_only_one(records: int, size: int) -> None:
    number = pages(records, size)

    assert number * size >= records
    assert number == 1 or (number - 1) * size < records


@pytest.mark.parametrize(
    ("total", "held", "size"),
    [
        (500, {"notes": 400}, 100),
        (500, {"notes": 101}, 100),
        (
            500,
            {"notes": 9_500},
            100,
        ),  # 20 records with each contact: 100 of them are just not too many
        (500, {"notes": 9_501}, 50),
        (500, {"deals": 9_500, "notes": 10_000}, 50),
        (500, {"deals": 9_500, "notes": 10_001}, 25),
        (500, {"notes": 39_500}, 25),
        (500, {"notes": 39_501}, None),  # no page is small enough
        (500, {"notes": 100}, None),  # its only page is already there
        (500, {"notes": 0}, None),
        (500, {}, None),
        (0, {"notes": 300}, None),
        (1, {"notes": 1999}, None),
    ],
)
def test_the_largest_pages_that_hold_not_too_much(
    total: int, held: dict[str, int], size: int | None
) -> None:
    assert embedding(total, held, SIZES) == size


def test_smaller_pages_that_cost_what_they_save_are_not_asked() -> None:
    assert embedding(1000, {"notes": 90_000}, (3000, 20)) is None  # 50 pages for 1, to save 29
    assert embedding(1000, {"notes": 90_000}, (1000, 20)) == 20  # 50 for 1, to save 89


@given(COUNTS, st.dictionaries(st.sampled_from(["deals", "notes", "calls"]), COUNTS))
def test_what_comes_inside_always_saves_and_never_crowds(total: int, held: dict[str, int]) -> None:
    size = embedding(total, held, SIZES)

    if size is not None:
        apart = pages(total, 100) + sum(pages(records, 100) for records in held.values())
        assert pages(total, size) + len(held) < apart
        assert size * (1 + sum(held.values()) / max(1, total)) <= MAX_RECORDS


# ---- how it is shown ----------------------------------------------------------------------------


def test_scopes_are_waited_for_side_by_side() -> None:
    several = plan(
        scope(1200, exact=True, seconds=238.5, bound=238.0),
        scope(300, exact=True, seconds=60.0, bound=9.0),
    )

    assert (several.requests, several.seconds, several.bound, several.exact) == (
        1500,
        238.5,
        238.0,
        True,
    )
    assert str(several) == (
        "1,500 requests, 3 min 58 s; within the limits no client could do it in less than 3 min 58 s"
    )
    assert repr(several) == f"<Plan: {several}>"


def test_what_is_not_told_is_at_least_that() -> None:
    one = plan(
        scope(7, exact=False, seconds=0.2, bound=0.2), scope(1, exact=True, seconds=0.1, bound=0.1)
    )

    assert not one.exact
    assert str(one).startswith("at least 8 requests, at least 0.2 s; ")


def test_nothing_to_ask_is_a_plan() -> None:
    nothing = plan()

    assert (nothing.requests, nothing.seconds, nothing.bound, nothing.exact) == (0, 0.0, 0.0, True)


def test_neither_the_first_pages_nor_the_keys_are_shown() -> None:
    one = plan(scope(25, exact=True, seconds=3.2, bound=3.2))

    for shown in (
        repr(one),
        str(one),
        *one._repr_mimebundle_().values(),
        repr(one.query),
        f"{one.query.accounts}",
    ):
        assert "ada@example.com" not in shown
        assert "my-secret-key" not in shown


def test_as_html_it_is_both_tables_and_names_are_text() -> None:
    one = plan(scope(1234, exact=False, seconds=3.2, bound=3.2))
    html = one._repr_html_()

    assert html.count("<table>") == 2
    assert "sales &lt;b&gt;" in html
    assert "a &amp; b" in html
    assert "1,234" in html
    assert ">at least<" in html
    assert one._repr_mimebundle_()["text/plain"].startswith(
        f"Plan: {one}. Nothing but first pages was asked yet."
    )


def test_a_query_keeps_the_moment_it_was_asked() -> None:
    one = plan()

    assert dt.datetime.now(dt.UTC) - one.query.now < dt.timedelta(minutes=5)
    assert one.query.tables == {"contacts"}
