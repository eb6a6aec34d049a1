"""What of an answer may be kept: all of it but keys and passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from crmlab.accounts import Account
from crmlab.connector import Page, Request, Resource, is_secret
from crmlab.decoding import body_without_secrets
from crmlab.errors import CrmlabError
from crmlab.fetching.answer_file import AnswerFile

#: headers that are never kept, whatever they are called elsewhere
_CREDENTIALS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "set-cookie", "www-authenticate"}
)
#: words of a signed header that are shorter ("Bearer") are no secret
_SECRET_LENGTH = 8
_BLOT = "••••"


def without_secrets(
    account: Account, resource: Resource, page: Page, as_it_came: Page
) -> AnswerFile | None:
    """Return what may be kept of an answer; None where it may hold a secret and cannot be read."""
    cursors = frozenset(_cursors(page, resource))
    headers: dict[str, str] = {}
    for header_name, header_value in as_it_came.headers.items():
        if header_name in _CREDENTIALS or (is_secret(header_name) and header_value not in cursors):
            continue
        headers[header_name] = _redacted(header_value, account, page.request)
    try:
        kept_body = body_without_secrets(
            as_it_came.body, account.provider.secret_names, except_for=cursors
        )
    except ValueError:
        return None
    body_text = kept_body.decode("utf-8", "surrogateescape")
    kept_body = _redacted(body_text, account, page.request).encode("utf-8", "surrogateescape")
    return AnswerFile.of_page(as_it_came, body=kept_body, headers=headers)


def _cursors(page: Page, resource: Resource) -> Iterator[str]:
    """Yield the values that the requests which follow a page take from it: they name the next page."""
    if not page.succeeded:
        return
    with suppress(CrmlabError):  # the reader meets it, too
        for following in resource.follow(page):
            yield from following.params.values()
            yield from _texts_in(following.body)


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts_in(part)


def _redacted(text: str, account: Account, request: Request) -> str:
    """Return a text without this account's own secrets, as they are and as headers carry them."""
    for header_word in " ".join(account.sign(request).headers.values()).split():
        if len(header_word) >= _SECRET_LENGTH:
            text = text.replace(header_word, _BLOT)
    return account.redact(text)
