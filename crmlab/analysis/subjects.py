"""Whose a decision is: a contact's, an e-mail address's, or a person's whom several services know."""

from __future__ import annotations

from typing import Any, Literal, cast

import polars as pl

from crmlab.analysis.addresses import contact_addresses, with_contact_id
from crmlab.analysis.inputs import read
from crmlab.errors import UsageError
from crmlab.schema import KEY, first_mailbox

#: what a person is known by: the id of one service's account, or the e-mail address in all of them
Subject = Literal["contact", "email"]
#: whose decisions are asked for: those of a `Subject`, or of each person that `crmlab.analysis.people` returned
Whom = Subject | pl.DataFrame
#: what names an account of a service
ACCOUNT = ("provider", "account")


def _check_subject(subject: Subject) -> None:
    """Refuse what is no `Subject`.

    Raises
    ------
    UsageError
        `subject` is neither "contact" nor "email".
    """
    if subject not in ("contact", "email"):
        raise UsageError(
            f"subject={subject!r}: give 'contact' (as each service knows it) or 'email' (across services)"
        )


def known_people(whom: Any) -> Whom:
    """Return people in memory, whatever frame they are given as; a `Subject` as it is.

    Raises
    ------
    UsageError
        It is a frame, and not what `crmlab.analysis.people` returns.
    """
    if isinstance(whom, str):
        return cast("Subject", whom)
    return read(whom, "people", *KEY, "person_id")


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
    all_people = read(people, "people", *KEY, "person_id")
    person_ids = all_people.select(*ACCOUNT, pl.col("id").alias(id), "person_id")
    return frame.join(person_ids, on=[*ACCOUNT, id], how="left", maintain_order="left")


def with_subject(
    rows: pl.DataFrame,
    whom: Whom,
    address: pl.Expr,
    contacts: pl.DataFrame | None = None,
    *,
    wanted: pl.Expr | None = None,
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
    wanted
        Which rows are returned; the others tell whose an address is, too. None: all of them.

    Raises
    ------
    UsageError
        `whom` is not known.
    """
    if not isinstance(whom, pl.DataFrame):
        _check_subject(whom)
    named = with_contact_id(rows, address, contacts)
    if wanted is not None:
        named = named.filter(wanted)
    if isinstance(whom, pl.DataFrame):
        return _with_people(named, whom, address, contacts)
    if whom == "email":
        return _with_address(named, address, contacts)
    # an address is read where no contact is named: reading all of them takes long
    subject_id = pl.col("contact_id")
    if named["contact_id"].has_nulls():
        marks = ["contact_hash"] if "contact_hash" in named.columns else []
        subject_id = pl.coalesce("contact_id", address, *marks)
    return named.with_columns(subject=contact_name(subject_id))


def _with_address(
    rows: pl.DataFrame, address: pl.Expr, contacts: pl.DataFrame | None
) -> pl.DataFrame:
    own_name = contact_name(pl.col("contact_id"))
    if contacts is None:
        return rows.with_columns(subject=pl.coalesce(address, own_name))
    first_known = first_addresses(contacts).rename({"address": "first_address"})
    contact_key = [*ACCOUNT, "contact_id"]
    addressed = rows.join(first_known, on=contact_key, how="left", maintain_order="left")
    subject = pl.coalesce(address, "first_address", own_name)
    return addressed.with_columns(subject=subject).drop("first_address")


def first_addresses(contacts: pl.DataFrame) -> pl.DataFrame:
    """Return provider, account, contact_id and the first e-mail address of each contact."""
    contact_id = pl.col("id").alias("contact_id")
    address = first_mailbox(pl.col("emails")).alias("address")
    addressed = contacts.select(*ACCOUNT, contact_id, address)
    return addressed.unique([*ACCOUNT, "contact_id"])


def _with_people(
    rows: pl.DataFrame, people: pl.DataFrame, address: pl.Expr, contacts: pl.DataFrame | None
) -> pl.DataFrame:
    with_subjects = with_person(rows, people).rename({"person_id": "subject"})
    if contacts is None or not with_subjects["subject"].has_nulls():
        return with_subjects
    owners = with_person(contact_addresses(contacts), people, "id")
    owners = owners.select("address", subject="person_id").drop_nulls().unique()
    owners = owners.with_columns(shared=pl.len().over("address") > 1)

    has_nobody = pl.col("subject").is_null()
    unknown = with_subjects.filter(has_nobody).drop("subject")
    addressed = unknown.with_columns(named=address)
    matched = addressed.join(owners, left_on="named", right_on="address", how="left")
    # a refusal by a shared address is everybody's who has it, and a consent is nobody's
    is_guess = (pl.col("shared") & pl.col("opted_in")).fill_null(value=False)
    matched = matched.with_columns(subject=pl.when(~is_guess).then("subject"))
    known = with_subjects.filter(~has_nobody)
    return pl.concat([known, matched.select(with_subjects.columns)])
