"""Figures that stay visible when a notebook is exported to HTML.

JupyterLab and Notebook draw a figure from Plotly's own mime type, which exports to HTML leave out. So each figure that
a cell shows has HTML beside it, which notebooks do not show and exports do. plotly.js stands in one cell only, the
first that shows a figure, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

import secrets
from typing import Any

import plotly.io as pio
from plotly.io.base_renderers import MimetypeRenderer
from plotly.offline import get_plotlyjs

#: the name of the renderer, and what Plotly chooses by itself where JupyterLab or Notebook runs the kernel
NAME = "crmlab"
_CHOSEN_BY_PLOTLY = "plotly_mimetype"
_CONFIG = '{"responsive": true, "displaylogo": false}'
_DEFAULT_HEIGHT = 450
#: what could end a script, or begin one
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
#: a cell that was run again can stand above the one with plotly.js, so that a figure waits for the whole page
_HTML = """\
<div id="{id}" class="plotly-graph-div" style="height:{height}px; width:100%;"></div>
<script type="text/javascript">
(() => {{
  const figure = {figure};
  const draw = () => Plotly.newPlot("{id}", figure.data, figure.layout, {config});
  if (window.Plotly) draw(); else addEventListener("load", draw);
}})();
</script>
"""


def stay_visible_in_exports() -> None:
    """Let figures have HTML beside them, where Plotly chose its renderer for JupyterLab or Notebook by itself.

    What the user or the front end chose (``PLOTLY_RENDERER``, Colab, VS Code) stays as it is.
    """
    if pio.renderers.default == _CHOSEN_BY_PLOTLY:
        pio.renderers[NAME] = _HtmlBeside()
        pio.renderers.default = f"{_CHOSEN_BY_PLOTLY}+{NAME}"


class _HtmlBeside(MimetypeRenderer):  # type: ignore[misc]  # Plotly has no types
    """Plotly takes no renderer that is not derived from one of its own."""

    def __init__(self) -> None:
        # Plotly copies a renderer before each use: what is remembered must be shared
        self._seen = _PlotlyJs()
        #: Plotly sets it on the copy, as in ``figure._repr_mimebundle_(html_beside=False)``
        self.html_beside = True

    def to_mimebundle(self, fig_dict: dict[str, Any]) -> dict[str, str]:
        """Return the HTML of a figure, with plotly.js where the page has none yet."""
        request = _request()
        if not self.html_beside or request.get("msg_type") != "execute_request":
            return {}  # shown by a widget: that is no cell's output, and no export has it

        html = figure_html(fig_dict)
        if self._seen.is_first_of(request):
            html = f"<script>{plotly_js()}</script>\n{html}"
        return {"text/html": html}


class _PlotlyJs:
    """Remembers which cell of a notebook holds plotly.js.

    Where that cell is run again its outputs are made anew, and plotly.js with them.
    """

    def __init__(self) -> None:
        self._cell = ""
        self._run = ""

    def is_first_of(self, request: dict[str, Any]) -> bool:
        """Return whether plotly.js must stand beside the figure that this run of a cell shows."""
        this_run = request.get("msg_id", "")
        # nbclient and consoles name no cell: they run each once
        this_cell = request.get("metadata", {}).get("cellId") or this_run
        is_another_cell = bool(self._cell) and this_cell != self._cell
        if is_another_cell or this_run == self._run:
            return False
        self._cell = this_cell
        self._run = this_run
        return True


def plotly_js() -> str:
    """Return the code that draws figures."""
    code: str = get_plotlyjs()
    return code


def figure_html(fig_dict: dict[str, Any]) -> str:
    """Return a figure as HTML that needs nothing but plotly.js, which it waits for."""
    figure_json = pio.to_json(fig_dict, validate=False, pretty=False)
    for character, escaped in _ESCAPED.items():
        figure_json = figure_json.replace(character, escaped)
    height = (fig_dict.get("layout") or {}).get("height")
    if not isinstance(height, int | float):
        height = _DEFAULT_HEIGHT
    return _HTML.format(
        id=f"figure-{secrets.token_hex(8)}", height=height, figure=figure_json, config=_CONFIG
    )


def _request() -> dict[str, Any]:
    """Return what the kernel was asked that runs this; empty where there is no kernel."""
    from IPython import get_ipython  # noqa: PLC0415  # there is no kernel without it

    shell = get_ipython()
    request: dict[str, Any] = getattr(shell, "parent_header", None) or {}
    return request
