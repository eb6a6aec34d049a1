"""One question, answered without a report: by the numbers that the report shows, and of stored tables too."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crmlab
from crmlab import report
from crmlab.catalogue import CATALOGUE
from crmlab.errors import UsageError


@pytest.fixture(scope="module")
def fetched(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Any, Any, Any, dict[str, pl.DataFrame]]:
    """Return a fetch in memory and stored, one of before, and the numbers of the report of both."""
    folder = tmp_path_factory.mktemp("numbers")
    earlier, data = asyncio.run(_then_and_now())
    data.export(folder / "data")
    written = data.report(folder / "report", tables="parquet", earlier=earlier, quota=500_000)
    numbers = {path.stem: pl.read_parquet(path) for path in written if path.suffix == ".parquet"}
    return data, crmlab.open(folder / "data"), earlier, numbers


async def _then_and_now() -> tuple[Any, Any]:
    async with crmlab.sandbox(rows=60, days_ago=30) as accounts:
        earlier = await crmlab.fetch(accounts, "deals")
    async with crmlab.sandbox(rows=60) as accounts:
        return earlier, await crmlab.fetch(accounts)


@pytest.mark.parametrize("question", CATALOGUE)
def test_every_question_is_answered_as_in_the_report_of_tables_in_memory_and_stored(
    question: str, fetched: tuple[Any, Any, Any, dict[str, pl.DataFrame]]
) -> None:
    data, stored, earlier, numbers = fetched

    in_memory = report.numbers_of(question, data, earlier=earlier, quota=500_000)
    of_files = report.numbers_of(question, stored, earlier=earlier, quota=500_000)

    assert_frame_equal(in_memory, of_files)
    assert in_memory.shape == numbers[question].shape
    assert report.columns_of(question) == in_memory.schema


def test_what_a_question_lacks_is_said(
    fetched: tuple[Any, Any, Any, dict[str, pl.DataFrame]],
) -> None:
    data, *_ = fetched
    deals = crmlab.collect(deals=data.deals, as_of=dt.datetime(2026, 1, 31, tzinfo=dt.UTC))

    with pytest.raises(UsageError, match="did you mean 'win_rate'"):
        report.numbers_of("win_rat", data)
    with pytest.raises(UsageError, match="coverage needs a quota"):
        report.numbers_of("coverage", data)
    with pytest.raises(UsageError, match="waterfall needs an earlier fetch"):
        report.numbers_of("waterfall", data)
    with pytest.raises(UsageError, match="which were not fetched"):
        report.numbers_of("mailed_but_objected", deals)
    with pytest.raises(UsageError, match="mailed_but_objected needs"):
        report.numbers_of("mailed_but_objected", data.masked())


def test_a_part_of_a_path_is_no_question(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown question"):
        report.columns_of(str(tmp_path))
