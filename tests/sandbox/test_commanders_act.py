from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

import crmlab
from crmlab.errors import AuthError
from crmlab.providers import registry
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.services.commanders_act.records import SECRET
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import Banner, BannerDay, World

FAST = crmlab.Limits(concurrency=10)
KEY = {"Authorization": "Bearer sandbox-commanders-act-token"}
NOW = datetime.now(UTC)
TODAY = NOW.date()


@pytest.fixture(scope="module")
def world() -> World:
    return generate(60, seed=1, now=NOW)


async def asked(accounts: Any, path: str, *, headers: dict[str, str] = KEY) -> tuple[int, Any]:
    async with (
        ClientSession() as session,
        session.get(accounts[0].base_url + path, headers=headers) as answer,
    ):
        assert answer.content_type == "application/vnd.api+json"
        return answer.status, await answer.json(content_type=None)


# ---- as the vendor documents it -----------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bear x"}]
)
async def test_a_missing_or_wrong_token_is_refused(world: World, headers: dict[str, str]) -> None:
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        status, body = await asked(accounts, "/sources", headers=headers)

    assert status == 401
    assert body["errors"][0]["code"] == "UNKNOWN_TOKEN"


async def test_statistics_take_the_token_in_the_query_as_well(world: World) -> None:
    query = (
        f"token=sandbox-commanders-act-token&filter[begin_date]={TODAY}&filter[end_date]={TODAY}"
    )
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        status, _ = await asked(accounts, f"/privacy/statistics?{query}", headers={})
        other, _ = await asked(accounts, "/sources?token=sandbox-commanders-act-token", headers={})

    assert (status, other) == (200, 401)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/privacy/statistics", 400),
        ("/privacy/statistics?filter[begin_date]=2026-01-01", 400),
        ("/privacy/statistics?filter[begin_date]=2021-04-31&filter[end_date]=2021-05-01", 400),
        (
            "/dms/segments-statistics?filter[from]=2026-01-01T00:00:00Z&filter[to]=2026-02-01T00:00:00Z",
            400,
        ),
        (
            "/dms/segments-statistics?filter[segment_id]=11&filter[from]=2026-01-01&filter[to]=2026-02-01",
            400,
        ),
        ("/sources?include=everything", 400),
        ("/integrations/503/delivery/trends?start=yesterday", 400),
        ("/integrations/503/delivery/trends?granularity=week", 400),
        ("/integrations/999/delivery/trends", 404),
        ("/no/such/path", 404),
        ("/ams/reports?page[number]=0", 400),
        ("/ams/reports?page[size]=many", 400),
        ("/ams/reports?sort=colour", 400),
        ("/ams/reports/999/data", 404),
        ("/enrichment/events/999", 404),
        ("/tms/web-triggers/1?include=pages", 400),
        ("/monitoring/collection/events?filter[rangeType]=always", 400),
        ("/monitoring/collection/events?filter[rangeType]=relative&filter[from]=soon", 400),
        ("/monitoring/sources-data-quality?source=999", 404),
        ("/integrations/503/delivery/issues?filter[type]=slow", 400),
        ("/integrations/delivery/issues/999/details", 404),
        ("/privacy/cookie-scanner/cookie/description/nothing", 404),
        ("/privacy/cookie-scanner/9.99/csv/exports/en", 404),
    ],
)
async def test_errors_are_an_array(world: World, path: str, status: int) -> None:
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        found, body = await asked(accounts, path)

    assert found == status
    assert body["errors"][0]["detail"]


async def test_an_integration_without_deliveries_has_no_data(world: World) -> None:
    silent = next(one for one in world.integrations if not any(hour[1] for hour in one.hourly))
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        status, body = await asked(accounts, f"/integrations/{silent.id}/delivery/trends")

    assert (status, body) == (404, {"errors": [{"status": 404, "detail": "No data found"}]})


