"""JSON that may be seen by others has the shape of what came, and nothing that it says."""

from __future__ import annotations

import json

import pytest

from crmlab.decoding import Masker

KEY = b"the same in all of these tests"
NAMES = frozenset({"id", "contact_id", "email", "to", "status", "currency", "total", "page"})


def masked(value: object) -> object:
    return json.loads(Masker(KEY, names=NAMES, words=frozenset({"won"})).json(json.dumps(value)))


@pytest.mark.parametrize(
    "kept",
    [
        None,
        True,
        "",
        "yes",
        "2026-11-30",
        "2026-11-30T04:00:00.123Z",
        {"status": "won", "currency": "EUR"},
        {"total": 1234, "page": 2},
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE",
        [7, 99],
    ],
)
def test_what_tells_of_nobody_stays(kept: object) -> None:
    assert masked(kept) == kept


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("ann@example.com", "aaa@aaaaaaa.aaa"),
        ("+49 170 1234-567", "+00 000 0000-000"),
        ("Ann Smith", "Aaa Aaaaa"),
        ("https://example.com/Ann", "https://aaaaaaa.aaa/Aaa"),
        ("5aba31e9-00ff", "0aaa00a0-00aa"),
    ],
)
def test_texts_keep_the_kind_of_their_characters(text: str, shape: str) -> None:
    [found] = masked([text])  # type: ignore[misc]  # a list
    assert found != text
    assert len(found) == len(text)
    kinds = [(each.isupper(), each.isspace(), each.isalnum()) for each in shape]
    assert [
        (each.isupper(), each.isspace(), each.isalnum()) for each in found if not each.isdecimal()
    ] == [kind for kind, each in zip(kinds, found, strict=True) if not each.isdecimal()]


def test_the_same_text_is_the_same_everywhere_and_in_any_case() -> None:
    rows = masked(
        [
            {"id": "abc123", "email": "Ann@Example.com"},
            {"contact_id": "abc123", "to": "ann@example.com"},
        ]
    )
    first, second = rows  # type: ignore[misc]  # a list

    assert first["id"] == second["contact_id"] != "abc123"
    assert first["email"].lower() == second["to"]


def test_numbers_in_records_are_others_of_as_many_digits() -> None:
    [[amount, id]] = [masked([123456.5, 4711])]  # type: ignore[misc]  # a list

    assert (amount, id) != (123456.5, 4711)
    assert (len(str(amount)), len(str(id))) == (8, 4)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Ann',
        "<html>Ann Smith</html>",
        '{"a": "{\\"name\\": \\"Ann Smith\\"}"}',
        '{"Ann Smith": 1}',
        '["\\u0041nn"]',
    ],
)
def test_what_is_no_json_or_json_in_a_text_says_nothing_either(text: str) -> None:
    found = Masker(KEY).json(text)

    assert "Ann" not in found
    assert "0041nn" not in found
    assert len(found) == len(text) or "u" in text
