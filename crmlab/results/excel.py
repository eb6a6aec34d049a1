"""Tables as sheets of one Excel workbook: nothing is cut, and no text becomes a formula.

Text is marked as such (quotePrefix), so that no cell becomes a formula, edited or not; its characters are those of
the table. Infinite numbers and NaN are text, too, since Excel has no others. What else Excel does not have, and what is
made of it, is in `crmlab.results.excel_sheets`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
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
#: of which the values are Python's at a time
_ROWS_AT_ONCE = 5_000


def need_xlsxwriter() -> None:
    """Raise a `UsageError` where XlsxWriter is not installed."""
    try:
        import xlsxwriter  # noqa: F401, PLC0415  # an extra
    except ImportError:
        raise UsageError("Excel files need XlsxWriter: pip install xlsxwriter") from None


def write(sheets: Sequence[Sheet], path: Path, *, rows_at_once: int = _ROWS_AT_ONCE) -> None:
    """Write the workbook, row by row: of the cells, memory holds so many rows at a time.

    What is written of each sheet stands in a folder beside the workbook until the workbook is whole.
    """
    import xlsxwriter  # noqa: PLC0415  # an extra
    from xlsxwriter.exceptions import FileCreateError, FileSizeError  # noqa: PLC0415

    with TemporaryDirectory(
        prefix="sheets-", dir=path.parent, ignore_cleanup_errors=True
    ) as folder:
        book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": folder})
        try:
            for sheet in sheets:
                _write_sheet(book, sheet, rows_at_once)
            book.close()
        except FileSizeError:
            raise UsageError(
                "the workbook would have more than 4 GB: write parquet or csv"
            ) from None
        except FileCreateError as error:
            raise error.args[0] from None  # the error of the system that it wraps
        finally:
            _close(book)


def _close(book: Any) -> None:
    """Close what XlsxWriter leaves open where it could not write on; after a workbook that is whole, nothing is."""
    book.fileclosed = True  # else it tries once more, when it is collected
    for sheet in book.worksheets():
        for open_file in (sheet.row_data_fh, sheet.fh):
            with suppress(OSError):  # what could not be written before cannot be written now
                open_file.close()


def _write_sheet(book: Any, sheet: Sheet, rows_at_once: int) -> None:
    worksheet = book.add_worksheet(sheet.name)
    head_format = book.add_format(_HEAD)
    formats = {kind: book.add_format(properties) for kind, properties in FORMATS.items()}
    writers = []
    for position, column in enumerate(sheet.columns):
        worksheet.set_column(position, position, _width(column), formats[column.kind])
        _write_text(worksheet, (0, position), column.head, head_format)
        writers.append(_writer(worksheet, column.kind, formats))

    for row_number, values in enumerate(_rows(sheet, rows_at_once), 1):
        for position, value in enumerate(values):
            if value is not None:
                writers[position](row_number, position, value)
    worksheet.freeze_panes(1, 0)
    # a filter needs a column
    if sheet.columns:
        worksheet.autofilter(0, 0, sheet.rows, len(sheet.columns) - 1)


def _rows(sheet: Sheet, at_once: int) -> Iterator[tuple[Any, ...]]:
    """Return the rows as values of Python, of which only a few are made at a time."""
    for start in range(0, sheet.rows, at_once):
        columns = [column.values.slice(start, at_once).to_list() for column in sheet.columns]
        yield from zip(*columns, strict=True)


def _writer(
    made: Any,
    kind: str,
    formats: Mapping[str, Any],
) -> Callable[[int, int, Any], object]:
    """Return what writes a value of such a column into a row and place."""
    own = formats[kind]
    if kind == "text":
        return lambda row, place, value: _write_text(made, (row, place), value, own)
    if kind == "boolean":
        return lambda row, place, value: made.write_boolean(row, place, value, own)

    def write_number(
        row: int,
        place: int,
        value: float,
    ) -> None:
        if math.isfinite(value):
            made.write_number(row, place, value, own)
        else:
            made.write_string(row, place, str(value), formats["text"])

    return write_number


def _write_text(
    made: Any,
    cell: tuple[int, int],
    text: str,
    form: Any,
) -> None:
    if text.startswith("<r>") and text.endswith("</r>"):
        # XlsxWriter takes such a text for XML of its own and does not escape it; in two parts it does
        made.write_rich_string(*cell, text[:1], form, text[1:], form)
    else:
        made.write_string(*cell, text, form)


def _width(column: Column) -> int:
    """Return a width in characters that shows the head and most values."""
    longest = 0
    if column.kind in _DATE_WIDTHS:
        longest = _DATE_WIDTHS[column.kind]
    else:
        # the first rows tell enough, and all of them would take long
        texts = column.values.head(_MEASURED_ROWS).cast(pl.String)
        longest_text = texts.str.len_chars().max()
        if isinstance(longest_text, int):
            longest = longest_text
    for_head = len(column.head) + 3  # the button of the filter
    return min(max(longest + 1, for_head, _MIN_WIDTH), _MAX_WIDTH)
