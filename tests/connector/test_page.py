"""A refusal is read whatever its body is."""

from __future__ import annotations

import msgspec
import pytest

from crmlab.connector.page import Page, read_refusal
from crmlab.connector.request import Request


class Refusal(msgspec.Struct):
    message: str = "none"


@pytest.mark.parametrize("body", [b"<html>proxy</html>", b"\xff", b"[" * 100_000, b'{"message": 7}'])
def test_a_refusal_that_is_no_such_json_is_the_default(body: bytes) -> None:
    page = Page(request=Request(path="/x"), status=502, headers={}, body=body)

    assert read_refusal(page, Refusal("default")) == Refusal("default")


def test_a_refusal_is_read_by_the_type_of_its_default() -> None:
    page = Page(request=Request(path="/x"), status=403, headers={}, body=b'{"message": "no", "other": 1}')

    assert read_refusal(page, Refusal()) == Refusal("no")
