"""Records that are not UTF-8: the fields at fault are taken out, so that the others can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import msgspec
import polars as pl

from crmlab.decoding.misfits import Misfits

_REPLACED = "\ufffd"
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def as_utf8(
    records: pl.Series, fields: Mapping[str, object], wrapper: str | None
) -> tuple[pl.Series, list[Misfits]]:
    """Return the records as text, without the fields that are not UTF-8, and those fields as misfits.

    `wrapper` is the key that holds the record inside each item, if there is one.
    """
    texts = []
    misfits: list[Misfits] = []
    for row, record in enumerate(records):
        try:
            texts.append(record.decode())
        except UnicodeDecodeError:
            readable = record.decode("utf-8", "replace")
            text, found = _without_replaced(readable, wrapper)
            texts.append(text)
            misfits += [_misfit(row, name, raw) for name, raw in found if name in fields]
    return pl.Series(texts, dtype=pl.String), misfits


def _without_replaced(text: str, wrapper: str | None) -> tuple[str, list[tuple[str, str]]]:
    """Return an object without the fields that hold replaced characters, and those fields."""
    try:
        parts = _FIELDS.decode(text)
    except msgspec.DecodeError:  # no object: it is rejected as it stands
        return text, []
    kept = []
    found: list[tuple[str, str]] = []
    for name, raw in _decoded(parts):
        if name == wrapper:
            inner, within = _without_replaced(raw, None)
            kept.append(f"{json.dumps(name)}:{inner}")
            found += within
        elif _REPLACED in raw:
            found.append((name, raw))
        else:
            kept.append(f"{json.dumps(name)}:{raw}")
    return f"{{{','.join(kept)}}}", found


def _decoded(parts: Mapping[str, msgspec.Raw]) -> Iterator[tuple[str, str]]:
    for name, raw in parts.items():
        yield name, bytes(raw).decode()


def _misfit(row: int, name: str, raw: str) -> Misfits:
    rows = pl.Series([row], dtype=pl.UInt32)
    return Misfits(field=name, wanted="text in UTF-8", rows=rows, values=pl.Series([raw]))
