"""A person across what one service knows them by: its id, its short mark, or nothing but the e-mail address."""

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


def with_contact_id(
    rows: pl.DataFrame, address: pl.Expr, contacts: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the rows with the contact of their account that has the mark or address elsewhere, where they name none.

    Elsewhere is another of the rows, or the contact itself. Where several contacts have the address, it is the first of
    them; a refusal is a row for each of them, for none may be written to at that address. Reads provider, account,
    contact_id, and where they are there contact_hash and opted_in.

    Parameters
    ----------
    rows
        Each with a contact, with its mark, with its address, or with several of them.
    address
        The `crmlab.schema.mailbox` of a row.
    contacts
        Reads provider, account, id, emails, and contact_hash where it is there. None: the rows alone tell.
    """
    if not rows["contact_id"].has_nulls():
        return rows
    known = None if contacts is None else contact_addresses(contacts)
    if "contact_hash" not in rows.columns:
        return _with_id_by(rows, address, known)
    mark = pl.col("contact_hash")
    marks = None
    if contacts is not None and "contact_hash" in contacts.columns:
        marks = contacts.select(*KEY, mark.alias("address")).drop_nulls("address")
    # a mark may stand beside nothing but the address that tells whose both are
    by_mark = _with_id_by(rows, mark, marks)
    return _with_id_by(_with_id_by(by_mark, address, known), mark, marks)


def _with_id_by(rows: pl.DataFrame, name: pl.Expr, known: pl.DataFrame | None) -> pl.DataFrame:
    """Return the rows with the contact that has the same name elsewhere, where they name none."""
    nameless = pl.col("contact_id").is_null()
    wanted = rows.filter(nameless).select(*_ACCOUNT, name.alias("name")).drop_nulls("name").unique()
    if wanted.is_empty():
        return rows
    named = rows.filter(~nameless).select(
        *_ACCOUNT, name.alias("name"), pl.col("contact_id").alias("known_id")
    )
    if known is not None:
        named = pl.concat(
            [named, known.select(*_ACCOUNT, pl.col("address").alias("name"), known_id="id")]
        )
    keys = [*_ACCOUNT, "name"]
    known_ids = named.join(wanted, on=keys, how="semi", nulls_equal=True).unique()
    known_ids = known_ids.with_columns(
        is_further=pl.col("known_id") > pl.col("known_id").min().over(keys)
    )
    filled = rows.with_columns(pl.when(nameless).then(name).alias("name")).join(
        known_ids, on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    is_refusal = (
        ~pl.col("opted_in").cast(pl.Boolean) if "opted_in" in rows.columns else pl.lit(value=False)
    )
    counts = ~pl.col("is_further").fill_null(value=False) | is_refusal.fill_null(value=False)
    own = pl.coalesce("contact_id", "known_id").alias("contact_id")
    return filled.filter(counts).with_columns(own).drop("name", "known_id", "is_further")
