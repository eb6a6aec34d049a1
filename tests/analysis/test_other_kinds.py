"""Columns that hold other values than those of the shared table are refused in words, never in those of Polars."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import polars as pl
import polars.selectors as cs
import pytest
from polars.testing import assert_frame_equal

from crmlab import Fetched, analysis
from crmlab.catalogue import CATALOGUE
from crmlab.errors import UsageError
from crmlab.schema import TABLES, UTC


@pytest.fixture(scope="module")
def variables(fetched: Fetched, earlier: Fetched) -> dict[str, Any]:
    """Return what the questions of the catalogue read."""
    steps = [(each.fetched_at, each.deals) for each in (earlier, fetched)]
    return {
        **fetched,
        "as_of": fetched.fetched_at,
        "before": earlier.deals,
        "history": analysis.stage_history(steps),
        "people": analysis.people(fetched.contacts),
        "quota": 100_000.0,
        "time_zone": "UTC",
    }


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_column_of_another_kind_costs_a_sentence(variables: dict[str, Any], name: str) -> None:
    entry = CATALOGUE[name]
    for table in (*entry.tables, *entry.adds):
        for column in TABLES[table].columns:
            is_text = variables[table].schema[column] in (pl.String, pl.Categorical)
            other = pl.lit(1) if is_text else pl.lit("mine")
            mine = {**variables, table: variables[table].with_columns(other.alias(column))}

            # what is not read may hold anything
            with suppress(UsageError):
                entry.count(mine)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("name", CATALOGUE)
def test_the_same_moments_in_another_zone_have_the_same_answer(
    variables: dict[str, Any], name: str, unit: Any
) -> None:
    entry = CATALOGUE[name]
    in_utc = dict(variables)
    elsewhere = dict(variables)
    for table in (*entry.tables, *entry.adds):
        times = cs.by_dtype(UTC)
        # a millisecond holds no more
        frame = variables[table].with_columns(times.dt.truncate("1ms"))
        in_utc[table] = frame
        elsewhere[table] = frame.with_columns(
            times.dt.convert_time_zone("America/New_York").dt.cast_time_unit(unit)
        )

    assert entry.count(elsewhere).equals(entry.count(in_utc))


def _as_categories(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(cs.string().cast(pl.Categorical))


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(cs.categorical().cast(pl.String))


def _as_enums(frame: pl.DataFrame) -> pl.DataFrame:
    # in the order of the alphabet, which groups of text have too
    texts = frame.select(cs.string(), cs.categorical()).cast(pl.String)
    return frame.with_columns(
        text.cast(pl.Enum(text.drop_nulls().unique().sort())) for text in texts
    )


@pytest.mark.parametrize("written", [_as_categories, _as_text, _as_enums])
@pytest.mark.parametrize("name", CATALOGUE)
def test_text_of_another_dtype_has_the_same_answer(
    variables: dict[str, Any], name: str, written: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    entry = CATALOGUE[name]
    expected = entry.count(variables)

    for table in (*entry.tables, *entry.adds):
        mine = {**variables, table: written(variables[table])}

        assert_frame_equal(_plain(entry.count(mine)), _plain(expected))


@pytest.mark.slow
@pytest.mark.parametrize("name", CATALOGUE)
def test_a_column_without_a_dtype_is_one_of_nulls(variables: dict[str, Any], name: str) -> None:
    entry = CATALOGUE[name]
    expected = _plain(entry.count(variables))

    def answer(table: str, column: str, dtype: Any) -> pl.DataFrame | None:
        nulls = pl.lit(None, dtype).alias(column)
        # what cannot be answered without the column is refused either way
        with suppress(UsageError):
            return _plain(entry.count({**variables, table: variables[table].with_columns(nulls)}))
        return None

    for table in (*entry.tables, *entry.adds):
        for column, dtype in variables[table].schema.items():
            found = answer(table, column, pl.Null)
            if found is not None and found.equals(expected):
                continue  # most columns are not read
            same = answer(table, column, dtype)
            assert (found is None) == (same is None), column
            if found is not None and same is not None:
                assert_frame_equal(found, same)


def _plain(answer: pl.DataFrame) -> pl.DataFrame:
    """Return an answer with its groups as text: they have the dtype that the user's column has."""
    groups = cs.categorical() | cs.enum() | cs.by_dtype(pl.Null)
    return answer.with_columns(groups.cast(pl.String))


def test_the_sentence_says_what_is_read_and_what_to_write() -> None:
    deals = TABLES["deals"].empty().with_columns(pl.lit("1,200").alias("amount"))

    with pytest.raises(
        UsageError,
        match=r"deals\.amount is of type String, and Float64 is read: .* crmlab\.table\('deals'",
    ):
        analysis.win_rate(deals)


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        ("status", pl.Categorical),
        ("amount", pl.Int32),
        ("amount", pl.Decimal(10, 2)),
        ("amount", pl.Null),
    ],
)
def test_what_is_read_alike_is_taken(column: str, dtype: Any) -> None:
    deals = TABLES["deals"].empty().with_columns(pl.lit(None, dtype).alias(column))

    assert analysis.win_rate(deals).height == 1
