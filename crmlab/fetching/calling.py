"""One request: whether an account can be reached, one operation of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crmlab.accounts import Account
from crmlab.connector import Operation, Page, Request, Timeouts
from crmlab.decoding import answer_shape, as_documented, with_new_secret, without_secrets
from crmlab.errors import CrmlabError, Stopped, TransportError, UsageError, without_trace
from crmlab.fetching.operation_list import operation_of
from crmlab.fetching.spool import Spool, check_spool
from crmlab.fetching.time_limit import within

if TYPE_CHECKING:
    from crmlab.fetching.dry_run import DryRun
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

    Examples
    --------
    >>> import crmlab
    >>> async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as (account,):
    ...     reached = await crmlab.check(account)
    >>> reached.split(",")[0]
    'signed in as Nora Keane'
    """
    from crmlab.http.client import Client  # noqa: PLC0415

    async with Client(timeouts=timeouts) as client, within(client.timeouts.total):
        answer_page = await _where(
            account, client.send(account, account.provider.ping, accept=partial(_pinged, account))
        )
    try:
        answer_page.read(Any)  # or it is no JSON, and no answer of this service
    except TransportError as error:
        raise without_trace(error) from None
    try:
        who_answered = account.provider.reached(answer_page)
    except TransportError:  # of another shape than documented: reached all the same
        who_answered = "answered"
    # so an empty list may be told; a gateway that asked nobody may say so too
    if answer_page.has_no_content:
        who_answered += f" (HTTP {answer_page.status} without content)"
    return f"{who_answered} · {urlsplit(account.base_url).netloc}"


