"""When the next request may leave. Pure arithmetic on a clock that the caller reads.

A sliding window: at most ``burst`` requests leave in any ``burst / rate`` seconds, which also keeps to
"5 a second on average with bursts of 10". A refusal halves the rate, each answer adds a little until
it is whole again (additive increase, multiplicative decrease: Chiu and Jain 1989).
"""

from __future__ import annotations

from crmlab.connector import Limits

#: of the rate: what one answer adds
_STEP = 1 / 100
#: of the burst: what refusals leave at least
_MIN_SHARE = 1 / 16
#: of a window: what it is longer at most, however much slack is asked for
_MAX_SLACK = 1 / 50


class Ticket:
    """The right of one request to leave.

    `left_at` is when it left, None until then. `known_refusals` is how many the limiter knew when the
    ticket was taken: an answer says nothing of a rate that was halved after its request had left.
    """

    __slots__ = ("known_refusals", "left_at")

    def __init__(self, known_refusals: int) -> None:
        self.known_refusals = known_refusals
        self.left_at: float | None = None


class Limiter:
    """One scope of one vendor: everything that it counts together.

    Ask `wait`, and again after that time, until it is 0; then `take` a ticket, and set its `left_at` when
    the request really leaves. The vendor counts arrivals: windows are longer by `slack` seconds (at most a
    fiftieth), for a request may be that much faster on its way than the one before it.
    """

    def __init__(self, limits: Limits, *, slack: float = 0.0) -> None:
        self._burst = limits.burst
        window = limits.burst / limits.rate if limits.rate else 0.0
        self._window = window + min(slack, window * _MAX_SLACK)
        #: requests in one window: below `burst` they leave one by one, evenly spread
        self._allowed = float(limits.burst)
        self._max_allowed = self._allowed
        if limits.rate and limits.ceiling:
            self._max_allowed = limits.burst * limits.ceiling / limits.rate
        #: of the last two windows
        self._tickets: list[Ticket] = []
        self._paused_until = float("-inf")
        self._refusals = 0

    @property
    def rate(self) -> float | None:
        """Requests a second at the moment; None without a limit."""
        return self._allowed / self._window if self._window else None

    def wait(self, now: float) -> float:
        """Return the seconds until the next may leave; more, while others with a ticket have not left."""
        departures = sorted(now if ticket.left_at is None else ticket.left_at for ticket in self._tickets)
        max_in_window = max(self._burst, int(self._allowed))
        ready_at = self._paused_until
        if len(departures) >= max_in_window:
            ready_at = max(ready_at, departures[-max_in_window] + self._window)
        if departures and self._allowed < self._burst:
            ready_at = max(ready_at, departures[-1] + self._window / self._allowed)
        return max(0.0, ready_at - now)

    def take(self, now: float) -> Ticket:
        """Take a ticket, when `wait` has found that the next may leave."""
        oldest = now - 2 * self._window * max(1.0, 1 / self._allowed)
        self._tickets = [ticket for ticket in self._tickets if ticket.left_at is None or ticket.left_at > oldest]
        ticket = Ticket(self._refusals)
        self._tickets.append(ticket)
        return ticket

    def answered(self, ticket: Ticket) -> None:
        """Raise the rate a little; beyond the documented one only while more than half of it is used."""
        is_used = self._allowed < self._burst or len(self._tickets) > self._allowed
        if ticket.known_refusals == self._refusals and is_used:
            self._allowed = min(self._max_allowed, self._allowed + self._burst * _STEP)

    def refused(self, ticket: Ticket, now: float, seconds: float) -> None:
        """Let nothing leave for `seconds`, and halve the rate: once for all that left before."""
        self._paused_until = max(self._paused_until, now + seconds)
        if ticket.known_refusals == self._refusals:
            self._refusals += 1
            self._allowed = max(self._burst * _MIN_SHARE, self._allowed / 2)
