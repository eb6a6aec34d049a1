"""JSON that no reader takes: read where it is clear what it says, and only there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.connector.page import Page
from crmlab.connector.repair import MAX_DEPTH, repaired
from crmlab.connector.request import Request
from crmlab.errors import TransportError

JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def read(body: bytes, status: int = 200, type_: Any = Any) -> Any:
    return Page(request=Request(path="/list"), status=status, headers={}, body=body).read(type_)


@given(JSONS, st.booleans())
def test_what_is_json_stays_as_it_is(value: Any, is_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii).encode("utf-8", "replace")

    assert repaired(text) == text


@given(st.text(st.characters(codec="utf-8", exclude_characters='"\\')))
def test_control_characters_in_text_are_part_of_it(text: str) -> None:
    assert read(b'{"a":"%s"}' % text.encode()) == {"a": text}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        ('{"a":"é"}'.encode("utf-16"), {"a": "é"}),
        (
            b'[{"a":NaN},{"a":-Infinity},{"a":"NaN"}]',
            [{"a": "NaN"}, {"a": "-Infinity"}, {"a": "NaN"}],
        ),
        (rb'{"a":"C:\dir"}', {"a": r"C:\dir"}),
        (b'{"new":%s%s,"a":1}' % (b"[" * 10_000, b"]" * 10_000), None),
        (b'{"new":%s1%s,"a":1}' % (b'{"x":' * 10_000, b"}" * 10_000), None),
    ],
)
def test_what_is_clear_is_read(body: bytes, value: Any) -> None:
    found = read(body)

    assert found == value if value is not None else found["a"] == 1


@pytest.mark.parametrize(
    "body", [b"", b" ", b"<html>", b'{"a":', b'{"a":"x', b"[1,]", b'\xef\xbb\xbf{"a":"x\t']
)
def test_what_is_cut_off_or_no_json_is_an_error(body: bytes) -> None:
    with pytest.raises(TransportError):
        read(body)


def test_an_answer_without_content_is_empty_and_one_that_lost_it_is_an_error() -> None:
    assert read(b"", status=204, type_=list[int]) == []
    assert read(b"", status=204, type_=dict[str, int]) == {}
    with pytest.raises(TransportError):
        read(b"", status=200, type_=list[int])


def test_what_is_nested_too_deeply_says_so_and_is_not_nothing() -> None:
    inside = read(b'{"a":%s%s}' % (b"[" * 10_000, b"]" * 10_000))["a"]
    for _ in range(MAX_DEPTH - 1):
        [inside] = inside

    assert inside == "nested too deeply"
