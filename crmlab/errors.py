"""Every error that leaves crmlab.

::

    CrmlabError
    ├── CredentialError      a key is missing or malformed; nothing was sent
    ├── UsageError           asked wrongly: an argument is not what the function takes (unknown table, wrong type)
    ├── PlanError            asked rightly, and cannot be planned as it is; nothing was sent
    ├── Stopped              the fetch was told to stop before the end of this
    ├── TransportError       no usable answer: unreachable host, timeout, a body that is not JSON
    ├── UnknownOutcomeError  a change was sent, and no answer tells whether it was made
    ├── ApiError             the service answered, and refused
    │   ├── AuthError        401 or 403: wrong key, or no right to this resource
    │   ├── NotFoundError    404
    │   ├── RateLimitError   429, or a Retry-After: ``retry_after`` seconds if the service said so
    │   └── ServerError      5xx, 408, 425
    ├── PagingError          a list that cannot be followed to its end
    ├── SchemaError          data that does not have the declared shape
    └── InternalError        a fault of crmlab's own, or of a provider's description

Messages never hold a secret: errors of other libraries are translated at the border with
``from None``, because theirs carry headers and query strings.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TypeVar

Raised = TypeVar("Raised", bound=BaseException)


class CrmlabError(Exception):
    """Anything that crmlab raises on purpose."""

    #: where it happened, e.g. ``"onepagecrm account 'sales'"`` and ``"deals"``; set by whoever knows
    account: str = ""
    resource: str = ""
    #: whether nothing of that account can work, whatever is asked for
    of_account: bool = False
    #: what to do about errors of this kind, and about this one where more is known
    advice: str = ""
    hint: str = ""
    #: how often it was asked in vain, and for how long, where it was asked again
    tries: str = ""

    @property
    def where(self) -> str:
        """Where it happened, as its message begins."""
        return _joined(", ", (self.account, self.resource))

    @property
    def what(self) -> str:
        """What happened, without where and what to do."""
        return super().__str__()

    @property
    def what_to_do(self) -> str:
        """What to do about it."""
        return self.hint or self.advice

    def __str__(self) -> str:
        message = self.what
        if self.where:
            message = f"{self.where}: {message}"
        return _joined("; ", (message, self.tries, self.hint))


def _joined(separator: str, parts: Iterable[str]) -> str:
    """Join the parts that are not empty."""
    return separator.join(part for part in parts if part)


class CredentialError(CrmlabError):
    """A credential is missing or malformed; nothing was sent."""


class UsageError(CrmlabError, ValueError):
    """Asked wrongly: an argument is not what the function takes."""


class PlanError(CrmlabError, ValueError):
    """Asked rightly, and cannot be planned as it is; nothing was sent."""


class Stopped(CrmlabError):
    """The fetch was told to stop before the end of this."""

    advice = "fetch again, and let it end"


class TransportError(CrmlabError):
    """No usable answer came: unreachable, timed out, cut off, too large, or not JSON."""

    #: whether the next try may succeed; not where it took too long or was too much
    worth_repeating: bool = True
    #: whether the request may have reached the service; not where there was no connection
    sent: bool = True

    advice = "fetch again; if it happens again, look at the network and at base_url"


class UnknownOutcomeError(CrmlabError):
    """A change was sent, and no answer tells whether it was made; it is not sent again."""

    advice = "look at the record in the service before you send it again: it may be there already"


class PagingError(CrmlabError):
    """A list cannot be followed to its end."""

    advice = (
        "fetch again; if it happens again, the service does not page as documented: "
        "please report it where you got crmlab from"
    )


class SchemaError(CrmlabError):
    """Data does not have the declared shape."""

    advice = "the service does not answer as documented: please report it where you got crmlab from"


class InternalError(CrmlabError):
    """A fault of crmlab's own, or of a provider's description: no service and no key is to blame."""

    advice = "please report it where you got crmlab from, with this message and the versions of crmlab and Polars"


class ApiError(CrmlabError):
    """The service answered, and refused.

    Attributes: ``status`` (HTTP), ``code`` (the service's own word or number), ``detail`` and
    ``request_id`` (quote it to the vendor's support) where the service gives them.
    """

    advice = "the service refuses this question: ask for less, or for other tables"

    def __init__(
        self, status: int, code: str = "", detail: str = "", request_id: str = "", hint: str = ""
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.hint = hint
        self.of_account = status == HTTPStatus.UNAUTHORIZED
        super().__init__(status, code, detail)

    @property
    def what(self) -> str:
        """What happened, without where and what to do."""
        message = f"HTTP {self.status}"
        for service_words in (self.code, self.detail):
            # many services give the status once more as their code
            if service_words not in ("", str(self.status)):
                message += f" · {service_words}"
        if self.request_id:
            message += f" (request {self.request_id})"
        return message


class AuthError(ApiError):
    """The key was refused (401: nothing of that account can work), or lacks a right (403)."""


class NotFoundError(ApiError):
    """There is no such thing (404)."""

    advice = "this address or account does not have it: look at base_url, or leave these tables out"


class ServerError(ApiError):
    """The service failed (5xx), or could not answer now (408, 425)."""

    advice = "fetch again later; if it happens again, tell the vendor"


class RateLimitError(ApiError):
    """Too many requests (429), or a service that asks to be left alone for a time (Retry-After)."""

    advice = "fetch again in a minute; other programs that use this account share its limit"

    def __init__(
        self,
        status: int,
        code: str = "",
        detail: str = "",
        request_id: str = "",
        *,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(status, code, detail, request_id)
        self.retry_after = retry_after


class MisfitWarning(UserWarning):
    """Data of one's own were taken, and something in them needs a look. It is a warning, not an error."""


def without_trace(error: Raised) -> Raised:
    """Return an error without the functions that it came through: their variables may hold what a service says.

    A service may give back the key that it was sent, and a traceback may show the variables of each function.
    """
    error.__context__ = None
    return error.with_traceback(None)


#: what a read may try again: the next attempt can succeed
RETRYABLE = (TransportError, RateLimitError, ServerError)
