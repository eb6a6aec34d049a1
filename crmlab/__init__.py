"""Sales, activity and consent data of several services as Polars frames that join."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from crmlab.accounts import Account
from crmlab.connector import Limits, Timeouts
from crmlab.fetching import Plan, Progress, fetch, fetch_to, plan
from crmlab.loading import when_used
from crmlab.results import Fetched, Stored
from crmlab.sandbox import sandbox

if TYPE_CHECKING:
    from crmlab import analysis, plots
    from crmlab.fetching import (
        Client,
        DryRun,
        Probed,
        check,
        download,
        operations,
        probe,
        replay,
        scan,
    )
    from crmlab.fetching.typed_call import call
    from crmlab.lake import Lake
    from crmlab.notebook import explore, login
    from crmlab.own_data.collect import collect
    from crmlab.own_data.table import table
    from crmlab.privacy import Dossier, about, erase
    from crmlab.pushing import Pushed, PushPlan
    from crmlab.pushing.push import push
    from crmlab.pushing.updates import updates
    from crmlab.results import open, read_csv  # noqa: A004  # read as crmlab.open

# silent until a program says where its messages go
logging.getLogger("crmlab").addHandler(logging.NullHandler())

__version__ = "0.1.0"
__all__ = [
    "Account",
    "Client",
    "Dossier",
    "DryRun",
    "Fetched",
    "Lake",
    "Limits",
    "Plan",
    "Probed",
    "Progress",
    "PushPlan",
    "Pushed",
    "Stored",
    "Timeouts",
    "about",
    "analysis",
    "call",
    "check",
    "collect",
    "download",
    "erase",
    "explore",
    "fetch",
    "fetch_to",
    "login",
    "open",
    "operations",
    "plan",
    "plots",
    "probe",
    "push",
    "read_csv",
    "replay",
    "sandbox",
    "scan",
    "table",
    "updates",
]


# what needs plotly or widgets, and what a fetch does not need
__getattr__ = when_used(
    __name__,
    {
        "Client": "crmlab.fetching",
        "Dossier": "crmlab.privacy",
        "DryRun": "crmlab.fetching",
        "Lake": "crmlab.lake",
        "Probed": "crmlab.fetching",
        "PushPlan": "crmlab.pushing",
        "Pushed": "crmlab.pushing",
        "about": "crmlab.privacy",
        "analysis": "crmlab.analysis",
        "call": "crmlab.fetching",
        "check": "crmlab.fetching",
        "collect": "crmlab.own_data",
        "download": "crmlab.fetching",
        "erase": "crmlab.privacy",
        "explore": "crmlab.notebook",
        "login": "crmlab.notebook",
        "open": "crmlab.results",
        "operations": "crmlab.fetching",
        "plots": "crmlab.plots",
        "probe": "crmlab.fetching",
        "push": "crmlab.pushing",
        "read_csv": "crmlab.results",
        "replay": "crmlab.fetching",
        "scan": "crmlab.fetching",
        "table": "crmlab.own_data",
        "updates": "crmlab.pushing",
    },
)


def load_ipython_extension(shell: Any) -> None:
    """Complete names of tables and providers with Tab: ``%load_ext crmlab``."""
    from crmlab.notebook import completion  # noqa: PLC0415  # loaded when used

    completion.load(shell)


def __dir__() -> list[str]:
    return __all__
