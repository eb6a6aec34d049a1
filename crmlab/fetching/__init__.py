"""Fetch, plan and call: which requests are sent, what comes back, and whether it is all."""

from __future__ import annotations

from crmlab.fetching.call import call, check
from crmlab.fetching.client import Client
from crmlab.fetching.download import download
from crmlab.fetching.dry_run import DryRun
from crmlab.fetching.fetch import asked_of, fetch, fetch_to
from crmlab.fetching.operations import operations
from crmlab.fetching.plan import Plan, plan
from crmlab.fetching.probing import Probed, max_requests, probe
from crmlab.fetching.progress import Progress
from crmlab.fetching.replay import replay

__all__ = [
    "Client",
    "DryRun",
    "Plan",
    "Probed",
    "Progress",
    "asked_of",
    "call",
    "check",
    "download",
    "fetch",
    "fetch_to",
    "max_requests",
    "operations",
    "plan",
    "probe",
    "replay",
]
