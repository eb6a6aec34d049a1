"""The only place that touches the network: signs, waits for the limit, sends, tries again."""

from __future__ import annotations

import asyncio
import io
import json
import random
import ssl
import time
import warnings
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import copy
from dataclasses import replace
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Literal, Protocol, Self

import aiohttp
import msgspec
from yarl import URL

from crmlab.accounts import Account, Proxy
from crmlab.atomic_files import errors_in_words
from crmlab.connector import (
    Limits,
    Page,
    Request,
    Timeouts,
    check_settings,
    replace_lone_surrogates,
)
from crmlab.errors import (
    RETRYABLE,
    ApiError,
    AuthError,
    CredentialError,
    CrmlabError,
    InternalError,
    RateLimitError,
    TransportError,
    UnknownOutcomeError,
    without_trace,
)
from crmlab.forks import check_threads
from crmlab.http.limiter import Limiter, Ticket, strictest_of
from crmlab.http.no_answer import LostError, no_answer, trusted
from crmlab.http.rate_queue import RateQueue, Scope, join, leave, rate_queue, scope_of
from crmlab.http.request_log import RequestLog

#: times the first wait, of a service that says that it was asked too fast, and does not say how long to wait
_LONGER_AFTER_REFUSAL = 5
#: seconds; a service that asks for a longer wait has failed as far as this fetch is concerned
PATIENCE = 300
#: seconds by which a time limit may be early
_CLOCK_SECONDS = 0.01
#: at once, of all accounts
_CONNECTIONS = 256
#: rounds of the event loop in which a request has left for certain, its body and a new connection included
_ROUNDS = 10
#: bytes in a second that a file must bring on average, beyond the seconds that any answer may take
_SLOWEST_FILE = 10_000
#: bytes; what is longer is no refusal of a service, but a file
_MAX_REFUSAL = 65_536
#: bytes of a refusal that are read; the status is enough where its JSON is cut off by it
_READ_OF_REFUSAL = 1_000_000
#: words of a signed header that are shorter ("Basic") are no secret
_SECRET_LENGTH = 8


class Keep(Protocol):
    """Takes the body of an answer before anything reads it."""

    def __call__(self, body: bytes, *, whole: bool) -> None: ...


#: what is sent again: "always" whatever a further try may help with, "unapplied" only what the service surely did
#: not take (it was refused as too fast, or there was no connection), "never" nothing
Again = Literal["always", "unapplied", "never"]

_COUNTED_TOGETHER = (
    "are counted together by the vendor and were given different limits: the strictest hold. "
    'Give them the same, or scope="account" to one that its contract counts alone'
)

HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "crmlab"}
_FILE_HEADERS = {**HEADERS, "Accept": "*/*"}


