"""What a push writes is refused as documented, and shows in later reads."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import crmlab
from crmlab.errors import ApiError

CONTACT = {"id": "N-1", "first_name": "Ada", "last_name": "Byron"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "operation", "arguments", "status"),
    [
        ("relenta", "save_contact", {"id": 1, "first_name": "Ada"}, 404),
        ("relenta", "save_contact", {"strange": "field"}, 400),
        ("onepagecrm", "create_contact", {"body": {"first_name": "Ada"}}, 400),
        ("onepagecrm", "create_contact", {"body": {"last_name": "B", "owner_id": "nobody"}}, 400),
        (
            "onepagecrm",
            "update_contact",
            {"contact_id": "nobody", "body": {"first_name": "Ada"}},
            404,
        ),
        ("onepagecrm", "create_deal", {"body": {"name": "Engine"}}, 400),
        ("onepagecrm", "create_deal", {"body": {"name": "Engine", "contact_id": "nobody"}}, 400),
        ("onepagecrm", "update_deal", {"deal_id": "nobody", "body": {"name": "Engine"}}, 404),
        (
            "onepagecrm",
            "create_contact_deal",
            {"contact_id": "nobody", "body": {"name": "Engine"}},
            404,
        ),
        ("altcraft", "profiles_import", {"db_id": 99_999, "data": {"email": "a@example.com"}}, 404),
        ("altcraft", "profiles_import", {"db_id": 1, "data": {"email": "nowhere"}}, 450),
        (
            "altcraft",
            "profiles_import",
            {"db_id": 1, "matching": "profile_id", "profile_id": "0", "data": {}},
            404,
        ),
    ],
)
async def test_a_write_that_names_nothing_or_breaks_a_rule_is_refused(
    service: str, operation: str, arguments: dict[str, Any], status: int
) -> None:
    async with crmlab.sandbox(rows=20, services=[service]) as (account,):
        if arguments.get("db_id") == 1:
            arguments |= {"db_id": (await crmlab.call(account, "databases_list"))["data"][0]["id"]}
        with pytest.raises(ApiError) as refused:
            await crmlab.call(account, operation, **arguments)

    assert refused.value.status == status


@pytest.mark.slow
async def test_an_upload_is_pending_before_it_is_done_and_is_listed() -> None:
    async with crmlab.sandbox(rows=20, services=["complero"]) as (account,):
        await crmlab.call(
            account,
            "bulk_upload_contacts",
            body=[CONTACT, {**CONTACT, "id": "N-2", "website": "w"}],
        )
        first, *_ = await crmlab.call(account, "list_operations")
        await asyncio.sleep(0.5)
        last = await crmlab.call(account, "get_operation", id=first["id"])
        listed, *_ = await crmlab.call(account, "list_operations")

    assert (first["status"], first["items"]) == ("pending", [])
    assert last == listed
    assert (last["status"], [item["id"] for item in last["items"]]) == ("done", ["N-1", "N-2"])


async def test_a_whole_update_clears_what_it_leaves_out_and_a_partial_one_keeps_it() -> None:
    async with crmlab.sandbox(rows=60, services=["onepagecrm"]) as (account,):
        contact = {
            "first_name": "Ada",
            "last_name": "Byron",
            "job_title": "Countess",
            "tags": ["poet"],
        }
        made = (await crmlab.call(account, "create_contact", body=contact))["data"]["contact"]
        named = {"contact_id": made["id"], "body": {"last_name": "King"}}
        partly = (await crmlab.call(account, "update_contact", **named))["data"]["contact"]
        wholly = (await crmlab.call(account, "update_contact", partial=False, **named))["data"][
            "contact"
        ]

    assert (partly["last_name"], partly["job_title"], partly["tags"]) == (
        "King",
        "Countess",
        ["poet"],
    )
    assert (wholly["last_name"], wholly["job_title"], wholly["tags"]) == ("King", "", [])
    assert wholly["first_name"] == ""


async def test_a_contact_that_was_deleted_comes_back_with_its_deals() -> None:
    async with crmlab.sandbox(rows=60, services=["onepagecrm"]) as (account,):
        deal, *_ = (await crmlab.call(account, "list_deals", as_frame=True)).to_dicts()
        who = {"contact_id": deal["contact_id"]}
        await crmlab.call(account, "delete_contact", allow_destructive=True, **who)
        with pytest.raises(crmlab.errors.NotFoundError):
            await crmlab.call(account, "get_contact", **who)
        await crmlab.call(account, "delete_contact", undo=True, **who)
        again = await crmlab.call(account, "get_deal", deal_id=deal["id"])

    assert again["data"]["deal"]["contact_id"] == deal["contact_id"]
