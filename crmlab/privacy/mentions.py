"""Texts that mention an e-mail address, however it is written in them: in CSV, in JSON, or by a person."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from crmlab.schema import mailboxes

TEXTS = pl.List(pl.String)
WORDS = (pl.String, pl.Categorical, pl.Enum)
#: an address may be there in wide letters, with characters that nobody sees, or as JSON writes letters
_WRITTEN_OTHERWISE = r"[^\x00-\x7F]|\\u[0-9a-fA-F]{4}"
_BY_NUMBER = r"\\u([0-9a-fA-F]{4})"
_AT = ["@", "\uff20", "\\u0040"]
#: what JSON writes for characters of a text: none of them is part of an address
_ESCAPES = r'\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])'


def mentions(text: pl.Expr, emails: Sequence[str]) -> pl.Expr:
    """Return whether a text names one of the addresses."""
    addresses = mailboxes(text)
    is_named = [addresses.list.contains(email) for email in emails]
    return pl.any_horizontal(is_named).fill_null(value=False)


def other_texts(column: str, emails: Sequence[str]) -> pl.Expr:
    """Return a list of texts without those that mention one of the addresses."""
    is_named = mentions(pl.element(), emails)
    others = pl.element().filter(~is_named)
    return pl.col(column).list.eval(others)


def may_mention(column: str, dtype: pl.DataType, emails: Sequence[str]) -> pl.Expr:
    """Return whether a text may hold one of the addresses; this is cheap to ask, and a no is always right."""
    if not emails:
        return pl.lit(value=False)
    text = as_text(column, dtype)
    # what is written with escapes is taken for a mention below, and taking them away is slow
    if dtype in WORDS:
        text = pl.col(column).cast(pl.String)
    has_at = text.str.contains_any(_AT)
    local_parts = [email.rpartition("@")[0] for email in emails]
    # letters beyond ASCII have cases that the cheap search does not know
    if not all(local_part.isascii() for local_part in local_parts):
        return has_at.fill_null(value=False)
    names_one = text.str.contains_any(local_parts, ascii_case_insensitive=True)
    written_otherwise = text.str.contains(_WRITTEN_OTHERWISE)
    may_name_one = names_one | written_otherwise
    return (has_at & may_name_one).fill_null(value=False)


def as_text(column: str, dtype: pl.DataType) -> pl.Expr:
    """Return all texts of a column as one, without the escapes of JSON."""
    if dtype == TEXTS:
        return pl.col(column).list.join(" ", ignore_nulls=True)
    text = pl.col(column).cast(pl.String)
    if dtype.is_nested():
        text = pl.struct(column).struct.json_encode()
    unescaped = text.map_batches(_unescaped, return_dtype=pl.String, is_elementwise=True)
    return unescaped.str.replace_all(_ESCAPES, " ")


def _unescaped(texts: pl.Series) -> pl.Series:
    """Return the texts with letters in the place of the numbers that JSON may write for them."""
    has_number = texts.str.contains(_BY_NUMBER)
    escaped = texts.filter(has_number).unique()
    if escaped.is_empty():
        return texts
    in_letters = {}
    for text in escaped:
        in_letters[text] = re.sub(_BY_NUMBER, _letter, text)
    return texts.replace(in_letters)


def _letter(number: re.Match[str]) -> str:
    letter = chr(int(number[1], 16))
    if letter.isprintable():
        return letter
    return " "
