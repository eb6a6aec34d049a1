"""What a push writes into each service shows in the next fetch, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import crmlab
from crmlab.errors import ServerError
from crmlab.sandbox.faults import Fault

ASIDE = ("modified_at",)


async def contacts_of(account: crmlab.Account) -> pl.DataFrame:
    return (await crmlab.fetch(account, "contacts", progress=False)).contacts.drop(ASIDE)


async def test_changed_contacts_of_onepagecrm_are_as_they_shall_be_and_keep_the_rest() -> None:
    async with crmlab.sandbox(rows=60, services=["onepagecrm"]) as (account,):
        home = {"emails": [{"type": "home", "value": "home@example.com"}], "address_list": []}
        before = await contacts_of(account)
        await crmlab.call(account, "update_contact", contact_id=before["id"][0], body=home)
        before = await contacts_of(account)
        after = before.with_columns(
            first_name=pl.lit("Ada"),
            job_title=pl.lit(None, dtype=pl.String),
            city=pl.lit("Galway"),
            emails=pl.concat_list(pl.col("emails").fill_null([]), pl.lit("more@example.com")),
            tags=pl.concat_list(pl.col("tags").fill_null([]), pl.lit("asked")),
            full_name=pl.concat_str(pl.lit("Ada"), "last_name", separator=" "),
        )
        changes = crmlab.updates(before, after).drop("full_name")
        changes = changes.with_columns(pl.col("changed").list.set_difference(["full_name"]))
        pushed = await crmlab.push(account, "contacts", changes)
        now = await contacts_of(account)
        first = await crmlab.call(account, "get_contact", contact_id=before["id"][0])

    assert pushed.counts == {"updated": before.height}
    assert crmlab.updates(after, now).is_empty()
    assert [each["type"] for each in first["data"]["contact"]["emails"]] == ["home", "work"]


async def test_contacts_and_deals_are_created_with_their_custom_fields() -> None:
    async with crmlab.sandbox(rows=60, services=["onepagecrm"]) as (account,):
        fields = (await crmlab.fetch(account, "fields", progress=False)).fields
        season = fields.filter(entity="contact")["key"][0]
        people = pl.DataFrame(
            {
                "first_name": ["Ada"],
                "last_name": ["Byron"],
                "company_name": ["Engines"],
                "street": ["Main St"],
                "custom": [[{"key": season, "value": "spring"}]],
            }
        )
        created = await crmlab.push(account, "contacts", people)
        deals = pl.DataFrame(
            {
                "contact_id": [created.frame["id"][0], None],
                "name": ["Big", "Small"],
                "amount": [9.5, 1],
            }
        )
        sold = await crmlab.push(account, "deals", deals)
        won = sold.frame.filter(state="created").select(
            "id", status=pl.lit("won"), amount=pl.lit(10.0)
        )
        updated = await crmlab.push(account, "deals", won)
        data = await crmlab.fetch(account, "contacts", "deals", progress=False)

    (person,) = data.contacts.filter(id=created.frame["id"][0]).to_dicts()
    (deal,) = data.deals.filter(id=sold.frame["id"][0]).to_dicts()
    assert (person["full_name"], person["company_name"], person["street"]) == (
        "Ada Byron",
        "Engines",
        "Main St",
    )
    assert [(each["key"], each["value"]) for each in person["custom"]] == [(season, "spring")]
    assert sold.frame["state"].to_list() == ["created", "refused"]
    assert updated.complete
    assert (deal["status"], deal["amount"], deal["contact_name"]) == ("won", 10.0, "Ada Byron")


async def test_profiles_are_imported_by_address_many_at_once_and_by_id_one_by_one() -> None:
    async with crmlab.sandbox(rows=60, services=["altcraft"]) as accounts:
        account = accounts[0]
        before = await contacts_of(account)
        known = before.filter(pl.col("emails").list.len() > 0).head(2)
        database = (await crmlab.call(account, "databases_list"))["data"][0]["id"]
        by_address = pl.DataFrame(
            {
                "emails": [["new@example.com"], ["no address"], [known["emails"][0][0]]],
                "last_name": ["New", "None", "Changed"],
            }
        )
        many = await crmlab.push(account, "contacts", by_address, db_id=database)
        by_id = pl.DataFrame({"id": [known["id"][1], "0" * 24], "city": ["Rome", "Oslo"]})
        several = [
            await crmlab.push(account, "contacts", by_id, db_id=number)
            for number in (database, 99_999)
        ]
        now = await contacts_of(account)

    assert many.frame["state"].to_list() == ["sent", "refused", "sent"]
    assert many.frame["reason"][1] == "450 · email"
    assert accounts.requests["altcraft", "/v1.1/profiles/import_batch"] == 1
    assert now.filter(id=many.frame["id"][0])["last_name"].to_list() == ["New"]
    # each profile is in one of the databases: the other one does not know it
    assert {pushed.frame["state"][1] for pushed in several} == {"refused"}


async def test_subscriptions_are_changed_with_the_profile() -> None:
    async with crmlab.sandbox(rows=200, services=["altcraft"]) as (account,):
        data = await crmlab.fetch(account, "subscriptions", "contacts", progress=False)
        one = data.subscriptions.filter(status="subscribed", channel="email").row(0, named=True)
        given = {
            "resource_id": int(one["resource_id"]),
            "channel": "email",
            "email": one["address"],
        }
        change = pl.DataFrame(
            {"id": [one["contact_id"]], "subscriptions": [[{**given, "status": "unsubscribed"}]]}
        )
        databases = [each["id"] for each in (await crmlab.call(account, "databases_list"))["data"]]
        pushed = [
            await crmlab.push(account, "contacts", change, db_id=number) for number in databases
        ]
        now = (await crmlab.fetch(account, "subscriptions", progress=False)).subscriptions

    assert [each.counts for each in pushed].count({"updated": 1}) == 1
    same = now.filter(
        contact_id=one["contact_id"], address=one["address"], resource_id=one["resource_id"]
    )
    assert same["status"].to_list() == ["unsubscribed"]


@pytest.mark.slow
async def test_what_the_service_has_beside_is_read_before_and_a_failure_of_that_sends_nothing() -> (
    None
):
    faults = [Fault(kind="status", match="/contacts/", status=500, times=99)]
    async with crmlab.sandbox(rows=20, services=["onepagecrm"], faults=faults) as (account,):
        with pytest.raises(ServerError, match="HTTP 500"):
            await crmlab.push(
                account, "contacts", pl.DataFrame({"id": ["1"], "emails": [["a@example.com"]]})
            )


async def test_two_rows_of_one_address_are_not_both_imported(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    frame = pl.DataFrame(
        {"emails": [["New@example.com"], ["new@example.com"]], "last_name": ["A", "B"]}
    )
    async with crmlab.sandbox(rows=20, services=["altcraft"]) as (account,):
        database = (await crmlab.call(account, "databases_list"))["data"][0]["id"]
        pushed = [
            await crmlab.push(
                account, "contacts", frame, db_id=database, results=file, progress=False
            )
            for _ in range(2)
        ]

    for each in pushed:
        assert each.frame["state"].to_list() == ["sent", "refused"]
        assert (
            each.frame["reason"][1] == "row 0 is of the same record, and a record is written once"
        )
