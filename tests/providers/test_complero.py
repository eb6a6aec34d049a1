from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest
from aiohttp import web

import crmlab
from crmlab import plots
from crmlab.catalogue import CATALOGUE, Choices, script
from crmlab.connector.page import Page
from crmlab.connector.request import Request
from crmlab.connector.resource import Context
from crmlab.decoding.decoder import RAW, Decoded, decoder
from crmlab.decoding.records import records
from crmlab.errors import ApiError, AuthError, RateLimitError, ServerError, TransportError
from crmlab.providers import complero
from crmlab.providers.complero import EVENT_TYPES, PROVIDER

FAST = crmlab.Limits(concurrency=10)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
CONTACT = {
    "id": "CRM/1 a",
    "birthday": "1970-01-01",
    "company": "Moss & Co",
    "data": {"free": ["form", 1.50]},
    "degree": "MA",
    "documentation": {"id": "doc"},
    "employee_id": "E 1/2",
    "first_name": "Ada",
    "language": "de",
    "last_name": "Moss",
    "position": "Captain",
    "section_private": {"email": "ada@home.example", "mobile": "+49 1", "city": "Nowhere"},
    "section_work": {
        "email": "ada@moss.example",
        "mobile_number": "+49 2",
        "phone": "",
        "street": 'Say "hi" \\ Road',
        "house_number": "4a",
        "city": "Ulm",
        "zip_code": "89073",
        "consents": {"email": True},
    },
    "tags": ["vip"],
    "a_new_field": 1,
}
EVENT = {"id": "e1", "type": "confirm", "created_at": "2026-01-02T03:04:05Z", "contact": CONTACT}


def page(content: object, **headers: str) -> Page:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    status = int(headers.pop("status", "200"))
    return Page(request=Request(path="/events"), status=status, headers=headers, body=body)


def read(name: str, content: object, *, raw: bool = False) -> Decoded:
    resource = PROVIDER.resource(name)
    reads = decoder(
        resource,
        Context(now=NOW),
        provider="complero",
        account="a",
        tables=resource.tables,
        raw=raw,
    )
    return reads(records(page(content), resource))


def requests(name: str, **context: Any) -> list[Request]:
    return list(PROVIDER.resource(name).requests(Context(now=NOW, **context)))


# ---- records ------------------------------------------------------------------------------------


