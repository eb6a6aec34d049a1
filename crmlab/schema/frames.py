"""Frames of other kinds as Polars frames, so that no raw error of their libraries meets the user."""

from __future__ import annotations

from typing import Any

import polars as pl

from crmlab.errors import UsageError
from crmlab.forks import check_threads

#: what libraries raise for a frame that they cannot hand over
_REFUSALS = (ImportError, TypeError, ValueError, pl.exceptions.PolarsError)


def as_polars(frame: Any, what: str) -> pl.DataFrame | pl.LazyFrame:
    """Return any frame as a Polars frame; a lazy one stays lazy.

    Taken are frames of Polars, of pandas and whatever else narwhals knows, tables of pyarrow, relations of DuckDB,
    and every other object that has ``__arrow_c_stream__``. A named index of pandas becomes columns.

    Parameters
    ----------
    frame
        The frame.
    what
        What it is called in the message of an error, such as ``"deals"``.

    Raises
    ------
    UsageError
        It is no frame, or its library cannot hand it over; the message says what to write. Or Polars cannot work in
        this process, which was forked.

    Examples
    --------
    >>> as_polars({"id": ["1"]}, "deals")
    Traceback (most recent call last):
    ...
    crmlab.errors.UsageError: deals is of type dict, which is no frame: write polars.DataFrame(...)
    """
    check_threads()
    if isinstance(frame, pl.DataFrame | pl.LazyFrame):
        return frame
    import narwhals.stable.v2 as nw  # noqa: PLC0415  # loaded when a frame of another library comes

    try:
        # what is no frame passes through, and is refused below in our words
        known = nw.from_native(frame, pass_through=True)
        if isinstance(known, nw.DataFrame):
            return _eager(known)
        # a single column is a stream, too: `_advice` says what to write for it
        if hasattr(frame, "__arrow_c_stream__") and not hasattr(frame, "to_frame"):
            return pl.DataFrame(frame)
        if isinstance(known, nw.LazyFrame):
            in_memory: pl.DataFrame = known.collect(backend="polars").to_native()
            return in_memory
    except _REFUSALS as error:
        raise UsageError(f"{what} cannot be read as a frame: {in_short(error)}") from None
    raise UsageError(
        f"{what} is of type {type(frame).__name__}, which is no frame: {_advice(frame)}"
    )


def is_pattern(name: str) -> bool:
    """Return whether Polars takes a column's name for a pattern of names wherever the column is asked for.

    Examples
    --------
    >>> [name for name in ("*", "^amount$", "amount*", "^") if is_pattern(name)]
    ['*', '^amount$']
    """
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def collected(frame: pl.DataFrame | pl.LazyFrame, what: str) -> pl.DataFrame:
    """Return the frame in memory.

    Raises
    ------
    UsageError
        A lazy frame cannot be collected: a file or a column that it reads is not there, for example.
    """
    if isinstance(frame, pl.DataFrame):
        return frame
    try:
        return frame.collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UsageError(
            f"{what} is a lazy frame that cannot be collected: {in_short(error)}"
        ) from None


def in_short(error: Exception) -> str:
    """Return what an error of another library says, in one line and without the plan or the hints that follow."""
    message, _, _ = str(error).strip().partition("\n\n")
    return " ".join(message.split()) or type(error).__name__


def _advice(frame: Any) -> str:
    """Return what to write instead of something that is no frame."""
    if isinstance(frame, dict | list):
        return "write polars.DataFrame(...)"
    if isinstance(frame, str):
        return "read the file first, with polars.read_csv(...) or crmlab.table(...)"
    if hasattr(frame, "to_frame"):
        return "it is one column; write .to_frame()"
    return "give one of Polars, pandas or pyarrow, or an object that has __arrow_c_stream__"


def _eager(frame: Any) -> pl.DataFrame:
    """Return a frame of narwhals as one of Polars."""
    native = frame.to_native()
    native_index = getattr(native, "index", None)
    index_names = [name for name in getattr(native_index, "names", ()) if name is not None]
    # pandas keeps an id there as often as in a column
    if index_names:
        return as_polars(native.reset_index(), "the frame")  # type: ignore[return-value]
    try:
        converted: pl.DataFrame = frame.to_polars()
    except _REFUSALS:
        # pandas needs pyarrow for that, and one kind of value in each column
        return pl.DataFrame([_series(column) for column in frame.iter_columns()])
    return converted


def _series(column: Any) -> pl.Series:
    """Return a column value by value; values of several kinds become text."""
    column_name = str(column.name)
    values = column.to_list()
    # pandas writes what is absent as NaN or NaT, which would become values
    for position, is_absent in enumerate(column.is_null().to_list()):
        if is_absent:
            values[position] = None
    series = pl.Series(column_name, values, strict=False)
    if series.dtype != pl.Object:
        return series
    texts = [None if value is None else str(value) for value in values]
    return pl.Series(column_name, texts)
