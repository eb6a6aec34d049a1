"""Write the sample in this folder and its dictionary: ``make data``.

The sample is what `crmlab.fetch` brings from the sandbox, whose people, firms and deals are
invented. Seed and time are fixed, so the frames are the same on every machine and every day.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pyarrow.parquet

import crmlab
from crmlab.fetching import query
from crmlab.results.export import export
from crmlab.schema import KEY, TABLES
from crmlab.schema.tables import Table
from docs.pages.markdown import code, table
from docs.pages.tables import dtype, meaning

FOLDER = Path(__file__).parent
DICTIONARY = FOLDER / "DICTIONARY.md"
#: when the sample was fetched, as it says of itself
FETCHED_AT = dt.datetime(2026, 6, 30, 12, tzinfo=dt.UTC)
PEOPLE = 14
SEED = 26
#: tables with rows for every day; three days of them are enough to look at
DAILY = ("consent_statistics", "consent_statistics_items", "deliveries", "segments")
#: Statistics, dictionaries and the schema of Arrow would be more than half of such small files.
#: The schema of Arrow alone would tell one dtype: provider is categorical in a fetch, and text here.
SMALL: dict[str, Any] = {
    "compression": "zstd",
    "write_statistics": False,
    "use_dictionary": False,
    "store_schema": False,
}


async def sample() -> dict[str, pl.DataFrame]:
    """Return every shared table, its rows in the order of their keys."""
    others = [name for name in TABLES if name not in DAILY]
    three_days_ago = FETCHED_AT - dt.timedelta(days=3)
    # a fetch counts days back from now: deliveries are kept for thirty of them
    with mock.patch.object(query, "clock", return_value=FETCHED_AT):
        async with crmlab.sandbox(rows=PEOPLE, seed=SEED, now=FETCHED_AT) as accounts:
            whole = await crmlab.fetch(accounts, *others, progress=False)
            daily = await crmlab.fetch(accounts, *DAILY, since=three_days_ago, progress=False)
    assert whole.complete, whole.summary
    assert daily.complete, daily.summary
    fetched = {**whole, **daily}
    # rows come in the order in which the answers arrive, which is another one each time
    return {name: fetched[name].sort(KEY) for name in TABLES}


def dictionary() -> str:
    """Return what each column of each table holds, as Markdown."""
    parts = [_described(each) for each in TABLES.values()]
    return f"""# Data dictionary

What every column of every table holds, written by `make data` from crmlab/schema/tables.py. All times are UTC.
A column is personal where it identifies a person or holds what a person said. An empty cell (null) means that
the service does not say.

{"".join(parts)}"""


def _described(shared: Table) -> str:
    rows = []
    for name, column in shared.columns.items():
        personal = "yes" if column.personal else ""
        rows.append([code(name), dtype(column.dtype), meaning(column), personal])
    return f"""## {shared.name}

{shared.doc}

{table(["column", "dtype", "meaning", "personal"], rows)}

"""


def write() -> None:
    """Replace the files of the sample and the dictionary."""
    for old in (*FOLDER.glob("*.parquet"), *FOLDER.glob("*.csv")):
        old.unlink()
    frames = asyncio.run(sample())
    export(frames, FOLDER, "csv")
    for name, frame in frames.items():
        pyarrow.parquet.write_table(frame.to_arrow(), FOLDER / f"{name}.parquet", **SMALL)
    DICTIONARY.write_text(dictionary().rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