class Client:
    """Sends requests of any accounts within their limits (or `limits` for all), and waits no longer than `timeouts`.

    Use as an async context manager: it holds the connections.
    """

    def __init__(self, limits: Limits | None = None, timeouts: Timeouts | None = None) -> None:
        check_settings(limits, timeouts)
        self.timeouts = timeouts or Timeouts()
        self._limits = limits
        self._connections = asyncio.Semaphore(_CONNECTIONS)
        self._queues: dict[Account, RateQueue] = {}
        #: of accounts that are counted together and were given different limits
        self._strictest: dict[Account, Limits] = {}
        self._joined: dict[Account, tuple[Scope, Limits]] = {}
        self._proxies: dict[Account, Proxy | None] = {}
        #: accounts of which nothing can work, and why: nothing more is sent
        self._lost: dict[Account, CrmlabError] = {}

    async def __aenter__(self) -> Self:
        check_threads()
        departures = aiohttp.TraceConfig()
        departures.on_request_headers_sent.append(_left)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
            trace_configs=[departures],
            # a session cookie of one account must not travel with the key of another
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.timeouts.connect),
            auto_decompress=True,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for scope, limits in set(self._joined.values()):
            leave(scope, limits)
        self._joined.clear()
        await self._session.close()

    def limits(self, account: Account) -> Limits:
        """Return the limits that hold for this account."""
        return self._strictest.get(account) or self._given_limits(account)

    def _given_limits(self, account: Account) -> Limits:
        return self._limits or account.limits

    def scope(self, account: Account) -> Scope:
        """Return what the vendor counts this account's requests by, together with others of the same."""
        return scope_of(account, self.limits(account))

    def limiter(self, account: Account) -> Limiter:
        """Return what keeps its requests within them."""
        return self._queue(account).limiter

    def share_limits(self, accounts: Iterable[Account]) -> None:
        """Let the strictest limits hold where the vendor counts accounts together, and warn where they differ."""
        scopes: defaultdict[Scope, list[Account]] = defaultdict(list)
        for account in accounts:
            scopes[self.scope(account)].append(account)
        for shared in scopes.values():
            limits = {self._given_limits(account) for account in shared}
            if len(limits) == 1:
                continue
            self._strictest.update(dict.fromkeys(shared, strictest_of(limits)))
            labels = " and ".join(account.label for account in shared)
            warnings.warn(f"{labels} {_COUNTED_TOGETHER}", stacklevel=2)

    async def send(
        self,
        account: Account,
        request: Request,
        *,
        again: Again = "always",
        leaving: Callable[[], None] = lambda: None,
        retried: Callable[[], None] = lambda: None,
        accept: Callable[[Page], Page] = lambda page: page,
        keep: Keep | None = None,
        into: Path | None = None,
    ) -> Page:
        """Return the answer, checked: it is whole and no refusal.

        Parameters
        ----------
        again
            "unapplied" for what the service could apply twice, "never" for what can be had once only
        leaving
            called before each try, when it is its turn: from then on the service may have it
        retried
            called before each further try
        accept
            returns the answer as it shall be read, or raises a `TransportError`: it is none to this request
        keep
            takes the body of an answer that is no refusal as it came, before anything reads it; with ``whole=False``
            what came of one that was cut off
        into
            the file that an answer which is a file is written to as it comes, each try anew; then the page has no body

        Raises
        ------
        TransportError, ApiError
            see `crmlab.errors`; after a refused key (401), a wait asked for beyond `PATIENCE`, or once
            its host could not be reached in all tries, nothing more of that account is sent and the
            same is raised
        UnknownOutcomeError
            the service could apply it twice, and may have applied it once
        """
        self._join(account)
        attempt = 1
        started = time.monotonic()
        sending = _Sending(
            account=account,
            request=request,
            again=again,
            leaving=leaving,
            keep=keep,
            file=into,
            time_left=_TimeLeft(self.timeouts.answer),
        )
        while True:
            try:
                return accept(await self._in_turn(sending, attempt))
            except RETRYABLE as error:
                if again == "unapplied" and _may_be_applied(error):
                    raise outcome_unknown(request, error) from None
                wait = _wait(error, attempt, self.timeouts.first_wait)
                if again == "never" or not _may_pass(error):
                    raise
                if account in self._lost or wait > PATIENCE:
                    raise
                if attempt == self.timeouts.tries:
                    if not error.of_account:
                        error.tries = _tries(attempt, time.monotonic() - started)
                    self._give_up(account, error)
                    raise
            attempt += 1
            retried()
            await asyncio.sleep(wait)

    async def _in_turn(self, sending: _Sending, attempt: int) -> Page:
        account = sending.account
        queue = self._queue(account)
        log = RequestLog(account, sending.request, attempt)
        async with queue.ticket(
            account.label, self._connections, lambda: self._check(account)
        ) as ticket:
            sending.leaving()
            try:
                with log.sending():
                    page = await self._once(sending, ticket)
                    log.status = page.status
            except RateLimitError as error:
                wait = _wait(error, attempt, self.timeouts.first_wait)
                if wait > PATIENCE:
                    error.of_account = True
                    self._give_up(account, error)
                else:
                    queue.limiter.refused(ticket, time.monotonic(), wait)
                raise
            except AuthError as error:
                self._give_up(account, error)
                raise
            queue.limiter.answered(ticket)
            return page

    def _check(self, account: Account) -> None:
        if account in self._lost:
            raise copy(self._lost[account])

    def _give_up(self, account: Account, error: CrmlabError) -> None:
        if error.of_account:
            self._lost.setdefault(account, copy(error))  # `error` will be told where it happened

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        return trusted()

    def _proxy(self, account: Account) -> Proxy | None:
        if account not in self._proxies:
            try:
                self._proxies[account] = account.proxy
            except CredentialError as error:
                error.of_account = True
                raise
        return self._proxies[account]

    def _queue(self, account: Account) -> RateQueue:
        if account not in self._queues:
            self._queues[account] = rate_queue(self.scope(account), self.limits(account))
        return self._queues[account]

    def _join(self, account: Account) -> None:
        """Keep what everybody sends within this account's limits too, as long as this client is open."""
        if account in self._joined:
            return
        scope = self.scope(account)
        # places in flight are each fetch's own
        limits = replace(self._given_limits(account), concurrency=1)
        own_limits = {joined for place, joined in self._joined.values() if place == scope}
        self._joined[account] = (scope, limits)
        if limits in own_limits:
            return
        limits_of_others = join(scope, limits) - own_limits
        if limits_of_others:
            warnings.warn(
                f"{account.label} and what is fetched beside it {_COUNTED_TOGETHER}", stacklevel=2
            )

    async def _once(self, sending: _Sending, ticket: Ticket) -> Page:
        account = sending.account
        request = sending.request
        signed = account.sign(request)
        base_url = account.root_url if signed.from_root else account.base_url
        url = URL(base_url + signed.path, encoded=True)
        if url.origin() != URL(account.base_url).origin():  # the key would go there
            raise InternalError(
                f"the path {request.path!r} would lead to another host: nothing was sent"
            )
        departure = _Departure(ticket, began_at=time.monotonic())
        if self.limits(account).rate:
            departure.rounds = _ROUNDS
        proxy = self._proxy(account)
        page = await self._page(sending, signed, url, departure, proxy)
        if isinstance(page, TransportError):
            raise page.with_traceback(None)
        return self._checked(page, account, signed, proxy)

    async def _page(
        self,
        sending: _Sending,
        signed: Request,
        url: URL,
        departure: _Departure,
        proxy: Proxy | None,
    ) -> Page | TransportError:
        """Return the answer, or why there is none.

        That is not raised here: a service may echo the key, and a traceback may show the variables of each function.
        """
        try:
            async with (
                sending.time_left.running(),
                self._asked(sending, signed, url, departure, proxy) as answer,
            ):
                return await self._received(sending, answer, departure)
        except TransportError as error:
            return error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failed = no_answer(error, url, proxy)
            failed.sent = departure.has_left
            if not failed.worth_repeating:
                self._give_up(sending.account, failed)
            failed.worth_repeating &= not sending.time_left.is_over
            return failed

    def _asked(
        self,
        sending: _Sending,
        signed: Request,
        url: URL,
        departure: _Departure,
        proxy: Proxy | None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Return the request as aiohttp sends it, once it is entered."""
        return self._session.request(
            signed.method,
            url,
            params=dict(signed.params),
            headers=_headers(signed, url, proxy),
            data=None if signed.body is None else json.dumps(signed.body).encode(),
            allow_redirects=False,
            ssl=self._trusted if url.scheme == "https" else True,
            # not `trust_env` of the session: that reads ~/.netrc as well, and sends what stands there
            proxy=proxy.address if proxy else None,
            proxy_headers=proxy.headers if proxy else None,
            trace_request_ctx=departure,
            middlewares=() if sending.again == "always" else (_only_once,),
        )

    async def _received(
        self, sending: _Sending, answer: aiohttp.ClientResponse, departure: _Departure
    ) -> Page:
        """Return the answer with its body, which is read to its end."""
        if sending.file and answer.status < HTTPStatus.MULTIPLE_CHOICES:
            body = await self._written(answer, sending.file, sending.time_left)
        else:
            body = await self._body(answer, sending.keep)
        lone_surrogates = 0
        if not sending.request.is_file:
            body, lone_surrogates = replace_lone_surrogates(body)
        return Page(
            request=sending.request,
            status=answer.status,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=body,
            seconds=time.monotonic() - departure.began_at,
            lone_surrogates=lone_surrogates,
        )

    def _checked(self, page: Page, account: Account, signed: Request, proxy: Proxy | None) -> Page:
        """Return an answer that is no refusal."""
        if page.has_no_content:  # nothing in it can be an error
            return page
        if page.request.is_file and page.succeeded and not _may_be_refusal(page):
            return page
        try:
            account.provider.check(page)
        except ApiError as error:
            error.code = _redacted(error.code, account, signed, proxy)[:100]
            error.detail = _redacted(error.detail, account, signed, proxy)[:500]
            error.args = (error.status, error.code, error.detail)
            raise without_trace(error) from None
        except TransportError as error:
            raise without_trace(error) from None
        except RecursionError:
            host = URL(account.base_url).host
            raise TransportError(f"the answer of {host} is nested too deeply to be read") from None
        return page

    async def _written(
        self, answer: aiohttp.ClientResponse, path: Path, time_left: _TimeLeft
    ) -> bytes:
        """Write the body to a file as it comes; return it where it is short enough for a refusal, else nothing."""
        beginning = b""
        byte_count = 0
        # only what the disk refuses is told as such: errors of the connection are of the same family
        with errors_in_words(path):
            file = path.open("wb")
        try:
            async for piece in answer.content.iter_any():
                with errors_in_words(path):
                    file.write(piece)
                byte_count += len(piece)
                if byte_count <= _MAX_REFUSAL:
                    beginning += piece
                time_left.grant(len(piece) / _SLOWEST_FILE)
        finally:
            with errors_in_words(path):
                file.close()
        return beginning if byte_count <= _MAX_REFUSAL else b""

    async def _body(self, answer: aiohttp.ClientResponse, keep: Keep | None) -> bytes:
        """Return the unpacked body, of a refusal its beginning; `keep` has taken that of an answer that is none."""
        pieces = io.BytesIO()  # hands on what it holds without a copy: a body may be large
        is_refusal = answer.status >= HTTPStatus.MULTIPLE_CHOICES
        is_whole = False
        try:
            await self._read_into(pieces, answer, most=_READ_OF_REFUSAL if is_refusal else None)
            is_whole = True
        finally:
            if keep and not is_refusal and (is_whole or pieces.tell()):
                keep(pieces.getvalue(), whole=is_whole)
        return pieces.getvalue()

    async def _read_into(
        self, pieces: io.BytesIO, answer: aiohttp.ClientResponse, most: int | None
    ) -> None:
        """Read the body piece by piece, so that it never takes more memory than it may; `most`: hardly more bytes."""
        byte_count = 0
        async for piece in answer.content.iter_any():
            byte_count += len(piece)
            if self.timeouts.max_body is not None and byte_count > self.timeouts.max_body:
                failed = TransportError(
                    f"the answer of {answer.url.host} is larger than {self.timeouts.max_body:,} bytes, "
                    "which is max_body of crmlab.Timeouts"
                )
                failed.worth_repeating = False
                raise failed
            pieces.write(piece)
            if most is not None and byte_count > most:
                return


class _TimeLeft:
    """The seconds that are left for one answer, whatever the number of tries; without end where there is no limit."""

    def __init__(self, seconds: float | None) -> None:
        self._left = seconds
        self._limit: asyncio.Timeout | None = None

    @property
    def is_over(self) -> bool:
        return self._left is not None and self._left < _CLOCK_SECONDS

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Raise a `TimeoutError` where what is done takes longer than what is left."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._left) as self._limit:
                yield
        finally:
            if self._left is not None:
                self._left = max(0.0, self._left - (time.monotonic() - started))

    def grant(self, seconds: float) -> None:
        """Let what is done now take so much longer."""
        if self._left is None or self._limit is None:
            return
        self._left += seconds
        ends_at = self._limit.when()
        if ends_at is not None and not self._limit.expired():
            self._limit.reschedule(ends_at + seconds)


def _may_be_refusal(page: Page) -> bool:
    """Whether the answer to a request for a file is a JSON object: what a service says in place of the file."""
    return page.body.lstrip().startswith(b"{")


class _Sending(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and how it is sent: what is the same in all of its tries.

    The body of its answer goes to what keeps it besides, or into a file instead.
    """

    account: Account
    request: Request
    again: Again
    leaving: Callable[[], None]
    keep: Keep | None
    file: Path | None
    time_left: _TimeLeft


class _Departure(msgspec.Struct):
    """When a request began to leave; its ticket is told when it has left, so many rounds of the event loop later."""

    ticket: Ticket
    began_at: float
    rounds: int = 0
    has_left: bool = False

    def correct(self) -> None:
        self.ticket.left_at = time.monotonic()
        if self.rounds:
            self.rounds -= 1
            asyncio.get_running_loop().call_soon(self.correct)


async def _left(session: aiohttp.ClientSession, context: SimpleNamespace, sent: object) -> None:
    """Correct the time of departure: the first request of a connection makes it before it leaves.

    aiohttp tells it before it writes, and on a machine that is busy a round of the event loop may take long. Counted
    too early, the next burst would be on the heels of this one; a time that is a little late breaks no limit.
    """
    context.trace_request_ctx.has_left = True
    context.trace_request_ctx.began_at = time.monotonic()
    context.trace_request_ctx.correct()


async def _only_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request again of its own accord.

    It does so where the connection breaks before the answer and the method is GET, PUT or DELETE, as RFC 9110 allows:
    whoever must not ask twice would not even hear of it.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # there was no connection, and it is not tried again
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise LostError(type(error).__name__) from None


def _may_be_applied(error: CrmlabError) -> bool:
    """Return whether the service may have done what it was asked, although no answer says so.

    A refusal below 500 says that it did not; so does a host without a connection.
    """
    if isinstance(error, TransportError):
        return error.sent
    return isinstance(error, ApiError) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _may_pass(error: CrmlabError) -> bool:
    """Return whether a further try may end otherwise."""
    return not isinstance(error, TransportError) or error.worth_repeating


def outcome_unknown(request: Request, error: CrmlabError) -> UnknownOutcomeError:
    """Return the error that says of a change that nobody knows whether it was made."""
    return UnknownOutcomeError(
        f"{request.method} {request.path} was sent, and whether it was applied is unknown: {error.what}"
    )


def _headers(signed: Request, url: URL, proxy: Proxy | None) -> dict[str, str]:
    """Return all headers of a request; called where they are sent, so that no variable shows them in a traceback."""
    usual = _FILE_HEADERS if signed.is_file else HEADERS
    headers = {**usual, **signed.headers}
    if proxy and url.scheme == "http":  # a tunnel, which https takes, has headers of its own
        headers |= proxy.headers
    return headers


def _redacted(text: str, account: Account, signed: Request, proxy: Proxy | None) -> str:
    """Return the text without the secrets, as they are and as the headers carry them."""
    for header_word in " ".join(signed.headers.values()).split():
        if len(header_word) >= _SECRET_LENGTH:
            text = text.replace(header_word, "••••")
    if proxy:
        text = proxy.redact(text)
    return account.redact(text)


def _tries(number: int, seconds: float) -> str:
    if number == 1:
        return ""
    return f"asked {number} times in {seconds:,.0f} s"


def _wait(error: CrmlabError, attempt: int, first: float) -> float:
    """Seconds until the next try: what the service asked for, else doubling; spread at random, if nobody paces it."""
    doubling: float = first * 2 ** (attempt - 1)
    if isinstance(error, RateLimitError):
        return error.retry_after or _LONGER_AFTER_REFUSAL * doubling
    return doubling * random.uniform(0.75, 1.25)  # noqa: S311  # no secret
