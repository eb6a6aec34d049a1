"""The limit that the sandbox enforces, on a clock of its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crmlab.provider import Limits
from crmlab.sandbox.server import _Gate

GAPS = st.lists(st.sampled_from([0.0, 0.0, 0.125, 0.25, 1.0, 2.0]), min_size=1, max_size=60)


@given(GAPS)
def test_exactly_what_no_window_has_room_for_is_refused(gaps: list[float]) -> None:
    gate, now, admitted = _Gate(Limits(rate=5, burst=10)), 100.0, []

    for gap in gaps:
        now += gap
        in_window = sum(at > now - 2.0 for at in admitted)
        assert gate.admits(now) == (in_window < 10)
        if in_window < 10:
            admitted.append(now)


def test_without_a_rate_nothing_is_refused() -> None:
    gate = _Gate(Limits(rate=None))

    assert all(gate.admits(100.0) for _ in range(50))
