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
    numeric = [dtype.is_numeric() or name in to_the_right for name, dtype in frame.schema.items()]
    heads = [
        _html_cell(name, is_number) for name, is_number in zip(frame.columns, numeric, strict=True)
    ]
    rows = []
    for values in frame.head(max_rows).iter_rows():
        row = []
        for value, is_number in zip(values, numeric, strict=True):
            row.append(_html_cell(value, is_number, absent=absent))
        rows.append(row)
    return render(_TEMPLATE, heads=heads, rows=rows, label=label, more=_more(frame, max_rows))


def _html_cell(value: object, is_number: bool, *, absent: str = "") -> _Cell:
    words = cell(value, absent=absent)
    if is_number:
        return _Cell(words, "number")
    return _Cell(words, "long" if len(words) > _LONG else "", is_bad=value is False)


def text_table(frame: pl.DataFrame) -> str:
    """Return a frame as lines: columns of short values side by side, long text below its row."""
    shown = frame.head(_MAX_ROWS)
    short_columns = []
    long_columns = {}
    for name in shown.columns:
        texts = [_one_line(cell(value)) for value in shown[name]]
        if max(map(len, texts), default=0) > _BELOW:
            long_columns[name] = texts
        else:
            short_columns.append(
                _aligned([name, *texts], to_the_right=shown.schema[name].is_numeric())
            )

    lines = []
    for number in range(shown.height + 1):  # the first line are the names
        lines.append("  ".join(column[number] for column in short_columns).rstrip())
        if number > 0:
            lines += _below(long_columns, number - 1)
    lines.append(_more(frame, _MAX_ROWS))
    return "\n".join(line for line in lines if line)


def _below(long_columns: dict[str, list[str]], row: int) -> list[str]:
    """Return the long texts of a row, a line each."""
    return [f"    {name}: {texts[row]}" for name, texts in long_columns.items() if texts[row]]


def _aligned(column: Sequence[str], *, to_the_right: bool) -> list[str]:
    width = max(map(len, column))
    return [text.rjust(width) if to_the_right else text.ljust(width) for text in column]


def _one_line(text: str) -> str:
    """Return text as one line, without what would turn or colour the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def cell(value: object, *, absent: str = "") -> str:
    """Return a value of a table for the eye: numbers in groups of thousands."""
    match value:
        case None:
            return absent
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.2f}"
        case _:
            return str(value)


def _more(frame: pl.DataFrame, max_rows: int) -> str:
    left_out = frame.height - max_rows
    return f"{plural(left_out, 'more row')} not shown" if left_out > 0 else ""
