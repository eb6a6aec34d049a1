"""When the next request may leave. Pure arithmetic on a clock that the caller reads.

The generic cell rate algorithm (ITU-T I.371): in any t seconds at most ``burst + rate * t``
requests leave, which is what "5 a second on average with bursts of 10" allows.
"""

from __future__ import annotations

from crmlab.provider import Limits


class Limiter:
    """One scope of one vendor: everything that it counts together.

    The vendor counts arrivals, and one request may be up to `slack` seconds longer on its way than the
    next (the first also connects): the bursts are made smaller by that much, once.
    """

    def __init__(self, limits: Limits, *, slack: float = 0.0) -> None:
        self._interval = 1 / limits.rate if limits.rate else 0.0
        self._tolerance = max(0.0, (limits.burst - 1) * self._interval - slack)
        self._due = float("-inf")

    def reserve(self, now: float) -> float:
        """Take the next place; return the seconds to wait for it."""
        at = max(now, self._due - self._tolerance)
        self._due = max(self._due, at) + self._interval
        return at - now

    def pause(self, now: float, seconds: float) -> None:
        """Let nothing leave for `seconds`, and no burst after that."""
        self._due = max(self._due, now + seconds + self._tolerance)
