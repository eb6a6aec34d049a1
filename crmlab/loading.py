"""Names that a package offers and that are loaded when they are first used (PEP 562)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any


def when_used(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package, which loads a name's module when the name is first asked for.

    Editors and type checkers know the names from imports under ``if TYPE_CHECKING``.

    Parameters
    ----------
    package
        The name of the package.
    modules
        The module that holds each name, or is it.

    Examples
    --------
    >>> from crmlab.loading import when_used
    >>> load = when_used("shop", {"sqrt": "math"})
    >>> load("sqrt")(9)
    3.0
    """

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module: ModuleType = importlib.import_module(modules[name])
        if module.__name__ == f"{package}.{name}":
            return module
        return getattr(module, name)

    return load
