from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from aiohttp import web

import crmlab
from crmlab.connector.page import Page
from crmlab.connector.paging import widening
from crmlab.connector.request import Request
from crmlab.connector.resource import Context
from crmlab.decoding.decoder import RAW, Decoded, decoder
from crmlab.decoding.records import records
from crmlab.errors import AuthError, CredentialError, PagingError, ServerError, TransportError
from crmlab.providers.relenta import PROVIDER
from tests.conftest import Serve

FAST = crmlab.Limits(concurrency=10)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
FIELDS = [
    {"id": "71", "type": "Text", "key": "Shoe_size", "label": "Shoe size", "default_value": ""},
    {
        "id": 72,
        "type": "Multiple choice",
        "key": "Likes",
        "label": "Likes",
        "choices": ["Tea", "Rain"],
    },
]
#: all that the service leaves out or empties is out or empty
SPARSE = {
    "id": "5002", "full_name": "Ada Moss", "first_name": "Ada", "last_name": "Moss",
    "dt_created": "2020-02-03T04:05:06Z", "dt_modified": "2021-02-03T04:05:06Z", "emails": "ada@moss.example",
    "title": None, "company": "Moss & Co", "comment": None, "phone": "", "url": "", "fax": "", "messenger": "",
    "twitter": "", "linkedin": "", "facebook": "", "text": "", "address": "", "do_not_mass_email": False,
}  # fmt: skip
FULL = {
    **SPARSE,
    "id": 5001,
    "title": "Captain",
    "emails": "cap@sea.example;second@sea.example (home)",
    "phone": "800-SEAWARD (toll-free);+44 (0) 20 11;(020) 555 ; ;12-34(Cell)",
    "address": "Pier 4\nHarbour\r\nFar away",
    "do_not_mass_email": True,
    "groups": "Cold;Very cold",
    "tags": "Good; New tag",
    "Shoe_size": 44,
    "Likes": "Tea;Rain",
}
ACTIVITY = {
    "id": "900", "activity_type": "default", "label": "Lunch", "calendar_id": "1", "all_day": True,
    "dt_created": "2020-01-09T15:05:29Z", "dt_modified": "2020-01-21T16:21:42Z",
    "dt_start": "2020-01-21T19:00:00Z", "dt_end": "2020-01-21T20:00:00Z", "rrule": "FREQ=DAILY;COUNT=3",
    "status": "open", "author": "Bo Lake <bo@lake.example>", "users": "Bo Lake <bo@lake.example>",
    "contacts": "Ada Moss <ada@moss.example>;Just A Name;Eel; Jr. <eel@sea.example>;bare@sea.example",
    "subject": "Plan", "body": "Line\nline",
}  # fmt: skip


def body(data: object, **more: object) -> bytes:
    return json.dumps({"status": True, "code": 200, "data": data, **more}, indent=1).encode()


def page(content: bytes, *, status: int = 200, number: int = 1) -> Page:
    request = Request(path="/contact.list.json", params={"page": str(number), "page_size": "100"})
    return Page(request=request, status=status, headers={}, body=content)


def read(
    name: str,
    *items: dict[str, Any],
    fields: list[dict[str, Any]] = FIELDS,
    raw: bool = False,
    **period: datetime,
) -> Decoded:
    rows = {}
    if name == "contacts":
        rows["custom_fields"] = read("custom_fields", *fields, fields=[], raw=True).frames[RAW]
    resource, context = PROVIDER.resource(name), Context(now=NOW, rows=rows, **period)
    reads = decoder(
        resource, context, provider="relenta", account="a", tables=resource.tables, raw=raw
    )
    return reads(records(page(body(list(items))), resource))


# ---- records ------------------------------------------------------------------------------------


def test_a_contact_with_everything_fills_every_column_that_relenta_knows() -> None:
    found = read("contacts", FULL)

    row = found.frames["contacts"].row(0, named=True)
    assert found.rejected.is_empty()
    assert row["id"] == "5001"
    assert row["emails"] == ["cap@sea.example", "second@sea.example"]
    assert row["phones"] == ["800-SEAWARD", "+44 (0) 20 11", "(020) 555", "12-34"]
    assert row["street"] == "Pier 4\nHarbour\r\nFar away"
    assert row["groups"] == ["Cold", "Very cold"]
    assert row["tags"] == ["Good", "New tag"]
    assert row["do_not_contact"] is True
    assert (row["job_title"], row["company_name"]) == ("Captain", "Moss & Co")
    assert row["created_at"] == datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert row["custom"] == [
        {"key": "Shoe_size", "label": "Shoe size", "value": "44"},
        {"key": "Likes", "label": "Likes", "value": "Tea;Rain"},
    ]


