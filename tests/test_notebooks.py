"""The notebooks ask questions, run from top to bottom, and are stored without what they showed."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nbformat
import plotly.graph_objects as go
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from crmlab.notebook.offline_html import OfflineHTMLExporter
from crmlab.providers import registry
from tests.notebook.test_offline_html import OUTSIDE

NOTEBOOKS = {
    path.stem: path for path in sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
}
#: the one line that is changed to see one's own data, and the name it gives
SANDBOX = "accounts = await crmlab.sandbox(rows=1000, seed=1)"
SWITCH = f"{SANDBOX}  # your own: accounts = crmlab.login()"
#: how lines end that ask the sandbox of before: what does so with one's own
PAST = ("  # your own: crmlab.open", "  # your own: accounts")
PLOTLY = "application/vnd.plotly.v1+json"


@pytest.fixture(params=NOTEBOOKS.values(), ids=NOTEBOOKS)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_seven():
    assert list(NOTEBOOKS) == [
        "01_first_look", "02_pipeline", "03_activity", "04_consent", "05_people", "06_writing_back",
        "07_refresh_and_history",
    ]  # fmt: skip


def test_a_notebook_is_stored_without_outputs(notebook):
    assert [cell.id for cell in code_of(notebook) if cell.outputs or cell.execution_count] == []
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert {str(cell.metadata) for cell in notebook.cells} == {"{}"}


def test_one_line_switches_to_real_accounts_and_its_cell_shows_them(notebook):
    first, *others = code_of(notebook)

    assert first.source.endswith(f"\n{SWITCH}\naccounts")
    assert not [cell.id for cell in others if "login" in cell.source]
    # the past of the sandbox, beside which stands where one's own comes from
    lines = [line for cell in others for line in cell.source.splitlines() if "sandbox" in line]
    assert [line for line in lines if not line.endswith(PAST)] == []


def test_a_notebook_is_short_and_told_as_questions(notebook):
    title, *texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]

    assert 8 <= len(code_of(notebook)) <= 14
    assert title.startswith("# ")
    assert [text for text in texts if not re.match(r"## [A-Z][^\n]+\?\n\n\S", text)] == []
    assert [text for text in texts if len(text) > 800] == []


@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:zmq", "ignore::DeprecationWarning:jupyter_client"
)
async def test_a_notebook_runs_and_shows_something_in_every_cell(notebook, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # what it exports goes here

    done = await NotebookClient(
        notebook, timeout=120, kernel_name="python3", store_widget_state=False
    ).async_execute()

    assert [cell.id for cell in code_of(done) if not cell.outputs] == []
    outputs = [output for cell in code_of(done) for output in cell.outputs]
    assert "stderr" not in {output.get("name") for output in outputs}
    figures = [output.data[PLOTLY] for output in outputs if PLOTLY in output.get("data", {})]
    assert len(figures) > 3
    assert [
        figure for figure in figures if not (figure["data"] and figure["layout"]["title"]["text"])
    ] == []
    assert len(nbformat.writes(done)) < 6_000_000
    shows_its_figures_as_html(done, figures, HTMLExporter())
    page = shows_its_figures_as_html(done, figures, OfflineHTMLExporter())
    assert OUTSIDE.findall(page) == []


def shows_its_figures_as_html(notebook, figures, exporter):
    """Look into what the menu and nbconvert make of it."""
    page, _ = exporter.from_notebook_node(notebook)

    assert page.count('class="plotly-graph-div"') == len(figures)
    drawn = [json.loads(each) for each in re.findall(r"  const figure = (.*);\n", page)]
    titles = [figure["layout"]["title"]["text"] for figure in drawn]
    assert titles == [figure["layout"]["title"]["text"] for figure in figures]
    assert [figure for figure in drawn if not figure["data"]] == []
    assert page.count("* plotly.js v") == 1
    return page


async def shown(notebook: Any, services: list[str]) -> AsyncIterator[Any]:
    """What the last line of each cell shows where there are only these services."""
    names: dict[str, Any] = {}
    for cell in code_of(notebook):
        source = cell.source.replace(SANDBOX, f"{SANDBOX[:-1]}, services={services})").replace(
            "rows=1000", "rows=200"
        )
        tree = ast.parse(source)
        last = ast.Expression(tree.body.pop().value)
        for part, kind in ((tree, "exec"), (last, "eval")):
            value = eval(compile(part, cell.id, kind, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
            value = await value if inspect.isawaitable(value) else value
        yield value
    await names["accounts"].close()


@pytest.mark.parametrize("service", registry())
async def test_a_notebook_runs_with_any_one_service(notebook, service, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    values = [value async for value in shown(notebook, [service])]

    figures = [value for value in values if isinstance(value, go.Figure)]
    assert [figure for figure in figures if not figure.layout.title.text] == []
    assert [figure for figure in figures if not (figure.data or figure.layout.annotations)] == []


async def test_the_pipeline_needs_onepagecrm_alone():
    notebook = nbformat.read(NOTEBOOKS["02_pipeline"], as_version=4)

    values = [value async for value in shown(notebook, ["onepagecrm"])]

    assert [
        value.layout.title.text
        for value in values
        if isinstance(value, go.Figure) and not value.data
    ] == []
