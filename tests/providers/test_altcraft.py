from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import crmlab
from crmlab.connector.page import Page
from crmlab.connector.request import Request
from crmlab.connector.resource import Context
from crmlab.decoding.decoder import RAW, Decoded, decoder
from crmlab.decoding.records import records
from crmlab.errors import (
    ApiError,
    AuthError,
    CredentialError,
    NotFoundError,
    ServerError,
    TransportError,
)
from crmlab.providers.altcraft import LONG_AGO, PROVIDER
from crmlab.providers.altcraft.views import CONSENT_ACTIONS, HISTORY, UNKNOWN_ACTIONS

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
EVENT = {
    "xxh": "00aa11bb22cc33dd",
    "profile_id": "0123456789abcdef01234567",
    "email": "ada@moss.example",
    "list_id": 3,
    "action": "send",
    "count": 1,
    "datetime": "2026-03-04T05:06:07.089Z",
    "message_id": 12,
    "campaign_id": 40,
    "event_id": "fedcba9876543210fedcba98",
    "smid": "s1",
    "campaign_name": "Tulips",
    "message_name": "Tulips, red",
    "subscription": {
        "resource_id": 9,
        "resource_name": "Garden",
        "channel": "email",
        "status": "subscribed",
    },
    "channel": "email",
}
OLD_EVENT = {
    "xxh": "00aa11bb22cc33dd",
    "email": "ada@moss.example",
    "list_id": 3,
    "action": "unsubscribe",
    "datetime": "2019-03-04T05:06:07.089Z",
    "message_id": 12,
}
PROFILE = {
    "id": "0123456789abcdef01234567",
    "db_id": 3,
    "email": "ada@moss.example",
    "phones": ["+44 20 1", ""],
    "_fname": "Ada",
    "_lname": "Moss",
    "_city": "Hull",
    "_region": "Yorkshire",
    "_country": "GB",
    "_status": 0,
    "_createtime": "2020-01-02T03:04:05Z",
    "_regdate": "2020-01-02T03:04:06.5Z",
    "Shoe size": 44,
    "subscriptions": [
        {"resource_id": 9, "channel": "email", "status": 0, "email_data": {"email": "a@m.example"}}
    ],
}


def envelope(data: Any, **more: Any) -> bytes:
    return json.dumps({"error": 0, "error_text": "ok", "data": data, **more}, indent=1).encode()


def page(content: bytes, *, status: int = 200, **body: Any) -> Page:
    request = Request(path="/some/list", method="POST", body=body)
    return Page(request=request, status=status, headers={}, body=content)


def read(
    name: str, data: Any, *, tags: dict[str, str] | None = None, rows: Any = None, **options: str
) -> Decoded:
    resource = PROVIDER.resource(name)
    context = Context(now=NOW, options=options, rows=rows or {})
    reads = decoder(
        resource, context, provider="altcraft", account="a", tables=resource.tables, raw=True
    )
    request = Request(path="/x", method="POST", body={}, tags=tags or {})
    found = Page(request=request, status=200, headers={}, body=envelope(data))
    return reads(records(found, resource, whole=True))


def asked(name: str, rows: dict[str, list[Any]] | None = None, **times: datetime) -> list[Request]:
    frames = {parent: pl.DataFrame(records) for parent, records in (rows or {}).items()}
    return list(PROVIDER.resource(name).requests(Context(now=NOW, rows=frames, **times)))


def walk(name: str, first: Request, answers: Any, *, most: int = 50) -> Iterator[Request]:
    """Every request that the engine would send: what was asked already is not asked again."""
    open_ends, seen = [first], set()
    while open_ends and len(seen) < most:
        request = open_ends.pop()
        if request.key in seen:
            continue
        seen.add(request.key)
        yield request
        content = answers(request.body["from_id"])
        found = Page(request=request, status=200, headers={}, body=content)
        open_ends += PROVIDER.resource(name).follow(found)


