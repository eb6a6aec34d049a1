"""What is written to OnePageCRM shows in a later read, or is refused as documented."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

import crmlab
from crmlab.providers import registry
from crmlab.sandbox.services.onepagecrm.writes import WRITES
from crmlab.sandbox.world.generate import generate
from tests.sandbox.asking import asked, told

WORLD = generate(80, seed=4)
PEOPLE = WORLD.people_in("onepagecrm")
UNKNOWN = "0" * 24
#: in a company with others, without actions of the signed-in user
ME = WORLD.users[0].id
WITH_ACTIONS = {action.contact_id for action in WORLD.actions if not action.done}
COLLEAGUES = [person for person in PEOPLE if person.company_id and person.id not in WITH_ACTIONS]
CONTACT = COLLEAGUES[0]
COMPANY = CONTACT.company_id
OTHER = next(person for person in PEOPLE if person.company_id not in (COMPANY, None))
IMAGE = "aGVsbG8="
#: created where they are listed, with what an answer and a later read have to hold
CREATED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "/notes": (
        {"contact_id": CONTACT.id, "text": "Met at the fair", "date": "2026-01-31"},
        {"contact_id": CONTACT.id, "text": "Met at the fair", "date": "2026-01-31"},
    ),
    "/calls": (
        {
            "contact_id": CONTACT.id,
            "via": "jabber",
            "call_time_int": 1_700_000_000,
            "call_result": "no_answer",
        },
        {"via": "jabber", "call_time_int": 1_700_000_000, "call_result": "no_answer"},
    ),
    "/meetings": ({"contact_id": CONTACT.id, "place": "Galway"}, {"place": "Galway", "text": ""}),
    "/actions": (
        {
            "contact_id": CONTACT.id,
            "text": "Send it",
            "status": "date_time",
            "exact_time": 1_900_000_000,
        },
        {"status": "date_time", "exact_time": 1_900_000_000, "assignee_id": ME, "done": False},
    ),
    "/lead_sources": ({"text": "Podcast"}, {"text": "Podcast", "total_count": 0}),
    "/statuses": (
        {"text": "Fan", "color": "ff00ff", "description": "likes us"},
        {"description": "likes us"},
    ),
    "/custom_fields": (
        {"name": "Shoe size", "type": "number"},
        {"name": "Shoe size", "type": "number"},
    ),
    "/company_fields": (
        {"name": "VAT", "type": "single_line_text", "position": 4},
        {"position": 4},
    ),
    "/deal_fields": (
        {"name": "Risk", "type": "select_box", "choices": ["low"]},
        {"choices": ["low"]},
    ),
    "/predefined_actions": ({"text": "Ask again", "days": 20}, {"text": "Ask again", "days": 20}),
    "/predefined_items": (
        {"name": "Service plan", "price": 99.5},
        {"name": "Service plan", "price": 99.5, "cost": 0},
    ),
    "/relationship_types": ({"variants": [{"name": "Twin"}]}, {"symmetrical": True}),
}
#: one field of each, changed
UPDATED = {
    "/notes": {"text": "Met in Cork"},
    "/calls": {"text": "Called twice", "recording_link": "https://calls.example.com/1"},
    "/meetings": {"place": "Cork"},
    "/actions": {"text": "Send it again"},
    "/lead_sources": {"text": "Radio"},
    "/statuses": {"text": "Friend", "color": "3399ff"},
    "/custom_fields": {"name": "Hat size", "type": "number"},
    "/company_fields": {"name": "Tax number", "type": "single_line_text"},
    "/deal_fields": {"name": "Chance", "type": "select_box", "choices": ["high"]},
    "/predefined_actions": {"text": "Ask once more", "days": 30},
    "/predefined_items": {"name": "Service plan", "price": 120.0},
}


def crm() -> Any:
    return crmlab.sandbox(WORLD, services=["onepagecrm"])


def record(answer: Any) -> dict[str, Any]:
    """The innermost single record of an answer's data."""
    found = answer["data"]
    while "id" not in found:
        found = next(iter(found.values())) if isinstance(found, dict) else found[0]
    assert isinstance(found, dict)
    return found