def test_what_is_left_out_or_empty_is_null() -> None:
    row = read("contacts", SPARSE).frames["contacts"].row(0, named=True)

    absent = (
        "job_title",
        "phones",
        "street",
        "groups",
        "tags",
        "custom",
        "status",
        "city",
        "owner_id",
        "language",
    )
    assert [row[name] for name in absent] == [None] * len(absent)
    assert row["do_not_contact"] is False


def test_both_spellings_of_the_mailing_flag_are_read() -> None:
    other = {name: value for name, value in SPARSE.items() if name != "do_not_mass_email"}
    found = [
        {**other, "id": n, "do_no_mass_email": value} for n, value in enumerate((True, "0", ""), 1)
    ]

    rows = read("contacts", *found).frames["contacts"]

    assert rows["do_not_contact"].to_list() == [True, False, None]


def test_a_full_name_is_joined_where_it_is_not_given() -> None:
    record = {**SPARSE, "full_name": ""}

    assert read("contacts", record).frames["contacts"]["full_name"].to_list() == ["Ada Moss"]


def test_a_custom_field_named_like_a_built_in_one_shows_in_both_places() -> None:
    fields = [{"id": "1", "type": "Text", "key": "title", "label": "Title of nobility"}]

    row = (
        read("contacts", {**SPARSE, "title": "Baroness"}, fields=fields)
        .frames["contacts"]
        .row(0, named=True)
    )

    assert row["job_title"] == "Baroness"
    assert row["custom"] == [{"key": "title", "label": "Title of nobility", "value": "Baroness"}]


def test_the_raw_contact_keeps_every_documented_field_and_the_custom_ones() -> None:
    found = read("contacts", FULL, raw=True).frames[RAW]

    assert set(FULL) - set(found.columns) == set()
    assert found["phone"].to_list() == [FULL["phone"]]


def test_a_custom_field_named_like_another_column_stands_beside_it() -> None:
    keys = ["account", "account_", "Provider", "Title", "ID"]
    fields = [
        {"id": str(number), "type": "Text", "key": key, "label": key}
        for number, key in enumerate(keys)
    ]
    record = {**SPARSE, "title": "Captain", **{key: f"own {key}" for key in keys}}

    row = read("contacts", record, fields=fields, raw=True).frames[RAW].row(0, named=True)

    assert (row["provider"], row["account"], row["id"], row["title"]) == (
        "relenta",
        "a",
        "5002",
        "Captain",
    )
    assert (row["account_"], row["account__"]) == ("own account", "own account_")
    assert (row["Provider_"], row["Title_"], row["ID_"]) == ("own Provider", "own Title", "own ID")


def test_a_record_that_does_not_fit_costs_only_itself() -> None:
    found = read(
        "contacts", {**SPARSE, "id": None}, SPARSE, {**SPARSE, "id": "3", "dt_created": "yesterday"}
    )

    assert found.frames["contacts"]["id"].to_list() == ["5002", "3"]
    assert found.rejected["reason"].to_list() == ["the record has no id"]
    assert found.misfits.select("id", "field").rows() == [("3", "dt_created")]


def test_an_activity_is_an_event_with_the_addresses_of_its_people() -> None:
    row = read("activities", ACTIVITY).frames["activities"].row(0, named=True)

    assert row["kind"] == "event"
    assert row["contact_emails"] == ["ada@moss.example", "eel@sea.example", "bare@sea.example"]
    assert row["author"] == "Bo Lake <bo@lake.example>"
    assert (row["starts_at"], row["ends_at"]) == (
        datetime(2020, 1, 21, 19, tzinfo=UTC),
        datetime(2020, 1, 21, 20, tzinfo=UTC),
    )
    assert (row["all_day"], row["recurrence"], row["status"]) == (
        True,
        "FREQ=DAILY;COUNT=3",
        "open",
    )
    assert (row["subject"], row["body"]) == ("Plan", "Line\nline")
    assert (row["place"], row["due_on"], row["contact_id"]) == (None, None, None)


def test_custom_field_definitions_become_fields_of_contacts() -> None:
    found = read("custom_fields", *FIELDS).frames["fields"]

    assert found.select("id", "entity", "key", "label", "type", "choices").rows() == [
        ("71", "contact", "Shoe_size", "Shoe size", "Text", None),
        ("72", "contact", "Likes", "Likes", "Multiple choice", ["Tea", "Rain"]),
    ]