# ---- signing and errors -------------------------------------------------------------------------


def test_the_token_goes_into_the_header_and_on_demand_into_the_body() -> None:
    request = Request(path="/databases/list", method="POST", body={"limit": 1})

    header = PROVIDER.sign(request, {"token": "t0p", "token_in": "header"})
    body = PROVIDER.sign(request, {"token": "t0p", "token_in": "body"})

    assert (header.headers, header.body) == ({"Authorization": "Bearer t0p"}, {"limit": 1})
    assert (body.headers, body.body) == ({}, {"limit": 1, "token": "t0p"})
    assert "t0p" not in repr((header, body))


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (400, ApiError, 400),
        (401, AuthError, 401),
        ("403", AuthError, 403),
        (404, NotFoundError, 404),
        (413, ApiError, 413),
        (500, ServerError, 500),
        (501, NotFoundError, 501),
        (7, ApiError, 200),
    ],
)
def test_an_error_in_the_envelope_is_one_whatever_the_http_status(
    error: int | str, kind: type[ApiError], status: int
) -> None:
    with pytest.raises(kind) as refused:
        PROVIDER.check(page(json.dumps({"error": error, "error_text": "no"}).encode()))

    assert type(refused.value) is kind
    assert (refused.value.status, refused.value.code, refused.value.detail) == (
        status,
        str(error),
        "no",
    )


@pytest.mark.parametrize(
    "content", [b"<html>", b"", b"[]", b"{}", b'{"data": []}', b'{"error": 0, "data": [']
)
def test_a_body_without_the_envelope_is_no_answer(content: bytes) -> None:
    with pytest.raises(TransportError):
        PROVIDER.check(page(content))


def test_a_gateways_page_is_the_error_of_its_status() -> None:
    with pytest.raises(ServerError) as refused:
        PROVIDER.check(page(b"<html>Bad gateway</html>", status=502))

    assert refused.value.status == 502


@pytest.mark.parametrize("host", ["evil.example/x?", "a b", "user@host", "-x", "host:99999999"])
def test_a_host_is_a_host_and_nothing_else(host: str) -> None:
    with pytest.raises(CredentialError, match="Host"):
        crmlab.Account("altcraft", host=host, token="t")


def test_the_host_becomes_part_of_the_address() -> None:
    assert crmlab.Account("altcraft", token="t").base_url == "https://ru.altkraft.com/api/v1.1"
    own = crmlab.Account("altcraft", token="t", host="mail.moss.example:8443")
    assert own.base_url == "https://mail.moss.example:8443/api/v1.1"


# ---- paging -------------------------------------------------------------------------------------


def test_objects_are_followed_until_an_empty_page() -> None:
    pages = {
        1: envelope([{"id": 5}, {"id": 7}], next_from_id=8),
        8: envelope([{"id": 8}], next_from_id="9"),
    }

    sent = list(
        walk("databases", asked("databases")[0], lambda start: pages.get(start, envelope([])))
    )

    assert [request.body["from_id"] for request in sent] == [1, 8, 9]


@pytest.mark.parametrize("following", [2, 1, 0, None, "", "x", -3])
def test_a_list_that_points_back_at_itself_ends(following: Any) -> None:
    """The vendor's own example names the last object, 2, as the next one after 1 and 2."""

    def answer(start: int) -> bytes:
        return envelope(
            [{"id": i} for i in (1, 2) if i >= start], next_from_id=following, total_count=2
        )

    sent = list(walk("segments", asked("segments")[0], answer))

    assert [request.body["from_id"] for request in sent] in ([1], [1, 2])


@pytest.mark.parametrize("following", ["", None, "same"])
@pytest.mark.parametrize("name", ["profiles", "subscriptions", "history"])
def test_a_pointer_that_is_absent_or_unchanged_is_the_end(name: str, following: str | None) -> None:
    first = asked(name, {"databases": [{"id": "1"}], "resources": [{"id": "1"}]})[0]

    def answer(start: str) -> bytes:
        return envelope([{"id": "a"}], next_from_id="same" if start == "" else following)

    assert [request.body["from_id"] for request in walk(name, first, answer)] == ["", "same"]


