"""A person across what one service knows them by: its id, its short mark, or nothing but the e-mail address."""

from __future__ import annotations

import polars as pl

from crmlab.schema import KEY, addresses

_ACCOUNT = ("provider", "account")
#: what a contact is known by besides its id: an address or a mark
_NAME = (*_ACCOUNT, "name")


def contact_addresses(contacts: pl.DataFrame) -> pl.DataFrame:
    """Return provider, account, id and address of the contacts: a row for each of their e-mail addresses.

    Reads provider, account, id, emails.
    """
    written = contacts.select(*KEY, address="emails").explode("address")
    # a text may hold several addresses
    spelled = written.with_columns(addresses(pl.col("address"))).explode("address")
    return spelled.drop_nulls("address").unique()


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
    known_addresses = None
    if contacts is not None:
        known_addresses = contact_addresses(contacts)
    if "contact_hash" not in rows.columns:
        return _with_id_by(rows, address, known_addresses)

    contact_mark = pl.col("contact_hash")
    known_marks = None
    if contacts is not None and "contact_hash" in contacts.columns:
        marked_contacts = contacts.select(*KEY, address=contact_mark)
        known_marks = marked_contacts.drop_nulls("address")
    # a mark may stand beside nothing but the address that tells whose both are
    by_mark = _with_id_by(rows, contact_mark, known_marks)
    by_address = _with_id_by(by_mark, address, known_addresses)
    return _with_id_by(by_address, contact_mark, known_marks)


def _with_id_by(rows: pl.DataFrame, name: pl.Expr, known: pl.DataFrame | None) -> pl.DataFrame:
    """Return the rows with the contact that has the same name elsewhere, where they name none."""
    nameless = pl.col("contact_id").is_null()
    wanted_names = rows.filter(nameless).select(*_ACCOUNT, name=name).drop_nulls("name").unique()
    if wanted_names.is_empty():
        return rows

    contact_id = pl.col("contact_id").alias("known_id")
    named = rows.filter(~nameless).select(*_ACCOUNT, name.alias("name"), contact_id)
    if known is not None:
        named_elsewhere = known.select(*_ACCOUNT, name="address", known_id="id")
        named = pl.concat([named, named_elsewhere])
    wanting = rows.with_columns(name=pl.when(nameless).then(name))
    return _filled(wanting, named.join(wanted_names, on=_NAME, how="semi", nulls_equal=True))


def _filled(rows: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the id that their name has among the named: the first one, or a row for each of several."""
    first_id = pl.col("known_id").min().over(_NAME)
    known_ids = named.unique().with_columns(is_further=pl.col("known_id") > first_id)
    filled = rows.join(known_ids, on=_NAME, how="left", nulls_equal=True, maintain_order="left")
    is_refusal = pl.lit(value=False)
    if "opted_in" in rows.columns:
        is_refusal = ~pl.col("opted_in").cast(pl.Boolean)
    # of several contacts with one address a refusal is of each of them, all else is of the first
    is_first = ~pl.col("is_further").fill_null(value=False)
    counting = filled.filter(is_first | is_refusal.fill_null(value=False))
    own_id = pl.coalesce("contact_id", "known_id")
    return counting.with_columns(contact_id=own_id).drop("name", "known_id", "is_further")
