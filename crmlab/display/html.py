"""HTML from Jinja2 templates, which escape all that the data put into them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


#: classes of what JupyterLab must not typeset: two dollar signs in a note are no formula
NO_FORMULA = "tex2jax_ignore mathjax_ignore"


def render(template: Path, **values: object) -> Markup:
    """Return a template filled with these values.

    Text is escaped, whatever it holds; only what is `Markup` already, such as a table that was rendered before,
    is put in as it is.
    """
    from markupsafe import Markup  # noqa: PLC0415  # a fetch that nobody looks at needs no templates

    filled = _environment(template.parent).get_template(template.name).render(values)
    return Markup(filled)  # noqa: S704  # escaped by the environment


@cache
def _environment(folder: Path) -> Environment:
    import jinja2  # noqa: PLC0415  # as above

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["NO_FORMULA"] = NO_FORMULA
    return environment
