"""Forms, panels and progress for notebooks; the forms need anywidget, which is loaded when one is shown."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crmlab.notebook.explorer import Explorer, explore
    from crmlab.notebook.login_form import LoginForm, login

__all__ = ["Explorer", "LoginForm", "explore", "login"]
_WHERE = {
    "Explorer": "explorer",
    "explore": "explorer",
    "LoginForm": "login_form",
    "login": "login_form",
}


def __getattr__(name: str) -> Any:
    """Load what needs widgets when it is first used."""
    if name not in _WHERE:
        raise AttributeError(f"module 'crmlab.notebook' has no attribute {name!r}")
    try:
        import anywidget  # noqa: F401, PLC0415  # and with it ipywidgets
    except ImportError:
        raise ImportError(
            "crmlab.login() and crmlab.explore() need anywidget: pip install anywidget"
        ) from None
    return getattr(importlib.import_module(f"crmlab.notebook.{_WHERE[name]}"), name)
