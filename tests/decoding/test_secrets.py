"""JSON that may be shown."""

from __future__ import annotations

import polars as pl
import pytest

from crmlab.decoding.secrets import (
    body_without_secrets,
    frame_without_secrets,
    shown,
    shown_values,
    without_secrets,
)

NAMES = [
    "auth_key",
    "authKey",
    "access_token",
    "Token",
    "api_key",
    "apikey",
    "client_secret",
    "password",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["hush", 1234, ["hush"], {"a": "hush"}])
def test_whatever_is_named_like_a_secret_is_blotted_out(name: str, value: object) -> None:
    found = {"id": 1, "deep": [{name: value}], "none": {name: None}}

    assert shown_values(f"user.{name}", ['"hush"', "1"]) == ["••••", "••••"]
    assert without_secrets(found) == {"id": 1, "deep": [{name: "••••"}], "none": {name: None}}


def test_json_without_secrets_is_shown_as_it_came() -> None:
    assert shown('{"a" : 1.50, "é":"\\u00e9"}'.encode()) == '{"a" : 1.50, "é":"\\u00e9"}'


def test_unreadable_json_that_may_hold_a_secret_is_withheld() -> None:
    assert "hush" not in shown(b'{"token":"hush')


def test_values_are_shown_as_each_of_them_alone() -> None:
    texts = ['{"n": 1}', '{"Token": "hush"}', '"token hush']

    assert shown_values("note", texts) == [shown(text.encode()) for text in texts]
    assert shown_values("note", texts[:1]) == texts[:1]


@pytest.mark.parametrize(
    "text", ['{"Keys": "hush"}', ' [{"k\\u0065ys": {"a": "hush"}}]', '["{\\"keys\\": 1e3}"]']
)
def test_json_inside_a_text_is_looked_into(text: str) -> None:
    value = [{"note": text}]
    column = pl.Series("notes", [value, None, [], [{"note": "[beta] keys"}], [{"note": None}]])

    blotted = frame_without_secrets(pl.DataFrame([column]), ["keys"])["notes"]

    assert "••••" in str(without_secrets(value, ["keys"]))
    assert blotted.to_list()[1:] == column.to_list()[1:]
    assert blotted.dtype == column.dtype
    assert "••••" in str(blotted.to_list())
    assert (
        "hush"
        not in f"{blotted.to_list()}{without_secrets(value, ['keys'])}{shown(text.encode(), ['keys'])}"
    )


def test_a_frame_without_such_a_name_is_the_same() -> None:
    frame = pl.DataFrame({"notes": [{"note": '{"other": 1}', "number": 1}], "number": [1]})

    assert frame_without_secrets(frame, ["keys"]) is frame
    assert frame_without_secrets(frame[["number"]], ["keys"])["number"].to_list() == [1]


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ('{"a": 1.10, "api_key": "x\\"y",\t"b" :1}', '{"a": 1.10, "api_key": "••••",\t"b" :1}'),
        ('{"b": {"Token": {"z": [1]}, "t": null}}', '{"b": {"Token": "••••", "t": null}}'),
        ('{"to\\u006ben": 5e400, "token": null}', '{"to\\u006ben": "••••", "token": null}'),
        (
            '{"next_token": "page 2", "t": "\\"token\\": 1"}',
            '{"next_token": "page 2", "t": "\\"token\\": 1"}',
        ),
        ('{"token": "https://u:p@h.example:8/x?y"}', '{"token": "https://h.example:8/••••"}'),
        ('{"parameters": {"a": 1}}', '{"parameters": "••••"}'),
        ('{"in": "{\\"password\\": 1}"}', '{"in": "{\\"password\\": \\"••••\\"}"}'),
    ],
)
def test_a_body_is_kept_byte_for_byte_but_for_its_secrets(body: str, kept: str) -> None:
    found = body_without_secrets(body.encode(), ["Parameters"], except_for={"page 2"})

    assert found.decode() == kept


@pytest.mark.parametrize("body", [b'{"token": ', b'{"token": {"a": '])
def test_a_body_that_may_hold_a_secret_and_cannot_be_read_is_not_kept(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"Expecting|delimiter"):
        body_without_secrets(body)
