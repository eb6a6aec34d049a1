"""The pages that say where each documented field went."""

from __future__ import annotations

from functools import cache

import pytest

from crmlab.connector import Provider
from crmlab.providers import registry
from docs.pages import fields


@cache
def pages() -> dict[str, str]:
    return fields.pages()


def rows_of(provider: str, resource: str) -> dict[str, tuple[str, str]]:
    """The rows of one resource's table: shared columns and whole records by field."""
    section = pages()[f"fields/{provider}.md"].split(f"## {resource}\n")[1].split("\n## ")[0]
    cells = [
        line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")
    ]
    return {
        field.strip("`"): (tables, whole)
        for field, tables, whole in (_padded(line) for line in cells)
    }


def _padded(cells: list[str]) -> list[str]:
    return cells if len(cells) == 3 else [cells[0].removesuffix(" |").strip(), "", cells[-1]]


@pytest.mark.parametrize("provider", registry().values(), ids=registry())
def test_every_field_of_every_resource_has_a_line(provider: Provider) -> None:
    for resource in provider.resources:
        listed = rows_of(provider.name, resource.name)
        named = [
            field.replace("{id}", "a custom field")
            for field in fields.documented(provider, resource)
        ]
        assert set(named) <= listed.keys(), resource.name
        for way, why in resource.never_kept.items():
            assert listed[way][1] == f"never kept: {why}"
            assert way not in named


@pytest.mark.parametrize(
    ("provider", "resource", "field", "tables", "whole"),
    [
        ("onepagecrm", "deals", "date", "`deals.opened_on`", "`date`"),
        ("onepagecrm", "deals", "previous_pipeline_stages", "", "`previous_pipeline_stages`"),
        (
            "onepagecrm",
            "deals",
            "linked_contacts[].id",
            "`deals.linked_contact_ids`",
            "`linked_contacts`",
        ),
        ("onepagecrm", "contacts", "address_list[].city", "`contacts.city`", "`address_list`"),
        ("onepagecrm", "contacts", "next_actions[].text", "", "`next_actions`"),
        ("onepagecrm", "bootstrap", "data.team", "", "records of `users`"),
        ("relenta", "activities", "users", "`activities.user_emails`", "`users`"),
        ("complero", "events", "contact.birthday", "", "`contact`"),
        (
            "commanders_act",
            "privacy_statistics",
            "attributes.nb_PC_views",
            "`consent_statistics.center_views`",
            "`attributes`",
        ),
        (
            "commanders_act",
            "destinations",
            "attributes.deleted_at",
            "`integrations.deleted_at`",
            "`attributes`",
        ),
    ],
)
def test_a_line_says_where_a_field_went(
    provider: str, resource: str, field: str, tables: str, whole: str
) -> None:
    assert rows_of(provider, resource)[field] == (tables, whole)


def test_counts_of_single_categories_are_found_by_their_pattern() -> None:
    tables, _ = rows_of("commanders_act", "privacy_statistics")["attributes.nb_optin_category_{n}"]

    assert "`consent_statistics_items.optin`" in tables


def test_secrets_are_called_never_kept() -> None:
    assert "| `secretkey` |  | never kept: " in pages()["fields/onepagecrm.md"]
