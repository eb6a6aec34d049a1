"""The README says what the code does."""

import ast
import inspect
import re
import shutil
from pathlib import Path

import pytest

import crmlab
from crmlab.accounts import credentials
from crmlab.providers import registry

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


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
