"""What OnePageCRM's records say, as rows of the shared tables."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

import crmlab
from crmlab.connector import Context, Page, Request
from crmlab.decoding.decoder import RAW, Decoded, decoder
from crmlab.decoding.records import records
from crmlab.providers.onepagecrm import PROVIDER

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SECRET = "a-key-that-opens-the-account"
SETTINGS = {
    "user_id": "u",
    "auth_key": SECRET,
    "settings": {
        "currency": "EUR",
        "separator": ",",
        "company_url_enabled": True,
        "reminder": {"hour": 6},
    },
    "call_results": {"left_message": "Left message"},
    "reason_losts": [{"id": "r1", "name": "Price", "position": 1}],
    "predefined_actions": [{"id": "a", "text": "Ring", "days": 4}],
}
DEAL = {
    "id": "d",
    "name": "Solar panels",
    "pipeline_id": "p",
    "status": "lost",
    "date": "2025-02-03",
    "created_at": "2026-10-01T08:00:00Z",
    "reason_lost_id": "r1",
    "linked_contacts": [{"id": "c2", "contact_name": "Bo Lake"}, {"id": "c3"}],
    "deal_items": [{"id": "i", "name": "Panel", "predefined_item_id": "pi"}],
    "previous_pipeline_stages": {"p": 40, "q": "60", "r": "unknown"},
}
BESIDE = {"stages": [{"stage": 40, "label": "Offer"}], "id": "p"}


def read(
    name: str, *items: dict[str, Any], settings: Any = SETTINGS, raw: bool = False, **options: str
) -> Decoded:
    resource = PROVIDER.resource(name)
    rows = {}
    if resource.needs_before_decode:
        rows["bootstrap"] = read("bootstrap", {"data": settings}, raw=True).frames[RAW]
    if "pipelines" in resource.needs_before_decode:
        rows["pipelines"] = read("pipelines", BESIDE, raw=True).frames[RAW]
    context = Context(now=NOW, rows=rows, options=options)
    reads = decoder(
        resource, context, provider="onepagecrm", account="a", tables=resource.tables, raw=raw
    )
    body: Any = (
        items[0]
        if resource.single
        else [{resource.unwrap: item} if resource.unwrap else item for item in items]
    )
    for key in reversed(resource.path):
        body = {key: body}
    page = Page(
        request=Request(path=f"/{name}"), status=200, headers={}, body=json.dumps(body).encode()
    )
    return reads(records(page, resource))


def test_a_deal_says_when_it_was_opened_why_it_was_lost_and_who_else_is_linked() -> None:
    found = read("deals", DEAL)

    deal = found.frames["deals"].row(0, named=True)
    assert deal["opened_on"] == date(2025, 2, 3)
    assert deal["created_at"] == datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert (deal["lost_reason_id"], deal["lost_reason"]) == ("r1", "Price")
    assert deal["linked_contact_ids"] == ["c2", "c3"]
    assert found.frames["deal_items"]["predefined_item_id"].to_list() == ["pi"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "reasons",
    [
        {"r1": "Price"},
        [{"id": "r1", "text": "Price"}, {"name": "no id"}, "strange", None],
        [{"id": "r1", "name": "Price"}],
    ],
)
def test_names_of_reasons_are_read_from_an_object_and_from_a_list(reasons: Any) -> None:
    found = read("deals", DEAL, settings={**SETTINGS, "reason_losts": reasons})

    assert found.frames["deals"]["lost_reason"].to_list() == ["Price"]


@pytest.mark.slow
@pytest.mark.parametrize("reasons", [None, [], "none", 5, [[1]], {"r1": None}, {"r2": "Timing"}])
def test_a_reason_without_a_name_keeps_its_id(reasons: Any) -> None:
    deal = (
        read("deals", DEAL, settings={**SETTINGS, "reason_losts": reasons})
        .frames["deals"]
        .row(0, named=True)
    )

    assert (deal["lost_reason_id"], deal["lost_reason"]) == ("r1", None)


def test_results_of_calls_notes_and_companies_say_what_the_service_says() -> None:
    calls = read(
        "calls", {"id": "1", "call_result": "left_message"}, {"id": "2", "call_result": "new one"}
    )
    notes = read("notes", {"id": "1", "date": "2025-02-03", "created_at": "2026-10-01T08:00:00Z"})
    companies = read(
        "companies", {"id": "1", "description": "Makes rope", "pending_deals_count": 3}
    )

    assert calls.frames["activities"].select("result", "result_label").rows() == [
        ("left_message", "Left message"),
        ("new one", None),
    ]
    assert notes.frames["activities"]["dated_on"].to_list() == [date(2025, 2, 3)]
    assert companies.frames["companies"].select("description", "pending_deals_count").row(0) == (
        "Makes rope",
        3,
    )


def test_whole_settings_hold_all_that_is_documented_but_the_key() -> None:
    found = read("bootstrap", {"data": SETTINGS}, raw=True).frames[RAW]

    data = found["data"][0]
    assert data["settings"]["reminder"] == {"type": None, "hour": 6}
    assert data["predefined_actions"] == [{"id": "a", "text": "Ring", "days": 4}]
    assert found["call_results"][0].to_list() == [{"id": "left_message", "label": "Left message"}]
    assert found["reason_losts"][0].to_list() == [{"id": "r1", "label": "Price"}]
    assert SECRET not in str(found.to_dicts())


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("2026-07-01 10:00:00", 10),
        ("2026-07-01T10:00:00", 10),
        ("2026-07-01T10:00:00Z", 10),
        ("2026-07-01T10:00:00+02:00", 8),
    ],
)
def test_times_without_a_zone_are_utc_as_the_vendor_writes_all_of_them(
    written: str, read_as: int
) -> None:
    found = read("notes", {"id": "1", "created_at": written})

    assert found.frames["activities"]["created_at"].to_list() == [
        datetime(2026, 7, 1, read_as, tzinfo=UTC)
    ]
    assert found.misfits.is_empty()


@pytest.mark.slow
async def test_the_sandbox_serves_the_history_and_the_lists_of_names() -> None:
    names = (
        "deals",
        "activities",
        "onepagecrm.deals",
        "onepagecrm.call_results",
        "onepagecrm.predefined_items",
    )
    async with crmlab.sandbox(rows=60, services=["onepagecrm"]) as crm:
        keys = crm.keys["onepagecrm"]
        account = crmlab.Account(
            "onepagecrm", base_url=crm[0].base_url, stage_history="yes", **keys
        )
        data = await crmlab.fetch(account, *names, limits=crmlab.Limits())

    lost = data.deals.filter(status="lost").drop_nulls("lost_reason_id")
    products = data["onepagecrm.predefined_items"]["id"]
    assert data.complete
    assert lost.height
    assert lost["lost_reason"].null_count() == 0
    assert data["onepagecrm.deals"]["previous_pipeline_stages"].null_count() == 0
    assert data.activities.filter(kind="call")["result_label"].null_count() == 0
    assert data["onepagecrm.call_results"]["text"].null_count() == 0
    assert products.n_unique() == products.len() > 0
