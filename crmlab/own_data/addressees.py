"""People whom consent events of one's own name by their e-mail address and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crmlab.schema import TABLES, conform

_OF = ("provider", "account")
_ADDRESS = pl.col("contact_email").str.strip_chars().str.to_lowercase()


def with_contacts(own: Mapping[str, pl.DataFrame], there: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the tables with a contact for every consent event that names only an address.

    It is the first contact of the same provider and account that has the address, among one's own and those that are
    there already; where there is none, a new contact, which holds no more than the address. Its id tells nothing of
    it, because ids are not masked.
    """
    events = own["consent_events"].with_row_index("row")
    nameless = events.filter(pl.col("contact_id").is_null(), _ADDRESS != "").select(
        "row", *_OF, _ADDRESS.alias("address")
    )
    if nameless.is_empty():
        return dict(own)

    known = nameless.join(_first_by_address(own, there), on=[*_OF, "address"], how="left", maintain_order="left")
    is_new = pl.col("known_id").is_null()
    number = pl.col("address").rank("dense").over(*_OF, is_new)
    known = known.with_columns(pl.coalesce("known_id", pl.format("address {}", number)).alias("contact_id"))

    added = known.filter(is_new).unique([*_OF, "address"], maintain_order=True)
    contacts = conform(
        added.select(*_OF, pl.col("contact_id").alias("id"), pl.concat_list("address").alias("emails")),
        TABLES["contacts"],
    )
    own_contacts = own.get("contacts", TABLES["contacts"].empty())
    named = events.join(known.select("row", named_id="contact_id"), on="row", how="left", maintain_order="left")
    filled = named.with_columns(pl.coalesce("contact_id", "named_id").alias("contact_id")).drop("row", "named_id")
    return {
        **own,
        "consent_events": filled,
        "contacts": pl.concat([own_contacts, contacts], how="diagonal"),
    }


def _first_by_address(own: Mapping[str, pl.DataFrame], there: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return for each provider, account and address the id of the first contact that has it."""
    parts = [tables["contacts"].select(*_OF, "id", "emails") for tables in (own, there) if "contacts" in tables]
    contacts = pl.concat([TABLES["contacts"].empty().select(*_OF, "id", "emails"), *parts])
    addresses = contacts.explode("emails").with_columns(pl.col("emails").str.strip_chars().str.to_lowercase())
    return addresses.select(*_OF, pl.col("emails").alias("address"), pl.col("id").alias("known_id")).unique(
        [*_OF, "address"], keep="first", maintain_order=True
    )
