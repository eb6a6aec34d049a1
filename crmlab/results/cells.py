"""Frames with one value in each cell, for files that know no lists and no structures."""

from __future__ import annotations

import json

import polars as pl

#: in a joined list: no text at all, and text without a character
_NULL = "\\N"
_EMPTY = "\\E"
_ESCAPE = "\\"
#: begins a name of what is written with a ``\\`` before it, while a cell is cut
_MARK = "\0"
_NAMED = {_MARK: _MARK + "0", "\\\\": _MARK + "1", "\\;": _MARK + "2"}
_MEANT = {_MARK + "0": _MARK, _MARK + "1": "\\", _MARK + "2": ";"}


def unnested(frame: pl.DataFrame) -> pl.DataFrame:
    r"""Return the frame with lists of text joined by ``;`` and other nested values as JSON.

    In a joined list a ``;`` or ``\`` of the text has a ``\`` before it, and ``\N`` and ``\E`` stand for null and for
    empty text, so that `split` gives back what was joined.
    """
    columns: list[pl.Expr | pl.Series] = []
    for name, dtype in frame.schema.items():
        if dtype == pl.List(pl.String):
            columns.append(_joined(pl.col(name)))
        elif dtype.is_nested():
            columns.append(_as_json(frame[name]))
    return frame.with_columns(columns)


def _joined(texts: pl.Expr) -> pl.Expr:
    element = pl.element()
    escaped = element.str.replace_all("\\", "\\\\", literal=True).str.replace_all(
        ";", "\\;", literal=True
    )
    written = pl.when(element == "").then(pl.lit(_EMPTY)).otherwise(escaped).fill_null(_NULL)
    return texts.list.eval(written).list.join(";")


def split(joined: pl.Series) -> pl.Series:
    r"""Return the lists of text that `unnested` joined; null stays null.

    A cell is cut at each ``;``, but not at ``\;``. So what is written with a ``\`` before it first gets a name
    that no text has by itself: ``\0`` and a digit. A ``\0`` of the text gets such a name as well.
    """
    is_escaped = joined.str.contains_any([_ESCAPE, _MARK])
    lists = joined.str.split(";")
    if is_escaped.any():
        few = joined.to_frame("joined").with_row_index("row").filter(is_escaped)
        named = pl.col("joined").str.replace_many(_NAMED).str.split(";")
        cut = few.select("row", texts=named.list.eval(_unescaped(pl.element())))
        rows = (
            lists.to_frame("plain")
            .with_row_index("row")
            .join(cut, "row", how="left", maintain_order="left")
        )
        lists = rows.select(pl.coalesce("texts", "plain")).to_series()
    none = pl.Series([[]], dtype=pl.List(pl.String))
    return lists.zip_with(joined.ne_missing(""), none.new_from_index(0, len(lists))).alias(
        joined.name
    )


def _unescaped(piece: pl.Expr) -> pl.Expr:
    without = piece.str.replace_all(r"(?s)\\(.)", "${1}").str.replace_many(_MEANT)
    return pl.when(piece == _EMPTY).then(pl.lit("")).when(piece != _NULL).then(without)


def _as_json(values: pl.Series) -> pl.Series:
    texts = [json.dumps(value, ensure_ascii=False, default=str) for value in values.to_list()]
    return pl.Series(values.name, texts, dtype=pl.String).set(values.is_null(), None)
