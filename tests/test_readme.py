"""The README says what the code does."""

import re
from pathlib import Path

import pytest

from docs.generated import FILES, written

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_is_said_of_all_services_is_what_they_declare(file):
    shown = file.read_text(encoding="utf-8")

    assert shown == written(file), f"{file.name} is not that of today: run `make names`"


def test_the_readme_shows_every_service_and_how_its_keys_are_named():
    assert all(f"<!-- /{part} -->" in README for part in ("titles", "services", "variables"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_counts_the_services(page):
    counted = re.findall(r"\b(?:four|five|six|seven) (?:services|APIs|providers)\b", page.read_text(encoding="utf-8"))

    assert counted == [], "the next service would make it untrue: say it without the number"


def test_files_that_the_readme_links_to_exist():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
