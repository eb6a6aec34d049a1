"""The limiter against a token bucket, on a clock of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.limiter import Limiter
from crmlab.provider import Limits

LIMITS = st.builds(
    Limits, rate=st.sampled_from([0.5, 1.0, 2.0, 5.0, 30.0]), burst=st.integers(1, 12), concurrency=st.just(10)
)
GAPS = st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.001, 0.05, 0.2, 0.7, 3.0]), min_size=1, max_size=60)


def leaving(limits: Limits, gaps: list[float]) -> tuple[list[float], list[float]]:
    """When requests arrive and when the limiter lets them leave."""
    limiter, now, arrivals, departures = Limiter(limits), 1000.0, [], []
    for gap in gaps:
        now += gap
        arrivals.append(now)
        departures.append(now + limiter.reserve(now))
    return arrivals, departures


@given(LIMITS, GAPS)
def test_no_window_sees_more_than_the_burst_and_what_the_rate_adds(limits: Limits, gaps: list[float]) -> None:
    _, departures = leaving(limits, gaps)

    assert limits.rate is not None
    assert departures == sorted(departures)
    for first, start in enumerate(departures):
        for number, stop in enumerate(departures[first:], 1):
            assert number <= limits.burst + limits.rate * (stop - start) + 1e-6


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=80))
def test_delays_on_the_way_break_no_window_while_they_are_within_the_slack(delays: list[float]) -> None:
    limits = Limits(rate=5, burst=10)
    limiter = Limiter(limits, slack=0.2)

    arrivals = sorted(1000.0 + limiter.reserve(1000.0) + delay for delay in delays)

    assert limits.rate is not None
    for first, start in enumerate(arrivals):
        for number, stop in enumerate(arrivals[first:], 1):
            assert number <= limits.burst + limits.rate * (stop - start) + 1e-6


@given(LIMITS, GAPS)
def test_nothing_waits_longer_than_a_token_bucket_makes_it(limits: Limits, gaps: list[float]) -> None:
    arrivals, departures = leaving(limits, gaps)

    assert limits.rate is not None
    tokens, at = float(limits.burst), arrivals[0]
    for arrival, departure in zip(arrivals, departures, strict=True):
        ready = max(arrival, at)
        tokens = min(limits.burst, tokens + (ready - at) * limits.rate)
        wait = max(0.0, (1 - tokens) / limits.rate)
        at, tokens = ready + wait, tokens + wait * limits.rate - 1
        assert departure == pytest.approx(at, abs=1e-6)


def test_without_a_rate_nothing_waits() -> None:
    limiter = Limiter(Limits(rate=None))

    assert [limiter.reserve(5.0) for _ in range(100)] == [0.0] * 100


@pytest.mark.parametrize("rate", [None, 5.0])
def test_after_a_pause_there_is_no_burst(rate: float | None) -> None:
    limiter = Limiter(Limits(rate=rate, burst=10))

    limiter.pause(100.0, 3.0)
    waits = [limiter.reserve(100.0) for _ in range(4)]

    assert waits == pytest.approx([3.0 + i * (1 / rate if rate else 0) for i in range(4)])


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    limiter = Limiter(Limits(rate=5, burst=10))

    limiter.pause(100.0, 60.0)
    limiter.pause(100.0, 1.0)

    assert limiter.reserve(100.0) == pytest.approx(60.0)


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"rate": -1}, {"burst": 0}, {"concurrency": 0}])
def test_limits_that_let_nothing_through_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Limits(**wrong)
