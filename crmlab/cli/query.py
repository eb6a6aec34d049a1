"""``crmlab query``: the answer of a SQL query over the files of a fetch, or over a lake."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

import crmlab
from crmlab.atomic_files import make_folder, write_files
from crmlab.cli.arguments import Commands
from crmlab.cli.output import OK, print_frame
from crmlab.errors import UsageError
from crmlab.lake import is_lake
from crmlab.results import (
    NOT_ALWAYS,
    Fetched,
    Format,
    Stored,
    duckdb_query,
    sql_answer,
    sql_note,
    table_writers,
)

#: rows that are printed; a file holds all
_MAX_SHOWN = 100
_FORMATS: dict[str, Format] = {".csv": "csv", ".parquet": "parquet"}


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "query",
        help="answer a SQL query over files that fetch wrote, or over a lake",
        description="Answer one select over the tables of a folder, and print it or write it to a "
        "file. Every table "
        "has its name there; one with a dot stands in double quotes. Nothing but these tables is "
        "read.",
        epilog="example: crmlab query out/ 'select owner_name, sum(amount) as amount from deals "
        "group by owner_name' "
        "--out amounts.csv",
    )
    parser.add_argument(
        "directory", metavar="DIR", help="of files, or of a lake, which may be s3://bucket/lake too"
    )
    parser.add_argument("sql", metavar="SELECT", help="one select")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"a .csv or .parquet file, instead of the first {_MAX_SHOWN} rows here",
    )
    parser.add_argument(
        "--engine",
        choices=("polars", "duckdb"),
        default="polars",
        help="polars: as data.sql does (default). duckdb: knows more SQL, and keeps to "
        "--memory-limit however many "
        "groups there are; needs pip install duckdb",
    )
    parser.add_argument(
        "--memory-limit", metavar="SIZE", help="of --engine duckdb, such as 500MB (default: 2GB)"
    )
    parser.add_argument(
        "--as-of",
        metavar="DAY",
        help="when the files were fetched, where they do not say so; of a lake: as it was then",
    )
    parser.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """Print or write the answer; return the exit code."""
    file_format = _format(options.out)
    if options.memory_limit and options.engine != "duckdb":
        raise UsageError("--memory-limit needs --engine duckdb")
    result = _opened(options.directory, options.as_of)
    if file_format:
        _refuse_own_file(options.out, options.directory, result)
    answer = _answer(result, options)
    # on stderr, as all that is no answer: stdout may go into another program
    remark = sql_note(result, options.sql)
    if remark:
        print(f"{remark}.", file=sys.stderr)
    if file_format:
        _write(answer, options.out, file_format)
        print(options.out)
        return OK
    print_frame(answer.head(_MAX_SHOWN))
    if answer.height > _MAX_SHOWN:
        print(f"{_MAX_SHOWN} of {answer.height:,} rows: --out writes all of them.", file=sys.stderr)
    return OK


def _opened(place: str, as_of: str | None) -> Fetched | Stored:
    if not is_lake(place):
        return crmlab.open(place, as_of=as_of)
    lake = crmlab.Lake(place)
    if as_of:
        return lake.as_of(as_of)
    return lake.open()


def _answer(data: Fetched | Stored, options: argparse.Namespace) -> pl.DataFrame:
    if options.engine == "polars":
        tables: Mapping[str, Any] = data  # of frames, lazy or not
        return sql_answer(options.sql, tables)
    limits = {}
    if options.memory_limit:
        limits["memory_limit"] = options.memory_limit
    # a lake has no paths: its files hold what was before, too
    if isinstance(data, Stored) and data.paths:
        paths = {table_name: data.paths[table_name] for table_name in data}
        return duckdb_query(options.sql, paths, **limits)
    return duckdb_query(options.sql, dict(data), **limits)


def _format(path: Path | None) -> Format | None:
    """Return the format of the file that is asked for."""
    if path is None:
        return None
    if path.suffix not in _FORMATS:
        raise UsageError(f"--out {path} names no format: call it .csv or .parquet")
    return _FORMATS[path.suffix]


def _refuse_own_file(path: Path, place: str, data: Fetched | Stored) -> None:
    """Refuse a file of the fetch itself: the answer would take the place of its rows."""
    own_names = {*data, "summary", *NOT_ALWAYS}
    if path.stem in own_names and path.parent.resolve() == Path(place).resolve():
        raise UsageError(f"--out {path} is a file of the fetch: give the answer another name")


def _write(answer: pl.DataFrame, path: Path, format: Format) -> None:
    """Write the file as an export does: a cell that a spreadsheet could run is none, and all or nothing is there."""
    writers = table_writers({path.stem: answer}, format, {}, workbook="")
    # one frame is one file
    (write_answer,) = writers.values()
    make_folder(path.parent)
    write_files({path: write_answer})
