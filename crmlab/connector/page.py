"""What comes back, as a value, and what a refusal means. Nothing here does I/O."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any, TypeVar, cast

import msgspec

from crmlab.connector.request import Request
from crmlab.errors import (
    ApiError,
    AuthError,
    NotFoundError,
    RateLimitError,
    ServerError,
    TransportError,
)
from crmlab.schema import FIRST_YEAR, LAST_YEAR

T = TypeVar("T")

#: the status of an answer that has no body, and needs none
NO_CONTENT = 204
#: where a page keeps its repaired body
_REPAIRED = "repaired"
#: bytes of a body that is repaired: it takes several copies
_MAX_REPAIRED = 32_000_000
#: bytes of a refusal in which its words are looked for
_LOOKED_AT = 2_000
#: words of a refusal that is about how fast or how much was asked, not about rights
_SPEAKS_OF_A_RATE = (
    r"(?i)rate.{0,3}(limit|exceed)|too many|too fast|throttl|quota|slow down|"
    r"(request|connection|call|usage)s?[ _.-]*limit|limit[ _.-]*(exceeded|reached)|(requests|calls) (per|a|an) "
)

#: nobody has so many of anything; more would fit into no column
_MAX_COUNT = 2**53
_MAX_DIGITS = 20

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
#: escapes in JSON text: any but \u, a proper pair, or half of one
_ESCAPE = re.compile(
    rb"\\[^u]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One answer. The body is personal data: never shown."""

    request: Request
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    #: from the request to the last byte of the answer
    seconds: float = 0.0
    #: characters that came as half of a surrogate pair, each now U+FFFD; see `replace_lone_surrogates`
    lone_surrogates: int = 0
    #: where its records stood, if not where they are documented
    list_at: str = ""
    #: whether nothing stood in the place of its records, which is taken for an empty list
    lacks_list: bool = False
    #: why records may be missing, and what else there is to say, as far as it showed when the answer was restated
    doubts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    _read: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def read(self, type_: type[T]) -> T:
        """Return the parts of the body that `type_` names; skip, but check, the rest.

        An answer without content (204) reads as an empty object or list. What no JSON reader takes and what is
        clear nevertheless is read, see `crmlab.connector.repair`.

        Raises
        ------
        TransportError
            the body is not JSON, is cut off, or the named parts have another type
        """
        if type_ not in self._read:
            self._read[type_] = self._decoded(type_)
        return cast("T", self._read[type_])

    def _decoded(self, type_: type[T]) -> T:
        try:
            return self._as(type_)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            # the message of a decode error holds positions and types, never values
            raise TransportError(
                f"{self.request.method} {self.request.path} answered HTTP {self.status} with "
                f"{len(self.body):,} bytes of {self.headers.get('content-type', 'unknown type')} "
                f"that are not the expected JSON ({error})"
            ) from None

    def _as(self, type_: type[T]) -> T:
        if self.has_no_content:
            return _nothing(type_)
        body = self._read.get(_REPAIRED, self.body)
        try:
            return msgspec.json.decode(body, type=type_)
        except msgspec.ValidationError:  # it is JSON, of another shape
            raise
        except (msgspec.DecodeError, RecursionError):
            if _REPAIRED in self._read or len(self.body) > _MAX_REPAIRED:
                raise
            from crmlab.connector.repair import repaired  # noqa: PLC0415  # hardly ever needed

            mended = self._read[_REPAIRED] = repaired(self.body)
            return msgspec.json.decode(mended, type=type_)

    @property
    def has_no_content(self) -> bool:
        """Whether the service says with its status (204) that there is nothing."""
        return self.status == NO_CONTENT and not self.body.strip()

    @property
    def succeeded(self) -> bool:
        """Whether HTTP says so; some services write errors into such answers all the same."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """Return a header; names in `headers` are lower case."""
        return self.headers.get(name.lower())

    @cached_property
    def sent_at(self) -> dt.datetime | None:
        """When it was answered, in whole seconds of the service's clock (``Date``: RFC 9110, 6.6.1)."""
        try:
            moment = parsedate_to_datetime(self.header("date") or "").astimezone(dt.UTC)
        except (ValueError, OverflowError):
            return None
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            return None
        return moment


