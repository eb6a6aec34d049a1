"""JSON is read in slices: where they are cut makes no difference."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import PolarsError

from crmlab.decoding.layout import json_decoded

DTYPE = pl.Struct(
    {"id": pl.String, "names": pl.List(pl.String), "owner": pl.Struct({"id": pl.String})}
)
NAMES = st.lists(st.text(max_size=5), max_size=3)
OBJECTS = st.fixed_dictionaries(
    {"id": st.text(max_size=3)},
    optional={
        "names": st.none() | NAMES,
        "owner": st.none() | st.fixed_dictionaries({"id": st.text(max_size=3)}),
    },
)


@given(st.lists(st.none() | OBJECTS, max_size=12), st.integers(1, 80))
def test_objects_are_the_same_wherever_the_slices_are_cut(
    objects: list[dict | None], size: int
) -> None:
    texts = pl.Series(
        [None if each is None else json.dumps(each) for each in objects], dtype=pl.String
    )

    found = json_decoded(texts, DTYPE, slice_bytes=size)

    assert found.dtype == DTYPE
    assert found.equals(texts.str.json_decode(DTYPE), null_equal=True)
    assert found.n_chunks() == 1


@pytest.mark.parametrize("place", [0, 3, 5])
def test_a_value_of_another_shape_is_met_in_any_slice(place: int) -> None:
    texts = ['{"id": "a"}'] * 6
    texts[place] = '{"owner": [1]}'

    with pytest.raises(PolarsError):
        json_decoded(pl.Series(texts), DTYPE, slice_bytes=20)
