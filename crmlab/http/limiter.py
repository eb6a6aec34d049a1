"""When the next request may leave. Pure arithmetic on a clock that the caller reads.

A sliding window: at most ``burst`` requests leave in any ``burst / rate`` seconds, which also keeps to
"5 a second on average with bursts of 10". A refusal halves the rate, each answer adds a little until
it is whole again (additive increase, multiplicative decrease: Chiu and Jain 1989).
"""

from __future__ import annotations

from crmlab.connector import Limits

#: of the rate: what one answer adds, and the least that refusals leave
_STEP = 1 / 100
_LEAST = 1 / 16


class Departure:
    """A request on its way; `at` is when it left, None until then."""

    __slots__ = ("after", "at")

    def __init__(self, after: int) -> None:
        self.at: float | None = None
        #: the refusals that were known when its time was taken
        self.after = after


class Limiter:
    """One scope of one vendor: everything that it counts together.

    Ask `wait`, and again after that time, until it is 0; then `take`, and set the departure's `at` when
    the request really leaves. The vendor counts arrivals: windows are longer by `slack` seconds (at most a
    fiftieth), for a request may be that much faster on its way than the one before it.
    """

    def __init__(self, limits: Limits, *, slack: float = 0.0) -> None:
        self._burst = limits.burst
        window = limits.burst / limits.rate if limits.rate else 0.0
        self._window = window + min(slack, window / 50)
        #: requests in one window: below `burst` they leave one by one, evenly spread
        self._allowed = float(limits.burst)
        self._most = limits.burst * limits.ceiling / limits.rate if limits.rate and limits.ceiling else self._allowed
        #: of the last two windows
        self._log: list[Departure] = []
        self._paused_until = float("-inf")
        self._refusals = 0

    @property
    def rate(self) -> float | None:
        """Requests a second at the moment; None without a limit."""
        return self._allowed / self._window if self._window else None

    def wait(self, now: float) -> float:
        """Return the seconds until the next may leave; more, while others with a time have not left."""
        left = sorted(now if departure.at is None else departure.at for departure in self._log)
        ready, most = self._paused_until, max(self._burst, int(self._allowed))
        if len(left) >= most:
            ready = max(ready, left[-most] + self._window)
        if left and self._allowed < self._burst:
            ready = max(ready, left[-1] + self._window / self._allowed)
        return max(0.0, ready - now)

    def take(self, now: float) -> Departure:
        """Take the time that `wait` has found to have come."""
        oldest = now - 2 * self._window * max(1.0, 1 / self._allowed)
        self._log = [departure for departure in self._log if departure.at is None or departure.at > oldest]
        self._log.append(Departure(self._refusals))
        return self._log[-1]

    def answered(self, departure: Departure) -> None:
        """Raise the rate a little; beyond the documented one only while more than half of it is used."""
        used = self._allowed < self._burst or len(self._log) > self._allowed
        if departure.after == self._refusals and used:
            self._allowed = min(self._most, self._allowed + self._burst * _STEP)

    def refused(self, departure: Departure, now: float, seconds: float) -> None:
        """Let nothing leave for `seconds`, and halve the rate: once for all that left before."""
        self._paused_until = max(self._paused_until, now + seconds)
        if departure.after == self._refusals:
            self._refusals += 1
            self._allowed = max(self._burst * _LEAST, self._allowed / 2)
