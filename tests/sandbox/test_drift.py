"""The services as they may be instead: what differs, and what a fetch makes of it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from functools import cache

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crmlab
from crmlab.connector import Page, Request
from crmlab.errors import UsageError
from crmlab.fetching.resource_result import ResourceResult
from crmlab.sandbox import differences, services
from crmlab.sandbox.drift import DIFFERENCES, Difference, chosen
from crmlab.sandbox.world.generate import generate
from tests.fetching.in_memory import InMemory, fetched

WORLD = generate(70, seed=3)
_DAY = f"{WORLD.now:%Y-%m-%d}"
_YESTERDAY = f"{WORLD.now - dt.timedelta(days=1):%Y-%m-%d}"
#: what each service is asked for, to see whether anything differs; what an answer says of the clock is left out
_ASKED = {
    "altcraft": [
        Request(path="/databases/list", method="POST", body={"from_id": 1, "limit": 1000}),
        Request(path="/resources/list", method="POST", body={"from_id": 99, "limit": 1000}),
        Request(path="/profiles/list", method="POST", body={"db_id": 1, "from_id": "", "limit": 5}),
        *(
            Request(
                path="/subscribers/history_get_all",
                method="POST",
                body={
                    "list_id": 1,
                    "date_from": "2020-01-01",
                    "date_to": _DAY,
                    "from_id": pointer,
                    "limit": 1000,
                },
            )
            for pointer in ("", "4", "8")
        ),
    ],
    "commanders_act": [
        Request(path="/users"),
        Request(path="/sources", params={"include": "health"}),
        Request(
            path="/activity-logs",
            params={"filter[created][since]": "2020-01-01", "filter[created][until]": _DAY},
        ),
        Request(path="/integrations/503/delivery/trends"),
        Request(
            path="/privacy/statistics",
            params={"filter[begin_date]": _YESTERDAY, "filter[end_date]": _YESTERDAY},
        ),
    ],
    "complero": [
        Request(path="/events", params={"type": "update", "limit": "100"}),
        Request(path="/events", params={"type": "documentation"}),
        Request(path="/events", params={"to": f"{WORLD.now:%Y-%m-%dT%H:%M:%SZ}", "limit": "3"}),
    ],
    "onepagecrm": [
        Request(path="/contacts", params={"page": "1", "per_page": "100", "team": "true"}),
        Request(path="/contacts", params={"page": "1"}),
        Request(
            path="/deals",
            params={"page": "2", "per_page": "10", "since": "1700000000", "order": "asc"},
        ),
        Request(
            path="/contacts",
            params={"modified_since": f"{WORLD.now - dt.timedelta(days=200):%Y-%m-%d}"},
        ),
        Request(path="/notes", params={"page": "99"}),
        Request(path="/contacts", params={"fields": "deals(all)"}),
        Request(path="/contacts/cascade", params={"team": "true"}),
        Request(path="/contacts", params={"documented_nowhere": "1"}),
        Request(path="/contacts", params={"page": "7", "per_page": "10", "team": "true"}),
    ],
    "relenta": [
        Request(path="/contact.list.json", params={"page": "1", "page_size": "100"}),
        Request(path="/contact.list.json", params={"page": "99", "page_size": "100"}),
        Request(path="/custom_field.list.json"),
    ],
}
#: columns that are null, or hold another word, because the service gives nothing else
_SAID_OTHERWISE = {
    "event_shape": {"created_at"},  # the time of the event stands in another field
    "action_words": {"kind"},
    "no_documentation": {"modified_at"},  # of a contact, by its newest event
    "field_names": {"modified_at"},
}
#: what only a probe can tell, since each answer is one that is documented
_TOLD_BY_PROBES = {
    "only_mine",
    "since_by_creation",
    "local_times",
    "no_documentation",
    "addresses",
    "shared_ids",
    "statistics_day",
}


def test_differences_are_chosen_by_name_or_all_that_go_together() -> None:
    together = [each.name for each in chosen(True)]

    assert chosen("envelope, page_cap") == chosen(["page_cap", "envelope"])
    assert [each.name for each in chosen("bom")] == ["bom"]
    assert together == [name for name, what in differences().items() if not what.endswith("*")]
    assert len(together) > len(DIFFERENCES) / 2
    assert chosen(False) == ()


def test_a_difference_that_is_not_known_is_said_at_once() -> None:
    with pytest.raises(UsageError, match="unknown difference 'page_cup'; did you mean 'page_cap'"):
        crmlab.sandbox(drift="page_cup")


def answers(*wanted: Difference) -> list[tuple[int, dict[str, str], bytes]]:
    """What the services answer, each asked three times, and the pages of a chain."""

    async def ask() -> list[tuple[int, dict[str, str], bytes]]:
        found = []
        for name, requests in _ASKED.items():
            service = InMemory(name, WORLD, wanted)
            pages = [await service.answer(request) for request in 3 * requests]
            if name == "complero":
                pages += [
                    page
                    async for page in chain(
                        service, Request(path="/operations", params={"limit": "1"})
                    )
                ]
            found += [(page.status, dict(page.headers), page.body) for page in pages]
        return found

    return [(status, told(headers), body[100:]) for status, headers, body in asyncio.run(ask())]


async def chain(service: InMemory, request: Request) -> AsyncIterator[Page]:
    for _ in range(3):
        page = await service.answer(request)
        yield page
        request = request.with_params(cursor=page.header("next-cursor") or "")


def told(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if "next" in name}


@cache
def documented_answers() -> list[tuple[int, dict[str, str], bytes]]:
    return answers()


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda each: each.name)
def test_each_difference_makes_one(difference: Difference) -> None:
    assert answers(difference) != documented_answers()


async def test_a_drifting_sandbox_differs_and_is_read() -> None:
    async with crmlab.sandbox(WORLD, drift="envelope,bom", services=["onepagecrm"]) as accounts:
        data = await crmlab.fetch(accounts, "deals", "contacts")

    assert data.complete
    assert "the records stand in data.items" in data.summary["note"][0]
    assert data.contacts.height == len(WORLD.people_in("onepagecrm"))


@cache
def documented(name: str) -> dict[str, ResourceResult]:
    return fetched(InMemory(name, WORLD), now=WORLD.now)


def check_same_or_told(name: str, wanted: tuple[Difference, ...]) -> None:
    """Compare what comes with what came as documented: the same rows, or told; the same values, or null and told."""
    said_otherwise = {column for each in wanted for column in _SAID_OTHERWISE.get(each.name, ())}
    results = fetched(InMemory(name, WORLD, wanted), now=WORLD.now)
    for resource, plain in documented(name).items():
        result = results[resource]
        lacks_parents = not all(results[parent].complete for parent in result.task.parents)
        if not result.complete or lacks_parents:
            assert result.complete or result.failure or result.notes
            continue
        for table, rows in plain.frames.items():
            if "id" not in rows.columns:
                continue
            _check_rows(
                rows,
                result.frames[table],
                said_otherwise,
                is_told=bool(result.misfit_counts or result.notes),
            )


def _check_rows(
    rows: pl.DataFrame, found: pl.DataFrame, said_otherwise: set[str], *, is_told: bool
) -> None:
    flat = [
        name
        for name, dtype in rows.schema.items()
        if not dtype.is_nested() and name not in said_otherwise
    ]
    if not is_told:
        assert_frame_equal(found.select(flat), rows.select(flat), check_row_order=False)
        return
    # an appointment whose time cannot be read is not repeated: one row for each that was
    before, after = (_one_of_each(frame.select(flat)) for frame in (rows, found))
    assert after["id"].to_list() == before["id"].to_list()
    for column in flat:
        differs = after[column].ne_missing(before[column])
        assert after[column].filter(differs).is_null().all(), column


def _one_of_each(rows: pl.DataFrame) -> pl.DataFrame:
    ids = (
        rows.with_columns(pl.coalesce("series_id", "id").alias("id"))
        if "series_id" in rows.columns
        else rows
    )
    return ids.sort("id", *rows.columns).unique("id", keep="first", maintain_order=True)


@pytest.mark.parametrize("name", services.names())
def test_a_fetch_of_services_that_differ_in_all_ways_at_once_brings_the_same_or_says_what_it_lacks(
    name: str,
) -> None:
    check_same_or_told(
        name, tuple(each for each in chosen(True) if each.name not in _TOLD_BY_PROBES)
    )


@pytest.mark.fast
@pytest.mark.parametrize(
    ("name", "drift"),
    [
        ("relenta", "page_size_refused,refused_past_end"),
        ("complero", "moved_paths,exclusive_edges"),
        ("onepagecrm", "page_cap_untold,no_counts"),
        ("onepagecrm", "page_size_refused,count"),
        ("onepagecrm", "page_size_ignored,page_zero"),
        ("onepagecrm", "page_ignored"),
        ("onepagecrm", "rate_as_right,no_since"),
        ("onepagecrm", "times_with_offset,moved_paths"),
        ("relenta", "page_ignored"),
        ("relenta", "field_names"),
        ("complero", "page_cap,no_pointer"),
        ("complero", "page_cap,pointer_name"),
        ("complero", "page_cap,pointer_back"),
        ("complero", "page_cap,pointer_expires"),
        ("altcraft", "page_size_ignored,moved_paths"),
        ("commanders_act", "moved_paths,times_without_zone"),
    ],
)
def test_what_does_not_go_together_is_read_as_well_or_told(name: str, drift: str) -> None:
    wanted = chosen(drift)

    assert not _TOLD_BY_PROBES.intersection(each.name for each in wanted)
    check_same_or_told(name, wanted)
