"""A refresh loses nothing where a service or a clock does not do what is documented, or says what it cannot know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import crmlab
from crmlab.fetching import Refreshed, keys, refreshed
from crmlab.fetching.query import ListName
from crmlab.fetching.refreshing import list_read, refreshing_query
from crmlab.fetching.resource_result import ResourceResult
from crmlab.fetching.resource_task import resource_tasks
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.service import Records
from crmlab.sandbox.world import World, earlier, generate

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
TABLES = ("contacts", "deals", "activities", "consent_events")
SERVICES = ("onepagecrm", "complero")
CONTACTS = ("onepagecrm", "onepagecrm", "contacts")


@cache
def today() -> World:
    return generate(200, seed=4, now=NOW)


async def read(
    world: World, watermarks: Mapping[ListName, dt.datetime], *tables: str, **how: Any
) -> tuple[Refreshed, int]:
    """What a refresh of these services brings, and in how many requests."""
    how = {"services": SERVICES} | how
    async with crmlab.sandbox(world, **how) as accounts:
        refresh = await refreshed(list(accounts), *(tables or TABLES), watermarks=watermarks)
        return refresh, accounts.requests.total()


_NOW: list[Refreshed] = []


async def check_nothing_is_lost(first: Refreshed, second: Refreshed) -> None:
    """Check that two refreshes brought all there is, as it is."""
    if not _NOW:
        _NOW.append((await read(today(), {}))[0])
    [now] = _NOW
    for name in TABLES:
        held = pl.concat([first.data[name], second.data[name]]).unique(
            ["provider", "id"], keep="last"
        )
        there = held.join(now.data[name], on=["provider", "id"], how="semi").sort("provider", "id")
        assert there.equals(now.data[name].sort("provider", "id")), name


# ---- filters ----------------------------------------------------------------------------------------


async def test_a_service_that_ignores_times_costs_more_and_is_told_and_its_rows_are_right() -> None:
    first, full = await read(earlier(today(), 1), {})
    usual, few = await read(today(), first.watermarks)

    second, many = await read(today(), first.watermarks, drift="no_since")

    assert few < many <= full + 6
    await check_nothing_is_lost(first, second)
    for name in ("contacts", "deals"):
        assert second.data[name].sort("id").equals(usual.data[name].sort("id"))
    notes = dict(second.data.summary.select("resource", "note").rows())
    assert "before modified_since came as well" in notes["contacts"]
    assert "before modified_since came as well" in notes["deals"]
    assert "records of other times came" in notes["events"]
    assert all("modified_since" not in note for note in usual.data.summary["note"])


@pytest.mark.fast
async def test_what_a_filter_of_another_time_does_not_bring_shows_in_a_sweep_of_keys() -> None:
    only = {"services": ["onepagecrm"]}
    first, _ = await read(earlier(today(), 1), {}, "contacts", **only)
    async with crmlab.sandbox(
        today(), services=["onepagecrm"], drift="since_by_creation"
    ) as accounts:
        second = await refreshed(list(accounts), "contacts", watermarks=first.watermarks)
        swept = await keys(list(accounts), "contacts")
        probed = await crmlab.probe(list(accounts))

    held = pl.concat([first.data.contacts, second.data.contacts]).unique("id", keep="last")
    there = swept.frames["contacts"]
    changed = there.join(held, on="id", suffix="_held").filter(
        pl.col("modified_at") != pl.col("modified_at_held")
    )
    assert second.data.complete  # nothing in the answers tells it
    assert changed.height > 0
    [edges] = probed.frame().filter(probe="edges").iter_rows(named=True)
    assert edges["verdict"] == "refuted"
    assert "may choose by another time" in edges["found"]


async def test_what_changed_in_the_very_second_of_the_watermark_comes_again() -> None:
    at = NOW - dt.timedelta(hours=5)
    world = replace(today(), people=[replace(each, modified_at=at) for each in today().people])
    marks = {CONTACTS: at}

    for drift in ((), "exclusive_edges"):
        async with crmlab.sandbox(world, services=["onepagecrm"], drift=drift) as accounts:
            found = await refreshed(list(accounts), "contacts", watermarks=marks)
            everything = await keys(list(accounts), "contacts")
        assert set(found.data.contacts["id"]) == set(everything.frames["contacts"]["id"])
        assert found.watermarks[CONTACTS] == at


# ---- clocks -----------------------------------------------------------------------------------------


# an event of the sandbox arrives up to 20 hours late: with a clock that is 4 hours ahead that makes the overlap's day
@pytest.mark.parametrize("hours", [-30, -0.1, 0.1, 3, 4])
async def test_no_change_is_lost_by_a_clock_that_is_wrong(hours: float) -> None:
    then = earlier(today(), 1)
    wrong = replace(then, clock=lambda: then.now + dt.timedelta(hours=hours))

    first, _ = await read(wrong, {})
    second, _ = await read(today(), first.watermarks)

    # what tells when its records changed is asked from there; of others the overlap is a day
    await check_nothing_is_lost(first, second)


@pytest.mark.parametrize("hours", [-50, -3, 50])
async def test_no_change_is_lost_by_a_clock_of_ones_own_that_is_wrong(
    hours: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = earlier(today(), 1)
    own = then.now + dt.timedelta(hours=hours)
    monkeypatch.setattr("crmlab.fetching.query.clock", lambda: own)

    first, _ = await read(then, {})
    second, _ = await read(today(), first.watermarks)

    assert all(mark <= own for mark in first.watermarks.values())
    await check_nothing_is_lost(first, second)


async def test_a_watermark_of_the_future_tells_nothing() -> None:
    later = dict.fromkeys(
        [("onepagecrm", "onepagecrm", "deals"), CONTACTS], NOW + dt.timedelta(days=400)
    )

    found, _ = await read(today(), later, "contacts", "deals", services=["onepagecrm"])

    assert all(each.since is None for each in found.lists)
    assert all(mark <= NOW + dt.timedelta(hours=1) for mark in found.watermarks.values())
    assert ("onepagecrm", "onepagecrm", "deals") in found.whole


_TIMES = st.integers(0, 50_000).map(
    lambda hours: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hours)
)


@given(
    resource=st.sampled_from(["contacts", "companies"]),
    now=_TIMES,
    began_at=st.none() | _TIMES,
    newest_at=st.none() | _TIMES,
    before=st.none() | _TIMES,
    complete=st.booleans(),
)
def test_a_watermark_follows_the_slowest_clock_and_never_goes_back(
    resource: str,
    now: dt.datetime,
    began_at: dt.datetime | None,
    newest_at: dt.datetime | None,
    before: dt.datetime | None,
    *,
    complete: bool,
) -> None:
    account = crmlab.Account("onepagecrm", user_id="u", api_key="k")
    query = replace(refreshing_query(account, "contacts", "companies", watermarks={}), now=now)
    task = resource_tasks(account, query)[resource]
    result = ResourceResult(
        task=task, told_began_at=began_at, newest_at=newest_at, complete=complete
    )
    marks = {("onepagecrm", "onepagecrm", resource): before} if before else {}

    mark = list_read(query, result, marks).watermark

    if resource == "companies":
        assert mark is None
    elif not complete:
        assert mark == before
    else:
        assert mark is not None
        if before and before > now + dt.timedelta(days=1):
            before = None
        clocks = [now, *(time for time in (began_at, newest_at) if time)]
        assert mark <= max(min(clocks), before or min(clocks))
        assert before is None or mark >= before
        if began_at is None and newest_at is None and before is None:
            assert mark == now - dt.timedelta(days=1)


# ---- while it is read -------------------------------------------------------------------------------


async def test_what_changes_while_a_list_is_read_comes_then_or_with_the_next_refresh() -> None:
    changed: list[str] = []

    def edit(lists: Mapping[str, Records]) -> None:
        contacts = lists["contacts"]
        for person in contacts.items[::40]:
            changed.append(person.id)
            contacts.replace(
                person, replace(person, last_name="Changed", modified_at=dt.datetime.now(dt.UTC))
            )

    fault = Fault(kind="change", match="/contacts", skip=1, change=edit)
    async with crmlab.sandbox(today(), services=["onepagecrm"], faults=[fault]) as accounts:
        first = await refreshed(list(accounts), "contacts", watermarks={})
        second = await refreshed(list(accounts), "contacts", watermarks=first.watermarks)

    assert changed
    held = pl.concat([first.data.contacts, second.data.contacts]).unique("id", keep="last")
    named = dict(held.select("id", "last_name").rows())
    assert {named[id] for id in changed} == {"Changed"}


async def test_a_list_that_is_not_complete_moves_no_watermark() -> None:
    first, _ = await read(earlier(today(), 1), {}, services=["onepagecrm"])
    faults = [
        Fault(kind="status", status=404, match=path, times=99) for path in ("/calls", "/deals")
    ]

    second, _ = await read(today(), first.watermarks, services=["onepagecrm"], faults=faults)

    lists = {each.resource: each for each in second.lists}
    for name in ("calls", "deals"):
        assert not lists[name].complete
        assert lists[name].watermark == first.watermarks["onepagecrm", "onepagecrm", name]
    assert lists["contacts"].complete
    assert len(second.data.failures) == 2


async def test_nothing_is_raised_where_nothing_came() -> None:
    faults = [Fault(kind="status", status=401, times=99)]

    refresh, _ = await read(today(), {}, "contacts", services=["onepagecrm"], faults=faults)

    assert refresh.data.contacts.is_empty()
    assert len(refresh.data.failures) == 1
    assert not refresh.watermarks
    assert not refresh.whole
