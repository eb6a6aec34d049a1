"""The README says what the code does."""

import re
from pathlib import Path

import pytest

from crmlab.accounts import credentials
from crmlab.providers import registry

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def rows():
    return {
        cells[1].strip("` "): cells
        for line in README.splitlines()
        if line.startswith("| ") and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 5
    }


def test_the_table_of_services_is_the_registry():
    assert set(rows()) - {"name"} == set(registry())


@pytest.mark.parametrize("name", registry())
def test_each_service_is_shown_with_its_tables_and_its_limit(name):
    provider, cells = registry()[name], rows()[name]

    assert cells[0] == provider.title
    assert tuple(cells[2].split(", ")) == provider.tables
    assert cells[3].startswith(f"{provider.limits.rate:g}/s")


@pytest.mark.parametrize("name", registry())
def test_every_credential_without_which_nothing_goes_is_named(name):
    provider = registry()[name]

    needed = [field for field in provider.fields if field.name in provider.needed() and not field.default]
    missing = [v for field in needed if (v := credentials.variable(provider, field)) not in README]
    assert missing == []


def test_files_that_the_readme_links_to_exist():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)

    assert links
    assert [link for link in links if not (Path(__file__).parent.parent / link).exists()] == []
