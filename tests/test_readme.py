"""The README says what the code does."""

import ast
import inspect
import re
import shutil
from pathlib import Path

import pytest

import crmlab
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
    counted = re.findall(
        r"\b(?:four|five|six|seven) (?:services|APIs|providers)\b", page.read_text(encoding="utf-8")
    )

    assert counted == [], "the next service would make it untrue: say it without the number"


def test_files_that_the_readme_links_to_exist():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Work in a folder that holds the sample: what the code writes does not stay."""
    shutil.copytree(ROOT / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)


async def run(code, names):
    """Run code with `await` at its top, as a notebook does."""
    coroutine = eval(compile(code, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if inspect.iscoroutine(coroutine):
        await coroutine


def python_blocks(text):
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.usefixtures("checkout")
async def test_the_code_runs_from_top_to_bottom():
    names = {}

    async with crmlab.sandbox(rows=60) as accounts:
        for code in python_blocks(README):
            await run(code, names)
            # the form is empty, for nobody is here to fill it in
            names["form"] = accounts

    assert names["data"].complete
    assert Path("reports/deals.csv").exists()


@pytest.mark.usefixtures("checkout")
async def test_the_code_of_the_sample_runs():
    names = {}

    for code in python_blocks((ROOT / "data" / "README.md").read_text(encoding="utf-8")):
        await run(code, names)

    assert names["deals"].height > 0
