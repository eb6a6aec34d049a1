"""What a documented type accepts: as Polars' reader does."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from polars.exceptions import ComputeError

from crmlab.connector import JSON
from crmlab.decoding.strict import ESCAPED, as_text, fits, holds, without_free_form

TEXTS = pl.List(pl.String)
PAIR = pl.Struct({"a": pl.Int64, "b": pl.String})
FLAGS = pl.List(pl.Boolean)
TYPES = [
    pl.String(),
    pl.Boolean(),
    pl.Int64(),
    TEXTS,
    FLAGS,
    PAIR,
    pl.List(PAIR),
    pl.List(TEXTS),
    pl.List(FLAGS),
    pl.List(pl.List(PAIR)),
]
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1, 1) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(JSONS, st.sampled_from(TYPES))
@example(True, pl.Boolean())
@example("true", pl.Boolean())
@example(True, pl.List(FLAGS))
@example("true", pl.List(FLAGS))
@example({"a": 1}, pl.List(pl.List(PAIR)))
@example([{"a": 1}], pl.List(pl.List(PAIR)))
@example([[{"a": 1}]], pl.List(pl.List(PAIR)))
@example({"a": [1]}, PAIR)
@example({"b": "x", "c": [1]}, PAIR)
@example([{"b": {"c": 1}}], pl.List(PAIR))
def test_a_type_accepts_exactly_what_the_reader_of_polars_takes(value: Any, dtype: Any) -> None:
    text = json.dumps(value)
    try:
        pl.Series([text]).str.json_decode(as_text(dtype))
    except ComputeError:
        is_taken = False
    else:
        is_taken = True

    assert fits(text.encode(), dtype) == is_taken


def test_numbers_are_read_as_text_at_every_depth() -> None:
    dtype = pl.Struct({"n": pl.Int64, "l": pl.List(pl.Struct({"x": pl.Float64})), "b": pl.Boolean})

    assert as_text(dtype) == pl.Struct(
        {"n": pl.String, "l": pl.List(pl.Struct({"x": pl.String})), "b": pl.Boolean}
    )


def test_free_form_parts_of_other_fields_are_left_out() -> None:
    dtype = pl.List(pl.Struct({"a": pl.String, "free": JSON}))

    assert without_free_form(dtype) == pl.List(pl.Struct({"a": pl.String}))


@pytest.mark.parametrize("raw", [b"{", b'{"a":1', b'"\xff"'])
def test_what_is_no_json_fits_nothing(raw: bytes) -> None:
    assert not any(fits(raw, dtype) for dtype in TYPES)


@pytest.mark.parametrize("raw", [b"1", b"[[]]", b'{"x":[1]}'])
def test_a_free_form_value_may_be_anything(raw: bytes) -> None:
    assert fits(raw, JSON)
    assert fits(b'{"free":%s}' % raw, pl.Struct({"free": JSON}))


def test_a_field_whose_name_is_written_with_an_escape_is_not_looked_at() -> None:
    dtype = pl.Struct({'a"b': pl.String, "c": pl.String})

    assert fits(b'{"a\\"b":[1],"c":"x"}', dtype)
    assert not fits(b'{"a\\"b":"x","c":[1]}', dtype)


@pytest.mark.parametrize(
    ("dtype", "is_held"),
    [
        (JSON, True),
        (pl.String(), False),
        (pl.List(JSON), True),
        (pl.List(pl.String), False),
        (pl.Struct({"a": pl.String, "free": JSON}), True),
        (pl.Struct({"a": pl.String}), False),
        (pl.List(pl.Struct({"a": pl.String, "deep": pl.List(JSON)})), True),
    ],
)
def test_a_type_holds_another_at_every_depth(dtype: Any, *, is_held: bool) -> None:
    assert holds(dtype, JSON) is is_held
    assert holds(dtype, pl.String, JSON) is True


@pytest.mark.parametrize(
    ("name", "is_escaped"), [('a"b', True), ("a\\b", True), ("a\nb", True), ("Straße~", False)]
)
def test_what_json_writes_with_an_escape_is_known(name: str, *, is_escaped: bool) -> None:
    assert bool(ESCAPED.search(name)) is is_escaped
    assert (json.dumps(name, ensure_ascii=False) != f'"{name}"') is is_escaped
