"""The limiter against what a vendor may count, on a clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.connector.limits import Limits
from crmlab.http.limiter import Departure, Limiter

LIMITS = st.builds(Limits, rate=st.sampled_from([0.5, 1.0, 2.0, 5.0, 30.0]), burst=st.integers(1, 12))
GAPS = st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.001, 0.05, 0.2, 0.7, 3.0]), min_size=1, max_size=60)
#: seconds between taking a time and leaving, and whether the answer is a refusal
FATES = st.lists(st.tuples(st.sampled_from([0.0, 0.0, 0.001, 0.3, 5.0]), st.booleans()), min_size=1, max_size=60)
FIVE = Limits(rate=5, burst=10)


class Line:
    """Requests that leave one after the other, each as soon as the limiter lets it."""

    def __init__(self, limits: Limits, *, slack: float = 0.0) -> None:
        self.limiter, self.now = Limiter(limits, slack=slack), 100.0
        self._connecting: list[tuple[float, Departure]] = []

    def pass_to(self, now: float) -> None:
        self.now = now
        for at, departure in self._connecting:
            if at <= now:
                departure.at = at
        self._connecting = [(at, departure) for at, departure in self._connecting if at > now]

    def leave(self, *, connecting: float = 0.0) -> Departure:
        while wait := self.limiter.wait(self.now):
            self.pass_to(self.now + wait)
        departure = self.limiter.take(self.now)
        self._connecting.append((self.now + connecting, departure))
        self.pass_to(self.now)
        return departure

    def leave_at_once(self) -> int:
        """Return how many leave before the first that waits."""
        started, number = self.now, 0
        while self.leave().at == started:
            number += 1
        return number

    def refuse(self, departure: Departure, seconds: float = 1.0) -> None:
        self.limiter.refused(departure, self.now, seconds)


def times(departures: Sequence[Departure]) -> list[float]:
    return sorted(departure.at for departure in departures if departure.at is not None)


def assert_within(limits: Limits, left: Sequence[float]) -> None:
    """At most `burst` in any window; and so never more than a token bucket gives."""
    assert limits.rate is not None
    window = limits.burst / limits.rate
    assert [b - a for a, b in zip(left, left[limits.burst :], strict=False) if b - a < window - 1e-9] == []
    for first, start in enumerate(left):
        for number, stop in enumerate(left[first:], 1):
            assert number <= limits.burst + limits.rate * (stop - start) + 1e-6


@given(LIMITS, FATES)
def test_no_window_sees_more_than_the_burst_however_long_connecting_takes(
    limits: Limits, fates: list[tuple[float, bool]]
) -> None:
    line = Line(limits)

    departures = [line.leave(connecting=connecting) for connecting, _ in fates]
    line.pass_to(line.now + 10)

    assert len(times(departures)) == len(fates)
    assert_within(limits, times(departures))


@given(LIMITS, GAPS)
def test_nothing_waits_longer_than_the_window_makes_it(limits: Limits, gaps: list[float]) -> None:
    line, earliest = Line(limits), []
    assert limits.rate is not None

    departures = []
    for gap in gaps:
        line.pass_to(line.now + gap)
        full = earliest[-limits.burst] + limits.burst / limits.rate if len(earliest) >= limits.burst else 0.0
        earliest.append(max(line.now, full))
        departures.append(line.leave())

    assert times(departures) == pytest.approx(earliest, abs=1e-6)


@given(st.lists(st.floats(0, 0.02), min_size=1, max_size=80))
def test_delays_on_the_way_break_no_window_while_they_are_within_the_slack(delays: list[float]) -> None:
    line = Line(FIVE, slack=0.02)

    left = times([line.leave() for _ in delays])

    assert_within(FIVE, sorted(at + delay for at, delay in zip(left, delays, strict=True)))


@given(LIMITS, FATES)
def test_no_window_sees_more_than_the_burst_whatever_is_refused(
    limits: Limits, fates: list[tuple[float, bool]]
) -> None:
    line, departures = Line(limits), []

    for connecting, refused in fates:
        departures.append(line.leave(connecting=connecting))
        if refused:
            line.refuse(departures[-1], 0.1)
        else:
            line.limiter.answered(departures[-1])
    line.pass_to(line.now + 10)

    assert_within(limits, times(departures))


def test_without_a_rate_nothing_waits() -> None:
    line = Line(Limits(rate=None))

    assert {line.leave().at for _ in range(100)} == {100.0}


@pytest.mark.parametrize("limits", [FIVE, Limits(rate=None)])
def test_while_paused_nothing_leaves(limits: Limits) -> None:
    line = Line(limits)

    line.refuse(line.leave(), 3.0)

    assert line.leave().at == 103.0


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    line = Line(FIVE)
    refused = line.leave()

    line.refuse(refused, 60.0)
    line.refuse(refused, 1.0)

    assert line.leave().at == pytest.approx(160.0)


def test_a_refusal_halves_the_rate_and_takes_the_burst_away() -> None:
    line = Line(FIVE)
    line.refuse(line.leave(), 3.0)

    left = times([line.leave() for _ in range(5)])

    assert left == pytest.approx([103.0 + 0.4 * number for number in range(5)])


def test_refusals_of_what_left_before_the_pause_are_one() -> None:
    line = Line(FIVE)

    for departure in [line.leave() for _ in range(3)]:
        line.refuse(departure)
    first, second = line.leave(), line.leave()

    assert times([first, second]) == pytest.approx([101.0, 101.4])
    line.refuse(second, 1.0)
    assert times([line.leave(), line.leave()]) == pytest.approx([102.4, 103.2])


def test_however_much_is_refused_something_leaves() -> None:
    line = Line(FIVE)
    for _ in range(50):
        line.refuse(line.leave(), 0.0)

    first, second = line.leave(), line.leave()

    assert times([first, second])[1] - times([first])[0] == pytest.approx(16 / 5)


@pytest.mark.parametrize("limits", [FIVE, Limits(rate=20, burst=20), Limits(rate=5, burst=1)])
def test_answers_bring_the_rate_back_and_not_beyond(limits: Limits) -> None:
    line = Line(limits)
    line.refuse(line.leave())

    for _ in range(51):
        line.limiter.answered(line.leave())
    line.pass_to(line.now + 60)

    assert [line.leave_at_once() for _ in range(3)] == [limits.burst, limits.burst - 1, limits.burst - 1]


def test_the_rate_comes_back_little_by_little() -> None:
    line = Line(FIVE)
    line.refuse(line.leave())

    left = []
    for _ in range(40):
        departure = line.leave()
        left += times([departure])
        line.limiter.answered(departure)

    gaps = [later - earlier for earlier, later in pairwise(left)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] == pytest.approx(0.4, rel=0.05)
    assert gaps[-1] == pytest.approx(0.4 * 50 / 89, rel=0.05)


def test_an_answer_to_what_left_before_a_refusal_does_not_bring_the_rate_back() -> None:
    line = Line(FIVE)
    before, refused = line.leave(), line.leave()
    line.refuse(refused)

    for _ in range(100):
        line.limiter.answered(before)

    assert times([line.leave(), line.leave()]) == pytest.approx([101.0, 101.4])


def test_an_undocumented_limit_is_tried_out_slowly_up_to_its_ceiling() -> None:
    limits = Limits(rate=5, burst=5, ceiling=20)
    line, left = Line(limits), []

    for _ in range(1000):
        departure = line.leave()
        left += times([departure])
        line.limiter.answered(departure)

    in_second = [sum(start <= at < start + 1 for at in left) for start in range(100, int(left[-1]))]
    assert in_second[0] == 5
    assert in_second == sorted(in_second)
    assert max(b - a for a, b in pairwise(in_second)) <= 2
    assert in_second[-1] == 20
    assert_within(Limits(rate=20, burst=20), left)


def test_an_undocumented_limit_that_is_not_used_up_is_not_tried_out() -> None:
    line = Line(Limits(rate=5, burst=5, ceiling=20))

    for _ in range(500):
        line.limiter.answered(line.leave())
        line.pass_to(line.now + 1)
    line.pass_to(line.now + 60)

    assert line.leave_at_once() == 5


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"rate": -1}, {"burst": 0}, {"concurrency": 0}])
def test_limits_that_let_nothing_through_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Limits(**wrong)


@pytest.mark.parametrize("wrong", [{"ceiling": 5}, {"rate": 5, "ceiling": 4}])
def test_a_ceiling_below_the_rate_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least rate"):
        Limits(**wrong)
