"""A notebook as one HTML file: its figures are drawn, plotly.js is there once, and nothing is loaded from elsewhere."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import plotly.graph_objects as go
import pytest
from nbconvert.exporters.base import get_exporter

from crmlab.notebook.offline_html import OfflineHTMLExporter
from crmlab.plots import figure_html, plotly_js

ROOT = Path(__file__).parents[2]
PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
#: what a browser would load from another host
OUTSIDE = re.compile(
    r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=[\"'](?:https?:)?//|\bimport\([\"']https?://"
)


def shown(data: dict[str, Any]) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": {}}


def figure(title: str) -> dict[str, Any]:
    """What a notebook holds of a figure."""
    found: dict[str, Any] = json.loads(
        go.Figure(go.Bar(y=[1]), layout={"title": {"text": title}}).to_json()
    )
    return found


def widget(model: str, **more: Any) -> dict[str, Any]:
    view = {"model_id": model, "version_major": 2, "version_minor": 0}
    return shown({WIDGET: view, **more})


def notebook(
    *outputs: dict[str, Any], text: str = "# Title", widgets: dict[str, Any] | None = None
) -> Any:
    """A notebook with a cell of text and one of code for each output."""
    made = nbformat.v4.new_notebook()
    made.cells.append(nbformat.v4.new_markdown_cell(text))
    for output in outputs:
        made.cells.append(nbformat.v4.new_code_cell("code", outputs=[nbformat.from_dict(output)]))
    if widgets is not None:
        state = {"state": widgets, "version_major": 2, "version_minor": 0}
        made.metadata.widgets = {"application/vnd.jupyter.widget-state+json": state}
    return nbformat.from_dict(made)


def page_of(made: Any) -> str:
    page: str = OfflineHTMLExporter().from_notebook_node(made)[0]
    return page


def drawn(page: str) -> list[str]:
    """The titles of the figures that a page draws."""
    figures = [json.loads(each) for each in re.findall(r"  const figure = (.*);\n", page)]
    return [each["layout"]["title"]["text"] for each in figures]


def test_the_package_offers_it_to_nbconvert_and_its_menu() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    offered = project["entry-points"]["nbconvert.exporters"]["HTML_offline"]

    assert get_exporter(offered.replace(":", ".")) is OfflineHTMLExporter
    assert OfflineHTMLExporter().enabled


def test_figures_of_any_renderer_are_drawn_with_one_plotly_js() -> None:
    plain = figure("none beside it")
    with_script = figure("plotly.js beside it")
    beside = f"<script>{plotly_js()}</script>{figure_html(with_script)}"
    made = notebook(shown({PLOTLY: plain}), shown({PLOTLY: with_script, "text/html": beside}))

    page = page_of(made)

    assert drawn(page) == ["none beside it", "plotly.js beside it"]
    assert page.count("* plotly.js v") == 1
    assert OUTSIDE.findall(page) == []
    assert (
        made.cells[2].outputs[0].data["text/html"] == beside
    )  # the notebook itself stays as it is


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"data": None, "layout": None},
        {"data": [], "layout": None},
        {"data": [], "layout": {"height": '"><img src="//x">'}},
        "text",
        5,
    ],
)
def test_a_figure_of_another_shape_costs_no_other_output(odd: Any) -> None:
    page = page_of(
        notebook(shown({PLOTLY: odd, "text/plain": "its text"}), shown({PLOTLY: figure("fine")}))
    )

    assert "fine" in page
    assert OUTSIDE.findall(page) == []


def test_a_page_without_figures_has_no_plotly_js() -> None:
    page = page_of(notebook(shown({"text/plain": "some words"})))

    assert "plotly" not in page
    assert "some words" in page


def test_the_outputs_that_a_saved_widget_holds_are_shown_without_its_code() -> None:
    outputs = [shown({PLOTLY: figure("in the panel")}), shown({"text/html": "<b>its numbers</b>"})]
    widgets = {
        # a panel that a broken state puts into itself
        "panel": {
            "model_name": "VBoxModel",
            "state": {"children": ["IPY_MODEL_label", "IPY_MODEL_tab"]},
        },
        "tab": {
            "model_name": "TabModel",
            "state": {"children": ["IPY_MODEL_output", "IPY_MODEL_panel"]},
        },
        "label": {"model_name": "LabelModel", "state": {"value": "kept-from-all"}},
        "output": {"model_name": "OutputModel", "state": {"outputs": outputs}},
    }

    page = page_of(
        notebook(widget("panel"), widget("label", **{"text/plain": "a label"}), widgets=widgets)
    )

    assert drawn(page) == ["in the panel"]
    assert "its numbers" in page
    assert "a label" in page
    assert "kept-from-all" not in page
    assert OUTSIDE.findall(page) == []


@pytest.mark.parametrize("widgets", [None, {}, {"panel": {"model_name": "VBoxModel"}}])
def test_a_widget_whose_state_was_not_saved_is_its_text(widgets: dict[str, Any] | None) -> None:
    page = page_of(notebook(widget("panel", **{"text/plain": "the text of it"}), widgets=widgets))

    assert "the text of it" in page
    assert OUTSIDE.findall(page) == []


def test_local_images_are_in_the_page_and_a_policy_refuses_all_others(tmp_path: Path) -> None:
    (tmp_path / "local.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    made = notebook(text="![local](local.svg) ![other](https://example.com/other.png) $x^2$")

    page, _ = OfflineHTMLExporter().from_notebook_node(
        made, {"metadata": {"name": "x", "path": str(tmp_path)}}
    )

    assert 'src="data:image/svg' in page
    [policy] = re.findall(r'<meta content="([^"]*)" http-equiv="Content-Security-Policy"', page)
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy
    assert "$x^2$" in page
