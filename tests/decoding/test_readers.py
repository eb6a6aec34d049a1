"""What differs in a few records is read as it would be in a record alone, whichever way the batch goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crmlab.decoding.decoder import RAW, Decoded, Decoder
from crmlab.decoding.layout import Layout
from crmlab.decoding.records import Record
from tests.decoding.test_decoder import reader, resource

COUNT = 120
#: the first is among those that are looked at before, the others are not
FEW = (40, 110, 111)

DIFFERENT: list[Any] = [
    {"name": ["a", {"b": 1}]},
    {"name": {"name": "x"}},
    {"amount": {"strange": "n/a"}},
    {"amount": [1]},
    {"done": "yes"},
    {"done": {}},
    {"tags": {"a": 1}},
    {"tags": [["a"], "b"]},
    {"owner": [{"id": "1"}]},
    {"owner": {"id": {"a": 1}, "age": []}},
    {"items": {"qty": 2}},
    {"items": {"qty": "1.50", "label": None}},
    {"items": {"qty": "n/a"}},
    {"items": {"qty": None}},
    {"items": {}},
    {"items": {"data": [{"qty": 1}]}},
    {"items": {"data": '\\"qty\\":'}},
    {"items": {"data": 1, "qty": 2}},
    {"items": [5, {"qty": "1.5"}]},
    {"items": [{"qty": {"a": 1}, "label": "x"}]},
    {"name": {"a": 1}, "tags": {"a": 1}, "owner": "x"},
    {"id": ["1"]},
]


def usual(number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "name": f'note "name": {{ {number}',
        "amount": number + 0.5,
        "stage": number,
        "done": number % 2 == 0,
        "tags": ["a", str(number)],
        "owner": {"id": str(number), "age": number, "name": "Ann"},
        "items": [{"qty": 1.5, "label": "x"}],
        "free": {"n": [number]},
    }


def batch(different: dict[str, Any], rows: Sequence[int], new: int = 0) -> list[Record]:
    found = []
    for number in range(COUNT):
        record = usual(number) | {f"new_{each}": [each] for each in range(new)}
        if number in rows:
            record |= different
        found.append(Record(json.dumps({"deal": record, "next": number}).encode(), {}))
    return found


def wrapped() -> Decoder:
    return reader(resource(path=(), unwrap="deal", envelope_fields={"next": pl.Int64}))


def alone(found: Sequence[Record]) -> list[Decoded]:
    decode = wrapped()
    return [decode([record]) for record in found]


def assert_same(together: Decoded, apart: Sequence[Decoded]) -> None:
    assert_frame_equal(together.frames[RAW], pl.concat([each.frames[RAW] for each in apart]))
    assert_frame_equal(together.rejected, pl.concat([each.rejected for each in apart]))
    misfits = pl.concat([each.misfits for each in apart])
    assert_frame_equal(together.misfits, misfits, check_row_order=False)


@pytest.mark.parametrize("different", DIFFERENT, ids=json.dumps)
@pytest.mark.parametrize("rows", [FEW, range(COUNT)], ids=["a few", "all"])
def test_what_differs_is_read_as_in_a_record_alone(
    different: dict[str, Any], rows: Sequence[int]
) -> None:
    found = batch(different, rows)
    expected = alone(found)
    decode = wrapped()

    for _ in range(2):  # it has learnt of the field by then
        assert_same(decode(found), expected)


#: what may come in place of true and false, and how it is read
TRUTHS: dict[str, list[tuple[Any, bool | None]]] = {
    "words": [
        ("yes", True),
        ("FALSE", False),
        ("", None),
        ("maybe", None),
        (None, None),
        (True, True),
        (0, False),
        ("1", True),
        (2.5, None),
    ],
    "words and others": [("yes", True), ([True], None), ("maybe", None), ({"a": "b"}, None)],
}


@pytest.mark.parametrize("values", TRUTHS.values(), ids=TRUTHS)
def test_words_in_place_of_true_and_false_are_read_in_every_mixture(
    values: list[tuple[Any, bool | None]],
) -> None:
    found: list[Record] = []
    truths: list[bool | None] = []
    for number in range(COUNT):
        value, truth = values[number % len(values)]
        fields = {**usual(number), "done": value}
        found.append(Record(json.dumps({"deal": fields}).encode(), {}))
        truths.append(truth)
    expected = alone(found)
    decode = wrapped()

    for _ in range(2):
        decoded = decode(found)
        assert_same(decoded, expected)
        assert decoded.frames[RAW]["done"].to_list() == truths


def test_records_with_many_fields_that_nobody_documented_are_read_as_those_without() -> None:
    different = {"name": {"a": 1}, "tags": {"a": 1}, "items": [5, {"qty": "1.5"}]}
    for rows in ((), FEW, range(COUNT)):
        plain = wrapped()(batch(different, rows))
        wide = wrapped()(batch(different, rows, new=50))

        assert_frame_equal(wide.frames[RAW], plain.frames[RAW])
        assert_frame_equal(wide.misfits, plain.misfits)


@pytest.mark.parametrize("at_fault", [b"5", b'{"deal": 5}', b'{"deal": {"name": "\xff"}}'])
def test_a_record_at_fault_among_those_with_many_fields_costs_only_itself(at_fault: bytes) -> None:
    found = batch({}, (), new=50)
    plain = batch({}, ())
    found[110] = plain[110] = Record(at_fault, {})

    wide = wrapped()(found)
    expected = wrapped()(plain)

    assert_frame_equal(wide.frames[RAW], expected.frames[RAW])
    assert_frame_equal(wide.misfits, expected.misfits)
    assert_frame_equal(wide.rejected, expected.rejected)
    assert wide.rejected.height + wide.misfits.height == 1


def test_a_single_object_with_a_key_that_is_written_in_another_way_is_no_envelope() -> None:
    found = batch({"items": {"qty": 2}}, range(COUNT))
    found[110] = Record(found[110].text.replace(b'"qty"', b'"q\\u0074y"'), {})

    decoded = wrapped()(found)

    assert decoded.misfits.is_empty()
    assert decoded.frames[RAW]["items"].list.len().to_list() == [1] * COUNT


def test_a_key_that_is_written_in_another_way_is_found() -> None:
    found = batch({}, ())
    escaped = found[110].text.replace(b'"stage": 110', b'"st\\u0061ge": {"a": 1}')
    found[110] = Record(escaped, {})
    decode = wrapped()

    for _ in range(2):
        decoded = decode(found)
        assert decoded.frames[RAW]["stage"].to_list() == [*range(110), None, *range(111, COUNT)]
        assert decoded.misfits["raw"].to_list() == ['{"a": 1}']


def test_fields_are_found_inside_their_wrapper_and_beside_it() -> None:
    layout = Layout(wrapper="deal", beside=frozenset({"next"}))
    items = [b'{"deal": {"id": 1, "next": 2, "x": null}, "next": [3], "id": 4}', None]

    opened = layout.opened(items, ["id", "x", "next"])

    assert {name: texts.to_list() for name, texts in opened.texts(["id", "x", "next"]).items()} == {
        "id": ["1", None],
        "x": [None, None],
        "next": ["[3]", None],
    }
    assert [text and json.loads(text) for text in layout.narrowed(items, ["id", "x", "next"])] == [
        {"deal": {"id": 1, "x": None}, "next": [3]},
        None,
    ]
    assert layout.names(items[0]) == ["id", "next", "x"]
    assert layout.names(b"[1]") == []


@pytest.mark.parametrize(
    "item", [{"qty": "1.50", "label": "x"}, {"qty": {"a": 1}}, {}], ids=json.dumps
)
def test_a_list_may_come_as_one_object_and_again_as_a_list(item: dict[str, Any]) -> None:
    batches = [
        batch({"items": item}, rows)
        for rows in (range(COUNT), (), range(0, COUNT, 2), FEW, range(COUNT))
    ]
    decode = wrapped()

    for found in batches:
        assert_same(decode(found), alone(found))


def test_an_envelope_in_place_of_a_list_is_told() -> None:
    envelope = {"data": [{"qty": 1}]}
    decoded = wrapped()(batch({"items": envelope}, range(COUNT)))

    assert decoded.frames[RAW]["items"].null_count() == COUNT
    assert decoded.misfits["field"].unique().to_list() == ["items"]
    assert decoded.misfits["reason"][0].startswith("expected a list, got")
    assert json.loads(decoded.misfits["raw"][0]) == envelope
