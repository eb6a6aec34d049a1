"""Random numbers, ids and moments that people work at."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import TypeVar
from zlib import crc32

from crmlab.sandbox.world.model import object_id

_Thing = TypeVar("_Thing")
_Other = TypeVar("_Other")

_MONTHS = (0.9, 1.0, 1.2, 1.05, 1.05, 1.0, 0.7, 0.55, 1.2, 1.25, 1.1, 0.65)
_WEEKDAYS = (1.0, 1.15, 1.15, 1.1, 0.85, 0.1, 0.05)
#: work done in each hour of the day, added up
_HOURS = [0.0, *accumulate((0, 0, 0, 0, 0, 0.1, 0.4, 1.5, 4, 6, 6, 4.5,
                            2.5, 4, 5.5, 5, 3.5, 1.5, 0.6, 0.4, 0.3, 0.2, 0, 0))]  # fmt: skip


class Stream(Random):
    """The random numbers and the ids of one table; the key is the world's seed and the table."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.kind = crc32(key.encode())
        self.count = 0

    def id(self, at: datetime) -> str:
        """The next id."""
        self.count += 1
        return object_id(at, self.kind, self.count)


class Calendar:
    """Draws moments between two days as people work: seasons, weekdays, business hours (UTC)."""

    def __init__(self, first: date, last: date, growth: float = 0.0) -> None:
        self.start = datetime.combine(first, time(), UTC)
        self.size = (last - first).days + 1
        self.end = self.start + timedelta(days=self.size)
        weights = []
        for number in range(self.size):
            day = first + timedelta(days=number)
            usual_work = _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()]
            weights.append(usual_work * (1 + growth * number / self.size))
        #: work done before each day, added up: a moment is drawn by how much of it is done
        self.days = [0.0, *accumulate(weights)]

    def moment(
        self,
        rng: Random,
        after: datetime | None = None,
        before: datetime | None = None,
    ) -> datetime:
        """A moment from the day after `after` to the day before `before`, or just between both."""
        first_day = 0
        if after is not None:
            first_day = max(0, (after - self.start).days + 1)
        end_day = self.size
        if before is not None:
            end_day = min(self.size, (before - self.start).days)
        # no whole day lies in between
        if first_day >= end_day:
            return between(rng, after or self.start, before or self.end)
        work_before = self.days[first_day]
        work_drawn = work_before + rng.random() * (self.days[end_day] - work_before)
        day_number = min(bisect_right(self.days, work_drawn), end_day) - 1
        work_of_day = rng.random() * _HOURS[-1]
        hour_number = bisect_right(_HOURS, work_of_day) - 1
        seconds = int(rng.random() * 3600)
        return self.start + timedelta(days=day_number, hours=hour_number, seconds=seconds)

    def soon(self, rng: Random, after: datetime, mean_days: float) -> datetime:
        """A moment some days after another: often soon, seldom late, perhaps past the end."""
        seconds = int(rng.expovariate(1 / mean_days) * 86_400)
        exact_time = after + timedelta(seconds=seconds)
        if exact_time >= self.end:
            return exact_time
        # that may be a Sunday night: some days around it there are hours in which people work
        margin = timedelta(days=4)
        return max(after, self.moment(rng, exact_time - margin, exact_time + margin))

    def last_change(self, rng: Random, created_at: datetime, *, unchanged: float) -> datetime:
        """When a record was changed last; in that share of cases never since it was created."""
        if rng.random() < unchanged:
            return created_at
        return self.moment(rng, created_at)


def between(rng: Random, low: datetime, high: datetime) -> datetime:
    """A moment between two others, every second as likely."""
    whole_seconds = max(0, int((high - low).total_seconds()))
    seconds = int(rng.random() * whole_seconds)
    return low + timedelta(seconds=seconds)


def sometimes(
    rng: Random, share: float, things: Sequence[_Thing], otherwise: _Other
) -> _Thing | _Other:
    """One of the things in that share of cases: another number is drawn only then."""
    if rng.random() < share:
        return rng.choice(things)
    return otherwise


def weighted(rng: Random, weights: Mapping[_Thing, float]) -> _Thing:
    """One of the things, each as often as its weight says."""
    things = list(weights)
    [thing] = rng.choices(things, list(weights.values()))
    return thing


def share_of(rows: int, share: float) -> int:
    """How many make up this share, at least one."""
    return max(1, round(rows * share))


def spread(total: int, things: Sequence[_Thing]) -> dict[int, _Thing]:
    """Indices, spread over `total` rows but never the first, to put these things at."""
    # one more than things, so that none of them is at the end either
    intervals = len(things) + 1
    positions = {}
    for number, thing in enumerate(things, start=1):
        positions[number * total // intervals] = thing
    positions.pop(0, None)
    return positions
