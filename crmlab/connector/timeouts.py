"""How long a service may take, and how much it may send."""

from __future__ import annotations

from dataclasses import dataclass

from crmlab.connector.limits import Limits
from crmlab.errors import UsageError

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a service may take, how much it may send, and how often it is asked again. None is no limit.

    Parameters
    ----------
    answer
        Seconds for one answer, from the request to its last byte and with all tries: a server that is silent
        and one that sends a byte a second cost no more. Waits for the rate limit do not count. A file that is
        written to disk as it comes has a second more for every 10,000 bytes of it.
    connect
        Seconds until there is a connection.
    stall
        Seconds by the clock in which one list may bring no new record; then it is given up. Waits that the service
        asked for do not count, and answers that are under way side by side count once.
    total
        Seconds of the whole. A fetch is stopped then, and what came is returned. A plan, a check and a call have
        nothing to return before their end: they raise `Stopped`.
    max_body
        Bytes of one answer when it is unpacked: a megabyte of gzip can hold a thousand. A file that is written to
        disk as it comes may be larger.
    tries
        How often a request is sent at most, where the service does not answer or fails and may be asked again.
    first_wait
        Seconds before the second try, doubled before each further one; five times as long where the service says that
        it was asked too fast, and not how long to wait.

    Examples
    --------
    >>> from crmlab import Timeouts
    >>> Timeouts(answer=30, total=3600)  # half a minute for one answer, an hour for the whole
    Timeouts(answer=30, connect=15.0, stall=600.0, total=3600, max_body=256000000, tries=5, first_wait=0.2)
    """

    answer: float | None = 120.0
    connect: float | None = 15.0
    stall: float | None = 600.0
    total: float | None = None
    max_body: int | None = 256 * _MEGABYTE
    tries: int = 5
    first_wait: float = 0.2

    def __post_init__(self) -> None:
        for setting_name in ("answer", "connect", "stall", "total", "max_body"):
            setting_value = getattr(self, setting_name)
            if setting_value is not None and not setting_value > 0:
                raise ValueError(f"{setting_name} must be positive or None")
        if self.tries < 1 or self.first_wait < 0:
            raise ValueError("tries must be at least 1, and first_wait not negative")


def check_settings(limits: object, timeouts: object) -> None:
    """Raise a `UsageError` where something else was given in the place of limits or timeouts."""
    if not isinstance(limits, Limits | None):
        raise UsageError(f"limits are crmlab.Limits(...), not {type(limits).__name__}")
    if not isinstance(timeouts, Timeouts | None):
        raise UsageError(f"timeouts are crmlab.Timeouts(...), not {type(timeouts).__name__}")
