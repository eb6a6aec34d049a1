"""SQL over what was fetched: by Polars and by DuckDB, and nothing but the tables is read."""

from __future__ import annotations

import asyncio
import builtins
import logging
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crmlab
from crmlab.cli import main
from crmlab.errors import CrmlabError, UsageError
from crmlab.results import Fetched, duckdb_query, sql_answer

ENGINES = {"polars": sql_answer, "duckdb": duckdb_query}
each_engine = pytest.mark.parametrize("engine", ENGINES)


@pytest.fixture(scope="module")
def data() -> Fetched:
    async def fetched() -> Fetched:
        async with crmlab.sandbox(rows=60) as accounts:
            return await crmlab.fetch(
                accounts, "deals", "stages", "onepagecrm.deals", since="2020-01-01"
            )

    return asyncio.run(fetched())


@pytest.fixture(scope="module")
def folder(data: Fetched, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("it's [1]*")
    data.export(place)
    return place


@pytest.mark.slow
@each_engine
def test_a_query_answers_as_the_frame_does(engine: str, data: Fetched) -> None:
    query = "select status, count(*) as deals, sum(amount) as amount from deals group by status order by status"

    answer = ENGINES[engine](query, data)

    wanted = (
        data.deals.group_by("status")
        .agg(deals=pl.len(), amount=pl.col("amount").sum())
        .sort("status")
    )
    assert_frame_equal(answer, wanted, check_dtypes=False)


@each_engine
def test_own_records_stand_in_quotes_and_join(engine: str, data: Fetched) -> None:
    query = 'select count(*) as rows from "onepagecrm.deals" own join deals on own.id = deals.id'

    assert ENGINES[engine](query, data).item() == data["onepagecrm.deals"].height


@each_engine
def test_times_and_lists_keep_their_types(engine: str, data: Fetched) -> None:
    answer = ENGINES[engine]("select modified_at, linked_contact_ids, custom from deals", data)

    assert answer.schema == data.deals.select("modified_at", "linked_contact_ids", "custom").schema


def test_what_is_in_files_is_read_where_it_lies(data: Fetched, folder: Path) -> None:
    stored = crmlab.open(folder, lazy=True)

    answer = stored.sql("select id from deals where status = 'won' order by id")

    assert isinstance(answer, pl.LazyFrame)
    assert_frame_equal(
        answer.collect(), data.sql("select id from deals where status = 'won' order by id")
    )
    by_duckdb = duckdb_query("select id from deals where status = 'won' order by id", stored.paths)
    assert_frame_equal(by_duckdb, answer.collect())


def test_a_table_may_be_of_several_files(data: Fetched, tmp_path: Path) -> None:
    parts = [data.deals.head(10), data.deals.slice(10).select("status", "id")]
    for number, part in enumerate(parts):
        part.write_parquet(tmp_path / f"{number}.parquet")

    answer = duckdb_query("select count(*) from deals", {"deals": sorted(tmp_path.iterdir())})

    assert answer.item() == data.deals.height


@pytest.mark.slow
@each_engine
@pytest.mark.parametrize(
    ("query", "why"),
    [
        (
            "select * from contacts",
            "unknown table 'contacts' in SQL; there is deals, stages, \"onepagecrm.deals\"",
        ),
        ("select nope from deals", "nope"),
        ("selec id from deals", "one select|does not understand"),
        ("", "one select"),
        ("create table x as select * from deals", "one select"),
        ("drop table deals", "one select"),
        ("delete from deals", "one select"),
        ("-- select\ntruncate table deals", "one select"),
        ("explain select * from deals", "one select"),
        ("select 1 as a; select 2 as b", "one"),
        ("select 1 as a; drop table deals", "one"),
    ],
)
def test_what_is_no_select_over_these_tables_is_refused_in_words(
    engine: str, query: str, why: str, data: Fetched
) -> None:
    with pytest.raises(UsageError, match=why) as refused:
        ENGINES[engine](query, data)

    assert "\n" not in str(refused.value)


FILES = [
    "select * from read_csv('{secret}')",
    "select (select count(*) from read_csv('{secret}'))",
    "with x as (select * from read_csv('{secret}')) select * from x",
    "select * from '{secret}'",
    "select * from read_parquet('{secret}')",
]
HOSTILE = [
    "select * from read_text('{secret}')",
    "select * from read_blob('{secret}')",
    "select * from glob('{folder}/*')",
    "select * from sniff_csv('{secret}')",
    "select * from parquet_metadata('{secret}')",
    "copy deals to '{folder}/out.csv'",
    "copy (select 1) to '{stolen}'",
    "select 1; copy deals to '{folder}/out.csv'",
    "with x as (copy deals to '{folder}/out.csv') select 1",
    "attach '{folder}/out.db'",
    "export database '{folder}/out'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access=true",
    "reset enable_external_access",
    "pragma enable_external_access=true",
    "call enable_logging(storage='file', storage_path='{folder}/out')",
    "select * from enable_logging(storage='file', storage_path='{folder}/out')",
    "select 1 union all select * from enable_logging(storage='file', storage_path='{folder}/out')",
    "select (select count(*) from read_text('{secret}'))",
    "select * from (pivot deals on status using count(*))",
    "select * from query('select 1')",
    "prepare x as copy deals to '{folder}/out.csv'",
    "explain analyze copy deals to '{folder}/out.csv'",
    "select getenv('HOME')",
    "select * from a_frame_of_the_program",
    "select * from 'https://127.0.0.1:9/x.parquet'",
    "with x as (insert into deals select * from deals) select * from x",
]


@pytest.mark.slow
@each_engine
@pytest.mark.parametrize("query", FILES)
def test_no_other_file_is_read(engine: str, query: str, data: Fetched, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("key\nhidden-value\n")

    with pytest.raises(UsageError) as refused:
        ENGINES[engine](query.format(secret=secret), data)

    assert "hidden-value" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize("query", HOSTILE)
def test_duckdb_writes_nothing_fetches_nothing_and_sees_no_variable(
    query: str, data: Fetched, tmp_path: Path
) -> None:
    a_frame_of_the_program = pl.DataFrame({"key": ["hidden-value"]})
    secret = tmp_path / "secret.csv"
    secret.write_text("key\nhidden-value\n")
    deals = tmp_path / "deals.parquet"
    data.deals.write_parquet(deals)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    with pytest.raises(UsageError) as refused:
        duckdb_query(query.format(secret=secret, folder=tmp_path, stolen=deals), {"deals": deals})

    assert "hidden-value" not in str(refused.value)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert a_frame_of_the_program.height == 1


def test_duckdb_makes_rows_of_ranges_and_lists(data: Fetched) -> None:
    query = (
        "with days as (select * from range(3)) select count(*) from days, unnest([1, 2]) as pair(n)"
    )

    assert duckdb_query(query, data).item() == 6


@each_engine
def test_an_error_quotes_no_value_of_a_record(engine: str) -> None:
    people = pl.DataFrame({"name": ["Ann Example", "1"]})

    with pytest.raises(UsageError) as refused:
        ENGINES[engine]("select cast(name as int) as n from people", {"people": people})

    assert "Ann" not in str(refused.value)


@pytest.mark.slow
def test_duckdb_spills_what_does_not_fit_and_says_so_where_that_is_not_enough() -> None:
    many = pl.select(id=pl.int_range(300_000).cast(pl.String), row=pl.int_range(300_000))

    groups = duckdb_query(
        "select id, list(row) from many group by id",
        {"many": many},
        memory_limit="100MB",
        threads=1,
    )

    assert groups.height == many.height
    with pytest.raises(CrmlabError, match="within 5MB"):
        duckdb_query(
            "select list(id order by row) from many", {"many": many}, memory_limit="5MB", threads=1
        )
    with pytest.raises(UsageError, match="memory_limit is a size such as '2GB'"):
        duckdb_query("select 1", {"many": many}, memory_limit="much")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("select interval 1 day as pause from deals", "pause is of the type INTERVAL"),
        ("select id, id from deals", "two columns of the answer are called 'id'"),
    ],
)
def test_what_no_frame_holds_is_refused(query: str, why: str, data: Fetched) -> None:
    with pytest.raises(UsageError, match=why):
        duckdb_query(query, data)


