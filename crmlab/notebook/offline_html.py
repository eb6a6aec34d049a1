"""Notebooks as one HTML file that asks nobody for anything: ``jupyter nbconvert --to HTML_offline``, and the menu.

nbconvert's own page loads RequireJS, MathJax, Mermaid and the code of widgets from elsewhere. It is loaded by
nbconvert, which is there wherever Jupyter is: it finds this module by an entry point of the package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from traitlets import default
from traitlets.config import Config

from crmlab.plots import figure_html, plotly_js

_TEMPLATE = Path(__file__).parent / "templates" / "offline.html.j2"
_PLOTLY = "application/vnd.plotly.v1+json"
_HTML = "text/html"
_WIDGET = "application/vnd.jupyter.widget-view+json"
_WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
#: how the state of a widget names another one
_REFERENCE = "IPY_MODEL_"
#: of several forms of an output, the first that is there
_PREFERRED = [
    "text/html",
    "application/javascript",
    "text/markdown",
    "image/svg+xml",
    "text/latex",
    "image/png",
    "image/jpeg",
    "text/plain",
]
#: the page is whole in itself: scripts and styles that stand in it, images and fonts as data
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; media-src data: blob:; font-src data:; worker-src blob:"
)


class OfflineHTMLExporter(HTMLExporter):  # type: ignore[misc]  # nbconvert is not there for mypy
    """Writes a notebook as HTML that a browser shows without a request: nbconvert takes only what derives from its own.

    Figures are drawn from what Plotly left in the notebook, whatever renderer was chosen, and plotly.js stands in
    the page once. Of widgets, which need a kernel, it shows the outputs that they held when the notebook was saved
    with their state, and else their text. Local images are embedded; others are not loaded, nor is anything else,
    for the page's Content-Security-Policy forbids it. Formulas and Mermaid diagrams stay as they are written.
    """

    export_from_notebook = "HTML without outside requests"

    @default("raw_template")
    def _whole_in_itself(self) -> str:
        return _TEMPLATE.read_text(encoding="utf-8")

    @default("embed_images")
    def _local_images_stay(self) -> bool:
        return True

    @property
    def default_config(self) -> Config:
        """What nbconvert does if it is not told otherwise: it prefers what can be shown without a kernel."""
        config: Config = super().default_config
        config.NbConvertBase.display_data_priority = _PREFERRED
        return config

    def from_notebook_node(
        self,
        nb: Any,
        resources: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> tuple[str, dict[str, Any]]:
        """Return the page and what nbconvert notes of it."""
        # whoever calls keeps the notebook, and may save it
        notebook = deepcopy(nb)
        widgets = _without_widgets(notebook)
        figures = 0
        for cell in notebook.cells:
            if cell.cell_type == "code":
                outputs: list[Any] = []
                for output in cell.outputs:
                    outputs += _shown(output, widgets)
                cell.outputs = outputs
                figures += _draw_figures(outputs)

        page_resources = dict(resources or {})
        page_resources["content_security_policy"] = _POLICY
        page_resources["plotly_js"] = ""
        # some megabytes, which a page without a figure does not need
        if figures:
            page_resources["plotly_js"] = plotly_js()
        page: tuple[str, dict[str, Any]] = super().from_notebook_node(
            notebook, page_resources, **more
        )
        return page


def _without_widgets(notebook: Any) -> Mapping[str, Any]:
    """Take the state of widgets, by id, out of a notebook: nothing in the page can read it."""
    metadata = notebook.metadata.pop("widgets", None) or {}
    saved_state = metadata.get(_WIDGET_STATE, {})
    widgets: Mapping[str, Any] = saved_state.get("state", {})
    return widgets


def _shown(output: Any, widgets: Mapping[str, Any]) -> list[Any]:
    """Return in place of a widget the outputs that it holds; the output itself where it holds none."""
    widget_view = output.get("data", {}).get(_WIDGET)
    if widget_view is None:
        return [output]
    return _held(widget_view["model_id"], widgets, seen=set()) or [output]


def _held(
    model: str,
    widgets: Mapping[str, Any],
    *,
    seen: set[str],
) -> list[Any]:
    """Return the outputs in a widget and in those that it holds, from top to bottom."""
    if model in seen or model not in widgets:
        return []
    seen.add(model)
    widget_state = widgets[model].get("state", {})
    outputs = [*widget_state.get("outputs", ())]
    for reference in widget_state.get("children", ()):
        outputs += _held(reference.removeprefix(_REFERENCE), widgets, seen=seen)
    return outputs


def _draw_figures(outputs: Iterable[Any]) -> int:
    """Let the figures among some outputs have HTML; return how many they are."""
    figures = 0
    for output in outputs:
        bundle = output.get("data", {})
        figure = bundle.get(_PLOTLY)
        if isinstance(figure, Mapping) and isinstance(figure.get("data"), list):
            # in the place of what Plotly left there, which may hold plotly.js once more
            bundle[_HTML] = figure_html(dict(figure))
            figures += 1
    return figures
