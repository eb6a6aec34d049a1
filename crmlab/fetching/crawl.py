"""Requests side by side, each once and as soon as it is known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from crmlab.connector import Request

#: sends a request, takes in its answer, and returns the requests that follow
Ask = Callable[[Request], Awaitable[Iterable[Request]]]


async def sweep(requests: Iterable[Request], ask: Ask) -> None:
    """Ask these requests and all that follow; those that close their list when all others are in.

    The first error is raised plain, and what still runs is cancelled.
    """
    asked: set[str] = set()
    closing: list[Request] = []

    async def visit(group: asyncio.TaskGroup, request: Request) -> None:
        for following in await ask(request):
            start(group, following)

    def start(group: asyncio.TaskGroup, request: Request) -> None:
        if request.key in asked:
            return
        asked.add(request.key)
        if request.send_last:
            closing.append(request)
        else:
            group.create_task(visit(group, request))

    try:
        async with asyncio.TaskGroup() as group:
            for request in requests:
                start(group, request)
        while closing:
            last = closing.copy()
            closing.clear()
            async with asyncio.TaskGroup() as group:
                for request in last:
                    group.create_task(visit(group, request))
    except BaseExceptionGroup as several:
        raise first(several) from None


def first(several: BaseExceptionGroup) -> BaseException:
    """Return the first plain error of a group: nobody outside should meet a group."""
    error: BaseException = several
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
