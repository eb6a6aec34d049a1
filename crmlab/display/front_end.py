"""Who is there: a person in front of a notebook or a terminal, or nobody."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import Any


def can_answer() -> bool:
    """Whether the running cell was sent by a front end with a person in front of it.

    The protocol's ``allow_stdin`` says so: nbclient, and with it nbconvert, papermill and
    nbmake, sends false. No kernel, nobody.
    """
    running_kernel = kernel()
    if not running_kernel:
        return False
    request = running_kernel.get_parent().get("content", {})
    return bool(request.get("allow_stdin"))


def looks_on() -> bool:
    """Whether somebody sees lines that are drawn: stderr is a terminal, or a notebook shows widgets."""
    if os.environ.get("TQDM_DISABLE"):
        return False
    if kernel():
        return can_answer() and find_spec("anywidget") is not None
    return sys.stderr is not None and sys.stderr.isatty()


def hears_while_busy() -> bool:
    """Whether a click in the notebook arrives while a cell awaits: since ipykernel 7."""
    version = getattr(kernel(), "implementation_version", "0")
    return int(version.partition(".")[0]) >= 7


def kernel() -> Any:
    """Return the Jupyter kernel that this process is; None where it is none."""
    ipython = sys.modules.get("IPython")
    # whoever never loaded IPython is in no notebook: asking is no reason to load it
    if not ipython:
        return None
    return getattr(ipython.get_ipython(), "kernel", None)
