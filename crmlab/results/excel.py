"""Tables as sheets of one Excel workbook: text stays text, times are UTC and say so.

Excel knows no time zones, holds 1,048,576 rows, 32,767 characters in a cell and days since 1900
(https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3): what does not fit is
refused, never cut. Text is marked as such in its format (quotePrefix), so that no cell becomes a
formula, edited or not; its characters are those of the table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from crmlab.errors import PlanError
from crmlab.results.cells import unnested

_MOST_ROWS = 1_048_576 - 1  # one is the header
_MOST_CHARACTERS = 32_767
_FIRST_DAY = dt.date(1900, 1, 1)
_AS_TEXT = {"num_format": "@", "quote_prefix": True}
_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": True,
}


def write(tables: Mapping[str, pl.DataFrame], path: Path) -> None:
    """Write a sheet for each table: lists joined by ``;``, nested values as JSON, times in UTC.

    Raises
    ------
    PlanError
        XlsxWriter is not installed, or Excel cannot hold a table: which, and why.
    """
    try:
        import xlsxwriter  # noqa: PLC0415  # an extra
    except ImportError:
        raise PlanError("Excel files need XlsxWriter: pip install xlsxwriter") from None
    sheets = {name: unnested(frame) for name, frame in tables.items()}
    if problems := [problem for name, sheet in sheets.items() for problem in _too_much(name, sheet)]:
        raise PlanError(f"Excel cannot hold {'; '.join(problems)}: write parquet or csv")
    with xlsxwriter.Workbook(path, _OPTIONS) as book:
        for name, sheet in sheets.items():
            shown = _zoneless(sheet)
            texts: dict[Any, Any] = {column: _AS_TEXT for column, dtype in shown.schema.items() if dtype == pl.String}
            shown.write_excel(book, worksheet=name, column_formats=texts, freeze_panes=(1, 0), float_precision=2)


def _too_much(name: str, sheet: pl.DataFrame) -> Iterator[str]:
    if sheet.height > _MOST_ROWS:
        yield f"the {sheet.height:,} rows of {name} (at most {_MOST_ROWS:,})"
    for column, dtype in sheet.schema.items():
        values = sheet[column]
        if dtype == pl.String and (values.str.len_chars() > _MOST_CHARACTERS).any():
            yield f"the longest text of {name}.{column} (at most {_MOST_CHARACTERS:,} characters)"
        if dtype in (pl.Date, pl.Datetime) and (values.dt.date() < _FIRST_DAY).any():
            yield f"the times of {name}.{column} before {_FIRST_DAY}"


def _zoneless(sheet: pl.DataFrame) -> pl.DataFrame:
    return sheet.select(
        pl.col(name).dt.convert_time_zone("UTC").dt.replace_time_zone(None).alias(f"{name} (UTC)")
        if getattr(dtype, "time_zone", None)
        else pl.col(name).cast(pl.String if dtype == pl.Categorical else dtype)
        for name, dtype in sheet.schema.items()
    )
