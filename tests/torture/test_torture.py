"""The short set of what ``make torture`` does at length: faults, kills and cancels that are the same each time."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.torture import cancels, commands, faulty, kills, ways


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
async def test_a_fetch_that_was_killed_is_gone_on_with() -> None:
    outcomes = await kills.tortured(2, 8, rows=300, services=["relenta"])

    assert [outcome.wrong for outcome in outcomes] == ["", ""]
    assert any(outcome.was_killed for outcome in outcomes)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a list of open sockets")
async def test_a_cancelled_call_leaves_nothing_and_says_nothing() -> None:
    assert await cancels.tortured(6, 1) == 0


async def test_no_fault_makes_a_silent_gap_a_hang_or_a_strange_error() -> None:
    async with faulty.opened(7, rows=120) as bench:
        done = await faulty.tortured(bench, 60)

    assert [each for each in done if each.outcome in faulty.WRONG] == []
    assert {"exact", "told"} <= {each.outcome for each in done}


async def test_files_plans_calls_downloads_and_pushes_tell_what_a_fault_does_to_them() -> None:
    async with faulty.opened(3, rows=60) as bench:
        done = await ways.tortured(bench, 2 * len(ways.WAYS))

    assert [each for each in done if each.outcome in faulty.WRONG] == []


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate that nobody signed")
async def test_what_has_no_answer_is_told_with_its_reason() -> None:
    async with faulty.opened(1, rows=20) as bench:
        done = await faulty.unreachable(bench, services=["relenta"])

    assert {each.case: each.outcome for each in done} == dict.fromkeys(faulty.NO_ANSWER, "told")


@pytest.mark.skipif(
    sys.platform == "win32", reason="Ctrl-C is no signal there that a test can send"
)
async def test_a_command_that_is_stopped_says_one_line_and_leaves_nothing_half() -> None:
    assert [run for run in await commands.tortured(3, 5) if run.outcome == "odd"] == []
