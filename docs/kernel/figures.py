"""Run by the kernels of the documentation when they start: a figure is shown without plotly.js."""

import plotly.io
from plotly.io.base_renderers import HtmlRenderer


class _Figure(HtmlRenderer):
    """A figure for a page that has loaded plotly.js already."""

    def __init__(self) -> None:
        super().__init__(full_html=False)

    def to_mimebundle(self, fig_dict: dict) -> dict[str, str]:
        drawn = plotly.io.to_html(
            fig_dict,
            config={"responsive": True, "displayModeBar": False},
            include_plotlyjs=False,
            full_html=False,
            default_height=f"{fig_dict.get('layout', {}).get('height', 400)}px",
            validate=False,
        )
        return {"text/html": drawn}


plotly.io.renderers["page"] = _Figure()
plotly.io.renderers.default = "page"
