"""Polars expressions that turn documented wire values into shared-schema values.

All are strict: what cannot be converted raises, and the record is rejected with its reason,
instead of becoming a null that nobody notices. Empty text is null: every API described so far
writes ``""`` for "not given".
"""

from __future__ import annotations

import polars as pl

from crmlab.schema import CUSTOM

_ISO = "%Y-%m-%dT%H:%M:%S%.f%#z"


def _expr(value: str | pl.Expr) -> pl.Expr:
    return pl.col(value) if isinstance(value, str) else value


def text(value: str | pl.Expr) -> pl.Expr:
    """Return the text, null where it is blank."""
    value = _expr(value)
    return pl.when(value.str.strip_chars() != "").then(value)


def iso_time(value: str | pl.Expr) -> pl.Expr:
    """Return the UTC time of ISO 8601 text that carries ``Z`` or an offset."""
    return text(value).str.to_datetime(_ISO, time_unit="us", time_zone="UTC", strict=True)


def unix_time(value: str | pl.Expr) -> pl.Expr:
    """Return the UTC time of Unix seconds; 0 is "not given"."""
    value = _within(_expr(value), 12)
    return pl.from_epoch(pl.when(value != 0).then(value), "s").cast(pl.Datetime("us", "UTC"))


def unix_millis(value: str | pl.Expr) -> pl.Expr:
    """Return the UTC time of Unix milliseconds."""
    return pl.from_epoch(_within(_expr(value), 15), "ms").cast(pl.Datetime("us", "UTC"))


def _within(value: pl.Expr, digits: int) -> pl.Expr:
    """Raise for longer numbers: they are no such times, and would wrap around silently."""
    return value.cast(pl.Decimal(digits, 0), strict=True).cast(pl.Int64)


def date(value: str | pl.Expr) -> pl.Expr:
    """Return the day of ``YYYY-MM-DD`` text, or the day that a longer timestamp begins with."""
    return text(value).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=True)


def number(value: str | pl.Expr) -> pl.Expr:
    """Return the number in text (the wire type of fields that come now as text, now as number)."""
    return text(value).cast(pl.Float64, strict=True)


def integer(value: str | pl.Expr) -> pl.Expr:
    """Return the whole number in text."""
    return text(value).cast(pl.Int64, strict=True)


def flag(value: str | pl.Expr) -> pl.Expr:
    """Return the truth of text: true/1/yes and false/0/no in any case."""
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return text(value).str.to_lowercase().replace_strict(words, return_dtype=pl.Boolean)


def split(value: str | pl.Expr, separator: str = ";") -> pl.Expr:
    """Return the trimmed, non-blank parts of joined text; null where there are none."""
    parts = text(value).str.split(separator).list.eval(pl.element().str.strip_chars())
    return some(parts.list.eval(pl.element().filter(pl.element() != "")))


def some(values: str | pl.Expr) -> pl.Expr:
    """Return the list, null where it is empty."""
    values = _expr(values)
    return pl.when(values.list.len() > 0).then(values)


def texts(values: str | pl.Expr) -> pl.Expr:
    """Return a list of text without nulls and blanks; null where nothing is left."""
    kept = pl.element().filter(pl.element().is_not_null() & (pl.element().str.strip_chars() != ""))
    return some(_expr(values).list.eval(kept))


def each(values: str | pl.Expr, field: str) -> pl.Expr:
    """Return one field of every struct in a list, as a list of text without blanks."""
    return texts(_expr(values).list.eval(pl.element().struct.field(field)))


def full_name(first: str | pl.Expr, last: str | pl.Expr) -> pl.Expr:
    """Return first and last name joined by a space, without the absent ones."""
    return text(pl.concat_str(text(first), text(last), separator=" ", ignore_nulls=True))


def custom(values: dict[str, tuple[str | pl.Expr, str]]) -> pl.Expr:
    """Return ``custom`` from columns: key -> (column, label); blank values are left out."""
    if not values:
        return pl.lit(None, CUSTOM)
    parts = []
    for key, (column, label) in values.items():
        parts.append(pl.struct(key=pl.lit(key), label=pl.lit(label), value=text(column)))
    has_value = pl.element().struct.field("value").is_not_null()
    return some(pl.concat_list(parts).list.eval(pl.element().filter(has_value)))


def lookup(key: pl.Expr, labels: dict[str, str]) -> pl.Expr:
    """Return the label of each key, null where there is none."""
    if not labels:
        return pl.lit(None, pl.String)
    return key.replace_strict(labels, default=None, return_dtype=pl.String)
