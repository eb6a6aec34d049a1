"""The other side of the comparison: DuckDB, asked with the queries of the folder `sql`."""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl

from crmlab import analysis

SQL = Path(__file__).parent / "sql"
#: views that further queries read, in the order in which they are made
VIEWS = ("decisions", "person_decisions")


def ask(
    query: str, tables: Mapping[str, pl.DataFrame], as_of: dt.datetime, time_zone: str
) -> pl.DataFrame:
    """Return what the query of this name in `sql` says of the tables."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET VARIABLE as_of = ?::TIMESTAMPTZ", [as_of])
    connection.execute("SET VARIABLE time_zone = ?", [time_zone])
    connection.execute("SET VARIABLE roles = ?", [role_mailboxes()])

    for name, frame in tables.items():
        connection.register(name, frame.to_arrow())
    for view in VIEWS:
        connection.execute((SQL / f"{view}.sql").read_text(encoding="utf-8"))

    answer = connection.sql((SQL / f"{query}.sql").read_text(encoding="utf-8"))
    found = pl.from_arrow(answer.to_arrow_table())
    assert isinstance(found, pl.DataFrame)
    return found


def role_mailboxes() -> list[str]:
    """Return the words that `analysis.people` says are no person's, by its signature."""
    parameters = inspect.signature(analysis.people).parameters
    return sorted(parameters["roles"].default)
