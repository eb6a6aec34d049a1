"""A process that was forked while Polars was at work, and what is said in it instead of waiting for ever.

A fork copies the memory of a process and not its threads: whoever asks Polars in the copy waits for threads that are
not there. https://docs.pola.rs/user-guide/misc/multiprocessing/ tells more.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from crmlab.errors import UsageError

#: the threads of this process, on Linux
_THREADS = Path("/proc/self/task")
#: those of Polars that work; it starts them when they are first needed
_WORKER = re.compile(r"polars-\d+")


class _Fork:
    """What this process knows of the fork that it comes from."""

    polars_was_at_work = False
    lacks_threads = False


def check_threads() -> None:
    """Raise a `UsageError` where Polars would wait for ever."""
    if _Fork.lacks_threads:
        raise UsageError(
            "this process was forked from one in which Polars was at work, and its threads are missing here: "
            'start it as multiprocessing.get_context("spawn") does, or fork before anything is fetched or computed'
        )


def _before() -> None:
    _Fork.polars_was_at_work = _works()


def _in_child() -> None:
    _Fork.lacks_threads = _Fork.lacks_threads or _Fork.polars_was_at_work


def _works() -> bool:
    """Return whether Polars has begun to work in this process; where the system does not tell, whether crmlab has."""
    try:
        thread_names = [thread.joinpath("comm").read_text() for thread in _THREADS.iterdir()]
    except OSError:
        return "crmlab.http.client" in sys.modules
    return any(_WORKER.match(thread_name) for thread_name in thread_names)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_child=_in_child)
