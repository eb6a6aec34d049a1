"""The short set of what ``make torture`` does at length: faults, kills and cancels that are the same each time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.torture import cancels, faulty, kills


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
async def test_a_fetch_that_was_killed_is_gone_on_with() -> None:
    outcomes = await kills.tortured(2, 8, rows=300, services=["relenta"])

    assert [outcome.wrong for outcome in outcomes] == ["", ""]
    assert any(outcome.was_killed for outcome in outcomes)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a list of open sockets")
async def test_a_cancelled_call_leaves_nothing_and_says_nothing() -> None:
    assert await cancels.tortured(6, 1) == 0


async def test_no_fault_makes_a_silent_gap_a_hang_or_a_strange_error() -> None:
    done = await faulty.tortured(60, 7, rows=120)

    assert [each for each in done if each.outcome in faulty.WRONG] == []
    assert {"exact", "told"} <= {each.outcome for each in done}
