"""When the next request may leave. Pure arithmetic on a clock that the caller reads.

A sliding window: at most ``burst`` requests leave in any ``burst / rate`` seconds, which also keeps to
"5 a second on average with bursts of 10". A refusal halves the rate, each answer adds a little until
it is whole again (additive increase, multiplicative decrease: Chiu and Jain 1989).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

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


class _Window:
    """What one set of limits lets leave, and at which rate at the moment."""

    def __init__(self, limits: Limits, slack: float) -> None:
        self._burst = limits.burst
        self._seconds = 0.0
        #: requests in one window: below `burst` they leave one by one, evenly spread
        self._allowed = float(limits.burst)
        self._max_allowed = self._allowed
        if limits.rate:
            window = limits.burst / limits.rate
            self._seconds = window + min(slack, window * _MAX_SLACK)
        if limits.rate and limits.ceiling:
            self._max_allowed = limits.burst * limits.ceiling / limits.rate

    @property
    def rate(self) -> float | None:
        if not self._seconds:
            return None
        return self._allowed / self._seconds

    @property
    def remembered(self) -> float:
        """Seconds for which departures count: two windows."""
        return 2 * self._seconds * max(1.0, 1 / self._allowed)

    def ready_at(self, departures: list[float]) -> float:
        """Return when the next may leave after these, which are in order."""
        max_in_window = max(self._burst, int(self._allowed))
        ready_at = float("-inf")
        if len(departures) >= max_in_window:
            ready_at = departures[-max_in_window] + self._seconds
        if departures and self._allowed < self._burst:
            ready_at = max(ready_at, departures[-1] + self._seconds / self._allowed)
        return ready_at

    def raise_rate(self, departures: int) -> None:
        is_used = self._allowed < self._burst or departures > self._allowed
        if is_used:
            self._allowed = min(self._max_allowed, self._allowed + self._burst * _STEP)

    def halve_rate(self) -> None:
        self._allowed = max(self._burst * _MIN_SHARE, self._allowed / 2)


class Limiter:
    """One scope of one vendor: everything that it counts together.

    Ask `wait`, and again after that time, until it is 0; then `take` a ticket, and set its `left_at` when
    the request really leaves. The vendor counts arrivals: windows are longer by `slack` seconds (at most a
    fiftieth), for a request may be that much faster on its way than the one before it.

    Several limits may hold at once, where whoever asks was given different ones: a request leaves when all of
    them let it.
    """

    def __init__(self, limits: Limits, *, slack: float = 0.0) -> None:
        self._slack = slack
        #: of all limits that ever held: a rate that was halved stays so
        self._windows: dict[Limits, _Window] = {}
        self.hold([limits])
        #: of the last two windows
        self._tickets: list[Ticket] = []
        self._paused_until = float("-inf")
        self._refusals = 0

    def hold(self, limits: Iterable[Limits]) -> None:
        """Keep to all of these from now on, and to no others."""
        self._holding: list[_Window] = []
        for held_limits in limits:
            if held_limits not in self._windows:
                self._windows[held_limits] = _Window(held_limits, self._slack)
            self._holding.append(self._windows[held_limits])

    @property
    def rate(self) -> float | None:
        """Requests a second at the moment; None without a limit."""
        rates = [window.rate for window in self._holding if window.rate is not None]
        return min(rates, default=None)

    def wait(self, now: float) -> float:
        """Return the seconds until the next may leave; more, while others with a ticket have not left."""
        departures = sorted(
            [now if ticket.left_at is None else ticket.left_at for ticket in self._tickets]
        )
        ready_at = self._paused_until
        for window in self._holding:
            ready_at = max(ready_at, window.ready_at(departures))
        return max(0.0, ready_at - now)

    def take(self, now: float) -> Ticket:
        """Take a ticket, when `wait` has found that the next may leave."""
        oldest = now - max(window.remembered for window in self._holding)
        self._tickets = [
            ticket for ticket in self._tickets if ticket.left_at is None or ticket.left_at > oldest
        ]
        ticket = Ticket(self._refusals)
        self._tickets.append(ticket)
        return ticket

    def answered(self, ticket: Ticket) -> None:
        """Raise the rate a little; beyond the documented one only while more than half of it is used."""
        if ticket.known_refusals == self._refusals:
            for window in self._holding:
                window.raise_rate(len(self._tickets))

    def refused(self, ticket: Ticket, now: float, seconds: float) -> None:
        """Let nothing leave for `seconds`, and halve the rate: once for all that left before."""
        self._paused_until = max(self._paused_until, now + seconds)
        if ticket.known_refusals == self._refusals:
            self._refusals += 1
            for window in self._holding:
                window.halve_rate()


def strictest_of(limits: Collection[Limits]) -> Limits:
    """Return limits that are no wider than any of these, to plan with: each number is the least of theirs."""
    rates: list[float] = []
    ceilings: list[float] = []
    for given_limits in limits:
        if given_limits.rate is not None:
            rates.append(given_limits.rate)
            # without a ceiling, the documented rate is as far as it goes
            ceilings.append(given_limits.ceiling or given_limits.rate)
    return replace(
        next(iter(limits)),
        rate=min(rates, default=None),
        burst=min(given_limits.burst for given_limits in limits),
        concurrency=min(given_limits.concurrency for given_limits in limits),
        ceiling=min(ceilings, default=None),
    )
