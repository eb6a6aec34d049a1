"""Fetch, plan and call: which requests are sent, what comes back, and whether it is all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmlab.fetching.call import call, check
from crmlab.fetching.client import Client
from crmlab.fetching.fetch import asked_of, fetch, fetch_to
from crmlab.fetching.operations import operations
from crmlab.fetching.plan import Plan, plan
from crmlab.fetching.progress import Progress
from crmlab.loading import when_used

if TYPE_CHECKING:
    from crmlab.fetching.probing import Probed, max_requests, probe

__all__ = [
    "Client",
    "Plan",
    "Probed",
    "Progress",
    "asked_of",
    "call",
    "check",
    "fetch",
    "fetch_to",
    "max_requests",
    "operations",
    "plan",
    "probe",
]

__getattr__ = when_used(__name__, dict.fromkeys(("Probed", "max_requests", "probe"), "crmlab.fetching.probing"))
