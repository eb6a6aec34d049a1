"""Every figure has one question, and the code beside it answers it."""

from __future__ import annotations

import re
from typing import Any

import plotly.graph_objects as go
import pytest

from crmlab import Fetched, analysis, plots
from crmlab.catalogue import CATALOGUE, GIVEN, SECTIONS, Entry, variables_of
from crmlab.schema.tables import TABLES

ENTRIES = list(CATALOGUE.values())
by_name = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


@pytest.fixture(scope="module")
def variables(fetched: Fetched, earlier: Fetched) -> dict[str, Any]:
    """Return the tables, and what else the code reads, made as the catalogue says."""
    known: dict[str, Any] = {
        **fetched,
        "data": fetched,
        "earlier": earlier,
        "time_zone": "Europe/Berlin",
    }
    known["quota"] = dict.fromkeys(fetched.deals["currency"].drop_nulls().unique(), 200000.0)
    for name, code in GIVEN.items():
        known[name] = eval(code, {"analysis": analysis}, known)
    return known


def test_every_public_figure_has_one_question() -> None:
    assert sorted(entry.name for entries in SECTIONS.values() for entry in entries) == plots.__all__
    assert len({entry.question for entry in ENTRIES}) == len(ENTRIES)
    assert all(re.fullmatch(r"[A-Z].*\?", entry.question) for entry in ENTRIES)


@by_name
def test_the_code_is_that_of_the_figure_and_of_the_numbers_its_docstring_names(
    entry: Entry,
) -> None:
    assert entry.figure.startswith(f"plots.{entry.name}(")
    assert entry.numbers.startswith(f"analysis.{entry.name}(")
    assert f"`crmlab.analysis.{entry.name}`" in (getattr(plots, entry.name).__doc__ or "")


@by_name
def test_the_tables_are_those_that_the_code_reads(entry: Entry) -> None:
    made = {*GIVEN, "data", "earlier", "time_zone", "quota"}

    assert {*entry.tables, *entry.adds} == entry.reads() - made
    assert {*entry.tables, *entry.adds} <= TABLES.keys()


@by_name
def test_the_filters_compare_columns_that_are_there(
    entry: Entry, variables: dict[str, Any]
) -> None:
    for name, frames in entry.filters.items():
        assert frames.keys() <= entry.reads()
        for frame, columns in frames.items():
            there = set(variables[frame].columns)
            if name == "owner" and "owner_id" in there:
                there.add("owner")  # of `crmlab.analysis.with_owner`
            assert columns
            assert set(columns) <= there


@by_name
def test_what_takes_long_is_made_of_whole_tables(entry: Entry) -> None:
    narrowed = {frame for frames in entry.filters.values() for frame in frames}
    slow = [
        code
        for name, code in GIVEN.items()
        if code.startswith("analysis.") and name in entry.reads()
    ]

    assert not [code for code in slow if narrowed & set(variables_of(code))]


@by_name
def test_the_code_runs(entry: Entry, variables: dict[str, Any]) -> None:
    figure, numbers = entry.draw(variables), entry.count(variables)

    assert isinstance(figure, go.Figure)
    assert not [
        note
        for note in figure.layout.annotations
        if (note.text or "").startswith("Nothing to show")
    ]
    assert not numbers.is_empty()


@by_name
def test_what_adds_may_be_empty(entry: Entry, variables: dict[str, Any]) -> None:
    without = variables | {name: TABLES[name].empty() for name in entry.adds}

    drawn = entry.draw(without)
    assert drawn.data or drawn.layout.annotations[0].text  # nothing to show, and why
    assert entry.count(without).schema == entry.count(variables).schema
