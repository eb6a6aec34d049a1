"""Columns that hold other values than those of the shared table are refused in words, never in those of Polars."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import polars as pl
import polars.selectors as cs
import pytest
from polars.testing import assert_frame_equal

from crmlab import Fetched, analysis
from crmlab.catalogue import CATALOGUE, Entry, variables_of
from crmlab.errors import UsageError
from crmlab.schema import TABLES, UTC, conform


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


def columns_read(entry: Entry, variables: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the tables and columns that a question reads: those that Polars collects of lazy frames."""
    seen: set[tuple[str, str]] = set()

    def noted(values: pl.Series, table: str, column: str) -> pl.Series:
        seen.add((table, column))
        return values

    lazy = {}
    for table in (*entry.tables, *entry.adds):
        frame = variables[table].lazy()
        for column, dtype in variables[table].schema.items():
            note = partial(noted, table=table, column=column)
            frame = frame.with_columns(pl.col(column).map_batches(note, dtype))
        lazy[table] = frame
    entry.count({**variables, **lazy})
    return sorted(seen)


def of_another_kind(frame: pl.DataFrame, column: str) -> pl.Expr:
    """Return numbers for text, and text for anything else."""
    is_text = frame.schema[column] in (pl.String, pl.Categorical)
    return (pl.lit(1) if is_text else pl.lit("mine")).alias(column)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_column_of_another_kind_costs_a_sentence(variables: dict[str, Any], name: str) -> None:
    entry = CATALOGUE[name]
    for table, column in columns_read(entry, variables):
        other = of_another_kind(variables[table], column)

        # some columns are only looked at, whatever they hold
        with suppress(UsageError):
            entry.count({**variables, table: variables[table].with_columns(other)})


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_is_not_read_may_hold_anything(variables: dict[str, Any], name: str) -> None:
    entry = CATALOGUE[name]
    read = columns_read(entry, variables)
    mine = dict(variables)
    for table in (*entry.tables, *entry.adds):
        frame = variables[table]
        mine[table] = frame.with_columns(
            of_another_kind(frame, column)
            for column in frame.columns
            if (table, column) not in read
        )

    # one that reads what an analysis returned reads no table
    tables = {*entry.tables, *entry.adds}.intersection(variables_of(entry.numbers))
    assert {table for table, _ in read} == tables
    assert entry.count(mine).equals(entry.count(variables))


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


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_column_without_a_dtype_is_one_of_nulls(variables: dict[str, Any], name: str) -> None:
    entry = CATALOGUE[name]

    def answer(table: str, column: str, dtype: Any) -> pl.DataFrame | None:
        nulls = pl.lit(None, dtype).alias(column)
        # what cannot be answered without the column is refused either way
        with suppress(UsageError):
            return _plain(entry.count({**variables, table: variables[table].with_columns(nulls)}))
        return None

    for table, column in columns_read(entry, variables):
        found = answer(table, column, pl.Null)
        same = answer(table, column, variables[table].schema[column])
        assert (found is None) == (same is None), column
        if found is not None and same is not None:
            assert_frame_equal(found, same)


def _plain(answer: pl.DataFrame) -> pl.DataFrame:
    """Return an answer with its groups as text: they have the dtype that the user's column has."""
    groups = cs.categorical() | cs.enum() | cs.by_dtype(pl.Null)
    return answer.with_columns(groups.cast(pl.String))


def _from_a_database(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        cs.integer().cast(pl.Decimal(38, 0)),
        cs.float().cast(pl.Decimal(38, 12)),
        cs.by_dtype(UTC).dt.convert_time_zone("Etc/UTC"),
        cs.categorical().cast(pl.String),
        cs.by_dtype(pl.List(pl.String)).cast(pl.List(pl.Categorical)),
    )


def _from_pandas(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        cs.integer().cast(pl.Float64).fill_null(float("nan")),
        cs.date().cast(pl.Datetime("ns")),
        cs.by_dtype(UTC).dt.cast_time_unit("ns"),
    )


def _in_few_bits(frame: pl.DataFrame) -> pl.DataFrame:
    is_whole = [name for name, dtype in frame.schema.items() if dtype.is_integer()]
    return frame.with_columns(frame[name].shrink_dtype() for name in is_whole)


