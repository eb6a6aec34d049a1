"""The envelope of JSON:API around every answer: what signs a request, and what an answer says is wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from crmlab.connector import Page, Request, read_refusal, refuse
from crmlab.errors import ApiError

#: data that hold nothing
_NOTHING = re.compile(rb"\s*(?:null|\[\s*\]|\{\s*\})\s*")
#: the service's words for refusals that come without a usable HTTP status
_STATUSES = {
    "MISSING_AUTHORIZATION_HEADER": 401,
    "UNKNOWN_TOKEN_TYPE": 401,
    "INVALID_TOKEN_TYPE": 401,
    "UNKNOWN_TOKEN": 401,
    "SITE_ACCESS_FORBIDDEN": 403,
    "REQUEST_LIMIT_REACHED": 429,
    "CONNECTION_LIMIT_REACHED": 429,
    "SERVER_ERROR": 500,
}


class _Error(msgspec.Struct):
    # any of them may be absent, and numbers may come as text
    code: Any = None
    title: Any = None
    detail: Any = None
    status: Any = None


class _Errors(msgspec.Struct):
    errors: list[_Error] | None = None


class _Answer(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")
    # beside data, one error alone or a text is an error as well
    errors: Any = None

    def listed_errors(self) -> list[_Error]:
        items = self.errors
        if not isinstance(items, list):
            items = [items]
        return [_error(item) for item in items if item]

    @property
    def has_data(self) -> bool:
        return not _NOTHING.fullmatch(bytes(self.data))


#: some operations, such as the events collected, answer with plain JSON alone
_ACCEPT = "application/vnd.api+json, application/json;q=0.9"


def sign(request: Request, secrets: Mapping[str, str]) -> Request:
    """Return the request with the token, for the media types that answers have."""
    return request.with_headers(Authorization=f"Bearer {secrets['token']}", Accept=_ACCEPT)


def check(page: Page) -> None:
    """Raise the first error of an answer: some come with HTTP 200, and some stand alone. Beside data it is told."""
    if beside_data(page):
        return
    errors = _errors(page)
    if not errors:
        return
    code, detail = _words(errors[0])
    status = 0
    if page.succeeded:  # HTTP says that all is well: the error must say itself what it is
        status = _status(errors[0], code)
    raise refuse(page, now=time.time(), code=code, detail=detail, status=status)


def beside_data(page: Page) -> str:
    """Return what an answer says that its data lack; "" where it says nothing, or has no data."""
    has_data = page.succeeded and page.read(_Answer).has_data
    if not has_data:
        return ""
    return lacking(page)


def lacking(page: Page) -> str:
    """Return what an accepted answer says that its data lack; "" where it says nothing.

    It had data when it was checked: there may be no record in them.
    """
    if not page.succeeded:
        return ""
    errors = page.read(_Answer).listed_errors()
    if not errors:
        return ""
    in_words = " ".join(_words(errors[0])).strip() or "without a word"
    remark = f"an answer tells of errors beside its data: {in_words}"
    if len(errors) > 1:
        remark = f"{remark}, and {len(errors) - 1:,} more"
    return remark


def _words(error: _Error) -> tuple[str, str]:
    """Return the code of an error and what it is about."""
    return str(error.code or error.title or ""), str(error.detail or error.title or "")


def _errors(page: Page) -> list[_Error]:
    if page.succeeded:
        return page.read(_Errors).errors or []
    return read_refusal(page, _Errors()).errors or [read_refusal(page, _Error())]


def _error(item: Any) -> _Error:
    if not isinstance(item, dict):
        return _Error(detail=item)
    return msgspec.convert(item, _Error)


def _status(error: _Error, code: str) -> int:
    """Return the HTTP status that an error names, or that is known for its code; 0 where neither tells."""
    named_status = str(error.status)
    if named_status.isdigit() and int(named_status):
        return int(named_status)
    return _STATUSES.get(code, 0)


def is_empty_answer(error: ApiError, request: Request) -> bool:
    """Whether this is how the service says that there is no data (not: no such path)."""
    return error.status == 404 and "no data" in error.detail.lower()
