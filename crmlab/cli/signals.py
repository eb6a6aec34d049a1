"""Signals that tell a command to end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stop_on(*names: str) -> Iterator[asyncio.Event]:
    """Yield what is set when the process gets one of these signals; one that is ignored, as by nohup, stays so."""
    stop_event = asyncio.Event()
    running_loop = asyncio.get_running_loop()
    handled = []
    for name in names:
        # Windows has not all of them
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) is signal.SIG_IGN:
            continue
        try:
            running_loop.add_signal_handler(number, stop_event.set)
        # Windows, or a thread that gets no signals
        except (NotImplementedError, RuntimeError, ValueError):
            continue
        handled.append(number)
    try:
        yield stop_event
    finally:
        for number in handled:
            running_loop.remove_signal_handler(number)
