"""Every figure has one question, and the code beside it answers it."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest

import crmlab
from crmlab import Fetched, analysis, plots
from crmlab.catalogue import CATALOGUE, GIVEN, SECTIONS, Entry, variables_of
from crmlab.tables import TABLES

ENTRIES = list(CATALOGUE.values())
by_name = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


async def fetched() -> Fetched:
    async with crmlab.sandbox(rows=200, seed=2) as accounts:
        return await crmlab.fetch(accounts, limits=crmlab.Limits(concurrency=10))


@pytest.fixture(scope="module")
def variables() -> dict[str, Any]:
    """Return the sandbox's tables, and what else the code reads, made as the catalogue says."""
    data = asyncio.run(fetched())
    moved = data.deals.with_columns(stage=(pl.col("stage") - 20).clip(lower_bound=0), status=pl.lit("pending"))
    earlier = Fetched(
        {"deals": moved},
        heights={"deals": moved.height},
        summary=data.summary,
        rejected=data.rejected,
        failures=(),
        fetched_at=data.fetched_at - dt.timedelta(days=30),
    )
    known: dict[str, Any] = {**data, "data": data, "earlier": earlier, "time_zone": "Europe/Berlin"}
    known["quota"] = dict.fromkeys(data.deals["currency"].drop_nulls().unique(), 200000.0)
    for name, code in GIVEN.items():
        known[name] = eval(code, {"analysis": analysis}, known)
    return known


def read_by(entry: Entry) -> set[str]:
    """Return all that an entry reads, also what is made for it."""
    read: set[str] = set()
    left = [*variables_of(entry.figure), *variables_of(entry.numbers)]
    while left:
        name = left.pop()
        read.add(name)
        left += [of for of in variables_of(GIVEN.get(name, name)) if of not in read]
    return read


def test_every_public_figure_has_one_question() -> None:
    assert sorted(entry.name for entries in SECTIONS.values() for entry in entries) == plots.__all__
    assert len({entry.question for entry in ENTRIES}) == len(ENTRIES)
    assert all(re.fullmatch(r"[A-Z].*\?", entry.question) for entry in ENTRIES)


def test_the_table_of_the_plots_asks_the_same_questions() -> None:
    rows = re.findall(r"^`(\w+)` +(.+)$", plots.__doc__ or "", re.MULTILINE)

    assert rows == [(entry.name, entry.question) for entry in ENTRIES]


@by_name
def test_the_code_is_that_of_the_figure_and_of_the_numbers_its_docstring_names(entry: Entry) -> None:
    assert entry.figure.startswith(f"plots.{entry.name}(")
    counted = re.match(r"[\w.]+", entry.numbers)
    assert counted
    assert f"crmlab.{counted[0]}`" in (getattr(plots, entry.name).__doc__ or "")


@by_name
def test_the_tables_are_those_that_the_code_reads(entry: Entry) -> None:
    made = {*GIVEN, "data", "earlier", "time_zone", "quota"}

    assert {*entry.tables, *entry.adds} == read_by(entry) - made
    assert {*entry.tables, *entry.adds} <= TABLES.keys()


@by_name
def test_the_filters_compare_columns_that_are_there(entry: Entry, variables: dict[str, Any]) -> None:
    for name, frames in entry.filters.items():
        assert frames.keys() <= read_by(entry)
        for frame, columns in frames.items():
            there = set(variables[frame].columns)
            if name == "owner" and "owner_id" in there:
                there.add("owner")  # of `crmlab.analysis.owners.with_owner`
            assert columns
            assert set(columns) <= there


@by_name
def test_the_code_runs(entry: Entry, variables: dict[str, Any]) -> None:
    figure, numbers = entry.draw(variables), entry.count(variables)

    assert isinstance(figure, go.Figure)
    assert not [note for note in figure.layout.annotations if (note.text or "").startswith("Nothing to show")]
    assert not numbers.is_empty()


@by_name
def test_what_adds_may_be_empty(entry: Entry, variables: dict[str, Any]) -> None:
    without = variables | {name: TABLES[name].empty() for name in entry.adds}

    assert len(entry.draw(without).data) > 0
    assert not entry.count(without).is_empty()