@pytest.mark.parametrize("name", ["profiles", "subscriptions", "history"])
def test_a_full_page_that_names_itself_is_no_end(name: str) -> None:
    first = asked(name, {"databases": [{"id": "1"}], "resources": [{"id": "1"}]})[0]
    request = first.with_body(from_id="same")
    content = envelope([{"id": str(number)} for number in range(40)], next_from_id="same")
    found = Page(request=request, status=200, headers={}, body=content)

    named = [*PROVIDER.resource(name).follow(found)]

    assert [each.key for each in named] == [request.key]  # so it is told that a cursor leads back


def test_an_empty_page_that_points_on_is_followed_once() -> None:
    first = Request(path="/x", method="POST", body={"from_id": ""})

    sent = walk("subscriptions", first, lambda start: envelope([], next_from_id=start + "x"))

    assert next(sent).body["from_id"] == ""
    assert next(sent).body["from_id"] == "x"
    follow = PROVIDER.resource("history").follow
    assert (follow.max_barren, follow.empty_is_end) == (2, True)


def test_a_page_keeps_its_tags_and_limit_while_it_is_followed() -> None:
    first = asked("subscriptions", {"resources": [{"id": "4"}]})[0]

    second = list(walk("subscriptions", first, lambda start: envelope([{}], next_from_id="p")))[1]

    assert (second.tags, second.body) == (
        {"resource_id": "4"},
        {"resource_id": 4, "from_id": "p", "limit": 1000},
    )


# ---- what is asked ------------------------------------------------------------------------------


def test_history_is_one_window_for_each_database_without_since() -> None:
    sent = asked("history", {"databases": [{"id": "1"}, {"id": "x2"}]})

    assert [request.body["list_id"] for request in sent] == [1, "x2"]
    assert {(request.body["date_from"], request.body["date_to"]) for request in sent} == {
        (LONG_AGO.isoformat(), "2026-11-03")
    }


def test_history_since_a_time_begins_a_day_earlier_and_ends_two_days_later() -> None:
    since, until = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)

    sent = asked("history", {"databases": [{"id": "1"}]}, since=since, until=until)

    assert [(r.body["date_from"], r.body["date_to"]) for r in sent] == [
        ("2026-01-31", "2026-03-03")
    ]


