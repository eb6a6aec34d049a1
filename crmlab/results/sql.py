"""SQL over tables: what is asked is a select and reads these tables only; Polars answers it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from crmlab.display import listed
from crmlab.errors import UsageError
from crmlab.schema import Frame

LOG = logging.getLogger("crmlab")

#: what a select may begin with, after blanks, comments and parentheses
_FIRST_WORD = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*(\w*)", re.DOTALL)
_SELECTS = ("select", "with", "from", "values")
_UNKNOWN_TABLE = re.compile(r"relation '(.*)' was not found")
_UNKNOWN_COLUMN = re.compile(r'unable to find column "(.*?)"; valid columns: \[(.*)\]')
#: how Polars says that a plan reads a file
_READS_A_FILE = re.compile(r"^[ \t]*+\w+ SCAN ", re.MULTILINE)
#: after these words Polars quotes values, which are of records
_VALUES = re.compile(r"(for \d+ out of \d+ values|values?):.*", re.DOTALL)


def planned(query: str, tables: Mapping[str, Frame]) -> pl.LazyFrame:
    """Return the answer of a query as a lazy frame, whose columns are known.

    Raises
    ------
    UsageError
        It is no select, names a table or a column that is not there, or reads anything but these tables.
    """
    check_select(query)
    frames = {table_name: table.lazy() for table_name, table in tables.items()}
    # first over no rows: so nothing is read before it is known what would be
    empty = {}
    for table_name, frame in frames.items():
        empty[table_name] = pl.LazyFrame(schema=frame.collect_schema())
    plan_of_nothing = _executed(query, empty, tables).explain(optimized=False)
    if _READS_A_FILE.search(plan_of_nothing):
        raise UsageError(
            f"SQL reads the tables that are there, and no file: {known_tables(tables)}"
        )
    return _executed(query, frames, tables)


def sql_answer(query: str, tables: Mapping[str, Frame]) -> pl.DataFrame:
    """Return the answer of a query.

    Raises
    ------
    UsageError
        As for `planned`; or a value does not fit what is asked of it.
    """
    plan = planned(query, tables)
    try:
        return plan.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise UsageError(f"the query cannot be answered: {_without_values(error)}") from None


def check_select(query: str) -> None:
    """Raise a `UsageError` where a text does not begin as a select does."""
    if not isinstance(query, str):
        raise UsageError(f"SQL is text, not {type(query).__name__}")
    first_word = ""
    begins = _FIRST_WORD.match(query)
    if begins:
        first_word = begins[1]
    if first_word.lower() in _SELECTS:
        return

    said = "there is none"
    if first_word:
        said = f"{first_word.upper()} is none"
    raise UsageError(f"SQL here is one select that changes nothing: {said}")


def known_tables(tables: Iterable[str]) -> str:
    """Say which tables there are, as they are written in SQL."""
    names = [name if name.isidentifier() else f'"{name}"' for name in tables]
    if not names:
        return "there is none"
    return f"there is {listed(names, max_shown=len(names))}"


def used_tables(query: str, tables: Iterable[str]) -> list[str]:
    """Return the tables that a query names; one whose name stands there as something else counts as well."""
    tables_used = []
    for table_name in tables:
        # "deals" is not in "old_deals", and not in "onepagecrm.deals"
        as_a_word = rf"(?<![\w.]){re.escape(table_name)}(?![\w.])"
        if re.search(as_a_word, query, re.IGNORECASE):
            tables_used.append(table_name)
    return tables_used


def sql_note(data: Any, query: str) -> str:
    """Return what an answer lacks, since the tables that it is made of do; "" where they are whole.

    `data` is a `crmlab.results.Result`.
    """
    tables_used = used_tables(query, data)
    parts = [data.asked.period_note(tables_used)]
    is_partial = pl.col("table").is_in(tables_used) & ~pl.col("complete")
    tables = data.summary.filter(is_partial)["table"]
    partial = tables.unique(maintain_order=True).to_list()
    if partial:
        parts.append(f"Not complete: {listed(partial)}, see summary")
    return ". ".join(filter(None, parts))


def _executed(
    query: str,
    frames: Mapping[str, pl.LazyFrame],
    tables: Iterable[str],
) -> pl.LazyFrame:
    try:
        answer = pl.SQLContext(frames=dict(frames)).execute(query)
        answer.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _in_words(error, tables) from None
    return answer


def _in_words(error: Exception, tables: Iterable[str]) -> UsageError:
    first_line = str(error).partition("\n")[0]
    if isinstance(error, OSError):
        return UsageError(
            f"SQL reads the tables that are there, and no file: {known_tables(tables)}"
        )
    table = _UNKNOWN_TABLE.search(first_line)
    if table:
        return UsageError(f"unknown table {table[1]!r} in SQL; {known_tables(tables)}")
    column = _UNKNOWN_COLUMN.search(first_line)
    if column:
        return UsageError(
            f"unknown column {column[1]!r} in SQL; there is {column[2].replace(chr(34), '')}"
        )
    reason = _without_values(error).removeprefix("sql parser error: ")
    return UsageError(f"Polars does not understand this SQL: {reason}")


def _without_values(error: Exception) -> str:
    without_values = _VALUES.sub("", str(error)).rstrip()
    first_line = without_values.partition("\n")[0]
    return first_line.rstrip(": ")
