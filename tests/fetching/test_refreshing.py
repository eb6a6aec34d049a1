"""A refresh asks each list of each account from where it was read before, and tells what it knows now."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

import crmlab
from crmlab.errors import UsageError
from crmlab.fetching import keys, plan_refresh, refreshed
from crmlab.fetching.key_sweep import keys_query
from crmlab.fetching.refreshing import ListRead, Refreshed, refreshing_query
from crmlab.sandbox.faults import Fault

NOW = dt.datetime.now(dt.UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def read(refresh: Refreshed) -> dict[str, ListRead]:
    """The lists of a refresh of one account, by the name of their resource."""
    return {each.resource: each for each in refresh.lists}


@pytest.mark.slow
async def test_each_list_is_asked_from_its_own_watermark() -> None:
    async with crmlab.sandbox(rows=300, services=["onepagecrm", "relenta"], now=NOW) as accounts:
        first = await refreshed(list(accounts), "contacts", "deals", "companies", watermarks={})
        marks = {
            ("onepagecrm", "onepagecrm", "contacts"): NOW - dt.timedelta(days=30),
            ("onepagecrm", "onepagecrm", "companies"): NOW,
            ("relenta", "relenta", "contacts"): NOW,
        }
        second = await refreshed(list(accounts), "contacts", "deals", "companies", watermarks=marks)

    everything = first.data.contacts.filter(provider="onepagecrm")
    since = NOW - dt.timedelta(days=30, minutes=10)
    assert read(second)["contacts"].provider == "relenta"
    lists = {each.name: each for each in second.lists}
    contacts = lists["onepagecrm", "onepagecrm", "contacts"]
    assert contacts.since == since
    found = second.data.contacts.filter(provider="onepagecrm")
    expected = everything.filter(pl.coalesce("modified_at", "created_at") >= since)
    assert 0 < found.height < everything.height
    assert set(found["id"]) == set(expected["id"])
    # without a watermark, and without a filter: whole
    for name in ("deals", "companies"):
        assert lists["onepagecrm", "onepagecrm", name].since is None
        assert second.data[name].height == first.data[name].height
    assert lists["relenta", "relenta", "contacts"].since is None
    relenta = first.data.contacts.filter(provider="relenta").height
    assert second.data.contacts.filter(provider="relenta").height == relenta
    assert second.whole == {
        ("onepagecrm", "onepagecrm", "companies"),
        ("onepagecrm", "onepagecrm", "deals"),
        ("relenta", "relenta", "contacts"),
    }
    assert second.data.asked.period("contacts").since == since
    assert not second.data.asked.period("companies").is_bounded


@pytest.mark.slow
async def test_the_watermark_is_by_the_clock_of_the_service() -> None:
    async with crmlab.sandbox(rows=100, days_ago=1, now=NOW) as accounts:
        refresh = await refreshed(list(accounts), watermarks={})

    then = NOW - dt.timedelta(days=1)
    for each in refresh.lists:
        assert each.complete, each
        if each.requests:
            assert each.began_at is not None
            assert abs(each.began_at - then) < dt.timedelta(minutes=2), each
        if each.filters_by_change:
            assert each.watermark is not None
            assert each.began_at is not None
            assert each.watermark <= each.began_at
        elif each.resource == "employees":  # they are asked for by the events that name them
            assert each.watermark == refresh.watermarks["complero", "complero", "events"]
        else:
            assert each.watermark is None
    assert {name[2] for name in refresh.watermarks} == {
        *("contacts", "deals", "actions", "notes", "calls", "meetings"),
        *("events", "employees", "operations", "history"),
        *("delivery_trends", "privacy_statistics", "segments_statistics", "activity_logs"),
    }


@pytest.mark.slow
async def test_keys_are_those_of_all_records_that_users_can_delete() -> None:
    async with crmlab.sandbox(
        rows=300, services=["onepagecrm", "relenta", "altcraft", "complero"], now=NOW
    ) as accounts:
        everything = await crmlab.fetch(list(accounts))
        fetched = sum(accounts.requests.values())
        accounts.requests.clear()
        found = await keys(list(accounts))
        needed = sum(accounts.requests.values())
        named = await keys(list(accounts), "contacts", "companies", "consent_events")

    assert needed < fetched / 3
    assert found.whole == {("onepagecrm", "onepagecrm", name) for name in found.frames}
    assert set(found.frames) == {"contacts", "deals", "deal_items", "activities"}
    for name, frame in found.frames.items():
        whole = everything[name].filter(provider="onepagecrm").select(frame.columns)
        assert frame.sort("id").equals(whole.sort("id")), name
    assert not found.failures
    assert all(each.watermark is None for each in found.lists)
    # named: those that come whole anyway as well, but nothing that expires
    assert set(named.frames) == {"contacts", "companies"}
    assert {provider for provider, _, table in named.whole if table == "contacts"} == {
        "onepagecrm",
        "relenta",
        "altcraft",
    }


async def test_keys_are_not_whole_where_a_list_is_not_complete() -> None:
    fault = Fault(kind="status", status=404, match="/calls", times=100)
    async with crmlab.sandbox(
        rows=300, services=["onepagecrm"], now=NOW, faults=[fault]
    ) as accounts:
        found = await keys(list(accounts))

    assert ("onepagecrm", "onepagecrm", "activities") not in found.whole
    assert ("onepagecrm", "onepagecrm", "contacts") in found.whole
    assert found.failures


def test_keys_of_a_services_own_records_are_refused() -> None:
    account = crmlab.Account("onepagecrm", user_id="u", api_key="k")
    with pytest.raises(UsageError, match=r"shared tables, not of onepagecrm\.deals"):
        keys_query(account, "onepagecrm.deals")


def test_overlaps_are_taken_off_and_what_is_kept_for_a_time_is_asked_from_there() -> None:
    account = crmlab.Account("commanders_act", site_id="1", token="t")
    mark = {("commanders_act", "commanders_act", "activity_logs"): NOW}

    query = refreshing_query(account, watermarks=mark)

    assert query.since_for(account, "activity_logs") == NOW - dt.timedelta(days=1)
    assert query.since_for(account, "delivery_trends") == query.now - dt.timedelta(days=30)
    assert query.since_for(account, "sources") is None


@pytest.mark.slow
async def test_a_plan_of_a_refresh_asks_what_the_refresh_does() -> None:
    async with crmlab.sandbox(rows=300, services=["onepagecrm"], now=NOW) as accounts:
        first = await refreshed(list(accounts), "deals", watermarks={})
        plan = await plan_refresh(list(accounts), "deals", watermarks=first.watermarks)
        accounts.requests.clear()
        second = await refreshed(list(accounts), "deals", watermarks=first.watermarks)

    planned = dict(plan.resources.select("resource", "requests").rows())
    assert planned["deals"] == read(second)["deals"].requests == 1
