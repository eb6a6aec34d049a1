"""Many calls over one set of connections."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from crmlab.accounts import Account
from crmlab.connector import Limits, Timeouts
from crmlab.errors import UsageError
from crmlab.fetching.calling import answer, chosen
from crmlab.fetching.query import chosen_accounts


class Client:
    """Calls operations of its accounts, and keeps the connections open between them.

    `crmlab.call` connects anew each time, which costs more than the call where there are many. All calls of a
    client share one set of connections, the limits of each service and the same settings. Calls may be awaited
    side by side.

    Parameters
    ----------
    accounts
        One or more; also the form of `crmlab.login`.
    limits
        Instead of the accounts' own: only for servers of your own.
    timeouts
        How long each call may take, and how much a service may send: `crmlab.Timeouts`.

    Raises
    ------
    UsageError
        no accounts, or two accounts with one name

    Examples
    --------
    >>> import asyncio
    >>> import crmlab
    >>> async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as (account,):
    ...     async with crmlab.Client([account]) as client:
    ...         deals = await client.call(account, "list_deals", as_frame=True)
    ...         asked = [client.call(account, "get_deal", deal_id=id) for id in deals["id"]]
    ...         answers = await asyncio.gather(*asked)
    >>> [answer["data"]["deal"]["id"] for answer in answers] == deals["id"].to_list()
    True
    """

    def __init__(
        self,
        accounts: Account | Iterable[Account],
        *,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.accounts = chosen_accounts(accounts)
        self._limits = limits
        self._timeouts = timeouts
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Be ready to connect: nothing is sent before the first call."""
        from crmlab.http.client import Client as HttpClient  # noqa: PLC0415  # loads aiohttp

        client = HttpClient(limits=self._limits, timeouts=self._timeouts)
        client.share_limits(self.accounts)
        self._http = await self._open.enter_async_context(client)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._open.aclose()

    async def call(
        self,
        account: Account,
        operation: str,
        *,
        as_frame: bool = False,
        as_model: Any = None,
        dry_run: bool = False,
        allow_destructive: bool = False,
        allow_dangerous: bool = False,
        spool: str | Path | None = None,
        **arguments: object,
    ) -> Any:
        """Return the decoded answer of one operation, as `crmlab.call` does.

        Raises
        ------
        UsageError
            the account is none of this client's, the operation or its arguments are refused before it is sent, or the
            answer has not the shape that was asked for
        UnknownOutcomeError
            a change was sent, and whether it was made nobody knows
        CrmlabError
            the service refused or could not be reached
        Stopped
            it took longer than `Timeouts.total`
        """
        if account not in self.accounts:
            raise UsageError(
                f"{account.label} is none of this client's accounts: give it to crmlab.Client(...)"
            )
        asked = chosen(account, operation, arguments)
        shape = asked.shape(as_frame=as_frame, as_model=as_model)
        if dry_run:
            return asked.shown()
        asked.check(
            allow_destructive=allow_destructive, allow_dangerous=allow_dangerous, spool=spool
        )
        return await answer(self._http, asked, shape=shape, spool=spool)
