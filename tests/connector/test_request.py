"""Requests and answers as values."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.connector.page import Page, refuse, replace_lone_surrogates, retry_after
from crmlab.connector.request import Request, fill_path
from crmlab.errors import (
    ApiError,
    AuthError,
    NotFoundError,
    RateLimitError,
    ServerError,
    TransportError,
)

NOW = 1_800_000_000.0


@pytest.fixture
def far_from_utc() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


def page(body: bytes = b"{}", *, status: int = 200, **headers: str) -> Page:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Page(request=Request(path="/deals"), status=status, headers=named, body=body)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"params": {"a": "1", "b": "2"}}, {"params": {"b": "2", "a": "1"}}, True),
        ({"params": {"a": "1"}}, {"params": {"a": "2"}}, False),
        ({"body": {"from_id": 1}}, {"body": {"from_id": 2}}, False),
        ({"method": "POST"}, {}, False),
        ({"tags": {"day": "2026-01-01"}}, {}, True),
    ],
)
def test_two_requests_have_one_key_when_they_ask_the_same(
    one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    assert (Request(path="/x", **one).key == Request(path="/x", **other).key) is same


def test_a_changed_copy_leaves_the_request_as_it_was() -> None:
    request = Request(path="/x", params={"page": "1"}, body={"a": 1})

    changed = request.with_params(page=2).with_body(b=2).with_headers(X_Key="k")

    assert (changed.params, changed.body, changed.headers) == (
        {"page": "2"},
        {"a": 1, "b": 2},
        {"X-Key": "k"},
    )
    assert (request.params, request.body, request.headers) == ({"page": "1"}, {"a": 1}, {})


def test_only_method_and_path_of_a_request_are_shown() -> None:
    request = Request(
        path="/x",
        params={"p": "hidden"},
        headers={"h": "hidden"},
        body={"b": "hidden"},
        tags={"t": "hidden"},
    )

    assert repr(request) == "Request(path='/x', method='GET')"


def test_the_body_and_headers_of_a_page_are_not_shown() -> None:
    shown = repr(page(b'{"email":"hidden"}', set_cookie="hidden"))

    assert "hidden" not in shown


@pytest.mark.parametrize(
    ("id", "filled"),
    [
        ("CRM/001 0007", "/contacts/CRM%2F001%200007"),
        ("../users", "/contacts/..%2Fusers"),
        ("a?b#c%", "/contacts/a%3Fb%23c%25"),
        ("é", "/contacts/%C3%A9"),
        (5, "/contacts/5"),
    ],
)
def test_an_id_cannot_leave_its_place_in_a_path(id: object, filled: str) -> None:
    assert fill_path("/contacts/{id}", id=id) == filled


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("²", None),  # a digit for str.isdigit, not for float
        ("1.5", None),
        ("-1", None),
        ("soon", None),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 08:00:30 -0000", 30.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("Fri, 15 Jan 99999 07:00:00 GMT", None),
    ],
)
@pytest.mark.usefixtures("far_from_utc")
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    answer = page() if value is None else page(retry_after=value)

    assert retry_after(answer, now=NOW) == seconds


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_refusal_that_says_when_to_come_back_is_about_the_rate(status: int) -> None:
    error = refuse(page(status=status, retry_after="7"), now=NOW)

    assert isinstance(error, RateLimitError)
    assert (error.status, error.retry_after) == (status, 7.0)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ApiError),
        (401, AuthError),
        (403, AuthError),
        (404, NotFoundError),
        (409, ApiError),
        (429, RateLimitError),
        (500, ServerError),
        (503, ServerError),
        (408, ServerError),
        (425, ServerError),
        (302, ApiError),
    ],
)
def test_a_status_becomes_its_error(status: int, kind: type[ApiError]) -> None:
    error = refuse(page(status=status, x_request_id="r-1"), now=NOW, code="c", detail="d")

    assert type(error) is kind
    assert (error.status, error.code, error.detail, error.request_id) == (status, "c", "d", "r-1")


def test_an_envelope_may_override_the_http_status() -> None:
    error = refuse(page(status=200, retry_after="3"), now=NOW, status=429)

    assert isinstance(error, RateLimitError)
    assert (error.status, error.retry_after) == (429, 3.0)


def test_a_redirect_says_that_it_was_not_followed() -> None:
    assert "redirects are not followed" in str(refuse(page(status=302), now=NOW))


class _Data(msgspec.Struct):
    data: list[int]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"data":[1,2',
        b'{"data":"text"}',
        b"[1]",
        b'{"data":[1]}{"data":[2]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_not_the_expected_json_is_a_transport_error(body: bytes) -> None:
    with pytest.raises(TransportError, match=r"GET /deals answered HTTP 200 with .* bytes"):
        page(body).read(_Data if body[:2] != b"[[" else Any)


def test_a_page_is_read_as_each_type_it_is_asked_for() -> None:
    answer = page(b'{"data":[1,2]}')

    assert answer.read(_Data) == _Data([1, 2])
    assert answer.read(dict[str, Any]) == {"data": [1, 2]}
    assert answer.read(_Data) is answer.read(_Data)


@pytest.mark.parametrize(
    ("status", "succeeded"), [(199, False), (200, True), (204, True), (299, True), (302, False)]
)
def test_an_answer_succeeded_where_its_status_says_so(status: int, succeeded: bool) -> None:
    assert page(status=status).succeeded is succeeded


def test_the_error_of_an_unreadable_page_quotes_none_of_it() -> None:
    with pytest.raises(TransportError) as caught:
        page(b'{"data":"anna@example.com"}').read(_Data)

    assert "anna" not in str(caught.value)


TEXT = st.text(
    st.one_of(st.characters(), st.sampled_from(["\ud83d", "\ude00", "\\", "u", "d", '"', "\n"]))
)


@given(TEXT)
def test_lone_surrogates_are_replaced_and_nothing_else_changes(text: str) -> None:
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    body, lone_surrogates = replace_lone_surrogates(json.dumps({"a": text}).encode())

    assert json.loads(body) == {"a": whole}
    assert lone_surrogates == whole.count("\ufffd") - text.count("\ufffd")
    assert msgspec.json.decode(body) == {"a": whole}


def test_an_escaped_backslash_before_u_is_no_escape() -> None:
    body = rb'{"a":"\\ud83d","b":"\\\ud83d"}'

    assert replace_lone_surrogates(body) == (rb'{"a":"\\ud83d","b":"\\\ufffd"}', 1)
