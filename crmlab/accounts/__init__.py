"""Who is asked, with which credentials: accounts, and where their keys are found and kept."""

from __future__ import annotations

from crmlab.accounts.account import Account, check_account, check_names
from crmlab.accounts.packing import packed, unpacked
from crmlab.accounts.proxy import Proxy, is_loopback

__all__ = [
    "Account",
    "Proxy",
    "check_account",
    "check_names",
    "is_loopback",
    "packed",
    "unpacked",
]
