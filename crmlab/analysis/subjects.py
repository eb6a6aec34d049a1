"""Whose a decision is: a contact's, an e-mail address's, or a person's whom several services know."""

from __future__ import annotations

from typing import Literal

import polars as pl

from crmlab.analysis.addresses import contact_addresses, with_contact_id
from crmlab.analysis.inputs import read
from crmlab.errors import UsageError
from crmlab.schema import KEY, first_mailbox

#: what a person is known by: the id of one service's account, or the e-mail address in all of them
Subject = Literal["contact", "email"]
#: whose decisions are asked for: those of a `Subject`, or of each person that `crmlab.analysis.people` returned
Whom = Subject | pl.DataFrame

_ACCOUNT = ("provider", "account")


def _check_subject(subject: Subject) -> None:
    """Refuse what is no `Subject`.

    Raises
    ------
    UsageError
        `subject` is neither "contact" nor "email".
    """
    if subject not in ("contact", "email"):
        raise UsageError(f"subject={subject!r}: give 'contact' (as each service knows it) or 'email' (across services)")


def contact_name(id: pl.Expr) -> pl.Expr:
    """Return "provider/account/id", null where there is no id. Reads provider, account."""
    provider = pl.col("provider").cast(pl.String).fill_null("")
    return pl.concat_str(provider, pl.col("account").fill_null(""), id, separator="/")


def with_person(frame: pl.DataFrame, people: pl.DataFrame, id: str = "contact_id") -> pl.DataFrame:
    """Return `frame` with the person_id of the contact that each row names, null where it is not known.

    Raises
    ------
    UsageError
        `people` is not what `crmlab.analysis.people` returns.
    """
    known = read(people, "people", *KEY, "person_id")
    keys = known.select(*_ACCOUNT, pl.col("id").alias(id), "person_id")
    return frame.join(keys, on=[*_ACCOUNT, id], how="left", maintain_order="left")


def with_subject(
    rows: pl.DataFrame, whom: Whom, address: pl.Expr, contacts: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the rows with `subject` (String): whom each is about, null where nobody can be told.

    A row that names an address or a mark and no contact is about the contact of its account that has it, in another row
    or among `contacts`. Where no contact has it, the address or mark itself is whom it is about.

    Parameters
    ----------
    rows
        Reads provider, account, contact_id, opted_in, and contact_hash where it is there.
    whom
        ``"contact"``: "provider/account/id". ``"email"``: the address of the row, or else the first of its contact, or
        else the contact. People: the person_id of the contact, or else of whoever has the address in any service.
    address
        The `crmlab.schema.mailbox` of a row.
    contacts
        Reads provider, account, id, emails, and contact_hash where it is there.

    Raises
    ------
    UsageError
        `whom` is not known.
    """
    if not isinstance(whom, pl.DataFrame):
        _check_subject(whom)
    named = with_contact_id(rows, address, contacts)
    if isinstance(whom, pl.DataFrame):
        return _with_people(named, whom, address, contacts)
    if whom == "email":
        return _with_address(named, address, contacts)
    # an address is read where no contact is named: reading all of them takes long
    id = pl.col("contact_id")
    if named["contact_id"].has_nulls():
        marks = ["contact_hash"] if "contact_hash" in named.columns else []
        id = pl.coalesce("contact_id", address, *marks)
    return named.with_columns(contact_name(id).alias("subject"))


def _with_address(rows: pl.DataFrame, address: pl.Expr, contacts: pl.DataFrame | None) -> pl.DataFrame:
    name = contact_name(pl.col("contact_id"))
    if contacts is None:
        return rows.with_columns(pl.coalesce(address, name).alias("subject"))
    first = first_addresses(contacts).rename({"address": "first_address"})
    known = rows.join(first, on=[*_ACCOUNT, "contact_id"], how="left", maintain_order="left")
    return known.with_columns(pl.coalesce(address, "first_address", name).alias("subject")).drop("first_address")


def first_addresses(contacts: pl.DataFrame) -> pl.DataFrame:
    """Return provider, account, contact_id and the first e-mail address of each contact."""
    first = first_mailbox(pl.col("emails")).alias("address")
    return contacts.select(*_ACCOUNT, pl.col("id").alias("contact_id"), first).unique([*_ACCOUNT, "contact_id"])


def _with_people(
    rows: pl.DataFrame, people: pl.DataFrame, address: pl.Expr, contacts: pl.DataFrame | None
) -> pl.DataFrame:
    found = with_person(rows, people).rename({"person_id": "subject"})
    nobody = pl.col("subject").is_null()
    if contacts is None or not found["subject"].has_nulls():
        return found
    whose = with_person(contact_addresses(contacts), people, "id").select(
        "address", pl.col("person_id").alias("subject")
    )
    whose = whose.drop_nulls().unique().with_columns(shared=pl.len().over("address") > 1)
    lost = found.filter(nobody).drop("subject").with_columns(address.alias("named"))
    matched = lost.join(whose, left_on="named", right_on="address", how="left")
    # a refusal by a shared address is everybody's who has it, and a consent is nobody's
    is_guess = (pl.col("shared") & pl.col("opted_in")).fill_null(value=False)
    matched = matched.with_columns(pl.when(~is_guess).then("subject").alias("subject"))
    return pl.concat([found.filter(~nobody), matched.select(found.columns)])