def test_an_event_becomes_a_consent_event() -> None:
    row = read("events", [EVENT]).frames["consent_events"].row(0, named=True)

    assert (row["id"], row["kind"], row["contact_id"]) == ("e1/email", "confirm", "CRM/1 a")
    assert row["occurred_at"] == row["created_at"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (row["contact_email"], row["channel"]) == ("ada@moss.example", "email")
    assert row["has_documentation"] is True


def test_an_event_brings_its_contact() -> None:
    row = read("events", [EVENT]).frames["contacts"].row(0, named=True)

    assert row["id"] == "CRM/1 a"
    assert row["modified_at"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (row["full_name"], row["job_title"], row["company_name"]) == (
        "Ada Moss",
        "Captain",
        "Moss & Co",
    )
    assert row["emails"] == ["ada@moss.example", "ada@home.example"]
    assert row["phones"] == ["+49 2", "+49 1"]
    assert (row["street"], row["city"], row["zip_code"]) == ('Say "hi" \\ Road 4a', "Ulm", "89073")
    assert (row["language"], row["tags"], row["owner_id"]) == ("de", ["vip"], "E 1/2")


def test_an_address_is_never_mixed_from_work_and_home() -> None:
    home_only = {**CONTACT, "section_work": {"email": "x@y.example"}}

    row = read("events", [{**EVENT, "contact": home_only}]).frames["contacts"].row(0, named=True)

    assert (row["street"], row["city"], row["zip_code"]) == (None, "Nowhere", None)


@pytest.mark.parametrize(
    ("section", "emails", "phones"),
    [
        ({"email": "Ada Moss <ada@moss.example>"}, ["Ada Moss <ada@moss.example>"], None),
        ({"email": " ada@moss.example "}, ["ada@moss.example"], None),
        ({"email": "a@x.example; b@x.example"}, ["a@x.example; b@x.example"], None),
        ({"note": "never write to ada@moss.example"}, None, None),
        ({"note": 'she said "ada@moss.example"'}, None, None),
        ({"phone": 353209113647, "mobile": "+49 2"}, None, ["353209113647", "+49 2"]),
        ({"phone": "+49 2", "phone_consent_at": "2026-01-05"}, None, ["+49 2"]),
    ],
)
def test_addresses_and_numbers_of_a_section_are_found_as_people_write_them(
    section: dict[str, Any], emails: list[str] | None, phones: list[str] | None
) -> None:
    contact = {**CONTACT, "section_work": section, "section_private": None}

    frames = read("events", [{**EVENT, "contact": contact}]).frames

    assert frames["contacts"].select("emails", "phones").row(0) == (emails, phones)
    assert frames["consent_events"]["contact_email"].item() == (emails[0] if emails else None)


def test_empty_events_and_events_without_a_contact_are_accepted() -> None:
    alone = {"id": "e2", "type": "update", "created_at": "2026-01-02T03:04:05Z"}

    found = read(
        "events",
        [EVENT, {}, alone, {**alone, "id": "e3", "contact": None}, {**alone, "contact": {}}],
    )

    events = found.frames["consent_events"]
    assert found.rejected.is_empty()
    assert events["id"].to_list() == ["e1/email", "e2", "e3", "e2"]
    assert events["contact_id"].to_list() == ["CRM/1 a", None, None, None]
    assert events["has_documentation"].to_list() == [True, None, None, None]
    assert found.frames["contacts"].height == 1


def test_ids_and_times_are_found_under_each_of_their_names() -> None:
    found = read(
        "events",
        [
            {"event_id": 7, "type": "update", "timestamp": "2026-01-01T00:00:00.250+02:00"},
            {
                "id": "8",
                "type": "update",
                "occurred_at": "2026-01-01T00:00:00Z",
                "created_at": "2026-02-01T00:00:00Z",
            },
        ],
    ).frames["consent_events"]

    assert found["id"].to_list() == ["7", "8"]
    assert found["occurred_at"].to_list() == [
        datetime(2025, 12, 31, 22, 0, 0, 250_000, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=UTC),
    ]


def test_an_event_without_id_gets_one_from_its_content() -> None:
    nameless = {name: value for name, value in EVENT.items() if name != "id"}
    other = {**nameless, "created_at": "2026-01-02T03:04:06Z"}

    first = read("events", [nameless, other, nameless]).frames["consent_events"]["id"].to_list()
    later = read("events", [{}, nameless]).frames["consent_events"]["id"].to_list()

    assert first[0] == first[2] == later[0]
    assert first[0] != first[1]
    assert len(first[0].removesuffix("/email")) == 32


def test_events_that_differ_only_in_what_nobody_documented_get_ids_of_their_own() -> None:
    nameless = {"type": "update", "created_at": "2026-01-02T03:04:05Z"}
    reordered = {
        "created_at": "2026-01-02T03:04:05Z",
        "campaign": {"b": 1, "a": 2},
        "type": "update",
    }

    found = read(
        "events", [nameless, {**nameless, "campaign": {"a": 2, "b": 1}}, reordered], raw=True
    )

    ids = found.frames["consent_events"]["id"].to_list()
    assert ids[0] != ids[1]
    assert ids[1] == ids[2]
    assert found.frames[RAW]["fingerprint"].to_list() == ids


def test_the_id_of_a_nameless_event_is_the_same_in_every_version() -> None:
    found = read("events", [{"type": "update", "created_at": "2026-01-01T00:00:00Z"}]).frames[
        "consent_events"
    ]

    assert found["id"].to_list() == ["0e37796596f66c19b55c6fa3dedabeb3"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "home", "said"),
    [
        ({"consents": {"email": False, "sms": True}}, {}, {"email": False, "sms": True}),
        ({"consents": {"email": False}, "is_primary": True}, {}, {"email": False}),
        (
            {"consents": {"email": False}},
            {"consents": {"phone": True}},
            {"email": False, "phone": True},
        ),
        ({"consents": {"email": False}}, {"consents": {"email": False}}, {"email": False}),
        ({"consents": {"email": "false"}}, {}, {"email": False}),
        ({}, {}, {None: None}),
    ],
)
def test_an_event_that_shows_several_channels_is_a_decision_about_each(
    work: dict[str, Any], home: dict[str, Any], said: dict[str | None, bool | None]
) -> None:
    contact = {**CONTACT, "section_work": work, "section_private": home}

    found = read("events", [{**EVENT, "contact": contact}]).frames["consent_events"]

    assert dict(found.select("channel", "opted_in").rows()) == said
    assert found["id"].n_unique() == len(said)
    assert found["id"].str.starts_with("e1").all()


def test_each_channel_and_purpose_is_a_row_and_received_counts_events() -> None:
    consents = {"email": {"marketing": True, "service": False}, "sms": False}
    contact = {**CONTACT, "section_work": {"consents": consents}}

    found = read("events", [{**EVENT, "contact": contact}])

    assert found.frames["consent_events"].select("id", "channel", "purpose", "opted_in").rows() == [
        ("e1/email/marketing", "email", "marketing", True),
        ("e1/email/service", "email", "service", False),
        ("e1/sms", "sms", None, False),
    ]
    assert found.frames["consent_events"]["contact_id"].to_list() == ["CRM/1 a"] * 3
    assert found.keys.height == 1


def test_what_names_no_channel_is_about_that_of_the_event() -> None:
    several = {**CONTACT, "section_work": {"consents": {"email": False, "sms": True}}}
    general = {**CONTACT, "section_work": {"consent": True}}
    silent = {**CONTACT, "section_work": {}}
    events = [{**EVENT, "channel": "sms", "contact": each} for each in (several, general, silent)]

    found = read("events", events).frames["consent_events"]

    assert found.select("channel", "opted_in").rows() == [
        ("email", False), ("sms", True), ("sms", True), ("sms", None),
    ]  # fmt: skip


def test_a_consent_that_cannot_be_read_is_a_misfit_and_decides_nothing() -> None:
    unclear = {**CONTACT, "section_work": {"consents": {"email": "perhaps", "sms": True}}}
    divided = {
        **CONTACT,
        "section_work": {"email_consent": True},
        "section_private": {"consents": {"email": False}},
    }

    events = [
        {**EVENT, "contact": unclear},
        {**EVENT, "id": "e2", "contact": divided},
        {
            **EVENT,
            "id": "e3",
            "consents": {"email": "perhaps"},
            "contact": {**CONTACT, "section_work": {}},
        },
        {**EVENT, "id": "e4", "type": "create", "contact": unclear},
    ]
    found = read("events", events)

    assert found.frames["consent_events"].select("id", "opted_in").rows() == [
        ("e1/email", None), ("e1/sms", True), ("e2/email", None), ("e3/email", None), ("e4/email", None),
        ("e4/sms", None),
    ]  # fmt: skip
    assert found.misfits.select("id", "raw").rows() == [
        ("e1", '"perhaps"'), ("e2", '"false and true"'), ("e3", '"perhaps"'),
    ]  # fmt: skip


def test_a_no_stays_one_beside_what_cannot_be_read_which_is_told() -> None:
    contact = {
        **CONTACT,
        "section_work": {"consents": {"email": {"granted": False, "status": "active"}}},
    }

    found = read("events", [{**EVENT, "contact": contact}])

    assert found.frames["consent_events"]["opted_in"].to_list() == [False]
    assert found.misfits["raw"].to_list() == ['"active"']


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "opted_in", "step"),
    [("confirm", False, "confirmation"), ("update", False, None), (" Update", False, None), ("create", None, "request"),
     ("sync", None, None), ("documentation", None, None), ("smiled", None, None)],
)  # fmt: skip
def test_only_what_a_person_confirms_or_changes_is_decided(
    kind: str, opted_in: bool | None, step: str | None
) -> None:
    contact = {**CONTACT, "section_work": {"consents": {"email": False}}, "section_private": None}

    found = read("events", [{**EVENT, "type": kind, "contact": contact}])

    assert found.frames["consent_events"].select("opted_in", "step").rows() == [(opted_in, step)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "home", "opted_in"),
    [
        ({"sms": True}, {}, True),
        ({}, {"sms": False}, False),
        ({"sms": True}, {"sms": True}, True),
        ({"sms": True}, {"sms": False}, None),
        ({}, {}, None),
    ],
)
def test_what_was_said_is_known_where_the_sections_agree(
    work: dict[str, bool], home: dict[str, bool], opted_in: bool | None
) -> None:
    contact = {**CONTACT, "section_work": {"consents": work}, "section_private": {"consents": home}}

    found = read("events", [{**EVENT, "contact": contact}]).frames["consent_events"]

    assert found["opted_in"].to_list() == [opted_in]


