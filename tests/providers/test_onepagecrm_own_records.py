"""Lists of OnePageCRM that fill no shared table, read from the sandbox."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import polars as pl

import crmlab
from crmlab.connector import Context, Request
from crmlab.providers import registry
from crmlab.providers.onepagecrm import pages
from crmlab.sandbox.world.generate import generate
from tests.providers.test_onepagecrm import NOW, answer

WORLD = generate(80, seed=4)
PEOPLE = WORLD.people_in("onepagecrm")
PROVIDER = registry()["onepagecrm"]
OWN = [resource.name for resource in PROVIDER.resources if not resource.tables]
UNLIMITED = crmlab.Limits(concurrency=10)


def crm() -> Any:
    return crmlab.sandbox(WORLD, services=["onepagecrm"])


async def test_every_list_comes_whole_and_in_documented_types() -> None:
    names = [f"onepagecrm.{name}" for name in OWN]

    async with crm() as accounts:
        data = await crmlab.fetch(accounts, *names, limits=UNLIMITED)

    heights = dict(zip(data.summary["resource"], data.summary["rows"], strict=True))
    assert [name for name in OWN if not heights[name]] == []
    assert data.summary["complete"].all()
    assert data.misfits.is_empty()
    assert "nobody documented" not in str(data.summary["note"].to_list())
    assert "never-to-be-stored" not in str([frame.to_dicts() for frame in data.values()])


async def test_a_fetch_of_the_shared_tables_asks_for_none_of_them() -> None:
    async with crm() as accounts:
        data = await crmlab.fetch(accounts, limits=UNLIMITED)

    assert set(data.summary["resource"]).isdisjoint(OWN)


async def test_a_relationship_is_there_once_for_each_of_its_contacts() -> None:
    async with crm() as accounts:
        data = await crmlab.fetch(accounts, "onepagecrm.relationships", limits=UNLIMITED)

    found = data["onepagecrm.relationships"]
    ends = found.explode("related_contacts").unnest("related_contacts")
    assert set(found["id"].value_counts()["count"]) == {2}
    assert (
        ends.group_by("id")
        .agg(pl.col("contact_id").is_in(pl.col("_contact_id").implode()).all())["contact_id"]
        .all()
    )


async def test_relationships_of_a_period_are_those_of_every_contact() -> None:
    """A relationship is no change of its contacts, so those changed in the period are not enough."""
    since = sorted(person.created_at for person in PEOPLE)[len(PEOPLE) // 2]

    async with crm() as accounts:
        everything = await crmlab.fetch(accounts, "onepagecrm.relationships", limits=UNLIMITED)
        recent = await crmlab.fetch(
            accounts, "onepagecrm.relationships", since=since, limits=UNLIMITED
        )

    changed = pl.col("modified_at").str.to_datetime(time_zone="UTC") >= since
    wanted = everything["onepagecrm.relationships"].filter(changed)
    assert 0 < wanted.height < everything["onepagecrm.relationships"].height
    assert recent["onepagecrm.relationships"].height == wanted.height


async def test_a_filter_brings_the_contacts_of_the_whole_team() -> None:
    async with crm() as accounts:
        data = await crmlab.fetch(
            accounts, "onepagecrm.filters", "onepagecrm.filtered_contacts", limits=UNLIMITED
        )

    names = dict(data["onepagecrm.filters"].select("id", "name").iter_rows())
    found = Counter(names[id] for id in data["onepagecrm.filtered_contacts"]["_filter_id"])
    keys = {status.key: status.text for status in WORLD.statuses}
    statuses = Counter(keys[person.status_key] for person in PEOPLE)
    assert {name: found[name] for name in statuses} == statuses


async def test_a_plan_counts_a_request_for_each_contact() -> None:
    names = ("onepagecrm.relationships", "onepagecrm.notifications")

    async with crm() as accounts:
        plan = await crmlab.plan(accounts, *names, limits=UNLIMITED)

    requests = dict(zip(plan.resources["resource"], plan.resources["requests"], strict=True))
    assert requests == {"notifications": 1, "all_contacts": 1, "relationships": len(PEOPLE)}


def test_contacts_of_a_filter_past_the_wall_stay_those_of_the_filter() -> None:
    resource = PROVIDER.resource("filtered_contacts")
    context = Context(now=dt.datetime.now(dt.UTC), rows={"filters": pl.DataFrame({"id": ["f1"]})})
    (first,) = resource.requests(context)

    assert resource.follow is pages.contact_pages
    follow = pages.contact_paging(200)
    spread = list(follow(answer([NOW - 1000 * n for n in range(450)], first)))
    of_one_second = list(follow(answer([NOW - 5] * 450, first, filters=False)))

    assert spread
    assert all(_is_of(request, "f1") for request in (first, *spread, *of_one_second))


def _is_of(request: Request, filter_id: str) -> bool:
    return request.params.get("filter_id") == filter_id == request.tags.get("filter_id")