def history(people: int, days: int, *, per_page: int, last_day: bool) -> list[Request]:
    """What is asked to read a history whole: its pages are of profiles, by their hash."""
    chance = random.Random(people + days)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    events = [
        (
            f"{chance.getrandbits(64):016x}",
            start + timedelta(days=chance.randrange(days), hours=chance.randrange(24)),
        )
        for _ in range(people)
    ]
    events += [
        (profile, at + timedelta(days=chance.randrange(days))) for profile, at in events[::2]
    ]
    wanted = {f"{profile} {at:%Y-%m-%d}" for profile, at in events}

    def answer(request: Request) -> Page:
        first, last = (
            date.fromisoformat(request.body["date_from"]),
            date.fromisoformat(request.body["date_to"]),
        )
        found = sorted(
            (profile, at)
            for profile, at in events
            if profile >= request.body["from_id"][:16]
            and first <= at.date() < last + timedelta(days=last_day)
        )
        profiles = list(dict.fromkeys(profile for profile, _ in found))
        shown, after = set(profiles[:per_page]), profiles[per_page : per_page + 1]
        rows = [
            {"xxh": profile, "datetime": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
            for profile, at in found
            if profile in shown
        ]
        more = {"next_from_id": f"{after[0]}.20240101"} if after else {}
        return Page(request=request, status=200, headers={}, body=envelope(rows, **more))

    waiting, sent, came = asked("history", {"databases": [{"id": "1"}]}), {}, set()
    while waiting:
        request = waiting.pop()
        if request.key not in sent:
            sent[request.key] = request
            page = answer(request)
            came |= {f"{row['xxh']} {row['datetime'][:10]}" for row in page.read(dict)["data"]}
            waiting += PROVIDER.resource("history").follow(page)
    assert came == wanted
    return list(sent.values())


@pytest.mark.slow
@pytest.mark.parametrize("last_day", [True, False], ids=["with its last day", "without"])
@pytest.mark.parametrize(("days", "cuts"), [(1, 0), (5, 0), (10, 3), (400, 4)])
def test_a_long_history_comes_in_slices_of_days_that_leave_none_out(
    days: int, cuts: int, last_day: bool
) -> None:
    sent = history(300, days, per_page=10, last_day=last_day)

    slices = {(request.body["date_from"], request.body["date_to"]) for request in sent}
    assert len(slices) == (cuts + 2 if cuts else 1)
    # half of the profiles have events on two days, and may be on pages of two slices
    assert len(sent) <= (2 * 30 + 1 + cuts if cuts else 30)
    assert {request.body["limit"] for request in sent} == {1000}


@pytest.mark.slow
@pytest.mark.parametrize(("length", "slices"), [(10, 1), (700, 1), (4_000, 4), (9_000, 5)])
def test_pages_of_profiles_are_only_cut_where_they_are_heavy(length: int, slices: int) -> None:
    """Who has events in every slice is on a page of each: that costs requests, and pays from a megabyte on."""
    first = asked("history", {"databases": [{"id": "1"}]})[0]
    rows = [
        {"datetime": f"2025-{n % 12 + 1:02}-01T00:00:00Z", "fields": "x" * length}
        for n in range(1001)
    ]
    heavy = Page(
        request=first,
        status=200,
        headers={},
        body=envelope(rows, next_from_id="0100000000000000.2"),
    )

    assert len(PROVIDER.resource("history").follow(heavy)) == slices


def test_a_short_history_is_not_cut() -> None:
    sent = history(70, 400, per_page=10, last_day=True)

    assert {(r.body["date_from"], r.body["date_to"]) for r in sent} == {
        (LONG_AGO.isoformat(), "2026-11-03")
    }
    assert len(sent) <= 8


def test_the_pages_of_objects_are_known_from_their_number() -> None:
    follow = PROVIDER.resource("segments").follow
    first = asked("segments")[0]

    def more(**answer: Any) -> int | None:
        content = envelope([{"id": 1}], **answer)
        return follow.more(Page(request=first, status=200, headers={}, body=content))

    assert (
        more(next_from_id=1001, total_count=2500),
        more(next_from_id=1001),
        more(total_count=1),
    ) == (3, None, 0)


def test_counters_are_asked_with_both_names_of_the_database() -> None:
    parts = {
        "segment_details": [
            {"id": "8", "segment": [{"list_id": "3"}]},
            {"id": "9", "segment": []},
        ],
        "resources": [{"id": "1"}, {"id": "2"}],
    }

    sent = asked("segment_counters", parts)

    assert [request.tags for request in sent] == [
        {"segment_id": segment, "resource_id": resource} for segment in "89" for resource in "12"
    ]
    assert sent[0].body == {"id": 8, "resource_id": 1, "db_id": 3, "list_id": 3}
    assert sent[2].body == {"id": 9, "resource_id": 1}


def test_operations_ask_for_one_profile_and_one_task() -> None:
    operations = {operation.name: operation for operation in PROVIDER.operations()}

    profile = operations["profiles_get"].request(db_id=3, matching="profile_id", profile_id="0123")
    task = operations["tasks_status"].request(task_id="87")

    assert (profile.method, profile.path) == ("POST", "/profiles/get")
    assert profile.body == {"db_id": 3, "matching": "profile_id", "profile_id": "0123"}
    assert (task.path, task.body) == ("/tasks/status", {"task_id": 87})


# ---- records ------------------------------------------------------------------------------------


def test_an_event_is_an_activity() -> None:
    found = read("history", [EVENT])

    row = found.frames["activities"].row(0, named=True)
    at = datetime(2026, 3, 4, 5, 6, 7, 89000, tzinfo=UTC)
    assert (row["id"], row["kind"], row["contact_id"]) == (
        EVENT["event_id"],
        "send",
        EVENT["profile_id"],
    )
    assert (row["contact_emails"], row["campaign_id"], row["subject"]) == (
        ["ada@moss.example"],
        "40",
        "Tulips, red",
    )
    assert row["starts_at"] == row["created_at"] == row["modified_at"] == at
    assert found.frames["consent_events"].is_empty()


def test_an_event_of_the_older_form_gets_an_id_of_its_parts() -> None:
    found = read("history", [OLD_EVENT, {**OLD_EVENT, "action": "open"}, OLD_EVENT])

    assert found.frames[RAW].select(PROVIDER.resource("history").key).item(0, 0) == (
        "00aa11bb22cc33dd/unsubscribe/2019-03-04T05:06:07.089Z/12/"
    )
    assert found.keys["key"].n_unique() == 2
    assert found.rejected.is_empty()


@pytest.mark.parametrize("action", [*CONSENT_ACTIONS, "Unsubscribe"])
def test_what_people_say_about_being_mailed_is_a_consent_event_too(action: str) -> None:
    found = read("history", [{**EVENT, "action": action}])

    row = found.frames["consent_events"].row(0, named=True)
    assert (row["kind"], row["contact_email"], row["channel"]) == (
        action,
        "ada@moss.example",
        "email",
    )
    assert (row["source"], row["occurred_at"].year) == ("Tulips", 2026)
    assert found.frames["activities"]["kind"].to_list() == [action]


@pytest.mark.parametrize(
    ("action", "opted_in", "step"),
    [
        ("subscribe", True, "request"), ("Sub", True, "request"), ("subscribed ", True, "request"),
        ("confirm", True, "confirmation"), ("CONFIRMED", True, "confirmation"),
        ("unsubscribe", False, None), ("Un-subscribed", False, None), ("unsub", False, None),
        ("complained", False, None), ("complaint", False, None), ("spam", False, None), ("fbl", False, None),
        ("hard_bounce", None, None), ("hardbounced", None, None), ("suspended", None, None), ("smiled", None, None),
    ],
)  # fmt: skip
def test_what_an_action_decides_is_read_in_every_spelling(
    action: str, opted_in: bool | None, step: str | None
) -> None:
    found = read("history", [{**EVENT, "action": action}]).frames["consent_events"]

    assert found.select("kind", "opted_in", "step").rows() == [(action, opted_in, step)]


@pytest.mark.parametrize(
    ("status", "opted_in"),
    [("subscribed", True), ("Subscribed", True), ("unsubscribed", False), ("complained", False), ("hardbounced", None),
     ("unconfirmed", None), ("suspended", None), ("invalid", None), (None, None)],
)  # fmt: skip
def test_what_the_state_of_a_subscription_decides(
    status: str | None, opted_in: bool | None
) -> None:
    record = {
        "profile_id": "1",
        "channel": "email",
        "email": "ada@moss.example",
        "status": status,
        "resource_id": 9,
    }

    found = read("subscriptions", [record], tags={"resource_id": "9"})

    assert found.frames["subscriptions"].select("status", "opted_in").rows() == [(status, opted_in)]


def test_words_that_nobody_knows_are_those_of_no_list() -> None:
    frame = pl.DataFrame(
        {"kind": ["smiled", "Send", "hard_bounce", None, "web_version_save", "confirmed"]}
    )

    assert frame.select(UNKNOWN_ACTIONS["consent_events"]).to_series().to_list() == [
        "smiled",
        *[None] * 5,
    ]


@pytest.mark.parametrize("action", ["send", "open", "click", "web_version_save", "deliv"])
def test_what_happens_to_a_mailing_is_no_consent(action: str) -> None:
    assert read("history", [{**EVENT, "action": action}]).frames["consent_events"].is_empty()


def test_a_profile_is_a_contact_with_the_custom_fields_that_the_account_names() -> None:
    found = read("profiles", [PROFILE], custom_fields=" Shoe size ,absent,email")

    row = found.frames["contacts"].row(0, named=True)
    assert (row["id"], row["full_name"], row["emails"], row["phones"]) == (
        PROFILE["id"],
        "Ada Moss",
        ["ada@moss.example"],
        ["+44 20 1"],
    )
    assert (row["city"], row["state"], row["country"], row["status"]) == (
        "Hull",
        "Yorkshire",
        "GB",
        "0",
    )
    assert row["created_at"] == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert row["custom"] == [
        {"key": "Shoe size", "label": "Shoe size", "value": "44"},
        {"key": "email", "label": "email", "value": "ada@moss.example"},
    ]


def test_a_profile_with_nothing_but_its_id_is_a_contact() -> None:
    found = read("profiles", [{"id": "0123456789abcdef01234567"}])

    row = found.frames["contacts"].row(0, named=True)
    assert {name for name, value in row.items() if value is not None} == {
        "provider",
        "account",
        "id",
    }


def test_a_profile_without_id_is_rejected_and_the_others_stay() -> None:
    found = read("profiles", [PROFILE, {"email": "x@y.example"}])

    assert found.frames["contacts"].height == 1
    assert found.rejected["reason"].to_list() == ["the record has no id"]


def test_a_subscription_of_any_channel_has_its_address() -> None:
    base = {
        "resource_id": "9",
        "db_id": 3,
        "profile_id": "p",
        "status": "subscribed",
        "priority": 0,
    }
    found = read(
        "subscriptions",
        [
            {**base, "channel": "email", "email": "a@m.example", "hash_id": "h"},
            {**base, "channel": "sms", "phone": "+44 20 1", "hash_id": "h"},
            {**base, "channel": "push", "provider": "ios", "subscription_id": "tok"},
            {**base, "channel": "telegram_bot", "cc_data": {"chat": 5}},
        ],
        tags={"resource_id": "9"},
    )

    rows = found.frames["subscriptions"]
    assert rows["address"].to_list()[:3] == ["a@m.example", "+44 20 1", "tok"]
    assert json.loads(rows["address"][3]) == {"chat": 5}
    assert rows["id"].n_unique() == 4
    assert set(rows["resource_id"]) == {"9"}


def test_objects_may_write_their_groups_in_any_case_and_their_ids_as_text() -> None:
    found = read(
        "databases",
        [
            {"id": "87", "name": "Old", "ui_tags": None, "Groups": [{"Id": 1, "Name": "All"}]},
            {"id": 88, "name": "New", "groups": [{"id": 1, "name": "All"}]},
        ],
    )

    assert found.keys["key"].to_list() == pl.Series(["87", "88"]).hash().to_list()
    assert found.rejected.is_empty()


def test_a_segment_has_its_size_and_its_size_by_channel() -> None:
    details = read(
        "segment_details", {"id": 8, "name": "Keen", "count": 70, "segment": [{"list_id": 3}]}
    )
    counters = read(
        "segment_counters",
        [
            {"channel": "email", "status": {"subscribed_sendable": 61, "unconfirmed_sendable": 2}},
            {"channel": "sms", "status": {"subscribed_sendable": 4}},
        ],
        tags={"segment_id": "8", "resource_id": "1"},
        rows={"segment_details": details.frames[RAW], "resources": pl.DataFrame()},
    )

    rows = pl.concat([details.frames["segments"], counters.frames["segments"]])
    assert rows.select("id", "segment_id", "name", "channel", "size").rows() == [
        ("8", "8", "Keen", None, 70.0),
        ("8/1/email", "8", "Keen", "email", 61.0),
        ("8/1/sms", "8", "Keen", "sms", 4.0),
    ]


def test_a_campaign_keeps_its_kind_and_tags() -> None:
    found = read(
        "campaigns",
        [
            {
                "id": 40,
                "name": "Tulips",
                "type": "trigger",
                "is_active": False,
                "ui_tags": ["b2b"],
                "groups": [],
            }
        ],
    )

    row = found.frames["campaigns"].row(0, named=True)
    assert (row["id"], row["name"], row["kind"], row["is_active"], row["tags"]) == (
        "40",
        "Tulips",
        "trigger",
        False,
        ["b2b"],
    )


@pytest.mark.parametrize(
    ("action", "what"),
    [
        ("send", "sent"), ("Sent", "sent"), ("SEND ", "sent"), ("open", "opened"), ("click", "clicked"),
        ("hardbounce", "bounced"), ("hard_bounce", "bounced"), ("Hard Bounce", "bounced"), ("soft-bounce", "bounced"),
        ("unsubscribed", "unsubscribed"), ("complained", "complained"), ("subscribe", None), ("smiled", None),
    ],
)  # fmt: skip
def test_what_happened_to_a_mailing_is_read_in_every_spelling(
    action: str, what: str | None
) -> None:
    found = pl.DataFrame({"action": [action]}).select(HISTORY[0].columns["mailing"]).item()

    assert found == what


@pytest.mark.parametrize(
    ("count", "stands_for", "is_told"),
    [
        (3, 3, False),
        ("3", 3, False),
        (1, 1, False),
        (None, None, False),
        (0, None, True),
        ("many", None, True),
    ],
)
def test_an_event_tells_how_many_it_stands_for(
    count: Any, stands_for: int | None, is_told: bool
) -> None:
    found = read("history", [{**EVENT, "count": count}])

    assert found.frames["activities"]["count"].to_list() == [stands_for]
    assert found.misfits.height == is_told


def test_a_profile_is_marked_as_its_events_are() -> None:
    history = read("history", [OLD_EVENT]).frames
    profiles = read("profiles", [{**PROFILE, "_xxh": OLD_EVENT["xxh"]}]).frames

    marks = [history["activities"], history["consent_events"], profiles["contacts"]]
    assert [frame["contact_hash"].to_list() for frame in marks] == [["00aa11bb22cc33dd"]] * 3


def test_custom_fields_named_like_columns_keep_their_values() -> None:
    names = ["account", "provider", "item", "id_", "Email", "custom"]
    profile = {**PROFILE, **{name: f"value of {name}" for name in names}}

    found = read("profiles", [profile], custom_fields=",".join(names))

    custom = {
        each["key"]: each["value"] for each in found.frames["contacts"]["custom"].to_list()[0]
    }
    assert custom == {name: f"value of {name}" for name in names}
    own = found.frames[RAW].row(0, named=True)
    assert (own["account"], own["provider"], own["email"]) == ("a", "altcraft", "ada@moss.example")
    assert {f"value of {name}" for name in names} <= {
        value for value in own.values() if isinstance(value, str)
    }


async def test_a_token_that_sees_no_database_is_told() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=envelope([], total_count=0), content_type="application/json")

    app = web.Application()
    app.router.add_post("/{anything:.*}", answer)
    async with TestServer(app) as server:
        account = crmlab.Account("altcraft", base_url=str(server.make_url("")), token="t" * 20)
        data = await crmlab.fetch(
            account,
            "activities",
            "subscriptions",
            "campaigns",
            "altcraft.databases",
            progress=False,
        )

    notes = dict(data.summary.select("table", "note").rows())
    assert not data.complete
    assert dict(data.summary.select("table", "complete").rows())["campaigns"]
    assert "the token sees no database" in notes["activities"]
    assert "the token sees no database" in notes["altcraft.databases"]
    assert "the token sees no resource" in notes["subscriptions"]
