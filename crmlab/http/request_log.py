"""A line for each request, for whoever asks for it: ``logging.getLogger("crmlab").setLevel("DEBUG")``.

It tells what was asked, how it ended and how long it took, and neither parameters nor anything of an answer: the ids
in a path are left out.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from crmlab.accounts import Account
from crmlab.connector import Request
from crmlab.errors import ApiError

LOG = logging.getLogger("crmlab")
#: parts of a path that no documentation has: with a digit, though "v1" and "v1.1" are versions, escapes, or very long
_FILLED_IN = re.compile(r"^(?!v\d[\d.]*$).*[\d@%]|.{40}")


def _without_ids(path: str) -> str:
    """Return a path with an ellipsis for what is filled in: an id or an address is of a person."""
    shown_parts: list[str] = []
    for path_part in path.split("/"):
        is_filled_in = _FILLED_IN.search(path_part) is not None
        shown_parts.append("…" if is_filled_in else path_part)
    return "/".join(shown_parts)


class RequestLog:
    """What is told of one request, which waits for its limit from now on."""

    def __init__(self, account: Account, request: Request, attempt: int) -> None:
        self.status = 0
        self._account = account
        self._request = request
        self._attempt = attempt
        self._asked_at = time.monotonic()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Log the line once what is done here has ended; `status` is set by then where an answer came."""
        sent_at = time.monotonic()
        how_it_ended = ""
        try:
            yield
        except ApiError as error:
            self.status = error.status
            raise
        except BaseException as error:
            how_it_ended = type(error).__name__
            raise
        finally:
            if LOG.isEnabledFor(logging.DEBUG):
                self._log(how_it_ended or self.status, sent_at)

    def _log(self, outcome: str | int, sent_at: float) -> None:
        LOG.debug(
            "%s: %s %s %s %.0f ms, waited %.0f ms, try %d",
            self._account.label,
            self._request.method,
            self._account.redact(_without_ids(self._request.path)),
            outcome,
            1_000 * (time.monotonic() - sent_at),
            1_000 * (sent_at - self._asked_at),
            self._attempt,
        )
