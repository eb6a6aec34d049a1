"""What a fetch tells while it runs, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one resource of one account is."""

    account: str
    provider: str
    resource: str
    state: Literal["running", "complete", "incomplete", "failed"]
    rows: int
    requests: int
    #: requests known to be needed so far, those done included
    planned: int


Listener = Callable[[Progress], None]