async def contact(account: crmlab.Account, id: str = CONTACT.id) -> Any:
    (answer,) = await asked(account, f"/contacts/{id}")
    return answer["data"]


def test_every_documented_write_is_served_but_those_of_whole_contacts_and_deals() -> None:
    documented = {
        (each.method, each.path) for each in registry()["onepagecrm"].operations() if each.writes
    }
    elsewhere = {
        ("POST", "/contacts"),
        ("PUT", "/contacts/{contact_id}"),
        ("POST", "/deals"),
        ("PUT", "/deals/{deal_id}"),
        ("POST", "/contacts/{contact_id}/deals"),
    }

    assert WRITES.keys() | elsewhere == documented


async def test_what_is_created_changed_and_deleted_shows_in_later_reads() -> None:
    async with crm() as accounts:
        account = accounts[0]
        for path, (body, wanted) in CREATED.items():
            status, answer = await told(account, "POST", path, body)
            made = record(answer)
            where = f"{path}/{made['id']}"
            (one,) = await asked(account, where)
            assert status == 201, path
            assert record(one) == made
            assert {name: made[name] for name in wanted} == wanted

            if path in UPDATED:
                status, answer = await told(account, "PUT", where, UPDATED[path])
                (one,) = await asked(account, where)
                assert status == 200, path
                assert record(one) == record(answer)
                assert {name: record(one)[name] for name in UPDATED[path]} == UPDATED[path]

            status, _ = await told(account, "DELETE", where)
            (gone,) = await asked(account, where)
            assert (status, gone["status"]) == (200, 404), path


async def test_a_body_that_lacks_what_is_required_or_names_nothing_is_refused() -> None:
    async with crm() as accounts:
        for path, (body, _) in CREATED.items():
            for name in ("contact_id", "text", "color", "name", "type", "days", "variants"):
                if name in body and (path, name) not in {("/calls", "text"), ("/meetings", "text")}:
                    less = {key: value for key, value in body.items() if key != name}
                    status, answer = await told(accounts[0], "POST", path, less)
                    assert status == 400, f"{path} without {name}"
                    assert name in answer["errors"]
            if "contact_id" in body:
                status, _ = await told(accounts[0], "POST", path, {**body, "contact_id": UNKNOWN})
                assert status == 400, path


async def test_a_partial_update_may_lack_what_is_required_and_no_more() -> None:
    status = WORLD.statuses[1]
    async with crm() as accounts:
        where = f"/statuses/{status.id}"
        whole, _ = await told(accounts[0], "PUT", where, {"description": "warm"})
        partial, _ = await told(
            accounts[0], "PUT", f"{where}?partial=true", {"description": "warm", "unknown": 1}
        )
        (kept,) = await asked(accounts[0], where)
        _, cleared = await told(accounts[0], "PUT", where, {"text": "Hot", "color": "cc0000"})
        inside, answer = await told(
            accounts[0],
            "PUT",
            f"/deals/{WORLD.deals[0].id}?partial=true",
            {"deal_items": [{"name": "x"}]},
        )

    assert (whole, partial, inside) == (400, 200, 400)
    assert (record(kept)["text"], record(kept)["description"]) == (status.text, "warm")
    assert record(cleared)["description"] == ""
    assert "deal_items" in answer["errors"]


async def test_an_id_in_a_path_that_nothing_has_is_refused() -> None:
    """Whatever the body: an unknown record is unknown, and what is wrong with the body may be told first."""
    async with crm() as accounts:
        for method, path in WRITES:
            if "{" not in path:
                continue
            template = path.replace("}", "").split("{")
            filled = "".join(
                part if n == 0 else UNKNOWN + part[len(part.split("/")[0]) :]
                for n, part in enumerate(template)
            )
            status, _ = await told(
                accounts[0],
                method,
                filled,
                {"image": IMAGE, "reference_type": "note", "key": "a/b"},
            )
            assert status in (400, 404), f"{method} {filled}"


