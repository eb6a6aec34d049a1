"""Waits that end when a push is told to stop, where nothing is lost by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from crmlab.errors import Stopped

T = TypeVar("T")


def stopped() -> Stopped:
    """Return what ends a push that was told to stop."""
    return Stopped("stopped before all rows were sent")


async def unless_stopped(
    work: Coroutine[Any, Any, T],
    stop: asyncio.Event,
    *,
    may_be_cut: Callable[[], bool] = lambda: True,
) -> T:
    """Return what is awaited; once told to stop, give it up unless it may not be cut at that moment.

    Raises
    ------
    Stopped
        it was given up
    """
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done() and may_be_cut():
            working.cancel()
        await asyncio.wait({working})
        if working.cancelled():
            raise stopped()
        return working.result()
    finally:
        # nothing goes on behind a push that was cancelled
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
