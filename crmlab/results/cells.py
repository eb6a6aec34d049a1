"""Frames with one value in each cell, for files that know no lists and no structures."""

from __future__ import annotations

import json

import polars as pl


def unnested(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with lists of text joined by ``;`` and other nested values as JSON."""
    return frame.with_columns(
        _joined(pl.col(name))
        if dtype == pl.List(pl.String)
        else pl.col(name).map_elements(_json, return_dtype=pl.String)
        for name, dtype in frame.schema.items()
        if dtype.is_nested()
    )


def _joined(texts: pl.Expr) -> pl.Expr:
    escaped = pl.element().str.replace_all("\\", "\\\\", literal=True).str.replace_all(";", "\\;", literal=True)
    return texts.list.eval(escaped).list.join(";")


def _json(value: object) -> str:
    plain = value.to_list() if isinstance(value, pl.Series) else value
    return json.dumps(plain, ensure_ascii=False, default=str)