@pytest.mark.slow
@pytest.mark.parametrize(
    "section",
    [
        {"emails": [{"value": "ada@moss.example"}], "consent": {"sms": {"given": True}}},
        [{"kind": "work", "address": "ada@moss.example"}],
        "ada@moss.example",
        None,
    ],
)
def test_a_section_of_another_shape_costs_no_record(section: object) -> None:
    contact = {**CONTACT, "section_work": section, "section_private": {}}

    found = read("events", [{**EVENT, "contact": contact}])

    assert found.rejected.is_empty()
    assert found.frames["contacts"]["id"].to_list() == ["CRM/1 a"]


def test_a_contact_that_is_no_object_is_rejected_and_costs_only_itself() -> None:
    found = read("events", [EVENT, {**EVENT, "id": "e2", "contact": ["odd"]}])

    assert found.frames["consent_events"]["id"].to_list() == ["e1/email"]
    assert found.rejected.height == 1
    assert "odd" in found.rejected["raw"][0]


def test_the_raw_event_keeps_the_contact_as_it_came() -> None:
    raw = read("events", [EVENT], raw=True).frames[RAW]

    assert json.loads(raw["contact"][0]) == CONTACT


def test_an_empty_documentation_is_none() -> None:
    contact = {**CONTACT, "documentation": {}}
    kinds = [
        {**EVENT, "contact": contact, "id": kind, "type": kind}
        for kind in ("update", "documentation")
    ]

    found = read("events", kinds).frames["consent_events"]

    assert found["has_documentation"].to_list() == [False, True]


