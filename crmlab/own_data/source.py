"""What users give as their data: a frame of any library, or the path of a CSV file."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import polars as pl

from crmlab.errors import UsageError
from crmlab.schema import as_polars, collected, in_short

#: what stands between the cells of a CSV file; of equally good ones the first, which is the rarer in names
_DELIMITERS = ("\t", ";", ",")
#: readers that take a path for a pattern of several files where one of these signs is in it
_OF_PATTERNS = ("read_csv", "read_parquet")
_IN_PATTERNS = frozenset("*?[")
#: what reads files of other kinds
_READERS = {
    ".parquet": "read_parquet",
    ".json": "read_json",
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "read_excel"),
}


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
    polars_reader = _READERS.get(path.suffix.lower())
    if polars_reader:
        raise UsageError(
            f"{path.name} is no CSV file: write polars.{polars_reader}({_as_code(path, polars_reader)}) in place of "
            "the path"
        )
    try:
        header = _header(path)
        delimiter = _delimiter(header)
        _refuse_twice(path, header, delimiter)
        # Excel writes lines that end like this as "CSV (Macintosh)"
        line_end = "\r" if header.endswith("\r") else "\n"
        # a cell that is missing at the end of a line is null, one too many is an error
        cells = pl.read_csv(
            path, glob=False, separator=delimiter, eol_char=line_end, infer_schema=False
        )
        is_blank = pl.all_horizontal(pl.all().is_null())
        return cells.filter(~is_blank)
    except UnicodeDecodeError:
        raise UsageError(_not_utf8(path)) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or in_short(error)}") from None
    except pl.exceptions.PolarsError as error:
        # the header alone was read before, and the signs may stand further down
        if "utf-8" in str(error).lower():
            raise UsageError(_not_utf8(path)) from None
        if "more fields" in str(error):
            raise UsageError(
                f"{path.name} cannot be read as CSV: a line has more cells than the first line, which must hold "
                f"the names of the columns. The cells are separated by {delimiter!r}"
            ) from None
        raise UsageError(f"{path.name} cannot be read as CSV: {in_short(error)}") from None


def _refuse_twice(
    path: Path,
    header: str,
    delimiter: str,
) -> None:
    """Refuse a name that two columns have: nobody could tell which of them is meant."""
    counts: Counter[str] = Counter()
    for names_in_row in _rows(header, delimiter):
        # columns without a name are told apart by Polars
        counts.update(filter(None, names_in_row))
    repeated = [name for name, times in counts.items() if times > 1]
    if repeated:
        raise UsageError(
            f"{path.name} has several columns called {', '.join(repeated)}: give each its own name"
        )


def _rows(header: str, delimiter: str) -> Iterator[list[str]]:
    """Return the cells of the header, which is several rows where lines before it are blank."""
    return csv.reader(header.splitlines(keepends=True), delimiter=delimiter)


def _not_utf8(path: Path) -> str:
    """Return what to write instead: the cells stay text, so that 007 is no number."""
    encoding = "cp1252"
    with path.open("rb") as csv_file:
        if csv_file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            encoding = "utf-16"
    delimiter = _delimiter(_header(path, encoding))
    return (
        f'{path.name} is not UTF-8: save it as "CSV UTF-8", or read it yourself, for example with '
        f"polars.read_csv({_as_code(path, 'read_csv')}, encoding={encoding!r}, separator={delimiter!r}, "
        "infer_schema=False)"
    )


def _as_code(path: Path, polars_reader: str) -> str:
    """Return the path as an argument of one of Polars' readers."""
    code = repr(str(path))
    if polars_reader in _OF_PATTERNS and not _IN_PATTERNS.isdisjoint(code):
        code += ", glob=False"
    return code


def _header(path: Path, encoding: str = "utf-8-sig") -> str:
    """Return the first line that holds something, with those that a quoted cell goes on in."""
    # the header of a file in another encoding is only counted
    errors = "strict" if encoding == "utf-8-sig" else "replace"
    with path.open(encoding=encoding, errors=errors, newline="") as csv_file:
        header_lines: list[str] = []
        for line in csv_file:
            header_lines.append(line)
            is_whole = "".join(header_lines).count('"') % 2 == 0
            if is_whole and line.strip():
                break
    return "".join(header_lines)


def _delimiter(header: str) -> str:
    """Return what cuts the header into the most cells."""
    cell_counts = {delimiter: _cells(header, delimiter) for delimiter in _DELIMITERS}
    return max(_DELIMITERS, key=cell_counts.__getitem__)


def _cells(header: str, delimiter: str) -> int:
    return max(map(len, _rows(header, delimiter)), default=0)
