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


async def told(account: Account, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Return the status and the answer of one request that may change something."""
    headers = account.sign(Request(path="/")).headers
    async with ClientSession(headers=headers) as session:
        answer = await session.request(method, account.base_url + path, json=body)
        return answer.status, await answer.json()
