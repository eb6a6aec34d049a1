"""A refresh after a day asks each list and slice once, and hardly more."""

from __future__ import annotations

import datetime as dt
from functools import cache

import polars as pl
import pytest

import crmlab
from crmlab.fetching import Refreshed, keys, plan_refresh, refreshed
from crmlab.sandbox.world import World, earlier, generate

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
#: requests that a refresh begins with, of the lists that filter by change: one for each list, kind of event, database,
#: destination and segment, and for each day of consent statistics (the last two at most, and today)
SLICES = {"onepagecrm": 6, "complero": 4, "altcraft": 2, "commanders_act": 4 + 3 + 3 + 1}


@cache
def today() -> World:
    """The world of now."""
    return generate(800, seed=1, now=NOW)


_KNOWN: dict[str, tuple[Refreshed, int, Refreshed, int]] = {}


async def refreshes(service: str) -> tuple[Refreshed, int, Refreshed, int]:
    """What a first refresh brings yesterday and a second one today, with the requests that the service received."""
    if service not in _KNOWN:
        _KNOWN[service] = await _refreshes(service)
    return _KNOWN[service]


async def _refreshes(service: str) -> tuple[Refreshed, int, Refreshed, int]:
    async with crmlab.sandbox(earlier(today(), 1), services=[service]) as accounts:
        first = await refreshed(accounts, watermarks={})
        full = accounts.requests.total()
    async with crmlab.sandbox(today(), services=[service]) as accounts:
        second = await refreshed(accounts, watermarks=first.watermarks)
        return first, full, second, accounts.requests.total()


@pytest.mark.parametrize("service", SLICES)
async def test_lists_that_filter_take_one_request_each_and_three_in_a_hundred(service: str) -> None:
    first, full, second, received = await refreshes(service)

    of_all = sum(each.requests for each in first.lists if each.filters_by_change)
    of_changes = sum(each.requests for each in second.lists if each.filters_by_change)
    assert of_changes <= SLICES[service] + 0.03 * of_all
    # what the lists say is what the service received
    assert sum(each.requests for each in first.lists) == full
    assert sum(each.requests for each in second.lists) == received
    assert all(each.complete for each in (*first.lists, *second.lists))


async def test_a_list_without_a_filter_costs_as_much_as_ever() -> None:
    first, full, second, received = await refreshes("relenta")

    assert received == full
    assert not first.watermarks
    assert (
        second.whole
        == first.whole
        == {("relenta", "relenta", name) for name in ("contacts", "activities", "fields")}
    )


@pytest.mark.parametrize("service", [*SLICES, "relenta"])
async def test_what_two_refreshes_bring_is_all_there_is(service: str) -> None:
    first, _, second, _ = await refreshes(service)
    async with crmlab.sandbox(today(), services=[service]) as accounts:
        now = await refreshed(accounts, watermarks={})
        swept = await keys(accounts)

    deleted = earlier(today(), 1).deleted
    for name, frame in now.data.items():
        held = pl.concat([first.data[name], second.data[name]]).unique("id", keep="last")
        gone = set(held["id"]) - set(frame["id"])
        assert set(frame["id"]) <= set(held["id"]), name
        # and as they are now
        rows = pl.lit(value=True)
        if name == "deliveries":  # kept for a week, of the first day of which a part is gone
            rows = pl.col("at") > NOW - dt.timedelta(days=6)
        same = held.filter(rows, ~pl.col("id").is_in(gone)).sort("id")
        assert same.equals(frame.filter(rows).sort("id")), name
        if name in swept.frames:
            assert (service, service, name) in swept.whole
            assert set(swept.frames[name]["id"]) == set(frame["id"])
            assert gone <= deleted
    if service == "onepagecrm":
        assert set(first.data.contacts["id"]) - set(swept.frames["contacts"]["id"])


async def test_the_plan_of_a_refresh_names_what_comes_whole() -> None:
    async with crmlab.sandbox(today(), services=["onepagecrm"]) as accounts:
        marks = {("onepagecrm", "onepagecrm", "contacts"): NOW - dt.timedelta(days=1)}
        plan = await plan_refresh(accounts, "contacts", "companies", watermarks=marks)

    rows = {row["resource"]: row for row in plan.resources.iter_rows(named=True)}
    assert rows["companies"]["note"] == "whole each time"
    assert rows["companies"]["requests"] == 1
    assert rows["contacts"]["note"] == ""
    assert rows["contacts"]["requests"] == 1
