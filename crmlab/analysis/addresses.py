"""A person across what one service knows them by: its id, its short mark, or nothing but the e-mail address."""

from __future__ import annotations

import polars as pl

_ACCOUNT = ("provider", "account")


def with_contact_id(rows: pl.DataFrame, address: pl.Expr) -> pl.DataFrame:
    """Return the rows with the contact of their account that has the mark or address elsewhere, where they name none.

    Where several contacts have the address, it is the first of them. Reads provider, account, contact_id, and
    contact_hash where it is there.

    Parameters
    ----------
    rows
        Each with a contact, with its mark, with its address, or with several of them.
    address
        The `crmlab.schema.mailbox` of a row.
    """
    if "contact_hash" not in rows.columns:
        return _with_id_by(rows, address)
    # a mark may stand beside nothing but the address that tells whose both are
    by_mark = _with_id_by(rows, pl.col("contact_hash"))
    return _with_id_by(_with_id_by(by_mark, address), pl.col("contact_hash"))


def _with_id_by(rows: pl.DataFrame, address: pl.Expr) -> pl.DataFrame:
    """Return the rows with the contact that has the same elsewhere, where they name none."""
    nameless = pl.col("contact_id").is_null()
    if not rows["contact_id"].has_nulls():
        return rows
    wanted = rows.filter(nameless).select(*_ACCOUNT, address.alias("address")).drop_nulls("address").unique()
    if wanted.is_empty():
        return rows
    named = rows.filter(~nameless).select(*_ACCOUNT, address.alias("address"), pl.col("contact_id").alias("known_id"))
    keys = [*_ACCOUNT, "address"]
    known = named.join(wanted, on=keys, how="semi", nulls_equal=True).group_by(keys).agg(pl.col("known_id").min())
    filled = rows.with_columns(pl.when(nameless).then(address).alias("address")).join(
        known, on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    return filled.with_columns(pl.coalesce("contact_id", "known_id").alias("contact_id")).drop("address", "known_id")
