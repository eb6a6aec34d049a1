"""Which account is read by which worker, and when: so that the limit of a vendor holds on all machines. Pure.

A limiter lives in one process. So accounts that a vendor counts together by the address that they come from are all
read by one worker of each machine; each machine has an address of its own, and its own limit. An account that is
counted by itself is read by one worker at a time, whichever. Where there is no limit, any worker takes the next.

A worker that is gone may have used up the limit a moment ago, and nobody knows. What it read is read by another one
only when the window of the limit is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from zlib import crc32

from crmlab.connector import Limits
from crmlab.http import Scope

#: how often an account is begun: one that is there whenever a worker dies may be why
MAX_ATTEMPTS = 3


@dataclass(slots=True, eq=False)
class Job:
    """One account that is to be read.

    `attempt` counts how often it was begun. It is not begun before `ready_at`.
    """

    name: str
    label: str
    scope: Scope
    limits: Limits
    attempt: int = 0
    ready_at: float = 0.0

    @property
    def needs_one_worker(self) -> bool:
        """Whether the vendor counts it together with others, so that these are read where it is."""
        return self.limits.rate is not None and self.limits.scope == "ip"

    @property
    def window(self) -> float:
        """Seconds after which a limit that was used up is whole again."""
        return self.limits.burst / self.limits.rate if self.limits.rate else 0.0


@dataclass(frozen=True, slots=True)
class Seat:
    """A worker: on which machine it is, and how many accounts it reads at a time."""

    address: str
    machine: str
    slots: int


@dataclass(slots=True, eq=False)
class _Lane:
    """Accounts that wait for the same: for the one worker of a machine that reads them, or for any."""

    is_pinned: bool = False
    waiting: deque[Job] = field(default_factory=deque)
    #: by machine, the one worker that reads them, and from when on
    worker_of: dict[str, str] = field(default_factory=dict)
    ready_at: dict[str, float] = field(default_factory=dict)
    window: float = 0.0


class Placement:
    """Where each account is read, and which ones are still to be read."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._lanes: dict[tuple[str, ...], _Lane] = {}
        self._seats: dict[str, Seat] = {}
        self._running: dict[Job, str] = {}
        for job in jobs:
            lane = self._lane(job)
            lane.waiting.append(job)
            lane.is_pinned = lane.is_pinned or job.needs_one_worker
            lane.window = max(lane.window, job.window)

    @property
    def waiting(self) -> list[Job]:
        """The accounts that nobody reads yet."""
        return [job for lane in self._lanes.values() for job in lane.waiting]

    @property
    def running(self) -> Mapping[Job, str]:
        """The accounts that are read, and by which worker."""
        return self._running

    @property
    def seats(self) -> list[Seat]:
        """The workers that are there."""
        return [*self._seats.values()]

    def see(self, seats: Iterable[Seat], now: float) -> list[Job]:
        """Know the workers that are there now; return what those read that are gone, which is waiting again.

        An account that was begun too often is returned as well, and does not wait: see `Job.attempt`.
        """
        self._seats = {seat.address: seat for seat in seats}
        for lane in self._lanes.values():
            for machine, address in [*lane.worker_of.items()]:
                if address not in self._seats:
                    del lane.worker_of[machine]
                    lane.ready_at[machine] = now + lane.window
        lost = [job for job, address in self._running.items() if address not in self._seats]
        for job in lost:
            self.give_back(job, now)
        return lost

    def give_back(self, job: Job, now: float) -> None:
        """Let an account wait again that a worker did not read to its end."""
        del self._running[job]
        job.ready_at = now + job.window
        if job.attempt < MAX_ATTEMPTS:
            self._lane(job).waiting.appendleft(job)

    def place(self, now: float) -> list[tuple[Job, str]]:
        """Return the accounts that are to be begun now, each with the address of its worker."""
        placed: list[tuple[Job, str]] = []
        free = self._free_slots()
        while True:
            found = self._next(free, now)
            if found is None:
                return placed
            job, address = found
            job.attempt += 1
            free[address] -= 1
            self._running[job] = address
            placed.append(found)

    def done(self, job: Job) -> None:
        """Take note that an account was read."""
        del self._running[job]

    def _free_slots(self) -> dict[str, int]:
        free = {address: seat.slots for address, seat in self._seats.items()}
        for address in self._running.values():
            if address in free:
                free[address] -= 1
        return free

    def _next(self, free: Mapping[str, int], now: float) -> tuple[Job, str] | None:
        """Return the next account to begin, on the worker that has most room; lanes take turns."""
        for address in sorted(free, key=lambda each: -free[each]):
            if free[address] <= 0:
                continue
            for key, lane in [*self._lanes.items()]:
                job = self._next_of(lane, self._seats[address], now)
                if job:
                    # the next one is of another service, as long as several have waiting accounts
                    self._lanes[key] = self._lanes.pop(key)
                    return job, address
        return None

    def _next_of(self, lane: _Lane, seat: Seat, now: float) -> Job | None:
        """Return the next account of a lane, if this worker may read it now."""
        if not lane.waiting or (lane.is_pinned and not self._is_pinned_to(lane, seat, now)):
            return None
        for _ in range(len(lane.waiting)):
            job = lane.waiting.popleft()
            if job.ready_at <= now:
                return job
            lane.waiting.append(job)
        return None

    def _is_pinned_to(self, lane: _Lane, seat: Seat, now: float) -> bool:
        """Whether this is the one worker of its machine that reads the accounts of a lane."""
        if lane.ready_at.get(seat.machine, 0.0) > now:
            return False
        if seat.machine not in lane.worker_of:
            beside = [each for each in self._seats.values() if each.machine == seat.machine]
            # whoever else refreshes at the same time finds the same worker, and so shares its limiter
            key = min(job.scope for job in lane.waiting)
            lane.worker_of[seat.machine] = max(beside, key=lambda each: _rank(key, each)).address
        return lane.worker_of[seat.machine] == seat.address

    def _lane(self, job: Job) -> _Lane:
        provider, host, _ = job.scope
        counted = "together" if job.needs_one_worker else "apart"
        return self._lanes.setdefault((provider, host, counted), _Lane())


def _rank(scope: Scope, seat: Seat) -> tuple[int, str]:
    """Return the place of a worker among those of its machine: another one for each scope, so that all have some."""
    return crc32(repr((scope, seat.address)).encode()), seat.address