def test_without_duckdb_the_error_says_what_to_install(
    data: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = builtins.__import__

    def absent(name: str, *args: Any) -> Any:
        if name == "duckdb":
            raise ImportError(name)
        return load(name, *args)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(UsageError, match="pip install duckdb"):
        duckdb_query("select 1 as one", data)


def test_the_log_tells_of_which_period_an_answer_is(
    data: Fetched, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crmlab")

    data.sql("select count(*) from deals")
    data.sql("select count(*) from stages")

    assert [record.getMessage() for record in caplog.records] == [
        "sql: Only what was changed or happened since 2020-01-01"
    ]


# ---- crmlab query -------------------------------------------------------------------------------


@each_engine
def test_the_command_prints_or_writes_the_answer(
    engine: str, data: Fetched, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "select status, count(*) as deals from deals group by status order by status"

    assert main(["query", str(folder), query, "--engine", engine]) == 0
    shown = capsys.readouterr()
    assert (
        main(
            [
                "query",
                str(folder),
                query,
                "--engine",
                engine,
                "--out",
                str(tmp_path / "new" / "a.parquet"),
            ]
        )
        == 0
    )
    assert (
        main(["query", str(folder), query, "--engine", engine, "--out", str(tmp_path / "a.csv")])
        == 0
    )

    wanted = data.deals.group_by("status").agg(deals=pl.len()).sort("status")
    assert [line.split() for line in shown.out.splitlines()][1:] == [
        [a, str(b)] for a, b in wanted.iter_rows()
    ]
    assert shown.err == "Only what was changed or happened since 2020-01-01.\n"
    for back in (pl.read_parquet(tmp_path / "new" / "a.parquet"), pl.read_csv(tmp_path / "a.csv")):
        assert_frame_equal(back, wanted, check_dtypes=False)


def test_the_command_shows_the_first_rows_of_many(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", str(folder), "select a.id from deals a cross join stages b"]) == 0

    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 101
    assert "100 of " in shown.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["select id from nope"], "unknown table 'nope' in SQL"),
        (["select id from deals", "--out", "answer.xlsx"], "names no format"),
        (["select id from deals", "--memory-limit", "1GB"], "--engine duckdb"),
    ],
)
def test_the_command_refuses_in_words(
    arguments: list[str], why: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", str(folder), *arguments]) == 2

    assert why in capsys.readouterr().err
