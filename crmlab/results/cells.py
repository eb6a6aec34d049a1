"""Frames with one value in each cell, for files that know no lists and no structures."""

from __future__ import annotations

import json
import re

import polars as pl

#: in a joined list: no text at all, and text without a character
_NULL = "\\N"
_EMPTY = "\\E"


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
    escaped = element.str.replace_all("\\", "\\\\", literal=True).str.replace_all(";", "\\;", literal=True)
    written = pl.when(element == "").then(pl.lit(_EMPTY)).otherwise(escaped).fill_null(_NULL)
    return texts.list.eval(written).list.join(";")


def split(joined: str) -> list[str | None]:
    """Return the list of text that `unnested` joined."""
    if not joined:
        return []
    texts: list[str | None] = []
    part = ""
    characters = iter(joined)
    for character in characters:
        if character == "\\":
            part += "\\" + next(characters, "")
        elif character == ";":
            texts.append(_unescaped(part))
            part = ""
        else:
            part += character
    texts.append(_unescaped(part))
    return texts


def _unescaped(part: str) -> str | None:
    if part == _NULL:
        return None
    if part == _EMPTY:
        return ""
    return re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL)


def _as_json(values: pl.Series) -> pl.Series:
    texts = [json.dumps(value, ensure_ascii=False, default=str) for value in values.to_list()]
    return pl.Series(values.name, texts, dtype=pl.String).set(values.is_null(), None)
