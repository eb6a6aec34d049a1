"""Personal columns made unreadable: the same value the same token, so that masked tables still join."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import polars as pl

from crmlab.errors import UsageError
from crmlab.schema import CUSTOM, TABLES, as_polars, collected, mailboxes

#: what blake2b takes at most; below the least, all keys could be tried
_KEY_BYTES = range(16, 65)
_TOKEN_BYTES = 10  # two of a million values are equal by chance once in 10^12 fetches
#: one e-mail address or several, and nothing else
_ONLY_EMAILS = r"^[\s,;|]*(?:[^\s,;|@]+[@\uff20][^\s,;|@]+[\s,;|]*)+$"
_CUSTOM_FIELD = CUSTOM.inner
#: what has tokens; other dtypes, which only further columns have, become null
_HASHED = (pl.String(), pl.List(pl.String), CUSTOM)


def mask(tables: Mapping[str, Any], key: bytes | None = None, *, drop: bool = False) -> dict[str, pl.DataFrame]:
    """Return the tables with each value of a personal column as a token, or as null.

    A token is a keyed hash (BLAKE2b): the same for the same value in all tables masked by one key, and
    not to be reversed, nor guessed by trying names, without the key. E-mail addresses are compared
    as `crmlab.schema.mailboxes` reads them. Lists are masked element by element, of custom fields the
    value; blank text stays blank. Further columns, which one's own data may have beside those of a table, count
    as personal; those that are neither text nor lists of text become null.

    Ids are not masked: who may open the service can look them up, so masked tables are pseudonymous
    (GDPR, Article 4(5)), not anonymous. Names of companies and places of meetings stay, too.
    `crmlab.analysis.people` compares names and numbers as people write them: find people before
    masking, what it returns holds ids only.

    Parameters
    ----------
    tables
        Shared tables by name: frames of Polars (lazy too), pandas or pyarrow. `crmlab.schema.tables` says which
        columns are personal.
    key
        16 to 64 random bytes, the same to join with tables masked before; None: new ones, kept nowhere.
    drop
        Null instead of tokens: nothing can be joined or counted by these columns.

    Returns
    -------
    dict of str to pl.DataFrame
        The same rows, columns and dtypes.

    Raises
    ------
    UsageError
        A table is not a shared one or no frame, or the key is too short or too long.

    Examples
    --------
    >>> tables = {"users": pl.DataFrame({"id": ["1"], "email": ["Ann@example.com"]}),
    ...           "subscriptions": pl.DataFrame({"address": ["ann@example.com ", None]})}
    >>> masked = mask(tables, key=b"kept where nobody looks")
    >>> masked["users"]["email"].item() == masked["subscriptions"]["address"][0]
    True
    >>> masked["users"].select("id", pl.col("email").str.len_chars())
    shape: (1, 2)
    ┌─────┬───────┐
    │ id  ┆ email │
    │ --- ┆ ---   │
    │ str ┆ u32   │
    ╞═════╪═══════╡
    │ 1   ┆ 20    │
    └─────┴───────┘
    """
    strange = [name for name in tables if name not in TABLES]
    if strange:
        raise UsageError(f"not known which columns of {', '.join(strange)} are personal: mask shared tables only")
    if key is None:
        key = secrets.token_bytes(_KEY_BYTES[-1])
    elif len(key) not in _KEY_BYTES:
        raise UsageError(
            f"the key has {len(key)} bytes: give {_KEY_BYTES[0]} to {_KEY_BYTES[-1]}, such as secrets.token_bytes(32)"
        )
    masked = {}
    for name, given in tables.items():
        frame = collected(as_polars(given, name), name)
        columns = [_masked(frame[column], key, drop=drop) for column in _personal(name, frame)]
        masked[name] = frame.with_columns(columns)
    return masked


def without_content(unread: pl.DataFrame) -> pl.DataFrame:
    """Return rejected records or misfits without what they hold: their number stays, reasons quote values."""
    return unread.with_columns(pl.lit(None, pl.String).alias(name) for name in ("reason", "raw"))


def _personal(name: str, frame: pl.DataFrame) -> list[str]:
    """Return the personal columns, and those beside the table's: what one's own data hold there, nobody has said."""
    declared = TABLES[name].columns
    return [column for column in frame.columns if column not in declared or declared[column].personal]


def _masked(values: pl.Series, key: bytes, *, drop: bool) -> pl.Series:
    if drop or values.dtype not in _HASHED:
        return pl.repeat(None, len(values), dtype=values.dtype, eager=True).alias(values.name)
    return _tokens(values, key)


def _tokens(values: pl.Series, key: bytes) -> pl.Series:
    """Return the values as tokens; every text is hashed once, however often it is there."""
    texts = _texts(values).unique().drop_nulls().alias("text").to_frame()
    # no address is in any other text, and a long one takes time
    addresses = pl.when(pl.col("text").str.contains(_ONLY_EMAILS)).then(mailboxes(pl.col("text")).list.join(" "))
    compared = texts.select("text", pl.coalesce(pl.when(addresses != "").then(addresses), "text").alias("compared"))
    tokens = {text: _token(compared, key) for text, compared in compared.iter_rows()}
    replaced = _replaced(pl.col(values.name), values.dtype, tokens)
    return values.to_frame().select(replaced).to_series()


def _texts(values: pl.Series) -> pl.Series:
    """Return all texts of a column of text, of lists of text, or of custom fields."""
    texts = values.explode() if isinstance(values.dtype, pl.List) else values
    return texts.struct.field("value") if texts.dtype == _CUSTOM_FIELD else texts


def _replaced(element: pl.Expr, dtype: Any, tokens: Mapping[str, str]) -> pl.Expr:
    if isinstance(dtype, pl.List):
        return element.list.eval(_replaced(pl.element(), dtype.inner, tokens))
    if dtype == _CUSTOM_FIELD:
        return element.struct.with_fields(pl.field("value").replace_strict(tokens, return_dtype=pl.String))
    return element.replace_strict(tokens, return_dtype=pl.String)


def _token(text: str, key: bytes) -> str:
    if not text.strip():
        return text
    return hashlib.blake2b(text.encode(), digest_size=_TOKEN_BYTES, key=key).hexdigest()
