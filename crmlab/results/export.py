"""Frames to files: Parquet as it is, CSV flat and safe to open in a spreadsheet, or an Excel workbook."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import polars as pl

from crmlab.errors import PlanError, SchemaError
from crmlab.results import excel
from crmlab.results.cells import unnested
from crmlab.schema import TABLES, conform

Format = Literal["parquet", "csv", "xlsx"]
FORMATS: tuple[Format, ...] = get_args(Format)
#: what a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SHIELD = "'"


def export(tables: Mapping[str, pl.DataFrame], directory: str | Path, format: Format = "parquet") -> list[Path]:
    """Write one file for each table, or one workbook, and return the paths; existing files are replaced whole.

    CSV: UTF-8 with the lists joined by ``;`` and nested values as JSON; a cell that a spreadsheet
    would run as a formula gets a leading ``'``, which `read_csv` takes off again. xlsx: all tables
    in ``crmlab.xlsx``, see `crmlab.results.excel`.

    Raises
    ------
    PlanError
        unknown format; for xlsx: XlsxWriter is not installed, or Excel cannot hold a table
    """
    if format not in FORMATS:
        raise PlanError(f"unknown format {format!r}; known: {', '.join(FORMATS)}")
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    if format == "xlsx":
        return [_replaced(folder / "crmlab.xlsx", lambda path: excel.write(tables, path))]
    writers = {"parquet": _parquet, "csv": _csv}
    return [_replaced(folder / f"{name}.{format}", partial(writers[format], frame)) for name, frame in tables.items()]


def _parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path, compression="zstd")


def _csv(frame: pl.DataFrame, path: Path) -> None:
    flat(frame).write_csv(path)


def _replaced(path: Path, write: Callable[[Path], None]) -> Path:
    part = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def read_csv(path: str | Path) -> pl.DataFrame:
    """Return a table that `export` wrote as CSV, with the dtypes of the shared schema.

    The file's name says which table it is. Lists of text come back as they were, custom fields
    too; blank and absent are the same in CSV: both come back as null.

    Raises
    ------
    PlanError
        the file is not named after a shared table
    SchemaError
        its columns are not those of that table
    """
    name = Path(path).stem
    if name not in TABLES:
        raise PlanError(f"{name!r} is not a shared table; read {Path(path).name} with polars.read_csv")
    table = TABLES[name]
    frame = pl.read_csv(path, infer_schema=False)
    if strange := sorted(set(frame.columns) ^ set(table.columns)):
        raise SchemaError(f"{Path(path).name} and the table differ in the columns {', '.join(strange)}")
    return conform(frame.select(_restored(column, dtype) for column, dtype in table.schema.items()), table)


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with every column a scalar and every text safe in a spreadsheet."""
    frame = unnested(frame)
    return frame.with_columns(
        (_shielded(pl.col(name)) if dtype == pl.String else _iso(pl.col(name), dtype)).alias(name)
        for name, dtype in frame.schema.items()
        if dtype in (pl.String, pl.Datetime)
    )


def _iso(time: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    zone = getattr(dtype, "time_zone", None)
    utc = time.dt.convert_time_zone("UTC") if zone else time
    return utc.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f" + ("Z" if zone else ""))


def _shielded(value: pl.Expr) -> pl.Expr:
    risky = pl.any_horizontal(*(value.str.starts_with(sign) for sign in (*_FORMULA, _SHIELD)))
    return pl.when(risky).then(pl.lit(_SHIELD) + value).otherwise(value)


def _restored(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype == pl.String or dtype.is_nested():
        column = pl.when(column.str.starts_with(_SHIELD)).then(column.str.slice(1)).otherwise(column)
        column = pl.when(column != "").then(column)
    if dtype == pl.List(pl.String):
        return column.map_elements(_unjoined, return_dtype=dtype).alias(name)
    if dtype.is_nested():
        return column.str.json_decode(dtype).alias(name)
    if dtype == pl.Datetime:
        return column.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us").dt.replace_time_zone("UTC").alias(name)
    if dtype == pl.Date:
        return column.str.to_date("%Y-%m-%d").alias(name)
    if dtype == pl.Boolean:
        return (column == "true").alias(name)
    return column.cast(dtype).alias(name)


def _unjoined(text: str) -> list[str]:
    parts: list[str] = []
    part, escaped = "", False
    for character in text:
        if escaped:
            part, escaped = part + character, False
        elif character == "\\":
            escaped = True
        elif character == ";":
            parts, part = [*parts, part], ""
        else:
            part += character
    return [*parts, part]
