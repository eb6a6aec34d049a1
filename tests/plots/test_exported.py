"""Figures are in the HTML of an exported notebook; plotly.js stands in one cell, and in its later runs again."""

from __future__ import annotations

import json
import re
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio
import pytest

from crmlab.plots import _exported

EVIL = "</script><script>alert(1)</script>"


@pytest.fixture
def chosen() -> Any:
    """What Plotly chooses where JupyterLab runs the kernel."""
    before = pio.renderers.default
    pio.renderers.default = "plotly_mimetype"
    yield
    pio.renderers.default = before


def run(number: int, cell: str | None = None) -> dict[str, Any]:
    """What a kernel is asked to run; a front end names the cell."""
    return {
        "msg_type": "execute_request",
        "msg_id": f"run {number}",
        "metadata": {"cellId": cell} if cell else {},
    }


@pytest.mark.parametrize(
    ("runs", "with_plotly_js"),
    [
        ([run(1), run(2), run(3)], [True, False, False]),  # as nbclient runs a notebook
        ([run(1, "a"), run(1, "a"), run(2, "b")], [True, False, False]),  # two figures of one cell
        (
            [run(1, "a"), run(2, "b"), run(3, "a"), run(4, "b")],
            [True, False, True, False],
        ),  # the first cell again
    ],
)
def test_plotly_js_stands_in_one_cell(
    runs: list[dict[str, Any]], with_plotly_js: list[bool]
) -> None:
    seen = _exported._PlotlyJs()

    assert [seen.is_first_of(request) for request in runs] == with_plotly_js


def test_a_figure_has_html_beside_it_where_jupyterlab_or_notebook_shows_it(
    chosen: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_exported, "_request", lambda: run(1))

    _exported.stay_visible_in_exports()
    in_a_widget = go.Figure()._repr_mimebundle_(html_beside=False)
    first, second = (go.Figure(go.Bar(y=[1]))._repr_mimebundle_() for _ in range(2))
    monkeypatch.setattr(_exported, "_request", lambda: {"msg_type": "comm_msg"})
    by_a_widget = go.Figure()._repr_mimebundle_()

    assert set(first) == set(second) == {"application/vnd.plotly.v1+json", "text/html"}
    assert first["text/html"].count("plotly.js v") == 1
    assert "plotly.js v" not in second["text/html"]
    assert set(in_a_widget) == set(by_a_widget) == {"application/vnd.plotly.v1+json"}


def test_what_somebody_chose_stays(chosen: None) -> None:
    pio.renderers.default = "vscode"

    _exported.stay_visible_in_exports()

    assert pio.renderers.default == "vscode"


def test_text_of_the_data_ends_no_script() -> None:
    figure = go.Figure(go.Bar(x=[EVIL], y=[1.5]), layout={"height": 300, "title": {"text": EVIL}})

    text = _exported.figure_html(figure.to_dict())

    assert text.count("<script") == text.count("</script>") == 1
    drawn = re.search(r"const figure = (.*);\n", text)
    assert drawn
    assert json.loads(drawn[1])["data"][0]["x"] == [EVIL]
    assert 'style="height:300px;' in text
