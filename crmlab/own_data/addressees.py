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
    has_address = pl.col("address") != ""
    is_nameless = pl.col("contact_id").is_null() & has_address
    nameless = events.filter(is_nameless).select(_WHO).unique(maintain_order=True)
    if nameless.is_empty():
        return dict(own)

    # one's own first: of two contacts with one address that is the one meant
    contacts = [tables["contacts"] for tables in (own, there) if "contacts" in tables]
    first_contacts = _first_of_each_address(contacts)
    with_known_id = nameless.join(first_contacts, on=_WHO, how="left", maintain_order="left")
    # the id tells nothing of the address, because ids are not masked
    running_number = pl.int_range(1, pl.len() + 1).over(_OF)
    new_id = pl.format("address {}", running_number).alias("known_id")
    unknown = with_known_id.filter(pl.col("known_id").is_null())
    new_contacts = unknown.with_columns(new_id)

    address_ids = pl.concat([with_known_id.drop_nulls("known_id"), new_contacts])
    with_ids = events.join(address_ids, on=_WHO, how="left", maintain_order="left")
    filled = with_ids.with_columns(pl.coalesce("contact_id", "known_id").alias("contact_id"))
    own_contacts = own.get("contacts", _CONTACTS.empty())
    return {
        **own,
        "consent_events": filled.drop("address", "known_id"),
        # further columns of one's own contacts are null in the new ones
        "contacts": pl.concat([own_contacts, _contacts_of(new_contacts)], how="diagonal"),
    }


def _plain(column: str) -> pl.Expr:
    return mailbox(pl.col(column)).fill_null("")


def _first_of_each_address(contacts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return for each provider, account and address the id of the first contact that has it, as `known_id`."""
    columns = (*_OF, "id", "emails")
    # with one that is empty, because without any frame there would be no columns
    frames = [frame.select(columns) for frame in (_CONTACTS.empty(), *contacts)]
    each_address = pl.concat(frames).explode("emails")
    addresses = each_address.with_columns(_plain("emails").alias("address"))
    first_contacts = addresses.unique(_WHO, keep="first", maintain_order=True)
    return first_contacts.select(*_WHO, pl.col("id").alias("known_id"))


def _contacts_of(added: pl.DataFrame) -> pl.DataFrame:
    contact_id = pl.col("known_id").alias("id")
    emails = pl.concat_list("address").alias("emails")
    contacts = added.select(*_OF, contact_id, emails)
    return conform(contacts, _CONTACTS)
