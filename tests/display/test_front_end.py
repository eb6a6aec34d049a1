"""Other front ends, as far as they can be had without one: no widgets, VS Code's and Colab's variables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace

import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter
from nbclient import NotebookClient

import crmlab
from crmlab.notebook import LoginForm, login

SECRET = "sk-7f3a91-do-not-show"
#: in an IPython shell: what plotly chose before crmlab came, after it has drawn, and what a figure becomes
DRAW = """
import json
import plotly.io as pio
import polars as pl
before = pio.renderers.default, pio.templates.default
from crmlab import plots
from crmlab.schema.tables import TABLES, conform
figure = plots.closed_by_month(conform(pl.DataFrame(), TABLES["deals"]))
shown = figure._repr_mimebundle_()
print(json.dumps([before, (pio.renderers.default, pio.templates.default), sorted(shown)]))
"""
FRONT_ENDS = ("COLAB_NOTEBOOK_ID", "VSCODE_PID", "PLOTLY_RENDERER")


def in_ipython(*arguments: str, home: Path, typed: str = "", **variables: str) -> str:
    plain = {name: value for name, value in os.environ.items() if name not in FRONT_ENDS}
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--simple-prompt", *arguments],
        env={**plain, "IPYTHONDIR": str(home), **variables},
        input=typed,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("variables", "renderer", "kinds"),
    [
        ({"VSCODE_PID": "1"}, "vscode", ["application/vnd.plotly.v1+json"]),
        (
            {"VSCODE_PID": "1", "PLOTLY_RENDERER": "notebook_connected"},
            "notebook_connected",
            ["text/html"],
        ),
    ],
    ids=["VS Code", "own choice"],
)
def test_a_figure_is_shown_as_plotly_or_the_user_chose(
    variables: Mapping[str, str], renderer: str, kinds: list[str], tmp_path: Path
) -> None:
    before, after, shown = json.loads(
        in_ipython("-c", DRAW, home=tmp_path, **variables).splitlines()[-1]
    )

    assert before == after == [renderer, "plotly"]
    assert shown == kinds


def test_in_colab_a_figure_is_shown_as_plotly_does_there(tmp_path: Path) -> None:
    # Plotly looks for the variable; its older versions looked for the module
    google = tmp_path / "modules" / "google"
    google.mkdir(parents=True)
    (google / "colab.py").touch()
    colab = {"COLAB_NOTEBOOK_ID": "1", "PYTHONPATH": str(google.parent)}

    before, after, shown = json.loads(
        in_ipython("-c", DRAW, home=tmp_path, **colab).splitlines()[-1]
    )

    assert before == after == ["colab", "plotly"]
    assert shown == ["text/html"]


def test_a_terminal_shows_in_words_how_to_give_keys(tmp_path: Path) -> None:
    shown = in_ipython(home=tmp_path, typed='import crmlab\ncrmlab.login("complero")\n')

    assert "<LoginForm complero: 0 connected>" in shown
    assert "CRMLAB_COMPLERO_API_KEY" in shown


async def test_whatever_a_cell_ends_with_has_a_text_beside_what_a_browser_shows() -> None:
    async with crmlab.sandbox(rows=5, services=["complero"]) as accounts:
        plan = await crmlab.plan(accounts)
        data = await crmlab.fetch(plan)
    formatted = {
        type(shown).__name__: DisplayFormatter().format(shown)[0] for shown in (login(), plan, data)
    }

    assert {name: sorted(bundle) for name, bundle in formatted.items()} == {
        "LoginForm": ["application/vnd.jupyter.widget-view+json", "text/plain"],
        "Plan": ["text/html", "text/plain"],
        "Fetched": ["text/html", "text/plain"],
    }


@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:zmq", "ignore::DeprecationWarning:jupyter_client"
)
async def test_a_notebook_that_nobody_watches_takes_the_keys_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CRMLAB_COMPLERO_API_KEY", SECRET)
    cell = nbformat.v4.new_code_cell(
        'import crmlab\nform = crmlab.login("complero")\nprint(len(form))\nform'
    )

    done = await NotebookClient(
        nbformat.v4.new_notebook(cells=[cell]), timeout=60, kernel_name="python3"
    ).async_execute()

    printed, shown = done.cells[0].outputs
    assert printed.text == "1\n"
    assert "CRMLAB_COMPLERO_API_KEY" in shown.data["text/plain"]
    assert SECRET not in nbformat.writes(done)


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The part of google.colab that shows widgets; returns what was asked of it."""
    asked: list[str] = []
    output = ModuleType("google.colab.output")
    output.enable_custom_widget_manager = lambda: asked.append("enable_custom_widget_manager")
    output._widgets = SimpleNamespace(_installed_url="https://example.com/manager.js")
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    return asked


def test_in_colab_the_form_turns_on_what_shows_it(colab: list[str]) -> None:
    shown = LoginForm([])._repr_mimebundle_()

    assert colab == ["enable_custom_widget_manager"]
    assert shown is not None
    assert "https://example.com/manager.js" in json.dumps(shown[1])
