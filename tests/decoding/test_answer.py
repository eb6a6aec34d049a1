"""An answer's records are its rows, whatever stands around them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from crmlab.decoding import answer_frame
from crmlab.errors import UsageError

ROW = {"id": "a", "n": 1}


@pytest.mark.parametrize(
    "answer",
    [
        [ROW],
        {"data": [ROW]},
        {"data": {"contacts": [{"contact": ROW}], "page": 1}},
        {"error": 0, "data": [ROW], "total_count": 1},
        {"data": [{"id": "a", "attributes": {"n": 1}}]},
        {"data": {"contact": ROW}},
        {"data": {"contacts": [{"contact": ROW, "next_actions": []}], "page": 1}},
        ROW,
    ],
)
def test_an_envelope_is_taken_off(answer: Any) -> None:
    assert answer_frame(answer).select("id", "n").to_dicts() == [ROW]


def test_a_field_of_several_types_is_kept_as_json() -> None:
    frame = answer_frame([{"a": 1, "b": "x"}, {"a": "one", "b": None}, {"a": {"c": 2}}])

    assert frame["a"].to_list() == ["1", '"one"', '{"c": 2}']
    assert frame["b"].to_list() == ["x", None, None]


def test_an_empty_list_has_no_rows() -> None:
    assert answer_frame({"data": []}).equals(pl.DataFrame())


@pytest.mark.parametrize("answer", [3, "text", None, [1, 2], {"data": [1]}])
def test_an_answer_without_records_is_no_frame(answer: Any) -> None:
    with pytest.raises(UsageError, match="leave as_frame out"):
        answer_frame(answer)
