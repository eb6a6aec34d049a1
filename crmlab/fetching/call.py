"""One request: whether an account can be reached, one operation of it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crmlab.accounts import Account
from crmlab.connector import Operation, Page, Request, Timeouts
from crmlab.decoding import answer_frame, as_documented, without_secrets
from crmlab.errors import CrmlabError, TransportError, UsageError
from crmlab.fetching.operations import operation_of
from crmlab.fetching.spool import Spool, check_spool
from crmlab.fetching.time_limit import within

if TYPE_CHECKING:
    from crmlab.http.client import Client as HttpClient


async def check(account: Account, *, timeouts: Timeouts | None = None) -> str:
    """Send the provider's cheapest read and return, in plain words, who and what was reached.

    `timeouts` says how long it may take.

    Raises
    ------
    CrmlabError
        the key is refused or the service cannot be reached
    Stopped
        it took longer than `Timeouts.total`
    """
    from crmlab.http.client import Client  # noqa: PLC0415

    async with Client(timeouts=timeouts) as client, within(client.timeouts.total):
        page = await _where(account, client.send(account, account.provider.ping, accept=partial(_pinged, account)))
    page.read(Any)  # or it is no JSON, and no answer of this service
    try:
        words = account.provider.reached(page)
    except TransportError:  # of another shape than documented: reached all the same
        words = "answered"
    return f"{words} · {urlsplit(account.base_url).netloc}"


async def call(
    account: Account,
    operation: str,
    *,
    as_frame: bool = False,
    timeouts: Timeouts | None = None,
    allow_destructive: bool = False,
    spool: str | Path | None = None,
    **arguments: object,
) -> Any:
    """Return the decoded answer of one documented operation; `operations` lists them with their arguments.

    Keys and passwords are blotted out in what comes back: ``••••`` stands in the place of each field that is named
    like one (``token``, ``secret``, ``password``, ``auth_key`` ...) or that is never kept of the service, such as
    the ``parameters`` of sources and destinations of Commanders Act. Files come back as they are.

    Parameters
    ----------
    account
        Who is asked.
    operation
        A name such as ``"get_contact"``.
    as_frame
        Whether the records of the answer come back as a Polars frame, a row each. A field whose values are of
        several types is then their JSON text.
    timeouts
        How long it may take.
    allow_destructive, spool
        Both are needed for what a service gives only once, as ``"get_latest_events"`` of Complero. `spool` is a
        folder: the answer is there as it came, for this user only, before it is read, and stays. One that an earlier
        run kept and did not hand out comes first, without a request.
    **arguments
        What the operation takes, by the vendor's names; ``filter[begin_date]`` is written ``filter_begin_date``, and
        ``from`` is ``from_``. All of it is checked before anything is sent.

    Raises
    ------
    UsageError
        The service has no such operation, an argument is missing, unknown or breaks a rule of the vendor's document,
        the operation changes something (crmlab only reads), or it gives records only once and `allow_destructive` or
        `spool` is missing.
    CrmlabError
        the service refused or could not be reached; what is gone once it was read is asked for once, never again
    Stopped
        it took longer than `Timeouts.total`

    Examples
    --------
    >>> import asyncio
    >>> import crmlab
    >>> async def first_contact():
    ...     async with crmlab.sandbox(rows=20) as accounts:
    ...         account = next(each for each in accounts if each.provider.name == "onepagecrm")
    ...         listed = await crmlab.call(account, "list_contacts", per_page=1, as_frame=True)
    ...         return await crmlab.call(account, "get_contact", contact_id=listed["id"][0])
    >>> sorted(asyncio.run(first_contact())["data"])
    ['company', 'contact', 'next_action', 'next_actions', 'queued_actions']
    """
    from crmlab.http.client import Client  # noqa: PLC0415

    async with Client(timeouts=timeouts) as client:
        return await answer(
            client,
            account,
            operation,
            arguments,
            as_frame=as_frame,
            allow_destructive=allow_destructive,
            spool=spool,
        )


async def answer(
    client: HttpClient,
    account: Account,
    operation: str,
    arguments: Mapping[str, object],
    *,
    as_frame: bool,
    allow_destructive: bool,
    spool: str | Path | None,
) -> Any:
    """Return the decoded answer of one operation, asked over the connections of this client."""
    chosen = _operation(account, operation)
    request = chosen.request(**arguments)
    if chosen.destructive:
        check_spool(operation, allow_destructive=allow_destructive, spool=spool)
    with ExitStack() as cleanup:
        kept = None
        if chosen.destructive:
            kept = Spool(spool or "", account, request.path)
            cleanup.callback(kept.close)
        async with within(client.timeouts.total):
            page = await _where(account, _answer(client, account, request, kept))
        if chosen.binary:
            return page.body
        found = _shareable(page, account)
        # an answer that is no frame stays, for the next call to read otherwise
        shown = answer_frame(found) if as_frame else found
        if kept:
            kept.hand_out()
    return shown


def _shareable(page: Page, account: Account) -> Any:
    """Return the decoded answer without secrets."""
    try:
        return without_secrets(page.read(Any), account.provider.secret_names)
    except RecursionError:
        asked = f"{page.request.method} {page.request.path}"
        raise TransportError(f"{asked} answered with JSON that is nested too deeply to be read") from None


async def _answer(client: HttpClient, account: Account, request: Request, spool: Spool | None) -> Page:
    """Return the answer to a request; with `spool` one that the service gives only once."""
    if spool is None:
        return await client.send(account, request)
    waiting = spool.waiting(request, lambda page: page)
    if waiting:
        return waiting
    with spool.asking():
        return await client.send(account, request, retry=False, keep=spool.keep)


def _operation(account: Account, name: str) -> Operation:
    """Return the operation of that name, if it may be called."""
    chosen = operation_of(account, name)
    if chosen.writes:
        raise UsageError(f"{name} changes something at {account.provider.title}, and crmlab only reads")
    return chosen


def _pinged(account: Account, page: Page) -> Page:
    """Return the answer to a ping with its records where they are documented; raise where it has none."""
    provider = account.provider
    if not provider.ping_resource:
        return page
    resource = provider.resource(provider.ping_resource)
    # where the envelope tells success, the service was reached whatever is in it
    return page if resource.absent_is_empty else as_documented(page, resource)


async def _where(account: Account, sending: Awaitable[Page]) -> Page:
    try:
        return await sending
    except CrmlabError as error:
        raise account.explain(error) from None
