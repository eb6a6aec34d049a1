"""Large tables a part at a time, so that memory is bounded by a part and not by the table.

A part holds every row of its people or deals, and the parts come in the order of their keys: answers that go by person
or deal are made of each part by itself and put together. A table is read once for each part, and of it no more than the
part.

>>> import polars as pl
>>> deals = pl.LazyFrame({"id": ["a", "b", "c", "a"], "amount": [1, 2, 3, 4]})
>>> for part in ranges([(deals, ["id"])], rows_in_a_part=2):
...     print(deals.filter(part.holds("id")).collect().rows())
[('a', 1), ('a', 4)]
[('b', 2), ('c', 3)]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import polars as pl

from crmlab.errors import UsageError
from crmlab.schema import as_polars, in_short

#: rows of a part; what an analysis makes of so many takes up to two gigabytes
ROWS_IN_A_PART = 4_000_000
#: rows that are looked at to find where parts end
_SAMPLED = 50_000

Keys = Sequence[str | pl.Expr]


class Range(NamedTuple):
    """Keys from `start` to before `end`, as texts are sorted; None: there is no such bound."""

    start: tuple[str, ...] | None = None
    end: tuple[str, ...] | None = None

    @property
    def is_everything(self) -> bool:
        """Whether it has no bound."""
        return self.start is None and self.end is None

    def holds(self, *keys: str | pl.Expr) -> pl.Expr:
        """Return whether a row is in it, by its texts, the first of them first; null counts as ""."""
        found = pl.lit(value=True)
        start, end = self.start, self.end
        # most parts lie within one account: whether a row is of that is told sooner than whether it comes before it
        while keys[1:] and start and end and start[0] == end[0]:
            found = found & (_text(keys[0]) == start[0])
            keys, start, end = keys[1:], start[1:], end[1:]
        texts = [_text(key) for key in keys]
        if start is not None:
            found = found & ~_is_before(texts, start)
        if end is not None:
            found = found & _is_before(texts, end)
        return found


def ranges(
    frames: Iterable[tuple[pl.LazyFrame, Keys]],
    *,
    rows: int | None = None,
    rows_in_a_part: int | None = None,
) -> list[Range]:
    """Return ranges of keys in their order, each with about as many rows: every row is in one of them.

    Parameters
    ----------
    frames
        Frames that are parted alike, each with its texts, the first of them first.
    rows
        How many rows are read in all parts together, where those of other frames follow from these; None: those of
        these frames.
    rows_in_a_part
        About how many rows a part has; more where one key has more. None: `ROWS_IN_A_PART`. Frames with fewer rows are
        one part.
    """
    known = [(frame, keys, height_of(frame)) for frame, keys in frames]
    height = sum(height for _, _, height in known)
    read = height if rows is None else rows
    number = -(-read // (ROWS_IN_A_PART if rows_in_a_part is None else rows_in_a_part))
    if number < 2 or not height:
        return [Range()]
    every = max(1, height // max(_SAMPLED, 2 * number))
    samples = []
    for frame, keys, _ in known:
        texts = [_text(key).alias(str(place)) for place, key in enumerate(keys)]
        samples.append(frame.gather_every(every).select(texts).collect(engine="streaming"))
    sample = pl.concat(samples)
    in_order = sample.sort(sample.columns)
    places = [place * in_order.height // number for place in range(1, number)]
    bounds = in_order[places].unique(maintain_order=True).rows()
    return [Range(start, end) for start, end in pairwise([None, *bounds, None])]


def fits_a_part(rows: int) -> bool:
    """Return whether so many rows are read at once."""
    return rows <= ROWS_IN_A_PART


def key_ranges(frames: Iterable[pl.LazyFrame], keys: Sequence[str]) -> list[Range]:
    """Return the `ranges` of columns that all of these frames have; where one lacks them, everything at once."""
    known = list(frames)
    if any(not set(keys) <= set(frame.collect_schema().names()) for frame in known):
        return [Range()]
    return ranges((frame, keys) for frame in known)


def within(frame: Any, part: Range, keys: Sequence[str]) -> Any:
    """Return the rows of a frame that are in a part: the frame itself where that is everything."""
    return frame if part.is_everything else frame.lazy().filter(part.holds(*keys))


def height_of(frame: pl.DataFrame | pl.LazyFrame) -> int:
    """Return how many rows a frame has; of a lazy one it reads no column where a file tells."""
    if isinstance(frame, pl.DataFrame):
        return frame.height
    height: int = frame.select(pl.len()).collect(engine="streaming").item()
    return height


def values_of(frame: pl.DataFrame | pl.LazyFrame, values: str | pl.Expr) -> pl.Series:
    """Return one column of a frame, or what is computed of its columns, in memory."""
    return frame.lazy().select(values).collect(engine="streaming").to_series()


def lazily(frame: Any, argument: str) -> pl.LazyFrame:
    """Return a frame as a lazy one, to take parts of.

    Raises
    ------
    UsageError
        It is no frame, or a lazy one that cannot be resolved.
    """
    lazy = as_polars(frame, argument).lazy()
    try:
        lazy.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UsageError(
            f"{argument} is a lazy frame that cannot be collected: {in_short(error)}"
        ) from None
    return lazy


def together(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the answers of parts as one frame, without copying them."""
    return parts[0] if len(parts) == 1 else pl.concat(parts, rechunk=False)


def _text(key: str | pl.Expr) -> pl.Expr:
    column = pl.col(key) if isinstance(key, str) else key
    return column.cast(pl.String).fill_null("")


def _is_before(texts: Sequence[pl.Expr], bound: Sequence[str]) -> pl.Expr:
    """Return whether texts come before those of a bound, as rows are sorted."""
    text, *others = texts
    at, *rest = bound
    if not others:
        return text < at
    return (text < at) | ((text == at) & _is_before(others, rest))
