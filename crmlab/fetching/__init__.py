"""Fetch, plan and call: which requests are sent, what comes back, and whether it is all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmlab.fetching.fetch import asked_of, fetch, fetch_to
from crmlab.fetching.plan import Plan, plan
from crmlab.fetching.progress import Listener, Progress, State, check_stop, listening
from crmlab.fetching.query import chosen_accounts
from crmlab.fetching.task_group import TaskGroup
from crmlab.fetching.time_limit import out_of_time
from crmlab.loading import when_used

if TYPE_CHECKING:
    from crmlab.fetching.calling import Asked, call, check, chosen
    from crmlab.fetching.client import Client
    from crmlab.fetching.downloading import download
    from crmlab.fetching.dry_run import DryRun
    from crmlab.fetching.key_sweep import Keys, keys
    from crmlab.fetching.lazy_scan import scan
    from crmlab.fetching.operation_list import operations
    from crmlab.fetching.probing import Probed, max_requests, probe
    from crmlab.fetching.redaction import redact
    from crmlab.fetching.refreshing import ListRead, Refreshed, plan_refresh, refreshed
    from crmlab.fetching.replaying import replay

__all__ = [
    "Asked",
    "Client",
    "DryRun",
    "Keys",
    "ListRead",
    "Listener",
    "Plan",
    "Probed",
    "Progress",
    "Refreshed",
    "State",
    "TaskGroup",
    "asked_of",
    "call",
    "check",
    "check_stop",
    "chosen",
    "chosen_accounts",
    "download",
    "fetch",
    "fetch_to",
    "keys",
    "listening",
    "max_requests",
    "operations",
    "out_of_time",
    "plan",
    "plan_refresh",
    "probe",
    "redact",
    "refreshed",
    "replay",
    "scan",
]

# what a fetch does not need; no module may have the name of what it offers, which it would hide when it is loaded
__getattr__ = when_used(
    __name__,
    {
        **dict.fromkeys(("Asked", "call", "check", "chosen"), "crmlab.fetching.calling"),
        "Client": "crmlab.fetching.client",
        "DryRun": "crmlab.fetching.dry_run",
        **dict.fromkeys(("Probed", "max_requests", "probe"), "crmlab.fetching.probing"),
        **dict.fromkeys(
            ("ListRead", "Refreshed", "plan_refresh", "refreshed"), "crmlab.fetching.refreshing"
        ),
        **dict.fromkeys(("Keys", "keys"), "crmlab.fetching.key_sweep"),
        "download": "crmlab.fetching.downloading",
        "operations": "crmlab.fetching.operation_list",
        "redact": "crmlab.fetching.redaction",
        "replay": "crmlab.fetching.replaying",
        "scan": "crmlab.fetching.lazy_scan",
    },
)
