"""Every error that leaves crmlab.

::

    CrmlabError
    ├── CredentialError      a key is missing or malformed; nothing was sent
    ├── PlanError            the question itself cannot be asked (unknown table, since after until)
    ├── Stopped              the fetch was told to stop before the end of this
    ├── TransportError       no usable answer: unreachable host, timeout, a body that is not JSON
    ├── ApiError             the service answered, and refused
    │   ├── AuthError        401 or 403: wrong key, or no right to this resource
    │   ├── NotFoundError    404
    │   ├── RateLimitError   429, or a Retry-After: ``retry_after`` seconds if the service said so
    │   └── ServerError      5xx
    ├── PagingError          a list that cannot be followed to its end
    └── SchemaError          data that does not have the declared shape

Messages never hold a secret: errors of other libraries are translated at the border with
``from None``, because theirs carry headers and query strings.
"""

from __future__ import annotations

from http import HTTPStatus


class CrmlabError(Exception):
    """Anything that crmlab raises on purpose."""

    #: where it happened, e.g. ``"onepagecrm account 'sales', deals"``; set by whoever knows
    where: str = ""
    #: whether nothing of that account can work, whatever is asked for
    of_account: bool = False

    @property
    def reason(self) -> str:
        """What went wrong, without where."""
        return super().__str__()

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}" if self.where else self.reason


class CredentialError(CrmlabError):
    """A credential is missing or malformed; nothing was sent."""


class PlanError(CrmlabError, ValueError):
    """The question itself cannot be asked; nothing was sent."""


class Stopped(CrmlabError):
    """The fetch was told to stop before the end of this."""


class TransportError(CrmlabError):
    """No usable answer came: unreachable, timed out, cut off, or not JSON."""


class PagingError(CrmlabError):
    """A list cannot be followed to its end."""


class SchemaError(CrmlabError):
    """Data does not have the declared shape."""


class ApiError(CrmlabError):
    """The service answered, and refused.

    Attributes: ``status`` (HTTP), ``code`` (the service's own word or number), ``detail`` and
    ``request_id`` (quote it to the vendor's support) where the service gives them.
    """

    def __init__(self, status: int, code: str = "", detail: str = "", request_id: str = "", hint: str = "") -> None:
        self.status, self.code, self.detail = status, code, detail
        self.request_id, self.hint = request_id, hint
        self.of_account = status == HTTPStatus.UNAUTHORIZED
        super().__init__(status, code, detail)

    @property
    def reason(self) -> str:
        """What the service said, without where."""
        parts = [f"HTTP {self.status}"]
        parts += [part for part in (self.code, self.detail) if part not in ("", str(self.status))]
        text = " · ".join(parts)
        if self.request_id:
            text += f" (request {self.request_id})"
        if self.hint:
            text += f"; {self.hint}"
        return text


class AuthError(ApiError):
    """The key was refused (401: nothing of that account can work), or lacks a right (403)."""


class NotFoundError(ApiError):
    """There is no such thing (404)."""


class ServerError(ApiError):
    """The service failed (5xx)."""


class RateLimitError(ApiError):
    """Too many requests (429), or a service that asks to be left alone for a time (Retry-After)."""

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


#: what a read may try again: the next attempt can succeed
RETRYABLE = (TransportError, RateLimitError, ServerError)