# ---- answers and pages --------------------------------------------------------------------------


def test_an_answer_that_says_it_failed_is_an_error_whatever_http_says() -> None:
    with pytest.raises(AuthError, match="plan"):
        PROVIDER.check(
            page(json.dumps({"status": False, "code": 401, "message": "Forbidden"}).encode())
        )
    with pytest.raises(ServerError):  # it may pass: tried again
        PROVIDER.check(page(b'{"status": false, "data": []}'))
    with pytest.raises(ServerError):
        PROVIDER.check(page(b'{"status": true, "code": 503}'))


def test_an_answer_without_the_envelope_is_no_answer() -> None:
    for content in (b"{}", b"<html>", b"[]", body([SPARSE])[:-9], b""):
        with pytest.raises(TransportError):
            PROVIDER.check(page(content))


def test_a_refusal_that_is_not_json_is_told_by_its_status() -> None:
    with pytest.raises(ServerError) as caught:
        PROVIDER.check(page(b"<html>down</html>", status=502))

    assert caught.value.status == 502


@pytest.mark.parametrize("nothing", [b"[]", b"[ \n ]", b"null", b"{}"])
def test_a_page_without_data_is_the_end(nothing: bytes) -> None:
    follow = PROVIDER.resource("contacts").follow

    assert list(follow(page(b'{"status":true,"data":' + nothing + b"}", number=4))) == []
    assert list(follow(page(b'{"status":true,"code":200}', number=4))) == []


def test_a_short_page_is_not_the_end() -> None:
    follow = PROVIDER.resource("contacts").follow

    assert [r.params["page"] for r in follow(page(body([SPARSE]), number=1))] == ["2"]
    assert [r.params["page"] for r in follow(page(body([SPARSE]), number=4))] == [
        "5",
        "6",
        "7",
        "8",
    ]


def test_a_list_that_never_ends_is_an_error() -> None:
    follow = widening(lambda page: False, max_pages=16)

    with pytest.raises(PagingError, match="page 16"):
        list(follow(page(body([SPARSE]), number=16)))


def test_the_key_travels_in_its_header_only() -> None:
    signed = PROVIDER.sign(
        Request(path="/contact.list.json"), {"api_key": "k", "account_name": "sea"}
    )

    assert signed.headers == {"X-Relenta-Department-Key": "k"}
    assert signed.params == {}


@pytest.mark.parametrize("name", ["evil.example/", "a.b", "-a", "a-", "x" * 64, "a b", "sea#"])
def test_an_account_name_that_is_no_host_label_is_refused(name: str) -> None:
    with pytest.raises(CredentialError, match="Account name"):
        crmlab.Account("relenta", account_name=name, api_key="k")


def test_the_account_name_is_the_host() -> None:
    account = crmlab.Account("relenta", account_name="deep-sea", api_key="k")

    assert account.base_url == "https://deep-sea.relenta.com/api/v3"


# ---- servers that end a list in their own way ---------------------------------------------------

Answer = Callable[[int], tuple[int, bytes]]


