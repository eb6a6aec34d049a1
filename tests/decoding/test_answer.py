"""An answer's records are its rows, whatever stands around them."""

from __future__ import annotations

import json
import re
from typing import Any

import polars as pl
import pytest

from crmlab.decoding.answer import answer_frame
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
        {"data": {"a": ROW}},
        ROW,
    ],
)
def test_an_envelope_is_taken_off(answer: Any) -> None:
    assert answer_frame(answer).select("id", "n").to_dicts() == [ROW]


def test_a_field_of_several_types_is_kept_as_json() -> None:
    frame = answer_frame([{"a": 1, "b": "x"}, {"a": "one", "b": None}, {"a": {"c": 2}}])

    assert frame["a"].to_list() == ["1", '"one"', '{"c": 2}']
    assert frame["b"].to_list() == ["x", None, None]


@pytest.mark.parametrize(
    "values",
    [
        [{"x": 1}, {"y": 2}],
        [[{"x": 1}], [], [{"x": 1, "y": [{"z": None}, {"w": True}]}]],
        [{"b": {"c": [1]}}, {"b": {"c": ["x"]}}],
        [1, 1.5, None],
        [2**53 + 1, 0.5],
        [1, True],
        [[1], ["x"]],
        [1, 2**63, 10**30],
    ],
)
def test_no_part_of_a_value_is_lost(values: list[Any]) -> None:
    column = answer_frame([{"a": value} for value in values])["a"]

    texts = column.to_list() if column.dtype != pl.String else [json.loads(text) for text in column]
    shown = json.dumps(texts)
    assert all(part in shown for value in values for part in re.findall(r"\w+", json.dumps(value)))


def test_of_two_fields_with_one_name_none_is_lost() -> None:
    answer = {
        "data": [{"id": "a", "type": "users", "attributes": {"id": "a", "type": "admin", "n": 1}}]
    }

    assert answer_frame(answer).to_dicts() == [
        {"id": "a", "type": "users", "type_": "admin", "n": 1}
    ]


@pytest.mark.parametrize(
    "answer", [{"data": []}, {"status": 0, "data": None}, {"data": {"deals": []}}]
)
def test_an_empty_list_has_no_rows(answer: Any) -> None:
    assert answer_frame(answer).equals(pl.DataFrame())


@pytest.mark.parametrize("answer", [3, "text", None, [1, 2], {"data": [1]}])
def test_an_answer_without_records_is_no_frame(answer: Any) -> None:
    with pytest.raises(UsageError, match="leave as_frame out"):
        answer_frame(answer)
