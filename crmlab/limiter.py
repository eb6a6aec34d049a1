"""When the next request may leave. Pure arithmetic on a clock that the caller reads.

The generic cell rate algorithm (ITU-T I.371): in any t seconds at most ``burst + rate * t``
requests leave, which is what "5 a second on average with bursts of 10" allows.
"""

from __future__ import annotations

from crmlab.provider import Limits


class Limiter:
    """One scope of one vendor: everything that it counts together."""

    def __init__(self, limits: Limits) -> None:
        self._interval = 1 / limits.rate if limits.rate else 0.0
        self._tolerance = (limits.burst - 1) * self._interval
        self._due = float("-inf")

    def reserve(self, now: float) -> float:
        """Take the next place; return the seconds to wait for it."""
        at = max(now, self._due - self._tolerance)
        self._due = max(self._due, at) + self._interval
        return at - now

    def pause(self, now: float, seconds: float) -> None:
        """Let nothing leave for `seconds`, and no burst after that."""
        self._due = max(self._due, now + seconds + self._tolerance)
