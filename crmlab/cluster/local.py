"""A cluster on this machine: worker processes of its own, until it is closed."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec

from crmlab.cluster.connection import library, quiet
from crmlab.errors import UsageError

_HERE = "127.0.0.1"
#: Ctrl-C in a terminal, and its end, reach every process; the workers are ended by the one that started them
_AT_START = """
import signal
for name in ("SIGINT", "SIGHUP"):
    if hasattr(signal, name):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
"""
#: accounts that a worker reads at a time: they wait for answers most of the time, and memory holds what they bring
ACCOUNTS = 16
#: the least and the most of each number: where a port is none, Dask takes another one without a word
_BOUNDS = {"workers": (1, 1_000), "accounts": (1, 10_000), "port": (0, 65_535)}


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """Where it is reached: by a refresh, and by somebody who looks at it in a browser."""

    address: str
    dashboard: str
    has_figures: bool


@asynccontextmanager
async def local_cluster(
    workers: int, *, accounts: int = ACCOUNTS, port: int = 0
) -> AsyncIterator[LocalCluster]:
    """Start a scheduler and so many workers, which nobody reaches from another machine.

    Parameters
    ----------
    workers
        How many processes.
    accounts
        How many accounts each of them reads at a time.
    port
        Of the scheduler; 0: any free one.

    Raises
    ------
    UsageError
        distributed is not installed, a number is none, or the port is taken.
    """
    for name, number in (("workers", workers), ("accounts", accounts), ("port", port)):
        least, most = _BOUNDS[name]
        if not least <= number <= most:
            raise UsageError(f"{name} is a number from {least} to {most}, not {number}")
    dask = library()
    starting = dask.LocalCluster(
        n_workers=workers,
        threads_per_worker=accounts,
        host=_HERE,
        scheduler_port=port,
        dashboard_address=f"{_HERE}:0",
        preload=_AT_START,
        silence_logs=logging.ERROR,
        asynchronous=True,
    )
    try:
        cluster = await starting
    except (OSError, RuntimeError) as error:
        raise UsageError(
            f"no cluster could be started on port {port} ({type(error).__name__})"
        ) from None
    try:
        link = str(cluster.dashboard_link)
        # without bokeh Dask draws nothing, and has pages of text
        has_figures = find_spec("bokeh") is not None
        page = link if has_figures else link.replace("/status", "/info/main/workers.html")
        yield LocalCluster(str(cluster.scheduler_address), page, has_figures)
    finally:
        # a busy machine needs longer than Dask waits: workers that lose this process end by themselves
        with quiet(), suppress(TimeoutError):
            await cluster.close()