def test_an_employee_is_a_user() -> None:
    employee = {
        "id": "E 1/2", "email": "bo@lake.example", "first_name": "Bo", "last_name": "Lake", "position": "Agent",
        "department": "North", "phone_number": "+49 3", "tags": [], "data": {"any": "thing"},
    }  # fmt: skip

    found = read("employees", employee).frames["users"]

    assert found.select("id", "name", "email", "role", "company", "phone").rows() == [
        ("E 1/2", "Bo Lake", "bo@lake.example", "Agent", "North", "+49 3")
    ]


def test_an_operation_counts_its_items() -> None:
    operation = {
        "created_at": "2026-01-01T00:00:00Z",
        "id": "o",
        "model": "Contact",
        "status": "pending",
        "type": "u",
    }
    items = [[{"id": "1"}, {"id": "2"}], ["1"], [], None, {"count": 2}]

    found = read(
        "operations", [{**operation, "id": str(n), "items": each} for n, each in enumerate(items)]
    )

    assert found.rejected.is_empty()
    assert found.frames["operations"]["items_count"].to_list() == [2, 1, 0, None, None]
    assert found.frames["operations"].row(0, named=True)["status"] == "pending"


# ---- requests and answers -----------------------------------------------------------------------


def test_each_type_of_event_is_a_list_of_its_own() -> None:
    asked = requests("events")

    assert [request.params for request in asked] == [
        {"limit": "1000", "type": kind} for kind in ("confirm", "update", "documentation")
    ]


def test_a_period_is_asked_for_with_a_second_to_spare() -> None:
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, 12, tzinfo=UTC)

    for name in ("events", "operations"):
        request = requests(name, since=since, until=until)[0]
        assert (request.params["from"], request.params["to"]) == (
            "2025-12-31T23:59:59Z",
            "2026-02-01T12:00:01Z",
        )


def test_the_cursor_of_the_header_is_sent_with_the_same_filters() -> None:
    request = requests("events")[0]
    answer = Page(request=request, status=200, headers={"next-cursor": "MDA="}, body=b"[]")

    (following,) = PROVIDER.resource("events").follow(answer)

    assert following.params == {**request.params, "cursor": "MDA="}
    assert following.path == request.path


def test_the_last_page_has_no_cursor() -> None:
    assert list(PROVIDER.resource("events").follow(page([EVENT]))) == []


def test_each_employee_is_asked_for_once_with_the_id_escaped() -> None:
    ids = ["E 1/2", "E3", "E 1/2", "", None]
    rows = pl.DataFrame({"employee_id": ids})

    asked = requests("employees", rows={"events": rows})

    assert [request.path for request in asked] == ["/employees/E%201%2F2", "/employees/E3"]


