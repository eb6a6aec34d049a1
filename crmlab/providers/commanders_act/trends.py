"""Deliveries over time, whose columns are in the order that the first row of each answer names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import Page
from crmlab.errors import TransportError

#: a row with its columns by what they hold
ROW = pl.Struct(dict.fromkeys(("at", "success", "failed"), pl.String))

_Row = Sequence[str | None]
#: the names of the columns, the documented one first;
#: case and what stands between words do not matter
_NAMES = {
    "at": ("datetime", "date", "time", "timestamp"),
    "success": ("success", "successes", "delivered"),
    "failed": ("fail", "fails", "failed", "failure", "failures"),
}
_KNOWN_NAMES = frozenset(chain.from_iterable(_NAMES.values()))
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
        held_data = page.read(_Trends).data
    except TransportError:
        # of a shape that nobody expects: what cannot be read of it is told elsewhere
        return ""
    trends = held_data if isinstance(held_data, list) else [held_data or _Trend()]
    has_header = False
    further: dict[str, None] = {}
    for trend in trends:
        for name in _first_row(trend):
            plain_name = _word(name)
            has_header = has_header or plain_name in _NAMES["at"]
            if plain_name not in _KNOWN_NAMES:
                further.setdefault(name)
    # without a column of times, the first row is one of values
    if not further or not has_header:
        return ""
    named = ", ".join([*further][:_MAX_NAMED])
    return f"columns of deliveries that nobody documented, which are not read: {named}"


def _first_row(trend: _Trend) -> list[str]:
    """Return the texts of the row that names the columns; none where there is no such row."""
    if trend.attributes is None:
        return []
    rows = trend.attributes.datasets
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], list):
        return []
    return [name for name in rows[0] if isinstance(name, str)]


def by_header(datasets: pl.Series) -> pl.Series:
    """Return the rows of each dataset with their columns by name, without the first one, which names them.

    Nothing is taken from a column by its position alone. A count that the first row does not name is that row in the
    place of each value, so that it is told as what could not be read; rows without a named time have no id, and are
    told as well.
    """
    named_datasets: list[list[dict[str, str | None]] | None] = []
    for rows in datasets:
        if rows is None:
            named_datasets.append(None)
        else:
            named_datasets.append([*_named(rows.to_list())])
    return pl.Series(named_datasets, dtype=pl.List(ROW))


def _named(rows: Sequence[_Row | None]) -> Iterator[dict[str, str | None]]:
    if not rows:
        return
    header = rows[0] or ()
    positions = {column: _position(header, names) for column, names in _NAMES.items()}
    if positions["at"] is None:  # the first row is no header, but a row like the others
        for row in rows:
            if row:
                yield dict.fromkeys(_NAMES, None)
        return
    for row in rows[1:]:
        if row and row != header:
            yield {column: _cell(row, place, header) for column, place in positions.items()}


def _position(header: _Row, names: Sequence[str]) -> int | None:
    plain_names = [_word(name) for name in header]
    # the documented name counts before others that may stand beside it
    for known_name in names:
        if known_name in plain_names:
            return plain_names.index(known_name)
    return None


def _word(name: str | None) -> str:
    return _BETWEEN_WORDS.sub("", name or "").lower()


def _cell(row: _Row, place: int | None, header: _Row) -> str | None:
    if place is None:
        return json.dumps(header)
    if place >= len(row):
        return None
    return row[place]