@pytest.mark.parametrize("written", [_from_a_database, _from_pandas, _in_few_bits])
@pytest.mark.parametrize("name", CATALOGUE)
def test_frames_that_were_elsewhere_have_the_same_answer_and_figure(
    variables: dict[str, Any], name: str, written: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    entry = CATALOGUE[name]
    # what analyses return may have been there as well as tables
    were_elsewhere = {
        variable: written(value)
        for variable, value in variables.items()
        if isinstance(value, pl.DataFrame) and variable in entry.reads()
    }
    mine = {**variables, **were_elsewhere}

    assert_frame_equal(entry.count(mine), entry.count(variables))
    assert entry.draw(mine).to_json() == entry.draw(variables).to_json()


def test_numbers_of_few_bits_do_not_overflow() -> None:
    def fetched(stage: int) -> pl.DataFrame:
        rows = {"id": ["a"], "stage": [stage], "status": ["pending"]}
        deals = conform(pl.DataFrame(rows), TABLES["deals"])
        return deals.with_columns(pl.col("stage").cast(pl.UInt8))

    history = analysis.stage_history([("2026-01-01", fetched(10)), ("2026-01-08", fetched(20))])

    assert history["exit"].to_list() == ["advanced", "still there"]

    rows = {"visitors_exposed": [100, 100], "optin": [90, 90], "optout": [20, 20]}
    statistics = conform(pl.DataFrame(rows), TABLES["consent_statistics"])
    expected = analysis.banner_rates(statistics)
    few_bits = statistics.with_columns(pl.col(list(rows)).cast(pl.UInt32))

    assert_frame_equal(analysis.banner_rates(few_bits), expected)


@pytest.mark.parametrize(
    ("column", "values", "refusal"),
    [
        ("stage", pl.Series([0.5]), "deals.stage holds values that Int64 cannot hold: make the"),
        ("stage", pl.Series([2**63], dtype=pl.UInt64), "deals.stage holds values that Int64"),
        ("created_at", pl.Series([2**60]).cast(pl.Datetime("ms", "UTC")), "deals.created_at holds"),
        ("created_at", pl.Series([2**61]).cast(UTC), "created_at holds times outside of the years"),
        ("created_at", pl.Series([0]).cast(pl.Datetime("us")), "created_at is of type Datetime"),
        ("opened_on", pl.Series([2**30]).cast(pl.Date), "opened_on holds times outside of the"),
        ("opened_on", pl.Series([1]).cast(pl.Datetime("us")), "opened_on is of type Datetime"),
        ("currency", pl.Series([b"EUR"]), "deals.currency is of type Binary, and String is read"),
        ("currency", pl.Series([object()], dtype=pl.Object), "deals.currency is of type Object"),
    ],
)
def test_values_that_the_table_cannot_hold_are_refused(
    column: str, values: pl.Series, refusal: str
) -> None:
    row = conform(pl.DataFrame({"id": ["a"], "status": ["pending"]}), TABLES["deals"])
    deals = row.with_columns(values.alias(column))

    with pytest.raises(UsageError, match=refusal):
        analysis.ageing(deals, as_of="2026-01-01")


def test_what_an_analysis_returned_is_refused_with_how_it_is_made() -> None:
    people = pl.DataFrame({"provider": ["relenta"], "account": ["a"], "id": [1], "person_id": [1]})

    with pytest.raises(
        UsageError,
        match=r"people\.person_id is of type Int64, .* give what crmlab\.analysis\.people",
    ):
        analysis.people_overlap(people)


@pytest.mark.parametrize(
    ("durations", "refusal"),
    [
        ({"duration": [1], "ended": [1]}, "durations.ended is of type Int64, and Boolean is read"),
        ({"duration": ["1"], "ended": [True]}, "durations.duration is of type String"),
        ({"duration": [1.0, None], "ended": [True, True]}, "durations holds nulls or NaN"),
        ({"duration": [1.0, float("nan")], "ended": [True, True]}, "durations holds nulls or NaN"),
        ({"duration": [1.0, 2.0], "ended": [True, None]}, "durations holds nulls or NaN"),
    ],
)
def test_durations_that_nobody_knows_are_refused(durations: Any, refusal: str) -> None:
    with pytest.raises(UsageError, match=refusal):
        analysis.kaplan_meier(pl.DataFrame(durations))


def test_the_beginning_of_a_wait_is_a_moment_in_any_zone(variables: dict[str, Any]) -> None:
    contacts, as_of = variables["contacts"], variables["as_of"]
    began = pl.col("created_at")

    def asked(mine: pl.Expr) -> pl.DataFrame:
        with_mine = contacts.with_columns(mine=mine)
        return analysis.response_time(with_mine, variables["activities"], as_of=as_of, start="mine")

    assert_frame_equal(asked(began.dt.convert_time_zone("America/New_York")), asked(began))
    for other in (began.dt.date(), began.dt.replace_time_zone(None), pl.lit("2026-01-01")):
        with pytest.raises(UsageError, match=r"contacts\.mine is of type .* Datetime"):
            asked(other)


def test_days_that_cannot_be_named_are_no_groups() -> None:
    far = pl.lit(2**30).cast(pl.Int32).cast(pl.Date)
    deals = conform(pl.DataFrame({"status": ["won"]}), TABLES["deals"]).with_columns(mine=far)

    with pytest.raises(UsageError, match="by='mine' holds times outside of the years"):
        analysis.win_rate(deals, by="mine")


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