def test_a_path_can_be_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(complero.PATHS, "events", "/contact-updates")

    assert requests("events")[0].path == "/contact-updates"


def test_ids_are_escaped_in_operations() -> None:
    operations = {operation.name: operation for operation in PROVIDER.operations()}

    assert operations["get_contact"].request(id="a/b c?").path == "/contacts/a%2Fb%20c%3F"
    assert operations["get_employee"].request(id="..a").path == "/employees/..a"
    assert operations["get_operation"].request(id="1").path == "/operations/1"
    assert operations["get_latest_events"].destructive


def test_a_path_can_be_corrected_for_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(complero.PATHS, "contact", "/people/{id}")

    operations = {operation.name: operation for operation in PROVIDER.operations()}

    assert operations["get_contact"].request(id="1").path == "/people/1"


def test_only_the_read_that_consumes_is_destructive() -> None:
    assert [resource.name for resource in PROVIDER.resources if resource.destructive] == [
        "latest_events"
    ]


def test_refusals_say_what_the_service_said() -> None:
    refusal = {"message": "invalid", "validation_errors": {"from": "v1c001"}}

    with pytest.raises(ApiError, match=r"invalid .*v1c001.*request r-1"):
        PROVIDER.check(page(refusal, status="400", **{"request-id": "r-1"}))
    with pytest.raises(AuthError):
        PROVIDER.check(page(b"<html>", status="401"))
    with pytest.raises(RateLimitError):
        PROVIDER.check(page({}, status="429"))
    with pytest.raises(ServerError):
        PROVIDER.check(page([], status="503"))


@pytest.mark.parametrize("content", [b"<html>", b'[{"id":', b"", b"[] []"])
def test_what_is_not_json_is_no_answer(content: bytes) -> None:
    with pytest.raises(TransportError):
        PROVIDER.check(page(content))


def test_the_key_is_a_bearer_token() -> None:
    signed = PROVIDER.sign(Request(path="/events"), {"api_key": "k"})

    assert signed.headers == {"Authorization": "Bearer k"}


def test_every_guessed_path_is_said_to_be_one() -> None:
    said = " ".join(PROVIDER.assumptions)

    assert all(where in said for name, where in complero.PATHS.items() if name != "ping")


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_a_long_list_goes_on_in_slices_that_keep_what_was_asked_for(order: str) -> None:
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    first = requests("events", since=since, until=until)[0]
    day = [f"2026-01-01T{hour:02}:00:00Z" for hour in range(24)]
    if order == "descending":
        day = [f"2026-01-31T{hour:02}:00:00Z" for hour in reversed(range(24))]
    body = json.dumps([{"id": time, "created_at": time} for time in day] + [{}]).encode()
    answer = Page(request=first, status=200, headers={"next-cursor": "a"}, body=body)

    parts = list(PROVIDER.resource("events").follow(answer))

    assert len(parts) == 7  # of four days and more
    assert {(part.path, part.params["type"], part.params["limit"]) for part in parts} == {
        ("/events", "confirm", "1000")
    }
    assert (parts[0].params["from"], parts[-1].params["to"]) == (
        first.params["from"],
        first.params["to"],
    )
    assert not any("cursor" in part.params for part in parts)


def test_a_body_that_is_no_list_of_objects_is_followed_by_its_cursor() -> None:
    for body in (b'{"id": "1"}', b"null", b'[{"id": "1"}, null]'):
        answer = Page(
            request=requests("events")[0], status=200, headers={"next-cursor": "a"}, body=body
        )

        assert [each.params["cursor"] for each in PROVIDER.resource("events").follow(answer)] == [
            "a"
        ]


@pytest.mark.slow
async def test_small_pages_are_read_in_slices_to_the_end() -> None:
    since = NOW - timedelta(days=400)
    async with crmlab.sandbox(rows=400, now=NOW, services=["complero"]) as accounts:
        account = crmlab.Account(
            "complero",
            base_url=accounts[0].base_url,
            api_key="sandbox-complero-key",
            facts={"page_size": 10},
        )
        everything = await crmlab.fetch(account, "consent_events", "operations", limits=FAST)
        some = await crmlab.fetch(account, "consent_events", "operations", since=since, limits=FAST)
        world = accounts.world

    known = {person.id for person in world.people_in("complero")}
    events = {
        event.id: event.at
        for event in world.consent_events
        if event.person_id in known and event.kind in EVENT_TYPES
    }
    assert event_ids(everything) == set(events)
    assert event_ids(some) == {id for id, at in events.items() if at >= since}
    assert set(everything.operations["id"]) == {operation.id for operation in world.operations}
    assert everything.complete
    assert some.complete


