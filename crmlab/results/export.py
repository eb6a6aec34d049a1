"""Frames to files: Parquet as it is, CSV flat and safe to open in a spreadsheet, or an Excel workbook."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import polars as pl

from crmlab.atomic_files import PRIVATE_FILE, is_of_system, make_folder, write_files
from crmlab.errors import SchemaError, UsageError
from crmlab.results import excel, manifest
from crmlab.results.cells import split, unnested
from crmlab.results.checksums import Checksum, Writer, noting
from crmlab.results.excel_sheets import sheets
from crmlab.results.spreadsheet_safe import shielded, unshielded
from crmlab.schema import TABLES, as_polars, collected, conform, in_short

Format = Literal["parquet", "csv", "xlsx"]
FORMATS: tuple[Format, ...] = get_args(Format)
#: what makes a text of the checksums of other files
TextOf = Callable[[Mapping[str, Checksum]], str]
_AnyFrame = pl.DataFrame | pl.LazyFrame
#: records and values as they came, which lie beside what was asked for: for this user only
_PRIVATE = ("rejected", "misfits")
_NOT_IN_FILE_NAMES = re.compile(r"[/\\\x00]")
_COLUMN_OF_ERROR = re.compile(r"in column '([^']*)'")


def export(
    tables: Mapping[str, Any],
    directory: str | Path,
    format: Format = "parquet",
    *,
    obsolete: Iterable[str] = (),
    beside: Mapping[str, TextOf] = MappingProxyType({}),
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> list[Path]:
    """Write one file for each table, or one workbook, and return the paths.

    All files are replaced together: where one cannot be written, all that were there stay as they were.

    CSV is UTF-8 with a byte order mark, by which Excel knows it, with lists joined by ``;`` and nested values as JSON.
    What a spreadsheet could run as a formula gets a leading ``'``, which `read_csv` takes off again. xlsx: all tables
    in ``crmlab.xlsx``, see `crmlab.results.excel`.

    Parameters
    ----------
    tables
        Frames by name: of Polars, pandas or pyarrow. Lazy ones of Polars go batch by batch into Parquet files.
    directory
        The folder, which is made where it is not there.
    format
        ``"parquet"``, ``"csv"`` or ``"xlsx"``.
    obsolete
        Names of tables that are not there this time: their files of an earlier export are removed.
    beside
        By the name of a further file, what makes its text of the checksums of the other files; they are replaced
        together with the tables.
    metadata
        What each Parquet file says of itself.

    Raises
    ------
    UsageError
        The format is unknown, a frame is none, a value cannot be held by such a file, a name is no name of a file,
        XlsxWriter is not installed, or the folder is none or not ours to write to. Nothing was written.
    CrmlabError
        The system refused while files were written: the disk is full.
    """
    frames = {table: as_polars(frame, table) for table, frame in tables.items()}
    checksums: dict[str, Checksum] = {}
    writers = noting(table_writers(frames, format, metadata, workbook=manifest.WORKBOOK), checksums)
    # these come last: their texts are made of the checksums of the others
    writers |= text_writers(beside, checksums)
    folder = make_folder(directory)
    new_files = {folder / file_name: writer for file_name, writer in writers.items()}
    remove = []
    # a workbook holds all tables, and is replaced as a whole
    if format != "xlsx":
        remove = [folder / f"{table}.{format}" for table in obsolete]
    return write_files(new_files, remove=remove)


def text_writers(
    texts: Mapping[str, TextOf], checksums: Mapping[str, Checksum] = MappingProxyType({})
) -> dict[str, Writer]:
    """Return by file name what writes each text, which is made of the checksums of the files written before it."""
    writers: dict[str, Writer] = {}
    for name, text_of in texts.items():
        writers[name] = partial(_write_text, text_of, checksums)
    return writers


def parquet_writers(
    tables: Mapping[str, _AnyFrame], metadata: Mapping[str, str]
) -> dict[str, Writer]:
    """Return by file name what writes each table as Parquet."""
    writers = {}
    for table, frame in tables.items():
        writer = partial(_write_parquet, table, frame, metadata)
        writers[f"{table}.parquet"] = _with_its_mode(table, writer)
    return writers


def table_writers(
    tables: Mapping[str, _AnyFrame],
    format: Format,
    metadata: Mapping[str, str],
    *,
    workbook: str,
) -> dict[str, Writer]:
    """Return by file name what writes each table, or the workbook of all of them.

    Raises
    ------
    UsageError
        As for `export`: what such files cannot hold is refused here, before anything is written.
    """
    if format not in FORMATS:
        raise UsageError(f"unknown format {format!r}; known: {', '.join(FORMATS)}")
    if format == "parquet":
        _refuse_as_file_names(tables)
        return parquet_writers(tables, metadata)

    # only Parquet can be written batch by batch
    frames = {table: collected(frame, table) for table, frame in tables.items()}
    if format == "xlsx":
        excel.need_xlsxwriter()
        return {workbook: partial(excel.write, sheets(frames))}

    _refuse_as_file_names(frames)
    _refuse_for_csv(frames)
    writers = {}
    for table, frame in frames.items():
        writer = partial(_write_csv, table, frame)
        writers[f"{table}.csv"] = _with_its_mode(table, writer)
    return writers


def _with_its_mode(name: str, write: Writer) -> Writer:
    if name in _PRIVATE:
        return partial(_write_private, write)
    return write


def _write_private(write: Writer, path: Path) -> None:
    write(path)
    path.chmod(PRIVATE_FILE)


def _write_text(
    text_of: TextOf,
    checksums: Mapping[str, Checksum],
    path: Path,
) -> None:
    path.write_bytes(text_of(checksums).encode())  # bytes: the same line ends on every system


def _refuse_as_file_names(names: Iterable[str]) -> None:
    for name in names:
        if not name or _NOT_IN_FILE_NAMES.search(name):
            raise UsageError(f"{name!r} is no name of a file: give the table another name")


def _refuse_for_csv(tables: Mapping[str, pl.DataFrame]) -> None:
    problems = []
    for name, frame in tables.items():
        for column, dtype in frame.schema.items():
            if dtype in (pl.Binary, pl.Object):
                problems.append(f"{name}.{column} ({dtype})")
    if problems:
        raise UsageError(
            f"CSV cannot hold {', '.join(problems)}: cast to text, or leave the column out"
        )


def _write_parquet(
    name: str,
    frame: _AnyFrame,
    metadata: Mapping[str, str],
    path: Path,
) -> None:
    with _refusals_in_words(name, "Parquet"):
        if isinstance(frame, pl.LazyFrame):
            frame.sink_parquet(path, compression="zstd", metadata=dict(metadata))
        else:
            frame.write_parquet(path, compression="zstd", metadata=dict(metadata))


def _write_csv(
    name: str,
    frame: pl.DataFrame,
    path: Path,
) -> None:
    with _refusals_in_words(name, "CSV"):
        flat(frame).write_csv(path, include_bom=True)


@contextmanager
def _refusals_in_words(name: str, format: str) -> Iterator[None]:
    try:
        yield
    except pl.exceptions.PolarsError as error:
        if is_of_system(error):
            raise  # told where it is written
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{name} cannot be written as {format}: {reason}") from None


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with every column a scalar, and every text and name of a column safe in a spreadsheet."""
    texts = unnested(frame)
    columns = []
    for column_name, dtype in texts.schema.items():
        column = pl.col(column_name)
        if dtype in (pl.String, pl.Categorical, pl.Enum):
            columns.append(shielded(column.cast(pl.String)))
        elif isinstance(dtype, pl.Datetime):
            columns.append(_iso(column, dtype))
        elif dtype == pl.Duration:
            # a negative one begins with a "-"
            columns.append(shielded(column.dt.to_string("iso")))
        else:
            columns.append(column)

    # a spreadsheet runs the head of a column like any other cell
    safe_names = _changed(texts.columns, shielded)
    new_names = dict(zip(texts.columns, safe_names, strict=True))
    return texts.select(columns).rename(new_names)


