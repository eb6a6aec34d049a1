"""What is done in the process of a worker: accounts that were brought are read, news are fetched, a stop is heard.

All of it runs in the event loop of the worker, so that nothing is locked. What is brought is never part of a task,
whose arguments the scheduler keeps and lists: a task has the name of an account in one run, and finds the rest here.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from crmlab.accounts import Account, unpacked
from crmlab.cluster.sealed import Sealed
from crmlab.errors import CrmlabError, InternalError, UsageError
from crmlab.fetching import Progress

_Made = TypeVar("_Made")
#: names the machines that leave by one address, where they are not one host
MACHINE = "CRMLAB_MACHINE"
#: seconds without a word after which a run has been left
_SILENT = 600


class Work(Protocol):
    """What is done with each account; an instance goes to every worker once."""

    def __call__(self, account: Account, task: Task) -> Awaitable[Any]:
        """Return what the caller is told of the account: few bytes, without rows."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """One account that is worked on, and what belongs to it.

    `detail` is what the caller gave for the account. `is_repeated` says that a worker that is gone has begun it before,
    and may have finished it. `seconds` are left of the whole.
    """

    detail: Any
    is_repeated: bool
    seconds: float | None
    here: Here

    @property
    def stop(self) -> asyncio.Event:
        """Is set when what came is to be kept, and no more is to be asked."""
        return self.here.stop

    def tell(self, news: Progress) -> None:
        """Let the caller know how far it is."""
        self.here.news[(news.provider, news.account, news.resource)] = news


class Here:
    """What one run has in this process."""

    def __init__(self, work: Work, run: str) -> None:
        self.work = work
        self.stop = asyncio.Event()
        self.news: dict[tuple[str, str, str], Progress] = {}
        self.brought: dict[str, _Brought] = {}
        self.tasks: set[asyncio.Task[Any]] = set()
        #: when whoever asked for the run was last heard of
        self.heard_at = time.monotonic()
        self._run = run
        self._shared: dict[type[Any], Any] = {}

    def shared(self, kind: type[_Made], make: Callable[[], _Made]) -> _Made:
        """Return the one object of a kind that all accounts of the run share in this process."""
        if kind not in self._shared:
            self._shared[kind] = make()
        made: _Made = self._shared[kind]
        return made

    def alone(self) -> AbstractAsyncContextManager[Any]:
        """Return what only one process of the run holds at a time.

        It is let go of where that process dies. Nothing may be wrong if two held it: it spares work that is in vain.
        """
        from distributed import Lock  # noqa: PLC0415  # an extra

        lock: AbstractAsyncContextManager[Any] = Lock(f"crmlab-{self._run}")  # type: ignore[no-untyped-call]
        return lock


@dataclass(frozen=True, slots=True)
class _Brought:
    """An account that waits for its task."""

    account: bytes
    detail: Any
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Failed:
    """Work that ended with an error, in words that hold no secret."""

    said: str
    is_usage: bool = False
    #: it is a fault of crmlab's own
    is_internal: bool = False

    def error(self) -> CrmlabError:
        """Return it as what is raised where the caller is."""
        if self.is_internal:
            return InternalError(self.said)
        return UsageError(self.said) if self.is_usage else CrmlabError(self.said)


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker says of itself, and what is new since the last time."""

    version: str
    machine: str
    #: changes where another process has come in the place of one that died
    process: str
    slots: int
    news: tuple[Progress, ...]


_RUNS: dict[str, Here] = {}
_PROCESS = secrets.token_hex(4)


def version() -> str:
    """Return which crmlab this process has loaded; the package is above this room, which may not import it."""
    return str(vars(sys.modules["crmlab"])["__version__"])


def report(run: str, *, is_stopped: bool, dask_worker: Any) -> Report:
    """Tell what this worker is, and how far its accounts are; `is_stopped` lets them come to an end."""
    here = _RUNS.get(run)
    news: tuple[Progress, ...] = ()
    if here:
        news = tuple(here.news.values())
        here.news.clear()
        here.heard_at = time.monotonic()
        if is_stopped:
            here.stop.set()
    return Report(
        version=version(),
        machine=os.environ.get(MACHINE) or urlsplit(dask_worker.address).hostname or "",
        process=_PROCESS,
        slots=dask_worker.state.nthreads,
        news=news,
    )


def begin(run: str, work: Sealed) -> None:
    """Take what is done with each account."""
    for name, here in [*_RUNS.items()]:
        # a client that was killed says no farewell, and what it brought are keys
        if not here.tasks and time.monotonic() - here.heard_at > _SILENT:
            end(name)
    if run not in _RUNS:
        _RUNS[run] = Here(work.open(), run)


def bring(run: str, name: str, brought: Sealed) -> None:
    """Take an account with its keys; its task comes next."""
    (account, detail), seconds = brought.open()
    _RUNS[run].brought[name] = _Brought(account, detail, seconds)


def end(run: str) -> None:
    """Forget the run, and cancel what is still at work for it."""
    here = _RUNS.pop(run, None)
    if here:
        for task in here.tasks:
            task.cancel()


async def account(run: str, name: str, *, is_repeated: bool) -> Any:
    """Work on an account that was brought; the task that a scheduler shows.

    An error is returned and not raised: Dask would write it down with all that it came through.
    """
    here = _RUNS.get(run)
    brought = here.brought.pop(name, None) if here else None
    if here is None or brought is None:
        return Failed(
            "an account was not brought to the worker that was to read it", is_internal=True
        )
    about = Task(brought.detail, is_repeated, brought.seconds, here)
    # a task of its own: a cancel of Dask's would be taken for a fault of the worker
    working = asyncio.ensure_future(here.work(unpacked(brought.account), about))
    here.tasks.add(working)
    try:
        return await working
    except CrmlabError as error:
        return Failed(str(error), is_usage=isinstance(error, UsageError))
    except asyncio.CancelledError:
        return Failed("cancelled")
    except Exception as error:  # noqa: BLE001  # its text may hold anything, and would be kept by the scheduler
        return Failed(_place_of(error), is_internal=True)
    finally:
        here.tasks.discard(working)


def _place_of(error: Exception) -> str:
    """Return what kind of error it is and where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}, of a worker"