async def test_health_comes_only_when_asked_for(world: World) -> None:
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        _, bare = await asked(accounts, "/sources")
        _, full = await asked(accounts, "/sources?include=connector,environment,health")

    assert all("health" not in one["attributes"] for one in bare["data"])
    health = full["data"][0]["attributes"]["health"]
    parts = (*health["success"].values(), *health["fail"].values())
    assert health["total"] == sum(part["total"] for part in parts) > 0


async def test_statistics_add_the_whole_range_up(world: World) -> None:
    first = TODAY - timedelta(days=10)
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        _, whole = await asked(
            accounts, f"/privacy/statistics?filter[begin_date]={first}&filter[end_date]={TODAY}"
        )
        _, mobile = await asked(
            accounts,
            f"/privacy/statistics?filter[begin_date]={first}&filter[end_date]={TODAY}"
            "&filter[sup_filters][device][]=1&filter[sup_filters][location][]=1",
        )

    rows = [row for row in world.banners[0].daily if row.day >= first]
    assert [banner["id"] for banner in whole["data"]] == ["1", "2"]
    assert whole["data"][0]["attributes"]["nb_optin"] == sum(row.optin for row in rows)
    assert mobile["data"][0]["attributes"]["nb_optin"] == sum(
        row.optin for row in rows if (row.device, row.location) == ("mobile", "eu")
    )


async def test_a_segment_comes_by_the_hour_for_less_than_a_week(world: World) -> None:
    def query(days: int) -> str:
        start = TODAY - timedelta(days=days)
        return (
            f"/dms/segments-statistics?filter[segment_id]=11&filter[from]={start}T00:00:00Z"
            f"&filter[to]={TODAY}T00:00:00%2B00:00"
        )

    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        _, week = await asked(accounts, query(7))
        _, days = await asked(accounts, query(6))

    assert (len(week["data"]), len(days["data"])) == (7, 6 * 24)
    assert isinstance(week["data"][0]["attributes"]["nb_visitors_total"], str)
    _, _, added, _ = world.tag_segments[0].daily[-1]
    assert sum(int(row["attributes"]["nb_visitors_added"]) for row in days["data"][-24:]) == added


async def test_more_than_thirty_requests_a_second_are_too_many(world: World) -> None:
    async with crmlab.sandbox(world, services=["commanders_act"], rate_limits=True) as accounts:
        answers = await asyncio.gather(*(asked(accounts, "/users") for _ in range(45)))

    refused = [body for status, body in answers if status == 429]
    assert 0 < len(refused) <= 15
    assert refused[0]["errors"][0]["code"] == "REQUEST_LIMIT_REACHED"


async def test_the_client_keeps_within_thirty_requests_a_second(world: World) -> None:
    async with crmlab.sandbox(world, services=["commanders_act"], rate_limits=True) as accounts:
        data = await crmlab.fetch(accounts, "consent_statistics", "users")

    assert data.complete
    assert accounts.refused == 0


# ---- through the client -------------------------------------------------------------------------


async def test_everything_comes_exactly_once(world: World) -> None:
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    assert data.complete, data.failures
    assert data.rejected.is_empty()
    assert all(frame["id"].is_unique().all() for frame in data.values())
    assert sorted(data.integrations["id"]) == sorted(str(one.id) for one in world.integrations)
    assert sorted(data.users["email"]) == sorted(user.email for user in world.users)
    assert data.changes.select("created_at", "description").rows() == [
        (change.created_at, change.description) for change in world.changes
    ]


async def test_integrations_have_what_was_delivered(world: World) -> None:
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        data = await crmlab.fetch(accounts, "integrations", limits=FAST)

    rows = {row["id"]: row for row in data.integrations.iter_rows(named=True)}
    for one in world.integrations:
        row = rows[str(one.id)]
        assert (row["label"], row["direction"], row["connector"]) == (
            one.label,
            one.direction,
            one.connector_id,
        )
        assert row["connector_name"] == one.connector_name
        assert (row["success"], row["failed"], row["rejected"]) == tuple(
            sum(hour[n] for hour in one.hourly) for n in (1, 2, 3)
        )
        assert (row["created_at"], row["last_run_at"]) == (one.created_at, one.last_run_at)


