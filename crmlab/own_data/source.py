"""What users give as their data: a frame of any library, or the path of a CSV file."""

from __future__ import annotations

import csv
from collections import Counter
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import polars as pl

from crmlab.errors import UsageError
from crmlab.schema import as_polars, collected, in_short

#: what stands between the cells of a CSV file; of equally good ones the first, which is the rarer in names
_DELIMITERS = ("\t", ";", ",")


def read(source: Any, table: str) -> pl.DataFrame:
    """Return a frame, or the cells of a CSV file as text, as a Polars frame.

    Raises
    ------
    UsageError
        It is neither, or the file cannot be read.
    """
    if isinstance(source, str | PathLike):
        return _of_file(Path(fspath(source)))
    return collected(as_polars(source, table), table)


def _of_file(path: Path) -> pl.DataFrame:
    if path.suffix.lower() in (".parquet", ".xlsx", ".xls", ".ods", ".json"):
        reader = {".parquet": "read_parquet", ".json": "read_json"}.get(
            path.suffix.lower(), "read_excel"
        )
        raise UsageError(
            f"{path.name} is no CSV file: write polars.{reader}({str(path)!r}) in place of the path"
        )
    try:
        header = _header(path)
        delimiter = _delimiter(header)
        _refuse_twice(path, header, delimiter)
        # a cell that is missing at the end of a line is null, one too many is an error
        return pl.read_csv(path, separator=delimiter, infer_schema=False)
    except UnicodeDecodeError:
        raise UsageError(_not_utf8(path)) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or in_short(error)}") from None
    except pl.exceptions.PolarsError as error:
        if "utf-8" in str(error).lower():
            raise UsageError(_not_utf8(path)) from None
        raise UsageError(f"{path.name} cannot be read as CSV: {in_short(error)}") from None


def _refuse_twice(path: Path, header: str, delimiter: str) -> None:
    """Refuse a name that two columns have: nobody could tell which of them is meant."""
    names = [
        name
        for row in csv.reader(header.splitlines(keepends=True), delimiter=delimiter)
        for name in row
        if name
    ]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UsageError(
            f"{path.name} has several columns called {', '.join(twice)}: give each its own name"
        )


def _not_utf8(path: Path) -> str:
    return (
        f'{path.name} is not UTF-8: save it as "CSV UTF-8", or read it yourself, '
        f'for example with polars.read_csv({str(path)!r}, encoding="cp1252")'
    )


def _header(path: Path) -> str:
    """Return the first line that holds something, with those that a quoted cell goes on in."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines: list[str] = []
        for line in file:
            lines.append(line)
            is_whole = "".join(lines).count('"') % 2 == 0
            if is_whole and line.strip():
                break
    return "".join(lines)


def _delimiter(header: str) -> str:
    """Return what cuts the header into the most cells."""
    cells = {delimiter: _cells(header, delimiter) for delimiter in _DELIMITERS}
    return max(_DELIMITERS, key=lambda delimiter: cells[delimiter])


def _cells(header: str, delimiter: str) -> int:
    rows = csv.reader(header.splitlines(keepends=True), delimiter=delimiter)
    return max((len(row) for row in rows), default=0)
