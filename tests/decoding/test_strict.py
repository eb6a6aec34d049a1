"""The strict way from a JSON value to its documented type."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from crmlab.decoding.strict import Misfit, as_text, fitted, shown, without_secrets

TEXTS = pl.List(pl.String)
PAIR = pl.Struct({"a": pl.Int64, "b": pl.String})


@pytest.mark.parametrize(
    ("raw", "dtype", "kept"),
    [
        (b"null", pl.Int64, b"null"),
        (b"5", pl.Int64, b"5"),
        (b"-9223372036854775808", pl.Int64, b"-9223372036854775808"),
        (b'"5"', pl.Int64, b'"5"'),
        (b"5.0", pl.Int64, b"5.0"),
        (b"1.7", pl.Float64, b"1.7"),
        (b"1e3", pl.Float64, b"1e3"),
        (b'"1.7"', pl.Float64, b'"1.7"'),
        (b"true", pl.Boolean, b"true"),
        (b'"a\\u0000b"', pl.String, b'"a\\u0000b"'),
        (b"12345678901234567890", pl.String, b"12345678901234567890"),
        (b"9" * 60, pl.String, b'"' + b"9" * 60 + b'"'),
        (b'{"x": 1.50}', pl.String, b'"{\\"x\\": 1.50}"'),
        (b"[ 1,2]", pl.String, b'"[ 1,2]"'),
        (b'["a",null,{"x":1}]', TEXTS, b'["a",null,"{\\"x\\":1}"]'),
        (b'"a"', TEXTS, b'"a"'),
        (b'{"a":1,"new":2}', PAIR, b'{"a":1}'),
        (b"{}", PAIR, b"{}"),
        (b'[{"b": {"c":[]} }]', pl.List(PAIR), b'[{"b":"{\\"c\\":[]}"}]'),
        (b'{"any": [1.0]}', pl.Binary, b'{"any": [1.0]}'),
    ],
)
def test_what_fits_stays_as_it_is_written(raw: bytes, dtype: Any, kept: bytes) -> None:
    assert fitted(raw, dtype) == kept


@pytest.mark.parametrize(
    ("raw", "dtype", "reason"),
    [
        (b"1.7", pl.Int64, "expected a whole number, got 1.7"),
        (b"true", pl.Int64, "expected a whole number, got true"),
        (b"9223372036854775808", pl.Int64, "expected a whole number, got 9223372036854775808"),
        (b'"n/a"', pl.Float64, 'expected a number, got "n/a"'),
        (b'""', pl.Float64, 'expected a number, got ""'),
        (b"1e400", pl.Float64, "expected a number, got 1e400"),
        (b"[1]", pl.Float64, r"expected a number, got \[1\]"),
        (b"1", pl.Boolean, "expected true or false, got 1"),
        (b'"true"', pl.Boolean, 'expected true or false, got "true"'),
        (b'{"a":1}', TEXTS, r'expected a list, got {"a":1}'),
        (b'"x"', pl.List(PAIR), 'expected a list, got "x"'),
        (b"[]", PAIR, r"expected an object, got \[\]"),
        (b"5", PAIR, "expected an object, got 5"),
    ],
)
def test_what_does_not_fit_says_what_was_expected_and_what_came(raw: bytes, dtype: Any, reason: str) -> None:
    with pytest.raises(Misfit, match=f"record: {reason}"):
        fitted(raw, dtype)


def test_a_misfit_names_the_way_to_the_field() -> None:
    dtype = pl.Struct({"deal": pl.Struct({"items": pl.List(PAIR)})})

    with pytest.raises(Misfit, match=r"^deal\.items\.a: expected a whole number, got 1\.5$"):
        fitted(b'{"deal":{"items":[{"a":1},{"a":1.5}]}}', dtype)


def test_a_misfit_shows_no_secret_that_stands_beside_it() -> None:
    with pytest.raises(Misfit) as caught:
        fitted(b'[{"auth_key":"hush-hush","n":1}]', PAIR)

    assert "hush" not in str(caught.value)
    assert '"n": 1' in str(caught.value)


@pytest.mark.parametrize(
    "name", ["auth_key", "authKey", "access_token", "Token", "api_key", "apikey", "client_secret", "password"]
)
@pytest.mark.parametrize("value", ["hush", 1234, ["hush"], {"a": "hush"}])
def test_whatever_is_named_like_a_secret_is_blotted_out(name: str, value: object) -> None:
    found = {"id": 1, "deep": [{name: value}], "none": {name: None}}

    assert without_secrets(found) == {"id": 1, "deep": [{name: "••••"}], "none": {name: None}}


def test_json_without_secrets_is_shown_as_it_came() -> None:
    assert shown('{"a" : 1.50, "é":"\\u00e9"}'.encode()) == '{"a" : 1.50, "é":"\\u00e9"}'


def test_unreadable_json_that_may_hold_a_secret_is_withheld() -> None:
    assert "hush" not in shown(b'{"token":"hush')


def test_numbers_are_read_as_text_at_every_depth() -> None:
    dtype = pl.Struct({"n": pl.Int64, "l": pl.List(pl.Struct({"x": pl.Float64})), "j": pl.Binary, "b": pl.Boolean})

    assert as_text(dtype) == pl.Struct({"n": pl.String, "l": pl.List(pl.Struct({"x": pl.String})), "b": pl.Boolean})


def test_text_made_of_an_object_is_that_object() -> None:
    raw = '{"a":[1,2.50,"é\\n\\"q\\""],"b":{}}'

    assert json.loads(fitted(raw.encode(), pl.String)) == raw
