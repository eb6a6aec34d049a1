"""What a fetch tells while it runs, without knowing who listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from crmlab.display import front_end
from crmlab.errors import UsageError

State = Literal["running", "waiting", "complete", "incomplete", "failed", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one resource of one account is.

    It is "waiting" while the limit lets nothing leave for more than half a second.
    """

    account: str
    provider: str
    resource: str
    #: what it fills of what was asked for, its own records (``"onepagecrm.deals"``) included
    tables: tuple[str, ...]
    state: State
    rows: int
    requests: int
    #: requests known to be needed so far, those done included
    known_requests: int
    #: since it began to ask
    seconds: float
    #: seconds until all that shares its limit is there; None while its own first answers do not tell
    left: float | None = None
    #: whether nothing that shares its limit can turn out to need more; otherwise `left` is the least
    exact: bool = False
    #: seconds until the limit lets the next request leave, while "waiting"
    wait: float = 0.0
    #: why it failed
    failure: str = ""

    @property
    def rate(self) -> float:
        """Rows a second."""
        if not self.seconds:
            return 0.0
        return self.rows / self.seconds

    @property
    def is_over(self) -> bool:
        """Whether this was the last of it."""
        return self.state not in ("running", "waiting")


Listener = Callable[[Progress], None]


def check_stop(stop: object) -> None:
    """Raise a `UsageError` where something else was given in the place of what stops."""
    if not isinstance(stop, asyncio.Event | None):
        raise UsageError(
            f"stop is an asyncio.Event, which is set to stop, not of type {type(stop).__name__}"
        )


@contextmanager
def listening(progress: Listener | bool | None, stop: asyncio.Event) -> Iterator[Listener | None]:
    """Yield who is told: whoever was given, or lines that are drawn where somebody looks on."""
    if progress is None:
        progress = front_end.looks_on()
    if progress is True:
        from crmlab.notebook.progress_bars import Bars  # noqa: PLC0415  # tqdm and widgets are loaded where something is drawn

        with Bars(stop) as bars:
            yield bars
    else:
        yield None if progress is False else progress
