"""Tasks side by side that end together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class TaskGroup:
    """Tasks side by side: after the first error, or a cancel, nothing is left running, and it is raised plain.

    Use as an async context manager, in whose body nothing is awaited; a task may start others. It is not
    `asyncio.TaskGroup`, which before Python 3.13 leaves the task whose group failed marked as cancelled: an
    `asyncio.timeout` of the user's around it then raised `CancelledError` in place of `TimeoutError`.

    Examples
    --------
    >>> import asyncio
    >>> async def fails():
    ...     raise ValueError("first")
    >>> async def main():
    ...     try:
    ...         async with TaskGroup() as group:
    ...             group.create_task(asyncio.sleep(60))
    ...             group.create_task(fails())
    ...     except ValueError as error:
    ...         return error.args, asyncio.current_task().cancelling()
    >>> asyncio.run(main())
    (('first',), 0)
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._error: BaseException | None = None
        self._is_ending = False
        #: set where no task is left, or one failed
        self._news = asyncio.Event()

    def create_task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task."""
        started_task = asyncio.create_task(work)
        self._tasks.add(started_task)
        started_task.add_done_callback(self._ended)
        if self._is_ending:
            started_task.cancel()
        return started_task

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        cancelled: asyncio.CancelledError | None = None
        while self._tasks:
            if error or cancelled or self._error:
                self._cancel_all()
            self._news.clear()
            try:
                await self._news.wait()
            except asyncio.CancelledError as cancel:
                cancelled = cancel
        try:
            if cancelled:
                raise cancelled
            if self._error and error is None:
                raise self._error
        finally:
            self._error = None  # or the error and this frame would hold each other

    def _cancel_all(self) -> None:
        """Cancel each task once: a second cancel would cut off what it does at its end."""
        if not self._is_ending:
            self._is_ending = True
            for running_task in self._tasks:
                running_task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None
        if not task.cancelled():
            # looked at even where it is not the first: asyncio complains of an error that nobody looked at
            error = task.exception()
        self._error = self._error or error
        if self._error or not self._tasks:
            self._news.set()
