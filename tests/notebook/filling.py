"""What a browser would send to a login form, and all that the form shows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from crmlab.accounts.account import Account
from crmlab.connector.provider import Provider
from crmlab.notebook import LoginForm

SECRET = "sk-7f3a91-do-not-show"


async def reach_three(account: Account) -> str:
    return "reached 3 users"


def refuse(error: Exception) -> Callable[[Account], Awaitable[str]]:
    async def check(account: Account) -> str:
        raise error

    return check


def say(form: LoginForm, kind: str, **content: object) -> None:
    form._on_message(form, {"kind": kind, "provider": "demo", **content}, [])


def press(
    form: LoginForm, name: str = "", *, address: str = "", remember: bool = False, **fields: str
) -> None:
    say(form, "connect", name=name, address=address, remember=remember, fields=fields)


async def settle(form: LoginForm) -> None:
    await asyncio.sleep(0)
    while form._tasks:
        await asyncio.gather(*form._tasks)
        await asyncio.sleep(
            0
        )  # what is done is let go by the loop, which waiting for it need not enter


def connected(
    provider: Provider, *, check: Callable[[Account], Awaitable[str]] = reach_three, **given: Any
) -> LoginForm:
    async def run() -> LoginForm:
        form = LoginForm([provider], check=check)
        press(form, **(given or {"api_key": SECRET}))
        await settle(form)
        return form

    return asyncio.run(run())


def everything_shown(form: LoginForm) -> str:
    return repr((form.get_state(), form.shown(), repr(form), form._repr_mimebundle_(), vars(form)))


def status(form: LoginForm, provider: str = "demo") -> dict[str, str]:
    answer: dict[str, str] = form.shown()["status"][provider]
    return answer
