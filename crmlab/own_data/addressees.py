"""People whom consent events of one's own name by their e-mail address and by nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from crmlab.schema import TABLES, conform, mailbox

_OF = ("provider", "account")
_WHO = (*_OF, "address")
_CONTACTS = TABLES["contacts"]


def with_contacts(
    own: Mapping[str, pl.DataFrame], there: Mapping[str, pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    """Return the tables with a contact for every consent event that names only an address.

    It is the first contact of the same provider and account that has the address, among one's own and those that are
    there already. Where there is none, it is a new contact, which holds no more than the address.
    """
    events = own["consent_events"].with_columns(_plain("contact_email").alias("address"))
    is_nameless = pl.col("contact_id").is_null() & (pl.col("address") != "")
    nameless = events.filter(is_nameless).select(_WHO).unique(maintain_order=True)
    if nameless.is_empty():
        return dict(own)

    contacts = [tables["contacts"] for tables in (own, there) if "contacts" in tables]
    known = nameless.join(
        _first_of_each_address(contacts), on=_WHO, how="left", maintain_order="left"
    )
    # the id tells nothing of the address, because ids are not masked
    number = pl.int_range(1, pl.len() + 1).over(_OF)
    added = known.filter(pl.col("known_id").is_null()).with_columns(
        pl.format("address {}", number).alias("known_id")
    )

    ids = pl.concat([known.drop_nulls("known_id"), added])
    filled = events.join(ids, on=_WHO, how="left", maintain_order="left").with_columns(
        pl.coalesce("contact_id", "known_id").alias("contact_id")
    )
    return {
        **own,
        "consent_events": filled.drop("address", "known_id"),
        "contacts": pl.concat(
            [own.get("contacts", _CONTACTS.empty()), _contacts_of(added)], how="diagonal"
        ),
    }


def _plain(column: str) -> pl.Expr:
    return mailbox(pl.col(column)).fill_null("")


def _first_of_each_address(contacts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return for each provider, account and address the id of the first contact that has it, as `known_id`."""
    columns = (*_OF, "id", "emails")
    every = pl.concat([frame.select(columns) for frame in (_CONTACTS.empty(), *contacts)])
    addresses = every.explode("emails").with_columns(_plain("emails").alias("address"))
    first = addresses.unique(_WHO, keep="first", maintain_order=True)
    return first.select(*_WHO, pl.col("id").alias("known_id"))


def _contacts_of(added: pl.DataFrame) -> pl.DataFrame:
    emails = pl.concat_list("address").alias("emails")
    return conform(added.select(*_OF, pl.col("known_id").alias("id"), emails), _CONTACTS)
