"""The limit that the sandbox enforces, on a clock of its own; how it starts and ends."""

from __future__ import annotations

import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import crmlab
from crmlab.connector.limits import Limits
from crmlab.errors import UsageError
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


def is_open(url: str) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", urlsplit(url).port)) == 0


async def test_an_awaited_sandbox_serves_until_it_is_closed() -> None:
    accounts = await crmlab.sandbox(rows=5, services=["complero"])

    data = await crmlab.fetch(accounts, "contacts")
    assert data.complete
    assert is_open(accounts.url)
    await accounts.close()
    await accounts.close()

    assert not is_open(accounts.url)


async def test_a_sandbox_may_be_closed_within_its_block() -> None:
    async with crmlab.sandbox(rows=5, services=["complero"]) as accounts:
        await accounts.close()

        assert not is_open(accounts.url)


@pytest.mark.slow
def test_an_awaited_sandbox_ends_with_the_event_loop_and_leaves_nothing() -> None:
    code = """
import asyncio, crmlab

async def main():
    accounts = await crmlab.sandbox(rows=5)
    await crmlab.fetch(accounts, "contacts")
    return accounts.url

print(asyncio.run(main()))
"""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stderr == ""
    assert not is_open(done.stdout.strip())


async def test_a_sandbox_shows_its_services_and_no_key() -> None:
    async with crmlab.sandbox(rows=5) as accounts:
        shown = [repr(accounts), accounts._repr_html_()]

    for text in shown:
        assert accounts.url in text
        assert all(
            account.provider.title in text and account.redact(text) == text for account in accounts
        )


async def test_only_a_sandbox_with_rate_limits_is_asked_no_faster_than_the_vendor() -> None:
    async with crmlab.sandbox(rows=5) as free, crmlab.sandbox(rows=5, rate_limits=True) as limited:
        assert {account.limits.rate for account in free} == {None}
        assert all(account.limits == account.provider.limits for account in limited)


def test_a_world_or_service_that_is_not_known_is_said_at_once() -> None:
    with pytest.raises(UsageError, match="unknown world"):
        crmlab.sandbox("mavn")
