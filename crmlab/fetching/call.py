"""One request: whether an account can be reached, one operation of it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from crmlab.accounts import Account
from crmlab.connector import Page, Timeouts
from crmlab.decoding import as_documented
from crmlab.errors import CrmlabError, TransportError, UsageError
from crmlab.fetching.time_limit import within
from crmlab.providers import unknown


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


async def call(account: Account, operation: str, *, timeouts: Timeouts | None = None, **arguments: object) -> Any:
    """Return the decoded answer of one operation, e.g. ``call(account, "contact", id="a/b")``.

    `timeouts` says how long it may take.

    Raises
    ------
    UsageError
        the provider has no such operation, or it takes other arguments
    CrmlabError
        the service refused or could not be reached; what writes is sent once, never again
    Stopped
        it took longer than `Timeouts.total`; whether what was sent took effect is not known then
    """
    from crmlab.http.client import Client  # noqa: PLC0415

    known = {each.name: each for each in account.provider.operations}
    if operation not in known:
        raise UsageError(unknown("operation", operation, known))
    chosen = known[operation]
    try:
        inspect.signature(chosen.request).bind(**arguments)
    except TypeError as error:
        raise UsageError(f"operation {operation!r}: {error}") from None
    request = chosen.request(**arguments)
    may_repeat = not (chosen.writes or chosen.destructive)
    async with Client(timeouts=timeouts) as client, within(client.timeouts.total):
        page = await _where(account, client.send(account, request, retry=may_repeat))
    return page.read(Any)


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
