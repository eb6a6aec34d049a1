"""Work for workers, which import it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

import crmlab
from crmlab.cluster import Task
from crmlab.connector import Request
from crmlab.errors import UsageError
from crmlab.fetching import Progress


@dataclass(frozen=True)
class WhoAndWhere:
    """Tells who was worked on, by which process, with which detail."""

    seconds: float = 0.0

    async def __call__(self, account: crmlab.Account, task: Task) -> tuple[str, int, object, bool]:
        news = {"requests": 1, "known_requests": 1, "rows": 1, "seconds": 0.1}
        task.tell(
            Progress(
                account=account.name,
                provider=account.provider.name,
                resource="deals",
                tables=("deals",),
                state="running",
                exact=True,
                **news,
            )
        )
        try:
            await asyncio.wait_for(task.stop.wait(), self.seconds)
        except TimeoutError:
            return account.label, os.getpid(), task.detail, False
        return account.label, os.getpid(), task.detail, True


@dataclass(frozen=True)
class Failing:
    """Ends with an error; `said` is what stands in it."""

    kind: str
    said: str

    async def __call__(self, account: crmlab.Account, task: Task) -> None:
        headers = account.sign(Request(path="/deals")).headers
        if self.kind == "usage":
            raise UsageError(self.said)
        raise KeyError(f"{self.said} {headers} {task.detail}")


@dataclass(frozen=True)
class Dying:
    """Ends its process."""

    async def __call__(self, account: crmlab.Account, task: Task) -> None:
        os._exit(1)