async def call(
    account: Account,
    operation: str,
    *,
    as_frame: bool = False,
    as_model: Any = None,
    timeouts: Timeouts | None = None,
    dry_run: bool = False,
    allow_destructive: bool = False,
    allow_dangerous: bool = False,
    spool: str | Path | None = None,
    **arguments: object,
) -> Any:
    """Return the decoded answer of one documented operation; `operations` lists them with their arguments.

    One that changes something is sent once. It is tried again only where the service refused it as too fast, where
    there was no connection, or where the vendor says that a second application changes nothing more
    (``repeatable`` in `operations`). Changes are partial where the vendor has a way to say so: what is not given stays
    as it is. Imports into Altcraft start no scenario unless ``skip_triggers=False`` is written.

    Keys and passwords are blotted out in what comes back: ``••••`` stands in the place of each field that is named
    like one (``token``, ``secret``, ``password``, ``auth_key`` ...) or that is never kept of the service, such as
    the ``parameters`` of sources and destinations of Commanders Act. Files come back as they are. The new secret of an
    operation that is for one, as ``"change_auth_key"`` of OnePageCRM, comes back as a `pydantic.SecretStr`, which no
    repr or log shows: ``answer["data"]["auth_key"].get_secret_value()``. Keep it at once: the key before is refused.

    Parameters
    ----------
    account
        Who is asked.
    operation
        A name such as ``"get_contact"``.
    as_frame
        Whether the records of the answer come back as a Polars frame, a row each. A field whose values are of
        several types is then their JSON text.
    as_model
        A model of pydantic, a dataclass or another type that the answer is read into, such as ``Contact`` or
        ``dict[str, list[Deal]]``. It describes the whole answer, and a field that it does not name is left out.
    timeouts
        How long it may take.
    dry_run
        Return the request that would be sent as a `DryRun`, with its secrets blotted out, and send nothing. It needs
        no permission.
    allow_destructive
        Needed for what deletes, such as ``"delete_contact"``. OnePageCRM brings a contact back with the same call
        and ``undo=True``, which needs no permission.
    allow_dangerous
        Needed for what changes keys, users and accounts: it can lock everybody out, or cost money.
    spool
        Needed beside `allow_destructive` for what a service gives only once, as ``"get_latest_events"`` of Complero: a
        folder: the answer is there as it came, for this user only, before it is read, and stays. One that an earlier
        run kept and did not hand out comes first, without a request.
    **arguments
        What the operation takes, by the vendor's names; ``filter[begin_date]`` is written ``filter_begin_date``, and
        ``from`` is ``from_``. All of it is checked before anything is sent.

    Raises
    ------
    UsageError
        The service has no such operation, an argument is missing, unknown or breaks a rule of the vendor's document,
        or the operation needs `allow_destructive`, `allow_dangerous` or `spool`. Nothing was sent.
        Or the answer holds no records for a frame, or is not what the model says.
    UnknownOutcomeError
        A change was sent, and the connection broke or the service failed: whether it was made nobody knows.
    CrmlabError
        the service refused or could not be reached; what is gone once it was read is asked for once, never again
    Stopped
        it took longer than `Timeouts.total`

    Examples
    --------
    >>> import crmlab
    >>> async with crmlab.sandbox(rows=20, services=["onepagecrm"]) as (account,):
    ...     listed = await crmlab.call(account, "list_contacts", per_page=1, as_frame=True)
    ...     answer = await crmlab.call(account, "get_contact", contact_id=listed["id"][0])
    >>> sorted(answer["data"])
    ['company', 'contact', 'next_action', 'next_actions', 'queued_actions']
    """
    from crmlab.http.client import Client  # noqa: PLC0415

    asked = chosen(account, operation, arguments)
    shape = asked.shape(as_frame=as_frame, as_model=as_model)
    if dry_run:
        return asked.shown()
    asked.check(allow_destructive=allow_destructive, allow_dangerous=allow_dangerous, spool=spool)
    async with Client(timeouts=timeouts) as client:
        return await answer(client, asked, shape=shape, spool=spool)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One operation of an account, asked with these arguments: its request is checked, and not sent."""

    account: Account
    operation: Operation
    arguments: Mapping[str, object] = field(repr=False)
    request: Request

    @property
    def may_change_twice(self) -> bool:
        """Whether a second application could change something."""
        return self.operation.writes and not self.operation.repeatable

    @property
    def gives_once(self) -> bool:
        """Whether it reads what cannot be read again."""
        return self.operation.destructive and not self.operation.writes

    def shown(self) -> DryRun:
        """Return what would be sent."""
        from crmlab.fetching.dry_run import dry_run  # noqa: PLC0415  # loaded when it is used

        return dry_run(self.account, self.request)

    def shape(self, *, as_frame: bool, as_model: Any) -> Callable[[Any], Any]:
        """Return what makes of the answer what was asked for; raise a `UsageError` where it cannot be that."""
        if self.operation.gives_secret and (as_frame or as_model is not None):
            operation_name = self.operation.name
            raise UsageError(
                f"{operation_name} answers with a new secret, which no frame or model may hold: "
                "leave as_frame and as_model out"
            )
        return answer_shape(as_frame=as_frame, as_model=as_model)

    def check(
        self, *, allow_destructive: bool, allow_dangerous: bool, spool: str | Path | None
    ) -> None:
        """Raise a `UsageError` where it needs a word that was not given."""
        name = self.operation.name
        if self.operation.writes and self.operation.dangerous and allow_dangerous is not True:
            raise UsageError(
                f"{name} changes keys, users or accounts of {self.account.provider.title}: it can lock everybody out, "
                "or cost money. Write allow_dangerous=True if that is what you want"
            )
        if self.gives_once:
            check_spool(name, allow_destructive=allow_destructive, spool=spool)
        elif self.operation.destroys(self.arguments) and allow_destructive is not True:
            sentences = [f"{name} deletes at {self.account.provider.title}."]
            if self.operation.restored_by:
                sentences.append(f"{self.operation.restored_by}=True brings it back.")
            sentences.append("Write allow_destructive=True to do it")
            raise UsageError(" ".join(sentences))


def chosen(account: Account, operation: str, arguments: Mapping[str, object]) -> Asked:
    """Return an operation by its name, with its arguments checked.

    Raises
    ------
    UsageError
        there is none of that name, or an argument breaks a rule
    """
    checked_operation = operation_of(account, operation)
    return Asked(
        account=account,
        operation=checked_operation,
        arguments=arguments,
        request=checked_operation.request(**arguments),
    )


async def answer(
    client: HttpClient, asked: Asked, *, shape: Callable[[Any], Any], spool: str | Path | None
) -> Any:
    """Return the decoded answer of one operation in its shape, asked over the connections of this client."""
    account = asked.account
    with ExitStack() as cleanup:
        answer_spool = None
        if asked.gives_once:
            answer_spool = Spool(spool or "", account, asked.request.path)
            cleanup.callback(answer_spool.close)
        answer_page = await _where(account, _in_time(client, asked, answer_spool))
        if asked.operation.binary:
            return answer_page.body
        try:
            # an answer that has not this shape stays, for the next call to read otherwise
            shown = shape(_shareable(answer_page, asked))
        except CrmlabError as error:
            raise without_trace(error) from None
        if answer_spool:
            answer_spool.hand_out()
    return shown


async def _in_time(client: HttpClient, asked: Asked, spool: Spool | None) -> Page:
    """Return the answer, within the time of the whole; where a change was cut off, say that nobody knows."""
    from crmlab.http.client import outcome_unknown  # noqa: PLC0415

    has_left = asyncio.Event()
    try:
        async with within(client.timeouts.total):
            return await _answer(client, asked, spool, has_left)
    except Stopped as error:
        if asked.may_change_twice and has_left.is_set():
            raise outcome_unknown(asked.request, error) from None
        raise


def _shareable(page: Page, asked: Asked) -> Any:
    """Return the decoded answer without secrets; None where the service answers with its status alone."""
    if not page.body.strip():
        return None
    try:
        if asked.operation.gives_secret:
            return with_new_secret(page.read(Any))
        return without_secrets(page.read(Any), asked.account.provider.secret_names)
    except RecursionError:
        what_was_sent = f"{page.request.method} {page.request.path}"
        raise TransportError(
            f"{what_was_sent} answered with JSON that is nested too deeply to be read"
        ) from None


async def _answer(
    client: HttpClient, asked: Asked, spool: Spool | None, has_left: asyncio.Event
) -> Page:
    """Return the answer to a request; with `spool` one that the service gives only once."""
    if spool is None:
        return await client.send(
            asked.account,
            asked.request,
            again="unapplied" if asked.may_change_twice else "always",
            leaving=has_left.set,
            retried=has_left.clear,
        )
    waiting = spool.waiting(asked.request, lambda page: page)
    if waiting:
        return waiting
    with spool.asking():
        return await client.send(asked.account, asked.request, again="never", keep=spool.keep)


def _pinged(account: Account, page: Page) -> Page:
    """Return the answer to a ping with its records where they are documented; raise where it has none."""
    provider = account.provider
    if not provider.ping_resource:
        return page
    resource = provider.resource(provider.ping_resource)
    # where the envelope tells success, the service was reached whatever is in it
    if resource.absent_is_empty:
        return page
    return as_documented(page, resource)


async def _where(account: Account, sending: Awaitable[Page]) -> Page:
    try:
        return await sending
    except CrmlabError as error:
        raise account.explain(error) from None
