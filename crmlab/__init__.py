"""Data of OnePageCRM, Relenta, Complero, Altcraft and Commanders Act as Polars frames that join."""

from __future__ import annotations

from crmlab.account import Account
from crmlab.fetch import call, check, fetch
from crmlab.fetched import Fetched
from crmlab.progress import Progress
from crmlab.provider import Limits
from crmlab.sandbox import sandbox

__version__ = "0.1.0"
__all__ = ["Account", "Fetched", "Limits", "Progress", "call", "check", "fetch", "sandbox"]
