"""Personal columns made unreadable: the same value the same token, so that masked tables still join."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import polars as pl

from crmlab.errors import UsageError
from crmlab.providers import registry
from crmlab.schema import CUSTOM, TABLES, Table, as_polars, collected, mailboxes

#: what blake2b takes at most; below the least, all keys could be tried
KEY_BYTES = range(16, 65)
_TOKEN_BYTES = 10  # two of a million values are equal by chance once in 10^12 fetches
_EMAIL = r"[^\s,;|@]+[@\uff20][^\s,;|@]+"
#: one e-mail address or several, each perhaps behind a name or before a note, and nothing else
_ONLY_EMAILS = rf"^[\s,;|]*(?:(?:[^\r\n<>@\uff20]{{0,80}}<{_EMAIL}>|{_EMAIL})(?:\s*\([^()\r\n@]{{0,80}}\))?[\s,;|]*)+$"
_CUSTOM_FIELD = CUSTOM.inner
#: what has tokens; values of other types become null
_TEXT = (pl.String(), pl.Categorical())


def mask(
    tables: Mapping[str, Any],
    key: bytes | None = None,
    *,
    drop: bool = False,
) -> dict[str, pl.DataFrame]:
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
    # one for all: the same value has the same token in every table
    for_all = Mask(key, drop=drop)
    masked = {}
    for table_name, any_frame in tables.items():
        frame = collected(as_polars(any_frame, table_name), table_name)
        masked[table_name] = for_all.frame(table_name, frame)
    return masked


@dataclass(frozen=True, slots=True)
class Mask:
    """One key, by which any number of frames are masked one after the other: what is equal in them stays equal.

    Nothing is kept of what was masked, so memory holds one frame at a time, and the key is in no repr.

    Parameters
    ----------
    key
        16 to 64 random bytes; None: new ones, kept nowhere else.
    drop
        Null instead of tokens.

    Raises
    ------
    UsageError
        It is no key, or too short or too long.

    Examples
    --------
    >>> mask = Mask(b"kept where nobody looks")
    >>> parts = [mask.frame("users", pl.DataFrame({"id": [id], "name": ["Ann"]})) for id in "12"]
    >>> parts[0]["name"].item() == parts[1]["name"].item() != "Ann"
    True
    """

    key: bytes | None = field(default=None, repr=False)
    drop: bool = False

    def __post_init__(self) -> None:
        if self.key is None:
            object.__setattr__(self, "key", secrets.token_bytes(KEY_BYTES[-1]))
        elif not isinstance(self.key, bytes):
            kind = type(self.key).__name__
            raise UsageError(
                f"the key of a mask is bytes, such as secrets.token_bytes(32), not of type {kind}"
            )
        elif len(self.key) not in KEY_BYTES:
            raise UsageError(
                f"the key has {len(self.key)} bytes: give {KEY_BYTES[0]} to {KEY_BYTES[-1]}, "
                "such as secrets.token_bytes(32)"
            )

    def frame(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Return rows of the table of that name with each value of a personal column as a token, or as null."""
        personal = self._personal(name, frame.columns)
        return frame.with_columns([self._column(frame[column]) for column in personal])

    def lazy(self, name: str, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Return the same of a lazy frame, which is masked batch by batch while it is read."""
        schema = frame.collect_schema()
        # what nobody knows is refused now, not when it is read
        self._personal(name, schema.names())
        # no row of a table says anything of another one
        return frame.map_batches(partial(self.frame, name), schema=schema, streamable=True)

    def _personal(self, name: str, columns: list[str]) -> list[str]:
        """Return the personal columns, and those of which nobody has said what they hold."""
        if name in TABLES:
            return [column for column in columns if _may_be_personal(column, TABLES[name])]
        if not _of_a_service(name):
            raise UsageError(
                f"it is not known which columns of {name} are personal: mask only tables of crmlab"
            )
        provider, _, resource = name.partition(".")
        return registry()[provider].personal_columns(resource, columns)

    def _column(self, values: pl.Series) -> pl.Series:
        if self.drop or not _texts(values):
            nulls = pl.repeat(None, len(values), dtype=values.dtype, eager=True)
            return nulls.alias(values.name)
        assert self.key
        return _tokens(values, self.key)


def as_mask(mask: object) -> Mask | None:
    """Return how a `mask` that somebody gave masks: True, or the key; None where nothing is to be masked.

    Raises
    ------
    UsageError
        It is neither.
    """
    if mask is False:
        return None
    if mask is True:
        return Mask()
    if not isinstance(mask, bytes):
        raise UsageError(
            f"mask is True, False or a key of 16 to 64 bytes, not of type {type(mask).__name__}"
        )
    return Mask(mask)


def masked_account(account: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands beside the tables as masked data have it: by name, what `Result` takes.

    Of rejected records and misfits their number stays, and not what they hold.
    """
    return {
        **account,
        "summary": _without_unread(account["summary"]),
        "rejected": _without_content(account["rejected"]),
        "misfits": _without_content(account["misfits"]),
        "is_masked": True,
    }


def _without_unread(summary: pl.DataFrame) -> pl.DataFrame:
    """Return the summary with a note on each list of which something was rejected or not read, and is left out."""
    left_out = pl.concat_str(
        pl.col("note").replace("", None),
        pl.lit("masked: what was rejected or could not be read is left out"),
        separator="; ",
        ignore_nulls=True,
    )
    counted = [name for name in ("rejected", "misfits") if name in summary.columns]
    has_unread = pl.sum_horizontal(counted) > 0
    note = pl.when(has_unread).then(left_out).otherwise("note")
    return summary.with_columns(note=note)


def _without_content(unread: pl.DataFrame) -> pl.DataFrame:
    """Return rejected records or misfits without what they hold: their number stays, reasons quote values."""
    no_text = pl.lit(None, pl.String)
    return unread.with_columns(no_text.alias("reason"), no_text.alias("raw"))


def _may_be_personal(column: str, table: Table) -> bool:
    """Return whether a column is personal, or a further one, of which nobody has said what it holds."""
    if column not in table.columns:
        return True
    return table.columns[column].personal


def _of_a_service(name: str) -> bool:
    """Return whether a table holds a known service's own records."""
    provider, _, resource = name.partition(".")
    if provider not in registry():
        return False
    resources = registry()[provider].resources
    return any(known.name == resource for known in resources)


def _tokens(values: pl.Series, key: bytes) -> pl.Series:
    """Return the values as tokens; every text is hashed once, however often it is there."""
    no_texts = pl.Series(dtype=pl.String)
    own_texts = [some_texts.cast(pl.String) for some_texts in _texts(values)]
    each_once = pl.concat([no_texts, *own_texts]).unique().drop_nulls()
    texts = each_once.alias("text").to_frame()
    # no address is in any other text, and a long one takes time
    is_address = pl.col("text").str.contains(_ONLY_EMAILS)
    several = mailboxes(pl.col("text")).list.join(" ")
    addresses = pl.when(is_address).then(several)
    # what is no address after all is compared as it is written
    known_addresses = pl.when(addresses != "").then(addresses)
    compared = texts.select(pl.coalesce(known_addresses, "text")).to_series()
    tokens = pl.Series("token", _hashed(compared, key), dtype=pl.String)
    replaced = _replaced(pl.col(values.name), values.dtype, texts["text"], tokens)
    return values.to_frame().select(replaced.alias(values.name)).to_series()


def _texts(values: pl.Series) -> list[pl.Series]:
    """Return all texts in a column, as deep as they are inside lists and structures."""
    if isinstance(values.dtype, pl.List):
        return _texts(values.explode())
    if values.dtype == _CUSTOM_FIELD:
        return [values.struct.field("value")]
    if isinstance(values.dtype, pl.Struct):
        texts = []
        for field_name in values.struct.fields:
            texts += _texts(values.struct.field(field_name))
        return texts
    if values.dtype in _TEXT:
        return [values]
    return []


def _replaced(
    element: pl.Expr,
    dtype: Any,
    texts: pl.Series,
    tokens: pl.Series,
) -> pl.Expr:
    """Return the same with each text as its token, and null for what is no text."""
    if isinstance(dtype, pl.List):
        return element.list.eval(_replaced(pl.element(), dtype.inner, texts, tokens))
    if isinstance(dtype, pl.Struct):
        return _fields_replaced(element, dtype, texts, tokens)
    if dtype in _TEXT:
        written = element.cast(pl.String).replace_strict(texts, tokens, return_dtype=pl.String)
        return written.cast(dtype)
    # of the same length as the column or list that it stands in
    return pl.when(element.is_null()).then(element).otherwise(None)


def _fields_replaced(
    element: pl.Expr,
    dtype: pl.Struct,
    texts: pl.Series,
    tokens: pl.Series,
) -> pl.Expr:
    """Return the same structure with the texts in its fields as tokens; of a custom field the value only."""
    replaced = []
    for inner in dtype.fields:
        # key and label of a custom field are the same for all people
        if dtype == _CUSTOM_FIELD and inner.name != "value":
            continue
        field_tokens = _replaced(pl.field(inner.name), inner.dtype, texts, tokens)
        replaced.append(field_tokens.alias(inner.name))
    # a structure without fields stays as it is
    if not replaced:
        return element
    return element.struct.with_fields(replaced)


def _hashed(texts: pl.Series, key: bytes) -> list[str]:
    """Return the token of each text; blank text stays blank."""
    keyed = hashlib.blake2b(digest_size=_TOKEN_BYTES, key=key)
    tokens = []
    for text in texts.to_list():
        if not text or text.isspace():
            tokens.append(text)
            continue
        # a copy has read the key already
        digest = keyed.copy()
        digest.update(text.encode())
        tokens.append(digest.hexdigest())
    return tokens
