"""Records that are not UTF-8: the fields at fault are taken out, so that the others can be read."""

from __future__ import annotations

import json
from collections.abc import Mapping

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
    utf8_texts = []
    misfits: list[Misfits] = []
    for row_number, record in enumerate(records):
        try:
            utf8_texts.append(record.decode())
        except UnicodeDecodeError:
            readable = record.decode("utf-8", "replace")
            text, unreadable = _without_replaced(readable, wrapper)
            utf8_texts.append(text)
            for field_name, raw in unreadable:
                if field_name in fields:
                    misfits.append(_misfit(row_number, field_name, raw))
    return pl.Series(utf8_texts, dtype=pl.String), misfits


def _without_replaced(text: str, wrapper: str | None) -> tuple[str, list[tuple[str, str]]]:
    """Return an object without the fields that hold replaced characters, and those fields."""
    try:
        members = _FIELDS.decode(text)
    except msgspec.DecodeError:  # no object: it is rejected as it stands
        return text, []
    readable: list[str] = []
    unreadable: list[tuple[str, str]] = []
    for field_name, value in members.items():
        raw = bytes(value).decode()
        if field_name == wrapper:
            inner, inner_unreadable = _without_replaced(raw, None)
            readable.append(f"{json.dumps(field_name)}:{inner}")
            unreadable += inner_unreadable
        elif _REPLACED in raw:
            unreadable.append((field_name, raw))
        else:
            readable.append(f"{json.dumps(field_name)}:{raw}")
    return f"{{{','.join(readable)}}}", unreadable


def _misfit(row: int, name: str, raw: str) -> Misfits:
    rows = pl.Series([row], dtype=pl.UInt32)
    return Misfits(field=name, wanted="text in UTF-8", rows=rows, values=pl.Series([raw]))