def _changed(names: Sequence[str], change: Callable[[pl.Expr], pl.Expr]) -> list[str]:
    """Return names with the same change as is made to text in columns."""
    frame = pl.Series("name", names, dtype=pl.String).to_frame()
    changed = frame.select(change(pl.col("name")))
    return changed.to_series().to_list()


def _iso(time: pl.Expr, dtype: pl.Datetime) -> pl.Expr:
    digits = 9 if dtype.time_unit == "ns" else 6
    if dtype.time_zone is None:
        return time.dt.strftime(f"%Y-%m-%dT%H:%M:%S%.{digits}f")
    return time.dt.convert_time_zone("UTC").dt.strftime(f"%Y-%m-%dT%H:%M:%S%.{digits}fZ")


def read_csv(path: str | Path) -> pl.DataFrame:
    """Return a table that `export` wrote as CSV, as it was: text, lists, custom fields, times and nulls.

    The file's name says which table it is. A file that a spreadsheet saved again may have lost the difference between
    empty text and no text. Further columns, which own data may have, stand at the end as text.

    Raises
    ------
    UsageError
        The file is not named after a shared table, is not there, or holds what `export` does not write, such as
        times in the notation of a country.
    SchemaError
        It lacks columns of that table.

    Examples
    --------
    >>> import polars as pl
    >>> import crmlab
    >>> rows = {"id": ["1", "2"], "status": ["won", "lost"], "text": ["", None]}
    >>> deals = crmlab.table("deals", pl.DataFrame(rows), provider="salesforce")
    >>> files = crmlab.collect(deals=deals, as_of="2026-01-31").export("out", format="csv")
    >>> crmlab.read_csv("out/deals.csv").select("id", "status", "text").rows()
    [('1', 'won', ''), ('2', 'lost', None)]
    """
    file_name = Path(path).name
    table_name = Path(path).stem
    if table_name not in TABLES:
        raise UsageError(
            f"{table_name!r} is not a shared table; read {file_name} with polars.read_csv"
        )
    table = TABLES[table_name]
    frame = read_cells(path, table.schema)
    if not table.columns.keys() <= set(frame.columns):
        strange = sorted(set(frame.columns) ^ set(table.columns))
        raise SchemaError(f"{file_name} and the table differ in the columns {', '.join(strange)}")
    further = [column for column in frame.columns if column not in table.columns]
    shared = conform(frame.select(*table.columns), table)
    return shared.with_columns(frame.select(further))