def _nothing(type_: type[T]) -> T:
    """Return the empty object or list that a type takes."""
    try:
        return msgspec.json.decode(b"{}", type=type_)
    except msgspec.ValidationError:
        return msgspec.json.decode(b"[]", type=type_)


def whole_number(value: object) -> int | None:
    """Return what a service counts, be it written as 12, 12.0 or "12"; None for anything that counts nothing."""
    if isinstance(value, str):
        counts = value.strip().isdecimal() and len(value) <= _MAX_DIGITS
    elif isinstance(value, float):
        counts = value.is_integer()
    else:
        counts = isinstance(value, int) and not isinstance(value, bool)
    if not counts:
        return None
    number = int(cast("str | float", value))
    return number if 0 <= number <= _MAX_COUNT else None


def replace_lone_surrogates(body: bytes) -> tuple[bytes, int]:
    """Return the JSON with each half of a surrogate pair as U+FFFD, and how many there were.

    Services that cut text by UTF-16 units send such halves; no JSON reader accepts them, and one
    would cost its whole page.
    """
    if not _SURROGATE.search(body):
        return body, 0
    count = 0

    def replaced(escape: re.Match[bytes]) -> bytes:
        nonlocal count
        is_half = bool(escape[1])
        if not is_half:
            return escape[0]
        count += 1
        return rb"\ufffd"

    return _ESCAPE.sub(replaced, body), count


#: a server, or a gateway before it, that gave up waiting (RFC 9110, 15.5.9) or wants to be asked later (RFC 8470, 5.2)
_NOT_NOW = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)


def retry_after(page: Page, *, now: float) -> float | None:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110, 10.2.3: seconds or a date)."""
    value = page.header("retry-after")
    if not value:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    return max(0.0, when.timestamp() - now)


def refuse(
    page: Page, *, now: float, code: str = "", detail: str = "", status: int = 0
) -> ApiError:
    """Return the error for an answer that is a refusal; `status` overrides the HTTP one."""
    status = status or page.status
    request_id = page.header("request-id") or page.header("x-request-id") or ""
    wait = retry_after(page, now=now)
    if _is_too_fast(page, status, wait, f"{code} {detail} "):
        error = RateLimitError(status, code, detail, request_id, retry_after=wait)
        if page.status == 403 and not _is_json(page.body):
            error.hint = (
                "a 403 that is no JSON means too many requests, "
                "or a firewall in between that refuses this address"
            )
        return error
    if status in (401, 403):
        return AuthError(status, code, detail, request_id)
    if status == 404:
        return NotFoundError(status, code, detail, request_id)
    if status >= 500 or status in _NOT_NOW:
        return ServerError(status, code, detail, request_id)
    if 300 <= status < 400:
        hint = "redirects are not followed, the key would travel along; check base_url"
        return ApiError(status, code, detail, request_id, hint)
    return ApiError(status, code, detail, request_id)


def _is_too_fast(page: Page, status: int, wait: float | None, words: str) -> bool:
    """Whether a refusal means that too much was asked.

    Some services say so as 403 or 503, and name the seconds to wait, or a rate, or answer no JSON.
    """
    if status == 429:
        return True
    if status in (403, 503) and wait is not None:
        return True
    if status != 403:
        return False
    if page.status == 403:
        if not _is_json(page.body):
            return True
        words += page.body[:_LOOKED_AT].decode("utf-8", "replace")
    return bool(re.search(_SPEAKS_OF_A_RATE, words))


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def read_refusal(page: Page, default: T) -> T:
    """Return the parts of a refusal's body that the type of `default` names; `default` where it is no such JSON.

    A proxy in between may answer with a page of its own: there the status is enough.
    """
    try:
        return msgspec.json.decode(page.body, type=type(default))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return default
