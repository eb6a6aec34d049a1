"""The limit of a whole, for what returns nothing before its end: a plan, a check, a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crmlab.errors import Stopped


def out_of_time(seconds: float) -> str:
    """Say that something was stopped since it took longer than `total` allows."""
    return f"stopped before its end, after {seconds:,g} s, which is total of crmlab.Timeouts"


@asynccontextmanager
async def within(seconds: float | None) -> AsyncIterator[None]:
    """Raise `Stopped` where what is done takes longer; None is no limit."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if seconds is None or not limit.expired():
            raise
        raise Stopped(out_of_time(seconds)) from None
