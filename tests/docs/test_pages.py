"""What the documentation shows is run, and what it says of the code is true."""

from __future__ import annotations

import ast
import inspect
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import crmlab
from crmlab.errors import CrmlabError
from crmlab.providers import registry
from crmlab.schema.tables import KEY, TABLES
from docs.pages import FOLDERS, declared, providers, questions, reference, tables, write

DOCS = Path(__file__).parents[2] / "docs"
WRITTEN = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
PAGES = WRITTEN | questions.pages()
#: a block of Python, and what a comment before it says against running it
BLOCK = re.compile(
    r"(?:<!-- not run: (.*?) -->\n)?```(?:\{code-cell\} )?python\n(.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Return each block of Python and the reason not to run it, blank where there is none."""
    for reason, code in BLOCK.findall(text):
        yield re.sub(r"^:.*\n", "", code, flags=re.MULTILINE), reason


async def run(code: str, names: dict[str, Any]) -> None:
    """Run code with `await` at its top, as a notebook does."""
    compiled = compile(code, "page", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    found = eval(compiled, names)
    if inspect.iscoroutine(found):
        await found


# that of errors.md is run below, with a look at what it prints
@pytest.mark.parametrize(
    "page", [name for name, text in PAGES.items() if BLOCK.search(text) and name != "errors.md"]
)
async def test_the_code_of_a_page_runs_from_top_to_bottom(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(DOCS.parent / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for code, reason in blocks(PAGES[page]):
        if reason:
            compile(code, page, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        else:
            await run(code, names)


def test_code_that_is_not_run_is_rare_and_says_why() -> None:
    reasons = [reason for text in PAGES.values() for _, reason in blocks(text) if reason]

    assert sorted(reasons) == [
        "it asks a service on the internet, with a key",
        "needs Kubernetes",
        "needs a bucket and a scheduler",
        "needs machines to log into",
    ]


async def test_the_example_of_every_error_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    parts = re.split(r"^## (\w+Error|Stopped)$", WRITTEN["errors.md"], flags=re.MULTILINE)
    for code, _ in blocks(parts[0]):
        await run(code, names)

    described = dict(zip(parts[1::2], parts[2::2], strict=True))
    known = {
        name
        for name, kind in vars(crmlab.errors).items()
        if isinstance(kind, type) and issubclass(kind, CrmlabError)
    }
    known.remove("CrmlabError")
    assert described.keys() == known
    for name, text in described.items():
        for code, _ in blocks(text):
            await run(code, names)
        lines = capsys.readouterr().out.splitlines()
        assert lines
        assert {line.partition(":")[0] for line in lines} == {name}
        assert not [
            line for line in lines if "not-shown" in line or "wrong" in line.partition(":")[2]
        ]


def test_every_table_and_column_has_its_line() -> None:
    for name, text in tables.pages().items():
        table = TABLES.get(Path(name).stem)
        for column in table.columns if table else ():
            assert f"| `{column}` |" in text, (name, column)


@pytest.fixture(scope="module")
def filled() -> set[tuple[str, str, str]]:
    return {
        (provider.name, table, column)
        for provider in registry().values()
        for table, column, _ in declared.fillings(provider)
    }


async def test_what_the_sandbox_fills_is_what_the_reference_says(
    filled: set[tuple[str, str, str]],
) -> None:
    async with crmlab.sandbox(rows=100) as accounts:
        data = await crmlab.fetch(accounts, limits=crmlab.Limits(concurrency=10))

    seen = {
        (str(provider), table, column)
        for table, frame in data.items()
        for (provider,), rows in frame.group_by("provider")
        for column in frame.columns
        if column not in KEY[:2] and rows[column].null_count() < rows.height
    }
    assert seen <= filled


@pytest.mark.parametrize(
    ("provider", "table", "column", "said"),
    [
        ("onepagecrm", "contacts", "emails", (("emails[].value",), None, ())),
        ("onepagecrm", "deals", "stage_label", (("pipeline_id", "stage"), None, ("pipelines",))),
        ("onepagecrm", "deals", "currency", ((), None, ("bootstrap",))),
        ("onepagecrm", "deal_items", "quantity", (("deal_items[].qty",), None, ())),
        ("relenta", "activities", "kind", ((), "event", ())),
        ("relenta", "contacts", "custom", ((), None, ("custom_fields",))),
        ("complero", "contacts", "first_name", (("contact.first_name",), None, ())),
        ("complero", "operations", "items_count", (("items",), None, ())),
        ("altcraft", "subscriptions", "resource_id", (("resource_id", "_resource_id"), None, ())),
        ("commanders_act", "consent_statistics", "optin", (("attributes.nb_optin",), None, ())),
        ("commanders_act", "consent_statistics_items", "item_id", (("attributes.*",), None, ())),
    ],
)
def test_the_fields_are_found_in_the_expressions(
    provider: str, table: str, column: str, said: object
) -> None:
    found = [
        (each.fields, each.constant, each.with_)
        for name, of, each in declared.fillings(registry()[provider])
        if (name, of) == (table, column)
    ]

    assert set(found) == {said}


@pytest.mark.parametrize("name", registry())
def test_the_page_of_a_service_says_all_of_its_declaration(name: str) -> None:
    provider, text = registry()[name], providers.pages()[f"providers/{name}.md"]

    assert provider.home in text
    assert all(field.help in text for field in provider.fields)
    assert all(f"### {resource.name}\n\n{resource.doc}" in text for resource in provider.resources)
    assert all(
        f"`{operation.method} {operation.path}`" in text for operation in provider.operations()
    )
    assert all(f"- {assumption}\n" in text for assumption in provider.assumptions)


def test_the_period_is_asked_of_the_service_where_it_can_be() -> None:
    crm = registry()["onepagecrm"]
    asked = {each.name for each in crm.resources if declared.asks_for_period(crm, each)}

    streams = {"action_stream", "team_stream", "filtered_contacts"}
    kept_by_time = {
        "contacts",
        "deals",
        "actions",
        "notes",
        "calls",
        "meetings",
        "relationship_types",
        "relationships",
    }
    assert asked == kept_by_time | streams


def test_the_functions_of_the_analyses_are_all_there() -> None:
    listed = [name for names in reference.questions().values() for name in names]

    assert sorted(listed) == crmlab.analysis.__all__
    assert all(name in reference.pages()["reference/analysis/index.md"] for name in listed)


def test_pages_of_before_are_removed(tmp_path: Path) -> None:
    old = tmp_path / "tables" / "of_before.md"
    old.parent.mkdir()
    old.write_text("")

    write(tmp_path)

    assert not old.exists()
    assert {path.name for path in tmp_path.iterdir()} == set(FOLDERS)


def test_each_list_says_what_a_refresh_asks_and_asks_so() -> None:
    index = providers.pages()["providers/index.md"]

    assert (
        "| OnePageCRM | `contacts`, `deals`, `actions`, `notes`, `calls`, `meetings` | what changed, from "
        in index
    )
    assert "| Relenta | `custom_fields`, `contacts`, `activities` | all of it, each time |" in index
    for provider in registry().values():
        for resource in provider.resources:
            if resource.tables and not resource.destructive:
                assert declared.asks_for_period(provider, resource) is resource.filters_by_change, (
                    resource.name
                )