async def test_statistics_of_each_day_are_that_days_and_rates_are_computed(world: World) -> None:
    since, until = NOW - timedelta(days=20), NOW - timedelta(days=10)
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        data = await crmlab.fetch(
            accounts,
            "consent_statistics",
            "consent_statistics_items",
            since=since,
            until=until,
            limits=FAST,
        )

    counts: dict[tuple[Any, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    vendors: dict[str, int] = defaultdict(int)
    for banner in world.banners:
        for row in banner.daily:
            if since.date() <= row.day <= until.date():
                sums = counts[row.day, banner.id]
                for n, value in enumerate((row.visitors_exposed, row.optin, row.optout)):
                    sums[n] += value
                for vendor, optin in row.vendors.items():
                    vendors[f"{row.day}/{banner.id}/vendor/{vendor}"] += optin
    found = {
        (row["day"], row["banner_id"]): row for row in data.consent_statistics.iter_rows(named=True)
    }
    assert set(found) == set(counts)
    for key, (exposed, optin, optout) in counts.items():
        row = found[key]
        assert (row["visitors_exposed"], row["optin"], row["optout"]) == (exposed, optin, optout)
        assert (row["optin_rate"], row["optout_rate"]) == pytest.approx(
            (optin / exposed, optout / exposed)
        )
    items = data.consent_statistics_items
    by_vendor = {
        row["id"]: row["optin"]
        for row in items.iter_rows(named=True)
        if row["dimension"] == "vendor"
    }
    assert by_vendor == dict(vendors)


async def test_days_with_equal_counts_are_both_there() -> None:
    days = [
        BannerDay(
            day=TODAY - timedelta(days=n), device=None, location=None, visitors_exposed=10, banner_views=9,
            optin=5, optout=1, explicit_optin=5, categories={"1": 5}, vendors={},
        )
        for n in (3, 2, 1)
    ]  # fmt: skip
    world = World(now=NOW, banners=[Banner(id="1", name="Quiet", daily=days)])
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        data = await crmlab.fetch(accounts, "consent_statistics", limits=FAST)

    assert sorted(data.consent_statistics["day"]) == [row.day for row in days]


@pytest.mark.parametrize("hours", [12, 24 * 5])
async def test_deliveries_are_what_was_delivered_since(world: World, hours: int) -> None:
    since = NOW - timedelta(hours=hours)
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        data = await crmlab.fetch(accounts, "deliveries", since=since, limits=FAST)

    expected: dict[tuple[str, datetime], list[int]] = defaultdict(lambda: [0, 0])
    for one in world.integrations:
        if one.direction == "destination" and any(hour[1] for hour in one.hourly):
            for at, success, failed, rejected in one.hourly:
                start = at if hours <= 24 else at.replace(hour=0)
                expected[str(one.id), start][0] += success
                expected[str(one.id), start][1] += failed + rejected
    rows = data.deliveries.select("integration_id", "at", "success", "failed").rows()
    assert {(where, at): [success, failed] for where, at, success, failed in rows} == {
        key: counted for key, counted in expected.items() if key[1] >= since
    }
    assert data.complete


async def test_segments_have_a_size_for_each_day(world: World) -> None:
    since = NOW - timedelta(days=3)
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        data = await crmlab.fetch(accounts, "segments", since=since, limits=FAST)
        bare = crmlab.Account(
            "commanders_act",
            base_url=accounts[0].base_url,
            site_id="7",
            token="sandbox-commanders-act-token",
        )
        nothing = await crmlab.fetch(bare, "segments", "users", limits=FAST)

    rows = {(row["segment_id"], row["day"]): row for row in data.segments.iter_rows(named=True)}
    expected = {
        (str(segment.id), day): (total, added, removed)
        for segment in world.tag_segments
        for day, total, added, removed in segment.daily
        if day >= since.date()
    }
    assert {
        key: (row["size"], row["added"], row["removed"]) for key, row in rows.items()
    } == expected
    assert nothing.segments.is_empty()
    assert nothing.complete


async def test_changes_since_a_time_are_those_since(world: World) -> None:
    since = NOW - timedelta(days=45)
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        data = await crmlab.fetch(
            accounts, "changes", since=since, until=NOW - timedelta(days=5), limits=FAST
        )

    expected = [
        c.created_at for c in world.changes if since <= c.created_at < NOW - timedelta(days=5)
    ]
    assert data.changes["created_at"].to_list() == expected
    assert data.changes.height > 0


async def test_secrets_of_partners_are_in_no_frame_file_or_log(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They are planted in every answer that may hold them."""
    caplog.set_level(logging.DEBUG)
    names = [
        f"commanders_act.{resource.name}" for resource in registry()["commanders_act"].resources
    ]
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        data = await crmlab.fetch(accounts, *names, limits=FAST)
        _, body = await asked(accounts, "/tms/serverside-tags")

    data.export(tmp_path / "saved", "csv")
    data.export(tmp_path / "saved", "parquet")

    assert SECRET in str(body)
    assert data.complete
    assert all(frame.height for frame in data.values())
    assert data.rejected.is_empty()
    assert not any(SECRET in str(frame.to_dicts()) for frame in data.values())
    files = [file for file in (tmp_path / "saved").rglob("*") if file.is_file()]
    assert len(files) > len(names)
    assert not any(SECRET.encode() in file.read_bytes() for file in files)
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "name",
    ["platform_destinations_index", "monitoring_notification_index", "tms_serverside_tags_index"],
)
async def test_secrets_of_partners_are_blotted_out_of_an_operation(world: World, name: str) -> None:
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        found = await crmlab.call(accounts[0], name)

    assert found["data"]
    assert SECRET not in str(found)


async def test_every_list_is_planned_before_it_is_read(world: World) -> None:
    names = [
        f"commanders_act.{resource.name}" for resource in registry()["commanders_act"].resources
    ]
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        plan = await crmlab.plan(accounts, *names)
        before = accounts.requests.total()
        await crmlab.fetch(accounts, *names, limits=FAST)
        sent = accounts.requests.total() - before

    assert plan.requests <= sent


async def test_a_wrong_token_is_refused_once_and_nothing_is_tried_again(world: World) -> None:
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        wrong = crmlab.Account(
            "commanders_act", base_url=accounts[0].base_url, site_id="7", token="not-the-token"
        )
        with pytest.raises(AuthError) as refused:
            await crmlab.fetch(wrong, limits=crmlab.Limits(concurrency=1))
        requests = accounts.requests.total()

    assert (refused.value.status, requests) == (401, 1)
    assert "not-the-token" not in str(refused.value)


async def test_a_server_error_is_tried_again(world: World) -> None:
    faults = [Fault(kind="status", match="privacy", times=3, status=500)]
    async with crmlab.sandbox(world, services=["commanders_act"], faults=faults) as accounts:
        data = await crmlab.fetch(accounts, "consent_statistics", limits=FAST)

    assert data.complete
    assert data.summary["retries"].to_list() == [3]


async def test_the_health_of_one_integration_can_be_asked_for(world: World) -> None:
    end = NOW.isoformat()
    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        found = await crmlab.call(
            accounts[0],
            "platform_destination_healths_index",
            id="503",
            start=(NOW - timedelta(days=2)).isoformat(),
            end=end,
        )

    assert found["data"]["attributes"]["total"] > 0


async def test_an_empty_world_is_empty_and_complete() -> None:
    async with crmlab.sandbox(World(), services=["commanders_act"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    assert data.complete
    assert {name: frame.height for name, frame in data.items()} == dict.fromkeys(data, 0)


async def test_a_world_of_one_integration_has_one_integration(world: World) -> None:
    alone = replace(World(now=NOW), integrations=world.integrations[2:3])
    async with crmlab.sandbox(alone, services=["commanders_act"]) as accounts:
        data = await crmlab.fetch(accounts, limits=FAST)

    assert data.complete
    assert data.integrations["id"].to_list() == ["503"]
    assert data.deliveries.height >= 7
