"""The limiter against what a vendor may count, on a clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.connector.limits import Limits
from crmlab.http.limiter import Limiter, Ticket, strictest_of

LIMITS = st.builds(
    Limits, rate=st.sampled_from([0.5, 1.0, 2.0, 5.0, 30.0]), burst=st.integers(1, 12)
)
GAPS = st.lists(
    st.sampled_from([0.0, 0.0, 0.0, 0.001, 0.05, 0.2, 0.7, 3.0]), min_size=1, max_size=60
)
#: seconds between taking a time and leaving, and whether the answer is a refusal
FATES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0, 0.001, 0.3, 5.0]), st.booleans()), min_size=1, max_size=60
)
FIVE = Limits(rate=5, burst=10)


class Sender:
    """Requests that leave one after the other, each as soon as the limiter lets it."""

    def __init__(self, limits: Limits, *, slack: float = 0.0) -> None:
        self.limiter, self.now = Limiter(limits, slack=slack), 100.0
        self._connecting: list[tuple[float, Ticket]] = []

    def pass_to(self, now: float) -> None:
        self.now = now
        for at, ticket in self._connecting:
            if at <= now:
                ticket.left_at = at
        self._connecting = [(at, ticket) for at, ticket in self._connecting if at > now]

    def leave(self, *, connecting: float = 0.0) -> Ticket:
        while wait := self.limiter.wait(self.now):
            self.pass_to(self.now + wait)
        ticket = self.limiter.take(self.now)
        self._connecting.append((self.now + connecting, ticket))
        self.pass_to(self.now)
        return ticket

    def leave_at_once(self) -> int:
        """Return how many leave before the first that waits."""
        started, number = self.now, 0
        while self.leave().left_at == started:
            number += 1
        return number

    def refuse(self, ticket: Ticket, seconds: float = 1.0) -> None:
        self.limiter.refused(ticket, self.now, seconds)


def times(tickets: Sequence[Ticket]) -> list[float]:
    return sorted(ticket.left_at for ticket in tickets if ticket.left_at is not None)


def assert_within(limits: Limits, left: Sequence[float]) -> None:
    """At most `burst` in any window; and so never more than a token bucket gives."""
    assert limits.rate is not None
    window = limits.burst / limits.rate
    assert [
        b - a for a, b in zip(left, left[limits.burst :], strict=False) if b - a < window - 1e-9
    ] == []
    for first, start in enumerate(left):
        for number, stop in enumerate(left[first:], 1):
            assert number <= limits.burst + limits.rate * (stop - start) + 1e-6


@given(LIMITS, FATES)
def test_no_window_sees_more_than_the_burst_however_long_connecting_takes(
    limits: Limits, fates: list[tuple[float, bool]]
) -> None:
    sender = Sender(limits)

    tickets = [sender.leave(connecting=connecting) for connecting, _ in fates]
    sender.pass_to(sender.now + 10)

    assert len(times(tickets)) == len(fates)
    assert_within(limits, times(tickets))


@given(LIMITS, GAPS)
def test_nothing_waits_longer_than_the_window_makes_it(limits: Limits, gaps: list[float]) -> None:
    sender, earliest = Sender(limits), []
    assert limits.rate is not None

    tickets = []
    for gap in gaps:
        sender.pass_to(sender.now + gap)
        full = (
            earliest[-limits.burst] + limits.burst / limits.rate
            if len(earliest) >= limits.burst
            else 0.0
        )
        earliest.append(max(sender.now, full))
        tickets.append(sender.leave())

    assert times(tickets) == pytest.approx(earliest, abs=1e-6)


@given(st.lists(st.floats(0, 0.02), min_size=1, max_size=80))
def test_delays_on_the_way_break_no_window_while_they_are_within_the_slack(
    delays: list[float],
) -> None:
    sender = Sender(FIVE, slack=0.02)

    left = times([sender.leave() for _ in delays])

    assert_within(FIVE, sorted(at + delay for at, delay in zip(left, delays, strict=True)))


@given(LIMITS, FATES)
def test_no_window_sees_more_than_the_burst_whatever_is_refused(
    limits: Limits, fates: list[tuple[float, bool]]
) -> None:
    sender, tickets = Sender(limits), []

    for connecting, refused in fates:
        tickets.append(sender.leave(connecting=connecting))
        if refused:
            sender.refuse(tickets[-1], 0.1)
        else:
            sender.limiter.answered(tickets[-1])
    sender.pass_to(sender.now + 10)

    assert_within(limits, times(tickets))


@given(LIMITS, LIMITS, FATES)
def test_where_several_limits_hold_no_window_of_any_sees_more(
    one: Limits, other: Limits, fates: list[tuple[float, bool]]
) -> None:
    sender = Sender(one)
    sender.limiter.hold([one, other])

    tickets = [sender.leave(connecting=connecting) for connecting, _ in fates]
    sender.pass_to(sender.now + 10)

    assert_within(one, times(tickets))
    assert_within(other, times(tickets))


def test_without_a_rate_nothing_waits() -> None:
    sender = Sender(Limits(rate=None))

    assert {sender.leave().left_at for _ in range(100)} == {100.0}


@pytest.mark.parametrize("limits", [FIVE, Limits(rate=None)])
def test_while_paused_nothing_leaves(limits: Limits) -> None:
    sender = Sender(limits)

    sender.refuse(sender.leave(), 3.0)

    assert sender.leave().left_at == 103.0


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    sender = Sender(FIVE)
    refused = sender.leave()

    sender.refuse(refused, 60.0)
    sender.refuse(refused, 1.0)

    assert sender.leave().left_at == pytest.approx(160.0)


def test_a_refusal_halves_the_rate_and_takes_the_burst_away() -> None:
    sender = Sender(FIVE)
    sender.refuse(sender.leave(), 3.0)

    left = times([sender.leave() for _ in range(5)])

    assert left == pytest.approx([103.0 + 0.4 * number for number in range(5)])


def test_refusals_of_what_left_before_the_pause_are_one() -> None:
    sender = Sender(FIVE)

    for ticket in [sender.leave() for _ in range(3)]:
        sender.refuse(ticket)
    first, second = sender.leave(), sender.leave()

    assert times([first, second]) == pytest.approx([101.0, 101.4])
    sender.refuse(second, 1.0)
    assert times([sender.leave(), sender.leave()]) == pytest.approx([102.4, 103.2])


def test_however_much_is_refused_something_leaves() -> None:
    sender = Sender(FIVE)
    for _ in range(50):
        sender.refuse(sender.leave(), 0.0)

    first, second = sender.leave(), sender.leave()

    assert times([first, second])[1] - times([first])[0] == pytest.approx(16 / 5)


@pytest.mark.parametrize("limits", [FIVE, Limits(rate=20, burst=20), Limits(rate=5, burst=1)])
def test_answers_bring_the_rate_back_and_not_beyond(limits: Limits) -> None:
    sender = Sender(limits)
    sender.refuse(sender.leave())

    for _ in range(51):
        sender.limiter.answered(sender.leave())
    sender.pass_to(sender.now + 60)

    assert [sender.leave_at_once() for _ in range(3)] == [
        limits.burst,
        limits.burst - 1,
        limits.burst - 1,
    ]


def test_the_rate_comes_back_little_by_little() -> None:
    sender = Sender(FIVE)
    sender.refuse(sender.leave())

    left = []
    for _ in range(40):
        ticket = sender.leave()
        left += times([ticket])
        sender.limiter.answered(ticket)

    gaps = [later - earlier for earlier, later in pairwise(left)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] == pytest.approx(0.4, rel=0.05)
    assert gaps[-1] == pytest.approx(0.4 * 50 / 89, rel=0.05)


def test_an_answer_to_what_left_before_a_refusal_does_not_bring_the_rate_back() -> None:
    sender = Sender(FIVE)
    before, refused = sender.leave(), sender.leave()
    sender.refuse(refused)

    for _ in range(100):
        sender.limiter.answered(before)

    assert times([sender.leave(), sender.leave()]) == pytest.approx([101.0, 101.4])


@pytest.mark.slow
def test_an_undocumented_limit_is_tried_out_slowly_up_to_its_ceiling() -> None:
    limits = Limits(rate=5, burst=5, ceiling=20)
    sender, left = Sender(limits), []

    for _ in range(1000):
        ticket = sender.leave()
        left += times([ticket])
        sender.limiter.answered(ticket)

    in_second = [sum(start <= at < start + 1 for at in left) for start in range(100, int(left[-1]))]
    assert in_second[0] == 5
    assert in_second == sorted(in_second)
    assert max(b - a for a, b in pairwise(in_second)) <= 2
    assert in_second[-1] == 20
    assert_within(Limits(rate=20, burst=20), left)


def test_an_undocumented_limit_that_is_not_used_up_is_not_tried_out() -> None:
    sender = Sender(Limits(rate=5, burst=5, ceiling=20))

    for _ in range(500):
        sender.limiter.answered(sender.leave())
        sender.pass_to(sender.now + 1)
    sender.pass_to(sender.now + 60)

    assert sender.leave_at_once() == 5


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"rate": -1}, {"burst": 0}, {"concurrency": 0}])
def test_limits_that_let_nothing_through_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Limits(**wrong)


@pytest.mark.parametrize("wrong", [{"ceiling": 5}, {"rate": 5, "ceiling": 4}])
def test_a_ceiling_below_the_rate_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least rate"):
        Limits(**wrong)


# ---- the numbers themselves ---------------------------------------------------------------------


def answered(limiter: Limiter, *left: float) -> float | None:
    """Let requests leave at these times, answer the last, and return the rate."""
    for moment in left:
        ticket = limiter.take(moment)
        ticket.left_at = moment
    limiter.answered(ticket)
    return limiter.rate


def test_the_rate_is_that_of_the_strictest_of_those_with_one() -> None:
    limiter = Limiter(Limits())
    assert limiter.rate is None

    limiter.hold([Limits(), FIVE, Limits(rate=2, burst=1)])
    assert limiter.rate == 2

    limiter.hold([Limits(), FIVE])
    assert limiter.rate == 5


def test_an_answer_gives_back_a_hundredth_of_the_burst() -> None:
    limiter = Limiter(FIVE)
    ticket = limiter.take(0.0)
    limiter.refused(ticket, 0.0, 1.0)
    assert limiter.rate == pytest.approx(2.5)

    assert answered(limiter, 10.0) == pytest.approx(2.55)


@pytest.mark.parametrize(
    ("left", "is_raised"),
    [
        ([0.0, 0.0], False),  # no more than is documented
        ([0.0, 0.0, 2.0], True),
        ([0.0, 0.0, 3.999], True),
        ([0.0, 0.0, 4.0], False),  # two windows later nothing of them counts
    ],
)
def test_beyond_the_documented_rate_it_goes_only_where_that_is_used(
    left: list[float], *, is_raised: bool
) -> None:
    limiter = Limiter(Limits(rate=1, burst=2, ceiling=4))

    assert answered(limiter, *left) == pytest.approx(1.01 if is_raised else 1.0)


@pytest.mark.parametrize(("slack", "seconds"), [(0.0, 10.0), (0.05, 10.05), (100.0, 10.2)])
def test_a_window_is_longer_by_the_slack_and_by_a_fiftieth_at_most(
    slack: float, seconds: float
) -> None:
    limiter = (
        Limiter(Limits(rate=1, burst=10), slack=slack)
        if slack
        else Limiter(Limits(rate=1, burst=10))
    )
    for _ in range(10):
        limiter.take(0.0).left_at = 0.0

    assert limiter.wait(0.0) == pytest.approx(seconds)


def test_to_plan_with_each_number_is_the_least_of_all() -> None:
    wide = Limits(rate=5, burst=10, concurrency=4, ceiling=20)
    narrow = Limits(rate=2, burst=20, concurrency=8)
    unlimited = Limits(burst=30, concurrency=6)

    strictest = Limits(rate=2, burst=10, concurrency=4, ceiling=2)
    assert strictest_of([wide, narrow, unlimited]) == strictest
    assert strictest_of([unlimited, narrow, wide]) == strictest
    assert strictest_of([wide]) == wide
    assert strictest_of([unlimited]) == unlimited
