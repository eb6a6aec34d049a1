"""What the spoiled answers found silent once, each by itself."""

from __future__ import annotations

import polars as pl
import pytest

import crmlab
from tests.torture import faulty
from tests.torture.fault_table import FAULTS
from tests.torture.proxy import Proxy, Strike

SOON = crmlab.Timeouts(first_wait=0.005)
BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.mark.parametrize(
    ("service", "fault", "path", "told"),
    [
        ("complero", "204", "/complero/v1/operations", {"operations": "HTTP 204 without content"}),
        (
            "commanders_act",
            "204",
            "/commanders_act/v2/7/destinations",
            {"destinations": "HTTP 204", "delivery_trends": "destinations, which is not complete"},
        ),
        (
            "altcraft",
            "a cursor that repeats",
            "/altcraft/api/v1.1/subscriptions/list_all",
            {"subscriptions": "a cursor leads back"},
        ),
        (
            "complero",
            '200 {"id": "req-1", "message": "later"}',
            "/complero/v1/operations",
            {"operations": "an object of id, message where a list of operations is documented"},
        ),
    ],
)
async def test_what_is_missing_is_told_of_each_list_that_it_is_missing_from(
    service: str, fault: str, path: str, told: dict[str, str]
) -> None:
    strike = Strike(
        fault=BY_NAME[fault], skip=0, times=10 if fault.startswith("200") else 1, path=path
    )
    async with (
        crmlab.sandbox(rows=250, seed=3, services=[service]) as accounts,
        Proxy(accounts.url, [strike]) as proxy,
    ):
        base_url = accounts[0].base_url.replace(accounts.url, proxy.url)
        account = crmlab.Account(service, base_url=base_url, facts={}, **accounts.keys[service])
        data = await crmlab.fetch(
            account, limits=crmlab.Limits(concurrency=10), timeouts=SOON, progress=False
        )

    marked = data.summary.filter(~pl.col("complete"))
    notes = dict(marked.group_by("resource").agg(pl.col("note").first()).iter_rows())
    assert notes.keys() == told.keys()
    for resource, words in told.items():
        assert words in notes[resource]


async def test_an_answer_that_shows_an_empty_list_is_told() -> None:
    path = "/altcraft/api/v1.1/campaigns/list"
    fault = BY_NAME['200 {"error": 0, "error_text": "Successful operation"}']
    async with faulty.opened(3, rows=60) as bench:
        done = await faulty.run(
            bench, "", "altcraft", [Strike(fault=fault, skip=0, times=1, path=path)]
        )

    assert (done.outcome, done.words) == (
        "told",
        "1 answer without a list, which is taken for an empty one",
    )
