"""Sales, activity and consent data of several services as Polars frames that join."""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from crmlab.accounts import Account
from crmlab.connector import Limits, Timeouts
from crmlab.fetching import (
    Client,
    DryRun,
    Plan,
    Probed,
    Progress,
    call,
    check,
    download,
    fetch,
    fetch_to,
    operations,
    plan,
    probe,
    replay,
)
from crmlab.own_data import collect, table
from crmlab.results import Fetched, Stored, open, read_csv  # noqa: A004  # read as crmlab.open
from crmlab.sandbox import sandbox

if TYPE_CHECKING:
    from crmlab import analysis, plots
    from crmlab.notebook import explore, login

# silent until a program says where its messages go
logging.getLogger("crmlab").addHandler(logging.NullHandler())

__version__ = "0.1.0"
__all__ = [
    "Account",
    "Client",
    "DryRun",
    "Fetched",
    "Limits",
    "Plan",
    "Probed",
    "Progress",
    "Stored",
    "Timeouts",
    "analysis",
    "call",
    "check",
    "collect",
    "download",
    "explore",
    "fetch",
    "fetch_to",
    "login",
    "open",
    "operations",
    "plan",
    "plots",
    "probe",
    "read_csv",
    "replay",
    "sandbox",
    "table",
]


def __getattr__(name: str) -> Any:
    """Load what needs plotly or widgets when it is first used."""
    if name in ("analysis", "plots"):
        return importlib.import_module(f"crmlab.{name}")
    if name in ("explore", "login"):
        return getattr(importlib.import_module("crmlab.notebook"), name)
    raise AttributeError(f"module 'crmlab' has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """Complete names of tables and providers with Tab: ``%load_ext crmlab``."""
    from crmlab.notebook import completion  # noqa: PLC0415  # loaded when used

    completion.load(shell)


def __dir__() -> list[str]:
    return __all__
