"""Deliveries over time, whose columns are in the order that the first row of each answer names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import Page
from crmlab.errors import TransportError

#: a row with its columns by what they hold
ROW = pl.Struct(dict.fromkeys(("at", "success", "failed"), pl.String))

_Row = Sequence[str | None]
#: the names of the columns, the documented one first; case and what stands between words do not matter
_NAMES = {
    "at": ("datetime", "date", "time", "timestamp"),
    "success": ("success", "successes", "delivered"),
    "failed": ("fail", "fails", "failed", "failure", "failures"),
}
#: columns that a note names
_MAX_NAMED = 5
_BETWEEN_WORDS = re.compile(r"[\W_]+")


class _Attributes(msgspec.Struct):
    datasets: Any = None


class _Trend(msgspec.Struct):
    attributes: _Attributes | None = None


class _Trends(msgspec.Struct):
    data: list[_Trend] | _Trend | None = None


def further_columns(page: Page) -> str:
    """Return what is to be said of columns that are named in a first row, and are none of ours."""
    try:
        data = page.read(_Trends).data
    except (
        TransportError
    ):  # of a shape that nobody expects: what cannot be read of it is told elsewhere
        return ""
    found = data if isinstance(data, list) else [data or _Trend()]
    datasets = [each.attributes.datasets for each in found if each.attributes]
    first_rows = [rows[0] for rows in datasets if isinstance(rows, list) and rows]
    names = [
        name for row in first_rows if isinstance(row, list) for name in row if isinstance(name, str)
    ]
    ours = {name for known in _NAMES.values() for name in known}
    further = [name for name in dict.fromkeys(names) if _word(name) not in ours]
    has_header = any(_word(name) in _NAMES["at"] for name in names)
    if not further or not has_header:
        return ""
    return f"columns of deliveries that nobody documented, which are not read: {', '.join(further[:_MAX_NAMED])}"


def by_header(datasets: pl.Series) -> pl.Series:
    """Return the rows of each dataset with their columns by name, without the first one, which names them.

    Nothing is taken from a column by its position alone. A count that the first row does not name is that row in the
    place of each value, so that it is told as what could not be read; rows without a named time have no id, and are
    told as well.
    """
    found = [None if rows is None else [*_named(rows.to_list())] for rows in datasets]
    return pl.Series(found, dtype=pl.List(ROW))


def _named(rows: Sequence[_Row | None]) -> Iterator[dict[str, str | None]]:
    if not rows:
        return
    header = rows[0] or ()
    places = {column: _place(header, names) for column, names in _NAMES.items()}
    if places["at"] is None:  # the first row is no header, but a row like the others
        yield from [dict.fromkeys(_NAMES, None) for row in rows if row]
        return
    for row in rows[1:]:
        if row and row != header:
            yield {column: _cell(row, place, header) for column, place in places.items()}


def _place(header: _Row, names: Sequence[str]) -> int | None:
    words = [_word(name) for name in header]
    return next((words.index(name) for name in names if name in words), None)


def _word(name: str | None) -> str:
    return _BETWEEN_WORDS.sub("", name or "").lower()


def _cell(row: _Row, place: int | None, header: _Row) -> str | None:
    if place is None:
        return json.dumps(header)
    return row[place] if place < len(row) else None
