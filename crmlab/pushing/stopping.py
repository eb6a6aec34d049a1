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
    task = asyncio.ensure_future(work)
    told = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() and may_be_cut():
            task.cancel()
        await asyncio.wait({task})
        if task.cancelled():
            raise stopped()
        return task.result()
    finally:
        # nothing goes on behind a push that was cancelled
        task.cancel()
        told.cancel()
        await asyncio.gather(task, told, return_exceptions=True)
