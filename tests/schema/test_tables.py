"""The shared schema."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.schema.tables import CUSTOM, KEY, TABLES, UTC, Table, conform, personal_columns

NAMES = sorted(TABLES)
ALLOWED = {
    pl.Categorical(),
    pl.String(),
    pl.Float64(),
    pl.Int64(),
    pl.Boolean(),
    pl.Date(),
    UTC,
    pl.List(pl.String),
    CUSTOM,
}


@pytest.mark.parametrize("name", NAMES)
def test_every_table_begins_with_the_key_and_its_times(name: str) -> None:
    assert tuple(TABLES[name].columns)[:5] == (*KEY, "created_at", "modified_at")


@pytest.mark.parametrize("name", NAMES)
def test_names_say_their_type(name: str) -> None:
    for column, dtype in TABLES[name].schema.items():
        assert dtype in ALLOWED, column
        if column.endswith("_id"):
            assert dtype == pl.String, column
        if column.endswith("_on"):
            assert dtype == pl.Date, column


@pytest.mark.parametrize("name", NAMES)
def test_every_column_says_what_it_is(name: str) -> None:
    assert TABLES[name].doc.endswith(".")
    assert all(column.doc for column in TABLES[name].columns.values())


@pytest.mark.parametrize("name", NAMES)
def test_words_are_of_columns_of_text_and_each_there_once(name: str) -> None:
    for column, said in TABLES[name].columns.items():
        if said.words:
            assert said.dtype == pl.String, column
            assert len(set(said.words)) == len(said.words), column
        assert said.words or not said.other_words, column


@pytest.mark.parametrize("name", NAMES)
def test_a_window_names_times_of_its_table(name: str) -> None:
    assert all(TABLES[name].schema[column] == UTC for column in TABLES[name].window)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_table_has_the_whole_schema(name: str) -> None:
    assert TABLES[name].empty().schema == TABLES[name].schema


@given(st.data())
def test_joining_frames_keeps_the_schema_and_the_rows(data: st.DataObject) -> None:
    table = TABLES[data.draw(st.sampled_from(NAMES))]
    heights = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    parts = [
        conform(pl.DataFrame({"id": [str(i) for i in range(n)]}, schema={"id": pl.String}), table)
        for n in heights
    ]

    joined = pl.concat([table.empty(), *parts])

    assert joined.schema == table.schema
    assert joined["id"].to_list() == [str(i) for n in heights for i in range(n)]


def test_conforming_fills_what_is_absent_and_drops_what_is_strange() -> None:
    frame = pl.DataFrame({"id": ["1"], "stage": [5], "strange": [True]})

    found = conform(frame, TABLES["deals"])

    assert found.schema == TABLES["deals"].schema
    assert found.select("id", "stage", "name").rows() == [("1", 5, None)]


def test_conforming_twice_changes_nothing() -> None:
    once = conform(pl.DataFrame({"id": ["1"], "provider": ["relenta"]}), TABLES["contacts"])

    assert_frame_equal(conform(once, TABLES["contacts"]), once)


def test_conforming_raises_where_a_value_does_not_fit() -> None:
    with pytest.raises(pl.exceptions.PolarsError, match="n/a"):
        conform(pl.DataFrame({"id": ["1"], "amount": ["n/a"]}), TABLES["deals"])


def test_what_identifies_a_person_is_marked() -> None:
    marked = set(personal_columns())

    assert {
        ("contacts", "emails"),
        ("contacts", "full_name"),
        ("users", "email"),
        ("activities", "body"),
        ("deals", "contact_name"),
        ("consent_events", "contact_email"),
    } <= marked
    assert not {column for _, column in marked} & {"id", "amount", "stage", "kind", "created_at"}


def test_the_schema_cannot_be_changed_by_accident() -> None:
    with pytest.raises(TypeError):
        TABLES["mine"] = Table(name="mine", doc="", columns={})  # type: ignore[index]