def event_ids(data: crmlab.Fetched) -> set[str]:
    """Return the ids of the events, of which each channel is a row."""
    return set(data.consent_events["id"].str.split("/").list.first())


# ---- servers of other habits --------------------------------------------------------------------

Answer = Callable[[web.Request], web.Response]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[tuple[crmlab.Account, list[str]]]:
    """Serve every path as `answer` says; yield the account and what was asked."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        return answer(request)

    app = web.Application()
    app.router.add_get("/{anything:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield crmlab.Account("complero", base_url=f"http://{host}:{port}", api_key="k"), asked
    finally:
        await runner.cleanup()


async def test_a_service_that_knows_no_documentation_filter_gives_the_other_types() -> None:
    def answer(request: web.Request) -> web.Response:
        kind = request.query["type"]
        return web.json_response(
            [{**EVENT, "id": kind}], status=400 if kind == "documentation" else 200
        )

    async with served(answer) as (account, _):
        data = await crmlab.fetch(account, "consent_events", limits=FAST)

    assert sorted(data.consent_events["id"]) == ["confirm/email", "update/email"]
    assert not data.failures


async def test_a_service_that_ignores_the_type_gives_every_event_once() -> None:
    async with served(lambda request: web.json_response([EVENT, {**EVENT, "id": "e2"}])) as (
        account,
        _,
    ):
        data = await crmlab.fetch(account, "consent_events", "contacts", limits=FAST)

    assert sorted(data.consent_events["id"]) == ["e1/email", "e2/email"]
    assert data.contacts.height == 1


async def test_a_kind_that_nobody_knows_is_kept_decides_nothing_and_is_told() -> None:
    events = [EVENT, {**EVENT, "id": "e2", "type": "smiled"}]

    async with served(lambda request: web.json_response(events)) as (account, _):
        data = await crmlab.fetch(account, "consent_events", limits=FAST)

    assert dict(data.consent_events.select("kind", "opted_in").rows()) == {
        "confirm": True,
        "smiled": None,
    }
    assert "words nobody knows, which decide nothing: smiled" in data.summary["note"][0]
    assert data.summary["unread"].to_list() == [1]


async def test_consents_that_could_not_be_read_are_counted_wherever_consent_is_shown(
    tmp_path: Path,
) -> None:
    odd = {
        **CONTACT,
        "section_work": {"consents": {"email": "perhaps", "sms": "maybe", "phone": True}},
    }
    events = [EVENT, {**EVENT, "id": "e2", "contact": odd}]

    async with served(lambda request: web.json_response(events)) as (account, _):
        data = await crmlab.fetch(account, "consent_events", "contacts", limits=FAST)

    assert dict(data.summary.select("table", "unread").rows()) == {
        "contacts": 0,
        "consent_events": 2,
    }
    said = "2 values of consent_events of complero could not be read"
    assert said in plots.consent_rate(data).layout.title.subtitle.text
    shown = script(
        CATALOGUE["consent_rate"], Choices(), data, asked=data.asked, summary=data.summary
    )
    assert "plots.with_notes(" in shown
    assert said in plots.with_notes(go.Figure(), data, "consent_events").layout.title.subtitle.text
    assert said not in str(plots.people_overlap(data).layout.title.subtitle.text)
    report = data.masked().report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert report.count(said) > len(["the summary"])


async def test_a_cursor_that_comes_again_ends_the_list() -> None:
    def answer(request: web.Request) -> web.Response:
        number = request.query.get("cursor", "0")
        return web.json_response(
            [{**EVENT, "id": number + request.query["type"]}], headers={"Next-Cursor": "1"}
        )

    async with served(answer) as (account, asked):
        data = await crmlab.fetch(account, "consent_events", limits=FAST)

    assert data.consent_events.height == 6
    assert len(asked) == 6


async def test_the_newest_event_of_a_contact_wins() -> None:
    def answer(request: web.Request) -> web.Response:
        months = {"confirm": 3, "update": 5, "documentation": 4}
        month = months[request.query["type"]]
        contact = {**CONTACT, "last_name": request.query["type"]}
        event = {"id": str(month), "created_at": f"2026-0{month}-01T00:00:00Z", "contact": contact}
        return web.json_response([event])

    async with served(answer) as (account, _):
        data = await crmlab.fetch(account, "contacts", limits=FAST)

    assert data.contacts["last_name"].to_list() == ["update"]


async def test_an_employee_who_is_gone_costs_no_other() -> None:
    def answer(request: web.Request) -> web.Response:
        if request.path == "/events":
            owners = [
                {**EVENT, "id": n, "contact": {**CONTACT, "employee_id": n}} for n in ("1", "2")
            ]
            return web.json_response(owners)
        if request.path == "/employees/1":
            return web.json_response({"message": "not found"}, status=404)
        return web.json_response({"id": "2", "first_name": "Bo"})

    async with served(answer) as (account, _):
        data = await crmlab.fetch(account, "users", limits=FAST)

    assert data.users["id"].to_list() == ["2"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("window", "ignores"),
    [
        ({}, False),
        ({"since": datetime(2026, 1, 5, tzinfo=UTC)}, True),
        ({"until": datetime(2026, 1, 5, tzinfo=UTC)}, True),
        (
            {"since": datetime(2026, 1, 2, tzinfo=UTC), "until": datetime(2026, 1, 4, tzinfo=UTC)},
            True,
        ),
        ({"since": datetime(2026, 1, 5, tzinfo=UTC)}, False),
        ({"until": datetime(2026, 1, 5, tzinfo=UTC)}, False),
    ],
)
async def test_a_service_that_ignores_from_and_to_is_told_and_shared_tables_hold_the_period(
    window: dict[str, Any], *, ignores: bool
) -> None:
    """Ten events, a day apart; shared tables leave out what was not asked for, the service's own records hold it."""
    events = [
        {**EVENT, "id": f"e{day}", "created_at": f"2026-01-{day:02}T00:00:00Z"}
        for day in range(1, 11)
    ]

    def answer(request: web.Request) -> web.Response:
        if request.query["type"] != "confirm":
            return web.json_response([])
        begin, end = request.query.get("from", "2000"), request.query.get("to", "3000")
        return web.json_response(
            [each for each in events if ignores or begin <= each["created_at"] <= end]
        )

    async with served(answer) as (account, _):
        data = await crmlab.fetch(
            account, "consent_events", "complero.events", **window, limits=FAST
        )

    times = data.consent_events["occurred_at"]
    assert times.min() >= window.get("since", times.min())
    assert times.max() < window.get("until", NOW)
    assert data["complero.events"].height == (
        10 if ignores or not window else times.len() + ("until" in window)
    )
    assert data.complete
    assert ("records of other times came" in data.summary["note"][0]) == ignores