#: what is done to a contact, and what it then is
DONE: list[tuple[str, str, Any, Callable[[dict[str, Any]], bool]]] = [
    ("PUT", "star", None, lambda one: one["starred"]),
    ("PUT", "unstar", None, lambda one: not one["starred"]),
    ("PUT", "assign_tag/Alumni", None, lambda one: "Alumni" in one["tags"]),
    ("PUT", "unassign_tag/alumni", None, lambda one: "Alumni" not in one["tags"]),
    (
        "PUT",
        f"change_status/{WORLD.statuses[2].id}",
        None,
        lambda one: one["status"] == WORLD.statuses[2].text,
    ),
    (
        "PUT",
        f"change_owner/{WORLD.users[3].id}",
        None,
        lambda one: one["owner_id"] == WORLD.users[3].id,
    ),
    (
        "PUT",
        "close_sales_cycle",
        {"comment": "no budget"},
        lambda one: one["closed_sales"][0]["comment"] == "no budget",
    ),
    ("PUT", "reopen_sales_cycle", None, lambda one: one["sales_closed_for"] == []),
    ("PUT", "force_close_sales_cycle", {}, lambda one: one["sales_closed_for"] == [ME]),
    ("POST", "contact_photo", {"image": IMAGE}, lambda one: CONTACT.id not in one["photo_url"]),
    ("DELETE", "contact_photo", None, lambda one: one["photo_url"] == ""),
    (
        "POST",
        "google_contacts",
        None,
        lambda one: one["google_contacts_data"]["account_email"] == WORLD.users[0].email,
    ),
    (
        "PUT",
        "split",
        {"company_name": "Brand New Ltd"},
        lambda one: one["company_name"] == "Brand New Ltd",
    ),
]


async def test_what_is_done_to_a_contact_shows() -> None:
    async with crm() as accounts:
        for method, act, body, shows in DONE:
            status, answer = await told(accounts[0], method, f"/contacts/{CONTACT.id}/{act}", body)
            found = (await contact(accounts[0]))["contact"]

            assert status == (201 if method == "POST" else 200), act
            assert shows(found), act
            assert "contact" not in answer["data"] or answer["data"]["contact"] == found


async def test_what_contacts_cannot_undergo_is_a_conflict() -> None:
    busy = next(action for action in WORLD.actions if not action.done and action.assignee_id == ME)
    async with crm() as accounts:
        base = f"/contacts/{CONTACT.id}"
        conflicts = [
            await told(accounts[0], "PUT", f"/contacts/{busy.contact_id}/close_sales_cycle", {}),
            await told(accounts[0], "PUT", f"{base}/reopen_sales_cycle"),
            await told(
                accounts[0],
                "POST",
                f"/companies/{COMPANY}/linked_contacts",
                {"contact_id": CONTACT.id},
            ),
            await told(accounts[0], "POST", "/predefined_items", {"name": WORLD_ITEM}),
        ]
        statuses = await asked(accounts[0], "/statuses")
        lead = next(
            item["status"] for item in statuses[0]["data"] if item["status"]["status"] == "lead"
        )
        conflicts.append(await told(accounts[0], "DELETE", f"/statuses/{lead['id']}"))

    assert [status for status, _ in conflicts] == [409] * len(conflicts)


WORLD_ITEM = next(item.name for deal in WORLD.deals for item in deal.items)


async def test_a_deleted_contact_comes_back_with_what_belongs_to_it() -> None:
    id = next(
        person.id for person in PEOPLE if any(note.contact_id == person.id for note in WORLD.notes)
    )
    async with crm() as accounts:
        paths = (
            f"/contacts/{id}",
            f"/contacts/{id}/notes?per_page=100",
            f"/contacts/{id}/deals?per_page=100",
        )
        before = await asked(accounts[0], *paths)
        count = (await asked(accounts[0], "/contacts?team=true"))[0]["data"]["total_count"]
        await told(accounts[0], "DELETE", f"/contacts/{id}")
        gone = await asked(accounts[0], *paths)
        left = (await asked(accounts[0], "/contacts?team=true"))[0]["data"]["total_count"]
        status, _ = await told(accounts[0], "DELETE", f"/contacts/{id}?undo=true")
        after = await asked(accounts[0], *paths)
        twice, _ = await told(accounts[0], "DELETE", f"/contacts/{id}?undo=true")

    assert [answer["status"] for answer in gone] == [404] * 3
    assert (left, status, twice) == (count - 1, 200, 404)
    assert [answer["data"] for answer in after] == [answer["data"] for answer in before]


