"""Data of OnePageCRM, Relenta, Complero, Altcraft and Commanders Act as Polars frames that join."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from crmlab.account import Account
from crmlab.call import call, check
from crmlab.export import read_csv
from crmlab.fetch import fetch, fetch_to
from crmlab.fetched import Fetched, Stored
from crmlab.plan import Plan
from crmlab.planning import plan
from crmlab.progress import Progress
from crmlab.provider import Limits
from crmlab.sandbox import sandbox

if TYPE_CHECKING:
    from crmlab import analysis, plots
    from crmlab.widgets import explore, login

__version__ = "0.1.0"
__all__ = [
    "Account",
    "Fetched",
    "Limits",
    "Plan",
    "Progress",
    "Stored",
    "analysis",
    "call",
    "check",
    "explore",
    "fetch",
    "fetch_to",
    "login",
    "plan",
    "plots",
    "read_csv",
    "sandbox",
]


def __getattr__(name: str) -> Any:
    """Load what needs plotly or widgets when it is first used."""
    if name in ("analysis", "plots"):
        return importlib.import_module(f"crmlab.{name}")
    if name in ("explore", "login"):
        return getattr(importlib.import_module("crmlab.widgets"), name)
    raise AttributeError(f"module 'crmlab' has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """Complete names of tables and providers with Tab: ``%load_ext crmlab``."""
    from crmlab import completion  # noqa: PLC0415  # loaded when used

    completion.load(shell)


def __dir__() -> list[str]:
    return __all__
