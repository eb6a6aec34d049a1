"""Requests side by side, each once and as soon as it is known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from crmlab.connector import Request
from crmlab.fetching.task_group import TaskGroup

T = TypeVar("T")

#: sends a request, takes in its answer, and returns the requests that follow
Visit = Callable[[Request], Awaitable[Iterable[Request]]]


async def crawl(requests: Iterable[Request], visit: Visit, known: set[str] | None = None) -> None:
    """Visit these requests and all that follow; those that are to be sent last when all others are in.

    The first error is raised plain, and what still runs is cancelled. `known`: the keys of requests that were
    visited before, and of those that are visited now.
    """
    if known is None:
        known = set()
    sent_last: list[Request] = []

    async def visit_and_follow(task_group: TaskGroup, request: Request) -> None:
        for following in await visit(request):
            start(task_group, following)

    def start(task_group: TaskGroup, request: Request) -> None:
        if request.key in known:
            return
        known.add(request.key)
        if request.send_last:
            sent_last.append(request)
        else:
            task_group.create_task(visit_and_follow(task_group, request))

    async with TaskGroup() as task_group:
        for request in requests:
            start(task_group, request)
    while sent_last:
        waiting = sent_last.copy()
        sent_last.clear()
        async with TaskGroup() as task_group:
            for request in waiting:
                task_group.create_task(visit_and_follow(task_group, request))


async def side_by_side(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of this at once; after an error or a cancel, leave nothing running and raise it plain."""
    async with TaskGroup() as task_group:
        for coroutine in works:
            task_group.create_task(coroutine)


async def ended(work: asyncio.Future[T]) -> T:
    """Wait for what others do, and return what came of it; it goes on where this is cancelled.

    Not `asyncio.shield`, which may complain of an error that is told elsewhere once nobody waits any more.
    """
    await asyncio.wait([work])
    return work.result()


def look_at(work: asyncio.Future[Any]) -> None:
    """Take note of how it ended: asyncio complains of what nobody looked at, as after an interrupt."""
    if not work.cancelled():
        work.exception()
