"""Random numbers, ids and moments that people work at."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import TypeVar
from zlib import crc32

from crmlab.sandbox.world.model import object_id

T = TypeVar("T")

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
        days = (first + timedelta(days=n) for n in range(self.size))
        weights = (
            _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()] * (1 + growth * n / self.size)
            for n, day in enumerate(days)
        )
        self.days = [0.0, *accumulate(weights)]

    def moment(
        self, rng: Random, after: datetime | None = None, before: datetime | None = None
    ) -> datetime:
        """A moment from the day after `after` to the day before `before`, or just between both."""
        low = 0 if after is None else max(0, (after - self.start).days + 1)
        high = self.size if before is None else min(self.size, (before - self.start).days)
        if low >= high:
            return between(rng, after or self.start, before or self.end)
        drawn = self.days[low] + rng.random() * (self.days[high] - self.days[low])
        day = min(bisect_right(self.days, drawn), high) - 1
        hour = bisect_right(_HOURS, rng.random() * _HOURS[-1]) - 1
        seconds = int(rng.random() * 3600)
        return self.start + timedelta(days=day, seconds=hour * 3600 + seconds)

    def soon(self, rng: Random, after: datetime, mean_days: float) -> datetime:
        """A moment some days after another: often soon, seldom late, perhaps past the end."""
        about = after + timedelta(seconds=int(rng.expovariate(1 / mean_days) * 86_400))
        if about >= self.end:
            return about
        around = timedelta(days=4)
        return max(after, self.moment(rng, about - around, about + around))


def between(rng: Random, low: datetime, high: datetime) -> datetime:
    """A moment between two others, every second as likely."""
    room = max(0, int((high - low).total_seconds()))
    return low + timedelta(seconds=int(rng.random() * room))


def share_of(rows: int, share: float) -> int:
    """How many make up this share, at least one."""
    return max(1, round(rows * share))


def spread(total: int, things: Sequence[T]) -> dict[int, T]:
    """Indices, spread over `total` rows but never the first, to put these things at."""
    step = len(things) + 1
    places = {number * total // step: thing for number, thing in enumerate(things, start=1)}
    places.pop(0, None)
    return places