@asynccontextmanager
async def served(
    answer: Answer, *, keys: tuple[str, ...] = ()
) -> AsyncIterator[tuple[crmlab.Account, list[int]]]:
    """Serve contacts page by page as `answer` says, and custom fields; yield the account and the pages asked."""
    asked: list[int] = []

    async def contacts(request: web.Request) -> web.Response:
        asked.append(int(request.query["page"]))
        status, content = answer(asked[-1])
        return web.Response(status=status, body=content, content_type="application/json")

    async def fields(request: web.Request) -> web.Response:
        assert not request.query
        known = [{"id": key, "type": "Text", "key": key, "label": key} for key in keys]
        return web.Response(body=body(known), content_type="application/json")

    app = web.Application()
    app.add_routes(
        [web.get("/contact.list.json", contacts), web.get("/custom_field.list.json", fields)]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield crmlab.Account("relenta", base_url=f"http://{host}:{port}", api_key="k"), asked
    finally:
        await runner.cleanup()


async def test_a_column_that_got_another_name_is_told() -> None:
    contacts = body([{**SPARSE, "account": "gold", "Title": "Baroness"}])

    async with served(
        lambda n: (200, contacts if n == 1 else body([])), keys=("account", "Title")
    ) as (account, _):
        data = await crmlab.fetch(account, "relenta.contacts", "contacts", limits=FAST)

    assert data["relenta.contacts"].select("account_", "Title_").rows() == [("gold", "Baroness")]
    note = data.summary.filter(pl.col("resource") == "contacts")["note"][0]
    assert (
        "columns named otherwise, since the name is taken: account_ for account, Title_ for Title"
        in note
    )
    assert [each["key"] for each in data.contacts["custom"][0]] == ["account", "Title"]


def contacts_of(number: int, size: int = 3) -> bytes:
    return body([{**SPARSE, "id": str(number * 1000 + n)} for n in range(size)])


ENDINGS: dict[str, Answer] = {
    "empty": lambda n: (200, contacts_of(n) if n <= 5 else body([])),
    "null": lambda n: (200, contacts_of(n) if n <= 5 else body(None)),
    "missing": lambda n: (200, contacts_of(n) if n <= 5 else b'{"status":true,"code":200}'),
    "last page again": lambda n: (200, contacts_of(min(n, 5))),
    "404": lambda n: (200, contacts_of(n)) if n <= 5 else (404, b'{"status":false,"code":404}'),
    "400": lambda n: (200, contacts_of(n)) if n <= 5 else (400, b"no such page"),
    "404 in the body": lambda n: (
        200,
        contacts_of(n) if n <= 5 else b'{"status":false,"code":404}',
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_list_is_read_to_its_end_however_it_ends(ending: str) -> None:
    async with served(ENDINGS[ending]) as (account, asked):
        data = await crmlab.fetch(account, "contacts", limits=FAST)

    assert sorted(data.contacts["id"]) == [str(n * 1000 + k) for n in range(1, 6) for k in range(3)]
    assert data.complete
    assert set(Counter(asked).values()) == {2}  # nothing counts the list: two readings must agree
    assert max(asked) <= 16


async def test_a_short_page_in_the_middle_ends_nothing() -> None:
    sizes = {1: 3, 2: 1, 3: 3, 4: 2}

    async with served(lambda n: (200, contacts_of(n, sizes.get(n, 0)))) as (account, _):
        data = await crmlab.fetch(account, "contacts", limits=FAST)

    assert data.contacts.height == 9


async def test_an_error_on_the_first_page_is_no_end() -> None:
    async with served(lambda n: (404, b'{"status":false,"code":404}')) as (account, asked):
        with pytest.raises(crmlab.errors.NotFoundError, match="contacts"):
            await crmlab.fetch(account, "contacts", limits=FAST)

    assert asked == [1]


async def test_a_record_that_moves_to_the_next_page_while_reading_comes_once() -> None:
    def answer(number: int) -> tuple[int, bytes]:
        ids = range((number - 1) * 3 - (number > 1), number * 3)
        return 200, body([{**SPARSE, "id": str(n)} for n in ids] if number <= 4 else [])

    async with served(answer) as (account, _):
        data = await crmlab.fetch(account, "contacts", limits=FAST)

    assert sorted(map(int, data.contacts["id"])) == list(range(12))


def test_what_is_assumed_is_said() -> None:
    assert any("first page" in sentence for sentence in PROVIDER.assumptions)
    assert any("end" in sentence for sentence in PROVIDER.assumptions)
    assert pl.Series(PROVIDER.assumptions).is_unique().all()


@pytest.mark.parametrize("label", ['a"b', "c\\d", "e\nf", "\x00"])
async def test_a_custom_field_may_have_any_name_and_any_value(serve: Serve, label: str) -> None:
    values = ["x", ["a"], {"b": 1}, 3, None]
    people = [
        {"id": str(number), "full_name": "Ann", label: value} for number, value in enumerate(values)
    ]
    fields = [{"id": "1", "type": "Text", "key": label, "label": label}]

    async def answer(request: web.Request) -> web.Response:
        listed = (
            fields
            if "custom_field" in request.path
            else people
            if request.query.get("page", "1") == "1"
            else []
        )
        return web.json_response({"status": True, "code": 200, "data": listed})

    account = crmlab.Account(
        "relenta", account_name="desk", api_key="k", base_url=await serve(answer)
    )
    data = await crmlab.fetch(account, "contacts", limits=FAST)

    assert data.rejected.height == 0
    found = [each and each[0]["value"] for each in data.contacts.sort("id")["custom"].to_list()]
    assert found == ["x", '["a"]', '{"b": 1}', "3", None]
