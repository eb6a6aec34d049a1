"""Who is asked, with which credentials: accounts, and where their keys are found and kept."""

from __future__ import annotations

from crmlab.accounts.account import Account, check_names

__all__ = [
    "Account",
    "check_names",
]
