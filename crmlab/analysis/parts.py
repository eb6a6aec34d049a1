"""Large tables a part at a time, so that memory is bounded by a part and not by the table.

A part holds every row of its people or deals, and the parts come in the order of their keys: answers that go by person
or deal are made of each part by itself and put together. Reading a table takes long however little of it is wanted, so
several parts are read at once, and cut in memory.

>>> import polars as pl
>>> deals = pl.LazyFrame({"id": ["a", "b", "c", "a"], "amount": [1, 2, 3, 4]})
>>> for part in ranges([(deals, ["id"])], rows_in_a_part=2):
...     print(deals.filter(part.holds("id")).collect().rows())
[('a', 1), ('a', 4)]
[('b', 2), ('c', 3)]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import polars as pl

from crmlab.errors import UsageError
from crmlab.schema import as_polars, collected, in_short

#: rows that are answered at once where there are no more; what an analysis makes of them takes up to two gigabytes
ROWS_IN_A_PART = 4_000_000
#: more of them come in parts of half as many, so that there is room for those that were read with them
_SMALLER = 2
#: how many parts are read at once
_READ_AT_ONCE = 4
#: what is left of a frame by a filter keeps all texts of that frame in memory: each part those of all parts, and each
#: answer those of its part, unless texts are made anew
OWN_TEXTS = pl.col(pl.String) + pl.lit("")
#: rows that are looked at to find where parts end
_SAMPLED = 50_000

Keys = Sequence[str | pl.Expr]
#: tables that are parted together
Tables = TypeVar("Tables")
Name = TypeVar("Name")


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
        About how many rows a part has; more where one key has more. Frames with fewer rows are one part. None: half of
        `ROWS_IN_A_PART`, and frames with no more rows than that are one part.
    """
    known = [(frame, keys, height_of(frame)) for frame, keys in frames]
    height = sum(height for _, _, height in known)
    read = height if rows is None else rows
    if rows_in_a_part is None:
        rows_in_a_part = max(read if fits_a_part(read) else ROWS_IN_A_PART // _SMALLER, 1)
    number = -(-read // rows_in_a_part)
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


def taken_in_parts(
    tables: Tables, parts: Sequence[Range], take: Callable[[Tables, Range], Tables]
) -> Iterator[Tables]:
    """Yield what `take` returns of each part, of tables in memory: they are read once for several parts."""
    for place in range(0, len(parts), _READ_AT_ONCE):
        some_parts = parts[place : place + _READ_AT_ONCE]
        all_of_them = Range(some_parts[0].start, some_parts[-1].end)
        # nothing here keeps what was read while more is read
        yield from _cut(take(tables, all_of_them), some_parts, take)


def _cut(
    tables: Tables, parts: Sequence[Range], take: Callable[[Tables, Range], Tables]
) -> Iterator[Tables]:
    if len(parts) == 1:
        yield tables
        return
    for part in parts:
        yield take(tables, part)


def fits_a_part(rows: int) -> bool:
    """Return whether so many rows are read at once."""
    return rows <= ROWS_IN_A_PART


def key_ranges(frames: Iterable[pl.LazyFrame], keys: Sequence[str]) -> list[Range]:
    """Return the `ranges` of columns that all of these frames have; where one lacks them, everything at once."""
    known = list(frames)
    if any(not set(keys) <= set(frame.collect_schema().names()) for frame in known):
        return [Range()]
    return ranges((frame, keys) for frame in known)


def columns_in_parts(
    frames: Mapping[Name, Any],
    parts: Sequence[Range],
    keys: Sequence[str],
    columns: Sequence[str],
    argument: str = "",
) -> Iterator[Mapping[Name, pl.DataFrame]]:
    """Yield of each part the rows of all frames: these columns, where a frame has them.

    Parameters
    ----------
    frames
        Frames that are parted alike, by name.
    parts, keys
        What `key_ranges` returned, and by what.
    argument
        The parameter that all of them were given as; "": each as the one that it is named after.

    Raises
    ------
    UsageError
        A frame cannot be collected.
    """

    def take(some_frames: Mapping[Name, Any], part: Range) -> Mapping[Name, pl.DataFrame]:
        of_part = {}
        for name, frame in some_frames.items():
            present = [column for column in frame.collect_schema().names() if column in columns]
            rows = frame.lazy().filter(part.holds(*keys)).select(present)
            of_part[name] = part_collected(rows, argument or str(name))
        return of_part

    return taken_in_parts(frames, parts, take)


def part_collected(rows: pl.LazyFrame, argument: str) -> pl.DataFrame:
    """Return the rows of a part in memory, with texts of their own.

    Raises
    ------
    UsageError
        The frame cannot be collected.
    """
    return collected(rows.with_columns(OWN_TEXTS), argument)


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
