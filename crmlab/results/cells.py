"""Frames with one value in each cell, for files that know no lists and no structures."""

from __future__ import annotations

import json
from functools import partial

import polars as pl

#: in a joined list: no text at all, and text without a character
_NULL = "\\N"
_EMPTY = "\\E"
_ESCAPE = "\\"
#: begins a name of what is written with a ``\\`` before it, while a cell is cut
_MARK = "\0"
#: the names of escaped signs, and what each of them means
_NAMED = {
    _MARK: _MARK + "0",
    "\\\\": _MARK + "1",
    "\\;": _MARK + "2",
}
_MEANT = {
    _MARK + "0": _MARK,
    _MARK + "1": "\\",
    _MARK + "2": ";",
}


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
    # first the sign that marks what is written, else that of the second would be marked again
    marked = element.str.replace_all("\\", "\\\\", literal=True)
    escaped = marked.str.replace_all(";", "\\;", literal=True)
    # no text at all and text without a character would be the same between two ";"
    text_or_sign = pl.when(element == "").then(pl.lit(_EMPTY)).otherwise(escaped)
    written = text_or_sign.fill_null(_NULL)
    return texts.list.eval(written).list.join(";")


def split(joined: pl.Series) -> pl.Series:
    r"""Return the lists of text that `unnested` joined; null stays null.

    A cell is cut at each ``;``, but not at ``\;``. So what is written with a ``\`` before it first gets a name
    that no text has by itself: ``\0`` and a digit. A ``\0`` of the text gets such a name as well.
    """
    is_escaped = joined.str.contains_any([_ESCAPE, _MARK])
    lists = joined.str.split(";")
    if is_escaped.any():
        lists = _with_escaped(lists, joined, is_escaped)
    # a text without a character is cut into one piece, and stands for no text
    empty_list = pl.Series([[]], dtype=pl.List(pl.String))
    empty_lists = empty_list.new_from_index(0, len(lists))
    return lists.zip_with(joined.ne_missing(""), empty_lists).alias(joined.name)


def _with_escaped(
    lists: pl.Series,
    joined: pl.Series,
    is_escaped: pl.Series,
) -> pl.Series:
    """Return the lists, those of the few cells with escaped signs cut anew."""
    numbered = joined.to_frame("joined").with_row_index("row")
    few = numbered.filter(is_escaped)
    named = pl.col("joined").str.replace_many(_NAMED)
    pieces = named.str.split(";")
    texts = pieces.list.eval(_unescaped(pl.element()))
    cut = few.select("row", texts=texts)
    rows = lists.to_frame("plain").with_row_index("row")
    both = rows.join(cut, "row", how="left", maintain_order="left")
    return both.select(pl.coalesce("texts", "plain")).to_series()


def _unescaped(piece: pl.Expr) -> pl.Expr:
    without_signs = piece.str.replace_all(r"(?s)\\(.)", "${1}")
    text = without_signs.str.replace_many(_MEANT)
    no_character = pl.when(piece == _EMPTY).then(pl.lit(""))
    # what stands for null has no text
    return no_character.when(piece != _NULL).then(text)


def _as_json(values: pl.Series) -> pl.Series:
    to_json = partial(json.dumps, ensure_ascii=False, default=str)
    in_json = list(map(to_json, values.to_list()))
    texts = pl.Series(values.name, in_json, dtype=pl.String)
    # null would be the text "null"
    return texts.set(values.is_null(), None)
