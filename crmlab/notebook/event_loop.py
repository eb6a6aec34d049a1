"""The event loop in which widgets do what they are told."""

from __future__ import annotations

import asyncio


def running() -> asyncio.AbstractEventLoop | None:
    """Return the loop of whoever calls; None where there is no kernel.

    To be asked when a widget is made: ipykernel 7.3 calls back in another thread with another loop, in which
    the sessions of the notebook's own cannot be used.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
