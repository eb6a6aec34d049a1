"""Personal columns made unreadable: the same value the same token, so that masked tables still join."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import polars as pl

from crmlab.errors import UsageError
from crmlab.providers import registry
from crmlab.schema import CUSTOM, TABLES, as_polars, collected, mailboxes

#: what blake2b takes at most; below the least, all keys could be tried
_KEY_BYTES = range(16, 65)
_TOKEN_BYTES = 10  # two of a million values are equal by chance once in 10^12 fetches
#: one e-mail address or several, and nothing else
_ONLY_EMAILS = r"^[\s,;|]*(?:[^\s,;|@]+[@\uff20][^\s,;|@]+[\s,;|]*)+$"
_CUSTOM_FIELD = CUSTOM.inner
#: what has tokens; values of other types become null
_TEXT = (pl.String(), pl.Categorical())


def mask(tables: Mapping[str, Any], key: bytes | None = None, *, drop: bool = False) -> dict[str, pl.DataFrame]:
    """Return the tables with each value of a personal column as a token, or as null.

    A token is a keyed hash (BLAKE2b): the same for the same value in all tables masked by one key, and
    not to be reversed, nor guessed by trying names, without the key. E-mail addresses are compared
    as `crmlab.schema.mailboxes` reads them. Lists and structures are masked text by text, of custom fields the
    value; blank text stays blank. Further columns, which one's own data may have beside those of a table, count
    as personal; in personal columns what is no text becomes null.

    Of a service's own records (``"onepagecrm.contacts"``) all columns are masked but those that its provider says to be
    nobody's (`Provider.not_personal`); a field that is kept as its JSON is one token.

    Ids are not masked: who may open the service can look them up, so masked tables are pseudonymous
    (GDPR, Article 4(5)), not anonymous. Names of companies and places of meetings stay, too.
    `crmlab.analysis.people` compares names and numbers as people write them: find people before
    masking, what it returns holds ids only.

    Parameters
    ----------
    tables
        Shared tables and services' own records by name: frames of Polars (lazy too), pandas or pyarrow.
        `crmlab.schema.tables` and `crmlab.providers` say which columns are personal.
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
        A table is neither a shared one nor a known service's, or no frame, or the key is too short or too long.

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
    strange = [name for name in tables if name not in TABLES and not _of_a_service(name)]
    if strange:
        raise UsageError(f"not known which columns of {', '.join(strange)} are personal: mask tables of crmlab's only")
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


def _of_a_service(name: str) -> bool:
    """Return whether a table holds a known service's own records."""
    provider, _, resource = name.partition(".")
    return provider in registry() and any(each.name == resource for each in registry()[provider].resources)


def _personal(name: str, frame: pl.DataFrame) -> list[str]:
    """Return the personal columns, and those of which nobody has said what they hold."""
    if name in TABLES:
        declared = TABLES[name].columns
        return [column for column in frame.columns if column not in declared or declared[column].personal]
    provider, _, resource = name.partition(".")
    return registry()[provider].personal_columns(resource, frame.columns)


def _masked(values: pl.Series, key: bytes, *, drop: bool) -> pl.Series:
    if drop or not _texts(values):
        return pl.repeat(None, len(values), dtype=values.dtype, eager=True).alias(values.name)
    return _tokens(values, key)


def _tokens(values: pl.Series, key: bytes) -> pl.Series:
    """Return the values as tokens; every text is hashed once, however often it is there."""
    found = [each.cast(pl.String) for each in _texts(values)]
    texts = pl.concat([pl.Series(dtype=pl.String), *found]).unique().drop_nulls().alias("text").to_frame()
    # no address is in any other text, and a long one takes time
    addresses = pl.when(pl.col("text").str.contains(_ONLY_EMAILS)).then(mailboxes(pl.col("text")).list.join(" "))
    compared = texts.select("text", pl.coalesce(pl.when(addresses != "").then(addresses), "text").alias("compared"))
    tokens = {text: _token(compared, key) for text, compared in compared.iter_rows()}
    replaced = _replaced(pl.col(values.name), values.dtype, tokens)
    return values.to_frame().select(replaced.alias(values.name)).to_series()


def _texts(values: pl.Series) -> list[pl.Series]:
    """Return all texts in a column, as deep as they are inside lists and structures."""
    if isinstance(values.dtype, pl.List):
        return _texts(values.explode())
    if values.dtype == _CUSTOM_FIELD:
        return [values.struct.field("value")]
    if isinstance(values.dtype, pl.Struct):
        found = []
        for field in values.struct.fields:
            found += _texts(values.struct.field(field))
        return found
    return [values] if values.dtype in _TEXT else []


def _replaced(element: pl.Expr, dtype: Any, tokens: Mapping[str, str]) -> pl.Expr:
    """Return the same with each text as its token, and null for what is no text."""
    if isinstance(dtype, pl.List):
        return element.list.eval(_replaced(pl.element(), dtype.inner, tokens))
    if isinstance(dtype, pl.Struct):
        inside = dtype.fields
        if dtype == _CUSTOM_FIELD:
            inside = [each for each in inside if each.name == "value"]
        parts = [_replaced(pl.field(each.name), each.dtype, tokens).alias(each.name) for each in inside]
        return element.struct.with_fields(parts) if parts else element
    if dtype in _TEXT:
        written = element.cast(pl.String).replace_strict(tokens, return_dtype=pl.String)
        return written.cast(dtype) if isinstance(dtype, pl.Categorical) else written
    # of the same length as the column or list that it stands in
    return pl.when(element.is_null()).then(element).otherwise(None)


def _token(text: str, key: bytes) -> str:
    if not text.strip():
        return text
    return hashlib.blake2b(text.encode(), digest_size=_TOKEN_BYTES, key=key).hexdigest()