async def test_an_action_is_done_and_not_done_again() -> None:
    action = next(each for each in WORLD.actions if not each.done and each.assignee_id != ME)
    where = f"/actions/{action.id}"
    async with crm() as accounts:
        (before,) = await asked(accounts[0], where)
        _, done = await told(accounts[0], "PUT", f"{where}/mark_as_done")
        _, undone = await told(accounts[0], "PUT", f"{where}/undo_completion")
        refused, _ = await told(accounts[0], "PUT", f"{where}/undo_completion")
        _, mine = await told(accounts[0], "PUT", f"{where}/unassign")
        first, second = [
            record(
                (
                    await told(
                        accounts[0],
                        "POST",
                        f"/contacts/{CONTACT.id}/actions",
                        {"text": t, "status": "asap"},
                    )
                )[1]
            )
            for t in ("one", "two")
        ]
        (demoted,) = await asked(accounts[0], f"/actions/{first['id']}")

    assert (record(done)["done"], record(done)["status"]) == (True, "done")
    assert {**record(undone), "modified_at": ""} == {**record(before), "modified_at": ""}
    assert refused == 409
    assert record(mine)["assignee_id"] == ME
    assert (record(demoted)["status"], second["status"]) == ("date", "asap")


async def test_a_file_is_attached_named_pinned_and_taken_away() -> None:
    note = next(note for note in WORLD.notes if note.contact_id in {person.id for person in PEOPLE})
    body = {"reference_type": "note", "key": f"{note.contact_id}/1/plan.pdf", "size": 7}
    async with crm() as accounts:
        status, made = await told(accounts[0], "POST", f"/notes/{note.id}/attachments", body)
        file = f"/attachments/{record(made)['id']}"
        await told(accounts[0], "PATCH", file, {"attachment": {"custom_filename": "The plan"}})
        _, pinned = await told(accounts[0], "PATCH", f"{file}/pin")
        (at_contact,) = await asked(
            accounts[0], f"/contacts/{note.contact_id}/pinned_attachments?per_page=100"
        )
        (at_note,) = await asked(accounts[0], f"/notes/{note.id}")
        await told(accounts[0], "DELETE", file)
        (without,) = await asked(accounts[0], f"/notes/{note.id}")

    assert (status, record(made)["filename"]) == (201, "plan.pdf")
    assert record(pinned)["custom_filename"] == "The plan"
    assert record(pinned) in at_contact["data"]["pinned_attachments"]
    assert record(pinned) in record(at_note)["attachments"]
    assert record(pinned) not in record(without)["attachments"]


async def test_a_relationship_is_made_changed_ended_and_made_again() -> None:
    one, other = next(
        (a, b) for a in PEOPLE for b in PEOPLE if a.company_id and b.company_id is None
    )
    base = f"/contacts/{one.id}/relationships"
    async with crm() as accounts:
        (types,) = await asked(accounts[0], "/relationship_types")
        partner, manager = [
            item["relationship_type"] for item in types["data"]["relationship_types"]
        ]
        ends = [
            {"contact_id": id, "variant_id": partner["relationship_variants"][0]["id"]}
            for id in (one.id, other.id)
        ]
        body = {"relationship_type_id": partner["id"], "related_contacts": ends}
        _, made = await told(accounts[0], "POST", base, body)
        again, _ = await told(accounts[0], "POST", base, body)
        changed = deepcopy(body) | {"relationship_type_id": manager["id"]}
        for end, variant in zip(
            changed["related_contacts"], manager["relationship_variants"], strict=True
        ):
            end["variant_id"] = variant["id"]
        where = f"{base}/{record(made)['id']}"
        _, put = await told(accounts[0], "PUT", where, changed)
        (from_other,) = await asked(
            accounts[0], f"/contacts/{other.id}/relationships/{record(made)['id']}"
        )
        await told(accounts[0], "DELETE", where)
        (gone,) = await asked(accounts[0], where)
        await told(accounts[0], "DELETE", f"{where}?undo=true")
        (back,) = await asked(accounts[0], where)

    assert again == 409
    assert record(put) == record(from_other) == record(back)
    assert [end["variant_name"] for end in record(put)["related_contacts"]] == [
        "Manager",
        "Reports to",
    ]
    assert gone["status"] == 404


