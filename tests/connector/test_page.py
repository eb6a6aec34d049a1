"""A refusal is read whatever its body is."""

from __future__ import annotations

import msgspec
import pytest

from crmlab.connector.page import Page, read_refusal, refuse
from crmlab.connector.request import Request
from crmlab.errors import AuthError, RateLimitError


class Refusal(msgspec.Struct):
    message: str = "none"


@pytest.mark.parametrize(
    "body", [b"<html>proxy</html>", b"\xff", b"[" * 100_000, b'{"message": 7}']
)
def test_a_refusal_that_is_no_such_json_is_the_default(body: bytes) -> None:
    page = Page(request=Request(path="/x"), status=502, headers={}, body=body)

    assert read_refusal(page, Refusal("default")) == Refusal("default")


def test_a_refusal_is_read_by_the_type_of_its_default() -> None:
    page = Page(
        request=Request(path="/x"), status=403, headers={}, body=b'{"message": "no", "other": 1}'
    )

    assert read_refusal(page, Refusal()) == Refusal("no")


@pytest.mark.parametrize(
    "body",
    [
        b'{"message": "Rate limit exceeded"}',
        b'{"reason": "Too many requests, slow down"}',
        b'{"code": "REQUEST_LIMIT_REACHED"}',
        b'{"error": "Your account is limited to 5 requests per second"}',
        b"<html>Access denied by the firewall</html>",
        b"error code: 1015",
        b"",
    ],
)
def test_a_403_that_speaks_of_a_rate_or_is_no_json_is_a_throttle(body: bytes) -> None:
    page = Page(request=Request(path="/x"), status=403, headers={}, body=body)

    assert isinstance(refuse(page, now=0.0), RateLimitError)


@pytest.mark.parametrize(
    "body", [b'{"message": "You have no right to see users"}', b"{}", b'{"code": "FORBIDDEN"}']
)
def test_a_403_that_speaks_of_rights_is_a_missing_right(body: bytes) -> None:
    page = Page(request=Request(path="/x"), status=403, headers={}, body=body)

    assert isinstance(refuse(page, now=0.0), AuthError)


def test_an_envelope_that_says_403_with_http_200_is_read_by_its_words() -> None:
    page = Page(request=Request(path="/x"), status=200, headers={}, body=b'{"error": 403}')

    assert isinstance(
        refuse(page, now=0.0, status=403, detail="No rights for this action"), AuthError
    )
    assert isinstance(refuse(page, now=0.0, status=403, detail="Too many requests"), RateLimitError)
