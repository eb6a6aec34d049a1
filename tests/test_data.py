"""The sample in data/ is what ``make data`` writes today, on every machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import polars as pl
import pytest

import crmlab
from crmlab.results.export import export
from crmlab.schema import TABLES
from data.make import DICTIONARY, FOLDER, dictionary, sample

OUTDATED = "data/ is not what the code makes of it: run `make data`"


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    return asyncio.run(sample())


def test_every_shared_table_is_there_twice_and_nothing_else() -> None:
    written = {path.name for path in FOLDER.iterdir() if path.suffix in (".parquet", ".csv")}

    assert written == {f"{name}.{suffix}" for name in TABLES for suffix in ("parquet", "csv")}, (
        OUTDATED
    )


@pytest.mark.parametrize("name", TABLES)
def test_the_parquet_file_of_a_table_is_current_and_has_rows(
    name: str, frames: dict[str, pl.DataFrame]
) -> None:
    kept = pl.read_parquet(FOLDER / f"{name}.parquet").cast({"provider": pl.Categorical})

    assert kept.height > 0
    assert kept.schema == TABLES[name].schema, OUTDATED
    assert kept.equals(frames[name]), OUTDATED


@pytest.mark.parametrize("name", TABLES)
def test_the_csv_file_of_a_table_is_current(
    name: str, frames: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    (today,) = export({name: frames[name]}, tmp_path, "csv")

    kept = crmlab.read_csv(FOLDER / f"{name}.csv")
    assert kept.equals(crmlab.read_csv(today)), OUTDATED


def test_a_second_sample_is_the_same(frames: dict[str, pl.DataFrame]) -> None:
    again = asyncio.run(sample())

    assert all(again[name].equals(frames[name]) for name in TABLES)


def test_the_dictionary_is_current() -> None:
    assert DICTIONARY.read_text(encoding="utf-8").rstrip() == dictionary().rstrip(), OUTDATED


def test_nothing_tells_where_it_was_made() -> None:
    telling = [
        path.name
        for path in FOLDER.glob("*.csv")
        if "127.0.0.1" in path.read_text(encoding="utf-8")
    ]

    assert telling == []


def test_it_stays_small() -> None:
    size = sum(
        path.stat().st_size for path in FOLDER.iterdir() if path.suffix in (".parquet", ".csv")
    )

    assert size < 130_000
