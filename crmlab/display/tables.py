"""Frames as tables for people: HTML for notebooks and reports, aligned lines for terminals."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from crmlab.display.html import render
from crmlab.display.wording import plural

if TYPE_CHECKING:
    from markupsafe import Markup

_TEMPLATE = Path(__file__).parent / "templates" / "table.html.jinja"
#: rows that a table shows
_MAX_ROWS = 200
#: characters: longer text is wrapped in HTML
_LONG = 40
#: characters: longer text stands below its row in plain text
_BELOW = 60


class _Cell(NamedTuple):
    """A cell of an HTML table."""

    words: str
    #: the class by which the style aligns it
    kind: str
    is_bad: bool = False


def html_table(
    frame: pl.DataFrame,
    *,
    label: str = "",
    absent: str = "",
    max_rows: int = _MAX_ROWS,
    to_the_right: Collection[str] = (),
) -> Markup:
    """Return a frame as an HTML table that scrolls by itself, with numbers to the right.

    Parameters
    ----------
    frame
        What to show. Names and values may hold any text: it is escaped, and text that runs from right to left
        keeps to its cell.
    label
        What the table is, for readers who hear the page.
    absent
        What stands for null.
    max_rows
        Further rows are counted below the table.
    to_the_right
        Columns of text that hold numbers already written out, such as ``"62.5%"``.
    """
    numeric = set(to_the_right)
    for column_name, dtype in frame.schema.items():
        if dtype.is_numeric():
            numeric.add(column_name)

    headings = []
    for column_name in frame.columns:
        headings.append(_html_cell(column_name, column_name in numeric))

    table_rows = []
    for values in frame.head(max_rows).iter_rows():
        table_row = []
        for column_name, value in zip(frame.columns, values, strict=True):
            table_row.append(_html_cell(value, column_name in numeric, absent=absent))
        table_rows.append(table_row)
    left_out = _left_out(frame, max_rows)
    return render(_TEMPLATE, heads=headings, rows=table_rows, label=label, more=left_out)


def _html_cell(value: object, is_number: bool, *, absent: str = "") -> _Cell:
    words = cell(value, absent=absent)
    if is_number:
        return _Cell(words, "number")
    kind = ""
    if len(words) > _LONG:
        kind = "long"
    return _Cell(words, kind, is_bad=value is False)


def text_table(frame: pl.DataFrame) -> str:
    """Return a frame as lines: columns of short values side by side, long text below its row."""
    shown_rows = frame.head(_MAX_ROWS)
    short_columns = []
    long_columns = {}
    for column_name in shown_rows.columns:
        cell_texts = [_one_line(cell(value)) for value in shown_rows[column_name]]
        if max(map(len, cell_texts), default=0) > _BELOW:
            long_columns[column_name] = cell_texts
        else:
            is_number = shown_rows.schema[column_name].is_numeric()
            short_columns.append(_aligned([column_name, *cell_texts], to_the_right=is_number))

    text_lines = []
    for line_number in range(shown_rows.height + 1):  # the first line are the names
        side_by_side = [column[line_number] for column in short_columns]
        text_lines.append("  ".join(side_by_side).rstrip())
        if line_number > 0:
            text_lines += _below(long_columns, line_number - 1)
    text_lines.append(_left_out(frame, _MAX_ROWS))
    # a row of nothing but long texts has no line of its own
    return "\n".join(filter(None, text_lines))


def _below(long_columns: dict[str, list[str]], row_number: int) -> list[str]:
    """Return the long texts of a row, a line each."""
    text_lines = []
    for column_name, cell_texts in long_columns.items():
        if cell_texts[row_number]:
            text_lines.append(f"    {column_name}: {cell_texts[row_number]}")
    return text_lines


def _aligned(column: Sequence[str], *, to_the_right: bool) -> list[str]:
    width = max(map(len, column))
    justified = str.rjust if to_the_right else str.ljust
    return [justified(text, width) for text in column]


def _one_line(text: str) -> str:
    """Return text as one line, without what would turn or colour the terminal."""
    return "".join(_printable(character) for character in text)


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " "


def cell(value: object, *, absent: str = "") -> str:
    """Return a value of a table for the eye: numbers in groups of thousands."""
    match value:
        case None:
            return absent
        case True:
            return "yes"
        case False:
            return "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.2f}"
        case _:
            return str(value)


def _left_out(frame: pl.DataFrame, max_rows: int) -> str:
    """Return how many rows a table does not show, in words; "" where it shows all."""
    left_out = frame.height - max_rows
    if left_out <= 0:
        return ""
    return f"{plural(left_out, 'more row')} not shown"
