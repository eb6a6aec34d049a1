"""How the documentation is built: ``make docs``. Nothing in it is loaded from elsewhere when it is read."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import plotly
from docutils import nodes
from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import crmlab  # noqa: E402  # found beside this folder
from docs import pages  # noqa: E402

project = "crmlab"
author = "the crmlab authors"
copyright = "2026, the crmlab authors"
version = release = crmlab.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["examples", "figures", "kernel", "pages"]
nitpick_ignore_regex = [("py:.*", ".*")]

# ---- pages --------------------------------------------------------------------------------------
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

# ---- docstrings ---------------------------------------------------------------------------------
default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 88
python_display_short_literal_types = True

# ---- notebooks and the cells of pages -----------------------------------------------------------
nb_execution_mode = "force"
nb_execution_timeout = 180
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_in_temp = True
nb_merge_streams = True
nb_ipywidgets_js: dict[str, Any] = {}  # widgets would be drawn by scripts from elsewhere
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]

# ---- looks --------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = "crmlab"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["_static", str(Path(plotly.__file__).parent / "package_data" / "plotly.min.js")]
html_css_files = ["crmlab.css"]
html_context = {"default_mode": "auto"}
html_sidebars: dict[str, list[str]] = {"*": []}  # pages that have none below them
html_theme_options = {
    "logo": {"text": "crmlab"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def _figures_without_script(app: Sphinx) -> None:
    """Let the kernels that run the cells draw figures whose script the page loads; see `_with_script`."""
    folder = Path(tempfile.mkdtemp(prefix="crmlab-docs-"))
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "figures.py").write_text(
        (HERE / "kernel" / "figures.py").read_text(encoding="utf-8")
    )
    # cells run in a folder of their own, and read the sample where readers find it
    sample = HERE.parent / "data"
    (startup / "sample.py").write_text(
        f"import shutil\nshutil.copytree({str(sample)!r}, 'data', dirs_exist_ok=True)\n"
    )
    # that its messages are not encrypted on the way through this machine
    (startup.parent / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 'ERROR'\n")
    os.environ["IPYTHONDIR"] = str(folder)
    # no account of whoever builds shows in a page
    for name in [name for name in os.environ if name.startswith("CRMLAB_")]:
        del os.environ[name]


def _with_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    """Load plotly.js in pages with figures only: it is as large as all the others."""
    if tree and any("plotly-graph-div" in raw.astext() for raw in tree.findall(nodes.raw)):
        app.add_js_file("plotly.min.js")
        # drawn while the page is still laid out, so a figure must look again how wide it may be
        app.add_js_file(
            None, body='addEventListener("load", () => dispatchEvent(new Event("resize")))'
        )


def _no_type(app: Sphinx, what: str, *of: Any) -> None:
    """Keep napoleon from reading what stands before a colon as the type of a property or an attribute."""
    *_, lines = of
    if what in ("attribute", "data", "property") and lines:
        lines[0] = lines[0].replace(": ", " – ", 1)  # noqa: RUF001  # the dash is meant


def setup(app: Sphinx) -> None:
    """Write the pages that come out of the code, then build."""
    pages.write(HERE)
    app.connect("autodoc-process-docstring", _no_type, priority=400)
    app.connect("builder-inited", _figures_without_script)
    app.connect("html-page-context", _with_script)
