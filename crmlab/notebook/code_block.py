"""A block of code with a button that copies it."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets


class CodeBlock(anywidget.AnyWidget):
    """Code to read, and to take along: the button copies it, or selects it where the browser forbids copying."""

    _esm = Path(__file__).with_suffix(".js")
    _css = Path(__file__).with_suffix(".css")

    code = traitlets.Unicode().tag(sync=True)