async def test_companies_users_notifications_and_keys_are_changed() -> None:
    async with crm() as accounts:
        account = accounts[0]
        company = f"/companies/{COMPANY}"
        fields = [
            {"company_field": {"id": field.id}, "value": "Huge"}
            for field in WORLD.fields
            if field.entity == "company"
        ]
        await told(
            account,
            "PUT",
            company,
            {"name": "Renamed", "address": {"city": "Cork"}, "company_fields": fields},
        )
        await told(account, "POST", f"{company}/synced_status", {"status_id": WORLD.statuses[3].id})
        linked, _ = await told(
            account, "POST", f"{company}/linked_contacts", {"contact_id": OTHER.id}
        )
        (links,) = await asked(account, f"{company}/linked_contacts?per_page=100")
        unlinked, _ = await told(account, "DELETE", f"{company}/linked_contacts/{OTHER.id}")
        found = await contact(account)
        await told(
            account, "PUT", f"/users/{ME}", {"first_name": "Norah", "company_name": "Sales Ltd"}
        )
        forbidden, _ = await told(
            account, "PUT", f"/users/{WORLD.users[1].id}", {"bcc_email": "true"}
        )
        await told(account, "POST", "/notifications/mark_all_as_read")
        users, notifications = await asked(account, "/users", "/notifications?per_page=100")
        _, key = await told(account, "POST", "/change_auth_key")
        (refused,) = await asked(account, "/users")

    assert (found["company"]["name"], found["company"]["address"]["city"]) == ("Renamed", "Cork")
    assert found["company"]["company_fields"][0]["value"] == "Huge"
    assert found["contact"]["status"] == WORLD.statuses[3].text
    assert (linked, unlinked) == (201, 200)
    assert OTHER.id in [
        item["linked_contact"]["contact"]["id"] for item in links["data"]["linked_contacts"]
    ]
    assert users["data"][0]["user"]["first_name"] == "Norah"
    assert forbidden == 403
    assert all(item["notification"]["read"] for item in notifications["data"]["notifications"])
    assert key["data"]["auth_key"] != accounts.keys["onepagecrm"]["api_key"]
    assert refused["status"] == 401


@pytest.mark.parametrize("listed", ["predefined_action_groups", "predefined_item_groups"])
async def test_groups_hold_what_there_is(listed: str) -> None:
    members = listed.replace("_groups", "s")
    key = "action_ids" if "action" in listed else "item_ids"
    async with crm() as accounts:
        (groups,) = await asked(accounts[0], f"/{listed}")
        group = groups["data"][listed][0][listed.removesuffix("s")]
        await told(accounts[0], "DELETE", f"/{members}/{group[key][0]}")
        (after,) = await asked(accounts[0], f"/{listed}")
        found = [item[listed.removesuffix("s")][key] for item in after["data"][listed]]

    # a group of actions is none with one alone
    assert found == ([] if "action" in listed else [group[key][1:]])


async def test_the_world_and_other_services_are_not_touched() -> None:
    before = deepcopy(WORLD.people[0]), len(WORLD.notes)
    async with crm() as accounts:
        await told(accounts[0], "PUT", f"/contacts/{PEOPLE[0].id}/assign_tag/Changed")
        await told(accounts[0], "POST", "/notes", CREATED["/notes"][0])

    assert (WORLD.people[0], len(WORLD.notes)) == before