def read_cells(
    path: str | Path,
    schema: Mapping[str, pl.DataType],
    *,
    advice: str = "",
) -> pl.DataFrame:
    """Return what `flat` was given, from its CSV file; columns that are not in the schema stay text.

    `advice` is told where the file cannot be read, in place of what helps with one that crmlab wrote.

    Raises
    ------
    UsageError
        The file is not there, or holds what `export` does not write.
    """
    try:
        frame = pl.read_csv(path, glob=False, infer_schema=False)
        names = _changed(frame.columns, unshielded)
        own_names = dict(zip(frame.columns, names, strict=True))
        named = frame.rename(own_names)
        columns = []
        for values in named:
            dtype = schema.get(values.name, pl.String())
            columns.append(_restored(values, dtype))
        return named.select(columns)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or in_short(error)}") from None
    except pl.exceptions.PolarsError as error:
        raise _not_as_written(path, error, advice) from None


def _not_as_written(
    path: str | Path,
    error: Exception,
    advice: str,
) -> UsageError:
    """Return what to say of a CSV file that cannot be read, but for its values, which Polars quotes."""
    table_name = Path(path).stem
    if not advice and table_name in TABLES:
        advice = (
            f"write crmlab.table({table_name!r}, {str(path)!r}), which takes other notations, too"
        )
    where = ""
    column = _COLUMN_OF_ERROR.search(str(error))
    if column:
        where = f" in {column[1]}"
    return UsageError(
        f"{Path(path).name} is not as crmlab writes it{where}, perhaps since a spreadsheet saved it: "
        f"{advice or 'export it again'}"
    )


def _restored(values: pl.Series, dtype: pl.DataType) -> pl.Expr | pl.Series:
    """Return a column of text as the values that `flat` made it of."""
    column = pl.col(values.name)
    if dtype == pl.String:
        return unshielded(column)
    if dtype == pl.List(pl.String):
        return split(values.to_frame().select(unshielded(column)).to_series())
    if dtype.is_nested():
        return unshielded(column).str.json_decode(dtype)
    if dtype == pl.Datetime:
        without_zone = column.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us")
        return without_zone.dt.replace_time_zone("UTC")
    if dtype == pl.Date:
        return column.str.to_date("%Y-%m-%d")
    if dtype == pl.Boolean:
        # a spreadsheet that saves the file again writes TRUE
        lower_case = column.str.to_lowercase()
        return lower_case.replace_strict({"true": True, "false": False}, return_dtype=pl.Boolean)
    return column.cast(dtype)
