"""How fast an API may be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How fast an API may be asked.

    `rate` requests a second on average (None: no limit), `burst` of them at once: at most `burst` in any
    ``burst / rate`` seconds. `concurrency` of each account in flight. `scope` is what the vendor counts
    by: all accounts of one machine ("ip") or each account by itself ("account"). `ceiling` is for an API
    that documents no limit: the rate up to which it is asked faster, slowly, while it refuses nothing.

    All fetches, threads and event loops of a process share the limiter of a scope. Where they were given different
    limits, every one of these holds as long as somebody asks within it, and a warning says so.

    Examples
    --------
    >>> from crmlab import Limits
    >>> Limits(rate=2, burst=10)  # ten at once, then two a second
    Limits(rate=2, burst=10, concurrency=10, scope='ip', ceiling=None)
    """

    rate: float | None = None
    burst: int = 1
    concurrency: int = 10
    scope: Literal["ip", "account"] = "ip"
    ceiling: float | None = None

    def __post_init__(self) -> None:
        if (self.rate is not None and self.rate <= 0) or self.burst < 1 or self.concurrency < 1:
            raise ValueError("rate must be positive or None; burst and concurrency at least 1")
        if self.ceiling is not None and (self.rate is None or self.ceiling < self.rate):
            raise ValueError("ceiling must be at least rate")
