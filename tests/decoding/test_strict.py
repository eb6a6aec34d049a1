"""What a documented type accepts: as Polars' reader does."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import ComputeError

from crmlab.connector import JSON
from crmlab.decoding.strict import as_text, fits, without_free_form

TEXTS = pl.List(pl.String)
PAIR = pl.Struct({"a": pl.Int64, "b": pl.String})
TYPES = [pl.String(), pl.Boolean(), pl.Int64(), TEXTS, pl.List(pl.Boolean()), PAIR, pl.List(PAIR), pl.List(TEXTS)]
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1, 1) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=6,
)


@given(JSONS, st.sampled_from(TYPES))
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

    assert as_text(dtype) == pl.Struct({"n": pl.String, "l": pl.List(pl.Struct({"x": pl.String})), "b": pl.Boolean})


def test_free_form_parts_of_other_fields_are_left_out() -> None:
    dtype = pl.List(pl.Struct({"a": pl.String, "free": JSON}))

    assert without_free_form(dtype) == pl.List(pl.Struct({"a": pl.String}))


@pytest.mark.parametrize("raw", [b"{", b'{"a":1', b'"\xff"'])
def test_what_is_no_json_fits_nothing(raw: bytes) -> None:
    assert not any(fits(raw, dtype) for dtype in TYPES)