@pytest.mark.parametrize(
    ("headers", "note"),
    [
        ({"X-Next-Cursor": "abc"}, "there is the header x-next-cursor, which nobody documents"),
        (
            {"Link": '<https://api.complero.com/v1/events?cursor=abc>; rel="next"'},
            "there is the header link,",
        ),
        ({"X-Has-More": "1"}, "there is the header x-has-more"),
        ({"X-Total-Count": "90"}, "answers count 90, 37 came"),
        ({"X-Total-Count": "37", "Link": "</style.css>; rel=preload", "X-Next-Cursor": "null"}, ""),
        ({"Next-Cursor": "", "Next-Link": "", "X-RateLimit-Remaining": "90"}, ""),
    ],
)
async def test_headers_that_speak_against_the_end_of_a_list_are_told(
    headers: dict[str, str], note: str
) -> None:
    """A service that caps its pages at 37, and names the next page or the count where nobody documents it."""
    events = [{**EVENT, "id": f"e{each}"} for each in range(37)]

    def answer(request: web.Request) -> web.Response:
        is_asked = request.query["type"] == "confirm"
        return web.json_response(events if is_asked else [], headers=headers if is_asked else {})

    async with served(answer) as (account, _):
        data = await crmlab.fetch(account, "complero.events", limits=FAST)

    assert data["complero.events"].height == 37
    assert data.complete == (not note)
    assert note in data.summary["note"][0]
