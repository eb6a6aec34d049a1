"""Requests to a fake service as its account signs them."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientSession

from crmlab.accounts.account import Account
from crmlab.connector.request import Request


async def asked(account: Account, *paths: str) -> list[Any]:
    """Return the answers to these GET requests, one after the other."""
    headers = account.sign(Request(path="/")).headers
    async with ClientSession(headers=headers) as session:
        return [await (await session.get(account.base_url + path)).json() for path in paths]
