"""Tables as sheets of one Excel workbook: nothing is cut, and no text becomes a formula.

Text is marked as such (quotePrefix), so that no cell becomes a formula, edited or not; its characters are those of
the table. Infinite numbers and NaN are text, too, since Excel has no others. What else Excel does not have, and what is
made of it, is in `crmlab.results.excel_sheets`.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from crmlab.errors import UsageError
from crmlab.results.excel_sheets import Column, Sheet

_TEXT = {"num_format": "@", "quote_prefix": True}
_HEAD = {**_TEXT, "bold": True, "bottom": 1}
FORMATS = {
    "whole": {"num_format": "0"},
    "number": {"num_format": "#,##0.00"},
    "day": {"num_format": "yyyy-mm-dd"},
    "time": {"num_format": "yyyy-mm-dd hh:mm:ss"},
    "clock": {"num_format": "hh:mm:ss"},
    "text": _TEXT,
    "boolean": {},
}
#: characters
_MIN_WIDTH = 6
_MAX_WIDTH = 60
_DATE_WIDTHS = {"day": 11, "time": 20, "clock": 10}
#: rows that a column's width is taken from
_MEASURED_ROWS = 1_000


def need_xlsxwriter() -> None:
    """Raise a `UsageError` where XlsxWriter is not installed."""
    try:
        import xlsxwriter  # noqa: F401, PLC0415  # an extra
    except ImportError:
        raise UsageError("Excel files need XlsxWriter: pip install xlsxwriter") from None


def write(sheets: Sequence[Sheet], path: Path) -> None:
    """Write the workbook."""
    import xlsxwriter  # noqa: PLC0415  # an extra
    from xlsxwriter.exceptions import FileSizeError  # noqa: PLC0415

    # in memory: where the disk is full, XlsxWriter leaves files behind and open
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    for sheet in sheets:
        _write_sheet(book, sheet)
    try:
        book.close()
    except FileSizeError:
        raise UsageError("the workbook would have more than 4 GB: write parquet or csv") from None
    path.write_bytes(made.getbuffer())


def _write_sheet(book: Any, sheet: Sheet) -> None:
    made = book.add_worksheet(sheet.name)
    head = book.add_format(_HEAD)
    formats = {kind: book.add_format(properties) for kind, properties in FORMATS.items()}
    for place, column in enumerate(sheet.columns):
        made.set_column(place, place, _width(column), formats[column.kind])
        _write_text(made, (0, place), column.head, head)
        _write_column(made, place, column, formats)
    made.freeze_panes(1, 0)
    if sheet.columns:
        made.autofilter(0, 0, sheet.rows, len(sheet.columns) - 1)


def _write_column(made: Any, place: int, column: Column, formats: Mapping[str, Any]) -> None:
    own = formats[column.kind]
    for row, value in enumerate(column.values, 1):
        if value is None:
            continue
        if column.kind == "text":
            _write_text(made, (row, place), value, own)
        elif column.kind == "boolean":
            made.write_boolean(row, place, value, own)
        elif math.isfinite(value):
            made.write_number(row, place, value, own)
        else:
            made.write_string(row, place, str(value), formats["text"])


def _write_text(made: Any, cell: tuple[int, int], text: str, form: Any) -> None:
    if text.startswith("<r>") and text.endswith("</r>"):
        # XlsxWriter takes such a text for XML of its own and does not escape it; in two parts it does
        made.write_rich_string(*cell, text[:1], form, text[1:], form)
    else:
        made.write_string(*cell, text, form)


def _width(column: Column) -> int:
    """Return a width in characters that shows the head and most values."""
    if column.kind in _DATE_WIDTHS:
        longest = _DATE_WIDTHS[column.kind]
    else:
        shown = column.values.head(_MEASURED_ROWS).cast(pl.String).str.len_chars().max()
        longest = int(shown) if isinstance(shown, int) else 0
    for_head = len(column.head) + 3  # the button of the filter
    return min(max(longest + 1, for_head, _MIN_WIDTH), _MAX_WIDTH)
