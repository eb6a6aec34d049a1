"""Values of another shape than documented in a few objects: the others keep their fast way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from crmlab.decoding.misfits import all_at
from crmlab.decoding.numbers import Fit


class OddValues:
    """Values of another shape than documented in a few objects: left out of these, and read apart.

    Parameters
    ----------
    values
        The very text of each such field, in the objects in which one of them has another shape.
    rows
        Which objects these are.
    rest
        The same objects without these fields, as JSON.
    """

    def __init__(
        self, *, values: Mapping[str, pl.Series], rows: Sequence[int], rest: pl.Series
    ) -> None:
        self._values = values
        self._rows = rows
        self._rest = rest

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def left_out(self, texts: pl.Series) -> pl.Series:
        """Return the objects without the values."""
        return with_values(texts, self._rows, self._rest)

    def mended(self, column: pl.Series, name: str, read: Callable[[pl.Series], Fit]) -> Fit:
        """Return the column of a field with these values, and what of them could not be read."""
        values, misfits = read(self._values[name])
        row_numbers = pl.Series(self._rows, dtype=pl.UInt32)
        return with_values(column, self._rows, values), all_at(misfits, row_numbers)


def with_values(column: pl.Series, rows: Sequence[int] | pl.Series, values: pl.Series) -> pl.Series:
    """Return the column with these values in these rows, which are in order.

    It is put together from slices: to gather the elements of lists costs ten times as much.
    """
    values = values.alias(column.name)
    if len(rows) == len(column):
        return values
    pieces = []
    next_row = 0
    for number, row in enumerate(rows):
        if row > next_row:
            pieces.append(column.slice(next_row, row - next_row))
        pieces.append(values.slice(number, 1))
        next_row = row + 1
    if next_row < len(column):
        pieces.append(column.slice(next_row))
    return pl.concat(pieces, rechunk=True)
