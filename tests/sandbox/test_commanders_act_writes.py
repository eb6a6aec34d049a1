"""What is written to Commanders Act's sandbox shows in later reads, and what cannot be written is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import crmlab
from crmlab.errors import ApiError
from crmlab.sandbox.world.generate import generate

WORLD = generate(20, seed=1)
RULE = {"data": {"type": "tms/web-constraints", "id": 1}}
TAGS = {"data": [{"type": "tms/web-tags", "id": 1}]}
CONTAINER = {"data": {"type": "tms/web-containers", "id": 1}}


def body(kind: str, attributes: Mapping[str, Any], **related: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"type": kind, "attributes": attributes}
    return {"data": data | ({"relationships": related} if related else {})}


async def called(account: crmlab.Account, name: str, **arguments: Any) -> Any:
    answer = await crmlab.call(
        account, name, allow_destructive=True, allow_dangerous=True, **arguments
    )
    return answer["data"] if isinstance(answer, dict) and "data" in answer else answer


#: what creates an object, what shows it, what changes and what deletes it: names, and bodies of the first and third
OBJECTS = [
    (
        "tms_web_containers_store",
        body("tms/web-containers", {"name": "New"}),
        "tms_web_containers_show",
        None,
        {},
        "tms_web_containers_destroy",
    ),
    (
        "tms_web_tags_store",
        body("tms/web-tags", {"name": "New", "tag_code": "x"}, container=CONTAINER),
        "tms_web_tags_show",
        None,
        {},
        "tms_web_tags_destroy",
    ),
    (
        "tag_web_triggers_store",
        body("tms/web-triggers", {"name": "New", "type": "click"}, container=CONTAINER, tags=TAGS),
        "tag_web_triggers_show",
        "tms_web_triggers_update",
        body("tms/web-triggers", {"name": "Newer"}, tags=TAGS),
        "tms_web_triggers_delete",
    ),
    (
        "platform_event_enrichment_store",
        body(
            "enrichment",
            {
                "name": "New",
                "status": "active",
                "type": "api",
                "parameters": {"filter": {}},
                "matching_key": "id",
                "path": "root",
                "path_custom": "",
            },
        ),
        "platform_event_enrichment_show",
        None,
        {},
        "platform_event_enrichment_destroy",
    ),
    (
        "monitoring_health_cookie_scanner_custom_field_store",
        {"data": {"attributes": {"name": "New"}}},
        "monitoring_health_cookie_scanner_custom_field_show",
        "monitoring_health_cookie_scanner_custom_field_update",
        body("privacy/cookie-scanner/setting/custom-field", {"name": "Newer"}),
        None,
    ),
]


@pytest.mark.parametrize("written", OBJECTS, ids=[each[0] for each in OBJECTS])
async def test_an_object_is_there_once_it_was_made_and_gone_once_it_was_deleted(
    written: tuple[Any, ...],
) -> None:
    store, first, show, update, second, destroy = written
    async with crmlab.sandbox(WORLD, services=["commanders_act"]) as accounts:
        account = accounts[0]
        shows = next(each for each in account.provider.operations() if each.name == show)
        (place,) = shows.path_parts()
        made = await called(account, store, body=first)
        there = {place: str(made["id"])}
        shown = await called(account, show, **there)
        if update:
            await called(account, update, **there, body=second)
        changed = await called(account, show, **there)
        if destroy:
            await called(account, destroy, **there)
            with pytest.raises(ApiError, match="404"):
                await called(account, show, **there)

    assert shown["attributes"]["name"] == "New"
    assert changed["attributes"]["name"] == ("Newer" if update else "New")


async def test_a_tag_is_linked_with_a_rule_and_unlinked_and_goes_back_to_what_it_was() -> None:
    async with crmlab.sandbox(WORLD, services=["commanders_act"]) as accounts:
        account = accounts[0]

        async def tags_of_rule() -> list[int]:
            (rule,) = await called(account, "tms_web_constraints_index")
            return [each["id"] for each in rule["relationships"]["tags"]["data"]]

        before = await tags_of_rule()
        changed = {"id_tag": 3, "name": "Renamed"}
        for link in ("link_constraints", "unlink_constraints"):
            await called(
                account,
                "tms_web_tags_update",
                body=body("tms/web-tags-update", changed, **{link: [RULE]}),
            )
            assert (3 in await tags_of_rule()) is (link == "link_constraints")
        renamed = await called(account, "tms_web_tags_show", id=3)
        await called(
            account, "tms_web_tags_revert", id=3, body=body("tms/web-tags", {"version": "1"})
        )
        reverted = await called(account, "tms_web_tags_show", id=3)

        assert await tags_of_rule() == before
    assert renamed["attributes"]["name"] == "Renamed"
    assert reverted["attributes"]["name"] != "Renamed"


async def test_what_is_made_is_a_row_of_the_list_and_the_world_stays_as_it_is() -> None:
    async with crmlab.sandbox(WORLD, services=["commanders_act"]) as accounts:
        account = accounts[0]
        user = {
            "type": "end_user",
            "language": "english",
            "email": "new@example.com",
            "firstname": "A",
            "lastname": "B",
        }
        profile = {"data": {"type": "admin/profiles", "id": 1}}
        workspace = {"data": [{"type": "admin/workspaces", "id": 1}]}
        made = body("admin/users", user, profile=profile, workspace=workspace)
        await called(account, "admin_users_store", body=made)
        users = await crmlab.fetch(account, "users")
        await called(account, "platform_destinations_destroy", id=505)
        destinations = await crmlab.fetch(account, "commanders_act.destinations", "deliveries")

    assert users.users["email"].to_list()[-1] == "new@example.com"
    assert "505" not in destinations["commanders_act.destinations"]["id"].to_list()
    assert [one.id for one in WORLD.integrations] == [501, 502, 503, 504, 505, 506]


async def test_a_list_of_cookies_is_exported_as_a_file() -> None:
    async with crmlab.sandbox(WORLD, services=["commanders_act"]) as accounts:
        arguments = {"version": "1.00", "format": "csv", "language": "en"}
        found = await crmlab.call(
            accounts[0], "monitoring_health_cookie_scanner_export", **arguments
        )

    assert b"consent_choice" in found


async def test_a_version_of_the_list_of_cookies_is_deployed_by_a_read_that_changes_something() -> (
    None
):
    async with crmlab.sandbox(WORLD, services=["commanders_act"]) as accounts:
        await called(accounts[0], "monitoring_health_cookie_scanner_deploy", version="1.00")
        found = await crmlab.fetch(accounts[0], "commanders_act.cookie_scanners")

    attributes = found["commanders_act.cookie_scanners"]["attributes"].struct.unnest()
    assert dict(attributes.select("version", "is_deployed").iter_rows()) == {"1.00": 1, "2.00": 0}


REFUSED = [
    ("POST", "/tms/web-containers", None, 400),
    (
        "POST",
        "/tms/web-containers",
        {"data": {"type": "tms/web-containers", "attributes": {}}},
        400,
    ),
    ("POST", "/tms/web-containers", body("tms/web-tags", {"name": "New"}), 400),
    ("POST", "/tms/web-containers", body("tms/web-containers", {"name": "Shop"}), 409),
    ("PATCH", "/tms/web-containers", {"data": {"attributes": {"name": "New"}}}, 400),
    ("PATCH", "/tms/web-containers?id=99", {"data": {"attributes": {"name": "New"}}}, 404),
    (
        "PATCH",
        "/tms/web-containers?id=1",
        {"data": {"attributes": {"name": "New", "unknown": 1}}},
        200,
    ),
    ("PATCH", "/tms/web-tags/1/revert", body("tms/web-tags", {"version": "7"}), 404),
    ("POST", "/ams/redirect-rules", None, 400),
    ("DELETE", "/ams/redirect-rules/1", None, 200),
    ("DELETE", "/sources/503", None, 404),
    ("DELETE", "/integrations/503", None, 204),
    ("DELETE", "/health/alerts/99", None, 404),
    ("DELETE", "/no/such/path", None, 404),
    ("GET", "/privacy/cookie-scanner/9.00/deploy", None, 404),
]


async def test_a_write_is_refused_as_documented() -> None:
    from aiohttp import ClientSession

    found = []
    async with (
        crmlab.sandbox(WORLD, services=["commanders_act"]) as accounts,
        ClientSession() as session,
    ):
        key = accounts[0].sign(crmlab.connector.Request(path="/")).headers
        for method, path, content, _ in REFUSED:
            asking = session.request(
                method, accounts[0].base_url + path, json=content, headers=dict(key)
            )
            async with asking as answer:
                found.append((method, path, content, answer.status))

    assert found == REFUSED
