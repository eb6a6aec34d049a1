"""Values of another shape than documented in a few objects: the others keep their fast way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

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
    count
        How many objects there are in all.
    """

    def __init__(self, *, values: Mapping[str, pl.Series], rows: Sequence[int], rest: pl.Series, count: int) -> None:
        self._values, self._rest = values, rest
        self._rows = pl.Series(rows, dtype=pl.UInt32)
        #: of each object, where it stands among all of them and then these few
        self._places = pl.int_range(count, eager=True).scatter(rows, [*range(count, count + len(rows))])

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def left_out(self, texts: pl.Series) -> pl.Series:
        """Return the objects without the values."""
        return pl.concat([texts, self._rest]).gather(self._places)

    def mended(self, column: pl.Series, name: str, read: Callable[[pl.Series], Fit]) -> Fit:
        """Return the column of a field with these values, and what of them could not be read."""
        values, misfits = read(self._values[name])
        return pl.concat([column, values]).gather(self._places), [each.at(self._rows) for each in misfits]
