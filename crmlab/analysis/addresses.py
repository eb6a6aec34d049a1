"""A person across what one service knows them by: its id, or nothing but the e-mail address."""

from __future__ import annotations

import polars as pl

from crmlab.schema import KEY, addresses

_ACCOUNT = ("provider", "account")


def contact_addresses(contacts: pl.DataFrame) -> pl.DataFrame:
    """Return provider, account, id and address of the contacts: a row for each of their e-mail addresses.

    Reads provider, account, id, emails.
    """
    written = contacts.select(*KEY, pl.col("emails").alias("address")).explode("address")
    each = written.with_columns(addresses(pl.col("address"))).explode("address")
    return each.drop_nulls("address").unique()


def with_contact_id(rows: pl.DataFrame, address: pl.Expr, known_addresses: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the rows with the contact of their account that has the address elsewhere, where they name none.

    Elsewhere is another of the rows, or the contact itself. Where several contacts have the address, it is the first
    of them. Reads provider, account, contact_id.

    Parameters
    ----------
    rows
        Each with a contact, with the address of one, or with both.
    address
        The `crmlab.schema.mailbox` of a row.
    known_addresses
        What `contact_addresses` returns; None: the rows alone tell.
    """
    nameless = pl.col("contact_id").is_null()
    if not rows["contact_id"].has_nulls():
        return rows
    wanted = rows.filter(nameless).select(*_ACCOUNT, address.alias("address")).drop_nulls("address").unique()
    if wanted.is_empty():
        return rows
    named = rows.filter(~nameless).select(*_ACCOUNT, address.alias("address"), pl.col("contact_id").alias("known_id"))
    if known_addresses is not None:
        named = pl.concat([named, known_addresses.select(*_ACCOUNT, "address", pl.col("id").alias("known_id"))])
    keys = [*_ACCOUNT, "address"]
    known = named.join(wanted, on=keys, how="semi", nulls_equal=True).group_by(keys).agg(pl.col("known_id").min())
    filled = rows.with_columns(pl.when(nameless).then(address).alias("address")).join(
        known, on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    return filled.with_columns(pl.coalesce("contact_id", "known_id").alias("contact_id")).drop("address", "known_id")
